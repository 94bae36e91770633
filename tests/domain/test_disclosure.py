"""What of a report may be published: to whom, how exactly where, and how much of what is hidden."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.access import Role, Visibility
from service.domain.atoms import atom_of, must_cut_along_atoms
from service.domain.disclosure import (
    FARTHEST_SETTLEMENT_KM,
    GRID_DEGREES,
    SMALLEST_LOT,
    Disclosure,
    PlaceShown,
    default_for,
    in_standing_lots,
    published,
)
from service.domain.periods import Grain, Timeline
from service.domain.places import Gazetteer, Place, PlaceName, Point, distance_km
from service.domain.queries import AggregateQuery, Clock, Dimension, IncidentQuery
from service.domain.vocabulary import Precision, Status
from service.domain.when import month_bounds
from service.errors import Invalid
from tests.domain.make import THEATRE, moderate, when

VILLAGE = Place("village", "Village", (PlaceName("Village", "en"),), 39.62, 46.51)
TOWN = Place("town", "Town", (), 39.75, 46.75)
COUNTY = Place("county", "County", (), 40.4, 47.1, Precision.DISTRICT)
NOWHERE = Place("nowhere", "Nowhere")
GAZETTEER = Gazetteer([VILLAGE, TOWN, COUNTY, NOWHERE])

points = st.builds(
    Point,
    st.floats(-90, 90, allow_nan=False),
    st.floats(-180, 180, allow_nan=False),
    st.sampled_from(Precision),
)
places = st.sampled_from([None, VILLAGE, TOWN, COUNTY, NOWHERE])
cells = st.tuples(st.integers(-900, 899), st.integers(-1800, 1799))
within_cell = st.tuples(st.floats(0.0001, 0.9999), st.floats(0.0001, 0.9999))


def in_cell(cell: tuple[int, int], at: tuple[float, float]) -> Point:
    return Point((cell[0] + at[0]) * GRID_DEGREES, (cell[1] + at[1]) * GRID_DEGREES)


def of_grid(point: Point, place: Place | None = None) -> Point:
    shown, named = published(point, place, PlaceShown.GRID, GAZETTEER)
    assert shown is not None
    assert named is None
    return shown


@given(points, places, st.sampled_from(PlaceShown))
@moderate
def test_the_same_position_is_always_published_as_the_same(
    point: Point, place: Place | None, shown: PlaceShown
) -> None:
    known = published(point, place, shown, GAZETTEER)
    assert all(published(point, place, shown, GAZETTEER) == known for _ in range(3))
    backwards = Gazetteer([NOWHERE, COUNTY, TOWN, VILLAGE])
    assert published(point, place, shown, backwards) == known


@given(cells, within_cell, within_cell)
@moderate
def test_all_that_lies_in_one_cell_is_published_as_its_middle(
    cell: tuple[int, int], one: tuple[float, float], other: tuple[float, float]
) -> None:
    middle = of_grid(in_cell(cell, one))
    assert middle == of_grid(in_cell(cell, other))
    assert middle.latitude == pytest.approx((cell[0] + 0.5) * GRID_DEGREES)
    assert middle.longitude == pytest.approx((cell[1] + 0.5) * GRID_DEGREES)
    assert middle.precision is Precision.DISTRICT


@given(cells, cells)
@moderate
def test_what_is_published_comes_no_nearer_than_the_cell(
    cell: tuple[int, int], other: tuple[int, int]
) -> None:
    """Two points are told apart by their cells alone: as many are published as there are cells."""
    assert (of_grid(in_cell(cell, (0.5, 0.5))) == of_grid(in_cell(other, (0.1, 0.9)))) == (
        cell == other
    )


@pytest.mark.parametrize("degrees", [n / 10 for n in range(-900, 900, 7)])
def test_the_edge_of_a_cell_belongs_to_it_whatever_its_binary_fraction(degrees: float) -> None:
    shown = of_grid(Point(degrees, 46.0)).latitude
    assert shown == pytest.approx(degrees + GRID_DEGREES / 2)


@pytest.mark.parametrize(("lat", "lon"), [(90, 180), (-90, -180), (90, -180), (0, 0)])
def test_the_ends_of_the_earth_have_cells_too(lat: float, lon: float) -> None:
    shown = of_grid(Point(lat, lon))
    assert abs(shown.latitude - lat) <= GRID_DEGREES
    assert abs(abs(shown.longitude) - abs(lon)) <= GRID_DEGREES


@given(st.one_of(st.none(), points), places)
@moderate
def test_a_grid_shows_no_name_of_a_place(point: Point | None, place: Place | None) -> None:
    shown, named = published(point, place, PlaceShown.GRID, GAZETTEER)
    assert named is None
    assert (shown is None) == (point is None)


@given(points, places)
@moderate
def test_what_is_exact_stays_as_it_is(point: Point, place: Place | None) -> None:
    assert published(point, place, PlaceShown.EXACT, GAZETTEER) == (point, place)


def test_near_a_settlement_the_settlement_stands_for_the_position() -> None:
    shown, place = published(Point(39.63, 46.53), None, PlaceShown.SETTLEMENT, GAZETTEER)
    assert (shown, place) == (Point(39.62, 46.51, Precision.SETTLEMENT), VILLAGE)


def test_of_two_settlements_the_nearer_is_shown_and_at_one_distance_the_same_one() -> None:
    twins = [Place("b", "B", (), 39.6, 46.6), Place("a", "A", (), 39.6, 46.5)]
    near_b, between = Point(39.6, 46.58), Point(39.6, 46.55)
    for gazetteer in (Gazetteer(twins), Gazetteer(reversed(twins))):
        assert published(near_b, None, PlaceShown.SETTLEMENT, gazetteer)[1] == twins[0]
        shown = published(Point(39.6, 46.55), None, PlaceShown.SETTLEMENT, gazetteer)[1]
        distances = {
            round(distance_km(between, Point(p.latitude or 0, p.longitude or 0)), 9) for p in twins
        }
        assert len(distances) > 1 or shown == twins[1]


def test_a_named_place_stands_for_the_position_though_another_is_nearer() -> None:
    near_village = Point(39.65, 46.60)
    shown, place = published(near_village, TOWN, PlaceShown.SETTLEMENT, GAZETTEER)
    assert distance_km(near_village, Point(39.62, 46.51)) < distance_km(
        near_village, Point(39.75, 46.75)
    )
    far = distance_km(near_village, Point(39.75, 46.75)) > FARTHEST_SETTLEMENT_KM
    assert place == (None if far else TOWN)
    assert shown is not None


@given(points, places)
@moderate
def test_a_settlement_is_shown_only_where_it_is_near_and_else_the_cell(
    point: Point, place: Place | None
) -> None:
    shown, named = published(point, place, PlaceShown.SETTLEMENT, GAZETTEER)
    assert shown is not None
    if named is None:
        assert shown == of_grid(point)
    else:
        assert (shown.latitude, shown.longitude) == (named.latitude, named.longitude)
        assert distance_km(point, shown) <= FARTHEST_SETTLEMENT_KM
        assert shown.precision is not Precision.EXACT


def test_coarse_coordinates_of_a_place_are_not_made_finer() -> None:
    shown, _ = published(Point(40.41, 47.1), COUNTY, PlaceShown.SETTLEMENT, GAZETTEER)
    assert shown == Point(40.4, 47.1, Precision.DISTRICT)


@pytest.mark.parametrize("place", [NOWHERE, VILLAGE])
def test_a_place_without_a_position_is_shown_by_its_name_as_a_settlement_only(place: Place) -> None:
    assert published(None, place, PlaceShown.SETTLEMENT, GAZETTEER) == (None, place)
    assert published(None, place, PlaceShown.GRID, GAZETTEER) == (None, None)
    assert published(None, None, PlaceShown.SETTLEMENT, GAZETTEER) == (None, None)


@pytest.mark.parametrize("limit", [0.0, 1.0, 90.0, 180.0])
def test_distance_is_that_of_the_great_circle(limit: float) -> None:
    quarter = 6371.0088 * math.pi / 2
    assert distance_km(Point(0, 0), Point(0, limit)) == pytest.approx(quarter * limit / 90)


# What is decided, and for whom.

NOON = datetime(2022, 8, 3, 12, tzinfo=UTC)
disclosures = [
    Disclosure(visibility, embargo, place)
    for visibility, embargo, place in product(Visibility, (None, NOON), PlaceShown)
]


def test_both_allow_no_more_than_either() -> None:
    order = list(PlaceShown)
    for one, other in product(disclosures, repeat=2):
        both = one.and_also(other)
        assert both.level == max(one.level, other.level)
        assert both.visibility.level == max(one.visibility.level, other.visibility.level)
        assert order.index(both.place) == max(order.index(one.place), order.index(other.place))
        assert (both.embargo is None) == (one.embargo is None and other.embargo is None)
        assert both == other.and_also(one)
        assert both == both.and_also(one) == both.and_also(other)


def test_under_an_embargo_only_those_who_see_everything_are_shown_a_report() -> None:
    for each in disclosures:
        hidden = each.embargo is not None or each.visibility is Visibility.RESTRICTED
        assert (each.level == Visibility.RESTRICTED.level) == hidden


def test_where_a_monitor_saw_something_is_not_exact_and_not_public_unless_they_say_so() -> None:
    assert default_for(Role.MONITOR) == Disclosure(Visibility.PARTNERS, None, PlaceShown.SETTLEMENT)
    for role in (Role.IMPORTER, Role.REVIEWER, Role.ADMIN):
        assert default_for(role) == Disclosure(Visibility.PUBLIC, None, PlaceShown.EXACT)


# Lots.

hidden_things = st.dictionaries(
    st.sampled_from("abcde"), st.integers(0, 8).map(range), max_size=5
).map(lambda by_cell: {cell: [f"{cell}{n}" for n in ns] for cell, ns in by_cell.items()})


def told(hidden: Mapping[str, Sequence[str]]) -> list[str]:
    """What sums hold as long as nothing has left."""
    every = [thing for things in hidden.values() for thing in things]
    return list(in_standing_lots(hidden, dict.fromkeys(every, "apart")))


def told_of(hidden: Mapping[str, Sequence[str]], cells: Sequence[str]) -> set[str]:
    """What a sum over some cells holds."""
    return {thing for thing in told(hidden) if thing[0] in cells}


@given(hidden_things)
@moderate
def test_any_two_sums_differ_by_nothing_or_by_a_lot(hidden: dict[str, list[str]]) -> None:
    unions = [
        chosen for size in range(len(hidden) + 1) for chosen in combinations(sorted(hidden), size)
    ]
    for one, other in product(unions, repeat=2):
        more = told_of(hidden, one) - told_of(hidden, other)
        assert not more or len(more) >= SMALLEST_LOT


@given(hidden_things, st.sampled_from("abcde"))
@moderate
def test_one_more_changes_no_lot_that_was_told(hidden: dict[str, list[str]], cell: str) -> None:
    before = set(told(hidden))
    grown = {**hidden, cell: [*hidden.get(cell, []), f"{cell}-new"]}
    after = set(told(grown))
    assert before <= after
    assert len(after - before) in (0, SMALLEST_LOT)


@given(hidden_things, st.data())
@moderate
def test_who_leaves_takes_no_more_than_its_lot_along(
    hidden: dict[str, list[str]], data: st.DataObject
) -> None:
    """As when an embargo ends: the others do not move up, and nobody new is told of."""
    every = [thing for things in hidden.values() for thing in things]
    gone = data.draw(st.sets(st.sampled_from(every)) if every else st.just(set()))
    before = told(hidden)
    left = {thing: "apart" for thing in every if thing not in gone}
    after = list(in_standing_lots(hidden, left))
    assert set(after) <= set(before)
    for cell in hidden:
        assert len([thing for thing in after if thing[0] == cell]) % SMALLEST_LOT == 0


def test_a_lot_of_which_one_enters_otherwise_is_not_told() -> None:
    places = {"a": ["1", "2", "3", "4", "5", "6", "7"]}
    ways = {n: "beside" if n == "2" else "apart" for n in "1234567"}
    assert list(in_standing_lots(places, ways)) == ["4", "5", "6"]
    assert list(in_standing_lots(places, dict.fromkeys("1234567", "beside"))) == list("123456")


# The cells of time and place that lots are made in.

TIMES = ["2022-08-03", "2022-08", "2022-08-30/2022-09-02", "2022-01/2022-02", "2022", "2022-08~"]
SOME_SECTORS = [None, "theatre", "old-line", "old-north", "corridor", "new-east"]
QUESTIONS = [
    Timeline(grain, date(2022, first, 1), month_bounds(date(2022, last, 1))[1])
    for grain in (Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.TOTAL)
    for first, last in ((1, 12), (8, 8), (2, 9), (9, 12))
]


@pytest.mark.parametrize("one", [*TIMES, "[..2022-08-05]", "2022-08-11"])
@pytest.mark.parametrize("other", [*TIMES, "[..2022-08-29]", "2022-09-11"])
def test_no_question_along_atoms_tells_apart_what_is_in_one(one: str, other: str) -> None:
    a, b = when(one), when(other)
    for sector, another in product(SOME_SECTORS, repeat=2):
        if atom_of(a, sector, THEATRE) != atom_of(b, another, THEATRE):
            continue
        for timeline in QUESTIONS:
            assert timeline.place(a)[0] == timeline.place(b)[0]
            assert a.overlaps(timeline.first, timeline.last) == b.overlaps(
                timeline.first, timeline.last
            )


ASKED: dict[str, Any] = {"sees": 1, "own": "a partner"}


@pytest.mark.parametrize(
    "query",
    [
        AggregateQuery(IncidentQuery(**ASKED), Grain.MONTH),
        AggregateQuery(IncidentQuery(**ASKED, level=0), Grain.QUARTER, ()),
        AggregateQuery(IncidentQuery(**ASKED, sector="old-line"), Grain.YEAR),
        AggregateQuery(IncidentQuery(**ASKED, sector="theatre"), Grain.TOTAL, dense=False),
        AggregateQuery(IncidentQuery(date(2020, 2, 1), date(2020, 2, 29)), Grain.MONTH),
    ],
)
def test_questions_along_atoms_are_answered(query: AggregateQuery) -> None:
    must_cut_along_atoms(query, THEATRE)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("period", {"grain": Grain.DAY}),
        ("period", {"grain": Grain.WEEK}),
        ("period", {"grain": Grain.NAMED, "series": "phases"}),
        ("series", {"series": "phases"}),
        *(("by", {"by": (d,)}) for d in Dimension if d is not Dimension.SECTOR),
        ("by", {"by": (Dimension.SECTOR, Dimension.PARTY)}),
        ("level", {"level": 2}),
        ("from", {"first": date(2022, 8, 2)}),
        ("to", {"last": date(2022, 8, 30)}),
        ("sector", {"sector": "old-north"}),
        ("sector", {"sector": "unlocated"}),
        ("clock", {"clock": Clock.RECEIVED}),
        ("within", {"sector": "theatre", "within": "theatre"}),
        ("place", {"place": "lachin"}),
        ("weapon", {"weapon": "mine"}),
        ("claimant", {"claimant": "newspaper"}),
        ("party", {"party": "armenia"}),
        ("attributed_to", {"attributed_to": "armenia"}),
        ("status", {"status": Status.VERIFIED}),
        ("contested", {"contested": False}),
        ("min_killed", {"min_killed": 1}),
        ("q", {"text": "word"}),
        ("according_to", {"according_to": "newspaper"}),
    ],
)
def test_questions_across_atoms_are_refused_by_the_name_of_the_parameter(
    field: str, changes: dict[str, Any]
) -> None:
    of_query = {k: v for k, v in changes.items() if k in ("grain", "by", "series")}
    of_filters = {k: v for k, v in changes.items() if k not in of_query}
    asked = {"grain": Grain.MONTH, **of_query}
    query = AggregateQuery(IncidentQuery(**ASKED, **of_filters), **asked)
    with pytest.raises(Invalid) as refused:
        must_cut_along_atoms(query, THEATRE)
    assert [problem.field for problem in refused.value.problems] == [field]
