"""Every answer equals a recount, and the cells of every answer add up to its total."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.aggregates import Table
from service.domain.figures import Figure
from service.domain.grids import Row
from service.domain.incidents import Incident
from service.domain.periods import Grain
from service.domain.queries import Clock, Dimension
from service.domain.vocabulary import SUMMED_OUTCOMES, Access, Outcome, Status
from service.errors import Invalid
from tests.domain import recount
from tests.domain.families import days, families
from tests.domain.make import (
    accounts,
    incident,
    killed_in,
    line,
    report,
    row_of,
    table,
    watch,
    when,
)

thorough = settings(max_examples=60, deadline=None)

SECTOR, WEAPON, CLAIMANT = Dimension.SECTOR, Dimension.WEAPON, Dimension.CLAIMANT
PARTY, STATUS = Dimension.PARTY, Dimension.STATUS

splits = st.lists(st.sampled_from(Dimension), unique=True, max_size=3).map(tuple)
additive_splits = st.sampled_from([(), (SECTOR,), (STATUS,), (SECTOR, STATUS), (STATUS, SECTOR)])


@st.composite
def spans(draw: st.DrawFn) -> tuple[date, date]:
    first, last = sorted((draw(days), draw(days)))
    return draw(st.sampled_from([(first, last), (date(2020, 8, 1), date(2021, 2, 28))]))


def counted(row: Row) -> recount.Count:
    return recount.Count(
        row.incidents or 0,
        row.episodes or 0,
        row.reports or 0,
        row.remainder,
        {o.value: (f.low, f.best, f.high, f.open, f.unknown) for o, f in row.figures.items()},
    )


def by_key(answer: Table, by: tuple[Dimension, ...]) -> dict[tuple[str, ...], recount.Count]:
    found = {}
    for row in answer.rows:
        values = [
            f"{row.keys['sector']}/{row.keys['within'] or ''}" if d is SECTOR else row.keys[d.value]
            for d in by
        ]
        found[row.period, *map(str, values)] = counted(row)
    assert len(found) == len(answer.rows)
    return found


def recounted(
    incidents: Iterable[Incident],
    by: tuple[Dimension, ...],
    grain: Grain,
    first: date,
    last: date,
    **filters: Any,
) -> dict[tuple[str, ...], recount.Count]:
    incidents = tuple(incidents)
    voices: list[tuple[recount.Told, str | None]]
    if CLAIMANT in by:
        names = {r.claimant for i in incidents for r in i.reports}
        voices = [(t, name) for name in names for t in recount.tell(incidents, name).values()]
    else:
        voices = [(t, None) for t in recount.tell(incidents).values()]
    selected = [
        (told, name)
        for told, name in voices
        if told.counted
        and (told.when[0] or told.when[1] or first) <= last
        and (told.when[1] or told.when[0] or last) >= first
    ]
    return recount.rows(
        selected,
        tuple(d.value for d in by),
        grain.value,
        first,
        last,
        **filters,
    )


def summed(rows: Iterable[Row]) -> recount.Count:
    whole = recount.Count()
    for row in rows:
        whole.incidents += row.incidents or 0
        whole.episodes += row.episodes or 0
        whole.reports += row.reports or 0
        whole.remainder |= row.remainder
        for outcome, said in row.figures.items():
            low, best, high, opened, unknown = whole.figures[outcome.value]
            if said.low is not None and said.best is not None:
                low, best = (low or 0) + said.low, (best or 0) + said.best
                high = (high or 0) + said.bounded_high
            whole.figures[outcome.value] = (
                low, best, high, opened + said.open, unknown + said.unknown
            )  # fmt: skip
    for name, (low, best, high, opened, unknown) in whole.figures.items():
        whole.figures[name] = low, best, None if opened else high, opened, unknown
    return whole


@thorough
@given(
    families(),
    spans(),
    st.sampled_from(Grain),
    splits,
    st.integers(0, 2),
    st.sampled_from([None, None, "armenia"]),
    st.sampled_from([None, None, Status.VERIFIED, Status.UNVERIFIED]),
)
def test_rows_equal_a_recount(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    by: tuple[Dimension, ...],
    level: int,
    party: str | None,
    status: Status | None,
) -> None:
    filters: dict[str, Any] = {"level": level, "party": party, "status": status}
    answer = table(family, grain, *span, *by, **filters)
    assert by_key(answer, by) == recounted(family, by, grain, *span, **filters)
    assert counted(answer.total) == counted(table(family, grain, *span, **filters).total)


@thorough
@given(
    families(),
    spans(),
    st.sampled_from(Grain),
    additive_splits,
    st.integers(0, 2),
    st.sampled_from([None, "armenia"]),
    st.sampled_from([None, None, Status.VERIFIED]),
    st.booleans(),
)
def test_cells_add_up_to_the_total(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    by: tuple[Dimension, ...],
    level: int,
    party: str | None,
    status: Status | None,
    dense: bool,
) -> None:
    answer = table(family, grain, *span, *by, dense=dense, level=level, party=party, status=status)
    assert answer.additive
    assert summed(answer.rows) == counted(answer.total)


@thorough
@given(families(), spans(), splits)
def test_every_incident_is_counted_once_in_the_total(
    family: tuple[Incident, ...], span: tuple[date, date], by: tuple[Dimension, ...]
) -> None:
    first, last = span
    told = [t for t in accounts(*family).values() if t.counted and t.when.overlaps(first, last)]
    total = table(family, Grain.MONTH, first, last, *by).total
    assert (total.incidents or 0) == sum(not t.episode for t in told)
    assert (total.episodes or 0) == sum(t.episode for t in told)
    assert (total.reports or 0) == sum(t.reports for t in told)
    for outcome in SUMMED_OUTCOMES:
        figures = [t.contributions.get((None, outcome)) for t in told]
        assert total.figures[outcome].low == (
            sum(f.figure.low for f in figures if f) if any(figures) else None
        )


@thorough
@given(families(), spans(), st.sampled_from(Grain), splits)
def test_a_dense_grid_adds_only_rows_without_incidents(
    family: tuple[Incident, ...],
    span: tuple[date, date],
    grain: Grain,
    by: tuple[Dimension, ...],
) -> None:
    try:
        dense = table(family, grain, *span, *by, dense=True)
    except Invalid:
        return
    sparse = {(r.period, *r.keys.values()): r for r in table(family, grain, *span, *by).rows}
    for row in dense.rows:
        same = sparse.pop((row.period, *row.keys.values()), None)
        assert same is None or same == row
        if same is None:
            assert (row.incidents, row.reports) == (None, None)
    assert not sparse


@thorough
@given(families(), spans(), st.sampled_from(Grain), st.integers(0, 2))
def test_decision_15_no_row_for_a_sector_outside_its_validity(
    family: tuple[Incident, ...], span: tuple[date, date], grain: Grain, level: int
) -> None:
    for row in table(family, grain, *span, SECTOR, dense=True, level=level).rows:
        if row.bucket is not None and str(row.keys["sector"]).startswith("old"):
            assert row.bucket.start <= date(2020, 11, 9)
        if row.bucket is not None and str(row.keys["sector"]).startswith(("new", "corridor")):
            assert row.bucket.end >= date(2020, 11, 10)


@thorough
@given(families(), spans(), st.permutations(range(6)))
def test_the_order_of_incidents_and_reports_changes_no_row(
    family: tuple[Incident, ...], span: tuple[date, date], order: list[int]
) -> None:
    shuffled = [
        Incident(m.id, m.parent, m.episode, m.counted, m.reports[::-1])
        for m in (family[i] for i in order if i < len(family))
    ]
    for by in ((SECTOR,), (PARTY, WEAPON), (CLAIMANT,)):
        assert by_key(table(family, Grain.MONTH, *span, *by), by) == by_key(
            table(shuffled, Grain.MONTH, *span, *by), by
        )


AUGUST = date(2022, 8, 1), date(2022, 8, 31)
TWO_DEAD = line("armenia", killed=2)


def test_decision_5_events_without_a_figure_are_counted_as_unknown_and_not_as_zero() -> None:
    answer = table(
        [
            incident("a", report(weapons=["mine"])),
            incident("b", report("2022-08-04", "x", TWO_DEAD)),
        ],
        Grain.MONTH,
        *AUGUST,
    )
    killed = row_of(answer, "2022-08").figures[Outcome.KILLED]
    assert (killed.low, killed.best, killed.high, killed.unknown) == (2, 2, 2, 1)
    wounded = row_of(answer, "2022-08").figures[Outcome.WOUNDED]
    assert (wounded.low, wounded.high, wounded.unknown) == (None, None, 2)


def test_decision_5_an_episode_whose_child_has_a_figure_is_not_unknown() -> None:
    answer = table(
        [
            incident("episode", report("2022-08-01/2022-08-05")),
            incident("child", report("2022-08-03", "x", TWO_DEAD), parent="episode"),
        ],
        Grain.MONTH,
        *AUGUST,
    )
    killed = answer.total.figures[Outcome.KILLED]
    assert (killed.low, killed.unknown) == (2, 0)


def test_decision_6_a_verified_wounding_lends_nothing_to_an_unverified_killing() -> None:
    both = [
        report("2022-08-03", "peacekeepers", line(wounded=1), status=Status.VERIFIED),
        report("2022-08-03", "newspaper", line(killed=2)),
    ]
    answer = table([incident("a", *both)], Grain.MONTH, *AUGUST, STATUS)
    verified = row_of(answer, "2022-08", status="verified")
    unverified = row_of(answer, "2022-08", status="unverified")
    assert (verified.incidents, unverified.incidents) == (1, 0)
    assert verified.figures[Outcome.WOUNDED].low == 1
    assert verified.figures[Outcome.KILLED].low is None
    assert unverified.figures[Outcome.KILLED].low == 2
    assert unverified.figures[Outcome.WOUNDED].low is None
    only = table([incident("a", *both)], Grain.MONTH, *AUGUST, status=Status.VERIFIED)
    assert only.total.incidents == 1
    assert only.total.figures[Outcome.KILLED].low is None


def test_decision_7_what_is_not_counted_is_in_no_row() -> None:
    set_aside = [
        incident(f"{status}", report("2022-08-03", "x", TWO_DEAD, status=status))
        for status in (Status.UNVERIFIABLE, Status.REFUTED, Status.WITHDRAWN)
    ]
    set_aside.append(incident("report", report("2022-08-03", "x", TWO_DEAD, counted=False)))
    set_aside.append(incident("incident", report("2022-08-03", "x", TWO_DEAD), counted=False))
    answer = table(set_aside, Grain.MONTH, *AUGUST)
    assert answer.rows == []
    assert answer.total.incidents is None


def test_decision_9_displaced_is_in_no_sum() -> None:
    told = [incident("a", report("2022-08-03", "x", line(displaced=400)))]
    answer = table(told, Grain.MONTH, *AUGUST)
    assert Outcome.DISPLACED not in answer.total.figures


def test_decision_10_a_war_and_its_nights_are_counted_apart() -> None:
    answer = table(
        [
            incident("war", report("2022-08-01/2022-08-05")),
            incident("night-1", report("2022-08-03"), parent="war"),
            incident("night-2", report("2022-08-04"), parent="war"),
            incident("marked", report("2022-08-20"), episode=True),
        ],
        Grain.MONTH,
        *AUGUST,
    )
    assert (answer.total.incidents, answer.total.episodes) == (2, 2)


def test_decision_11_the_row_of_an_episode_holds_its_remainder_and_says_so() -> None:
    answer = table(
        [
            incident("war", report("2022-07-25/2022-08-05", "x", line(killed=10))),
            incident("night", report("2022-08-03", "y", line(killed=4)), parent="war"),
        ],
        Grain.MONTH,
        date(2022, 7, 1),
        date(2022, 8, 31),
    )
    spanning, august = row_of(answer, "spanning"), row_of(answer, "2022-08")
    assert (killed_in(spanning), spanning.remainder) == ((6, 6, 6), True)
    assert (killed_in(august), august.remainder) == ((4, 4, 4), False)
    assert killed_in(answer.total) == (10, 10, 10)


def test_decision_11_filters_select_contributions_and_never_recompute_them() -> None:
    family = [
        incident(
            "war",
            report("2022-08-01/2022-08-05", "x", line(killed=10), status=Status.VERIFIED),
        ),
        incident("night", report("2022-08-03", "y", line(killed=4)), parent="war"),
    ]
    answer = table(family, Grain.MONTH, *AUGUST, status=Status.VERIFIED)
    assert killed_in(answer.total) == (6, 6, 6)


def test_decision_12_what_overlaps_but_does_not_fit_is_in_spanning_and_in_the_total() -> None:
    over = incident("a", report("2022-07-31/2022-08-01", "x", TWO_DEAD))
    answer = table([over], Grain.MONTH, *AUGUST)
    assert [row.period for row in answer.rows] == ["spanning"]
    assert killed_in(answer.total) == (2, 2, 2)


def test_decision_15_what_is_known_only_above_the_level_is_unlocated_within_it() -> None:
    told = [
        incident("a", report("2022-08-03", sector="theatre")),
        incident("b", report("2022-08-03", sector="new-line")),
        incident("c", report("2022-08-03", sector=None)),
        incident("d", report("2022-08-03", sector="new-east")),
    ]

    def filed(level: int) -> list[tuple[str | None, str | None, int | None]]:
        rows = table(told, Grain.MONTH, *AUGUST, SECTOR, level=level).rows
        return [(row.keys["sector"], row.keys["within"], row.incidents) for row in rows]

    assert filed(0) == [("theatre", None, 3), ("unlocated", None, 1)]
    assert filed(1) == [
        ("new-line", None, 2),
        ("unlocated", None, 1),
        ("unlocated", "theatre", 1),
    ]
    assert filed(2) == [
        ("new-east", None, 1),
        ("unlocated", None, 1),
        ("unlocated", "new-line", 1),
        ("unlocated", "theatre", 1),
    ]


def test_decision_16_an_empty_cell_is_zero_only_under_full_coverage() -> None:
    watched = watch(
        ("corridor", date(2022, 8, 1), date(2022, 8, 31), Access.FULL),
        ("new-line", date(2022, 8, 1), date(2022, 8, 30), Access.FULL),
        ("rear", date(2022, 8, 1), date(2022, 8, 31), Access.DENIED),
    )
    answer = table([], Grain.MONTH, *AUGUST, SECTOR, dense=True, watched=watched)
    for sector, number, covered in (
        ("corridor", 0, "full"),
        ("new-line", None, "partial"),
        ("rear", None, "none"),
    ):
        row = row_of(answer, "2022-08", sector=sector)
        assert (row.incidents, row.episodes, row.reports) == (number, number, number)
        assert killed_in(row) == (number, number, number)
        assert row.coverage == covered
    assert {row.keys["sector"] for row in answer.rows} == {"corridor", "new-line", "rear"}
    assert killed_in(answer.total) == (None, None, None)


def test_decision_16_with_incidents_low_is_null_where_none_has_a_figure() -> None:
    watched = watch(("theatre", *AUGUST, Access.FULL))
    answer = table([incident("a", report())], Grain.MONTH, *AUGUST, dense=True, watched=watched)
    assert row_of(answer, "2022-08").incidents == 1
    assert killed_in(row_of(answer, "2022-08")) == (None, None, None)


def test_decision_16_a_day_is_null_while_the_month_around_it_has_incidents() -> None:
    answer = table([incident("a", report())], Grain.DAY, *AUGUST, dense=True)
    assert len(answer.rows) == 31
    assert [row.period for row in answer.rows if row.incidents is not None] == ["2022-08-03"]


def test_decision_16_a_grid_of_more_than_ten_thousand_rows_is_refused() -> None:
    first = date(1994, 1, 1)
    last = first + timedelta(days=9_999)
    assert len(table([], Grain.DAY, first, last, dense=True).rows) == 10_000
    with pytest.raises(Invalid, match="10,000"):
        table([], Grain.DAY, first, last + timedelta(days=1), dense=True)
    assert table([], Grain.DAY, first, last + timedelta(days=1), dense=False).rows == []


def test_decision_17_by_claimant_each_tells_its_own_world() -> None:
    told = incident(
        "a",
        report("2022-08-03", "armenia-mod", line("armenia", killed=3)),
        report("2022-08-03", "azerbaijan-mod", line("armenia", killed=30)),
    )
    answer = table([told], Grain.MONTH, *AUGUST, CLAIMANT)
    assert not answer.additive
    assert killed_in(row_of(answer, "2022-08", claimant="armenia-mod")) == (3, 3, 3)
    assert killed_in(row_of(answer, "2022-08", claimant="azerbaijan-mod")) == (30, 30, 30)
    assert killed_in(answer.total) == (3, 3, 30)
    assert answer.total.incidents == 1


def test_decision_17_by_party_has_a_row_for_casualties_of_nobody_named() -> None:
    told = [
        incident("a", report("2022-08-03", "x", line("armenia", killed=3), line(killed=5))),
        incident("b", report("2022-08-04", "x")),
    ]
    answer = table(told, Grain.MONTH, *AUGUST, PARTY)
    assert killed_in(row_of(answer, "2022-08", party="armenia")) == (3, 3, 3)
    unstated = row_of(answer, "2022-08", party="unstated")
    assert killed_in(unstated) == (2, 2, 2)
    assert unstated.incidents == 2
    assert unstated.figures[Outcome.KILLED].unknown == 1
    assert killed_in(answer.total) == (5, 5, 5)


def test_decision_17_by_weapon_one_incident_may_stand_in_two_rows_and_counts_once() -> None:
    told = [
        incident("a", report("2022-08-03", "x", TWO_DEAD, weapons=["mortar", "uav-strike"])),
        incident("b", report("2022-08-03")),
        incident("c", report("2022-08-03", weapons=["catapult"])),
    ]
    answer = table(told, Grain.MONTH, *AUGUST, WEAPON, level=0)
    assert [row.keys["weapon"] for row in answer.rows] == [
        "indirect-fire",
        "uav",
        "unmapped",
        "unstated",
    ]
    assert answer.total.incidents == 3
    assert killed_in(answer.total) == (2, 2, 2)
    assert not answer.additive


def test_rows_of_weapons_that_were_not_asked_for_are_left_out() -> None:
    told = [incident("a", report("2022-08-03", "x", TWO_DEAD, weapons=["mortar", "uav-strike"]))]
    answer = table(told, Grain.MONTH, *AUGUST, WEAPON, weapon="indirect-fire")
    assert [row.keys["weapon"] for row in answer.rows] == ["mortar"]


def test_at_least_opens_the_sum_and_is_counted() -> None:
    told = [
        incident("a", report("2022-08-03", "x", line(killed=Figure.at_least(49)))),
        incident("b", report("2022-08-03", "x", line(killed=Figure(3, 5, 12)))),
    ]
    killed = table(told, Grain.MONTH, *AUGUST).total.figures[Outcome.KILLED]
    assert (killed.low, killed.best, killed.high, killed.open) == (52, 54, None, 1)


@pytest.mark.parametrize(
    ("clock", "period"),
    [(Clock.EVENT, "2022-08"), (Clock.REPORTED, "2022-09"), (Clock.RECEIVED, "2022-09")],
)
def test_a_row_is_on_the_clock_that_was_asked(clock: Clock, period: str) -> None:
    answer = table(
        [incident("a", report("2022-08-03", said=date(2022, 9, 1)))],
        Grain.MONTH,
        date(2022, 8, 1),
        date(2022, 9, 30),
        clock=clock,
    )
    assert [row.period for row in answer.rows] == [period]


def test_what_was_said_in_some_month_is_on_no_day_of_it() -> None:
    told = replace(report("2022-08-03"), reported=when("2022-09"))
    days = date(2022, 8, 1), date(2022, 9, 30)
    for grain, period in ((Grain.DAY, "spanning"), (Grain.MONTH, "2022-09")):
        answer = table([incident("a", told)], grain, *days, clock=Clock.REPORTED)
        assert [row.period for row in answer.rows] == [period]


def test_a_branch_asked_for_offers_its_own_rows_only() -> None:
    days = date(2020, 11, 1), date(2020, 11, 30)

    def offered(sector: str, level: int) -> list[str | None]:
        answer = table([], Grain.MONTH, *days, SECTOR, dense=True, sector=sector, level=level)
        return [row.keys["sector"] for row in answer.rows]

    assert offered("old-line", 1) == ["old-line"]
    assert offered("old-north", 1) == ["old-line"]
    assert offered("old-line", 2) == ["old-north", "old-south"]
    assert offered("theatre", 0) == ["theatre"]
