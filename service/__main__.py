"""The command line: what an operator types."""

# ruff: noqa: E402

import gc
import os
import sys

# Nothing that modules make is garbage: to look for some takes a third of the time to start.
gc.disable()

import typer
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from service.commands import erasing, exporting, importing, keeping, keys, ledger
from service.domain.ledger import Broken
from service.errors import TrackerError, Unavailable

gc.freeze()
gc.enable()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keeping.app)
app.add_typer(keys.app, name="keys")
app.add_typer(erasing.app, name="erase")
app.add_typer(ledger.app, name="ledger")
app.add_typer(importing.app)
app.add_typer(exporting.app)
app.add_typer(importing.accounts, name="imports")
app.add_typer(importing.sources, name="feeds")

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
    except BrokenPipeError:
        # Whoever reads what is printed has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
