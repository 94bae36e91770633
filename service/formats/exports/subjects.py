"""The lists that can be exported, as tables."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import orjson
from shapely.geometry import shape

from service.domain.queries import Dimension
from service.domain.theatre import Theatre
from service.formats.exports.columns import Cells, Column, Json, Kind, columns_of, picker
from service.formats.exports.geojson import Areas, drawn, point_of
from service.formats.exports.writing import Geometry, Subject, nowhere
from service.formats.tabular import REPORT_COLUMNS
from service.formats.views import (
    COVERAGE_COLUMNS,
    INCIDENT_COLUMNS,
    QUIET_COLUMNS,
    TALLY_COLUMNS,
    aggregate_columns,
    gap_columns,
)

_SOURCES: Final = tuple(name for name in REPORT_COLUMNS if name.startswith("sources."))
_LINES: Final = tuple(name for name in REPORT_COLUMNS if name.startswith("casualties."))
_OF_REPORT: Final = tuple(name for name in REPORT_COLUMNS if name not in (*_SOURCES, *_LINES))
_WEAPONS: Final = _OF_REPORT.index("weapons")
_pick_report = picker(_OF_REPORT)
_pick_source = picker([name.partition(".")[2] for name in _SOURCES])
_pick_line = picker([name.partition(".")[2] for name in _LINES])
_NO_LINE: Final = [None] * len(_LINES)
# What of a reference entry stands in one cell as JSON.
_NESTED: Final = {"names", "displays", "sectors", "rule"}


def _report_cells(view: Json) -> Cells:
    cells = _pick_report(view)
    cells[_WEAPONS] = [
        _weapon_text(use["weapon"], use.get("calibre_mm")) for use in view["weapons"]
    ]
    return cells


def _report_rows(view: Json) -> Iterator[Cells]:
    """A report as it could be uploaded again.

    A row holds a casualty line and a source; where there are more lines, the first source stands
    again.
    """
    sources, lines = view["sources"] or [{}], view["casualties"]
    base = _report_cells(view)
    for i in range(max(len(sources), len(lines))):
        source = sources[i] if i < len(sources) else sources[0]
        line = _pick_line(lines[i]) if i < len(lines) else _NO_LINE
        yield [*base, *_pick_source(source), *line]


def _report_record(view: Json) -> Cells:
    return [*_report_cells(view), view["casualties"], view["sources"]]


# Many reports name the same few weapons.
@lru_cache(1 << 10)
def _weapon_text(weapon: str, calibre: float | None) -> str:
    """A weapon, with its calibre in millimetres behind a colon."""
    text = re.sub(r"[\\:;]", r"\\\g<0>", weapon)
    if calibre is None:
        return text
    return f"{text}:{int(calibre) if calibre == int(calibre) else calibre}"


REPORTS: Final = Subject(
    "reports",
    columns_of(REPORT_COLUMNS),
    _report_rows,
    columns_of((*_OF_REPORT, "casualties", "sources")),
    _report_record,
    lambda view: point_of(view["where"]),
)


def _flat(
    name: str, columns: Sequence[Column], geometry: Callable[[Json], Geometry | None] = nowhere
) -> Subject:
    """A list of which each item is one row."""
    pick = picker([column.name for column in columns])
    return Subject(name, columns, lambda item: (pick(item),), columns, pick, geometry)


INCIDENTS: Final = _flat(
    "incidents", columns_of(INCIDENT_COLUMNS), lambda item: point_of(item["point"])
)


def tallies(theatre: Theatre) -> Subject:
    areas = Areas(theatre)
    return _flat("tallies", columns_of(TALLY_COLUMNS), lambda item: areas.of(item["sector"]))


def coverage(theatre: Theatre) -> Subject:
    areas = Areas(theatre)
    return _flat("coverage", columns_of(COVERAGE_COLUMNS), lambda item: areas.of(*item["sectors"]))


def aggregates(by: Sequence[Dimension], theatre: Theatre, *, compared: bool = False) -> Subject:
    return _by_sector("aggregates", aggregate_columns(by, compared=compared), theatre)


def gaps(by: Sequence[Dimension], theatre: Theatre) -> Subject:
    return _by_sector("gaps", gap_columns(by), theatre)


def quiet(theatre: Theatre) -> Subject:
    return _by_sector("quiet", QUIET_COLUMNS, theatre)


def _by_sector(name: str, names: Sequence[str], theatre: Theatre) -> Subject:
    areas = Areas(theatre)
    return _flat(name, columns_of(names), lambda cell: areas.of(cell.get("sector")))


def reference(kind: str, names: Sequence[str]) -> Subject:
    """Entries of the reference data; of sectors and places also where they are."""
    columns = columns_of(names, sectors=Kind.TEXT)
    pick = picker(names)
    nested = [i for i, name in enumerate(names) if name in _NESTED]

    def cells(entry: Json) -> Cells:
        found = pick(entry)
        for i in nested:
            if found[i] is not None:
                found[i] = orjson.dumps(found[i]).decode()
        return found

    return Subject(kind, columns, lambda entry: (cells(entry),), columns, cells, _where)


def _where(entry: Json) -> Geometry | None:
    if entry.get("geometry"):
        return drawn(shape(dict(entry["geometry"])))
    return point_of(entry) if "lat" in entry else None
