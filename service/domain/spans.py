"""The days that rows count where these are not their buckets alone: windows that move with the
buckets, and totals that run from one day on."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from service.domain.periods import Bucket, Grain, Timeline, calendar_bucket
from service.domain.queries import AggregateQuery

LONGEST_WINDOW: Final = 366
_MONTHS: Final = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
_DAYS: Final = {Grain.DAY: 1, Grain.WEEK: 7}
CALENDAR: Final = frozenset({*_MONTHS, *_DAYS})


class Spans:
    """Stretches of days in an order in which neither their starts nor their ends ever go back."""

    def __init__(self, buckets: Iterable[Bucket]) -> None:
        self.buckets = tuple(buckets)
        self._starts = [bucket.start for bucket in self.buckets]
        self._ends = [bucket.end for bucket in self.buckets]

    def holding(self, start: date, end: date) -> range:
        """Which of them hold all days from `start` to `end`."""
        return range(bisect_left(self._ends, end), bisect_right(self._starts, start))


def uncut(bucket: Bucket, timeline: Timeline) -> Bucket:
    """The whole bucket of which a timeline may show a part."""
    if timeline.grain is Grain.TOTAL:
        return bucket
    if timeline.grain is Grain.NAMED:
        return next(whole for whole in timeline.named if whole.key == bucket.key)
    return calendar_bucket(timeline.grain, bucket.start)


def is_whole(bucket: Bucket, query: AggregateQuery) -> bool:
    """Whether a question does not cut a bucket off; a window begins before `from` anyway."""
    first, last = query.filters.first, query.filters.last
    starts = query.moves or first is None or first <= bucket.start
    return starts and (last is None or bucket.end <= last)


def is_complete(bucket: Bucket, query: AggregateQuery) -> bool:
    """Whether a row is wanted for a bucket: with `complete_on` only for one that is whole and
    over."""
    return query.complete_on is None or (bucket.end < query.complete_on and is_whole(bucket, query))


def earlier(grain: Grain, bucket: Bucket, count: int) -> Bucket:
    """The bucket of a calendar grain so many before another."""
    if grain in _DAYS:
        return calendar_bucket(grain, bucket.start - timedelta(days=count * _DAYS[grain]))
    return calendar_bucket(grain, months_before(bucket.start, count * _MONTHS[grain]))


def months_before(first: date, count: int) -> date:
    """The first of a month so many before that of a day."""
    year, month = divmod(first.year * 12 + first.month - 1 - count, 12)
    return date(year, month + 1, 1)


def windowed(bucket: Bucket, query: AggregateQuery) -> Bucket:
    """What the row of a whole bucket counts."""
    if query.since is not None:
        return replace(bucket, start=query.since)
    if query.window is not None:
        return replace(bucket, start=earlier(query.grain, bucket, query.window - 1).start)
    return bucket


def shown_buckets(query: AggregateQuery, timeline: Timeline) -> Iterator[Bucket]:
    """The days that the rows of a question are about, in order and as far as it asks for them."""
    if not query.moves and query.complete_on is None:
        yield from timeline.buckets()
        return
    for bucket in timeline.buckets():
        whole = uncut(bucket, timeline)
        if is_complete(whole, query):
            yield replace(windowed(whole, query), end=bucket.end) if query.moves else bucket


def spans_of(query: AggregateQuery, timeline: Timeline) -> Spans:
    """What each row of a question that `moves` counts, up to its `to`, under its bucket's key."""
    last = query.filters.last or date.max
    spans = (windowed(uncut(bucket, timeline), query) for bucket in timeline.buckets())
    return Spans(replace(span, end=min(span.end, last)) for span in spans)


def reaching(query: AggregateQuery) -> AggregateQuery:
    """The question from the first day on that a row of it counts."""
    first = query.filters.first
    if query.since is not None:
        first = query.since
    elif query.window is not None and first is not None:
        first = windowed(calendar_bucket(query.grain, first), query).start
    return replace(query, filters=replace(query.filters, first=first))
