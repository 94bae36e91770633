"""Answering aggregates: the accounts a question selects, summed by the rules of the domain."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.aggregates import Row, Table, Telling, aggregate
from service.domain.coverage import Coverage, Watch
from service.domain.periods import Bucket, Grain, Timeline
from service.domain.queries import AggregateQuery, Clock, Dimension, IncidentQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import UNLOCATED, Access
from service.errors import Invalid
from service.store import tables
from service.store.accounts import load_accounts
from service.store.queries import EVERYBODY, seen_at, select_accounts


def answer(session: Session, query: AggregateQuery, theatre: Theatre) -> Table:
    """Sum what the question selects. Only what counts is summed."""
    timeline = timeline_of(
        session,
        query.filters,
        query.grain,
        query.series,
        theatre,
        apart=Dimension.CLAIMANT in query.by,
    )
    counted = replace(query.filters, counted=True)
    rows = session.scalars(select_accounts(counted, theatre, figures=True)).all()
    tellings = [Telling(account) for account, _ in load_accounts(session, rows)]
    if Dimension.CLAIMANT in query.by:
        apart = session.scalars(select_accounts(counted, theatre, apart=True, figures=True)).all()
        tellings += [Telling(account, whose) for account, whose in load_accounts(session, apart)]
    return aggregate(tellings, query, timeline, theatre, watch_of(session, theatre))


def timeline_of(
    session: Session,
    filters: IncidentQuery,
    grain: Grain,
    series: str | None,
    theatre: Theatre,
    *,
    apart: bool = False,
) -> Timeline:
    """The buckets of a question: from `from` to `to`, or over all that is recorded.

    With `apart`, what each claimant says alone is recorded too.
    """
    first, last = filters.first, filters.last
    if first is None or last is None:
        apart = apart or filters.according_to is not None
        known = _recorded_span(session, filters.clock, theatre, filters.sees, apart=apart)
        first = first or min(known[0], last or known[0])
        last = last or max(known[1], first)
    named: tuple[Bucket, ...] = ()
    if grain is Grain.NAMED:
        chosen = series or next(iter(theatre.series), "")
        if chosen not in theatre.series:
            raise Invalid("is not a known series of periods", "series")
        named = theatre.named_buckets(chosen)
    return Timeline(grain, first, last, named)


def watch_of(session: Session, theatre: Theatre) -> Watch:
    """All recorded coverage."""
    rows = session.scalars(sa.select(tables.Coverage))
    return Watch(
        (
            Coverage(
                row.observer,
                frozenset(row.record["posted"]["sectors"]),
                row.start_at,
                row.end_at,
                row.record["posted"]["means"],
                Access(row.access),
            )
            for row in rows
        ),
        theatre.sectors,
        theatre.zone,
    )


def link_of(
    row: Row, query: AggregateQuery, timeline: Timeline, theatre: Theatre, asked: Mapping[str, str]
) -> str:
    """The list of incidents behind a row; `asked` holds the filters as they were sent."""
    filters = query.filters
    parameters = _counted(timeline, asked)
    parameters |= {"grain": query.grain.value, "bucket": row.period}
    for name, value in row.keys.items():
        match name, value:
            case Dimension.SECTOR, str():
                parameters["sector"] = theatre.sectors.tree.finer(filters.sector, value)
            case "within", _ if row.keys[Dimension.SECTOR] == UNLOCATED:
                parameters["within"] = value or UNLOCATED
            case Dimension.WEAPON, str():
                parameters["weapon"] = theatre.weapons.tree.finer(filters.weapon, value)
            case Dimension.CLAIMANT, str():
                parameters["according_to"] = value
            case _, str():
                parameters[name] = value
    weapon, tree = row.keys.get(Dimension.WEAPON), theatre.weapons.tree
    if weapon in tree and weapon and tree.depth(weapon) < filters.level:
        # Weapons named more finely have rows of their own.
        parameters["weapon_exact"] = "true"
    if query.series:
        parameters["series"] = query.series
    return f"/v1/incidents?{urlencode(parameters)}"


def link_of_total(timeline: Timeline, asked: Mapping[str, str]) -> str:
    return f"/v1/incidents?{urlencode(_counted(timeline, asked))}"


def _counted(timeline: Timeline, asked: Mapping[str, str]) -> dict[str, str]:
    span = {"from": timeline.first.isoformat(), "to": timeline.last.isoformat()}
    return {**asked, **span, "counted": "true"}


def _recorded_span(
    session: Session, clock: Clock, theatre: Theatre, sees: int, *, apart: bool
) -> tuple[date, date]:
    account = tables.Account
    first, last = {
        Clock.EVENT: (account.known_start, account.known_end),
        Clock.REPORTED: (account.reported_start, account.reported_end),
        Clock.RECEIVED: (account.received_day, account.received_day),
    }[clock]
    found = session.execute(
        sa.select(sa.func.min(first), sa.func.max(last)).where(
            (account.claimant != EVERYBODY) == apart, *seen_at(sees), account.counted
        )
    ).one()
    recorded: tuple[date | None, date | None] = (found[0], found[1])
    return (recorded[0] or theatre.monitored_from, recorded[1] or theatre.monitored_from)
