"""Bringing a database to the schema this code was written for, and refusing any other."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.errors import Unavailable
from service.store.database import Database

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
# Any number nobody else uses; it keeps two processes from migrating one database at once.
_MIGRATION_LOCK: Final = 2_022_0913


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade (or downgrade, for an older revision) the database at `url`.

    Foreign keys are off on SQLite meanwhile, since rebuilding a table would delete its children.
    """
    database = Database(url, foreign_keys=False)
    try:
        with database.engine.connect() as connection:
            config = _config(connection)
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SET lock_timeout = '10s'"))
                connection.execute(sa.select(sa.func.pg_advisory_lock(_MIGRATION_LOCK)))
                connection.commit()
            current = MigrationContext.configure(connection).get_current_revision()
            connection.commit()
            if _is_older(revision, current):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
    finally:
        database.close()


def check_schema(database: Database) -> None:
    """Raise `Unavailable` unless the database has exactly the schema of this code."""
    with database.reading() as session:
        current = MigrationContext.configure(session.connection()).get_current_revision()
    expected = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if current != expected:
        raise Unavailable(
            f"The database is at schema {current or 'none'}, this version needs {expected}; "
            "run `ceasefire migrate` with the matching version."
        )


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _is_older(revision: str, current: str | None) -> bool:
    if revision == "base":
        return True
    if current is None or revision == "head":
        return False
    older = ScriptDirectory(str(MIGRATIONS)).iterate_revisions(current, "base")
    return any(r.revision == revision and revision != current for r in older)
