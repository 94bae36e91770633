"""The dashboard: its question in the address, its table, its files, and that it is quick."""

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.board import AUGUST, question, rows, settle, shown
from tests.browser.conftest import Complaints, Site, Visit

FIRST_VIEW = 200_000
ATTACKS = (
    "<img src=x onerror=document.title='owned'>",
    "\"><script>document.title='owned'</script>",
    "javascript:document.title='owned'//",
    "{{constructor.constructor('document.title=`owned`')()}}",
)


def in_words(row: Mapping[str, Any], outcome: str) -> str:
    """A cell as the page must say it."""
    if row["incidents"] is None:
        return "nothing recorded" if row["coverage"] == "partial" else "nobody watched"
    figure = row["figures"][outcome]
    if figure["low"] is None:
        text = "no figure"
    elif figure["high"] is None:
        text = f"at least {figure['low']:,}"
    elif figure["low"] == figure["high"]:
        text = f"{figure['low']:,}"
    else:
        text = f"{figure['low']:,} to {figure['high']:,}"
    unknown = figure["unknown"]
    return text + (f"\n{unknown} without a figure" if unknown else "")


def test_a_question_is_asked_by_filters_and_every_view_is_a_link(visit: Visit) -> None:
    page = visit("/")
    page.get_by_label("From", exact=True).fill("2022-08")
    page.get_by_label("To", exact=True).fill("2022-08-31")
    page.get_by_label("Status", exact=True).select_option("unverified")
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Contested", exact=True).select_option("false")
    page.get_by_label("Measure", exact=True).select_option("wounded")
    page.get_by_label("Words", exact=True).fill("corridor")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove the filter Words: corridor")).to_be_visible()
    settle(page)
    asked = question(page)
    assert asked["from"] == "2022-08"
    assert asked["status"] == "unverified"
    assert asked["q"] == "corridor"
    assert asked["contested"] == "false"
    elsewhere = visit(page.url)
    settle(elsewhere)
    assert shown(elsewhere) == shown(page)
    assert elsewhere.get_by_label("From", exact=True).input_value() == "2022-08"
    assert elsewhere.get_by_label("Measure", exact=True).input_value() == "wounded"


def test_going_back_leads_to_the_view_before_and_typing_is_one_step(visit: Visit) -> None:
    page = visit(AUGUST)
    settle(page)
    before = shown(page)
    page.get_by_label("Words", exact=True).press_sequentially("Lachin", delay=150)
    page.keyboard.press("Tab")
    page.wait_for_url("**q=Lachin*")
    settle(page)
    assert shown(page) != before
    page.go_back()
    expect(page.get_by_label("Words", exact=True)).to_have_value("")
    settle(page)
    assert shown(page) == before
    page.go_forward()
    expect(page.get_by_label("Words", exact=True)).to_have_value("Lachin")


def test_filters_are_taken_away_one_by_one_or_all_at_once(visit: Visit) -> None:
    page = visit(f"{AUGUST}&status=unverified&claimant=crisis-group")
    page.get_by_role("button", name="Remove the filter Status: unverified").click()
    assert set(question(page)) == {"from", "to", "claimant"}
    page.get_by_role("button", name="Remove all").click()
    assert question(page) == {}
    expect(page.get_by_text("No filter is set")).to_be_visible()


@pytest.mark.parametrize("filter_", ["from", "period"])
def test_a_link_that_the_service_refuses_draws_nothing(
    visit: Visit, complaints: Complaints, filter_: str
) -> None:
    complaints.expected = ("422",)
    page = visit(f"/?{filter_}=nonsense")
    for part in (".picture.map", ".picture.timeline", ".sums"):
        expect(page.locator(f"{part} [role=alert]")).to_contain_text(filter_)
    expect(page.locator(".picture svg")).to_have_count(0)
    expect(page.locator(".sums table")).to_have_count(0)
    expect(page.get_by_text("Loading")).to_have_count(0)


@pytest.mark.parametrize("language", ["xx", "__proto__", "constructor"])
def test_a_language_that_there_is_not_is_left_out(visit: Visit, language: str) -> None:
    page = visit(f"{AUGUST}&language={language}")
    settle(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_date_or_place_that_nobody_knows_is_marked_and_not_asked(visit: Visit) -> None:
    page = visit("/")
    page.get_by_label("From", exact=True).fill("august")
    page.keyboard.press("Tab")
    expect(page.get_by_label("From", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Place", exact=True).fill("Atlantis")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Place", exact=True)).to_have_attribute("aria-invalid", "true")
    assert question(page) == {}
    page.get_by_label("Place", exact=True).fill("Berdzor")
    page.keyboard.press("Tab")
    page.wait_for_url("**place=Berdzor*")


@pytest.mark.parametrize("outcome", ["killed", "wounded"])
def test_every_cell_says_what_the_service_answers(visit: Visit, site: Site, outcome: str) -> None:
    page = visit(f"/?from=2020&to=2022&grain=year&measure={outcome}")
    settle(page)
    headings = page.locator(".sums thead th").all_inner_texts()[1:]
    found = rows(page)
    sectors = {each["id"]: each["name"] for each in site.get("/v1/sectors")["items"]}
    asked = {"from": "2020", "to": "2022", "period": "year"}
    answer = site.get("/v1/aggregates", **asked)
    for cell in answer["cells"]:
        name = sectors.get(cell["sector"]) or f"Unlocated within: {sectors[cell['within']]}"
        heading = "Spanning several" if cell["period"] == "spanning" else cell["period"]
        text = found[heading][headings.index(name)]
        said = in_words(cell, outcome) + ("\nremainder" if cell["remainder"] else "")
        assert text.strip().replace("\n\n", "\n") == said, (heading, name)
    for row in site.get("/v1/aggregates", **asked, by="")["cells"]:
        heading = "Spanning several" if row["period"] == "spanning" else row["period"]
        assert found[heading][-1].startswith(in_words(row, outcome))
    assert found["Altogether"][-1].startswith(in_words(answer["total"], outcome))


def test_silence_is_never_drawn_as_zero(visit: Visit) -> None:
    page = visit(f"{AUGUST}&measure=killed")
    settle(page)
    silent = page.locator(".sums td.silent")
    assert silent.count() > 0
    for cell in silent.all():
        assert "0" not in cell.inner_text()
        assert cell.evaluate("cell => getComputedStyle(cell).backgroundImage") != "none"


def test_a_cell_leads_to_exactly_its_incidents(visit: Visit, site: Site) -> None:
    page = visit("/?from=2020&to=2022&grain=year")
    settle(page)
    cells = site.get("/v1/aggregates", **{"from": "2020", "to": "2022", "period": "year"})["cells"]
    links = page.locator(".sums tbody td:not(.all) a")
    assert links.count() == sum(
        1 for cell in cells if (cell["incidents"] or 0) + (cell["episodes"] or 0)
    )
    for index in (0, links.count() - 1):
        links.nth(index).click()
        expect(page.locator(".chosen-cell")).to_be_visible()
        settle(page)
        asked = question(page)
        [cell] = [
            each
            for each in cells
            if (each["period"], each["sector"], each["within"] or "")
            == (asked["bucket"], asked["cell"], asked.get("within", ""))
        ]
        expect(page.locator("#incidents .rows > li")).to_have_count(
            cell["incidents"] + cell["episodes"]
        )
        page.locator(".chosen-cell").get_by_role("button", name="Show all").click()


def test_the_sentence_says_how_much_is_verified_and_contested(visit: Visit, site: Site) -> None:
    page = visit(AUGUST)
    settle(page)
    asked = {"from": "2022-08", "to": "2022-08", "period": "total", "by": ""}
    whole, verified, contested = (
        site.get("/v1/aggregates", **asked, **more)["total"]
        for more in ({}, {"status": "verified"}, {"contested": "true"})
    )
    said = page.locator(".sentence").inner_text()
    assert f"{whole['incidents']} incidents" in said
    assert f"Killed, as claimed: {whole['figures']['killed']['low']} " in said
    assert f"{whole['figures']['killed']['unknown']} without a figure" in said
    assert verified["incidents"] == 1
    # Of the dead nobody verified anything, so the gravest that somebody did is told.
    assert verified["figures"]["killed"]["low"] is None
    assert "1 of them is verified (wounded: 1)" in said
    assert f"{contested['incidents'] + contested['episodes']} is contested" in said
    page.get_by_role("link", name="1 verified").click()
    expect(page.locator("#incidents .rows > li")).to_have_count(1)
    expect(page.locator(".sentence")).to_contain_text("Wounded, as claimed: 1")
    expect(page.get_by_role("link", name="1 verified")).to_have_attribute("aria-current", "true")


def test_who_claims_what_about_a_day_is_answered_by_the_page_alone(visit: Visit) -> None:
    page = visit("/")
    page.get_by_label("From", exact=True).fill("2022-09-13")
    page.get_by_label("To", exact=True).fill("2022-09-13")
    page.keyboard.press("Tab")
    page.wait_for_url("**to=2022-09-13*")
    settle(page)
    page.get_by_role("link", name="September 2022 escalation").or_(
        page.get_by_role("button", name="September 2022 escalation")
    ).first.click()
    dialog = page.get_by_role("dialog")
    for text in ("Armenian officials", "Azerbaijani officials", "at least 49", "50"):
        expect(dialog.get_by_text(text).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def numbers(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer)))


def test_the_numbers_download_as_the_service_gives_them(visit: Visit, site: Site) -> None:
    page = visit(f"{AUGUST}&status=unverified")
    settle(page)
    with page.expect_download() as sent:
        page.locator(".sums").get_by_role("link", name="CSV").click()
    given = numbers(sent.value.path().read_text(encoding="utf-8-sig"))
    asked = {
        "from": "2022-08",
        "to": "2022-08",
        "status": "unverified",
        "period": "day",
        "level": "1",
    }
    expected = site.get("/v1/aggregates", **asked)["cells"]
    column = next(
        name for name in given[0] if name.endswith("incidents") and "possible" not in name
    )
    assert [row[column] for row in given][: len(expected)] == [
        "" if cell["incidents"] is None else str(cell["incidents"]) for cell in expected
    ]


def drawn(page: Page, kind: str) -> bytes:
    with page.expect_download() as sent:
        page.locator(".downloads").get_by_role("button", name=kind).first.click()
    content: bytes = sent.value.path().read_bytes()
    return content


def test_a_picture_downloads_as_it_looks_and_says_what_it_shows(visit: Visit) -> None:
    page = visit(AUGUST)
    settle(page)
    text = drawn(page, "SVG").decode()
    file = page.evaluate(
        """text => {
          const read = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
          return {
            name: read.nodeName,
            said: read.querySelector("desc").textContent,
            looks: [...read.querySelectorAll("path, rect")].some(
              (each) => /^rgb/.test(each.getAttribute("fill"))
            ),
            classes: read.querySelectorAll("[class], [style], script, foreignObject").length,
          };
        }""",
        text,
    )
    assert file["name"] == "svg"
    assert file["looks"]
    assert file["classes"] == 0
    for part in ("From: August 2022", "https://creativecommons.org/licenses/by/4.0/", "Made on 20"):
        assert part in file["said"]
    image = drawn(page, "PNG")
    assert image.startswith(b"\x89PNG")
    width = int.from_bytes(image[16:20], "big")
    shown_width = page.evaluate(
        "document.querySelector('.picture svg[role]')?.getBoundingClientRect().width ?? 0"
    )
    assert width >= 2 * int(shown_width) > 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_somebody_else_wrote_into_a_link_is_text(
    visit: Visit, complaints: Any, attack: str
) -> None:
    complaints.expected = ("422",)
    page = visit("/")
    page.goto(
        "/?"
        + "&".join(f"{name}={quote(attack, safe='')}" for name in ("q", "from", "grain", "place"))
    )
    page.wait_for_selector("main h1")
    page.wait_for_load_state("networkidle")
    assert "owned" not in page.title()
    assert page.locator("main img, main script").count() == 0
    assert page.get_by_label("Words", exact=True).input_value() == attack
    assert page.get_by_role("alert").count() > 0


def test_nothing_is_marked_on_a_map_that_is_not_there_yet(visit: Visit) -> None:
    page = visit("/")
    late: list[Route] = []
    page.route("**/v1/sectors?*", lambda route: late.append(route))  # noqa: PLW0108
    page.reload()
    expect(page.locator("#incidents .rows > li").first).to_be_visible()
    expect(page.locator(".sums tbody tr").first).to_be_visible()
    assert page.locator(".map-frame .mark, .map-frame .place").count() == 0
    for route in late:
        route.continue_()
    expect(page.locator(".map-frame .mark").first).to_be_visible()
    expect(page.locator(".map-frame .place").first).to_be_visible()


@pytest.mark.parametrize("address", ["/", "/report", "/review"])
def test_all_scripts_are_asked_for_at_once(visit: Visit, address: str) -> None:
    page = visit(address)
    page.wait_for_load_state("networkidle")
    named, asked = page.evaluate(
        """[
          [...document.querySelectorAll("link[rel=modulepreload]")].map((link) => link.href),
          performance.getEntriesByType("resource").map((entry) => entry.name)
            .filter((name) => name.endsWith(".js") && !/\\/(d3-[^/]+|worker)\\.js$/.test(name)),
        ]"""
    )
    assert len(named) > 10
    assert sorted(named) == sorted(asked)


def test_the_first_view_is_small(visit: Visit) -> None:
    """Of all that is sent, answers of the service included, compressed as it is sent."""
    page = visit("/")
    page.goto("/")
    settle(page)
    sizes = page.evaluate(
        """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map((entry) => entry.encodedBodySize)"""
    )
    assert len(sizes) > 20
    assert sum(sizes) < FIRST_VIEW
