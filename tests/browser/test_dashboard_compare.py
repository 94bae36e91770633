"""The dashboard's panels: two claimants, two periods, silence, and what was known earlier."""

from typing import Any

from playwright.sync_api import Page, Route, expect

from service.domain.access import Role
from tests.browser.board import settle
from tests.browser.conftest import Complaints, Site, Visit, picture

PAIR = "armenian-officials,azerbaijani-officials"
CONFIRMED = {
    "status": "verified",
    "basis": "peacekeepers",
    "reason": "Seen by the observers.",
    "evidence": [
        {
            "title": "Bulletin",
            "publisher": "Observers",
            "published": "2022-08-03",
            "url": "https://example.org/bulletin",
            "locator": "paragraph 2",
            "sha256": "0" * 63 + "1",
        }
    ],
}


def table(page: Page, panel: str, index: int = 0) -> dict[str, list[str]]:
    rows = page.locator(f"#panel-{panel} table").nth(index).locator("tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def bounds(figure: dict[str, Any]) -> str:
    """A figure as the page must say it."""
    if figure["low"] is None:
        return "no figure"
    if figure["high"] is None:
        return f"at least {figure['low']}"
    if figure["low"] == figure["high"]:
        return str(figure["low"])
    return f"{figure['low']} to {figure['high']}"


def signed(value: int) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{abs(value)}"


def change(figure: dict[str, Any]) -> str:
    """A difference as the page must say it."""
    low, high = figure["low"], figure["high"]
    if low is None and high is None:
        return "no figure"
    if low is None:
        return f"{signed(high)} or less"
    if high is None:
        return f"{signed(low)} or more"
    if low == high:
        return "the same" if low == 0 else signed(low)
    return f"{signed(low)} to {signed(high)}"


def test_two_claimants_stand_side_by_side_with_the_gap_that_the_service_tells(
    visit: Visit, site: Site
) -> None:
    page = visit("/?from=2022-09&to=2022-09")
    page.get_by_role("button", name="Compare two claimants").click()
    page.get_by_label("First claimant").select_option("armenian-officials")
    page.get_by_label("Second claimant").select_option("azerbaijani-officials")
    expect(page.get_by_text("told of by both")).to_be_visible()
    settle(page)
    asked = {"from": "2022-09", "to": "2022-09", "claimants": PAIR, "by": "", "period": "total"}
    total = site.get("/v1/aggregates/gaps", **asked)["total"]
    found = table(page, "claimants")
    assert found["told of by both"][:2] == [str(total[side]["shared"]) for side in "ab"]
    for outcome in ("killed", "wounded"):
        cells = found[outcome]
        for side, text in zip("ab", cells[:2], strict=True):
            assert text.startswith(bounds(total[side]["figures"][outcome]))
        assert cells[2] == change(total["gap"]["figures"][outcome])
    again = visit(page.url)
    expect(again.get_by_text("told of by both")).to_be_visible()
    settle(again)
    assert table(again, "claimants") == found


def test_two_periods_differ_by_what_the_service_says(visit: Visit, site: Site) -> None:
    page = visit("/?open=periods")
    page.get_by_label("First span").fill("2022-08")
    page.get_by_label("Second span").fill("2022-09")
    page.keyboard.press("Tab")
    expect(page.locator("#panel-periods table")).to_be_visible()
    settle(page)
    asked = {"from": "2022-09", "to": "2022-09", "period": "total", "by": ""}
    total = site.get("/v1/aggregates", **asked, compare="previous")["total"]
    found = table(page, "periods")
    for outcome in ("killed", "wounded", "missing", "captured"):
        earlier, later, difference = found[outcome]
        assert earlier.startswith(bounds(total["compared"]["figures"][outcome]))
        assert later.startswith(bounds(total["figures"][outcome]))
        assert difference == change(total["change"]["figures"][outcome])
    assert found["incidents"] == ["5", "1", signed(total["change"]["incidents"])]


def test_a_period_that_nobody_watched_makes_no_change(visit: Visit, site: Site) -> None:
    page = visit("/?open=periods&earlier=2022-07&later=2022-08")
    expect(page.locator("#panel-periods table")).to_be_visible()
    settle(page)
    asked = {"from": "2022-08", "to": "2022-08", "period": "total", "by": "", "compare": "previous"}
    assert site.get("/v1/aggregates", **asked)["total"]["change"]["reason"] == "unwatched"
    assert table(page, "periods")["killed"][2] == "nobody knows: unwatched"


def test_where_the_sources_are_silent_is_told_by_sector_and_span(visit: Visit, site: Site) -> None:
    page = visit("/?from=2021&to=2022&grain=year")
    page.get_by_role("button", name="Where the sources are silent").click()
    expect(page.locator("#panel-silence table").first).to_be_visible()
    settle(page)
    found = table(page, "silence")
    names = {each["id"]: each["name"] for each in site.get("/v1/sectors")["items"]}
    cells = site.get("/v1/aggregates", **{"from": "2021", "to": "2022", "period": "year"})["cells"]
    for cell in cells:
        if cell["sector"] == "unlocated":
            continue
        silent = cell["incidents"] is None and cell["coverage"] == "none"
        assert (cell["period"] in found[names[cell["sector"]]][0]) == silent
    watches = site.get("/v1/coverage", **{"from": "2021", "to": "2022"})["items"]
    assert page.locator("#panel-silence table").nth(1).locator("tbody tr").count() == len(watches)


def test_days_since_the_last_incident_are_ranges(visit: Visit, site: Site) -> None:
    page = visit("/?to=2022-10-01&open=quiet")
    expect(page.locator("#panel-quiet table")).to_be_visible()
    found = table(page, "quiet")
    assert found["Line of separation"][0] == "57 to 61 days"
    assert found["Armenia–Azerbaijan border"] == ["18 days", "13 September 2022", "nobody watched"]


def test_within_a_year_silence_is_told_by_the_day(visit: Visit, site: Site) -> None:
    page = visit("/?from=2022-08&to=2022-09&open=silence")
    expect(page.locator("#panel-silence table").first).to_be_visible()
    settle(page)
    asked = {"from": "2022-08", "to": "2022-09", "period": "day"}
    days = [
        cell["start"]
        for cell in site.get("/v1/aggregates", **asked)["cells"]
        if cell["sector"] == "line-of-separation" and cell["coverage"] == "none"
    ]
    # Whoever watched stopped in the middle of the month.
    assert days[0] == "2022-09-14"
    assert len(days) == 17
    silent = table(page, "silence")["Line of separation"][0]
    assert silent == "14 September 2022 – 30 September 2022"


def test_a_tally_is_told_in_the_words_of_its_claimant(visit: Visit, site: Site) -> None:
    tally = {
        "claimant": "armenian-officials",
        "unit": "projectiles",
        "count": {"words": "about 180"},
        "from": "2022-07-01T00:00+04:00",
        "to": "2022-07-08T00:00+04:00",
        "note": "Counted along the whole line.",
        "sources": [{"title": "Weekly statement", "url": "https://example.org/week"}],
    }
    site.post("/v1/tallies", tally, Role.MONITOR)
    page = visit("/?from=2022-07&to=2022-07&open=tallies")
    panel = page.locator("#panel-tallies")
    expect(panel.locator("q")).to_have_text("about 180")
    expect(panel.get_by_text("Counted along the whole line.")).to_be_visible()
    link = panel.get_by_role("link", name="Weekly statement")
    expect(link).to_have_attribute("href", "https://example.org/week")


def test_tallies_stand_side_by_side_and_are_never_added(visit: Visit, site: Site) -> None:
    for claimant, count in (("armenian-officials", 12), ("azerbaijani-officials", 30)):
        tally = {
            "claimant": claimant,
            "unit": "violations",
            "count": count,
            "from": "2022-08-01T00:00+04:00",
            "to": "2022-08-08T00:00+04:00",
            "sector": "line-of-separation",
        }
        site.post("/v1/tallies", tally, Role.MONITOR)
    page = visit("/?from=2022-08&to=2022-08&open=tallies")
    panel = page.locator("#panel-tallies")
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.get_by_text("1 August 2022 – 7 August 2022")).to_be_visible()
    expect(panel.get_by_text("12", exact=True)).to_be_visible()
    expect(panel.get_by_text("30", exact=True)).to_be_visible()
    assert "42" not in panel.inner_text()


def verify(site: Site) -> None:
    """A reviewer verifies what is said of an incident of August 2022."""
    told = site.post(
        "/v1/reports",
        {
            "when": "2022-08-20",
            "where": {"place": "Lachin"},
            "claimant": "icrc",
            "casualties": [{"killed": 4}],
            "disclosure": {"visibility": "public"},
        },
        Role.MONITOR,
    )
    with site.client as client:
        answer = client.post(
            f"/v1/reports/{told['id']}/reviews",
            json=CONFIRMED,
            headers={**site.headers(Role.REVIEWER), "If-Match": f'"{told["revision"]}"'},
        )
    assert answer.status_code == 201, answer.text


def test_figures_change_as_one_goes_back_in_what_was_known(visit: Visit, site: Site) -> None:
    verify(site)
    page = visit("/?from=2022-08&to=2022-08&measure=killed")
    settle(page)
    said = page.locator(".sentence")
    now = said.inner_text()
    assert "2 of them are verified (killed: 4)." in now
    page.get_by_role("button", name="What was known earlier").click()
    slider = page.get_by_label("State of the record")
    expect(slider).to_have_attribute("aria-valuetext", "What is known now")
    seen = {now}
    for _ in range(4):
        page.get_by_role("button", name="One back").click()
        expect(page.get_by_text("You see what was known earlier")).to_be_visible()
        settle(page)
        seen.add(said.inner_text())
    picture(page, "dashboard-earlier")
    # Before the decision the report counted and was not verified; before it came, it was not there.
    assert len(seen) == 3
    assert any("1 of them is verified" in text for text in seen)
    earlier = page.url
    page.get_by_role("button", name="Show what is known now").click()
    expect(page.get_by_text("You see what was known earlier")).to_have_count(0)
    settle(page)
    assert said.inner_text() == now
    elsewhere = visit(earlier)
    settle(elsewhere)
    assert elsewhere.locator(".sentence").inner_text() != now


def test_the_record_is_played_to_its_end(visit: Visit) -> None:
    page = visit("/?from=2022-08&to=2022-08&open=past")
    slider = page.get_by_label("State of the record")
    expect(slider).to_have_attribute("aria-valuetext", "What is known now")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**as_of=changes*")
    page.get_by_role("button", name="Play").click()
    expect(slider).to_have_attribute("aria-valuetext", "What is known now")
    expect(page.get_by_role("button", name="Play")).to_have_attribute("aria-pressed", "false")
    assert "as_of" not in page.url


def test_a_busy_service_is_asked_again_while_somebody_waits(
    visit: Visit, complaints: Complaints
) -> None:
    complaints.expected = ("503",)
    page = visit("/")
    settle(page)
    refused: list[str] = []

    def busy(route: Route) -> None:
        if "as_of=" in route.request.url and len(refused) < 2:
            refused.append(route.request.url)
            route.fulfill(status=503, json={"title": "Busy"}, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/v1/**", busy)
    page.goto(f"{page.url}?as_of=changes:60")
    settle(page)
    assert len(refused) == 2
    expect(page.locator(".sums table")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
