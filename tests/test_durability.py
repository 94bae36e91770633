"""A report that was acknowledged is on disk, whatever happens to the process next."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.identity import new_id
from tests.harness import Databases, Service
from tests.processes import ROOT, SERVE, address, environment, own_postgres, recount, server

WRITERS, CYCLES = 4, 10
MOMENTS = random.Random(20220913)  # noqa: S311
REPORT = {
    "when": "2022-09-20",
    "where": {"place": "Lachin"},
    "claimant": "a monitor",
    "casualties": [{"killed": 1}],
}
# The same server, told to leave it to the system when a commit reaches the disk.
UNSAFE = """
import sqlalchemy as sa
from service.store import database
prepare = database._prepare_sqlite

def unsafe(engine, foreign_keys):
    prepare(engine, foreign_keys)
    sa.event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = NORMAL"))

database._prepare_sqlite = unsafe
from service.__main__ import main
main()
"""


# A server that is killed at once has a successor within a moment: all is imported already.
REVIVING = """
import os, sys
from service.__main__ import main

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        main()
    print(child, flush=True)
    os.waitpid(child, 0)
"""


@dataclass
class Ledger:
    """What clients tried to send, and what was acknowledged to them."""

    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)

    def verdict(self, found: set[str]) -> dict[str, set[str]]:
        """As in a test of a set under faults: lost is what was promised and is not there."""
        return {"lost": self.acknowledged - found, "unexpected": found - self.attempted}


Post = Callable[[str], httpx2.Response]
NOTHING: dict[str, set[str]] = {"lost": set(), "unexpected": set()}


def test_the_verdict_knows_a_lost_and_an_unknown_report() -> None:
    ledger = Ledger({"a", "b", "c"}, {"a", "b"})
    assert ledger.verdict({"a", "b", "c"}) == NOTHING
    assert ledger.verdict({"b", "d"}) == {"lost": {"a"}, "unexpected": {"d"}}


def unsynced_answers(url: str, launch: tuple[str, ...], trace: Path) -> tuple[int, int]:
    """How many of the `201`s left before the log of the database was on disk, and how many left."""
    calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg"
    strace = ("strace", "-f", "-y", "-s", "24", "-e", calls, "-o", str(trace))
    service = Service(url)
    headers = service.headers()
    service.close()
    with server(url, (*strace, *launch)) as running, running.client() as client:
        for _ in range(10):
            assert client.post("/v1/reports", json=REPORT, headers=headers).status_code == 201
    dirty, early, answers = False, 0, 0
    for line in trace.read_text().splitlines():
        if re.search(r"pwrite64\(.*-wal>", line):
            dirty = True
        elif re.search(
            r"(fdatasync|fsync)\(.*-wal>\) += 0|(fdatasync|fsync) resumed>\) += 0", line
        ):
            dirty = False
        elif "HTTP/1.1 201" in line:
            answers += 1
            early += dirty
    return early, answers


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_an_answer_leaves_only_when_the_report_is_on_disk(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh("sqlite", "reference") as url:
        assert unsynced_answers(url, SERVE, tmp_path / "trace") == (0, 10)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_trace_shows_answers_that_leave_too_early(databases: Databases, tmp_path: Path) -> None:
    with databases.fresh("sqlite", "reference") as url:
        launch = (sys.executable, "-c", UNSAFE, "serve")
        assert unsynced_answers(url, launch, tmp_path / "trace") == (10, 10)


def write_until(stopped: Callable[[], bool], post: Post, ledger: Ledger) -> None:
    """Send reports under ids of our own; each again and again until it is acknowledged."""
    while not stopped():
        report_id = new_id()
        ledger.attempted.add(report_id)
        while report_id not in ledger.acknowledged and not stopped():
            try:
                answer = post(report_id)
            except httpx2.TransportError:
                return
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                ledger.acknowledged.add(report_id)


@contextmanager
def writers(ledger: Ledger) -> Iterator[Callable[[Post], None]]:
    """Four clients that write from when they are told how until the block ends."""
    stop = threading.Event()
    with ThreadPoolExecutor(WRITERS) as threads:
        writing: list[Future[None]] = []

        def begin(post: Post) -> None:
            writing.extend(
                threads.submit(write_until, stop.is_set, post, ledger) for _ in range(WRITERS)
            )

        try:
            yield begin
        finally:
            stop.set()
        for each in writing:
            each.result()


def stored(url: str) -> set[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.scalars(sa.text("SELECT id FROM reports"))
        return {str(UUID(str(each))) for each in found}


@contextmanager
def revived(parent: subprocess.Popen[str], log: Path) -> Iterator[str]:
    """The address of a server that is killed at the end, whatever it is doing."""
    assert parent.stdin
    assert parent.stdout
    before = len(log.read_text())
    parent.stdin.write("\n")
    parent.stdin.flush()
    pid = int(parent.stdout.readline())
    try:
        yield address(parent, log, before)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_killed_server_has_lost_nothing_it_acknowledged(
    databases: Databases, tmp_path: Path
) -> None:
    ledger = Ledger()
    with databases.fresh("sqlite", "reference") as url:
        service = Service(url)
        first = service.post(REPORT)
        headers = service.headers(Role.REVIEWER)
        service.close()
        ledger.attempted.add(first["id"])
        report = {**REPORT, "incident": first["incident"]}
        with (tmp_path / "log").open("w") as log:
            parent = subprocess.Popen(
                [sys.executable, "-c", REVIVING, "serve"],
                cwd=ROOT,
                env=environment(url),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with parent:
            for _ in range(CYCLES):
                before = len(ledger.acknowledged)
                with writers(ledger) as begin, revived(parent, tmp_path / "log") as base:

                    def post(report_id: str, path: str = f"{base}/v1/reports") -> httpx2.Response:
                        return httpx2.post(path, json={**report, "id": report_id}, headers=headers)

                    begin(post)
                    while len(ledger.acknowledged) == before:
                        time.sleep(0.01)
                    time.sleep(MOMENTS.uniform(0, 0.4))
                assert ledger.verdict(stored(url)) == NOTHING
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        assert recount(url) == []


def test_a_restarted_postgresql_has_lost_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    ledger = Ledger()
    with (
        own_postgres() as own,
        Databases(own.url, tmp_path).fresh("postgresql", "reference") as url,
    ):
        service = Service(url)
        headers = service.headers()

        def post(report_id: str) -> httpx2.Response:
            return service.client.post(
                "/v1/reports", json={**REPORT, "id": report_id}, headers=headers
            )

        for _ in range(3):
            before = len(ledger.acknowledged)
            with writers(ledger) as begin:
                begin(post)
                while len(ledger.acknowledged) < before + 5:
                    time.sleep(0.01)
                time.sleep(MOMENTS.uniform(0, 0.4))
                own.restart()
            assert ledger.verdict(stored(url)) == NOTHING
        assert service.wrong_accounts() == []
        service.close()
