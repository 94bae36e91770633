"""Reading files of sources, and looking into how that went."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, Final, cast

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.api.app import runner_of
from service.commands.opening import declare_feeds, opened, operator
from service.domain.access import Visibility
from service.domain.imports import Account, State, Verdict
from service.domain.theatre import Theatre
from service.errors import Invalid
from service.formats import packed, tabular
from service.formats.feeds import PlanIn
from service.formats.imports import mapping as mappings
from service.formats.imports import outline
from service.formats.imports.entries import Entry
from service.formats.imports.registry import FORMATS
from service.formats.reference import naming, read_toml, theatre_of
from service.formats.validation import parse
from service.identity import new_id
from service.settings import Settings
from service.store import imports as store
from service.store.database import Database
from service.store.schema import check_schema
from service.work import cells, entries, feeds, imports, ledger, packages, reference
from service.work.entries import Judged
from service.work.feeds import Runner
from service.work.importing import Tell, batches, untold
from service.work.keys import OPERATOR
from service.work.reference import Theatres

app = typer.Typer()
accounts = typer.Typer(no_args_is_help=True, help="Look into imports, and decide about them.")
sources = typer.Typer(no_args_is_help=True, help="Ask the sources that are declared.")

_SHOWN: Final = 5
_IN_WORDS: Final = {
    State.FETCHING: "Fetching",
    State.READY: "Judging",
    State.APPLYING: "Recording",
}
FormatName = Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")]
File = Annotated[Path, typer.Argument(help="A file, or - for what comes in.", allow_dash=True)]


@app.command("import")
def import_file(
    file: File,
    form: FormatName = "",
    feed: Annotated[str, typer.Option(help="Read it as this feed is declared.")] = "",
    source: Annotated[str, typer.Option(help="Whose ids these are; the format unless said.")] = "",
    claimant: Annotated[str, typer.Option(help="Who says what no column says.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="A TOML file, docs/formats.")] = None,
    licence: Annotated[str, typer.Option(help="Shown with every report.")] = "",
    visibility: Annotated[
        Visibility | None, typer.Option(help="The widest circle that may see it.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="As in cp1251.")] = "utf-8",
    delimiter: Annotated[str, typer.Option(help="What stands between cells.")] = ",",
    timezone: Annotated[str, typer.Option(help="Of times without an offset.")] = "",
    part: Annotated[bool, typer.Option(help="It lists only some; nothing is missing.")] = False,
    atomic: Annotated[bool, typer.Option(help="One bad row keeps out all.")] = False,
    preview: Annotated[bool, typer.Option(help="Show what would become of it; record it not.")] = (
        False
    ),
) -> None:
    """Record what a file says, and account for every row of it; exit 1 unless it was taken.

    A package of `ceasefire export --for everything` is taken back into an empty database.
    """
    settings = Settings()
    said = {
        "format": form,
        "source": source or form,
        "claimant": claimant,
        "mapping": read_toml(mapping) if mapping else None,
        "licence": licence,
        "visibility": visibility,
        "encoding": encoding,
        "delimiter": delimiter,
        "timezone": timezone,
        "part": part,
        "atomic": atomic,
    }
    if packed.is_package(file):
        usual = {**said, "encoding": "", "delimiter": ""}
        if any(usual.values()) or feed or preview:
            raise Invalid("says by itself what it is, and goes with no option", "the package")
        _take_back(settings, file)
        return
    with _opened_checked(settings) as database, _input(file) as content:
        if feed:
            with database.reading() as session:
                plan: PlanIn = feeds.declared(feeds.get(session, feed))
        else:
            plan = parse(PlanIn, {name: value for name, value in said.items() if value})
        theatre = _missing_theatre(database, settings, plan, content)
        if preview:
            _show_preview(database, plan, content, theatre_of(theatre) if theatre else None)
            return
        if theatre:
            database.write(lambda session: reference.replace(session, theatre, operator()))
        cells.ensure(database, Theatres())
        with _progress() as tell:
            runner = _runner(settings, database, tell)
            runner.recover()
            import_id = runner.importer.begin(plan, OPERATOR, feed or None)
            state = runner.importer.read(import_id, content)
        ledger.catch_up(database)
        _show(database, import_id)
    if state is not State.DONE:
        raise typer.Exit(1)


@app.command("theatre")
def write_theatre(
    file: File,
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    form: FormatName,
    name: Annotated[str, typer.Option(help="What the theatre is called.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="A TOML file, docs/formats.")] = None,
    polygons: Annotated[Path | None, typer.Option(help="GeoJSON of the areas.")] = None,
    named_by: Annotated[str, typer.Option(help="The property that names an area.")] = "name",
) -> None:
    """Write a folder of reference data with the areas, sides and voices that a file names."""
    settings = Settings()
    said = {"format": form, "source": form, "mapping": read_toml(mapping) if mapping else None}
    plan = parse(PlanIn, {key: value for key, value in said.items() if value})
    with _input(file) as content:
        theatre = _outlined(settings, plan, content, name or None)
    if polygons is not None:
        with naming(polygons.name):
            outline.with_outlines(theatre, polygons, named_by)
    outline.write_folder(theatre, folder)
    areas, sides = len(theatre["sector"]), len(theatre["party"])
    typer.echo(f"{folder} holds {areas} areas and {sides} sides. Read it through, then load it:")
    typer.echo(f"  ceasefire seed {folder}")


@accounts.command("list")
def list_imports(
    feed: Annotated[str, typer.Option(help="Only of this feed.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 20,
) -> None:
    """How the newest imports went."""
    with _opened_checked(Settings()) as database, database.reading() as session:
        for row in store.listed(session, feed or None, limit):
            account = row.account
            told = f"{account.get('created', 0)} new, {account.get('updated', 0)} updated"
            typer.echo(
                f"{row.id} {row.started_at:%Y-%m-%d %H:%M} {row.source}: {row.state}, {told}"
            )


@accounts.command("show")
def show_import(import_id: str) -> None:
    """The account of one import."""
    with _opened_checked(Settings()) as database:
        _show(database, import_id)


@accounts.command("rejects")
def write_rejects(import_id: str) -> None:
    """Print what was not taken as CSV, to be mended and imported again."""
    with _opened_checked(Settings()) as database, database.reading() as session:
        imports.get(session, import_id)
        columns = imports.reject_columns(session, import_id)
        rows = map(tabular.reject_row, imports.reject_rows(session, import_id))
        for text in tabular.write(columns, rows):
            typer.echo(text, nl=False)


@accounts.command("release")
def release_import(import_id: str) -> None:
    """Record a file that waits for a person, whatever seemed wrong with it as a whole."""
    settings = Settings()
    with _opened_checked(settings) as database:
        with _progress() as tell:
            importer = _runner(settings, database, tell).importer
            importer.release(import_id, OPERATOR)
            importer.go_on(import_id)
        ledger.catch_up(database)
        _show(database, import_id)


@accounts.command("discard")
def discard_import(import_id: str) -> None:
    """Decide that a file that waits is not to be taken."""
    settings = Settings()
    with _opened_checked(settings) as database, _progress() as tell:
        _runner(settings, database, tell).importer.discard(import_id, OPERATOR)


@sources.command("load")
def load_feeds(
    file: Annotated[
        Path | None, typer.Argument(help="Another file than CEASEFIRE_FEEDS_FILE.")
    ] = None,
) -> None:
    """Let the feeds be as a file declares them; twice changes nothing."""
    settings = Settings()
    with _opened_checked(settings) as database:
        declared, changed = declare_feeds(database, settings, file or settings.feeds_file)
    typer.echo(f"{declared} feeds declared, {changed} changed.")


@sources.command("list")
def list_feeds() -> None:
    """What is asked, when next, and what has fallen silent."""
    now, settings = datetime.now(UTC), Settings()
    with _opened_checked(settings) as database:
        declare_feeds(database, settings)
        with database.reading() as session:
            rows = feeds.listed(session)
        for row in rows:
            feed = feeds.declared(row)
            after = f"next {row.next_run_at:%Y-%m-%d %H:%M}" if row.next_run_at else "when told"
            marks = ["stale"] if feeds.is_stale(row, now) else []
            marks += [f"{row.failures} failures"] if row.failures else []
            typer.echo(f"{row.name}: {', '.join([feed.format, after, *marks])}")


@sources.command("run")
def run_feeds(
    name: Annotated[str, typer.Argument(help="One feed; all, unless named.")] = "",
) -> None:
    """Ask feeds now, whatever their schedule; exit 1 unless all were taken."""
    settings = Settings()
    ended: list[State] = []
    with _opened_checked(settings) as database:
        declare_feeds(database, settings)
        with database.reading() as session:
            names = [name] if name else [row.name for row in feeds.listed(session)]
        for each in names:
            with _progress() as tell:
                runner = _runner(settings, database, tell)
                runner.recover()
                import_id = runner.begin(each, OPERATOR)
                ended.append(runner.run(each, import_id))
            ledger.catch_up(database)
            _show(database, import_id)
    if not {*ended} <= {State.DONE, State.UNMOVED}:
        raise typer.Exit(1)


@sources.command("work")
def work_feeds() -> None:
    """Ask every feed whose time has come, again and again, until told to stop."""
    settings = Settings()
    with _opened_checked(settings) as database:
        declare_feeds(database, settings)
        feeds.work(_runner(settings, database), settings.feeds_interval_seconds or 30.0)


def _take_back(settings: Settings, package: Path) -> None:
    with _opened_checked(settings) as database, packed.opened(package) as files:
        size = packages.take_back(database, files)
    typer.echo(f"The database is as it was after {size} changes, and everything holds together.")


@contextmanager
def _opened_checked(settings: Settings) -> Iterator[Database]:
    with opened(settings) as database:
        check_schema(database)
        yield database


@contextmanager
def _input(file: Path) -> Iterator[BinaryIO]:
    """A file, or what comes in, kept so that it can be read twice."""
    if str(file) != "-":
        with file.open("rb") as content:
            yield content
        return
    with TemporaryFile() as kept:
        while piece := sys.stdin.buffer.read(1024 * 1024):
            kept.write(piece)
        kept.seek(0)
        yield cast(BinaryIO, kept)


def _runner(settings: Settings, database: Database, tell: Tell = untold) -> Runner:
    return runner_of(settings, database, Theatres(), lambda: datetime.now(UTC), new_id, tell)


def _read(plan: PlanIn, content: BinaryIO) -> Iterator[Entry]:
    with imports.unpacking(content) as plain:
        yield from plan.form.read(plain, plan.reading)


def _outlined(
    settings: Settings, plan: PlanIn, content: BinaryIO, name: str | None
) -> dict[str, list[dict[str, Any]]]:
    return outline.outline(_read(plan, content), name, settings.seed_dir)


def _missing_theatre(
    database: Database, settings: Settings, plan: PlanIn, content: BinaryIO
) -> dict[str, list[dict[str, Any]]] | None:
    """A theatre made from the file, where there is none yet."""
    with database.reading() as session:
        if reference.entries_of(session, "theatre"):
            return None
    theatre = _outlined(settings, plan, content, None)
    typer.echo(
        f"There is no theatre yet: {theatre['theatre'][0]['name']} is made from the file, with "
        f"{len(theatre['sector'])} areas and {len(theatre['party'])} sides."
    )
    return theatre


def _show_preview(
    database: Database, plan: PlanIn, content: BinaryIO, theatre: Theatre | None
) -> None:
    """What each column becomes, the first entries, and the first that would not be taken."""
    account = Account()
    with imports.unpacking(content) as plain:
        plan = imports.as_mended(plan, plain)
        _show_columns(plan, plain)
        for batch in batches(plan.form.read(plain, plan.reading)):
            with database.reading() as session:
                known = theatre or reference.load(session)
                for judged in entries.judge(session, plan, known, batch):
                    _show_judged(judged, account)
    told = account.to_json()
    names = ("created", "updated", "unchanged", "rejected", "held")
    typer.echo(f"read {told['read']}: " + ", ".join(f"{told[name]} {name}" for name in names))
    typer.echo("Nothing was recorded.")


def _show_columns(plan: PlanIn, content: BinaryIO) -> None:
    columns = plan.form.columns(content, plan.reading)
    if plan.mapping is None:
        typer.echo(f"Columns read: {', '.join(columns)}")
        return
    first = next(iter(plan.form.read(content, plan.reading)), None)
    columns = (*dict.fromkeys([*(first.original if first else ()), *columns]),)
    for column, becomes in mappings.describe(plan.mapping, columns):
        typer.echo(f"{column}: {becomes or '(left out)'}")


def _show_judged(judged: Judged, account: Account) -> None:
    """The first few of those that would be taken and of those that would not."""
    refused = account.verdicts[Verdict.REJECTED] + account.verdicts[Verdict.HELD]
    line = judged.entry.line
    if judged.error is not None:
        if refused < _SHOWN:
            typer.echo(f"line {line} would not be taken: {judged.error}")
    elif account.read - refused < _SHOWN:
        typer.echo(f"line {line} becomes {orjson.dumps(judged.sent.posted()).decode()}")
    account.verdicts[judged.verdict] += 1


def _show(database: Database, import_id: str) -> None:
    with database.reading() as session:
        told = imports.described(imports.get(session, import_id))
    account = told["account"]
    ending = f"{told['state']} ({told['fault']}: {told['detail']})" if told["fault"] else ""
    typer.echo(f"{told['source']}: {ending or told['state']}")
    changed = account["changed"]
    typer.echo(
        f"read {account['read']} = created {account['created']} + updated {account['updated']} "
        f"+ unchanged {account['unchanged']} + rejected {account['rejected']} "
        f"+ held {account['held']}"
    )
    if account["updated"]:
        typer.echo(
            f"of the updated {changed['claims']} claim something else, {changed['notes']} "
            "only note something else"
        )
    if account["absent"]:
        typer.echo(f"{account['absent']} recorded before are not in the file; they stay")
    for remark, number in account["remarks"].items():
        typer.echo(f"{number} × {remark}")
    if account["rejected"] or (account["held"] and told["state"] == State.DONE):
        typer.echo(f"What was not taken: ceasefire imports rejects {import_id}")
    typer.echo(f"Its account: ceasefire imports show {import_id}")


@contextmanager
def _progress() -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        tasks: dict[State, Any] = {}

        def tell(state: State, done: int, total: int | None) -> None:
            if state not in tasks:
                tasks[state] = progress.add_task(_IN_WORDS[state], total=total)
            progress.update(tasks[state], completed=done, total=total)

        yield tell
