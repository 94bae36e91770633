"""Where the setting asks for two reviewers, the first one only proposes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests import processes
from tests.browser import conftest
from tests.browser.conftest import Site, Visit, violations
from tests.browser.desk import at_desk, confirm, notice, told
from tests.harness import Databases


@pytest.fixture(scope="module")
def site(databases: Databases) -> Iterator[Site]:
    """Two must agree before a report is verified."""
    with databases.fresh("sqlite", "reference") as url:
        made = conftest._keys(url)
        with processes.server(url, CEASEFIRE_REVIEWERS_TO_VERIFY="2") as server:
            yield Site(server.base_url, made)


def test_a_second_reviewer_is_asked_for_and_then_counts(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(), Role.MONITOR)["id"]

    page = at_desk(visit, report)
    page.keyboard.press("v")
    page.get_by_label("Basis").select_option("peacekeepers")
    page.get_by_label("Reason", exact=True).focus()
    confirm(page)
    notice(page, "Proposed: verified. A second reviewer is needed.")
    expect(page.get_by_text("One reviewer would verify it")).to_be_visible()
    expect(page.locator(".queue")).to_contain_text("second reviewer needed")
    assert violations(page) == []
    assert site.get(f"/v1/reports/{report}")["status"] == "unverified"

    second = visit(f"/review?report={report}", key=Role.ADMIN)
    second.locator("#revisions").wait_for()
    expect(second.get_by_text("One reviewer would verify it")).to_be_visible()
    second.keyboard.press("v")
    second.get_by_label("Basis").select_option("peacekeepers")
    second.get_by_label("Reason", exact=True).focus()
    confirm(second)
    notice(second, "Decided: verified.")
    assert site.get(f"/v1/reports/{report}")["status"] == "verified"
