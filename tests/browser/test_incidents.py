"""The list of incidents: what the filters select, in words that are never more exact than what is
known, page by page."""

import csv
import io
import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.domain.access import Role
from tests.browser.conftest import PHONE, Site, Visit, picture, violations

AUGUST = "/?from=2022-08&to=2022-08"
ROWS = "#incidents .rows > li"
LANGUAGES = ("en", "ru", "hy", "az")
# What a browser says of a month where it does not know the language.
UNTRANSLATED = ("M0", "M1", "January", "September")


def titles(page: Page) -> list[str]:
    page.wait_for_selector(ROWS)
    return page.locator(f"{ROWS} .opening").all_inner_texts()


def said(page: Page, when: str, zone: str | None = None) -> str:
    """What the page says for a `when` of the service."""
    return str(
        page.evaluate(
            """async ([when, zone]) => {
              const main = document.querySelector("script[type=module]").src;
              const words = await import(new URL("../when.js", main));
              return words.when(when, zone);
            }""",
            [when, zone],
        )
    )


def test_the_list_is_what_the_service_selects(visit: Visit, site: Site) -> None:
    page = visit(AUGUST)
    answer = site.get("/v1/incidents", **{"from": "2022-08", "to": "2022-08"})
    assert titles(page) == [item["title"] for item in answer["items"]]
    page.locator("#incidents").get_by_label("Order").select_option("oldest")
    expect(page.locator(f"{ROWS} .opening").first).to_have_text(answer["items"][-1]["title"])
    oldest_first = [item["title"] for item in reversed(answer["items"])]
    assert titles(page) == oldest_first
    assert titles(visit(page.url)) == oldest_first


def test_what_is_verified_in_august_2022_is_the_wounded_soldier(visit: Visit) -> None:
    page = visit(f"{AUGUST}&status=verified")
    assert titles(page) == ["De facto soldier wounded on the north-eastern front"]
    row = page.locator(ROWS)
    expect(row).to_contain_text("verified")
    expect(row).to_contain_text("1 August 2022")
    expect(row).to_contain_text("Line of separation, north-east (sector)")
    expect(row.locator(".told")).to_have_text("wounded1")
    expect(row).not_to_contain_text("killed")


def test_a_row_says_ranges_in_words_and_how_exactly_it_is_known(visit: Visit) -> None:
    page = visit("/?from=2022-08-01&to=2022-09-13")
    row = page.locator(ROWS).filter(has_text="September 2022 escalation")
    expect(row).to_contain_text("killed")
    expect(row).to_contain_text("at least 99")
    expect(row).to_contain_text("contested")
    expect(row).to_contain_text("2 accounts, figures by 2 claimants")
    row = page.locator(ROWS).filter(has_text="Azerbaijani soldier killed in the Lachin area")
    expect(row).to_contain_text("some time within 1–3 August 2022")
    expect(row).to_contain_text("(district)")
    expect(row).to_contain_text("part of another incident")
    row = page.locator(ROWS).filter(has_text="Alleged retaking of vacated positions")
    expect(row).to_contain_text("Left out of all figures: Very probably")
    expect(row).to_contain_text("no figure")


def test_pages_follow_by_the_cursor_and_the_keyboard_goes_on_with_them(
    visit: Visit, site: Site
) -> None:
    page = visit("/")
    page.wait_for_selector(ROWS)
    everything = site.get("/v1/incidents", limit=500)["items"]
    shown = page.locator(ROWS).count()
    assert 0 < shown < len(everything)
    while page.get_by_role("button", name="More incidents").count():
        page.get_by_role("button", name="More incidents").press("Enter")
        expect(page.locator(f"{ROWS} .opening").nth(shown)).to_be_focused()
        shown = page.locator(ROWS).count()
    assert titles(page) == [item["title"] for item in everything]


def test_what_is_downloaded_is_what_is_listed(visit: Visit) -> None:
    page = visit(f"{AUGUST}&status=unverified")
    listed = titles(page)
    downloads = page.locator("#incidents")
    with page.expect_download() as csv_file:
        downloads.get_by_role("link", name="CSV").click()
    rows = csv.DictReader(io.StringIO(csv_file.value.path().read_text("utf-8-sig")))
    assert [row["title"] for row in rows] == listed
    with page.expect_download() as geo_file:
        downloads.get_by_role("link", name="GeoJSON").click()
    features = json.loads(geo_file.value.path().read_text())["features"]
    assert [feature["properties"]["title"] for feature in features] == listed


def test_silence_is_not_called_calm(visit: Visit) -> None:
    page = visit("/?from=1999-01&to=1999-02")
    expect(page.locator("#incidents")).to_contain_text("does not say that nothing happened")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_a_date_is_said_in_every_language(visit: Visit, language: str) -> None:
    page = visit(AUGUST, language=language)
    forms = [
        *("2022-09-13", "2022-09", "2020", "2022-09-13T09:30+04:00", "2016-04-02~", "2016-09~"),
        *("2020-09-27/2020-11-09", "2022-08-01/2022-08-05", "2016-08/2017-01", "2020-09-27/.."),
        *("[2016-09-01..2016-09-07]", "[..2022-09-03]", "[2022-09-03..]"),
        "[2022-09-13T05:30Z..2022-09-14]",
    ]
    told = [said(page, form) for form in forms]
    assert len(set(told)) == len(forms)
    for form, words in zip(forms, told, strict=True):
        assert form == "2020" or form not in words
        assert form[1:5] in words or form[:4] in words or "2022" in words
        if language != "en":
            assert not any(word in words for word in UNTRANSLATED), words


EXACTLY = (
    ("2022-09-13", "13 September 2022"),
    ("2022-09", "September 2022, day not known"),
    ("2014", "2014, month not known"),
    ("2022-09-13T09:30+04:00", "13 September 2022, 09:30 UTC+4"),
    ("2016-04-02~", "about 2 April 2016"),
    ("[2016-04-01..2016-04-07]", "some time within 1–7 April 2016"),
    ("2020-09-27/2020-11-09", "27 September 2020 – 9 November 2020, throughout"),
    ("[..2020-11-15]", "on or before 15 November 2020"),
    ("[2022-08-03..]", "on or after 3 August 2022"),
    ("../2022-08-03", "not known – 3 August 2022, throughout"),
    ("no date", "no date"),
)


def test_a_date_is_said_as_exactly_as_it_is_known(visit: Visit) -> None:
    page = visit(AUGUST)
    assert [said(page, form) for form, _ in EXACTLY] == [words for _, words in EXACTLY]


def test_a_time_of_day_is_told_in_the_time_of_the_theatre(visit: Visit) -> None:
    page = visit(AUGUST)
    assert said(page, "2022-09-12T21:30Z", "Etc/GMT-4") == "13 September 2022, 01:30 UTC+4"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_is_easy_to_use_in_every_language(visit: Visit, language: str) -> None:
    page = visit(AUGUST, language=language, viewport=PHONE, color_scheme="dark")
    page.wait_for_selector(ROWS)
    page.wait_for_load_state("networkidle")
    picture(page, f"incidents-phone-dark-{language}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


ATTACK = "<img src=x onerror=alert(1)><script>alert(1)</script>\"'{{7*7}}${7*7}"


def test_words_of_others_do_nothing_in_the_list(visit: Visit, site: Site) -> None:
    report: dict[str, Any] = {
        "when": "2022-11-20",
        "where": {"sector": "line-of-separation"},
        "summary": ATTACK,
        "claimant": ATTACK[:60],
        "casualties": [{"killed": {"low": 1, "words": ATTACK}}],
    }
    sent = site.post("/v1/reports", report, Role.IMPORTER)
    titled = {"title": ATTACK, "reason": "To be told apart."}
    site.post(f"/v1/incidents/{sent['incident']}/links", titled, Role.REVIEWER)
    page = visit("/?from=2022-11-20&to=2022-11-20")
    assert titles(page) == [ATTACK]
    assert page.locator("#incidents img, #incidents script").count() == 0
