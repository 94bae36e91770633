"""The summed tables of what is made up: what each family adds to them, as often as it happens.

The service notes what a family adds to cells of days when it records it. Here days and sectors are
put in for those that stand for them, what falls into one cell is added up, and cells of days are
added up to those of the service's larger units. DuckDB does it in minutes.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import duckdb
import pyarrow as pa

from benchmarks.families import FIRST, SUMMED, Family, Spot, kept_of
from benchmarks.happenings import Happenings
from service.domain.cells import CUBES, DAYS, MEASURES, Cell, cuts_of
from service.domain.theatre import Theatre
from service.store.tables import CELLS

_KEYS: Final = Cell._fields
_OTHER_KEYS: Final = [name for name in _KEYS if name not in ("cube", "start", "end")]
_DAY_ZERO: Final = date(1970, 1, 1)
_ROWS_AT_ONCE: Final = 50_000


def write(
    connection: sqlite3.Connection,
    recorded: Sequence[Family],
    happenings: Happenings,
    anywhere: Spot,
    theatre: Theatre,
) -> None:
    """Make the cells anew: those of the days that the database holds, and what is made up."""
    with duckdb.connect() as sums:
        sums.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        _take(sums, "known", _known(connection))
        _take(sums, "parts", _parts(recorded))
        sums.register("happened", _table(happenings))
        connection.execute("BEGIN")
        connection.execute(f'DELETE FROM "{CELLS.name}"')  # noqa: S608
        for cube in CUBES:
            sums.execute(_days(cube.name(DAYS.name), anywhere))
            _store(connection, sums, _as_kept())
            for cut in cuts_of(cube, theatre)[1:]:
                _take(sums, "units", _units(sums, cut))
                _store(connection, sums, _larger(cube.name(cut.name)))
        connection.execute("COMMIT")


def _listed(names: Sequence[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _summed(of: str = "") -> str:
    return ", ".join(f'sum({of}"{name}")::BIGINT AS "{name}"' for name in MEASURES)


def _days(cube: str, anywhere: Spot) -> str:
    """Cells of days of one cube, with days since 1970."""
    others = _listed([name for name in _OTHER_KEYS if name != "sector"], "p.")
    first = f"CASE p.start WHEN {FIRST} THEN h.first ELSE h.last + p.start END"
    sector = f"CASE p.sector WHEN '{anywhere.sector}' THEN h.sector ELSE p.sector END"
    measures = _listed(MEASURES, "p.")
    every = _listed([*_KEYS, *MEASURES])
    return f"""
        CREATE OR REPLACE TEMP TABLE days AS
        SELECT {_listed(_KEYS)}, {_summed()} FROM (
            SELECT {every} FROM known WHERE cube = '{cube}'
            UNION ALL BY NAME
            SELECT p.cube, {first} AS start, h.last + p."end" AS "end", {sector} AS sector,
                {others}, {measures}
            FROM happened h JOIN parts p USING (family) WHERE p.cube = '{cube}'
        ) GROUP BY ALL HAVING sum(shares) > 0
    """  # noqa: S608


def _as_kept() -> str:
    """Cells of days as SQLite keeps them, days as text."""
    start, end = (
        f'(DATE \'1970-01-01\' + "{name}"::INTEGER)::VARCHAR AS "{name}"'
        for name in ("start", "end")
    )
    others = _listed([*_OTHER_KEYS, *MEASURES])
    return f"SELECT cube, {start}, {end}, {others} FROM days ORDER BY {_listed(_KEYS)}"  # noqa: S608


def _larger(cube: str) -> str:
    return f"""
        SELECT '{cube}' AS cube, f.first AS start, l.last AS "end", {_listed(_OTHER_KEYS, "d.")},
            {_summed("d.")}
        FROM days d JOIN units f ON f.day = d.start JOIN units l ON l.day = d."end"
        GROUP BY ALL ORDER BY {_listed(_KEYS)}
    """  # noqa: S608


def _store(connection: sqlite3.Connection, sums: duckdb.DuckDBPyConnection, query: str) -> None:
    names = [*_KEYS, *MEASURES]
    marks = ", ".join("?" * len(names))
    insertion = f'INSERT INTO "{CELLS.name}" ({_listed(names)}) VALUES ({marks})'  # noqa: S608
    found = sums.execute(query)
    assert [each[0] for each in found.description or ()] == names
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        connection.executemany(insertion, rows)


def _known(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The cells of days that there are."""
    names = [*_KEYS, *MEASURES]
    cubes = {cube.name(DAYS.name) for cube in CUBES}
    for row in connection.execute(f'SELECT {_listed(names)} FROM "{CELLS.name}"'):  # noqa: S608
        cell = dict(zip(names, row, strict=True))
        if cell["cube"] in cubes:
            yield {**cell, **{name: _number(cell[name]) for name in ("start", "end")}}


def _parts(recorded: Sequence[Family]) -> Iterator[dict[str, Any]]:
    """What each family adds, days as distances from its last."""
    for number, family in enumerate(recorded):
        for row in family.rows[SUMMED.name]:
            yield {
                "family": number,
                **{c.name: kept_of(row[c.name], c, family.time) for c in CELLS.columns},
            }


def _units(sums: duckdb.DuckDBPyConnection, cut: Any) -> Iterator[dict[str, Any]]:
    """The unit of every day that there is."""
    [(start, end)] = sums.execute('SELECT min(start), max("end") FROM days').fetchall()
    for number in range(start, end + 1):
        first, last = cut.unit(_DAY_ZERO + timedelta(number))
        yield {"day": number, "first": first.isoformat(), "last": last.isoformat()}


def _number(text: str) -> int:
    return (date.fromisoformat(text) - _DAY_ZERO).days


def _take(sums: duckdb.DuckDBPyConnection, name: str, rows: Iterator[dict[str, Any]]) -> None:
    sums.register("given", pa.Table.from_pylist(list(rows)))
    sums.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")  # noqa: S608
    sums.unregister("given")


def _table(happenings: Happenings) -> pa.Table:
    return pa.table(
        {
            "family": happenings.family,
            "first": happenings.first,
            "last": happenings.last,
            "sector": pa.array([spot.sector for spot in happenings.spot]).dictionary_encode(),
        }
    )
