"""Delimited text with a header line (RFC 4180 and its kin), read strictly and in bounded memory.

Encoding and delimiter are those declared, never guessed. What is wrong with one row is said of that
row; what makes it doubtful where rows begin and end is `Unusable` for the file:

* `bad_encoding` where a byte does not decode, or the first bytes mark another encoding;
* `bad_header` where there is none, or a name is empty or given twice;
* `line_too_long` where a line, or a record over several lines, takes more than
  `Reading.longest_line` bytes, or a field more than `csv.field_size_limit()` characters;
* `suspicious_rowcount` where a quote is never closed, or text stands behind a closed one, or one
  record swallows lines that look like rows. A row without quotes has exactly one delimiter less
  than there are columns; two such lines in one record of 8 or more columns, or ten in a narrower
  one, are rows between two stray quotes. (Rows with quotes of their own end in the errors before.)
"""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats import tabular
from service.formats.imports.entries import Reading

_WHOLE: Final = re.compile(r"([0-9]{1,15})(?:\.0{1,15})?")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,25})?")
_DELIMITERS: Final = {
    ",": "is separated by commas: declare the delimiter ,",
    ";": "is separated by semicolons: declare the delimiter ;",
    "\t": "is separated by tabs: declare the delimiter tab",
    "|": "is separated by bars: declare the delimiter |",
}
NOT_TEXT: Final = "holds characters that are not text"
_WIDE: Final = 8
_ROWS_IN_A_WIDE_RECORD: Final = 2
_ROWS_IN_A_NARROW_RECORD: Final = 10
# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it begins on (the header is 1), its cells by column, as they stand.

    Where `error` says that the row is shorter or longer than the header, there are the cells that
    it has, those without a column under `+1` and so on. A NUL, which cannot be stored everywhere,
    is left out of a row that holds one.
    """

    line: int
    cells: dict[str, str]
    error: Invalid | None = None


def header(file: BinaryIO, reading: Reading, expected: Collection[str] = ()) -> tuple[str, ...]:
    """The names of the columns in the file's order, without outer spaces.

    `expected` are some of the names that such a file has; they serve only to say which delimiter
    should have been declared. Raises `Unusable`.
    """
    with _rows(file, reading) as (lines, rows):
        names = _header(lines, rows, reading, expected)
        return names[_told(names) :]


def records(file: BinaryIO, reading: Reading, expected: Collection[str] = ()) -> Iterator[Record]:
    """The rows below the header, one at a time; raises `Unusable`.

    Left out are empty lines, rows of empty cells only, and a row of HXL tags below the header,
    whose cells all begin with `#` (https://hxlstandard.org/standard/1-1final/). Of a table of what
    was not taken before, mended since, only what the source wrote is read.
    """
    with _rows(file, reading) as (lines, rows):
        names = _header(lines, rows, reading, expected)
        width, told = len(names), _told(names)
        lines.expect(width)
        first = True
        for cells in rows:
            line, is_text = lines.begin()
            if not any(cells):
                continue
            if first and all(cell.startswith("#") for cell in cells if cell):
                first = False
                continue
            first = False
            if len(cells) != width:
                error = "has fewer cells" if len(cells) < width else "has more cells"
                columns = [*names, *(f"+{more}" for more in range(1, len(cells) - width + 1))]
                kept = {name: _text(cell) for name, cell in zip(columns, cells, strict=False)}
                yield Record(line, kept, Invalid(f"{error} than the header"))
            elif not is_text:
                kept = {name: _text(cell) for name, cell in zip(names, cells, strict=True)}
                yield Record(line, kept, Invalid(NOT_TEXT))
            elif told:
                ours = zip(names[told:], map(tabular.unguarded, cells[told:]), strict=True)
                yield Record(line, dict(ours))
            else:
                yield Record(line, dict(zip(names, cells, strict=True)))


def _told(names: Sequence[str]) -> int:
    """How many of the first columns say why a row was not taken."""
    ours = tabular.REJECT_COLUMNS
    return len(ours) if tuple(names[: len(ours)]) == ours else 0


def _text(cell: str) -> str:
    return cell.replace("\0", "")


def whole_number(text: str, field: str = "") -> int:
    """A count or id of ASCII digits, also as tables of floats write it: `12`, `12.0`.

    Raises `Invalid` for anything else: signs, spaces, separators of any kind, other digits.
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise Invalid("must be a whole number", field)
    return int(match[1])


def decimal_number(text: str, field: str = "") -> float:
    """A number such as `-12.5`. Raises `Invalid` for spaces, a comma, exponents, other digits."""
    if _DECIMAL.fullmatch(text) is None:
        raise Invalid("must be a plain number", field)
    return float(text)


class _Lines:
    """Physical lines with their ends, watched while the CSV reader joins them to records."""

    def __init__(self, text: io.TextIOWrapper, reading: Reading) -> None:
        self.first = ""
        self._text = text
        self._longest = reading.longest_line
        self._delimiter = reading.delimiter
        self._delimiters = 0
        self._suspicious = 0
        self._number = 0
        self._begins = 1
        self._size = 0
        self._like_rows = 0
        self._is_text = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._longest + 1)
        if not line:
            raise StopIteration
        self._number += 1
        if self._number == 1:
            line = self.first = line.removeprefix("\ufeff")
        self._size += len(line) if line.isascii() else len(line.encode("utf-8", "replace"))
        if "\0" in line:
            self._is_text = False
        if self._size > self._longest:
            raise Unusable(Fault.LINE_TOO_LONG, "has a line or field that is longer than is taken")
        if self._suspicious and line.count(self._delimiter) == self._delimiters:
            self._like_rows += 1
            if self._like_rows >= self._suspicious and self._number > self._begins:
                raise Unusable(
                    Fault.SUSPICIOUS_ROWCOUNT, "has a quote that swallows lines that look like rows"
                )
        return line

    def begin(self) -> tuple[int, bool]:
        """A record ends here: the line that it began on, and whether all of it is text."""
        begun, is_text = self._begins, self._is_text
        self._begins = self._number + 1
        self._size = self._like_rows = 0
        self._is_text = True
        return begun, is_text

    def expect(self, width: int) -> None:
        """Rows have so many columns; with one column nothing looks like a row."""
        self._delimiters = width - 1
        if width > 1:
            self._suspicious = (
                _ROWS_IN_A_WIDE_RECORD if width >= _WIDE else _ROWS_IN_A_NARROW_RECORD
            )


@contextmanager
def _rows(file: BinaryIO, reading: Reading) -> Iterator[tuple[_Lines, "Iterator[list[str]]"]]:
    """Lines and the rows made from them; what goes wrong underneath becomes `Unusable`."""
    if len(reading.delimiter) != 1 or reading.delimiter in '"\r\n ':
        raise Unusable(Fault.BAD_HEADER, "needs a delimiter that is one character")
    text = io.TextIOWrapper(file, encoding=_encoding(file, reading), newline="", errors="strict")
    try:
        lines = _Lines(text, reading)
        yield lines, csv.reader(lines, delimiter=reading.delimiter, strict=True)
    except UnicodeError:
        raise Unusable(Fault.BAD_ENCODING, "is not in the encoding declared for it") from None
    except csv.Error as error:
        if str(error).startswith("field larger"):
            raise Unusable(
                Fault.LINE_TOO_LONG, "has a line or field that is longer than is taken"
            ) from None
        raise Unusable(
            Fault.SUSPICIOUS_ROWCOUNT, "has a quote that is not closed, or text behind one"
        ) from None
    finally:
        text.detach()


def _encoding(file: BinaryIO, reading: Reading) -> str:
    """The codec to read with, from the start of the file."""
    try:
        name = codecs.lookup(reading.encoding).name
        "".encode(name)
    except LookupError:
        raise Unusable(Fault.BAD_ENCODING, "has an encoding declared that is not known") from None
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    marked = next((family for mark, family in _MARKS if start.startswith(mark)), None)
    if marked is not None and not name.startswith(marked):
        raise Unusable(Fault.BAD_ENCODING, "begins with the mark of another encoding than declared")
    return "utf-8-sig" if name == "utf-8" else name


def _header(
    lines: _Lines, rows: Iterator[list[str]], reading: Reading, expected: Collection[str]
) -> tuple[str, ...]:
    try:
        names = tuple(name.strip(" \u00a0") for name in next(rows, []))
    except csv.Error:
        _refuse_other_delimiter(lines.first, reading, expected)
        raise
    lines.begin()
    if "\0" in lines.first:
        # UTF-16 without a mark decodes as UTF-8, with a NUL for every second character.
        raise Unusable(Fault.BAD_ENCODING, "is not in the encoding declared for it")
    if len(names) <= 1:
        _refuse_other_delimiter(lines.first, reading, expected)
    if not any(names):
        raise Unusable(Fault.BAD_HEADER, "has no header line")
    if not all(names):
        raise Unusable(Fault.BAD_HEADER, "has a column without a name")
    if len(set(names)) != len(names):
        raise Unusable(Fault.BAD_HEADER, "names a column twice")
    told = _told(names)
    return (*names[:told], *map(tabular.unguarded, names[told:])) if told else names


def _refuse_other_delimiter(first: str, reading: Reading, expected: Collection[str]) -> None:
    """Say which delimiter to declare, where one makes expected names of the header."""
    for delimiter, message in _DELIMITERS.items():
        names = {name.strip(' "\r\n') for name in first.split(delimiter)}
        if delimiter != reading.delimiter and len(names) > 1 and not names.isdisjoint(expected):
            raise Unusable(Fault.BAD_HEADER, message)
