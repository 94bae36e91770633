"""What the service is compared to: DuckDB, with the same rows as it likes them best."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from service.domain.vocabulary import SUMMED_OUTCOMES

_AT_ONCE: Final = 200_000
THREADS: Final = 2
_TABLES: Final = {
    "accounts": (
        "SELECT incident_id, claimant, known_start, known_end, sector, status, reports"
        " FROM accounts WHERE counted AND level = 0"
    ),
    "weapons": "SELECT incident_id, weapon FROM account_weapons WHERE claimant = '' AND level = 0",
    "figures": (
        "SELECT incident_id, claimant, party, outcome, counted_low, counted_best, counted_high"
        " FROM figures WHERE level = 0 AND counted_low IS NOT NULL"
        " AND (claimant = '' OR party = '')"
    ),
}
_SUMS: Final = ", ".join(
    f"max(counted_{bound}) FILTER (WHERE outcome = '{outcome}') AS {outcome}_{bound}"
    for outcome in SUMMED_OUTCOMES
    for bound in ("low", "best", "high")
)
# Ids are of no use once the rows are joined.
_WIDE: Final = f"""
    CREATE TABLE facts AS
        SELECT a.* EXCLUDE (incident_id), f.* EXCLUDE (incident_id, claimant)
        FROM accounts a LEFT JOIN (
            SELECT incident_id, claimant, {_SUMS} FROM figures WHERE party = '' GROUP BY ALL
        ) f USING (incident_id, claimant) ORDER BY known_start;
    CREATE TABLE by_weapon AS
        SELECT coalesce(weapon, 'unstated') AS weapon,
            a.* EXCLUDE (incident_id), f.* EXCLUDE (incident_id, claimant)
        FROM accounts a LEFT JOIN weapons USING (incident_id) LEFT JOIN (
            SELECT incident_id, claimant, {_SUMS} FROM figures WHERE party = '' GROUP BY ALL
        ) f USING (incident_id, claimant) WHERE a.claimant = '' ORDER BY known_start;
    CREATE TABLE by_party AS
        SELECT coalesce(party, 'unstated') AS party,
            a.* EXCLUDE (incident_id), f.* EXCLUDE (incident_id, claimant, party)
        FROM accounts a LEFT JOIN (
            SELECT incident_id, claimant, party, {_SUMS} FROM figures WHERE party <> ''
            GROUP BY ALL
        ) f USING (incident_id, claimant) WHERE a.claimant = '' ORDER BY known_start;
    DROP TABLE accounts; DROP TABLE weapons; DROP TABLE figures;
"""  # noqa: S608


def duckdb_of(file: Path) -> duckdb.DuckDBPyConnection:
    """The same rows as the SQLite file holds, in a file of DuckDB's own, made unless it is there:
    one wide row for each account, for each weapon of one and for each party in one."""
    own = file.with_suffix(".duckdb")
    if not own.exists():
        half = own.with_suffix(".half")
        half.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as source, duckdb.connect(str(half)) as target:
            target.execute("SET enable_progress_bar = false")
            for name, query in _TABLES.items():
                for number, rows in enumerate(_batches(source, query)):
                    target.register("given", rows)
                    into = f"INSERT INTO {name}" if number else f"CREATE TABLE {name} AS"
                    target.execute(f"{into} SELECT * FROM given")  # noqa: S608
            target.execute(
                "ALTER TABLE accounts ALTER known_start TYPE DATE;"
                "ALTER TABLE accounts ALTER known_end TYPE DATE"
            )
            target.execute(_WIDE)
        half.rename(own)
    connection = duckdb.connect(str(own), read_only=True)
    connection.execute(f"SET threads = {THREADS}; SET enable_progress_bar = false")
    return connection


def _batches(source: sqlite3.Connection, query: str) -> Iterator[pa.Table]:
    cursor = source.execute(query)
    names = [each[0] for each in cursor.description]
    kinds = {"reports": pa.int64()} | {
        f"counted_{bound}": pa.int64() for bound in ("low", "best", "high")
    }
    while rows := cursor.fetchmany(_AT_ONCE):
        columns = zip(*rows, strict=True)
        yield pa.table(
            {
                name: pa.array(values, kinds.get(name, pa.string()))
                for name, values in zip(names, columns, strict=True)
            }
        )
