"""API keys: random, shown once, kept only as a hash; every change of one is recorded.

What the record holds of a key, `null` where there is none:

    {"name", "sha256", "role", "read_only", "created_at", "expires_at", "revoked_at"}
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from types import EllipsisType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Act, Actor, Role, Visibility
from service.errors import Conflict, Invalid, NotFound, Unauthorized
from service.formats.records import instant_text
from service.store import journal, tables
from service.store.journal import Author, Change

KEY: Final = "key"
PREFIX: Final = "ceasefire_"
OPERATOR: Final = "operator"
"""Who changes keys on the command line; no key is called so."""
RESERVED: Final = frozenset({OPERATOR, "seed", "reference", "embargo", "migration", "erased"})
"""Names that changes are recorded under that nobody's key made: a key called so would pass for
them, and could not be told from them when somebody is to be forgotten."""

# It stands in a path, so no slash; and it starts with a letter or digit, so it is no `..`.
_NAME: Final = re.compile(r"\w([\w .@-]{0,98}[\w.])?")


def create(
    session: Session,
    name: str,
    role: Role,
    author: Author,
    new_id: Callable[[], str],
    *,
    read_only: bool = False,
    expires_at: datetime | None = None,
) -> str:
    """Make a key and return it; it cannot be read again.

    A name whose key was revoked gets a new one. Raises `Conflict` for a name in use, and
    `Invalid` for what cannot be a name, no role to give, or an end that has passed.
    """
    _check_name(name)
    _check_role(role)
    _check_end(expires_at, author)
    known = session.scalar(sa.select(tables.Key).where(tables.Key.name == name))
    if known is not None and known.revoked_at is None:
        raise Conflict("A key of this name exists.")
    # 256 random bits need no slow hash (OWASP ASVS 5, 11.4.2 concerns secrets people choose).
    secret = PREFIX + secrets.token_urlsafe(32)
    key = known or tables.Key(id=new_id(), name=name)
    key.sha256, key.role, key.read_only = _hash(secret), role.value, read_only
    key.created_at, key.expires_at, key.revoked_at = author.at, expires_at, None
    session.add(key)
    _record(session, key, author)
    return secret


def change(
    session: Session,
    name: str,
    author: Author,
    *,
    role: Role | None = None,
    read_only: bool | None = None,
    expires_at: datetime | EllipsisType | None = ...,
) -> tables.Key:
    """Let a key allow something else from the next request on; what is not given stays.

    `expires_at=None` takes the end away. Raises `NotFound`, `Conflict` for a revoked key, and
    `Invalid` for no role to give or an end that has passed.
    """
    key = named(session, name)
    if key.revoked_at is not None:
        raise Conflict("The key is revoked; make a new one.")
    before = _content(key)
    if role is not None:
        _check_role(role)
        key.role = role.value
    if read_only is not None:
        key.read_only = read_only
    if not isinstance(expires_at, EllipsisType):
        _check_end(expires_at, author)
        key.expires_at = expires_at
    if _content(key) != before:
        _record(session, key, author)
    return key


def revoke(session: Session, name: str, author: Author) -> tables.Key:
    """Make a key useless from now on; twice changes nothing. Raises `NotFound`."""
    key = named(session, name)
    if key.revoked_at is None:
        key.revoked_at = author.at
        _record(session, key, author)
    return key


def keep_a_manager(session: Session, now: datetime) -> None:
    """Raises `Conflict` where after a change no usable key could manage keys any more."""
    left = (actor_of(key) for key in listed(session) if usable(key, now))
    if not any(actor.may(Act.MANAGE_KEYS) for actor in left):
        raise Conflict("No key would be left that can manage keys; make another one first.")


def free_name(session: Session, name: str) -> str:
    """The name, or the name with a number where a key of it exists, revoked or not."""
    taken = {key.name for key in listed(session)}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def any_usable(session: Session, now: datetime) -> bool:
    return any(usable(key, now) for key in listed(session))


def usable(key: tables.Key, now: datetime) -> bool:
    """Whether it is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def listed(session: Session) -> list[tables.Key]:
    """All keys, oldest first."""
    order = (tables.Key.created_at, tables.Key.name)
    return list(session.scalars(sa.select(tables.Key).order_by(*order)))


def named(session: Session, name: str) -> tables.Key:
    """Raises `NotFound`."""
    key = session.scalar(sa.select(tables.Key).where(tables.Key.name == name))
    if key is None:
        raise NotFound
    return key


def holder(session: Session, key: str, now: datetime) -> Actor:
    """Whose key it is. Raises `Unauthorized` for an unknown, expired or revoked one alike."""
    row = session.scalar(sa.select(tables.Key).where(tables.Key.sha256 == _hash(key)))
    if row is None or not usable(row, now):
        raise Unauthorized
    return actor_of(row)


def actor_of(key: tables.Key) -> Actor:
    return Actor(key.name, Role(key.role), key.read_only)


def described(key: tables.Key) -> dict[str, Any]:
    """All there is to say of a key but its hash, which nobody is shown."""
    return {
        "name": key.name,
        "role": key.role,
        "read_only": key.read_only,
        "created_at": instant_text(key.created_at),
        "expires_at": instant_text(key.expires_at) if key.expires_at else None,
        "revoked_at": instant_text(key.revoked_at) if key.revoked_at else None,
    }


def insert_key(session: Session, key_id: str, content: dict[str, Any]) -> None:
    """Keep a key as the record holds it."""
    instants = {
        name: datetime.fromisoformat(content[name]) if content[name] else None
        for name in ("created_at", "expires_at", "revoked_at")
    }
    session.add(tables.Key(id=key_id, **{**content, **instants}))


def short(name: str) -> str:
    """What stands for the name of a key in the log: 8 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _check_name(name: str) -> None:
    # Somebody may take a key for a name, and names are shown.
    if not _NAME.fullmatch(name) or name.startswith(PREFIX):
        raise Invalid("must be 1 to 100 letters, digits, spaces or any of . _ @ -", "name")
    check_is_somebody(name)


def check_is_somebody(name: str) -> None:
    """Raises `Invalid` for a name that stands for no key and no person."""
    if name in RESERVED:
        raise Invalid("is kept for changes that are made without a key", "name")


def _check_role(role: Role) -> None:
    if role is Role.ANONYMOUS:
        raise Invalid("is what everybody is without a key", "role")


def _check_end(expires_at: datetime | None, author: Author) -> None:
    if expires_at is not None and expires_at <= author.moment:
        raise Invalid("must be in the future", "expires_at")


def _record(session: Session, key: tables.Key, author: Author) -> None:
    session.flush()
    number = journal.latest_revision(session, KEY, key.id) + 1
    level = Visibility.RESTRICTED.level
    journal.append(session, [Change(KEY, key.id, number, _content(key), level=level)], author)


def _content(key: tables.Key) -> dict[str, Any]:
    return {**described(key), "sha256": key.sha256}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
