"""Which incident a report may belong to: reasons that can be read, and a score that behaves."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.candidates import (
    BROADEST,
    MOST,
    POSSIBLE,
    RADIUS_KM,
    Candidate,
    ClaimantsCompared,
    Compared,
    DaysCompared,
    FiguresCompared,
    Form,
    Matter,
    PointsCompared,
    Reason,
    SectorsCompared,
    TimesCompared,
    Trace,
    WeaponsCompared,
    WordsCompared,
    broadest,
    candidates,
    compare,
    distance_km,
    within,
)
from service.domain.figures import Figure
from service.domain.places import Point, destination
from service.domain.queries import BoundingBox
from service.domain.vocabulary import Outcome, Precision
from service.domain.when import When
from tests.domain.families import times
from tests.domain.make import CLAIMANTS, SECTORS, WEAPONS, figure, moderate, when
from tests.domain.test_figures import figures

SHUSHA = Point(39.76, 46.75, Precision.SETTLEMENT)


def trace(
    at: str = "2022-08-03",
    *,
    name: str = "other",
    sector: str | None = None,
    point: Point | None = None,
    weapons: Iterable[str] = (),
    said: Mapping[str, int | Figure] | None = None,
    by: Iterable[str] = (),
    words: str = "",
) -> Trace:
    return Trace(
        name,
        when(at),
        sector,
        point,
        frozenset(weapons),
        {Outcome(o): figure(f) for o, f in (said or {}).items()},
        frozenset(by),
        frozenset(words.split()),
    )


def compared(a: Trace, b: Trace) -> Candidate:
    return compare(a, b, SECTORS, WEAPONS)


def said_of(matter: Matter, a: Trace, b: Trace) -> Reason | None:
    return next((r for r in compared(a, b).reasons if r.matter is matter), None)


def weight(matter: Matter, a: Trace, b: Trace) -> float:
    reason = said_of(matter, a, b)
    return reason.weight if reason else 0.0


def away(point: Point, km: float, bearing: float = 90) -> Point:
    return Point(*destination(point.latitude, point.longitude, bearing, km), point.precision)


# Named behaviours


@pytest.mark.parametrize(
    ("a", "b", "matter", "told"),
    [
        (
            trace(),
            trace(),
            Matter.TIME,
            [DaysCompared(Form.SAME_DAYS, when("2022-08-03"), when("2022-08-03"), 0)],
        ),
        (
            trace(),
            trace("2022-08-05T10:00Z"),
            Matter.TIME,
            [DaysCompared(Form.DAYS_APART, when("2022-08-03"), when("2022-08-05"), 2)],
        ),
        (
            trace("2022-08-03T10:00Z"),
            trace("2022-08"),
            Matter.TIME,
            [DaysCompared(Form.DAYS_OVERLAP, when("2022-08-03"), when("2022-08"), 0)],
        ),
        (
            trace("2020-09-27/2020-11-09"),
            trace("[2020-09-27..2020-11-09]"),
            Matter.TIME,
            [
                DaysCompared(
                    Form.SAME_DAYS,
                    when("2020-09-27/2020-11-09"),
                    when("[2020-09-27..2020-11-09]"),
                    0,
                )
            ],
        ),
        (
            trace("[2022-08-05..]"),
            trace("[..2022-08-03]"),
            Matter.TIME,
            [DaysCompared(Form.DAYS_APART, when("[2022-08-05..]"), when("[..2022-08-03]"), 2)],
        ),
        (
            trace("2022-08-03T10:00Z"),
            trace("2022-08-03T16:32Z"),
            Matter.TIME,
            [TimesCompared(Form.HOURS_APART, 6.5)],
        ),
        (
            trace("2022-08-03T19:50Z"),
            trace("2022-08-03T20:10Z"),
            Matter.TIME,
            [TimesCompared(Form.MINUTES_APART, 20)],
        ),
        (
            trace(point=SHUSHA),
            trace(point=away(SHUSHA, 3.04)),
            Matter.PLACE,
            [PointsCompared(Form.POINTS_WITHIN, 3, 6)],
        ),
        (
            trace(point=SHUSHA),
            trace(point=away(SHUSHA, 20.3)),
            Matter.PLACE,
            [PointsCompared(Form.POINTS_BEYOND, 20, 6)],
        ),
        (
            trace(sector="old-line"),
            trace(sector="old-line"),
            Matter.PLACE,
            [SectorsCompared(Form.SAME_SECTOR, ("old-line",))],
        ),
        (
            trace(sector="old-line"),
            trace(sector="old-north"),
            Matter.PLACE,
            [SectorsCompared(Form.NESTED_SECTORS, ("old-north", "old-line"))],
        ),
        (
            trace(sector="rear"),
            trace(sector="old-line"),
            Matter.PLACE,
            [SectorsCompared(Form.PARTED_SECTORS, ("old-line", "rear"))],
        ),
        (
            trace(weapons=["mortar"]),
            trace(weapons=["mortar", "mine"]),
            Matter.WEAPONS,
            [WeaponsCompared(Form.SAME_WEAPON, ("mortar",))],
        ),
        (
            trace(weapons=["mortar"]),
            trace(weapons=["indirect-fire"]),
            Matter.WEAPONS,
            [WeaponsCompared(Form.NESTED_WEAPONS, ("indirect-fire", "mortar"))],
        ),
        (
            trace(weapons=["mortar"]),
            trace(weapons=["uav"]),
            Matter.WEAPONS,
            [WeaponsCompared(Form.PARTED_WEAPONS, ("mortar", "uav"))],
        ),
        (
            trace(said={"wounded": 1_000, "killed": 3}),
            trace(said={"wounded": Figure.at_least(900), "killed": Figure(5, 6, 7)}),
            Matter.FIGURES,
            [
                FiguresCompared(
                    Form.FIGURES_EXCLUDE, Outcome.KILLED, Figure.exactly(3), Figure(5, 6, 7)
                ),
                FiguresCompared(
                    Form.FIGURES_MEET,
                    Outcome.WOUNDED,
                    Figure.exactly(1_000),
                    Figure.at_least(900),
                ),
            ],
        ),
        (
            trace(by=["newspaper"]),
            trace("2022-08-05", by=["newspaper"]),
            Matter.CLAIMANTS,
            [ClaimantsCompared(Form.SAME_CLAIMANT, 2)],
        ),
        (
            trace(said={"killed": 3}, by=["newspaper"]),
            trace(said={"killed": 4}, by=["newspaper"]),
            Matter.CLAIMANTS,
            [ClaimantsCompared(Form.SAME_CLAIMANT_OTHERWISE, 0)],
        ),
        (
            trace(words="fire on the village school at night"),
            trace(words="village school hit last night"),
            Matter.TEXT,
            [WordsCompared(Form.SHARED_WORDS, 3, 4)],
        ),
    ],
)
def test_a_reason_tells_what_was_found(
    a: Trace, b: Trace, matter: Matter, told: list[Compared]
) -> None:
    reason = said_of(matter, a, b)
    assert reason is not None
    assert list(reason.told) == told


def test_the_score_is_the_sum_of_its_reasons() -> None:
    a = trace(point=SHUSHA, weapons=["mortar"], said={"killed": 3}, by=["newspaper"])
    b = trace("2022-08-04", point=away(SHUSHA, 9), weapons=["uav"], said={"killed": 4})
    found = compared(a, b)
    assert found.score == pytest.approx(sum(r.weight for r in found.reasons))
    assert all(r.weight for r in found.reasons)


def test_the_best_comes_first_and_equals_by_id() -> None:
    new = trace(name="new", point=SHUSHA)
    others = [
        trace(name="b", point=SHUSHA),
        trace(name="a", point=SHUSHA),
        trace(name="best", point=SHUSHA, weapons=["mortar"]),
        trace("2020", name="some other year", point=away(SHUSHA, 90)),
        trace(name="new", point=SHUSHA),
    ]
    new = replace(new, weapons=frozenset({"mortar"}))
    found = candidates(new, others, SECTORS, WEAPONS)
    assert [c.incident for c in found] == ["best", "a", "b"]


def test_one_day_is_enough_while_nothing_speaks_against_it() -> None:
    new = trace(name="new")
    assert candidates(new, [trace()], SECTORS, WEAPONS)
    contradicted = trace(weapons=["uav"]), replace(new, weapons=frozenset({"mortar"}))
    assert not candidates(contradicted[1], [contradicted[0]], SECTORS, WEAPONS)


def test_one_place_is_not_enough() -> None:
    exact = replace(SHUSHA, precision=Precision.EXACT)
    new, other = trace("2020", name="new", point=exact), trace("2020", point=exact)
    assert not candidates(new, [other], SECTORS, WEAPONS)


@pytest.mark.parametrize("at", ["2020", "2022-08-03", "[..2022-08-03]", "2022-07~"])
def test_what_is_not_known_never_speaks(at: str) -> None:
    bare = trace(at)
    full = trace(
        at,
        sector="rear",
        point=SHUSHA,
        weapons=["mine"],
        said={"killed": 30},
        by=["newspaper"],
        words="school village",
    )
    assert {r.matter for r in compared(bare, full).reasons} <= {Matter.TIME}
    assert compared(trace("[2019-01-01..]"), full).reasons == ()


def test_a_day_in_a_month_says_little_and_in_a_year_nothing() -> None:
    day, month, year = (
        weight(Matter.TIME, trace(), trace(t)) for t in ("2022-08-03", "2022-08", "2022")
    )
    assert day > 3 * month > 0
    assert year == 0


def test_a_day_within_a_war_is_not_the_war() -> None:
    war = trace("2020-09-27/2020-11-09")
    assert weight(Matter.TIME, war, war) == weight(Matter.TIME, trace(), trace())
    assert 0 < weight(Matter.TIME, war, trace("2020-10-04")) < 1
    # Two that began together and of whose ends nobody spoke need not be one.
    begun = trace("2020-09-27/..")
    assert weight(Matter.TIME, begun, begun) == 0
    # Some time within the war is not how long it lasted.
    assert weight(Matter.TIME, war, trace("[2020-09-27..2020-11-09]")) < 1


def test_times_of_day_tell_the_events_of_one_day_apart() -> None:
    morning = trace("2022-08-03T06:00Z")
    hours = [weight(Matter.TIME, morning, trace(f"2022-08-03T{h:02}:00Z")) for h in (6, 7, 12, 18)]
    assert hours == sorted(hours, reverse=True)
    assert hours[0] - hours[-1] == pytest.approx(3.0)
    # Twenty minutes over midnight are not a day.
    late, early = trace("2022-08-03T19:50Z"), trace("2022-08-03T20:10Z")
    assert late.when.start != early.when.start
    assert weight(Matter.TIME, late, early) > 5


@pytest.mark.parametrize(
    ("precision", "at_40_km"), [("exact", -4), ("settlement", -3), ("district", 1), ("sector", 0)]
)
def test_distance_is_judged_given_how_finely_both_are_known(precision: str, at_40_km: int) -> None:
    point = replace(SHUSHA, precision=Precision(precision))
    found = weight(Matter.PLACE, trace(point=point), trace(point=away(point, 40)))
    assert int(found) == at_40_km


def test_a_point_for_the_whole_theatre_says_nothing_of_where() -> None:
    whole = replace(SHUSHA, precision=Precision.THEATRE)
    for other in (SHUSHA, whole, away(SHUSHA, 100)):
        assert weight(Matter.PLACE, trace(point=whole), trace(point=other)) == 0


def test_where_a_point_is_missing_sectors_compare() -> None:
    located = trace(sector="old-north", point=SHUSHA)
    assert weight(Matter.PLACE, located, trace(sector="old-north")) == 3
    assert weight(Matter.PLACE, located, trace(sector="old-line")) == 2
    assert weight(Matter.PLACE, located, trace(sector="theatre")) == 0
    assert weight(Matter.PLACE, located, trace(sector="old-south")) == -2
    assert weight(Matter.PLACE, located, trace(sector="rear")) == -4
    assert weight(Matter.PLACE, located, trace(sector="no such sector")) == 0


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("mortar", "mortar", 2),
        ("mortar", "indirect-fire", 1.5),
        ("mortar", "artillery", 0),
        ("mortar", "uav-strike", -1.5),
        ("mortar", "catapult", 0),
        ("catapult", "catapult", 2),
    ],
)
def test_weapons_compare_through_their_tree(a: str, b: str, expected: float) -> None:
    assert weight(Matter.WEAPONS, trace(weapons=[a]), trace(weapons=[b])) == expected


def test_rare_figures_that_agree_say_more_than_common_ones() -> None:
    weights = [
        weight(Matter.FIGURES, trace(said={"killed": n}), trace(said={"killed": n}))
        for n in (1, 2, 3, 8, 100)
    ]
    assert weights == sorted(weights)
    assert weights[0] < 0.5 < 3 < weights[-1]
    wide = Figure.at_least(1)
    assert weight(Matter.FIGURES, trace(said={"killed": 8}), trace(said={"killed": wide})) == 0


def test_rival_figures_speak_weakly_against() -> None:
    def against(a: int, b: int) -> float:
        return weight(Matter.FIGURES, trace(said={"killed": a}), trace(said={"killed": b}))

    assert 0 > against(3, 4) > against(3, 12) > against(3, 300) == against(3, 3_000) == -3
    assert against(0, 1) == -0.5


def test_a_claimant_that_speaks_of_both_is_for_unless_its_figures_exclude_each_other() -> None:
    a = trace(said={"killed": 3}, by=["newspaper", "armenia-mod"])
    assert weight(Matter.CLAIMANTS, a, trace(by=["newspaper"])) == 0.5
    assert weight(Matter.CLAIMANTS, a, trace(said={"killed": 5}, by=["newspaper"])) == -1
    assert weight(Matter.CLAIMANTS, a, trace(said={"killed": 5}, by=["azerbaijan-mod"])) == 0


def test_words_in_another_language_say_nothing() -> None:
    english, russian = trace(words="shelling near village"), trace(words="обстрел близ села")
    assert said_of(Matter.TEXT, english, russian) is None


# Properties

points = st.builds(Point, st.floats(38, 42), st.floats(44, 50), st.sampled_from(Precision))
sectors = st.sampled_from([None, "theatre", "old-line", "old-north", "old-south", "rear"])
weapons = st.frozensets(
    st.sampled_from(["mortar", "artillery", "indirect-fire", "uav", "sniper", "catapult"]),
    max_size=3,
)
vocabulary = [f"word{n}" for n in range(12)] + ["a", "of"]
minutes = st.integers(0, 30 * 24 * 60).map(lambda m: timedelta(minutes=m))
instants = minutes.map(lambda after: datetime(2020, 9, 15, tzinfo=UTC) + after)
moments = st.one_of(times(), instants.map(lambda at: f"{at:%Y-%m-%dT%H:%MZ}")).map(when)
traces = st.builds(
    Trace,
    st.sampled_from(["a", "b", "c"]),
    moments,
    sectors,
    st.one_of(st.none(), points),
    weapons,
    st.dictionaries(st.sampled_from(Outcome), figures(), max_size=3),
    st.frozensets(st.sampled_from(sorted(CLAIMANTS)), max_size=2),
    st.frozensets(st.sampled_from(vocabulary)),
)


@given(traces, traces)
@moderate
def test_either_way_round_gives_the_same_score(a: Trace, b: Trace) -> None:
    one, other = compared(a, b), compared(b, a)
    assert one.score == other.score
    assert {r.matter: r.weight for r in one.reasons} == {r.matter: r.weight for r in other.reasons}


@given(traces, traces)
@moderate
def test_every_reason_tells_something_without_times_of_day(a: Trace, b: Trace) -> None:
    for reason in compared(a, b).reasons:
        assert reason.told
        for found in reason.told:
            if isinstance(found, DaysCompared):
                assert "T" not in f"{found.own} {found.other}"


@given(traces, traces)
@moderate
def test_no_matter_says_more_than_its_most_nor_twice(a: Trace, b: Trace) -> None:
    reasons = compared(a, b).reasons
    assert all(r.weight <= MOST[r.matter] + 0.005 for r in reasons)
    assert len({r.matter for r in reasons}) == len(reasons)


@given(traces, st.lists(traces), st.floats(-10, 20))
@moderate
def test_all_that_reach_the_threshold_are_found_and_nothing_else(
    new: Trace, others: list[Trace], threshold: float
) -> None:
    found = candidates(new, others, SECTORS, WEAPONS, threshold)
    scores: dict[str, list[float]] = {}
    for other in others:
        if other.incident != new.incident:
            scores.setdefault(other.incident, []).append(compared(new, other).score)
    best = {incident: max(each) for incident, each in scores.items()}
    assert {c.incident: c.score for c in found} == {i: s for i, s in best.items() if s >= threshold}
    assert found == sorted(found, key=lambda c: (-c.score, c.incident))
    assert candidates(new, others, SECTORS, WEAPONS, threshold, 1) == found[:1]


def test_an_incident_is_named_once_by_what_is_most_like_it() -> None:
    new, near, far = trace(name="new"), trace(name="a"), trace("2022-08-04", name="a")
    assert [candidates(new, told, SECTORS, WEAPONS) for told in ([far, near], [near, far])] == [
        [compared(new, near)]
    ] * 2


def test_of_equals_the_first_by_id_are_kept() -> None:
    others = [trace(name=name) for name in ("d", "b", "c")]
    others.append(trace(name="e", point=SHUSHA))
    found = candidates(trace(name="a", point=SHUSHA), others, SECTORS, WEAPONS, most=3)
    assert [each.incident for each in found] == ["e", "b", "c"]


@given(traces, traces, st.floats(-10, 20))
@moderate
def test_what_reaches_the_threshold_lies_within_its_reach(
    a: Trace, b: Trace, threshold: float
) -> None:
    if compared(a, b).score >= threshold:
        assert within(broadest(threshold), a, b)


@given(
    st.builds(Point, st.floats(-90, 90), st.floats(-180, 180)),
    st.floats(0, 360),
    st.floats(0, 100),
    st.floats(0, 1),
)
@moderate
def test_a_box_around_a_point_holds_all_that_is_so_near(
    middle: Point, bearing: float, km: float, share: float
) -> None:
    # Destinations are given to a metre.
    box = BoundingBox.around(middle, km + 0.002)
    latitude, longitude = destination(middle.latitude, middle.longitude, bearing, km * share)
    assert box.south <= latitude <= box.north
    if box.west <= box.east:
        assert box.west <= longitude <= box.east
    else:
        assert longitude >= box.west or longitude <= box.east


@given(traces, traces)
@moderate
def test_taking_away_what_one_says_silences_the_matter(a: Trace, b: Trace) -> None:
    silent = Trace(a.incident, a.when)
    assert {r.matter for r in compared(silent, b).reasons} <= {Matter.TIME}


@given(traces, traces, points, st.floats(0, 360), st.lists(st.floats(0, 100), min_size=2))
@moderate
def test_moving_a_point_away_never_raises_the_score(
    a: Trace, b: Trace, start: Point, bearing: float, distances: list[float]
) -> None:
    a = replace(a, point=start)
    precision = b.point.precision if b.point else Precision.EXACT
    moved = [
        replace(
            b, point=Point(*destination(start.latitude, start.longitude, bearing, d), precision)
        )
        for d in distances
    ]
    by_distance = sorted(moved, key=lambda m: distance_km(start, m.point) if m.point else 0)
    scores = [compared(a, m).score for m in by_distance]
    assert scores == sorted(scores, reverse=True)


def shifted(at: When, days: int) -> When:
    by = timedelta(days=days)
    return replace(
        at,
        start=at.start and at.start + by,
        end=at.end and at.end + by,
        earliest=at.earliest and at.earliest + by,
        latest=at.latest and at.latest + by,
    )


@given(traces, traces, st.integers(0, 40), st.integers(0, 40))
@moderate
def test_moving_a_time_away_never_raises_the_score(
    a: Trace, b: Trace, first: int, further: int
) -> None:
    # From where it lies wholly beside or after the other.
    base = max((a.when.known_end - b.when.known_start).days, 0) + first
    near = replace(b, when=shifted(b.when, base))
    far = replace(b, when=shifted(b.when, base + further))
    assert compared(a, far).score <= compared(a, near).score


@given(traces, traces)
@moderate
def test_agreeing_more_never_lowers_the_score(a: Trace, b: Trace) -> None:
    score = compared(a, b).score
    for weapon in b.weapons:
        if a.weapons:
            more = replace(a, weapons=a.weapons | {weapon})
            assert compared(more, b).score >= score
    for word in b.words:
        more = replace(a, words=a.words | {word})
        assert compared(more, replace(b, words=b.words)).score >= score
    for outcome in b.figures.keys() - a.figures.keys():
        more = replace(a, figures={**a.figures, outcome: b.figures[outcome]})
        assert compared(more, b).score >= score


def days_between(a: When, b: When) -> int:
    """As a query has it: an open side reaches without end."""
    latest = max(start or date.min for start in (a.start, b.start))
    return (latest - min(end or date.max for end in (a.end, b.end))).days


def km_beyond(a: Trace, b: Trace) -> float:
    if a.point is None or b.point is None:
        return 0
    if not {a.point.precision, b.point.precision} <= RADIUS_KM.keys():
        return 0
    radii = RADIUS_KM[a.point.precision] + RADIUS_KM[b.point.precision]
    return distance_km(a.point, b.point) - radii


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Trace, Trace]:
    """Two traces, often alike in all but where or when."""
    a, b = draw(traces), draw(traces)
    alike = [
        b,
        replace(a, incident="d", point=b.point),
        replace(a, incident="d", when=b.when),
        replace(a, incident="d", when=shifted(a.when, draw(st.integers(-30, 30)))),
    ]
    return a, draw(st.sampled_from(alike))


@given(neighbours(), st.floats(-10, 20))
@moderate
def test_nothing_beyond_the_broadest_reach_reaches_the_threshold(
    pair: tuple[Trace, Trace], threshold: float
) -> None:
    score = compared(*pair).score
    for least, reach in ((POSSIBLE, BROADEST), (threshold, broadest(threshold))):
        if days_between(pair[0].when, pair[1].when) > reach.days or km_beyond(*pair) > reach.km:
            assert score < least
