"""A database that each released schema left behind, brought to the present one and back."""

import base64
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.store import schema
from service.work import ledger, verify
from tests import postgres
from tests.harness import Databases, Ids, Service
from tests.reckoning import Json

RELEASED = sorted((Path(__file__).parent / "data" / "released").glob("*.json"))

# Incidents, episodes and reports that the public is told of.
TOTALS = {"0001": (2, 1, 6), "0002": (2, 1, 6), "0003": (7, 1, 11), "0004": (9, 1, 13)}


@pytest.fixture(params=RELEASED, ids=lambda path: path.stem)
def old(
    request: pytest.FixtureRequest, databases: Databases, backend: str, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """The URL of a database as a released version left it, and its schema's revision."""
    path: Path = request.param
    if backend == "sqlite":
        yield filled(f"sqlite:///{tmp_path / 'old.db'}", path), path.stem
    else:
        with postgres.database(databases.server_url) as url:
            yield filled(url, path), path.stem


def filled(url: str, path: Path) -> str:
    schema.migrate(url, path.stem)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    kept = sa.MetaData()
    kept.reflect(engine)
    with engine.begin() as connection:
        for name, rows in sorted(
            json.loads(path.read_text()).items(),
            key=lambda each: kept.sorted_tables.index(kept.tables[each[0]]),
        ):
            table = kept.tables[name]
            for row in sorted(
                rows,
                key=lambda row: (bool(row.get("merged_into")), str(row.get("parent_id") or "")),
            ):
                connection.execute(sa.insert(table).values(typed(table, row)))
        if engine.dialect.name == "postgresql":
            # Rows put in with their numbers leave the counter behind.
            newest = "(SELECT max(sequence) FROM revisions)"
            counter = "pg_get_serial_sequence('revisions', 'sequence')"
            connection.execute(sa.text(f"SELECT setval({counter}, {newest})"))
    return url


def typed(table: sa.Table, row: Json) -> Json:
    """JSON has no days, instants and bytes; the databases have."""
    return {name: of_type(table.columns[name].type, value) for name, value in row.items()}


def of_type(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, sa.CHAR | sa.Uuid) and len(value) == 36:
        return value.replace("-", "") if isinstance(kind, sa.CHAR) else value
    return value


def rows(url: str) -> dict[str, list[str]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    kept = sa.MetaData()
    kept.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: sorted(
                repr(sorted(dict(row).items()))
                for row in connection.execute(sa.select(table)).mappings()
            )
            for table in kept.sorted_tables
            if table.name != "alembic_version"
        }


def test_what_a_released_version_kept_is_as_the_record_says(old: tuple[str, str]) -> None:
    url, revision = old
    schema.migrate(url)
    service = Service(url, new_id=Ids(0xF000))
    try:
        ledger.catch_up(service.database)
        with service.database.reading() as session:
            assert list(verify.broken(session)) == []
        assert service.wrong_accounts() == []
        total = service.aggregates(period="total", by="", fill="none")["total"]
        assert (total["incidents"], total["episodes"], total["reports"]) == TOTALS[revision]
        told = service.get("/v1/reports", Role.REVIEWER, q="night river")["items"]
        assert [each["status"] for each in told] == ["withdrawn"]
    finally:
        service.close()


def test_back_again_it_holds_what_it_held(old: tuple[str, str]) -> None:
    url, revision = old
    before = rows(url)
    schema.migrate(url)
    schema.migrate(url, revision)
    assert rows(url) == before
