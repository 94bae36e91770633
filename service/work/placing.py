"""What is recorded of an incident apart from its reports: its title, and what it is part of."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.errors import Conflict, Invalid
from service.store import journal, tables
from service.store.database import chunks
from service.store.journal import Author, Change
from service.work import accounts

INCIDENT: Final = "incident"
_DEEPEST: Final = 30
# What is recorded of an incident that is only the place of its reports.
NOTHING: Final[Mapping[str, Any]] = {
    "title": None,
    "part_of": None,
    "episode": False,
    "counted": True,
    "reason": None,
    "note": None,
    "merged_into": None,
}


def place(
    session: Session,
    incident_id: str,
    content: dict[str, Any],
    reason: str,
    theatre: Theatre,
    author: Author,
) -> bool:
    """Make `content` what is recorded of an incident; return whether anything changed.

    `content` holds title, part_of, episode, counted, reason, note and, where it was merged into
    another, merged_into. Raises `Invalid` for an unknown `part_of`, `Conflict` for one that lies
    below the incident itself.
    """
    if journal.latest_content(session, INCIDENT, incident_id) == content:
        return False
    root = incident_id
    if content["part_of"] is not None:
        above = session.get(tables.Incident, content["part_of"])
        if above is None:
            raise Invalid("is not a known incident", "part_of")
        line = line_above(session, above.id)
        if incident_id in line:
            raise Conflict("It would make the incident part of itself.")
        if len(line) > _DEEPEST:
            raise Conflict("It would be part of too many, one within another.")
        keep(session, above.id, reason, theatre, author)
        root = above.root_id
    revision, level = (
        journal.latest_revision(session, INCIDENT, incident_id) + 1,
        _level_of(session, incident_id),
    )
    journal.append(
        session, [Change(INCIDENT, incident_id, revision, content, reason, level)], author
    )
    row = session.get(tables.Incident, incident_id)
    old_root = row.root_id if row else None
    values = {**columns(content), "root_id": root, "level": level}
    if row is None:
        session.add(tables.Incident(id=incident_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    if old_root not in (None, root):
        _move_below(session, incident_id, root)
    accounts.refresh(session, {root, old_root or root}, theatre)
    return True


def keep(session: Session, incident_id: str, reason: str, theatre: Theatre, author: Author) -> None:
    """Record an incident that only its reports told of so far, as it stays without them."""
    if not journal.latest_revision(session, INCIDENT, incident_id):
        place(session, incident_id, dict(NOTHING), reason, theatre, author)


def _level_of(session: Session, incident_id: str) -> int:
    """The least level of readers who are shown the incident; as long as nothing is told of it,
    that of everybody."""
    level = session.scalar(
        sa.select(sa.func.min(tables.Report.level)).where(tables.Report.incident_id == incident_id)
    )
    return level or 0


def columns(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded of an incident as columns of its row."""
    return {
        "parent_id": content["part_of"],
        "title": content["title"],
        "episode": content["episode"],
        "counted": content["counted"],
        "reason": content["reason"],
        "note": content["note"],
        "merged_into": content.get("merged_into"),
    }


def shown_of(row: tables.Incident, level: int) -> dict[str, Any]:
    """What readers of a level are shown of it: no words written for fewer."""
    unsaid = {} if row.level <= level else {"title": None, "note": None, "reason": None}
    return {**contents_of(row), **unsaid}


def contents_of(row: tables.Incident) -> dict[str, Any]:
    """What is recorded of an incident, from its row."""
    return {
        "title": row.title,
        "part_of": row.parent_id,
        "episode": row.episode,
        "counted": row.counted,
        "reason": row.reason,
        "note": row.note,
        "merged_into": row.merged_into,
    }


def told_under(session: Session, incident_id: str) -> str:
    """The incident that another one is told as part of now, itself unless it was merged."""
    while (row := session.get(tables.Incident, incident_id)) is not None and row.merged_into:
        incident_id = row.merged_into
    return incident_id


def line_above(session: Session, incident_id: str) -> list[str]:
    """The incident and all it is part of."""
    line: list[str] = []
    above: str | None = incident_id
    while above is not None:
        line.append(above)
        above = session.scalar(
            sa.select(tables.Incident.parent_id).where(tables.Incident.id == above)
        )
    return line


def _move_below(session: Session, incident_id: str, root: str) -> None:
    """Give all that is below the incident its new root."""
    level = [incident_id]
    while level:
        row = tables.Incident
        level = [
            below
            for some in chunks(level)
            for below in session.scalars(sa.select(row.id).where(row.parent_id.in_(some)))
        ]
        for some in chunks(level):
            session.execute(sa.update(row).where(row.id.in_(some)).values(root_id=root))
