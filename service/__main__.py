"""The command line: what an operator types."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from service.api.app import create_app
from service.errors import TrackerError, Unavailable
from service.identity import new_id
from service.settings import Settings
from service.store import schema
from service.store.database import Database
from service.store.journal import Author
from service.work import accounts, keys, reference, seed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
app.add_typer(keys_app, name="keys")


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


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is.")] = "first",
    may_link: Annotated[
        bool, typer.Option(help="Reports sent with it may join known incidents.")
    ] = False,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only where no usable key exists; kept in a file.")
    ] = False,
) -> None:
    """Make a key and show it once."""
    settings = Settings()
    now = datetime.now(UTC)
    with _database(settings) as database:
        if not if_none:
            typer.echo(
                database.write(
                    lambda session: keys.create(session, name, now, new_id, may_link=may_link)
                )
            )
            return
        with database.reading() as session:
            if keys.any_usable(session):
                typer.echo(f"A key exists; the first was written to {settings.key_file}")
                return
        settings.key_file.parent.mkdir(parents=True, exist_ok=True)
        # Opened first: a key that cannot be written down would be one that nobody knows.
        opened = os.open(settings.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w") as file:
            settings.key_file.chmod(0o600)
            # Whoever sets the service up decides what belongs together.
            file.write(
                database.write(
                    lambda session: keys.create(
                        session, keys.free_name(session, name), now, new_id, may_link=True
                    )
                )
                + "\n"
            )
    typer.echo(f"The first API key is in {settings.key_file}. Try it with:")
    typer.echo(
        f"  curl -H \"Authorization: Bearer $(cat '{settings.key_file}')\" "
        "-H 'Content-Type: application/json' "
        '-d \'{"when": "2022-09-13", "where": {"place": "Lachin"}, '
        '"claimant": "a monitor"}\' '
        f"http://{settings.host}:{settings.port}/v1/reports"
    )


@keys_app.command("list")
def list_keys() -> None:
    """Names and times of all keys; never the keys."""
    with _database(Settings()) as database, database.reading() as session:
        for key in keys.listed(session):
            state = "revoked" if key.revoked_at else "usable"
            may = ", may link" if key.may_link else ""
            typer.echo(f"{key.name}: {state}{may}, made {key.created_at:%Y-%m-%d}")


@keys_app.command("revoke")
def revoke_key(name: str) -> None:
    """Make a key useless from now on."""
    now = datetime.now(UTC)
    with _database(Settings()) as database:
        database.write(lambda session: keys.revoke(session, name, now))


_EXPECTED = (TrackerError, SQLAlchemyError, CommandError, ValidationError, ImportError, OSError)


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
