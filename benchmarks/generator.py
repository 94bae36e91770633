"""Databases with as many made-up incidents as wanted, written into the service's own tables.

A few thousand families of incidents are recorded by the service (`benchmarks.families`); each then
happens again and again, on other days in other places, by one `INSERT … SELECT` for each table.
What the rows say stays consistent, since moving a whole family in time and space changes no figure;
`python -m benchmarks check` proves it by the service's own recount.

Left out are the record itself (revisions, ledger) of what is made up, times of day, reports that
fewer than all are shown, incidents that lie across two sectors and, beyond two million incidents,
the reports themselves.
"""

import random
import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
import sqlalchemy as sa

from benchmarks import families, happened_sums, happenings
from benchmarks.families import (
    FIRST,
    NOON,
    RECORDED,
    STANDS_FOR_IDS,
    Family,
    Spot,
    Time,
    distance_of,
    is_time,
    kept_of,
)
from benchmarks.happened_sums import summed
from benchmarks.happenings import Happenings, Scenes, happen
from service.domain.cells import CUBES, DAYS
from service.domain.theatre import Theatre
from service.store import schema, summing, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import accounts, cells, reference, seed

ROOT: Final = Path(__file__).resolve().parents[1]
_FAMILIES: Final = 3_000
MOST_WITH_REPORTS: Final = 2_000_000
"""Of more incidents than these only the accounts are written, for want of room on disks."""
WITHOUT_REPORTS: Final = tuple(
    table for table in RECORDED if table.name not in ("reports", "report_terms")
)
_SQLITE: Final = ("synchronous = OFF", "cache_size = -1000000", "foreign_keys = OFF")


@dataclass(frozen=True, slots=True)
class Made:
    """A database as it was made: where, and of how many incidents."""

    file: Path
    incidents: int

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"


def database(folder: Path, incidents: int, seed_: int = 1) -> Made:
    """The database of so many incidents, made unless the folder holds it already."""
    file = folder / f"{incidents}-{seed_}-{_version()}.db"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as home:
            half = Path(home) / "half.db"
            make(half, incidents, seed_)
            half.rename(file)
    return Made(file, incidents)


def make(file: Path, incidents: int, seed_: int = 1, kinds: int = _FAMILIES) -> None:
    """Fill a new file with the reference data, the documented incidents and so many made up.

    `kinds` is how many families are recorded to be repeated.
    """
    url = f"sqlite:///{file}"
    schema.migrate(url)
    tracker = Database(url)
    author = Author("benchmark", datetime(2026, 1, 1, tzinfo=UTC))
    tracker.write(lambda session: seed.load(session, ROOT / "seed_data", author))
    with tracker.reading() as session:
        theatre = reference.load(session)
    # So that what is summed from here on is what families add.
    tracker.write(lambda session: cells.rebuild(session, theatre))
    scenes = Scenes(theatre, np.random.default_rng(seed_))
    recorded = _recorded(tracker, theatre, scenes.anywhere, kinds, random.Random(seed_))  # noqa: S311
    tracker.close()
    happened = happen(recorded, scenes, incidents)
    written = RECORDED if incidents <= MOST_WITH_REPORTS else WITHOUT_REPORTS
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        for pragma in _SQLITE:
            connection.execute(f"PRAGMA {pragma}")
        indexes = _without_indexes(connection)
        _repeat(connection, recorded, happened, scenes.anywhere, written)
        for index in indexes:
            connection.execute(index)
        _sum(connection, recorded, happened, scenes.anywhere)
        connection.execute("PRAGMA journal_mode = WAL")
    tracker = Database(url)
    tracker.write(lambda session: summing.roll_up(session, theatre))
    tracker.close()


def differences(file: Path) -> Sequence[object]:
    """The incidents of which a recount from their reports says something else, and the cells of
    which a recount from the accounts does."""
    tracker = Database(f"sqlite:///{file}")
    with tracker.reading() as session:
        theatre = reference.load(session)
        found = [
            *accounts.differences(session, theatre),
            *summing.differences(session, theatre),
        ]
    tracker.close()
    return found


def copy_to_postgresql(file: Path, url: str) -> None:
    """Make an empty PostgreSQL database hold what the file holds."""
    schema.migrate(url)
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(sqlite3.connect(file)) as source, psycopg.connect(plain) as target:
        # Neither triggers nor keys of other tables are looked at.
        target.execute("SET session_replication_role = replica")
        for table in tables.metadata.sorted_tables:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            statement = f'COPY "{table.name}" ({names}) FROM STDIN'
            with target.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[arg-type]
                for row in source.execute(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608
                    copy.write_row(row)
            for column in table.columns:
                if column.primary_key and isinstance(column.type, sa.BigInteger):
                    _count_on(target, table.name, column.name)
    with closing(psycopg.connect(plain, autocommit=True)) as target:
        target.execute("VACUUM ANALYZE")


def _count_on(target: psycopg.Connection[Any], table: str, column: str) -> None:
    """Let a counter go on behind what was copied."""
    target.execute(
        f"SELECT setval(s.name, coalesce((SELECT max({column}) FROM {table}), 1))"  # type: ignore[arg-type] # noqa: S608
        f" FROM (SELECT pg_get_serial_sequence('{table}', '{column}') AS name) AS s"
        " WHERE s.name IS NOT NULL"
    )


def _version() -> str:
    """Changes with the schema, the reference data and how things are made up."""
    known = sha256()
    for folder, pattern in (
        (ROOT / "migrations" / "versions", "*.py"),
        (ROOT / "seed_data", "**/*.*"),
        (ROOT / "service" / "domain", "cells.py"),
        (ROOT / "service" / "store", "summing.py"),
    ):
        for file in sorted(folder.glob(pattern)):
            known.update(file.read_bytes())
    for module in (families, happened_sums, happenings, sys.modules[__name__]):
        known.update(Path(str(module.__file__)).read_bytes())
    return known.hexdigest()[:12]


def _recorded(
    tracker: Database, theatre: Theatre, spot: Spot, kinds: int, chance: random.Random
) -> list[Family]:
    found: list[Family] = []

    def work(session: Any) -> None:
        found[:] = families.record_families(session, theatre, spot, kinds, chance)

    tracker.write(work)
    return found


def _without_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes that are not keys; return how to make them again."""
    filled = {table.name for table in RECORDED}
    found = connection.execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, table, _ in found:
        if table in filled:
            connection.execute(f'DROP INDEX "{name}"')
    return [made for _, table, made in found if table in filled]


def _repeat(
    connection: sqlite3.Connection,
    recorded: Sequence[Family],
    happened: Happenings,
    anywhere: Spot,
    written: Sequence[sa.Table],
) -> None:
    connection.execute("ATTACH ':memory:' AS made")
    for table in written:
        _keep(connection, table, recorded, anywhere)
    statements = [_insertion(table, anywhere) for table in written]
    connection.execute(
        "CREATE TABLE made.happenings (number INTEGER PRIMARY KEY, family, prefix, first, last,"
        " month, year, sector, latitude, longitude)"
    )
    for begin, some in happened.parts():
        connection.execute("BEGIN")
        connection.execute("DELETE FROM made.happenings")
        connection.executemany(
            f"INSERT INTO made.happenings VALUES ({_marks(10)})",  # noqa: S608
            some.rows(begin),
        )
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")


def _sum(
    connection: sqlite3.Connection,
    recorded: Sequence[Family],
    happened: Happenings,
    anywhere: Spot,
) -> None:
    """Leave the cells of days alone, with what happened added to them."""
    columns = [column.name for column in tables.CELLS.columns]
    names = ", ".join(f'"{name}"' for name in columns)
    days = [cube.name(DAYS.name) for cube in CUBES]
    known = connection.execute(
        f"SELECT {names} FROM cells WHERE cube IN ({_marks(len(days))})",  # noqa: S608
        days,
    ).fetchall()
    connection.execute("DELETE FROM cells")
    connection.execute("BEGIN")
    for rows in summed(recorded, happened, anywhere, known):
        connection.executemany(
            f"INSERT INTO cells ({names}) VALUES ({_marks(len(columns))})",  # noqa: S608
            rows,
        )
    connection.execute("COMMIT")


def _marks(many: int) -> str:
    return ", ".join("?" * many)


def _keep(
    connection: sqlite3.Connection, table: sa.Table, recorded: Sequence[Family], spot: Spot
) -> None:
    """The rows of the families as something to be repeated: days as distances from the last."""
    columns = [column.name for column in table.columns]
    extra = ["family", "said", "came"] if table.name == "reports" else ["family"]
    connection.execute(f'CREATE TABLE made."{table.name}" ({", ".join([*extra, *columns])})')
    marks = _marks(len(extra) + len(columns))
    statement = f'INSERT INTO made."{table.name}" VALUES ({marks})'  # noqa: S608
    keys = [column.name for column in table.primary_key]
    for number, family in enumerate(recorded):
        rows = sorted(family.rows[table.name], key=lambda row: tuple(str(row[k]) for k in keys))
        for row in rows:
            kept = [kept_of(row[c.name], c, family.time) for c in table.columns]
            if table.name == "reports":
                at = columns.index("record")
                kept[at] = _blanked(row, family.time, spot)
                days = [distance_of(row[c], family.time) for c in ("reported_end", "received_day")]
                kept = [*days, *kept]
            connection.execute(statement, [number, *kept])
    connection.execute(f'CREATE INDEX made."of_{table.name}" ON "{table.name}" (family)')


def _blanked(row: Mapping[str, Any], time: Time, spot: Spot) -> str:
    """The record of a report with blanks for all that is other when it happens again."""
    record: str = row["record"]
    when = families.text_of(time, time.first, time.last)
    blanks = {
        f'"when":"{when}"': f'"when":"{time.text}"',
        time.first.isoformat(): "{first}",
        time.last.isoformat(): "{last}",
        row["reported_end"]: "{said}",
        row["received_day"]: "{came}",
        f'"{spot.sector}"': '"{sector}"',
        "00000000-0000-7": "{id}-7",
        str(spot.latitude): "{latitude}",
        str(spot.longitude): "{longitude}",
    }
    for text, blank in blanks.items():
        record = record.replace(text, blank)
    return record


def _insertion(table: sa.Table, spot: Spot) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_expression(column, spot) for column in table.columns)
    return (
        f'INSERT INTO main."{table.name}" ({columns}) SELECT {values} '  # noqa: S608
        f'FROM made.happenings h CROSS JOIN made."{table.name}" t ON t.family = h.family'
    )


def _expression(column: sa.Column[Any], spot: Spot) -> str:
    kept = f't."{column.name}"'
    if isinstance(column.type, sa.Uuid):
        return f"h.prefix || substr({kept}, {len(STANDS_FOR_IDS) + 1})"
    if is_time(column):
        noon = "" if isinstance(column.type, sa.Date) else f" || '{NOON}'"
        return f"{_day(kept)}{noon}"
    if column.name == "record":
        text = kept
        for blank, value in {
            "first": "date(h.first)",
            "last": "date(h.last)",
            "month": "h.month",
            "year": "h.year",
            "said": _day("t.said"),
            "came": _day("t.came"),
            "sector": "h.sector",
            "id": "substr(h.prefix, 1, 8) || '-' || substr(h.prefix, 9)",
            "latitude": "h.latitude",
            "longitude": "h.longitude",
        }.items():
            text = f"replace({text}, '{{{blank}}}', {value})"
        return text
    if column.name == "sector":
        return f"CASE {kept} WHEN '{spot.sector}' THEN h.sector ELSE {kept} END"
    if column.name in ("latitude", "longitude"):
        return f"CASE WHEN {kept} IS NULL THEN NULL ELSE h.{column.name} END"
    return kept


def _day(distance: str) -> str:
    return f"CASE {distance} WHEN {FIRST} THEN date(h.first) ELSE date(h.last + {distance}) END"
