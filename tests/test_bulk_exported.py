"""What is exported can be uploaded again; a long upload needs no more memory than a short one."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.store import tables
from tests.harness import JSON, Databases, Service
from tests.oracle import everything
from tests.processes import server
from tests.reckoning import OUTCOMES, Json

# What a poster may set; the rest is decided or derived here.
POSTED = ("when", "timezone", "claimant", "attributed_to", "stance", "reported", "summary")
SAME = (*POSTED, "start", "end", "lasted", "casualties", "about", "unmapped", "disclosure")
PLAIN: Json = {"when": "2022-09-30", "claimant": "a monitor"}
# Shown to some, at some time, and not where exactly.
DISCLOSED: tuple[Json, ...] = (
    {"where": {"lat": 39.6412, "lon": 46.5463}, "disclosure": {"place": "settlement"}},
    {"where": {"lat": 39.6412, "lon": 46.5463}, "disclosure": {"place": "grid"}},
    {"where": {"place": "Lachin"}, "disclosure": {"place": "settlement"}},
    {"where": {"place": "Lachin"}, "disclosure": {"visibility": "partners"}},
    {"where": {"lat": 39.6412, "lon": 46.5463}, "disclosure": {"visibility": "restricted"}},
    {"where": {"place": "Hadrut"}, "disclosure": {"embargo": "2022-12-01T00:00Z"}},
)


@pytest.mark.parametrize("role", [Role.ANONYMOUS, Role.REVIEWER])
def test_exported_csv_uploaded_to_an_empty_service_gives_the_same_reports(
    seeded: Service, databases: Databases, backend: str, role: Role
) -> None:
    for report in DISCLOSED:
        seeded.post({**PLAIN, **report})
    seeded.post(
        {
            "when": "2022-09-30T14:30",
            "timezone": "Asia/Yerevan",
            "where": {"place": "Lachin"},
            "claimant": "a monitor",
            "casualties": [{"killed": {"words": "a handful"}}, {"party": "armenia", "wounded": 2}],
        }
    )
    parameters = {"format": "csv", "limit": 500}
    export = seeded.client.get(
        "/v1/reports", params=parameters, headers=seeded.headers(role)
    ).content
    with databases.fresh(backend, "reference") as url:
        other = Service(url)
        try:
            account = upload(other, export, "text/csv")
            assert account["created"] == account["read"]
            assert {"status", "basis", "grade", "received"} <= set(account["ignored"])
            assert not [name for name in account["ignored"] if name.startswith("disclosure")]
            compare(seeded, other, SAME, role)
            assert other.wrong_accounts() == []
        finally:
            other.close()


def test_listed_reports_uploaded_as_json_lines_give_the_same_reports(
    seeded: Service, databases: Databases, backend: str
) -> None:
    for report in DISCLOSED:
        seeded.post({**PLAIN, **report})
    role = Role.REVIEWER
    lines = [json.dumps(as_posted(item)) for item in everything(seeded, "/v1/reports", role=role)]
    with databases.fresh(backend, "reference") as url:
        other = Service(url)
        try:
            account = upload(other, "\n".join(lines).encode(), "application/x-ndjson")
            assert account["created"] == account["read"]
            compare(seeded, other, (*SAME, "weapons", "sources"), role)
        finally:
            other.close()


# What a table has no column of its own for, and what spreadsheets and parsers stumble over.
AWKWARD: tuple[Json, ...] = (
    {
        "when": "2022-09-13T00:05",
        "timezone": "Asia/Yerevan",
        "where": {"lat": 39.84, "lon": 45.67, "precision": "settlement", "as_written": "=SUM(A1)"},
        "claimant": "armenian-officials",
        "weapons": [
            "uav-strike",
            {"weapon": "mortar", "calibre_mm": 82},
            {"weapon": "small-arms", "calibre_mm": 7.62},
        ],
        "casualties": [{"party": "armenia", "killed": {"low": 49, "words": "at least 49"}}],
        "sources": [
            {"title": "=HYPERLINK(1)", "published": "2022-09-13", "url": "https://example.org/1"},
            {"title": "Morning, statement", "publisher": "@ministry"},
            {"title": 'A "third"', "locator": "-2 p. 7"},
        ],
        "summary": '+374\nsecond line; and "more"',
    },
    {
        "when": "2022-09-14",
        "where": {"place": "Lachin"},
        "claimant": "'=residents",
        "attributed_to": "azerbaijan",
        "weapons": [
            "grad:9",
            "a; b",
            "back\\",
            "colon:",
            "\\:5",
            {"weapon": "grad:9", "calibre_mm": 122.4},
            {"weapon": "back\\", "calibre_mm": 1},
        ],
        "casualties": [
            {"party": "armenia", "group": "military", "killed": 2, "wounded": 0},
            {"party": "nk-de-facto", "missing": {"words": "several"}, "displaced": {"low": 3}},
            {"group": "civilian", "captured": {"low": 1, "best": 2, "high": 4, "words": "-2"}},
        ],
        "sources": [{"title": "'quoted"}, {"title": "\tindented"}],
    },
    {
        "when": "2022-08",
        "where": {"lat": 0.00001, "lon": 0.12345678901234567},
        "claimant": "residents",
        "weapons": [{"weapon": "cannon", "calibre_mm": 0.00002}],
        "sources": [{"title": "First"}, {"title": "Second"}],
        "disclosure": {"visibility": "restricted"},
    },
    {"when": "2021", "where": {"sector": "lachin-corridor"}, "claimant": "residents"},
)
READ_ANEW = ("revision", "incident", "origin", "received", "reported")
OPEN_FEED: Json = {
    "url": "https://example.org/reports.csv",
    "source": "the-other-tracker",
    "format": "reports",
}


def test_an_export_run_as_a_feed_elsewhere_gives_the_same_reports_and_sums(
    service: Service, databases: Databases, backend: str
) -> None:
    # Months apart, so that none is compared with another: which is flagged depends on their order.
    apart = ({**PLAIN, **each, "when": f"2022-0{i}-20"} for i, each in enumerate(DISCLOSED, 1))
    for report in (*AWKWARD, *apart):
        service.post(report)
    export = exported(service)
    with databases.fresh(backend, "reference") as url:
        other = Service(url)
        try:
            answer = other.client.put(
                "/v1/feeds/theirs", json=OPEN_FEED, headers=other.headers(Role.ADMIN)
            )
            assert answer.status_code == 200, answer.text
            account = fed(other, export)["account"]
            expected = len(AWKWARD) + len(DISCLOSED)
            assert (account["created"], account["read"]) == (expected, expected)
            here, there = as_told(service), as_told(other)
            assert here.keys() == there.keys()
            for name, told in here.items():
                assert there[name] == told
            for by in ("", "sector", "weapon", "party", "claimant"):
                asked = {"period": "month", "by": by, "fill": "none", "role": Role.REVIEWER}
                assert sums(other, **asked) == sums(service, **asked)
                public = {**asked, "role": Role.ANONYMOUS}
                assert sums(other, **public) == sums(service, **public)
            before = exported(other), as_told(other)
            again = fed(other, export)["account"]
            assert (again["unchanged"], again["read"]) == (expected, expected)
            assert (exported(other), as_told(other)) == before
            assert other.wrong_accounts() == []
        finally:
            other.close()


def test_the_export_holds_a_source_a_row_and_calibres_behind_their_weapons(
    service: Service,
) -> None:
    for report in AWKWARD[:2]:
        service.post(report)
    later, earlier = AWKWARD[1], AWKWARD[0]
    rows = list(csv.DictReader(io.StringIO(exported(service).decode(), newline="")))
    assert [row["when"] for row in rows] == [later["when"]] * 3 + [earlier["when"]] * 3
    assert rows[3]["weapons"] == "uav-strike;mortar:82;small-arms:7.62"
    titles = [row["sources.title"] for row in rows]
    assert titles[:3] == ["'quoted", "'\tindented", "'quoted"]
    assert titles[3:] == ["'=HYPERLINK(1)", "Morning, statement", 'A "third"']
    assert [row["casualties.killed.low"] for row in rows] == ["2", "", "", "49", "", ""]


def exported(service: Service) -> bytes:
    """All reports in the order of their ids, as reviewers see them."""
    answer = service.client.get(
        "/v1/reports",
        params={"format": "csv", "limit": 500},
        headers=service.headers(Role.REVIEWER),
    )
    assert answer.status_code == 200
    return answer.content


def fed(service: Service, content: bytes) -> Json:
    """How a file ended that was given in the place of what a source would give."""
    answer = service.client.post(
        "/v1/feeds/theirs/runs", content=content, headers=service.headers(Role.IMPORTER)
    )
    assert answer.status_code == 202, answer.text
    ended: Json = service.get(f"/v1/imports/{answer.json()['id']}", Role.REVIEWER)
    assert ended["state"] == "done", ended
    assert ended["account"]["rejected"] == 0, ended
    return ended


def as_told(service: Service) -> dict[str, Json]:
    """What reports say as reviewers see it, apart from when and by which way they came."""
    items = everything(service, "/v1/reports", role=Role.REVIEWER)
    return {
        item["id"]: {name: value for name, value in item.items() if name not in READ_ANEW}
        for item in items
    }


def sums(service: Service, role: Role, **asked: Any) -> Json:
    answer: Json = service.get("/v1/aggregates", role, **asked)
    return answer


def upload(service: Service, content: bytes, media: str) -> Json:
    headers = service.headers(**{"Content-Type": media})
    answer = service.client.post("/v1/reports/bulk", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    summary: Json = json.loads(answer.text.splitlines()[-1])["summary"]
    return summary


def compare(one: Service, other: Service, names: tuple[str, ...], role: Role) -> None:
    first = {item["id"]: item for item in everything(one, "/v1/reports", role=role)}
    second = {item["id"]: item for item in everything(other, "/v1/reports", role=role)}
    assert first.keys() == second.keys()
    assert said_about(other) == said_about(one)
    for name, item in first.items():
        for field in names:
            assert known_there(second[name], field) == known_there(item, field), field
        assert second[name]["where"] == item["where"]


def known_there(item: Json, field: str) -> Any:
    """What a denial is about need not have arrived before it."""
    if field == "unmapped" and item["about"]:
        return [name for name in item[field] if name != "about"]
    if field == "about" and item["about"]:
        # Incidents are not brought along, and nobody is pointed to one that is not there.
        return {**item["about"], "incident": None}
    return item[field]


def said_about(service: Service) -> dict[str, Json]:
    """What was posted of what each report speaks of."""
    with service.database.reading() as session:
        rows = session.scalars(sa.select(tables.Report)).all()
        posted = {row.id: row.record["posted"].get("about") or {} for row in rows}
    return {name: {k: v for k, v in about.items() if v} for name, about in posted.items() if about}


def as_posted(item: Json) -> Json:
    given = {name: item[name] for name in ("id", *POSTED) if item[name] is not None}
    where = {k: v for k, v in item["where"].items() if v is not None}
    about = {k: v for k, v in (item["about"] or {}).items() if v is not None}
    return {
        **given,
        **({"about": about} if about else {}),
        "disclosure": without_nulls(item["disclosure"]),
        "where": {k: v for k, v in where.items() if k not in ("place_id", "display")},
        "weapons": [
            {k: v for k, v in weapon.items() if k != "schemes" and v is not None}
            for weapon in item["weapons"]
        ],
        "casualties": [
            {
                name: without_nulls(value) if name in (*OUTCOMES, "displaced") else value
                for name, value in line.items()
                if value is not None
            }
            for line in item["casualties"]
        ],
        "sources": [without_nulls(source) for source in item["sources"]],
    }


def without_nulls(value: Json) -> Json:
    return {k: v for k, v in value.items() if v is not None}


@pytest.fixture
def served(databases: Databases) -> Iterator[tuple[str, str, int]]:
    """A server of its own: its address, a key, and its process."""
    with databases.fresh("sqlite", "reference") as url:
        prepared = Service(url)
        key = prepared.key()
        prepared.close()
        with server(url) as running:
            yield running.base_url, key, running.process.pid


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_twenty_thousand_lines_take_no_more_memory_than_two_thousand(
    served: tuple[str, str, int],
) -> None:
    address, key, process = served
    headers = {**JSON, "Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    peaks = []
    for count in (2_000, 20_000):
        answer = httpx2.post(
            f"{address}/v1/reports/bulk", content=many(count), headers=headers, timeout=120
        )
        assert answer.status_code == 200
        *outcomes, last = answer.text.splitlines()
        assert len(outcomes) == last_of(last)["read"] == count
        peaks.append(peak_memory(process))
    assert peaks[1] - peaks[0] < 12_000


def many(count: int) -> Iterator[bytes]:
    """A few hundred reports told again and again, a kilobyte a line."""
    summary = "shelling " * 100
    for number in range(count):
        report = {
            "id": f"0199bbbb-0000-7000-8000-{number % 400:012x}",
            "when": f"2022-0{number % 400 % 9 + 1}-{number % 400 % 28 + 1:02}",
            "where": {"sector": "rear"},
            "claimant": "a feed",
            "summary": summary,
        }
        yield json.dumps(report).encode() + b"\n"


def last_of(line: str) -> Any:
    return json.loads(line)["summary"]


def peak_memory(process: int) -> int:
    """In KiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
