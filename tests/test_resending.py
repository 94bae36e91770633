"""The same report sent again changes nothing, for ever; another under its id is refused."""

import json

import pytest

from service.domain.access import Role
from tests.harness import Service
from tests.reckoning import Json

REPORT: Json = {
    "id": "0199aaaa-0000-7000-8000-000000000001",
    "when": "2022-09-13T00:05+04:00",
    "where": {"place": "Lachin"},
    "claimant": "armenian-officials",
    "casualties": [{"party": "armenia", "group": "military", "killed": {"low": 49}}],
    "summary": "Shelling along the border.",
}
PATH = f"/v1/reports/{REPORT['id']}"


def send(service: Service, report: Json, role: Role = Role.IMPORTER) -> tuple[int, bytes, bool]:
    answer = service.client.post("/v1/reports", json=report, headers=service.headers(role))
    return answer.status_code, answer.content, "Idempotency-Replayed" in answer.headers


def amend(service: Service, revision: int, change: Json) -> None:
    headers = service.headers(**{"If-Match": f'"{revision}"'})
    answer = service.client.patch(PATH, json=change, headers=headers)
    assert answer.status_code == 200, answer.text


def test_the_first_receipt_comes_again_byte_for_byte(service: Service) -> None:
    status, receipt, replayed = send(service, REPORT)
    assert (status, replayed) == (201, False)
    before = service.state()
    service.clock.advance(days=1)
    assert send(service, REPORT) == (201, receipt, True)
    assert service.state() == before


def test_the_order_of_fields_and_the_case_of_the_id_make_no_other_report(service: Service) -> None:
    _, receipt, _ = send(service, REPORT)
    shuffled = dict(reversed(REPORT.items())) | {"id": REPORT["id"].upper()}
    assert send(service, shuffled) == (201, receipt, True)


def test_another_key_gets_the_same_receipt(service: Service) -> None:
    _, receipt, _ = send(service, REPORT)
    assert send(service, REPORT, Role.REVIEWER) == (201, receipt, True)


def test_the_first_receipt_comes_again_after_edits_and_four_hundred_days(
    service: Service,
) -> None:
    _, receipt, _ = send(service, REPORT)
    amend(service, 1, {"summary": "Shelling of three towns.", "reason": "more is known"})
    amend(service, 2, {"casualties": [], "reason": "counted elsewhere"})
    before = service.state()
    service.clock.advance(days=400)
    assert send(service, REPORT) == (201, receipt, True)
    assert service.state() == before
    assert service.get(PATH)["revision"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "Another account."},
        {"when": "2022-09-14"},
        {"casualties": []},
        {"incident": "0199aaaa-0000-7000-8000-0000000000ff"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_report_under_a_known_id_is_refused_and_stores_nothing(
    service: Service, change: Json
) -> None:
    send(service, REPORT)
    before = service.state()
    status, problem, _ = send(service, {**REPORT, **change})
    assert status == 409
    assert b"Another account" not in problem
    assert service.state() == before


def test_what_the_report_says_after_an_edit_is_another_content_under_its_id(
    service: Service,
) -> None:
    send(service, REPORT)
    amend(service, 1, {"summary": "Corrected.", "reason": "a slip"})
    status, _, _ = send(service, {**REPORT, "summary": "Corrected."})
    assert status == 409


def test_a_withdrawn_report_sent_again_answers_its_first_receipt_and_stays_withdrawn(
    service: Service,
) -> None:
    _, receipt, _ = send(service, REPORT)
    amend(service, 1, {"status": "withdrawn", "reason": "sent by mistake"})
    before = service.state()
    assert send(service, REPORT) == (201, receipt, True)
    assert service.get(PATH)["status"] == "withdrawn"
    assert service.state() == before
    assert send(service, {**REPORT, "summary": "Once more."})[0] == 409


def test_reports_without_an_id_are_reports_of_their_own(service: Service) -> None:
    nameless = {name: value for name, value in REPORT.items() if name != "id"}
    first, second = service.post(nameless), service.post(nameless)
    assert first["id"] != second["id"]
    assert first["incident"] != second["incident"]
    assert second["possible_duplicates"] == [first["incident"]]


def test_a_resent_line_in_bulk_is_unchanged_and_a_different_one_rejected(service: Service) -> None:
    send(service, REPORT)
    amend(service, 1, {"status": "withdrawn", "reason": "sent by mistake"})
    before = service.state()
    lines = [json.dumps(REPORT), json.dumps({**REPORT, "summary": "Other."})]
    answer = service.client.post(
        "/v1/reports/bulk",
        content="\n".join(lines),
        headers=service.headers(**{"Content-Type": "application/x-ndjson"}),
    )
    outcomes = [json.loads(line) for line in answer.text.splitlines()]
    assert [o.get("outcome") for o in outcomes] == ["unchanged", "rejected", None]
    assert service.state() == before
