"""What answers about keys look like."""

from typing import Final

from service.api.shapes.common import Page, Shape, described
from service.domain.access import Act, Role, Visibility


class Key(Shape):
    name: str
    role: Role
    read_only: bool
    created_at: str
    expires_at: str | None
    """`null`: never."""
    revoked_at: str | None


class NewKey(Key):
    key: str
    """It cannot be read again."""


class OwnKey(Shape):
    name: str
    role: Role
    read_only: bool
    expires_at: str | None
    may: list[Act]
    """What it allows beyond reading."""
    sees: Visibility
    """The narrowest circle whose reports it is shown; what was sent with it, it is shown too."""


class Keys(Page):
    items: list[Key]


KEY: Final = described(Key, "The key as it is now, without its secret.")
NEW_KEY: Final = described(NewKey, "The key, this once.")
OWN_KEY: Final = described(OwnKey, "What the key allows.")
LIST_OF_KEYS: Final = described(Keys, "All keys.")
