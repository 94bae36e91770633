"""The ground of a map is drawn around any theatre, from what the file of countries says."""

from typing import Any

import brotli
import pytest
from shapely import LineString, Point, unary_union
from shapely.geometry import box, shape

from service.domain.queries import BoundingBox
from service.formats import outlines
from service.store.journal import Author
from service.work import seed
from tests.harness import Databases, Service
from tests.test_other_theatre import FOLDER

GRID = {"scale": [0.5, 0.5], "translate": [10.0, 40.0]}
# Two squares of two degrees beside one another, the left one with a hole, and a far one.
TOPOLOGY: dict[str, Any] = {
    "type": "Topology",
    "transform": GRID,
    "arcs": [
        [[4, 0], [0, 4]],
        [[4, 4], [-4, 0], [0, -4], [4, 0]],
        [[4, 0], [4, 0], [0, 4], [-4, 0]],
        [[1, 1], [0, 1], [1, 0], [0, -1], [-1, 0]],
        [[200, 0], [2, 0], [0, 2], [-2, -2]],
    ],
    "objects": {
        "countries": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "id": "901", "arcs": [[0, 1], [3]]},
                {"type": "MultiPolygon", "arcs": [[[~0, 2]]]},
                {"type": "Polygon", "id": "903", "arcs": [[4]]},
            ],
        }
    },
}
AROUND = BoundingBox(11, 40, 13, 42)


def drawn(features: list[dict[str, Any]]) -> dict[str | None, Any]:
    return {feature.get("id"): shape(feature["geometry"]) for feature in features}


def test_lines_that_neighbours_share_are_read_in_either_direction() -> None:
    found = drawn(outlines.collection(TOPOLOGY, AROUND)["features"])
    assert found["901"].equals(box(10, 40, 12, 42) - box(10.5, 40.5, 11, 41))
    assert found[None].equals(box(12, 40, 14, 42))


def test_a_boundary_is_where_two_countries_meet_and_no_coast() -> None:
    found = drawn(outlines.collection(TOPOLOGY, AROUND)["features"])
    assert found["boundaries"].equals(LineString([(12, 40), (12, 42)]))


def test_what_is_far_away_is_left_out_and_what_is_near_is_cut() -> None:
    answer = outlines.collection(TOPOLOGY, BoundingBox(12.5, 41, 13, 41.5))
    assert answer["bbox"] == [12.25, 40.75, 13.25, 41.75]
    [(country, land)] = drawn(answer["features"]).items()
    assert country is None
    assert land.equals(box(*answer["bbox"]))


def test_the_documented_theatre_lies_on_its_ground(seeded: Service) -> None:
    answer = seeded.client.get("/v1/outlines", headers={"Accept-Encoding": "br"})
    assert answer.headers["content-type"] == "application/geo+json"
    assert len(brotli.compress(answer.content)) < 30_000
    countries = drawn(answer.json()["features"])
    boundaries = countries.pop("boundaries")
    # Armenia, Azerbaijan and what surrounds them.
    assert {"051", "031", "268", "364", "643", "792"} <= {*countries}
    assert all(country.is_valid for country in countries.values())
    assert boundaries.intersects(countries["051"].buffer(0.001))
    land = unary_union([*countries.values()])
    ground = box(*answer.json()["bbox"])
    places = [each for each in seeded.get("/v1/places")["items"] if each["lat"] is not None]
    towns = [Point(p["lon"], p["lat"]) for p in places if p["precision"] == "settlement"]
    assert all(ground.intersects(town) for town in towns)
    # One stands on piles in the sea.
    assert sum(not land.buffer(0.02).intersects(town) for town in towns) == 1


def test_another_theatre_has_another_ground(databases: Databases) -> None:
    """It lies in the sea."""
    with databases.fresh("sqlite", "nothing") as url:
        running = Service(url)
        author = Author(seed.ACTOR, running.clock())
        running.database.write(lambda session: seed.load(session, FOLDER, author))
        answer = running.get("/v1/outlines")
        running.close()
    assert answer["bbox"] == [-1, -1, 3, 3]
    assert answer["features"] == []


def test_a_theatre_without_drawn_sectors_has_none() -> None:
    assert outlines.around(None) == b'{"type":"FeatureCollection","features":[]}'


@pytest.mark.parametrize("extent", [(179, -18, 180, -16), (-180, -90, 180, 90), (24, 60, 25, 60)])
def test_every_extent_has_a_ground(extent: tuple[float, float, float, float]) -> None:
    """Even at the edges of the world, all of it, or one line."""
    answer = outlines.collection(TOPOLOGY, BoundingBox(*extent))
    west, south, east, north = answer["bbox"]
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90


def test_the_ground_is_not_sent_twice(seeded: Service) -> None:
    tag = seeded.client.get("/v1/outlines").headers["etag"]
    assert seeded.client.get("/v1/outlines", headers={"If-None-Match": tag}).status_code == 304


def test_a_map_may_ask_for_the_places_of_one_kind_alone(seeded: Service) -> None:
    """All of a gazetteer would be too much to begin with."""
    places = seeded.get("/v1/places")["items"]
    towns = seeded.get("/v1/places", kind="town")["items"]
    assert towns == [place for place in places if place["kind"] == "town"]
    assert 0 < len(towns) < len(places) / 10
    assert seeded.get("/v1/places", kind="hamlet")["items"] == []
