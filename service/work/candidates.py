"""Which incidents may tell of the same event, as far as a reader is shown them."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.candidates import (
    POSSIBLE,
    RADIUS_KM,
    Candidate,
    Nearby,
    Trace,
    broadest,
    candidates,
    may_reach,
    may_yet_reach,
    radius_km,
)
from service.domain.figures import Figure
from service.domain.places import fold_words
from service.domain.queries import BoundingBox
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome
from service.errors import NotFound
from service.formats.candidates import reason_view
from service.formats.disclosure import summary_shown
from service.formats.records import report_of
from service.store import tables
from service.store.accounts import LONGEST, is_long, point_of_row, when_of_row
from service.store.database import chunks
from service.store.queries import EVERYBODY, seen_at
from service.store.reports import SOURCE
from service.work import placing

Json = dict[str, Any]

# What a new report must reach to be flagged, in bits: a shared day and place, or a day and a
# section with a weapon or figure that agrees. A flag stops verification, so it asks for more than
# what is worth showing to somebody who looks for it.
FLAGGED: Final = 8.0
# A flag asks somebody to look; nobody looks at more, and a day of many reports would otherwise
# name each of them in every other.
MOST_FLAGGED: Final = 10


_ACCOUNTS: Final = tables.Account.__table__.c
_WEAPONS: Final = tables.AccountWeapon.__table__.c
_FIGURES: Final = tables.Figure.__table__.c
_REPORTS: Final = tables.Report.__table__.c
# What of an account says when, where and whose it is.
_OUTLINE: Final = (
    _ACCOUNTS.incident_id,
    _ACCOUNTS.level,
    _ACCOUNTS.start_day,
    _ACCOUNTS.end_day,
    _ACCOUNTS.lasted,
    _ACCOUNTS.earliest,
    _ACCOUNTS.latest,
    _ACCOUNTS.sector,
    _ACCOUNTS.latitude,
    _ACCOUNTS.longitude,
    _ACCOUNTS.precision,
)
_INCIDENTS: Final[sa.BindParameter[Any]] = sa.bindparam("incidents", expanding=True)
# What else is compared of some incidents.
_WEAPONS_OF: Final = sa.select(_WEAPONS.incident_id, _WEAPONS.level, _WEAPONS.weapon).where(
    _WEAPONS.incident_id.in_(_INCIDENTS), _WEAPONS.claimant == EVERYBODY
)
_FIGURES_OF: Final = sa.select(
    _FIGURES.incident_id,
    _FIGURES.level,
    _FIGURES.outcome,
    _FIGURES.low,
    _FIGURES.best,
    _FIGURES.high,
).where(
    _FIGURES.incident_id.in_(_INCIDENTS),
    _FIGURES.claimant == EVERYBODY,
    _FIGURES.party == EVERYBODY,
    _FIGURES.low.is_not(None),
)
_SHOWN: Final = _REPORTS.incident_id.in_(_INCIDENTS), _REPORTS.level <= sa.bindparam("level")
_CLAIMANTS_OF: Final = sa.select(_REPORTS.incident_id, _REPORTS.claimant).where(*_SHOWN)
# Of most incidents all else says that they are others, and a record takes longest to read.
_RECORDS_OF: Final = sa.select(_REPORTS.incident_id, _REPORTS.record).where(*_SHOWN)


class Neighbourhood:
    """What readers are shown of incidents around the same time, for asking again and again within
    one transaction: each month is looked up once, what lasts longer once for all of them, and each
    incident read once, by level.

    `source` leaves out the incidents that this source tells of itself: it calls two events by two
    names.
    """

    def __init__(
        self,
        session: Session,
        theatre: Theatre,
        threshold: float = POSSIBLE,
        source: str | None = None,
    ) -> None:
        self._session = session
        self._theatre = theatre
        self._source = source
        self._threshold = threshold
        self._reach = broadest(threshold)
        self._months: dict[tuple[date, int], Nearby] = {}
        self._lasting: dict[int, Nearby] = {}
        self._rows: dict[tuple[str, int], Any] = {}
        self._wordless: dict[tuple[str, int], Trace] = {}
        self._whole: dict[tuple[str, int], Trace] = {}

    def of(self, trace: Trace, level: int) -> list[Trace]:
        """Likewise `near`."""
        return self.of_each([(trace, level)])[0]

    def of_each(self, asked: Sequence[tuple[Trace, int]]) -> list[list[Trace]]:
        """The same for each of several traces and levels, read together."""
        around = [self._around(trace, level) for trace, level in asked]
        for level, unread in _unread(asked, around, self._wordless).items():
            rows = [self._rows[incident, level] for incident in unread]
            for read in _wordless(self._session, rows, level):
                self._wordless[read.incident, level] = read
        near = [
            {
                i
                for i in some
                if _is_near(trace, self._wordless[i, level], self._theatre, self._threshold)
            }
            for (trace, level), some in zip(asked, around, strict=True)
        ]
        for level, unread in _unread(asked, near, self._whole).items():
            traces = [self._wordless[incident, level] for incident in unread]
            for read in _with_words(self._session, traces, level):
                self._whole[read.incident, level] = read
        return [
            [self._whole[incident, level] for incident in sorted(incidents)]
            for (_, level), incidents in zip(asked, near, strict=True)
        ]

    def is_near(self, report: Report) -> bool:
        """Whether anything is within reach of a new report, as far as its days and position say:
        they are known before all else that is compared."""
        outline = Trace(report.id, report.when, point=report.point)
        return next(self._outlines(outline, report.level), None) is not None

    def _around(self, trace: Trace, level: int) -> set[str]:
        """The incidents that may reach the threshold with a trace."""
        return {
            outline.incident
            for outline in self._outlines(trace, level)
            if outline.incident != trace.incident and may_reach(self._threshold, trace, outline)
        }

    def _outlines(self, trace: Trace, level: int) -> Iterator[Trace]:
        """When and where everything within reach of a trace is."""
        if not _asks(trace):
            return
        yield from self._long(level).of(trace)
        reach = timedelta(days=self._reach.days)
        for month in _months(trace.when.known_start - reach, trace.when.known_end + reach):
            yield from self._month(month, level).of(trace)

    def _month(self, month: date, level: int) -> Nearby:
        if (month, level) not in self._months:
            last = month.replace(day=monthrange(month.year, month.month)[1])
            select = _select_touching(level, self._source)
            asked = {"first": month, "last": last, "earliest": month - LONGEST}
            self._months[month, level] = self._outlined(select, level, asked)
        return self._months[month, level]

    def _long(self, level: int) -> Nearby:
        if level not in self._lasting:
            self._lasting[level] = self._outlined(_select_long(level, self._source), level)
        return self._lasting[level]

    def _outlined(self, select: Any, level: int, asked: Mapping[str, date] | None = None) -> Nearby:
        nearby = Nearby(self._reach)
        for row in self._session.execute(select, asked):
            self._rows[row.incident_id, level] = row
            nearby.add(_outline(row))
        return nearby


def of_report(
    session: Session,
    row: tables.Report,
    actor: Actor,
    theatre: Theatre,
    limit: int,
    among: Neighbourhood | None = None,
) -> list[Json]:
    """Other incidents that a report may belong to, the best `limit` of them."""
    trace = trace_of_report(row.incident_id, report_of(row.id, row.record), row.record)
    return _described(session, trace, actor, theatre, limit, among)


def of_incident(
    session: Session, incident_id: str, actor: Actor, theatre: Theatre, limit: int
) -> list[Json]:
    """Other incidents that may be the same event, the best `limit` of them. Raises `NotFound`."""
    row = session.scalar(
        sa.select(tables.Account).where(
            tables.Account.incident_id == incident_id,
            tables.Account.claimant == EVERYBODY,
            *seen_at(actor.sees.level),
        )
    )
    if row is None:
        raise NotFound
    level = actor.sees.level
    [trace] = _with_words(session, _wordless(session, [row], level), level)
    return _described(session, trace, actor, theatre, limit)


def chosen(trace: Trace, others: Iterable[Trace], theatre: Theatre) -> list[str]:
    """The best of the others that are near enough to flag the report, in the order of their ids."""
    found = candidates(trace, others, theatre.sectors, theatre.weapons, FLAGGED, MOST_FLAGGED)
    return sorted(candidate.incident for candidate in found)


def near(
    session: Session, trace: Trace, level: int, theatre: Theatre, threshold: float = POSSIBLE
) -> list[Trace]:
    """What readers of a level know of other incidents that may reach the threshold: none that
    does is left out."""
    if not _asks(trace):
        return []
    reach, own = broadest(threshold), radius_km(trace.point)
    days = timedelta(days=reach.days)
    first, last = trace.when.known_start - days, trace.when.known_end + days
    asked: dict[str, Any] = {"first": first, "last": last, "earliest": first - LONGEST}
    boxes = trace.point is not None and own is not None
    if trace.point is not None and own is not None:
        for precision, radius in RADIUS_KM.items():
            box = BoundingBox.around(trace.point, reach.km + own + radius)
            # Over the 180th meridian, all longitudes: what is too far is seen when compared.
            west, east = (box.west, box.east) if box.west <= box.east else (-180, 180)
            sides = {"south": box.south, "north": box.north, "west": west, "east": east}
            asked |= {f"{precision}_{side}": degrees for side, degrees in sides.items()}
    rows = session.execute(_select_near(level, boxes=boxes), asked).all()
    near_enough = [
        row
        for row in rows
        if row.incident_id != trace.incident and may_reach(threshold, trace, _outline(row))
    ]
    wordless = _wordless(session, near_enough, level)
    nearer = [each for each in wordless if _is_near(trace, each, theatre, threshold)]
    return _with_words(session, nearer, level)


def _is_near(trace: Trace, wordless: Trace, theatre: Theatre, threshold: float) -> bool:
    return may_yet_reach(threshold, trace, wordless, theatre.sectors, theatre.weapons)


def _unread(
    asked: Sequence[tuple[Trace, int]],
    found: Sequence[Iterable[str]],
    read: Mapping[tuple[str, int], Trace],
) -> Mapping[int, Sequence[str]]:
    """By level the incidents found for each that is asked for, without those that are read."""
    unread: dict[int, set[str]] = defaultdict(set)
    for (_, level), incidents in zip(asked, found, strict=True):
        unread[level].update(each for each in incidents if (each, level) not in read)
    return {level: sorted(incidents) for level, incidents in unread.items()}


# Statements are put together once: that takes longer than to find what they select.
@lru_cache
def _select_near(level: int, *, boxes: bool) -> Any:
    """The accounts that are long or touch the days from `first` to `last`, beginning no earlier
    than `earliest`; given `boxes`, none that lies outside that of its precision."""
    far = _not_far() if boxes else sa.true()
    touching = _select_touching(level).where(~_ACCOUNTS.long, far)
    # Apart, so that each has an index to itself.
    return sa.union_all(touching, _select_long(level).where(_touches(), far))


@lru_cache
def _select_touching(level: int, source: str | None = None) -> sa.Select[Any]:
    """The accounts that touch the days from `first` to `last`; what begins before `earliest` must
    be long to do so, and is left out. None of `source`, where one is given."""
    since = _ACCOUNTS.known_start.between(sa.bindparam("earliest"), sa.bindparam("last"))
    return _counted(level, source).where(_touches(), since)


@lru_cache
def _select_long(level: int, source: str | None = None) -> sa.Select[Any]:
    """The accounts that are long. None of `source`, where one is given."""
    return _counted(level, source).where(_ACCOUNTS.long)


def _asks(trace: Trace) -> bool:
    return not is_long(trace.when)


def _counted(level: int, source: str | None) -> sa.Select[Any]:
    select = sa.select(*_OUTLINE).where(
        _ACCOUNTS.claimant == EVERYBODY,
        _ACCOUNTS.level <= level,
        _ACCOUNTS.until_level >= level,
        _ACCOUNTS.counted,
    )
    return select if source is None else select.where(~_told_by(source))


def _told_by(source: str) -> Any:
    """Whether a source tells of an account's incident."""
    report, term = tables.Report, tables.ReportTerm
    # One within the other: joined, SQLite would begin with all that the source ever told.
    named = sa.exists().where(
        term.report_id == report.id, term.kind == SOURCE, term.value == source
    )
    return sa.exists().where(report.incident_id == _ACCOUNTS.incident_id, named)


def _touches() -> Any:
    """Touching the days from `first` to `last`; an open side has no end."""
    first, last = (sa.bindparam(name, type_=sa.Date) for name in ("first", "last"))
    return sa.and_(
        sa.or_(_ACCOUNTS.start_day.is_(None), _ACCOUNTS.start_day <= last),
        sa.or_(_ACCOUNTS.end_day.is_(None), _ACCOUNTS.end_day >= first),
    )


def _not_far() -> Any:
    """Leaves out what is too far away; without two points of known precision nothing is."""
    return sa.or_(
        _ACCOUNTS.latitude.is_(None),
        _ACCOUNTS.precision.not_in([str(precision) for precision in RADIUS_KM]),
        *(
            sa.and_(
                _ACCOUNTS.precision == str(precision),
                *(
                    column.between(
                        sa.bindparam(f"{precision}_{low}"), sa.bindparam(f"{precision}_{high}")
                    )
                    for column, low, high in (
                        (_ACCOUNTS.latitude, "south", "north"),
                        (_ACCOUNTS.longitude, "west", "east"),
                    )
                ),
            )
            for precision in RADIUS_KM
        ),
    )


def _months(first: date, last: date) -> Iterator[date]:
    """The first days of the calendar months that a span touches."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _outline(row: Any) -> Trace:
    """When and where an account is: enough to see that it lies too far away."""
    return Trace(row.incident_id, when_of_row(row), point=point_of_row(row))


def trace_of_report(incident: str, report: Report, record: Json) -> Trace:
    """What is compared of a report: what may be published of it."""
    outcomes = {outcome for line in report.lines for outcome in line.figures}
    figures = {o: figure for o in outcomes if (figure := report.figure_of(o)) is not None}
    return Trace(
        incident,
        report.when,
        report.sector,
        report.point,
        report.weapons,
        figures,
        frozenset({report.claimant}),
        _words(record),
    )


def _wordless(session: Session, rows: Sequence[Any], level: int) -> list[Trace]:
    """Accounts of everybody as traces without words, in the order given; a row has at least
    `_OUTLINE`."""
    if not rows:
        return []
    incidents = sorted({row.incident_id for row in rows})
    weapons: dict[tuple[str, int], set[str]] = defaultdict(set)
    figures: dict[tuple[str, int], dict[Outcome, Figure]] = defaultdict(dict)
    claimants: dict[str, set[str]] = defaultdict(set)
    for some in chunks(incidents):
        asked = {"incidents": some, "level": level}
        for incident, of_level, weapon in session.execute(_WEAPONS_OF, asked).all():
            weapons[incident, of_level].add(weapon)
        for incident, of_level, outcome, *bounds in session.execute(_FIGURES_OF, asked).all():
            figures[incident, of_level][Outcome(outcome)] = Figure(*bounds)
        for incident, claimant in session.execute(_CLAIMANTS_OF, asked).all():
            claimants[incident].add(claimant)
    return [
        Trace(
            row.incident_id,
            when_of_row(row),
            row.sector,
            point_of_row(row),
            frozenset(weapons[row.incident_id, row.level]),
            figures[row.incident_id, row.level],
            frozenset(claimants[row.incident_id]),
        )
        for row in rows
    ]


def _with_words(session: Session, wordless: Sequence[Trace], level: int) -> list[Trace]:
    words: dict[str, frozenset[str]] = defaultdict(frozenset)
    for some in chunks([trace.incident for trace in wordless]):
        for incident, record in session.execute(_RECORDS_OF, {"incidents": some, "level": level}):
            words[incident] |= _words(record)
    return [replace(trace, words=words[trace.incident]) for trace in wordless]


def _words(record: Json) -> frozenset[str]:
    return frozenset(fold_words(summary_shown(record)).split())


def _described(
    session: Session,
    trace: Trace,
    actor: Actor,
    theatre: Theatre,
    limit: int,
    among: Neighbourhood | None = None,
) -> list[Json]:
    level = actor.sees.level
    others = among.of(trace, level) if among else near(session, trace, level, theatre)
    found = candidates(trace, others, theatre.sectors, theatre.weapons, most=limit)
    titles = _titles(session, found, actor.sees.level)
    return [
        {
            "incident": candidate.incident,
            "title": titles[candidate.incident],
            "score": round(candidate.score, 1),
            "reasons": [reason_view(reason, theatre) for reason in candidate.reasons],
        }
        for candidate in found
    ]


def _titles(session: Session, found: Sequence[Candidate], level: int) -> dict[str, str | None]:
    row = tables.Incident
    told = session.scalars(sa.select(row).where(row.id.in_([c.incident for c in found])))
    return {each.id: placing.shown_of(each, level)["title"] for each in told}
