"""The service as its own process, servers that may be stopped, and work done at once."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from service.api.app import create_app
from service.store.database import Database
from service.work import accounts, reference
from tests import postgres
from tests.harness import settings_of

ROOT = Path(__file__).parent.parent
SERVE = (sys.executable, "-m", "service", "serve")
T = TypeVar("T")


def environment(url: str, **more: str) -> dict[str, str]:
    """What a process is started with: no limits, and nothing in the background, unless asked."""
    quiet = {
        "CEASEFIRE_LIMIT_ANONYMOUS": "off",
        "CEASEFIRE_LIMIT_KEY": "off",
        "CEASEFIRE_LIMIT_FAILURES": "off",
        "CEASEFIRE_LEDGER_INTERVAL_SECONDS": "0",
    }
    return {**os.environ, **quiet, "DATABASE_URL": url, "PORT": "0", **more}


def command(*arguments: str, url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What an operator types after `ceasefire`, and what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env=environment(url, **more),
        text=True,
        timeout=600,
    )


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    base_url: str
    log: Path

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.base_url, timeout=30)


@contextmanager
def server(
    url: str, launch: Sequence[str] = SERVE, folder: Path | None = None, **more: str
) -> Iterator[Server]:
    """A server in a process of its own, on a free port, ready to answer."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        log = Path(home) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*launch],
                cwd=ROOT,
                env=environment(url, **more),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield Server(process, address(process, log), log)
        finally:
            # To the whole group: a tracer hands nothing on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def address(process: subprocess.Popen[Any], log: Path, after: int = 0) -> str:
    """Where a server says that it listens, in its log `after` so many characters."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"running on (http://[\d.]+:\d+)", log.read_text()[after:]):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {log.read_text()}")


@contextmanager
def application(url: str, **settings: object) -> Iterator[TestClient]:
    """Another instance of the application, with its own connections."""
    app = create_app(settings_of(url, **settings))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run every job in a thread of its own, all let go at the same moment."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        gate.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))


@dataclass
class RestartablePostgres:
    """A PostgreSQL server that may be stopped without disturbing other tests."""

    url: str

    def stop(self) -> None:
        self._control("--mode=immediate", "stop")

    def start(self) -> None:
        self._control("start")

    def restart(self) -> None:
        self._control("--mode=immediate", "restart")

    def _control(self, *arguments: str) -> None:
        home = Path(str(sa.make_url(self.url).query["host"]))
        # The server notes how it was started: its program, then its options.
        noted = (home / "data" / "postmaster.opts").read_text().replace('"', "")
        program, _, options = noted.strip().partition(" ")
        postgres._run(
            home,
            Path(program).with_name("pg_ctl"),
            f"--pgdata={home / 'data'}",
            "--wait",
            f"--options={options}",
            *arguments,
        )


@contextmanager
def own_postgres() -> Iterator[RestartablePostgres]:
    """A PostgreSQL server of this test alone."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server at TEST_DATABASE_URL is not ours to stop")
    with postgres.server() as url:
        yield RestartablePostgres(url)


def recount(url: str) -> list[str]:
    """Incidents whose kept figures differ from those that follow from their reports."""
    database = Database(url)
    with database.reading() as session:
        wrong = accounts.differences(session, reference.load(session))
    database.close()
    return wrong
