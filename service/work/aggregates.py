"""Answering aggregates: the accounts a question selects, summed by the rules of the domain."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.aggregates import Earlier, Gaps, Table, Voice, side_by_side, tabulate
from service.domain.cells import Cube, cube_of, kept_for
from service.domain.comparisons import comparison
from service.domain.coverage import Coverage, Watch
from service.domain.grids import Row
from service.domain.periods import Bucket, Grain, Timeline
from service.domain.queries import AggregateQuery, Clock, Dimension, IncidentQuery
from service.domain.shares import Asked, Counted, Telling, asked_for, counted
from service.domain.spans import reaching
from service.domain.theatre import Theatre
from service.domain.vocabulary import INCOMPLETE, SPANNING, UNLOCATED, Access
from service.errors import Invalid
from service.store import cells, tables
from service.store.accounts import load_accounts
from service.store.queries import select_accounts

_AT_ONCE: Final = 2_000
_DAYS: Final = frozenset({"from", "to"})


def answer(session: Session, query: AggregateQuery, theatre: Theatre) -> Table:
    """Sum what the question selects. Only what counts is summed.

    From what is kept summed, where that can tell; else from the accounts themselves.
    """
    timeline = _timeline(session, query, theatre, apart=Dimension.CLAIMANT in query.by)
    query = reaching(query)
    rows, total = _rows_and_total(session, query, theatre)
    earlier = None
    if query.compare is not None:
        compared = comparison(query, timeline)
        for_rows, for_total = compared.asked(query), compared.asked_in_total(query)
        earlier = Earlier(
            compared,
            _rows_and_total(session, for_rows, theatre)[0] if for_rows else (),
            _rows_and_total(session, for_total, theatre)[1] if for_total else (),
        )
    watch = watch_of(session, theatre, query.filters)
    return tabulate(rows, total, query, timeline, theatre, watch, earlier)


def gaps(
    session: Session, query: AggregateQuery, claimants: tuple[str, str], theatre: Theatre
) -> Gaps:
    """What two claimants answer to the same question, each asked alone."""
    timeline = _timeline(session, query, theatre, apart=True)
    query = reaching(query)
    one, other = claimants
    voices = (
        _voice(session, query, one, other, theatre),
        _voice(session, query, other, one, theatre),
    )
    watch = watch_of(session, theatre, query.filters)
    return side_by_side(voices, query, timeline, theatre, watch)


def _voice(
    session: Session, query: AggregateQuery, claimant: str, other: str, theatre: Theatre
) -> Voice:
    asked = replace(query, filters=replace(query.filters, according_to=claimant))
    alone = replace(asked, filters=replace(asked.filters, untold_by=other))
    return Voice(
        asked,
        *_rows_and_total(session, asked, theatre),
        *_rows_and_total(session, alone, theatre),
    )


def _timeline(
    session: Session, query: AggregateQuery, theatre: Theatre, *, apart: bool
) -> Timeline:
    return timeline_of(session, query.filters, query.grain, query.series, theatre, apart=apart)


def _rows_and_total(
    session: Session, query: AggregateQuery, theatre: Theatre
) -> tuple[Iterable[Counted], Iterable[Counted]]:
    """What the rows of an answer are made of, and what its total is."""
    rows, for_total = rows_of(session, query, theatre), asked_for(query, theatre, total=True)
    # By sector and status each share is in one row, which adds up to the total.
    if replace(for_total, by=query.by) == asked_for(query, theatre):
        return rows, rows
    return rows, _sums(session, query, for_total, theatre)


def rows_of(session: Session, query: AggregateQuery, theatre: Theatre) -> list[Counted]:
    """The sums that the rows of an answer are made of."""
    return list(_sums(session, query, asked_for(query, theatre), theatre))


def _sums(
    session: Session, query: AggregateQuery, asked: Asked, theatre: Theatre
) -> Iterator[Counted]:
    filters, cube = query.filters, cube_of(query.filters, asked.dimensions)
    if cube is None:
        yield from _summed_now(session, query, asked, theatre)
        return
    by_sector = Dimension.SECTOR in asked.by
    by_status = Dimension.STATUS in asked.by or filters.status is not None
    kept = kept_for(cube, query.grain, query.series, filters, theatre, by_status=by_status)
    codes = asked.keys.get(cube.dimension) if cube.dimension else None
    wanted = sorted(codes) if codes is not None else None
    yield from cells.read(session, kept, filters, theatre, wanted, by_sector=by_sector)


def _summed_now(
    session: Session, query: AggregateQuery, asked: Asked, theatre: Theatre
) -> Iterator[Counted]:
    """The shares of the accounts that a question selects, some thousands in memory at a time."""
    filters = replace(query.filters, counted=True)
    apart = Dimension.CLAIMANT in asked.dimensions
    select = select_accounts(filters, theatre, apart=apart, figures=True)
    columns = select.with_only_columns(*tables.Account.__table__.columns)
    found = session.execute(columns.execution_options(yield_per=_AT_ONCE))
    for some in found.partitions():
        tellings = [
            Telling(account, whose if apart else None)
            for account, whose in load_accounts(session, some)
        ]
        yield from counted(tellings, asked, query, theatre)


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
        known = recorded_span(session, filters.clock, theatre, filters.sees, apart=apart)
        first = first or min(known[0], last or known[0])
        last = last or max(known[1], first)
    named: tuple[Bucket, ...] = ()
    if grain is Grain.NAMED:
        chosen = series or next(iter(theatre.series), "")
        if chosen not in theatre.series:
            raise Invalid("is not a known series of periods", "series")
        named = theatre.named_buckets(chosen)
    return Timeline(grain, first, last, named)


def watch_of(session: Session, theatre: Theatre, filters: IncidentQuery | None = None) -> Watch:
    """All recorded coverage; in days of the time zone of `filters`, if these name one."""
    zone = filters.zone if filters else None
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
        zone or theatre.zone,
    )


class Links:
    """Leads to the lists behind an answer; `asked` holds the filters as they were sent."""

    def __init__(
        self,
        query: AggregateQuery,
        timeline: Timeline,
        theatre: Theatre,
        asked: Mapping[str, str],
    ) -> None:
        self._query = query
        self._timeline = timeline
        self._theatre = theatre
        self._asked = asked
        # Each row has its keys in common with some rows, and its days with others.
        self._of_keys: dict[tuple[tuple[str, str | None], ...], str] = {}
        self._of_days: dict[tuple[str, Bucket | None, bool], str] = {}

    def of_row(self, row: Row, *, elsewhere: bool = False) -> str | None:
        """With `elsewhere` the row is of other days than those asked for. `None` where no list
        tells just these: what is in no row of those that may overlap, or in periods that are not
        complete."""
        moves = self._query.moves
        if row.period == INCOMPLETE or (moves and row.period == SPANNING):
            return None
        keys, days = tuple(row.keys.items()), (row.period, row.bucket, elsewhere or moves)
        if keys not in self._of_keys:
            self._of_keys[keys] = self._narrowed(keys)
        if days not in self._of_days:
            self._of_days[days] = self._during(*days)
        return f"/v1/incidents?{self._of_keys[keys]}&{self._of_days[days]}"

    def of_total(self, total: Row) -> str | None:
        """`None` for days of another time zone: lists select by those of the theatre."""
        if total.bucket is None or self._query.filters.zone is not None:
            return None
        days = {"from": f"{total.bucket.start}", "to": f"{total.bucket.end}"}
        return f"/v1/incidents?{urlencode({**self._asked, **days, 'counted': 'true'})}"

    def _narrowed(self, keys: tuple[tuple[str, str | None], ...]) -> str:
        """What narrows a list to the keys of a row, with all that was asked but its days."""
        filters, sectors, weapons = (
            self._query.filters,
            self._theatre.sectors.tree,
            self._theatre.weapons.tree,
        )
        named = dict(keys)
        parameters = {name: value for name, value in self._asked.items() if name not in _DAYS}
        parameters["counted"] = "true"
        for name, value in keys:
            match name, value:
                case Dimension.SECTOR, str():
                    parameters["sector"] = sectors.finer(filters.sector, value)
                case "within", _ if named[Dimension.SECTOR] == UNLOCATED:
                    parameters["within"] = value or UNLOCATED
                case Dimension.WEAPON, str():
                    parameters["weapon"] = weapons.finer(filters.weapon, value)
                case Dimension.CLAIMANT, str():
                    parameters["according_to"] = value
                case _, str():
                    parameters[name] = value
        weapon = named.get(Dimension.WEAPON)
        if weapon in weapons and weapon and weapons.depth(weapon) < filters.level:
            # Weapons named more finely have rows of their own.
            parameters["weapon_exact"] = "true"
        return urlencode(parameters)

    def _during(self, period: str, bucket: Bucket | None, by_days: bool) -> str:
        """What narrows a list to what a row counts: its bucket or, `by_days`, what lies in its
        days."""
        grain, first, last = self._query.grain, self._timeline.first, self._timeline.last
        if by_days and bucket is not None:
            grain, period, first, last = Grain.TOTAL, "total", bucket.start, bucket.end
        days = {"from": f"{first}", "to": f"{last}", "grain": grain.value, "bucket": period}
        if self._query.series and grain is Grain.NAMED:
            days["series"] = self._query.series
        if self._query.filters.zone is not None:
            days["timezone"] = self._query.filters.zone.key
        return urlencode(days)


def recorded_span(
    session: Session, clock: Clock, theatre: Theatre, sees: int, *, apart: bool
) -> tuple[date, date]:
    """The first and the last day of all that readers of a level are shown and, `apart`, of what
    single claimants say too."""
    cubes = (Cube(clock), *([Cube(clock, Dimension.CLAIMANT)] if apart else []))
    spans = [cells.span(session, cube, sees) for cube in cubes]
    firsts, lasts = (filter(None, days) for days in zip(*spans, strict=True))
    nothing = theatre.monitored_from
    return min(firsts, default=nothing), max(lasts, default=nothing)
