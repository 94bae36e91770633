"""Lines move: a sector holds events only while it exists."""

from datetime import date

import pytest

from service.domain.places import Place, Point
from service.domain.sectors import Sector, Sectors
from service.domain.validity import SectorSpan, Validity
from service.domain.vocabulary import Precision
from service.errors import Invalid
from tests.domain.make import GAZETTEER, NEW_LINE, OLD_LINE, SECTORS, account, report, when


@pytest.mark.parametrize(
    ("sector", "at", "in_force"),
    [
        ("old-north", "2016-04-02", "old-north"),
        ("old-north", "2020-11-09", "old-north"),
        ("old-north", "2020-11-10", "theatre"),
        ("old-north", "2020", "theatre"),
        ("old-north", "[..2020-11-01]", "old-north"),
        ("corridor", "2020-11-09", "theatre"),
        ("corridor", "2020-11-10", "corridor"),
        ("corridor", "2020-11-09/2020-11-10", "theatre"),
    ],
)
def test_decision_15_a_sector_not_valid_falls_to_its_nearest_valid_ancestor(
    sector: str, at: str, in_force: str
) -> None:
    assert SECTORS.in_force(sector, when(at)) == in_force
    assert SECTORS.valid(sector, when(at)) == (sector == in_force)
    assert account(report(at, sector=sector)).sector == in_force


def test_a_sector_with_no_valid_ancestor_is_nowhere() -> None:
    line = Sectors([Sector("line", "Line", None, OLD_LINE)])
    assert line.in_force("line", when("2022")) is None


def test_a_place_moves_with_the_line_and_across_the_change_is_known_only_above() -> None:
    shusha = GAZETTEER.find("Shusha")
    assert shusha is not None
    assert SECTORS.of_place(shusha, when("2020-11-07")) == "rear"
    assert SECTORS.of_place(shusha, when("2022-08-03")) == "corridor"
    assert SECTORS.of_place(shusha, when("2020-11")) == "theatre"


def test_a_place_filed_at_other_times_only_is_in_what_its_sectors_lie_in() -> None:
    later = Place("x", "X", sectors=(SectorSpan("corridor", NEW_LINE),))
    assert SECTORS.of_place(later, when("2016")) == "theatre"
    assert SECTORS.of_place(Place("x", "X"), when("2016")) is None


@pytest.mark.parametrize(
    ("precision", "sector"),
    [
        (Precision.EXACT, "old-north"),
        (Precision.SETTLEMENT, "old-north"),
        (Precision.DISTRICT, "old-line"),
        (Precision.SECTOR, "old-line"),
        (Precision.THEATRE, "theatre"),
    ],
)
def test_a_point_is_filed_no_deeper_than_it_is_known(precision: Precision, sector: str) -> None:
    assert SECTORS.of_point(Point(40.5, 46.5, precision), when("2016-04-02")) == sector


def test_a_point_finds_only_sectors_that_exist_at_the_time() -> None:
    point = Point(39.5, 46.5)
    assert SECTORS.of_point(point, when("2016-04-02")) == "old-south"
    assert SECTORS.of_point(point, when("2022-08-03")) == "corridor"
    assert SECTORS.of_point(point, when("2020-11-09/2020-11-10")) == "theatre"
    assert SECTORS.of_point(Point(10, 10), when("2022-08-03")) is None


def test_a_point_on_a_shared_edge_is_known_only_to_the_common_ancestor() -> None:
    assert SECTORS.of_point(Point(40, 46.5), when("2016-04-02")) == "old-line"


def test_a_level_offers_the_sectors_that_exist_on_some_day_of_the_span() -> None:
    day = date(2020, 11, 9), date(2020, 11, 10)
    assert SECTORS.at_level(1, day[0], day[0]) == ["old-line", "rear"]
    assert SECTORS.at_level(1, day[1], day[1]) == ["new-line", "corridor", "rear"]
    assert SECTORS.at_level(1, *day) == ["old-line", "new-line", "corridor", "rear"]
    assert SECTORS.at_level(2, day[1], day[1]) == ["new-east"]


def test_an_outline_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Invalid, match="outline"):
        Sectors([Sector("a", "A", None, Validity(), geometry={"type": "Blob"})])


def test_where_nothing_is_drawn_a_point_is_in_no_sector_and_not_outside_either() -> None:
    plain = Sectors([Sector("a", "A", None, Validity())])
    assert plain.of_point(Point(40, 46), when("2022")) is None
    assert plain.holds_point(Point(40, 46))
