"""Pages, filters and CSV: every list tells the same rows, each once."""

import csv
import io
import random
from typing import Any

import pytest

from tests.harness import Service
from tests.oracle import everything
from tests.reckoning import Json

CLOCKS = {"event": "start", "reported": "reported", "received": "received"}
PATHS = ("/v1/reports", "/v1/incidents")


def report(number: int) -> Json:
    """Reports of a few days, many of them of the same one."""
    return {
        "when": f"2022-09-{number * 7 % 5 + 10:02}",
        "where": {"place": "Lachin"} if number % 2 else {"sector": "armenia-azerbaijan-border"},
        "claimant": "armenian-officials" if number % 3 else "a passer-by",
        "reported": f"2022-09-{number * 3 % 4 + 15:02}",
        "casualties": [{"party": "armenia", "killed": number % 4}],
    }


def posted(service: Service, count: int) -> None:
    for number in range(count):
        service.post(report(number))
        service.clock.advance(hours=7 * (number % 3))


def ids(items: list[Json]) -> list[str]:
    return [item["id"] for item in items]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("clock", CLOCKS)
def test_pages_walk_everything_once_in_both_orders(service: Service, path: str, clock: str) -> None:
    posted(service, 12)
    whole = service.get(path, limit=500, clock=clock)["items"]
    assert len(set(ids(whole))) == 12
    backwards = service.get(path, limit=500, clock=clock, order="oldest")["items"]
    assert ids(backwards) == ids(whole)[::-1]
    for limit in (1, 5, 12):
        for order, wanted in (("newest", whole), ("oldest", backwards)):
            walked = walk(service, path, limit=limit, clock=clock, order=order)
            assert walked == wanted
    times = [item.get(CLOCKS[clock], item.get("first_reported")) for item in backwards]
    if path == "/v1/reports" or clock != "received":
        assert times == sorted(times)


def walk(service: Service, path: str, **asked: Any) -> list[Json]:
    page = service.get(path, **asked)
    items: list[Json] = page["items"]
    while page["next"]:
        assert len(page["items"]) == asked["limit"]
        page = service.get(path, **asked, cursor=page["next"])
        assert page["items"]
        items += page["items"]
    return items


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_rows_inserted_between_pages_cause_no_repeat_and_no_gap(
    service: Service, path: str, clock: str, order: str
) -> None:
    posted(service, 9)
    before = ids(service.get(path, limit=500, clock=clock, order=order)["items"])
    asked = {"limit": 2, "clock": clock, "order": order}
    page = service.get(path, **asked)
    walked = ids(page["items"])
    numbers = random.Random(5)  # noqa: S311
    while page["next"]:
        service.post(report(numbers.randrange(60)))
        service.clock.advance(minutes=1)
        page = service.get(path, **asked, cursor=page["next"])
        walked += ids(page["items"])
        assert len(walked) < 100
    assert len(set(walked)) == len(walked)
    assert [i for i in walked if i in before] == before


@pytest.mark.parametrize("path", PATHS)
def test_a_cursor_goes_with_its_own_question_only(service: Service, path: str) -> None:
    posted(service, 3)
    cursor = service.get(path, limit=1, claimant="armenian-officials")["next"]
    assert service.get(path, limit=2, claimant="armenian-officials", cursor=cursor)["items"]
    other = PATHS[1 - PATHS.index(path)]
    for where, asked in (
        (path, {}),
        (path, {"claimant": "a passer-by"}),
        (path, {"claimant": "armenian-officials", "order": "oldest"}),
        (path, {"claimant": "armenian-officials", "clock": "received"}),
        (other, {"claimant": "armenian-officials"}),
    ):
        answer = service.client.get(where, params={**asked, "cursor": cursor})
        assert answer.status_code == 422, (where, asked)
        assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24=", "WyIyMDIyLTA5LTAxIiwxLDFd", "W10="])
def test_what_is_no_cursor_is_refused(service: Service, cursor: str) -> None:
    answer = service.client.get("/v1/reports", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


FILTERS: list[dict[str, Any]] = [
    {},
    {"from": "2022-08", "to": "2022-08"},
    {"period": "2020-war"},
    {"sector": "line-of-contact"},
    {"sector": "unlocated"},
    {"sector": "unlocated", "level": 2},
    {"sector": "unlocated", "within": "armenia-azerbaijan"},
    {"place": "Talish"},
    {"bbox": "46,39,47,40"},
    {"weapon": "indirect-fire"},
    {"weapon": "unstated"},
    {"claimant": "nk-de-facto-authorities"},
    {"party": "azerbaijan"},
    {"attributed_to": "azerbaijan"},
    {"status": "verified"},
    {"min_killed": 3},
    {"q": "talish"},
    {"clock": "reported", "from": "2022"},
    {"clock": "received", "from": "2022-10-01"},
    {"according_to": "armenian-officials"},
]


@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_a_filter_selects_the_same_in_lists_and_sums(seeded: Service, asked: Json) -> None:
    """An incident of one report is told by it alone, so both lists must agree on it."""
    incidents = list(everything(seeded, "/v1/incidents", counted="true", **asked))
    named = {"period": asked["period"]} if "period" in asked else {"period": "total"}
    sums = seeded.aggregates(**{**asked, **named, "by": "", "fill": "none"})["total"]
    episodes = sum(i["episode"] for i in incidents)
    assert (sums["incidents"] or 0, sums["episodes"] or 0) == (
        len(incidents) - episodes,
        episodes,
    )
    everyone = everything(seeded, "/v1/incidents", counted="true")
    alone = {i["id"] for i in everyone if i["reports"] == 1 and i["part_of"] is None}
    whole = [r for r in everything(seeded, "/v1/reports") if r["incident"] in alone]
    alone -= {r["incident"] for r in whole if not r["counted"]}
    reports = everything(seeded, "/v1/reports", counted="true", **asked)
    assert {r["incident"] for r in reports} & alone == {i["id"] for i in incidents} & alone
    assert incidents


@pytest.mark.parametrize("path", PATHS)
def test_csv_has_the_rows_of_json(seeded: Service, path: str) -> None:
    items = seeded.get(path, limit=500)["items"]
    answer = seeded.client.get(path, params={"limit": 500, "format": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert list(dict.fromkeys(row["id"] for row in rows)) == ids(items)
    by_id = {item["id"]: item for item in items}
    for row in rows:
        item = by_id[row["id"]]
        for column in ("when", "start", "end", "status", "note", "claimant", "summary"):
            if column in row:
                assert row[column].removeprefix("'") == (item[column] or "").removeprefix("'")
    if path == "/v1/reports":
        most = (max(1, len(item["casualties"]), len(item["sources"])) for item in items)
        assert len(rows) == sum(most)
    else:
        killed = {row["id"]: row["figures.killed.low"] for row in rows}
        for item in items:
            figure = item["figures"]["killed"]
            assert killed[item["id"]] == (str(figure["low"]) if figure else "")


def test_csv_of_sums_has_the_cells_of_json(seeded: Service) -> None:
    asked = {"period": "quarter", "by": "sector,party", "from": "2020", "to": "2022"}
    cells = seeded.get("/v1/aggregates", **asked)["cells"]
    text = seeded.client.get("/v1/aggregates", params={**asked, "format": "csv"}).text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(cells)
    for row, cell in zip(rows, cells, strict=True):
        for name in ("period", "start", "sector", "within", "party", "incidents", "coverage"):
            assert row[name] == ("" if cell[name] is None else str(cell[name]))
        for part in ("low", "best", "high", "open", "unknown"):
            value = cell["figures"]["killed"][part]
            assert row[f"figures.killed.{part}"] == ("" if value is None else str(value))
        assert row["incidents_url"] == cell["incidents_url"]


@pytest.mark.parametrize("path", [*PATHS, "/v1/tallies", "/v1/coverage", "/v1/aggregates"])
def test_an_empty_csv_has_its_header(service: Service, path: str) -> None:
    nothing = {"fill": "none"} if path == "/v1/aggregates" else {}
    asked = {"from": "2001-01-01", "to": "2001-01-02", "format": "csv", **nothing}
    answer = service.client.get(path, params=asked)
    assert answer.status_code == 200
    [header] = csv.reader(io.StringIO(answer.text))
    assert {"period", "id"} & set(header)
    by_header = service.client.get(
        path,
        params={k: v for k, v in asked.items() if k != "format"},
        headers={"Accept": "text/csv"},
    )
    assert by_header.text == answer.text


def test_the_next_page_of_a_csv_is_in_its_link_header(service: Service) -> None:
    posted(service, 5)
    rows: list[str] = []
    url: str | None = "/v1/reports?limit=2&format=csv"
    while url is not None:
        answer = service.client.get(url)
        rows += [row["id"] for row in csv.DictReader(io.StringIO(answer.text))]
        url = answer.links.get("next", {}).get("url")
    assert rows == ids(service.get("/v1/reports")["items"])


FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "'=1+1", "''-1", "'plain'", "plain"]


def test_formulas_are_guarded_in_csv_and_come_back_as_they_were(service: Service) -> None:
    for text in FORMULAS:
        service.post({**report(1), "summary": text})
    exported = service.client.get("/v1/reports", params={"format": "csv", "limit": 500}).text
    cells = [row["summary"] for row in csv.DictReader(io.StringIO(exported, newline=""))]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    in_json = {item["summary"] for item in service.get("/v1/reports")["items"]}
    assert in_json == set(FORMULAS)
    uploaded = service.client.post(
        "/v1/reports/bulk",
        content="when,claimant,where.sector,summary\r\n"
        + "".join(f'2022-09-01,x,rear,"{cell}"\r\n' for cell in cells),
        headers=service.headers(**{"Content-Type": "text/csv"}),
    )
    assert f'"created":{len(FORMULAS)}' in uploaded.text
    again = service.get("/v1/reports", claimant="x")["items"]
    assert sorted(item["summary"] for item in again) == sorted(FORMULAS)
