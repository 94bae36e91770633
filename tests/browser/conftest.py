"""A real browser before a real server: what a person would see and do.

A module has one server over the documented incidents and one Chromium, each test a fresh profile.
Whatever a page says on the console that it should not, asks from elsewhere, or is forbidden by its
own policy fails the test.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from service.domain.access import Role
from service.identity import new_id
from service.store.database import Database
from service.store.journal import Author
from service.work import keys
from tests import processes
from tests.harness import NOW, Databases

ROOT = Path(__file__).parent.parent.parent
AXE = Path(__file__).with_name("axe.min.js")
SCREENSHOTS = ROOT / "var" / "screenshots"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Debian's, a distribution's, and the one that `playwright install chromium` brings.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIETLY = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
DESK = {"width": 1366, "height": 900}
WALL = {"width": 2560, "height": 1440}


@dataclass
class Site:
    """A served tracker, spoken to beside the browser as any client would."""

    base_url: str
    keys: dict[Role, str]

    @property
    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.base_url, timeout=30)

    def get(self, path: str, role: Role = Role.ANONYMOUS, **parameters: Any) -> Any:
        """Read something that must be there."""
        with self.client as client:
            answer = client.get(path, params=parameters, headers=self.headers(role))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, content: Any, role: Role) -> Any:
        """Send something that must be taken."""
        with self.client as client:
            answer = client.post(path, json=content, headers=self.headers(role))
        assert answer.is_success, answer.text
        return answer.json()

    def headers(self, role: Role) -> dict[str, str]:
        key = self.keys.get(role)
        return {"Authorization": f"Bearer {key}"} if key else {}


@dataclass
class Complaints:
    """What a page must never give reason for; a test may say what it expects of it."""

    base_url: str
    found: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("request", lambda request: self._look(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(part in text for part in self.expected):
            self.found.append(f"{kind}: {text}")

    def _look(self, url: str) -> None:
        if not url.startswith((self.base_url, "blob:", "data:")):
            self.found.append(f"asked elsewhere: {url}")


@pytest.fixture(scope="module")
def site(databases: Databases) -> Iterator[Site]:
    """The documented incidents, served from SQLite by a process of its own."""
    with databases.fresh("sqlite", "seeds") as url:
        made = _keys(url)
        with processes.server(url) as server:
            yield Site(server.base_url, made)


def _keys(url: str) -> dict[Role, str]:
    database = Database(url)
    author = Author("operator", NOW)
    made = {
        role: database.write(
            lambda session, role=role: keys.create(session, f"the {role}", role, author, new_id)
        )
        for role in (*Role,)[1:]
    }
    database.close()
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of this module only: its loop would be in the way of tests that run one of their own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=[*QUIETLY, *as_root], headless=True
        )
        yield browser
        browser.close()


@pytest.fixture
def complaints(site: Site) -> Iterator[Complaints]:
    heard = Complaints(site.base_url)
    yield heard
    assert heard.found == []


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, site: Site, complaints: Complaints) -> Iterator[Visit]:
    """Opens an address in a profile of its own: `visit("/", viewport=PHONE, language="hy")`.

    `key` is a role whose key the tab holds from the start. Other words go to the browser's context.
    """
    contexts: list[BrowserContext] = []

    def open_(address: str, *, language: str = "en", key: Role | None = None, **more: Any) -> Page:
        context = chromium.new_context(
            base_url=site.base_url, locale=language, **{"viewport": DESK, **more}
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        complaints.watch(page)
        if key is not None:
            page.add_init_script(f"sessionStorage.setItem('key', '{site.keys[key]}')")
        page.goto(address)
        page.wait_for_selector("main h1")
        return page

    yield open_
    for context in contexts:
        context.close()


def picture(page: Page, name: str, *, whole: bool = True) -> Path:
    """Keep what is seen as `var/screenshots/<name>.png`, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    return path


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice, a line for each node."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
