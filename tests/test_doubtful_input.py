"""What is well formed but doubtful is kept, flagged, and never makes a verified figure."""

import unicodedata
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.domain.access import Role
from service.domain.vocabulary import Basis, Flag, Status
from service.errors import Invalid
from service.formats.reports import ReportIn
from service.store.journal import Author
from service.work import reference, reports
from service.work.reports import Decision, Outcomes, Submission
from tests.harness import Service

DAY = "2022-08-03"


def report(**fields: Any) -> dict[str, Any]:
    whole = {"when": DAY, "where": {"place": "Lachin"}, "claimant": "icrc", **fields}
    return whole if "casualties" in fields else {**whole, "casualties": [{"killed": 3}]}


def killed(count: Any) -> dict[str, Any]:
    return report(casualties=[{"killed": count}])


def at(lat: float, lon: float, **fields: Any) -> dict[str, Any]:
    return report(where={"lat": lat, "lon": lon, **fields})


DOUBTFUL: tuple[tuple[str, dict[str, Any], Flag], ...] = (
    ("one more killed than is plausible", killed(10_001), Flag.IMPLAUSIBLE_CASUALTIES),
    ("50,000 killed", killed(50_000), Flag.IMPLAUSIBLE_CASUALTIES),
    ("words of no number", killed({"words": "a good many"}), Flag.UNREADABLE_QUANTITY),
    ("a second ahead", report(when="2022-10-01T12:00:01Z"), Flag.CLOCK_SKEW),
    ("24 hours ahead", report(when="2022-10-02T12:00Z"), Flag.CLOCK_SKEW),
    ("tomorrow", report(when="2022-10-02"), Flag.CLOCK_SKEW),
    ("before the ceasefire", report(when="1993-12-31"), Flag.OUT_OF_PERIOD),
    ("a year before it", report(when="1993"), Flag.OUT_OF_PERIOD),
    (
        "an hour that the clocks went through twice",
        report(when="2014-10-26T04:30", timezone="Asia/Baku"),
        Flag.AMBIGUOUS_TIME,
    ),
    (
        "an hour that the clocks left out",
        report(when="2014-03-30T04:30", timezone="Asia/Baku"),
        Flag.AMBIGUOUS_TIME,
    ),
    ("latitude for longitude", at(46.6, 40.1), Flag.MAYBE_SWAPPED),
    ("nowhere", at(0, 0), Flag.NULL_ISLAND),
    ("outside the area", at(10, 10), Flag.OUTSIDE_AREA),
    ("the pole", at(90, 180), Flag.OUTSIDE_AREA),
    ("an unknown sector", report(where={"sector": "the far side"}), Flag.UNMAPPED),
    ("an unknown place", report(where={"place": "Nowhere"}), Flag.UNMAPPED),
    ("a place in words", report(where={"as_written": "by the river"}), Flag.UNMAPPED),
    ("an unknown weapon", report(weapons=["death ray"]), Flag.UNMAPPED),
    ("an unknown claimant", report(claimant="a passer-by"), Flag.UNMAPPED),
    ("an unknown party", report(attributed_to="somebody"), Flag.UNMAPPED),
    (
        "the party of casualties",
        report(casualties=[{"party": "somebody", "killed": 1}]),
        Flag.UNMAPPED,
    ),
    (
        "a sector before its time",
        report(when="2010-01-01", where={"sector": "lachin-corridor"}),
        Flag.SECTOR_NOT_VALID,
    ),
    (
        "a place in another sector",
        report(where={"place": "Lachin", "sector": "armenia-azerbaijan-border"}),
        Flag.PLACE_SECTOR_MISMATCH,
    ),
    ("a name and an age", report(summary="Aram Petrosyan, 34, fell"), Flag.PERSONAL_DATA),
    ("a telephone", report(summary="call +374 10 123 456 78"), Flag.PERSONAL_DATA),
    ("an address", report(summary="write to a.b@example.org"), Flag.PERSONAL_DATA),
    (
        "a name for a place",
        report(where={"place": "Lachin", "as_written": "the house of Aram Petrosyan, 34"}),
        Flag.PERSONAL_DATA,
    ),
    ("right-to-left override", report(summary="from\u202emorf"), Flag.UNUSUAL_CHARACTERS),
    ("zero-width space", report(summary="one\u200btwo"), Flag.UNUSUAL_CHARACTERS),
    ("an escape", report(summary="\x1b[2Jcleared"), Flag.UNUSUAL_CHARACTERS),
    ("a Cyrillic letter", report(summary="said in Azerb\u0430ijan"), Flag.UNUSUAL_CHARACTERS),
    ("in a title", report(sources=[{"title": "a\u2066b"}]), Flag.UNUSUAL_CHARACTERS),
)


def flags_of(receipt: dict[str, Any]) -> set[str]:
    """Its flags; that the reports of a test resemble one another is no matter here."""
    return {*receipt["flags"]} - {Flag.POSSIBLE_DUPLICATE}


def test_a_doubtful_report_is_kept_with_a_flag(service: Service) -> None:
    for name, sent, flag in DOUBTFUL:
        receipt = service.post(sent)
        assert flags_of(receipt) == {flag}, name
        # As who sent it is shown it; everybody else is shown no words that may name a person.
        kept = service.get(f"/v1/reports/{receipt['id']}", Role.IMPORTER)
        assert kept == {k: v for k, v in receipt.items() if k not in ("received_at", "sha256")}
        assert kept["status"] == "unverified"
    listed = service.get("/v1/reports", limit=500)["items"]
    assert len(listed) == len(DOUBTFUL)
    verified = service.aggregates(period="total", by="", status="verified", fill="none")["total"]
    assert verified["incidents"] in (None, 0)
    assert verified["figures"]["killed"]["low"] is None


def test_a_doubtful_report_cannot_be_verified(service: Service) -> None:
    verified = Decision(status=Status.VERIFIED, basis=Basis.PEACEKEEPERS)

    def outcome(session: Session, sent: dict[str, Any]) -> reports.Result:
        submission = Submission(ReportIn.model_validate(sent), decision=verified)
        author = Author("reviewer", service.clock())
        theatre = reference.load(session)
        [result] = reports.record(session, [submission], theatre, author, service.new_id)
        return result

    assert service.database.write(lambda s: outcome(s, report())).outcome is Outcomes.CREATED
    before = service.state()
    for name, sent, _ in DOUBTFUL:
        refused = service.database.write(lambda s, sent=sent: outcome(s, sent))
        assert isinstance(refused.error, Invalid), name
        assert {p.field for p in refused.error.problems} == {"status"}
    assert service.state() == before


SOUND = (
    ("as many as are plausible", killed(10_000)),
    ("many displaced", report(casualties=[{"displaced": 90_000}])),
    ("now", report(when="2022-10-01T12:00Z")),
    ("this month", report(when="2022-10")),
    ("the year of the ceasefire", report(when="1994")),
    ("a zone where the hour was once", report(when="2014-10-26T03:30", timezone="Asia/Baku")),
    ("known to nowhere", report(where={"sector": "unlocated"})),
    ("lines and tabs", report(summary="first\r\nsecond\tthird")),
    ("dates and figures", report(summary="On 2022-08-03 at 14:30, 5,000 rounds; 3 of 12 (25 %)")),
    ("scripts", report(summary="Ստեփանակերտ Şuşa Шуши שושי 🕊")),
)


def test_what_is_within_the_bounds_is_not_doubted(service: Service) -> None:
    for name, sent in SOUND:
        assert flags_of(service.post(sent)) == set(), name


def test_text_comes_back_as_it_was_sent_in_composed_form(service: Service) -> None:
    decomposed = unicodedata.normalize("NFD", "Şuşa é")
    text = f"{decomposed} <b>&amp;</b> =1+1 'quoted' \"double\" \\ \u202e \r\n\t☃"
    receipt = service.post(
        report(
            where={"place": unicodedata.normalize("NFD", "Şuşa"), "as_written": text},
            summary=text,
            sources=[{"title": text, "publisher": text, "url": "https://example.org/?a=1&b=ş"}],
            claimant=unicodedata.normalize("NFD", "Şuşa icması"),
            casualties=[{"party": "armenia", "killed": {"low": 1, "words": text}}],
            weapons=[{"weapon": "mortar", "calibre_mm": 82.5}],
        )
    )
    kept = service.get(f"/v1/reports/{receipt['id']}")
    composed = unicodedata.normalize("NFC", text)
    assert kept["where"]["place_id"] == "shusha"
    assert kept["where"]["place"] == "Şuşa"
    assert kept["claimant"] == "Şuşa icması"
    [source] = kept["sources"]
    [line] = kept["casualties"]
    texts = (kept["summary"], kept["where"]["as_written"], source["title"], source["publisher"])
    assert {*texts, line["killed"]["words"]} == {composed}
    assert source["url"] == "https://example.org/?a=1&b=ş"
    assert kept["weapons"][0]["calibre_mm"] == 82.5


@pytest.mark.parametrize(
    ("sent", "field", "text"),
    [
        (report(where={"place": "Аgdam"}), "where", "Аgdam"),
        (report(where={"sector": "the far side"}), "where", "the far side"),
        (report(where={"as_written": "by the river"}), "where", "by the river"),
        (report(weapons=["death ray"]), "weapons", "death ray"),
        (report(claimant="a passer-by"), "claimant", "a passer-by"),
        (report(attributed_to="somebody"), "attributed_to", "somebody"),
        (report(casualties=[{"party": "somebody", "killed": 3}]), "casualties", "somebody"),
    ],
)
def test_what_matches_nothing_is_kept_as_written_and_still_counted(
    service: Service, sent: dict[str, Any], field: str, text: str
) -> None:
    receipt = service.post(sent)
    kept = service.get(f"/v1/reports/{receipt['id']}")
    assert text in str(kept[field])
    assert kept["unmapped"][0].startswith(field)
    for by in ("sector", "weapon", "claimant", "party"):
        answer = service.aggregates(period="year", by=by, first="2022", last="2022", fill="none")
        assert sum(cell["figures"]["killed"]["low"] for cell in answer["cells"]) == 3, by
        assert answer["total"]["figures"]["killed"]["low"] == 3
    if field == "where":
        [cell] = service.aggregates(period="total", fill="none")["cells"]
        assert cell["sector"] == "unlocated"


def test_a_spelling_is_never_matched_by_its_look(service: Service) -> None:
    assert service.post(report(where={"place": "Agdam"}))["where"]["place_id"] == "agdam"
    cyrillic = service.post(report(where={"place": "Аgdam"}))
    assert (cyrillic["where"]["place_id"], cyrillic["where"]["place"]) == (None, "Аgdam")
    assert flags_of(cyrillic) == {Flag.UNMAPPED, Flag.UNUSUAL_CHARACTERS}


def test_positions_are_kept_as_given_and_never_swapped(service: Service) -> None:
    swapped = service.post(at(46.6, 40.1))["where"]
    assert (swapped["lat"], swapped["lon"], swapped["sector"]) == (46.6, 40.1, None)
    for lon in (180, -180):
        edge = service.post(at(-90, lon))["where"]
        assert (edge["lat"], edge["lon"]) == (-90, 180)
    nowhere = service.post(at(0, 0))["where"]
    assert (nowhere["lat"], nowhere["lon"]) == (None, None)
    assert service.get("/v1/incidents", bbox="-1,-1,1,1")["items"] == []
    [cell] = service.aggregates(period="total", fill="none")["cells"]
    assert (cell["sector"], cell["incidents"]) == ("unlocated", 4)


def test_what_may_name_a_person_is_shown_and_found_nowhere(service: Service) -> None:
    named = report(
        where={"place": "Lachin", "as_written": "the house of Aram Petrosyan, 34"},
        summary="Aram Petrosyan, 34, was killed at home",
    )
    receipt = service.post(named)
    for path in (f"/v1/reports/{receipt['id']}", f"/v1/incidents/{receipt['incident']}"):
        assert "Petrosyan" not in service.client.get(path).text
    for path in ("/v1/reports", "/v1/incidents"):
        for form in ("json", "csv"):
            assert "Petrosyan" not in service.client.get(f"{path}?format={form}").text
        assert service.get(path, q="Petrosyan")["items"] == []
        assert service.get(path, q="house")["items"] == []
    assert "Petrosyan" not in service.client.get(f"/v1/reports/{receipt['id']}/revisions").text


def test_how_late_a_report_came_is_kept_apart_from_when_it_happened(service: Service) -> None:
    receipt = service.post(report(when="2022-10-02T12:00Z"))
    assert receipt["received_at"] == "2022-10-01T12:00:00Z"
    assert (receipt["when"], receipt["start"]) == ("2022-10-02T12:00Z", "2022-10-02")
    [cell] = service.aggregates(period="day", by="", fill="none", clock="received")["cells"]
    assert cell["period"] == "2022-10-01"


def test_unusually_long_text_without_a_pause_is_screened_at_once(service: Service) -> None:
    for text in ("1" * 19_999 + "x", "a" * 20_000, "a." * 10_000, "A" * 20_000):
        # A pattern that tried every beginning anew would hold the server for seconds.
        assert service.post(report(summary=text))["summary"] == text


def test_outer_spaces_lose_no_report_and_change_no_place(service: Service) -> None:
    receipt = service.post(
        {"when": "2022-08-03", "where": {"place": " Lachin\u00a0"}, "claimant": "a "}
    )
    assert receipt["where"]["place_id"] == "lachin"
    assert receipt["claimant"] == "a"


def test_a_correction_and_a_denial_join_what_they_speak_of(service: Service) -> None:
    report = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "armenian-officials"}
    first = service.post({**report, "casualties": [{"killed": 1}]})
    about = {"about": {"report": first["id"]}}
    corrected = service.post(
        {**report, **about, "stance": "corrects", "casualties": [{"killed": 2}]}
    )
    assert corrected["incident"] == first["incident"]
    service.post({**report, **about, "claimant": "azerbaijan-mod", "stance": "denies"})
    incident = service.get(f"/v1/incidents/{first['incident']}")
    assert incident["figures"]["killed"]["best"] == 2
    assert incident["contested"]
    assert service.aggregates(period="total", by="")["total"]["incidents"] == 1


def test_a_denial_of_nothing_known_stands_alone_and_is_flagged(service: Service) -> None:
    receipt = service.post(
        {
            "when": "2022-08-03",
            "where": {"place": "Lachin"},
            "claimant": "azerbaijan-mod",
            "stance": "denies",
            "about": {"incident": "01985f0e-0000-7000-8000-00000000dead"},
        }
    )
    assert receipt["unmapped"] == ["about"]
    assert not service.get(f"/v1/incidents/{receipt['incident']}")["counted"]
