"""The timeline: bars equal the service's answers, ranges are ranges, and silence is not zero."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, TABLET, WALL, Site, Visit, picture, violations

TIMELINE = ".picture.timeline"
BOXES = """all => all.map((each) => {
  const { left, top, right, bottom } = each.getBoundingClientRect();
  return [left, top, right, bottom];
})"""


def ready(page: Page) -> Page:
    page.wait_for_selector(f"{TIMELINE} [data-period]")
    page.wait_for_load_state("networkidle")
    return page


def bar(page: Page, period: str) -> Locator:
    return page.locator(f"{TIMELINE} svg [data-period='{period}']")


def sums(site: Site, period: str, **more: Any) -> dict[str, list[dict[str, Any]]]:
    answer = site.get("/v1/aggregates", period=period, by="status", **more)
    found: dict[str, list[dict[str, Any]]] = {}
    for cell in answer["cells"]:
        found.setdefault(cell["period"], []).append(cell)
    return found


@pytest.mark.parametrize("grain", ["quarter", "named"])
def test_every_bar_is_what_the_service_answers(visit: Visit, site: Site, grain: str) -> None:
    page = ready(visit(f"/?grain={grain}&measure=killed"))
    for period, cells in sums(site, grain).items():
        lows = [c["figures"]["killed"]["low"] for c in cells]
        known = [low for low in lows if low is not None]
        told = bar(page, period).get_attribute("data-low")
        assert told == (str(sum(known)) if known else ""), period


def test_a_bar_is_stacked_by_status(visit: Visit, site: Site) -> None:
    page = ready(visit("/?grain=year"))
    counts = {
        cell["status"]: cell["incidents"] + cell["episodes"]
        for cell in sums(site, "year")["2022"]
        if cell["incidents"] is not None
    }
    parts = bar(page, "2022").locator("[data-status]")
    heights = {
        part.get_attribute("data-status"): float(part.get_attribute("height") or 0)
        for part in parts.all()
    }
    assert {*heights} == {status for status, count in counts.items() if count}
    ratio = heights["unverified"] / heights["verified"]
    assert ratio == pytest.approx(counts["unverified"] / counts["verified"], rel=0.05)
    fills = {part.evaluate("e => getComputedStyle(e).fill") for part in parts.all()}
    assert any("url" in fill for fill in fills)
    assert len(fills) == len(heights)


def test_a_figure_without_an_upper_bound_points_up_and_says_so(visit: Visit) -> None:
    page = ready(visit("/?measure=killed&from=2022-09-13&to=2022-09-13&grain=day"))
    told = bar(page, "2022-09-13")
    assert (told.get_attribute("data-low"), told.get_attribute("data-high")) == ("99", "")
    assert "at least 99" in (told.get_attribute("aria-label") or "")
    expect(told.locator(".range.open")).to_have_count(1)


def test_years_in_which_the_sources_are_silent_are_hatched_and_not_zero(
    visit: Visit, site: Site
) -> None:
    page = ready(visit("/?grain=month&from=2017-01-01&to=2020-12-31"))
    answered = sums(site, "month", **{"from": "2017-07", "to": "2020-06"})
    months = {period for period in answered if period != "spanning"}
    assert len(months) == 36
    for month in months:
        told = bar(page, month)
        assert told.get_attribute("data-kind") == "silent"
        assert told.get_attribute("data-low") == ""
        assert told.locator(".zero, .bar").count() == 0
    spans = page.locator(f"{TIMELINE} svg [data-silence]")
    hatched = [str(span.get_attribute("data-silence")).split("/") for span in spans.all()]
    for month in months:
        assert any(first <= f"{month}-01" <= last for first, last in hatched)
    assert "url" in spans.first.evaluate("span => getComputedStyle(span).fill")
    summary = page.locator(f"{TIMELINE} svg desc").text_content() or ""
    silent = page.locator(f"{TIMELINE} svg [data-kind=silent]").count()
    assert f"Of 48 periods {silent} have no number" in summary


def test_a_true_zero_is_to_be_seen(visit: Visit) -> None:
    """No day of the documented incidents was watched throughout, so the rule is asked itself."""
    page = visit("/")
    made = page.evaluate(
        """async () => {
          const base = document.querySelector("script[type=module]").src.replace("main.js", "");
          const { buckets } = await import(base + "timeline-buckets.js");
          const cell = (period, status, incidents, coverage) =>
            ({ period, status, incidents, episodes: incidents, coverage, figures: {} });
          const { on, beside } = buckets([
            cell("2022-01", "verified", 0, "full"),
            cell("2022-01", "unverified", 0, "full"),
            cell("2022-02", "verified", null, "none"),
            cell("2022-02", "unverified", null, "none"),
            cell("2022-03", "verified", null, "partial"),
            cell("2022-03", "unverified", 2, "partial"),
            cell("spanning", "unverified", 1, null), cell("outside", "unverified", null, null),
          ], "incidents");
          return {
            on: on.map(({ id, kind, range }) => [id, kind, range.low]),
            beside: beside.map(({ id }) => id),
          };
        }"""
    )
    assert made["on"] == [
        ["2022-01", "none", 0],
        ["2022-02", "silent", None],
        ["2022-03", "some", 4],
    ]
    assert made["beside"] == ["spanning"]


def test_what_lasts_longer_than_a_unit_stands_beside_the_axis(visit: Visit, site: Site) -> None:
    page = ready(visit("/?grain=month&measure=killed&from=2020-09-01&to=2020-12-31"))
    cells = sums(site, "month", **{"from": "2020-09-01", "to": "2020-12-31"})["spanning"]
    low = sum(c["figures"]["killed"]["low"] or 0 for c in cells)
    assert low > 5000
    beside = page.locator(f"{TIMELINE} svg .beside-axis")
    assert beside.get_attribute("data-low") == str(low)


def test_named_periods_are_bands_and_agreements_lines(visit: Visit) -> None:
    page = ready(visit("/?from=2020-09-01&to=2020-12-31&grain=day"))
    band = page.locator(f"{TIMELINE} svg [data-band='2020-war']")
    assert "2020 war" in (band.locator("title").text_content() or "")
    expect(band.locator("text")).to_have_text("2020 war")
    first, last = (bar(page, day).locator(".target") for day in ("2020-09-27", "2020-11-09"))
    box = band.locator("rect").evaluate("e => [e.x.baseVal.value, e.width.baseVal.value]")
    start = first.evaluate("e => e.x.baseVal.value")
    end = last.evaluate("e => e.x.baseVal.value + e.width.baseVal.value")
    assert box[0] == pytest.approx(start, abs=1)
    assert sum(box) == pytest.approx(end, abs=2)
    line = page.locator(f"{TIMELINE} svg [data-agreement='trilateral-statement-2020'] line")
    assert line.evaluate("e => e.x1.baseVal.value") == pytest.approx(
        last.evaluate("e => e.x.baseVal.value"), abs=1
    )


def test_a_click_on_a_bar_looks_at_its_time(visit: Visit) -> None:
    page = ready(visit("/?grain=year"))
    bar(page, "2022").locator(".target").click()
    page.wait_for_url("**from=2022-01-01*")
    assert "to=2022-09-13" in page.url
    page.get_by_role("button", name="Show the whole time").click()
    page.wait_for_url(lambda url: "from=" not in url)


def test_dragging_over_bars_looks_at_all_of_them(visit: Visit) -> None:
    page = ready(visit("/?grain=year"))
    page.locator(f"{TIMELINE} svg").first.scroll_into_view_if_needed()
    first, last = (bar(page, year).locator(".target").bounding_box() for year in ("2016", "2018"))
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 100)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + 100, steps=8)
    page.mouse.up()
    page.wait_for_url("**from=2016-01-01&to=2018-12-31*")


def test_arrows_read_bars_and_enter_chooses(visit: Visit) -> None:
    page = ready(visit("/?grain=year"))
    bar(page, "2022").focus()
    readout = page.locator(f"{TIMELINE} [aria-live=polite]")
    page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("2021: nothing recorded")
    page.keyboard.press("Home")
    expect(readout).to_contain_text("2014: 1 event")
    page.keyboard.press("Shift+ArrowRight")
    expect(readout).to_contain_text("2014 to 2015")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2014-01-01&to=2015-12-31*")


def test_days_of_many_years_stay_a_picture(visit: Visit) -> None:
    page = ready(visit("/?grain=day"))
    expect(page.locator(TIMELINE)).to_contain_text("there would be too many bars")
    bars = page.locator(f"{TIMELINE} svg .bucket").count()
    assert 50 < bars <= 750
    made = page.evaluate(
        """async () => {
          const base = document.querySelector("script[type=module]").src.replace("main.js", "");
          const { edges, fitting, lanes, wrapped } = await import(base + "timeline-scale.js");
          const names = ["a long name of an agreement", "another", "third"];
          const labels = names.map((text, index) => ({ text, x: 10 * index + 10 }));
          const dates = ["1994", "[2016-04-04..2016-04-30]", "[..2020-12-01]", "2002~", "2016-05"];
          return {
            grains: [
              fitting("day", "1994-01", "2022"),
              fitting("week", "2020", "2022"),
              fitting("named", "1900", "2022"),
            ],
            edges: dates.map(edges),
            lanes: lanes(labels, 400, 2).map(({ lane }) => lane),
            wrapped: wrapped("one two three four", 7, 2),
          };
        }"""
    )
    assert made["grains"] == ["month", "week", "named"]
    assert made["edges"] == [
        {"first": "1994-01-01", "last": "1994-12-31"},
        {"first": "2016-04-04", "last": "2016-04-30"},
        {"first": None, "last": "2020-12-01"},
        {"first": "2002-01-01", "last": "2002-12-31"},
        {"first": "2016-05-01", "last": "2016-05-31"},
    ]
    assert made["lanes"] == [0, 1, None]
    assert made["wrapped"] == ["one two", "three…"]


def test_the_table_behind_holds_the_same_numbers(visit: Visit, site: Site) -> None:
    page = ready(visit("/?grain=year"))
    page.locator(f"{TIMELINE} .behind summary").first.click()
    for year, cells in sums(site, "year").items():
        known = [c["incidents"] + c["episodes"] for c in cells if c["incidents"] is not None]
        told = page.locator(f"{TIMELINE} tr[data-row='{year}'] td.number").last
        expect(told).to_have_text(str(sum(known)) if known else "no number")


@pytest.mark.parametrize(
    ("name", "viewport", "theme", "language"),
    [
        ("phone", PHONE, "dark", "hy"),
        ("tablet", TABLET, "light", "az"),
        ("desk", DESK, "dark", "ru"),
        ("wall", WALL, "light", "en"),
    ],
)
def test_it_fits_every_screen_in_every_language_and_no_names_collide(
    visit: Visit, name: str, viewport: dict[str, int], theme: str, language: str
) -> None:
    page = visit("/?measure=killed", viewport=viewport, color_scheme=theme, language=language)
    ready(page)
    box = page.locator(TIMELINE).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= viewport["width"]
    for kind in (".agreement text", ".time .tick", ".band text", ".value"):
        boxes = page.locator(f"{TIMELINE} svg {kind}").evaluate_all(BOXES)
        for i, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[i + 1 :]:
                beside = right <= other[0] + 1 or other[2] <= left + 1
                assert beside or bottom <= other[1] + 4 or other[3] <= top + 4, kind
    assert page.locator(f"{TIMELINE} svg .time .tick").count() > 2
    picture(page, f"timeline-{name}-{theme}-{language}")
    assert violations(page) == []


def test_it_prints(visit: Visit) -> None:
    page = ready(visit("/"))
    page.emulate_media(media="print")
    expect(bar(page, "2022").locator(".bar").first).to_be_visible()
    width = page.locator(f"{TIMELINE} svg").first.evaluate("e => e.getBoundingClientRect().right")
    assert width <= DESK["width"]
    picture(page, "timeline-print")
