"""G3, G5, G8 to G12: the service as others meet it."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import psycopg
import sqlalchemy as sa

from benchmarks import bulk_import, generator, servers
from benchmarks.generator import Made
from benchmarks.measuring import Load, in_turn, load, rates_in_turn, seconds_of
from benchmarks.questions import Question
from benchmarks.results import Finding, NotMeasured, Raw, Result
from service.domain.access import Role
from service.domain.periods import Grain
from service.domain.queries import Dimension
from service.identity import new_id
from service.store.database import Database
from service.store.journal import Author
from service.work import keys
from tests import postgres, processes
from tests.processes import Server

MONTHS: Final = (
    Question(Grain.MONTH, (Dimension.SECTOR,), 1),
    Question(Grain.MONTH, (Dimension.SECTOR,), 29),
)
_LATER_PAGE: Final = 50
_IMPORTED: Final = 40_000
_MIB: Final = 1 << 20
_SHOWN_AT_ONCE: Final = 20
_STARTS: Final = 5


def rate(loads: Sequence[Load]) -> float:
    """The median; raises `RuntimeError` where anything went wrong."""
    if any(each.errors for each in loads):
        raise RuntimeError(f"answered with errors: {loads}")
    return median(each.rate for each in loads)


def warm(made: Made) -> Iterator[Finding]:
    """G3: answers kept, and answers that nothing has changed, against bare routes."""
    with servers.service(made.url) as own:
        for question in MONTHS:
            address = servers.address(own, "/v1/aggregates", question.parameters)
            body, headers = servers.fetched(address)
            with servers.bare(body) as bare, servers.bare(body, "fastapi") as fastapi:
                tag = {"If-None-Match": headers["etag"]}
                kept, plain, unchanged, empty = rates_in_turn(
                    [
                        partial(load, address),
                        partial(load, bare.base_url),
                        partial(load, address, headers=tag),
                        partial(load, fastapi.base_url, headers=tag),
                    ]
                )
            if any(each.size > len(body) for each in unchanged):
                raise RuntimeError("what has not changed was sent again")
            size = f"{question.name}, {len(body):,} bytes"
            for what, ours, theirs, wanted in (
                ("warm, 16 clients, against a bare Starlette route", kept, plain, 0.5),
                ("304, 16 clients, against a bare FastAPI route", unchanged, empty, 0.7),
            ):
                told = f"{size}: {rate(ours):,.0f}/s against {rate(theirs):,.0f}/s"
                ratio = rate(ours) / rate(theirs)
                yield Result("G3", what, made.incidents, ratio, wanted, told)
            if question is MONTHS[-1]:
                slow, quick = (median(e.p50 for e in loads) for loads in (kept, plain))
                told = f"{size}: {1000 * slow:.2f} ms against {1000 * quick:.2f} ms"
                what = "warm p50 of the full range, against the bare route"
                yield Result("G3", what, made.incidents, slow / quick, 2, told, least=False)


def fresh(made: Made, folder: Path) -> Iterator[Finding]:
    """G5: what is sent to one process is shown at once by it and by another."""
    with _copied(made, folder) as url, servers.service(url) as one, servers.service(url) as two:
        key = _key(url)
        question = servers.address(one, "/v1/aggregates", {"period": "total", "by": ""})
        shown = 0
        known = _incidents(question)
        for number in range(_SHOWN_AT_ONCE):
            _post(one, key, number)
            shown += all(
                _incidents(servers.address(s, "/v1/aggregates", {"period": "total", "by": ""}))
                == known + number + 1
                for s in (one, two)
            )
        told = f"{shown} of {_SHOWN_AT_ONCE} at once, by the same process and by another"
        what = "shown by the first answer after a 201"
        ratio = shown / _SHOWN_AT_ONCE
        yield Result("G5", what, made.incidents, ratio, 1, told)


def exports(made: Sequence[Made]) -> Iterator[Finding]:
    """G8: all reports as CSV, against Datasette's stream and SQLite's shell; memory."""
    peaks: list[float] = []
    for each in made:
        rows = _count(each.file, "reports")
        with (
            servers.service(each.url, CEASEFIRE_CACHE_BYTES="0") as own,
            servers.datasette(each.file, {}) as datasette,
        ):
            here = servers.address(own, "/v1/reports", {"format": "csv"})
            there = servers.address(
                datasette, f"/{each.file.stem}/reports.csv", {"_stream": "on", "_size": "max"}
            )
            # What is read once when a server begins is not part of an export.
            servers.fetched(servers.address(own, "/v1/reports", {"format": "csv", "limit": 1}))
            first, took = _streamed(here)
            peaks.append(_peak(own))
            _, theirs = _streamed(there)
        shell = seconds_of(partial(_shell, each.file))
        yield Raw(
            "G8",
            ("reports", "service", "Datasette", "sqlite3 shell", "first byte", "most memory"),
            (
                f"{rows:,}",
                *(f"{rows / seconds:,.0f}/s" for seconds in (took, theirs, shell)),
                f"{1000 * first:,.0f} ms",
                f"{peaks[-1]:,.0f} MiB",
            ),
        )
        for peer, seconds, wanted in (("Datasette", theirs, 2), ("sqlite3's shell", shell, 0.3)):
            told = f"{rows:,} reports: {took:.1f} s against {seconds:.1f} s"
            ratio = seconds / took
            what = f"CSV of all reports, against {peer}"
            yield Result("G8", what, each.incidents, ratio, wanted, told)
        yield Result(
            "G8", "first byte, ms", each.incidents, 1000 * first, 100, "of CSV", least=False
        )
    if len(peaks) > 1:
        told = f"{peaks[0]:,.0f} and {peaks[-1]:,.0f} MiB"
        what = f"memory more than for {made[0].incidents:,}, MiB"
        more = peaks[-1] - peaks[0]
        yield Result("G8", what, made[-1].incidents, more, 64, told, least=False)
    yield NotMeasured("G8", "memory at ten million", "no reports are made up for so many incidents")


def exports_of_postgresql(made: Made, url: str) -> Iterator[Finding]:
    """G8: all reports as CSV from PostgreSQL, against psql's COPY."""
    rows = _count(made.file, "reports")
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    copy = ["psql", plain, "-qc", "COPY reports TO STDOUT (FORMAT csv, HEADER)"]
    with servers.service(url, CEASEFIRE_CACHE_BYTES="0") as own:
        here = servers.address(own, "/v1/reports", {"format": "csv"})
        ours, theirs = in_turn(
            lambda: _streamed(here),
            lambda: subprocess.run(copy, check=True, stdout=subprocess.DEVNULL),  # noqa: S603
            rounds=3,
        )
    told = f"{rows:,} reports: {ours.median:.1f} s against {theirs.median:.1f} s"
    ratio = theirs.median / ours.median
    what = "CSV of all reports, against psql COPY"
    yield Result("G8", what, made.incidents, ratio, 0.5, told, database="postgresql")


def pages(made: Made) -> Iterator[Finding]:
    """G9: a page of a hundred reports as GeoJSON, made anew and asked again, and one far behind the
    first."""
    asked = {"format": "geojson", "limit": 100}
    with (
        servers.service(made.url, CEASEFIRE_CACHE_BYTES="0") as own,
        servers.service(made.url) as keeping,
        servers.datasette(made.file, {}) as datasette,
    ):
        first, kept = (servers.address(each, "/v1/reports", asked) for each in (own, keeping))
        later = _page_behind(own, _LATER_PAGE)
        there = servers.address(
            datasette, f"/{made.file.stem}/reports.json", {"_size": 100, "_shape": "array"}
        )
        for address in (first, later, kept, there):
            servers.fetched(address)
        ours, behind, again, theirs = rates_in_turn(
            [partial(load, address) for address in (first, later, kept, there)]
        )
    for done, loads in (("made anew", ours), ("asked again", again)):
        told = f"{rate(loads):,.0f}/s against {rate(theirs):,.0f}/s"
        what = f"page of 100 as GeoJSON, {done}, 16 clients, against Datasette's JSON"
        yield Result("G9", what, made.incidents, rate(loads) / rate(theirs), 3, told)
    told = f"{rate(behind):,.0f}/s against {rate(ours):,.0f}/s"
    what = f"page {_LATER_PAGE} against page 1"
    yield Result("G9", what, made.incidents, rate(behind) / rate(ours), 0.9, told)
    why = "they are not among the packages of the benchmark"
    yield NotMeasured("G9", "against PostGraphile, tipg and pygeoapi", why)


def start(folder: Path) -> Iterator[Finding]:
    """G10: what `make run` does on a database that is seeded, until the service is ready."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        url = f"sqlite:///{home}/start.db"
        files = {
            "CEASEFIRE_KEY_FILE": f"{home}/api-key",
            "CEASEFIRE_LEDGER_KEY_FILE": f"{home}/ledger-key",
        }
        steps = (
            *(("migrate",), ("seed",)),
            *(("keys", "create", "--if-none"), ("ledger", "key", "--if-none")),
        )

        def prepare() -> None:
            for step in steps:
                done = processes.command(*step, url=url, **files)
                assert done.returncode == 0, done.stderr

        prepare()
        _seconds_until_ready(url, files)
        before, served = (
            median(each() for _ in range(_STARTS))
            for each in (
                partial(seconds_of, prepare),
                partial(_seconds_until_ready, url, files),
            )
        )
    told = f"with migrate, seed and keys before it {before + served:.2f} s"
    what = "seconds until ready, of serve on a seeded database"
    yield Result("G10", what, 0, served, 2, told, least=False)
    yield NotMeasured("G10", "from a fresh clone to the page", "it asks a registry for packages")


def two_processes(made: Made, url: str) -> Iterator[Finding]:
    """G11: mixed load on one process and on two, over one PostgreSQL."""
    key = _key(url)
    with tempfile.TemporaryDirectory() as home, servers.service(url) as one:
        script = Path(home) / "mixed.lua"
        script.write_text(_MIXED % {"key": key})
        with servers.service(url) as two:

            def alone() -> Load:
                return load(one.base_url, 16, script=str(script))

            def together() -> Load:
                with ThreadPoolExecutor(2) as pool:
                    both = [
                        *pool.map(lambda s: load(s.base_url, 8, script=str(script)), (one, two))
                    ]
                return Load(
                    sum(each.rate for each in both),
                    max(each.p50 for each in both),
                    max(each.p99 for each in both),
                    sum(each.errors for each in both),
                    max(each.size for each in both),
                )

            alone(), together()
            single, double = rates_in_turn([alone, together])
    rates = [median(each.rate for each in loads) for loads in (single, double)]
    told = f"{rates[1]:,.0f}/s against {rates[0]:,.0f}/s; {os.cpu_count()} cores for all"
    what = "two processes against one, nine reads to one report sent"
    yield Result("G11", what, made.incidents, rates[1] / rates[0], 1.7, told, database="postgresql")
    errors = sum(each.errors for each in (*single, *double))
    with psycopg.connect(
        sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        [deadlocks] = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone() or (0,)
    told = f"{errors} errors, {deadlocks} deadlocks"
    what = "errors and deadlocks"
    yield Result(
        "G11", what, made.incidents, errors + deadlocks, 0, told, least=False, database="postgresql"
    )


def while_importing(made: Made, folder: Path) -> Iterator[Finding]:
    """G12: how long reading takes while another process imports, against when none does."""
    with _copied(made, folder) as url, tempfile.TemporaryDirectory(dir=folder) as home:
        file = bulk_import.written(Path(home), _IMPORTED, 1)
        with servers.service(url) as own:
            address = servers.address(own, "/v1/aggregates", MONTHS[0].parameters)
            servers.fetched(address)
            idle = [load(address, 1) for _ in range(5)]
            with ThreadPoolExecutor(1) as pool:
                importing = pool.submit(bulk_import.apart, bulk_import.import_file, url, file)
                time.sleep(3)
                busy = [load(address, 1)]
                while not importing.done():
                    busy.append(load(address, 1))
                told_import = importing.result()
    before, during = (median(each.p99 for each in loads) for loads in (idle, busy[:-1] or busy))
    told = (
        f"{1000 * during:.1f} ms against {1000 * before:.1f} ms; "
        f"{told_import.written / told_import.seconds:,.0f} events/s imported meanwhile"
    )
    what = "p99 of twelve months, while importing against idle"
    yield Result("G12", what, made.incidents, during / before, 3, told, least=False)


@contextmanager
def postgresql(made: Made) -> Iterator[str]:
    """The URL of a database that holds the same, of a PostgreSQL server of its own."""
    with postgres.server(durable=True) as server, postgres.database(server) as url:
        generator.copy_to_postgresql(made.file, url)
        yield url


@contextmanager
def _copied(made: Made, folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=folder) as home:
        copy = Path(home) / "copy.db"
        shutil.copy(made.file, copy)
        yield f"sqlite:///{copy}"


def _key(url: str) -> str:
    tracker = Database(url)
    author = Author("benchmark", datetime.now(UTC))
    key = tracker.write(lambda s: keys.create(s, "benchmark", Role.IMPORTER, author, new_id))
    tracker.close()
    return key


def _post(server: Server, key: str, number: int) -> None:
    report = {
        "when": "2021-05-01",
        "where": {"sector": "rear"},
        "claimant": f"monitor {number}",
        "summary": f"Message {number}.",
    }
    request = urllib.request.Request(  # noqa: S310
        f"{server.base_url}/v1/reports",
        json.dumps(report).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 201


def _incidents(address: str) -> int:
    body, _ = servers.fetched(address)
    return int(json.loads(body)["total"]["incidents"])


def _count(file: Path, table: str) -> int:
    counted = subprocess.run(  # noqa: S603
        ["sqlite3", str(file), f"SELECT count(*) FROM {table}"],  # noqa: S607, S608
        check=True,
        capture_output=True,
        text=True,
    )
    return int(counted.stdout)


def _streamed(address: str) -> tuple[float, float]:
    """Seconds until the first byte and until the last."""
    done = subprocess.run(  # noqa: S603
        ["curl", "-sSf", "-o", os.devnull, "-w", "%{time_starttransfer} %{time_total}", address],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    first, last = map(float, done.stdout.split())
    return first, last


def _shell(file: Path) -> None:
    subprocess.run(  # noqa: S603
        ["sqlite3", "-csv", "-header", str(file), "SELECT * FROM reports"],  # noqa: S607
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _peak(server: Server) -> float:
    """The most memory that a server has held, in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024 / _MIB


def _page_behind(server: Server, number: int) -> str:
    """The address of a later page, reached by turning over."""
    cursor = None
    for _ in range(number - 1):
        asked = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        body, _ = servers.fetched(servers.address(server, "/v1/reports", asked))
        cursor = json.loads(body)["next"]
    asked = {"format": "geojson", "limit": 100, "cursor": cursor}
    return servers.address(server, "/v1/reports", asked)


def _seconds_until_ready(url: str, files: dict[str, str]) -> float:
    begin = time.perf_counter()
    with processes.server(url, **files) as running:
        servers.fetched(f"{running.base_url}/health/ready")
        return time.perf_counter() - begin


_MIXED: Final = """
local asked = {
  "/v1/aggregates?period=month&by=sector&from=2023&to=2023",
  "/v1/aggregates?period=year&by=sector",
  "/v1/reports?limit=20",
  "/v1/incidents?limit=20",
  "/v1/sectors",
}
local sent = math.random(1000000)
local headers = {["Authorization"] = "Bearer %(key)s", ["Content-Type"] = "application/json"}
request = function()
  sent = sent + 1
  if sent %% 10 == 0 then
    local day = string.format("2021-%%02d-%%02d", 1 + sent %% 12, 1 + sent %% 28)
    local body = '{"when":"' .. day .. '","where":{"sector":"rear"},"claimant":"monitor '
      .. sent %% 20 .. '","summary":"Message ' .. sent .. '."}'
    return wrk.format("POST", "/v1/reports", headers, body)
  end
  return wrk.format("GET", asked[1 + sent %% #asked], headers)
end
"""
