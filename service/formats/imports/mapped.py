"""Tables as newsrooms keep them, read by a mapping, and our own exports, which need none."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from shapely.errors import ShapelyError
from shapely.geometry import shape

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats import strict_json, tabular
from service.formats.imports import delimited, mapping
from service.formats.imports.entries import Entry, Kind, Reading
from service.formats.imports.mapping import Cells, Coverages, Reports, Tallies

_CHUNK: Final = 64 * 1024
_SIGNS: Final = re.compile(rb'[\\"{}\[\]\n]')
_FEATURES: Final = re.compile(rb'"features"\s*:\s*\Z')
_SPACES: Final = b" \t\r\n"
_MARK: Final = b"\xef\xbb\xbf"
# RFC 8142 begins each feature with a record separator.
_SEPARATOR: Final = b"\x1e"
_LONGITUDE_LATITUDE: Final = ("CRS84", "EPSG:4326", "EPSG::4326")

Line = tuple[int, dict[str, Any] | Invalid]


class _Open:
    """What is the same for all of them: anybody may pass their rows on."""

    restricted = False
    pages = False
    default_claimant: str | None = None
    default_licence: str | None = None


class Csv(_Open):
    """CSV with a header line."""

    name = "csv"
    media: Sequence[str] = ("text/csv", "application/csv", "text/tab-separated-values")

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """Those of the header that the mapping names. Raises `Unusable`."""
        expected = {column for _, column in mapping.columns_named(_mapping(reading))}
        return tuple(sorted({*delimited.header(file, reading, expected)} & expected))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """One entry of each row below the header. Raises `Unusable`."""
        chosen = _mapping(reading)
        expected = {column for _, column in mapping.columns_named(chosen)}
        mapping.check_columns(chosen, delimited.header(file, reading, expected))
        entry_of = _maker(chosen, reading)
        for record in delimited.records(file, reading, expected):
            if record.error is not None:
                yield Entry(
                    record.line,
                    None,
                    Kind(chosen.kind),
                    error=record.error,
                    original=record.cells,
                )
            else:
                yield entry_of(record.line, record.cells.get, {}, record.cells)


class Ndjson(_Open):
    """One JSON object a line; columns are paths with dots."""

    name = "ndjson"
    media: Sequence[str] = ("application/x-ndjson", "application/ndjson", "application/jsonl")

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """Those paths of the mapping that some line has. Raises `Unusable`."""
        return tuple(sorted(_present(_mapping(reading), self._lines(file, reading))))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """One entry of each line that is not blank. Raises `Unusable`."""
        chosen = _mapping(reading)
        _check_paths(chosen, self._lines(file, reading))
        entry_of = _maker(chosen, reading)
        for line, value in self._lines(file, reading):
            yield _json_entry(chosen, entry_of, line, value)

    def _lines(self, file: BinaryIO, reading: Reading) -> Iterator[Line]:
        return _objects(json_lines(file, reading.longest_line))


class GeoJson(_Open):
    """A FeatureCollection (RFC 7946), or one feature a line (also RFC 8142, unbroken)."""

    name = "geojson"
    media: Sequence[str] = (
        "application/geo+json",
        "application/geo+json-seq",
        "application/json",
        "application/vnd.geo+json",
    )

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """Those paths of the mapping that some feature has. Raises `Unusable`."""
        return tuple(
            sorted(_present(_mapping(reading, geometry=True), self._features(file, reading)))
        )

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """One entry of each feature. Raises `Unusable`."""
        chosen = _mapping(reading, geometry=True)
        _check_paths(chosen, self._features(file, reading))
        entry_of = _maker(chosen, reading)
        for line, value in self._features(file, reading):
            if isinstance(value, dict) and value.get("type") != "Feature":
                yield Entry(line, None, Kind(chosen.kind), error=Invalid("is not a Feature"))
            else:
                yield _json_entry(chosen, entry_of, line, value)

    def _features(self, file: BinaryIO, reading: Reading) -> Iterator[Line]:
        by_line = _begins_with_a_feature(file, reading.longest_line)
        read = json_lines if by_line else collected_features
        return _objects(read(file, reading.longest_line))


class OwnReports(_Open):
    """Our own CSV and NDJSON of reports, as `/v1/reports` gives and `/v1/reports/bulk` takes."""

    name = "reports"
    media: Sequence[str] = ("text/csv", "application/x-ndjson", "application/ndjson")

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """Those of a CSV header; NDJSON has none. Raises `Unusable`."""
        own = Reading(longest_line=reading.longest_line)
        return () if _is_json(file) else tuple(sorted(delimited.header(file, own, tabular.COLUMNS)))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """One entry of each report; the value keeps its `id`. Raises `Unusable`."""
        if _is_json(file):
            for line, value in _objects(json_lines(file, reading.longest_line)):
                if isinstance(value, Invalid):
                    yield Entry(line, None, error=value)
                else:
                    yield _own(line, value)
            return
        own = Reading(longest_line=reading.longest_line)
        # What makes the whole file doubtful is found before its first entry is believed.
        for _ in delimited.records(file, own, tabular.COLUMNS):
            pass
        file.seek(0)
        try:
            for row in tabular.read_reports(file, reading.longest_line):
                if row.error is not None:
                    yield Entry(row.line, None, error=row.error)
                else:
                    yield _own(row.line, row.value)
        except Invalid as error:
            raise Unusable(Fault.BAD_HEADER, str(error)) from None


def json_lines(file: BinaryIO, longest: int) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, from the start, with their numbers.

    Raises `Unusable` where the first does not begin like an object, or where one is longer than
    `longest` bytes.
    """
    file.seek(0)
    number = 0
    first = True
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise Unusable(Fault.LINE_TOO_LONG, "has a line that is longer than is taken")
        bare = line.removeprefix(_MARK if number == 1 else b"").removeprefix(_SEPARATOR)
        bare = bare.strip(_SPACES)
        if not bare:
            continue
        if first:
            _check_start(bare)
        first = False
        yield number, bare


def _check_start(start: bytes) -> None:
    if b"\0" in start:
        raise Unusable(Fault.BAD_ENCODING, "is not JSON in UTF-8")
    if not start.startswith(b"{"):
        raise Unusable(Fault.BAD_CONTENT, "does not begin with an object of JSON")


def collected_features(file: BinaryIO, longest: int) -> Iterator[tuple[int, bytes]]:
    """The features of a FeatureCollection, from the start, with the lines they begin on.

    One feature is held at a time, so the file may be of any size. Raises `Unusable` where a
    feature, or all beside the features, is longer than `longest` bytes, where the file ends within
    an object, and where what is around the features is not a collection in longitude and latitude.
    """
    file.seek(0)
    _check_start(file.read(_CHUNK).removeprefix(_MARK).lstrip(_SPACES))
    file.seek(0)
    scan = _Scan(longest)
    while chunk := file.read(_CHUNK):
        yield from scan.feed(chunk)
    scan.close()


class _Scan:
    """Cuts features out of a collection by its brackets; the rest is kept and read at the end."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._piece = bytearray()
        self._depth = 0
        self._line = 1
        self._begins = 1
        self._within_text = False
        self._escaped = False
        self._among_features = False
        self._count = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """The features that end within the chunk."""
        done = 0
        skip = 0 if self._escaped else -1
        self._escaped = False
        for found in _SIGNS.finditer(chunk):
            at, sign = found.start(), found[0]
            if at == skip:
                continue
            if sign == b"\n":
                self._line += 1
            elif sign == b"\\":
                skip = at + 1
                self._escaped = skip == len(chunk)
            elif sign == b'"':
                self._within_text = not self._within_text
            elif not self._within_text:
                if sign in b"{[":
                    self._keep(chunk[done:at])
                    self._open(sign)
                else:
                    self._keep(chunk[done : at + 1])
                    if feature := self._close():
                        yield self._begins, feature
                done = at + 1
        self._keep(chunk[done:])

    def close(self) -> None:
        """Check what is around the features. Raises `Unusable`."""
        if self._depth or self._within_text:
            raise Unusable(Fault.TRUNCATED, "ends within an object")
        try:
            collection = strict_json.loads(bytes(self._rest))
        except Invalid as error:
            raise Unusable(Fault.BAD_CONTENT, f"around its features, {error}") from None
        if (
            not isinstance(collection, dict)
            or collection.get("type") != "FeatureCollection"
            or not isinstance(collection.get("features"), list)
        ):
            raise Unusable(Fault.BAD_CONTENT, "is not a FeatureCollection")
        system = collection.get("crs")
        if system is not None and not any(name in str(system) for name in _LONGITUDE_LATITUDE):
            raise Unusable(Fault.BAD_CONTENT, "is not in longitude and latitude (WGS 84)")

    def _keep(self, piece: bytes) -> None:
        self._piece += piece
        if len(self._piece) > self._longest or len(self._rest) > self._longest:
            raise Unusable(Fault.LINE_TOO_LONG, "has a feature that is longer than is taken")
        if self._depth < 2 or not self._among_features:
            self._rest += self._piece
            self._piece.clear()

    def _open(self, sign: bytes) -> None:
        if self._among_features and self._depth == 2:
            expected = b"," if self._count else b""
            if sign != b"{" or self._piece.strip(_SPACES) != expected:
                raise Unusable(Fault.BAD_CONTENT, "is not a FeatureCollection")
            self._piece.clear()
            self._begins = self._line
        self._depth += 1
        self._keep(sign)
        if self._depth == 2 and sign == b"[" and _FEATURES.search(self._rest[-200:-1]):
            self._among_features = True
            self._count = 0

    def _close(self) -> bytes | None:
        self._depth -= 1
        if not self._among_features:
            return None
        if self._depth == 1:
            self._among_features = False
            if self._piece.strip(_SPACES) != b"]":
                raise Unusable(Fault.BAD_CONTENT, "is not a FeatureCollection")
            self._piece.clear()
            self._rest += b"]"
        elif self._depth == 2:
            feature = bytes(self._piece)
            self._piece.clear()
            self._count += 1
            return feature
        return None


def find(value: object, path: str) -> object:
    """What stands at a path with dots, `None` where nothing does; a number picks from a list."""
    return next(_at(value, path), None)


def holds(value: object, path: str) -> bool:
    """Whether something stands at a path, be it `null`."""
    return any(True for _ in _at(value, path))


def _at(value: object, path: str) -> Iterator[object]:
    name, _, rest = path.partition(".")
    if isinstance(value, dict) and path in value:
        yield value[path]
    elif isinstance(value, dict) and name in value and rest:
        yield from _at(value[name], rest)
    elif isinstance(value, list) and re.fullmatch("[0-9]{1,4}", name) and int(name) < len(value):
        yield from _at(value[int(name)], rest) if rest else [value[int(name)]]


Chosen = Reports | Tallies | Coverages
Maker = Callable[[int, Callable[[str], object], Mapping[str, Any], Mapping[str, str]], Entry]


def _mapping(reading: Reading, *, geometry: bool = False) -> Chosen:
    """Raises `Unusable`. `geometry` is whether each row brings its own."""
    chosen = mapping.of_rows(reading.mapping)
    if isinstance(chosen, Reports) and not geometry:
        where = chosen.where
        if not any((where.place, where.sector, where.as_written, where.lat, where.areas)):
            raise mapping.unusable([("where", "must give a place, a sector or a position")])
        if where.representative is not None:
            raise mapping.unusable([("where.representative", "is for GeoJSON only")])
    return chosen


def _maker(chosen: Chosen, reading: Reading) -> Maker:
    """Makes the entry of a row: its line, its columns, its position, and all of it as it stood.

    Raises `Unusable` where mapping and source together lack something that every row needs.
    """
    zone = None
    if isinstance(chosen, Tallies | Coverages):
        zone = mapping.zone_of(chosen, reading.timezone)
    if not isinstance(chosen, Coverages):
        mapping.check_claimant(chosen, reading.claimant)

    def value_of(cells: Cells, position: Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(chosen, Reports):
            return _report(chosen, cells, position, reading)
        assert zone is not None
        if isinstance(chosen, Tallies):
            return _tally(chosen, cells, zone, reading)
        return _coverage(chosen, cells, zone)

    def entry_of(
        line: int,
        look: Callable[[str], object],
        position: Mapping[str, Any],
        original: Mapping[str, str],
    ) -> Entry:
        cells = chosen.cells(look)
        kind = Kind(chosen.kind)
        key = None
        try:
            key = chosen.key_of(cells)
            value = value_of(cells, position)
            areas = _areas(chosen, cells)
        except Invalid as error:
            return Entry(line, key, kind, error=error, original=original)
        return Entry(line, key, kind, value, areas, original=original)

    return entry_of


def _report(
    chosen: Reports, cells: Cells, position: Mapping[str, Any], reading: Reading
) -> dict[str, Any]:
    zone = chosen.timezone or reading.timezone
    when = chosen.when.read(cells, "when", zone)
    if when is None:
        raise Invalid("is required", "when")
    lines = (
        line.read(cells, f"casualties.{i}", chosen.numbers)
        for i, line in enumerate(chosen.casualties)
    )
    return _filled(
        {
            "when": when,
            "timezone": zone if "T" in when else None,
            "where": {**chosen.where.read(cells, chosen.numbers), **position},
            "claimant": _claimant(chosen, cells, reading),
            "weapons": [
                use for i, w in enumerate(chosen.weapons) for use in w.read(cells, f"weapons.{i}")
            ],
            "casualties": [line for line in lines if line],
            "attributed_to": _text(chosen.attributed_to, cells, "attributed_to"),
            "stance": _text(chosen.stance, cells, "stance"),
            "reported": chosen.reported and chosen.reported.read(cells, "reported", zone),
            "summary": _text(chosen.summary, cells, "summary"),
            "sources": chosen.sources_of(cells, zone),
        }
    )


def _tally(chosen: Tallies, cells: Cells, zone: ZoneInfo, reading: Reading) -> dict[str, Any]:
    start, end = chosen.span(cells, zone)
    return _filled(
        {
            "claimant": _claimant(chosen, cells, reading),
            "from": start,
            "to": end,
            "unit": _text(chosen.unit, cells, "unit"),
            "count": chosen.count.read(cells, "count", chosen.numbers),
            "sector": _text(chosen.sector, cells, "sector"),
            "attributed_to": _text(chosen.attributed_to, cells, "attributed_to"),
            "note": _text(chosen.note, cells, "note"),
            "sources": chosen.sources_of(cells, zone.key),
        }
    )


def _coverage(chosen: Coverages, cells: Cells, zone: ZoneInfo) -> dict[str, Any]:
    start, end = chosen.span(cells, zone)
    return _filled(
        {
            "observer": _text(chosen.observer, cells, "observer"),
            "sectors": [
                s for i, each in enumerate(chosen.sectors) for s in each.read(cells, f"sectors.{i}")
            ],
            "from": start,
            "to": end,
            "means": _text(chosen.means, cells, "means"),
            "access": _text(chosen.access, cells, "access"),
            "note": _text(chosen.note, cells, "note"),
        }
    )


def _claimant(chosen: Reports | Tallies, cells: Cells, reading: Reading) -> str | None:
    return _text(chosen.claimant, cells, "claimant") or reading.claimant


def _areas(chosen: Chosen, cells: Cells) -> tuple[str, ...]:
    columns = chosen.where.areas if isinstance(chosen, Reports) else ()
    return tuple(area for column in columns if (area := cells.text(column, "where.areas")))


def _text(reader: mapping.Text | None, cells: Cells, field: str) -> str | None:
    return reader.read(cells, field) if reader else None


def _filled(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if each is not None and each != []}


def _json_entry(
    chosen: Chosen, entry_of: Maker, line: int, value: dict[str, Any] | Invalid
) -> Entry:
    if isinstance(value, Invalid):
        return Entry(line, None, Kind(chosen.kind), error=value)
    original = _flat(value)
    try:
        mapping.check_texts(original)
    except Invalid as error:
        return Entry(line, None, Kind(chosen.kind), error=error)
    try:
        position = _position(chosen, value)
    except Invalid as error:
        # What else is wrong is of less use than why the position cannot be read.
        told = entry_of(line, lambda path: find(value, path), {}, original)
        return replace(told, value=None, error=error)
    return entry_of(line, lambda path: find(value, path), position, original)


def _position(chosen: Chosen, value: Mapping[str, Any]) -> dict[str, Any]:
    """The position that a feature's geometry gives, where the mapping gives no other."""
    if not isinstance(chosen, Reports) or chosen.where.lat is not None:
        return {}
    geometry = value.get("geometry") if value.get("type") == "Feature" else None
    if geometry is None:
        return {}
    told = geometry.get("type") if isinstance(geometry, dict) else None
    if told == "Point":
        longitude, latitude = _pair(geometry.get("coordinates"))
    elif told is None:
        raise Invalid("is not a geometry", "geometry")
    elif chosen.where.representative is None:
        raise Invalid(
            "is not a point; declare where.representative, how finely a point inside stands for it",
            "geometry",
        )
    else:
        longitude, latitude = _inside(geometry)
        precision = chosen.where.representative.value
        return {"lat": latitude, "lon": longitude, "precision": precision}
    return {"lat": latitude, "lon": longitude}


def _pair(coordinates: object) -> tuple[float, float]:
    if isinstance(coordinates, list) and len(coordinates) in (2, 3):
        longitude, latitude = coordinates[:2]
        if type(longitude) in (int, float) and type(latitude) in (int, float):
            return (
                mapping.degrees(longitude, "geometry.coordinates"),
                mapping.degrees(latitude, "geometry.coordinates"),
            )
    raise Invalid("must be a longitude and a latitude", "geometry.coordinates")


def _inside(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """Longitude and latitude of a point that lies on the line or in the area."""
    try:
        point = shape(dict(geometry)).representative_point()
        longitude, latitude = float(point.x), float(point.y)
    except (
        ShapelyError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
    ):
        raise Invalid("is not a geometry", "geometry") from None
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise Invalid("is not a geometry", "geometry")
    return longitude, latitude


def _objects(pieces: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    for line, piece in pieces:
        try:
            value = strict_json.loads(piece)
        except Invalid as error:
            yield line, error
            continue
        yield line, value if isinstance(value, dict) else Invalid("must be an object")


def _present(chosen: Chosen, lines: Iterator[Line]) -> set[str]:
    """Those paths of the mapping that are somewhere; reads only until all are found.

    A file without any object lacks none.
    """
    wanted = {column for _, column in mapping.columns_named(chosen)}
    found: set[str] = set()
    empty = True
    for _, value in lines:
        empty = False
        found |= {path for path in wanted - found if holds(value, path)}
        if found == wanted:
            break
    return wanted if empty else found


def _check_paths(chosen: Chosen, lines: Iterator[Line]) -> None:
    """Raise `Unusable` where the mapping names a path that no line has."""
    mapping.check_columns(chosen, _present(chosen, lines))


def _begins_with_a_feature(file: BinaryIO, longest: int) -> bool:
    file.seek(0)
    line = file.readline(longest + 1).removeprefix(_MARK)
    if line.startswith(_SEPARATOR) or len(line) > longest:
        return line.startswith(_SEPARATOR)
    with suppress(Invalid):
        value = strict_json.loads(line)
        return isinstance(value, dict) and value.get("type") == "Feature"
    return False


def _is_json(file: BinaryIO) -> bool:
    file.seek(0)
    start = file.read(_CHUNK)
    file.seek(0)
    return start.removeprefix(_MARK).lstrip(_SPACES).startswith(b"{")


def _own(line: int, value: dict[str, Any]) -> Entry:
    original = _flat(value)
    try:
        mapping.check_texts(original)
    except Invalid as error:
        return Entry(line, None, error=error)
    key = value.get("id")
    return Entry(line, key if isinstance(key, str) else None, value=value, original=original)


def _flat(value: Mapping[str, Any]) -> dict[str, str]:
    flat = tabular.flattened(value).items()
    return {name: str(each) for name, each in flat if each is not None}
