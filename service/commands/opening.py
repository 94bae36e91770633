"""What every command starts with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from service.settings import Settings
from service.store.database import Database
from service.store.journal import Author
from service.work.keys import OPERATOR


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database that the settings name, until the command is done with it."""
    database = Database(settings.database_url, statement_timeout=settings.statement_timeout)
    try:
        yield database
    finally:
        database.close()


def operator() -> Author:
    """Whoever sits at the machine."""
    return Author(OPERATOR, datetime.now(UTC))
