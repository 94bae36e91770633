"""What is known of an incident follows from its reports alone, and a family counts once."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.figures import Figure, total
from service.domain.incidents import Account, Incident, account_of
from service.domain.places import Point
from service.domain.reports import Report
from service.domain.vocabulary import (
    SUMMED_OUTCOMES,
    UNSTATED,
    Group,
    Outcome,
    Precision,
    Stance,
    Status,
)
from tests.domain import recount
from tests.domain.families import families, reports
from tests.domain.make import (
    SECTORS,
    account,
    accounts,
    incident,
    killed,
    line,
    report,
    when,
)
from tests.domain.test_figures import exact, figures

thorough = settings(max_examples=80, deadline=None)

EARLY, LATE = date(2022, 9, 13), date(2022, 9, 14)
several_reports = st.integers(1, 4).flatmap(
    lambda size: st.tuples(*(reports(f"report-{i}") for i in range(size)))
)


def test_decision_1_an_incident_is_when_all_its_reports_allow() -> None:
    told = account(report("2022-08"), report("[2022-08-02..2022-08-05]"), report("[..2022-08-03]"))
    assert str(told.when) == "[2022-08-02..2022-08-03]"


def test_decision_1_reports_that_exclude_each_other_give_their_hull() -> None:
    assert str(account(report("2022-08-01"), report("2022-08-03")).when) == (
        "[2022-08-01..2022-08-03]"
    )


def test_decision_1_a_child_is_narrowed_to_its_ancestors_where_they_meet() -> None:
    told = accounts(
        incident("war", report("2016-04")),
        incident("week", report("[2016-04-01..2016-04-07]"), parent="war"),
        incident("month", report("2016-04"), parent="week"),
        incident("late", report("2016-05-02"), parent="week"),
    )
    assert str(told["month"].when) == "[2016-04-01..2016-04-07]"
    assert str(told["late"].when) == "2016-05-02"
    assert str(told["war"].when) == "2016-04"


def test_decision_1_an_open_child_falls_into_the_escalation_it_is_part_of() -> None:
    told = accounts(
        incident("escalation", report("2022-08-01/2022-08-05")),
        incident("soldier", report("[..2022-08-03]"), parent="escalation"),
    )
    assert told["soldier"].when.inside(date(2022, 8, 1), date(2022, 8, 31))


def test_decision_1_an_ancestor_without_reports_passes_its_own_ancestors_time_on() -> None:
    told = accounts(
        incident("war", report("2022-08-01/2022-08-05")),
        incident("empty", parent="war"),
        incident("night", report("2022-08"), parent="empty"),
    )
    assert str(told["night"].when) == "[2022-08-01..2022-08-05]"
    assert "empty" not in told


def test_decision_1_with_one_claimant_the_ancestors_of_others_still_narrow() -> None:
    told = accounts(
        incident("war", report("2022-08-01/2022-08-05", "newspaper")),
        incident("night", report("2022-08", "peacekeepers"), parent="war"),
        claimant="peacekeepers",
    )
    assert list(told) == ["night"]
    assert str(told["night"].when) == "[2022-08-01..2022-08-05]"


@pytest.mark.parametrize(
    ("sectors", "sector"),
    [
        (["old-line", "old-north"], "old-north"),
        (["old-north", "old-south"], "old-line"),
        (["old-north", None], "old-north"),
        (["old-north", "rear"], "theatre"),
        ([None, None], None),
    ],
)
def test_decision_2_an_incident_is_in_the_finer_of_nested_sectors(
    sectors: list[str | None], sector: str | None
) -> None:
    assert account(*(report("2016-04-02", sector=s) for s in sectors)).sector == sector


def test_decision_3_of_a_claimant_only_the_latest_report_of_a_cell_speaks() -> None:
    first = report("2022-09-13", "armenia-mod", line("armenia", killed=49, wounded=7), said=EARLY)
    second = report("2022-09-13", "armenia-mod", line("armenia", killed=105), said=LATE)
    told = account(second, first)
    assert killed(told, "armenia") == Figure.exactly(105)
    assert told.figures["armenia", Outcome.WOUNDED].figure == Figure.exactly(7)
    assert not told.contested


def test_decision_3_a_withdrawn_correction_lets_the_earlier_report_speak_again() -> None:
    first = report("2022-09-13", "armenia-mod", line(killed=49), said=EARLY)
    second = report(
        "2022-09-13", "armenia-mod", line(killed=105), said=LATE, status=Status.WITHDRAWN
    )
    assert killed(account(first, second)) == Figure.exactly(49)


def test_decision_4_the_range_of_several_claimants_stays_a_range() -> None:
    told = account(
        report("2022-08-03", "armenia-mod", line("armenia", killed=3)),
        report("2022-08-03", "azerbaijan-mod", line("armenia", killed=Figure(8, 10, 12))),
    )
    assert killed(told) == Figure(3, 3, 12)
    assert told.contested


def test_decision_4_best_is_that_of_the_strongest_status_and_of_equals_the_lowest() -> None:
    told = account(
        report("2022-08-03", "armenia-mod", line(killed=3)),
        report("2022-08-03", "peacekeepers", line(killed=7), status=Status.VERIFIED),
        report("2022-08-03", "newspaper", line(killed=9), status=Status.VERIFIED),
    )
    assert killed(told) == Figure(3, 7, 9)
    assert told.figures[None, Outcome.KILLED].status is Status.VERIFIED


def test_decision_4_a_total_beside_both_sides_adds_nothing() -> None:
    told = account(
        report("2022-09-13", "armenia-mod", line("armenia", Group.MILITARY, killed=49)),
        report("2022-09-13", "azerbaijan-mod", line("azerbaijan", Group.MILITARY, killed=50)),
        report("2022-09-13", "newspaper", line(killed=99)),
    )
    assert killed(told) == Figure.exactly(99)
    assert not told.contested


def test_decision_4_a_total_too_small_for_its_parts_makes_the_incident_contested() -> None:
    told = account(
        report("2022-09-13", "armenia-mod", line("armenia", killed=49)),
        report("2022-09-13", "azerbaijan-mod", line("azerbaijan", killed=50)),
        report("2022-09-13", "newspaper", line(killed=60)),
    )
    assert told.contested
    assert killed(told) == Figure(60, 99, 99)


def test_decision_5_a_side_that_nobody_spoke_of_does_not_open_the_range() -> None:
    told = account(report("2022-08-03", "armenia-mod", line("armenia", killed=3)))
    assert killed(told) == Figure.exactly(3)
    assert killed(told, "azerbaijan") is None


def test_decision_5_unknown_is_an_event_with_no_figure_anywhere_in_it() -> None:
    told = accounts(
        incident("war", report("2022-08-01/2022-08-05")),
        incident("night", report("2022-08-03", "x", line(killed=2)), parent="war"),
    )
    assert not told["war"].unknown((None, Outcome.KILLED))
    assert told["war"].unknown((None, Outcome.WOUNDED))
    assert (None, Outcome.KILLED) not in told["war"].contributions


def test_decision_6_an_incident_has_the_strongest_live_status_and_each_figure_its_own() -> None:
    told = account(
        report("2022-08-03", "peacekeepers", line(wounded=1), status=Status.VERIFIED),
        report("2022-08-03", "newspaper", line(killed=2)),
        report("2022-08-03", "x", line(killed=2), status=Status.REFUTED),
    )
    assert told.status is Status.VERIFIED
    assert told.figures[None, Outcome.KILLED].status is Status.UNVERIFIED
    assert told.figures[None, Outcome.WOUNDED].status is Status.VERIFIED


def test_decision_6_a_sum_of_sides_is_as_weak_as_its_weakest() -> None:
    told = account(
        report("2022-09-13", "armenia-mod", line("armenia", killed=49), status=Status.VERIFIED),
        report("2022-09-13", "azerbaijan-mod", line("azerbaijan", killed=50)),
    )
    assert told.figures["armenia", Outcome.KILLED].status is Status.VERIFIED
    assert told.figures[None, Outcome.KILLED].status is Status.UNVERIFIED


@pytest.mark.parametrize(
    "silent",
    [
        report("2022-08-03", "x", line(killed=9), status=Status.UNVERIFIABLE),
        report("2022-08-03", "x", line(killed=9), status=Status.REFUTED),
        report("2022-08-03", "x", line(killed=9), status=Status.WITHDRAWN),
        report("2022-08-03", "x", line(killed=9), counted=False),
    ],
)
def test_decision_7_what_is_not_counted_leaves_figures_and_counts(silent: Report) -> None:
    alone = account(silent)
    assert not alone.counted
    assert alone.reports == 0
    assert alone.contributions == {}
    beside = account(silent, report("2022-08-03", "newspaper", line(killed=2)))
    assert killed(beside) == Figure.exactly(2)
    assert beside.reports == 1


def test_decision_7_an_incident_set_aside_adds_nothing_and_its_children_still_count() -> None:
    told = accounts(
        incident("alleged", report("2022-08-03", "x", line(killed=9)), counted=False),
        incident("part", report("2022-08-03", "x", line(killed=2)), parent="alleged"),
    )
    assert not told["alleged"].counted
    assert told["alleged"].contributions == {}
    assert told["part"].contributions[None, Outcome.KILLED].figure == Figure.exactly(2)


def test_decision_8_a_denial_contests_and_adds_no_figure_unless_it_states_one() -> None:
    told = report("2022-08-03", "armenia-mod", line("azerbaijan", killed=6))
    denied = account(told, report("2022-08-03", "azerbaijan-mod", stance=Stance.DENIES))
    assert denied.contested
    assert killed(denied) == Figure.exactly(6)
    stating = report(
        "2022-08-03", "azerbaijan-mod", line("azerbaijan", killed=0), stance=Stance.DENIES
    )
    assert killed(account(told, stating)) == Figure(0, 0, 6)


def test_decision_8_a_denial_lends_neither_status_nor_weapons() -> None:
    told = account(
        report(),
        report(weapons=["uav"], stance=Stance.DENIES, status=Status.VERIFIED),
    )
    assert told.status is Status.UNVERIFIED
    assert told.weapons == frozenset()


def test_decision_8_an_event_that_is_only_denied_is_not_counted() -> None:
    assert not account(report(stance=Stance.DENIES)).counted


def test_decision_9_displaced_is_kept_and_never_contributed() -> None:
    told = account(report("2022-08-03", "x", line(displaced=400)))
    assert told.figures[None, Outcome.DISPLACED].figure == Figure.exactly(400)
    assert told.contributions == {}


def test_decision_10_an_incident_with_children_is_an_episode() -> None:
    told = accounts(
        incident("war", report()),
        incident("night", report(), parent="war"),
        incident("cluster", report(), episode=True),
    )
    assert {name for name, each in told.items() if each.episode} == {"war", "cluster"}


def test_decision_11_an_episode_adds_what_it_states_beyond_its_children() -> None:
    told = accounts(
        incident("war", report("2022-08", "x", line(killed=Figure.at_least(200)))),
        incident("battle", report("2022-08-03", "x", line(killed=30)), parent="war"),
        incident("skirmish", report("2022-08-03", "x", line(killed=3)), parent="battle"),
        incident("village", report("2022-08-04", "x", line(wounded=2)), parent="war"),
    )
    slot = None, Outcome.KILLED
    assert told["war"].contributions[slot].figure == Figure.at_least(170)
    assert told["war"].contributions[slot].remainder
    assert told["battle"].contributions[slot].figure == Figure.exactly(27)
    assert told["skirmish"].contributions[slot].figure == Figure.exactly(3)
    assert not told["skirmish"].contributions[slot].remainder
    assert told["village"].contributions[None, Outcome.WOUNDED].figure == Figure.exactly(2)


def test_decision_11_children_beyond_their_episode_are_never_cut() -> None:
    told = accounts(
        incident("war", report("2022-08", "x", line(killed=5))),
        incident("battle", report("2022-08-03", "x", line(killed=7)), parent="war"),
    )
    assert told["war"].contributions[None, Outcome.KILLED].figure == Figure.exactly(0)
    assert told["battle"].contributions[None, Outcome.KILLED].figure == Figure.exactly(7)


def test_decision_11_bounds_are_subtracted_apart_floored_and_put_in_order() -> None:
    told = accounts(
        incident("war", report("2022-08", "x", line(killed=Figure(5, 8, 9)))),
        incident("battle", report("2022-08-03", "x", line(killed=Figure(1, 8, 8))), parent="war"),
    )
    assert told["war"].contributions[None, Outcome.KILLED].figure == Figure(0, 1, 4)


@pytest.mark.parametrize(
    ("blamed", "contested"),
    [
        (["armenia", "azerbaijan"], True),
        (["armenia", "armenia"], False),
        (["armenia", None], False),
    ],
)
def test_opposite_blame_contests_and_is_decided_by_nobody(
    blamed: list[str | None], contested: bool
) -> None:
    told = (report(claimant=f"side {n}", blames=b) for n, b in enumerate(blamed))
    assert account(*told).contested is contested


def test_a_claimant_that_changed_its_mind_does_not_contest_itself() -> None:
    assert not account(
        report(blames="armenia", said=EARLY), report(blames="azerbaijan", said=LATE)
    ).contested
    assert not account(report(stance=Stance.DENIES, said=EARLY), report(said=LATE)).contested


def test_a_figure_has_the_status_of_the_cells_it_is_made_of() -> None:
    told = account(
        report(
            "2022-08-03", "armenia-mod", line("armenia", Group.MILITARY, killed=Figure.exactly(3))
        ),
        report(
            "2022-08-03",
            "observers",
            line("armenia", killed=5),
            status=Status.VERIFIED,
        ),
    )
    assert told.figures[None, Outcome.KILLED].status is Status.VERIFIED
    assert told.figures["armenia", Outcome.KILLED].status is Status.VERIFIED


def test_what_is_not_counted_narrows_no_part() -> None:
    told = accounts(
        incident("war", report("2016-04-03", status=Status.WITHDRAWN)),
        incident("night", report("2016-04"), parent="war"),
    )
    assert str(told["night"].when) == "2016-04"


def test_ranges_that_meet_are_no_contradiction() -> None:
    told = account(
        report("2022-08-03", "armenia-mod", line(killed=Figure(3, 5, 8))),
        report("2022-08-03", "azerbaijan-mod", line(killed=Figure.at_least(8))),
    )
    assert not told.contested
    assert killed(told) == Figure(3, 5, None)


def test_the_point_shown_is_the_finest_and_of_equals_the_first_said() -> None:
    district = replace(report(said=EARLY), point=Point(40, 46, Precision.DISTRICT))
    later = replace(report(said=LATE), point=Point(40.2, 46.2, Precision.SETTLEMENT))
    first = replace(report(said=EARLY), point=Point(40.1, 46.1, Precision.SETTLEMENT))
    assert account(district, later, first).point == first.point


def test_of_reports_said_by_the_same_day_the_order_still_does_not_matter() -> None:
    day, month = report(said=date(2022, 8, 31)), report()
    month = replace(month, reported=when("2022-08"), received=day.received)
    assert account(day, month).first_reported == account(month, day).first_reported


def test_an_incident_without_reports_of_the_claimant_has_no_account() -> None:
    assert account_of(Incident("empty"), SECTORS) is None
    assert account_of(incident("a", report()), SECTORS, claimant="armenia-mod") is None


def test_figures_unnamed_by_party_stand_beside_those_that_are() -> None:
    told = account(report("2022-08-03", "x", line("armenia", killed=3), line(killed=5)))
    assert told.contributions[UNSTATED, Outcome.KILLED].figure == Figure.exactly(2)
    both = account(report("2022-08-03", "x", line("armenia", killed=5), line(killed=5)))
    assert (UNSTATED, Outcome.KILLED) not in both.contributions


def test_an_open_top_of_a_party_is_not_opened_once_more_for_nobody() -> None:
    at_least = Figure.at_least(5)
    same = account(
        report("2022-08-03", "x", line("armenia", killed=at_least), line(killed=at_least))
    )
    assert (UNSTATED, Outcome.KILLED) not in same.contributions
    more = account(
        report("2022-08-03", "x", line("armenia", killed=at_least), line(killed=Figure(5, 8, None)))
    )
    assert more.contributions[UNSTATED, Outcome.KILLED].figure == Figure(0, 3, None)


@thorough
@given(several_reports.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_the_order_of_reports_never_matters(
    pair: tuple[tuple[Report, ...], list[Report]],
) -> None:
    told, shuffled = pair
    assert account(*told) == account(*shuffled)


@thorough
@given(
    several_reports,
    reports("silent"),
    st.sampled_from([Status.WITHDRAWN, Status.REFUTED, Status.UNVERIFIABLE, Status.UNVERIFIED]),
)
def test_a_report_that_is_not_counted_changes_nothing_that_is(
    told: tuple[Report, ...], silent: Report, status: Status
) -> None:
    silent = replace(silent, status=status, counted=False)
    before, after = account(*told), account(*told, silent)
    assert after.figures == before.figures
    assert after.contributions == before.contributions
    assert (after.reports, after.counted) == (before.reports, before.counted)
    if any(r.counts for r in told):
        assert after == before


@thorough
@given(families(), st.sampled_from([None, "armenia-mod", "newspaper"]))
def test_accounts_equal_a_recount_of_the_reports(
    family: tuple[Incident, ...], claimant: str | None
) -> None:
    def bounds(each: Figure) -> recount.Bounds:
        return each.low, each.best, float("inf") if each.high is None else each.high

    told = accounts(*family, claimant=claimant)
    again = recount.tell(family, claimant)
    assert told.keys() == again.keys()
    for name, one in told.items():
        other = again[name]
        assert ((one.when.start, one.when.end), one.sector) == (other.when, other.sector)
        assert (one.status, one.counted, one.episode) == (
            other.status,
            other.counted,
            other.episode,
        )
        assert {
            s: (bounds(c.figure), c.status, c.remainder) for s, c in one.contributions.items()
        } == (other.adds)


def whole(told: dict[str, Account], slot: tuple[str | None, Outcome]) -> Figure | None:
    return total(
        each.contributions[slot].figure for each in told.values() if slot in each.contributions
    )


@thorough
@given(st.lists(exact, min_size=1, max_size=3), exact)
def test_children_that_fit_never_make_a_family_larger_than_it_says(
    parts: list[Figure], stated: Figure
) -> None:
    children = [
        incident(f"part-{i}", report("2022-08-03", "x", line(killed=part)), parent="war")
        for i, part in enumerate(parts)
    ]
    told = accounts(incident("war", report("2022-08", "x", line(killed=stated))), *children)
    inside = total(parts)
    assert inside is not None
    assert whole(told, (None, Outcome.KILLED)) == max(stated, inside, key=lambda f: f.low)


@thorough
@given(figures(), st.lists(figures(), max_size=3))
def test_contributions_and_children_make_the_whole(rest: Figure, parts: list[Figure]) -> None:
    stated = total([rest, *parts])
    assert stated is not None
    children = [
        incident(f"part-{i}", report("2022-08-03", "x", line(killed=part)), parent="war")
        for i, part in enumerate(parts)
    ]
    told = accounts(incident("war", report("2022-08", "x", line(killed=stated))), *children)
    together = whole(told, (None, Outcome.KILLED))
    assert together is not None
    assert (together.low, together.best) == (stated.low, stated.best)
    assert together.high == stated.high


@thorough
@given(families())
def test_a_family_is_never_smaller_than_its_largest_member(family: tuple[Incident, ...]) -> None:
    told = accounts(*family)
    for outcome in SUMMED_OUTCOMES:
        slot = None, outcome
        together = whole(told, slot)
        for each in told.values():
            if each.counted and slot in each.figures:
                assert together is not None
                high = each.figures[slot].figure.high
                assert together.high is None or high is None or together.high >= high


def test_a_child_whose_parent_is_not_in_the_family_stands_alone() -> None:
    told = accounts(incident("child", report(), parent="elsewhere"))
    assert told["child"].when == when("2022-08-03")
