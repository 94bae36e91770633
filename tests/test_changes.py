"""The feed of changes: complete, in order, and no more than its reader may see."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.access import Role
from service.work import embargoes
from service.work.reference import Theatres
from tests.happenings import Driver
from tests.harness import Databases, Service
from tests.mirror import Mirror
from tests.reckoning import Json
from tests.test_recount import questions, scripts

few = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PERIODS = ("week", "month", "quarter", "year", "named", "total")
DIMENSIONS = ("", "sector", "weapon", "party", "status", "claimant", "sector,status")


def report(**fields: Any) -> Json:
    return {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def follow(service: Service, role: Role = Role.ANONYMOUS) -> list[Json]:
    mirror = Mirror(role)
    mirror.follow(service)
    return mirror.items


def actions(service: Service, role: Role = Role.ANONYMOUS) -> list[str]:
    """What happened since the reference data was loaded and the keys were made."""
    items = follow(service, role)
    start = max(i for i, item in enumerate(items) if item.get("kind") == "reference") + 6
    return [item["action"] for item in items[start:]]


def check_mirror(databases: Databases, service: Service, mirror: Mirror, asked: list[Json]) -> None:
    """A service over the mirror answers like the first one does to the mirror's reader."""
    with databases.fresh("sqlite", "nothing") as url:
        mirror.fill(url)
        copy = Service(url, clock=service.clock)
        try:
            for question in asked:
                wanted = service.get("/v1/aggregates", mirror.role, **question)
                assert copy.get("/v1/aggregates", mirror.role, **question) == wanted
            for path in ("/v1/incidents", "/v1/reports", "/v1/coverage", "/v1/tallies"):
                wanted = service.get(path, mirror.role, limit=500)
                assert copy.get(path, mirror.role, limit=500) == wanted
        finally:
            copy.close()


@pytest.mark.parametrize("role", [Role.ANONYMOUS, Role.PARTNER, Role.REVIEWER])
@few
@given(scripts, scripts, st.integers(1, 40), st.lists(questions(), min_size=4, max_size=4))
def test_a_mirror_made_from_the_feed_gives_every_figure(
    databases: Databases,
    backend: str,
    role: Role,
    first: Any,
    then: Any,
    limit: int,
    asked: list[Json],
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            driver, mirror = Driver(service), Mirror(role)
            driver.run(first)
            mirror.follow(service)
            driver.run(then)
            shown = [{"visibility": v} for v in ("restricted", "partners", "public")]
            for each, disclosure in zip(
                service.get("/v1/reports", Role.REVIEWER, limit=6)["items"],
                itertools.cycle(shown),
                strict=False,
            ):
                if each["status"] != "withdrawn":
                    service.change(each, Role.REVIEWER, disclosure=disclosure)
            mirror.follow(service, limit)
            check_mirror(databases, service, mirror, asked)
        finally:
            service.close()


def test_a_mirror_of_the_documented_incidents_gives_every_figure(
    databases: Databases, seeded: Service
) -> None:
    mirror = Mirror()
    mirror.follow(seeded)
    asked = [
        {"period": period, "by": by, "fill": "none"} for period in PERIODS for by in DIMENSIONS
    ]
    check_mirror(databases, seeded, mirror, asked)


def test_every_kind_of_change_is_told(service: Service) -> None:
    told = service.post(report())
    other = service.post(report(claimant="residents", when="2022-07-01"))
    told = service.change(told, casualties=[{"killed": 1}])
    told = service.act(
        f"/v1/reports/{told['id']}/reviews",
        {"status": "corroborated", "basis": "peacekeepers", "reason": "Their bulletin says so."},
        **{"If-Match": f'"{told["revision"]}"'},
    )
    service.act(
        f"/v1/incidents/{other['incident']}/links",
        {"reports": [told["id"]], "title": "A night", "reason": "The same night."},
    )
    moved = service.get(f"/v1/reports/{other['id']}")
    service.change(moved, disclosure={"place": "grid"})
    moved = service.get(f"/v1/reports/{other['id']}")
    service.change(moved, status="withdrawn")
    # What is recorded of the emptied incident may be what nobody else is to know.
    moving = ("linked", "hidden", "moved", "hidden")
    assert actions(service) == [
        *("created", "created", "revised", "reviewed", *moving, "disclosed", "withdrawn"),
    ]
    assert actions(service, Role.REVIEWER)[7] == "grouped"


def test_what_is_restricted_later_is_taken_back(service: Service) -> None:
    told = service.post(report(summary="kestrel"))
    mirror = Mirror()
    mirror.follow(service)
    assert mirror.items[-1]["content"]["posted"]["summary"] == "kestrel"
    service.change(told, disclosure={"visibility": "restricted"})
    mirror.follow(service)
    assert mirror.items[-1] == {
        "position": mirror.after - 1,
        "sha256": mirror.items[-1]["sha256"],
        "action": "withheld",
        "kind": "report",
        "subject": told["id"],
    }
    assert "kestrel" not in str(follow(service))


def test_what_was_never_shown_is_only_a_hash(service: Service) -> None:
    told = service.post(report(disclosure={"visibility": "restricted"}), Role.REVIEWER)
    item = follow(service)[-1]
    assert item.keys() == {"position", "sha256", "action"}
    assert item["action"] == "hidden"
    assert follow(service, Role.REVIEWER)[-1]["subject"] == told["id"]


def test_an_embargo_ends_by_a_recorded_change(service: Service) -> None:
    told = service.post(report(disclosure={"embargo": "2022-10-03T12:00:00Z"}))
    assert follow(service)[-1]["action"] == "hidden"
    assert service.client.get(f"/v1/reports/{told['id']}").status_code == 404
    service.clock.advance(days=1)
    assert embargoes.end(service.database, Theatres(), service.clock()) == 0
    service.clock.advance(days=2)
    assert embargoes.end(service.database, Theatres(), service.clock()) == 1
    assert service.get(f"/v1/reports/{told['id']}")["revision"] == 2
    item = follow(service)[-1]
    assert (item["action"], item["subject"]) == ("disclosed", told["id"])
    assert embargoes.end(service.database, Theatres(), service.clock()) == 0


def test_the_feed_ends_where_nothing_is_new(service: Service) -> None:
    end = len(follow(service))
    assert service.get("/v1/changes", after=end) == {"items": [], "next": end}
    service.post(report())
    page = service.get("/v1/changes", after=end)
    assert ([item["position"] for item in page["items"]], page["next"]) == ([end], end + 1)


def test_nobody_is_told_who_made_a_change(service: Service) -> None:
    key = service.make_key("kestrel of the north", Role.MONITOR)
    sent = service.client.post("/v1/reports", json=report(), headers=service.headers(key=key))
    assert sent.status_code == 201
    for role in Role:
        assert "kestrel" not in str(follow(service, role))
