"""The map: what it shades equals what the service answers, and no place is known too exactly."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, TABLET, WALL, Site, Visit, picture, violations

MAP = ".picture.map"
AREA = "line-of-contact"
BOXES = """all => all.map((each) => {
  const { left, top, right, bottom } = each.getBoundingClientRect();
  return [left, top, right, bottom];
})"""


def ready(page: Page) -> Page:
    page.wait_for_selector(f"{MAP} [data-sector]")
    page.wait_for_selector(f"{MAP} .land", state="attached")
    page.wait_for_load_state("networkidle")
    return page


def whole(site: Site, **more: Any) -> list[dict[str, Any]]:
    answer = site.get("/v1/aggregates", period="total", by="sector", level=1, **more)
    return [cell for cell in answer["cells"] if cell["period"] == "total"]


def events(cell: dict[str, Any]) -> int:
    counted: int = (cell["incidents"] or 0) + (cell["episodes"] or 0)
    return counted


@pytest.mark.parametrize(("measure", "bound"), [("incidents", "low"), ("killed", "high")])
def test_every_sector_says_what_the_service_answers(
    visit: Visit, site: Site, measure: str, bound: str
) -> None:
    page = ready(visit(f"/?measure={measure}&bound={bound}"))
    for cell in whole(site):
        if cell["sector"] == "unlocated":
            continue
        told = page.locator(f"{MAP} svg [data-sector={cell['sector']}]")
        value = events(cell) if measure == "incidents" else cell["figures"][measure][bound]
        if cell["incidents"] is None or value is None:
            assert told.get_attribute("data-value") == ""
            assert "step-" not in (told.get_attribute("class") or "")
        else:
            assert told.get_attribute("data-value") == str(value)
            assert str(value) in (told.get_attribute("aria-label") or "")


def test_silence_is_hatched_and_lighter_than_nothing(visit: Visit, site: Site) -> None:
    page = ready(visit("/"))
    silent = {c["sector"] for c in whole(site) if c["incidents"] is None}
    assert silent
    hatched = page.locator(f"{MAP} svg [data-sector].is-silent")
    assert {e.get_attribute("data-sector") for e in hatched.all()} == silent
    assert "url" in hatched.first.evaluate("area => getComputedStyle(area).fill")


def test_a_figure_nobody_gave_looks_different_from_one(visit: Visit) -> None:
    page = ready(visit("/?measure=killed"))
    unknown = page.locator(f"{MAP} svg [data-sector=interior]")
    assert "is-unknown" in (unknown.get_attribute("class") or "")
    assert "no figure" in (unknown.get_attribute("aria-label") or "")


def test_shades_say_their_ranges(visit: Visit, site: Site) -> None:
    page = ready(visit("/"))
    counts = sorted({events(c) for c in whole(site) if c["sector"] != "unlocated"} - {0})
    told = page.locator(f"{MAP} .legend").inner_text().splitlines()
    assert [str(count) for count in counts] == [line for line in told if line.isdigit()]


def test_only_known_positions_have_marks(visit: Visit, site: Site) -> None:
    page = ready(visit("/"))
    listed = site.get("/v1/incidents", counted="true", limit=500)["items"]
    points = [item["point"] for item in listed if item["point"]]
    marks = page.locator(f"{MAP} svg .mark").all()
    assert sum(int(mark.get_attribute("data-count") or 0) for mark in marks) == len(points)
    found: Counter[str | None] = Counter()
    for mark in marks:
        found[mark.get_attribute("data-precision")] += int(mark.get_attribute("data-count") or 0)
    assert found == Counter(point["precision"] for point in points)
    assert not {"sector", "theatre"} & {*found}


def test_a_mark_is_as_large_as_its_place_is_vague(visit: Visit) -> None:
    page = ready(visit("/"))

    def radius(precision: str) -> float:
        circle = page.locator(f"{MAP} svg .mark.{precision} .shape").first
        return float(circle.get_attribute("r") or 0)

    assert radius("district") > 2 * radius("settlement")
    near = radius("settlement")
    far = radius("district")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert radius("settlement") == near
    assert radius("district") > far


def test_what_is_unlocated_stands_beside_the_map_and_opens(visit: Visit, site: Site) -> None:
    page = ready(visit("/"))
    unlocated = [cell for cell in whole(site) if cell["sector"] == "unlocated"]
    told = page.locator(f"{MAP} [data-unlocated]")
    assert told.get_attribute("data-unlocated") == str(sum(map(events, unlocated)))
    page.locator(f"{MAP} .beside summary").first.click()
    first = page.locator(f"{MAP} .beside .events button").first
    first.wait_for()
    first.click()
    page.wait_for_url("**incident=*")


def test_choosing_a_sector_asks_for_it_and_every_view_is_a_link(visit: Visit) -> None:
    page = ready(visit("/"))
    page.locator(f"{MAP} svg [data-sector={AREA}]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**sector={AREA}*")
    # Its parts are told apart now, and what else there is remains in reach.
    page.wait_for_selector(f"{MAP} svg [data-sector={AREA}-north]")
    again = ready(visit(page.url))
    expect(again.locator(f"{MAP} svg [data-sector={AREA}-north]")).to_be_attached()
    again.locator(f"{MAP} svg [data-sector=interior]").focus()
    again.keyboard.press(" ")
    again.wait_for_url("**sector=interior*")


def test_a_click_on_a_sector_is_enough(visit: Visit) -> None:
    page = ready(visit("/"))
    badge = page.locator(f"{MAP} svg [data-badge=adjacent-territories]").bounding_box()
    assert badge is not None
    page.mouse.click(badge["x"] + badge["width"] / 2, badge["y"] + badge["height"] / 2)
    page.wait_for_url("**sector=adjacent-territories*")


def test_every_sector_and_mark_is_reached_by_tab(visit: Visit) -> None:
    page = ready(visit("/"))
    wanted = page.locator(f"{MAP} svg [role=button]").count()
    page.locator(f"{MAP} svg [role=button]").first.focus()
    for _ in range(wanted - 1):
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert label
        page.keyboard.press("Tab")
    last = page.locator(f"{MAP} svg [role=button]").last
    assert last.evaluate("each => each === document.activeElement")


def test_marks_at_one_place_are_counted_and_told_apart(visit: Visit) -> None:
    page = ready(visit("/"))
    cluster = page.locator(f"{MAP} svg .mark[data-count='2']")
    cluster.focus()
    page.keyboard.press("Enter")
    found = page.locator(f"{MAP} .chosen .events button")
    expect(found).to_have_count(2)
    found.first.click()
    page.wait_for_url("**incident=*")


def test_the_wheel_is_the_pages_unless_ctrl_is_held(visit: Visit) -> None:
    page = ready(visit("/"))
    ground = page.locator(f"{MAP} svg > g").first
    page.locator(f"{MAP} svg").first.scroll_into_view_if_needed()
    box = page.locator(f"{MAP} .map-frame").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    before = ground.get_attribute("transform")
    page.mouse.wheel(0, 60)
    expect(page.locator(f"{MAP} .zoom-hint")).to_be_visible()
    assert ground.get_attribute("transform") == before
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    expect(ground).not_to_have_attribute("transform", before or "")


def test_keys_zoom_move_and_go_back(visit: Visit) -> None:
    page = ready(visit("/"))
    ground = page.locator(f"{MAP} svg > g").first
    before = ground.get_attribute("transform") or ""
    page.locator(f"{MAP} svg [data-sector]").first.focus()
    for key in ("+", "ArrowLeft", "-", "ArrowUp"):
        now = ground.get_attribute("transform") or ""
        page.keyboard.press(key)
        expect(ground).not_to_have_attribute("transform", now)
    page.keyboard.press("0")
    expect(ground).to_have_attribute("transform", before)


def test_what_one_points_at_is_said_and_taken_away(visit: Visit) -> None:
    page = ready(visit("/"))
    page.locator(f"{MAP} svg .mark").first.focus()
    expect(page.locator(f"{MAP} .tip")).to_contain_text("district")
    page.keyboard.press("Escape")
    expect(page.locator(f"{MAP} .tip")).to_have_count(0)


def test_the_table_behind_holds_the_same_numbers(visit: Visit, site: Site) -> None:
    page = ready(visit("/"))
    page.locator(f"{MAP} .behind summary").click()
    for cell in whole(site):
        if cell["sector"] == "unlocated":
            continue
        row = page.locator(f"{MAP} tr[data-row={cell['sector']}] td").first
        told = "no number" if cell["incidents"] is None else str(events(cell))
        expect(row).to_have_text(told)


def test_it_says_whose_boundaries_it_shows(visit: Visit) -> None:
    page = ready(visit("/"))
    expect(page.locator(MAP)).to_contain_text("They express no position")
    expect(page.locator(f"{MAP} svg .boundary")).not_to_have_count(0)
    dashes = page.locator(f"{MAP} svg .boundary").evaluate(
        "l => getComputedStyle(l).strokeDasharray"
    )
    assert dashes != "none"


def test_names_do_not_run_into_one_another(visit: Visit) -> None:
    page = ready(visit("/", viewport=TABLET))
    boxes = page.locator(f"{MAP} svg .place text, {MAP} svg .country").evaluate_all(BOXES)
    assert len(boxes) > 6
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart


def test_classes_hold_every_value_and_never_the_silent_ones(visit: Visit) -> None:
    page = visit("/")
    made = page.evaluate(
        """async () => {
          const base = document.querySelector("script[type=module]").src.replace("main.js", "");
          const { classes, shadeOf, shown } = await import(base + "map-classes.js");
          const values = Array.from({ length: 40 }, (_, i) => (i * i) % 97);
          const steps = classes(values);
          const silent = { incidents: null, episodes: null, figures: {} };
          return {
            steps,
            held: values.every((v) => v <= 0 || steps.some((s) => s.low <= v && v <= s.high)),
            few: classes([3, 3, 7]),
            none: classes([0]),
            silent: shadeOf(shown(silent, "incidents", "low"), steps),
          };
        }"""
    )
    assert len(made["steps"]) == 5
    assert all(a["high"] < b["low"] for a, b in zip(made["steps"], made["steps"][1:], strict=False))
    assert made["held"]
    assert made["few"] == [{"low": 3, "high": 3}, {"low": 7, "high": 7}]
    assert made["none"] == []
    assert made["silent"] == "is-silent"


@pytest.mark.parametrize(
    ("name", "viewport", "theme", "language"),
    [
        ("phone", PHONE, "light", "en"),
        ("tablet", TABLET, "dark", "ru"),
        ("desk", DESK, "dark", "hy"),
        ("wall", WALL, "light", "az"),
    ],
)
def test_it_fits_every_screen_in_every_language(
    visit: Visit, site: Site, name: str, viewport: dict[str, int], theme: str, language: str
) -> None:
    page = visit("/?measure=killed", viewport=viewport, color_scheme=theme, language=language)
    ready(page)
    box = page.locator(f"{MAP} svg").first.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    assert box["height"] >= 280
    named = {
        (place["displays"] or {}).get(language, place["display"])
        for place in site.get("/v1/places")["items"]
    }
    told = page.locator(f"{MAP} svg .place text").all_text_contents()
    assert told
    assert {*told} <= named
    picture(page, f"map-{name}-{theme}-{language}")
    assert violations(page) == []


def test_it_prints(visit: Visit) -> None:
    page = ready(visit("/"))
    page.emulate_media(media="print")
    expect(page.locator(f"{MAP} .zoom")).to_be_hidden()
    expect(page.locator(f"{MAP} svg .badge").first).to_be_visible()
    picture(page, "map-print")


def test_the_files_below_it_are_of_what_it_shows(visit: Visit, site: Site) -> None:
    page = ready(visit("/?from=2022-08-01&to=2022-08-31&measure=killed"))
    links = page.locator(f"{MAP} .downloads a[download]").all()
    assert links
    with site.client as client:
        for link in links:
            address = link.get_attribute("href") or ""
            query = parse_qs(urlsplit(address).query)
            assert (query["from"], query["to"]) == (["2022-08-01"], ["2022-08-31"])
            assert client.get(address).status_code == 200
