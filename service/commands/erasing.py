"""Forgetting what must not be kept."""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from service.commands.opening import opened, operator
from service.settings import Settings
from service.work import erasure, reference

app = typer.Typer(no_args_is_help=True, help="Forget what must not be kept.")


@app.command("report")
def erase_report(
    report: Annotated[str, typer.Argument(help="Its id.")],
    field: Annotated[list[erasure.Field], typer.Option(help="What to erase; can be repeated.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the report.")],
) -> None:
    """Erase parts of a report from every revision of it; the ledger still holds."""
    with opened(Settings()) as database:

        def work(session: Session) -> None:
            theatre = reference.load(session)
            erasure.erase_fields(session, report, field, reason, theatre, operator())

        database.write(work)
        database.forget()
    typer.echo("Erased. Backups and mirrors still hold it; see docs/operations.md.")


@app.command("person")
def erase_person(
    name: Annotated[str, typer.Argument(help="The name of the key.")],
) -> None:
    """Erase who made changes under a key's name, and the key; what was reported stays."""
    with opened(Settings()) as database:
        changes = database.write(lambda session: erasure.erase_person(session, name, operator()))
        database.forget()
    typer.echo(f"Erased from {changes} changes. Backups still hold it; see docs/operations.md.")
