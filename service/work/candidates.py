"""Which incidents may tell of the same event, as far as a reader is shown them."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.candidates import (
    POSSIBLE,
    RADIUS_KM,
    Candidate,
    Nearby,
    Reach,
    Trace,
    broadest,
    candidates,
    radius_km,
)
from service.domain.figures import Figure
from service.domain.places import fold_words
from service.domain.queries import BoundingBox
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome
from service.errors import NotFound
from service.formats.disclosure import summary_shown
from service.formats.records import report_of
from service.store import tables
from service.store.accounts import LONGEST, is_long, point_of_row, when_of_row
from service.store.database import chunks
from service.store.queries import EVERYBODY, in_box, seen_at
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


# What of an account says when, where and whose it is.
_OUTLINE: Final = (
    tables.Account.incident_id,
    tables.Account.level,
    tables.Account.start_day,
    tables.Account.end_day,
    tables.Account.lasted,
    tables.Account.earliest,
    tables.Account.latest,
    tables.Account.sector,
    tables.Account.latitude,
    tables.Account.longitude,
    tables.Account.precision,
)


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
        threshold: float = POSSIBLE,
        source: str | None = None,
    ) -> None:
        self._session = session
        self._source = source
        self._reach = broadest(threshold)
        self._months: dict[tuple[date, int], Nearby] = {}
        self._lasting: dict[int, Nearby] = {}
        self._rows: dict[tuple[str, int], Any] = {}
        self._read: dict[tuple[str, int], Trace] = {}

    def of(self, trace: Trace, level: int) -> list[Trace]:
        """Likewise `near`."""
        return self.of_each([(trace, level)])[0]

    def of_each(self, asked: Sequence[tuple[Trace, int]]) -> list[list[Trace]]:
        """The same for each of several traces and levels, read together."""
        found = [self._around(trace, level) for trace, level in asked]
        unread: dict[int, set[str]] = defaultdict(set)
        for (_, level), incidents in zip(asked, found, strict=True):
            unread[level] |= {each for each in incidents if (each, level) not in self._read}
        for level, incidents in unread.items():
            rows = [self._rows[incident, level] for incident in sorted(incidents)]
            for read in _traces(self._session, rows, level):
                self._read[read.incident, level] = read
        return [
            [self._read[incident, level] for incident in sorted(incidents)]
            for (_, level), incidents in zip(asked, found, strict=True)
        ]

    def _around(self, trace: Trace, level: int) -> set[str]:
        """The incidents that lie within reach of a trace."""
        if not _asks(trace):
            return set()
        reach = timedelta(days=self._reach.days)
        months = _months(trace.when.known_start - reach, trace.when.known_end + reach)
        return {
            outline.incident
            for nearby in (self._long(level), *(self._month(month, level) for month in months))
            for outline in nearby.of(trace)
            if outline.incident != trace.incident
        }

    def _month(self, month: date, level: int) -> Nearby:
        if (month, level) not in self._months:
            last = month.replace(day=monthrange(month.year, month.month)[1])
            # What begins earlier and touches the month lasts longer.
            near = tables.Account.known_start.between(month - LONGEST, last)
            self._months[month, level] = self._outlined(
                _between(month, last, level).where(near), level
            )
        return self._months[month, level]

    def _long(self, level: int) -> Nearby:
        if level not in self._lasting:
            self._lasting[level] = self._outlined(_counted(level).where(tables.Account.long), level)
        return self._lasting[level]

    def _outlined(self, select: Any, level: int) -> Nearby:
        nearby = Nearby(self._reach)
        if self._source is not None:
            select = select.where(~_told_by(self._source))
        for row in self._session.execute(select):
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
    [trace] = _traces(session, [row], actor.sees.level)
    return _described(session, trace, actor, theatre, limit)


def chosen(trace: Trace, others: Iterable[Trace], theatre: Theatre) -> list[str]:
    """The best of the others that are near enough to flag the report, in the order of their ids."""
    found = candidates(trace, others, theatre.sectors, theatre.weapons, FLAGGED, MOST_FLAGGED)
    return sorted(candidate.incident for candidate in found)


def near(session: Session, trace: Trace, level: int, threshold: float = POSSIBLE) -> list[Trace]:
    """What readers of a level know of other incidents that may reach the threshold: none that
    does is left out."""
    if not _asks(trace):
        return []
    reach = broadest(threshold)
    days = timedelta(days=reach.days)
    rows = session.execute(
        _between(trace.when.known_start - days, trace.when.known_end + days, level).where(
            tables.Account.incident_id != trace.incident, *_not_far(trace, reach)
        )
    ).all()
    return _traces(session, rows, level)


def _asks(trace: Trace) -> bool:
    return not is_long(trace.when)


def _counted(level: int) -> Any:
    account = tables.Account
    return sa.select(*_OUTLINE).where(
        account.claimant == EVERYBODY, *seen_at(level), account.counted
    )


def _told_by(source: str) -> Any:
    """Whether a source tells of an account's incident."""
    report, term = tables.Report, tables.ReportTerm
    # One within the other: joined, SQLite would begin with all that the source ever told.
    named = sa.exists().where(
        term.report_id == report.id, term.kind == SOURCE, term.value == source
    )
    return sa.exists().where(report.incident_id == tables.Account.incident_id, named)


def _between(first: date, last: date, level: int) -> Any:
    """The accounts that the days from the first to the last touch; an open side has no end."""
    account = tables.Account
    return _counted(level).where(
        sa.or_(account.start_day.is_(None), account.start_day <= last),
        sa.or_(account.end_day.is_(None), account.end_day >= first),
    )


def _not_far(trace: Trace, reach: Reach) -> Iterator[Any]:
    """Leaves out what is too far away; without two points of known precision nothing is."""
    account, own = tables.Account, radius_km(trace.point)
    if trace.point is None or own is None:
        return
    at = account.latitude, account.longitude
    yield sa.or_(
        account.latitude.is_(None),
        account.precision.not_in([str(precision) for precision in RADIUS_KM]),
        *(
            sa.and_(account.precision == str(precision), *in_box(at, box))
            for precision, radius in RADIUS_KM.items()
            for box in [BoundingBox.around(trace.point, reach.km + own + radius)]
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


def _traces(session: Session, rows: Sequence[Any], level: int) -> list[Trace]:
    """Accounts of everybody as traces, in the order given; a row has at least `_OUTLINE`."""
    incidents = sorted({row.incident_id for row in rows})
    weapons: dict[tuple[str, int], set[str]] = defaultdict(set)
    figures: dict[tuple[str, int], dict[Outcome, Figure]] = defaultdict(dict)
    claimants: dict[str, set[str]] = defaultdict(set)
    words: dict[str, frozenset[str]] = defaultdict(frozenset)
    for some in chunks(incidents):
        for incident, of_level, weapon in session.execute(_select_weapons(some)):
            weapons[incident, of_level].add(weapon)
        for incident, of_level, outcome, *bounds in session.execute(_select_figures(some)):
            figures[incident, of_level][Outcome(outcome)] = Figure(*bounds)
        for incident, claimant, record in session.execute(_select_told(some, level)):
            claimants[incident].add(claimant)
            words[incident] |= _words(record)
    return [
        Trace(
            row.incident_id,
            when_of_row(row),
            row.sector,
            point_of_row(row),
            frozenset(weapons[row.incident_id, row.level]),
            figures[row.incident_id, row.level],
            frozenset(claimants[row.incident_id]),
            words[row.incident_id],
        )
        for row in rows
    ]


def _select_weapons(incidents: Sequence[str]) -> Any:
    row = tables.AccountWeapon
    return sa.select(row.incident_id, row.level, row.weapon).where(
        row.incident_id.in_(incidents), row.claimant == EVERYBODY
    )


def _select_figures(incidents: Sequence[str]) -> Any:
    row = tables.Figure
    return sa.select(row.incident_id, row.level, row.outcome, row.low, row.best, row.high).where(
        row.incident_id.in_(incidents),
        row.claimant == EVERYBODY,
        row.party == EVERYBODY,
        row.low.is_not(None),
    )


def _select_told(incidents: Sequence[str], level: int) -> Any:
    row = tables.Report
    return sa.select(row.incident_id, row.claimant, row.record).where(
        row.incident_id.in_(incidents), row.level <= level
    )


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
    others = among.of(trace, level) if among else near(session, trace, level)
    found = candidates(trace, others, theatre.sectors, theatre.weapons, most=limit)
    titles = _titles(session, found, actor.sees.level)
    return [
        {
            "incident": candidate.incident,
            "title": titles[candidate.incident],
            "score": round(candidate.score, 1),
            "reasons": [
                {"matter": r.matter, "weight": round(r.weight, 1), "says": r.says}
                for r in candidate.reasons
            ],
        }
        for candidate in found
    ]


def _titles(session: Session, found: Sequence[Candidate], level: int) -> dict[str, str | None]:
    row = tables.Incident
    told = session.scalars(sa.select(row).where(row.id.in_([c.incident for c in found])))
    return {each.id: placing.shown_of(each, level)["title"] for each in told}
