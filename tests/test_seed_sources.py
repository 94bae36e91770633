"""Claims, places and silences in the seed data: kept as their sources have them."""

import re
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


def test_hadrut_keeps_each_claim_and_both_maps(archive: Archive) -> None:
    accusers = {
        c["attributed_to"] for c in archive.incident("hadrut-clashes-december-2020")["claims"]
    }
    assert {"armenia", "azerbaijan"} <= accusers
    maps = [
        c
        for c in archive.incident("hadrut-control-december-2020")["claims"]
        if c["claimant"] == "russian-mod"
    ]
    first, second = sorted(maps, key=lambda c: str(c["reported"]))
    assert (first["stance"], second["stance"]) == ("asserts", "corrects")
    assert second["about"]["report"] == first["id"]


@pytest.mark.parametrize("which", ["first", "second", "third"])
def test_who_broke_a_truce_is_said_by_one_source_only(archive: Archive, which: str) -> None:
    claims = archive.incident(f"{which}-humanitarian-ceasefire-2020")["claims"]
    assert {c["claimant"]: c["attributed_to"] for c in claims} == {
        "crisis-group": None,
        "osce-insights": "azerbaijan",
    }
    assert {(c["start"], c["end"]) for c in claims} == {("2020-10-10", "2020-11-09")}


@pytest.mark.parametrize("place", ["Agdam", "Lachin", "Kelbajar"])
def test_what_was_handed_over_was_not_fought_for(archive: Archive, place: str) -> None:
    told = archive.service.get(
        "/v1/reports", place=place, **{"from": "2020-09-27", "to": "2020-11-30"}
    )["items"]
    assert [r for r in told if not r["weapons"]] == []


def test_a_denial_reaches_no_further_than_it_says(archive: Archive) -> None:
    denial = archive.report("azerbaijani-footage-2017/armenian-officials")
    assert denial["stance"] == "denies"
    assert (
        denial["about"]["report"] == archive.report("azerbaijani-footage-2017/azerbaijan-mod")["id"]
    )
    clash = archive.incident("clash-february-2017")
    assert (clash["contested"], len(clash["claims"])) == (False, 1)


def test_a_guess_at_the_share_of_each_side_is_no_figure(archive: Archive) -> None:
    lines = archive.report("2020-war/crisis-group")["casualties"]
    assert [(line["party"], line["group"], line["killed"]["low"]) for line in lines] == [
        (None, "military", 5000),
        (None, "civilian", 300),
    ]
    assert not any("2,500" in text or "2500" in text for text in archive.texts())
    by_party = archive.service.aggregates(
        period="total", by="party", first="2020-09-27", last="2020-11-09", fill="none"
    )
    killed = {
        c["party"]: c["figures"]["killed"]["low"]
        for c in by_party["cells"]
        if c["period"] == "total"
    }
    assert killed == {"unstated": 5300}


def test_not_stated_is_not_none(archive: Archive) -> None:
    opening = archive.incident("opening-27-september-2020")
    assert opening["figures"]["killed"] is None
    assert not any(f["low"] == 0 for r in archive.reports for f in figures(r, "killed"))


def test_fighters_from_abroad_are_alleged_and_denied(archive: Archive) -> None:
    alleged = archive.incident("syrian-fighters-allegation-2020")
    assert (alleged["counted"], alleged["contested"], alleged["figures"]["killed"]) == (
        False,
        True,
        None,
    )
    denying = {c["claimant"] for c in alleged["claims"] if c["stance"] == "denies"}
    assert denying == {"turkish-officials", "azerbaijani-officials"}


def test_prisoners_counted_by_different_measures_are_in_no_sum(archive: Archive) -> None:
    assert archive.low("2020", "2022", "captured") is None
    assert not any(f["low"] in (56, 100) for r in archive.reports for f in figures(r, "captured"))


def test_heights_above_a_village_are_not_the_village(archive: Archive) -> None:
    [report] = archive.incident("talish-heights-april-2016")["claims"]
    assert "positions" in report["summary"]
    assert "not stated" in report["summary"]


def test_a_capital_that_speaks_is_not_the_place_of_what_it_says(archive: Archive) -> None:
    for city in ("Stepanakert", "Baku", "Yerevan"):
        told = archive.service.get("/v1/incidents", place=city, counted="true")
        assert told["items"] == []


def test_territory_around_a_village_and_the_village_are_different_claims(archive: Archive) -> None:
    written = {
        c["claimant"]: c["where"]["as_written"]
        for c in archive.incident("farukh-march-2022")["claims"]
    }
    assert written["crisis-group"] != written["armenian-officials"]


@pytest.mark.parametrize(
    ("ref", "sector"),
    [
        ("may-2017-intensification", "line-of-contact"),
        ("hadrut-clashes-december-2020", "line-of-separation"),
        ("north-eastern-front-1-august-2022", "line-of-separation-north-east"),
        ("drone-strikes-3-august-2022", "lachin-corridor"),
    ],
)
def test_the_same_words_mean_another_line_in_another_year(
    archive: Archive, ref: str, sector: str
) -> None:
    assert str(archive.incident(ref)["sector"]).startswith(sector)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Jabrail", "Jebrail", "Jabrayil"),
        ("Hadrut", "Hadrud"),
        ("Terter", "Tartar"),
        ("Fizuli", "Füzuli"),
        ("Kelbajar", "Kalbajar", "Karvachar"),
        ("Shusha", "Shushi", "Şuşa", "Շուշի", "Шуша"),
        ("Stepanakert", "Khankendi", "Xankəndi", "Степанакерт"),
    ],
)
def test_every_spelling_finds_the_place(archive: Archive, spellings: tuple[str, ...]) -> None:
    found = {
        tuple(p["id"] for p in archive.service.get("/v1/places", q=spelling)["items"][:1])
        for spelling in spellings
    }
    assert len(found) == 1
    assert found != {()}


def test_no_title_or_summary_takes_a_side_by_its_words(archive: Archive) -> None:
    loaded = re.compile(
        r"\b(liberat|de-?occup|artsakh|aggress|terroris|martyr|regime)", re.IGNORECASE
    )
    assert [text for text in archive.texts() if loaded.search(text)] == []


def test_what_came_before_the_ceasefire_is_no_incident(archive: Archive) -> None:
    assert [r for r in archive.reports if r["start"] and r["start"] < "1994"] == []


def test_domestic_violence_is_not_in_the_record(archive: Archive) -> None:
    domestic = re.compile(r"Sasna|Khanumyan|parliament", re.IGNORECASE)
    assert [text for text in archive.texts() if domestic.search(text)] == []


@pytest.mark.parametrize(
    ("first", "last"), [("1995", "2013"), ("2017-07", "2020-06"), ("2021", "2021")]
)
def test_silence_is_not_calm(archive: Archive, first: str, last: str) -> None:
    answer = archive.service.aggregates(period="year", by="", first=first, last=last)
    assert {c["incidents"] for c in answer["cells"]} == {None}
    assert answer["total"]["incidents"] is None


def test_one_office_under_many_names_is_one_claimant(archive: Archive) -> None:
    names = [c["name"] for c in archive.service.get("/v1/claimants")["items"]]
    assert len([name for name in names if "Representative" in name]) == 1
    assert len(names) == len(set(names))


def test_no_mark_of_a_footnote_sticks_to_a_word(archive: Archive) -> None:
    assert [text for text in archive.texts() if re.search(r"[a-z][.,]\d", text)] == []


def test_nothing_is_called_a_violation_in_our_own_voice(archive: Archive) -> None:
    for incident in archive.incidents:
        assert not any("violat" in name for name in incident)
        assert "violat" not in incident["title"].lower()
