"""What all views share: languages, themes, the policy, and that nothing comes from elsewhere."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WALL, Visit, picture, violations

# 1280 pixels at four times their size (WCAG 1.4.10).
NARROW = {"width": 320, "height": 640}
PAGES = ("/", "/report", "/review")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_is_hard_to_use_for_anybody(visit: Visit, address: str, theme: str) -> None:
    page = visit(address, color_scheme=theme)
    page.wait_for_load_state("networkidle")
    assert page.locator("html").get_attribute("data-theme") == theme
    assert violations(page) == []


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["en", "ru", "hy", "az"])
def test_every_view_speaks_the_language_of_the_browser(
    visit: Visit, address: str, language: str
) -> None:
    page = visit(address, language=language)
    assert page.locator("html").get_attribute("lang") == language
    page.wait_for_load_state("networkidle")
    picture(page, f"{address.strip('/') or 'dashboard'}-{language}")


def test_a_language_once_chosen_is_kept(visit: Visit) -> None:
    page = visit("/")
    page.get_by_label("Language").select_option("hy")
    page.get_by_role("link", name="Հաղորդել").click()
    page.wait_for_url("**/report")
    expect(page.locator("html")).to_have_attribute("lang", "hy")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["en", "ru", "hy", "az"])
def test_nothing_is_cut_off_on_a_narrow_screen_or_in_large_letters(
    visit: Visit, address: str, language: str
) -> None:
    page = visit(address, language=language, viewport=NARROW)
    page.wait_for_load_state("networkidle")
    reach = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
    assert page.evaluate(reach) == 0
    page.set_viewport_size(PHONE)
    page.evaluate("document.documentElement.style.fontSize = '150%'")
    assert page.evaluate(reach) == 0


@pytest.mark.parametrize(("size", "viewport"), [("phone", PHONE), ("wall", WALL)])
@pytest.mark.parametrize("address", PAGES)
def test_no_view_is_wider_than_its_screen(
    visit: Visit, address: str, size: str, viewport: dict[str, int]
) -> None:
    page = visit(address, viewport=viewport)
    page.wait_for_load_state("networkidle")
    picture(page, f"{address.strip('/') or 'dashboard'}-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
