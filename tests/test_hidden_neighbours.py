"""What is hidden is not told by what stands next to it."""

from typing import Any

from service.domain.access import Role
from tests.harness import Databases, Service
from tests.mirror import Mirror
from tests.reckoning import Json

RESTRICTED = {"visibility": "restricted"}


def report(**fields: Any) -> Json:
    return {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def link(service: Service, told: Json, **said: Any) -> None:
    service.act(f"/v1/incidents/{told['incident']}/links", {"reason": "So it is.", **said})


def feed(service: Service, role: Role = Role.ANONYMOUS) -> list[Json]:
    mirror = Mirror(role)
    mirror.follow(service)
    return mirror.items


def test_a_guess_made_public_tells_of_no_hidden_incident(service: Service) -> None:
    service.post(report(casualties=[{"killed": 3}], disclosure=RESTRICTED), Role.REVIEWER)
    guess = service.post(report(casualties=[{"killed": 3}], disclosure=RESTRICTED))
    assert guess["flags"] == []
    entries = service.get("/v1/ledger/entries", Role.IMPORTER, after=0, limit=500)
    assert "possible_duplicate" not in str(
        [each.get("entry") for each in entries["items"] if guess["id"] in each.get("entry", "")]
    )
    assert "possible_duplicate" in str(service.get(f"/v1/reports/{guess['id']}", Role.REVIEWER))
    changed = service.change(guess, Role.IMPORTER, disclosure={"visibility": "public"})
    assert (changed["flags"], changed["possible_duplicates"]) == ([], [])
    total = service.aggregates(period="total", by="", fill="none")["total"]
    assert (total["incidents"], total["possible_duplicates"]) == (1, 0)
    shown = service.get(f"/v1/reports/{guess['id']}", Role.REVIEWER)
    assert shown["possible_duplicates"] == []


def test_a_title_written_for_few_is_read_by_few(service: Service) -> None:
    hidden = service.post(report(disclosure=RESTRICTED), Role.REVIEWER)
    public = service.post(report(claimant="residents", when="2022-07-01"))
    link(service, hidden, title="kestrel", note="the kestrel told us")
    link(service, hidden, reports=[public["id"]])
    path = f"/v1/incidents/{hidden['incident']}"
    assert service.get(path)["title"] is None
    assert service.get(path)["note"] is None
    assert service.get(path, Role.REVIEWER)["title"] == "kestrel"
    assert "kestrel" not in str(feed(service))
    assert "kestrel" not in str(service.get("/v1/incidents"))
    # Written again when everybody reads the incident, it is for everybody.
    link(service, hidden, title="A night")
    assert service.get(path)["title"] == "A night"


def test_what_is_hidden_in_between_is_passed_over(databases: Databases, service: Service) -> None:
    outer = service.post(report(casualties=[{"killed": 100}]))
    between = service.post(
        report(when="2022-08-04", claimant="residents", disclosure=RESTRICTED), Role.REVIEWER
    )
    inner = service.post(report(when="2022-08-05", casualties=[{"killed": 10}]))
    link(service, between, part_of=outer["incident"])
    link(service, inner, part_of=between["incident"])
    shown = service.get(f"/v1/incidents/{inner['incident']}")
    assert shown["part_of"] == outer["incident"]
    parts = service.get(f"/v1/incidents/{outer['incident']}")["parts"]
    assert [part["id"] for part in parts] == [inner["incident"]]
    asked = {"period": "total", "by": "", "fill": "none"}
    total = service.get("/v1/aggregates", **asked)["total"]
    assert total["figures"]["killed"]["best"] == 100
    mirror = Mirror()
    mirror.follow(service)
    assert between["incident"] not in str(mirror.items)
    with databases.fresh("sqlite", "nothing") as url:
        mirror.fill(url)
        copy = Service(url, clock=service.clock)
        assert copy.get("/v1/aggregates", **asked)["total"] == total
        copy.close()


def test_a_text_withheld_now_is_shown_of_no_earlier_revision(service: Service) -> None:
    told = service.post(report(summary="Call the kestrel on +37491234567."))
    assert told["flags"] == ["personal_data"]
    told = service.act(
        f"/v1/reports/{told['id']}/reviews",
        {"clears": ["personal_data"], "reason": "A public number."},
        **{"If-Match": '"1"'},
    )
    assert "kestrel" in str(service.get(f"/v1/reports/{told['id']}"))
    service.clock.advance(days=1)
    service.change(told, Role.REVIEWER, summary="Call the kestrel at home on +37491234568.")
    for answer in (
        service.get(f"/v1/reports/{told['id']}"),
        service.get(f"/v1/reports/{told['id']}/revisions"),
        service.get("/v1/reports", as_of="2022-10-01"),
        feed(service),
        service.get("/v1/ledger/entries", after=1000, limit=500),
    ):
        assert "kestrel" not in str(answer)


def test_what_was_taken_back_once_is_not_spoken_of_again(service: Service) -> None:
    told = service.post(report())
    told = service.change(told, Role.REVIEWER, disclosure=RESTRICTED)
    service.change(told, Role.REVIEWER, summary="Nobody is to know that it changes.")
    actions = [item["action"] for item in feed(service)]
    assert actions.count("withheld") == 1
    assert actions[-2:] == ["withheld", "hidden"]


def test_what_a_report_was_compared_with_goes_when_it_is_hidden(service: Service) -> None:
    first = service.post(report(casualties=[{"killed": 3}]))
    second = service.post(report(claimant="residents", casualties=[{"killed": 3}]))
    assert second["possible_duplicates"] == [first["incident"]]
    service.change(first, Role.REVIEWER, disclosure=RESTRICTED)
    total = service.aggregates(period="total", by="", fill="none")["total"]
    assert (total["incidents"], total["possible_duplicates"]) == (1, 0)
    shown = service.get(f"/v1/reports/{second['id']}")
    assert (shown["flags"], shown["possible_duplicates"]) == ([], [])
