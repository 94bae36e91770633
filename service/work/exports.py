"""Whole lists as one reader is shown them: the pages of the list joined, in one snapshot."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.queries import Clock, IncidentQuery, WatchQuery
from service.domain.shares import is_in_cell
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome
from service.domain.when import When
from service.errors import Invalid, TrackerError, Unavailable
from service.formats.exports import subjects
from service.formats.exports.writing import Subject
from service.formats.views import coverage_view, span_view, tally_view
from service.store import exports as store
from service.store import tables
from service.store.accounts import when_of_row
from service.store.queries import (
    Keyset,
    account_order,
    page,
    report_order,
    select_accounts,
    select_coverage,
    select_reports,
    select_tallies,
)
from service.work import incidents
from service.work.aggregates import timeline_of
from service.work.disclosure import nearest_shown, shown_incidents, views_of_records
from service.work.spool import Gone, Spool

log = logging.getLogger(__name__)
Json = dict[str, Any]

# Each reads as fast as it can and takes the interpreter from those who ask for less.
_MADE_AT_ONCE: Final = threading.BoundedSemaphore(4)
# Each may hold a file as long as the whole list.
_READ_AT_ONCE: Final = threading.BoundedSemaphore(16)
_BUSY: Final = "Other exports are being made; try again."


@dataclass(frozen=True, slots=True)
class Start:
    """Where a list is read from: behind a place in its order, or behind a row by its id."""

    place: Keyset | None = None
    row: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A list with how many items it has, and these in parts, to be read once."""

    subject: Subject
    total: int
    chunks: Iterable[Sequence[Json]]


def produced(write: Callable[[Spool], object]) -> Spool:
    """Let `write` fill a spool in a thread of its own, in the context of who asks.

    Raises what `write` raises before its first byte, and `Unavailable` while too many others are
    being made or read. What it raises later is raised to the reader.
    """
    if not _READ_AT_ONCE.acquire(blocking=False):
        raise Unavailable(_BUSY)
    spool = Spool(left=_READ_AT_ONCE.release)
    if not _MADE_AT_ONCE.acquire(blocking=False):
        spool.leave()
        raise Unavailable(_BUSY)

    def run() -> None:
        error: BaseException | None = None
        try:
            write(spool)
        except Gone:
            pass
        except TrackerError as refusal:
            error = refusal
        except Exception as fault:
            log.exception("an export failed")
            error = fault
        finally:
            _MADE_AT_ONCE.release()
            spool.end(error)

    threading.Thread(target=copy_context().run, args=[run], name="export", daemon=True).start()
    try:
        spool.begun()
    except BaseException:
        spool.leave()
        raise
    return spool


def reports(
    session: Session, query: IncidentQuery, theatre: Theatre, actor: Actor, start: Start
) -> Export:
    list_of = _reports(session, query, theatre)
    after = list_of.after(start)
    chunks = (_views(session, rows, actor, theatre) for rows in list_of.parts(_OF_REPORT, after))
    return Export(subjects.REPORTS, list_of.count(after), chunks)


def page_of_reports(
    session: Session,
    query: IncidentQuery,
    theatre: Theatre,
    actor: Actor,
    after: Keyset | None,
    limit: int,
) -> tuple[Sequence[Json], Keyset | None]:
    """One page of the same list, and where the next one starts."""
    rows = _reports(session, query, theatre).part(_OF_REPORT, after, limit + 1)
    shown = rows[:limit]
    following = Keyset(shown[-1][0], shown[-1][1]) if len(rows) > limit else None
    return _views(session, shown, actor, theatre), following


_OF_REPORT: Final = (tables.Report.revision, tables.Report.record, tables.Report.owner)


def _reports(session: Session, query: IncidentQuery, theatre: Theatre) -> "_List":
    order = report_order(query.clock)
    return _List(session, select_reports(query, theatre), order, query.oldest_first)


def _views(session: Session, rows: Sequence[Any], actor: Actor, theatre: Theatre) -> Sequence[Json]:
    told = [(report_id, revision, record) for _, report_id, revision, record, _ in rows]
    owners = {report_id: owner for _, report_id, _, _, owner in rows}
    return views_of_records(session, told, owners, actor, theatre)


def all_incidents(
    session: Session, query: IncidentQuery, theatre: Theatre, start: Start, *, whole: bool
) -> Export:
    """With `whole`, each with its parts and every figure claimed."""
    list_of = _List(
        session, select_accounts(query, theatre), account_order(query.clock), query.oldest_first
    )
    after = list_of.after(start)
    rows = _Accounts(session, query, theatre, list_of)
    chunks = _whole_incidents(session, query, theatre, after) if whole else rows.described(after)
    return Export(subjects.INCIDENTS, rows.count(after), chunks)


def tallies(session: Session, query: WatchQuery, theatre: Theatre, start: Start) -> Export:
    select = select_tallies(query, theatre)
    return _watched(session, select, tables.Tally, tally_view, start, subjects.tallies(theatre))


def coverage(session: Session, query: WatchQuery, theatre: Theatre, start: Start) -> Export:
    select = select_coverage(query, theatre)
    return _watched(
        session, select, tables.Coverage, coverage_view, start, subjects.coverage(theatre)
    )


def _watched(
    session: Session,
    select: sa.Select[Any],
    table: type[tables.Tally] | type[tables.Coverage],
    view: Callable[[str, Json], Json],
    start: Start,
    subject: Subject,
) -> Export:
    list_of = _List(session, select, (table.start_at, table.id), oldest_first=True)
    after = list_of.after(start)
    chunks = (
        [view(row[1], row.record) for row in rows] for rows in list_of.parts((table.record,), after)
    )
    return Export(subject, list_of.count(after), chunks)


@dataclass(frozen=True, slots=True)
class _List:
    """What a question selects, in its order."""

    session: Session
    select: sa.Select[Any]
    order: store.Order
    oldest_first: bool

    def after(self, start: Start) -> Keyset | None:
        """Raises `Invalid` for a row that is not in the list."""
        if start.row is None:
            return start.place
        place = store.place_of(self.session, self.select, self.order, start.row)
        if place is None:
            raise Invalid("is not the id of a row of this list", "after")
        return place

    def count(self, after: Keyset | None) -> int:
        rest = page(self.select, self.order, after, oldest_first=self.oldest_first)
        return store.count(self.session, rest)

    def part(self, columns: Iterable[Any], after: Keyset | None, size: int) -> Sequence[Any]:
        """Rows behind `after`, up to so many; each begins with the order."""
        chosen = self.select.with_only_columns(*self.order, *columns)
        rows = page(chosen, self.order, after, oldest_first=self.oldest_first)
        return self.session.execute(rows.limit(size)).all()

    def parts(self, columns: Iterable[Any], after: Keyset | None) -> Iterator[Sequence[Any]]:
        columns = tuple(columns)
        while rows := self.part(columns, after, store.PART):
            yield rows
            if len(rows) < store.PART:
                return
            after = Keyset(rows[-1][0], rows[-1][1])


def _whole_incidents(
    session: Session, query: IncidentQuery, theatre: Theatre, after: Keyset | None
) -> Iterator[Sequence[Json]]:
    size = store.PART
    while True:
        items, following = incidents.find(session, query, theatre, after, size)
        if items:
            yield items
        if following is None:
            return
        after = following


class _Accounts:
    """Incidents without what only whole answers tell, from plain rows."""

    def __init__(
        self, session: Session, query: IncidentQuery, theatre: Theatre, list_of: _List
    ) -> None:
        self._session = session
        self._query = query
        self._theatre = theatre
        self._list = list_of
        self._timeline = None
        if query.cell is not None:
            cell = query.cell
            self._timeline = timeline_of(session, query, cell.grain, cell.series, theatre)

    def count(self, after: Keyset | None) -> int:
        if self._timeline is None:
            return self._list.count(after)
        columns = [getattr(tables.Account, name) for name in ("level", *store.ACCOUNT)]
        return sum(
            self._is_in_cell(row) for rows in self._list.parts(columns, after) for row in rows
        )

    def described(self, after: Keyset | None) -> Iterator[Sequence[Json]]:
        told = replace(self._list, select=store.told_accounts(self._list.select, self._query))
        for rows in told.parts(store.told_columns(), after):
            shown = [row for row in rows if self._is_in_cell(row)]
            around = self._around({row[_PARENT] for row in shown})
            yield [_incident_view(row, self._query.sees, around) for row in shown]

    def _is_in_cell(self, row: Any) -> bool:
        """Told by the very rule that filled the cell of an aggregate."""
        if self._timeline is None:
            return True
        when = {
            Clock.EVENT: lambda: when_of_row(row),
            Clock.REPORTED: lambda: When(row.reported_start, row.reported_end),
            Clock.RECEIVED: lambda: When(row.received_day, row.received_day),
        }[self._query.clock]()
        return is_in_cell(when, self._query, self._timeline, self._theatre)

    def _around(self, parents: set[str | None]) -> dict[str | None, str | None]:
        """For each parent the innermost incident around it that is shown."""
        level = self._query.sees
        shown = shown_incidents(self._session, (p for p in parents if p), level)
        return {p: p if p in shown else nearest_shown(self._session, p, level) for p in parents}


_OWN: Final = slice(3, 3 + len(store.ACCOUNT))
_AROUND: Final = slice(_OWN.stop, _OWN.stop + 5)
_PARENT: Final = _OWN.stop + 2
_BOUNDS: Final = slice(_AROUND.stop, -1)


def _incident_view(row: Any, level: int, around: Mapping[str | None, str | None]) -> Json:
    """As `account_view` tells it, past the values of the domain: for many rows at once."""
    incident, own, around_it, bounds = row[1], row[_OWN], row[_AROUND], row[_BOUNDS]
    (start, end, lasted, earliest, latest, reported_start, reported_end, _, *what) = own
    (sector, latitude, longitude, precision, status, contested, *standing) = what
    (possible_duplicate, counted, episode, reports) = standing
    written_for, title, parent, reason, note = around_it
    weapons = row[-1]
    said = written_for <= level
    figures = zip(*[iter(bounds)] * 4, strict=True)
    return {
        "id": incident,
        "title": title if said else None,
        **_time_view(start, end, lasted, earliest, latest),
        "sector": sector,
        "point": (
            {"lat": latitude, "lon": longitude, "precision": precision} if precision else None
        ),
        "status": status,
        "contested": contested,
        "possible_duplicate": possible_duplicate,
        "counted": counted,
        "reason": reason if said else None,
        "episode": episode,
        "part_of": around[parent],
        "reports": reports,
        "weapons": sorted(weapons.split(store.PARTED)) if weapons else [],
        "figures": {
            outcome: dict(zip(_FIGURE, figure, strict=True)) if figure[0] is not None else None
            for outcome, figure in zip(_OUTCOMES, figures, strict=True)
        },
        "first_reported": _edtf(reported_start, reported_end),
        "note": note if said else None,
    }


_FIGURE: Final = ("low", "best", "high", "status")
_OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)


# Many tell of the same days.
@lru_cache(10_000)
def _time_view(*told: Any) -> Json:
    when = When(*told)
    return {"when": str(when), **span_view(when)}


@lru_cache(10_000)
def _edtf(start: date | None, end: date | None) -> str:
    return str(When(start, end))
