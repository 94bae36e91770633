"""What the sources tempt a reader to get wrong, and the seed data must not."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.archive import Archive, figures
from tests.harness import BACKENDS, Databases, Service


@pytest.fixture(scope="module", params=BACKENDS)
def archive(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Archive]:
    with databases.fresh(request.param, "seeds") as url:
        running = Service(url)
        yield Archive(running)
        running.close()


def test_there_are_56_incidents_and_what_is_set_aside_says_why(archive: Archive) -> None:
    assert len(archive.incidents) == 56
    aside = [i for i in archive.incidents if not i["counted"]]
    assert len(aside) == 23
    assert all(i["reason"] for i in aside)
    assert all(i["reason"] is None for i in archive.incidents if i["counted"])


def test_every_report_has_a_source_and_says_where_in_it(archive: Archive) -> None:
    assert len(archive.reports) == 97
    for report in archive.reports:
        assert report["sources"]
        assert all(source["title"] and source["locator"] for source in report["sources"])


def test_every_code_is_known_and_every_summary_can_be_shown(archive: Archive) -> None:
    assert {flag for r in archive.reports for flag in r["flags"]} <= {"unreadable_quantity"}
    assert [r["unmapped"] for r in archive.reports if r["unmapped"]] == []
    assert all(r["summary"] for r in archive.reports)
    ids = {r["id"] for r in archive.reports} | {i["id"] for i in archive.incidents}
    about = [r["about"] for r in archive.reports if r["about"]]
    assert {a.get("report") or a.get("incident") for a in about} <= ids


def test_a_cumulative_toll_is_no_incident(archive: Archive) -> None:
    lows = [f["low"] for r in archive.reports for f in figures(r, "killed")]
    assert 3000 not in lows
    assert archive.total("1994", "2009")["incidents"] is None
    assert not any(re.search(r"3[,. ]?000\b|3 тыс", text) for text in archive.texts())


def test_no_toll_is_counted_in_an_episode_and_again_in_its_parts(archive: Archive) -> None:
    assert archive.low("2016-04", "2016-04") == 200
    assert archive.low("2016-08", "2017-06") == 24
    assert archive.incident("clash-february-2017")["figures"]["killed"]["low"] == 6
    assert archive.low("2020-09", "2020-12") == 5300 + 7
    assert archive.low("2022-08", "2022-08") == 1 + 2
    assert archive.low("2022-08", "2022-08", "wounded") == 1 + 19


def test_the_toll_of_the_mines_is_not_shared_out(archive: Archive) -> None:
    parts = archive.below("mine-explosions-2020")
    assert len(parts) == 3
    assert [p["figures"]["killed"] for p in parts] == [None] * 3
    for apart in ("mine-jabrail-november-2020", "mine-anama-employee-november-2020"):
        incident = archive.incident(apart)
        assert (incident["part_of"], incident["figures"]["killed"]) == (None, None)
    assert archive.incident("mine-jabrail-november-2020")["end"] < "2020-11-10"


@pytest.mark.parametrize("year", ["2016", "2020"])
def test_allegations_that_may_share_victims_are_never_summed(archive: Archive, year: str) -> None:
    alleged = [
        i
        for i in archive.incidents
        if re.search("behead|severed|killing", i["title"]) and i["start"].startswith(year)
    ] or [i for i in archive.incidents if "behead" in i["title"]]
    assert len(alleged) >= 3
    assert not any(i["counted"] for i in alleged)


def test_an_operation_told_by_both_sides_is_one_incident(archive: Archive) -> None:
    assert len(archive.incident("azerbaijani-operation-3-august-2022")["claims"]) == 3
    seen_from_there = archive.incident("vacated-positions-august-2022")
    assert (seen_from_there["counted"], bool(seen_from_there["reason"])) == (False, True)
    strikes = archive.incident("drone-strikes-3-august-2022")
    assert (strikes["figures"]["killed"]["low"], strikes["figures"]["wounded"]["low"]) == (2, 19)


def test_arrests_are_no_captives(archive: Archive) -> None:
    proceedings = archive.report("mutilation-proceedings-2020/azerbaijan-prosecutor-general")
    assert proceedings["casualties"] == []
    assert (proceedings["attributed_to"], proceedings["basis"]) == ("azerbaijan", "own-proceedings")


def test_one_agreement_has_one_entry_and_one_date(archive: Archive) -> None:
    agreements = archive.service.get("/v1/agreements")["items"]
    november = [a["date"] for a in agreements if a["date"] in ("2020-11-09", "2020-11-10")]
    assert november == ["2020-11-09"]
    shusha = archive.incident("shusha-capture-2020")
    assert (shusha["start"], shusha["end"]) == ("2020-11-07", "2020-11-07")


def test_displacement_is_shown_and_never_summed(archive: Archive) -> None:
    displaced = [r for r in archive.reports if figures(r, "displaced")]
    assert [figures(r, "displaced")[0]["low"] for r in displaced] == [130]
    assert not archive.incident("talish-displacement-april-2016")["counted"]
    assert "displaced" not in archive.total("1994", "2022")["figures"]


def test_the_day_of_publication_is_not_the_day_of_the_event(archive: Archive) -> None:
    by_then = [r for r in archive.reports if r["when"].startswith("[..")]
    assert len(by_then) >= 8
    for report in by_then:
        assert report["reported"] == report["end"]
        assert report["precision"] != "day"


def test_what_was_said_in_2022_did_not_happen_in_2009(archive: Archive) -> None:
    assert archive.incident("farukh-march-2022")["when"] == "2022-03"
    assert not any(r["when"].startswith("2009") for r in archive.reports)


def test_a_misprinted_year_is_not_believed(archive: Archive) -> None:
    [report] = [r for r in archive.reports if r["claimant"] == "the-guardian"]
    assert report["reported"] == "2020-12-15"
    assert archive.total("2015", "2015")["incidents"] is None


def test_a_vague_time_is_put_on_no_day(archive: Archive) -> None:
    for ref in ("april-2016-escalation", "second-humanitarian-ceasefire-2020"):
        assert archive.incident(ref)["precision"] != "day"
    daily = archive.service.aggregates(period="day", by="", first="2016-04", last="2016-04")
    days = [c for c in daily["cells"] if c["period"] != "spanning"]
    assert [c["incidents"] for c in days if c["incidents"]] == []
    assert daily["total"]["figures"]["killed"]["low"] == 200


def test_the_border_is_not_the_line_because_of_a_title(archive: Archive) -> None:
    for ref in ("september-2022-escalation", "border-clashes-july-2020"):
        assert archive.incident(ref)["sector"] == "armenia-azerbaijan-border"


def test_only_what_a_third_party_confirmed_is_verified(archive: Archive) -> None:
    assert Counter(r["status"] for r in archive.reports) == {"unverified": 96, "verified": 1}
    communicated = [r for r in archive.reports if r["basis"] == "court-communicated"]
    assert len(communicated) == 2
    assert {r["status"] for r in communicated} == {"unverified"}


def test_a_wording_of_a_narrator_stays_with_the_narrator(archive: Archive) -> None:
    blamed = [r for r in archive.reports if r["claimant"] == "osce-insights" and r["attributed_to"]]
    assert blamed
    for report in blamed:
        incident = archive.service.get(f"/v1/incidents/{report['incident']}")
        assert "attributed_to" not in incident
