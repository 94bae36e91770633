"""Bodies that are too large, cut off or too slow, sent to a server over a socket."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.harness import BACKENDS, Databases, Service
from tests.processes import Server, server

SMALL = b'{"when":"2022-08-03","where":{"place":"Lachin"},"claimant":"icrc"}'
PATIENCE = 2.0
MEBIBYTE = 1024 * 1024


class Wire:
    """A served database: spoken to byte by byte, looked at from beside."""

    def __init__(self, served: Server, service: Service) -> None:
        self.served = served
        self.service = service
        address = urlsplit(served.base_url)
        self.host, self.port = str(address.hostname), int(address.port or 0)

    def head(self, length: int | None, path: str = "/v1/reports", **headers: str) -> bytes:
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {self.host}",
            "Connection: close",
            framing,
            *(f"{name}: {value}" for name, value in self.service.headers(**headers).items()),
        ]
        return "\r\n".join((*lines, "", "")).encode()

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=30)

    def exchange(self, *sent: bytes, hang_up: bool = False) -> bytes:
        """Send all, hang up if told to, and read all that comes back."""
        with self.connect() as line:
            line.sendall(b"".join(sent))
            if hang_up:
                line.shutdown(socket.SHUT_WR)
            return received(line)

    def memory(self) -> int:
        """The most that the server's process ever held, in bytes."""
        status = Path(f"/proc/{self.served.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def reports(self) -> int:
        return int(self.service.state()["rows"]["reports"])


@pytest.fixture(scope="module", params=BACKENDS)
def wire(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Wire]:
    with databases.fresh(request.param, "reference") as url:
        beside = Service(url)
        limits = {
            "CEASEFIRE_BODY_TIMEOUT_SECONDS": str(PATIENCE),
            "CEASEFIRE_MAX_UPLOAD_BYTES": str(2 * MEBIBYTE),
        }
        with server(url, **limits) as served:
            yield Wire(served, beside)
        beside.close()


def received(line: socket.socket) -> bytes:
    answer = b""
    # A peer that stops listening in the middle of a body may reset instead of closing.
    with suppress(ConnectionError):
        while piece := line.recv(65_536):
            answer += piece
    return answer


def problem(answer: bytes, status: int) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b"content-type: application/problem+json" in head.lower()
    told: dict[str, Any] = json.loads(body)
    assert told["status"] == status
    return told


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(wire: Wire) -> None:
    told = problem(wire.exchange(wire.head(1024 * MEBIBYTE)), 413)
    assert told["title"] == "Too large"


BULK = {"path": "/v1/reports/bulk", "Content-Type": "application/x-ndjson"}


@pytest.mark.parametrize(
    ("declared", "headers"),
    [(True, {}), (False, {}), (False, BULK)],
    ids=["declared", "chunked", "upload"],
)
def test_an_endless_body_is_refused_while_it_is_still_coming(
    wire: Wire, declared: bool, headers: dict[str, str]
) -> None:
    before, held = wire.service.state(), wire.memory()
    chunk = b"x" * 65_536
    piece = chunk if declared else b"10000\r\n" + chunk + b"\r\n"
    start, sent, answer = time.monotonic(), 0, b""
    with wire.connect() as line:
        line.sendall(wire.head(1024 * MEBIBYTE if declared else None, **headers))
        line.settimeout(0.001)
        while not answer and sent < 64 * MEBIBYTE:
            with suppress(TimeoutError, ConnectionError):
                answer = line.recv(65_536)
            line.settimeout(10)
            if answer:
                answer += received(line)
            else:
                with suppress(ConnectionError):
                    line.sendall(piece)
                    sent += len(piece)
            line.settimeout(0.001)
    problem(answer, 413)
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - start < 5
    assert sent < 16 * MEBIBYTE
    assert wire.memory() - held < 10 * MEBIBYTE
    assert wire.service.state() == before


def test_a_body_cut_anywhere_stores_nothing_and_the_whole_one_is_stored_once(wire: Wire) -> None:
    before = wire.service.state()
    for length in range(len(SMALL)):
        answer = wire.exchange(wire.head(len(SMALL)), SMALL[:length], hang_up=True)
        assert not answer or problem(answer, 400), length
        # The same, sent as if it were all.
        problem(wire.exchange(wire.head(length), SMALL[:length]), 400)
        cut = b"%x\r\n%s\r\n" % (length, SMALL[:length]) if length else b""
        answer = wire.exchange(wire.head(None), cut, hang_up=True)
        assert not answer or problem(answer, 400), length
    assert wire.service.state() == before
    answer = wire.exchange(wire.head(len(SMALL)), SMALL)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert wire.reports() == before["rows"]["reports"] + 1
    assert "Traceback" not in wire.served.log.read_text()


def test_an_upload_cut_anywhere_stores_nothing(wire: Wire) -> None:
    before = wire.service.state()
    body = b"\n".join([SMALL] * 3)
    for length in range(0, len(body), 7):
        answer = wire.exchange(wire.head(len(body), **BULK), body[:length], hang_up=True)
        assert not answer or problem(answer, 400), length
    assert wire.service.state() == before
    assert "Traceback" not in wire.served.log.read_text()


def test_100_slow_clients_are_sent_away_and_keep_nobody_waiting(wire: Wire) -> None:
    before = wire.reports()
    gone, took = asyncio.run(_besieged(wire, clients=100))
    for answer in gone:
        problem(answer, 408)
    assert len(took) >= 5
    assert sorted(took)[len(took) // 2] < 1
    assert max(took) < PATIENCE
    assert wire.reports() == before + len(took)


async def _heard(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            answer += piece
    return answer


async def _besieged(wire: Wire, clients: int) -> tuple[list[bytes], list[float]]:
    """The answers to slow clients, and the seconds that normal ones waited meanwhile."""

    async def drip() -> bytes:
        reader, writer = await asyncio.open_connection(wire.host, wire.port)
        writer.write(wire.head(len(SMALL)))
        answer = asyncio.create_task(_heard(reader))
        for byte in SMALL:
            if answer.done():
                break
            with suppress(ConnectionError):
                writer.write(bytes([byte]))
                await writer.drain()
            await asyncio.wait({answer}, timeout=0.2)
        writer.close()
        return await answer

    async def post() -> float:
        start = time.monotonic()
        reader, writer = await asyncio.open_connection(wire.host, wire.port)
        writer.write(wire.head(len(SMALL)) + SMALL)
        answer = await _heard(reader)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 201 "), answer
        return time.monotonic() - start

    slow = [asyncio.create_task(drip()) for _ in range(clients)]
    await asyncio.sleep(0.3)
    took = []
    while not any(task.done() for task in slow):
        took.append(await post())
        await asyncio.sleep(0.05)
    return list(await asyncio.gather(*slow)), took


FORGED = "203.0.113.77"
TRACES = {
    "X-Forwarded-For": FORGED,
    "X-Real-IP": FORGED,
    "Forwarded": f"for={FORGED}",
    "User-Agent": "Trace-5e1c",
}


def test_where_a_request_came_from_is_written_nowhere(wire: Wire) -> None:
    body = SMALL[:-1] + b',"summary":"first\\r\\nsecond ERROR third-91aa"}'
    answer = wire.exchange(wire.head(len(body), **TRACES), body)
    assert answer.startswith(b"HTTP/1.1 201 ")
    refused = wire.exchange(wire.head(2, **TRACES), b"{}")
    problem(refused, 422)
    with wire.served.client() as client:
        listed = client.get("/v1/reports?limit=1", headers=TRACES).text
    log = wire.served.log.read_text()
    with wire.service.database.reading() as session:
        connection = session.connection()
        stored = "".join(
            str(connection.exec_driver_sql(f'SELECT * FROM "{table}"').all())
            for table in wire.service.state()["rows"]
        )
    assert "third-91aa" in stored
    for trace in (FORGED, "Trace-5e1c", "127.0.0.1:"):
        assert trace not in stored
    for told in (answer.decode(), refused.decode(), listed, log):
        assert FORGED not in told
        assert "Trace-5e1c" not in told
    # Nothing that was sent can start a line of the log.
    assert "third-91aa" not in log


def test_a_forged_host_or_scheme_leads_nobody_away(wire: Wire) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    with wire.served.client() as client:
        for path in ("/v1/reports?limit=1&format=csv", "/v1/aggregates?period=total&by="):
            answer = client.get(path, headers=forged)
            assert answer.status_code == 200
            assert "evil.example" not in answer.text + str(answer.headers)
            assert "gopher" not in answer.text + str(answer.headers)
