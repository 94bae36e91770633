"""A mapping file: what each column of somebody's own table becomes here.

A text where a column may stand is always the name of a column; `{always = "…"}` is a fixed text.
For JSON a column is a path with dots, such as `properties.date`. Every rule is checked before the
first row is read. docs/formats/mapping.md is the guide for who writes one.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from service.domain.imports import Fault, Unusable
from service.domain.vocabulary import Outcome
from service.domain.when import TimePrecision, parse_when, parse_zone
from service.errors import Invalid
from service.formats.imports.styles import (
    SPACES,
    count_of,
    date_form,
    date_pattern,
    declared_style,
    style_of,
    time_form,
    whole_of,
)
from service.formats.reports import PrecisionText, Strict, WeaponIn, WeaponItem
from service.formats.validation import parse

T = TypeVar("T")
Model = TypeVar("Model", bound="_Table")

_MOST_PROBLEMS: Final = 5
_LONGEST_KEY: Final = 500
_LARGEST_DEGREES: Final = 1000
_NOT_TEXT: Final = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cells:
    """One row by column; a cell that says nothing is `None`."""

    look: Callable[[str], object]
    nothing: frozenset[str] = frozenset()
    trim: bool = False

    def __getitem__(self, column: str) -> object:
        value = self.look(column)
        if not isinstance(value, str):
            return value
        bare = value.strip(SPACES)
        if not bare or bare in self.nothing:
            return None
        return bare if self.trim else value

    def text(self, column: str, field: str) -> str | None:
        """The cell without outer spaces. Raises `Invalid` for a list or an object of JSON."""
        value = self[column]
        if value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise Invalid("must be text", field)
        return str(value).strip(SPACES)


def _zone(name: str) -> str:
    try:
        parse_zone(name)
    except Invalid as error:
        raise ValueError(str(error)) from None
    return name


def _as_column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Name = Annotated[str, Field(min_length=1, max_length=500)]
Names = Annotated[list[Name], Field(max_length=500)]
Style = Annotated[str, AfterValidator(declared_style)]
DateForm = Annotated[str, Field(max_length=80), AfterValidator(date_form)]
TimeForm = Annotated[str, Field(max_length=80), AfterValidator(time_form)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Leaf(Strict):
    """What one field of a report is read from; `holds_columns` are its fields with columns."""

    holds_columns: ClassVar[tuple[str, ...]] = ("column",)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return _as_column(value)


class Text(_Leaf):
    """The text of a column, a fixed text, or the texts of several columns joined."""

    holds_columns: ClassVar[tuple[str, ...]] = ("column", "join")

    column: Name | None = None
    always: Name | None = None
    join: Names = Field(default_factory=list)
    between: str = " "
    values: dict[str, str] = Field(default_factory=dict)
    """Translations; one that is empty says nothing. Other texts stay as they are written."""
    strict: bool = False
    """Whether a text that has no translation is wrong."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self.column, self.always, self.join, names="column, always or join")
        return self

    def read(self, cells: Cells, field: str) -> str | None:
        if self.always is not None:
            return self.always
        columns = [self.column] if self.column else self.join
        texts = [text for column in columns if (text := cells.text(column, field))]
        if not texts:
            return None
        return _translated(self.between.join(texts), self.values, field, strict=self.strict) or None


class Date(_Leaf):
    """A date in ISO 8601 or EDTF, or in the form declared."""

    holds_columns: ClassVar[tuple[str, ...]] = ("column", "time")

    column: Name | None = None
    always: Name | None = None
    format: DateForm | None = None
    months: Annotated[list[Name], Field(min_length=12, max_length=12)] | None = None
    """Names of the months, January first, where they are not English."""
    time: Name | None = None
    """The column of the time of day."""
    time_format: TimeForm = "HH:mm"

    @model_validator(mode="after")
    def _one_date(self) -> Self:
        _exactly_one(self.column, self.always, names="column or always")
        return self

    def read(self, cells: Cells, field: str, zone: str | None) -> str | None:
        """The date in ISO 8601 or EDTF. Raises `Invalid`."""
        text = self.always or self.iso(cells.text(self.column or "", field), field)
        time = cells.text(self.time, field) if self.time else None
        if text is None:
            if time is not None:
                raise Invalid("has a time of day without a date", field)
            return None
        if time is not None:
            clock = date_pattern(self.time_format).time(time)
            if clock is None:
                raise Invalid("has a time of day that is not written as declared", field)
            text = f"{text}T{clock}"
        try:
            parse_when(text, UTC, zone)
        except Invalid as error:
            declare = "" if self.format or time else "; where it is written otherwise, declare how"
            raise Invalid(f"{error}{declare}", field) from None
        return text

    def iso(self, text: str | None, field: str) -> str | None:
        if text is None or self.format is None:
            return text
        told = date_pattern(self.format, tuple(self.months or ())).date(text)
        if told is None:
            raise Invalid("is not written in the form declared for it", field)
        return told


class When(Date):
    """When it happened; with `until` also to when it lasted, or within which span it was."""

    holds_columns: ClassVar[tuple[str, ...]] = ("column", "time", "until")

    until: Name | None = None
    """The column of the last day, in the same form."""
    span: Literal["lasted", "within"] | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.until is None) != (self.span is None):
            raise ValueError("must give until and span together")
        return self

    def read(self, cells: Cells, field: str, zone: str | None) -> str | None:
        first = super().read(cells, field, zone)
        last = self.iso(cells.text(self.until, field), field) if self.until else None
        if first is None or last is None or first == last:
            return first
        text = f"{first}/{last}" if self.span == "lasted" else f"[{first}..{last}]"
        try:
            parse_when(text, UTC, zone)
        except Invalid as error:
            raise error.under(field) from None
        return text


class Number(_Leaf):
    """A coordinate in degrees."""

    column: Name
    numbers: Style | None = None

    def read(self, cells: Cells, field: str, style: str | None) -> float | None:
        value = cells[self.column]
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else degrees(value, field)
        plain = style_of(self.numbers or style).plain(value) if isinstance(value, str) else None
        if plain is None:
            raise Invalid("must be a number, written plainly or as declared", field)
        return float(plain)


class Count(_Leaf):
    """A count of one column, or its bounds in two or three."""

    holds_columns: ClassVar[tuple[str, ...]] = ("column", "low", "best", "high")

    column: Name | None = None
    low: Name | None = None
    best: Name | None = None
    high: Name | None = None
    numbers: Style | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self.column, self.low, names="column or low")
        if self.column and (self.best or self.high):
            raise ValueError("must give column or low, and beside low only best and high")
        return self

    def read(self, cells: Cells, field: str, style: str | None) -> int | dict[str, Any] | None:
        """A whole number, bounds, or the words of the source with the bounds they carry."""
        used = style_of(self.numbers or style)
        if self.column:
            return count_of(cells[self.column], field, used)
        bounds = {
            name: whole_of(cells[column], f"{field}.{name}", used)
            for name, column in (("low", self.low), ("best", self.best), ("high", self.high))
            if column is not None
        }
        told = {name: bound for name, bound in bounds.items() if bound is not None}
        return told["best"] if told.keys() == {"best"} else told or None


class _Terms(_Leaf):
    column: Name | None = None
    always: Name | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=10)
    """What stands between several terms of one cell; left out, a cell holds one term."""
    strict: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self.column, self.always, names="column or always")
        return self

    def terms(self, cells: Cells, field: str) -> list[str]:
        if self.always is not None:
            return [self.always]
        value = cells[self.column or ""]
        if isinstance(value, list):
            within = Cells(lambda i: value[int(i)], cells.nothing)
            return [term for i in range(len(value)) if (term := within.text(str(i), field))]
        text = cells.text(self.column or "", field)
        parts = text.split(self.separator) if text and self.separator else [text or ""]
        return [part for each in parts if (part := each.strip(SPACES))]


class Weapons(_Terms):
    """Weapons of a cell, each in the source's words or translated to a code with a calibre."""

    values: dict[str, WeaponItem] = Field(default_factory=dict)

    def read(self, cells: Cells, field: str) -> list[Any]:
        found = (
            _translated(term, self.values, field, strict=self.strict)
            for term in self.terms(cells, field)
        )
        return [
            use.model_dump(exclude_none=True) if isinstance(use, WeaponIn) else use for use in found
        ]


class Sectors(_Terms):
    """Sectors of a cell."""

    values: dict[str, Name] = Field(default_factory=dict)

    def read(self, cells: Cells, field: str) -> list[str]:
        return [
            _translated(term, self.values, field, strict=self.strict)
            for term in self.terms(cells, field)
        ]


class Where(Strict):
    """Where it happened; all that the file tells."""

    holds_columns: ClassVar[tuple[str, ...]] = ("areas",)

    place: Text | None = None
    sector: Text | None = None
    lat: Number | None = None
    lon: Number | None = None
    precision: Text | None = None
    as_written: Text | None = None
    areas: Names = Field(default_factory=list)
    """Columns with the area it lies in, the finest first."""
    representative: PrecisionText | None = None
    """GeoJSON: a point inside stands for a line or an area, known as finely as this says."""

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("must give lat and lon together")
        if self.representative and self.lat is not None:
            raise ValueError("must give either lat and lon or representative")
        return self

    def read(self, cells: Cells, style: str | None) -> dict[str, Any]:
        texts = {
            name: reader.read(cells, f"where.{name}")
            for name in ("place", "sector", "precision", "as_written")
            if (reader := getattr(self, name)) is not None
        }
        numbers = {
            name: reader.read(cells, f"where.{name}", style)
            for name in ("lat", "lon")
            if (reader := getattr(self, name)) is not None
        }
        return _told({**texts, **numbers})


class Casualties(Strict):
    """A line of casualties; left out where no count of it is stated."""

    party: Text | None = None
    group: Text | None = None
    killed: Count | None = None
    wounded: Count | None = None
    missing: Count | None = None
    captured: Count | None = None
    displaced: Count | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(getattr(self, outcome) for outcome in Outcome):
            raise ValueError("must give one of killed, wounded, missing, captured, displaced")
        return self

    def read(self, cells: Cells, field: str, style: str | None) -> dict[str, Any] | None:
        counts = _told(
            {
                outcome.value: reader.read(cells, f"{field}.{outcome}", style)
                for outcome in Outcome
                if (reader := getattr(self, outcome)) is not None
            }
        )
        if not counts:
            return None
        named = {
            name: reader.read(cells, f"{field}.{name}")
            for name in ("party", "group")
            if (reader := getattr(self, name)) is not None
        }
        return {**_told(named), **counts}


class Source(Strict):
    """A document behind an entry; left out where all its cells are empty."""

    title: Text
    publisher: Text | None = None
    published: Date | None = None
    url: Text | None = None
    locator: Text | None = None

    def read(self, cells: Cells, field: str, zone: str | None) -> dict[str, Any] | None:
        columns = [column for _, column in columns_named(self)]
        if columns and all(cells[column] is None for column in columns):
            return None
        texts = {
            name: reader.read(cells, f"{field}.{name}")
            for name in ("title", "publisher", "url", "locator")
            if (reader := getattr(self, name)) is not None
        }
        published = self.published and self.published.read(cells, f"{field}.published", zone)
        return _told({**texts, "published": published})


Several = BeforeValidator(_as_list)


class _Table(Strict):
    """What all mappings have in common."""

    numbers: Style | None = None
    """How numbers are written, by the example of 1234.5; left out, plainly."""
    empty: Names = Field(default_factory=list)
    """Cells that say nothing, such as `n/a`; empty cells always do."""
    trim: bool = False
    """Whether spaces around a number are let pass."""
    timezone: Zone | None = None
    """IANA name, for times of day and for where days begin."""
    claimant: Text | None = None
    attributed_to: Text | None = None
    sources: Annotated[list[Source], Several, Field(max_length=50)] = Field(default_factory=list)

    def cells(self, look: Callable[[str], object]) -> Cells:
        return Cells(look, frozenset(self.empty), self.trim)

    def sources_of(self, cells: Cells, zone: str | None) -> list[dict[str, Any]]:
        read = (s.read(cells, f"sources.{i}", zone) for i, s in enumerate(self.sources))
        return [source for source in read if source]


class _Rows(_Table):
    """Mappings that make one entry of each row."""

    holds_columns: ClassVar[tuple[str, ...]] = ("key",)

    key: Annotated[list[Name], Several, Field(min_length=1, max_length=10)]
    """The columns that together name a row for ever."""
    optional: Names = Field(default_factory=list)
    """Columns that a file may lack."""

    def key_of(self, cells: Cells) -> str:
        """Raises `Invalid` where the row has none."""
        parts = [cells.text(column, "key") or "" for column in self.key]
        if not any(parts):
            raise Invalid("is required", "key")
        key = parts[0] if len(parts) == 1 else " | ".join(p.replace("|", "||") for p in parts)
        if len(key) > _LONGEST_KEY:
            raise Invalid("is too long", "key")
        return key


class Reports(_Rows):
    """One report of each row."""

    kind: Literal["report"] = "report"
    when: When
    where: Where = Field(default_factory=Where)
    weapons: Annotated[list[Weapons], Several, Field(max_length=20)] = Field(default_factory=list)
    casualties: Annotated[list[Casualties], Several, Field(max_length=50)] = Field(
        default_factory=list
    )
    stance: Text | None = None
    reported: Date | None = None
    summary: Text | None = None


class _Spans(_Rows):
    """`period` fills what it names; `to` is not in the span any more, `through` wholly is."""

    period: Date | None = None
    since: Date | None = Field(default=None, alias="from")
    to: Date | None = None
    through: Date | None = None

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        ends = sum(end is not None for end in (self.to, self.through))
        if (self.period is None) == (self.since is None) or ends != (self.since is not None):
            raise ValueError("must give period, or from with either to or through")
        return self

    def span(self, cells: Cells, zone: ZoneInfo) -> tuple[str, str]:
        """The first instant and the first instant after. Raises `Invalid`."""
        if self.period is not None:
            return span_of(_required(self.period, cells, "period", zone), zone, "period")
        assert self.since is not None
        start, _ = span_of(_required(self.since, cells, "from", zone), zone, "from")
        if self.to is not None:
            end, _ = span_of(_required(self.to, cells, "to", zone), zone, "to")
        else:
            assert self.through is not None
            _, end = span_of(_required(self.through, cells, "to", zone), zone, "to")
        return start, end


class Tallies(_Spans):
    """One tally of each row."""

    kind: Literal["tally"]
    unit: Text
    count: Count
    sector: Text | None = None
    note: Text | None = None


class Coverages(_Spans):
    """One coverage record of each row."""

    kind: Literal["coverage"]
    observer: Text
    sectors: Annotated[list[Sectors], Several, Field(min_length=1, max_length=20)]
    means: Text
    access: Text
    note: Text | None = None


class Watched(Strict):
    """Who watched wherever and whenever a cell is filled."""

    observer: Text
    means: Text
    access: Text


class HeaderForm(Strict):
    """How the periods in the header line are written; left out, in ISO 8601."""

    format: DateForm | None = None
    months: Annotated[list[Name], Field(min_length=12, max_length=12)] | None = None

    def iso(self, name: str) -> str | None:
        """The period that a column stands for, `None` where it stands for none."""
        if self.format is not None:
            return date_pattern(self.format, tuple(self.months or ())).date(name.strip(SPACES))
        return name if re.fullmatch(r"[0-9]{4}(?:-[0-9]{2}){0,2}", name) else None


class Wide(_Table):
    """A tally of each filled cell of a table of periods by sectors, either way round."""

    holds_columns: ClassVar[tuple[str, ...]] = ("sectors",)

    kind: Literal["wide"] = "wide"
    rows: Literal["periods", "sectors"]
    unit: Text
    note: Text | None = None
    period: Date | None = None
    """Rows are periods: the column that names them."""
    sectors: dict[Name, Name] = Field(default_factory=dict)
    """Rows are periods: the sector of each other column."""
    sector: Text | None = None
    """Rows are sectors: the column that names them."""
    periods: HeaderForm | None = None
    """Rows are sectors: how the periods in the header are written."""
    ignore: Names = Field(default_factory=list)
    """Columns that are left out, such as totals; every other column must be known."""
    ignore_rows: Names = Field(default_factory=list)
    """Rows that are left out, by the text of their period or sector."""
    coverage: Watched | None = None

    @model_validator(mode="after")
    def _either_way(self) -> Self:
        by_period = (self.period is not None, bool(self.sectors))
        by_sector = (self.sector is not None, self.periods is not None)
        if self.rows == "periods" and (not all(by_period) or any(by_sector)):
            raise ValueError("must give period and sectors where the rows are periods")
        if self.rows == "sectors" and (not all(by_sector) or any(by_period)):
            raise ValueError("must give sector and periods where the rows are sectors")
        if len({*self.sectors.values()}) != len(self.sectors):
            raise ValueError("must not give one sector to two columns")
        return self

    @property
    def naming(self) -> str:
        """The column whose cells name the rows."""
        named = self.period or self.sector
        return (named and named.column) or ""


_RowsMapping = Reports | Tallies | Coverages


def of_rows(given: Mapping[str, Any] | None) -> _RowsMapping:
    """A mapping that makes one entry of each row. Raises `Unusable` with what is wrong in it."""
    kinds: dict[object, type[_RowsMapping]] = {
        "report": Reports,
        "tally": Tallies,
        "coverage": Coverages,
    }
    kind = (given or {}).get("kind", "report")
    model = kinds.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise unusable([("kind", "must be report, tally or coverage")])
    return _checked(model, given)


def of_wide(given: Mapping[str, Any] | None) -> Wide:
    """A mapping of a table of counts. Raises `Unusable` with what is wrong in it."""
    mapping = _checked(Wide, given)
    if not mapping.naming:
        raise unusable([("period" if mapping.period else "sector", "must be a column")])
    return mapping


def columns_named(model: BaseModel, path: str = "") -> Iterator[tuple[str, str]]:
    """Every column that a mapping names, with the path of the field that it is for."""
    for name in getattr(model, "holds_columns", ()):
        value = getattr(model, name)
        here = path if isinstance(model, _Leaf) else _joined(path, name)
        for column in [value] if isinstance(value, str) else value or ():
            yield here, column
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        here = _joined(path, info.alias or name)
        if isinstance(value, BaseModel):
            yield from columns_named(value, here)
        elif isinstance(value, list):
            for i, each in enumerate(value):
                if isinstance(each, BaseModel):
                    yield from columns_named(each, f"{here}.{i}")


def check_columns(mapping: BaseModel, present: Collection[str]) -> None:
    """Raise `Unusable` where the mapping names a column that the file has not."""
    optional = getattr(mapping, "optional", ())
    absent = {
        path: 'names a column that the file has not (a fixed text is written {always = "…"})'
        for path, column in columns_named(mapping)
        if column not in present and column not in optional
    }
    if absent:
        raise unusable(list(absent.items()))


def describe(given: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[str, str]]:
    """What each column of a file becomes, in the file's order; nothing, where it is left out.

    Raises `Unusable` where the mapping is wrong or names a column that the file has not.
    """
    mapping = of_wide(given) if "rows" in given else of_rows(given)
    check_columns(mapping, columns)
    becomes: dict[str, list[str]] = {}
    if isinstance(mapping, Wide):
        for column in columns:
            if what := wide_column(mapping, column):
                becomes[column] = [f"count of {what}"]
    if isinstance(mapping, Reports) and mapping.where.lat is None:
        becomes["geometry.coordinates"] = ["where.lat", "where.lon"]
    for path, column in columns_named(mapping):
        if path != "sectors" or not isinstance(mapping, Wide):
            becomes.setdefault(column, []).append(path)
    return [(column, ", ".join(dict.fromkeys(becomes.get(column, ())))) for column in columns]


def wide_column(mapping: Wide, column: str) -> str | None:
    """What the counts of a column belong to, its sector or its period; `None` where to neither."""
    if column in mapping.ignore:
        return None
    if column in mapping.sectors:
        return mapping.sectors[column]
    return mapping.periods.iso(column) if mapping.periods else None


def zone_of(mapping: _Table, given: str | None) -> ZoneInfo:
    """The time zone of spans. Raises `Unusable` where neither mapping nor source declares one."""
    name = mapping.timezone or given
    if name is None:
        raise unusable([("timezone", "is required, here or for the source")])
    try:
        return parse_zone(name)
    except Invalid as error:
        raise unusable([("timezone", str(error))]) from None


def check_claimant(mapping: _Table, given: str | None) -> None:
    if mapping.claimant is None and given is None:
        raise unusable([("claimant", "is required, here or for the source")])


def unusable(problems: Sequence[tuple[str, str]]) -> Unusable:
    told = "; ".join(f"{path}: {message}" for path, message in problems[:_MOST_PROBLEMS])
    return Unusable(Fault.BAD_HEADER, f"has a mapping that does not fit: {told}")


def span_of(text: str, zone: ZoneInfo, field: str) -> tuple[str, str]:
    """The first instant of a date or time, and the first one after it, with their offsets."""
    when = parse_when(text, zone, zone.key)
    if when.precision is TimePrecision.OPEN or when.start is None or when.end is None:
        raise Invalid("must have both ends", field)
    start = when.earliest or datetime.combine(when.start, time(), zone)
    end = when.latest or datetime.combine(when.end + timedelta(days=1), time(), zone)
    return _instant(start, zone), _instant(end, zone)


def degrees(value: float, field: str) -> float:
    """A coordinate of JSON. Raises `Invalid` for one that is far too large to be one."""
    if not abs(value) <= _LARGEST_DEGREES:
        raise Invalid("is not a number of degrees", field)
    return float(value)


def check_texts(cells: Mapping[str, str]) -> None:
    """Raise `Invalid` where a name or a cell holds what cannot be stored as text."""
    if any(_NOT_TEXT.search(text) for pair in cells.items() for text in pair):
        raise Invalid("holds characters that are not text")


def _instant(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")


def _required(date: Date, cells: Cells, field: str, zone: ZoneInfo) -> str:
    text = date.read(cells, field, zone.key)
    if text is None:
        raise Invalid("is required", field)
    return text


def _translated(text: str, values: Mapping[str, T], field: str, *, strict: bool) -> T | str:
    if text in values:
        return values[text]
    if strict:
        raise Invalid("has no translation in the mapping", field)
    return text


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _exactly_one(*given: object, names: str) -> None:
    if sum(bool(each) for each in given) != 1:
        raise ValueError(f"must give one of {names}")


def _joined(*parts: str) -> str:
    return ".".join(filter(None, parts))


def _checked(model: type[Model], given: Mapping[str, Any] | None) -> Model:
    if given is None:
        raise Unusable(Fault.BAD_HEADER, "needs a mapping")
    try:
        return parse(model, dict(given))
    except Invalid as error:
        raise unusable(
            [(_harmless(p.field, model) or "mapping", p.message) for p in error.problems]
        ) from None


def _harmless(path: str, model: type[_Table]) -> str:
    """A path without what stands in the file, which tables of translations have for names."""
    tables = r"values|sectors" if model is Wide else "values"
    return re.sub(rf"\b({tables})\..*", r"\1", path)
