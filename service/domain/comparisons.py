"""Rows beside rows: earlier days, or what another claimant says, and by how much they differ.

A difference of ranges is a range: at least what is left when the one is as low and the other as
high as may be. Where a side is not known there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final, Protocol

from service.domain.figures import Sum
from service.domain.periods import Bucket, Grain, Timeline
from service.domain.queries import AggregateQuery, Compare
from service.domain.spans import (
    Spans,
    earlier,
    is_complete,
    is_whole,
    months_before,
    uncut,
    windowed,
)
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome
from service.domain.when import month_bounds

_YEAR: Final = {Grain.MONTH: 12, Grain.QUARTER: 4, Grain.YEAR: 1}


class Reason(StrEnum):
    """Why there is no difference."""

    CUT = "cut"
    """`from` or `to` cuts the period off, so it has no equal."""
    UNBOUNDED = "unbounded"
    """`from` or `to` is not given."""
    NO_PERIOD = "no_period"
    """The row is of no period, or there is no such period to compare it with."""
    UNWATCHED = "unwatched"
    """On one side nothing is recorded and nobody watched throughout: silence is not calm."""
    UNTOLD = "untold"
    """One of the two says nothing."""


class Summed(Protocol):
    """Counts, `None` where they are not known, and figures by outcome."""

    @property
    def counts(self) -> tuple[int | None, int | None, int | None, int | None]: ...
    @property
    def figures(self) -> Mapping[Outcome, Sum]: ...


@dataclass(frozen=True, slots=True)
class Range:
    """Between which bounds a difference lies; `None` leaves a side open.

    `best` is that of the best figures, `None` where a side has no figure; `unknown` says of how
    many incidents, on both sides together, nobody gave one.
    """

    low: int | None
    best: int | None
    high: int | None
    unknown: int


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a row differs from another: the counts in the order of rows, and the figures."""

    counts: tuple[int | None, ...]
    figures: Mapping[Outcome, Range]
    reason: Reason | None = None


def change(this: Summed, other: Summed | None, reason: Reason | None = None) -> Change:
    """What leads from `other` to `this`; nothing where there is a reason against it."""
    unknown = None in this.counts or other is None or None in other.counts
    if other is None or unknown or reason is not None:
        nothing = Range(None, None, None, 0)
        why = reason or Reason.UNWATCHED
        return Change((None,) * 4, dict.fromkeys(SUMMED_OUTCOMES, nothing), why)
    figures, others = this.figures, other.figures
    return Change(
        tuple(_less(a, b) for a, b in zip(this.counts, other.counts, strict=True)),
        {outcome: _range(figures[outcome], others[outcome]) for outcome in SUMMED_OUTCOMES},
    )


def _range(this: Sum, other: Sum) -> Range:
    return Range(
        _less(this.low, other.high),
        _less(this.best, other.best),
        _less(this.high, other.low),
        this.unknown + other.unknown,
    )


def _less(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a - b


@dataclass(frozen=True)
class Comparison:
    """With which days the rows of a question and its total are compared.

    `periods` has them by the key of the row's period, each under its own key; `reasons` why there
    are none.
    """

    periods: Mapping[str, Bucket]
    reasons: Mapping[str, Reason]
    total: Bucket | None

    @cached_property
    def spans(self) -> Spans:
        """The days of the earlier periods, under the keys of the rows that are compared."""
        return Spans(replace(period, key=key) for key, period in self.periods.items())

    def asked(self, query: AggregateQuery) -> AggregateQuery | None:
        """The question that finds what the rows are compared with."""
        found = self.spans.buckets
        return _between(query, found[0].start, found[-1].end) if found else None

    def asked_in_total(self, query: AggregateQuery) -> AggregateQuery | None:
        return _between(query, self.total.start, self.total.end) if self.total else None


def _between(query: AggregateQuery, first: date, last: date) -> AggregateQuery:
    return replace(query, filters=replace(query.filters, first=first, last=last))


def comparison(query: AggregateQuery, timeline: Timeline) -> Comparison:
    """With what the rows of a question are compared, and its total."""
    periods: dict[str, Bucket] = {}
    reasons: dict[str, Reason] = {}
    total = _span_before(query)
    for bucket in timeline.buckets():
        whole = uncut(bucket, timeline)
        if not is_complete(whole, query):
            continue
        if timeline.grain is Grain.TOTAL:
            found, reason = total, Reason.UNBOUNDED
        elif not is_whole(whole, query):
            found, reason = None, Reason.CUT
        else:
            found, reason = _before(whole, query, timeline), Reason.NO_PERIOD
        if found is None:
            reasons[bucket.key] = reason
        else:
            periods[bucket.key] = windowed(found, query)
    return Comparison(periods, reasons, total)


def _before(bucket: Bucket, query: AggregateQuery, timeline: Timeline) -> Bucket | None:
    """The period with which a whole one is compared, if there is one."""
    grain = timeline.grain
    if grain is Grain.NAMED:
        at = timeline.named.index(bucket)
        return timeline.named[at - 1] if at else None
    if query.compare is Compare.PREVIOUS:
        # A window is compared with the last one that shares no day with it.
        return earlier(grain, bucket, query.window or 1)
    if grain in _YEAR:
        return earlier(grain, bucket, _YEAR[grain])
    try:
        if grain is Grain.WEEK:
            year, week, _ = bucket.start.isocalendar()
            day = date.fromisocalendar(year - 1, week, 1)
        else:
            day = bucket.start.replace(year=bucket.start.year - 1)
    except ValueError:
        return None
    return earlier(grain, replace(bucket, start=day), 0)


def _span_before(query: AggregateQuery) -> Bucket | None:
    """The equal of `from` to `to`: of whole months as many months, of other days as many days."""
    first, last = query.filters.first, query.filters.last
    if first is None or last is None:
        return None
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    whole = first.day == 1 and last == month_bounds(last)[1]
    if query.compare is Compare.YEAR_BEFORE:
        start, end = _year_before(first), _year_before(last)
        end = month_bounds(end)[1] if whole else end
    elif whole:
        start, end = months_before(first, months), first - timedelta(days=1)
    else:
        start, end = first - (last - first) - timedelta(days=1), first - timedelta(days=1)
    return Bucket("total", start, end)


def _year_before(day: date) -> date:
    """The same day of the year before; of 29 February the day before it."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)
