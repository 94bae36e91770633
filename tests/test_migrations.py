"""Bringing a database from one schema to another, with all that is in it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.domain.access import Role
from service.errors import Unavailable
from service.formats.sealing import unseal
from service.store import schema, tables
from service.store.database import Database
from service.work import cells, ledger, verify
from service.work.reference import Theatres
from tests import pictures, postgres
from tests.harness import Databases, Ids, Service, fill
from tests.processes import ROOT, application

HEAD = ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {before!r}


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
"""


@pytest.fixture
def empty(databases: Databases, backend: str, tmp_path: Path) -> Iterator[str]:
    """A database with no table in it."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with postgres.database(databases.server_url) as url:
            yield url


@pytest.fixture
def full(databases: Databases, backend: str) -> Iterator[str]:
    """A database with every documented incident."""
    with databases.fresh(backend, "seeds") as url:
        yield url


@dataclass
class Future:
    """The migrations with one more at their end."""

    folder: Path

    def write(self, upgrade: list[str], downgrade: list[str] | None = None) -> None:
        text = MIGRATION.format(
            before=HEAD,
            upgrade="\n".join(f"    {line}" for line in upgrade),
            downgrade="\n".join(f"    {line}" for line in downgrade or ["pass"]),
        )
        (self.folder / "versions" / "9999_later.py").write_text(text)


@pytest.fixture
def future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Future:
    folder = tmp_path / "migrations"
    copytree(schema.MIGRATIONS, folder)
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    return Future(folder)


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def rows(url: str, **renamed: str) -> dict[str, list[Any]]:
    """Every row of every table but that of the schema's own revision, by its columns' names.

    `renamed` gives columns that are called otherwise now their old names.
    """

    def told(row: Any) -> str:
        return repr(sorted((renamed.get(name, name), value) for name, value in row.items()))

    return _told(url, told)


def facts(url: str) -> dict[str, list[Any]]:
    """The same, but what is sealed by what it says, since no salt comes twice."""

    def told(row: Any) -> str:
        plain = dict(row)
        if "private" in plain:
            plain["fact"] = unseal(plain.pop("entry"), plain.pop("private"))
            del plain["sha256"]
        return repr(sorted(plain.items()))

    return _told(url, told)


def _told(url: str, told: Callable[[Any], str]) -> dict[str, list[Any]]:
    with connected(url) as connection:
        kept = sa.MetaData()
        kept.reflect(connection)
        return {
            table.name: sorted(map(told, connection.execute(sa.select(table)).mappings()))
            for table in kept.sorted_tables
            if table.name != "alembic_version"
        }


def shape(url: str) -> dict[str, Any]:
    """Tables with their columns, keys and indexes, as the database itself tells them."""
    with connected(url) as connection:
        inspector = sa.inspect(connection)
        return {
            table: (
                {
                    column["name"]: {**column, "type": str(column["type"])}
                    for column in inspector.get_columns(table)
                },
                inspector.get_pk_constraint(table),
                sorted(map(repr, inspector.get_foreign_keys(table))),
                sorted(map(told, inspector.get_indexes(table))),
                sorted(map(repr, inspector.get_unique_constraints(table))),
            )
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }


def told(index: Any) -> str:
    """An index with the condition that it holds under, if it does, as text."""
    only = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return repr({**index, "dialect_options": only})


def difference(url: str) -> list[Any]:
    with connected(url) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, tables.metadata))


def revision(url: str) -> str | None:
    with connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def test_the_migrations_make_what_the_code_expects(empty: str) -> None:
    schema.migrate(empty)
    assert revision(empty) == HEAD
    assert difference(empty) == []


def test_the_migrations_make_what_creating_the_tables_would(
    empty: str,
) -> None:
    schema.migrate(empty)
    engine = sa.create_engine(empty)
    migrated = shape(empty)
    tables.metadata.drop_all(engine)
    assert shape(empty) == {}
    tables.metadata.create_all(engine)
    engine.dispose()
    assert migrated == shape(empty)


def test_a_column_that_no_migration_makes_is_noticed(empty: str) -> None:
    schema.migrate(empty)
    with connected(empty) as connection:
        connection.exec_driver_sql("ALTER TABLE reports DROP COLUMN killed_low")
        connection.commit()
    assert len(difference(empty)) == 1


def test_migrating_twice_changes_nothing(full: str) -> None:
    before = rows(full)
    schema.migrate(full)
    assert rows(full) == before


def test_every_migration_can_be_undone_and_done_again(empty: str) -> None:
    steps = [r.revision for r in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()][::-1]
    for step in steps:
        before = shape(empty)
        schema.migrate(empty, step)
        after = shape(empty)
        schema.migrate(empty, str(revision_before(step)))
        assert shape(empty) == before
        schema.migrate(empty, step)
        assert shape(empty) == after


def revision_before(step: str) -> str:
    return str(ScriptDirectory(str(schema.MIGRATIONS)).get_revision(step).down_revision or "base")


def test_down_with_data_leaves_nothing_and_up_again_takes_the_same_data(full: str) -> None:
    before = facts(full)
    assert len(before["reports"]) > 90
    schema.migrate(full, "base")
    assert (revision(full), rows(full)) == (None, {})
    schema.migrate(full)
    fill(full, "seeds")
    assert facts(full) == before


def test_without_imports_what_they_brought_stays_and_the_record_holds(full: str) -> None:
    service = Service(full, new_id=Ids(0xF000))
    try:
        service.declare("wire")
        told = {"id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e21", "when": "2022-08-03"}
        line = json.dumps({**told, "where": {"place": "Lachin"}, "claimant": "icrc"})
        ran = service.run("wire", f"{line}\n{line}\n")
        assert (ran["account"]["created"], ran["account"]["rejected"]) == (1, 1)
        service.declare("news", format="rss")
        entry = "<item><guid>1</guid><title>Shelling near Lachin</title></item>"
        service.run("news", f"<rss version='2.0'><channel>{entry}</channel></rss>")
        ledger.catch_up(service.database)
    finally:
        service.close()
    before = rows(full)
    schema.migrate(full, "0002")
    assert not {"feeds", "imports", "archive_pieces", "rejects", "leads"} & {*rows(full)}
    schema.migrate(full)
    database = Database(full)
    cells.ensure(database, Theatres())
    after = rows(full)
    assert {name for name in before if before[name] != after[name]} == {
        *("feeds", "imports", "archive_pieces", "rejects", "leads"),
        # Summed anew, so that nothing is left to fold.
        *("cells", "cell_changes"),
        # The ledger begins anew, without what was recorded of imports.
        *("revisions", "leaves", "nodes", "pending"),
    }
    ledger.catch_up(database)
    with database.reading() as session:
        assert list(verify.broken(session)) == []
    database.close()


def test_without_photos_their_reports_stay_and_the_record_holds(full: str) -> None:
    service = Service(full, new_id=Ids(0xF000))
    try:
        report = service.post(
            {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc"}
        )
        before = rows(full)
        photo = pictures.sent(service, report["id"], pictures.jpeg())["id"]
        service.act(f"/v1/photos/{photo}/release", {"reason": "Nobody is in it."})
        opened = service.client.get(
            f"/v1/photos/{photo}/original", headers=service.headers(Role.REVIEWER)
        )
        assert opened.status_code == 200
        ledger.catch_up(service.database)
    finally:
        service.close()
    schema.migrate(full, "0004")
    assert not {"photos", "photo_pieces"} & {*rows(full)}
    schema.migrate(full)
    with closing(Database(full)) as database:
        ledger.catch_up(database)
        with database.reading() as session:
            assert list(verify.broken(session)) == []
            assert session.scalar(sa.select(sa.func.count()).select_from(tables.Photo)) == 0
    after = rows(full)
    ledgers = {"revisions", "leaves", "nodes", "pending"}
    assert {name for name in before if before[name] != after[name]} <= ledgers
    assert after["revisions"] == before["revisions"]


def test_rebuilding_tables_that_others_refer_to_keeps_every_row(full: str, future: Future) -> None:
    rename = [
        "with op.batch_alter_table('incidents') as batch:",
        "    batch.alter_column('{}', new_column_name='{}')",
        "with op.batch_alter_table('reports') as batch:",
        "    batch.alter_column('{}', new_column_name='{}')",
    ]
    there, back = ("title", "heading"), ("heading", "title")
    future.write(
        [line.format(*there) for line in rename[:2]]
        + [line.format("place", "spot") for line in rename[2:]],
        [line.format(*back) for line in rename[:2]]
        + [line.format("spot", "place") for line in rename[2:]],
    )
    before, columns = rows(full), shape(full)
    schema.migrate(full)
    assert rows(full, heading="title", spot="place") == before
    assert shape(full) != columns
    schema.migrate(full, str(HEAD))
    assert rows(full) == before
    assert shape(full) == columns
    assert broken_references(full) == []


def broken_references(url: str) -> list[Any]:
    if not url.startswith("sqlite"):
        return []
    with connected(url) as connection:
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))


STATEMENTS = [
    "op.add_column('incidents', sa.Column('later', sa.Text()))",
    "op.execute(\"UPDATE incidents SET later = title, title = 'x'\")",
    "op.create_table('later', sa.Column('id', sa.Integer, primary_key=True))",
    "op.execute('INSERT INTO later VALUES (1)')",
    "op.drop_index('ix_reports_place', 'reports')",
    "op.execute('DELETE FROM report_terms')",
]


def test_a_migration_that_fails_changes_nothing_and_can_be_run_again(
    full: str, future: Future
) -> None:
    before = (revision(full), shape(full), rows(full))
    for reached in range(1, len(STATEMENTS) + 1):
        future.write([*STATEMENTS[:reached], "raise RuntimeError('the power went')"])
        with pytest.raises(RuntimeError, match="the power went"):
            schema.migrate(full)
        assert (revision(full), shape(full), rows(full)) == before
    future.write(STATEMENTS)
    schema.migrate(full)
    assert revision(full) == "9999"
    assert rows(full)["later"] == ["[('id', 1)]"]


# The parent only imports; each child opens its own connections and waits for the others.
TEN = """
import logging, multiprocessing, sys
from service.store.schema import migrate

def run(gate):
    logging.basicConfig(level="INFO", stream=sys.stdout)
    gate.wait()
    migrate(sys.argv[1])

fork = multiprocessing.get_context("fork")
gate = fork.Barrier(10)
processes = [fork.Process(target=run, args=[gate]) for _ in range(10)]
for process in processes:
    process.start()
for process in processes:
    process.join()
print("ended:", [process.exitcode for process in processes])
"""


def test_ten_processes_that_migrate_at_once_do_it_once(empty: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TEN, empty],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"ended: {[0] * 10}" in done.stdout, done.stderr
    steps = len(list(ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()))
    assert done.stdout.count("Running upgrade") == steps
    assert difference(empty) == []


def test_the_service_does_not_start_without_tables(empty: str) -> None:
    with pytest.raises(Unavailable, match=f"at schema none, this version needs {HEAD}"):
        start(empty)


def test_the_service_does_not_start_on_an_older_schema(full: str, future: Future) -> None:
    future.write(["pass"])
    with pytest.raises(Unavailable, match=f"at schema {HEAD}, this version needs 9999"):
        start(full)


def test_the_service_does_not_start_on_a_newer_schema(full: str, future: Future) -> None:
    future.write(["pass"])
    schema.migrate(full)
    (future.folder / "versions" / "9999_later.py").unlink()
    with pytest.raises(Unavailable, match=f"at schema 9999, this version needs {HEAD}"):
        start(full)


def test_a_running_service_is_not_ready_once_the_schema_has_moved_on(
    service: Service, future: Future
) -> None:
    assert service.client.get("/health/ready").status_code == 200
    future.write(["op.add_column('incidents', sa.Column('later', sa.Text()))"])
    schema.migrate(service.url)
    (future.folder / "versions" / "9999_later.py").unlink()
    answer = service.client.get("/health/ready")
    assert answer.status_code == 503
    assert "9999" in answer.json()["detail"]
    assert service.client.get("/health/live").status_code == 200


def start(url: str) -> None:
    with application(url):
        pass
