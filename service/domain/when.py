"""When something happened, written in the ISO 8601 and EDTF forms that monitors need.

Forms: `2022-08-03`, `2022-08-03T14:30+04:00`, `2017-02`, `2020`, `2020-09-27/2020-11-09`
(lasted from, to), `[2016-04-01..2016-04-07]` (some time within), `[..2022-08-03]` and
`[2022-08-03..]` (on or before, on or after); each date may end in `~` (approximate).
Source of the forms: ISO 8601-2:2019, Extended Date/Time Format, levels 0 to 2.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from service.errors import Invalid

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100
_LONGEST_TEXT: Final = 80

_POINT = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:-(?P<month>[0-9]{2})"
    r"(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
    r"(?P<approximate>~)?"
)


class TimePrecision(StrEnum):
    """How finely a moment is known."""

    INSTANT = "instant"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    SPAN = "span"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class When:
    """A span of local days of the theatre, both ends included; `None` leaves a side open.

    `lasted` tells an event that filled the span from one that happened some time within it.
    `earliest` and `latest` are instants in UTC, present where the form gave times of day.
    """

    start: date | None
    end: date | None
    lasted: bool = False
    earliest: datetime | None = None
    latest: datetime | None = None
    approximate: bool = False
    ambiguous: bool = False

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise Invalid("one side at least must be known")

    @property
    def is_open(self) -> bool:
        return self.start is None or self.end is None

    @property
    def known_start(self) -> date:
        """The first known day; a span open to the past is known only by its last."""
        return self.start or self.end or date.min

    @property
    def known_end(self) -> date:
        return self.end or self.start or date.max

    @property
    def precision(self) -> TimePrecision:
        if self.start is None or self.end is None:
            return TimePrecision.OPEN
        if self.earliest is not None and self.earliest == self.latest:
            return TimePrecision.INSTANT
        if self.start == self.end:
            return TimePrecision.DAY
        if (self.start, self.end) == month_bounds(self.start):
            return TimePrecision.MONTH
        if (self.start, self.end) == year_bounds(self.start):
            return TimePrecision.YEAR
        return TimePrecision.SPAN

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Whether the known part touches the days `first`–`last` (`None` is unbounded)."""
        return (last is None or self.known_start <= last) and (
            first is None or self.known_end >= first
        )

    def inside(self, first: date, last: date) -> bool:
        """Whether the whole span, open sides included, lies within `first`–`last`."""
        return (
            self.start is not None
            and self.end is not None
            and first <= self.start
            and self.end <= last
        )

    def meet(self, other: "When") -> "When | None":
        """What both allow, or `None` where they exclude each other."""
        start = max((d for d in (self.start, other.start) if d), default=None)
        end = min((d for d in (self.end, other.end) if d), default=None)
        if start and end and start > end:
            return None
        # A time of day narrows only the day it was given for.
        earliest = max(
            (w.earliest for w in (self, other) if w.earliest and w.start == start), default=None
        )
        latest = min((w.latest for w in (self, other) if w.latest and w.end == end), default=None)
        if earliest and latest and earliest > latest:
            return None
        return When(
            start,
            end,
            lasted=any(w.lasted and (w.start, w.end) == (start, end) for w in (self, other)),
            earliest=earliest,
            latest=latest,
            approximate=self.approximate and other.approximate,
        )

    def within(self, other: "When") -> "When":
        """Narrowed to `other` where the two meet, unchanged where they do not.

        That the other filled its span says nothing of how long this one lasted.
        """
        met = self.meet(other)
        if met is None:
            return self
        return replace(met, lasted=self.lasted and (met.start, met.end) == (self.start, self.end))

    def __str__(self) -> str:
        """The shortest EDTF form that says the same."""
        first = _instant_text(self.earliest) if self.earliest else str(self.start or "")
        last = _instant_text(self.latest) if self.latest else str(self.end or "")
        if self.precision is TimePrecision.INSTANT:
            return first
        if self.lasted:
            return f"{first or '..'}/{last or '..'}"
        if self.earliest or self.latest:
            return f"[{first}..{last}]"
        match self.precision:
            case TimePrecision.DAY:
                return first
            case TimePrecision.MONTH:
                return first[:7]
            case TimePrecision.YEAR:
                return first[:4]
        return f"[{first}..{last}]"


# Reports of one file tell of the same days.
@lru_cache(maxsize=1 << 12)
def parse_when(text: str, zone: tzinfo, named_zone: str | None = None) -> When:
    """Read one `when`.

    `zone` is the theatre's: days are its days. `named_zone` (IANA) gives the offset of times
    written without one; `ambiguous` is set where that zone's clock repeats or skips the time.
    Raises `Invalid` for every other form.
    """
    if len(text) > _LONGEST_TEXT:
        raise Invalid("is too long for a date")
    if text.startswith("[") and text.endswith("]") and text.count("..") == 1:
        left, right = text[1:-1].split("..")
        lasted = False
    elif text.count("/") == 1:
        left, right = (("" if side == ".." else side) for side in text.split("/"))
        lasted = True
    else:
        return _parse_point(text, zone, named_zone)
    first = _parse_point(left, zone, named_zone) if left else None
    last = _parse_point(right, zone, named_zone) if right else None
    if first and last and _begins_after(first, last):
        raise Invalid("ends before it starts")
    return When(
        first.start if first else None,
        last.end if last else None,
        lasted=lasted,
        earliest=first.earliest if first else None,
        latest=last.latest if last else None,
        approximate=any(side is not None and side.approximate for side in (first, last)),
        ambiguous=any(side is not None and side.ambiguous for side in (first, last)),
    )


def parse_zone(name: str) -> ZoneInfo:
    """An IANA time zone by name. Raises `Invalid` where none is known by it."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Invalid("is not a time zone of the IANA database") from None


def intersection_or_hull(whens: Iterable[When]) -> When:
    """What all allow together; where nothing is left, some time within their hull."""
    first, *others = whens
    met: When | None = first
    for when in others:
        met = met.meet(when) if met else None
    if met is not None:
        return met
    every = (first, *others)
    starts, ends = [w.start for w in every], [w.end for w in every]
    if None in starts and None in ends:
        # Open to both sides would be no time at all; what is known of each still is.
        return When(min(w.known_start for w in every), max(w.known_end for w in every))
    return When(
        None if None in starts else min(w.known_start for w in every),
        None if None in ends else max(w.known_end for w in every),
    )


def month_bounds(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def year_bounds(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year, 12, 31)


def _parse_point(text: str, zone: tzinfo, named_zone: str | None) -> When:
    match = _POINT.fullmatch(text)
    if match is None:
        raise Invalid("is not one of the accepted forms of a date")
    year = int(match["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid(f"has a year outside {FIRST_YEAR}–{LAST_YEAR}")
    try:
        day = date(year, int(match["month"] or 1), int(match["day"] or 1))
        point = (
            _at_time(match, zone, named_zone)
            if match["time"]
            else When(day, day)
            if match["day"]
            else When(*month_bounds(day))
            if match["month"]
            else When(*year_bounds(day))
        )
    except ValueError:
        raise Invalid("is not a date of the calendar") from None
    return _widened(point) if match["approximate"] else point


def _at_time(match: re.Match[str], zone: tzinfo, named_zone: str | None) -> When:
    written = f"{match['year']}-{match['month']}-{match['day']}T{match['time']}"
    ambiguous = False
    if match["offset"]:
        moment = datetime.fromisoformat(written + match["offset"])
    elif named_zone is None:
        raise Invalid("gives a time of day without an offset from UTC or a named time zone")
    else:
        moment = datetime.fromisoformat(written).replace(tzinfo=parse_zone(named_zone))
        ambiguous = moment.utcoffset() != moment.replace(fold=1).utcoffset()
    instant = moment.astimezone(UTC)
    day = instant.astimezone(zone).date()
    return When(day, day, earliest=instant, latest=instant, ambiguous=ambiguous)


def _widened(point: When) -> When:
    """An approximate date is trusted one unit less: its day, month, year or neighbouring years."""
    match point.precision:
        case TimePrecision.INSTANT:
            bounds = (point.known_start, point.known_end)
        case TimePrecision.DAY:
            bounds = month_bounds(point.known_start)
        case TimePrecision.MONTH:
            bounds = year_bounds(point.known_start)
        case _:
            year = point.known_start.year
            bounds = (date(year - 1, 1, 1), date(year + 1, 12, 31))
    return replace(
        point, start=bounds[0], end=bounds[1], earliest=None, latest=None, approximate=True
    )


def _begins_after(first: When, last: When) -> bool:
    if first.earliest and last.latest:
        return first.earliest > last.latest
    return first.known_start > last.known_end


def _instant_text(instant: datetime) -> str:
    moment = instant.astimezone(UTC)
    written = moment.strftime("%Y-%m-%dT%H:%M")
    if moment.microsecond:
        written = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    elif moment.second:
        written = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{written}Z"
