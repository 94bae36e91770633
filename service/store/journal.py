"""The record of every accepted change, append-only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Role, Visibility
from service.domain.ledger import leaf_hash
from service.formats.sealing import Fact, seal, unseal
from service.store.database import insert_rows, next_numbers
from service.store.tables import Pending, Revision

_REVISIONS: Final = Revision.__table__.c
# Asked by everybody who reads or writes anything: put together once.
_LATEST_SEQUENCE: Final = sa.select(sa.func.max(_REVISIONS.sequence)).where(
    _REVISIONS.kind == sa.bindparam("kind")
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change: a key's name and role, and when.

    `at` is the moment that is recorded, which for those who need protection is only a day; `now`
    is the moment itself where it differs, for judging what is sent. It is kept only where
    `keeps_moment` says so.
    """

    name: str
    at: datetime
    role: Role = Role.ADMIN
    now: datetime | None = None
    keeps_moment: bool = False

    @property
    def moment(self) -> datetime:
        return self.now or self.at

    @property
    def received(self) -> datetime:
        """When what is sent is said to have come."""
        return self.moment if self.keeps_moment else self.at


@dataclass(frozen=True, slots=True)
class Change:
    """The whole content of a thing after a change, why it was made, and who may see it."""

    kind: str
    subject: str
    revision: int
    content: dict[str, Any]
    reason: str | None = None
    level: int = Visibility.PUBLIC.level


def append(session: Session, changes: Iterable[Change], author: Author) -> list[str]:
    """Record changes; return the hash of each one's leaf in the ledger."""
    rows: list[dict[str, Any]] = []
    for change in changes:
        entry, private = seal(
            Fact(
                change.kind,
                change.subject,
                change.revision,
                author.at,
                author.name,
                change.reason,
                change.content,
            )
        )
        rows.append(
            {
                "kind": change.kind,
                "subject": change.subject,
                "revision": change.revision,
                "recorded_at": author.at,
                "actor": author.name,
                "level": change.level,
                "entry": entry,
                "private": private,
                "sha256": leaf_hash(entry.encode()).hex(),
            }
        )
    numbers = next_numbers(session, Revision.__table__, len(rows)) if rows else ()
    for row, number in zip(rows, numbers, strict=True):
        row["sequence"] = number
    insert_rows(session, Revision.__table__, rows)
    insert_rows(session, Pending.__table__, [{"sequence": number} for number in numbers])
    return [row["sha256"] for row in rows]


def fact_of(revision: Revision) -> Fact:
    """What a revision records."""
    return unseal(revision.entry, revision.private)


def first_revisions(session: Session, kind: str, subjects: Sequence[str]) -> dict[str, Revision]:
    """Each subject as it was first recorded."""
    found = session.scalars(
        sa.select(Revision).where(
            Revision.kind == kind, Revision.subject.in_(subjects), Revision.revision == 1
        )
    )
    return {revision.subject: revision for revision in found}


def history(session: Session, kind: str, subject: str) -> Sequence[Revision]:
    """All revisions of one thing, oldest first."""
    return session.scalars(
        sa.select(Revision)
        .where(Revision.kind == kind, Revision.subject == subject)
        .order_by(Revision.revision)
    ).all()


def naming(session: Session, kind: str, text: str) -> Sequence[Revision]:
    """Revisions of a kind whose entries name something, oldest first."""
    return session.scalars(
        sa.select(Revision)
        .where(Revision.kind == kind, Revision.entry.contains(text, autoescape=True))
        .order_by(Revision.sequence)
    ).all()


def latest_sequence(session: Session, kind: str) -> int:
    """Changes whenever anything of the kind does; 0 where nothing is recorded."""
    return session.scalar(_LATEST_SEQUENCE, {"kind": kind}) or 0


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


def latest_content(
    session: Session, kind: str, subject: str, *, actor: str | None = None
) -> Any | None:
    """What a thing holds after its newest revision, or after the newest one by `actor`."""
    select = sa.select(Revision).where(Revision.kind == kind, Revision.subject == subject)
    if actor is not None:
        select = select.where(Revision.actor == actor)
    revision = session.scalar(select.order_by(Revision.revision.desc()).limit(1))
    return None if revision is None else fact_of(revision).content


def newest(session: Session, kind: str) -> Sequence[Revision]:
    """The newest revision of everything of a kind."""
    last = sa.select(sa.func.max(Revision.sequence)).where(Revision.kind == kind)
    last = last.group_by(Revision.subject)
    return session.scalars(
        sa.select(Revision).where(Revision.sequence.in_(last)).order_by(Revision.sequence)
    ).all()
