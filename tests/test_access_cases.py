"""What somebody may not have, they do not learn by asking for it in another way."""

import logging
from typing import Any

import pytest

from service.domain.access import Role
from service.store.journal import Author
from service.work import keys
from tests.harness import Service

Json = dict[str, Any]
UNKNOWN = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff"
KNOWN = "8f14e45f-ceea-467e-a0e6-3d4b5c6d7e8f"
REPORT = {"when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "icrc"}
# Where somebody stood in the hills, which nobody may learn.
POST = {"lat": 39.6543, "lon": 46.5432, "precision": "exact"}
READS = 1_000


def as_key(key: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **more}


def send(service: Service, key: str, **fields: Any) -> Any:
    return service.client.post("/v1/reports", json={**REPORT, **fields}, headers=as_key(key))


def denials(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.getMessage().startswith("denied")]


# C1


def test_every_kind_of_bad_key_is_answered_alike_wherever_it_is_shown(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    revoked = service.make_key("revoked", Role.ADMIN)
    service.database.write(
        lambda s: keys.revoke(s, "revoked", Author(keys.OPERATOR, service.clock()))
    )
    end = service.clock.now.replace(hour=13)
    expired = service.make_key("expired", Role.ADMIN, expires_at=end)
    service.clock.advance(hours=2)
    valid = service.key(Role.ADMIN)
    bad = [revoked, expired, "", "x", valid[:-1], valid + "A", valid.swapcase(), "ceasefire_x"]
    answers = [service.client.post("/v1/reports", json=REPORT)]
    for key in bad:
        answers.append(send(service, key))
        answers.append(service.client.get(f"/v1/reports/{UNKNOWN}", headers=as_key(key)))
        answers.append(service.client.get("/v1/reviews/queue", headers=as_key(key)))
    assert {a.status_code for a in answers} == {401}
    assert len({a.content for a in answers}) == 1
    assert {a.headers["www-authenticate"] for a in answers} == {"Bearer"}
    logged = "\n".join(r.getMessage() for r in caplog.records)
    assert not any(key in logged for key in bad if len(key) > 20)
    assert service.state()["rows"]["reports"] == 0


# C2


def test_what_somebody_is_not_shown_is_answered_like_what_is_not_there(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    north, south = (service.make_key(name, Role.MONITOR) for name in ("north", "south"))
    told = send(service, north).json()
    assert told["disclosure"]["visibility"] == "partners"
    change = {"summary": "s", "reason": "r"}
    decision = {"status": "refuted", "reason": "r"}
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/revisions", None),
        ("GET", "/reviews", None),
        ("GET", "/candidates", None),
        ("PATCH", "", change),
        ("POST", "/reviews", decision),
    ):
        caplog.clear()
        hidden, unknown = (
            service.client.request(
                method,
                f"/v1/reports/{report}{path}",
                json=body,
                headers=as_key(south, **{"If-Match": '"1"'}),
            )
            for report in (told["id"], UNKNOWN)
        )
        assert hidden.status_code == (403 if body is decision else 404)
        assert hidden.content == unknown.content
        assert dict(hidden.headers) == dict(unknown.headers)
        # Of what is not there nothing is logged, unless the key may not even ask.
        lines = denials(caplog)
        assert len(lines) == (2 if body is decision else 1)
        assert keys.short("south") in lines[0]
        assert f"{method} /reports/{{report_id}}{path}" in lines[0]
        assert told["id"] not in lines[0]
        assert "south" not in lines[0]
    incidents = [told["incident"], UNKNOWN]
    for path in ("", "/candidates"):
        answers = [
            service.client.get(f"/v1/incidents/{incident}{path}", headers=as_key(south))
            for incident in incidents
        ]
        assert {a.status_code for a in answers} == {404}
        assert len({a.content for a in answers}) == 1
    for key in (north, service.key(Role.PARTNER), service.key(Role.REVIEWER)):
        answer = service.client.get(f"/v1/reports/{told['id']}", headers=as_key(key))
        assert answer.status_code == 200


def test_a_report_that_is_shown_but_not_ones_own_is_not_changed_and_that_is_logged(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    told = service.post(REPORT)
    key = service.make_key("south", Role.MONITOR)
    before = service.state()
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"status": "withdrawn", "reason": "r"},
        headers=as_key(key, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 403
    assert service.state() == before
    [line] = denials(caplog)
    assert "PATCH" in line
    assert "forbidden" in line


# C3 and C4


def test_who_decides_loses_it_with_the_role(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    told = service.post(REPORT)
    own = service.client.post(
        "/v1/reports", json={**REPORT, "when": "2022-07-01"}, headers=service.headers(Role.REVIEWER)
    ).json()
    decision = {"status": "refuted", "reason": "r"}

    def decided(report: Json, role: Role = Role.REVIEWER) -> int:
        return service.client.post(
            f"/v1/reports/{report['id']}/reviews",
            json=decision,
            headers=service.headers(role, **{"If-Match": '"1"'}),
        ).status_code

    assert decided(told, Role.MONITOR) == 403
    assert decided(own) == 403
    assert len(denials(caplog)) == 2
    author = Author(keys.OPERATOR, service.clock())
    name = "the reviewer"
    service.database.write(lambda s: keys.change(s, name, author, role=Role.MONITOR))
    assert decided(told) == 403
    for path in ("merge", "split", "links"):
        answer = service.client.post(
            f"/v1/incidents/{told['incident']}/{path}",
            json={"incidents": [own["incident"]], "reports": [own["id"]], "reason": "r"},
            headers=service.headers(Role.REVIEWER),
        )
        assert answer.status_code in (403, 422)
    queue = service.client.get("/v1/reviews/queue", headers=service.headers(Role.REVIEWER))
    assert queue.status_code == 403
    service.database.write(lambda s: keys.change(s, name, author, role=Role.REVIEWER))
    assert decided(told) == 201


# C7


def test_whoever_sends_what_another_sent_learns_nothing_of_it(service: Service) -> None:
    north, south = (service.make_key(name, Role.MONITOR) for name in ("north", "south"))
    first = send(service, north, id=KNOWN)
    before = service.state()
    same, other = (
        send(service, south, id=KNOWN, **more) for more in ({}, {"summary": "another account"})
    )
    assert (same.status_code, same.content) == (409, other.content)
    assert dict(same.headers) == dict(other.headers)
    for secret in (KNOWN, first.json()["incident"], first.json()["sha256"]):
        assert secret not in same.text
    line = b'{"id": "%s", "when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "icrc"}\n'
    bulk = service.client.post(
        "/v1/reports/bulk",
        content=line % KNOWN.encode(),
        headers=as_key(south, **{"Content-Type": "application/x-ndjson"}),
    )
    assert '"outcome":"rejected"' in bulk.text
    assert first.json()["incident"] not in bulk.text
    assert service.state() == before
    again = send(service, north, id=KNOWN)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"


# C8


PRIVATE = (
    *("owner", "author", "authors", "actor", "key", "reviewer", "reviewers", "observer"),
    *("observer.lat", "where.observer", "received_at", "embargo", "level_of", "visibility"),
    *("lat", "lon", "point", "record", "waiting", "gravity", "sha256", "sort", "sort_by"),
)


def test_nobody_filters_or_sorts_by_what_is_private(service: Service) -> None:
    service.post(REPORT)
    for name in PRIVATE:
        for role in (Role.ANONYMOUS, Role.REVIEWER):
            for path in ("/v1/reports", "/v1/incidents", "/v1/aggregates"):
                answer = service.client.get(
                    path, params={name: "the importer"}, headers=service.headers(role)
                )
                # What could be a key is refused before anything is read.
                assert answer.status_code == (400 if name == "key" else 422), answer.text
                assert "importer" not in answer.text


def test_no_order_and_no_box_tells_of_what_is_private(service: Service) -> None:
    shown = {"disclosure": {"visibility": "public", "place": "grid"}}
    service.post({**REPORT, "where": POST, **shown})
    for order in ("owner", "received_at", "-received", "lat", ""):
        answer = service.client.get("/v1/reports", params={"order": order})
        assert answer.status_code == 422
    # Around the post itself there is nothing; around the middle of its cell there is.
    near = (
        f"{POST['lon'] - 0.001},{POST['lat'] - 0.001},{POST['lon'] + 0.001},{POST['lat'] + 0.001}"
    )
    for path in ("/v1/reports", "/v1/incidents"):
        assert service.get(path, bbox=near)["items"] == []
        assert len(service.get(path, bbox="46.549,39.649,46.551,39.651")["items"]) == 1
    for words in ("39.6543", "46.5432"):
        assert service.get("/v1/reports", q=words)["items"] == []


# C10


def test_a_snapped_position_is_the_same_in_a_thousand_readings(service: Service) -> None:
    key = service.make_key("north", Role.MONITOR)
    shown = {"visibility": "public", "place": "grid"}
    told = send(service, key, where=POST, disclosure=shown).json()
    path = f"/v1/reports/{told['id']}"
    first = service.client.get(path)
    where = first.json()["where"]
    assert (where["lat"], where["lon"]) == (39.65, 46.55)
    seen = {service.client.get(path).content for _ in range(READS)}
    assert seen == {first.content}
    # However it is changed, and by whatever door.
    revision = 1
    for summary in ("a", "b", "c"):
        change = {"summary": summary, "reason": "r"}
        headers = as_key(key, **{"If-Match": f'"{revision}"'})
        assert service.client.patch(path, json=change, headers=headers).status_code == 200
        revision += 1
    points = {
        (p["lat"], p["lon"])
        for p in (
            service.get(path)["where"],
            *(r["where"] for r in service.get(f"{path}/revisions")["items"]),
            *(i["where"] for i in service.get("/v1/reports")["items"]),
            *(i["point"] for i in service.get("/v1/incidents")["items"]),
        )
    }
    assert points == {(39.65, 46.55)}
