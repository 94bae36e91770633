"""Wide tables of counts: a row for each period and a column for each sector, or the other way.

A filled cell is a tally. An empty one is nothing: neither a count of zero, nor a record that nobody
watched, for the table does not say why it is empty. Where the mapping declares who watched and how,
each filled cell also gives a record of coverage, so that a period without a cell has none and
answers with no figure instead of 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from service.domain.figures import figure_from_words
from service.errors import Invalid
from service.formats.imports import delimited, mapping
from service.formats.imports.entries import Entry, Kind, Reading
from service.formats.imports.mapping import Cells
from service.formats.imports.styles import count_of, style_of


class WideTable:
    """CSV whose header line holds the sectors or the periods."""

    name = "wide"
    media: Sequence[str] = ("text/csv", "application/csv", "text/tab-separated-values")
    restricted = False
    pages = False
    default_claimant: str | None = None
    default_licence: str | None = None

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """Those of the header, without the periods, which come and go. Raises `Unusable`."""
        chosen = mapping.of_wide(reading.mapping)
        names = delimited.header(file, reading, _expected(chosen))
        passing = chosen.periods is not None
        return tuple(
            sorted(n for n in names if not (passing and mapping.wide_column(chosen, n) is not None))
        )

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """A tally, and coverage where it is declared, of each filled cell. Raises `Unusable`."""
        chosen = mapping.of_wide(reading.mapping)
        mapping.check_claimant(chosen, reading.claimant)
        zone = mapping.zone_of(chosen, reading.timezone)
        expected = _expected(chosen)
        table = _Table(
            chosen,
            zone,
            reading.claimant,
            _counted(chosen, delimited.header(file, reading, expected)),
        )
        for record in delimited.records(file, reading, expected):
            if record.error is not None:
                yield Entry(
                    record.line, None, Kind.TALLY, error=record.error, original=record.cells
                )
            else:
                yield from table.entries(record)


@dataclass(frozen=True, slots=True)
class _Table:
    """A mapping put to one file; `counted` gives the sector or period of each column of counts."""

    mapping: mapping.Wide
    zone: ZoneInfo
    claimant: str | None
    counted: Mapping[str, str]

    def entries(self, record: delimited.Record) -> Iterator[Entry]:
        cells = self.mapping.cells(record.cells.get)
        try:
            if cells.text(self.mapping.naming, "") in self.mapping.ignore_rows:
                return
            row = self._name_of_row(cells)
        except Invalid as error:
            yield Entry(record.line, None, Kind.TALLY, error=error, original=record.cells)
            return
        for column, name in self.counted.items():
            if cells[column] is not None:
                period, sector = (row, name) if self.mapping.period else (name, row)
                yield from self._cell(record, cells, column, period, sector)

    def _name_of_row(self, cells: Cells) -> str:
        named = (
            self.mapping.period.read(cells, "period", self.zone.key)
            if self.mapping.period
            else self.mapping.sector and self.mapping.sector.read(cells, "sector")
        )
        if not named:
            raise Invalid("is required", "period" if self.mapping.period else "sector")
        return named

    def _cell(
        self, record: delimited.Record, cells: Cells, column: str, period: str, sector: str
    ) -> Iterator[Entry]:
        value: dict[str, Any]
        original = {
            name: record.cells[name] for name in dict.fromkeys((self.mapping.naming, column))
        }
        try:
            value = self._tally(cells, column, period, sector)
        except Invalid as error:
            yield Entry(record.line, None, Kind.TALLY, error=error, original=original)
            return
        key = "/".join([str(value.get("claimant")), sector, period, str(value.get("unit"))])
        yield Entry(record.line, key, Kind.TALLY, value, original=original)
        if self.mapping.coverage is not None:
            watched = self._coverage(cells, value)
            key = f"coverage/{watched['observer']}/{sector}/{period}"
            yield Entry(record.line, key, Kind.COVERAGE, watched, original=original)

    def _tally(self, cells: Cells, column: str, period: str, sector: str) -> dict[str, Any]:
        chosen = self.mapping
        start, end = mapping.span_of(period, self.zone, "period")
        texts = {
            name: reader and reader.read(cells, name)
            for name, reader in (
                ("claimant", chosen.claimant),
                ("unit", chosen.unit),
                ("attributed_to", chosen.attributed_to),
                ("note", chosen.note),
            )
        }
        value = {
            **texts,
            "claimant": texts["claimant"] or self.claimant,
            "from": start,
            "to": end,
            "count": self._count(cells[column]),
            "sector": sector,
            "sources": chosen.sources_of(cells, self.zone.key) or None,
        }
        return {name: each for name, each in value.items() if each is not None}

    def _count(self, cell: object) -> int | dict[str, Any] | None:
        """Raises `Invalid` for words that hold no number: in a table of counts they are a slip."""
        count = count_of(cell, "count", style_of(self.mapping.numbers))
        if isinstance(count, dict) and figure_from_words(count["words"]) is None:
            raise Invalid("holds no number", "count")
        return count

    def _coverage(self, cells: Cells, tally: Mapping[str, Any]) -> dict[str, Any]:
        assert self.mapping.coverage is not None
        watched = self.mapping.coverage
        return {
            "observer": watched.observer.read(cells, "observer"),
            "sectors": [tally["sector"]],
            "from": tally["from"],
            "to": tally["to"],
            "means": watched.means.read(cells, "means"),
            "access": watched.access.read(cells, "access"),
        }


def _expected(chosen: mapping.Wide) -> set[str]:
    return {column for _, column in mapping.columns_named(chosen)}


def _counted(chosen: mapping.Wide, header: Sequence[str]) -> dict[str, str]:
    """The columns of counts. Raises `Unusable` for a column that the mapping does not account for:
    it may be a sector that is new, or a total that would be counted once more."""
    mapping.check_columns(chosen, header)
    known = {column for path, column in mapping.columns_named(chosen) if path != "sectors"}
    counted: dict[str, str] = {}
    for column in header:
        what = mapping.wide_column(chosen, column)
        if what is not None and column not in known:
            counted[column] = what
        elif column not in known and column not in chosen.ignore:
            where = "sectors" if chosen.period else "periods"
            raise mapping.unusable(
                [(where, "does not account for every column; name the others under ignore")]
            )
    if len({*counted.values()}) != len(counted):
        raise mapping.unusable([("periods", "are given to two columns")])
    return counted
