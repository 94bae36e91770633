"""Writing a whole data set as a package, and making an equal database of one that holds the record.

The tables hold what the lists show to those whom the package is for. The record is every revision
in the order of the ledger and what does not follow from them: heads, feeds, imports, the files that
these read, and photos; all else is derived again, by the code that `verify` derives it with.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import ANYBODY, Actor, Role
from service.domain.ledger import Growing
from service.domain.method import METHOD_VERSION
from service.domain.queries import IncidentQuery, WatchQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES
from service.errors import Conflict, Invalid
from service.formats import packages, packed, tabular
from service.formats.exports import subjects
from service.formats.packages import (
    REFERENCE_TABLES,
    TABLES,
    Audience,
    Table,
    Told,
)
from service.formats.packed import Files
from service.formats.records import instant_text
from service.formats.sealing import canonical, unseal
from service.store import tables
from service.store.accounts import load_accounts
from service.store.database import Database, UtcDateTime, chunks, insert_rows, next_numbers
from service.store.queries import EVERYBODY, seen_at
from service.work import exports, ledger, past, reference, verify

Json = dict[str, Any]

_PAGE: Final = 500
_BATCH_BYTES: Final = 8 * 1024 * 1024
_LEDGER: Final = f"{packages.RECORD}ledger.ndjson"
_PENDING: Final = f"{packages.RECORD}pending.ndjson"
# What neither follows from the record nor stands in it, in the order in which it can be written.
_BESIDE: Final[Sequence[sa.Table]] = [
    tables.metadata.tables[name]
    for name in ("heads", "feeds", "imports", "archive_pieces", "rejects", "photo_pieces")
]
# Entries follow from the record, but not the order of the names in them, which answers repeat.
_REFERENCE: Final = tables.metadata.tables["reference"]
_READERS: Final[Mapping[Audience, Actor]] = {
    Audience.PUBLIC: ANYBODY,
    Audience.PARTNERS: Actor(role=Role.PARTNER),
    Audience.EVERYTHING: Actor(role=Role.ADMIN),
}


def write(database: Database, target: Path, audience: Audience) -> int:
    """Write a package, a folder or a zip, of one snapshot; return how many changes it follows from.

    Raises `Invalid` where something is there already, and `Unavailable` where there is no theatre.
    """
    with packed.made(target) as folder, database.reading() as session:
        theatre = reference.load(session)
        shown = _Shown(session, theatre, _READERS[audience])
        rows = shown.write(folder)
        head = ledger.newest_head(session)
        if head is not None:
            (folder / packages.CHECKPOINT).write_bytes(head.checkpoint.encode())
        if audience is Audience.EVERYTHING:
            rows |= _write_record(session, folder)
        told = _told(session, theatre, audience, shown.sources)
        paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        files = [packed.described(folder, path) for path in paths]
        (folder / packages.DESCRIPTOR).write_bytes(packages.descriptor(told, files))
        (folder / packages.README).write_bytes(packages.readme(told, files, rows))
        about = [packed.described(folder, each) for each in (packages.README, packages.DESCRIPTOR)]
        packed.seal(folder, [*about, *files])
        return told.changes


def _told(
    session: Session,
    theatre: Theatre,
    audience: Audience,
    sources: Iterable[tuple[str, str]],
) -> Told:
    revision = tables.Revision
    level = _READERS[audience].sees.level
    newest = session.scalar(
        sa.select(sa.func.max(revision.recorded_at)).where(revision.level <= level)
    )
    assert newest is not None
    if audience is not Audience.EVERYTHING:
        # Readers are told of changes by their day.
        newest = theatre.start_of_day(theatre.day_of(newest))
    tree = ledger.head(session)
    return Told(
        theatre=theatre.id,
        name=theatre.name,
        audience=audience,
        created=newest,
        changes=tree.size + ledger.pending_count(session),
        size=tree.size,
        root=tree.root.hex(),
        method=METHOD_VERSION,
        licence=theatre.licence,
        schema=_schema_of(session),
        sources=frozenset(sources),
    )


def _schema_of(session: Session) -> str:
    return str(session.scalar(sa.text("SELECT version_num FROM alembic_version")))


class _Written:
    """Tables as files that rows are added to, a page at a time."""

    def __init__(self, folder: Path, wanted: Iterable[Table], open_files: ExitStack) -> None:
        self.rows: dict[str, int] = {}
        self._tables: dict[str, Table] = {}
        self._files: dict[str, TextIO] = {}
        for table in wanted:
            file = (folder / table.path).open("x", encoding="utf-8", newline="")
            self._files[table.name] = open_files.enter_context(file)
            self._tables[table.name] = table
            self.rows[table.path] = 0
            self._put(table, [], header=True)

    def add(self, name: str, rows: Iterable[Json]) -> None:
        self._put(self._tables[name], list(rows), header=False)

    def _put(self, table: Table, rows: Sequence[Json], *, header: bool) -> None:
        text = "".join(tabular.write(table.columns, rows))
        # No name of a column holds the end of a line.
        self._files[table.name].write(text if header else text.partition("\r\n")[2])
        self.rows[table.path] += len(rows)


class _Shown:
    """What one reader is shown, written as tables; `sources` are those of the reports, with their
    licences."""

    def __init__(self, session: Session, theatre: Theatre, actor: Actor) -> None:
        self._session = session
        self._theatre = theatre
        self._actor = actor
        self._query = IncidentQuery(oldest_first=True, sees=actor.sees.level)
        self.sources: set[tuple[str, str]] = set()

    def write(self, folder: Path) -> dict[str, int]:
        """Write every table; return the number of rows by path."""
        with ExitStack() as files:
            written = _Written(folder, [*TABLES, *REFERENCE_TABLES.values()], files)
            self._write_incidents(written)
            self._write_reports(written)
            self._write_watching(written)
            self._write_reference(written, folder)
            return written.rows

    def _write_incidents(self, written: _Written) -> None:
        found = exports.all_incidents(
            self._session, self._query, self._theatre, exports.Start(), whole=False
        )
        for items in found.chunks:
            ids = [item["id"] for item in items]
            counted = dict(self._figures(ids))
            written.add(
                "incidents",
                ({**tabular.flattened(item), **counted[item["id"]][0]} for item in items),
            )
            written.add("incident_parties", (row for each in ids for row in counted[each][1]))

    def _figures(self, ids: Sequence[str]) -> Iterator[tuple[str, tuple[Json, list[Json]]]]:
        """By incident what it adds to sums, and its figures by party."""
        row = tables.Account
        everybodys = sa.select(row).where(
            row.claimant == EVERYBODY, *seen_at(self._actor.sees.level)
        )
        found = [
            each
            for some in chunks(ids)
            for each in self._session.scalars(everybodys.where(row.incident_id.in_(some)))
        ]
        for account, _ in load_accounts(self._session, found):
            adds: Json = {}
            parties: list[Json] = []
            for party, outcome in sorted(
                {*account.figures, *account.contributions},
                key=lambda slot: (slot[0] or "", slot[1]),
            ):
                own = account.figures.get((party, outcome))
                added = account.contributions.get((party, outcome))
                if party is None and outcome in SUMMED_OUTCOMES and added:
                    adds |= _bounds(f"counted.{outcome}.", added.figure)
                elif party is not None:
                    stated = own or added
                    parties.append(
                        {
                            "incident": account.incident,
                            "party": party,
                            "outcome": outcome.value,
                            "status": stated and stated.status,
                            **(_bounds("", own.figure) if own else {}),
                            **(_bounds("counted_", added.figure) if added else {}),
                        }
                    )
            yield account.incident, (adds, parties)

    def _write_reports(self, written: _Written) -> None:
        found = exports.reports(
            self._session, self._query, self._theatre, self._actor, exports.Start()
        )
        columns = [column.name for column in subjects.REPORTS.columns]
        for views in found.chunks:
            rows = [
                [tabular.flattened(dict(zip(columns, cells, strict=True))) for cells in several]
                for several in map(subjects.REPORTS.rows, views)
            ]
            written.add("reports_flat", (row for each in rows for row in each))
            written.add("reports", (each[0] for each in rows))
            written.add("casualties", _numbered(views, "casualties", "line"))
            written.add("sources", _numbered(views, "sources", "number"))
            written.add("weapons", _numbered(views, "weapons", "number"))
            for view in views:
                if origin := view["origin"]:
                    self.sources.add((origin["source"], origin["licence"] or ""))

    def _write_watching(self, written: _Written) -> None:
        for name, find in (("tallies", exports.tallies), ("coverage", exports.coverage)):
            for items in find(self._session, WatchQuery(), self._theatre, exports.Start()).chunks:
                written.add(name, map(tabular.flattened, items))

    def _write_reference(self, written: _Written, folder: Path) -> None:
        entries = reference.entries_of(self._session)
        for kind, table in REFERENCE_TABLES.items():
            written.add(table.name, (_cells(entry, table) for entry in entries.get(kind, ())))
        columns = REFERENCE_TABLES["sector"].columns
        features = [
            {
                "type": "Feature",
                "id": entry["id"],
                "geometry": entry.get("geometry"),
                "properties": {column: entry.get(column) for column in columns},
            }
            for entry in entries.get("sector", ())
        ]
        collection = {"type": "FeatureCollection", "features": features}
        (folder / packages.OUTLINES).write_bytes(orjson.dumps(collection))


def _bounds(prefix: str, figure: Any) -> Json:
    return {f"{prefix}{name}": getattr(figure, name) for name in ("low", "best", "high")}


def _numbered(views: Iterable[Json], name: str, number: str) -> Iterator[Json]:
    """What reports hold several of, each with its place in its report."""
    for view in views:
        for place, each in enumerate(view[name], 1):
            cells = {k: _json(v) if k == "schemes" else v for k, v in each.items()}
            yield {"report": view["id"], number: place, **tabular.flattened(cells)}


def _cells(entry: Mapping[str, Any], table: Table) -> Json:
    """Lists and objects of an entry of the reference data as one cell each."""
    return {name: _json(entry.get(name)) for name in table.columns}


def _json(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def _write_record(session: Session, folder: Path) -> dict[str, int]:
    """Write every revision and what stands beside the record; the number of lines by path."""
    (folder / packages.RECORD).mkdir(mode=0o700)
    revision, leaf, pending = (
        each.__table__.c for each in (tables.Revision, tables.Leaf, tables.Pending)
    )
    columns = (revision.sha256, revision.entry, revision.private, revision.sequence, revision.level)
    placed = (
        sa.select(leaf.position, *columns)
        .where(leaf.sequence == revision.sequence)
        .order_by(leaf.position)
    )
    waiting = (
        sa.select(sa.null().label("position"), *columns)
        .where(pending.sequence == revision.sequence)
        .order_by(revision.sequence)
    )
    told: dict[str, int] = {}
    for path, select in ((_LEDGER, placed), (_PENDING, waiting)):
        rows = session.execute(select, execution_options={"yield_per": _PAGE})
        told[path] = _write_lines(folder / path, map(_line, rows))
    for table in (*_BESIDE, _REFERENCE):
        path, names = _path_of(table), [column.name for column in table.columns]
        found = session.execute(
            sa.select(table).order_by(*table.primary_key),
            # A piece of a file may be of a MiB.
            execution_options={"yield_per": 8},
        ).mappings()
        lines: Iterable[Json] = ({name: _plain(row[name]) for name in names} for row in found)
        if table.name in ("feeds", "reference"):
            # Databases do not agree on the order of words, and there are few.
            lines = sorted(lines, key=lambda line: [str(line[name]) for name in names[:2]])
        told[path] = _write_lines(folder / path, lines)
    return told


def _line(revision: Any) -> Json:
    """As `tools/verify_ledger.py --entries` reads it, with the two columns that do not follow."""
    return {
        "position": revision.position,
        "sha256": revision.sha256,
        "entry": revision.entry,
        "openings": orjson.loads(revision.private),
        "sequence": revision.sequence,
        "level": revision.level,
    }


def _write_lines(path: Path, lines: Iterable[Json]) -> int:
    number = 0
    with path.open("xb") as file:
        for line in lines:
            file.write(orjson.dumps(line) + b"\n")
            number += 1
    return number


def _plain(value: Any) -> Any:
    """A value of a column as JSON has it."""
    if isinstance(value, datetime):
        return instant_text(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def take_back(database: Database, files: Files) -> int:
    """Make an empty database equal to the one that a package was made from; return how many
    changes its ledger holds. All of it or nothing.

    Raises `Invalid` for a package that is not as it was written, of another schema or without the
    record, or whose record is not what its ledger says; `Conflict` unless the database is empty.
    """
    packed.check(files)
    audience, schema, head = packages.read_descriptor(packed.text_of(files, packages.DESCRIPTOR))
    if audience is not Audience.EVERYTHING:
        raise Invalid(
            "holds what readers are shown, and no database can be made of that; its reports can be "
            "imported as those of a source: unpack it, and `ceasefire import reports_flat.csv "
            "--format reports --source NAME`",
            "the package",
        )
    if missing := {_LEDGER, _PENDING, *map(_path_of, (*_BESIDE, _REFERENCE))} - files.names():
        raise Invalid("is missing", min(missing))

    def work(session: Session) -> None:
        if (kept := _schema_of(session)) != schema:
            raise Invalid(
                f"is of another schema than this version's, {kept}: take it back with the version "
                "that made it, and migrate",
                "the package",
            )
        _must_be_empty(session)
        _insert_record(session, files)
        _must_hold(ledger.broken(session))
        try:
            past.project(session, session)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise Invalid("holds what is none of this service's", "the record") from None
        session.execute(sa.delete(_REFERENCE))
        _insert_all(session, files, _REFERENCE)
        tree = ledger.head(session)
        if (tree.size, tree.root.hex()) != head:
            raise Invalid("is not that of the record", f"ledger of {packages.DESCRIPTOR}")
        _must_hold(verify.broken(session))

    database.write(work)
    return head[0]


def _must_hold(broken: Iterator[str]) -> None:
    if wrong := list(broken):
        raise Invalid(f"does not hold together: {wrong[0]}", "the record")


def _must_be_empty(session: Session) -> None:
    for table in (tables.Revision.__table__, *_BESIDE):
        if session.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise Conflict(
                "The database holds something already. A package is taken back into an empty one: "
                "name another in DATABASE_URL and run `ceasefire migrate`."
            )


def _insert_record(session: Session, files: Files) -> None:
    tree = Growing()
    revisions, pending = tables.Revision.__table__, tables.Pending.__table__
    last = 0
    for rows in _batches(files, _LEDGER, _revision):
        insert_rows(session, revisions, [row for row, _ in rows])
        made: list[Json] = []
        placed: list[Json] = []
        for row, position in rows:
            if position != tree.size:
                raise Invalid("is not in the order of the ledger", _LEDGER)
            placed.append(
                {"position": position, "sequence": row["sequence"], "hash": row["sha256"]}
            )
            made += [
                {"level": level, "position": index, "hash": value.hex()}
                for (level, index), value in tree.add(bytes.fromhex(row["sha256"]))
            ]
            last = max(last, row["sequence"])
        insert_rows(session, tables.Leaf.__table__, placed)
        insert_rows(session, tables.Node.__table__, made)
    for rows in _batches(files, _PENDING, _revision):
        insert_rows(session, revisions, [row for row, _ in rows])
        insert_rows(session, pending, [{"sequence": row["sequence"]} for row, _ in rows])
        last = max(last, *(row["sequence"] for row, _ in rows))
    _count_beyond(session, last)
    for table in _BESIDE:
        _insert_all(session, files, table)


def _insert_all(session: Session, files: Files, table: sa.Table) -> None:
    for rows in _batches(files, _path_of(table), _reader_of(table)):
        insert_rows(session, table, rows)


def _count_beyond(session: Session, last: int) -> None:
    """Rows put in with their numbers leave the counter behind on some databases."""
    reached = 0
    while reached < last:
        reached = max(next_numbers(session, tables.Revision.__table__, min(10_000, last - reached)))


def _batches(files: Files, path: str, read: Callable[[Json], Any]) -> Iterator[list[Any]]:
    """What the lines of a file hold, some at a time. Raises `Invalid` naming a line."""
    rows: list[Any] = []
    size = 0
    for where, line in packed.lines_of(files, path):
        try:
            rows.append(read(orjson.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise Invalid("is not as a line of it is", where) from None
        size += len(line)
        if len(rows) == _PAGE or size > _BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _revision(line: Json) -> tuple[Json, int | None]:
    """The row of a revision, and its place in the ledger."""
    entry, private = str(line["entry"]), canonical(line["openings"]).decode()
    fact = unseal(entry, private)
    row = {
        "sequence": int(line["sequence"]),
        "kind": fact.kind,
        "subject": fact.subject,
        "revision": fact.revision,
        "recorded_at": fact.recorded_at.astimezone(UTC),
        "actor": fact.actor if "actor" in line["openings"] else ledger.ERASED,
        "sha256": str(line["sha256"]),
        "level": int(line["level"]),
        "entry": entry,
        "private": private,
    }
    return row, line["position"]


def _reader_of(table: sa.Table) -> Callable[[Json], Json]:
    """What makes a row of a line: values of columns as JSON has them."""
    kinds = {column.name: column.type for column in table.columns}

    def read(line: Json) -> Json:
        return {name: _value(kinds[name], line[name]) for name in kinds}

    return read


def _value(kind: sa.types.TypeEngine[Any], written: Any) -> Any:
    if written is None:
        return None
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode(written, validate=True)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(written)
    return written


def _path_of(table: sa.Table) -> str:
    return f"{packages.RECORD}{table.name}.ndjson"
