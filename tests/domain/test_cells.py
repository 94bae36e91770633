"""What is kept summed answers as the accounts themselves would, whatever it is cut by."""

from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain.aggregates import tabulate
from service.domain.cells import (
    CUBES,
    DAYS,
    Cell,
    Cube,
    Cut,
    Kept,
    Measures,
    NamedCut,
    added,
    cells_of,
    cube_of,
    kept_for,
    kept_of,
)
from service.domain.incidents import Incident
from service.domain.periods import Bucket, Grain
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.domain.shares import Counted, asked_for
from service.domain.vocabulary import Status
from tests.domain.families import days, families
from tests.domain.make import THEATRE, accounts, table, timeline, watch

thorough = settings(max_examples=80, deadline=None)
CUTS: list[Cut] = [kept.cut for kept in kept_of(CUBES[0], THEATRE) if not kept.together]


def kept_sums(incidents: tuple[Incident, ...]) -> dict[Cell, Measures]:
    """Every cell that is kept."""
    sums: dict[Cell, Measures] = {}
    everybody = range(3)
    for whose in (None, *sorted({r.claimant for i in incidents for r in i.reports})):
        for account in accounts(*incidents, claimant=whose).values():
            for cell, measures in cells_of(account, whose, everybody, THEATRE):
                [cube] = [each for each in CUBES if each.name(DAYS.name) == cell.cube]
                for kept in kept_of(cube, THEATRE):
                    held = held_by(kept, cell)
                    sums[held] = added(sums[held], measures) if held in sums else measures
    return sums


def held_by(kept: Kept, cell: Cell) -> Cell:
    """Where a cell of days is summed."""
    start, end = kept.cut.unit(cell.start)[0], kept.cut.unit(cell.end)[1]
    status = "" if kept.together else cell.status
    return cell._replace(cube=kept.name, start=start, end=end, status=status)


def read(sums: dict[Cell, Measures], kept: Kept, filters: IncidentQuery) -> list[Counted]:
    """What a database would read of them: the cells that touch the span asked for, summed."""
    found: dict[Any, Measures] = {}
    for cell, measures in sums.items():
        touches = cell.start <= (filters.last or date.max) and cell.end >= (
            filters.first or date.min
        )
        if cell.cube == kept.name and touches:
            codes = (cell.code,) if kept.cube.dimension else ()
            key = (cell.start, cell.end, cell.is_open, cell.sector, cell.status, codes)
            found[key] = added(found[key], measures) if key in found else measures
    return [Counted(*key, measures) for key, measures in found.items()]


@st.composite
def spans(draw: st.DrawFn) -> tuple[date | None, date | None]:
    first, last = sorted((draw(days), draw(days)))
    return draw(
        st.sampled_from(
            [(first, last), (None, None), (date(2020, 8, 1), date(2021, 2, 28)), (first, None)]
        )
    )


@thorough
@given(
    families(),
    spans(),
    st.sampled_from(Grain),
    st.lists(st.sampled_from(Dimension), unique=True, max_size=2).map(tuple),
    st.integers(0, 2),
    st.sampled_from([{}, {"party": "armenia"}, {"status": Status.VERIFIED}]),
)
def test_a_question_answered_from_kept_sums_equals_one_answered_from_accounts(
    family: tuple[Incident, ...],
    span: tuple[date | None, date | None],
    grain: Grain,
    by: tuple[Dimension, ...],
    level: int,
    narrowed: dict[str, Any],
) -> None:
    known = [account.when for account in accounts(*family).values()]
    first = span[0] or min((w.known_start for w in known), default=date(2020, 1, 1))
    last = span[1] or max([first, *(w.known_end for w in known)])
    told = {"level": level, **narrowed}
    query = AggregateQuery(IncidentQuery(*span, **told), grain, by, series="phases", dense=False)
    sums = kept_sums(family)
    made: list[list[Counted]] = []
    for total in (False, True):
        asked = asked_for(query, THEATRE, total=total)
        cube = cube_of(query.filters, asked.dimensions)
        if cube is None:
            return
        apart = Dimension.STATUS in by or "status" in narrowed
        kept = kept_for(cube, grain, "phases", query.filters, THEATRE, by_status=apart)
        made.append(read(sums, kept, query.filters))
    rows, whole = made
    answer = tabulate(rows, whole, query, timeline(grain, first, last), THEATRE, watch())
    plain = table(family, grain, first, last, *by, **told)
    assert answer.rows == plain.rows
    assert answer.total == plain.total


@given(days, st.sampled_from(CUTS))
def test_units_of_time_leave_no_gap_and_hold_their_days(day: date, cut: Cut) -> None:
    start, end = cut.unit(day)
    assert start <= day <= end
    assert cut.unit(start) == cut.unit(end) == (start, end)
    if end < date.max:
        assert cut.unit(end + timedelta(days=1))[0] == end + timedelta(days=1)


@example([])
@given(st.lists(st.tuples(days, st.integers(0, 40)), max_size=4))
def test_named_units_are_the_periods_and_what_lies_between(told: list[tuple[date, int]]) -> None:
    periods: list[Bucket] = []
    for start, length in sorted(told):
        if not periods or start > periods[-1].end:
            periods.append(Bucket(str(start), start, start + timedelta(days=length)))
    cut = NamedCut("made up", tuple(periods))
    for period in periods:
        assert cut.unit(period.start) == cut.unit(period.end) == (period.start, period.end)
    assert cut.unit(date.min)[0] == date.min
    assert cut.unit(date.max)[1] == date.max


def test_a_question_takes_the_largest_units_that_its_span_is_made_of() -> None:
    cube = Cube(CUBES[0].clock)
    month, day, week = (g.value for g in (Grain.MONTH, Grain.DAY, Grain.WEEK))

    def chosen(grain: Grain, first: date | None, last: date | None) -> str:
        filters = IncidentQuery(first, last)
        every = {
            apart: kept_for(cube, grain, "phases", filters, THEATRE, by_status=apart)
            for apart in (False, True)
        }
        assert not every[True].together
        assert every[False].cut == every[True].cut
        assert every[False].together == (every[True].cut.name != day)
        return every[True].cut.name

    whole = (date(2020, 1, 1), date(2020, 12, 31))
    assert chosen(Grain.YEAR, *whole) == chosen(Grain.TOTAL, None, None) == Grain.YEAR
    assert chosen(Grain.QUARTER, *whole) == Grain.QUARTER
    assert chosen(Grain.YEAR, date(2020, 4, 1), None) == Grain.QUARTER
    assert chosen(Grain.TOTAL, date(2020, 2, 1), None) == month
    assert chosen(Grain.MONTH, None, whole[1]) == month
    assert chosen(Grain.MONTH, date(2020, 1, 2), None) == day
    assert chosen(Grain.DAY, *whole) == day
    assert chosen(Grain.WEEK, date(2020, 1, 6), date(2020, 1, 12)) == week
    assert chosen(Grain.WEEK, *whole) == day
    assert chosen(Grain.NAMED, None, None) == f"{Grain.NAMED}:phases"


def test_every_clock_is_kept_by_days_from_which_the_rest_follows() -> None:
    for cube in CUBES:
        source, *rest = kept_of(cube, THEATRE)
        assert (source.cut, source.together) == (DAYS, False)
        assert {kept.days for kept in rest} <= {source}
        # Each from what comes before it.
        for number, kept in enumerate(rest):
            assert kept.source in [source, *rest[:number]]
        assert source.name not in {kept.name for kept in rest}


def test_other_filters_ask_the_accounts_themselves() -> None:
    assert cube_of(IncidentQuery(contested=True), ()) is None
    assert cube_of(IncidentQuery(min_killed=3), ()) is None
    assert cube_of(IncidentQuery(), (Dimension.WEAPON, Dimension.PARTY)) is None
