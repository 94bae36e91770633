"""What a report is compared with: nothing that counts is left out, no list of it is endless."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Role, Visibility
from service.domain.candidates import candidates as compared
from service.store import tables
from service.store.queries import EVERYBODY, seen_at
from service.work import candidates, reference
from service.work.candidates import FLAGGED, MOST_FLAGGED, Neighbourhood
from tests.harness import Service

Json = dict[str, Any]
PUBLIC, RESTRICTED = Visibility.PUBLIC.level, Visibility.RESTRICTED.level
# Days at the ends of months, what lasts, what is open on either side.
TIMES = (
    *("2022-07-22", "2022-07-31", "2022-08-01", "2022-08-09", "2022-08-10T06:00Z", "2022-08-31"),
    *("2022-08", "2022-07-28/2022-08-02", "2022-01/2022-09", "2021-11/2022-08-03"),
    *("../2022-08-20", "2022-07-01/..", "2022-09-08", "2022-09-20"),
)
POINTS = (
    {"place": "Lachin"},
    *({"lat": 39.64 + north, "lon": 46.55} for north in (0, 0.5, 0.68, 0.9, 1.5)),
    *({"lat": 39.64, "lon": 46.55 + east} for east in (0.7, 0.85, 1.2)),
    {"sector": "line-of-separation"},
    {"as_written": "beyond the river"},
)
PRECISIONS = ("exact", "settlement", "district", "sector", "theatre")


def report(number: int = 0, **fields: Any) -> Json:
    return {
        "when": "2022-08-03",
        "where": {"place": "Lachin"},
        "claimant": "icrc",
        "casualties": [{"killed": 3}],
        "summary": f"shelling {number} of the road near the village",
        **fields,
    }


def sent(service: Service, *told: Json) -> list[Json]:
    """Reports sent together, as they are kept."""
    answer = service.client.post(
        "/v1/reports/bulk",
        content="\n".join(map(json.dumps, told)),
        headers=service.headers(Role.IMPORTER, **{"Content-Type": "application/x-ndjson"}),
    )
    assert answer.status_code == 200, answer.text
    *outcomes, account = map(json.loads, answer.text.splitlines())
    assert account["summary"]["created"] == len(told), answer.text
    items = [outcome["id"] for outcome in outcomes]
    return [service.get(f"/v1/reports/{item}", Role.ADMIN) for item in items]


def scattered(random: Random) -> Json:
    where = dict(random.choice(POINTS))
    if "lat" in where:
        where["precision"] = random.choice(PRECISIONS)
    return report(
        random.randrange(9),
        when=random.choice(TIMES),
        where=where,
        casualties=[{"killed": random.choice((3, 40))}],
        claimant=random.choice(("icrc", "residents")),
        **({"disclosure": {"visibility": "restricted"}} if random.random() < 0.2 else {}),
    )


def everything(session: Any, level: int) -> list[Any]:
    """All that readers of a level are shown, however far away."""
    account = tables.Account
    rows = session.scalars(
        sa.select(account).where(account.claimant == EVERYBODY, account.counted, *seen_at(level))
    ).all()
    return candidates._with_words(session, candidates._wordless(session, rows, level), level)


@pytest.mark.parametrize("threshold", [candidates.POSSIBLE, FLAGGED])
def test_nothing_that_reaches_the_threshold_is_left_out(service: Service, threshold: float) -> None:
    random = Random(str(threshold))  # noqa: S311
    for _ in range(3):
        sent(service, *(scattered(random) for _ in range(40)))
    found = 0
    with service.database.reading() as session:
        theatre = reference.load(session)
        for level in (PUBLIC, RESTRICTED):
            every = everything(session, level)
            among = Neighbourhood(session, theatre, threshold)
            for trace in every:
                if not candidates._asks(trace):
                    continue
                whole, once, shared = (
                    compared(trace, others, theatre.sectors, theatre.weapons, threshold)
                    for others in (
                        every,
                        candidates.near(session, trace, level, theatre, threshold),
                        among.of(trace, level),
                    )
                )
                assert once == whole
                assert shared == whole
                found += len(whole)
    assert found > 100


def statements(service: Service, told: Sequence[Json]) -> int:
    """How often the database is asked while reports are taken."""
    seen: list[str] = []

    def note(*event: Any) -> None:
        if "accounts.latitude" in event[2]:
            seen.append(event[2])

    sa.event.listen(service.database.engine, "before_cursor_execute", note)
    sent(service, *told)
    sa.event.remove(service.database.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_batch_looks_up_each_month_once(service: Service) -> None:
    sent(service, *(report(n, when=f"2022-08-{n + 10}") for n in range(10)))
    few = statements(service, [report(n, when="2022-08-15") for n in range(3)])
    many = statements(service, [report(n, when="2022-08-16") for n in range(3, 30)])
    assert many == few


def test_a_report_names_no_more_than_the_ten_best(service: Service) -> None:
    others = [report(n, casualties=[{"killed": 900}]) for n in range(8)]
    alike = [report(100 + n, casualties=[{"killed": 7}], claimant="residents") for n in range(12)]
    first = sent(service, *others, *alike)
    incidents = {told["incident"] for told in first}
    [told] = sent(service, report(100, casualties=[{"killed": 7}]))
    best = service.get(f"/v1/reports/{told['id']}/candidates", limit=MOST_FLAGGED)["items"]
    assert told["possible_duplicates"] == sorted(each["incident"] for each in best)
    assert len(told["possible_duplicates"]) == MOST_FLAGGED
    assert set(told["possible_duplicates"]) <= {each["incident"] for each in first[8:]} < incidents
    with service.database.reading() as session:
        terms = session.scalars(
            sa.select(sa.func.count())
            .where(tables.ReportTerm.kind == "possible_duplicate")
            .group_by(tables.ReportTerm.report_id)
        ).all()
    assert max(terms) == MOST_FLAGGED


def test_reports_of_one_batch_hint_at_each_other(service: Service) -> None:
    first, second, elsewhere = sent(
        service, report(), report(claimant="residents"), report(when="2022-03-03")
    )
    assert first["possible_duplicates"] == elsewhere["possible_duplicates"] == []
    assert second["possible_duplicates"] == [first["incident"]]


def test_candidates_come_best_first_and_as_many_as_are_asked_for(service: Service) -> None:
    told = sent(service, *(report(n) for n in range(24)))
    for path in (f"/v1/reports/{told[0]['id']}", f"/v1/incidents/{told[0]['incident']}"):
        every = service.get(f"{path}/candidates", limit=100)["items"]
        assert len(every) == 23
        assert every == sorted(every, key=lambda each: (-each["score"], each["incident"]))
        assert service.get(f"{path}/candidates")["items"] == every[:20]
        assert service.get(f"{path}/candidates", limit=3)["items"] == every[:3]
        for limit in (0, 101):
            answer = service.client.get(f"{path}/candidates", params={"limit": limit})
            assert answer.status_code == 422


def test_the_queue_is_read_fifty_at_a_time_at_most(service: Service) -> None:
    told = sent(service, *(report(n) for n in range(4)))
    queue = service.get("/v1/reviews/queue", Role.REVIEWER, limit=50)["items"]
    assert len(queue) == len(told)
    for item in queue:
        alone = service.get(f"/v1/reports/{item['report']['id']}/candidates", Role.REVIEWER)
        assert item["candidates"] == alone["items"][:3]
    answer = service.client.get(
        "/v1/reviews/queue", params={"limit": 51}, headers=service.headers(Role.REVIEWER)
    )
    assert answer.status_code == 422
