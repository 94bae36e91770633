"""The command line: what an operator types."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
import uvicorn
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.api.app import create_app
from service.domain.access import Role
from service.domain.ledger import Broken
from service.errors import NotFound, TrackerError, Unavailable
from service.formats.checkpoint import LogKey, new_key
from service.identity import new_id
from service.settings import Settings
from service.store import schema
from service.store.database import Database
from service.store.journal import Author
from service.store.tables import Head, Key
from service.work import accounts, erasure, keys, ledger, publishing, reference, seed, verify

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
keys_app = typer.Typer(no_args_is_help=True, help="Make, change, list and revoke API keys.")
app.add_typer(keys_app, name="keys")
erase_app = typer.Typer(no_args_is_help=True, help="Forget what must not be kept.")
app.add_typer(erase_app, name="erase")
ledger_app = typer.Typer(no_args_is_help=True, help="Sign, publish and export the ledger.")
app.add_typer(ledger_app, name="ledger")
_EXPIRES: Final = "When it becomes useless: 90d, 2027-01-01 or never."


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url, statement_timeout=settings.statement_timeout)
    try:
        yield database
    finally:
        database.close()


@app.command()
def serve() -> None:
    """Serve the API on HOST:PORT."""
    settings = Settings()
    with _database(settings) as database:
        schema.check_schema(database)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        # An address and a user agent are traces of a monitor; nothing writes them down.
        access_log=False,
        server_header=False,
        # Left to the application, which believes nobody who is not named; by itself the server
        # believes whoever is on this machine.
        proxy_headers=False,
    )


@app.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="A revision, `head` or `base`.")] = "head",
) -> None:
    """Bring the database to a schema revision, the current one unless named."""
    url = Settings().database_url
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    schema.migrate(url, revision)


@app.command(name="seed")
def load_seed(
    folder: Annotated[Path | None, typer.Argument(help="Another folder of seed data.")] = None,
) -> None:
    """Load the reference data and the documented incidents; twice changes nothing."""
    settings = Settings()
    author = Author(seed.ACTOR, datetime.now(UTC))
    with _database(settings) as database:
        loaded = database.write(
            lambda session: seed.load(session, folder or settings.seed_dir, author)
        )
    if loaded.nothing:
        typer.echo("Nothing changed.")
    else:
        typer.echo(
            f"Changed: {loaded.reference} reference entries, {loaded.coverage} coverage records, "
            f"{loaded.incidents} incidents, {loaded.reports} reports."
        )


@app.command()
def check(
    repair: Annotated[bool, typer.Option(help="Derive anew what differs.")] = False,
) -> None:
    """Recount every figure from its reports and compare; exit 1 where any differs."""
    with _database(Settings()) as database:
        with database.reading() as session:
            theatre = reference.load(session)
            wrong = accounts.differences(session, theatre)
        if wrong and repair:
            database.write(lambda session: accounts.refresh_incidents(session, wrong, theatre))
    for incident in wrong:
        typer.echo(f"differs: {incident}")
    if wrong and repair:
        typer.echo(f"Repaired {len(wrong)} incidents.")
    elif wrong:
        raise typer.Exit(1)
    else:
        typer.echo("Every figure equals its recount.")


@app.command(name="verify")
def verify_record(
    held: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A signed head that was kept elsewhere."),
    ] = None,
) -> None:
    """Check everything kept against the ledger, and it against heads; exit 1 at what is broken."""
    settings = Settings()
    key = LogKey.load(settings.ledger_key_file, settings.ledger_name)
    notes = [path.read_text() for path in held or ()]
    with _database(settings) as database:
        ledger.catch_up(database)
        with database.reading() as session:
            wrong = list(verify.broken(session, [key.verifier] if key else [], notes))
            size = ledger.size_of(session)
    for line in wrong:
        typer.echo(f"broken: {line}")
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"verified: {size} changes, and every row that follows from them.")


@erase_app.command("report")
def erase_report(
    report: Annotated[str, typer.Argument(help="Its id.")],
    field: Annotated[list[erasure.Field], typer.Option(help="What to erase; can be repeated.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the report.")],
) -> None:
    """Erase parts of a report from every revision of it; the ledger still holds."""
    with _database(Settings()) as database:

        def work(session: Session) -> None:
            theatre = reference.load(session)
            erasure.erase_fields(session, report, field, reason, theatre, _operator())

        database.write(work)
        database.forget()
    typer.echo("Erased. Backups and mirrors still hold it; see docs/operations.md.")


@erase_app.command("person")
def erase_person(
    name: Annotated[str, typer.Argument(help="The name of the key.")],
) -> None:
    """Erase who made changes under a key's name, and the key; what was reported stays."""
    with _database(Settings()) as database:
        changes = database.write(lambda session: erasure.erase_person(session, name, _operator()))
        database.forget()
    typer.echo(f"Erased from {changes} changes. Backups still hold it; see docs/operations.md.")


def _end(text: str) -> datetime | None:
    """The end of a key as it is typed: `90d` from now, a day's start in UTC, or `never`."""
    now = datetime.now(UTC)
    if text == "never":
        return None
    try:
        if text.endswith("d") and text[:-1].isdecimal():
            return now + timedelta(days=int(text[:-1]))
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("must be like 90d, 2027-01-01 or never") from None


def _operator() -> Author:
    return Author(keys.OPERATOR, datetime.now(UTC))


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is.")] = "first",
    role: Annotated[Role, typer.Option(help="What it allows.")] = Role.MONITOR,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="It may ask, but change nothing.")
    ] = False,
    expires: Annotated[str, typer.Option(help=_EXPIRES)] = "never",
    if_none: Annotated[
        bool,
        typer.Option(
            "--if-none", help="Only where no usable key exists: one for an admin, kept in a file."
        ),
    ] = False,
) -> None:
    """Make a key and show it once."""
    settings = Settings()
    author, end = _operator(), _end(expires)
    with _database(settings) as database:
        if if_none:
            _create_first(settings, database, name, author)
            return
        typer.echo(
            database.write(
                lambda session: keys.create(
                    session,
                    name,
                    role,
                    author,
                    new_id,
                    read_only=read_only,
                    expires_at=end,
                )
            )
        )


def _create_first(settings: Settings, database: Database, name: str, author: Author) -> None:
    with database.reading() as session:
        if keys.any_usable(session, author.at):
            typer.echo(f"A key exists; the first was written to {settings.key_file}")
            return
    settings.key_file.parent.mkdir(parents=True, exist_ok=True)
    # Opened first: a key that cannot be written down would be one that nobody knows.
    opened = os.open(settings.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w") as file:
        settings.key_file.chmod(0o600)
        # Whoever sets the service up decides who else gets a key.
        key = database.write(
            lambda session: keys.create(
                session, keys.free_name(session, name), Role.ADMIN, author, new_id
            )
        )
        file.write(key + "\n")
    typer.echo(f"The first API key is in {settings.key_file}. Try it with:")
    typer.echo(
        f"  curl -H \"Authorization: Bearer $(cat '{settings.key_file}')\" "
        "-H 'Content-Type: application/json' "
        '-d \'{"when": "2022-09-13", "where": {"place": "Lachin"}, '
        '"claimant": "a monitor"}\' '
        f"http://{settings.host}:{settings.port}/v1/reports"
    )


@keys_app.command("change")
def change_key(
    name: str,
    role: Annotated[Role | None, typer.Option(help="What it allows.")] = None,
    read_only: Annotated[
        bool | None,
        typer.Option("--read-only/--no-read-only", help="It may ask, but change nothing."),
    ] = None,
    expires: Annotated[str | None, typer.Option(help=_EXPIRES)] = None,
) -> None:
    """Let a key allow something else, from its next request on; what is not named stays."""
    author = _operator()
    end = ... if expires is None else _end(expires)
    with _database(Settings()) as database:
        database.write(
            lambda session: keys.change(
                session, name, author, role=role, read_only=read_only, expires_at=end
            )
        )


@keys_app.command("list")
def list_keys() -> None:
    """Names, roles and times of all keys; never the keys."""
    now = datetime.now(UTC)
    with _database(Settings()) as database, database.reading() as session:
        for key in keys.listed(session):
            typer.echo(_told(key, now))


def _told(key: Key, now: datetime) -> str:
    state = "revoked" if key.revoked_at else "usable" if keys.usable(key, now) else "expired"
    parts = [
        f"{key.role}, read-only" if key.read_only else key.role,
        f"made {key.created_at:%Y-%m-%d}",
        *([f"ends {key.expires_at:%Y-%m-%d}"] if key.expires_at else []),
        f"{keys.short(key.name)} in the log",
    ]
    return f"{key.name}: {state}, {', '.join(parts)}"


@keys_app.command("revoke")
def revoke_key(name: str) -> None:
    """Make a key useless from now on."""
    author = _operator()
    with _database(Settings()) as database:
        database.write(lambda session: keys.revoke(session, name, author))


@ledger_app.command("key")
def ledger_key(
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Make one where there is none yet.")
    ] = False,
) -> None:
    """Show the public part of the key that signs tree heads."""
    settings = Settings()
    file = settings.ledger_key_file
    if if_none and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Never over another one: what it signed could not be checked any more.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(new_key())
    typer.echo(_signer(settings).verifier)


@ledger_app.command("head")
def ledger_head() -> None:
    """Sign the tree as it is now and print its head."""
    settings = Settings()
    with _database(settings) as database:
        typer.echo(_signed(database, _signer(settings)).checkpoint, nl=False)


@ledger_app.command("publish")
def publish_head() -> None:
    """Sign the tree as it is now and publish its head wherever it is to be published."""
    settings = Settings()
    failed = False
    with _database(settings) as database:
        _signed(database, _signer(settings))
        for place in publishing.places(settings.publish_heads):
            try:
                head = publishing.publish(database, place, settings.ledger_name)
                typer.echo(f"{place}: {head.size if head else 0} leaves")
            except (Broken, publishing.NotPublished) as error:
                typer.echo(f"not published: {error}", err=True)
                failed = True
    if failed:
        raise typer.Exit(1)


@ledger_app.command("export")
def export_ledger(
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Entries and private values too: as secret as the database."),
    ] = False,
) -> None:
    """Print every leaf as a line of JSON: its position and hash."""
    with _database(Settings()) as database:
        ledger.catch_up(database)
        for line in ledger.lines(ledger.exported(database, whole=whole)):
            typer.echo(line)


def _signer(settings: Settings) -> LogKey:
    key = LogKey.load(settings.ledger_key_file, settings.ledger_name)
    if key is None:
        raise NotFound(
            f"There is no {settings.ledger_key_file}; make it: ceasefire ledger key --if-none"
        )
    return key


def _signed(database: Database, key: LogKey) -> Head:
    ledger.catch_up(database)
    now = datetime.now(UTC)
    head = database.write(lambda session: ledger.sign(session, key, now))
    if head is None:
        raise NotFound("The ledger is empty.")
    return head


_EXPECTED = (
    TrackerError,
    SQLAlchemyError,
    CommandError,
    ValidationError,
    ImportError,
    OSError,
    Broken,
)


def main() -> None:
    """Run a command; say what is wrong in one line."""
    # The database holds positions of observers; nobody else on the machine reads what we make.
    os.umask(0o077)
    try:
        app()
    except _EXPECTED as error:
        print(f"ceasefire: {_reason(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _reason(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    if isinstance(error, DBAPIError):
        return str(error.orig).partition("\n")[0]
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        return f"{error} ({_reason(error.__cause__)})"
    return str(error)


if __name__ == "__main__":
    main()
