"""G6 and G7: what `benchmarks.single_reports` and `benchmarks.bulk_import` say of writing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.results import Finding, NotMeasured, Raw, Result

_ROOT: Final = Path(__file__).resolve().parents[1]
_EVENTS, _MANY = 100_000, 1_000_000


def single(database: str) -> Iterator[Finding]:
    """G6: one report at a time."""
    known = 10_000
    told = _said("single_reports", "--database", database, "--known", str(known))
    for clients, recorded, checked, ratio in re.findall(
        r"(\d+) clients +recorded +([\d,]+)/s +checked +([\d,]+)/s +ratio ([\d.]+)", told
    ):
        columns = ("database", "clients", "recorded", "only checked")
        yield Raw("G6", columns, (database, clients, f"{recorded}/s", f"{checked}/s"))
        if clients == "16":
            what = "one durable report, 16 clients, against only checking it"
            wanted = 0.4 if database == "sqlite" else 0.35
            both = f"{recorded}/s against {checked}/s"
            yield Result("G6", what, known, float(ratio), wanted, both, database=database)
    peer, why = {
        "sqlite": ("Datasette's write API", "it comes with Datasette 1.0, which is not released"),
        "postgresql": ("PostGraphile's insert", "it is not among the packages of the benchmark"),
    }[database]
    yield NotMeasured("G6", f"against {peer}", why)


def bulk(database: str, *, memory: bool) -> Iterator[Finding]:
    """G7: many at once, and the memory it takes for a hundred times as many."""
    told = _said("bulk_import", "--database", database, "--rows", str(_EVENTS))
    imported, bare = re.findall(r"([\d,]+) events/s", told)
    ratio = float(_found(r"ratio +([\d.]+)", told))
    against, wanted = ("executemany", 0.35) if database == "sqlite" else ("COPY", 0.5)
    both = f"{imported} events/s against {bare} events/s"
    what = f"a whole import, against {against} of the bare rows"
    yield Result("G7", what, _EVENTS, ratio, wanted, both, database=database)
    if memory:
        told = _said("bulk_import", "--database", database, "--rows", str(_MANY), "--memory")
        extra = float(_found(r"extra +([-\d]+) MB", told))
        both = "; ".join(re.findall(r"[\d,]+ events, at most \d+ MB", told))
        what = "memory of an import more than of 10,000, MB"
        yield Result("G7", what, _MANY, extra, 64, both, least=False, database=database)
    else:
        yield NotMeasured("G7", f"memory on {database}", "left out of runs below a million")


def _said(module: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        check=False,
        capture_output=True,
        cwd=_ROOT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1000:])
    return done.stdout


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(text)
    return found[1]
