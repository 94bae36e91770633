"""The report form: what can be said with it, in every language, by every hand."""

import hashlib
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Page, Route, expect

from service.domain.access import Role
from service.domain.places import fold
from service.domain.when import parse_when
from tests.browser.conftest import PHONE, Complaints, Site, Visit, picture, violations
from tests.browser.report_form import (
    NETWORK,
    NO_WORKER,
    added,
    at,
    choose,
    finish,
    in_words,
    more,
    on,
    problem,
    short,
)

ZONE = ZoneInfo("Etc/GMT-4")
# What breaks pages, spreadsheets, queries and eyes.
ATTACK = "<img src=x onerror=alert(1)>\"'`;--{{7*7}}${7*7}=cmd|' /C calc'!A0 Ա \u202e אב %00"


def module(page: Page, name: str) -> str:
    """Where a module of the page lies."""
    source = page.locator("script[type=module]").first.get_attribute("src")
    assert source is not None
    return source.replace("main.js", name)


# When.


def test_every_way_of_saying_when_becomes_what_the_service_reads(visit: Visit) -> None:
    page = visit("/report", viewport=PHONE)
    page.wait_for_load_state("networkidle")
    told = page.locator(".told")

    def says(edtf: str, words: str) -> None:
        expect(told.locator("code")).to_have_text(edtf)
        expect(told.locator("strong")).to_have_text(words)
        assert parse_when(edtf, ZONE)

    on(page, "2022-08-03")
    says("2022-08-03", "3 August 2022")
    page.locator("#time").fill("14:30")
    says("2022-08-03T14:30+04:00", "3 August 2022, 14:30 UTC+4")
    page.locator("#offset").select_option("+00:00")
    says("2022-08-03T14:30+00:00", "3 August 2022, 14:30 UTC")
    choose(page, "when", "about")
    says("2022-08-03~", "about 3 August 2022")
    choose(page, "when", "by")
    says("[..2022-08-03]", "on or before 3 August 2022")
    choose(page, "when", "between")
    page.locator("#last").fill("2022-08-05")
    says("[2022-08-03..2022-08-05]", "some time within 3–5 August 2022")
    page.get_by_label("It lasted all this time").check()
    says("2022-08-03/2022-08-05", "3–5 August 2022, throughout")
    page.locator("#last").fill("2022-08-01")
    expect(told.locator("code")).to_have_count(0)
    choose(page, "when", "month")
    page.locator("#year").fill("2017")
    says("2017", "2017, month not known")
    page.locator("#month").select_option("02")
    says("2017-02", "February 2017, day not known")
    picture(page, "report-when")


def test_today_is_the_day_of_the_theatre(visit: Visit) -> None:
    """Whoever reports from a device that is set to another part of the world means the same day."""
    page = visit("/report", viewport=PHONE, timezone_id="Pacific/Honolulu")
    page.wait_for_load_state("networkidle")
    day = page.locator("#day")
    for name, back in (("today", 0), ("yesterday", 1)):
        choose(page, "when", name)
        local = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=back)
        expect(day).to_have_value(local.isoformat())
    # A draft keeps the day, not the word.
    expect(page.get_by_text("Saved on this device")).to_be_visible()
    page.reload()
    expect(day).to_have_value(local.isoformat())


def test_a_clock_that_is_off_is_told_where_the_service_answers(visit: Visit) -> None:
    page = visit("/report", viewport=PHONE)
    page.wait_for_load_state("networkidle")
    warning = page.get_by_text("The clock of this device says")
    for hours, warned in ((0, 0), (-26, 1), (26, 1), (0, 0)):
        page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=hours))
        with page.expect_response("**/health/live"):
            page.evaluate("dispatchEvent(new Event('online'))")
        expect(warning).to_have_count(warned)
    page.clock.set_fixed_time("2022-08-03T10:00:00Z")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(warning).to_contain_text("says 3 August 2022, 14:00 UTC+4; the service says")
    assert violations(page) == []
    # It is a warning only.
    choose(page, "when", "today")
    expect(page.locator("#day")).to_have_value("2022-08-03")


days = st.dates().map(str) | st.just("")
whens = st.fixed_dictionaries(
    {
        "how": st.sampled_from(["day", "about", "month", "between", "by"]),
        "day": days,
        "last": days,
        "lasted": st.booleans(),
        "month": st.sampled_from(["", "01", "12"]),
        "year": st.sampled_from(["", "2020", "1", "20x0", "20200"]),
        "time": st.sampled_from(["", "00:00", "23:59"]),
        "offset": st.sampled_from(["+04:00", "-09:30", "+00:00"]),
    }
)


def test_whatever_is_chosen_is_a_date_or_nothing(visit: Visit) -> None:
    page = visit("/report")
    script = f"whens => import('{module(page, 'content.js')}').then(m => whens.map(m.edtf))"

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(whens, min_size=20, max_size=20))
    def check(chosen: list[dict[str, Any]]) -> None:
        for when, edtf in zip(chosen, page.evaluate(script, chosen), strict=True):
            if not edtf:
                continue
            # The calendar of a device knows years that the service does not.
            if all(1900 <= int(year) <= 2100 for year in re.findall(r"\d{4}(?=-|$|~)", edtf)):
                assert parse_when(edtf, ZONE), (when, edtf)

    check()


# Where.


def test_a_place_is_found_in_every_spelling_and_script(visit: Visit, site: Site) -> None:
    page = visit("/report")
    places = site.get("/v1/places")["items"]
    spellings = [name["name"] for place in places for name in place["names"]]
    finding = module(page, "finding.js")
    folded = page.evaluate(
        f"names => import('{finding}').then(m => names.map(m.fold))",
        [*spellings, "Ёлка-Йод", "və İĞŞ ß", "և"],
    )
    assert folded == [fold(each) for each in [*spellings, "Ёлка-Йод", "və İĞŞ ß", "և"]]
    found = page.evaluate(
        f"""([places, names]) => import('{finding}').then(m => {{
          const entries = m.placesToFind(places);
          return names.map(name => m.find(entries, name).map(each => each.id));
        }})""",
        [places, spellings[::7]],
    )
    # The service may find another place of the same name; the form shows them all.
    for spelling, ids in zip(spellings[::7], found, strict=True):
        known = {
            place["id"]
            for place in places
            if any(fold(name["name"]) == fold(spelling) for name in place["names"])
        }
        assert set(ids[: len(known)]) <= known or len(known) > 8, spelling


@pytest.mark.parametrize(
    ("spelling", "display"),
    [("shushi", "Shusha/Shushi"), ("ŞUŞA", "Shusha/Shushi"), ("Լաչին", "Lachin")],
)
def test_a_place_is_called_neutrally_whatever_was_typed(
    visit: Visit, spelling: str, display: str
) -> None:
    page = visit("/report", viewport=PHONE)
    page.locator("#place").fill(spelling)
    picture(page, "report-places", whole=False)
    page.locator(".found [role=option]:not(.own)").first.click()
    expect(page.locator("#part-where .chosen strong")).to_have_text(display)
    assert page.evaluate("document.activeElement.textContent") == "Change"
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_be_focused()


@pytest.mark.parametrize(
    ("precision", "lat", "lon"),
    [("district", 39.8, 46.8), ("settlement", 39.76, 46.75), ("exact", 39.7621, 46.7524)],
)
def test_a_position_is_no_more_exact_than_the_monitor_wants(
    visit: Visit, site: Site, precision: str, lat: float, lon: float
) -> None:
    page = visit(
        "/report",
        viewport=PHONE,
        key=Role.MONITOR,
        geolocation={"latitude": 39.762123, "longitude": 46.752445},
        permissions=["geolocation"],
    )
    on(page, "2022-08-03")
    choose(page, "who", "self")
    choose(page, "where", "position")
    # The coarsest is offered first, and nothing is asked of the device before the tap.
    assert page.locator("input[name=how-precision], input[name=precision]").first.is_checked()
    assert page.locator("#lat").input_value() == ""
    page.locator(f"input[name=precision][value={precision}]").check()
    page.get_by_role("button", name="Take this device’s position").click()
    expect(page.locator("#lat")).to_have_value(str(lat))
    with added(site) as there:
        finish(page)
        expect(page.locator(".receipt")).to_have_count(1)
        [report] = there()
        assert report["where"]["precision"] == precision
    # Made coarser afterwards, it is cut at once.
    page.get_by_role("button", name="Write another report").click()
    choose(page, "where", "position")
    page.locator("input[name=precision][value=exact]").check()
    page.locator("#lat").fill("39.762123")
    expect(page.locator("#lat")).to_have_value("39.7621")
    page.locator("input[name=precision][value=district]").check()
    expect(page.locator("#lat")).to_have_value("39.8")
    # What is typed is never more exact on the device either.
    page.locator("#lon").fill("")
    page.locator("#lon").press_sequentially("46,752445")
    expect(page.locator("#lon")).to_have_value("46,7")


def test_an_area_is_chosen_where_no_place_is_known(visit: Visit, site: Site) -> None:
    page = visit("/report", viewport=PHONE, key=Role.MONITOR)
    on(page, "2022-08-03")
    choose(page, "who", "self")
    with added(site) as there:
        choose(page, "where", "district")
        page.locator("#district").select_option("lachin-district")
        finish(page)
        expect(page.locator(".receipt")).to_have_count(1)
        page.get_by_role("button", name="Write another report").click()
        on(page, "2022-08-03")
        choose(page, "who", "self")
        choose(page, "where", "sector")
        page.locator("#sector").select_option("lachin-corridor")
        page.locator("#within").fill("by the bridge")
        finish(page)
        expect(page.locator(".receipt")).to_have_count(2)
        wheres = [report["where"] for report in there()]
    assert {where["place"] or where["sector"] for where in wheres} == {
        "lachin-district",
        "lachin-corridor",
    }
    assert "by the bridge" in {where["as_written"] for where in wheres}


# What else.


def test_all_that_can_be_told_arrives(visit: Visit, site: Site) -> None:
    page = visit("/report", viewport=PHONE, key=Role.MONITOR)
    on(page, "2022-08-03")
    at(page, "Lachin")
    choose(page, "who", "heard")
    page.locator("#claimant").click()
    page.locator("#claimant").fill("crisis")
    page.locator(".found [role=option]:not(.own)").first.click()
    page.locator("#reported").fill("2022-08-04")
    more(page)
    page.locator("#summary").fill("Shots were heard.\nTwice.")
    for _ in range(3):
        page.get_by_role("button", name="Add a figure").click()
    for at_, (outcome, how) in enumerate(
        [("killed", "exactly"), ("wounded", "range"), ("killed", "words")]
    ):
        page.locator(f"#party-{at_}").select_option("armenia")
        page.locator(f"#outcome-{at_}").select_option(outcome)
        page.locator(f"#how-{at_}").select_option(how)
    page.locator("#low-0").fill("2")
    page.locator("#low-1").fill("3")
    page.locator("#high-1").fill("12")
    page.locator("#words-2").fill("several")
    page.locator("#group-2").select_option("civilian")
    page.locator("#weapon").fill("mortar")
    page.locator(".found [role=option]:not(.own)").first.click()
    page.locator("#calibre-0").fill("82")
    page.locator("#attributed_to").select_option("azerbaijan")
    page.get_by_role("button", name="Add a source").click()
    page.locator("#title-0").fill("Evening statement")
    page.locator("#url-0").fill("https://example.org/1")
    picture(page, "report-full")
    with added(site) as there:
        finish(page)
        expect(page.locator(".receipt")).to_have_count(1)
        [report] = there()
    assert report["claimant"] == "crisis-group"
    assert report["reported"] == "2022-08-04"
    assert report["summary"] == "Shots were heard.\nTwice."
    assert report["attributed_to"] == "azerbaijan"
    assert [weapon["calibre_mm"] for weapon in report["weapons"]] == [82]
    assert report["sources"][0]["title"] == "Evening statement"
    first, second = report["casualties"]
    assert first["killed"]["low"] == first["killed"]["high"] == 2
    assert (first["wounded"]["low"], first["wounded"]["high"]) == (3, 12)
    assert second["killed"]["words"] == "several"


def test_what_is_typed_is_inert_and_arrives_as_typed(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK,)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR)
    on(page, "2022-08-03")
    in_words(page, ATTACK)
    choose(page, "who", "heard")
    page.locator("#claimant").fill(ATTACK)
    page.locator("#claimant").press("Escape")
    more(page)
    page.locator("#summary").fill(ATTACK)
    page.get_by_role("button", name="Add a figure").click()
    page.locator("#how-0").select_option("words")
    page.locator("#words-0").fill(ATTACK)
    page.locator("#weapon").fill(ATTACK)
    page.get_by_role("button", name="Add a source").click()
    page.locator("#title-0").fill(ATTACK)
    page.locator("#publisher-0").fill(ATTACK)
    page.locator("#url-0").fill("https://example.org@elsewhere.example/")
    with added(site) as there:
        finish(page)
        # The address leads elsewhere than it seems to: refused, and said where.
        refusal = page.locator(".refusal")
        expect(refusal).to_contain_text("sources.0.url")
        assert there() == []
        page.get_by_role("button", name="Correct it").click()
        expect(page.locator("#place")).to_have_value(ATTACK)
        page.locator("#url-0").fill(f"https://example.org/{ATTACK}")
        finish(page)
        expect(page.locator(".receipt")).to_have_count(1)
        [report] = there()
    # What turns text around is no part of a name; it comes along with what is copied.
    plain = ATTACK.replace("\u202e", "")
    source = report["sources"][0]
    assert report["where"]["place"] == report["claimant"] == plain
    assert report["casualties"][0]["killed"]["words"] == plain
    assert source["title"] == source["publisher"] == plain
    assert source["url"] == f"https://example.org/{plain}"
    assert report["summary"] == ATTACK
    assert page.locator("main img").count() == 0


def test_what_is_missing_is_named_and_reached(visit: Visit) -> None:
    page = visit("/report", viewport=PHONE)
    send = page.locator("form.report button[type=submit]")
    for part, field in (("when", "#day"), ("where", "#place"), ("claimant", "input[value=self]")):
        send.click()
        expect(page.locator(f"#wrong-{part}")).to_be_visible()
        expect(page.locator(field)).to_be_focused()
        if part == "when":
            picture(page, "report-missing")
            assert violations(page) == []
            on(page, "2022-08-03")
        elif part == "where":
            at(page, "Lachin")
    choose(page, "who", "self")
    choose(page, "when", "between")
    page.locator("#day").fill("2022-08-03")
    page.locator("#last").fill("2022-08-01")
    send.click()
    expect(page.locator("#wrong-when")).to_have_text("The last day lies before the first.")
    page.locator("#last").fill("2022-08-03")
    more(page)
    page.get_by_role("button", name="Add a figure").click()
    send.click()
    expect(page.locator("#low-0")).to_be_focused()
    page.locator("#low-0").fill("many")
    send.click()
    expect(page.locator("#wrong-casualties")).to_be_visible()
    page.get_by_role("button", name="Remove: Figure 1").click()
    finish(page)


def test_a_refusal_is_final_until_the_monitor_decides(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR, service_workers="block")
    sent: list[str] = []

    def conflict(route: Route) -> None:
        sent.append(route.request.post_data_json["id"])
        problem(route, 409, "conflict")

    page.context.route("**/v1/reports", conflict)
    short(page)
    finish(page)
    expect(page.locator(".refusal")).to_contain_text("Something else is recorded under this id.")
    page.reload()
    page.get_by_role("button", name="On this device").click()
    expect(page.locator(".refusal")).to_be_visible()
    assert len(sent) == 1
    page.context.unroute("**/v1/reports")
    page.get_by_role("button", name="Make it a new report").click()
    expect(page.locator("input[name=how-when]:checked")).to_be_focused()
    with added(site) as there:
        finish(page)
        expect(page.locator(".receipt")).to_have_count(1)
        [report] = there()
    assert report["id"] != sent[0]
    # Version 4: nothing of the moment or the device is in it.
    assert re.fullmatch(r"[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}", sent[0])


def test_who_corrects_what_was_refused_is_in_the_form(visit: Visit, complaints: Complaints) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR, service_workers="block")
    page.context.route("**/v1/reports", lambda route: problem(route, 422, "invalid"))
    short(page)
    finish(page)
    page.get_by_role("button", name="Correct it").click()
    expect(page.locator("form.report .refusal")).to_be_focused()
    discard = page.locator("form.report").get_by_role("button", name="Delete")
    discard.click()
    page.keyboard.press("Enter")
    expect(page.locator("input[name=how-when]:checked")).to_be_focused()


def test_a_photo_goes_as_it_is_after_its_report(visit: Visit, site: Site) -> None:
    page = visit("/report", viewport=PHONE, key=Role.MONITOR)
    short(page)
    more(page)
    content = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(content, "JPEG")
    original = content.getvalue()
    files = [
        {"name": "IMG_2022.jpg", "mimeType": "image/jpeg", "buffer": original},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no photo"},
    ]
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    digest = hashlib.sha256(original).hexdigest()
    expect(page.locator(".photo code")).to_have_text(digest)
    expect(page.get_by_role("alert")).to_have_text("Only JPEG, PNG and WebP can be added.")
    assert page.locator(".photo img").evaluate("image => image.decode().then(() => true)")
    picture(page, "report-photo")
    assert violations(page) == []
    with added(site) as there:
        finish(page)
        expect(page.locator(".receipt")).to_contain_text(digest[:12])
        [report] = there()
    [photo] = site.get(f"/v1/reports/{report['id']}/photos", Role.REVIEWER)["items"]
    assert photo["original"]["sha256"] == digest
    assert photo["original"]["size"] == len(original)
