"""Leads from feeds at the desk: the text beside the draft, and what becomes of it."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.domain.access import Role
from tests.browser.conftest import DESK, PHONE, Complaints, Site, Visit, picture, violations
from tests.test_leads import ENTRIES, Written, rss

Json = dict[str, Any]
FEED = {
    "url": "https://ministry.example/feed",
    "source": "ministry",
    "format": "rss",
    "claimant": "nk-de-facto-authorities",
}


@pytest.fixture(scope="module", autouse=True)
def leads(site: Site) -> None:
    """What a ministry wrote, in four languages and one attack."""
    bring(site, ENTRIES)


def bring(site: Site, entries: Sequence[Written]) -> None:
    with site.client as client:
        declared = client.put("/v1/feeds/ministry", json=FEED, headers=site.headers(Role.ADMIN))
        assert declared.status_code == 200, declared.text
        begun = client.post(
            "/v1/feeds/ministry/runs",
            content=rss(*entries),
            headers={**site.headers(Role.REVIEWER), "Content-Type": "application/xml"},
        )
        assert begun.status_code == 202, begun.text
    while (state := site.get(begun.headers["location"], Role.REVIEWER)["state"]) != "done":
        assert state in ("fetching", "ready", "applying")
        time.sleep(0.05)


def lead_of(site: Site, key: str) -> Json:
    items = site.get("/v1/leads", Role.REVIEWER, limit=50)["items"]
    [found] = [each for each in items if each["url"].endswith(f"/{key}")]
    return dict(found)


def at_lead(visit: Visit, lead: Json, **more: Any) -> Page:
    page = visit(f"/review?view=leads&lead={lead['id']}", key=Role.REVIEWER, **more)
    page.locator(".told").wait_for()
    return page


def test_a_lead_stands_beside_its_draft_with_the_words_that_were_recognised(
    visit: Visit, site: Site
) -> None:
    lead = lead_of(site, "e1")
    page = at_lead(visit, lead)
    told, draft = page.locator(".told"), page.get_by_role("form", name="Draft of a report")
    assert lead["text"].split()[0] in told.inner_text()
    for kind, findings in lead["findings"].items():
        if kind != "language":
            found = told.locator(f".found.{kind}").all_inner_texts()
            assert all(text.startswith(f["text"]) for text, f in zip(found, findings, strict=True))
    expect(draft.get_by_label("When (")).to_have_value(lead["draft"]["when"])
    expect(draft.get_by_label("Place,")).to_have_value(lead["draft"]["where"]["place"])
    expect(draft.get_by_text("From the text: 3 August 2022")).to_be_visible()
    left, right = told.bounding_box(), draft.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"]


def test_a_lead_is_corrected_and_becomes_a_report(visit: Visit, site: Site) -> None:
    lead = lead_of(site, "e2")
    page = at_lead(visit, lead)
    draft = page.get_by_role("form", name="Draft of a report")
    draft.get_by_label("Of which side").first.select_option("nk-de-facto")
    draft.get_by_label("killed").first.fill("2–3")
    draft.get_by_label("In your own words").fill("Two or three were killed near Lachin.")
    draft.get_by_role("button", name="Record as a report").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded as a report")
    expect(page.locator("#lead")).to_be_focused()
    now = site.get(f"/v1/leads/{lead['id']}", Role.REVIEWER)
    assert now["state"] == "taken"
    report = site.get(f"/v1/reports/{now['reports'][0]}", Role.REVIEWER)
    line = next(each for each in report["casualties"] if each.get("killed"))
    assert (line["party"], line["killed"]["low"], line["killed"]["high"]) == ("nk-de-facto", 2, 3)
    # What was not touched keeps the words of the source.
    drafted = next(each for each in lead["draft"]["casualties"] if "wounded" in each)
    told = next(each for each in report["casualties"] if each.get("wounded"))["wounded"]
    expected = drafted["wounded"]
    assert told["low"] == (expected if isinstance(expected, int) else expected["low"])
    assert [source["url"] for source in report["sources"]] == ["https://example.org/news/e2"]


def test_what_the_service_refuses_is_said_at_the_field(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = ("422",)
    page = at_lead(visit, lead_of(site, "e4"))
    draft = page.get_by_role("form", name="Draft of a report")
    draft.get_by_label("When (").fill("the other day")
    draft.get_by_role("button", name="Record as a report").click()
    expect(page.get_by_role("alert")).to_contain_text("Not recorded")
    expect(draft.get_by_label("When (")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []


def test_what_was_found_is_put_into_the_draft(visit: Visit, site: Site) -> None:
    bring(
        site,
        [Written("two", "Two days", "Shots near Lachin on 3 August 2022 and 5 August 2022.")],
    )
    page = at_lead(visit, lead_of(site, "two"))
    expect(page.get_by_label("When (")).to_have_value("")
    page.locator(".told .dates").last.click()
    expect(page.get_by_label("When (")).to_have_value("2022-08-05")
    page.get_by_role("link", name="Reports", exact=True).click()
    page.locator("#revisions").wait_for()
    page.go_back()
    expect(page.get_by_label("When (")).to_have_value("2022-08-05")


def test_a_lead_is_set_aside_with_a_reason(visit: Visit, site: Site) -> None:
    lead = lead_of(site, "e3")
    page = at_lead(visit, lead)
    aside = page.get_by_role("button", name="Set aside")
    aside.click()
    page.keyboard.press("Escape")
    expect(aside).to_be_focused()
    aside.click()
    page.get_by_role("button", name="Cancel").click()
    expect(aside).to_be_focused()
    aside.click()
    page.keyboard.type("It tells of an exercise.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Set aside.")
    now = site.get(f"/v1/leads/{lead['id']}", Role.REVIEWER)
    assert (now["state"], now["reason"]) == ("dismissed", "It tells of an exercise.")


def test_who_comes_second_is_told_and_loses_nothing_typed(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = ("409",)
    bring(site, [Written("race", "A race", "One soldier was killed near Lachin on 7 August 2022.")])
    lead = lead_of(site, "race")
    page = at_lead(visit, lead)
    page.get_by_label("In your own words").fill("Typed with care.")
    site.post(f"/v1/leads/{lead['id']}/dismissal", {"reason": "Known already."}, Role.ADMIN)
    page.get_by_role("button", name="Record as a report").click()
    expect(page.get_by_text("Somebody else has dealt with this lead meanwhile.")).to_be_visible()
    expect(page.get_by_text("Known already.")).to_be_visible()
    expect(page.get_by_label("In your own words")).to_have_value("Typed with care.")


def test_a_hostile_lead_stays_text(visit: Visit, site: Site) -> None:
    bring(
        site,
        [Written("evil", "<img src=x onerror=alert(1)>", "&lt;script&gt;alert(2)&lt;/script&gt;")],
    )
    for key in ("e5", "evil"):
        page = at_lead(visit, lead_of(site, key))
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert page.locator("main script, main img").count() == 0


@pytest.mark.parametrize("language", ["en", "ru", "hy", "az"])
@pytest.mark.parametrize(("size", "viewport"), [("phone", PHONE), ("desk", DESK)])
def test_leads_are_for_everybody(
    visit: Visit, site: Site, language: str, size: str, viewport: dict[str, int]
) -> None:
    theme = "dark" if language in ("ru", "az") else "light"
    page = at_lead(
        visit, lead_of(site, "e1"), language=language, viewport=viewport, color_scheme=theme
    )
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    picture(page, f"leads-{size}-{language}")
