"""Forgetting what must not be kept."""

from collections.abc import Callable
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

    def work(session: Session) -> None:
        theatre = reference.load(session)
        erasure.erase_fields(session, report, field, reason, theatre, operator())

    _erase(work)


@app.command("import")
def erase_import(
    import_id: Annotated[str, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")],
) -> None:
    """Erase the file of an import as it came, and the entries of it that were not taken."""
    _erase(lambda session: erasure.erase_import(session, import_id, reason, operator()))


@app.command("lead")
def erase_lead(
    lead: Annotated[str, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")],
) -> None:
    """Erase what a source wrote; it does not come back with the next run."""
    _erase(lambda session: erasure.erase_lead(session, lead, reason, operator()))


@app.command("photo")
def erase_photo(
    photo: Annotated[str, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")],
) -> None:
    """Erase a photo, as it came and its copy; that the report had one stays."""
    _erase(lambda session: erasure.erase_photo(session, photo, reason, operator()))


def _erase(work: Callable[[Session], None]) -> None:
    with opened(Settings()) as database:
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
