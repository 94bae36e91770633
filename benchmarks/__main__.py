"""All promises about performance, measured in one run; `check` proves that the made-up data obey
the service's own rules."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import document, generator, serving, sums, writes
from benchmarks.generator import Made
from benchmarks.results import PROMISES, Finding, NotMeasured, Raw, Result

_CHECKED: Final = 2_000
_KINDS_CHECKED: Final = 200
_FOLDER: Final = Path(tempfile.gettempdir()) / "ceasefire-benchmarks"
# Beyond these there are no reports to list.
_MOST_LISTED: Final = generator.MOST_WITH_REPORTS


def measured(
    made: Sequence[Made], chosen: Sequence[str], databases: Sequence[str], folder: Path
) -> Iterator[Finding]:
    """Whatever the chosen goals need, one after the other; what fails is said, not left out."""
    listed = [each for each in made if each.incidents <= _MOST_LISTED]
    few = listed[0] if listed else made[0]
    ends = dict.fromkeys((few, made[-1]))
    steps: list[tuple[str, Callable[[], Iterator[Finding]]]] = []
    if "sqlite" in databases:
        steps += [
            ("G1 G2", lambda: sums.cold(made, chosen)),
            *(("G3", partial(serving.warm, each)) for each in ends),
            *(("G4", partial(sums.over_http, each)) for each in ends),
            ("G5", lambda: serving.fresh(few, folder)),
            ("G6", lambda: writes.single("sqlite")),
            ("G7", lambda: writes.bulk("sqlite", memory=len(listed) > 1)),
            ("G8", lambda: serving.exports(listed)),
            ("G9", lambda: serving.pages(listed[-1])),
            ("G10", lambda: serving.start(folder)),
            ("G12", lambda: serving.while_importing(few, folder)),
            ("G13", lambda: sums.keeping(made, folder)),
        ]
    with ExitStack() as stack:
        if "postgresql" in databases:
            steps += [
                ("G6", lambda: writes.single("postgresql")),
                ("G7", lambda: writes.bulk("postgresql", memory=False)),
            ]
            if {"G8", "G11"} & {*chosen}:
                url = stack.enter_context(serving.postgresql(few))
                steps += [
                    ("G8", lambda: serving.exports_of_postgresql(few, url)),
                    ("G11", lambda: serving.two_processes(few, url)),
                ]
        for goals, step in steps:
            if {*goals.split()} & {*chosen}:
                yield from _told(goals, step)


def _told(goals: str, step: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    begin = time.monotonic()
    try:
        yield from step()
    except Exception as error:  # noqa: BLE001
        # One fault must not cost hours of measuring; the document names it.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        yield NotMeasured(goals.split(maxsplit=1)[0], "failed", lines[-1][:200])
    _say(f"   {goals} took {time.monotonic() - begin:,.0f} s")


def _check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checked.db"
        generator.make(file, _CHECKED, kinds=_KINDS_CHECKED)
        found = generator.differences(file)
    _say(f"{_CHECKED:,} incidents made up, {len(found)} differences from a recount")
    return int(bool(found))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "check"), default="run")
    parser.add_argument(
        "--rows", default="100000,1000000", help="how many incidents, with commas between"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--only", default=",".join(PROMISES), help="goals, such as G1,G3")
    parser.add_argument("--write", type=Path, help="the document to write, docs/performance.md")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where databases are kept")
    parser.add_argument("--seed", type=int, default=1, help="other incidents for another number")
    asked = parser.parse_args()
    if asked.command == "check":
        return _check()
    rows = sorted(int(each) for each in asked.rows.split(","))
    chosen = asked.only.split(",")
    if unknown := {*chosen} - PROMISES.keys():
        parser.error(f"no such goals: {', '.join(sorted(unknown))}")
    databases = ("sqlite", "postgresql") if asked.database == "both" else (asked.database,)
    now = datetime.now(UTC)
    again = f"--rows {asked.rows} --database {asked.database} --only {asked.only}"
    made = []
    for each in rows:
        _say(f"   making {each:,} incidents, unless they are there")
        made.append(generator.database(asked.folder, each, asked.seed))
    findings = []
    for finding in measured(made, chosen, databases, asked.folder):
        findings.append(finding)
        _say(_line(finding))
        if asked.write is not None:
            text = document.written(findings, rows, again, now)
            asked.write.write_text(text, encoding="utf-8")
    return 0


def _line(finding: Finding) -> str:
    match finding:
        case Result():
            return " | ".join(document.line_of(finding))
        case NotMeasured():
            return f"{finding.goal} | {finding.what} | not measured: {finding.why}"
        case Raw():
            return f"   {finding.goal} {' | '.join(finding.row)}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
