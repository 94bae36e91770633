"""Long exports: sent while they are read, never ended cleanly where they are not whole."""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.api.exports import Growing
from service.errors import Invalid, Unavailable
from service.work import exports, spool
from service.work.exports import produced
from service.work.spool import Gone, Spool
from tests.harness import Databases, Service
from tests.processes import server


def test_what_is_written_is_read_in_its_order_also_beyond_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    pieces = [bytes([i % 251]) * (i % 700) for i in range(400)]

    def write(into: Spool) -> None:
        for piece in pieces:
            into.write(piece)

    there = produced(write)
    read = b"".join(iter(lambda: there.read(333), b""))
    there.leave()
    assert read == b"".join(pieces)


def test_a_refusal_before_the_first_byte_is_raised_to_who_asks() -> None:
    def write(_: Spool) -> None:
        raise Invalid("has no room", "format")

    for _ in range(20):
        with pytest.raises(Invalid, match="no room"):
            produced(write)


def test_a_fault_after_the_first_byte_is_raised_to_the_reader() -> None:
    reading = threading.Event()

    def write(into: Spool) -> None:
        into.write(b"some")
        reading.wait(30)
        raise OSError("gone")

    there = produced(write)
    assert there.read(100) == b"some"
    reading.set()
    with pytest.raises(OSError, match="gone"):
        there.read(100)
    there.leave()


def endless(stopped: threading.Event) -> Callable[[Spool], None]:
    def write(into: Spool) -> None:
        try:
            while True:
                into.write(b"x" * 10_000)
        except Gone:
            stopped.set()
            raise

    return write


def test_whoever_writes_stops_when_nobody_reads_on() -> None:
    for _ in range(20):
        stopped = threading.Event()
        there = produced(endless(stopped))
        there.read(100)
        there.leave()
        assert stopped.wait(30)
        with pytest.raises(Gone):
            there.read(1)


def test_only_so_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_MADE_AT_ONCE", threading.BoundedSemaphore(2))
    stopped = [threading.Event() for _ in range(3)]
    made = [produced(endless(each)) for each in stopped[:2]]
    with pytest.raises(Unavailable):
        produced(endless(stopped[2]))
    for each in made:
        each.leave()
    assert all(each.wait(30) for each in stopped[:2])


def test_an_answer_that_is_thrown_away_unsent_leaves_nothing_behind(service: Service) -> None:
    stopped = threading.Event()
    answer = Growing(produced(endless(stopped)), "text/plain", {})
    assert answer.status_code == 200
    del answer
    gc.collect()
    assert stopped.wait(30)


def send_to(
    answer: Growing, send: Callable[[dict[str, Any]], Any], spec_version: str = "2.4"
) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {}

    scope = {"type": "http", "method": "GET", "asgi": {"spec_version": spec_version}}
    asyncio.run(answer(scope, receive, send))


def test_a_reader_who_is_gone_stops_who_writes() -> None:
    async def gone(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise OSError("broken pipe")

    stopped = threading.Event()
    send_to(Growing(produced(endless(stopped)), "text/plain", {}), gone)
    assert stopped.wait(30)


def test_a_reader_who_takes_nothing_is_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(3600)

    monkeypatch.setattr("service.api.exports._PATIENCE_SECONDS", 0.01)
    stopped = threading.Event()
    send_to(Growing(produced(endless(stopped)), "text/plain", {}), full)
    assert stopped.wait(30)


def test_a_busy_service_says_when_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = threading.BoundedSemaphore(1)
    nobody.acquire()
    monkeypatch.setattr(exports, "_MADE_AT_ONCE", nobody)
    answer = service.client.get("/v1/reports?format=csv")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert service.client.get("/v1/reports?format=csv&limit=5").status_code == 200
    assert service.client.get("/v1/aggregates?format=csv").status_code == 200


def filled(service: Service, count: int) -> None:
    lines = "".join(
        f'{{"when": "2022-09-01", "where": {{"place": "Lachin"}}, "claimant": "x", '
        f'"summary": "{number} {"y" * 900}"}}\n'
        for number in range(count)
    )
    answer = service.client.post(
        "/v1/reports/bulk",
        content=lines,
        headers={**service.headers(), "Content-Type": "application/x-ndjson"},
    )
    assert f'"created":{count}' in answer.text


def test_an_export_is_one_snapshot_whatever_is_written_meanwhile(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(service, 30)
    monkeypatch.setattr("service.store.exports.PART", 10)
    views = exports.views_of_records
    posted = []

    def while_others_write(*given: Any) -> Any:
        report = {"when": "2022-09-02", "claimant": "x", "where": {"place": "Lachin"}}
        posted.append(service.post(report)["id"])
        return views(*given)

    monkeypatch.setattr(exports, "views_of_records", while_others_write)
    answer = service.client.get("/v1/reports?format=ndjson&order=oldest")
    assert answer.headers["X-Total-Count"] == "30"
    assert len(answer.content.splitlines()) == 30
    assert len(posted) >= 3
    assert not any(each.encode() in answer.content for each in posted)


def test_an_export_that_fails_on_its_way_is_cut(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    """Its end must not look like one."""
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    with (
        databases.fresh(backend, "seeds") as url,
        server(url, launch=(*PYTHON, str(broken)), folder=tmp_path) as running,
        running.client() as client,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            read(client, "/v1/reports?format=ndjson")
        for path in ("/v1/incidents?format=csv", "/v1/reports?limit=3"):
            assert client.get(path).status_code == 200


def read(client: httpx2.Client, path: str) -> bytes:
    with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert answer.headers["X-Total-Count"] == "97"
        return b"".join(answer.iter_bytes())


PYTHON = (sys.executable,)
BROKEN = """
import sys

from service.store import exports as store
from service.work import exports

store.PART = 10
views = exports.views_of_records
asked = []


def failing(*given):
    asked.append(given)
    if len(asked) == 4:
        raise RuntimeError("broken on purpose")
    return views(*given)


exports.views_of_records = failing
sys.argv = ["ceasefire", "serve"]
from service.__main__ import main

main()
"""


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    gc.collect()
    for thread in threading.enumerate():
        if thread.name == "export":
            thread.join(30)
            assert not thread.is_alive()
