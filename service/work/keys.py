"""API keys: random, shown once, kept only as a hash."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.errors import Conflict, NotFound, Unauthorized
from service.store import tables

PREFIX: Final = "ceasefire_"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key belongs to, and whether what it sends may be linked to known incidents."""

    name: str
    may_link: bool


def create(
    session: Session, name: str, now: datetime, new_id: Callable[[], str], *, may_link: bool = False
) -> str:
    """Make a key and return it; it cannot be read again.

    A name whose key was revoked gets a new one. Raises `Conflict` for a name in use.
    """
    known = session.scalar(sa.select(tables.Key).where(tables.Key.name == name))
    if known is not None and known.revoked_at is None:
        raise Conflict("A key of this name exists.")
    # 256 random bits need no slow hash (OWASP ASVS 5, 11.4.2 concerns secrets people choose).
    key = PREFIX + secrets.token_urlsafe(32)
    row = known or tables.Key(id=new_id(), name=name)
    row.sha256, row.may_link, row.created_at, row.revoked_at = _hash(key), may_link, now, None
    session.add(row)
    return key


def free_name(session: Session, name: str) -> str:
    """The name, or the name with a number where a key of it exists, revoked or not."""
    taken = {key.name for key in listed(session)}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def any_usable(session: Session) -> bool:
    usable = sa.select(tables.Key.id).where(tables.Key.revoked_at.is_(None)).limit(1)
    return session.scalar(usable) is not None


def revoke(session: Session, name: str, now: datetime) -> None:
    """Raises `NotFound`."""
    key = session.scalar(sa.select(tables.Key).where(tables.Key.name == name))
    if key is None:
        raise NotFound
    key.revoked_at = key.revoked_at or now


def listed(session: Session) -> list[tables.Key]:
    return list(session.scalars(sa.select(tables.Key).order_by(tables.Key.created_at)))


def holder(session: Session, key: str) -> Holder:
    """Whose key it is. Raises `Unauthorized` for an unknown or revoked one alike."""
    row = session.scalar(sa.select(tables.Key).where(tables.Key.sha256 == _hash(key)))
    if row is None or row.revoked_at is not None:
        raise Unauthorized
    return Holder(row.name, row.may_link)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
