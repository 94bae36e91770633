"""The report form by every hand, in every language, in every state."""

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.browser.conftest import DESK, PHONE, Complaints, Site, Visit, picture, violations
from tests.browser.report_form import NETWORK, added, choose, finish, give_key, more, short


def test_the_short_form_needs_no_pointer(visit: Visit, site: Site) -> None:
    page = visit("/report", viewport=DESK, key=Role.MONITOR)
    page.wait_for_load_state("networkidle")
    keyboard = page.keyboard

    def tab_to(selector: str) -> None:
        for _ in range(40):
            keyboard.press("Tab")
            if page.evaluate("chosen => document.activeElement.matches(chosen)", selector):
                return
        raise AssertionError(selector)

    tab_to("[name=how-when]")
    for _ in range(2):
        keyboard.press("ArrowLeft")
    # Today and yesterday stand before the other days.
    expect(page.locator("[name=how-when][value=today]")).to_be_checked()
    tab_to("#place")
    keyboard.type("lach")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(page.locator("#part-where .chosen")).to_be_visible()
    tab_to("[name=how-who]")
    keyboard.press("Space")
    expect(page.locator("[name=how-who][value=self]")).to_be_checked()
    with added(site) as there:
        tab_to("button[type=submit]")
        keyboard.press("Enter")
        expect(page.locator("#device-title")).to_be_focused()
        expect(page.locator(".receipt")).to_have_count(1)
        assert len(there()) == 1


@pytest.mark.parametrize("language", ["en", "ru", "hy", "az"])
def test_every_language_fits_a_phone_and_leaves_nothing_unsaid(visit: Visit, language: str) -> None:
    page = visit("/report", viewport=PHONE, language=language)
    choose(page, "when", "between")
    page.locator("#day").fill("2022-08-03")
    page.locator("#last").fill("2022-08-05")
    page.locator("#place").fill("Lachin")
    page.locator(".found [role=option]:not(.own)").first.click()
    choose(page, "who", "heard")
    page.locator("button.more").click()
    page.locator("#part-casualties button").last.click()
    page.locator("#low-0").fill("2")
    page.locator("#part-sources button").last.click()
    page.locator("#title-0").fill("1")
    page.locator("#claimant").fill("1")
    for view in ("form", "list"):
        if view == "list":
            finish(page)
            page.locator(".give-key").wait_for()
        picture(page, f"report-{view}-{language}")
        assert "report." not in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_of_the_form_is_hard_to_use(
    visit: Visit, site: Site, complaints: Complaints, theme: str
) -> None:
    complaints.expected = (NETWORK,)
    page = visit("/report", viewport=PHONE, color_scheme=theme)

    def sound(name: str) -> None:
        picture(page, f"report-{name}-{theme}")
        assert violations(page) == []
        small = page.locator("main :is(button, select, input, .chip):visible").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect())"
            ".filter(({width, height}) => width > 1 && (width < 20 || height < 20)).length"
        )
        assert small == 0

    page.get_by_role("button", name="On this device").click()
    sound("nothing")
    page.get_by_role("button", name="Write", exact=True).click()
    sound("empty")
    more(page)
    choose(page, "who", "heard")
    page.locator("#claimant").click()
    sound("claimants")
    page.locator("#weapon").click()
    sound("weapons")
    choose(page, "where", "position")
    page.get_by_role("button", name="Add a figure").click()
    page.get_by_role("button", name="Add a source").click()
    sound("more")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really delete?").click()
    page.context.set_offline(True)
    short(page)
    sound("short-offline")
    finish(page)
    sound("queue")
    page.context.set_offline(False)
    give_key(page, "ceasefire_wrong")
    page.get_by_role("alert").wait_for()
    sound("wrong-key")
    give_key(page, site.keys[Role.MONITOR])
    page.locator(".receipt").wait_for()
    sound("receipt")
    page.get_by_role("button", name="Keep the receipt").click()
    page.reload()
    page.get_by_role("button", name="On this device").click()
    expect(page.get_by_text("Kept on this device.")).to_be_visible()
    page.get_by_role("button", name="Erase all").click()
    sound("erase")


def test_the_form_is_soon_there_on_a_slow_line(visit: Visit) -> None:
    page = visit("/report", viewport=PHONE)
    page.wait_for_load_state("networkidle")
    sent = page.evaluate(
        """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
          .reduce((sum, each) => sum + each.transferSize, 0)"""
    )
    assert 0 < sent < 200_000
