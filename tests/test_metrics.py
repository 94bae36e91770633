"""Counts for operators, and what every answer tells a browser."""

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.api import reports
from service.domain.access import Role
from tests.harness import Databases, Service

NOTHING = "default-src 'none'; frame-ancestors 'none'"
REPORT = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "residents"}


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def measured(databases: Databases, backend: str) -> Iterator[Service]:
    with databases.fresh(backend, "reference") as url:
        running = Service(url, settings={"metrics": True})
        yield running
        running.close()


def counts(service: Service) -> dict[str, float]:
    answer = service.client.get("/metrics", headers=service.headers(Role.ADMIN))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def requests(route: str, method: str = "GET", status: int = 200) -> str:
    return f'ceasefire_requests_total{{method="{method}",route="{route}",status="{status}"}}'


def test_requests_are_counted_by_route_method_and_status(measured: Service) -> None:
    before = counts(measured)
    sent = measured.post(REPORT)
    for _ in range(2):
        measured.get(f"/v1/reports/{sent['id']}")
    measured.client.get("/v1/reports/01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff")
    measured.client.get("/v1/nowhere/a-secret")
    measured.client.request("BREW", "/v1/reports")
    measured.client.get("/v1/reports", headers={"Authorization": "Bearer wrong"})
    after = counts(measured)
    assert after[requests("/v1/reports", "POST", 201)] == 1
    assert after[requests("/v1/reports/{report_id}")] == 2
    assert after[requests("/v1/reports/{report_id}", status=404)] == 1
    assert after[requests("none", status=404)] == 1
    assert after[requests("none", status=401)] == 1
    assert sum(n for name, n in after.items() if 'method="other"' in name) == 1
    assert after['ceasefire_request_seconds_count{route="/v1/reports/{report_id}"}'] == 3
    assert after["ceasefire_ledger_pending"] > before["ceasefire_ledger_pending"] >= 0
    measured.get("/v1/changes")
    assert counts(measured)["ceasefire_ledger_pending"] == 0


def test_no_count_says_when_something_happened_or_who_did_it(measured: Service) -> None:
    measured.post(REPORT)
    for name, value in counts(measured).items():
        assert "_created" not in name
        assert value < 1e6
        labels = re.sub(r"\{.*\}", "", name)
        assert labels.startswith("ceasefire_")
        assert set(re.findall(r"(\w+)=", name)) <= {"route", "method", "status", "le"}


def test_metrics_are_for_admins_who_may_be_read_only(measured: Service) -> None:
    statuses = {
        role: measured.client.get("/metrics", headers=measured.headers(role)).status_code
        for role in Role
    }
    assert statuses.pop(Role.ADMIN) == 200
    assert statuses.pop(Role.ANONYMOUS) == 401
    assert set(statuses.values()) == {403}
    key = measured.make_key("prometheus", Role.ADMIN, read_only=True)
    answer = measured.client.get("/metrics", headers=measured.headers(Role.ADMIN, key=key))
    assert answer.status_code == 200


def test_without_the_setting_there_are_no_metrics(service: Service) -> None:
    assert service.client.get("/metrics", headers=service.headers(Role.ADMIN)).status_code == 404
    assert "/metrics" not in service.get("/openapi.json")["paths"]


# What every answer tells a browser.


def answers_of(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One of every kind."""
    client: TestClient = service.client
    for path in (
        *("/v1/reports", "/v1/aggregates?format=csv", "/v1/nowhere", "/v1/reports?limit=x"),
        *("/health/live", "/openapi.json", "/docs", "/static-offline-docs/swagger-ui.css"),
        "/static-offline-docs/nothing",
    ):
        yield client.get(path)
        yield client.get(path, headers=service.headers(Role.REVIEWER))
    yield client.get("/")
    yield client.get("/v1/reports", headers={"Authorization": "Bearer wrong"})
    yield client.get("/v1/reports?token=x")
    yield client.put("/v1/reports")
    yield client.post("/v1/reports", json=REPORT, headers=service.headers())
    yield client.post("/v1/reports", content=b"{", headers=service.headers())

    def fault(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(reports.exports, "page_of_reports", fault)
    yield client.get("/v1/reports")


def test_every_answer_says_what_a_browser_may_do_with_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = set()
    for answer in answers_of(service, monkeypatch):
        statuses.add(answer.status_code)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        html = answer.headers.get("content-type", "").startswith("text/html")
        assert html or policy == NOTHING, answer.url
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        # What somebody with a key is shown is in no cache that others use, and nothing is shown
        # from a cache without asking whether it still holds.
        kept = answer.headers.get("cache-control")
        a_file = "last-modified" in answer.headers
        with_key = "authorization" in answer.request.headers
        for_whom = "private, no-cache" if with_key else "public, no-cache"
        assert kept in ({None} if a_file else {"no-store", for_whom}), answer.url
        assert kept != for_whom or answer.status_code == 200, answer.url
    assert {200, 201, 400, 401, 404, 405, 422, 500} <= statuses


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect"])
def test_the_page_of_the_documentation_may_run_its_own_scripts_and_no_others(
    service: Service, path: str
) -> None:
    answer = service.client.get(path)
    directives = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    }
    assert len(hashes) == 1
    assert set(directives["script-src"].split()) == {"'self'", *hashes}
    # Nothing on the page comes from elsewhere, and all of it is let in.
    assert "on" not in re.findall(r"<\w+[^>]*\s(on)\w+=", answer.text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
        assert address.startswith("/static-offline-docs/")
        assert service.client.get(address).status_code == 200
