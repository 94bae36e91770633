"""Workbooks of Excel (ISO/IEC 29500): a sheet of rows, and one that says what they are."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final

import orjson
import xlsxwriter

from service.domain.when import FIRST_YEAR
from service.errors import Invalid
from service.formats.exports.columns import Cells, Column, Kind
from service.formats.exports.writing import About, Content, Sink

# What Excel has room for (specifications and limits of Excel, support.microsoft.com).
_MOST_ROWS: Final = 1_048_576
_LONGEST_TEXT: Final = 32_767
_CUT: Final = "…"
_SHEET_NAME: Final = 31
# As the entries of the archive have it, so that the same data are the same bytes.
_NO_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class Xlsx:
    """Days are dates, numbers numbers, all else text that nothing executes. What is longer than a
    cell is cut, and the sheet `about` counts how many were."""

    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    suffix = "xlsx"
    whole = False
    tagged = True

    def write(self, sink: Sink, content: Content) -> None:
        """Raises `Invalid` for more rows than a sheet has, before anything is written."""
        columns = content.subject.columns
        heads = [[c.name for c in columns], *([[c.tag for c in columns]] if content.hxl else [])]
        _check_room(content.about.total + len(heads))
        with TemporaryDirectory() as folder, TemporaryFile(dir=folder) as file:
            book = xlsxwriter.Workbook(file, {**_OPTIONS, "tmpdir": folder})
            book.set_properties({**_properties(content.about), "created": _NO_TIME})
            sheet = book.add_worksheet(content.subject.name[:_SHEET_NAME])
            sheet.freeze_panes(len(heads), 1)
            filled = _Filled(sheet, book.add_format({"num_format": "yyyy-mm-dd"}), columns)
            for head in heads:
                filled.add_texts(head)
            for items in content.chunks:
                for item in items:
                    for cells in content.subject.rows(item):
                        filled.add(cells)
            _tell(book.add_worksheet("about"), {**content.about.told(), "texts_cut": filled.cut})
            book.close()
            file.seek(0)
            shutil.copyfileobj(file, sink, 1024 * 1024)


class _Filled:
    """A sheet as far as it is filled; `cut` counts texts that were longer than a cell."""

    def __init__(self, sheet: Any, day: Any, columns: Sequence[Column]) -> None:
        self._sheet = sheet
        self._row = 0
        self.cut = 0
        put: Mapping[Kind, Callable[[int, int, Any], object]] = {
            Kind.TEXT: self._text,
            Kind.TEXTS: lambda row, i, value: self._text(row, i, ";".join(value)),
            Kind.INTEGER: sheet.write_number,
            Kind.NUMBER: sheet.write_number,
            Kind.BOOLEAN: sheet.write_boolean,
            Kind.DAY: partial(self._day, day),
        }
        self._put = [put[column.kind] for column in columns]

    def add(self, cells: Cells) -> None:
        row = self._next()
        for i, value in enumerate(cells):
            if value is not None:
                self._put[i](row, i, value)

    def add_texts(self, texts: Sequence[str]) -> None:
        row = self._next()
        for i, text in enumerate(texts):
            self._text(row, i, text)

    def _next(self) -> int:
        _check_room(self._row + 1)
        self._row += 1
        return self._row - 1

    def _text(self, row: int, i: int, text: str) -> None:
        if not text:
            return
        if len(text) > _LONGEST_TEXT:
            self.cut += 1
            text = text[: _LONGEST_TEXT - len(_CUT)] + _CUT
        if text.startswith("<r>") and text.endswith("</r>"):
            # The library would write it as markup of its own.
            text += " "
        self._sheet.write_string(row, i, text)

    def _day(self, form: Any, row: int, i: int, text: str) -> None:
        day = date.fromisoformat(text)
        if day.year < FIRST_YEAR:
            self._text(row, i, text)
        else:
            self._sheet.write_datetime(row, i, day, form)


def _check_room(rows: int) -> None:
    if rows > _MOST_ROWS:
        raise Invalid("has no room for so many rows; ask for fewer, or for parquet", "format")


def _properties(about: About) -> dict[str, str]:
    return {
        "title": about.title,
        "subject": about.asked,
        "comments": f"Licence: {about.licence or 'not stated'}. Method: {about.method}.",
    }


def _tell(sheet: Any, fields: Mapping[str, Any]) -> None:
    for row, (name, value) in enumerate(fields.items()):
        sheet.write_string(row, 0, name)
        if isinstance(value, int):
            sheet.write_number(row, 1, value)
        else:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            sheet.write_string(row, 1, text[:_LONGEST_TEXT])
