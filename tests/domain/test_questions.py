"""Rows of windows, running totals and earlier days equal a recount of just their days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.aggregates import Earlier, Table, tabulate
from service.domain.comparisons import Reason, change, comparison
from service.domain.figures import Sum
from service.domain.grids import Row
from service.domain.incidents import Incident
from service.domain.periods import Bucket, Grain, calendar_bucket
from service.domain.queries import AggregateQuery, Compare, Dimension, IncidentQuery
from service.domain.shares import Counted, Telling, asked_for, counted
from service.domain.spans import CALENDAR, Spans, earlier, reaching
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome
from service.domain.when import parse_zone
from service.domain.zones import days_in
from tests.domain import recount
from tests.domain.families import days, families
from tests.domain.make import THEATRE, accounts, incident, line, report, timeline, watch, when

thorough = settings(max_examples=60, deadline=None)
calendars = st.sampled_from(sorted(CALENDAR))
splits = st.lists(
    st.sampled_from([d for d in Dimension if d is not Dimension.CLAIMANT]), unique=True, max_size=2
).map(tuple)


@st.composite
def spans(draw: st.DrawFn) -> tuple[date, date]:
    first, last = sorted((draw(days), draw(days)))
    return first, last


def answer(family: tuple[Incident, ...], query: AggregateQuery, series: str = "phases") -> Table:
    """Ask as the service does: what overlaps the days that the rows reach back to."""
    filters = query.filters
    assert filters.first is not None
    assert filters.last is not None
    line_of_time = timeline(query.grain, filters.first, filters.last, series)
    query = reaching(query)
    told = [*accounts(*family).values()]

    def sums(asked: AggregateQuery | None, *, total: bool = False) -> list[Counted]:
        if asked is None:
            return []
        first, last = asked.filters.first, asked.filters.last
        selected = [Telling(t) for t in told if t.counted and t.when.overlaps(first, last)]
        return [*counted(selected, asked_for(asked, THEATRE, total=total), asked, THEATRE)]

    before = None
    if query.compare is not None:
        days_before = comparison(query, line_of_time)
        before = Earlier(
            days_before,
            sums(days_before.asked(query)),
            sums(days_before.asked_in_total(query), total=True),
        )
    rows, total = sums(query), sums(query, total=True)
    return tabulate(rows, total, query, line_of_time, THEATRE, watch(), before)


def recounted(
    family: tuple[Incident, ...], by: tuple[Dimension, ...], first: date, last: date
) -> dict[tuple[str, ...], recount.Count]:
    """What lies wholly within some days, by the keys of the rows."""
    voices = [(told, None) for told in recount.tell(family).values() if told.counted]
    found = recount.rows(voices, tuple(d.value for d in by), "total", first, last)
    return {key[1:]: count for key, count in found.items() if key[0] == "total"}


def keys_of(row: Row, by: tuple[Dimension, ...]) -> tuple[str, ...]:
    return tuple(
        f"{row.keys[d]}/{row.keys['within'] or ''}" if d is Dimension.SECTOR else str(row.keys[d])
        for d in by
    )


def count_of(row: Row) -> recount.Count:
    return recount.Count(
        row.incidents or 0,
        row.episodes or 0,
        row.reports or 0,
        row.remainder,
        {o.value: (f.low, f.best, f.high, f.open, f.unknown) for o, f in row.figures.items()},
    )


def check_rows(
    table: Table, family: tuple[Incident, ...], query: AggregateQuery, spans_: list[Bucket]
) -> None:
    """Every span has just the rows of a recount."""
    for span in spans_:
        wanted = recounted(family, query.by, span.start, span.end)
        rows = {keys_of(r, query.by): count_of(r) for r in table.rows if r.period == span.key}
        assert rows == wanted, span


def query_of(
    span: tuple[date, date], grain: Grain, by: tuple[Dimension, ...] = (), **more: Any
) -> AggregateQuery:
    return AggregateQuery(IncidentQuery(*span), grain, by, dense=False, **more)


@thorough
@given(families(), spans(), calendars, st.integers(2, 8), splits)
def test_every_window_is_a_recount_of_its_days(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    window: int,
    by: tuple[Dimension, ...],
) -> None:
    query = query_of(span, grain, by, window=window)
    wanted = []
    for bucket in timeline(grain, *span).buckets():
        start = calendar_bucket(grain, bucket.start).start
        for _ in range(window - 1):
            start = calendar_bucket(grain, start - timedelta(days=1)).start
        wanted.append(Bucket(bucket.key, start, bucket.end))
    check_rows(answer(family, query), family, query, wanted)


@thorough
@given(families(), spans(), st.sampled_from(Grain), st.integers(0, 90), splits)
def test_every_running_total_is_a_recount_since_its_day(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    before: int,
    by: tuple[Dimension, ...],
) -> None:
    since = span[0] - timedelta(days=before)
    query = query_of(span, grain, by, since=since, running="truce")
    table = answer(family, query)
    buckets = timeline(grain, *span).buckets()
    check_rows(table, family, query, [Bucket(b.key, since, b.end) for b in buckets])
    counts = [row.reports or 0 for row in table.rows if row.bucket and not by]
    assert counts == sorted(counts), "what was counted once stays counted"


@thorough
@given(families(), spans(), st.sampled_from(Grain), splits, st.sampled_from(Compare))
def test_what_rows_are_compared_with_is_a_recount_of_those_days(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    by: tuple[Dimension, ...],
    compare: Compare,
) -> None:
    query = query_of(span, grain, by, compare=Compare.PREVIOUS if grain is Grain.NAMED else compare)
    table = answer(family, query)
    plain = answer(family, replace(query, compare=None))
    for row in table.rows:
        if row.compared is None:
            assert row.reason is not None
            continue
        days_before = row.compared.bucket
        assert days_before is not None
        found = recounted(family, by, days_before.start, days_before.end)
        nothing = recount.Count()
        assert count_of(row.compared) == found.get(keys_of(row, by), nothing)
    same = {(r.period, keys_of(r, by)): count_of(r) for r in plain.rows}
    beside = {
        (r.period, keys_of(r, by)): count_of(r) for r in table.rows if r.incidents is not None
    }
    assert beside == same


@given(calendars, st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 40))
def test_so_many_periods_earlier_is_stepping_back_so_often(
    grain: Grain, day: date, count: int
) -> None:
    bucket = stepped = calendar_bucket(grain, day)
    for _ in range(count):
        stepped = calendar_bucket(grain, stepped.start - timedelta(days=1))
    assert earlier(grain, bucket, count) == stepped


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=8),
    st.integers(0, 40),
    st.integers(0, 5),
)
def test_spans_find_all_that_hold_some_days(
    drawn: list[tuple[int, int]], start: int, length: int
) -> None:
    epoch = date(2022, 1, 1)
    ends = sorted(start + length for start, length in drawn)
    starts = sorted(start for start, _ in drawn)
    buckets = [
        Bucket(str(i), epoch + timedelta(days=a), epoch + timedelta(days=max(a, b)))
        for i, (a, b) in enumerate(zip(starts, ends, strict=True))
    ]
    first, last = epoch + timedelta(days=start), epoch + timedelta(days=start + length)
    found = Spans(buckets).holding(first, last)
    assert [*found] == [i for i, b in enumerate(buckets) if b.start <= first and last <= b.end]


@dataclass(frozen=True)
class Told:
    """Counts and figures of what is compared."""

    counts: tuple[int | None, int | None, int | None, int | None]
    figures: Mapping[Outcome, Sum]


bounds = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9) | st.none())


@given(bounds, bounds, st.integers(0, 30), st.integers(0, 30))
def test_a_change_holds_whatever_the_two_figures_were(
    one: tuple[int, int, int | None],
    other: tuple[int, int, int | None],
    beyond: int,
    further: int,
) -> None:
    def row(drawn: tuple[int, int, int | None]) -> Told:
        low, more, most = drawn
        opened = most is None
        told = Sum(low, low + more, low + more + (most or 0), int(opened))
        return Told((1, 0, 1, 0), dict.fromkeys(SUMMED_OUTCOMES, told))

    between = change(row(one), row(other)).figures[Outcome.KILLED]

    def possible(drawn: tuple[int, int, int | None], extra: int) -> int:
        low, more, most = drawn
        return low + (extra if most is None else min(extra, more + most))

    difference = possible(one, beyond) - possible(other, further)
    assert between.low is None or between.low <= difference
    assert between.high is None or difference <= between.high
    assert (between.low is None) == (other[2] is None)
    assert (between.high is None) == (one[2] is None)


def test_no_change_is_told_from_what_is_not_known() -> None:
    known = Told((0, 0, 0, 0), dict.fromkeys(SUMMED_OUTCOMES, Sum(0, 0)))
    unknown = replace(known, counts=(None, 0, 0, 0))
    assert change(known, known).reason is None
    assert change(known, unknown).reason is Reason.UNWATCHED
    assert change(known, None, Reason.CUT).reason is Reason.CUT
    assert set(change(known, unknown).counts) == {None}


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2022-08-03T23:30+04:00", "2022-08-03", "2022-08-03"),
        ("2022-08-04T02:30+04:00", "2022-08-03", "2022-08-03"),
        ("2022-08-04", "2022-08-03", "2022-08-04"),
        ("[2022-08-04T05:00+04:00..2022-08-06]", "2022-08-04", "2022-08-06"),
        ("[..2022-08-04]", None, "2022-08-04"),
        ("[2022-08-04..]", "2022-08-03", None),
    ],
)
def test_days_of_a_zone_to_the_west(written: str, start: str | None, end: str | None) -> None:
    told = days_in(when(written), parse_zone("Europe/London"), THEATRE)
    assert (told.start and str(told.start), told.end and str(told.end)) == (start, end)


def test_rows_of_other_days_take_no_part_in_the_total() -> None:
    family = (
        incident("before", report("2022-07-20", "x", line("armenia", killed=1))),
        incident("now", report("2022-08-03", "x", line("armenia", killed=2))),
    )
    query = query_of((date(2022, 8, 1), date(2022, 8, 31)), Grain.MONTH, compare=Compare.PREVIOUS)
    table = answer(family, query)
    assert (table.total.incidents, table.additive) == (1, True)
    assert table.total.compared is not None
    assert table.total.compared.incidents == 1
