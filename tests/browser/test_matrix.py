"""The claims matrix: who says what of one incident, side by side and in time, and what follows."""

import csv
import io
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from service.domain.access import Role
from tests.browser.conftest import DESK, PHONE, Complaints, Site, Visit, picture, violations
from tests.pictures import jpeg, sha256

SEPTEMBER = "2e1c05ac-cda0-5342-aa99-1a993f32cfa6"
OFFICIALS = ("Armenian officials", "Azerbaijani officials")
PUBLIC = {"disclosure": {"visibility": "public", "place": "exact"}}
ATTACK = "<img src=x onerror=alert(1)><script>alert(1)</script>\"'{{7*7}}${7*7}"


def incident_of(site: Site, title: str) -> str:
    [found] = [
        item["id"]
        for item in site.get("/v1/incidents", limit=500)["items"]
        if item["title"] == title
    ]
    return str(found)


def opened(page: Page) -> Locator:
    dialog = page.get_by_role("dialog")
    dialog.locator(".facts").wait_for()
    return dialog


def row(dialog: Locator, header: str) -> Locator:
    return dialog.locator(".claims tbody tr").filter(
        has=dialog.page.get_by_role("rowheader", name=header)
    )


def cell(dialog: Locator, header: str, claimant: str) -> Locator:
    """What a claimant says of something."""
    names = dialog.locator(".claims thead .claimant").all_inner_texts()
    return row(dialog, header).locator("td").nth(names.index(claimant))


def post(site: Site, role: Role = Role.IMPORTER, **report: Any) -> Any:
    return site.post("/v1/reports", {**PUBLIC, **report}, role)


def change(site: Site, report: str, role: Role = Role.IMPORTER, **patch: Any) -> None:
    path = f"/v1/reports/{report}"
    revision = site.get(path, role)["revision"]
    headers = {**site.headers(role), "If-Match": f'"{revision}"'}
    with site.client as client:
        answer = client.patch(path, json=patch, headers=headers)
    assert answer.is_success, answer.text


def decide(site: Site, report: str, **decision: Any) -> None:
    path = f"/v1/reports/{report}"
    revision = site.get(path, Role.REVIEWER)["revision"]
    headers = {**site.headers(Role.REVIEWER), "If-Match": f'"{revision}"'}
    with site.client as client:
        answer = client.post(f"{path}/reviews", json=decision, headers=headers)
    assert answer.is_success, answer.text


def everything_changed(site: Site) -> list[Any]:
    items: list[Any] = []
    while more := site.get("/v1/changes", limit=500, after=len(items))["items"]:
        items += more
    return items


def placed(site: Site, incident: str) -> int:
    """How many changes there are, once the ledger holds those that tell of the incident."""
    for _ in range(50):
        size = len(everything_changed(site))
        asked = {"as_of": f"changes:{size}"}
        with site.client as client:
            if client.get(f"/v1/incidents/{incident}", params=asked).status_code == 200:
                return size
        time.sleep(0.2)
    pytest.fail("the ledger does not come to hold it")


def test_who_claims_what_about_13_september_2022(visit: Visit) -> None:
    page = visit("/?from=2022-09-13&to=2022-09-13")
    page.get_by_role("link", name="September 2022 escalation").click()
    dialog = opened(page)
    assert dialog.locator(".claims thead .claimant").all_inner_texts() == [*OFFICIALS]
    armenian, azerbaijani = OFFICIALS
    expect(cell(dialog, "killed Armenia, military", armenian)).to_contain_text("at least 49")
    expect(cell(dialog, "killed Armenia, military", azerbaijani)).to_have_text("says nothing")
    expect(cell(dialog, "killed Azerbaijan, military", azerbaijani)).to_have_text("50")
    expect(cell(dialog, "killed Azerbaijan, military", armenian)).to_have_text("says nothing")
    for claimant, party, blamed in (
        (armenian, "Armenia", "Azerbaijan"),
        (azerbaijani, "Azerbaijan", "Armenia"),
    ):
        head = dialog.locator(".claims thead th").filter(has_text=claimant)
        expect(head).to_contain_text("government")
        expect(head).to_contain_text(f"speaks for: {party}")
        expect(cell(dialog, "Blames (a claim)", claimant)).to_have_text(blamed)
        expect(cell(dialog, "Status and its basis", claimant)).to_contain_text("unverified")
        expect(cell(dialog, "Status and its basis", claimant)).to_contain_text("mutual accusation")
    expect(row(dialog, "Blames (a claim)")).to_contain_text("≠")
    follows = dialog.locator(".follows")
    expect(follows.locator("dd .figure")).to_have_text("at least 99")
    expect(follows).to_contain_text("Armenia: at least 49; Azerbaijan: 50")
    expect(follows).to_contain_text("No upper bound is stated for: Armenia, military")
    expect(follows).to_contain_text("Nobody gave a figure for: wounded, missing, captured")
    expect(dialog.locator("section.contested")).to_contain_text(
        "Armenian officials → Azerbaijan; Azerbaijani officials → Armenia"
    )
    picture(page, "matrix-september-2022", whole=False)


def test_every_figure_is_that_of_the_service(visit: Visit, site: Site) -> None:
    dialog = opened(visit(f"/?incident={SEPTEMBER}"))
    with dialog.page.expect_download() as file:
        dialog.get_by_role("button", name="Claims as CSV").click()
    lines = list(csv.DictReader(io.StringIO(file.value.path().read_text("utf-8-sig"))))
    named = ("party", "group", "outcome", "claimant", "report", "low", "best", "high", "words")
    told = site.get(f"/v1/incidents/{SEPTEMBER}")["matrix"]
    assert [[line[name] for name in named] for line in lines] == [
        ["" if each[name] is None else str(each[name]) for name in named] for each in told
    ]


def test_the_link_of_an_incident_opens_in_a_fresh_browser(visit: Visit) -> None:
    first = opened(visit("/?from=2022-08&incident=" + SEPTEMBER))
    link = first.get_by_role("link", name="Link to this incident").get_attribute("href")
    assert link is not None
    second = visit(link)
    expect(opened(second).get_by_role("heading", level=2)).to_have_text("September 2022 escalation")


def test_closing_gives_the_focus_back(visit: Visit) -> None:
    page = visit("/?from=2022-08&to=2022-09")
    opening = page.get_by_role("link", name="September 2022 escalation")
    opening.press("Enter")
    opened(page)
    assert SEPTEMBER in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opening).to_be_focused()
    assert "incident" not in page.url
    assert "from=2022-08" in page.url


def test_closing_what_a_link_opened_leaves_the_reader_in_the_list(visit: Visit) -> None:
    page = visit(f"/?from=2022-09&incident={SEPTEMBER}")
    page.wait_for_selector("#incidents .opening")
    opened(page).get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="September 2022 escalation")).to_be_focused()


def test_a_verified_incident_says_on_what_basis(visit: Visit, site: Site) -> None:
    title = "De facto soldier wounded on the north-eastern front"
    dialog = opened(visit(f"/?incident={incident_of(site, title)}"))
    basis = row(dialog, "Status and its basis")
    expect(basis).to_contain_text("verified")
    expect(basis).to_contain_text("confirmed by peacekeepers")
    expect(dialog.locator(".follows dd")).to_contain_text("verified")
    expect(dialog.locator(".part-of")).to_contain_text("Early August 2022 escalation")


def test_contested_is_explained(visit: Visit, site: Site) -> None:
    dialog = opened(visit(f"/?incident={incident_of(site, 'Clashes in the Hadrut area')}"))
    expect(dialog.locator("section.contested")).to_contain_text("They blame different sides")
    expect(dialog.locator(".follows")).to_contain_text("Nobody gave a figure for: killed")
    expect(cell(dialog, "Where", "Azerbaijani officials")).to_contain_text("Hadrut region")


def test_the_parts_of_an_episode_lead_on_and_say_how_they_are_counted(
    visit: Visit, site: Site
) -> None:
    episode = incident_of(site, "April 2016 escalation")
    page = visit(f"/?incident={episode}")
    dialog = opened(page)
    parts = dialog.locator(".parts .opening")
    expect(parts).to_have_text(
        [part["title"] for part in site.get(f"/v1/incidents/{episode}")["parts"]]
    )
    expect(dialog.locator(".parts")).to_contain_text(
        "killed: the whole is told as at least 200; of its parts that count nobody gave a figure"
    )
    parts.first.click()
    expect(dialog.get_by_role("heading", level=2)).not_to_have_text("April 2016 escalation")
    dialog.locator(".part-of .opening").click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("April 2016 escalation")


def test_what_an_episode_adds_beyond_its_parts_is_what_the_sums_say(
    visit: Visit, site: Site
) -> None:
    whole = post(
        site,
        when="2022-11-01/2022-11-03",
        where={"sector": "line-of-separation"},
        claimant="crisis-group",
        casualties=[{"killed": {"low": 10, "best": 12, "high": 15}}],
    )
    part = post(
        site,
        when="2022-11-02",
        where={"sector": "line-of-separation"},
        claimant="residents",
        casualties=[{"killed": 4}],
    )
    told = {"part_of": whole["incident"], "reason": "On its second day."}
    site.post(f"/v1/incidents/{part['incident']}/links", told, Role.REVIEWER)
    dialog = opened(visit(f"/?incident={whole['incident']}"))
    expect(dialog.locator(".parts")).to_contain_text(
        "the whole is told as 10 to 15, its parts that count as 4;"
        " in sums the episode itself adds 6 to 11"
    )
    days = {"from": "2022-11-01", "to": "2022-11-03"}
    total = site.get("/v1/aggregates", period="total", by="", **days)["total"]
    assert total["figures"]["killed"]["low"] == 6 + 4
    assert total["figures"]["killed"]["high"] == 11 + 4


def test_denials_and_corrections_stand_in_time(visit: Visit, site: Site) -> None:
    about = {"when": "2022-11-05", "where": {"place": "Lachin"}}
    dead = {"party": "nk-de-facto", "group": "military"}
    told = post(
        site,
        **about,
        claimant="nk-de-facto-authorities",
        reported="2022-11-05",
        casualties=[{**dead, "killed": 5}],
    )
    incident = told["incident"]
    post(
        site,
        **about,
        claimant="azerbaijan-mod",
        reported="2022-11-06",
        stance="denies",
        about={"incident": incident, "outcomes": ["killed"]},
    )
    post(
        site,
        **about,
        claimant="nk-de-facto-authorities",
        reported="2022-11-07",
        stance="corrects",
        about={"report": told["id"]},
        casualties=[{**dead, "killed": {"low": 2, "words": "at least two"}}],
    )
    taken_back = post(
        site,
        **about,
        claimant="residents",
        reported="2022-11-08",
        incident=None,
        about={"incident": incident},
        stance="corrects",
        casualties=[{**dead, "killed": 9}],
    )
    change(site, told["id"], reason="A typing error.", casualties=[{**dead, "killed": 4}])
    decide(
        site,
        told["id"],
        status="corroborated",
        basis="humanitarian-registration",
        grade="B2",
        reason="The register names four.",
        evidence=[{"title": "Register", "url": "https://example.org/r", "sha256": "0" * 64}],
    )
    change(site, taken_back["id"], reason="Hearsay.", status="withdrawn")

    page = visit(f"/?incident={incident}")
    dialog = opened(page)
    expect(dialog.locator(".history .changed")).to_have_count(2)
    kinds = [(each.get_attribute("class") or "") for each in dialog.locator(".history li").all()]
    assert kinds == ["asserts", "denies", "corrects", "corrects", "changed", "changed", "decided"]
    history = dialog.locator(".history li")
    expect(history.nth(0)).to_contain_text("5 November 2022")
    expect(history.nth(1)).to_contain_text("Ministry of Defence of Azerbaijan denies")
    expect(history.nth(1)).to_contain_text("about the event: killed")
    expect(history.nth(2)).to_contain_text("about what was said by: ")
    changed = dialog.locator(".history .changed")
    expect(changed.filter(has_text="A typing error.").locator("s")).to_contain_text("5")
    expect(changed.filter(has_text="A typing error.")).to_contain_text("→ killed")
    expect(changed.filter(has_text="Hearsay.")).to_contain_text("withdrawn")
    expect(history.last).to_contain_text("corroborated (humanitarian registration)")
    expect(history.last).to_contain_text("The register names four.")

    [authorities] = [
        name
        for name in dialog.locator(".claims thead .claimant").all_inner_texts()
        if "authorities" in name
    ]
    figure = cell(dialog, "killed", authorities)
    expect(figure.locator(".figure")).to_have_text("at least 2")
    expect(figure).to_contain_text("at least two")
    expect(figure.locator("s")).to_have_text("4")
    denial = cell(dialog, "killed", "Ministry of Defence of Azerbaijan")
    expect(denial).to_have_text("denies it")
    standing = cell(dialog, "Status and its basis", authorities)
    expect(standing).to_contain_text("usually reliable")
    expect(row(dialog, "Stance")).to_contain_text("≠")
    expect(dialog.locator("section.contested")).to_contain_text(
        "Ministry of Defence of Azerbaijan: denies it."
    )
    evidence = row(dialog, "Evidence for decisions").get_by_role("link")
    assert evidence.get_attribute("href") == "https://example.org/r"
    assert evidence.get_attribute("rel") == "noopener noreferrer"
    aside = dialog.locator(".aside")
    expect(aside).to_contain_text("Withdrawn: nobody is left claiming it.")
    expect(aside.locator("s").first).to_contain_text("killed")
    # A denial of deaths leaves 2 and above; what was withdrawn adds nothing.
    killed = site.get(f"/v1/incidents/{incident}")["figures"]["killed"]
    assert (killed["low"], killed["high"]) == (2, None)
    expect(dialog.locator(".follows dd .figure")).to_have_text("at least 2")
    page.set_viewport_size({**DESK, "height": 2000})
    picture(page, "matrix-in-time", whole=False)


def test_a_moment_in_the_past_is_shown_as_it_was(visit: Visit, site: Site) -> None:
    told = post(
        site, when="2022-11-15", where={"place": "Lachin"}, claimant="residents",
        casualties=[{"killed": 1}],
    )  # fmt: skip
    known = placed(site, told["incident"])
    change(site, told["id"], reason="Counted again.", casualties=[{"killed": 3}])
    now = opened(visit(f"/?incident={told['incident']}"))
    expect(now.locator(".follows dd .figure")).to_have_text("3")
    then = opened(visit(f"/?incident={told['incident']}&as_of=changes:{known}"))
    expect(then.locator(".follows dd .figure")).to_have_text("1")
    expect(then.locator(".history .changed")).to_have_count(0)


def test_words_of_others_do_nothing(visit: Visit, site: Site) -> None:
    sent = post(
        site,
        when="2022-11-20",
        where={"place": ATTACK, "as_written": ATTACK},
        claimant=ATTACK,
        attributed_to="azerbaijan",
        weapons=[ATTACK],
        casualties=[{"party": ATTACK[:60], "killed": {"low": 1, "words": ATTACK}}],
        summary=ATTACK,
        sources=[{"title": ATTACK, "publisher": ATTACK, "locator": ATTACK, "published": "2022"}],
    )
    told = {"title": ATTACK, "note": ATTACK, "reason": ATTACK}
    site.post(f"/v1/incidents/{sent['incident']}/links", told, Role.REVIEWER)
    decide(site, sent["id"], status="unverified", reason=ATTACK, evidence=[{"title": ATTACK}])
    change(site, sent["id"], reason=ATTACK, summary="=1+1" + ATTACK)
    page = visit(f"/?incident={sent['incident']}")
    dialog = opened(page)
    expect(dialog.get_by_role("heading", level=2)).to_have_text(ATTACK)
    expect(dialog.locator(".history .changed")).to_contain_text(ATTACK)
    assert dialog.locator("img, script, a[href^='javascript']").count() == 0
    with page.expect_download() as file:
        dialog.get_by_role("button", name="Claims as CSV").click()
    [line] = csv.DictReader(io.StringIO(file.value.path().read_text("utf-8-sig")))
    assert line["summary"] == "'=1+1" + ATTACK


def test_a_released_photo_is_shown_and_no_other(visit: Visit, site: Site) -> None:
    sent = post(site, when="2022-11-25", where={"place": "Lachin"}, claimant="residents")
    ids = []
    for word in ("one", "two"):
        content = jpeg(word)
        with site.client as client:
            answer = client.post(
                f"/v1/reports/{sent['id']}/photos",
                params={"sha256": sha256(content)},
                content=content,
                headers={**site.headers(Role.IMPORTER), "Content-Type": "image/jpeg"},
            )
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    released = {"reason": "Nobody can be made out."}
    site.post(f"/v1/photos/{ids[0]}/release", released, Role.REVIEWER)
    dialog = opened(visit(f"/?incident={sent['incident']}"))
    photo = dialog.get_by_role("img", name="Photo 1")
    expect(photo).to_have_count(1)
    expect(photo).to_have_js_property("naturalWidth", 120)
    assert (photo.get_attribute("src") or "").startswith("blob:")


def test_what_is_not_there_says_so(visit: Visit, complaints: Complaints) -> None:
    complaints.expected = ("404", "422")
    for unknown in ("00000000-0000-4000-8000-000000000000", "../../health"):
        page = visit(f"/?incident={unknown}")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("no such incident")


@pytest.mark.parametrize("language", ["en", "ru", "hy", "az"])
@pytest.mark.parametrize(("size", "viewport"), [("phone", PHONE), ("desk", DESK)])
def test_the_matrix_is_easy_to_use_for_everybody(
    visit: Visit, site: Site, language: str, size: str, viewport: dict[str, int]
) -> None:
    theme = "dark" if size == "phone" else "light"
    page = visit(
        f"/?incident={SEPTEMBER}", language=language, viewport=viewport, color_scheme=theme
    )
    dialog = opened(page)
    page.wait_for_load_state("networkidle")
    picture(page, f"matrix-{size}-{language}", whole=False)
    assert violations(page) == []
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= viewport["width"]
    if language != "en":
        theirs = site.get(f"/v1/incidents/{SEPTEMBER}")["claims"][0]["summary"]
        expect(dialog).to_contain_text(theirs)
        expect(dialog).not_to_contain_text("says nothing")
        expect(dialog).not_to_contain_text("September 2022,")


def test_on_a_phone_the_first_column_stays_while_the_others_move(visit: Visit) -> None:
    dialog = opened(visit(f"/?incident={SEPTEMBER}", viewport=PHONE))
    header = row(dialog, "Stance").get_by_role("rowheader")
    before = header.bounding_box()
    dialog.locator(".claims").focus()
    dialog.locator(".claims").evaluate("table => { table.scrollLeft = 400 }")
    after = header.bounding_box()
    assert before is not None
    assert after is not None
    assert before["x"] == after["x"]
    shown = dialog.locator(".claims thead th").last
    expect(shown).to_be_in_viewport(ratio=0.9)


def test_on_paper_the_matrix_stands_alone_and_whole(visit: Visit) -> None:
    page = visit(f"/?incident={SEPTEMBER}")
    dialog = opened(page)
    page.emulate_media(media="print")
    expect(page.locator("#incidents")).not_to_be_visible()
    expect(dialog.locator(".history")).to_be_visible()
    expect(dialog.get_by_role("button", name="Print")).not_to_be_visible()
    assert dialog.evaluate("dialog => dialog.scrollHeight - dialog.clientHeight") <= 1
    page.set_viewport_size(PHONE)
    box = dialog.bounding_box()
    assert box is not None
    assert (box["x"], box["y"]) == (0, 0)
