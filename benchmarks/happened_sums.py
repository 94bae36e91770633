"""What families add up to when they happen again and again: each tells what it adds to sums, and
these are moved with it in time and space. Sums of so many are made by DuckDB, in minutes; that
they are the service's own is what `python -m benchmarks check` proves."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

from benchmarks.families import FIRST, Family, Spot, kept_of
from benchmarks.happenings import Happenings
from service.domain.cells import CUBES, DAYS, KEYS, MEASURES
from service.store.tables import CELL_CHANGES

Row = tuple[Any, ...]

_AT_ONCE: Final = 50_000
_COLUMNS: Final = (*KEYS, *MEASURES)
_APART: Final = tuple(name for name in KEYS if name not in ("cube", "start", "end", "sector"))
_SUMS: Final = ", ".join(f"sum({name})::BIGINT AS {name}" for name in MEASURES)


def summed(
    recorded: Sequence[Family], happened: Happenings, anywhere: Spot, known: Sequence[Row]
) -> Iterator[Sequence[Row]]:
    """The cells of days of all that happened and of what was `known` before, in order and in
    parts, as SQLite keeps them."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.register("happened", _table(happened))
        connection.register("told", _told(recorded))
        connection.register("known", _of_rows(_COLUMNS, known))
        for cube in sorted(cube.name(DAYS.name) for cube in CUBES):
            found = connection.execute(_statement(anywhere), {"cube": cube})
            while rows := found.fetchmany(_AT_ONCE):
                yield rows


def _statement(anywhere: Spot) -> str:
    moved = (
        "cube",
        *(f'{_day(name)} AS "{name}"' for name in ("start", "end")),
        (
            f"CASE told.sector WHEN '{anywhere.sector}' THEN happened.sector ELSE told.sector END"
            " AS sector"
        ),
        *(f"told.{name}" for name in (*_APART, *MEASURES)),
    )
    keys = ", ".join(f'"{name}"' for name in KEYS)
    return f"""
        SELECT {keys}, {_SUMS} FROM (
            SELECT {", ".join(moved)} FROM happened JOIN told USING (family) WHERE cube = $cube
            UNION ALL BY NAME SELECT * FROM known WHERE cube = $cube
        ) GROUP BY {keys} HAVING sum(shares) > 0 ORDER BY {keys}
    """  # noqa: S608


def _day(name: str) -> str:
    days = f'CASE told."{name}" WHEN {FIRST} THEN first ELSE last + told."{name}" END'
    return f"strftime(DATE '1970-01-01' + ({days})::INTEGER, '%Y-%m-%d')"


def _table(happened: Happenings) -> pa.Table:
    return pa.table(
        {
            "family": happened.family,
            "first": happened.first,
            "last": happened.last,
            "sector": pa.array([spot.sector for spot in happened.spot]).dictionary_encode(),
        }
    )


def _told(recorded: Sequence[Family]) -> pa.Table:
    """What each family adds to cells; days as distances from the last."""
    columns = [CELL_CHANGES.c[name] for name in _COLUMNS]
    rows = [
        (number, *(kept_of(row[column.name], column, family.time) for column in columns))
        for number, family in enumerate(recorded)
        for row in family.sums
    ]
    return _of_rows(("family", *_COLUMNS), rows)


def _of_rows(names: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
