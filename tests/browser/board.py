"""What tests of the dashboard share: when it is settled, and what it says."""

from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, expect

AUGUST = "/?from=2022-08&to=2022-08"


def settle(page: Page) -> None:
    """Until nothing is asked for any more and nothing is out of date."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".sums tbody tr").first).to_be_visible()
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)


def question(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def shown(page: Page) -> str:
    """What is said of the whole, and every cell of the table."""
    return page.locator(".sentence").inner_text() + page.locator(".sums table").inner_text()


def rows(page: Page) -> dict[str, list[str]]:
    """The table's rows by their heading, the last for the whole time."""
    found: dict[str, list[str]] = {}
    for row in page.locator(".sums tbody tr, .sums tfoot tr").all():
        found[row.locator("th").inner_text()] = row.locator("td").all_inner_texts()
    return found
