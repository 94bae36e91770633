"""The desk on every screen and in every language, with photos on it and with what is hostile."""

import hashlib
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests import pictures
from tests.browser.conftest import DESK, PHONE, TABLET, Site, Visit, picture, violations
from tests.browser.desk import at_desk, confirm, notice, pair, send, told

WORDS = Path("service/page/words/en")
LANGUAGES = ("en", "ru", "hy", "az")
SIZES = {"phone": PHONE, "tablet": TABLET, "desk": DESK}


# Photos


def test_a_photo_is_seen_as_a_copy_with_its_hash_and_released(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(when="2022-04-10"), Role.MONITOR)["id"]
    sent = pictures.jpeg(size=(320, 200))
    sha256 = hashlib.sha256(sent).hexdigest()
    send(
        *(site, "POST", f"/v1/reports/{report}/photos", Role.MONITOR),
        params={"sha256": sha256},
        content=sent,
        headers={"Content-Type": "image/jpeg"},
    )
    page = at_desk(visit, report)
    image = page.get_by_role("img", name="Photo 1 of the report")
    expect(image).to_have_js_property("naturalWidth", 320)
    expect(page.get_by_text(sha256)).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Release the copy").click()
    confirm(page, "Nobody can be made out.")
    notice(page, "The copy is released.")
    [photo] = site.get(f"/v1/reports/{report}/photos", Role.REVIEWER)["items"]
    assert photo["released"] is True


# What is hostile, in every language, on every screen


def test_attack_strings_in_every_field_stay_inert(visit: Visit, site: Site) -> None:
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'}{{7*7}}${7*7}"
    hostile = told(
        when="2022-03-03",
        claimant=attack,
        summary=f"{attack} javascript:alert(3)",
        weapons=[attack],
        where={"lat": 40.1, "lon": 45.9, "place": attack, "as_written": attack},
        casualties=[{"party": attack, "killed": {"low": 12, "words": attack}}],
        attributed_to=attack,
        sources=[
            {"title": attack, "publisher": attack, "locator": attack, "url": "https://x/\"onx='1'"}
        ],
    )
    report = site.post("/v1/reports", hostile, Role.MONITOR)["id"]
    send(
        *(site, "PATCH", f"/v1/reports/{report}", Role.MONITOR),
        json={"reason": attack, "summary": attack},
        headers={"If-Match": '"1"', "Content-Type": "application/merge-patch+json"},
    )
    dialogs = []
    page = visit("/", key=Role.REVIEWER)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"/review?report={report}")
    page.locator("#revisions").wait_for()
    page.keyboard.press("u")
    page.get_by_label("Reason", exact=True).focus()
    confirm(page, attack)
    notice(page, "Decided: unverified.")
    page.goto(f"/review?report={report}")
    page.locator("#revisions").wait_for()
    assert page.get_by_text("onerror=alert(1)").count() >= 6
    assert page.locator("main img").count() == 0
    assert page.locator("main script").count() == 0
    assert dialogs == []


@pytest.mark.parametrize(
    ("size", "language"),
    [*((size, language) for size in ("phone", "desk") for language in LANGUAGES), ("tablet", "hy")],
)
def test_the_desk_speaks_every_language_on_every_screen(
    visit: Visit, site: Site, size: str, language: str
) -> None:
    _, second = pair(site, f"2022-02-{10 + len(size)}")
    theme = "dark" if language in ("ru", "hy") else "light"
    page = at_desk(visit, second["id"], language=language, viewport=SIZES[size], color_scheme=theme)
    page.get_by_role("radio").first.wait_for()
    page.locator(".beside").first.wait_for()
    assert violations(page) == []
    page.keyboard.press("v")
    page.locator("form.deciding").wait_for()
    assert violations(page) == []
    picture(page, f"review-{size}-{language}", whole=size == "phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    # What the service reasons in English is told in the reader's language.
    assert page.locator(".candidates [lang]").count() == 0
    keys = {key for file in WORDS.glob("*.json") for key in json.loads(file.read_text())}
    text = page.locator("body").inner_text()
    assert [key for key in keys if "." in key and key in text] == []
