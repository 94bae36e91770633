"""The desk of a reviewer: what waits, what speaks against it, deciding by keyboard, taking back."""

import hashlib

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.browser.conftest import PHONE, Complaints, Site, Visit, violations
from tests.browser.desk import REASON, at_desk, confirm, notice, pair, send, told

# Who is let in


def test_a_key_is_asked_for_first_and_what_it_may_not_do_is_explained(
    visit: Visit, site: Site
) -> None:
    page = visit("/review")
    expect(page.get_by_text("Reviewing needs the key of a reviewer.")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Key").fill(site.keys[Role.MONITOR])
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is the key of a monitor.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Forget the key").click()
    page.get_by_label("Key").fill(site.keys[Role.REVIEWER])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting")).to_be_visible()
    assert site.keys[Role.REVIEWER] not in page.url


# The queue


def test_the_queue_is_that_of_the_service_gravest_first(visit: Visit, site: Site) -> None:
    page = visit("/review", key=Role.REVIEWER)
    page.locator("#revisions").wait_for()
    links = page.locator(".queue a").evaluate_all("all => all.map(each => each.search)")
    queue = site.get("/v1/reviews/queue", Role.REVIEWER)
    assert links == [f"?report={item['report']['id']}" for item in queue["items"]]
    assert page.url.endswith(links[0])
    expect(page.locator(".queue")).to_contain_text(f"{queue['waiting']} reports wait")


def test_a_report_stands_beside_what_contradicts_it(visit: Visit, site: Site) -> None:
    queue = site.get("/v1/reviews/queue", Role.REVIEWER)
    item = next(each for each in queue["items"] if each["contradicted_by"])
    page = at_desk(visit, item["report"]["id"])
    table = page.get_by_role("region", name="What others say of the same event")
    for other in item["contradicted_by"]:
        expect(table.locator(f"a[href='?report={other['report']}']")).to_be_visible()
    assert table.locator(".contested-mark").count() > 0


# Deciding


def test_a_monitors_report_is_verified_and_taken_back_by_keyboard_alone(
    visit: Visit, site: Site
) -> None:
    report = site.post("/v1/reports", told(), Role.MONITOR)["id"]
    page = visit("/review", key=Role.REVIEWER)
    page.locator("#revisions").wait_for()
    queue = [each["report"]["id"] for each in site.get("/v1/reviews/queue", Role.REVIEWER)["items"]]
    for following in queue[1 : queue.index(report) + 1]:
        page.keyboard.press("j")
        page.wait_for_url(f"**report={following}")
        page.locator("#revisions").wait_for()
    expect(page.locator("#account")).to_be_focused()

    page.keyboard.press("v")
    expect(page.get_by_label("Basis")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    confirm(page)
    notice(page, "Decided: verified.")
    now = site.get(f"/v1/reports/{report}")
    assert (now["status"], now["basis"]) == ("verified", "peacekeepers")
    assert [review["reason"] for review in now["reviews"]] == [REASON]
    following = queue[queue.index(report) + 1]
    page.wait_for_url(f"**report={following}")
    expect(page.locator("#account")).to_be_focused()

    page.keyboard.press("z")
    expect(page.locator(".deciding")).to_contain_text(
        f"another report than the one that is open: {report}"
    )
    expect(page.get_by_label("Reason")).not_to_have_value("")
    page.keyboard.press("Enter")
    notice(page, "Taken back.")
    page.wait_for_url(f"**report={report}")
    now = site.get(f"/v1/reports/{report}")
    assert (now["status"], now["basis"], len(now["reviews"])) == ("unverified", None, 2)


def test_doubts_are_settled_with_the_decision(visit: Visit, site: Site) -> None:
    known = site.post("/v1/reports", told(when="2022-08-22"), Role.MONITOR)
    doubtful = site.post("/v1/reports", told(when="2022-08-22", claimant="residents"), Role.MONITOR)
    assert doubtful["flags"] == ["possible_duplicate"]
    assert known["incident"] in doubtful["possible_duplicates"]
    page = at_desk(visit, doubtful["id"])
    expect(page.get_by_role("region", name="Doubts")).to_contain_text("already recorded")
    page.keyboard.press("v")
    page.get_by_label("Basis").select_option("peacekeepers")
    page.get_by_label("Reason", exact=True).fill(REASON)
    expect(page.get_by_role("group", name="Doubts that are settled")).to_be_visible()
    page.get_by_label("may tell of an event already recorded").check()
    page.get_by_text("Grade and evidence (optional)").click()
    page.get_by_label("Reliability").select_option("B")
    page.get_by_label("Credibility").select_option("2")
    page.get_by_role("button", name="Add a document").click()
    page.get_by_label("Title", exact=True).fill("Bulletin of 22 August")
    document = {"name": "bulletin.txt", "mimeType": "text/plain", "buffer": b"Twelve."}
    page.get_by_label("Reckon it from a file").set_input_files(document)
    expected = hashlib.sha256(b"Twelve.").hexdigest()
    expect(page.get_by_label("SHA-256 of the copy")).to_have_value(expected)
    assert violations(page) == []
    page.get_by_role("button", name="Verify").click()
    notice(page, "Decided: verified.")
    now = site.get(f"/v1/reports/{doubtful['id']}")
    assert (now["status"], now["grade"], now["flags"]) == ("verified", "B2", [])
    [evidence] = now["reviews"][0]["evidence"]
    assert (evidence["title"], evidence["sha256"]) == ("Bulletin of 22 August", expected)


@pytest.mark.parametrize(
    ("key", "status"), [("u", "unverified"), ("n", "unverifiable"), ("r", "refuted")]
)
def test_each_decision_has_its_key(visit: Visit, site: Site, key: str, status: str) -> None:
    report = site.post("/v1/reports", told(when=f"2022-07-0{'unr'.index(key) + 1}"), Role.MONITOR)
    page = at_desk(visit, report["id"])
    page.keyboard.press(key)
    page.get_by_label("Reason", exact=True).focus()
    confirm(page)
    notice(page, f"Decided: {status}.")
    assert site.get(f"/v1/reports/{report['id']}")["status"] == status


def test_corroboration_without_evidence_is_refused_in_words(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = ("422",)
    report = site.post("/v1/reports", told(when="2022-06-04"), Role.MONITOR)["id"]
    page = at_desk(visit, report)
    page.keyboard.press("c")
    page.get_by_label("Reason", exact=True).focus()
    confirm(page)
    expect(page.get_by_role("alert")).to_have_text(
        "It needs independent evidence, or a second claimant of another side."
    )
    expect(page.get_by_label("Reason", exact=True)).to_have_value(REASON)
    assert site.get(f"/v1/reports/{report}")["status"] == "unverified"


@pytest.mark.parametrize("link", ["https://example.org/long", None])
def test_a_source_breaks_no_page_and_turns_nothing_around(
    visit: Visit, site: Site, link: str | None
) -> None:
    source = {"title": "\u202e" + "title" * 38, "publisher": "\u202epublisher", "url": link}
    sources = [{name: text for name, text in source.items() if text}]
    sent = told(when="2022-06-19", claimant="a stranger", sources=sources)
    page = at_desk(visit, site.post("/v1/reports", sent, Role.MONITOR)["id"], viewport=PHONE)
    there = page.get_by_role("region", name="Sources")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    for text in (there.get_by_text("title" * 38), there.get_by_text("publisher")):
        expect(text).to_have_css("unicode-bidi", "plaintext")


def test_nobody_reviews_their_own(visit: Visit, site: Site, complaints: Complaints) -> None:
    complaints.expected = ("403",)
    grave = site.post("/v1/reports", told(when="2022-06-11"), Role.REVIEWER)["id"]
    page = at_desk(visit, grave)
    expect(page.get_by_text("You sent or changed this report")).to_be_visible()
    expect(page.get_by_role("button", name="Refute")).to_be_disabled()
    # Further back than what the queue tells whose it is.
    light = site.post("/v1/reports", told(when="2022-06-12", casualties=[]), Role.REVIEWER)["id"]
    page = at_desk(visit, light)
    page.keyboard.press("r")
    page.get_by_label("Reason", exact=True).focus()
    confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("You sent or changed this report")
    assert site.get(f"/v1/reports/{light}", Role.REVIEWER)["reviews"] == []


def test_who_comes_second_is_told_and_loses_nothing_typed(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = ("412",)
    report = site.post("/v1/reports", told(when="2022-06-20"), Role.MONITOR)["id"]
    page = at_desk(visit, report)
    page.keyboard.press("r")
    page.get_by_label("Reason", exact=True).fill("A film of another year.")
    send(
        *(site, "POST", f"/v1/reports/{report}/reviews", Role.ADMIN),
        json={"status": "unverifiable", "reason": "No source can be reached."},
        headers={"If-Match": '"1"'},
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed it meanwhile.")
    expect(page.get_by_label("Reason", exact=True)).to_have_value("A film of another year.")
    expect(page.get_by_text("No source can be reached.").first).to_be_visible()
    page.get_by_label("Reason", exact=True).focus()
    page.keyboard.press("Enter")
    notice(page, "Decided: refuted.")
    now = site.get(f"/v1/reports/{report}", Role.REVIEWER)
    assert [review["status"] for review in now["reviews"]] == ["unverifiable", "refuted"]


def test_a_grade_leaves_the_status(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(when="2022-06-28"), Role.MONITOR)["id"]
    page = at_desk(visit, report)
    page.keyboard.press("g")
    page.get_by_label("Reliability").select_option("C")
    page.get_by_label("Credibility").select_option("3")
    page.get_by_label("Reason", exact=True).focus()
    confirm(page)
    notice(page, "Graded. The status stayed: unverified.")
    now = site.get(f"/v1/reports/{report}")
    assert (now["grade"], now["status"], now["reviews"][0]["status"]) == ("C3", "unverified", None)


def test_a_report_that_is_not_there_is_said_to_be_so(visit: Visit, complaints: Complaints) -> None:
    complaints.expected = ("404",)
    page = visit("/review?report=00000000-0000-4000-8000-000000000001", key=Role.REVIEWER)
    expect(page.get_by_role("alert")).to_contain_text("It is not there")


def test_the_focus_is_not_lost_where_a_key_is_given_or_forgotten(visit: Visit, site: Site) -> None:
    page = visit("/review")
    page.get_by_label("Key").fill(site.keys[Role.REVIEWER])
    page.keyboard.press("Enter")
    page.locator(".tables").wait_for()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_focused()
    page.get_by_role("button", name="Forget").press("Enter")
    expect(page.get_by_label("Key")).to_be_visible()
    expect(heading).to_be_focused()


def test_what_was_typed_is_there_when_the_form_is_opened_again(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(when="2022-06-25"), Role.MONITOR)["id"]
    page = at_desk(visit, report)
    page.keyboard.press("u")
    page.get_by_label("Reason", exact=True).fill("Half a")
    page.keyboard.press("Escape")
    expect(page.locator("#account")).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_label("Reason", exact=True)).to_have_value("Half a")
    page.get_by_label("Language").select_option("ru")
    page.get_by_role("button", name="Оставить непроверенным").click()
    expect(page.get_by_label("Причина", exact=True)).to_have_value("Half a")


# Grouping


def members(site: Site, incident: str) -> set[str]:
    return {each["id"] for each in site.get(f"/v1/incidents/{incident}", Role.REVIEWER)["claims"]}


def test_a_report_is_merged_with_a_candidate_and_taken_back(visit: Visit, site: Site) -> None:
    first, second = pair(site, "2022-05-03")
    page = at_desk(visit, second["id"])
    candidates = page.get_by_role("radiogroup", name="Incidents that it may belong to")
    expect(candidates).to_contain_text("both 3 May 2022")
    page.get_by_text("told by 1 report").wait_for()
    beside = page.get_by_role("region", name="This report beside the chosen incident")
    expect(beside.locator("td.apart")).to_have_count(2)
    merge = page.get_by_role("button", name="Merge with it")
    merge.click()
    page.keyboard.press("Escape")
    expect(merge).to_be_focused()
    candidates.get_by_role("radio").first.focus()
    page.keyboard.press("m")
    confirm(page, "The same night on the same road.")
    notice(page, "Merged.")
    assert members(site, first["incident"]) == {first["id"], second["id"]}
    others = page.get_by_role("region", name="What others say of the same event")
    expect(others.locator(f"a[href='?report={first['id']}']")).to_be_visible()
    page.keyboard.press("z")
    page.keyboard.press("Enter")
    notice(page, "Taken back.")
    assert members(site, first["incident"]) == {first["id"]}
    assert members(site, second["incident"]) == {second["id"]}


def test_a_report_is_moved_split_off_and_made_a_part(visit: Visit, site: Site) -> None:
    first, second = pair(site, "2022-05-10")
    page = at_desk(visit, second["id"])
    page.get_by_role("button", name="Move this report to it").click()
    confirm(page)
    notice(page, "Moved.")
    assert members(site, first["incident"]) == {first["id"], second["id"]}
    page.get_by_role("button", name="Split this report off").click()
    confirm(page)
    notice(page, "Split off.")
    apart = site.get(f"/v1/reports/{second['id']}", Role.REVIEWER)["incident"]
    assert apart != first["incident"]
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Make it part of it").click()
    confirm(page)
    notice(page, "It is part of the chosen incident now.")
    assert site.get(f"/v1/incidents/{apart}", Role.REVIEWER)["part_of"] == first["incident"]
    page.get_by_role("button", name="Undo this step").first.click()
    page.keyboard.press("Enter")
    notice(page, "Taken back.")
    assert site.get(f"/v1/incidents/{apart}", Role.REVIEWER)["part_of"] is None


# Keys


def test_keys_are_those_of_the_keyboard_whatever_script_it_writes(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(when="2022-04-02"), Role.MONITOR)["id"]
    page = at_desk(visit, report, language="ru")
    page.evaluate(
        "dispatch => document.body.dispatchEvent(new KeyboardEvent('keydown', dispatch))",
        {"key": "м", "code": "KeyV", "bubbles": True},
    )
    expect(page.get_by_label("Основание")).to_be_focused()


def test_single_keys_can_be_switched_off(visit: Visit, site: Site) -> None:
    report = site.post("/v1/reports", told(when="2022-04-03"), Role.MONITOR)["id"]
    page = at_desk(visit, report)
    page.keyboard.press("?")
    assert violations(page) == []
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    expect(page.get_by_label("Reason", exact=True)).to_have_count(0)
    page.reload()
    page.locator("#revisions").wait_for()
    page.keyboard.press("v")
    expect(page.get_by_label("Reason", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_label("Reason", exact=True)).to_be_visible()
