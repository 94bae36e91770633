"""What is recorded of an incident apart from its reports: its title, and what it is part of."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.errors import Invalid
from service.store import journal, tables
from service.store.journal import Author, Change
from service.work import accounts

INCIDENT: Final = "incident"


def place(
    session: Session,
    incident_id: str,
    content: dict[str, Any],
    reason: str,
    theatre: Theatre,
    author: Author,
) -> bool:
    """Make `content` what is recorded of an incident; return whether anything changed.

    `content` holds title, part_of, episode, counted, reason and note. Raises `Invalid` for an
    unknown `part_of`, or one that lies below the incident itself.
    """
    if journal.latest_content(session, INCIDENT, incident_id) == content:
        return False
    root = incident_id
    if content["part_of"] is not None:
        above = session.get(tables.Incident, content["part_of"])
        if above is None:
            raise Invalid("is not a known incident", "part_of")
        if incident_id in _line_above(session, above.id):
            raise Invalid("would make the incident part of itself", "part_of")
        root = above.root_id
    revision = journal.latest_revision(session, INCIDENT, incident_id) + 1
    journal.append(session, [Change(INCIDENT, incident_id, revision, content, reason)], author)
    row = session.get(tables.Incident, incident_id)
    old_root = row.root_id if row else None
    values = {
        "parent_id": content["part_of"],
        "root_id": root,
        "title": content["title"],
        "episode": content["episode"],
        "counted": content["counted"],
        "reason": content["reason"],
        "note": content["note"],
    }
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


def _line_above(session: Session, incident_id: str) -> list[str]:
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
        below = session.scalars(
            sa.select(tables.Incident.id).where(tables.Incident.parent_id.in_(level))
        ).all()
        session.execute(
            sa.update(tables.Incident).where(tables.Incident.id.in_(below)).values(root_id=root)
        )
        level = list(below)
