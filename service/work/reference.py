"""The theatre in force: reference data kept in the database, read as one value."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.errors import Unavailable
from service.formats.reference import KINDS, theatre_of
from service.store import journal, tables
from service.store.journal import Author, Change

REFERENCE = "reference"


class Theatres:
    """Keeps the theatre in memory and reads it again when any entry has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._theatre: Theatre | None = None

    def current(self, session: Session) -> Theatre:
        """The theatre as the session sees it. Raises `Unavailable` before anything is seeded."""
        version = journal.latest_sequence(session, REFERENCE)
        with self._lock:
            if self._theatre is None or version != self._version:
                self._theatre, self._version = load(session), version
            return self._theatre


def load(session: Session) -> Theatre:
    entries = entries_of(session)
    if "theatre" not in entries:
        raise Unavailable("No reference data is loaded; run `ceasefire seed`.")
    return theatre_of(entries)


def entries_of(
    session: Session, kind: str | None = None
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Entries by kind, all or one, in the order of their files."""
    entries: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    select = sa.select(tables.Reference.kind, tables.Reference.content).order_by(
        tables.Reference.kind, tables.Reference.position
    )
    if kind is not None:
        select = select.where(tables.Reference.kind == kind)
    for of_kind, content in session.execute(select):
        entries[of_kind].append(content)
    return entries


def replace(
    session: Session, entries: Mapping[str, Sequence[Mapping[str, Any]]], author: Author
) -> int:
    """Make these the reference data; return how many entries changed, appeared or went.

    An entry that goes is kept in its revisions with an empty content.
    """
    theatre_of(entries)
    wanted = {
        (kind, str(entry["id"])): (position, dict(entry))
        for kind in KINDS
        for position, entry in enumerate(entries.get(kind, ()))
    }
    now = {
        (row.kind, row.id): (row.position, row.content)
        for row in session.scalars(sa.select(tables.Reference))
    }
    different = sorted(key for key in wanted.keys() | now.keys() if wanted.get(key) != now.get(key))
    if not different:
        return 0
    newest = journal.latest_revisions(session, REFERENCE)
    changes = [
        Change(
            REFERENCE,
            subject,
            newest.get(subject, 0) + 1,
            wanted[key][1] if key in wanted else {},
        )
        for key in different
        if (subject := "/".join(key))
        and (wanted.get(key) or (0, None))[1] != (now.get(key) or (0, None))[1]
    ]
    journal.append(session, changes, author)
    for kind, entry_id in sorted(now.keys() & different):
        session.execute(
            sa.delete(tables.Reference).where(
                tables.Reference.kind == kind, tables.Reference.id == entry_id
            )
        )
    rows = [
        {"kind": kind, "id": entry_id, "position": position, "content": content}
        for kind, entry_id in different
        if (kind, entry_id) in wanted
        for position, content in [wanted[kind, entry_id]]
    ]
    if rows:
        session.execute(sa.insert(tables.Reference), rows)
    return len(different)
