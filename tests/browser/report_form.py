"""The report form as a monitor uses it, for the tests of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, Route

from service.domain.access import Role
from tests.browser.conftest import Site

# What a browser says of itself when there is no network, or when an answer is no 2xx.
NETWORK = "Failed to load resource"
# Workers are kept out where a test stands between the page and the service.
NO_WORKER = "Service Worker registration blocked"


def choose(page: Page, question: str, answer: str) -> None:
    """One of the chips: `choose(page, "when", "today")`."""
    page.locator(f"input[name=how-{question}][value={answer}]").check()


def on(page: Page, day: str) -> None:
    choose(page, "when", "day")
    page.locator("#day").fill(day)


def at(page: Page, spelling: str) -> None:
    """At the first place that a spelling finds."""
    choose(page, "where", "place")
    page.locator("#place").fill(spelling)
    page.locator(".found [role=option]:not(.own)").first.click()


def in_words(page: Page, words: str) -> None:
    """At a place that nobody knows."""
    choose(page, "where", "place")
    page.locator("#place").fill(words)
    page.locator("#place").press("Escape")


def more(page: Page) -> None:
    if page.locator("button.more").get_attribute("aria-expanded") == "false":
        page.locator("button.more").click()


def short(page: Page, day: str = "2022-08-03", spelling: str = "Lachin") -> None:
    """The three answers that are enough."""
    on(page, day)
    at(page, spelling)
    choose(page, "who", "self")


def finish(page: Page) -> None:
    """Press what sends it, or puts it into the queue."""
    page.locator("form.report button[type=submit]").click()
    page.locator("#device-title").wait_for()


def give_key(page: Page, key: str, *, keep: bool = False) -> None:
    page.locator("#key").fill(key)
    if keep:
        page.locator(".give-key input[type=checkbox]").check()
    page.locator(".give-key button[type=submit]").click()


def wait_ready(page: Page) -> None:
    """Until the worker keeps the page, so that it opens without a network."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def ids(site: Site, role: Role) -> set[str]:
    """The ids of all reports that a key is shown."""
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        part = site.get("/v1/reports", role, limit=200, **cursor)
        found |= {item["id"] for item in part["items"]}
        if part["next"] is None:
            return found
        cursor = {"cursor": part["next"]}


@contextmanager
def added(site: Site) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What there is more of than at the beginning, as a reviewer is shown it."""
    before = ids(site, Role.REVIEWER)
    yield lambda: [
        site.get(f"/v1/reports/{each}", Role.REVIEWER)
        for each in sorted(ids(site, Role.REVIEWER) - before)
    ]


def kept(page: Page) -> dict[str, list[Any]]:
    """Whatever lies in any database of the browser, by store."""
    return page.evaluate(
        """async () => {
          const got = (request) => new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
          const found = {};
          for (const { name, version } of await indexedDB.databases()) {
            const database = await got(indexedDB.open(name, version));
            for (const store of database.objectStoreNames)
              found[store] = await got(database.transaction(store).objectStore(store).getAll());
            database.close();
          }
          return found;
        }"""
    )


def traces(page: Page) -> dict[str, Any]:
    """Everything that this origin left in the browser, storage by storage."""
    return page.evaluate(
        """async () => ({
          databases: (await indexedDB.databases()).map((each) => each.name),
          caches: await caches.keys(),
          local: Object.keys(localStorage),
          session: Object.keys(sessionStorage),
          workers: (await navigator.serviceWorker.getRegistrations()).length,
          cookies: document.cookie,
        })"""
    )


def problem(route: Route, status: int, name: str, **headers: str) -> None:
    """An answer of the service's own that refuses."""
    document = {"type": f"urn:ceasefire:problem:{name}", "status": status, "detail": "No."}
    route.fulfill(
        status=status,
        content_type="application/problem+json",
        body=json.dumps({**document, "title": name, "errors": []}),
        headers=headers,
    )
