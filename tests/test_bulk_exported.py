"""What is exported can be uploaded again; a long upload needs no more memory than a short one."""

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
