"""What was known earlier: the same questions, answered from the record up to a moment."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.access import Role
from tests.happenings import Driver
from tests.harness import Databases, Service
from tests.reckoning import Json
from tests.test_recount import questions, scripts

few = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DAY = "2022-08-03"
LISTS = ("/v1/reports", "/v1/incidents", "/v1/coverage", "/v1/tallies")


def report(**fields: Any) -> Json:
    return {"when": DAY, "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def killed(service: Service, **asked: Any) -> tuple[int, int | None]:
    total = service.aggregates(period="total", by="", fill="none", **asked)["total"]
    return total["incidents"] or 0, total["figures"]["killed"]["best"]


def size(service: Service) -> int:
    """How many changes are recorded."""
    after, page = 0, service.get("/v1/changes", limit=500)
    while page["items"]:
        after, page = page["next"], service.get("/v1/changes", limit=500, after=page["next"])
    return after


def without_moment(answer: Any) -> Any:
    """An answer without what names the moment it is of."""
    if isinstance(answer, dict):
        return {k: without_moment(v) for k, v in answer.items() if k != "as_of"}
    if isinstance(answer, list):
        return [without_moment(item) for item in answer]
    if isinstance(answer, str) and answer.startswith("/v1/incidents?"):
        path, _, query = answer.partition("?")
        kept = [part for part in query.split("&") if not part.startswith("as_of=")]
        return f"{path}?{'&'.join(kept)}"
    return answer


def answers(service: Service, asked: list[Json], **moment: Any) -> list[Any]:
    """Everything that lists, single incidents and sums say."""
    found = [service.get("/v1/aggregates", **question, **moment) for question in asked]
    found += [service.get(path, limit=500, **moment) for path in LISTS]
    for path in LISTS[:2]:
        some = service.get(path, limit=4, **moment)["items"]
        found += [service.get(f"{path}/{item['id']}", **moment) for item in some]
    return [without_moment(answer) for answer in found]


@few
@given(st.lists(scripts, min_size=2, max_size=2), st.lists(questions(), min_size=3, max_size=3))
def test_an_earlier_moment_is_answered_as_it_was_then(
    databases: Databases, backend: str, chapters: list[Any], asked: list[Json]
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            driver, told = Driver(service), []
            for chapter in chapters:
                driver.run(chapter)
                moment = service.clock.now
                told.append((size(service), moment.isoformat(), answers(service, asked)))
                service.clock.advance(hours=1)
            for changes, moment, then in told:
                assert answers(service, asked, as_of=f"changes:{changes}") == then
                assert answers(service, asked, as_of=moment) == then
        finally:
            service.close()


def test_yesterdays_figures_stay_what_they_were(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 3}]))
    service.clock.advance(days=1)
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"reason": "Two more died.", "casualties": [{"killed": 5}]},
        headers=service.headers(**{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    service.post(report(when="2022-07-01", casualties=[{"killed": 1}]))
    assert killed(service) == (2, 6)
    assert killed(service, as_of="2022-10-01") == (1, 3)
    assert killed(service, as_of="2022-10-02") == (2, 6)
    assert killed(service, as_of="2022-09-30") == (0, None)
    earlier = service.get(f"/v1/reports/{told['id']}", as_of="2022-10-01")
    assert (earlier["revision"], earlier["casualties"][0]["killed"]["best"]) == (1, 3)


def test_what_is_withdrawn_was_claimed_before(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 3}]))
    service.clock.advance(days=1)
    service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"reason": "Sent by mistake.", "status": "withdrawn"},
        headers=service.headers(**{"If-Match": '"1"'}),
    )
    assert killed(service) == (0, None)
    assert killed(service, as_of="2022-10-01") == (1, 3)


def test_what_is_restricted_now_is_shown_of_no_earlier_moment(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 3}], summary="kestrel"))
    service.clock.advance(days=1)
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"reason": "Names a witness.", "disclosure": {"visibility": "restricted"}},
        headers=service.headers(**{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    for moment in ({}, {"as_of": "2022-10-01"}, {"as_of": f"changes:{size(service)}"}):
        assert killed(service, **moment) == (0, None)
        assert service.get("/v1/reports", q="kestrel", **moment)["items"] == []
    assert len(service.get("/v1/reports", Role.REVIEWER, as_of="2022-10-01")["items"]) == 1


def test_the_theatre_is_asked_as_it_was(service: Service) -> None:
    service.post(report(where={"place": "Lachin"}))
    answer = service.get("/v1/aggregates", as_of="2022-10-01", period="total", by="sector")
    assert answer["as_of"] == {"asked": "2022-10-01", "changes": size(service)}


def test_a_moment_that_is_none_is_refused(service: Service) -> None:
    for moment in (
        "yesterday",
        "[..2022-08-03]",
        "2022-08-03/2022-08-04",
        "changes:9999999",
        "changes:-1",
        "changes:",
        "",
    ):
        answer = service.client.get("/v1/incidents", params={"as_of": moment})
        assert answer.status_code == 422, moment
        assert answer.json()["errors"][0]["field"] == "as_of"


def test_before_anything_was_recorded_there_is_nothing(service: Service) -> None:
    answer = service.client.get("/v1/incidents", params={"as_of": "2020"})
    assert answer.status_code == 200
    assert answer.json()["items"] == []
