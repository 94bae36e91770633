"""What is asked beside plain sums: earlier days, windows, running totals, two claimants, calm."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from service.domain.access import Role
from tests.happenings import CLAIMANTS, SECTORS, Driver, happenings
from tests.harness import Databases, Service
from tests.reckoning import Json
from tests.test_recount import behind

COUNTS = ("incidents", "episodes", "reports", "possible_duplicates", "figures", "remainder")
# Nobody is called so, and yet a question that says so is summed from the accounts.
SUMMED_NOW = {"untold_by": "nobody at all"}
moderate = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def tell(
    service: Service, when: str, killed: Any = None, sector: str = "lachin-corridor", **more: Any
) -> str:
    """One report of an incident; its incident."""
    lines = [] if killed is None else [{"killed": killed}]
    where = {"sector": sector}
    told = {"when": when, "where": where, "claimant": "icrc", "casualties": lines, **more}
    # Only who reviews may say to which incident a report belongs.
    incident: str = service.post(told, Role.REVIEWER)["incident"]
    return incident


def watch(service: Service, first: str, after: str, sector: str = "armenia-azerbaijan") -> None:
    coverage = {
        "observer": "icrc",
        "sectors": [sector],
        "from": f"{first}T00:00+04:00",
        "to": f"{after}T00:00+04:00",
        "means": "posts",
        "access": "full",
    }
    answer = service.client.post("/v1/coverage", json=coverage, headers=service.headers())
    assert answer.status_code == 201, answer.text


def ask(service: Service, **asked: Any) -> Json:
    answer: Json = service.aggregates(**{"by": "", **asked})
    return answer


def incidents(answer: Json) -> dict[str, int | None]:
    return {cell["period"]: cell["incidents"] for cell in answer["cells"]}


def killed(answer: Json) -> dict[str, tuple[int | None, int | None, int | None]]:
    return {
        cell["period"]: tuple(cell["figures"]["killed"][b] for b in ("low", "best", "high"))
        for cell in answer["cells"]
    }


def changes(answer: Json) -> dict[str, Any]:
    """By period the change of the killed as bounds, or why there is none."""
    return {
        cell["period"]: cell["change"]["reason"]
        or tuple(cell["change"]["figures"]["killed"][b] for b in ("low", "best", "high"))
        for cell in answer["cells"]
    }


def refusal(service: Service, path: str = "/v1/aggregates", **asked: Any) -> str:
    """The one field that a refused question names."""
    answer = service.client.get(path, params=asked)
    assert answer.status_code == 422, answer.text
    [problem] = answer.json()["errors"]
    field: str = problem["field"]
    return field


@pytest.fixture
def told(service: Service) -> Service:
    """Four incidents: one of a day, one of two days, one open at the top, one of a month."""
    tell(service, "2022-08-03", 2)
    tell(service, "[2022-08-04..2022-08-05]", {"low": 1, "best": 2, "high": 3})
    tell(service, "2022-09-13", {"low": 5})
    tell(service, "2021-09", 4)
    return service


# Moving windows


def test_a_window_counts_all_that_lies_in_its_days_and_not_rounded_days(told: Service) -> None:
    asked = {"period": "day", "first": "2022-08-04", "last": "2022-08-07"}
    days = ask(told, **asked)
    assert incidents(days) == {
        **dict.fromkeys((f"2022-08-0{day}" for day in range(4, 8)), None),
        "spanning": 1,
    }
    moving = ask(told, window=3, **asked)
    assert killed(moving) == {
        "2022-08-04": (2, 2, 2),
        "2022-08-05": (3, 4, 5),
        "2022-08-06": (1, 2, 3),
        "2022-08-07": (None, None, None),
    }
    assert moving["additive"] is False
    assert moving["window"] == 3
    first = moving["cells"][0]
    assert (first["start"], first["end"]) == ("2022-08-02", "2022-08-04")
    assert (moving["total"]["start"], moving["total"]["incidents"]) == ("2022-08-02", 2)


def test_what_fits_into_no_window_is_spanning(told: Service) -> None:
    asked = {"period": "day", "first": "2022-08-05", "last": "2022-08-05", "window": 2}
    assert incidents(ask(told, **asked)) == {"2022-08-05": 1}
    tell(told, "[2022-08-04..2022-08-06]")
    answer = ask(told, **asked)
    assert incidents(answer) == {"2022-08-05": 1, "spanning": 1}
    assert answer["cells"][-1]["incidents_url"] is None
    assert answer["total"]["incidents"] == 2


def test_a_window_of_weeks_months_quarters_and_years_ends_with_its_period(told: Service) -> None:
    for period, window, key, start in (
        ("week", 4, "2022-W37", "2022-08-22"),
        ("month", 12, "2022-09", "2021-10-01"),
        ("quarter", 2, "2022-Q3", "2022-04-01"),
        ("year", 2, "2022", "2021-01-01"),
    ):
        answer = ask(told, period=period, window=window, first="2022-09-13", last="2022-09-13")
        [cell] = [cell for cell in answer["cells"] if cell["period"] == key]
        assert (cell["start"], cell["end"]) == (start, "2022-09-13")


def test_the_first_month_of_a_window_is_whole_though_from_is_not(told: Service) -> None:
    answer = ask(told, period="month", window=2, first="2022-09-10", last="2022-09")
    assert killed(answer) == {"2022-09": (8, 9, None)}
    assert answer["cells"][0]["start"] == "2022-08-01"


# Running totals


def test_a_running_total_counts_all_since_the_agreement(service: Service) -> None:
    tell(service, "2022-07-14", 1)
    tell(service, "[2022-07-14..2022-07-16]", 1)
    tell(service, "2022-07-15", 2)
    tell(service, "2022-08-20", 4)
    tell(service, "[2022-07-30..2022-08-02]", 8)
    answer = ask(service, period="month", running="border-delimitation-2022", last="2022-09")
    assert (answer["running"], answer["since"]) == ("border-delimitation-2022", "2022-07-15")
    assert (answer["from"], answer["additive"]) == ("2022-07-15", False)
    assert killed(answer) == {
        "2022-07": (2, 2, 2),
        "2022-08": (14, 14, 14),
        "2022-09": (14, 14, 14),
        "spanning": (1, 1, 1),
    }
    assert {cell["start"] for cell in answer["cells"][:-1]} == {"2022-07-15"}
    assert [cell["end"] for cell in answer["cells"][:2]] == ["2022-07-31", "2022-08-31"]


def test_of_an_agreement_known_to_a_year_the_first_day_counts(service: Service) -> None:
    answer = ask(service, period="year", running="vacated-positions-2021", last="2021")
    assert answer["since"] == "2021-01-01"


def test_rows_of_a_running_total_may_begin_later_than_it_counts(told: Service) -> None:
    asked = {"running": "vacated-positions-2021", "first": "2022-08", "last": "2022-09"}
    assert killed(ask(told, period="month", **asked)) == {
        "2022-08": (7, 8, 9),
        "2022-09": (12, 13, None),
    }


# Comparisons


def test_a_change_is_a_range_from_the_earlier_low_to_the_later_high(told: Service) -> None:
    tell(told, "2022-07-20", {"low": 1, "best": 1, "high": 2})
    answer = ask(told, period="month", compare="previous", first="2022-07", last="2022-09")
    assert changes(answer) == {
        "2022-07": "unwatched",
        "2022-08": (3 - 2, 4 - 1, 5 - 1),
        # The top of September is open; at least its low is beyond the high of August.
        "2022-09": (5 - 5, 5 - 4, None),
    }
    august = answer["cells"][1]
    assert (august["compared"]["period"], august["compared"]["incidents"]) == ("2022-07", 1)
    assert (august["compared"]["start"], august["compared"]["end"]) == ("2022-07-01", "2022-07-31")
    assert august["change"]["incidents"] == 1


def test_an_open_earlier_figure_opens_the_change_below(told: Service) -> None:
    tell(told, "2022-10-01", 1)
    answer = ask(told, period="month", compare="previous", first="2022-10", last="2022-10")
    assert changes(answer) == {"2022-10": (None, -4, -4)}


def test_silence_is_no_change_unless_somebody_watched_it(told: Service) -> None:
    asked = {"period": "month", "compare": "previous", "first": "2022-08", "last": "2022-08"}
    assert changes(ask(told, **asked)) == {"2022-08": "unwatched"}
    watch(told, "2022-07-01", "2022-08-01")
    assert changes(ask(told, **asked)) == {"2022-08": (3, 4, 5)}


def test_a_year_before_is_the_period_of_the_same_number(told: Service) -> None:
    asked = {"compare": "year_before", "first": "2022-09", "last": "2022-09"}
    assert changes(ask(told, period="month", **asked)) == {"2022-09": (1, 1, None)}
    for period, of, before in (
        ("day&", ("2024-02-28", "2024-02-29"), ["2023-02-28", None]),
        ("week", ("2020-12-21", "2021-01-10"), ["2019-W52", None, "2020-W01"]),
        ("quarter", ("2022-07-01", "2022-09-30"), ["2021-Q3"]),
        ("year", ("2022-01-01", "2022-12-31"), ["2021"]),
    ):
        answer = ask(told, period=period.strip("&"), compare="year_before", first=of[0], last=of[1])
        rows = [cell["compared"] and cell["compared"]["period"] for cell in answer["cells"]]
        assert rows == before
        reasons = {cell["change"]["reason"] for cell in answer["cells"] if not cell["compared"]}
        assert reasons == ({"no_period"} if None in before else set())


def test_a_period_that_is_cut_off_is_compared_with_nothing(told: Service) -> None:
    answer = ask(told, period="month", compare="previous", first="2022-08-02", last="2022-09-15")
    assert changes(answer) == {"2022-08": "cut", "2022-09": "cut"}


def test_totals_are_compared_with_as_many_days_or_whole_months(told: Service) -> None:
    for first, last, compare, days in (
        ("2022-09-10", "2022-09-14", "previous", ("2022-09-05", "2022-09-09")),
        ("2022-08", "2022-09", "previous", ("2022-06-01", "2022-07-31")),
        ("2022-03", "2022-03", "previous", ("2022-02-01", "2022-02-28")),
        ("2023-02", "2023-02", "year_before", ("2022-02-01", "2022-02-28")),
        ("2025-02", "2025-02", "year_before", ("2024-02-01", "2024-02-29")),
        ("2024-02-28", "2024-02-29", "year_before", ("2023-02-28", "2023-02-28")),
    ):
        answer = ask(told, period="total", compare=compare, first=first, last=last)
        for row in (answer["total"], *answer["cells"]):
            assert (row["compared"]["start"], row["compared"]["end"]) == days
    unbounded = ask(told, period="total", compare="previous")
    assert changes(unbounded) == {"total": "unbounded"}
    assert unbounded["total"]["change"]["reason"] == "unbounded"


def test_named_periods_are_compared_with_the_one_before_in_their_series(told: Service) -> None:
    answer = ask(told, period="august-2022-escalation", compare="previous")
    [cell] = answer["cells"]
    assert cell["compared"]["period"] == "spring-and-summer-2022"
    first = ask(told, period="before-the-1994-ceasefire", compare="previous")
    assert changes(first) == {"before-the-1994-ceasefire": "no_period"}


def test_what_is_recorded_only_in_the_earlier_days_has_a_row(told: Service) -> None:
    asked = {"first": "2022-09", "last": "2022-09", "by": "sector", "fill": "none"}
    tell(told, "2022-08-07", 1, sector="rear")
    answer = ask(told, period="month", compare="previous", **asked)
    rows = {cell["sector"]: cell for cell in answer["cells"]}
    assert rows.keys() == {"lachin-corridor", "rear"}
    assert (rows["rear"]["incidents"], rows["rear"]["compared"]["incidents"]) == (None, 1)


def test_a_window_is_compared_with_the_last_that_shares_no_day(told: Service) -> None:
    asked = {"period": "day", "window": 3, "first": "2022-08-06", "last": "2022-08-06"}
    [cell] = ask(told, compare="previous", **asked)["cells"]
    assert (cell["start"], cell["compared"]["start"]) == ("2022-08-04", "2022-08-01")
    assert cell["compared"]["end"] == "2022-08-03"
    assert tuple(cell["change"]["figures"]["killed"].values()) == (1 - 2, 2 - 2, 3 - 2, 0)


# Complete periods only


def test_only_periods_that_are_whole_and_over_have_rows(service: Service) -> None:
    for day in ("2022-08-20", "2022-09-20", "2022-09-30", "2022-10-01"):
        tell(service, day, 1)
    asked = {"period": "month", "complete": "true", "first": "2022-08-15", "last": "2022-12"}
    answer = ask(service, **asked)
    assert incidents(answer) == {"2022-09": 2, "incomplete": 2}
    assert answer["as_of_day"] == "2022-10-01"
    assert (answer["additive"], answer["total"]["incidents"]) == (True, 4)
    assert answer["cells"][-1]["incidents_url"] is None
    # In the theatre September is over four hours earlier than in Greenwich.
    service.clock.advance(hours=-16.5)
    assert ask(service, **asked)["as_of_day"] == "2022-09-30"
    assert incidents(ask(service, **asked)) == {"incomplete": 4}


def test_a_kept_answer_is_not_given_out_on_the_next_day(service: Service) -> None:
    tell(service, "2022-10-01", 1)
    url = "/v1/aggregates?period=day&by=&complete=true&fill=none"
    before = service.client.get(url)
    same = service.client.get(url, headers={"If-None-Match": before.headers["etag"]})
    assert same.status_code == 304
    service.clock.advance(days=1)
    after = service.client.get(url, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert incidents(before.json()) == {"incomplete": 1}
    assert incidents(after.json()) == {"2022-10-01": 1}
    quiet = service.client.get("/v1/aggregates/quiet")
    service.clock.advance(days=1)
    held = {"If-None-Match": quiet.headers["etag"]}
    later = service.client.get("/v1/aggregates/quiet", headers=held)
    assert later.json()["total"]["days"] == {"at_least": 2, "at_most": 2}


# Days of another time zone


def test_days_of_another_time_zone(service: Service) -> None:
    late, early = "2022-08-03T23:30+04:00", "2022-08-04T02:30+04:00"
    tell(service, late, 1)
    tell(service, early, 2)
    tell(service, "2022-08-04", 4)
    asked = {"period": "day", "first": "2022-08-03", "last": "2022-08-04"}
    assert killed(ask(service, **asked)) == {"2022-08-03": (1, 1, 1), "2022-08-04": (6, 6, 6)}
    london = ask(service, timezone="Europe/London", **asked)
    assert killed(london) == {
        "2022-08-03": (3, 3, 3),
        "2022-08-04": (None, None, None),
        "spanning": (4, 4, 4),
    }
    assert london["timezone"] == "Europe/London"
    # Nothing told only to a day of the theatre spans two where the days are the same.
    same = ask(service, timezone="Asia/Dubai", **asked)
    assert killed(same) == {"2022-08-03": (1, 1, 1), "2022-08-04": (6, 6, 6)}


def test_from_and_to_are_days_of_the_zone_too(service: Service) -> None:
    tell(service, "2022-08-04T02:30+04:00", 1)
    tell(service, "2022-08-06", 2)
    asked = {"period": "day", "timezone": "Europe/London", "fill": "none"}
    assert incidents(ask(service, first="2022-08-03", last="2022-08-03", **asked)) == {
        "2022-08-03": 1
    }
    assert incidents(ask(service, first="2022-08-04", last="2022-08-04", **asked)) == {}
    # It may have begun in the last hours of the fifth there.
    assert incidents(ask(service, first="2022-08-05", last="2022-08-05", **asked)) == {
        "spanning": 1
    }


# Precision


def test_time_precision_selects_what_is_known_at_least_so_finely(service: Service) -> None:
    whens = ["2022-08-03T10:00+04:00", "2022-08-03", "[2022-08-03..2022-08-05]", "2022-08"]
    whens += ["[2022-08-30..2022-09-02]", "2022", "[2021-12-30..2022-01-02]", "[..2022-08-03]"]
    names = {tell(service, when): when for when in whens}
    for precision, many in (("instant", 1), ("day", 2), ("month", 4), ("year", 6)):
        items = service.get("/v1/incidents", time_precision=precision)["items"]
        assert {names[item["id"]] for item in items} == {*whens[:many]}
        total = ask(service, period="total", time_precision=precision)["total"]
        assert total["incidents"] == many
    assert refusal(service, "/v1/reports", time_precision="day") == "time_precision"


def test_place_precision_selects_what_is_published_at_least_so_narrowly(service: Service) -> None:
    point = {"lat": 39.6, "lon": 46.5}
    wheres = [{**point, "precision": name} for name in ("exact", "settlement", "district")]
    wheres += [{"sector": "rear"}, {"sector": "armenia-azerbaijan"}, {"as_written": "nowhere"}]
    for where in wheres:
        tell(service, "2022-08-03", where=where)
    for precision, many in (("exact", 1), ("settlement", 2), ("district", 3), ("sector", 4)):
        asked = {"place_precision": precision}
        assert len(service.get("/v1/incidents", **asked)["items"]) == many
        assert ask(service, period="total", **asked)["total"]["incidents"] == many
    assert refusal(service, "/v1/reports", place_precision="exact") == "place_precision"


# Days since the last incident


def quiet(service: Service, **asked: Any) -> dict[str, Json]:
    answer = service.get("/v1/aggregates/quiet", **asked)
    return {"total": answer["total"], **{row["sector"]: row for row in answer["sectors"]}}


def test_days_since_the_last_incident_are_a_range(service: Service) -> None:
    tell(service, "2022-08-03", sector="rear")
    tell(service, "2022-09-13", sector="lachin-corridor")
    # Some time in September, before or after the thirteenth.
    tell(service, "2022-09", sector="lachin-corridor")
    tell(service, "[2022-07-01..]", sector="interior")
    watch(service, "2022-08-04", "2022-10-02", "rear")
    rows = quiet(service)
    assert rows["rear"]["days"] == {"at_least": 59, "at_most": 59}
    assert rows["rear"]["coverage"] == "full"
    assert rows["lachin-corridor"]["last"] == {"earliest": "2022-09-13", "latest": "2022-09-30"}
    assert rows["lachin-corridor"]["days"] == {"at_least": 1, "at_most": 18}
    assert rows["lachin-corridor"]["coverage"] == "none"
    assert rows["interior"]["open"] == 1
    assert rows["interior"]["days"] == {"at_least": 92, "at_most": None}
    assert rows["line-of-separation"]["days"] == {"at_least": None, "at_most": None}
    assert rows["line-of-separation"]["incidents_url"] is None
    assert rows["total"]["days"] == {"at_least": 1, "at_most": 18}
    assert len(behind(service, rows["lachin-corridor"])) == 1


def test_quiet_as_of_an_earlier_day_knows_nothing_of_what_came_later(service: Service) -> None:
    tell(service, "2022-08-03")
    tell(service, "2022-09-13")
    tell(service, "[2022-08-15..2022-08-25]")
    rows = quiet(service, to="2022-08-20")
    # What may have happened by then may have been that very day.
    assert rows["total"]["days"] == {"at_least": 0, "at_most": 17}
    assert service.get("/v1/aggregates/quiet", to="2022-08-20")["as_of_day"] == "2022-08-20"
    assert service.get("/v1/aggregates/quiet", to="2030")["as_of_day"] == "2022-10-01"
    assert refusal(service, "/v1/aggregates/quiet", as_of="2022-10-01") == "to"


def test_a_sector_that_is_gone_and_what_is_known_to_none_have_rows(service: Service) -> None:
    tell(service, "2020-10-05", sector="line-of-contact")
    tell(service, "2022-08-05", sector="armenia-azerbaijan")
    rows = quiet(service)
    assert rows["line-of-contact"]["in_force"] is False
    assert rows["rear"]["in_force"] is True
    assert rows["unlocated"]["within"] == "armenia-azerbaijan"
    assert rows["unlocated"]["days"] == {"at_least": 57, "at_most": 57}
    assert rows["unlocated"]["coverage"] is None
    assert "line-of-contact" not in quiet(service, sector="rear")


# Two claimants


@pytest.fixture
def disputed(service: Service) -> Service:
    """One incident told by both, and one told by each alone."""
    shared = tell(service, "2022-08-03", {"low": 2, "high": 4}, claimant="armenian-officials")
    tell(service, "2022-08-03", 9, claimant="azerbaijan-mod", incident=shared)
    tell(service, "2022-08-10", {"low": 1}, claimant="azerbaijan-mod")
    tell(service, "2022-09-02", 3, claimant="armenian-officials")
    return service


def gaps(service: Service, **asked: Any) -> Json:
    pair = "armenian-officials,azerbaijan-mod"
    answer: Json = service.get("/v1/aggregates/gaps", claimants=pair, by="", **asked)
    return answer


def test_the_gap_is_a_range_from_the_one_to_the_other(disputed: Service) -> None:
    answer = gaps(disputed, period="month", **{"from": "2022-08", "to": "2022-09"})
    august, september = answer["cells"]
    assert (august["a"]["incidents"], august["b"]["incidents"]) == (1, 2)
    assert (august["a"]["alone"], august["a"]["shared"]) == (0, 1)
    assert (august["b"]["alone"], august["b"]["shared"]) == (1, 1)
    bounds = august["gap"]["figures"]["killed"]
    assert (bounds["low"], bounds["high"]) == (10 - 4, None)
    assert (september["b"]["incidents"], september["b"]["alone"]) == (None, None)
    assert (september["gap"]["incidents"], september["gap"]["reason"]) == (None, "untold")
    total = answer["total"]
    assert (total["a"]["alone"], total["b"]["alone"], total["gap"]["incidents"]) == (1, 1, 0)
    assert len(behind(disputed, {"incidents_url": total["a"]["alone_url"]})) == 1


def test_saying_nothing_under_full_watch_is_still_no_claim_of_zero(disputed: Service) -> None:
    watch(disputed, "2022-09-01", "2022-10-01")
    september = gaps(disputed, period="month", **{"from": "2022-09", "to": "2022-09"})["cells"][0]
    assert (september["b"]["incidents"], september["gap"]["reason"]) == (0, "untold")


def test_what_a_claimant_puts_elsewhere_is_still_told_by_both(disputed: Service) -> None:
    shared = tell(disputed, "2022-09-20", 1, claimant="armenian-officials")
    tell(disputed, "2022-08-20", 1, claimant="azerbaijan-mod", incident=shared)
    asked = {"from": "2022-09", "to": "2022-09"}
    september = gaps(disputed, period="month", **asked)["cells"][0]
    assert (september["a"]["alone"], september["a"]["shared"]) == (1, 1)


# What does not go together


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("window", {"window": "1"}),
        ("window", {"window": "367"}),
        ("window", {"window": "3", "period": "named"}),
        ("window", {"window": "3", "period": "total"}),
        ("running", {"running": "nowhere-1999"}),
        ("running", {"running": "border-delimitation-2022", "window": "3"}),
        ("from", {"running": "border-delimitation-2022", "from": "2022-07-14"}),
        ("to", {"running": "border-delimitation-2022", "to": "2022-07-14"}),
        ("compare", {"running": "border-delimitation-2022", "compare": "previous"}),
        ("compare", {"compare": "next"}),
        ("compare", {"compare": "year_before", "period": "named"}),
        ("complete", {"complete": "true", "period": "total"}),
        ("as_of", {"complete": "true", "as_of": "2022-10-01"}),
        ("timezone", {"timezone": "Europe/London"}),
        ("timezone", {"timezone": "Europe/Atlantis", "period": "day"}),
        ("from", {"timezone": "Europe/London", "period": "day", "to": "2022-08"}),
        ("to", {"timezone": "Europe/London", "period": "day", "from": "2022-08"}),
        (
            "clock",
            {
                "timezone": "Europe/London",
                "period": "day",
                "clock": "received",
                "from": "2022-08",
                "to": "2022-08",
            },
        ),
        ("time_precision", {"time_precision": "span"}),
        ("place_precision", {"place_precision": "theatre"}),
        ("claimants", {"claimants": "a,b"}),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(
    seeded: Service, field: str, asked: dict[str, str]
) -> None:
    assert refusal(seeded, **asked) == field


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("claimants", {}),
        ("claimants", {"claimants": "icrc"}),
        ("claimants", {"claimants": "icrc,icrc"}),
        ("claimants", {"claimants": "icrc,"}),
        ("claimants", {"claimants": "a,b,c"}),
        ("according_to", {"claimants": "a,b", "according_to": "a"}),
        ("untold_by", {"claimants": "a,b", "untold_by": "a"}),
        ("by", {"claimants": "a,b", "by": "claimant"}),
        ("compare", {"claimants": "a,b", "compare": "previous"}),
    ],
)
def test_gaps_are_asked_of_two(seeded: Service, field: str, asked: dict[str, str]) -> None:
    assert refusal(seeded, "/v1/aggregates/gaps", **asked) == field


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("window", {"window": "2"}),
        ("running", {"running": "border-delimitation-2022"}),
        ("compare", {"compare": "previous"}),
        ("complete", {"complete": "true"}),
        ("time_precision", {"time_precision": "day"}),
        ("place_precision", {"place_precision": "sector"}),
        ("untold_by", {"untold_by": "icrc"}),
    ],
)
def test_what_cuts_lots_apart_is_not_asked_with_restricted_sums(
    seeded: Service, field: str, asked: dict[str, str]
) -> None:
    answer = seeded.client.get(
        "/v1/aggregates",
        params={"include": "restricted", "period": "year", **asked},
        headers=seeded.headers(Role.PARTNER),
    )
    assert answer.status_code == 422, answer.text
    assert field in {problem["field"] for problem in answer.json()["errors"]}


def test_lists_take_a_time_zone_only_for_one_row(seeded: Service) -> None:
    asked = {"timezone": "Europe/London", "from": "2022", "to": "2022"}
    assert refusal(seeded, "/v1/incidents", **asked) == "timezone"
    asked = {"timezone": "Europe/London", "grain": "day", "bucket": "2022-08-03"}
    assert refusal(seeded, "/v1/incidents", **asked) == "from"


# Other formats


def table_of(service: Service, path: str, **asked: Any) -> list[dict[str, str]]:
    answer = service.client.get(path, params={**asked, "format": "csv"})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_tables_hold_what_stands_beside_a_row(disputed: Service) -> None:
    asked = {"from": "2022-08", "to": "2022-09", "period": "month", "by": ""}
    [august, september] = table_of(disputed, "/v1/aggregates", compare="previous", **asked)
    assert (august["compared.period"], august["change.reason"]) == ("2022-07", "unwatched")
    assert september["compared.figures.killed.low"] == "3"
    assert september["change.incidents"] == "-1"
    pair = {"claimants": "armenian-officials,azerbaijan-mod"}
    [august, _] = table_of(disputed, "/v1/aggregates/gaps", **pair, **asked)
    assert (august["a.claimant"], august["b.alone"]) == ("armenian-officials", "1")
    assert (august["gap.figures.killed.low"], august["gap.figures.killed.high"]) == ("6", "")
    rows = table_of(disputed, "/v1/aggregates/quiet")
    [row] = [row for row in rows if row["sector"] == "lachin-corridor"]
    assert (row["days.at_least"], row["last.latest"]) == ("29", "2022-09-02")


# Whatever is asked: every row equals the plain question of its days


PERIODS = ["day", "week", "month", "quarter", "year", "named", "total"]
BYS = ["", "sector", "status", "weapon", "party", "claimant", "sector,status", "weapon,party"]
SPANS: list[Json] = [
    {},
    {"from": "2020-10-30", "to": "2020-12-05"},
    {"from": "2020-11", "to": "2020-12"},
    {"from": "2020-11-16"},
    {"to": "2020-12-10"},
]


@st.composite
def questions(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(["window", "running", "compare", "complete", "zone", "both"]))
    period = draw(st.sampled_from(PERIODS))
    asked: Json = {"by": draw(st.sampled_from(BYS)), "fill": "none", **draw(st.sampled_from(SPANS))}
    if kind in ("window", "both"):
        period = draw(st.sampled_from(PERIODS[:5]))
        asked["window"] = draw(st.integers(2, 9))
    if kind == "running":
        agreements = ["ceasefire-1994", "humanitarian-ceasefire-1", "trilateral-statement-2020"]
        asked["running"] = draw(st.sampled_from(agreements))
        assumed = {"ceasefire-1994": "", "humanitarian-ceasefire-1": "2020-10-10"}
        if asked.get("from", "9") < assumed.get(asked["running"], "2020-11-09"):
            del asked["from"]
        period = period if period != "day" or "from" in asked else "week"
    if kind in ("compare", "both"):
        asked["compare"] = draw(st.sampled_from(["previous", "year_before"]))
        if asked["compare"] == "year_before" and period == "named":
            period = "month"
    if kind == "complete" and period != "total":
        asked["complete"] = "true"
    if kind == "zone":
        period = "day"
        asked |= {"timezone": draw(st.sampled_from(["Europe/London", "Pacific/Auckland"]))}
        asked |= SPANS[1]
    narrowed = {
        "sector": SECTORS,
        "level": [0, 2],
        "status": ["unverified", "verified"],
        "according_to": CLAIMANTS[:2],
        "time_precision": ["day", "month"],
        "place_precision": ["district", "sector"],
        "untold_by": CLAIMANTS[:2],
    }
    names = draw(st.sets(st.sampled_from(sorted(narrowed)), max_size=2))
    asked |= {name: draw(st.sampled_from(narrowed[name])) for name in sorted(names)}
    return {**asked, "period": period}


@moderate
@given(
    st.lists(happenings, min_size=5, max_size=25),
    st.lists(questions(), min_size=10, max_size=10),
)
def test_every_row_equals_the_plain_question_of_its_days(
    databases: Databases, backend: str, script: Any, asked: list[Json]
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            Driver(service).run(script)
            for question in asked:
                note(f"asked: {question}")
                check(service, question)
        finally:
            service.close()


def test_every_row_about_the_documented_incidents_equals_the_plain_question(
    seeded: Service,
) -> None:
    for asked in (
        {"period": "month", "by": "sector", "compare": "previous", "from": "2020", "to": "2022"},
        {"period": "week", "by": "weapon", "window": 4, "from": "2020-09", "to": "2020-12"},
        {"period": "year", "by": "party,status", "running": "ceasefire-1994"},
        {"period": "year", "by": "sector", "compare": "year_before"},
        {"period": "quarter", "by": "claimant", "complete": "true"},
    ):
        check(seeded, {**asked, "fill": "none"})


def check(service: Service, asked: Json) -> None:
    answer = service.get("/v1/aggregates", **asked)
    if "untold_by" not in asked:
        now = service.get("/v1/aggregates", **asked, **SUMMED_NOW)
        assert without_links(now) == without_links(answer)
    filters = {n: v for n, v in asked.items() if n not in MOVING}
    for row in (answer["total"], *answer["cells"]):
        compared = row.get("compared")
        for each in filter(None, (row, compared)):
            if each["start"] is not None and row is not answer["total"]:
                check_row(service, filters, {**keys_of(row), **each}, asked)
        if "compare" in asked:
            check_change(row)
    total = answer["total"]
    for each in filter(None, (total, total.get("compared"))):
        if "timezone" not in asked:
            days = {"from": each["start"], "to": each["end"], "period": "total"}
            plain = service.get("/v1/aggregates", **{**filters, **days})["total"]
            assert counts(each) == counts(plain)
            assert each["incidents_url"].split("?")[0] == "/v1/incidents"
    if answer["additive"]:
        for name in COUNTS[:4]:
            rows = [cell[name] or 0 for cell in answer["cells"]]
            assert sum(rows) == (answer["total"][name] or 0)


# What makes a question another one than the plain one of the same days.
MOVING = {"window", "running", "compare", "complete", "period", "from", "to", "series"}
KEYS = ("sector", "within", "weapon", "claimant", "party", "status")


def check_row(service: Service, filters: Json, row: Json, asked: Json) -> None:
    days = {"from": row["start"], "to": row["end"]}
    # Days of another zone are asked for day by day.
    period = "day" if "timezone" in filters else "total"
    plain = service.get("/v1/aggregates", **{**filters, **days, "period": period})
    same = [
        cell
        for cell in plain["cells"]
        if cell["period"] not in ("spanning", "outside") and keys_of(cell) == keys_of(row)
    ]
    if row["incidents"]:
        assert [counts(cell) for cell in same] == [counts(row)]
        listed = behind(service, row)
        assert len(listed) == row["incidents"] + row["episodes"]
    else:
        # Where there is nothing to count, figures may still be told of another status.
        assert not any(cell["incidents"] for cell in same)
    assert asked


def keys_of(row: Json) -> Json:
    return {name: row[name] for name in KEYS if name in row}


def counts(row: Json) -> Json:
    return {name: row[name] for name in COUNTS}


def check_change(row: Json) -> None:
    """A change holds whatever the two figures may have been."""
    change, other = row["change"], row["compared"]
    if other is None or None in (row["incidents"], other["incidents"]):
        assert change["incidents"] is None
        assert change["reason"] is not None
        return
    assert change["incidents"] == row["incidents"] - other["incidents"]
    for outcome, between in change["figures"].items():
        this, that = row["figures"][outcome], other["figures"][outcome]
        for a in possible(this):
            for b in possible(that):
                assert between["low"] is None or between["low"] <= a - b
                assert between["high"] is None or a - b <= between["high"]
        if None in (this["low"], that["low"]):
            assert (between["low"], between["best"], between["high"]) == (None, None, None)
        else:
            assert (between["low"] is None) == (that["high"] is None)
            assert (between["high"] is None) == (this["high"] is None)


def possible(figure: Json) -> Iterator[int]:
    if figure["low"] is not None:
        yield figure["low"]
        yield figure["low"] + 10_000 if figure["high"] is None else figure["high"]


def without_links(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {n: without_links(v) for n, v in answer.items() if not n.endswith("_url")}
    return [*map(without_links, answer)] if isinstance(answer, list) else answer


@moderate
@given(
    st.lists(happenings, min_size=5, max_size=25),
    st.sampled_from(PERIODS[1:]),
    st.sampled_from(["", "sector", "party", "status"]),
)
def test_both_sides_of_a_gap_are_what_the_claimants_say_alone(
    databases: Databases, backend: str, script: Any, period: str, by: str
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            Driver(service).run(script)
            pair = CLAIMANTS[0], CLAIMANTS[1]
            check_gaps(service, pair, {"period": period, "by": by})
        finally:
            service.close()


def check_gaps(service: Service, pair: tuple[str, str], asked: Json) -> None:
    answer = service.get("/v1/aggregates/gaps", claimants=",".join(pair), **asked, fill="none")
    told = {
        name: service.get("/v1/incidents", according_to=name, counted="true", limit=500)["items"]
        for name in pair
    }
    ids = [{item["id"] for item in items} for items in told.values()]
    for which, name, others in (("a", pair[0], ids[1]), ("b", pair[1], ids[0])):
        plain = service.get("/v1/aggregates", according_to=name, **asked, fill="none")
        rows = {(c["period"], *keys_of(c).values()): c for c in plain["cells"]}
        for cell in answer["cells"]:
            side = cell[which]
            assert side["claimant"] == name
            same = rows.pop((cell["period"], *keys_of(cell).values()), None)
            if same is None:
                assert not side["incidents"]
                continue
            assert counts(side) == counts(same)
            listed = {item["id"] for item in behind(service, side)}
            alone = {item["id"] for item in behind(service, {"incidents_url": side["alone_url"]})}
            if "status" not in asked["by"]:
                assert (len(listed & others), len(listed - others)) == (
                    side["shared"],
                    side["alone"],
                )
                assert alone == listed - others
        assert rows == {}
        assert counts(answer["total"][which]) == counts(plain["total"])
    for row in (answer["total"], *answer["cells"]):
        if row["gap"]["reason"] is None:
            assert row["gap"]["incidents"] == row["b"]["incidents"] - row["a"]["incidents"]


@moderate
@given(st.lists(happenings, min_size=5, max_size=25), st.sampled_from([0, 1, 2]))
def test_quiet_is_what_the_lists_show(
    databases: Databases, backend: str, script: Any, level: int
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            Driver(service).run(script)
            answer = service.get("/v1/aggregates/quiet", level=level)
            for row in (answer["total"], *answer["sectors"]):
                check_quiet(service, row, answer["as_of_day"], level)
        finally:
            service.close()


def check_quiet(service: Service, row: Json, day: str, level: int) -> None:
    asked: Json = {"level": level, "counted": "true", "limit": 500, "to": day}
    if "sector" in row:
        asked["sector"] = row["sector"]
    if row.get("sector") == "unlocated":
        asked["within"] = row["within"] or "unlocated"
    items = service.get("/v1/incidents", **asked)["items"]
    spans = [(i["start"] or i["end"], i["end"] or i["start"], None in (i["start"], i["end"]))
             for i in items]  # fmt: skip
    latest = min(day, max(end for _, end, _ in spans)) if spans else None
    earliest = max((start for start, _, is_open in spans if not is_open), default=None)
    assert row["last"] == {"earliest": earliest, "latest": latest}
    assert row["open"] == sum(is_open for *_, is_open in spans)
    if latest is not None:
        last = {item["id"] for item in behind(service, row)}
        assert last == {
            item["id"] for item, (_, end, _) in zip(items, spans, strict=True) if end >= latest
        }
        assert dict(parse_qsl(row["incidents_url"]))["to"] == day
