"""Signing, publishing and exporting the ledger."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.commands.opening import opened
from service.domain.ledger import Broken
from service.errors import NotFound
from service.formats.checkpoint import LogKey, new_key
from service.settings import Settings
from service.store.database import Database
from service.store.tables import Head
from service.work import ledger, publishing

app = typer.Typer(no_args_is_help=True, help="Sign, publish and export the ledger.")


@app.command("key")
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
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(new_key())
    typer.echo(_signer(settings).verifier)


@app.command("head")
def ledger_head() -> None:
    """Sign the tree as it is now and print its head."""
    settings = Settings()
    with opened(settings) as database:
        typer.echo(_signed(database, _signer(settings)).checkpoint, nl=False)


@app.command("publish")
def publish_head() -> None:
    """Sign the tree as it is now and publish its head wherever it is to be published."""
    settings = Settings()
    failed = False
    with opened(settings) as database:
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


@app.command("export")
def export_ledger(
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Entries and private values too: as secret as the database."),
    ] = False,
) -> None:
    """Print every leaf as a line of JSON: its position and hash."""
    with opened(Settings()) as database:
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
