"""What importing many events costs, everything included, against writing the bare rows.

In one run a file of made-up events (`benchmarks.ucdp_shaped`) is imported as `ceasefire import`
does, into a fresh database, and then exactly the rows that this stored are written into a copy of
the same fresh database: by `executemany` of the driver (SQLite) or by `COPY` (PostgreSQL).
"""

import argparse
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.types.string import TextLoader

from benchmarks import ucdp_shaped
from service.domain.imports import State
from service.formats.feeds import PlanIn
from service.formats.reference import read_folder
from service.identity import new_id
from service.store import schema, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import imports, ledger, reference
from service.work.importing import Importer, untold
from service.work.reference import Theatres
from tests import postgres

T = TypeVar("T")
Rows = Sequence[tuple[Any, ...]]

ROWS_IN_TRANSACTION: Final = 50_000
FEW: Final = 10_000
SEED: Final = Path(__file__).parents[1] / "seed_data"
MOMENT: Final = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step took: seconds, what it wrote, and the most memory its process held (MB)."""

    seconds: float
    written: int
    megabytes: float


def import_file(url: str, file: Path) -> Measured:
    """Import a file as `ceasefire import` does, and give all changes their places in the ledger."""
    database = Database(url)
    importer = Importer(database, Theatres(), lambda: MOMENT, new_id, "benchmark", untold)
    plan = PlanIn(format="ucdp-ged", source="benchmark")
    begin = time.perf_counter()
    with file.open("rb") as opened:
        import_id = importer.begin(plan, "benchmark")
        state = importer.read(import_id, opened)
    ledger.catch_up(database)
    seconds = time.perf_counter() - begin
    with database.reading() as session:
        account = imports.described(imports.get(session, import_id))["account"]
    assert (state, account["created"]) == (State.DONE, account["read"])
    database.close()
    return Measured(seconds, account["read"], _peak_megabytes())


def write_bare(source: str, target: str) -> Measured:
    """Write the rows of `source` that `target` does not hold, and nothing else; only the writing
    is timed."""
    seconds, written = 0.0, 0
    sqlite = sa.make_url(source).get_backend_name() == "sqlite"
    connect: Callable[[str], Any] = _sqlite if sqlite else _postgresql
    write: Callable[..., None] = _execute_many if sqlite else _copy
    with closing(connect(source)) as old, closing(connect(target)) as new:
        for table in tables.metadata.sorted_tables:
            columns = [column.name for column in table.columns]
            keys = [columns.index(column.name) for column in table.primary_key]
            for rows in _missing(old, new, table.name, columns, keys):
                begin = time.perf_counter()
                write(new, table.name, columns, rows)
                seconds += time.perf_counter() - begin
                written += len(rows)
    return Measured(seconds, written, _peak_megabytes())


def _missing(old: Any, new: Any, table: str, columns: list[str], keys: list[int]) -> Iterator[Rows]:
    """The rows that only the old database has, as many at a time as make up a transaction."""
    chosen = ", ".join(f'"{column}"' for column in columns)
    select = f'SELECT {chosen} FROM "{table}"'  # noqa: S608
    here = {tuple(row[i] for i in keys) for row in new.execute(select)}
    new.rollback()
    cursor = old.cursor() if isinstance(old, sqlite3.Connection) else old.cursor("rows")
    cursor.execute(select)
    while rows := cursor.fetchmany(ROWS_IN_TRANSACTION):
        lacking = [row for row in rows if tuple(row[i] for i in keys) not in here]
        if lacking:
            yield lacking
    cursor.close()


def _sqlite(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(sa.make_url(url).database or "")
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _execute_many(
    connection: sqlite3.Connection, table: str, columns: list[str], rows: Rows
) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608
    connection.commit()


def _postgresql(url: str) -> psycopg.Connection[Any]:
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(plain)
    connection.adapters.register_loader("json", TextLoader)
    return connection


def _copy(connection: psycopg.Connection[Any], table: str, columns: list[str], rows: Rows) -> None:
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(into) as copy:
        for row in rows:
            copy.write_row(row)
    connection.commit()


def _peak_megabytes() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def apart(work: Callable[..., T], *arguments: Any) -> T:
    """Do something in a process of its own, so that its memory is counted alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def written(folder: Path, rows: int, seed: int) -> Path:
    file = folder / f"{rows}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        ucdp_shaped.write(opened, rows, seed)
    return file


@dataclass(frozen=True, slots=True)
class Fresh:
    """Databases that hold the reference data and nothing else, all alike."""

    backend: str
    server: str
    folder: Path
    template: str

    @contextmanager
    def another(self) -> Iterator[str]:
        """Yield the URL of a new one, which is gone afterwards."""
        if self.backend == "postgresql":
            name = sa.make_url(self.template).database or ""
            with postgres.database(self.server, name) as url:
                yield url
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            file = Path(folder) / "fresh.db"
            shutil.copy(sa.make_url(self.template).database or "", file)
            yield f"sqlite:///{file}"


@contextmanager
def prepared(backend: str) -> Iterator[Fresh]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if backend == "sqlite":
            url = f"sqlite:///{folder / 'template.db'}"
            apart(_fill, url)
            yield Fresh(backend, "", folder, url)
            return
        with postgres.server(durable=True) as server, postgres.database(server) as url:
            apart(_fill, url)
            yield Fresh(backend, server, folder, url)


def _fill(url: str) -> None:
    schema.migrate(url)
    entries = read_folder(SEED)
    entries["sector"] += ucdp_shaped.areas(within=entries["sector"][0]["id"])
    database = Database(url)
    author = Author("benchmark", MOMENT)
    database.write(lambda session: reference.replace(session, entries, author))
    ledger.catch_up(database)
    database.forget()
    database.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _compare(fresh: Fresh, file: Path) -> None:
    with fresh.another() as source, fresh.another() as target:
        told = apart(import_file, source, file)
        bare = apart(write_bare, source, target)
    name = "COPY" if fresh.backend == "postgresql" else "executemany"
    each = bare.written / told.written
    say(f"{fresh.backend}: {told.written:,} events, stored as {each:.1f} rows each")
    say(f"  import       {told.written / told.seconds:10,.0f} events/s {told.seconds:8.1f} s")
    say(f"  {name:12} {told.written / bare.seconds:10,.0f} events/s {bare.seconds:8.1f} s")
    say(f"  ratio        {bare.seconds / told.seconds:10.3f}")


def _weigh(fresh: Fresh, few: Path, many: Path) -> None:
    held = []
    for file in (few, many):
        with fresh.another() as url:
            told = apart(import_file, url, file)
        held.append(told.megabytes)
        say(f"{fresh.backend}: {told.written:,} events, at most {told.megabytes:.0f} MB")
    say(f"  extra        {held[1] - held[0]:10.0f} MB")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk_import", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="how many events")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1, help="other events for another number")
    parser.add_argument(
        "--memory", action="store_true", help=f"compare the memory of {FEW:,} and of all rows"
    )
    asked = parser.parse_args()
    with prepared(asked.database) as fresh:
        file = written(fresh.folder, asked.rows, asked.seed)
        if asked.memory:
            _weigh(fresh, written(fresh.folder, FEW, asked.seed), file)
        else:
            _compare(fresh, file)


if __name__ == "__main__":
    main()
