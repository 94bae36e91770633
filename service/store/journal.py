"""The record of every accepted change, append-only."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.store.tables import Revision


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, and when: a key's name, and an instant handed in."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """The whole content of a thing after a change, and why it was made."""

    kind: str
    subject: str
    revision: int
    content: dict[str, Any]
    reason: str | None = None


def canonical(content: Any) -> bytes:
    """The one way to write a content as JSON: sorted keys, UTF-8, no spaces."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def digest(content: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def append(session: Session, changes: Iterable[Change], author: Author) -> None:
    rows = [
        {
            "kind": change.kind,
            "subject": change.subject,
            "revision": change.revision,
            "recorded_at": author.at,
            "actor": author.name,
            "reason": change.reason,
            "content": canonical(change.content).decode(),
            "sha256": digest(change.content),
        }
        for change in changes
    ]
    if rows:
        session.execute(sa.insert(Revision), rows)


def first_contents(session: Session, kind: str, subjects: Sequence[str]) -> dict[str, Any]:
    """What each subject held when it was first recorded."""
    found = session.execute(
        sa.select(Revision.subject, Revision.content).where(
            Revision.kind == kind, Revision.subject.in_(subjects), Revision.revision == 1
        )
    )
    return {subject: orjson.loads(content) for subject, content in found}


def history(session: Session, kind: str, subject: str) -> Sequence[Revision]:
    """All revisions of one thing, oldest first."""
    return session.scalars(
        sa.select(Revision)
        .where(Revision.kind == kind, Revision.subject == subject)
        .order_by(Revision.revision)
    ).all()


def latest_sequence(session: Session, kind: str) -> int:
    """Changes whenever anything of the kind does; 0 where nothing is recorded."""
    newest = session.scalar(sa.select(sa.func.max(Revision.sequence)).where(Revision.kind == kind))
    return newest or 0


def latest_revision(session: Session, kind: str, subject: str) -> int:
    """The number of a thing's newest revision, 0 before the first."""
    newest = session.scalar(
        sa.select(sa.func.max(Revision.revision)).where(
            Revision.kind == kind, Revision.subject == subject
        )
    )
    return newest or 0


def latest_revisions(session: Session, kind: str) -> dict[str, int]:
    """The number of the newest revision of everything of a kind."""
    newest = (
        sa.select(Revision.subject, sa.func.max(Revision.revision))
        .where(Revision.kind == kind)
        .group_by(Revision.subject)
    )
    return dict(session.execute(newest).all())


def latest_moment(session: Session, kind: str, subject: str) -> datetime:
    """When a recorded thing last changed."""
    return session.scalars(
        sa.select(sa.func.max(Revision.recorded_at)).where(
            Revision.kind == kind, Revision.subject == subject
        )
    ).one()


def latest_content(
    session: Session, kind: str, subject: str, *, actor: str | None = None
) -> Any | None:
    """What a thing holds after its newest revision, or after the newest one by `actor`."""
    select = sa.select(Revision.content).where(Revision.kind == kind, Revision.subject == subject)
    if actor is not None:
        select = select.where(Revision.actor == actor)
    content = session.scalar(select.order_by(Revision.revision.desc()).limit(1))
    return None if content is None else orjson.loads(content)
