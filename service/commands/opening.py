"""What every command starts with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from service.formats.feeds import read_feeds
from service.settings import Settings
from service.store.database import Database
from service.store.journal import Author
from service.work import feeds
from service.work.keys import OPERATOR


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database that the settings name, until the command is done with it."""
    database = Database(settings.database_url, statement_timeout=settings.statement_timeout)
    try:
        yield database
    finally:
        database.close()


def declare_feeds(
    database: Database, settings: Settings, file: Path | None = None
) -> tuple[int, int]:
    """Let the feeds be as a file declares them, where there is one; how many it declares, and how
    many of them changed. Raises `Invalid`."""
    path = file or settings.feeds_file
    if file is None and not path.exists():
        return 0, 0
    declared = read_feeds(path)
    changed = database.write(lambda session: feeds.load(session, declared, operator()))
    return len(declared), changed


def operator() -> Author:
    """Whoever sits at the machine."""
    return Author(OPERATOR, datetime.now(UTC))
