"""What tests of the reviewers' desk have in common."""

from typing import Any

from playwright.sync_api import Page, expect

from service.domain.access import Role
from tests.browser.conftest import Site, Visit

Json = dict[str, Any]
REASON = "The bulletin names the road, the day and the number."


def told(**more: Any) -> Json:
    """A grave report, which stands near the front of the queue."""
    return {
        "when": "2022-08-21",
        "where": {"lat": 40.1, "lon": 45.9},
        "casualties": [{"party": "armenia", "group": "military", "killed": 12}],
        "claimant": "armenian-officials",
        "attributed_to": "azerbaijan",
        "summary": "Twelve soldiers were killed by artillery fire.",
        "disclosure": {"visibility": "public"},
        **more,
    }


def at_desk(visit: Visit, report: str, **more: Any) -> Page:
    """The desk with a report on it, all of it there."""
    page = visit(f"/review?report={report}", key=Role.REVIEWER, **more)
    page.locator("#revisions").wait_for()
    return page


def send(site: Site, method: str, path: str, role: Role, **more: Any) -> None:
    """Send something with headers of its own, that must be taken."""
    headers = {**site.headers(role), **more.pop("headers")}
    with site.client as client:
        answer = client.request(method, path, headers=headers, **more)
    assert answer.is_success, answer.text


def confirm(page: Page, reason: str = REASON) -> None:
    """Type a reason where the focus is, and confirm it."""
    page.keyboard.type(reason)
    page.keyboard.press("Enter")


def notice(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text(text)


def pair(site: Site, day: str) -> tuple[Json, Json]:
    """Two accounts of one night by rivals."""
    first = site.post("/v1/reports", told(when=day), Role.MONITOR)
    rival = told(when=day, claimant="azerbaijan-mod", attributed_to="armenia")
    rival["casualties"][0]["killed"] = 11
    return first, site.post("/v1/reports", rival, Role.MONITOR)
