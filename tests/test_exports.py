"""Every list and sum in every format: the same rows, read back by whoever else reads them."""

import csv
import io
import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest

from service.domain.access import Role
from service.domain.method import METHOD_VERSION
from service.domain.queries import Dimension
from service.formats.exports.registry import MEDIA
from tests.harness import Service
from tests.oracle import everything
from tests.reckoning import Json

FORMATS = tuple(MEDIA.values())
OFFICE = shutil.which("soffice")
LISTS = ("/v1/reports", "/v1/incidents", "/v1/tallies", "/v1/coverage")
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
READERS = (Role.ANONYMOUS, Role.MONITOR, Role.PARTNER, Role.REVIEWER)
FORMULAS = ("=1+1", "+1", "-1", "@x", "\tx", "'=1+1", '=HYPERLINK("https://x.example")')
ODD = (
    "<r><t>rich</t></r>",
    "_x0041_",
    "a\x01b",
    "line\r\nbreak",
    "x" * 19_000,
    "https://x.example",
)


def export(service: Service, path: str, role: Role = Role.ANONYMOUS, **asked: Any) -> Any:
    answer = service.client.get(path, params=asked, headers=service.headers(role))
    assert answer.status_code == 200, answer.text
    return answer


def ids_in(answer: Any, name: str) -> list[str]:
    """The ids of an export's items in their order, each once."""
    content = io.BytesIO(answer.content)
    match name:
        case "csv":
            # In text only what is empty is missing; no word stands for it.
            found = pd.read_csv(content, dtype=str, keep_default_na=False)["id"].tolist()
        case "ndjson":
            found = [json.loads(line)["id"] for line in answer.content.splitlines()]
        case "geojson":
            found = [feature["id"] for feature in answer.json()["features"]]
        case "parquet":
            found = pd.read_parquet(content)["id"].tolist()
        case "xlsx":
            found = pd.read_excel(content, dtype=str, engine="openpyxl")["id"].tolist()
    return list(dict.fromkeys(found))


@pytest.fixture
def told(seeded: Service) -> Service:
    """Reports and tallies that some are shown and others are not."""
    base: Json = {"when": "2022-09-20", "claimant": "a monitor"}
    sent = [
        {"where": {"lat": 39.6412, "lon": 46.5463}, "disclosure": {"place": "settlement"}},
        {"where": {"lat": 39.6412, "lon": 46.5463}, "disclosure": {"place": "grid"}},
        {"where": {"place": "Lachin"}, "disclosure": {"visibility": "partners"}},
        {"where": {"place": "Hadrut"}, "disclosure": {"visibility": "restricted"}},
        {"where": {"sector": "lachin-corridor"}, "disclosure": {"embargo": "2022-12-01T00:00Z"}},
    ]
    for report in sent:
        seeded.post({**base, **report})
    seeded.post({**base, "where": {"place": "Lachin"}}, Role.MONITOR)
    claims: list[Json] = [
        {"claimant": "azerbaijan-mod", "count": 182, "sector": "line-of-contact"},
        {"claimant": "nk-de-facto-authorities", "count": {"words": "about 180"}},
        {"claimant": "=1+1", "count": {"low": 3}, "sector": "rear", "note": "-1"},
    ]
    for claim in claims:
        span = {"from": "2019-03-17T00:00+04:00", "to": "2019-03-24T00:00+04:00"}
        seeded.act("/v1/tallies", {**span, "unit": "violations", **claim}, Role.IMPORTER)
    return seeded


@pytest.mark.parametrize("path", LISTS)
def test_an_export_has_the_rows_of_all_pages_for_every_reader(told: Service, path: str) -> None:
    seen = set()
    for role in READERS:
        items = list(everything(told, path, role=role))
        for name in FORMATS:
            answer = export(told, path, role, format=name)
            assert answer.headers["X-Total-Count"] == str(len(items))
            assert ids_in(answer, name) == [item["id"] for item in items], (role, name)
        lines = export(told, path, role, format="ndjson").content.splitlines()
        assert [json.loads(line) for line in lines] == items
        seen.add(len(items))
    assert len(seen) == (4 if path == "/v1/reports" else 3 if path == "/v1/incidents" else 1)


def values(item: Json) -> Json:
    """An item of a list as a flat row, by the names of columns."""
    flat: Json = {}
    for name, value in item.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in values(value).items()}
        else:
            flat[name] = value
    return flat


def test_cells_say_what_json_says(told: Service) -> None:
    for path in LISTS:
        for role in (Role.ANONYMOUS, Role.REVIEWER):
            items = [values(item) for item in everything(told, path, role=role)]
            table = pq.read_table(io.BytesIO(export(told, path, role, format="parquet").content))
            book = io.BytesIO(export(told, path, role, format="xlsx").content)
            sheet = openpyxl.load_workbook(book).worksheets[0]
            in_csv = export(told, path, role, format="csv").text
            first: dict[str, tuple[Json, Json]] = {}
            rows = csv.DictReader(io.StringIO(in_csv, newline=""))
            names, *cells = sheet.iter_rows(values_only=True)
            for row, told_there in zip(rows, cells, strict=True):
                known = dict(zip(map(str, names), told_there, strict=True))
                first.setdefault(row["id"], (row, known))
            for item, record in zip(items, table.to_pylist(), strict=True):
                row, known = first[item["id"]]
                for name in set(record) - {"weapons"} - set(NESTED):
                    value = item.get(name)
                    assert record[name] == typed(record[name], value), (path, name)
                    assert known[name] == in_a_sheet(known[name], value), (path, name)
                    assert row[name].removeprefix("'") == as_text(value).removeprefix("'")
                for name in NESTED & set(record):
                    assert [filled(each) for each in record[name]] == [
                        filled(each) for each in item[name]
                    ]


NESTED = {"casualties", "sources"}


def filled(value: Any) -> Any:
    """Without what is null: a typed table has every field of a line."""
    if not isinstance(value, dict):
        return value
    told = {name: filled(each) for name, each in value.items()}
    return {name: each for name, each in told.items() if each not in (None, {})} or None


def typed(there: Any, value: Any) -> Any:
    if isinstance(there, date) and isinstance(value, str):
        return date.fromisoformat(value)
    return value


def in_a_sheet(there: Any, value: Any) -> Any:
    if isinstance(value, list):
        return ";".join(value) or None
    if isinstance(there, datetime) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value or (value if value in (0, False) and value != "" else None)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ";".join(value)
    return "" if value is None else str(value)


FILTERS: list[Json] = [
    {"from": "2022-08", "to": "2022-09"},
    {"sector": "lachin-corridor"},
    {"sector": "unlocated", "clock": "reported"},
    {"status": "verified"},
    {"claimant": "armenian-officials", "order": "oldest"},
    {"according_to": "armenian-officials", "clock": "received"},
    {"bbox": "46,39,47,40"},
    {"as_of": "changes:60"},
    {"q": "talish"},
]


@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_every_filter_selects_the_same_in_every_format(told: Service, asked: Json) -> None:
    for path in LISTS[:2]:
        wanted = [item["id"] for item in everything(told, path, **asked)]
        for name in FORMATS:
            answer = export(told, path, format=name, **asked)
            assert ids_in(answer, name) == wanted, (path, name)
            assert answer.headers["X-Total-Count"] == str(len(wanted))


def test_the_list_behind_a_cell_is_exported_as_it_is_listed(told: Service) -> None:
    cells = told.aggregates(period="year", by="sector", fill="none")["cells"]
    for cell in cells[:12]:
        items = told.client.get(f"{cell['incidents_url']}&limit=500").json()["items"]
        for name in ("csv", "ndjson"):
            answer = told.client.get(f"{cell['incidents_url']}&format={name}")
            assert ids_in(answer, name) == [item["id"] for item in items]
            assert answer.headers["X-Total-Count"] == str(len(items))


@pytest.mark.parametrize("by", ["", *Dimension, "sector,weapon"])
def test_sums_are_the_same_in_every_format(told: Service, by: str) -> None:
    asked = {"period": "quarter", "by": by, "fill": "none"}
    whole = told.aggregates(**asked)
    cells = whole["cells"]
    frames = {
        "csv": pd.read_csv(io.BytesIO(export(told, SUMS, format="csv", **asked).content)),
        "parquet": pd.read_parquet(
            io.BytesIO(export(told, SUMS, format="parquet", **asked).content)
        ),
        "xlsx": pd.read_excel(io.BytesIO(export(told, SUMS, format="xlsx", **asked).content)),
        "geojson": pyogrio.read_arrow(
            io.BytesIO(export(told, SUMS, format="geojson", **asked).content)
        )[1].to_pandas(),
    }
    for name, frame in frames.items():
        assert len(frame) == len(cells), name
        for column in ("incidents", "episodes", "figures.killed.low", "figures.wounded.unknown"):
            path = column.split(".")
            wanted = sum(known_at(cell, path) for cell in cells)
            assert frame[column].fillna(0).sum() == wanted, (name, column)
        assert frame["period"].astype(str).tolist() == [cell["period"] for cell in cells]
    lines = export(told, SUMS, format="ndjson", **asked).content.splitlines()
    there = [json.loads(line) for line in lines]
    assert [{**c, "incidents_url": ""} for c in there] == [
        {**c, "incidents_url": ""} for c in cells
    ]
    for name in FORMATS:
        answer = export(told, SUMS, format=name, **asked)
        assert answer.headers["X-Total-Count"] == str(len(cells))


SUMS = "/v1/aggregates"


def known_at(value: Any, path: list[str]) -> int:
    for part in path:
        value = value[part]
    return value or 0


def test_licence_method_and_question_are_inside(told: Service) -> None:
    for path in ("/v1/reports", "/v1/incidents", SUMS, "/v1/sectors"):
        asked = {"format": "parquet"}
        wanted = {
            "licence": LICENCE,
            "method_version": METHOD_VERSION,
            "asked": f"{path}?{urlencode(asked)}",
            "total": export(told, path, **asked).headers["X-Total-Count"],
        }
        file = pq.ParquetFile(io.BytesIO(export(told, path, **asked).content))
        metadata = {k.decode(): v.decode() for k, v in file.schema_arrow.metadata.items()}
        assert wanted.items() <= metadata.items()
        collection = export(told, path, format="geojson").json()
        for name in ("licence", "method_version"):
            assert collection[name] == wanted[name]
        book = openpyxl.load_workbook(io.BytesIO(export(told, path, format="xlsx").content))
        about = dict(book["about"].iter_rows(values_only=True))
        assert (about["licence"], about["method_version"]) == (LICENCE, METHOD_VERSION)
        assert LICENCE in book.properties.description
        for name in ("json", *FORMATS):
            answer = export(told, path, format=name)
            assert answer.headers["X-Method-Version"] == METHOD_VERSION
            assert answer.links["license"]["url"] == LICENCE
    sums = told.aggregates()["total"]
    there = export(told, SUMS, format="geojson").json()["sums"]
    assert there["figures"] == sums["figures"]


def test_the_same_data_are_the_same_bytes(told: Service) -> None:
    for path in ("/v1/incidents", "/v1/sectors"):
        for name in FORMATS:
            one, other = (export(told, path, format=name) for _ in range(2))
            assert one.content == other.content
            assert one.headers["ETag"] == other.headers["ETag"]


def test_accept_chooses_a_format_and_what_nobody_makes_is_json(told: Service) -> None:
    for media, name in MEDIA.items():
        for accepted in (
            media,
            f"application/json;q=0.5, {media}",
            f"text/html, {media}, */*;q=0.1",
        ):
            answer = told.client.get("/v1/coverage", headers={"Accept": accepted})
            assert answer.headers["Content-Type"].partition(";")[0] == media, name
            assert "Accept" in answer.headers["Vary"]
    for accepted in ("", "text/html", "*/*", "text/csv;q=0", "text/csv;q=x", "image/png, */*"):
        answer = told.client.get("/v1/coverage", headers={"Accept": accepted})
        assert answer.headers["Content-Type"] == "application/json", accepted
    by_name = told.client.get("/v1/coverage?format=json", headers={"Accept": "text/csv"})
    assert by_name.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", [*LISTS, SUMS, "/v1/sectors", "/v1/aggregates/tallies"])
def test_what_cannot_be_is_refused(service: Service, path: str) -> None:
    for asked, field in (
        ({"format": "xml"}, "format"),
        ({"format": "CSV"}, "format"),
        ({"hxl": "true"}, "hxl"),
        ({"hxl": "true", "format": "parquet"}, "hxl"),
    ):
        answer = service.client.get(path, params=asked)
        assert answer.status_code == 422, asked
        assert answer.json()["errors"][0]["field"] == field


def test_hashtags_stand_below_the_header(told: Service) -> None:
    for path in (*LISTS, SUMS, "/v1/places"):
        plain = export(told, path, format="csv").text.splitlines()
        tagged = export(told, path, format="csv", hxl="true").text.splitlines()
        assert [tagged[0], *tagged[2:]] == plain
        tags = tagged[1].split(",")
        assert len(tags) == len(set(tags)) == len(plain[0].split(","))
        for tag in tags:
            assert tag.startswith("#")
        book = export(told, path, format="xlsx", hxl="true").content
        rows = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0].iter_rows(values_only=True)
        next(rows)
        assert list(next(rows)) == tags


def test_a_page_says_where_the_next_begins_and_all_pages_are_the_whole(told: Service) -> None:
    for path in LISTS[:2]:
        for name in FORMATS:
            wanted = ids_in(export(told, path, format=name), name)
            found: list[str] = []
            url: str | None = f"{path}?limit=40&format={name}"
            while url:
                answer = told.client.get(url)
                assert "X-Total-Count" not in answer.headers
                found += ids_in(answer, name)
                url = answer.links.get("next", {}).get("url")
            assert found == wanted


@pytest.mark.parametrize("path", LISTS)
def test_the_rest_of_an_export_is_had_by_its_last_row(told: Service, path: str) -> None:
    whole = export(told, path, format="ndjson")
    lines = whole.content.splitlines()
    wanted = [json.loads(line)["id"] for line in lines]
    for at in {0, len(wanted) // 2, len(wanted) - 1}:
        for name in ("ndjson", "csv"):
            held = export(told, path, format=name).headers["ETag"]
            rest = told.client.get(
                path, params={"format": name, "after": wanted[at]}, headers={"If-Match": held}
            )
            assert rest.status_code == 200
            assert rest.headers["X-Total-Count"] == str(len(wanted) - at - 1)
            if rest.headers["X-Total-Count"] != "0":
                assert ids_in(rest, name) == wanted[at + 1 :]
    told.post({"when": "2022-09-01", "claimant": "x", "where": {"place": "Lachin"}})
    stale = told.client.get(
        path,
        params={"format": "ndjson", "after": wanted[0]},
        headers={"If-Match": whole.headers["ETag"]},
    )
    assert stale.status_code == 412
    again = told.client.get(path, params={"format": "ndjson", "after": wanted[0]})
    assert again.status_code == 200


def test_a_cursor_of_a_page_begins_an_export(told: Service) -> None:
    for path in LISTS[:2]:
        page = told.get(path, limit=7)
        wanted = [item["id"] for item in everything(told, path)][7:]
        assert ids_in(export(told, path, format="csv", cursor=page["next"]), "csv") == wanted


def test_rows_that_are_not_shown_begin_nothing(told: Service) -> None:
    hidden = {item["id"] for item in everything(told, "/v1/reports", role=Role.REVIEWER)} - {
        item["id"] for item in everything(told, "/v1/reports")
    }
    assert len(hidden) == 4
    shown = told.get("/v1/reports", claimant="armenian-officials")["items"][0]["id"]
    answers = {
        told.client.get("/v1/reports", params={"format": "csv", "after": row, **more}).text
        for row, more in (
            *((row, {}) for row in hidden),
            ("01840000-0000-7000-8000-00000000ffff", {}),
            (shown, {"claimant": "a monitor"}),
        )
    }
    assert len(answers) == 1
    assert '"after"' in answers.pop()
    for more in ({}, {"format": "csv", "limit": 3}, {"format": "json"}):
        refused = told.client.get("/v1/reports", params={"after": shown, **more})
        assert refused.status_code == 422


def test_no_cell_is_executed_and_none_is_lost(service: Service) -> None:
    texts = [*FORMULAS, *ODD]
    for text in texts:
        sent = {"when": "2022-09-01", "claimant": "x", "where": {"place": "Lachin"}}
        service.post({**sent, "summary": text})
    listed = {item["id"]: item["summary"] for item in service.get("/v1/reports")["items"]}
    content = export(service, "/v1/reports", format="xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    names, *rows = sheet.iter_rows()
    where = [cell.value for cell in names].index("summary")
    assert len(rows) == len(texts)
    for row in rows:
        cell, text = row[where], listed[row[0].value]
        assert cell.data_type == "s"
        assert cell.hyperlink is None
        assert openpyxl.utils.escape.unescape(cell.value).rstrip(" ") == text
    frame = pd.read_csv(io.BytesIO(export(service, "/v1/reports", format="csv").content))
    cells = frame.set_index("id")["summary"]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    table = pd.read_parquet(
        io.BytesIO(export(service, "/v1/reports", format="parquet").content)
    ).set_index("id")
    assert table["summary"].to_dict() == listed


def rings(geometry: Json) -> Iterator[list[list[float]]]:
    match geometry["type"]:
        case "Polygon":
            yield from geometry["coordinates"]
        case "MultiPolygon":
            for polygon in geometry["coordinates"]:
                yield from polygon


def turns_left(ring: list[list[float]]) -> bool:
    pairs = pairwise(ring)
    return sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairs) < 0


def test_features_are_as_rfc_7946_wants_them(told: Service) -> None:
    for path in ("/v1/sectors", "/v1/coverage", SUMS, "/v1/tallies", "/v1/incidents"):
        collection = export(told, path, format="geojson").json()
        positions = []
        for feature in collection["features"]:
            geometry = feature["geometry"]
            if geometry is None:
                continue
            if geometry["type"] == "Point":
                positions.append(geometry["coordinates"])
                continue
            outer = (
                [geometry["coordinates"]]
                if geometry["type"] == "Polygon"
                else (geometry["coordinates"])
            )
            assert all(turns_left(polygon[0]) for polygon in outer)
            assert not any(turns_left(hole) for polygon in outer for hole in polygon[1:])
            positions += [position for ring in rings(geometry) for position in ring]
        assert positions
        lon, lat = zip(*positions, strict=True)
        assert collection["bbox"] == pytest.approx([min(lon), min(lat), max(lon), max(lat)])


def test_only_published_positions_are_on_the_map(told: Service) -> None:
    for role in READERS:
        for path, name in (("/v1/reports", "where"), ("/v1/incidents", "point")):
            items = list(everything(told, path, role=role))
            features = export(told, path, role, format="geojson").json()["features"]
            for item, feature in zip(items, features, strict=True):
                point = item[name] or {"lat": None, "precision": None}
                placed = point["lat"] is not None and point["precision"] not in (
                    "sector",
                    "theatre",
                )
                wanted = [point["lon"], point["lat"]] if placed else None
                geometry = feature["geometry"]
                assert (geometry and geometry["coordinates"]) == wanted
                assert feature["properties"]["id"] == item["id"] == feature["id"]
    frame = pyogrio.raw.read(
        io.BytesIO(export(told, "/v1/reports", format="geojson").content), columns=["id"]
    )
    assert len(frame[3][0]) == len(list(everything(told, "/v1/reports")))


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_libreoffice_opens_the_same_sums(told: Service, name: str, tmp_path: Path) -> None:
    asked = {"period": "quarter", "by": "sector", "level": "1"}
    (tmp_path / f"sums.{name}").write_bytes(export(told, SUMS, format=name, **asked).content)
    subprocess.run(
        [
            *(str(OFFICE), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"),
            *("--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir"),
            *(tmp_path / "opened", tmp_path / f"sums.{name}"),
        ],
        check=True,
        timeout=120,
        capture_output=True,
    )
    frame = pd.read_csv(tmp_path / "opened" / "sums.csv")
    total = told.aggregates(**asked)["total"]
    for column in ("incidents", "episodes", "reports", "figures.killed.low", "figures.killed.open"):
        assert frame[column].sum() == known_at(total, column.split(".")), column


def test_areas_of_rows_are_the_sectors_outlines(told: Service) -> None:
    outlines: Mapping[str, Json] = {
        feature["id"]: feature["geometry"]
        for feature in export(told, "/v1/sectors", format="geojson").json()["features"]
    }
    located = 0
    for feature in export(told, SUMS, format="geojson").json()["features"]:
        sector = feature["properties"]["sector"]
        assert feature["geometry"] == outlines.get(sector)
        located += sector in outlines
    assert located
    for feature in export(told, "/v1/tallies", format="geojson").json()["features"]:
        assert feature["geometry"] == outlines.get(feature["properties"]["sector"])


def test_columns_of_parquet_have_types(told: Service) -> None:
    types = {
        field.name: str(field.type)
        for path in (*LISTS, SUMS)
        for field in pq.read_schema(io.BytesIO(export(told, path, format="parquet").content))
    }
    for name, wanted in {
        "start": "date32[day]",
        "received": "date32[day]",
        "counted": "bool",
        "figures.killed.low": "int64",
        "where.lat": "double",
        "weapons": "list<element: string>",
        "sectors": "list<element: string>",
        "summary": "string",
    }.items():
        assert types[name] == wanted


def test_random_questions_are_answered_alike_in_every_format(told: Service) -> None:
    numbers = random.Random(11)  # noqa: S311
    for _ in range(25):
        path = numbers.choice(LISTS[:2])
        asked: Json = {}
        for name, choices in CHOICES.items():
            if numbers.random() < 0.25:
                asked[name] = numbers.choice(choices)
        role, name = numbers.choice(READERS), numbers.choice(FORMATS)
        items = list(everything(told, path, role=role, **asked))
        answer = export(told, path, role, format=name, **asked)
        assert answer.headers["X-Total-Count"] == str(len(items))
        if items:
            assert ids_in(answer, name) == [item["id"] for item in items], (path, asked, role, name)


CHOICES: Mapping[str, tuple[str, ...]] = {
    "from": ("2016", "2020-10", "2022-08-02"),
    "to": ("2016-04", "2022-09", "2022-12-31"),
    "clock": ("event", "reported", "received"),
    "sector": ("line-of-contact", "unlocated", "interior"),
    "weapon": ("unstated", "small-arms"),
    "claimant": ("armenian-officials", "a monitor"),
    "counted": ("true", "false"),
    "contested": ("true", "false"),
    "order": ("newest", "oldest"),
    "min_killed": ("0", "2"),
}
