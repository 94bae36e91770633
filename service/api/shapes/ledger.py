"""What heads and proofs look like."""

from typing import Final

from service.api.shapes.common import Page, Shape, described


class TreeHead(Shape):
    size: int
    """Leaves that it stands for."""
    root: str
    """SHA-256 in hexadecimal, by RFC 9162."""
    signed_at: str
    checkpoint: str
    """The head as a signed note (C2SP tlog-checkpoint)."""


class SignedHead(TreeHead):
    verifier_key: str
    """Whoever checks keeps it; it never changes."""


class Heads(Page):
    items: list[TreeHead]


class Inclusion(Shape):
    position: int
    """Of the leaf, from 0."""
    size: int
    proof: list[str]
    """Hashes in hexadecimal, lowest first (RFC 9162, 2.1.3)."""
    root: str


class Consistency(Shape):
    first: int
    second: int
    first_root: str
    second_root: str
    proof: list[str]
    """Hashes in hexadecimal (RFC 9162, 2.1.4)."""


SIGNED_HEAD: Final = described(SignedHead, "The newest signed head.")
LIST_OF_HEADS: Final = described(Heads, "A page of heads, newest first.")
INCLUSION: Final = described(Inclusion, "The proof.")
CONSISTENCY: Final = described(Consistency, "The proof.")
CHECKPOINT: Final = {
    "description": "The newest signed head, as a signed note.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
