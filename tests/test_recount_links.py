"""Every row leads to exactly the incidents it counts, the odd rows too."""

from typing import Any

import pytest

from service.domain.access import Role
from tests.harness import Service
from tests.oracle import Oracle
from tests.oracle_sums import Question
from tests.reckoning import Json
from tests.test_recount import behind, check_answer

ODD: list[Json] = [
    {"when": "2022-09-13", "where": {"as_written": "nowhere known"}},
    {"when": "2022-09-13", "where": {"sector": "armenia-azerbaijan"}, "weapons": ["mortar"]},
    {"when": "2022-09", "where": {"sector": "lachin-corridor"}, "weapons": ["catapult"]},
    {"when": "2022-08/2022-09-13", "where": {"sector": "line-of-separation"}},
    {
        "when": "2022-09-13",
        "where": {"sector": "line-of-separation-north-east"},
        "weapons": ["mortar", "loitering-munition", "catapult", "uav"],
        "casualties": [{"party": "Ruritania", "killed": 2}, {"killed": {"low": 5}}],
    },
    {
        "when": "1986-01-01",
        "where": {"sector": "interior"},
        "weapons": ["indirect-fire", "small-arms"],
    },
    {"when": "2022-02-27", "where": {"sector": "interior"}, "casualties": [{"killed": 1}]},
    {
        "when": "2022-09-13",
        "where": {"sector": "rear"},
        "casualties": [{"party": "armenia", "killed": 3}, {"party": "unstated", "killed": 4}],
        "weapons": ["unmapped"],
    },
]
QUESTIONS: list[Json] = [
    {"by": "sector", "period": "month"},
    {"by": "sector", "period": "month", "level": 0},
    {"by": "sector", "period": "month", "level": 2},
    {"by": "sector", "period": "month", "level": 0, "sector": "line-of-separation-north-east"},
    {"by": "sector", "period": "month", "level": 1, "sector": "line-of-separation-north-east"},
    {"by": "sector", "period": "day", "level": 2, "sector": "line-of-separation"},
    {"by": "sector", "period": "total", "sector": "unlocated", "level": 2},
    {"by": "", "period": "total", "sector": "unlocated", "level": 2},
    {"by": "sector", "period": "named", "sector": "unlocated", "within": "unlocated"},
    {"by": "weapon", "period": "quarter"},
    {"by": "weapon", "period": "quarter", "level": 0},
    {"by": "weapon", "period": "quarter", "level": 2},
    {"by": "weapon", "period": "total", "weapon": "uav"},
    {"by": "weapon", "period": "total", "weapon": "uav", "level": 0},
    {"by": "weapon", "period": "total", "weapon": "loitering-munition", "level": 0},
    {"by": "weapon", "period": "total", "weapon": "uav", "weapon_exact": "true"},
    {"by": "weapon", "period": "total", "weapon": "unmapped"},
    {"by": "weapon", "period": "total", "weapon": "unstated"},
    {"by": "party", "period": "week"},
    {"by": "party,weapon", "period": "week", "party": "Ruritania"},
    {"by": "status", "period": "day"},
    {"by": "claimant", "period": "day", "clock": "reported"},
    {"by": "claimant", "period": "day", "clock": "received"},
    {"by": "claimant,sector", "period": "named"},
    {"by": "", "period": "day", "clock": "reported", "according_to": "icrc"},
    {"by": "sector", "period": "named"},
    {"by": "sector", "period": "named", "series": "2020-war-parts"},
    {"by": "sector,weapon,claimant,party,status", "period": "year"},
]


@pytest.fixture
def odd(service: Service) -> Service:
    """What fits no ordinary row, some of it told by two claimants on different days."""
    for number, report in enumerate(ODD):
        told = {"claimant": "armenian-officials", "reported": "2022-09-20", **report}
        incident = service.post(told, Role.REVIEWER)["incident"]
        service.clock.advance(days=1)
        if number % 2:
            later = {"claimant": "icrc", "reported": "2022-09-29", "incident": incident}
            service.post({**told, **later}, Role.REVIEWER)
        service.clock.advance(days=1)
    return service


def test_odd_rows_lead_to_exactly_what_they_count(odd: Service) -> None:
    oracle = Oracle(odd)
    seen: set[str | None] = set()
    for question in QUESTIONS:
        asked = {**question, "fill": "none"}
        check_answer(odd, Question(oracle, asked))
        for cell in odd.get("/v1/aggregates", **asked)["cells"]:
            seen |= {cell["period"], cell.get("sector"), cell.get("weapon"), cell.get("party")}
    assert {"spanning", "outside", "unlocated", "unmapped", "unstated", "Ruritania"} <= seen


@pytest.mark.parametrize("period", ["2020-war", "september-2022-escalation"])
def test_a_named_period_by_its_id_counts_what_its_list_shows(seeded: Service, period: str) -> None:
    answer = seeded.aggregates(period=period, by="sector", fill="none")
    listed = seeded.get("/v1/incidents", period=period, counted="true", limit=500)["items"]
    assert listed
    total = answer["total"]
    assert total["incidents"] + total["episodes"] == len(listed)
    linked: list[Any] = []
    for cell in answer["cells"]:
        linked += behind(seeded, cell)
    assert {item["id"] for item in linked} == {item["id"] for item in listed}
    assert len(linked) == len(listed)


def test_casualties_of_a_party_called_unstated_are_nobodys(service: Service) -> None:
    lines = [{"party": "unstated", "killed": 4}, {"party": "armenia", "killed": 3}]
    receipt = service.post(
        {"when": "2022-09-13", "where": {"sector": "rear"}, "claimant": "x", "casualties": lines}
    )
    assert [line["party"] for line in receipt["casualties"]] == [None, "armenia"]
    assert receipt["unmapped"] == ["claimant"]
    cells = service.aggregates(period="total", by="party", fill="none")["cells"]
    killed = {cell["party"]: cell["figures"]["killed"]["low"] for cell in cells}
    assert killed == {"armenia": 3, "unstated": 1}
