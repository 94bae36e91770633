"""UCDP's Georeferenced Event Dataset (GED), as its CSV and as its API gives it.

Codes are read as the codebook defines them (UCDP GED Codebook, Department of Peace and Conflict
Research, Uppsala University). What becomes of every column: docs/formats/ucdp.md.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, BinaryIO, Final

from service.domain.imports import Fault, Unusable
from service.domain.vocabulary import Group, Precision
from service.domain.when import LAST_YEAR
from service.errors import Invalid
from service.formats.imports import delimited
from service.formats.imports.delimited import Record, decimal_number, whole_number
from service.formats.imports.entries import Entry, Reading
from service.formats.imports.pages import (
    as_record,
    page_number,
    page_of,
    pages,
    rows_of,
    same_host,
    with_page,
)
from service.formats.imports.texts import CODE, SHORT, cut, one_line

CLAIMANT: Final = "ucdp"
LICENCE: Final = "CC BY 4.0, Uppsala Conflict Data Program"

_COUNTS: Final = ("low", "best", "high")
_COMMON: Final = (
    "id",
    "type_of_violence",
    "side_a",
    "side_b",
    "latitude",
    "longitude",
    "country",
    *_COUNTS,
)
_FULL: Final = (
    *_COMMON,
    "date_start",
    "date_end",
    "date_prec",
    "where_prec",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
)
# What else entries are made from.
_MORE: Final = (
    *("source_article", "source_office", "source_date", "source_headline"),
    *("where_coordinates", "where_description"),
)
# Extracts that other people pass on give the day in three columns and no precision.
_SHORT: Final = (*_COMMON, "year", "month", "day")
_SYNONYMS: Final = {
    name: (f"{name}_est", f"{name}_death", f"{name}_deaths", f"deaths_{name}") for name in _COUNTS
}
_KEPT: Final = (
    "relid",
    "code_status",
    "type_of_violence",
    "conflict_new_id",
    "conflict_name",
    "dyad_new_id",
    "dyad_name",
    "side_a_new_id",
    "side_a",
    "side_b_new_id",
    "side_b",
    "number_of_sources",
    "source_original",
    "where_prec",
    "adm_1",
    "adm_2",
    "country",
    "event_clarity",
    "date_prec",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
)
_VIOLENCE: Final = {
    1: "State-based violence",
    2: "Non-state violence",
    3: "One-sided violence",
}
_READ: Final = {
    *(*_FULL, *_SHORT, *_KEPT, *_MORE),
    *(synonym for synonyms in _SYNONYMS.values() for synonym in synonyms),
}
_STATE_BASED, _NON_STATE, _ONE_SIDED = _VIOLENCE
_VIOLENCE_CODES: Final = {words.casefold(): code for code, words in _VIOLENCE.items()}
# 5 is a line or a fuzzy area, 6 a country, 7 international waters or airspace.
_WHERE: Final = {
    1: Precision.EXACT,
    2: Precision.SETTLEMENT,
    3: Precision.DISTRICT,
    4: Precision.SECTOR,
    5: Precision.SECTOR,
    6: Precision.THEATRE,
    7: Precision.THEATRE,
}
_AREAS: Final = {
    1: ("adm_2", "adm_1", "country"),
    2: ("adm_2", "adm_1", "country"),
    3: ("adm_2", "adm_1", "country"),
    4: ("adm_1", "country"),
    5: ("adm_1", "country"),
    6: ("country",),
    7: ("country",),
}
_EXACT_DAY, _WITHIN_A_YEAR = 1, 5
# Where only one day is given for "2–6 days", "the week", "8–30 days or the month": how many days to
# either side the longest such span may reach that holds the day.
_DAYS_AROUND: Final = {2: timedelta(days=5), 3: timedelta(days=6), 4: timedelta(days=30)}
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00(?:\.0{1,7})?Z?)?")
_MOST_SOURCES: Final = 50
_MISSING: Final = "-1"

OUT_OF_ORDER: Final = "low, best and high were out of order: best as stated, the others around it"
PARTS_EXCEED: Final = "the dead of the parts are more than best: the parts are kept, not counted"
PARTS_DIFFER: Final = "the dead of the parts do not add up to best: the whole is taken as stated"
WIDENED: Final = "one day was given for an imprecise date: widened to what its precision means"
DAY_ASSUMED: Final = "the precision of the date is not given: taken as the day"
PLACE_ASSUMED: Final = "the precision of the position is not given: taken as its district"
SOURCES_JOINED: Final = "the columns of sources do not match: their text is kept as one source"
SOURCES_CUT: Final = "there are more sources than are taken: the first are kept"
SOURCE_DATE: Final = "a source's date is none, or lies before the event: left out"


class UcdpGed:
    """The CSV: columns by name in any order, others beside them, a row of HXL tags taken."""

    name = "ucdp-ged"
    media: Sequence[str] = ("text/csv", "application/csv", "text/plain")
    restricted = False
    pages = False
    default_claimant: str | None = CLAIMANT
    default_licence: str | None = LICENCE

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        return _read_of(delimited.header(file, reading, _FULL))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """Raises `Unusable(bad_header)` naming the first column that is missing."""
        renamed = _renamed(delimited.header(file, reading, _FULL))
        for record in delimited.records(file, reading, _FULL):
            yield _entry(record, renamed, reading)


class UcdpApi:
    """Pages of `gedevents`, kept as `pages.pages` reads them; an entry's line is its number."""

    name = "ucdp-api"
    media: Sequence[str] = ("application/json",)
    restricted = False
    pages = True
    default_claimant: str | None = CLAIMANT
    default_licence: str | None = LICENCE

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002
        """The names in the rows of the first page."""
        rows = rows_of(next(pages(file)), "Result")
        return _read_of({name for row in rows for name in row})

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """Raises `Unusable(truncated)` where the rows are not as many as the pages say."""
        number = 0
        total: int | None = None
        for page in pages(file):
            rows = rows_of(page, "Result")
            said = _page_count(page, "TotalCount")
            if total is not None and said != total:
                raise Unusable(Fault.TRUNCATED, "changed while its pages were fetched")
            total = said
            if rows:
                renamed = _renamed({name for row in rows for name in row})
            for row in rows:
                number += 1
                yield _entry(as_record(number, row), renamed, reading)
        if number != total:
            raise Unusable(Fault.TRUNCATED, "has fewer or more rows than its pages say")

    def next_url(self, page: bytes, url: str) -> str | None:
        return next_url(page, url)


def _read_of(names: Iterable[str]) -> tuple[str, ...]:
    """The columns that entries are made from: what others pass on beside them comes and goes."""
    return tuple(sorted({*names} & _READ))


def next_url(page: bytes, url: str) -> str | None:
    """The address of the page behind `page`, which came from `url`; `None` for the last.

    The API ends with an empty `NextPageUrl`, and may answer 500 for a page behind the last, so
    pages are counted (from 1) only where it names none at all. Raises `Unusable`:
    `redirect_refused` for another host, `bad_content` for what is no page.
    """
    content = page_of(page)
    rows_of(content, "Result")
    link = content.get("NextPageUrl")
    if link is None:
        number = page_number(url)
        return with_page(url, number + 1) if number < _page_count(content, "TotalPages") else None
    if not isinstance(link, str):
        raise Unusable(Fault.BAD_CONTENT, "has a page whose next address is not text")
    if not link.strip():
        return None
    following = same_host(url, link.strip())
    if following == url:
        raise Unusable(Fault.BAD_CONTENT, "has a page that names itself as the next")
    return following


def _page_count(page: Mapping[str, Any], name: str) -> int:
    count = page.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise Unusable(Fault.BAD_CONTENT, f"has a page without {name}")
    return count


def _renamed(names: Collection[str]) -> dict[str, str]:
    """Our names of columns that the file calls otherwise, with its names for them.

    Raises `Unusable(bad_header)` where a column is missing under every name.
    """
    renamed = {}
    for ours, others in _SYNONYMS.items():
        if ours not in names and (found := [name for name in others if name in names]):
            renamed[ours] = found[0]
    short = "date_start" not in names and {"year", "month", "day"}.issubset(names)
    for ours in _SHORT if short else _FULL:
        if ours not in names and ours not in renamed:
            raise Unusable(Fault.BAD_HEADER, f"lacks the column {ours}")
    return renamed


def _entry(record: Record, renamed: Mapping[str, str], reading: Reading) -> Entry:
    if record.error is not None:
        return Entry(record.line, None, error=record.error, original=record.cells)
    row: Mapping[str, str] = record.cells
    if renamed:
        row = {**row, **{ours: row.get(theirs, "") for ours, theirs in renamed.items()}}
    key = None
    try:
        key = str(whole_number(row.get("id", ""), "id"))
        read = _Row(row)
        value = read.report()
    except Invalid as error:
        return Entry(record.line, key, error=error, original=record.cells)
    value["claimant"] = reading.claimant or CLAIMANT
    return Entry(
        record.line,
        key,
        value=value,
        areas=read.areas(),
        kept={name: text for name in _KEPT if (text := row.get(name)) and text != _MISSING},
        remarks=tuple(sorted(read.remarks)),
        original=record.cells,
    )


class _Row:
    """One row being read; `remarks` gathers what was read otherwise than it stands there."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self.remarks: set[str] = set()
        self._row = row
        self._violence = _violence(row.get("type_of_violence", ""))
        self._where_code = self._code("where_prec", _WHERE)
        self._side_a, self._side_b = (
            cut(self._text(name), CODE, self.remarks) for name in ("side_a", "side_b")
        )

    def report(self) -> dict[str, Any]:
        """A `ReportIn` without `id` and `claimant`. Raises `Invalid` naming the column."""
        start, end = _days(self._row)
        value: dict[str, Any] = {
            "when": self._when(start, end),
            "where": self._where(),
            "casualties": self._casualties(),
            "summary": self._summary(),
        }
        if self._violence == _ONE_SIDED and self._side_a:
            value["attributed_to"] = self._side_a
        if sources := self._sources(start):
            value["sources"] = sources
        return value

    def areas(self) -> tuple[str, ...]:
        """Names of areas, the finest first, no finer than the position is known."""
        names = _AREAS[self._where_code] if self._where_code else ("country",)
        return tuple(area for name in names if (area := self._text(name)))

    def _text(self, name: str) -> str:
        text = self._row.get(name, "")
        return one_line(text, self.remarks) if text else ""

    def _code(self, name: str, known: Collection[int]) -> int | None:
        """The codebook's code in a column; `None` where there is no such column."""
        if name not in self._row:
            return None
        code = whole_number(self._row[name], name)
        if code not in known:
            raise Invalid("is not a code of the codebook", name)
        return code

    def _when(self, start: date, end: date) -> str:
        precision = self._code("date_prec", range(_EXACT_DAY, _WITHIN_A_YEAR + 1))
        if precision is None:
            self.remarks.add(DAY_ASSUMED)
        if precision in (None, _EXACT_DAY):
            return str(start) if start == end else f"{start}/{end}"
        if start == end:
            self.remarks.add(WIDENED)
            if precision == _WITHIN_A_YEAR:
                start, end = date(start.year, 1, 1), date(start.year, 12, 31)
            else:
                around = _DAYS_AROUND[precision]
                start, end = start - around, end + around
        return f"[{start}..{end}]"

    def _where(self) -> dict[str, Any]:
        where: dict[str, Any] = {
            "lat": _degrees(self._row.get("latitude", ""), "latitude", 90),
            "lon": _degrees(self._row.get("longitude", ""), "longitude", 180),
        }
        if self._where_code is None:
            self.remarks.add(PLACE_ASSUMED)
            where["precision"] = Precision.DISTRICT.value
        else:
            where["precision"] = _WHERE[self._where_code].value
        named, described = self._text("where_coordinates"), self._text("where_description")
        words = named if described in ("", named) else f"{named}; {described}".removeprefix("; ")
        if words:
            where["as_written"] = cut(words, SHORT, self.remarks)
        return where

    def _casualties(self) -> list[dict[str, Any]]:
        low, best, high = (whole_number(self._row.get(name, ""), name) for name in _COUNTS)
        whole = _Range(min(low, best, high), best, max(low, best, high))
        killed: Any = whole.count()
        if not low <= best <= high:
            self.remarks.add(OUT_OF_ORDER)
            killed = {**whole.bounds(), "words": f"low {low}, best {best}, high {high}"}
        return [{"killed": killed}, *self._parts(whole)]

    def _parts(self, whole: "_Range") -> list[dict[str, Any]]:
        """A line for each part of the dead that is not 0; none where they exceed the whole."""
        if "deaths_a" not in self._row:
            return []
        side_a, side_b, civilians, unknown = (
            whole_number(self._row.get(name, ""), name)
            for name in ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
        )
        stated = side_a + side_b + civilians
        if stated > whole.best:
            self.remarks.add(PARTS_EXCEED)
            return []
        if stated + unknown != whole.best:
            self.remarks.add(PARTS_DIFFER)
        # Who the dead of non-state violence were is not told apart: its sides may be communities.
        group = None if self._violence == _NON_STATE else Group.MILITARY
        if self._violence == _ONE_SIDED:
            # The second side of one-sided violence is the civilians themselves.
            side_b, civilians = 0, civilians + side_b
        parts: Counter[tuple[str | None, Group | None]] = Counter()
        parts[self._side_a or None, group] += side_a
        parts[self._side_b or None, group] += side_b
        parts[None, Group.CIVILIAN] += civilians
        return [
            {
                **({"party": party} if party else {}),
                **({"group": part_group.value} if part_group else {}),
                "killed": _part(whole, count).count(),
            }
            for (party, part_group), count in parts.items()
            if count and (party or part_group)
        ]

    def _summary(self) -> str:
        sides = self._text("dyad_name") or f"{self._side_a} - {self._side_b}"
        conflict = self._text("conflict_name")
        summary = f"{_VIOLENCE[self._violence]}: {sides}."
        if conflict and conflict != sides:
            summary += f" Conflict: {conflict}."
        return summary

    def _sources(self, start: date) -> list[dict[str, str]]:
        """One per office, date and headline where there are as many of each, else one in all."""
        offices, dates, headlines = (
            self._row.get(name, "").split(";")
            for name in ("source_office", "source_date", "source_headline")
        )
        if not any(offices) or not len(offices) == len(dates) == len(headlines):
            article = self._text("source_article")
            if not article:
                return []
            if any(offices):
                self.remarks.add(SOURCES_JOINED)
            return [{"title": cut(article, SHORT, self.remarks)}]
        if len(offices) > _MOST_SOURCES:
            self.remarks.add(SOURCES_CUT)
        every = zip(offices, dates, headlines, strict=True)
        sources = (self._source(*each, start) for each in islice(every, _MOST_SOURCES))
        return [source for source in sources if source]

    def _source(self, office: str, published: str, headline: str, start: date) -> dict[str, str]:
        """Empty where it has neither office nor headline."""
        publisher = cut(one_line(office, self.remarks), SHORT, self.remarks)
        title = cut(one_line(headline, self.remarks), SHORT, self.remarks) or publisher
        source = {"title": title} if title else {}
        if publisher:
            source["publisher"] = publisher
        if title and (day := _source_day(published.strip(), start)) is not None:
            source["published"] = day
        elif published.strip():
            self.remarks.add(SOURCE_DATE)
        return source


@dataclass(frozen=True, slots=True)
class _Range:
    """A count in order."""

    low: int
    best: int
    high: int

    def bounds(self) -> dict[str, int]:
        return {"low": self.low, "best": self.best, "high": self.high}

    def count(self) -> "int | dict[str, int]":
        return self.best if self.low == self.best == self.high else self.bounds()


def _part(whole: _Range, count: int) -> _Range:
    """The range of a part of which the dataset gives only its best estimate.

    Its low is what must remain if the whole shortfall of low against best were its own. Its high is
    that of the whole where all the dead are of this part, else its best estimate. So the parts
    never say more together than the whole does (`domain.casualties.combine`).
    """
    if count == whole.best:
        return whole
    return _Range(max(0, count - (whole.best - whole.low)), count, count)


def _violence(text: str) -> int:
    """1 to 3, also where an extract has the words for them."""
    code = _VIOLENCE_CODES.get(text.strip().casefold())
    if code is None:
        code = whole_number(text, "type_of_violence")
    if code not in _VIOLENCE:
        raise Invalid("is not a code of the codebook", "type_of_violence")
    return code


def _days(row: Mapping[str, str]) -> tuple[date, date]:
    if "date_start" not in row:
        year, month, day = (whole_number(row.get(n, ""), n) for n in ("year", "month", "day"))
        try:
            only = date(year, month, day)
        except ValueError:
            raise Invalid("is not a date of the calendar", "day") from None
        return only, only
    start, end = (_day(row.get(name, ""), name) for name in ("date_start", "date_end"))
    if end < start:
        raise Invalid("lies before date_start", "date_end")
    return start, end


def _day(text: str, name: str) -> date:
    """A day, also written as its midnight."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise Invalid("is not a date such as 2014-02-20", name)
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        raise Invalid("is not a date of the calendar", name) from None


def _source_day(text: str, start: date) -> str | None:
    """The date of a source, where it is one that can be true.

    Unknown dates stand as 1753-01-01 in some releases, and others have slipped by months or years;
    what is said of an event is not said before it.
    """
    try:
        day = _day(text, "source_date")
    except Invalid:
        return None
    return str(day) if start <= day and day.year <= LAST_YEAR else None


def _degrees(text: str, name: str, most: int) -> float:
    degrees = decimal_number(text, name)
    if abs(degrees) > most:
        raise Invalid(f"must be between -{most} and {most}", name)
    return degrees
