"""The theatre in force: reference data kept in the database, read as one value."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.errors import Unavailable
from service.formats.reference import KINDS, theatre_of
from service.store import journal, tables
from service.store.journal import Author, Change

REFERENCE: Final = "reference"
_ORDER: Final = "order"


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
    return _remembered(entries)


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
        (kind, str(entry["id"])): dict(entry) for kind in KINDS for entry in entries.get(kind, ())
    }
    known = session.scalars(
        sa.select(tables.Reference).order_by(tables.Reference.kind, tables.Reference.position)
    ).all()
    now = {(row.kind, row.id): row.content for row in known}
    changed = [key for key in sorted({*wanted, *now}) if wanted.get(key) != now.get(key)]
    # The order of the files is the order of answers, so it is part of the record.
    moved = [kind for kind in KINDS if _order(wanted, kind) != _order(now, kind)]
    if not changed and not moved:
        return 0
    newest = journal.latest_revisions(session, REFERENCE)
    contents = {"/".join(key): wanted.get(key, {}) for key in changed}
    contents |= {f"{_ORDER}/{kind}": {"ids": _order(wanted, kind)} for kind in moved}
    journal.append(
        session,
        (
            Change(REFERENCE, subject, newest.get(subject, 0) + 1, content)
            for subject, content in contents.items()
        ),
        author,
    )
    session.execute(sa.delete(tables.Reference))
    insert(session, wanted)
    return len(changed) or len(moved)


def insert(session: Session, entries: Mapping[tuple[str, str], Any]) -> None:
    """The rows of reference data by kind and id, in order."""
    if entries:
        session.execute(
            sa.insert(tables.Reference),
            [
                {"kind": kind, "id": entry_id, "position": position, "content": content}
                for position, ((kind, entry_id), content) in enumerate(entries.items())
            ],
        )


def theatre_of_entries(entries: Mapping[tuple[str, str], Any]) -> Theatre:
    """The theatre that entries by kind and id describe."""
    by_kind: dict[str, list[Any]] = defaultdict(list)
    for (kind, _), content in entries.items():
        by_kind[kind].append(content)
    return _remembered(by_kind)


def _remembered(entries: Mapping[str, Sequence[Mapping[str, Any]]]) -> Theatre:
    """An earlier state has mostly the theatre of the present one, and thousands of places take
    longer to put together than to compare."""
    return _theatre_of(orjson.dumps(entries))


@lru_cache(maxsize=4)
def _theatre_of(written: bytes) -> Theatre:
    return theatre_of(orjson.loads(written))


def from_record(contents: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Entries by kind and id, in order, from what is recorded under each subject."""
    orders = {kind: contents.get(f"{_ORDER}/{kind}", {}).get("ids", []) for kind in KINDS}
    return {
        (kind, entry_id): contents[f"{kind}/{entry_id}"]
        for kind, ids in orders.items()
        for entry_id in ids
    }


def _order(entries: Iterable[tuple[str, str]], kind: str) -> list[str]:
    return [entry_id for of_kind, entry_id in entries if of_kind == kind]
