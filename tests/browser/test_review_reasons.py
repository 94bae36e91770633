"""What speaks for and against, on the desk: told by the service as data, said by the page."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from service.domain.access import Role
from service.domain.candidates import Form
from tests.browser.conftest import Site, Visit
from tests.browser.desk import REASON, at_desk, pair, send

Json = dict[str, Any]
COUNTED = {"low": 1_200, "best": 1_200, "high": 1_200}
RANGE, LEAST = {"low": 2, "best": 3, "high": 4}, {"low": 5, "best": 5, "high": None}
SECTORS = ["line-of-contact-north", "line-of-contact"]
WEAPONS = ["indirect-fire", "mortar"]
# What is told of each form, and what the page says of it in English.
TOLD: list[tuple[Json, str]] = [
    ({"form": "hours_apart", "count": 6.5}, "6.5 hours apart"),
    ({"form": "minutes_apart", "count": 1}, "1 minute apart"),
    (
        {"form": "days_apart", "own": "2022-08-05", "other": "[..2022-08-03]", "days": 2},
        "2 days apart: 5 August 2022 / on or before 3 August 2022",
    ),
    (
        {"form": "days_overlap", "own": "2022-08-03", "other": "2022-08", "days": 0},
        "overlap: 3 August 2022 / August 2022, day not known",
    ),
    (
        {"form": "same_days", "own": "2022-08-03", "other": "2022-08-03", "days": 0},
        "both 3 August 2022",
    ),
    (
        {"form": "points_within", "km": 2.5, "open_km": 6},
        "2.5 km apart, within the 6 km that both precisions leave open",
    ),
    (
        {"form": "points_beyond", "km": 20, "open_km": 6},
        "20 km apart, beyond the 6 km that both precisions leave open",
    ),
    ({"form": "same_sector", "sectors": ["line-of-contact"]}, "both in: Line of contact"),
    (
        {"form": "nested_sectors", "sectors": SECTORS},
        "Line of contact, north lies in Line of contact",
    ),
    (
        {"form": "parted_sectors", "sectors": ["interior", "line-of-contact"]},
        "one in Interior of Nagorno-Karabakh, one in Line of contact",
    ),
    ({"form": "same_weapon", "weapons": ["a word of nobody"]}, "both name a word of nobody"),
    (
        {"form": "nested_weapons", "weapons": WEAPONS},
        "Indirect-fire weapons and Mortars may be the same weapon",
    ),
    (
        {"form": "parted_weapons", "weapons": ["mortar", "uav"]},
        "one names Mortars, the other Unmanned aerial vehicles",
    ),
    (
        {"form": "figures_meet", "outcome": "killed", "own": RANGE, "other": RANGE},
        "killed: 2 to 4 and 2 to 4 agree",
    ),
    (
        {"form": "figures_exclude", "outcome": "wounded", "own": COUNTED, "other": LEAST},
        "wounded: 1,200 and at least 5 exclude each other",
    ),
    ({"form": "same_claimant", "days": 0}, "the same claimant speaks of both"),
    (
        {"form": "same_claimant_otherwise", "days": 2},
        "the same claimant speaks of both, with figures that exclude each other",
    ),
    ({"form": "shared_words", "shared": 3, "words": 4}, "share 3 of 4 words"),
]


def reasons(page: Page, *told: list[Json]) -> None:
    """Let the service give these reasons for the one candidate of a report."""

    def answer(route: Route) -> None:
        got = route.fetch().json()
        given = [
            {"matter": "time", "weight": 1, "says": f"sentence {number}", "told": each}
            for number, each in enumerate(told)
        ]
        route.fulfill(json={**got, "items": [{**got["items"][0], "reasons": given}]})

    page.route("**/v1/reports/*/candidates", answer)
    page.reload()
    page.locator("#revisions").wait_for()


def said(page: Page) -> list[str]:
    return [text.split("time: ")[-1] for text in page.locator(".candidate li").all_inner_texts()]


def test_every_form_of_reason_is_said_by_the_page(visit: Visit, site: Site) -> None:
    assert [told["form"] for told, _ in TOLD] == list(Form)
    page = at_desk(visit, pair(site, "2022-05-02")[1]["id"])
    both = [TOLD[13][0], TOLD[14][0]]
    reasons(page, *([told] for told, _ in TOLD), both)
    assert said(page) == [*(words for _, words in TOLD), f"{TOLD[13][1]}; {TOLD[14][1]}"]


@pytest.mark.parametrize("language", ["ru", "hy", "az"])
def test_every_language_has_words_for_every_form(visit: Visit, site: Site, language: str) -> None:
    page = at_desk(visit, pair(site, "2022-05-04")[1]["id"], language=language)
    reasons(page, *([told] for told, _ in TOLD))
    texts = page.locator(".candidate li").all_inner_texts()
    assert len(texts) == len(TOLD)
    assert not [text for text in texts if "says." in text or "sentence" in text or "{" in text]


def test_a_form_that_the_page_does_not_know_is_said_in_english(visit: Visit, site: Site) -> None:
    page = at_desk(visit, pair(site, "2022-05-06")[1]["id"], language="ru")
    reasons(page, [TOLD[0][0], {"form": "of a newer service", "value": 3}])
    expect(page.locator(".candidate li [lang=en]")).to_have_text("sentence 0")


def merged(site: Site, day: str) -> tuple[Json, Json]:
    """Two accounts by rivals, of one incident."""
    first, second = pair(site, day)
    asked = {"incidents": [second["incident"]], "reason": REASON}
    site.post(f"/v1/incidents/{first['incident']}/merge", asked, Role.REVIEWER)
    return first, second


def test_what_the_service_tells_against_a_report_is_marked(visit: Visit, site: Site) -> None:
    told, rival = merged(site, "2022-05-10")
    against = {"form": "when", "own": "2022-05-10", "other": "2022-05-11"}

    def answer(route: Route) -> None:
        got = route.fetch().json()
        for item in got["items"]:
            for other in item["contradicted_by"]:
                if other["report"] == rival["id"]:
                    other["told"] = [against]
        route.fulfill(json=got)

    page = at_desk(visit, told["id"])
    page.route("**/v1/reviews/queue", answer)
    page.reload()
    marked = page.locator(".beside").first.locator("tr", has=page.locator(".contested-mark"))
    expect(marked.locator("th")).to_have_text(["When"])


def test_what_was_refuted_contradicts_nothing(visit: Visit, site: Site) -> None:
    told, rival = merged(site, "2022-05-08")
    marks = at_desk(visit, told["id"]).locator(".beside").first.locator(".contested-mark")
    # Blame and killed.
    expect(marks).to_have_count(2)
    path = f"/v1/reports/{rival['id']}"
    revision = site.get(path, Role.REVIEWER)["revision"]
    refuted = {"status": "refuted", "reason": REASON}
    tag = {"If-Match": f'"{revision}"'}
    send(site, "POST", f"{path}/reviews", Role.REVIEWER, json=refuted, headers=tag)
    page = at_desk(visit, told["id"])
    expect(page.locator(".beside").first).to_contain_text("refuted")
    expect(page.locator(".beside").first.locator(".contested-mark")).to_have_count(0)
