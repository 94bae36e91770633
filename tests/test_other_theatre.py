"""Another conflict is another folder of reference data, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.store.journal import Author
from service.work import seed
from tests.harness import Databases, Service

FOLDER = Path(__file__).parent / "other_theatre"


@pytest.fixture
def valleys(databases: Databases, backend: str) -> Iterator[Service]:
    """A service that knows two valleys, in a zone with summer time."""
    with databases.fresh(backend, "nothing") as url:
        running = Service(url)
        author = Author(seed.ACTOR, running.clock())
        running.database.write(lambda session: seed.load(session, FOLDER, author))
        yield running
        running.close()


def cell(answer: dict[str, Any], **keys: Any) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [c for c in answer["cells"] if all(c[k] == v for k, v in keys.items())]
    return found


def test_it_is_ready_and_names_itself(valleys: Service) -> None:
    assert valleys.get("/health/ready")["theatre"] == "two-valleys"
    assert [s["id"] for s in valleys.get("/v1/sectors")["items"]] == [
        "two-valleys",
        "ridge",
        "ridge-bridge",
    ]


def test_its_days_are_those_of_its_zone(valleys: Service) -> None:
    answer = valleys.aggregates(
        period="day", by="sector", level=1, first="2021-03-27", last="2021-03-30"
    )
    clocks = cell(answer, period="2021-03-28", sector="ridge")
    assert (clocks["incidents"], clocks["reports"]) == (1, 2)
    assert (
        clocks["figures"]["wounded"] | {"low": 1, "best": 1, "high": 2}
        == (clocks["figures"]["wounded"])
    )
    for day in ("2021-03-27", "2021-03-29", "2021-03-30"):
        watched = cell(answer, period=day, sector="ridge")
        assert (watched["incidents"], watched["coverage"]) == (0, "full")
    receipt = valleys.post(
        {
            "when": "2021-10-31T02:30",
            "timezone": "Europe/Berlin",
            "where": {"place": "Old Bridge"},
            "claimant": "bridge-watch",
        }
    )
    assert "ambiguous_time" in receipt["flags"]


def test_its_named_periods_meet_at_its_midnight(valleys: Service) -> None:
    for when in ("2021-03-27T23:59+01:00", "2021-03-28T00:00+01:00"):
        valleys.post({"when": when, "where": {"place": "Old Bridge"}, "claimant": "bridge-watch"})
    answer = valleys.aggregates(period="named", by="")
    assert cell(answer, period="first-truce")["incidents"] == 1
    assert cell(answer, period="second-truce")["incidents"] == 2


def test_a_sector_begins_with_its_truce(valleys: Service) -> None:
    where = {"lat": 1.0, "lon": 1.0, "precision": "exact"}
    sent = {"where": where, "claimant": "bridge-watch"}
    after = valleys.post({**sent, "when": "2021-05-01"})
    before = valleys.post({**sent, "when": "2020-05-01"})
    assert after["where"]["sector"] == "ridge-bridge"
    assert before["where"]["sector"] == "two-valleys"


def test_its_parties_and_weapons_are_its_own(valleys: Service) -> None:
    answer = valleys.aggregates(period="total", by="party", fill="none")
    assert cell(answer, party="upper")["figures"]["wounded"]["low"] == 1
    answer = valleys.aggregates(period="total", by="weapon", fill="none", weapon="thrown")
    assert answer["total"]["incidents"] == 1
    unknown = valleys.post(
        {"when": "2021-05-01", "where": {"place": "Lachin"}, "claimant": "armenian-officials"}
    )
    assert "unmapped" in unknown["flags"]


def test_its_sums_equal_a_recount(valleys: Service) -> None:
    assert valleys.wrong_accounts() == []
    answer = valleys.aggregates(period="month", by="sector")
    assert sum(c["incidents"] or 0 for c in answer["cells"]) == answer["total"]["incidents"] == 2
