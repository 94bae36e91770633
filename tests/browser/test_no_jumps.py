"""What is seen first stays where it is, in whatever order the answers come."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from service.domain.access import Role
from tests.browser.conftest import DESK, PHONE, Complaints, Visit

# The most of which web.dev/articles/cls says that people are not disturbed by it.
MOST = 0.1
ROUNDS = 400
WATCH = """
window.jumps = [];
new PerformanceObserver((list) => window.jumps.push(...list.getEntries().map((entry) => ({
  value: entry.value,
  sources: entry.sources.map(({ node, previousRect: from, currentRect: to }) =>
    `${node?.className ?? node?.parentElement?.className}: ${[from.x, from.y]} > ${[to.x, to.y]}`),
})))).observe({ type: "layout-shift", buffered: true });
"""
# Nothing is drawn while styles are on their way.
DRAWN = """() => Promise.race([
  new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))),
  new Promise((then) => setTimeout(then, 100)),
])"""
# What is there once all has arrived.
WHOLE = {
    "/": (".sentence", ".sums td", "#incidents .rows", ".map .sector", ".timeline .bucket"),
    "/report": ("form.report", ".about-device"),
    "/review": (".queue .entry", ".account .facts", ".evidence h2"),
}
# What is answered one at a time. Nothing of the board is drawn before all lists have come, so that
# their order is of no matter to it.
HELD = {
    "/": re.compile(r"/v1/(aggregates|incidents|outlines|places|sectors\?|theatre)|/below\.js"),
    "/report": re.compile(r"/(v1|words|styles)/"),
    "/review": re.compile(r"/(v1|words|styles)/"),
}
# Parts of the addresses of what each page asks for, of which one kind after the other is last.
KINDS = {
    "/": (
        *("by=status&period=total", "status=verified", "contested=true", "level=1"),
        *("/v1/incidents?", "/v1/sectors?", "/v1/outlines", "/below.js"),
    ),
    "/report": ("/styles/", "/words/", "/v1/theatre", "/v1/places"),
    "/review": ("/styles/", "/words/", "/v1/sectors", "/v1/incidents/", "/candidates"),
}

Choice = Callable[[list[str]], int]


def last(part: str) -> Choice:
    """As asked, but what has this in its address only when nothing else waits."""
    return lambda asked: next((i for i, each in enumerate(asked) if part not in each), 0)


def orders(address: str) -> Iterator[tuple[str, Choice]]:
    yield "as asked", lambda _: 0
    yield "the latest first", lambda asked: len(asked) - 1
    for part in KINDS[address]:
        yield f"{part} last", last(part)


class Line:
    """Answers one question at a time, and the next only after what came has been drawn."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.waiting: list[Route] = []
        self.answers: dict[str, APIResponse] = {}
        page.add_init_script(WATCH)
        page.route(HELD[address], self._hold)

    def _hold(self, route: Route) -> None:
        self.waiting.append(route)

    def open(self, choose: Choice) -> tuple[list[str], list[dict[str, object]]]:
        """Open a page: what came in which order, and what moved."""
        came: list[str] = []
        self.page.goto(self.address, wait_until="commit")
        for _ in range(ROUNDS):
            self.page.evaluate(DRAWN)
            if self.waiting:
                asked = [route.request.url for route in self.waiting]
                came.append(self._answer(self.waiting.pop(choose(asked))))
            elif self._is_whole():
                return came, self.page.evaluate("jumps")
        raise AssertionError("It never ends.")

    def _answer(self, route: Route) -> str:
        url = route.request.url
        if url not in self.answers:
            self.answers[url] = route.fetch()
        route.fulfill(response=self.answers[url])
        return url

    def _is_whole(self) -> bool:
        there = all(self.page.locator(each).count() for each in WHOLE[self.address])
        return there and self.page.locator("main [aria-busy=true]").count() == 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("address", WHOLE)
def test_what_is_seen_first_does_not_jump(
    visit: Visit, complaints: Complaints, address: str, size: dict[str, int]
) -> None:
    # What a worker answers could not be held back.
    complaints.expected = ("Service Worker",)
    key = Role.REVIEWER if address == "/review" else None
    page = visit(address, viewport=size, key=key, service_workers="block")
    expect(page.locator(WHOLE[address][0]).first).to_be_visible()
    line = Line(page, address)
    for name, choose in orders(address):
        came, jumps = line.open(choose)
        part = name.removesuffix(" last")
        assert part == name or any(part in each for each in came), (name, came)
        assert sum(jump["value"] for jump in jumps) < MOST, (name, jumps)
