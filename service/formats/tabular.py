"""CSV in and out: a report is one row per casualty line or source, whichever are more; columns are
named as the JSON paths."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from service.domain.vocabulary import Outcome
from service.errors import Invalid

# A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP ASVS 5, 1.2.10).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
GUARDED: Final = frozenset({*_FORMULA, "'"})
"""What a text begins with that `guarded` may change."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,20})?(?:e-[0-9]{1,3})?")
# A backslash takes from the character behind it what it would part.
_PART: Final = re.compile(r"(?:\\.|[^;])+", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\:;])")
_CALIBRE: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,20})?(?:e-[0-9]{1,3})?")
_COUNT_PARTS: Final = ("low", "best", "high", "words")

_DISCLOSURE_COLUMNS: Final = ("disclosure.visibility", "disclosure.embargo", "disclosure.place")
_REPORT_COLUMNS: Final = (
    "id",
    "when",
    "timezone",
    "where.place",
    "where.sector",
    "where.lat",
    "where.lon",
    "where.precision",
    "where.as_written",
    "where.observer.lat",
    "where.observer.lon",
    "where.observer.bearing",
    "where.observer.distance_km",
    "claimant",
    "attributed_to",
    "stance",
    "about.report",
    "about.incident",
    "reported",
    "summary",
    "incident",
    *_DISCLOSURE_COLUMNS,
)
_LIST_COLUMNS: Final = ("weapons", "about.outcomes")
_SOURCE_COLUMNS: Final = tuple(
    f"sources.{name}" for name in ("title", "publisher", "published", "url", "locator")
)
_LINE_COLUMNS: Final = (
    "casualties.party",
    "casualties.group",
    *(f"casualties.{outcome}" for outcome in Outcome),
    *(f"casualties.{outcome}.{part}" for outcome in Outcome for part in _COUNT_PARTS),
)
_NUMERIC: Final = frozenset(
    {
        *(c for c in _REPORT_COLUMNS if c.endswith((".lat", ".lon", ".bearing", "distance_km"))),
        *(c for c in _LINE_COLUMNS if c.split(".")[-1] in {*Outcome, "low", "best", "high"}),
    }
)
COLUMNS: Final = frozenset(
    {"ref", *_REPORT_COLUMNS, *_LIST_COLUMNS, *_SOURCE_COLUMNS, *_LINE_COLUMNS}
)
TEMPLATE: Final = (
    "id,ref,when,where.place,where.sector,where.lat,where.lon,where.precision,weapons,claimant,"
    "attributed_to,stance,reported,summary,sources.title,sources.publisher,sources.published,"
    "sources.url,casualties.party,casualties.group,casualties.killed,casualties.killed.words,"
    "casualties.wounded,casualties.missing,casualties.captured\r\n"
)
EXAMPLE: Final = (
    "ref,when,where.place,claimant,casualties.party,casualties.killed,casualties.wounded\r\n"
    "1,2022-09-16,Lachin,azerbaijani-officials,azerbaijan,,1\r\n"
    "2,2022-09-16,Shushi,nk-de-facto-authorities,nk-de-facto,1,2\r\n"
    "2,2022-09-16,Shushi,nk-de-facto-authorities,azerbaijan,,3\r\n"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of an upload holds: a value, or why it cannot be read."""

    line: int
    value: Any = None
    error: Invalid | None = None


def read_reports(file: BinaryIO, longest_line: int) -> Iterator[Row]:
    """Reports from CSV in UTF-8; rows that share an `id` or `ref` stand together and make one.

    Raises `Invalid` for a header with unknown or repeated columns.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="strict")
    try:
        yield from _grouped(_records(text, longest_line))
    finally:
        text.detach()


def ignored_columns(file: BinaryIO) -> list[str]:
    """Columns of our own exports that nobody can set, where an upload has them."""
    file.seek(0)
    first = file.readline(_LONGEST_HEADER).decode("utf-8-sig", "replace").strip()
    return [name for name in next(csv.reader([first]), []) if name in _DERIVED_COLUMNS]


REJECT_COLUMNS: Final = ("reject.line", "reject.field", "reject.reason")


def reject_row(reject: Mapping[str, Any]) -> dict[str, Any]:
    """What was not taken, as a row that can be mended and imported again."""
    told = (reject["line"], reject["field"], reject["reason"])
    return {**dict(zip(REJECT_COLUMNS, told, strict=True)), **reject["original"]}


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV (RFC 4180) in chunks, header first even where there is no row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_cell(column) for column in columns])
    for count, row in enumerate(rows):
        writer.writerow([_cell(row.get(column)) for column in columns])
        if count % 500 == 499:
            yield _drained(buffer)
    yield _drained(buffer)


def flattened(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as one row, keys joined by dots; lists of plain values by semicolons."""
    row: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, Mapping):
            row.update(flattened(item, f"{prefix}{key}."))
        elif isinstance(item, list):
            row[prefix + key] = ";".join(str(each) for each in item)
        else:
            row[prefix + key] = item
    return row


def _weapon(text: str) -> str | dict[str, Any]:
    name, colon, calibre = text.rpartition(":")
    is_escaped = (len(name) - len(name.rstrip("\\"))) % 2
    if not colon or is_escaped or not _CALIBRE.fullmatch(calibre):
        return _ESCAPED.sub(r"\1", text)
    return {"weapon": _ESCAPED.sub(r"\1", name), "calibre_mm": float(calibre)}


REPORT_COLUMNS: Final = (
    "id",
    "revision",
    "incident",
    "when",
    "start",
    "end",
    "precision",
    "lasted",
    "timezone",
    "where.place",
    "where.place_id",
    "where.sector",
    "where.as_written",
    "where.lat",
    "where.lon",
    "where.precision",
    "weapons",
    "claimant",
    "attributed_to",
    "stance",
    "about.report",
    "about.incident",
    "about.outcomes",
    "status",
    "basis",
    "counted",
    "reason",
    "grade",
    "flags",
    "reported",
    "received",
    "summary",
    "origin.source",
    "origin.key",
    "origin.licence",
    *_DISCLOSURE_COLUMNS,
    *_SOURCE_COLUMNS,
    "casualties.party",
    "casualties.group",
    *(f"casualties.{outcome}.{part}" for outcome in Outcome for part in _COUNT_PARTS),
)
_DERIVED_COLUMNS: Final = frozenset(REPORT_COLUMNS) - COLUMNS
_ACCEPTED: Final = COLUMNS | _DERIVED_COLUMNS | {*REJECT_COLUMNS}
_LONGEST_HEADER: Final = 10_000


def _records(text: io.TextIOWrapper, longest_line: int) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(_bounded(text, longest_line), strict=True)
    start = 1
    try:
        header = next(reader, None)
        if header is None:
            raise Invalid("has no header line", "line 1")
        _check_header(header)
        start = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                yield start, {"": "has more or fewer cells than the header"}
            elif any(cell.strip() for cell in cells):
                yield (
                    start,
                    {
                        name: unguarded(cell)
                        for name, cell in zip(header, cells, strict=True)
                        if cell != ""
                    },
                )
            start = reader.line_num + 1
    except csv.Error:
        yield start, {"": "has a quote that is not closed, or text behind one"}
    except _LineTooLong:
        yield start, {"": "is longer than is taken"}
    except UnicodeDecodeError:
        yield start, {"": "is not UTF-8"}


class _LineTooLong(Exception):
    """Ends the reading: where the next line starts is not known."""


def _bounded(text: io.TextIOWrapper, longest_line: int) -> Iterator[str]:
    while line := text.readline(longest_line + 1):
        if len(line) > longest_line:
            raise _LineTooLong
        yield line


def _check_header(header: Sequence[str]) -> None:
    if len(set(header)) != len(header):
        raise Invalid("names a column twice", "line 1")
    if unknown := [name for name in header if name not in _ACCEPTED]:
        shown = unknown[0] if re.fullmatch(r"[a-z_.]{1,60}", unknown[0]) else "one of them"
        raise Invalid(f"has a column that is not known: {shown}", "line 1")
    for needed in ("when", "claimant"):
        if needed not in header:
            raise Invalid(f"lacks the column {needed}", "line 1")


def _grouped(records: Iterable[tuple[int, dict[str, str]]]) -> Iterator[Row]:
    """Join the rows of one report; a group that comes back later is refused, not doubled."""
    group: list[dict[str, str]] = []
    first_line = 0
    finished: set[str] = set()

    def name_of(record: Mapping[str, str]) -> str | None:
        return record.get("id") or record.get("ref")

    def finish() -> Iterator[Row]:
        if not group:
            return
        name = name_of(group[0])
        if name is not None and name in finished:
            yield Row(first_line, error=Invalid("stands apart from its first rows", "ref"))
            return
        if name is not None:
            finished.add(name)
        yield _row(first_line, group)

    for line, record in records:
        if "" in record:
            yield from finish()
            group = []
            yield Row(line, error=Invalid(record[""]))
            continue
        name = name_of(record)
        if group and name is not None and name == name_of(group[0]):
            group.append(record)
            continue
        yield from finish()
        group, first_line = [record], line
    yield from finish()


def _row(line: int, group: Sequence[Mapping[str, str]]) -> Row:
    try:
        return Row(line, _report(group))
    except Invalid as error:
        return Row(line, error=error)


def _report(group: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for column in (*_REPORT_COLUMNS, *_LIST_COLUMNS):
        is_list = column in _LIST_COLUMNS
        if (cell := _shared(group, column)) is not None:
            _put(report, column, _parts(column, cell) if is_list else _typed(column, cell))
    if sources := _sources(group):
        report["sources"] = sources
    report.setdefault("where", {})
    lines = [line for record in group if (line := _casualties(record))]
    if lines:
        report["casualties"] = lines
    return report


def _parts(column: str, cell: str) -> list[Any]:
    parts = [part.strip() for part in _PART.findall(cell) if part.strip()]
    return [_weapon(part) for part in parts] if column == "weapons" else parts


def _sources(group: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Those of a report's rows, each once."""
    sources: list[dict[str, str]] = []
    for record in group:
        told = {c.removeprefix("sources."): record[c] for c in _SOURCE_COLUMNS if c in record}
        if told and told not in sources:
            sources.append(told)
    return sources


def _casualties(record: Mapping[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for column in _LINE_COLUMNS:
        if (cell := record.get(column)) is None:
            continue
        name = column.removeprefix("casualties.")
        if "." in name and isinstance(line.get(name.split(".")[0]), int):
            # The exact count stands in its own column; these words only say how it was written.
            exact = line[name.split(".")[0]]
            line[name.split(".")[0]] = {"low": exact, "best": exact, "high": exact}
        _put(line, name, _typed(column, cell))
    return line


def _shared(group: Sequence[Mapping[str, str]], column: str) -> str | None:
    cells = {record[column] for record in group if column in record}
    if len(cells) > 1:
        raise Invalid("differs between the rows of one report", column)
    return cells.pop() if cells else None


def _typed(column: str, cell: str) -> Any:
    if column not in _NUMERIC:
        return cell
    if not _NUMBER.fullmatch(cell):
        raise Invalid("must be a plain number", column)
    is_whole = cell.lstrip("+-").isdigit() and not column.startswith("where.")
    return int(cell) if is_whole else float(cell)


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    """With apostrophes of its own too, so that taking one off again gives the same text."""
    return text.lstrip("'").startswith(_FORMULA)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _is_formula(text) else text


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(value) if isinstance(value, str) else value


def _drained(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
