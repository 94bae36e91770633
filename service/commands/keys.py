"""Making, changing, listing and revoking API keys."""

import os
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

import typer

from service.commands.opening import opened, operator
from service.domain.access import Role
from service.identity import new_id
from service.settings import Settings
from service.store.database import Database
from service.store.journal import Author
from service.store.tables import Key
from service.work import keys

app = typer.Typer(no_args_is_help=True, help="Make, change, list and revoke API keys.")
_EXPIRES: Final = "When it becomes useless: 90d, 2027-01-01 or never."


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


@app.command("create")
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
    author, end = operator(), _end(expires)
    with opened(settings) as database:
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
    handle = os.open(settings.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
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


@app.command("change")
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
    author = operator()
    end = ... if expires is None else _end(expires)
    with opened(Settings()) as database:
        database.write(
            lambda session: keys.change(
                session, name, author, role=role, read_only=read_only, expires_at=end
            )
        )


@app.command("list")
def list_keys() -> None:
    """Names, roles and times of all keys; never the keys."""
    now = datetime.now(UTC)
    with opened(Settings()) as database, database.reading() as session:
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


@app.command("revoke")
def revoke_key(name: str) -> None:
    """Make a key useless from now on."""
    author = operator()
    with opened(Settings()) as database:
        database.write(lambda session: keys.revoke(session, name, author))
