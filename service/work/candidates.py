"""Which incidents may tell of the same event, as far as a reader is shown them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.candidates import BROADEST, Candidate, Trace, candidates
from service.domain.incidents import Account
from service.domain.places import Point, fold_words
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome
from service.errors import NotFound
from service.formats.disclosure import disclosed
from service.formats.records import report_of
from service.store import tables
from service.store.accounts import chunks, load_accounts
from service.store.queries import EVERYBODY, seen_at
from service.work import placing

Json = dict[str, Any]

# What a new report must reach to be flagged, in bits: a shared day and place, or a day and a
# section with a weapon or figure that agrees. A flag stops verification, so it asks for more than
# what is worth showing to somebody who looks for it.
FLAGGED: Final = 8.0
# What lasted longer touches too much to be one event with anything.
_LONGEST: Final = timedelta(days=31)


def of_report(session: Session, row: tables.Report, actor: Actor, theatre: Theatre) -> list[Json]:
    """Other incidents that a report may belong to."""
    trace = trace_of_report(row.incident_id, report_of(row.id, row.record), row.record, theatre)
    return _described(session, trace, actor, theatre)


def of_incident(session: Session, incident_id: str, actor: Actor, theatre: Theatre) -> list[Json]:
    """Other incidents that may be the same event. Raises `NotFound`."""
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
    return _described(session, trace, actor, theatre)


def chosen(trace: Trace, others: Iterable[Trace], theatre: Theatre) -> list[str]:
    """Those of the others that are near enough to flag the report, in the order of their ids."""
    found = candidates(trace, others, theatre.sectors, theatre.weapons, FLAGGED)
    return sorted({candidate.incident for candidate in found})


def near(session: Session, trace: Trace, level: int, theatre: Theatre) -> list[Trace]:
    """What readers of a level know of other incidents around the same time."""
    when = trace.when
    if when.is_open or when.known_end - when.known_start > _LONGEST:
        return []
    account, reach = tables.Account, timedelta(days=BROADEST.days)
    rows = session.scalars(
        sa.select(account).where(
            account.claimant == EVERYBODY,
            account.incident_id != trace.incident,
            *seen_at(level),
            account.counted,
            account.known_start <= when.known_end + reach,
            account.known_start >= when.known_start - reach - _LONGEST,
            account.known_end >= when.known_start - reach,
        )
    ).all()
    return _traces(session, rows, level, theatre)


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


def _described(session: Session, trace: Trace, actor: Actor, theatre: Theatre) -> list[Json]:
    others = near(session, trace, actor.sees.level, theatre)
    found = candidates(trace, others, theatre.sectors, theatre.weapons)
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
