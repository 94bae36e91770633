"""The one file that knows which database is underneath."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, Final, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from service.errors import Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

_BUSY_MILLISECONDS: Final = 5_000
_PATIENCE_SECONDS: Final = 10.0
# Busy, locked, out of memory, read-only, input/output error, full, cannot be opened.
_AWAY: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
# Serialization failure, deadlock, unique violation between concurrent writers.
_RETRIED: Final = {"40001", "40P01", "23505"}
# COPY takes one more round trip than INSERT, and much less for each row.
_WORTH_COPYING: Final = 20


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An instant. Naive values are refused; what comes back is aware and in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs an offset from UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Opens short transactions, each inside one call.

    Readers see one snapshot. Writers are serializable: on PostgreSQL by its isolation level, on
    SQLite because each takes the write lock before it reads. A commit is on disk when it returns.
    """

    def __init__(
        self,
        url: str,
        *,
        read_url: str | None = None,
        statement_timeout: float = 30,
        foreign_keys: bool = True,
    ) -> None:
        self.engine = _engine(url, statement_timeout, foreign_keys)
        self._read_engine = (
            _engine(read_url, statement_timeout, foreign_keys) if read_url else self.engine
        )
        self._readers = sessionmaker(
            self._read_engine.execution_options(
                isolation_level=_level(self._read_engine, "REPEATABLE READ"),
                postgresql_readonly=True,
            )
        )
        self._writers = sessionmaker(
            self.engine.execution_options(isolation_level=_level(self.engine, "SERIALIZABLE")),
            expire_on_commit=False,
        )
        self._one_writer = self.engine.dialect.name == "sqlite"
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One snapshot. Raises `Unavailable` where the database is away or busy."""
        try:
            with self._readers() as session:
                yield session
        except DBAPIError as error:
            raise _refusal(error) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and commit it; run it again where the database asks for it.

        `work` may run several times and must not act outside its session. Raises `Unavailable`
        where the database is away, full, or stays busy.
        """
        patience = time.monotonic() + _PATIENCE_SECONDS
        attempt = 0
        while True:
            attempt += 1
            # SQLite lets one in at a time, but not the one who waits longest; elsewhere those who
            # were in each other's way would be so again.
            turn = self._alone() if self._one_writer or attempt > 1 else nullcontext()
            try:
                with turn, self._writers.begin() as session:
                    return work(session)
            except DBAPIError as error:
                if time.monotonic() > patience or not _may_succeed_again(error):
                    raise _refusal(error) from error
            time.sleep(0.01 * min(attempt, 10))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Take turns with other writers of this process."""
        if not self._turn.acquire(timeout=_PATIENCE_SECONDS):
            raise Unavailable
        try:
            yield
        finally:
            self._turn.release()

    def forget(self) -> None:
        """Leave nothing on disk of what was overwritten, where that is ours to say."""
        if self._one_writer:
            # Past the transactions that are opened for everybody else.
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        self.engine.dispose()
        self._read_engine.dispose()


def chunks(ids: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Parts of a list that are short enough for the parameters of one statement."""
    return (ids[i : i + size] for i in range(0, len(ids), size))


def insert_rows(session: Session, table: sa.FromClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that all name the same columns; a column that they do not name stays empty.

    Past the layers that look at each row, and on PostgreSQL by COPY: for many rows at once.
    """
    assert isinstance(table, sa.Table)
    if not rows:
        return
    connection = session.connection()
    copied = connection.dialect.name == "postgresql"
    if copied and len(rows) < _WORTH_COPYING:
        connection.execute(sa.insert(table), [*rows])
        return
    names = list(rows[0])
    columns = [map(itemgetter(name), rows) for name in names]
    bound = [
        column if bind is None else map(bind, column)
        for column, bind in zip(columns, _binders(connection.dialect, table, names), strict=True)
    ]
    values = list(zip(*bound, strict=True))
    if copied:
        _copy(connection, table, names, values)
    else:
        connection.exec_driver_sql(_insertion(table, names), values)


def next_numbers(session: Session, table: sa.FromClause, count: int) -> Sequence[int]:
    """The numbers that the next rows of a table with a counting primary key get, for rows that
    name theirs."""
    assert isinstance(table, sa.Table)
    [counter] = table.primary_key
    if session.connection().dialect.name != "postgresql":
        # Nobody else writes meanwhile.
        last = session.scalar(sa.select(sa.func.max(counter))) or 0
        return range(last + 1, last + 1 + count)
    sequence = sa.func.pg_get_serial_sequence(table.name, counter.name)
    each = sa.func.generate_series(1, count).table_valued("number")
    return session.scalars(sa.select(sa.func.nextval(sequence)).select_from(each)).all()


def _binders(
    dialect: Dialect, table: sa.Table, names: Iterable[str]
) -> list[Callable[[Any], Any] | None]:
    """What makes the driver's values of those of each column; `None` where they are the same."""
    native = (sa.Uuid, sa.Boolean) if dialect.name == "postgresql" else (sa.Boolean,)
    binders: list[Callable[[Any], Any] | None] = []
    for name in names:
        of_type = table.c[name].type
        bind = None
        if not isinstance(of_type, native):
            bind = of_type.dialect_impl(dialect).bind_processor(dialect)
        # The same text as the dialect's own, which takes five times as long, and days are many.
        binders.append(_iso if bind and isinstance(of_type, sa.Date) else bind)
    return binders


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _insertion(table: sa.Table, names: Sequence[str]) -> str:
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    dialect: Any = connection.dialect
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        # As any other error of the database; its message would repeat what was sent.
        raise DBAPIError.instance(
            statement,
            None,
            type(error)(f"while writing {table.name}"),
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            dialect=dialect,
        ) from None


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _engine(url: str, statement_timeout: float, foreign_keys: bool) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            parsed,
            # Named, because a database in memory would otherwise get one connection per thread.
            poolclass=sa.QueuePool,
            connect_args={"check_same_thread": False},
            pool_size=10,
            max_overflow=30,
            hide_parameters=True,
            json_serializer=_json_text,
            json_deserializer=orjson.loads,
        )
        _prepare_sqlite(engine, foreign_keys)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return sa.create_engine(
        parsed,
        pool_size=10,
        max_overflow=30,
        # What was sent must not reach the log inside a message of the database.
        hide_parameters=True,
        pool_pre_ping=True,
        json_serializer=_json_text,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 5,
            # Server-side prepared statements break behind a pooler in transaction mode.
            "prepare_threshold": None,
            "options": f"-c statement_timeout={int(statement_timeout * 1000)} -c timezone=UTC",
        },
    )


def _level(engine: sa.Engine, postgresql_level: str) -> Any:
    return postgresql_level if engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _prepare_sqlite(engine: sa.Engine, foreign_keys: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _: object) -> None:
        # SQLAlchemy opens the transactions, not the driver: so DDL rolls back too.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        # What is erased is overwritten, not only marked as free.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reader = connection.get_execution_options().get("postgresql_readonly", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reader else 'OFF'}")
        # A writer takes the lock before it reads; a deferred one fails at once when another wrote.
        connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")


def _may_succeed_again(error: DBAPIError) -> bool:
    """Whether another transaction was in the way. A lost connection does not count: the commit
    may have reached the disk, and only a client with an id of its own can safely try again.
    Nor does SQLite, which waits for the lock by itself and lets one writer in at a time."""
    return getattr(error.orig, "sqlstate", None) in _RETRIED


def _refusal(error: DBAPIError) -> Exception:
    """Faults of the database itself are a reason to come back later, the rest are our own."""
    if isinstance(error.orig, sqlite3.Error):
        # Extended codes keep the primary one in their low byte (sqlite.org/rescode.html).
        away = (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _AWAY
    else:
        away = isinstance(error, OperationalError | InternalError) or error.connection_invalidated
    if away or _may_succeed_again(error):
        log.warning("database unavailable: %s", type(error.orig).__name__)
        return Unavailable()
    return error
