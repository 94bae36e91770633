"""The one file that knows which database is underneath."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, Final, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.util import LRUCache

from service.errors import Unavailable
from service.store.commits import Companions, Group

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


class Identifier(sa.Uuid[str]):
    """A UUID as text. Where the database has no such type its digits are put together as they
    stand: an export reads two of each row, and by way of a UUID that takes four times as long."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(as_uuid=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        if dialect.supports_native_uuid:
            return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return _hyphenated


def _hyphenated(digits: str | None) -> str | None:
    if digits is None:
        return None
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


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
        self._writing = self.engine.execution_options(
            isolation_level=_level(self.engine, "SERIALIZABLE")
        )
        self._writers = sessionmaker(self._writing, expire_on_commit=False)
        self._one_writer = self.engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self.companions: Final = Companions()
        """Those who wait to be committed together with others."""
        self._numbers = _Numbers(self._read_engine)
        self.at_hand: Final = self._read_engine.dialect.name == "sqlite"
        """Whether a number is read from it sooner than a thread is found to wait for it."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One snapshot. Raises `Unavailable` where the database is away or busy."""
        try:
            with self._readers() as session:
                yield session
        except DBAPIError as error:
            raise _refusal(error) from error

    def number(self, statement: sa.Select[int]) -> int:
        """The one number that a statement without parameters gives, past the layers made for
        rows and transactions. Raises `Unavailable`."""
        try:
            return self._numbers.read(statement)
        except DBAPIError as error:
            raise _refusal(error) from error

    def write(self, work: Callable[[Session], T], *, shared: bool = False) -> T:
        """Run `work` in a transaction and commit it; run it again where the database asks for it.

        `work` may run several times and must not act outside its session. What is `shared`, which
        must be short, may run in another thread and be committed together with others that wait,
        one after the other; a server that commits together by itself is left to do so. Raises
        `Unavailable` where the database is away, full, or stays busy.
        """
        if shared and self._one_writer:
            return self.companions.do(work, self._write_together, _PATIENCE_SECONDS)
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

    def _write_together(self, group: Group) -> None:
        try:
            with self._alone():
                if not self._commit(group):
                    # One took the others with it: each by itself, to see which.
                    for one in group.members:
                        one.attempt(self._apart)
        except DBAPIError as error:
            # Not even a refusal holds: it may be for what another of them wrote.
            for one in group.members:
                one.fail(_refusal(error))

    def _commit(self, group: Group) -> bool:
        """Do the works of a group one after the other, each as if it were alone, and commit them
        in one transaction; `False` where the database gave that up meanwhile."""
        with self._writing.connect() as connection, connection.begin() as transaction:
            for one in group.gather():
                one.attempt(partial(self._nested, connection))
                driver: Any = connection.connection.driver_connection
                if not driver.in_transaction:
                    transaction.rollback()
                    return False
        return True

    def _nested(self, connection: sa.Connection, work: Callable[[Session], T]) -> T:
        # What fails takes nothing back but its own.
        session = self._writers(bind=connection, join_transaction_mode="create_savepoint")
        try:
            with session, session.begin():
                return work(session)
        except DBAPIError as error:
            raise _refusal(error) from error

    def _apart(self, work: Callable[[Session], T]) -> T:
        try:
            with self._writers.begin() as session:
                return work(session)
        except DBAPIError as error:
            raise _refusal(error) from error

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
        self._numbers.close()
        self.engine.dispose()
        self._read_engine.dispose()


class _Numbers:
    """Reads numbers over a connection of its own, each as it is committed at that moment."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Any = None
        self._texts: dict[sa.Select[int], str] = {}

    def read(self, statement: sa.Select[int]) -> int:
        with self._lock:
            text = self._texts.get(statement)
            if text is None:
                text = self._texts[statement] = str(
                    statement.compile(self._engine, compile_kwargs={"literal_binds": True})
                )
            kept = self._connection is not None
            try:
                return self._ask(text)
            except self._engine.dialect.loaded_dbapi.Error as error:
                self._hang_up()
                if not kept:
                    raise self._as_ours(text, error) from error
            # It may have been lost long ago, and the database be there again.
            try:
                return self._ask(text)
            except self._engine.dialect.loaded_dbapi.Error as error:
                self._hang_up()
                raise self._as_ours(text, error) from error

    def close(self) -> None:
        with self._lock:
            self._hang_up()

    def _ask(self, text: str) -> int:
        if self._connection is None:
            self._connection = self._connect()
        cursor = self._connection.cursor()
        try:
            cursor.execute(text)
            [[number]] = cursor.fetchall()
        finally:
            cursor.close()
        return int(number)

    def _connect(self) -> Any:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        # On SQLite no driver opens a transaction.
        if self._engine.dialect.name == "postgresql":
            connection.autocommit = True
        return connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _as_ours(self, text: str, error: Exception) -> Exception:
        dialect = self._engine.dialect
        return DBAPIError.instance(
            text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        )


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
    names = tuple(rows[0])
    values = _values(connection.dialect, table, names, rows)
    if connection.dialect.name == "postgresql" and len(rows) >= _WORTH_COPYING:
        _copy(connection, table.name, names, values)
    else:
        insertion = _insertion(connection.dialect, table, names)
        connection.exec_driver_sql(insertion, values[0] if len(values) == 1 else values)


def add_selected(
    session: Session, table: sa.Table, rows: sa.Select[Any], bound: Mapping[str, Any]
) -> None:
    """Write what a statement with parameters selects for every column; where a row of their key is
    there, their other columns are added to its own."""
    insert: Any = (postgresql if dialect_of(session) == "postgresql" else sqlite).insert
    written = insert(table).from_select([column.name for column in table.columns], rows)
    sums = {c.name: c + written.excluded[c.name] for c in table.columns if not c.primary_key}
    session.execute(
        written.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums),
        dict(bound),
    )


def dialect_of(session: Session) -> str:
    return session.connection().dialect.name


def listed(dialect: str, name: str, columns: Mapping[str, sa.types.TypeEngine[Any]]) -> sa.CTE:
    """Rows of text and days as a table of a statement, however many: its parameter of that name
    holds them `as_rows`."""
    text: sa.BindParameter[str] = sa.bindparam(name, type_=sa.Text())
    kinds = enumerate(columns.values())
    told: list[sa.ColumnElement[Any]] = []
    if dialect == "postgresql":
        each = sa.func.json_array_elements(sa.cast(text, sa.JSON)).table_valued("value")
        told = [sa.cast(each.c.value.op("->>")(i), kind) for i, kind in kinds]
    else:
        each = sa.func.json_each(text).table_valued("value")
        for i, kind in kinds:
            value = sa.func.json_extract(each.c.value, f"$[{i}]", type_=kind)
            # A cast to a day would make a number of it.
            told.append(value if isinstance(kind, sa.Date) else sa.cast(value, kind))
    named = (value.label(column) for column, value in zip(columns, told, strict=True))
    # Read once, however often it is joined.
    return sa.select(*named).cte(name).prefix_with("MATERIALIZED")


def as_rows(rows: Iterable[Sequence[Any]]) -> str:
    return orjson.dumps([*rows]).decode()


def unhurried(session: Session) -> None:
    """Let what this transaction asks take its time."""
    if dialect_of(session) == "postgresql":
        session.execute(sa.text("SET LOCAL statement_timeout = 0"))


def next_numbers(session: Session, table: sa.FromClause, count: int) -> Sequence[int]:
    """The numbers that the next rows of a table with a counting primary key get, for rows that
    name theirs."""
    assert isinstance(table, sa.Table)
    [counter] = table.primary_key
    if session.connection().dialect.name != "postgresql":
        # Nobody else writes meanwhile.
        last = session.scalar(_last(counter)) or 0
        return range(last + 1, last + 1 + count)
    sequence = sa.func.pg_get_serial_sequence(table.name, counter.name)
    each = sa.func.generate_series(1, count).table_valued("number")
    return session.scalars(sa.select(sa.func.nextval(sequence)).select_from(each)).all()


@lru_cache
def _last(counter: sa.Column[int]) -> sa.Select[Any]:
    return sa.select(sa.func.max(counter))


def _values(
    dialect: Dialect, table: sa.Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Any, ...]]:
    """Rows as the driver takes them."""
    columns = [map(itemgetter(name), rows) for name in names]
    bound = [
        column if bind is None else map(bind, column)
        for column, bind in zip(columns, _binders(dialect, table, names), strict=True)
    ]
    return list(zip(*bound, strict=True))


# Most rows come alone, and writing one takes less time than finding out how.
@lru_cache(maxsize=256)
def _binders(
    dialect: Dialect, table: sa.Table, names: tuple[str, ...]
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


@lru_cache(maxsize=256)
def _insertion(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> str:
    mark = "%s" if dialect.name == "postgresql" else "?"
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join([mark] * len(names))
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608


def _copy(
    connection: sa.Connection,
    table: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    dialect: Any = connection.dialect
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'COPY "{table}" ({columns}) FROM STDIN'
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
            type(error)(f"while writing {table}"),
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            dialect=dialect,
        ) from None


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


class _Statements(LRUCache[Any, Any]):
    """Statements as texts, for all databases of a kind and version: an earlier state is a database
    of its own, and to write statements anew takes longer than it takes to answer them."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._of_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(self._of_kind(key), compiled)

    @staticmethod
    def _of_kind(key: Any) -> Any:
        dialect, *rest = key
        return dialect.name, dialect.server_version_info, *rest


_STATEMENTS: Final = _Statements(1_000)


def _engine(url: str, statement_timeout: float, foreign_keys: bool) -> sa.Engine:
    engine = _connecting(url, statement_timeout, foreign_keys)
    engine.update_execution_options(compiled_cache=_STATEMENTS)
    return engine


def _connecting(url: str, statement_timeout: float, foreign_keys: bool) -> sa.Engine:
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
