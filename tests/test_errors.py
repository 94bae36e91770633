"""Every refusal is a problem document (RFC 9457) that says what is wrong and nothing of why."""

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.corpus import MARK, flaws
from tests.harness import Service

REPORT = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc"}


UNKNOWN = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e10"
ALLOWED = (
    *((method, "/v1/reports", {"GET", "POST"}) for method in ("PUT", "DELETE", "TRACE", MARK)),
    ("DELETE", f"/v1/reports/{UNKNOWN}", {"GET", "PATCH"}),
    ("POST", f"/v1/reports/{UNKNOWN}/revisions", {"GET"}),
    ("POST", f"/v1/incidents/{UNKNOWN}", {"GET"}),
    ("POST", "/v1/aggregates", {"GET"}),
    ("PATCH", "/v1/tallies", {"GET", "POST"}),
    ("DELETE", "/v1/coverage", {"GET", "POST"}),
    ("POST", "/v1/sectors", {"GET"}),
    ("POST", "/health/live", {"GET"}),
)


def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(
    service: Service,
) -> None:
    before = service.state()
    for method, path, allowed in ALLOWED:
        answer = service.client.request(method, path, headers=service.headers(), json=REPORT)
        assert flaws(answer, 405) == [], (method, path)
        assert set(answer.headers["allow"].split(", ")) == allowed, (method, path)
    assert service.state() == before


def test_unknown_paths_are_not_found(service: Service) -> None:
    for path in (
        *("/v1", "/v2/reports", f"/{MARK}", "/v1/reports/a/b", "/v1/report", "/admin", "/.env"),
        *("/v1/%2e%2e/%2e%2e/etc/passwd", "/v1/reports%00", "/static-offline-docs/../../app.py"),
    ):
        for method in ("GET", "POST"):
            answer = service.client.request(method, path, follow_redirects=False)
            assert flaws(answer, 404) == [], (method, path)


def test_a_key_is_asked_for_and_every_wrong_one_is_refused_alike(service: Service) -> None:
    before = service.state()
    good = service.headers()
    wrong = (
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {MARK}"},
        {"Authorization": f"Basic {MARK}"},
        {"Authorization": good["Authorization"].swapcase()},
        {"Authorization": good["Authorization"] + "x"},
        {"Authorization": good["Authorization"][:-1]},
        {"Authorization": "Bearer " + "x" * 5_000},
        {"Authorization": b"Bearer \xff\xfe"},
        {"X-Api-Key": good["Authorization"]},
    )
    texts = set()
    for path in ("/v1/reports", "/v1/tallies", "/v1/coverage", "/v1/reports/bulk"):
        for headers in wrong:
            kind = "application/x-ndjson" if "bulk" in path else "application/json"
            answer = service.client.post(
                path, json=REPORT, headers={**headers, "Content-Type": kind}
            )
            if "bulk" in path or path == "/v1/reports":
                assert flaws(answer, 401) == [], (path, headers)
                assert answer.headers["www-authenticate"] == "Bearer"
                texts.add(answer.text)
            else:
                assert answer.status_code == 401
    assert len(texts) == 1
    assert service.state() == before


def test_a_key_in_the_address_is_refused(service: Service) -> None:
    key = service.headers()["Authorization"].removeprefix("Bearer ")
    for name in ("key", "api_key", "access_token", "token"):
        answer = service.client.post(f"/v1/reports?{name}={key}", json=REPORT)
        assert flaws(answer, 400) == [], name
        assert key not in answer.text


def test_another_report_under_a_known_id_is_a_conflict(service: Service) -> None:
    known = {**REPORT, "id": "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e10"}
    service.post(known)
    before = service.state()
    other = service.client.post(
        "/v1/reports", json={**known, "summary": MARK}, headers=service.headers()
    )
    assert flaws(other, 409) == []
    assert service.state() == before


def test_a_change_must_name_the_revision_it_changes(service: Service) -> None:
    path = f"/v1/reports/{service.post(REPORT)['id']}"
    before = service.state()

    def patched(**headers: str) -> Any:
        body = {"reason": MARK, "summary": MARK}
        return service.client.patch(path, json=body, headers=service.headers(**headers))

    assert flaws(patched(), 428) == []
    for tag in ('"2"', '"0"', "*", "", MARK, '"9999999999999999999"', "-1", "1.0", "²"):
        answer = patched(**{"If-Match": tag.encode("utf-8")})  # type: ignore[dict-item]
        assert flaws(answer, 412) == [], tag
    assert service.state() == before


def test_a_change_must_have_a_reason_and_may_not_change_everything(service: Service) -> None:
    receipt = service.post(REPORT)
    before = service.state()
    for body, field in (
        ({"summary": MARK}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": MARK, "id": receipt["id"]}, "id"),
        ({"reason": MARK, "incident": receipt["incident"]}, "incident"),
        ({"reason": MARK, "status": "verified"}, "status"),
        ({"reason": MARK, "when": None}, "when"),
        ({"reason": MARK, "where": None}, "where"),
        ({"reason": MARK, "where": {"place": None}}, "where"),
        ({"reason": MARK, "claimant": None}, "claimant"),
        ({"reason": MARK, "counted": False}, "counted"),
        ({"reason": MARK, "stance": "denies"}, ""),
    ):
        answer = service.client.patch(
            f"/v1/reports/{receipt['id']}",
            json=body,
            headers=service.headers(**{"If-Match": '"1"'}),
        )
        assert flaws(answer, 422, {field}) == [], body
    assert service.state() == before


SPOILT = {
    "reports": ("/v1/reports", "/v1/reports/{report}", "/v1/incidents/{incident}"),
    "tallies": ("/v1/tallies", "/v1/aggregates/tallies"),
    "coverage": ("/v1/coverage",),
}


def test_a_fault_of_ours_says_nothing_of_itself(service: Service) -> None:
    receipt = service.post({**REPORT, "summary": MARK, "casualties": [{"killed": 1}]})
    span = {"from": "2022-08-01T00:00Z", "to": "2022-08-02T00:00Z"}
    for path, body in (
        ("/v1/tallies", {"claimant": MARK, "unit": "shots", "count": 1, **span}),
        (
            "/v1/coverage",
            {"observer": MARK, "sectors": ["rear"], "means": MARK, "access": "full", **span},
        ),
    ):
        assert service.client.post(path, json=body, headers=service.headers()).status_code == 201
    for table, paths in SPOILT.items():
        with service.database.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE {table} SET record = '{{\"{MARK}\": 1}}'"))
        for path in paths:
            asked = path.format(report=receipt["id"], incident=receipt["incident"])
            answer = service.client.get(asked)
            assert flaws(answer, 500) == [], asked
            for secret in ("Traceback", "KeyError", "SELECT", "sqlite", "psycopg", "service/"):
                assert secret not in answer.text


def test_a_table_that_is_gone_is_a_fault_of_ours_too(service: Service) -> None:
    with service.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE revisions RENAME TO elsewhere"))
    answer = service.client.post(
        "/v1/reports", json={**REPORT, "summary": MARK}, headers=service.headers()
    )
    assert answer.status_code in (500, 503)
    assert flaws(answer, answer.status_code) == []
    assert "revisions" not in answer.text


def test_a_fault_is_logged_without_what_was_sent(service: Service) -> None:
    with service.database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE report_terms"))
    body = {**REPORT, "weapons": [MARK], "summary": MARK}
    client = TestClient(service.client.app)
    with pytest.raises(Exception, match="report_terms") as fault:
        client.post("/v1/reports", json=body, headers=service.headers())
    assert MARK not in str(fault.value)
    assert service.get("/v1/reports")["items"] == []
