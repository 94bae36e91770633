"""Signed tree heads as text: C2SP tlog-checkpoint inside a C2SP signed-note, with Ed25519.

    ceasefire-incident-tracker
    353
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    2022-10-01T12:00:00Z

    — ceasefire-incident-tracker x08go/ZJkuBS9UG/…

Name of the log, number of leaves, root in base64, time of signing (RFC 3339, as an extension
line); then one signature a line. Text and names are UTF-8, lines end with a newline.
https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from service.domain.ledger import HASH_BYTES
from service.errors import Invalid
from service.formats.records import instant_text

# signed-note assigns this byte to Ed25519.
_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_SIGNATURE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})\n")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head as it is signed: the log's name, its leaves, their root (32 bytes), and when."""

    origin: str
    size: int
    root: bytes
    signed_at: datetime | None

    def text(self) -> str:
        """What is signed; the newline at its end belongs to it."""
        root = base64.b64encode(self.root).decode()
        time = f"{instant_text(self.signed_at)}\n" if self.signed_at else ""
        return f"{self.origin}\n{self.size}\n{root}\n{time}"


class LogKey:
    """The key that signs the heads of the log called `name`."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = name
        self._private = private
        self._public = private.public_key().public_bytes_raw()

    @classmethod
    def read(cls, pem: bytes, name: str) -> "LogKey":
        """From PEM (PKCS#8, unencrypted). Raises `Invalid` where it is no Ed25519 key."""
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise Invalid("is not an Ed25519 private key in PEM", "ledger key file")
        return cls(name, private)

    @classmethod
    def load(cls, file: Path, name: str) -> "LogKey | None":
        """From a file; `None` where there is none. Raises `Invalid` as `read` does."""
        try:
            return cls.read(file.read_bytes(), name)
        except FileNotFoundError:
            return None

    @property
    def verifier(self) -> str:
        """The public part, for whoever checks: `name+key id+base64(0x01 and the public key)`."""
        public = base64.b64encode(_ED25519 + self._public).decode()
        return f"{self.name}+{_key_id(self.name, self._public).hex()}+{public}"

    def sign(self, size: int, root: bytes, at: datetime) -> str:
        """A signed head. `at` is kept to the second."""
        at = at.astimezone(UTC).replace(microsecond=0)
        return self.note(Checkpoint(self.name, size, root, at).text())

    def note(self, text: str) -> str:
        """`text`, which ends with a newline, as a note signed by this key."""
        signature = _key_id(self.name, self._public) + self._private.sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n"


def new_key() -> bytes:
    """A fresh private key in PEM (PKCS#8)."""
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def parse(note: str) -> Checkpoint:
    """What a note says, whoever signed it. Raises `Invalid` for what is no checkpoint."""
    text, _ = _parts(note)
    origin, size, root, *more = text.removesuffix("\n").split("\n") + [""] * 2
    if not origin or not _SIZE.fullmatch(size) or "" in more[:-2]:
        raise Invalid("is not a checkpoint")
    return Checkpoint(origin, int(size), _hash(root), _instant(more[0]))


def verify(note: str, verifier: str) -> Checkpoint:
    """What a note says that this key signed. Raises `Invalid` where it did not."""
    name, public = read_verifier(verifier)
    text, signatures = _parts(note)
    found = [
        signature[_KEY_ID_BYTES:]
        for signer, signature in signatures
        if signer == name and signature[:_KEY_ID_BYTES] == _key_id(name, public)
    ]
    if not found:
        raise Invalid("is not signed by this key")
    for signature in found:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
        except InvalidSignature:
            raise Invalid("bears a signature that this key did not make") from None
    return parse(note)


def read_verifier(verifier: str) -> tuple[str, bytes]:
    """Name and public key (32 bytes). Raises `Invalid` where the three parts do not agree."""
    name, _, rest = verifier.partition("+")
    key_id, _, encoded = rest.partition("+")
    public = _decoded(encoded)
    if public is not None and public[:1] == _ED25519 and len(public) == 1 + HASH_BYTES:
        public = public[1:]
        if re.fullmatch(r"[^\s+]+", name) and key_id == _key_id(name, public).hex():
            return name, public
    raise Invalid("is not an Ed25519 verifier key", "verifier key")


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and each signature with its signer's name."""
    text, blank, lines = note.rpartition("\n\n")
    signatures = []
    for line in lines.splitlines(keepends=True):
        found = _SIGNATURE.fullmatch(line)
        signature = _decoded(found[2]) if found else None
        if found is None or signature is None or len(signature) <= _KEY_ID_BYTES:
            raise Invalid("is not a signed note")
        signatures.append((found[1], signature))
    if not blank or not signatures or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise Invalid("is not a signed note")
    return f"{text}\n", signatures


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


def _hash(encoded: str) -> bytes:
    decoded = _decoded(encoded)
    if decoded is None or len(decoded) != HASH_BYTES:
        raise Invalid("is not a checkpoint")
    return decoded


def _decoded(encoded: str) -> bytes | None:
    """Base64 written in its one right way (RFC 4648, section 4), else `None`."""
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return None
    return decoded if base64.b64encode(decoded).decode() == encoded else None


def _instant(line: str) -> datetime | None:
    """The time in an extension line; other logs write other things there, or nothing."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", line, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(line)
    except ValueError:
        return None
