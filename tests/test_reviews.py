"""Reviews: how far a report is established is decided by people, on evidence, and kept."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from service.api.app import create_app
from service.domain.access import Role
from service.store import tables
from tests.harness import Service, settings_of

Json = dict[str, Any]
DAY = "2022-08-03"
UNKNOWN = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff"
EVIDENCE = {
    "title": "Bulletin of 3 August 2022",
    "publisher": "Russian Ministry of Defence",
    "published": "2022-08-03",
    "url": "https://example.org/bulletin",
    "locator": "paragraph 2",
    "sha256": "0" * 63 + "1",
}


def report(killed: int | None = None, **fields: Any) -> Json:
    counted = {} if killed is None else {"casualties": [{"killed": killed}]}
    return {"when": DAY, "where": {"place": "Lachin"}, "claimant": "icrc", **counted, **fields}


def answer_of(service: Service, told: Json, *, key: str | None = None, **decision: Any) -> Any:
    """What a reviewer is answered who has read the report as it is now."""
    current = service.get(f"/v1/reports/{told['id']}", Role.ADMIN)["revision"]
    return service.client.post(
        f"/v1/reports/{told['id']}/reviews",
        json={"reason": "Looked at.", **decision},
        headers=service.headers(Role.REVIEWER, key=key, **{"If-Match": f'"{current}"'}),
    )


def decide(service: Service, told: Json, **decision: Any) -> Json:
    answer = answer_of(service, told, **decision)
    assert answer.status_code == 201, answer.text
    decided: Json = answer.json()
    assert answer.headers["etag"] == f'"{decided["revision"]}"'
    assert service.wrong_accounts() == []
    return decided


def refused(service: Service, told: Json, code: int, *fields: str, **decision: Any) -> None:
    before = service.state()
    answer = answer_of(service, told, **decision)
    assert answer.status_code == code, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == list(fields)
    assert service.state() == before


def beside(service: Service, told: Json, **fields: Any) -> Json:
    """Another report about the same event."""
    return service.post(report(incident=told["incident"], **fields), Role.ADMIN)


def queue(service: Service, **parameters: Any) -> Json:
    found: Json = service.get("/v1/reviews/queue", Role.REVIEWER, **parameters)
    return found


def waiting(service: Service) -> list[str]:
    return [item["report"]["id"] for item in queue(service)["items"]]


@pytest.fixture
def two_needed(service: Service) -> Iterator[Service]:
    """A service where one reviewer alone verifies nothing."""
    settings = settings_of(service.url, reviewers_to_verify=2)
    app = create_app(settings, now=service.clock, new_id=service.new_id)
    with TestClient(app) as client:
        service.client, before = client, service.client
        yield service
        service.client = before


# A decision


def test_a_decision_is_kept_with_its_basis_reason_grade_and_evidence(service: Service) -> None:
    told = service.post(report(3))
    decided = decide(
        service,
        told,
        status="verified",
        basis="peacekeepers",
        reason="The bulletin names the place, the hour and both.",
        grade="B2",
        evidence=[EVIDENCE, {"title": "A photograph"}],
    )
    assert (decided["status"], decided["basis"], decided["grade"]) == (
        "verified",
        "peacekeepers",
        "B2",
    )
    [kept] = service.get(f"/v1/reports/{told['id']}/reviews")["items"]
    assert kept == decided["reviews"][0]
    unsaid = dict.fromkeys(EVIDENCE, None)
    assert kept == {
        "id": kept["id"],
        "recorded": "2022-10-01T12:00:00Z",
        "revision": 2,
        "status": "verified",
        "basis": "peacekeepers",
        "reason": "The bulletin names the place, the hour and both.",
        "grade": "B2",
        "clears": [],
        "evidence": [EVIDENCE, {**unsaid, "title": "A photograph"}],
        "applied": True,
        "superseded": False,
    }


def test_a_decision_is_a_revision_of_the_report(service: Service) -> None:
    told = service.post(report(3))
    service.clock.advance(days=2)
    decide(service, told, status="refuted", reason="Nobody was there.")
    first, second = service.get(f"/v1/reports/{told['id']}/revisions")["items"]
    assert (first["status"], first["change"]) == ("unverified", None)
    assert (second["status"], second["change"]) == ("refuted", "Nobody was there.")
    assert second["recorded"] == "2022-10-03"


def test_a_decision_moves_the_figures_that_it_is_about_and_no_others(service: Service) -> None:
    told = service.post(report(3))
    service.post(report(2, when="2022-07-01"))

    def by_status() -> Json:
        answer = service.aggregates(period="total", by="status", fill="none")
        return {c["status"]: c["figures"]["killed"]["best"] for c in answer["cells"]}

    assert by_status() == {"unverified": 5}
    decide(service, told, status="verified", basis="peacekeepers")
    assert by_status() == {"verified": 3, "unverified": 2}
    decide(service, told, status="refuted")
    assert by_status() == {"unverified": 2}
    decide(service, told, status="unverifiable")
    assert by_status() == {"unverified": 2}
    # In lists it stays, whatever is decided.
    assert service.get(f"/v1/incidents/{told['incident']}")["counted"] is False
    decide(service, told, status="unverified")
    assert by_status() == {"unverified": 5}


def test_a_decision_names_the_revision_it_is_about(service: Service) -> None:
    told = service.post(report(3))
    path, body = f"/v1/reports/{told['id']}/reviews", {"status": "refuted", "reason": "r"}
    for header, status in (
        ({}, 428),
        ({"If-Match": '"2"'}, 412),
        ({"If-Match": "*"}, 412),
        ({"If-Match": "W/x"}, 412),
        ({"If-Match": '"1"'}, 201),
        ({"If-Match": '"1"'}, 412),
    ):
        answer = service.client.post(
            path, json=body, headers=service.headers(Role.REVIEWER, **header)
        )
        assert answer.status_code == status, answer.text
    assert len(service.get(path)["items"]) == 1


NO_DECISIONS: list[tuple[Json, str]] = [
    ({}, ""),
    ({"status": None}, ""),
    ({"basis": "peacekeepers", "grade": "A1"}, ""),
    ({"status": "withdrawn"}, "status"),
    ({"status": "true"}, "status"),
    ({"status": "refuted", "basis": "hearsay"}, "basis"),
    ({"status": "refuted", "reason": ""}, "reason"),
    ({"status": "refuted", "reason": "  \n"}, "reason"),
    ({"status": "refuted", "reason": None}, "reason"),
    ({"grade": "G1"}, "grade"),
    ({"grade": "A7"}, "grade"),
    ({"grade": "a1"}, "grade"),
    ({"clears": ["nonsense"]}, "clears.0"),
    ({"clears": ["clock_skew"]}, "clears"),
    ({"status": "refuted", "evidence": [{"title": "t", "sha256": "abc"}]}, "evidence.0.sha256"),
    ({"status": "refuted", "evidence": [{"publisher": "p"}]}, "evidence.0.title"),
    ({"status": "refuted", "reviewer": "me"}, "reviewer"),
]


def test_what_is_no_decision_is_named(service: Service) -> None:
    told = service.post(report(3))
    for decision, field in NO_DECISIONS:
        refused(service, told, 422, field, **decision)


def test_only_reviewers_decide_and_only_about_what_is_there(service: Service) -> None:
    told = service.post(report(3))
    for role, status in (
        (Role.ANONYMOUS, 401),
        (Role.PARTNER, 403),
        (Role.MONITOR, 403),
        (Role.IMPORTER, 403),
        (Role.ADMIN, 201),
    ):
        answer = service.client.post(
            f"/v1/reports/{told['id']}/reviews",
            json={"grade": "F6", "reason": "Cannot be judged."},
            headers=service.headers(role, **{"If-Match": '"1"'}),
        )
        assert answer.status_code == status, answer.text
    answer = service.client.post(
        f"/v1/reports/{UNKNOWN}/reviews",
        json={"grade": "F6", "reason": "r"},
        headers=service.headers(Role.REVIEWER, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 404


def test_nobody_is_shown_who_decided(service: Service) -> None:
    told = service.post(report(3))
    decide(service, told, key=service.make_key("Anahit K.", Role.REVIEWER), status="refuted")
    for role in Role:
        for path in (f"/v1/reports/{told['id']}", f"/v1/reports/{told['id']}/revisions"):
            answer = service.client.get(path, headers=service.headers(role))
            assert "Anahit" not in answer.text


# The ladder


LADDER = [
    (None, False, False),
    ("reported-unnamed", False, False),
    ("claimed-by-party", False, False),
    ("claimed-and-denied", False, False),
    ("mutual-accusation", False, False),
    ("party-evidence", False, False),
    ("named-by-title", False, False),
    ("court-communicated", False, False),
    ("own-proceedings", True, False),
    ("humanitarian-registration", True, True),
    ("peacekeepers", True, True),
    ("independent-investigation", True, True),
]


def test_a_basis_carries_no_more_than_its_rung(service: Service) -> None:
    told = service.post(report(3, claimant="azerbaijan-mod"))
    for basis, corroborates, verifies in LADDER:
        for status, carried in (("corroborated", corroborates), ("verified", verifies)):
            if carried:
                assert decide(service, told, status=status, basis=basis)["basis"] == basis
            else:
                refused(service, told, 422, "basis", status=status, basis=basis)


VOICES = [
    ("azerbaijan-mod", ["azerbaijani-officials", "azerbaijan-prosecutor-general"], False),
    ("azerbaijan-mod", ["azerbaijan-mod"], False),
    ("azerbaijan-mod", ["azerbaijani-officials", "armenian-officials"], True),
    ("azerbaijan-mod", ["residents"], True),
    ("icrc", ["armenian-officials"], True),
    ("icrc", ["residents"], True),
    # Somebody unknown may be a party under another name.
    ("azerbaijan-mod", ["a passer-by"], False),
    ("a passer-by", ["azerbaijan-mod"], False),
    ("a passer-by", ["icrc"], True),
]


def test_only_a_claimant_of_another_side_corroborates(service: Service) -> None:
    for day, (claimant, others, corroborates) in enumerate(VOICES, start=1):
        when = {"when": f"2022-{day:02}-01"}
        told = service.post(report(3, claimant=claimant, **when))
        for other in others:
            beside(service, told, claimant=other, killed=3, **when)
        if corroborates:
            assert decide(service, told, status="corroborated")["status"] == "corroborated"
        else:
            refused(service, told, 422, "basis", status="corroborated")
        # Of many claims, no number verifies.
        refused(service, told, 422, "basis", status="verified")


def test_what_does_not_speak_corroborates_nothing(service: Service) -> None:
    told = service.post(report(3, claimant="azerbaijan-mod"))
    denial = {"stance": "denies", "about": {"incident": told["incident"]}}
    denied = service.post(report(claimant="armenian-officials", **denial))
    assert denied["incident"] == told["incident"]
    refused(service, told, 422, "basis", status="corroborated")
    # Nor does the account that is denied support the denial.
    refused(service, denied, 422, "basis", status="corroborated")
    other = beside(service, told, claimant="residents", killed=3)
    decide(service, other, status="refuted")
    refused(service, told, 422, "basis", status="corroborated")
    second = service.post(report(claimant="russian-peacekeepers", **denial))
    assert decide(service, denied, status="corroborated")["status"] == "corroborated"
    assert second["incident"] == told["incident"]


def test_what_carries_flags_is_not_verified_until_they_are_cleared(service: Service) -> None:
    service.post(report(3))
    told = service.post(report(3, claimant="residents"))
    assert told["flags"] == ["possible_duplicate"]
    verified = {"status": "verified", "basis": "peacekeepers"}
    refused(service, told, 422, "status", **verified)
    cleared = decide(
        service, told, clears=["possible_duplicate"] * 2, reason="Another event: 40 km away."
    )
    assert (cleared["flags"], cleared["cleared"]) == ([], ["possible_duplicate"])
    assert cleared["status"] == "unverified"
    refused(service, told, 422, "clears", clears=["possible_duplicate"])
    decide(service, told, **verified)


def test_a_flag_is_cleared_by_the_decision_that_verifies(service: Service) -> None:
    told = service.post(report(3, where={"as_written": "beyond the hills"}))
    assert told["flags"] == ["unmapped"]
    decided = decide(service, told, status="verified", basis="peacekeepers", clears=["unmapped"])
    assert (decided["status"], decided["flags"]) == ("verified", [])


# Whose decision


def test_nobody_reviews_their_own_report(service: Service) -> None:
    key = service.make_key("both", Role.REVIEWER)
    headers = service.headers(key=key)
    sent = service.client.post("/v1/reports", json=report(3), headers=headers).json()
    refused(service, sent, 403, key=key, status="refuted")
    refused(service, sent, 403, key=key, grade="A1")
    decide(service, sent, status="refuted")
    # Who changed what a report says has a part in it.
    other = service.post(report(3, when="2022-07-01"))
    change = {"summary": "Two, not three.", "reason": "A slip."}
    headers = service.headers(key=key, **{"If-Match": '"1"'})
    path = f"/v1/reports/{other['id']}"
    assert service.client.patch(path, json=change, headers=headers).status_code == 200
    refused(service, other, 403, key=key, status="refuted")
    own = {i["report"]["id"]: i["own"] for i in queue_of(service, key)["items"]}
    assert own == {other["id"]: True}
    # Who only grouped it has not.
    assert queue(service)["items"][0]["own"] is False


def queue_of(service: Service, key: str) -> Json:
    answer = service.client.get("/v1/reviews/queue", headers=service.headers(key=key))
    found: Json = answer.json()
    return found


def test_where_two_are_needed_the_first_only_proposes(two_needed: Service) -> None:
    service = two_needed
    first, second = (service.make_key(name, Role.REVIEWER) for name in ("first", "second"))
    told = service.post(report(3))
    verified = {"status": "verified", "basis": "peacekeepers"}
    proposed = decide(service, told, key=first, **verified)
    assert (proposed["status"], proposed["basis"]) == ("unverified", None)
    assert [r["applied"] for r in proposed["reviews"]] == [False]
    # It waits for the other one; the same one again is no other.
    assert waiting(service) == [told["id"]]
    again = decide(service, told, key=first, **verified)
    assert again["status"] == "unverified"
    done = decide(service, told, key=second, **verified)
    assert done["status"] == "verified"
    assert [r["applied"] for r in done["reviews"]] == [False, False, True]
    assert waiting(service) == []
    # What is verified stays so while somebody adds a grade.
    graded = decide(service, told, key=first, grade="A1")
    assert (graded["status"], graded["reviews"][-1]["applied"]) == ("verified", True)


def test_whoever_thought_again_does_not_verify_any_more(two_needed: Service) -> None:
    service = two_needed
    first, second = (service.make_key(name, Role.REVIEWER) for name in ("first", "second"))
    told = service.post(report(3))
    verified = {"status": "verified", "basis": "peacekeepers"}
    decide(service, told, key=first, **verified)
    decide(service, told, key=first, status="refuted")
    assert decide(service, told, key=second, **verified)["status"] == "refuted"
    assert decide(service, told, key=first, **verified)["status"] == "verified"


def test_a_decision_of_nobody_known_is_not_another_persons(two_needed: Service) -> None:
    """As of one that was made before who made it was erased."""
    service = two_needed
    told = service.post(report(3))
    verified = {"status": "verified", "basis": "peacekeepers"}
    decide(service, told, **verified)
    row = tables.Report

    def forget(session: Session) -> None:
        record = {**session.get_one(row, told["id"]).record, "reviewers": {}}
        session.execute(sa.update(row).where(row.id == told["id"]).values(record=record))

    service.database.write(forget)
    assert decide(service, told, **verified)["status"] == "unverified"
    other = service.make_key("second", Role.REVIEWER)
    assert decide(service, told, key=other, **verified)["status"] == "verified"


def test_a_proposal_for_what_was_corroborated_waits_too(two_needed: Service) -> None:
    service = two_needed
    told = service.post(report(3))
    decide(service, told, status="corroborated", basis="own-proceedings")
    assert waiting(service) == []
    decide(service, told, status="verified", basis="peacekeepers")
    assert waiting(service) == [told["id"]]
    told = service.get(f"/v1/reports/{told['id']}")
    assert (told["status"], told["basis"]) == ("corroborated", "own-proceedings")
    headers = service.headers(**{"If-Match": f'"{told["revision"]}"'})
    change = {"summary": "Another account.", "reason": "corrected"}
    service.client.patch(f"/v1/reports/{told['id']}", json=change, headers=headers)
    other = service.make_key("second", Role.REVIEWER)
    # What was proposed for another account is proposed no more.
    decided = decide(service, told, key=other, status="verified", basis="peacekeepers")
    assert decided["status"] == "unverified"


def test_dissent_is_kept_beside_the_decision_that_replaced_it(service: Service) -> None:
    told = service.post(report(3))
    decide(service, told, status="verified", basis="peacekeepers", reason="The bulletin.")
    decide(
        service,
        told,
        key=service.make_key("second", Role.REVIEWER),
        status="refuted",
        reason="The bulletin is of another day.",
    )
    kept = service.get(f"/v1/reports/{told['id']}/reviews")["items"]
    assert [(r["status"], r["reason"], r["applied"], r["superseded"]) for r in kept] == [
        ("verified", "The bulletin.", True, False),
        ("refuted", "The bulletin is of another day.", True, False),
    ]
    assert service.get(f"/v1/reports/{told['id']}")["status"] == "refuted"


def test_what_says_something_else_must_be_decided_again(service: Service) -> None:
    told = service.post(report(3))
    decide(service, told, status="verified", basis="peacekeepers", grade="A1")
    assert waiting(service) == []
    path, headers = f"/v1/reports/{told['id']}", service.headers(**{"If-Match": '"2"'})
    shown = {"disclosure": {"visibility": "partners"}, "reason": "Somebody is in danger."}
    changed = service.client.patch(path, json=shown, headers=headers).json()
    # How it is shown is nothing that it says.
    assert (changed["status"], changed["grade"]) == ("verified", "A1")
    headers = service.headers(**{"If-Match": '"3"'})
    other = {"casualties": [{"killed": 4}], "reason": "One more died."}
    changed = service.client.patch(path, json=other, headers=headers).json()
    assert (changed["status"], changed["basis"], changed["grade"]) == ("unverified", None, None)
    assert [r["superseded"] for r in changed["reviews"]] == [True]
    assert waiting(service) == [told["id"]]


# The queue


def test_the_gravest_wait_first_and_of_equals_the_oldest(service: Service) -> None:
    def sent(**fields: Any) -> str:
        service.clock.advance(days=1)
        return str(service.post({**report(), **fields})["id"])

    both = [{"party": "armenia", "killed": 4}, {"party": "azerbaijan", "killed": 6}]
    nobody = sent(when="2022-01-01")
    wounded = sent(when="2022-02-01", casualties=[{"wounded": 40}])
    one = sent(when="2022-03-01", casualties=[{"killed": 1}])
    ten = sent(when="2022-04-01", casualties=both)
    nine = sent(when="2022-05-01", casualties=[{"killed": 9}])
    many = sent(when="2022-06-01", casualties=[{"killed": {"low": 200}}])
    zero = sent(when="2022-07-01", casualties=[{"killed": 0}])
    found = queue(service)
    assert [(i["report"]["id"], i["gravity"]) for i in found["items"]] == [
        (ten, 3),
        (many, 3),
        (one, 2),
        (nine, 2),
        (wounded, 1),
        (nobody, 0),
        (zero, 0),
    ]
    assert found["waiting"] == 7
    some = queue(service, limit=2)
    assert [i["report"]["id"] for i in some["items"]] == [ten, many]
    assert some["waiting"] == 7


def test_what_is_decided_waits_no_more_and_what_is_only_looked_at_does(service: Service) -> None:
    told = service.post(report(3))
    decide(service, told, grade="C3")
    assert waiting(service) == [told["id"]]
    for status in ("unverified", "refuted", "unverifiable"):
        decide(service, told, status=status)
        assert waiting(service) == []
    other = service.post(report(3, when="2022-07-01"))
    assert waiting(service) == [other["id"]]
    headers = service.headers(**{"If-Match": '"1"'})
    withdrawn = {"status": "withdrawn", "reason": "Sent by mistake."}
    service.client.patch(f"/v1/reports/{other['id']}", json=withdrawn, headers=headers)
    assert waiting(service) == []
    refused(service, other, 409, status="verified", basis="peacekeepers")


def test_the_queue_shows_what_contradicts_a_report(service: Service) -> None:
    told = service.post(report(3, claimant="azerbaijan-mod", attributed_to="armenia"))
    beside(service, told, claimant="azerbaijan-mod", killed=4)
    beside(service, told, claimant="icrc", killed=3)
    late = beside(service, told, claimant="residents", killed=12, when="2022-08-04")
    blame = beside(service, told, claimant="local-media", attributed_to="azerbaijan")
    denial = {"stance": "denies", "about": {"incident": told["incident"]}}
    denied = service.post(report(claimant="armenian-officials", **denial))
    gone = beside(service, told, claimant="crisis-group", killed=90)
    decide(service, gone, status="refuted")
    found = {i["report"]["id"]: i for i in queue(service)["items"]}
    against = {c["report"]: c for c in found[told["id"]]["contradicted_by"]}
    assert {r: c["reasons"] for r, c in against.items()} == {
        late["id"]: ["says 2022-08-04, not 2022-08-03", "killed: 12, not 3"],
        blame["id"]: ["blames azerbaijan, not armenia"],
        denied["id"]: ["one of them is a denial"],
    }
    assert against[late["id"]]["claimant"] == "residents"
    of_nobody = {"outcome": None, "party": None, "group": None}
    assert {r: c["told"] for r, c in against.items()} == {
        late["id"]: [
            {"form": "when", "own": "2022-08-03", "other": "2022-08-04", **of_nobody},
            {
                "form": "figure",
                "own": {"low": 3, "best": 3, "high": 3},
                "other": {"low": 12, "best": 12, "high": 12},
                **of_nobody,
                "outcome": "killed",
            },
        ],
        blame["id"]: [
            {"form": "attributed_to", "own": "armenia", "other": "azerbaijan", **of_nobody}
        ],
        denied["id"]: [{"form": "stance", "own": "asserts", "other": "denies", **of_nobody}],
    }


def test_a_time_left_open_contradicts_no_day_within(service: Service) -> None:
    for when in ("[..2022-08-05]", "[2022-07..]", "2022-08", "2022"):
        told = service.post(report(when=DAY))
        beside(service, told, claimant="residents", when=when)
    assert [i["contradicted_by"] for i in queue(service)["items"]] == [[]] * 8


def test_the_queue_shows_where_a_report_may_belong(service: Service) -> None:
    first = service.post(report(3))
    second = service.post(report(3, claimant="residents"))
    found = {i["report"]["id"]: i for i in queue(service)["items"]}
    [candidate] = found[second["id"]]["candidates"]
    assert candidate["incident"] == first["incident"]
    assert candidate["reasons"]


def test_whoever_only_reads_sees_the_queue_and_decides_nothing(service: Service) -> None:
    told = service.post(report(3, disclosure={"visibility": "restricted"}))
    key = service.make_key("a reader", Role.REVIEWER, read_only=True)
    [item] = queue_of(service, key)["items"]
    assert item["report"]["id"] == told["id"]
    assert answer_of(service, told, key=key, status="refuted").status_code == 403
    for role in (Role.MONITOR, Role.PARTNER, Role.IMPORTER):
        answer = service.client.get("/v1/reviews/queue", headers=service.headers(role))
        assert answer.status_code == 403
