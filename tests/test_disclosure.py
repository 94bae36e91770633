"""Partners' sums over what they are not shown: not silently short, and giving no incident away."""

from collections.abc import Iterator
from itertools import combinations, product
from random import Random
from typing import Any

import pytest

from service.domain.access import Role
from service.domain.disclosure import SMALLEST_LOT
from tests.harness import Service

Json = dict[str, Any]
LINE, CORRIDOR = "line-of-separation", "lachin-corridor"
TIMES = ("2022-07-20", "2022-08-03", "2022-08", "2022-08-30/2022-09-02", "2022-07/2022-08")
PLACES = ({"sector": CORRIDOR}, {"sector": LINE}, {"as_written": "beyond the river"})
RESTRICTED = {"visibility": "restricted"}
EMBARGOED = {"embargo": "2023-01-01T00:00Z"}


def report(at: str = "2022-08-03", where: Json | None = None, **fields: Any) -> Json:
    return {
        "when": at,
        "where": where or {"sector": CORRIDOR},
        "claimant": "residents",
        "casualties": [{"killed": 0}],
        **fields,
    }


def hidden(number: int, at: str = "2022-08-03", where: Json | None = None, **fields: Any) -> Json:
    """A report whose count names it in every sum: the sum of highs holds its bit."""
    casualties = [{"killed": {"low": 0, "high": 2**number}}]
    given = {"disclosure": RESTRICTED, **fields}
    return report(at, where, casualties=casualties, **given)


def asked(service: Service, role: Role = Role.PARTNER, **parameters: Any) -> Json:
    if "first" in parameters:
        parameters["from"] = parameters.pop("first")
    if "last" in parameters:
        parameters["to"] = parameters.pop("last")
    answer: Json = service.get(
        "/v1/aggregates", role, **{"fill": "none", "include": "restricted", **parameters}
    )
    return answer


def rows(answer: Json) -> Iterator[tuple[str, Json]]:
    yield "total", answer["total"]
    for cell in answer["cells"]:
        keys = (cell["period"], cell.get("sector"), cell.get("within"))
        yield "/".join(str(key) for key in keys), cell


def bits(row: Json) -> set[int]:
    """The hidden incidents in a sum."""
    number = row["figures"]["killed"]["high"] or 0
    return {n for n in range(number.bit_length()) if number >> n & 1}


def told(service: Service, **parameters: Any) -> dict[str, set[int]]:
    return {key: bits(row) for key, row in rows(asked(service, **parameters))}


def test_two_hidden_incidents_are_in_no_sum_and_three_are_in_all(service: Service) -> None:
    service.post(report())
    for number in range(2):
        service.post(hidden(number))
        answer = asked(service)
        assert answer["total"]["incidents"] == 1
        assert answer["restricted"] == {"included": 0, "lot": SMALLEST_LOT}
    service.post(hidden(2))
    answer = asked(service)
    [cell] = answer["cells"]
    assert (cell["incidents"], cell["reports"], bits(cell)) == (4, 4, {0, 1, 2})
    assert (answer["total"]["incidents"], bits(answer["total"])) == (4, {0, 1, 2})
    assert answer["restricted"] == {"included": 3, "lot": SMALLEST_LOT}
    assert asked(service, include=[])["total"]["incidents"] == 1
    assert asked(service, include=[])["restricted"] is None


def test_an_embargoed_report_is_hidden_like_a_restricted_one(service: Service) -> None:
    for number in range(3):
        service.post(hidden(number, disclosure=EMBARGOED))
    assert bits(asked(service)["total"]) == {0, 1, 2}


def test_a_line_and_a_month_with_fewer_is_left_out_of_wider_sums_too(service: Service) -> None:
    for number in range(4):
        service.post(hidden(number))
    service.post(hidden(4, "2022-09-13"))
    service.post(hidden(5, where={"sector": LINE}))
    for period in ("month", "quarter", "year", "total"):
        for by in ("sector", ""):
            assert bits(asked(service, period=period, by=by)["total"]) == {0, 1, 2}


def test_what_is_told_besides_takes_the_place_of_what_is_shown(service: Service) -> None:
    shown = [service.post(report())["incident"] for _ in range(3)]
    for number, incident in enumerate(shown):
        service.post(hidden(number, incident=incident, claimant="icrc"), Role.REVIEWER)
    total = asked(service)["total"]
    assert (total["incidents"], total["reports"], bits(total)) == (3, 6, {0, 1, 2})


def test_one_more_and_more_of_one_are_not_told_together(service: Service) -> None:
    """Else the count of incidents would tell of the one that is hidden whole."""
    incident = service.post(report())["incident"]
    service.post(hidden(0, incident=incident, claimant="icrc"), Role.REVIEWER)
    service.post(hidden(1))
    service.post(hidden(2))
    assert asked(service)["restricted"]["included"] == 0


def test_what_is_part_of_another_or_has_parts_is_never_told(service: Service) -> None:
    told = [service.post(hidden(number))["incident"] for number in range(6)]
    assert asked(service)["restricted"]["included"] == 6
    episode = service.post(report("2022-08"))["incident"]
    service.act(f"/v1/incidents/{told[0]}/links", {"reason": "Part.", "part_of": episode})
    assert bits(asked(service)["total"]) == {3, 4, 5}
    service.act(f"/v1/incidents/{told[4]}/links", {"reason": "A night.", "episode": True})
    assert bits(asked(service)["total"]) == set()


def test_reviewers_are_told_everything_as_ever(service: Service) -> None:
    service.post(report())
    service.post(hidden(0))
    for role in (Role.REVIEWER, Role.ADMIN):
        assert asked(service, role) == asked(service, role, include=[])
        assert bits(asked(service, role, by="claimant", period="day")["total"]) == {0}


def test_only_partners_and_above_may_ask(service: Service) -> None:
    for role, status in {
        Role.ANONYMOUS: 401,
        Role.MONITOR: 403,
        Role.IMPORTER: 403,
        Role.PARTNER: 200,
        Role.REVIEWER: 200,
        Role.ADMIN: 200,
    }.items():
        answer = service.client.get(
            "/v1/aggregates", params={"include": "restricted"}, headers=service.headers(role)
        )
        assert answer.status_code == status, role


@pytest.mark.parametrize(
    ("field", "question"),
    [
        ("include", {"include": "everything"}),
        ("as_of", {"as_of": "2022-09-30"}),
        ("period", {"period": "week"}),
        ("period", {"period": "2020-war"}),
        ("period", {"period": "named"}),
        ("series", {"series": "phases"}),
        ("by", {"by": "sector,weapon"}),
        ("level", {"level": "2"}),
        ("from", {"from": "2022-08-02"}),
        ("to", {"to": "2022-08-30"}),
        ("sector", {"sector": "line-of-separation-north-east"}),
        ("sector", {"sector": "unlocated"}),
        ("clock", {"clock": "reported"}),
        ("place", {"place": "Lachin"}),
        ("bbox", {"bbox": "40,40,50,50"}),
        ("weapon", {"weapon": "mine"}),
        ("claimant", {"claimant": "residents"}),
        ("party", {"party": "armenia"}),
        ("attributed_to", {"attributed_to": "armenia"}),
        ("status", {"status": "verified"}),
        ("contested", {"contested": "false"}),
        ("min_killed", {"min_killed": "0"}),
        ("q", {"q": "river"}),
        ("according_to", {"according_to": "residents"}),
    ],
)
def test_a_question_that_could_single_one_out_is_refused_by_its_field(
    service: Service, field: str, question: dict[str, str]
) -> None:
    answer = service.client.get(
        "/v1/aggregates",
        params={"include": "restricted", **question},
        headers=service.headers(Role.PARTNER),
    )
    assert answer.status_code == 422, answer.text
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_links_lead_to_what_the_reader_may_see(service: Service) -> None:
    mine = service.post(report(disclosure={"visibility": "partners"}))["incident"]
    for number in range(3):
        service.post(hidden(number))
    answer = asked(service, first="2022-08", last="2022-08", sector=CORRIDOR)
    assert answer["total"]["incidents"] == 4
    for _, row in rows(answer):
        found = service.get(row["incidents_url"], Role.PARTNER)["items"]
        assert [item["id"] for item in found] == [mine]


def test_without_from_and_to_the_answer_covers_whole_months(service: Service) -> None:
    service.post(report("2022-08-30"))
    for number in range(3):
        service.post(hidden(number, "2022-08-03"))
    for number in range(3, 6):
        service.post(hidden(number, "2022-06-11"))
    answer = asked(service)
    assert (answer["from"], answer["to"]) == ("2022-06-01", "2022-08-31")
    assert {key: bits(row) for key, row in rows(answer)} == {
        "total": {0, 1, 2, 3, 4, 5},
        f"2022-06/{CORRIDOR}/None": {3, 4, 5},
        f"2022-08/{CORRIDOR}/None": {0, 1, 2},
    }
    assert asked(service, format="json", fill="dense")["total"] == answer["total"]


def fill(service: Service, random: Random, count: int) -> None:
    """Incidents of every kind, the hidden ones numbered."""
    for number in range(count):
        at, where = random.choice(TIMES), random.choice(PLACES)
        kind = random.randrange(10)
        if kind < 7:
            service.post(
                hidden(number, at, where, disclosure=random.choice([RESTRICTED] * 3 + [EMBARGOED]))
            )
            continue
        incident = service.post(report(at, where))["incident"]
        if kind < 9:
            where = random.choice([where, PLACES[0]])
            service.post(
                hidden(number, at, where, incident=incident, claimant="icrc"), Role.REVIEWER
            )
        else:
            part = service.post(hidden(number, at, where))["incident"]
            links = {"reason": "Part of it.", "part_of": incident}
            service.act(f"/v1/incidents/{part}/links", links)


def slices() -> Iterator[Json]:
    """Every question that is let through, but for bounds that add nothing here."""
    spans: list[Json] = [
        {},
        {"first": "2022-08", "last": "2022-08"},
        {"first": "2022-07", "last": "2022-08"},
        {"first": "2022-08"},
        {"last": "2022-08"},
        {"last": "2022-07"},
    ]
    cuts: list[Json] = [{"by": ""}, {"by": "sector"}, {"by": "sector", "level": 0}]
    sectors: list[Json] = [{}, {"sector": CORRIDOR}, {"sector": "armenia-azerbaijan"}]
    for span, period, cut, sector in product(
        spans, ("month", "quarter", "year", "total"), cuts, sectors
    ):
        yield {**span, "period": period, **cut, **sector}


def test_no_two_sums_differ_by_fewer_hidden_incidents_than_a_lot(service: Service) -> None:
    fill(service, Random(11), 26)  # noqa: S311
    masks: dict[frozenset[int], Json] = {}
    for number, question in enumerate(slices()):
        answer = asked(service, **question)
        for key, row in rows(answer):
            masks.setdefault(frozenset(bits(row)), {**question, "row": key})
        if number % 5 == 0:
            plain = asked(service, **question, include=[])
            check_counts(answer, dict(rows(plain)))
    assert max(map(len, masks)) >= 2 * SMALLEST_LOT
    for one, other in combinations([frozenset[int](), *masks], 2):
        for more in (one - other, other - one):
            assert not more or len(more) >= SMALLEST_LOT, (masks.get(one), masks.get(other))


def check_counts(answer: Json, plain: dict[str, Json]) -> None:
    """What is counted in all columns, with and without what is hidden, differs by whole lots."""
    assert answer["restricted"]["included"] % SMALLEST_LOT == 0
    for key, row in rows(answer):
        known = plain.get(key, {})
        more = {
            name: (row[name] or 0) - (known.get(name) or 0)
            for name in ("incidents", "episodes", "reports")
        }
        assert more["incidents"] % SMALLEST_LOT == 0
        assert more["episodes"] == 0
        assert more["reports"] == 0 or more["reports"] >= SMALLEST_LOT


def test_one_hidden_report_after_another_changes_no_sum_by_fewer_than_a_lot(
    service: Service,
) -> None:
    random, before = Random(3), told(service)  # noqa: S311
    for number in range(20):
        where = random.choice(PLACES[:2])
        service.post(hidden(number, random.choice(TIMES[:2]), where))
        after = told(service)
        for key in before.keys() | after.keys():
            was, now = before.get(key, set()), after.get(key, set())
            assert was <= now
            assert len(now - was) in (0, SMALLEST_LOT)
        before = after
    assert len(before["total"]) >= 2 * SMALLEST_LOT


def test_what_is_disclosed_draws_nobody_else_into_the_light(service: Service) -> None:
    """As embargoes end one by one: what is still hidden is never told of anew, or by itself."""
    reports = [service.post(hidden(number)) for number in range(8)]
    still = set(range(8))
    before = told(service)["total"]
    for number in (1, 6, 4, 0):
        open_now = {"reason": "Over.", "disclosure": {"visibility": "public"}}
        answer = service.client.patch(
            f"/v1/reports/{reports[number]['id']}",
            json=open_now,
            headers=service.headers(Role.REVIEWER, **{"If-Match": '"1"'}),
        )
        assert answer.status_code == 200, answer.text
        still.remove(number)
        after = told(service)["total"]
        assert {number} <= after
        assert after & still <= before
        assert len(after & still) % SMALLEST_LOT == 0
        before = after
