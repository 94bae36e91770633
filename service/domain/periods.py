"""Calendar grains and named periods: the buckets of time, and what fits into none of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from service.domain.vocabulary import OUTSIDE, SPANNING
from service.domain.when import When, month_bounds, year_bounds
from service.errors import Invalid


class Grain(StrEnum):
    """How finely time is cut. Weeks are those of ISO 8601: Monday to Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    NAMED = "named"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of local days with a key, both ends included."""

    key: str
    start: date
    end: date

    def clipped(self, first: date, last: date) -> "Bucket":
        return Bucket(self.key, max(self.start, first), min(self.end, last))


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """A period with a name and a source. Periods of one series never overlap."""

    id: str
    series: str
    name: str
    start: date
    end: date
    timezone: str
    source: str
    note: str | None = None

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.id, self.start, self.end)


def calendar_bucket(grain: Grain, day: date) -> Bucket:
    """The bucket of a calendar grain that holds `day`."""
    match grain:
        case Grain.DAY:
            return Bucket(day.isoformat(), day, day)
        case Grain.WEEK:
            year, week, weekday = day.isocalendar()
            monday = day - timedelta(days=weekday - 1)
            return Bucket(f"{year}-W{week:02}", monday, monday + timedelta(days=6))
        case Grain.MONTH:
            return Bucket(f"{day:%Y-%m}", *month_bounds(day))
        case Grain.QUARTER:
            quarter = (day.month + 2) // 3
            first = date(day.year, 3 * quarter - 2, 1)
            last = month_bounds(date(day.year, 3 * quarter, 1))[1]
            return Bucket(f"{day.year}-Q{quarter}", first, last)
        case Grain.YEAR:
            return Bucket(f"{day.year}", *year_bounds(day))
    raise ValueError(f"{grain} is not a calendar grain")


def overlapping(periods: Sequence[NamedPeriod]) -> list[tuple[str, str]]:
    """Pairs of periods of one series that overlap; a sound series has none."""
    ordered = sorted(periods, key=lambda p: (p.series, p.start))
    return [(a.id, b.id) for a, b in pairwise(ordered) if a.series == b.series and a.end >= b.start]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The buckets of one question: a grain over the days `first`–`last`.

    `named` holds the buckets of the chosen series where the grain is `named`.
    """

    grain: Grain
    first: date
    last: date
    named: tuple[Bucket, ...] = ()

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise Invalid("ends before it starts", "to")

    def buckets(self) -> Iterator[Bucket]:
        """In order of time, the first and last cut to the days asked for."""
        if self.grain is Grain.TOTAL:
            yield Bucket(Grain.TOTAL.value, self.first, self.last)
        elif self.grain is Grain.NAMED:
            for bucket in self.named:
                if bucket.start <= self.last and bucket.end >= self.first:
                    yield bucket.clipped(self.first, self.last)
        else:
            day = self.first
            while day <= self.last:
                bucket = calendar_bucket(self.grain, day)
                yield bucket.clipped(self.first, self.last)
                day = bucket.end + timedelta(days=1)

    def place(self, when: When) -> tuple[str, Bucket | None]:
        """The bucket that holds the whole of `when`, with its key, or `spanning` or `outside`."""
        if self.grain is Grain.NAMED:
            return self._place_named(when)
        if self.grain is Grain.TOTAL:
            return self._held(Bucket(Grain.TOTAL.value, self.first, self.last), when)
        if when.start is None:
            return SPANNING, None
        return self._held(calendar_bucket(self.grain, when.start), when)

    def _place_named(self, when: When) -> tuple[str, Bucket | None]:
        touched = [
            bucket
            for bucket in self.named
            if (when.start is None or when.start <= bucket.end)
            and (when.end is None or when.end >= bucket.start)
        ]
        if len(touched) == 1:
            return self._held(touched[0], when)
        if not touched and when.inside(self.first, self.last):
            return OUTSIDE, None
        return SPANNING, None

    def _held(self, bucket: Bucket, when: When) -> tuple[str, Bucket | None]:
        clipped = bucket.clipped(self.first, self.last)
        held = when.inside(clipped.start, clipped.end)
        return (bucket.key, clipped) if held else (SPANNING, None)
