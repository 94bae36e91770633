"""Which incidents may tell of the same event, as far as a reader is shown them."""

from calendar import monthrange
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
    Reach,
    Trace,
    broadest,
    candidates,
    radius_km,
    within,
)
from service.domain.incidents import Account
from service.domain.places import Point, fold_words
from service.domain.queries import BoundingBox
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome
from service.errors import NotFound
from service.formats.disclosure import disclosed
from service.formats.records import report_of
from service.store import tables
from service.store.accounts import chunks, load_accounts, point_of_row, when_of_row
from service.store.queries import EVERYBODY, in_box, seen_at
from service.work import placing

Json = dict[str, Any]

# What a new report must reach to be flagged, in bits: a shared day and place, or a day and a
# section with a weapon or figure that agrees. A flag stops verification, so it asks for more than
# what is worth showing to somebody who looks for it.
FLAGGED: Final = 8.0
# A flag asks somebody to look; nobody looks at more, and a day of many reports would otherwise
# name each of them in every other.
MOST_FLAGGED: Final = 10
# What lasted longer touches too much to be one event with anything.
_LONGEST: Final = timedelta(days=31)


class Neighbourhood:
    """What readers are shown of incidents around the same time, for asking again and again within
    one transaction: each month is looked up once, and each incident read once, by level."""

    def __init__(self, session: Session, theatre: Theatre, threshold: float = POSSIBLE) -> None:
        self._session = session
        self._theatre = theatre
        self._reach = broadest(threshold)
        self._months: dict[tuple[date, int], list[tuple[tables.Account, Trace]]] = {}
        self._read: dict[tuple[str, int], Trace] = {}

    def of(self, trace: Trace, level: int) -> list[Trace]:
        """Likewise `near`."""
        if not _asks(trace):
            return []
        found: dict[str, tables.Account] = {}
        reach = timedelta(days=self._reach.days)
        for month in _months(trace.when.known_start - reach, trace.when.known_end + reach):
            for row, outline in self._month(month, level):
                if row.incident_id != trace.incident and within(self._reach, trace, outline):
                    found[row.incident_id] = row
        unread = [row for incident, row in found.items() if (incident, level) not in self._read]
        for read in _traces(self._session, unread, level, self._theatre):
            self._read[read.incident, level] = read
        return [self._read[incident, level] for incident in sorted(found)]

    def _month(self, month: date, level: int) -> list[tuple[tables.Account, Trace]]:
        if (month, level) not in self._months:
            last = month.replace(day=monthrange(month.year, month.month)[1])
            rows = self._session.scalars(_between(month, last, level)).all()
            self._months[month, level] = [(row, _outline(row)) for row in rows]
        return self._months[month, level]


def of_report(
    session: Session,
    row: tables.Report,
    actor: Actor,
    theatre: Theatre,
    limit: int,
    among: Neighbourhood | None = None,
) -> list[Json]:
    """Other incidents that a report may belong to, the best `limit` of them."""
    trace = trace_of_report(row.incident_id, report_of(row.id, row.record), row.record, theatre)
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
    [trace] = _traces(session, [row], actor.sees.level, theatre)
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
    reach = broadest(threshold)
    days = timedelta(days=reach.days)
    rows = session.scalars(
        _between(trace.when.known_start - days, trace.when.known_end + days, level).where(
            tables.Account.incident_id != trace.incident, *_not_far(trace, reach)
        )
    ).all()
    return _traces(session, rows, level, theatre)


def _asks(trace: Trace) -> bool:
    when = trace.when
    return not when.is_open and when.known_end - when.known_start <= _LONGEST


def _between(first: date, last: date, level: int) -> sa.Select[Any]:
    """The accounts that the days from the first to the last touch; an open side has no end."""
    account = tables.Account
    return sa.select(account).where(
        account.claimant == EVERYBODY,
        *seen_at(level),
        account.counted,
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


def _outline(row: tables.Account) -> Trace:
    """When and where an account is: enough to see that it lies too far away."""
    return Trace(row.incident_id, when_of_row(row), point=point_of_row(row))


def trace_of_report(incident: str, report: Report, record: Json, theatre: Theatre) -> Trace:
    """What is compared of a report: what may be published of it."""
    figures = {o: f for o in Outcome if (f := report.figure_of(o)) is not None}
    return Trace(
        incident,
        report.when,
        report.sector,
        report.point,
        report.weapons,
        figures,
        frozenset({report.claimant}),
        _words([record], theatre),
    )


def _traces(
    session: Session, rows: Sequence[tables.Account], level: int, theatre: Theatre
) -> list[Trace]:
    told = _told(session, [row.incident_id for row in rows], level)
    return [
        _trace(account, told.get(account.incident, []), theatre)
        for account, _ in load_accounts(session, rows)
    ]


def _trace(account: Account, told: Sequence[tables.Report], theatre: Theatre) -> Trace:
    point: Point | None = account.point
    return Trace(
        account.incident,
        account.when,
        account.sector,
        point,
        account.weapons,
        {o: account.figures[None, o].figure for o in Outcome if (None, o) in account.figures},
        frozenset(row.claimant for row in told),
        _words([row.record for row in told], theatre),
    )


def _told(session: Session, incidents: Sequence[str], level: int) -> dict[str, list[tables.Report]]:
    row = tables.Report
    told: dict[str, list[tables.Report]] = {}
    for some in chunks(incidents):
        for each in session.scalars(
            sa.select(row).where(row.incident_id.in_(some), row.level <= level)
        ):
            told.setdefault(each.incident_id, []).append(each)
    return told


def _words(records: Iterable[Json], theatre: Theatre) -> frozenset[str]:
    texts = [disclosed(record, theatre)["posted"].get("summary") or "" for record in records]
    return frozenset(word for text in texts for word in fold_words(text).split())


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
