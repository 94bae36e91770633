"""One event, many reports: people say what belongs together, and every step can be undone."""

from typing import Any

import pytest

from service.domain.access import Role
from service.work import ledger, verify
from tests.harness import Service

Json = dict[str, Any]
DAY = "2022-08-03"
UNKNOWN = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff"
READ = (
    "/v1/aggregates?period=month&by=sector&fill=none",
    "/v1/aggregates?period=year&by=party,status&fill=none",
    "/v1/aggregates?period=total&by=claimant&fill=none",
    "/v1/aggregates?period=day&by=weapon&fill=none&clock=reported",
    "/v1/incidents?order=oldest",
    "/v1/incidents?format=csv",
)


def report(killed: int | None = None, **fields: Any) -> Json:
    counted = {} if killed is None else {"casualties": [{"killed": killed}]}
    return {"when": DAY, "where": {"place": "Lachin"}, "claimant": "icrc", **counted, **fields}


def merge(service: Service, into: str, *others: str) -> Json:
    return service.act(
        f"/v1/incidents/{into}/merge", {"incidents": list(others), "reason": "the same night"}
    )


def split(service: Service, incident: str, *reports: str) -> Json:
    return service.act(
        f"/v1/incidents/{incident}/split", {"reports": list(reports), "reason": "40 km away"}
    )


def link(service: Service, incident: str, **said: Any) -> Json:
    return service.act(f"/v1/incidents/{incident}/links", {"reason": "it belongs here", **said})


def undo(service: Service, step: Json) -> Json:
    return service.act(f"/v1/groupings/{step['id']}/undo", {"reason": "it was a mistake"})


def refused(service: Service, status: int, path: str, field: str = "", **said: Any) -> None:
    """What is refused says where, and leaves everything as it was."""
    before = service.state()
    answer = service.client.post(
        path, json={"reason": "r", **said}, headers=service.headers(Role.REVIEWER)
    )
    assert answer.status_code == status, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == ([field] if status == 422 else [])
    assert service.state() == before


def everything(service: Service) -> list[Any]:
    """What readers are told, but for the number of each report's revision."""
    answers: list[Any] = [service.client.get(path).content for path in READ]
    for role in (Role.ANONYMOUS, Role.ADMIN):
        told = service.get("/v1/reports", role, order="oldest", limit=200)["items"]
        answers += [{**item, "revision": None} for item in told]
        answers += service.get("/v1/incidents", role, order="oldest", limit=200)["items"]
    assert service.wrong_accounts() == []
    return answers


def broken(service: Service) -> list[str]:
    ledger.catch_up(service.database)
    with service.database.reading() as session:
        return list(verify.broken(session))


def total(service: Service, **filters: Any) -> Json:
    whole: Json = service.aggregates(period="total", by="", fill="none", **filters)["total"]
    return whole


def killed(service: Service) -> tuple[int | None, ...]:
    figure = total(service)["figures"]["killed"]
    return figure["low"], figure["best"], figure["high"]


def sent_to(service: Service, incident: str, query: str = "") -> str | None:
    """Where somebody who asks for an incident is sent; `None` where it is told there."""
    answer = service.client.get(f"/v1/incidents/{incident}{query}", follow_redirects=False)
    assert answer.status_code in (200, 307), answer.text
    return answer.headers.get("location")


def test_a_suggestion_gives_its_reasons_and_merges_nothing(service: Service) -> None:
    first = service.post(report(3))
    second = service.post(report(3, claimant="residents"))
    before = everything(service)
    for path in (f"/v1/reports/{second['id']}", f"/v1/incidents/{second['incident']}"):
        [found] = service.get(f"{path}/candidates")["items"]
        assert found["incident"] == first["incident"]
        assert found["score"] == pytest.approx(sum(r["weight"] for r in found["reasons"]), abs=0.3)
        assert {r["matter"] for r in found["reasons"]} >= {"time", "place", "figures"}
    assert everything(service) == before
    assert total(service)["incidents"] == 2


def test_a_reason_is_told_as_data_beside_its_sentence(service: Service) -> None:
    service.post(report(3, when="2022-08-04T09:00Z", weapons=[{"weapon": "mortar"}]))
    second = service.post(report(4, claimant="residents", weapons=[{"weapon": "indirect-fire"}]))
    own, other = {"low": 4, "best": 4, "high": 4}, {"low": 3, "best": 3, "high": 3}
    for path in (f"/v1/reports/{second['id']}", f"/v1/incidents/{second['incident']}"):
        [found] = service.get(f"{path}/candidates")["items"]
        assert {r["matter"]: (r["says"], r["told"]) for r in found["reasons"]} == {
            "time": (
                "1 day between 3 August 2022 and 4 August 2022",
                [{"form": "days_apart", "own": DAY, "other": "2022-08-04", "days": 1}],
            ),
            "place": (
                "0 km apart, within the 6 km that both precisions leave open",
                [{"form": "points_within", "km": 0, "open_km": 6}],
            ),
            "weapons": (
                "indirect-fire weapons and mortars may be the same weapon",
                [{"form": "nested_weapons", "weapons": ["indirect-fire", "mortar"]}],
            ),
            "figures": (
                "killed 4 and 3 exclude each other",
                [
                    {
                        "form": "figures_exclude",
                        "outcome": "killed",
                        "own": own,
                        "other": other,
                    }
                ],
            ),
        }


# Merging


def test_what_is_merged_stands_side_by_side_and_is_counted_once(service: Service) -> None:
    first = service.post(report(3))
    second = service.post(report(12, claimant="residents"))
    other = service.post(report(1, when="2022-07-01", where={"place": "Farukh"}))
    before = everything(service)
    assert (total(service)["incidents"], total(service)["reports"]) == (3, 3)
    assert killed(service) == (16, 16, 16)

    step = merge(service, first["incident"], second["incident"])
    assert (step["action"], step["incident"]) == ("merge", first["incident"])
    assert (total(service)["incidents"], total(service)["reports"]) == (2, 3)
    assert killed(service) == (4, 4, 13)
    told = service.get(f"/v1/incidents/{first['incident']}")
    assert told["contested"]
    assert {claim["id"] for claim in told["claims"]} == {first["id"], second["id"]}
    assert service.get(f"/v1/reports/{other['id']}")["revision"] == 1
    merged = everything(service)

    undoing = undo(service, step)
    assert everything(service) == before
    undo(service, undoing)
    assert everything(service) == merged


def test_every_step_is_a_revision_with_who_when_and_why(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(12, claimant="residents"))
    service.clock.advance(days=1)
    step = merge(service, first["incident"], second["incident"])
    service.clock.advance(days=1)
    undo(service, step)
    moved = service.get(f"/v1/reports/{second['id']}/revisions")["items"]
    assert [(r["incident"], r["recorded"], r["change"]) for r in moved] == [
        (second["incident"], "2022-10-01", None),
        (first["incident"], "2022-10-02", "the same night"),
        (second["incident"], "2022-10-03", "it was a mistake"),
    ]
    path = f"/v1/incidents/{second['incident']}/groupings"
    made, undone = service.get(path, Role.REVIEWER)["items"]
    assert (made["id"], made["action"], made["undone"]) == (step["id"], "merge", True)
    assert (undone["action"], undone["undoes"], undone["undone"]) == ("undo", step["id"], False)
    grouped, after = [], 0
    while items := service.get("/v1/changes", Role.REVIEWER, after=after, limit=200)["items"]:
        grouped += [item["reason"] for item in items if item["action"] == "grouped"]
        after += len(items)
    assert grouped == ["the same night", "it was a mistake", "it was a mistake"]


def test_who_asks_for_what_was_merged_is_sent_to_where_it_is_told(service: Service) -> None:
    first, second, third = (service.post(report(n, when=f"2022-08-0{n}")) for n in (1, 2, 3))
    merge(service, second["incident"], first["incident"])
    step = merge(service, third["incident"], second["incident"])
    new = f"/v1/incidents/{third['incident']}"
    # Through as many merges as there were.
    assert sent_to(service, first["incident"]) == new
    assert sent_to(service, second["incident"]) == new
    # As of an earlier moment it is asked for as of then, too.
    assert sent_to(service, first["incident"], "?as_of=2022-10-01") == f"{new}?as_of=2022-10-01"
    assert service.get(f"/v1/incidents/{first['incident']}")["id"] == third["incident"]
    undo(service, step)
    assert sent_to(service, first["incident"]) == f"/v1/incidents/{second['incident']}"
    assert sent_to(service, second["incident"]) is None
    assert service.client.get(f"/v1/incidents/{UNKNOWN}").status_code == 404


def test_whoever_is_not_shown_the_whole_is_not_sent_there(service: Service) -> None:
    hidden = service.post(report(3, disclosure={"visibility": "restricted"}))
    second = service.post(report(4, disclosure={"visibility": "restricted"}, when="2022-08-09"))
    merge(service, hidden["incident"], second["incident"])
    path = f"/v1/incidents/{second['incident']}"
    nothing = service.client.get(f"/v1/incidents/{UNKNOWN}")
    assert service.client.get(path).content == nothing.content
    assert service.get(path, Role.REVIEWER)["id"] == hidden["incident"]


def test_reports_that_name_a_merged_incident_join_what_it_was_merged_into(
    service: Service,
) -> None:
    first, second = service.post(report(3)), service.post(report(3, when="2022-07-01"))
    step = merge(service, first["incident"], second["incident"])
    joining = service.post(report(5, claimant="residents", incident=second["incident"]), Role.ADMIN)
    assert joining["incident"] == first["incident"]
    denial = {"stance": "denies", "about": {"incident": second["incident"]}}
    denied = service.post(report(claimant="azerbaijan-mod", **denial))
    assert denied["incident"] == first["incident"]
    batch = service.client.post(
        "/v1/reports/bulk",
        content=f'{{"when": "{DAY}", "where": {{"place": "Lachin"}}, "claimant": "a feed", '
        f'"incident": "{second["incident"]}"}}\n',
        headers=service.headers(Role.ADMIN, **{"Content-Type": "application/x-ndjson"}),
    )
    assert f'"incident":"{first["incident"]}"' in batch.text
    undo(service, step)
    # They were told of the whole, and nobody has said otherwise.
    assert service.get(f"/v1/reports/{joining['id']}")["incident"] == first["incident"]
    assert service.get(f"/v1/incidents/{second['incident']}")["reports"] == 1
    assert service.wrong_accounts() == []


def test_a_hint_vanishes_with_the_merge_it_asked_for_and_returns_with_its_undoing(
    service: Service,
) -> None:
    first = service.post(report(3))
    second = service.post(report(3, claimant="residents"))
    third = service.post(report(3, claimant="local-media"))
    assert third["possible_duplicates"] == sorted([first["incident"], second["incident"]])
    assert total(service)["possible_duplicates"] == 2

    def hints() -> list[tuple[list[str], list[str]]]:
        told = [service.get(f"/v1/reports/{r['id']}") for r in (first, second, third)]
        return [(t["flags"], t["possible_duplicates"]) for t in told]

    flag, before = ["possible_duplicate"], hints()
    step = merge(service, first["incident"], second["incident"])
    # The third may be about the whole now.
    assert hints() == [([], []), ([], []), (flag, [first["incident"]])]
    assert total(service)["possible_duplicates"] == 1
    whole = merge(service, first["incident"], third["incident"])
    assert hints() == [([], [])] * 3
    assert total(service)["possible_duplicates"] == 0
    undo(service, whole)
    undo(service, step)
    assert hints() == before
    assert total(service)["possible_duplicates"] == 2


def test_a_row_says_how_many_of_its_incidents_may_be_counted_twice(service: Service) -> None:
    service.post(report(3))
    second = service.post(report(3, claimant="residents"))
    place = {"sector": "line-of-contact-north"}
    service.post(report(2, where=place, when="2019-05-02", weapons=["mortar"]))
    fourth = service.post(
        report(2, where=place, when="2019-05-02", weapons=["mortar"], claimant="residents")
    )
    assert second["flags"] == fourth["flags"] == ["possible_duplicate"]

    def rows() -> list[tuple[str, int, int]]:
        answer = service.aggregates(period="year", by="sector", fill="none")
        counted = [(c["period"], c["incidents"], c["possible_duplicates"]) for c in answer["cells"]]
        assert answer["total"]["possible_duplicates"] == sum(count for *_, count in counted)
        open_hints = {
            item["id"]
            for item in service.get("/v1/incidents", counted="true")["items"]
            if any(
                "possible_duplicate" in claim["flags"]
                and claim["status"] in ("unverified", "corroborated", "verified")
                for claim in service.get(f"/v1/incidents/{item['id']}")["claims"]
            )
        }
        assert answer["total"]["possible_duplicates"] == len(open_hints)
        return counted

    assert rows() == [("2019", 2, 1), ("2022", 2, 1)]
    cleared = {"clears": ["possible_duplicate"], "reason": "Another event: 40 km away."}
    service.act(f"/v1/reports/{fourth['id']}/reviews", cleared, **{"If-Match": '"1"'})
    assert rows() == [("2019", 2, 0), ("2022", 2, 1)]
    refuted = {"status": "refuted", "reason": "Invented."}
    service.act(f"/v1/reports/{second['id']}/reviews", refuted, **{"If-Match": '"1"'})
    assert rows() == [("2019", 2, 0), ("2022", 1, 0)]


def test_parts_of_what_is_merged_become_parts_of_the_whole(service: Service) -> None:
    war, campaign, night = (
        service.post(report(n, when=f"2022-08-0{n}", claimant=claimant))
        for n, claimant in ((9, "icrc"), (8, "residents"), (2, "local-media"))
    )
    link(service, campaign["incident"], title="a campaign", note="as it was called")
    link(service, night["incident"], part_of=campaign["incident"])
    before = everything(service)
    # The campaign's eight contain the night's two.
    assert killed(service) == (17, 17, 17)
    step = merge(service, war["incident"], campaign["incident"])
    whole = service.get(f"/v1/incidents/{war['incident']}")
    assert [part["id"] for part in whole["parts"]] == [night["incident"]]
    assert killed(service) == (8, 8, 9)
    undo(service, step)
    assert everything(service) == before
    assert service.get(f"/v1/incidents/{campaign['incident']}")["title"] == "a campaign"


def test_what_cannot_be_merged(service: Service) -> None:
    first, second, third = (service.post(report(n, when=f"2022-08-0{n}")) for n in (1, 2, 3))
    link(service, second["incident"], part_of=first["incident"])
    path = f"/v1/incidents/{first['incident']}/merge"
    refused(service, 422, path, "incidents", incidents=[first["incident"]])
    refused(service, 422, path, "incidents", incidents=[third["incident"]] * 2)
    refused(service, 422, path, "incidents", incidents=[UNKNOWN])
    refused(service, 422, path, "incidents", incidents=[])
    refused(service, 422, path, "incidents.0", incidents=["x"])
    refused(service, 409, path, incidents=[second["incident"]])
    refused(
        service, 409, f"/v1/incidents/{second['incident']}/merge", incidents=[first["incident"]]
    )
    refused(
        service,
        409,
        f"/v1/incidents/{third['incident']}/merge",
        incidents=[first["incident"], second["incident"]],
    )
    refused(service, 404, f"/v1/incidents/{UNKNOWN}/merge", incidents=[third["incident"]])
    merge(service, first["incident"], third["incident"])
    refused(service, 409, path, incidents=[third["incident"]])
    gone = f"/v1/incidents/{third['incident']}"
    refused(service, 409, f"{gone}/merge", incidents=[second["incident"]])
    refused(service, 409, f"{gone}/split", reports=[third["id"]])
    refused(service, 409, f"{gone}/links", title="a name")


def test_a_hint_that_returns_to_a_verified_report_brings_it_before_a_reviewer(
    service: Service,
) -> None:
    first = service.post(report(3))
    second = service.post(report(3, claimant="residents"))
    step = merge(service, first["incident"], second["incident"])
    decided = {"status": "verified", "basis": "peacekeepers", "reason": "Seen."}
    service.act(f"/v1/reports/{second['id']}/reviews", decided, **{"If-Match": '"2"'})

    def waiting() -> list[str]:
        items = service.get("/v1/reviews/queue", Role.REVIEWER)["items"]
        return [item["report"]["id"] for item in items]

    assert waiting() == [first["id"]]
    undo(service, step)
    told = service.get(f"/v1/reports/{second['id']}")
    assert (told["status"], told["flags"]) == ("verified", ["possible_duplicate"])
    assert sorted(waiting()) == sorted([first["id"], second["id"]])


# Splitting


def test_what_is_split_off_is_an_event_of_its_own(service: Service) -> None:
    first = service.post(report(3))
    inside = report(12, claimant="residents", incident=first["incident"])
    second = service.post(inside, Role.ADMIN)
    before = everything(service)
    assert (total(service)["incidents"], killed(service)) == (1, (3, 3, 12))
    step = split(service, first["incident"], second["id"])
    apart = service.get(f"/v1/reports/{second['id']}")["incident"]
    assert apart != first["incident"]
    assert (total(service)["incidents"], killed(service)) == (2, (15, 15, 15))
    assert sent_to(service, apart) is None
    after = everything(service)
    undoing = undo(service, step)
    assert everything(service) == before
    # Its id never stands for anything else.
    assert sent_to(service, apart) == f"/v1/incidents/{first['incident']}"
    undo(service, undoing)
    assert everything(service) == after


def test_what_cannot_be_split(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(3, when="2022-07-01"))
    service.post(report(1, claimant="residents", incident=first["incident"]), Role.ADMIN)
    path = f"/v1/incidents/{first['incident']}/split"
    refused(service, 422, path, "reports", reports=[second["id"]])
    refused(service, 422, path, "reports", reports=[UNKNOWN])
    refused(service, 422, path, "reports", reports=[])
    refused(service, 404, f"/v1/incidents/{UNKNOWN}/split", reports=[first["id"]])
    alone = f"/v1/incidents/{second['incident']}/split"
    refused(service, 422, alone, "reports", reports=[second["id"]])


# Linking


def test_a_report_is_moved_to_where_it_belongs(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(12, when="2022-07-01"))
    stray = service.post(report(5, claimant="residents", incident=second["incident"]), Role.ADMIN)
    before = everything(service)
    assert killed(service) == (8, 8, 15)
    step = link(service, first["incident"], reports=[stray["id"]])
    assert killed(service) == (15, 15, 17)
    assert (total(service)["incidents"], total(service)["reports"]) == (2, 3)
    after = everything(service)
    undoing = undo(service, step)
    assert everything(service) == before
    undo(service, undoing)
    assert everything(service) == after


def test_an_incident_that_loses_its_last_report_is_told_where_that_went(service: Service) -> None:
    first = service.post(report(3))
    second = service.post(report(3, claimant="residents", when="2022-07-01"))
    third = service.post(report(3, claimant="local-media", when="2022-07-01"))
    assert third["possible_duplicates"] == [second["incident"]]
    before = everything(service)
    step = link(service, first["incident"], reports=[second["id"]])
    assert sent_to(service, second["incident"]) == f"/v1/incidents/{first['incident']}"
    # Whoever was to be compared with it is to be compared with the whole.
    shown = service.get(f"/v1/reports/{third['id']}")
    assert shown["possible_duplicates"] == [first["incident"]]
    joining = report(1, claimant="armenian-officials", incident=second["incident"])
    assert service.post(joining, Role.ADMIN)["incident"] == first["incident"]
    undo(service, step)
    assert sent_to(service, second["incident"]) is None
    assert everything(service) != before
    shown = service.get(f"/v1/reports/{third['id']}")
    assert shown["possible_duplicates"] == [second["incident"]]


def test_an_episode_whose_reports_all_move_to_its_parts_stays(service: Service) -> None:
    war, night = service.post(report(9)), service.post(report(2))
    link(service, night["incident"], part_of=war["incident"])
    step = link(service, night["incident"], reports=[war["id"]])
    told = service.get(f"/v1/incidents/{night['incident']}", Role.REVIEWER)
    assert told["reports"] == 2
    assert broken(service) == []
    undo(service, step)
    assert sent_to(service, war["incident"]) is None
    assert broken(service) == []
    assert service.wrong_accounts() == []


def test_an_incident_is_made_part_of_another_and_stands_alone_again(service: Service) -> None:
    war, night = service.post(report(9)), service.post(report(2))
    before = everything(service)
    assert killed(service) == (11, 11, 11)
    step = link(service, night["incident"], part_of=war["incident"])
    answer = total(service)
    assert (answer["incidents"], answer["episodes"], answer["remainder"]) == (1, 1, True)
    assert killed(service) == (9, 9, 9)
    assert service.get(f"/v1/incidents/{night['incident']}")["part_of"] == war["incident"]
    after = everything(service)
    alone = link(service, night["incident"], part_of=None)
    assert everything(service) == before
    undo(service, alone)
    assert everything(service) == after
    undo(service, step)
    assert everything(service) == before


def test_what_an_incident_is_called_is_a_step_too(service: Service) -> None:
    told = service.post(report(9))
    before = everything(service)
    step = link(service, told["incident"], title="the escalation", note="n", episode=True)
    shown = service.get(f"/v1/incidents/{told['incident']}")
    assert (shown["title"], shown["note"], shown["episode"]) == ("the escalation", "n", True)
    # What is not named stays.
    renamed = link(service, told["incident"], title=None)
    shown = service.get(f"/v1/incidents/{told['incident']}")
    assert (shown["title"], shown["note"], shown["episode"]) == (None, "n", True)
    undo(service, renamed)
    undo(service, step)
    assert everything(service) == before


def test_nothing_becomes_part_of_itself(service: Service) -> None:
    first, second, third = (service.post(report(n, when=f"2022-08-0{n}")) for n in (1, 2, 3))
    link(service, second["incident"], part_of=first["incident"])
    link(service, third["incident"], part_of=second["incident"])
    for part_of in (first, second, third):
        path = f"/v1/incidents/{first['incident']}/links"
        refused(service, 409, path, part_of=part_of["incident"])


def test_what_cannot_be_linked(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(3, when="2022-07-01"))
    path = f"/v1/incidents/{first['incident']}/links"
    refused(service, 422, path)
    refused(service, 422, path, "reports", reports=[UNKNOWN])
    refused(service, 422, path, "part_of", part_of=UNKNOWN)
    refused(service, 422, path, "reason", title="a name", reason=None)
    refused(service, 422, path, "reason", title="a name", reason=" ")
    refused(service, 422, path, "episode", episode=None)
    refused(service, 404, f"/v1/incidents/{UNKNOWN}/links", title="a name")
    for unchanged in ({"reports": [first["id"]]}, {"part_of": None}, {"episode": False}):
        refused(service, 422, path, **unchanged)
    merge(service, first["incident"], second["incident"])
    refused(service, 409, path, part_of=second["incident"])


# Undoing


def test_only_what_has_not_changed_since_is_undone(service: Service) -> None:
    first, second, third = (service.post(report(n, when=f"2022-08-0{n}")) for n in (1, 2, 3))
    step = merge(service, first["incident"], second["incident"])
    later = link(service, third["incident"], reports=[second["id"]])
    refused(service, 409, f"/v1/groupings/{step['id']}/undo")
    undo(service, later)
    undo(service, step)
    refused(service, 409, f"/v1/groupings/{step['id']}/undo")
    refused(service, 404, f"/v1/groupings/{UNKNOWN}/undo")
    # A correction and a decision are no reason to refuse: they stay as they are.
    step = merge(service, first["incident"], second["incident"])
    told = service.get(f"/v1/reports/{second['id']}")
    decided = {"status": "verified", "basis": "peacekeepers", "reason": "Seen."}
    service.act(
        f"/v1/reports/{second['id']}/reviews", decided, **{"If-Match": f'"{told["revision"]}"'}
    )
    undo(service, step)
    told = service.get(f"/v1/reports/{second['id']}")
    assert (told["status"], told["incident"]) == ("verified", second["incident"])


def test_a_step_is_not_undone_over_what_joined_an_incident_since(service: Service) -> None:
    first = service.post(report(3))
    inside = report(12, claimant="residents", incident=first["incident"])
    second = service.post(inside, Role.ADMIN)
    step = split(service, first["incident"], second["id"])
    apart = service.get(f"/v1/reports/{second['id']}")["incident"]
    joined = service.post(report(1, claimant="local-media", incident=apart), Role.ADMIN)
    refused(service, 409, f"/v1/groupings/{step['id']}/undo")
    link(service, first["incident"], reports=[joined["id"]])
    part = service.post(report(1, when="2022-07-01"))
    linked = link(service, part["incident"], part_of=apart)
    refused(service, 409, f"/v1/groupings/{step['id']}/undo")
    undo(service, linked)
    undo(service, step)
    assert sent_to(service, apart) == f"/v1/incidents/{first['incident']}"


def test_a_hint_at_what_is_undone_is_a_hint_at_the_whole(service: Service) -> None:
    first = service.post(report(3))
    inside = report(12, claimant="residents", when="2022-07-01", incident=first["incident"])
    second = service.post(inside, Role.ADMIN)
    step = split(service, first["incident"], second["id"])
    apart = service.get(f"/v1/reports/{second['id']}")["incident"]
    hinting = service.post(report(12, claimant="local-media", when="2022-07-01"))
    assert hinting["possible_duplicates"] == [apart]
    undo(service, step)
    shown = service.get(f"/v1/reports/{hinting['id']}")
    assert shown["possible_duplicates"] == [first["incident"]]


def test_no_undoing_merges_two_incidents_into_each_other(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(3, when="2022-07-01"))
    undoing = undo(service, merge(service, first["incident"], second["incident"]))
    merge(service, second["incident"], first["incident"])
    refused(service, 409, f"/v1/groupings/{undoing['id']}/undo")
    assert sent_to(service, first["incident"]) == f"/v1/incidents/{second['incident']}"


def test_no_undoing_makes_an_incident_part_of_itself(service: Service) -> None:
    first, second = service.post(report(3)), service.post(report(3, when="2022-07-01"))
    undoing = undo(service, link(service, first["incident"], part_of=second["incident"]))
    link(service, second["incident"], part_of=first["incident"])
    refused(service, 409, f"/v1/groupings/{undoing['id']}/undo")


def test_the_documented_incidents_are_as_before_after_every_undoing(seeded: Service) -> None:
    """Whatever is merged, split and linked of them."""
    before = everything(seeded)
    listed = seeded.get("/v1/incidents", order="oldest", limit=200)["items"]
    alone = [i["id"] for i in listed if not i["parts"] and not i["part_of"]]
    steps = [merge(seeded, alone[0], *alone[1:4])]
    [told, *_] = seeded.get(f"/v1/incidents/{alone[0]}")["claims"]
    steps += [
        split(seeded, alone[0], told["id"]),
        link(seeded, alone[5], part_of=alone[6]),
        link(seeded, alone[0], part_of=alone[5], title="all of it"),
    ]
    assert everything(seeded) != before
    for step in reversed(steps):
        undo(seeded, step)
    assert everything(seeded) == before


# Withdrawals


def test_a_withdrawn_report_stays_as_a_tombstone_wherever_it_is_moved(service: Service) -> None:
    first = service.post(report(3))
    mine = report(12, when="2022-07-01", id="01850000-0000-7000-8000-000000000001")
    second = service.post(mine)
    path = f"/v1/reports/{second['id']}"
    withdrawn = {"status": "withdrawn", "reason": "Sent by mistake."}
    headers = service.headers(**{"If-Match": '"1"'})
    assert service.client.patch(path, json=withdrawn, headers=headers).status_code == 200
    assert killed(service) == (3, 3, 3)
    merge(service, first["incident"], second["incident"])
    told = service.get(path)
    assert (told["status"], told["incident"]) == ("withdrawn", first["incident"])
    assert killed(service) == (3, 3, 3)
    matrix = service.get(f"/v1/incidents/{first['incident']}")["matrix"]
    assert {(claim["report"], claim["status"]) for claim in matrix} == {
        (first["id"], "unverified"),
        (second["id"], "withdrawn"),
    }
    # Nothing brings it back: neither a change, nor a decision, nor the same report again.
    headers = service.headers(Role.REVIEWER, **{"If-Match": f'"{told["revision"]}"'})
    change = {"summary": "again", "reason": "r"}
    assert service.client.patch(path, json=change, headers=headers).status_code == 409
    decision = {"status": "verified", "basis": "peacekeepers", "reason": "r"}
    answer = service.client.post(f"{path}/reviews", json=decision, headers=headers)
    assert answer.status_code == 409
    assert service.post(mine) == second
    answer = service.client.post(
        "/v1/reports", json={**mine, "summary": "another"}, headers=service.headers()
    )
    assert answer.status_code == 409
    assert service.get(path) == told
