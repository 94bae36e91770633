"""Writing a whole data set for others, or to take it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.commands.opening import opened
from service.formats.checkpoint import LogKey
from service.formats.packages import Audience
from service.settings import Settings
from service.store.schema import check_schema
from service.work import ledger, packages

app = typer.Typer()


@app.command("export")
def export_package(
    target: Annotated[Path, typer.Argument(help="A folder or a .zip that is not there yet.")],
    audience: Annotated[Audience, typer.Option("--for", help="Whom it is for.")] = Audience.PUBLIC,
) -> None:
    """Write the whole data set as a package that describes itself, as it is at this moment."""
    settings = Settings()
    key = LogKey.load(settings.ledger_key_file, settings.ledger_name)
    with opened(settings) as database:
        check_schema(database)
        ledger.catch_up(database)
        if key is not None:
            now = datetime.now(UTC)
            database.write(lambda session: ledger.sign(session, key, now))
        size = packages.write(database, target, audience)
    typer.echo(f"{target} holds what {size} changes left, for {audience}.")
    if audience is Audience.EVERYTHING:
        typer.echo(
            "It holds everything, also who sent what and from where, and the hashes of keys. Keep "
            "it as you keep the database.",
            err=True,
        )
    elif audience is Audience.PARTNERS:
        typer.echo("It holds what is not public.", err=True)
