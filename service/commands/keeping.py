"""Setting the service up, serving it, and checking what it keeps."""

import gc
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
import uvicorn

from service.api.app import create_app
from service.commands.opening import declare_feeds, opened, operator
from service.domain.vocabulary import UNLOCATED
from service.errors import Invalid
from service.formats.checkpoint import LogKey
from service.settings import Settings
from service.store import schema
from service.store.journal import Author
from service.work import cells, checking, ledger, reference, seed, verify
from service.work.reference import Theatres

log = logging.getLogger(__name__)
app = typer.Typer()
NEW_VALUES: Final = 50_000
"""How many more there may be, while the service runs, before garbage is looked for."""


@app.command()
def serve() -> None:
    """Serve the API on HOST:PORT."""
    settings = Settings()
    with opened(settings) as database:
        schema.check_schema(database)
        try:
            declare_feeds(database, settings)
        except Invalid as error:
            # Monitors send whatever a file about other people's data says.
            log.error("feeds stay as they are: %s", error)
    # Answers are made of many small values that go by themselves; looking through them again and
    # again while they grow takes a third of the time.
    gc.set_threshold(NEW_VALUES)
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
    if revision == "head":
        with opened(Settings()) as database:
            cells.ensure(database, Theatres())


@app.command(name="seed")
def load_seed(
    folder: Annotated[Path | None, typer.Argument(help="Another folder of seed data.")] = None,
) -> None:
    """Load the reference data and the documented incidents; twice changes nothing."""
    settings = Settings()
    author = Author(seed.ACTOR, datetime.now(UTC))
    with opened(settings) as database:
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
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what touches this day.")
    ] = None,
) -> None:
    """Recount every figure from its reports, and every sum from the figures, and compare; exit 1
    where any differs. Nobody has to wait meanwhile, unless something is repaired."""
    with opened(Settings()) as database:
        with database.reading() as session:
            theatre = reference.load(session)
            found = checking.differences(session, theatre, day.date() if day else None)
        if found and repair:
            database.write(lambda session: checking.repair(session, found, theatre, operator()))
    for incident in found.incidents:
        typer.echo(f"differs: {incident}")
    for cell in found.cells:
        typer.echo(f"differs: {cell.cube} {cell.start}/{cell.end} {cell.sector or UNLOCATED}")
    if found and repair:
        told = f"{len(found.incidents)} incidents and {len(found.cells)} sums"
        typer.echo(f"Repaired {told}.")
    elif found:
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
    with opened(settings) as database:
        ledger.catch_up(database)
        with database.reading() as session:
            wrong = list(verify.broken(session, [key.verifier] if key else [], notes))
            size = ledger.size_of(session)
    for line in wrong:
        typer.echo(f"broken: {line}")
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"verified: {size} changes, and every row that follows from them.")
