"""Many at once: nothing is lost, nothing is doubled, nobody is answered with a fault of ours."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from service.domain.access import Role
from service.identity import new_id
from service.store.database import Database
from tests.harness import Service
from tests.processes import application, at_once

REPORT = {
    "when": "2022-09-20",
    "where": {"place": "Lachin"},
    "claimant": "a monitor",
    "casualties": [{"killed": 1}],
}
KNOWN = "01850000-0000-7000-8000-000000000001"
ROUNDS = 8


@pytest.fixture
def instances(service: Service) -> Iterator[tuple[TestClient, TestClient]]:
    """Two instances of the application over one database."""
    with application(service.url) as other:
        # Routes are put together on first use; two applications of one process must not do so at
        # the same time, which no server does.
        for client in (service.client, other):
            assert client.get("/nowhere").status_code == 404
        yield service.client, other


def statuses(answers: list[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def patch(client: TestClient, service: Service, change: dict[str, Any], tag: str) -> Any:
    return client.patch(
        f"/v1/reports/{KNOWN}", json=change, headers=service.headers(**{"If-Match": tag})
    )


def test_one_report_sent_fifty_times_at_once_is_recorded_once(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    jobs = [
        partial(
            instances[i % 2].post,
            "/v1/reports",
            json={**REPORT, "id": KNOWN},
            headers=service.headers(),
        )
        for i in range(50)
    ]
    answers = at_once(jobs)
    assert statuses(answers) == {201: 50}
    assert len({answer.content for answer in answers}) == 1
    replays = [a for a in answers if "Idempotency-Replayed" in a.headers]
    assert len(replays) == 49
    rows = service.state()["rows"]
    assert (rows["reports"], rows["incidents"]) == (1, 1)
    assert len(service.get(f"/v1/reports/{KNOWN}/revisions")["items"]) == 1
    assert service.aggregates(period="total", by="")["total"]["reports"] == 1
    assert service.wrong_accounts() == []


def test_one_id_with_many_contents_at_once_keeps_one_of_them(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    texts = [f"account number {i}" for i in range(20)]
    jobs = [
        partial(
            instances[i % 2].post,
            "/v1/reports",
            json={**REPORT, "id": KNOWN, "summary": text},
            headers=service.headers(),
        )
        for i, text in enumerate(texts)
    ]
    answers = at_once(jobs)
    assert statuses(answers) == {201: 1, 409: 19}
    [taken] = [
        text for text, answer in zip(texts, answers, strict=True) if answer.status_code == 201
    ]
    assert service.get(f"/v1/reports/{KNOWN}")["summary"] == taken
    assert service.state()["rows"]["reports"] == 1


WRITERS = 8


def link_many(
    service: Service, clients: tuple[TestClient, TestClient], *, each: int, incidents: int
) -> list[str]:
    """Let eight writers link reports to incidents, in the same order; say what came out wrong."""
    known = [service.post(REPORT)["incident"] for _ in range(incidents)]
    headers = service.headers(Role.REVIEWER)

    def write(writer: int) -> list[httpx2.Response]:
        return [
            clients[writer % 2].post(
                "/v1/reports",
                json={
                    **REPORT,
                    "id": new_id(),
                    "incident": known[number % incidents],
                    "claimant": f"monitor {writer}",
                    "casualties": [{"killed": writer * 100 + number}],
                },
                headers=headers,
            )
            for number in range(each)
        ]

    answers = [a for done in at_once([partial(write, w) for w in range(WRITERS)]) for a in done]
    wrong = [f"answered {a.status_code}" for a in answers if a.status_code != 201]
    for position, incident_id in enumerate(known):
        asked = service.client.get(f"/v1/incidents/{incident_id}")
        if asked.status_code != 200:
            wrong.append(f"answered {asked.status_code}")
            continue
        told = asked.json()
        numbers = range(position, each, incidents)
        if len(told["claims"]) != told["reports"] or told["reports"] != WRITERS * len(numbers) + 1:
            wrong.append(f"{told['reports']} reports, {len(told['claims'])} claims")
        if told["figures"]["killed"]["high"] != (WRITERS - 1) * 100 + numbers[-1]:
            wrong.append(f"figures {told['figures']['killed']}")
    return wrong + [f"differs {wrong_one}" for wrong_one in service.wrong_accounts()]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine writers wait for each other longer than a client should have to."""
    monkeypatch.setattr("service.store.database._PATIENCE_SECONDS", 120)


def test_reports_linked_to_one_incident_at_once_are_all_counted(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    assert link_many(service, instances, each=25, incidents=1) == []
    total = service.aggregates(period="total", by="")["total"]
    assert (total["incidents"], total["reports"]) == (1, WRITERS * 25 + 1)


def test_reports_linked_to_many_incidents_at_once_are_all_counted(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    for database in databases_of(instances):
        pause_before_deriving(database)
    assert link_many(service, instances, each=10, incidents=10) == []


def test_without_transactions_the_same_writing_goes_wrong(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    for database in databases_of(instances):
        pause_before_deriving(database)
        without_transactions(database)
    assert any(link_many(service, instances, each=10, incidents=10) for _ in range(6))


def databases_of(instances: tuple[TestClient, TestClient]) -> list[Database]:
    return [cast(FastAPI, client.app).state.context.database for client in instances]


def pause_before_deriving(database: Database) -> None:
    """Widen the gap between what a writer has read and what it makes of it."""

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def pause(*call: Any) -> None:
        if call[2].startswith("DELETE FROM figures"):
            time.sleep(0.005)


def without_transactions(database: Database) -> None:
    """Let every statement commit by itself."""
    engine = database.engine
    database._writers.configure(bind=engine.execution_options(isolation_level="AUTOCOMMIT"))

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def begin_nothing(*call: Any) -> tuple[str, Any]:
        return "SELECT 1" if call[2] == "BEGIN IMMEDIATE" else call[2], call[3]


def test_of_two_changes_to_one_revision_one_is_told_that_it_is_late(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    service.post({**REPORT, "id": KNOWN})
    for number in range(1, ROUNDS + 1):
        jobs: list[Callable[[], Any]] = [
            partial(
                patch, client, service, {"summary": f"{number} {i}", "reason": "r"}, f'"{number}"'
            )
            for i, client in enumerate(instances)
        ]
        first, second = at_once(jobs)
        assert statuses([first, second]) == {200: 1, 412: 1}
        taken = 0 if first.status_code == 200 else 1
        report = service.get(f"/v1/reports/{KNOWN}")
        assert (report["revision"], report["summary"]) == (number + 1, f"{number} {taken}")
    assert len(service.get(f"/v1/reports/{KNOWN}/revisions")["items"]) == ROUNDS + 1
    assert service.wrong_accounts() == []


def test_a_change_that_names_no_revision_is_refused(service: Service) -> None:
    service.post({**REPORT, "id": KNOWN})
    before = service.state()
    answer = service.client.patch(
        f"/v1/reports/{KNOWN}", json={"summary": "s", "reason": "r"}, headers=service.headers()
    )
    assert answer.status_code == 428
    assert service.state() == before


def test_a_change_and_a_withdrawal_at_once_never_both_hold(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    for number in range(ROUNDS):
        report = service.post({**REPORT, "summary": f"round {number}"})
        path = f"/v1/reports/{report['id']}"
        changes = [{"summary": "changed", "reason": "r"}, {"status": "withdrawn", "reason": "r"}]
        headers = service.headers(**{"If-Match": '"1"'})
        jobs = [
            partial(client.patch, path, json=change, headers=headers)
            for client, change in zip(instances, changes, strict=True)
        ]
        changed, withdrawn = at_once(jobs)
        assert sorted([changed.status_code, withdrawn.status_code]) == [200, 412]
        after = service.get(path)
        assert after["revision"] == 2
        assert (after["status"] == "withdrawn") == (withdrawn.status_code == 200)
        assert (after["summary"] == "changed") == (changed.status_code == 200)
    assert service.wrong_accounts() == []


def test_every_answer_is_one_moment_while_others_write(
    service: Service, instances: tuple[TestClient, TestClient]
) -> None:
    places = ("Lachin", "Farukh", "Talish", "Hadrut region")

    def write(place: str) -> list[int]:
        return [
            instances[0]
            .post(
                "/v1/reports",
                json={**REPORT, "where": {"place": place}, "when": f"2022-09-{day:02}"},
                headers=service.headers(),
            )
            .status_code
            for day in range(1, 16)
        ]

    def read() -> list[int]:
        return [wrong for _ in range(15) for wrong in [moments_apart(instances[1])] if wrong]

    jobs: list[Callable[[], list[int]]] = [*(partial(write, place) for place in places), read]
    *written, apart = at_once(jobs)
    assert written == [[201] * 15] * len(places)
    assert apart == []
    assert service.aggregates(period="total", by="")["total"]["incidents"] == 60


def moments_apart(client: TestClient) -> int:
    """By how much one answer's total, cells and figures disagree; each event killed one."""
    response = client.get("/v1/aggregates?period=day&by=sector&fill=none")
    assert response.status_code == 200, response.text
    answer = response.json()
    total = answer["total"]
    counts: set[int] = {
        total["incidents"] or 0,
        total["reports"] or 0,
        total["figures"]["killed"]["low"] or 0,
        sum(cell["incidents"] for cell in answer["cells"]),
        sum(cell["figures"]["killed"]["low"] for cell in answer["cells"]),
    }
    return max(counts) - min(counts)
