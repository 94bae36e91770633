"""The dashboard for everybody: each state, screen and language, by keyboard, and on paper."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.board import AUGUST, question, settle
from tests.browser.conftest import DESK, PHONE, TABLET, WALL, Visit, picture, violations

EVERYTHING = (
    f"{AUGUST}&open=past,claimants,periods,silence,quiet,tallies&measure=killed"
    "&pair=armenian-officials,azerbaijani-officials&earlier=2022-08&later=2022-09"
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/", EVERYTHING], ids=["first", "everything"])
def test_no_state_is_hard_to_use_for_anybody(visit: Visit, address: str, theme: str) -> None:
    page = visit(address, color_scheme=theme)
    page.get_by_role("button", name="More filters").click()
    settle(page)
    assert violations(page) == []
    picture(page, f"dashboard-{theme}-{'open' if address == EVERYTHING else 'first'}")


@pytest.mark.parametrize(
    ("size", "viewport"), [("phone", PHONE), ("tablet", TABLET), ("desk", DESK), ("wall", WALL)]
)
def test_nothing_is_cut_off_on_any_screen(
    visit: Visit, size: str, viewport: dict[str, int]
) -> None:
    page = visit(EVERYTHING, viewport=viewport)
    settle(page)
    picture(page, f"dashboard-open-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    if size == "phone":
        expect(page.get_by_label("From", exact=True)).to_be_hidden()
        page.get_by_role("button", name="Filters (2)").click()
        expect(page.get_by_label("From", exact=True)).to_be_visible()


@pytest.mark.parametrize("language", ["ru", "hy", "az"])
def test_every_language_says_the_same(visit: Visit, language: str) -> None:
    page = visit(f"{AUGUST}&measure=killed&open=past,silence,quiet", language=language)
    settle(page)
    picture(page, f"dashboard-open-{language}")
    # A key that nothing was said for would stand there itself.
    assert page.get_by_text("sums.").count() == 0
    assert page.locator("main").get_by_text("nobody watched").count() == 0
    assert page.evaluate("document.documentElement.lang") == language


def by_key(page: Page, target: Locator, *, steps: int = 60) -> None:
    """Go to something with the tabulator alone."""
    for _ in range(steps):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("cannot be reached by keyboard")


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    page = visit(AUGUST)
    settle(page)
    by_key(page, page.get_by_label("Status", exact=True))
    page.keyboard.press("ArrowDown")
    assert question(page)["status"] == "verified"
    settle(page)
    remove = page.get_by_role("button", name="Remove the filter Status: verified")
    by_key(page, remove)
    page.keyboard.press("Enter")
    expect(remove).to_have_count(0)
    panel = page.get_by_role("button", name="Where the sources are silent")
    by_key(page, panel, steps=200)
    page.keyboard.press("Enter")
    expect(page.get_by_text("nobody knows whether it was calm")).to_be_visible()


def test_it_prints_with_its_question_and_without_its_controls(visit: Visit) -> None:
    page = visit(AUGUST)
    settle(page)
    page.emulate_media(media="print")
    expect(page.get_by_text("From: August 2022")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    expect(page.locator(".sums table")).to_be_visible()
    expect(page.locator(".downloads").first).to_be_hidden()


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "5,633"), ("ru", "5\u00a0633"), ("hy", "5\u00a0633"), ("az", "5.633")],
)
def test_numbers_are_written_as_the_language_writes_them(
    visit: Visit, language: str, written: str
) -> None:
    page = visit("/", language=language)
    settle(page)
    expect(page.locator(".sentence strong").nth(1)).to_contain_text(written)
