"""OGC API – Features: what QGIS and GDAL are given is what lists give, to each reader their own.

Tests whose names begin with a requirement are abstract tests of OGC 17-069r4, Annex A.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from owslib.ogcapi.features import Features
from shapely import box as rectangle
from shapely import from_wkb
from shapely.geometry import shape

from service.domain.access import Role
from service.work import features
from tests.harness import Databases, Service
from tests.processes import server

Json = dict[str, Any]

ROOT = "/v1/ogc"
COLLECTIONS = ("incidents", "sectors")
INCIDENTS = f"{ROOT}/collections/incidents/items"
SECTORS = f"{ROOT}/collections/sectors/items"
ITEMS = (INCIDENTS, SECTORS)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON = "application/geo+json"
ALL_TIME = (date(2014, 1, 1), date(2022, 12, 31))
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def links(document: Json, rel: str) -> list[Json]:
    return [link for link in document["links"] if link["rel"] == rel]


def link(document: Json, rel: str) -> Json:
    [found] = links(document, rel)
    return found


def follow(service: Service, to: Json, role: Role = Role.ANONYMOUS) -> Json:
    answer = service.client.get(to["href"], headers=service.headers(role))
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def walk(service: Service, path: str, role: Role = Role.ANONYMOUS, **asked: Any) -> list[Json]:
    """Every feature, page by page along the links."""
    page = service.get(path, role, **asked)
    found: list[Json] = page["features"]
    while following := links(page, "next"):
        page = follow(service, following[0], role)
        assert page["features"]
        found += page["features"]
    return found


def listed(service: Service, role: Role = Role.ANONYMOUS, **asked: Any) -> list[Json]:
    items: list[Json] = service.get("/v1/incidents", role, limit=500, **asked)["items"]
    return items


def ids(items: list[Json]) -> list[str]:
    return [item["id"] for item in items]


def as_feature(item: Json) -> Json:
    """What an incident of the list is as a feature."""
    told = {**item}
    identifier, point, figures = (told.pop(name) for name in ("id", "point", "figures"))
    for name in ("matrix", "parts"):
        told.pop(name)
    for outcome, figure in figures.items():
        for part in ("low", "best", "high", "status"):
            told[f"{outcome}_{part}"] = figure[part] if figure else None
    return {
        "type": "Feature",
        "id": identifier,
        "geometry": point and {"type": "Point", "coordinates": [point["lon"], point["lat"]]},
        "properties": {**told, "point_precision": point and point["precision"]},
    }


def report(day: int, **more: Any) -> Json:
    where = {"lat": 39.6 + day / 100, "lon": 46.5 + day / 100}
    given = {"when": f"2022-08-{day:02}", "where": where, "claimant": "icrc"}
    return {**given, "casualties": [{"party": "armenia", "killed": day}], **more}


def post_for_different_readers(service: Service) -> None:
    for day, disclosure in enumerate(
        (
            {"visibility": "public", "place": "exact"},
            {"visibility": "public", "place": "grid"},
            {"visibility": "public", "place": "settlement"},
            {"visibility": "partners", "place": "exact"},
            {"visibility": "restricted", "place": "exact"},
            {"visibility": "public", "embargo": "2023-01-01T00:00Z"},
        ),
        start=1,
    ):
        service.post(report(4 * day, disclosure=disclosure), Role.MONITOR)


# The same as lists.


def test_every_reader_is_shown_the_incidents_of_the_list(service: Service) -> None:
    post_for_different_readers(service)
    shown = {role: listed(service, role) for role in Role}
    for role, items in shown.items():
        assert walk(service, INCIDENTS, role, limit=2) == [as_feature(item) for item in items]
    assert {len(shown[Role.ANONYMOUS]), len(shown[Role.PARTNER]), len(shown[Role.ADMIN])} == {
        *(3, 4, 6)
    }


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sector": "line-of-contact"},
        {"sector": "unlocated", "level": 2},
        {"from": "2016", "to": "2020"},
        {"status": "unverified", "contested": "true"},
        {"claimant": "azerbaijani-officials"},
        {"weapon": "unstated", "counted": "true"},
        {"min_killed": 10, "clock": "reported"},
        {"q": "soldier"},
        {"as_of": "2022-10-02"},
    ],
)
def test_filters_of_lists_filter_features(seeded: Service, asked: Json) -> None:
    items = listed(seeded, **asked)
    assert items
    assert walk(seeded, INCIDENTS, limit=7, **asked) == [as_feature(item) for item in items]


def test_one_feature_is_the_one_of_its_page(seeded: Service) -> None:
    for path in ITEMS:
        for feature in walk(seeded, path)[:20]:
            single = seeded.get(f"{path}/{feature['id']}")
            assert {**single, "links": None} == {**feature, "links": None}


def test_what_a_reader_is_not_shown_is_not_there(service: Service) -> None:
    restricted = {"visibility": "restricted", "place": "exact"}
    hidden = service.post(report(3, disclosure=restricted), Role.MONITOR)
    path = f"{INCIDENTS}/{hidden['incident']}"
    assert service.get(path, Role.REVIEWER)["geometry"]["coordinates"] == [46.53, 39.63]
    for role in (Role.ANONYMOUS, Role.PARTNER, Role.IMPORTER):
        told = service.client.get(path, headers=service.headers(role))
        other = service.client.get(path[:-1] + "f", headers=service.headers(role))
        assert (told.status_code, told.content) == (404, other.content)


def test_a_merged_incident_leads_to_where_it_is_told(service: Service) -> None:
    first, second = (service.post(report(day)) for day in (3, 17))
    merged = {"incidents": [second["incident"]], "reason": "The same event."}
    service.act(f"/v1/incidents/{first['incident']}/merge", merged)
    answer = service.client.get(f"{INCIDENTS}/{second['incident']}", follow_redirects=False)
    assert answer.status_code == 307
    assert service.get(answer.headers["location"])["id"] == first["incident"]


def test_a_page_is_told_once_until_something_changes(service: Service) -> None:
    service.post(report(3))
    first = service.client.get(INCIDENTS)
    again = service.client.get(INCIDENTS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    service.post(report(17))
    later = service.client.get(INCIDENTS, headers={"If-None-Match": first.headers["etag"]})
    assert (later.status_code, later.json()["numberMatched"]) == (200, 2)


def test_where_only_a_sector_is_known_no_point_is_made_up(service: Service) -> None:
    service.post({**report(17), "where": {"sector": "lachin-corridor"}})
    [feature] = walk(service, INCIDENTS)
    assert (feature["geometry"], feature["properties"]["point_precision"]) == (None, None)
    assert feature["properties"]["sector"] == "lachin-corridor"


def test_a_point_is_where_it_is_published(service: Service) -> None:
    for place in ("exact", "settlement", "grid"):
        told = report(7, disclosure={"visibility": "public", "place": place})
        service.post(told, Role.MONITOR)
    points = [tuple(each["geometry"]["coordinates"]) for each in walk(service, INCIDENTS)]
    assert (points.count((46.57, 39.67)), len(set(points))) == (1, 3)


# Annex A.


def test_http_is_spoken_in_version_1_1(databases: Databases) -> None:
    with (
        databases.fresh("sqlite", "seeds") as url,
        server(url) as running,
        running.client() as client,
    ):
        answer = client.get(ROOT)
    assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")


def test_root_op_and_root_success(seeded: Service) -> None:
    landing = seeded.get(ROOT)
    for rel in ("self", "service-desc", "service-doc", "conformance", "data"):
        answer = seeded.client.get(link(landing, rel)["href"])
        assert answer.status_code == 200
        media = answer.headers["content-type"].partition("; charset")[0]
        assert media == link(landing, rel)["type"]


def test_api_definition_success(seeded: Service) -> None:
    told = seeded.get(link(seeded.get(ROOT), "service-desc")["href"])
    assert told == seeded.get("/openapi.json")
    for path in ("", "/conformance", "/collections", "/collections/{collection_id}"):
        assert "get" in told["paths"][ROOT + path]


def test_conformance_success(seeded: Service) -> None:
    told = seeded.get(f"{ROOT}/conformance")["conformsTo"]
    start = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
    assert told == [f"{start}core", f"{start}geojson"]


@pytest.mark.parametrize(
    "path",
    [
        *(ROOT, f"{ROOT}/conformance", f"{ROOT}/api", f"{ROOT}/collections"),
        *(f"{ROOT}/collections/incidents", f"{ROOT}/collections/incidents/schema", *ITEMS),
    ],
)
def test_query_param_unknown(seeded: Service, path: str) -> None:
    for asked in ({"bbox-crs": CRS84}, {"nothing": "1"}, {"resultType": "hits"}):
        answer = seeded.client.get(path, params=asked)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ITEMS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "-1", "x", "1.5", "")),
        *(("bbox", value) for value in ("", "1,2,3", "1,2,3,4,5", "1,2,3,x", "181,0,0,0")),
        *(("bbox", value) for value in ("0,10,0,5", "0,-91,0,0", "nan,0,1,1", "1e999,0,1,1")),
        *(("datetime", value) for value in ("", "..", "/", "../..", "2020", "2020-13-01")),
        *(("datetime", value) for value in ("2020-01-01T00:00:00", "2020-02-30T00:00:00Z")),
        *(("datetime", value) for value in ("2020-01-02/2020-01-01", "2020-01-01/x")),
        *(("datetime", value) for value in ("0001-01-01T00:00:00+14:00", "0000-01-01")),
        *(("cursor", value) for value in ("", "x", "W10=")),
    ],
)
def test_query_param_invalid(seeded: Service, path: str, name: str, value: str) -> None:
    answer = seeded.client.get(path, params={name: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == name


def test_query_param_invalid_of_our_own_parameters(seeded: Service) -> None:
    for asked in ({"sector": "nowhere"}, {"status": "true"}, {"as_of": "x"}, {"within": "x"}):
        assert seeded.client.get(INCIDENTS, params=asked).status_code == 400
    assert seeded.client.get(f"{INCIDENTS}?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize("path", ITEMS)
def test_crs84(seeded: Service, path: str) -> None:
    answer = seeded.client.get(path)
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    extent = seeded.get(path.removesuffix("/items"))["extent"]["spatial"]
    assert extent["crs"] == CRS84
    assert "crs" not in answer.json()


def test_fc_md_op_and_success_and_links(seeded: Service) -> None:
    told = seeded.get(f"{ROOT}/collections")
    assert link(told, "self")["href"].endswith(f"{ROOT}/collections")
    assert ids(told["collections"]) == [*COLLECTIONS]


def test_fc_md_items_and_items_links(seeded: Service) -> None:
    for collection in seeded.get(f"{ROOT}/collections")["collections"]:
        items = link(collection, "items")
        answer = seeded.client.get(items["href"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, items["type"])


def test_fc_md_extent(seeded: Service) -> None:
    for name, path in zip(COLLECTIONS, ITEMS, strict=True):
        extent = seeded.get(f"{ROOT}/collections/{name}")["extent"]
        [[*box]] = extent["spatial"]["bbox"]
        features = walk(seeded, path)
        drawn = [shape(each["geometry"]) for each in features if each["geometry"]]
        assert drawn
        assert all(rectangle(*box).covers(each) for each in drawn)
        bounds = [each.bounds for each in drawn]
        assert box[:2] == [min(b[0] for b in bounds), min(b[1] for b in bounds)]
        assert box[2:] == [max(b[2] for b in bounds), max(b[3] for b in bounds)]
    [interval] = seeded.get(f"{ROOT}/collections/sectors")["extent"]["temporal"]["interval"]
    assert interval == [None, None]
    [[first, last]] = seeded.get(f"{ROOT}/collections/incidents")["extent"]["temporal"]["interval"]
    items = listed(seeded)
    assert first == f"{previous(min(known(item)[0] for item in items))}T20:00:00Z"
    assert last == f"{max(known(item)[1] for item in items)}T19:59:59Z"
    for span in (f"{first}/{last}", f"{first}/..", f"../{last}"):
        assert len(walk(seeded, INCIDENTS, datetime=span)) == len(items)


def test_fc_md_extent_of_nothing(service: Service) -> None:
    extent = service.get(f"{ROOT}/collections/incidents")["extent"]
    assert extent == {"temporal": {"interval": [[None, None]]}}
    assert service.get(INCIDENTS)["numberMatched"] == 0


def test_fc_md_extent_holds_what_its_reader_is_shown(service: Service) -> None:
    post_for_different_readers(service)
    path = f"{ROOT}/collections/incidents"
    for role in Role:
        points = [f["geometry"] for f in walk(service, INCIDENTS, role) if f["geometry"]]
        longitudes = [point["coordinates"][0] for point in points]
        [box] = service.get(path, role)["extent"]["spatial"]["bbox"]
        assert (box[0], box[2]) == (min(longitudes), max(longitudes))


def test_sfc_md_op_and_success(seeded: Service) -> None:
    for collection in seeded.get(f"{ROOT}/collections")["collections"]:
        assert seeded.get(link(collection, "self")["href"]) == collection
    for name in ("nothing", "Incidents"):
        assert seeded.client.get(f"{ROOT}/collections/{name}").status_code == 404
        assert seeded.client.get(f"{ROOT}/collections/{name}/schema").status_code == 404
        assert seeded.client.get(f"{ROOT}/collections/{name}/items").status_code == 404


def parameter(service: Service, path: str, name: str) -> Json:
    """What the description says of a parameter."""
    operation = service.get("/openapi.json")["paths"][path]["get"]
    [found] = [p for p in operation["parameters"] if p["name"] == name]
    assert (found["in"], found["required"]) == ("query", False)
    schema: Json = found["schema"]
    return schema


@pytest.mark.parametrize("path", ITEMS)
def test_fc_limit_definition(seeded: Service, path: str) -> None:
    schema = parameter(seeded, path, "limit")
    assert (schema["type"], schema["minimum"], schema["default"]) == ("integer", 1, 100)


@pytest.mark.parametrize("path", ITEMS)
def test_fc_bbox_definition(seeded: Service, path: str) -> None:
    [schema, _] = parameter(seeded, path, "bbox")["anyOf"]
    text = Draft202012Validator(schema)
    for box in ("1,2,3,4", "-1.5,-2,3.25,4e0", "1,2,3,4,5,6"):
        assert text.is_valid(box)
        assert seeded.client.get(path, params={"bbox": box}).status_code == 200 or "6" in box
    for box in ("1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "a,b,c,d"):
        assert not text.is_valid(box)


@pytest.mark.parametrize("path", ITEMS)
def test_fc_time_definition(seeded: Service, path: str) -> None:
    [schema, _] = parameter(seeded, path, "datetime")["anyOf"]
    text = Draft202012Validator(schema)
    instant = "2018-02-12T23:20:50Z"
    for span in (instant, f"{instant}/..", f"../{instant}", f"{instant}/", f"/{instant}"):
        assert text.is_valid(span)
        assert seeded.client.get(path, params={"datetime": span}).status_code == 200
    assert seeded.get(path, datetime="2018-02-12T23:20:50.52+04:00/2018-03-18t12:31:12z")
    assert not text.is_valid("../..")


@pytest.mark.parametrize("path", ITEMS)
def test_fc_limit_response_1(seeded: Service, path: str) -> None:
    whole = walk(seeded, path)
    for limit in (1, 5, len(whole) - 1, len(whole), 10_000, 10**17):
        page = seeded.get(path, limit=limit)
        assert page["features"] == whole[:limit]
        assert len(links(page, "next")) == (limit < len(whole))


def test_fc_limit_response_1_gives_no_more_than_the_most(service: Service) -> None:
    days = [date(2020, 1, 1) + timedelta(number) for number in range(501)]
    lines = [{"when": str(day), "claimant": "icrc", "where": {"place": "Lachin"}} for day in days]
    content = "\n".join(map(json.dumps, lines))
    headers = service.headers(**{"Content-Type": "application/x-ndjson"})
    assert service.client.post("/v1/reports/bulk", content=content, headers=headers).is_success
    page = service.get(INCIDENTS, limit=9999)
    assert (page["numberReturned"], page["numberMatched"]) == (500, 501)
    assert len(walk(service, INCIDENTS, limit=9999)) == 501


def within(box: tuple[float, float, float, float], feature: Json) -> bool:
    """What has no geometry may lie in every box."""
    west, south, east, north = box
    parts = [(west, east)] if west <= east else [(west, 180), (-180, east)]
    return feature["geometry"] is None or any(
        shape(feature["geometry"]).intersects(rectangle(w, south, e, north)) for w, e in parts
    )


@pytest.mark.parametrize("path", ITEMS)
def test_fc_bbox_response(seeded: Service, path: str) -> None:
    every = walk(seeded, path)
    edges = [n for f in every if f["geometry"] for n in shape(f["geometry"]).bounds[:2]] or [0.0]
    longitudes = st.floats(40, 52) | st.sampled_from([-180.0, 180.0]) | st.sampled_from(edges)
    latitudes = st.floats(38, 42)
    counts = set()

    @EXAMPLES
    @given(longitudes, latitudes, longitudes, latitudes, st.booleans())
    def check(west: float, one: float, east: float, other: float, heights: bool) -> None:
        south, north = sorted((one, other))
        numbers = [west, south, -10.5, east, north, 1e4] if heights else [west, south, east, north]
        found = walk(seeded, path, bbox=",".join(map(repr, numbers)), limit=20)
        assert found == [each for each in every if within((west, south, east, north), each)]
        counts.add(len(found))

    check()
    assert len(counts) > 2


def test_fc_bbox_response_of_one_point(seeded: Service) -> None:
    placed = next(each for each in walk(seeded, INCIDENTS) if each["geometry"])
    lon, lat = placed["geometry"]["coordinates"]
    assert placed["id"] in ids(walk(seeded, INCIDENTS, bbox=f"{lon},{lat},{lon},{lat}"))


def known(item: Json) -> tuple[str, str]:
    """The first and the last day that are known, of an item of a list or a feature."""
    told = item.get("properties", item)
    return told["start"] or told["end"], told["end"] or told["start"]


def previous(day: str) -> date:
    return date.fromisoformat(day) - timedelta(days=1)


def test_fc_time_response(seeded: Service) -> None:
    every = walk(seeded, INCIDENTS)
    days = st.dates(*ALL_TIME) | st.sampled_from([date.fromisoformat(known(f)[0]) for f in every])
    hours = st.sampled_from(["", "T12:00:00Z", "T03:04:05.678+04:00"])
    counts = set()

    @EXAMPLES
    @given(days | st.none(), days | st.none(), hours, st.sampled_from(["", ".."]))
    def check(one: date | None, other: date | None, hour: str, unbounded: str) -> None:
        if one is None and other is None:
            return
        if one and other:
            one, other = min(one, other), max(one, other)
        sides = [f"{day}{hour}" if day else unbounded for day in (one, other)]
        asked = sides[0] if one == other else "/".join(sides)
        first, last = str(one or date.min), str(other or date.max)
        found = walk(seeded, INCIDENTS, datetime=asked, limit=20)
        assert found == [f for f in every if known(f)[0] <= last and known(f)[1] >= first]
        counts.add(len(found))

    check()
    assert len(counts) > 5


def test_fc_time_response_counts_local_days(service: Service) -> None:
    service.post(report(3))
    for instant, selected in (
        ("2022-08-02T19:59:59Z", 0),
        ("2022-08-02T20:00:00Z", 1),
        ("2022-08-03T23:59:59+04:00", 1),
        ("2022-08-04T00:00:00+04:00", 0),
        ("2022-08-03", 1),
        ("../2022-08-02", 0),
        ("2022-08-04T00:00:00+04:00/..", 0),
    ):
        assert service.get(INCIDENTS, datetime=instant)["numberMatched"] == selected, instant
    narrowed = {"from": "2022-08-01", "to": "2022-08-02", "datetime": "2022-08-02/2022-08-05"}
    assert service.get(INCIDENTS, **narrowed)["numberMatched"] == 0


def test_fc_time_response_of_sectors_is_their_validity(seeded: Service) -> None:
    every = walk(seeded, SECTORS)
    tried = set()
    for day in ("2015-06-01", "2020-09-27", "2020-11-09", "2020-11-10", "2022-08-01", "2023-01-01"):
        expected = [
            each["id"]
            for each in every
            if (each["properties"]["valid_from"] or day) <= day
            and (each["properties"]["valid_to"] or day) >= day
        ]
        assert ids(walk(seeded, SECTORS, datetime=f"{day}T12:00:00Z", limit=3)) == expected
        tried.add(len(expected))
    assert len(tried) > 1


@pytest.mark.parametrize("path", ITEMS)
def test_fc_op_and_response(seeded: Service, path: str) -> None:
    answer = seeded.client.get(path)
    assert answer.headers["content-type"] == GEOJSON
    operation = seeded.get("/openapi.json")["paths"][path]["get"]
    schema = operation["responses"]["200"]["content"][GEOJSON]["schema"]
    Draft202012Validator(schema).validate(answer.json())
    assert len(set(ids(answer.json()["features"]))) == answer.json()["numberReturned"]


@pytest.mark.parametrize("path", ITEMS)
def test_fc_links_and_fc_rel_type(seeded: Service, path: str) -> None:
    address = f"{path}?limit=3&bbox=40,30,50,45"
    page = seeded.client.get(address).json()
    assert link(page, "self")["href"].endswith(address)
    assert seeded.get(link(page, "collection")["href"])["id"] in COLLECTIONS
    assert "bbox=40%2C30%2C50%2C45" in link(page, "next")["href"]
    assert all(each["rel"] and each["type"] for each in page["links"])


@pytest.mark.parametrize("path", ITEMS)
def test_fc_number_matched_and_returned(seeded: Service, path: str) -> None:
    whole = len(walk(seeded, path))
    page = seeded.get(path, limit=4)
    assert (page["numberMatched"], page["numberReturned"]) == (whole, 4)
    following = follow(seeded, link(page, "next"))
    assert following["numberMatched"] == whole


def test_fc_number_matched_is_left_out_where_it_would_take_long(
    seeded: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = len(walk(seeded, INCIDENTS))
    monkeypatch.setattr(features, "COUNTED_TO", whole)
    assert seeded.get(INCIDENTS, limit=1)["numberMatched"] == whole
    monkeypatch.setattr(features, "COUNTED_TO", whole - 1)
    assert "numberMatched" not in seeded.get(INCIDENTS, limit=2)


def test_fc_time_stamp_is_left_out_so_that_the_same_is_the_same(seeded: Service) -> None:
    first = seeded.client.get(INCIDENTS)
    seeded.clock.advance(hours=1)
    again = seeded.client.get(INCIDENTS)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert "timeStamp" not in first.json()


@pytest.mark.parametrize("path", ITEMS)
def test_f_op_and_success_and_links(seeded: Service, path: str) -> None:
    [feature] = seeded.get(path, limit=1)["features"]
    answer = seeded.client.get(f"{path}/{feature['id']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, GEOJSON)
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    operation = seeded.get("/openapi.json")["paths"]
    [told] = [operation[p] for p in operation if p.startswith(f"{path}/{{")]
    schema = told["get"]["responses"]["200"]["content"][GEOJSON]["schema"]
    Draft202012Validator(schema).validate(answer.json())
    assert link(answer.json(), "self")["href"].endswith(f"{path}/{feature['id']}")
    assert link(answer.json(), "collection")["href"].endswith(path.removesuffix("/items"))
    for nothing in ("nothing", "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff"):
        assert seeded.client.get(f"{path}/{nothing}").status_code == 404


def test_the_schema_names_every_property_with_the_type_of_its_values(seeded: Service) -> None:
    for name, path in zip(COLLECTIONS, ITEMS, strict=True):
        collection = seeded.get(f"{ROOT}/collections/{name}")
        answer = seeded.client.get(link(collection, "describedby")["href"])
        assert answer.headers["content-type"] == link(collection, "describedby")["type"]
        schema = answer.json()
        told = schema["properties"]["properties"]["properties"]
        valid = Draft202012Validator(schema, validate_formats=True)
        for feature in walk(seeded, path):
            assert list(feature["properties"]) == list(told)
            given = {n: value for n, value in feature["properties"].items() if value is not None}
            drawn = {"geometry": feature["geometry"]} if feature["geometry"] else {}
            valid.validate({"type": "Feature", "id": feature["id"], **drawn, "properties": given})


# Other people's programmes.


@contextmanager
def gdal(**options: str) -> Iterator[None]:
    """Configuration that GDAL is run with."""
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


@contextmanager
def serving(databases: Databases, backend: str) -> Iterator[tuple[Service, str]]:
    """A process that serves the documented incidents, and the same seen from inside."""
    with databases.fresh(backend, "seeds") as url:
        inside = Service(url)
        inside.post(report(21, disclosure={"visibility": "restricted"}), Role.MONITOR)
        try:
            with server(url) as running:
                yield inside, running.base_url + ROOT
        finally:
            inside.close()


def read(address: str, layer: str, **asked: Any) -> tuple[list[Json], list[Any]]:
    """The rows of a layer as GDAL reads it, and their geometries."""
    told, _, geometries, columns = pyogrio.raw.read(f"OAPIF:{address}", layer=layer, **asked)
    rows = [dict(zip(told["fields"], row, strict=True)) for row in zip(*columns, strict=True)]
    return rows, [from_wkb(bytes(each)) if each is not None else None for each in geometries]


def same(row: Json, feature: Json) -> bool:
    """Whether a row is the feature; a number that is unknown is none."""
    return row["id"] == feature["id"] and all(
        row[name] is None or row[name] != row[name] if value is None else plain(row[name]) == value
        for name, value in feature["properties"].items()
    )


def plain(value: Any) -> Any:
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


def test_gdal_reads_what_the_service_tells(databases: Databases, backend: str) -> None:
    with serving(databases, backend) as (service, address):
        layers = {str(name) for name, _ in pyogrio.list_layers(f"OAPIF:{address}")}
        assert layers == {*COLLECTIONS}
        for layer, path in zip(COLLECTIONS, ITEMS, strict=True):
            every = walk(service, path)
            for options in ({}, {"PAGE_SIZE": "5"}, {"INITIAL_REQUEST_PAGE_SIZE": "1"}):
                with gdal(OGR_GEOJSON_DATE_AS_STRING="YES"):
                    rows, geometries = read(address, layer, **options)
                assert len(rows) == len(every)
                assert all(map(same, rows, every))
                drawn = [f["geometry"] and shape(f["geometry"]) for f in every]
                assert all(
                    read is None if told is None else read.equals(told)
                    for read, told in zip(geometries, drawn, strict=True)
                )
            assert None in geometries or layer == "sectors"
            information = pyogrio.read_info(f"OAPIF:{address}", layer=layer)
            assert information["features"] == len(every)
            assert information["crs"] in ("EPSG:4326", "OGC:CRS84")
            [box] = service.get(f"{ROOT}/collections/{layer}")["extent"]["spatial"]["bbox"]
            assert information["total_bounds"] == pytest.approx(tuple(box))


def test_gdal_knows_the_types_where_nobody_gave_a_value(service: Service) -> None:
    service.post({**report(3), "casualties": [], "where": {"place": "Lachin"}})
    with server(service.url) as running:
        told = pyogrio.read_info(f"OAPIF:{running.base_url}{ROOT}", layer="incidents")
    kinds = dict(zip(told["fields"], told["ogr_types"], strict=True))
    assert kinds["captured_low"] == kinds["killed_high"] == kinds["reports"] == "OFTInteger"
    # Compared with a date, a date would be taken for the parameter `datetime`.
    assert (kinds["start"], kinds["earliest"]) == ("OFTString", "OFTString")
    assert (kinds["weapons"], kinds["title"]) == ("OFTStringList", "OFTString")


def test_gdal_filters_by_box_and_attribute(databases: Databases, backend: str) -> None:
    with serving(databases, backend) as (service, address):
        every = walk(service, INCIDENTS)
        box = (46.3, 39.3, 46.8, 39.9)
        rows, geometries = read(address, "incidents", bbox=box)
        # The driver itself passes over what has no geometry.
        placed = [f for f in every if f["geometry"] and within(box, f)]
        assert 0 < len(placed) < len([f for f in every if f["geometry"]])
        assert [row["id"] for row in rows] == ids(placed)
        assert all(rectangle(*box).covers(each) for each in geometries)
        for where, expected in (
            ("sector = 'line-of-contact'", lambda p: p["sector"] == "line-of-contact"),
            ("killed_low >= 10", lambda p: (p["killed_low"] or 0) >= 10),
            # As GDAL writes days, unless it is told otherwise.
            ("start >= '2020/09/27'", lambda p: (p["start"] or "") >= "2020-09-27"),
            ("\"end\" < '2020/09/27'", lambda p: "" < (p["end"] or "") < "2020-09-27"),
            ("contested = 1 AND episode = 0", lambda p: p["contested"] and not p["episode"]),
        ):
            rows, _ = read(address, "incidents", where=where)
            wanted = [f["id"] for f in every if expected(f["properties"])]
            assert 0 < len(wanted) < len(every), where
            assert [row["id"] for row in rows] == wanted, where
        with gdal(OGR_GEOJSON_DATE_AS_STRING="YES"):
            rows, _ = read(address, "incidents", where="start = '2022-08-03'")
        assert {row["start"] for row in rows} == {"2022-08-03"}
        rows, _ = read(address, "incidents", where=f"id = '{every[-1]['id']}'")
        assert [row["id"] for row in rows] == [every[-1]["id"]]
        rows, _ = read(address, "sectors", where="level = 1")
        assert [row["id"] for row in rows] == [
            each["id"] for each in walk(service, SECTORS) if each["properties"]["level"] == 1
        ]


def test_gdal_with_a_key_reads_what_its_holder_is_shown(databases: Databases, backend: str) -> None:
    with serving(databases, backend) as (service, address):
        key = service.key(Role.REVIEWER)
        public, _ = read(address, "incidents")
        with gdal(GDAL_HTTP_AUTH="BEARER", GDAL_HTTP_BEARER=key):
            everything, _ = read(address, "incidents", PAGE_SIZE="10")
        assert [row["id"] for row in everything] == ids(walk(service, INCIDENTS, Role.REVIEWER))
        assert len(everything) == len(public) + 1


def test_owslib_reads_what_the_service_tells(databases: Databases, backend: str) -> None:
    with serving(databases, backend) as (service, address):
        client = Features(address)
        assert client.conformance() == service.get(f"{ROOT}/conformance")
        assert client.feature_collections() == [*COLLECTIONS]
        for name, path in zip(COLLECTIONS, ITEMS, strict=True):
            assert client.collection(name)["id"] == name
            assert "properties" in client.collection_schema(name)
            every = walk(service, path)
            page = client.collection_items(name, limit=5)
            assert (page["numberMatched"], page["features"]) == (len(every), every[:5])
            for feature in every[:3]:
                single = client.collection_item(name, feature["id"])
                assert single["properties"] == feature["properties"]
        box, span = [46.3, 39.3, 46.8, 39.9], "2020-09-01T00:00:00Z/.."
        found = client.collection_items("incidents", bbox=box, datetime_=span, limit=100)
        expected = [
            each
            for each in walk(service, INCIDENTS)
            if within((46.3, 39.3, 46.8, 39.9), each) and known(each)[1] >= "2020-09-01"
        ]
        assert 0 < len(expected) < len(walk(service, INCIDENTS))
        assert found["features"] == expected
        with pytest.raises(RuntimeError, match="is not a known field"):
            client.collection_items("incidents", offset=5)


def test_owslib_pages_along_the_links_with_a_key(databases: Databases, backend: str) -> None:
    with serving(databases, backend) as (service, address):
        client = Features(
            address, headers={"Authorization": f"Bearer {service.key(Role.REVIEWER)}"}
        )
        page = client.collection_items("incidents", limit=20)
        found = page["features"]
        while following := links(page, "next"):
            [cursor] = parse_qs(urlsplit(following[0]["href"]).query)["cursor"]
            page = client.collection_items("incidents", limit=20, cursor=cursor)
            found += page["features"]
        assert found == walk(service, INCIDENTS, Role.REVIEWER)
