"""Reports are written without a network, and arrive once."""

import hashlib
import os
import shutil
import signal
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from service.domain.access import Role
from tests.browser.conftest import NAMES, PHONE, QUIETLY, Complaints, Site, Visit, picture
from tests.browser.report_form import (
    NETWORK,
    NO_WORKER,
    added,
    at,
    choose,
    finish,
    give_key,
    ids,
    in_words,
    kept,
    more,
    on,
    problem,
    short,
    traces,
    wait_ready,
)
from tests.pictures import jpeg

REPORTS = "**/v1/reports"
PHOTO = jpeg()
SECRET = "Positions near the old mill were shelled."


def write_three(page: Page) -> None:
    """An exact day and place, an approximate day, and a place that nobody knows with casualties."""
    on(page, "2022-08-03")
    at(page, "Лачин")
    choose(page, "who", "self")
    finish(page)
    page.get_by_role("button", name="Write another report").click()

    choose(page, "when", "about")
    page.locator("#day").fill("2022-09-13")
    at(page, "Շուշի")
    choose(page, "who", "self")
    finish(page)
    page.get_by_role("button", name="Write another report").click()

    choose(page, "when", "month")
    page.locator("#month").select_option("08")
    page.locator("#year").fill("2022")
    in_words(page, "the ford below the old mill")
    choose(page, "who", "self")
    more(page)
    page.locator("#summary").fill(SECRET)
    page.get_by_role("button", name="Add a figure").click()
    page.locator("#group-0").select_option("civilian")
    page.locator("#outcome-0").select_option("wounded")
    page.locator("#how-0").select_option("least")
    page.locator("#low-0").fill("3")
    photo = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}
    page.locator("input[type=file]").set_input_files(photo)  # type: ignore[arg-type]
    expect(page.locator(".photo code")).to_have_text(hashlib.sha256(PHOTO).hexdigest())
    finish(page)


def profile(chromium: Browser, site: Site, folder: Path) -> BrowserContext:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return chromium.browser_type.launch_persistent_context(
        folder,
        executable_path=next(filter(None, map(shutil.which, NAMES)), None),
        args=[*QUIETLY, *as_root],
        base_url=site.base_url,
        locale="en",
        viewport=PHONE,  # type: ignore[arg-type]
    )


def kill(folder: Path) -> None:
    """End the browser of this profile as a phone without power does."""
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"--user-data-dir={folder}".encode() in words and b"--type=" not in b"".join(words):
            os.kill(int(process.name), signal.SIGKILL)


@pytest.mark.parametrize("device", ["page", "browser"])
def test_three_reports_survive_being_killed_without_a_network_and_arrive_once(
    chromium: Browser, site: Site, complaints: Complaints, tmp_path: Path, device: str
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    context = profile(chromium, site, tmp_path)
    page = context.new_page()
    complaints.watch(page)
    page.goto("/report")
    page.locator("form.report").wait_for()
    wait_ready(page)

    context.set_offline(True)
    reach = "fetch('/health/live').then(() => true, () => false)"
    assert context.service_workers[0].evaluate(reach) is False
    page.reload()
    expect(page.get_by_text("No network")).to_be_visible()
    page.locator("select[name=language]").select_option("hy")
    expect(page.get_by_text("Ե՞րբ")).to_be_visible()
    page.locator("select[name=language]").select_option("en")
    write_three(page)
    page.get_by_role("button", name="Write another report").click()
    in_words(page, "a draft")
    expect(page.get_by_text("Saved on this device")).to_be_visible()
    assert len(kept(page)["reports"]) == 4

    if device == "browser":
        with context.expect_event("close"):
            kill(tmp_path)
        context = profile(chromium, site, tmp_path)
        context.set_offline(True)
    else:
        page.close()
    page = context.new_page()
    complaints.watch(page)
    page.goto("/report")
    # What was being written is there again, and what waits.
    expect(page.locator("#place")).to_have_value("a draft")
    page.get_by_role("button", name="On this device").click()
    expect(page.get_by_role("button", name="Change it")).to_have_count(3)
    picture(page, "report-queue-offline")

    with added(site) as there:
        before = ids(site, Role.MONITOR)
        context.set_offline(False)
        give_key(page, site.keys[Role.MONITOR])
        expect(page.locator(".receipt")).to_have_count(3)
        picture(page, "report-receipts")
        arrived = there()
        assert sorted(each["when"] for each in arrived) == [
            "2022-08",
            "2022-08-03",
            "2022-09-13~",
        ]
        assert len(ids(site, Role.MONITOR) - before) == 3
        [unlocated] = [each for each in arrived if each["when"] == "2022-08"]
        assert unlocated["where"]["place"] == "the ford below the old mill"
        assert unlocated["casualties"][0]["wounded"]["low"] == 3
        digest = hashlib.sha256(PHOTO).hexdigest()
        expect(page.get_by_text(f"{digest[:12]}…")).to_be_visible()
        [photo] = site.get(f"/v1/reports/{unlocated['id']}/photos", Role.REVIEWER)["items"]
        assert photo["original"]["sha256"] == digest
        assert kept(page)["photos"] == []

        # What was received is no longer on the device; opened again, it sends nothing more.
        assert [report["state"] for report in kept(page)["reports"]] == ["draft"]
        assert SECRET not in str(kept(page))
        page.reload()
        page.get_by_role("button", name="On this device").click()
        expect(page.locator(".receipt")).to_have_count(0)
        assert kept(page)["receipts"] == []
        assert len(there()) == 3
    context.close()


def test_an_answer_lost_on_its_way_makes_no_second_report(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR, service_workers="block")
    lost = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    def until_lost(times: int) -> None:
        # That it was tried is noted before there is an answer.
        while len(lost) < times:
            page.wait_for_timeout(50)

    page.context.route(REPORTS, lose)
    with added(site) as there:
        short(page)
        finish(page)
        expect(page.get_by_text("Tried 1 time")).to_be_visible()
        until_lost(1)
        assert lost == [201]
        assert page.get_by_role("button", name="Change it").count() == 0
        # It is there, but nobody knows: no receipt.
        assert page.locator(".receipt").count() == 0
        page.reload()
        page.get_by_role("button", name="On this device").click()
        page.get_by_role("button", name="Try now").click()
        expect(page.get_by_text("Tried 2 times")).to_be_visible()
        until_lost(2)
        assert lost == [201, 201]
        page.context.unroute(REPORTS)
        page.get_by_role("button", name="Try now").click()
        expect(page.locator(".receipt")).to_have_count(1)
        [report] = there()
        receipt = page.locator(".receipt")
        expect(receipt).to_contain_text(report["id"])
        # Of a monitor's report only the day is kept: a time of day would be none.
        day = date.fromisoformat(report["received"])
        expect(receipt).to_contain_text(f"{day.day} {day:%B %Y}")
        expect(receipt).not_to_contain_text(":")


# What a hotel, a proxy or a stranger's server may answer; none of it tells that a report is kept.
STRANGERS: list[dict[str, Any]] = [
    {"status": 200, "content_type": "text/html", "body": "<h1>Welcome to the hotel</h1>"},
    {"status": 201, "content_type": "application/json", "body": "{}"},
    {"status": 201, "content_type": "application/json", "body": '{"id": "another"}'},
    {"status": 200, "content_type": "application/json", "body": "null"},
    {"status": 403, "content_type": "text/html", "body": "Blocked"},
    {"status": 404, "content_type": "text/html", "body": "Not here"},
    {"status": 409, "content_type": "application/json", "body": '{"error": "no"}'},
    {"status": 502, "content_type": "text/html", "body": "Bad gateway"},
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda each: f"{each['status']}-{each['body']}")
def test_only_the_service_itself_gives_a_receipt_or_refuses(
    visit: Visit, site: Site, complaints: Complaints, stranger: dict[str, Any]
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR, service_workers="block")
    page.context.route(REPORTS, lambda route: route.fulfill(**stranger))
    with added(site) as there:
        short(page)
        finish(page)
        expect(page.get_by_text("Tried 1 time")).to_be_visible()
        assert page.locator(".receipt, .refusal, .give-key").count() == 0
        page.context.unroute(REPORTS)
        page.get_by_role("button", name="Try now").click()
        expect(page.locator(".receipt")).to_have_count(1)
        assert len(there()) == 1


def test_a_service_that_asks_for_patience_is_left_alone(
    visit: Visit, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.MONITOR, service_workers="block")
    asked = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        problem(route, 429, "too-many-requests", **{"Retry-After": "600"})

    page.context.route(REPORTS, busy)
    short(page)
    finish(page)
    expect(page.get_by_text("Tries again by itself at")).to_be_visible()
    page.get_by_role("button", name="Try now").click()
    page.reload()
    page.get_by_role("button", name="On this device").click()
    expect(page.get_by_text("Tries again by itself at")).to_be_visible()
    assert len(asked) == 1


def test_a_key_that_was_revoked_is_asked_for_again_and_nothing_is_lost(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, key=Role.PARTNER, service_workers="block")
    with added(site) as there:
        short(page)
        finish(page)
        # This key may read, but not send.
        expect(page.locator("#key")).to_be_visible()
        give_key(page, "ceasefire_wrong")
        expect(page.get_by_role("alert")).to_have_text("This key is not valid.")
        give_key(page, site.keys[Role.PARTNER])
        expect(page.get_by_role("alert")).to_have_text(
            "This key is valid, but may not send reports."
        )
        give_key(page, site.keys[Role.MONITOR])
        expect(page.locator(".receipt")).to_have_count(1)
        assert len(there()) == 1


@pytest.mark.parametrize("keep", [False, True])
def test_a_key_stays_on_the_device_only_if_the_monitor_says_so(
    visit: Visit, site: Site, *, keep: bool
) -> None:
    page = visit("/report", viewport=PHONE)
    short(page)
    finish(page)
    give_key(page, site.keys[Role.MONITOR], keep=keep)
    expect(page.locator(".receipt")).to_have_count(1)
    assert (site.keys[Role.MONITOR] in str(kept(page))) is keep
    assert page.evaluate("[...Object.values(localStorage), ...Object.values(sessionStorage)]") == []
    page.reload()
    page.locator("form.report").wait_for()
    assert page.get_by_text("A key is in use.").count() == keep


def test_two_tabs_send_once(visit: Visit, site: Site, complaints: Complaints) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE)
    wait_ready(page)
    page.context.set_offline(True)
    short(page)
    finish(page)
    give_key(page, site.keys[Role.MONITOR], keep=True)
    other = page.context.new_page()
    complaints.watch(other)
    sent: list[str] = []
    for tab in (page, other):
        tab.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    other.goto("/report")
    other.get_by_role("button", name="On this device").click()
    expect(other.get_by_role("button", name="Change it")).to_have_count(1)
    with added(site) as there:
        page.context.set_offline(False)
        expect(page.locator(".receipt")).to_have_count(1)
        expect(other.locator(".receipt")).to_have_count(1)
        assert len(there()) == 1
        assert len(sent) == 1


def test_erasing_leaves_nothing_in_any_tab(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE, language="hy")
    wait_ready(page)
    page.locator("select[name=language]").select_option("en")
    page.context.set_offline(True)
    write_three(page)
    give_key(page, site.keys[Role.MONITOR], keep=True)
    other = page.context.new_page()
    complaints.watch(other)
    other.goto("/report")
    other.locator("form.report").wait_for()
    left = traces(page)
    assert all(left[each] for each in ("databases", "caches", "local", "workers"))
    # Two taps.
    page.get_by_role("button", name="Erase all").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    picture(page, "report-erase", whole=False)
    page.get_by_role("button", name="Erase everything now").click()
    page.wait_for_url("about:blank")
    other.wait_for_url("about:blank")
    page.context.set_offline(False)
    # Another address of the same origin, which writes nothing by itself.
    page.goto("/v1/theatre")
    assert traces(page) == {
        **{each: [] for each in ("databases", "caches", "local", "session")},
        "workers": 0,
        "cookies": "",
    }


def test_a_tap_too_many_erases_nothing(visit: Visit) -> None:
    page = visit("/report", viewport=PHONE)
    short(page)
    page.get_by_role("button", name="Erase all").click()
    page.get_by_role("button", name="Cancel").click()
    page.reload()
    expect(page.locator("#day")).to_have_value("2022-08-03")


def test_the_worker_keeps_the_form_and_public_words_and_nothing_else(
    visit: Visit, site: Site
) -> None:
    page = visit("/", viewport=PHONE, key=Role.MONITOR)
    page.evaluate("caches.open('/page/000000000000')")
    # Looking needs no worker.
    assert traces(page)["workers"] == 0
    page.goto("/report")
    wait_ready(page)
    page.reload()
    short(page)
    finish(page)
    expect(page.locator(".receipt")).to_have_count(1)
    page.evaluate(
        """key => Promise.all([
          fetch('/v1/reports'), fetch('/v1/incidents'), fetch('/v1/places?q=Lachin'),
          fetch('/v1/theatre', {headers: {Authorization: `Bearer ${key}`}}),
          fetch('/v1/keys/self', {headers: {Authorization: `Bearer ${key}`}}),
        ])""",
        site.keys[Role.MONITOR],
    )
    [cache] = traces(page)["caches"]
    assert cache != "/page/000000000000"
    addresses = page.evaluate(
        """async name => (await (await caches.open(name)).keys()).map(({url, headers}) =>
          [url.replace(location.origin, ''), headers.has('Authorization')])""",
        cache,
    )
    lists = {f"/v1/{each}" for each in ("theatre", "places", "sectors", "weapons", "parties")}
    lists |= {"/v1/claimants", "/report", "/manifest.webmanifest"}
    assert {address for address, _ in addresses if not address.startswith(cache)} == lists
    assert not any(with_key for _, with_key in addresses)
    assert not any("/dashboard" in address or "/review" in address for address, _ in addresses)


def test_a_device_that_keeps_nothing_says_so(visit: Visit, complaints: Complaints) -> None:
    page = visit("/report", viewport=PHONE)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => {
          throw new DOMException("full", "QuotaExceededError");
        }; }"""
    )
    short(page)
    expect(page.get_by_text("This device does not keep it")).to_be_visible()
    page.locator("form.report button[type=submit]").click()
    # Nothing that was typed is gone.
    expect(page.locator("#day")).to_have_value("2022-08-03")
    assert complaints.found == []


def test_two_tabs_of_one_draft_write_the_same(visit: Visit, complaints: Complaints) -> None:
    page = visit("/report", viewport=PHONE)
    on(page, "2022-08-03")
    expect(page.get_by_text("Saved on this device")).to_be_visible()
    other = page.context.new_page()
    complaints.watch(other)
    other.goto("/report")
    expect(other.locator("#day")).to_have_value("2022-08-03")
    in_words(page, "by the mill")
    expect(other.locator("#place")).to_have_value("by the mill")
    assert len(kept(page)["reports"]) == 1
    other.get_by_role("button", name="Delete").click()
    other.get_by_role("button", name="Really delete?").click()
    expect(page.locator("#day")).to_have_value("")
    assert kept(page)["reports"] == []


def test_the_form_opens_before_a_page_of_somebody_else(
    visit: Visit, complaints: Complaints
) -> None:
    """A network that answers everything with a page of its own is no network."""
    complaints.expected = (NETWORK, NO_WORKER)
    page = visit("/report", viewport=PHONE)
    wait_ready(page)
    hotel = {"status": 200, "content_type": "text/html", "body": "<h1>Welcome to the hotel</h1>"}
    page.context.route("**/*", lambda route: route.fulfill(**hotel))
    page.reload()
    expect(page.get_by_role("heading", name="Report", exact=True)).to_be_visible()
    at(page, "Lachin")
