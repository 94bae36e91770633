"""Keys in the wrong hands: what a monitor's or reviewer's key cannot bring about."""

import threading
from typing import Any

import pytest

from service.domain.access import Role
from service.errors import Unavailable
from service.work import past
from service.work.past import Past
from service.work.reference import Theatres
from tests.harness import Service
from tests.reckoning import Json


def report(**fields: Any) -> Json:
    return {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def killed(service: Service) -> tuple[int | None, ...]:
    total = service.aggregates(period="total", by="", fill="none")["total"]
    return tuple(total["figures"]["killed"][bound] for bound in ("low", "best", "high"))


def sent(service: Service, role: Role = Role.MONITOR, **fields: Any) -> Json:
    shown = {"disclosure": {"visibility": "public"}}
    return service.post(report(**shown, **fields), role)


def test_a_monitors_words_displace_nobody_elses(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 5}]))
    about = {"incident": told["incident"]}
    figures = [{"killed": 0}]
    for said in (
        {"stance": "asserts", "about": about, "casualties": figures},
        {"stance": "denies", "about": about, "casualties": figures},
        {"stance": "corrects", "about": about, "casualties": figures},
        {"stance": "corrects", "about": {"report": told["id"]}, "casualties": figures},
    ):
        other = sent(service, **said)
        assert other["incident"] != told["incident"]
        assert "unmapped" in other["flags"]
    incident = service.get(f"/v1/incidents/{told['incident']}")
    assert (incident["figures"]["killed"]["best"], incident["contested"]) == (5, False)


def test_a_monitor_may_dispute_and_correct_themselves(service: Service) -> None:
    told = sent(service, casualties=[{"killed": 5}])
    about = {"report": told["id"]}
    denial = sent(service, stance="denies", about=about, claimant="residents")
    assert denial["incident"] == told["incident"]
    corrected = sent(service, stance="corrects", about=about, casualties=[{"killed": 4}])
    assert corrected["incident"] == told["incident"]
    assert killed(service) == (4, 4, 4)


def test_an_assertion_joins_nothing_by_itself(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 5}]))
    other = service.post(report(about={"report": told["id"]}, casualties=[{"killed": 0}]))
    assert other["incident"] != told["incident"]


def test_nobody_takes_back_what_another_said(service: Service) -> None:
    told = service.post(report())
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"status": "withdrawn", "reason": "r"},
        headers=service.headers(Role.REVIEWER, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 403
    assert service.get(f"/v1/reports/{told['id']}")["status"] == "unverified"
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"status": "withdrawn", "reason": "Asked by its sender."},
        headers=service.headers(Role.ADMIN, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200


def test_nobody_lends_a_voice_to_their_own_decision(service: Service) -> None:
    told = service.post(report(claimant="nk-de-facto-authorities"))
    voice = report(claimant="russian-officials", incident=told["incident"])
    service.post(voice, Role.REVIEWER)
    decision = {"status": "corroborated", "reason": "Two sides say so."}
    path = f"/v1/reports/{told['id']}/reviews"
    headers = service.headers(Role.REVIEWER, **{"If-Match": '"1"'})
    assert service.client.post(path, json=decision, headers=headers).status_code == 422
    service.act(path, decision, Role.ADMIN, **{"If-Match": '"1"'})


@pytest.mark.parametrize(
    "told",
    [
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
        "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e20",
    ],
)
def test_a_monitors_id_tells_no_moment_and_no_device(service: Service, told: str) -> None:
    answer = service.client.post(
        "/v1/reports", json=report(id=told), headers=service.headers(Role.MONITOR)
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "id"
    assert service.post(report(id=told))["id"] == told
    assert service.post(report(id="8f14e45f-ceea-467e-a0e6-3d4b5c6d7e8f"), Role.MONITOR)


def test_parts_do_not_lie_within_one_another_without_end(service: Service) -> None:
    above = service.post(report())["incident"]
    statuses = []
    for number in range(34):
        part = service.post(report(when=f"2021-03-{number % 28 + 1:02}"))["incident"]
        answer = service.client.post(
            f"/v1/incidents/{part}/links",
            json={"part_of": above, "reason": "r"},
            headers=service.headers(Role.REVIEWER),
        )
        statuses.append(answer.status_code)
        above = part if answer.is_success else above
    assert statuses[:25] == [201] * 25
    assert statuses[-1] == 409


def test_who_asks_for_many_earlier_moments_keeps_nobody_waiting(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.post(report())
    service.get("/v1/changes", limit=1)
    making, go_on = threading.Event(), threading.Event()
    kept = past.project

    def slowly(*arguments: Any) -> None:
        making.set()
        assert go_on.wait(30)
        kept(*arguments)

    monkeypatch.setattr(past, "project", slowly)
    states, theatres = Past(), Theatres()

    def ask(moment: int) -> None:
        with states.at(service.database, theatres, f"changes:{moment}"):
            pass

    asking = [threading.Thread(target=ask, args=(n,)) for n in (1, 2)]
    asking[0].start()
    assert making.wait(30)
    asking[1].start()
    while states._patient._value:
        pass
    with pytest.raises(Unavailable), states.at(service.database, theatres, "changes:3"):
        pass
    assert service.get("/v1/incidents")["items"]
    go_on.set()
    for thread in asking:
        thread.join(30)
    ask(2)
