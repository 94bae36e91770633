"""G1, G2, G4 and G13: sums, cold, and keeping them."""

import gc
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import peers, questions, servers
from benchmarks.generator import Made
from benchmarks.measuring import Times, in_turn, load, rates_in_turn, seconds_of
from benchmarks.questions import (
    BY_SECTOR,
    BY_WEAPON_OR_PARTY,
    Question,
    plain,
    wide,
)
from benchmarks.results import Finding, NotMeasured, Raw, Result
from service.commands.keeping import NEW_VALUES
from service.domain.periods import Grain
from service.domain.queries import Dimension
from service.domain.theatre import Theatre
from service.store import summing
from service.store.database import Database
from service.work import aggregates, cells, reference

_COLUMNS: Final = ("question", "incidents", "rows", "service", "DuckDB", "GROUP BY")
# Beyond these, only GROUP BY over months by sector: the others take as long, and all are slow.
_MOST_PLAIN: Final = 2_000_000
_MOST_REBUILT: Final = 2_000_000
_COLD: Final = {"CEASEFIRE_CACHE_BYTES": "0"}
_DAY: Final = date(2016, 4, 2)


def cold(made: Sequence[Made], chosen: Sequence[str]) -> Iterator[Finding]:
    """G1 and G2 for every size: the service's sums, DuckDB's and SQLite's own, in turn."""
    # As `ceasefire serve` does; what is imported here beside the service is not its garbage.
    gc.freeze()
    gc.set_threshold(NEW_VALUES)
    for goal, dimensions, faster in (("G1", BY_SECTOR, 10), ("G2", BY_WEAPON_OR_PARTY, 5)):
        if goal not in chosen:
            continue
        times: dict[Question, dict[int, Times]] = defaultdict(dict)
        for each in made:
            against_duckdb: dict[str, float] = {}
            against_plain: dict[str, float] = {}
            for question, rows, (own, duckdb, group_by) in _asked(each, dimensions):
                times[question][each.incidents] = own
                against_duckdb[question.name] = duckdb.median / own.median
                if group_by is not None:
                    against_plain[question.name] = group_by.median / own.median
                told = (ms(own), ms(duckdb), ms(group_by) if group_by else "")
                yield Raw(
                    goal, _COLUMNS, (question.name, f"{each.incidents:,}", f"{rows:,}", *told)
                )
            # The promises are about ten million.
            for what, ratios, wanted in (
                ("DuckDB", against_duckdb, faster),
                ("plain GROUP BY", against_plain, 1_000),
            ):
                yield from _worst(goal, f"faster than {what}", each.incidents, ratios, wanted)
        yield from _flat(goal, times, made)


def _asked(
    made: Made, dimensions: tuple[tuple[Dimension, ...], ...]
) -> Iterator[tuple[Question, int, tuple[Times, Times, Times | None]]]:
    tracker = Database(made.url)
    with tracker.reading() as session:
        theatre = reference.load(session)
    with (
        closing(peers.duckdb_of(made.file)) as duckdb,
        closing(sqlite3.connect(made.file)) as sqlite,
    ):
        for question in questions.questions(dimensions):
            own = _own(tracker, question, theatre)
            statement, plainly = wide(question, theatre), plain(question, theatre)
            works: list[Callable[[], Any]] = [own, lambda s=statement: duckdb.execute(s).fetchall()]
            first = question.by == dimensions[0]
            if question.grain is Grain.MONTH and (made.incidents <= _MOST_PLAIN or first):
                works.append(lambda s=plainly: sqlite.execute(s).fetchall())
            _same_total(own(), plainly if len(works) > 2 else None, sqlite, question)
            measured = (*in_turn(*works), None)
            yield question, len(own().rows), measured[:3]  # type: ignore[misc]
    tracker.close()


def _own(tracker: Database, question: Question, theatre: Theatre) -> Callable[[], Any]:
    def ask() -> Any:
        with tracker.reading() as session:
            return aggregates.answer(session, question.query, theatre)

    return ask


def _same_total(
    answer: Any, statement: str | None, sqlite: sqlite3.Connection, question: Question
) -> None:
    """Both must have been asked the same: as many incidents, where each is counted once."""
    if statement is not None and answer.additive:
        told = answer.total.incidents + answer.total.episodes
        found = questions.totals(sqlite.execute(statement).fetchall())
        assert told == found, (question.name, told, found)


def _worst(
    goal: str, what: str, incidents: int, ratios: dict[str, float], wanted: float
) -> Iterator[Result]:
    if ratios:
        least = min(ratios, key=ratios.__getitem__)
        told = f"worst: {least}; median of {len(ratios)}: {median(ratios.values()):,.1f} ×"
        yield Result(goal, what, incidents, ratios[least], wanted, told)


def _flat(
    goal: str, times: dict[Question, dict[int, Times]], made: Sequence[Made]
) -> Iterator[Finding]:
    few, many = made[0].incidents, made[-1].incidents
    if few == many:
        yield NotMeasured(goal, "cost at more incidents", "only one size was measured")
        return
    ratios = {q.name: t[many].median / t[few].median for q, t in times.items()}
    most = max(ratios, key=ratios.__getitem__)
    told = f"worst: {most}; median of {len(ratios)}: {median(ratios.values()):.2f} ×"
    what = f"cost against {few:,} incidents"
    yield Result(goal, what, many, ratios[most], 1.5, told, least=False)


def over_http(made: Made) -> Iterator[Finding]:
    """G4: twelve months by sector, made anew each time, against Datasette on our own cells."""
    question = Question(Grain.MONTH, (Dimension.SECTOR,), 1)
    first, last = question.span
    measures = ", ".join(
        f"sum({outcome}_{part}) AS {outcome}_{part}"
        for outcome in ("killed", "wounded", "missing", "captured")
        for part in ("told", "low", "best", "high", "open", "unknown")
    )
    statement = (
        "SELECT start, sector, sum(incidents) AS incidents, sum(episodes) AS episodes,"  # noqa: S608
        f" sum(reports) AS reports, {measures} FROM cells WHERE cube = 'event/month/'"
        f" AND start >= '{first}' AND \"end\" <= '{last}' GROUP BY start, sector"
    )
    name = made.file.stem
    with (
        servers.service(made.url, **_COLD) as own,
        servers.datasette(made.file, {"twelve": statement}) as datasette,
    ):
        here = servers.address(own, "/v1/aggregates", question.parameters)
        there = servers.address(datasette, f"/{name}/twelve.json", {"_shape": "arrays"})
        for address in (here, there):
            servers.fetched(address)
        for clients in (1, 16):
            ours, theirs = rates_in_turn(
                [lambda c=clients: load(here, c), lambda c=clients: load(there, c)]
            )
            rates = [median(each.rate for each in loads) for loads in (ours, theirs)]
            told = f"{rates[0]:,.0f}/s against {rates[1]:,.0f}/s"
            yield Raw(
                "G4",
                ("clients", "incidents", "service", "Datasette"),
                (str(clients), f"{made.incidents:,}", f"{rates[0]:,.0f}/s", f"{rates[1]:,.0f}/s"),
            )
            if clients > 1:
                what = f"cold, {clients} clients, against Datasette on our cells"
                ratio = rates[0] / rates[1]
                yield Result("G4", what, made.incidents, ratio, 3, told)


def keeping(made: Sequence[Made], folder: Path) -> Iterator[Finding]:
    """G13: summing all anew and checking all, against one plain GROUP BY; checking one day."""
    for each in made:
        tracker = Database(each.url)
        with closing(sqlite3.connect(each.file)) as sqlite, tracker.reading() as session:
            theatre = reference.load(session)
            statement = plain(Question(Grain.MONTH, (Dimension.SECTOR,), 29), theatre)
            group_by, day = in_turn(
                lambda s=sqlite, q=statement: s.execute(q).fetchall(),
                lambda s=session, t=theatre: [*summing.differences_between(s, t, _DAY, _DAY)],
                rounds=3,
            )
        told = f"{ms(day)}"
        yield Result(
            "G13", "checking one day, ms", each.incidents, day.median * 1000, 100, told, least=False
        )
        tracker.close()
        if each.incidents > _MOST_REBUILT:
            yield NotMeasured(
                "G13", f"rebuilding and checking {each.incidents:,}", "takes long; see fewer"
            )
            continue
        yield from _rebuilt(each, theatre, group_by, folder)


def _rebuilt(made: Made, theatre: Theatre, group_by: Times, folder: Path) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(dir=folder) as home:
        copy = Path(home) / "copy.db"
        shutil.copy(made.file, copy)
        tracker = Database(f"sqlite:///{copy}")
        rebuilt = seconds_of(lambda: tracker.write(lambda s: cells.rebuild(s, theatre)))
        with tracker.reading() as session:
            checked = seconds_of(lambda: [*summing.differences(session, theatre)])
        tracker.close()
    for done, took in (("rebuilding", rebuilt), ("checking", checked)):
        told = f"{took:,.1f} s against {group_by.median:,.2f} s"
        ratio = took / group_by.median
        what = f"{done} all sums, in plain GROUP BYs"
        yield Result("G13", what, made.incidents, ratio, 3, told, least=False)


def ms(times: Times) -> str:
    """Milliseconds: the median, the least and the most."""
    median_, least, most = (1000 * each for each in (times.median, times.least, times.most))
    return f"{median_:,.1f} ({least:,.1f}–{most:,.1f})"
