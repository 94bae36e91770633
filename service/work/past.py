"""Earlier states, made again from the record.

What was recorded up to a place in the ledger is put into a database of its own, in memory, and
asked by the same code as the present. It is shown under today's rules and today's disclosure:
what is restricted now was not public yesterday.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.domain.when import parse_when
from service.errors import Invalid, Unavailable
from service.formats.disclosure import narrowed
from service.store import journal, ledger, photos, tables
from service.store.database import Database, chunks
from service.store.reports import insert_reports
from service.work import accounts, leads, placing, reference, watching
from service.work.keys import KEY, insert_key
from service.work.leads import LEAD
from service.work.photos import PHOTO
from service.work.reference import REFERENCE, Theatres
from service.work.reports import REPORT
from service.work.watching import COVERAGE, TALLY

Json = dict[str, Any]


class Newest(NamedTuple):
    """A revision's number, what it recorded, and the least level of who was shown it."""

    revision: int
    content: Json
    level: int = 0


# By kind and subject.
Contents = dict[str, dict[str, Newest]]
_KEPT: Final = 3
_PATIENT: Final = 2
_Name = tuple[int, int, int]
_CHANGES: Final = "changes:"


@dataclass(frozen=True, slots=True)
class AsOf:
    """A place in the ledger: what the first `size` changes left."""

    asked: str
    size: int


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot and the theatre as it was then.

    An earlier moment follows from `version`, how many changes are accepted now; from nothing so
    simple (`None`) while some of them wait for their place in the ledger.
    """

    session: Session
    theatre: Theatre
    as_of: AsOf | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """An earlier state, what tells it from others, and the theatre of then."""

    name: _Name
    database: Database
    theatre: Theatre


class Past:
    """Keeps the states asked for last. Any change of the record makes them anew, since it may
    have narrowed what is shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._patient = threading.BoundedSemaphore(_PATIENT)
        self._states: OrderedDict[_Name, _State] = OrderedDict()

    @contextmanager
    def at(self, database: Database, theatres: Theatres, asked: str) -> Iterator[View]:
        """The state that `asked` names: an instant, a day (its end), or `changes:` and a number.

        Raises `Invalid` for what is none of these, and `Unavailable` while others are being made.
        """
        with database.reading() as session:
            name, _ = _named(session, theatres, asked)
        state = self._known(name) or self._make(database, theatres, asked)
        size, whole, waiting = state.name
        with state.database.reading() as earlier:
            yield View(earlier, state.theatre, AsOf(asked, size), None if waiting else whole)

    def _known(self, name: _Name) -> _State | None:
        with self._lock:
            if name in self._states:
                self._states.move_to_end(name)
            return self._states.get(name)

    def _make(self, database: Database, theatres: Theatres, asked: str) -> _State:
        """A state takes memory and time: one is made at a time, and few wait for theirs, so that
        nobody who asks for the present has to."""
        if not self._patient.acquire(blocking=False):
            raise Unavailable("Other earlier moments are being made; try again.")
        try:
            with self._making, database.reading() as session:
                name, present = _named(session, theatres, asked)
                state = self._known(name) or _made(session, name, present)
                with self._lock:
                    self._states[name] = state
                    while len(self._states) > _KEPT:
                        # Whoever still reads it keeps it until the connection is given back.
                        self._states.popitem(last=False)
                return state
        finally:
            self._patient.release()


def _named(session: Session, theatres: Theatres, asked: str) -> tuple[_Name, Theatre]:
    """What tells one state from another, and the present theatre.

    Not the newest number of the record: on PostgreSQL a lower one may be committed later.
    """
    present = theatres.current(session)
    size = resolve(session, present, asked)
    return (size, ledger.size_of(session), ledger.pending_count(session)), present


def _made(session: Session, name: _Name, present: Theatre) -> _State:
    """The state after so many changes; before there was a theatre, nothing in the present one."""
    database = in_memory()
    database.write(lambda into: project(session, into, name[0]))
    with database.reading() as earlier:
        known = reference.entries_of(earlier, "theatre")
        return _State(name, database, reference.load(earlier) if known else present)


def resolve(session: Session, theatre: Theatre, asked: str) -> int:
    """The number of changes that `asked` names: all before the first one recorded later."""
    leaf, revision = tables.Leaf, tables.Revision
    whole = ledger.size_of(session)
    if asked.startswith(_CHANGES):
        number = asked.removeprefix(_CHANGES)
        if not re.fullmatch("[0-9]{1,18}", number) or int(number) > whole:
            raise Invalid("is more than was recorded, or no number", "as_of")
        return int(number)
    later = session.scalar(
        sa.select(sa.func.min(leaf.position))
        .join(revision, revision.sequence == leaf.sequence)
        .where(revision.recorded_at > _last_instant(asked, theatre))
    )
    return whole if later is None else later


def _last_instant(asked: str, theatre: Theatre) -> datetime:
    try:
        when = parse_when(asked, theatre.zone)
    except Invalid as error:
        raise error.under("as_of") from None
    if when.latest is not None and not when.lasted:
        return when.latest
    if when.end is None or when.lasted or when.approximate or asked.startswith("["):
        raise Invalid("must be an instant, a day, a month, a year or changes:NUMBER", "as_of")
    next_day: date = when.end + timedelta(days=1)
    return theatre.start_of_day(next_day) - timedelta(microseconds=1)


def in_memory() -> Database:
    """An empty database that lasts as long as somebody holds it."""
    name = uuid4().hex
    database = Database(
        f"sqlite:///file:{name}?mode=memory&cache=shared&uri=true", foreign_keys=False
    )
    tables.metadata.create_all(database.engine)
    return database


def project(source: Session, into: Session, size: int | None = None) -> None:
    """Make the state that the first `size` changes left, under today's disclosure; without
    `size`, the state that all of them left, exactly as it should be kept."""
    contents: Contents = {}
    for revision in newest_revisions(source, size):
        fact = journal.fact_of(revision)
        newest = Newest(fact.revision, fact.content, revision.level)
        contents.setdefault(fact.kind, {})[fact.subject] = newest
    if size is not None:
        _narrow(source, contents)
    fill(into, contents)


def fill(session: Session, contents: Contents) -> None:
    """Make the rows of an empty database from the newest content of everything."""
    entries = reference.from_record(_of_kind(contents, REFERENCE))
    if not entries:
        # Nothing can be recorded before the theatre is.
        return
    reference.insert(session, entries)
    theatre = reference.theatre_of_entries(entries)
    reports = contents.get(REPORT, {})
    incidents = dict(contents.get(placing.INCIDENT, {}))
    for told in reports.values():
        incidents.setdefault(told.content["incident"], Newest(0, dict(placing.NOTHING)))
    _insert_incidents(session, incidents)
    insert_reports(
        session,
        [
            (i, number, record, datetime.fromisoformat(record["received_at"]).astimezone(UTC))
            for i, (number, record, _) in reports.items()
        ],
        theatre,
    )
    for tally, record in _of_kind(contents, TALLY).items():
        watching.insert_tally(session, tally, record)
    for coverage, record in _of_kind(contents, COVERAGE).items():
        watching.insert_coverage(session, coverage, record)
    for lead, (revision, record, _) in contents.get(LEAD, {}).items():
        leads.insert(session, lead, revision, record)
    for photo, (revision, record, _) in contents.get(PHOTO, {}).items():
        photos.insert(session, photo, revision, record)
    for key, record in _of_kind(contents, KEY).items():
        # Of a key whose holder was erased nothing is left.
        if record:
            insert_key(session, key, record)
    session.flush()
    accounts.refresh_all(session, theatre)


def _of_kind(contents: Contents, kind: str) -> dict[str, Json]:
    return {subject: newest.content for subject, newest in contents.get(kind, {}).items()}


def newest_revisions(session: Session, size: int | None) -> Iterator[tables.Revision]:
    """The newest revision of everything among the first `size` changes, or among all."""
    revision, leaf = tables.Revision, tables.Leaf
    newest = sa.select(sa.func.max(revision.sequence))
    if size is not None:
        newest = newest.join(leaf, leaf.sequence == revision.sequence).where(leaf.position < size)
    newest = newest.group_by(revision.kind, revision.subject)
    yield from session.scalars(
        sa.select(revision)
        .where(revision.sequence.in_(newest))
        .order_by(revision.sequence)
        .execution_options(yield_per=500)
    )


def _narrow(source: Session, contents: Contents) -> None:
    """Show earlier reports and photos to no more readers than are shown them now."""
    if REPORT not in contents:
        return
    theatre = reference.theatre_of_entries(reference.from_record(_of_kind(contents, REFERENCE)))
    reports, row = contents.get(REPORT, {}), tables.Report
    now: dict[str, Json] = {}
    for some in chunks(sorted(reports)):
        now.update(source.execute(sa.select(row.id, row.record).where(row.id.in_(some))).all())
    for report, then in reports.items():
        record = narrowed(then.content, now[report], theatre)
        reports[report] = then._replace(content=record)
    released = {
        row.id: row.record["released"] for row in source.scalars(sa.select(tables.Photo)).all()
    }
    photos_then = contents.get(PHOTO, {})
    for photo, told in photos_then.items():
        shown = told.content["released"] and released[photo]
        photos_then[photo] = told._replace(content={**told.content, "released": shown})


def _insert_incidents(session: Session, incidents: Mapping[str, Newest]) -> None:
    def above(incident: str) -> str | None:
        known = incidents.get(incident)
        part_of: str | None = known.content["part_of"] if known else None
        return part_of

    def root_of(incident: str) -> str:
        while (outer := above(incident)) is not None:
            incident = outer
        return incident

    rows = [
        {
            "id": incident,
            "root_id": root_of(incident),
            "level": newest.level,
            **placing.columns(newest.content),
        }
        for incident, newest in incidents.items()
    ]
    if rows:
        session.execute(sa.insert(tables.Incident), rows)
