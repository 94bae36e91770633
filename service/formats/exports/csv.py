"""Comma-separated values (RFC 4180), which have no room for anything but rows."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from service.formats.exports.columns import Cells, Column, Kind
from service.formats.exports.writing import Content, Sink
from service.formats.tabular import GUARDED, guarded

_LISTS: Final = (Kind.TEXTS,)


class Csv:
    """UTF-8 without a mark; text that a spreadsheet would take for a formula gets an apostrophe."""

    media = "text/csv; charset=utf-8"
    suffix = "csv"
    whole = False
    tagged = True

    def write(self, sink: Sink, content: Content) -> None:
        columns, rows_of = content.subject.columns, content.subject.rows
        texts = [i for i, column in enumerate(columns) if column.kind is Kind.TEXT]
        booleans = [i for i, column in enumerate(columns) if column.kind is Kind.BOOLEAN]
        lists = [i for i, column in enumerate(columns) if column.kind in _LISTS]

        def plain(cells: Cells) -> Cells:
            for i in booleans:
                value = cells[i]
                if value is not None:
                    cells[i] = "true" if value else "false"
            for i in lists:
                value = cells[i]
                if value is not None:
                    cells[i] = guarded(";".join(value))
            for i in texts:
                value = cells[i]
                if value and value[0] in GUARDED:
                    cells[i] = guarded(value)
            return cells

        sink.write(_lines(_header(columns, hxl=content.hxl)))
        for items in content.chunks:
            sink.write(_lines([plain(cells) for item in items for cells in rows_of(item)]))


def _header(columns: Sequence[Column], *, hxl: bool) -> list[Cells]:
    names: Cells = [column.name for column in columns]
    return [names, [column.tag for column in columns]] if hxl else [names]


def _lines(rows: list[Cells]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
