"""ACLED's events, as the CSV of its export and as its API gives them.

Codes are read as the ACLED Codebook defines them. Licence: the rows are for the licensee only, so
the formats are `restricted`. What becomes of every column: docs/formats/acled.md.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qsl, urlsplit

from service.domain.imports import Fault, Unusable
from service.domain.vocabulary import Precision
from service.errors import Invalid
from service.formats.imports import delimited
from service.formats.imports.delimited import Record, decimal_number, whole_number
from service.formats.imports.entries import Entry, Reading
from service.formats.imports.pages import as_record, page_number, page_of, pages, rows_of, with_page
from service.formats.imports.texts import CODE, SHORT, cut, one_line

CLAIMANT: Final = "acled"
LICENCE: Final = "ACLED terms of use: not to be passed on"
LARGEST_PAGE: Final = 5000
"""Rows of a page where the address gives no `limit`."""

_NEEDED: Final = (
    "event_id_cnty",
    "event_date",
    "time_precision",
    "event_type",
    "sub_event_type",
    "actor1",
    "actor2",
    "country",
    "location",
    "latitude",
    "longitude",
    "geo_precision",
    "fatalities",
)
_KEPT: Final = (
    "data_id",
    "event_id_no_cnty",
    "time_precision",
    "disorder_type",
    "event_type",
    "sub_event_type",
    "actor1",
    "assoc_actor_1",
    "inter1",
    "actor2",
    "assoc_actor_2",
    "inter2",
    "interaction",
    "civilian_targeting",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "geo_precision",
    "source_scale",
    "fatalities",
    "tags",
    "timestamp",
)
# With 3 the point is a provincial capital or a landmark that stands for a larger region.
_WHERE: Final = {1: Precision.SETTLEMENT, 2: Precision.SETTLEMENT, 3: Precision.SECTOR}
_AREAS: Final = {
    1: ("admin3", "admin2", "admin1", "country"),
    2: ("admin3", "admin2", "admin1", "country"),
    3: ("admin1", "country"),
}
_DAY, _WEEK, _MONTH = 1, 2, 3
# The middle of the week stands for it.
_AROUND_THE_MIDDLE: Final = timedelta(days=3)
# Only where every weapon of the type is of the class: an air or drone strike may be an aircraft's,
# shelling, artillery and missile attacks have no class in common.
_WEAPONS: Final = {
    "grenade": "hand-grenade",
    "remote explosive/landmine/ied": "mines",
    "suicide bomb": "ied",
}
_AGAINST_CIVILIANS: Final = "violence against civilians"
_NOT_ATTACKS: Final = frozenset({"protests", "strategic developments"})
_UNIDENTIFIED: Final = "unidentified"
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_WRITTEN_DAY: Final = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})[ -]([0-9]{4})")
_LONGEST_SUMMARY: Final = 20_000
_MOST_SOURCES: Final = 50

NOT_AN_ATTACK: Final = "a protest or a strategic development, taken as a report all the same"
SOURCES_CUT: Final = "there are more sources than are taken: the first are kept"


class Acled:
    """The CSV: columns by name in any order, those of older layouts beside them."""

    name = "acled"
    media: Sequence[str] = ("text/csv", "application/csv", "text/plain")
    restricted = True
    pages = False
    default_claimant: str | None = CLAIMANT
    default_licence: str | None = LICENCE

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        return tuple(sorted(delimited.header(file, reading, _NEEDED)))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """Raises `Unusable(bad_header)` naming the first column that is missing."""
        _check_names(delimited.header(file, reading, _NEEDED))
        for record in delimited.records(file, reading, _NEEDED):
            yield _entry(record, reading)


class AcledApi:
    """Pages of `acled/read`, kept as `pages.pages` reads them; an entry's line is its number."""

    name = "acled-api"
    media: Sequence[str] = ("application/json",)
    restricted = True
    pages = True
    default_claimant: str | None = CLAIMANT
    default_licence: str | None = LICENCE

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002
        """The names in the rows of the first page."""
        return tuple(sorted({name for row in _data(next(pages(file))) for name in row}))

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """Raises `Unusable(truncated)` where a page gives a total that the rows do not reach."""
        number = 0
        total = None
        for page in pages(file):
            rows = _data(page)
            total = page.get("total_count", total)
            if rows:
                _check_names({name for row in rows for name in row})
            for row in rows:
                number += 1
                yield _entry(as_record(number, row), reading)
        if isinstance(total, int) and total != number:
            raise Unusable(Fault.TRUNCATED, "has fewer or more rows than its pages say")

    def next_url(self, page: bytes, url: str) -> str | None:
        return next_url(page, url)


def next_url(page: bytes, url: str) -> str | None:
    """The address of the page behind `page`, which came from `url`.

    `None` where the page holds fewer rows than its limit. Raises `Unusable(bad_content)` for what
    is no page, or an address whose `limit` or `page` is not a number.
    """
    limit = dict(parse_qsl(urlsplit(url).query)).get("limit", str(LARGEST_PAGE))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10):
        raise Unusable(Fault.BAD_CONTENT, "has an address whose limit is not a number")
    most = min(int(limit), LARGEST_PAGE) or LARGEST_PAGE
    if len(_data(page_of(page))) < most:
        return None
    return with_page(url, page_number(url) + 1)


def _data(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    if str(page.get("success", True)).casefold() in ("false", "0"):
        raise Unusable(Fault.BAD_CONTENT, "has a page that says that the request failed")
    return rows_of(page, "data")


def _check_names(names: Collection[str]) -> None:
    for name in _NEEDED:
        if name not in names:
            raise Unusable(Fault.BAD_HEADER, f"lacks the column {name}")


def _entry(record: Record, reading: Reading) -> Entry:
    if record.error is not None:
        return Entry(record.line, None, error=record.error, original=record.cells)
    cells = record.cells
    remarks: set[str] = set()
    key = None
    try:
        key = _key(cells.get("event_id_cnty", ""))
        geo_precision = _code(cells, "geo_precision", _WHERE)
        value = _report(cells, geo_precision, remarks)
    except Invalid as error:
        return Entry(record.line, key, error=error, original=cells)
    value["claimant"] = reading.claimant or CLAIMANT
    return Entry(
        record.line,
        key,
        value=value,
        areas=tuple(
            area for name in _AREAS[geo_precision] if (area := _text(cells, name, remarks))
        ),
        kept={name: cells[name] for name in _KEPT if cells.get(name)},
        remarks=tuple(sorted(remarks)),
        original=cells,
    )


def _report(cells: Mapping[str, str], geo_precision: int, remarks: set[str]) -> dict[str, Any]:
    """A `ReportIn` without `id` and `claimant`. Raises `Invalid` naming the column."""
    kind = cells.get("event_type", "").casefold()
    if kind in _NOT_ATTACKS:
        remarks.add(NOT_AN_ATTACK)
    value: dict[str, Any] = {
        "when": _when(cells),
        "where": _where(cells, geo_precision, remarks),
        "summary": cut(
            _text(cells, "notes", remarks) or _headline(cells, remarks), _LONGEST_SUMMARY, remarks
        ),
    }
    # The lowest number that was reported; 0 also stands for "casualties" without a number.
    if killed := whole_number(cells.get("fatalities", ""), "fatalities"):
        value["casualties"] = [{"killed": {"low": killed}}]
    if weapon := _WEAPONS.get(cells.get("sub_event_type", "").casefold()):
        value["weapons"] = [weapon]
    actor = cut(_text(cells, "actor1", remarks), CODE, remarks)
    # Elsewhere the order of the actors says nothing.
    if kind == _AGAINST_CIVILIANS and actor and not actor.casefold().startswith(_UNIDENTIFIED):
        value["attributed_to"] = actor
    if sources := _sources(cells, remarks):
        value["sources"] = sources
    return value


def _key(text: str) -> str:
    """The id of letters and digits, such as `XXX12345`."""
    if not (text.isascii() and text.isalnum() and len(text) <= 40):
        raise Invalid("is not an id", "event_id_cnty")
    return text


def _text(cells: Mapping[str, str], name: str, remarks: set[str]) -> str:
    text = cells.get(name, "")
    return one_line(text, remarks) if text else ""


def _code(cells: Mapping[str, str], name: str, known: Collection[int]) -> int:
    code = whole_number(cells.get(name, ""), name)
    if code not in known:
        raise Invalid("is not a code of the codebook", name)
    return code


def _when(cells: Mapping[str, str]) -> str:
    day = _day(cells.get("event_date", ""))
    precision = _code(cells, "time_precision", (_DAY, _WEEK, _MONTH))
    if precision == _DAY:
        return str(day)
    if precision == _WEEK:
        return f"[{day - _AROUND_THE_MIDDLE}..{day + _AROUND_THE_MIDDLE}]"
    return str(day)[:7]


def _day(text: str) -> date:
    """A day as the API (`2022-08-03`) or the export tool (`03 August 2022`) writes it."""
    try:
        if match := _ISO_DAY.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _WRITTEN_DAY.fullmatch(text):
            return date(int(match[3]), _month(match[2].casefold()), int(match[1]))
    except ValueError:
        raise Invalid("is not a date of the calendar", "event_date") from None
    raise Invalid("is not a date such as 2022-08-03", "event_date")


def _month(word: str) -> int:
    """1 to 12 for an English month, whole or its first three letters, and 0 for anything else."""
    return next((n for n, name in enumerate(_MONTHS, 1) if word in (name, name[:3])), 0)


def _where(cells: Mapping[str, str], geo_precision: int, remarks: set[str]) -> dict[str, Any]:
    where: dict[str, Any] = {"precision": _WHERE[geo_precision].value}
    for ours, name, most in (("lat", "latitude", 90), ("lon", "longitude", 180)):
        where[ours] = decimal_number(cells.get(name, ""), name)
        if abs(where[ours]) > most:
            raise Invalid(f"must be between -{most} and {most}", name)
    if location := _text(cells, "location", remarks):
        where["as_written"] = cut(location, SHORT, remarks)
    return where


def _headline(cells: Mapping[str, str], remarks: set[str]) -> str:
    """What stands for a summary where the notes are left out of an extract."""
    texts = (_text(cells, name, remarks) for name in ("sub_event_type", "actor1", "actor2"))
    return "; ".join(text for text in texts if text)


def _sources(cells: Mapping[str, str], remarks: set[str]) -> list[dict[str, str]]:
    names = [name.strip() for name in _text(cells, "source", remarks).split(";") if name.strip()]
    if len(names) > _MOST_SOURCES:
        remarks.add(SOURCES_CUT)
    return [{"title": cut(name, SHORT, remarks)} for name in names[:_MOST_SOURCES]]
