"""Time falls into buckets only where it fits whole; the rest stays visible."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.periods import Bucket, Grain, NamedPeriod, Timeline, overlapping
from service.domain.vocabulary import OUTSIDE, SPANNING
from service.domain.when import When
from service.errors import Invalid
from tests.domain.make import PERIODS, moderate, timeline, when
from tests.domain.test_when import whens

CALENDAR = [Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.TOTAL]
LABELS: dict[Grain, Callable[[date], str]] = {
    Grain.DAY: lambda d: d.isoformat(),
    Grain.WEEK: lambda d: d.strftime("%G-W%V"),
    Grain.MONTH: lambda d: d.strftime("%Y-%m"),
    Grain.QUARTER: lambda d: f"{d.year}-Q{1 + (d.month - 1) // 3}",
    Grain.YEAR: lambda d: str(d.year),
    Grain.TOTAL: lambda _: "total",
}

days = st.dates(date(2015, 11, 1), date(2016, 2, 1))


@st.composite
def calendars(draw: st.DrawFn) -> Timeline:
    first = draw(days)
    last = first + timedelta(days=draw(st.integers(0, 120)))
    return Timeline(draw(st.sampled_from(CALENDAR)), first, last)


def each_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


@moderate
@given(calendars())
def test_buckets_share_out_every_day_once(asked: Timeline) -> None:
    shared = [
        (bucket.key, day)
        for bucket in asked.buckets()
        for day in each_day(bucket.start, bucket.end)
    ]
    label = LABELS[asked.grain]
    assert shared == [(label(day), day) for day in each_day(asked.first, asked.last)]


@moderate
@given(calendars(), whens)
def test_decision_12_a_when_is_in_a_bucket_exactly_if_wholly_inside(
    asked: Timeline, told: When
) -> None:
    key, bucket = asked.place(told)
    holding = [b for b in asked.buckets() if told.inside(b.start, b.end)]
    assert ([(key, bucket)] if bucket else []) == [(b.key, b) for b in holding]
    assert bucket is not None or key == SPANNING


@pytest.mark.parametrize(
    ("text", "grain", "key"),
    [
        ("2016-04-02", Grain.DAY, "2016-04-02"),
        ("2016-04-02~", Grain.DAY, SPANNING),
        ("2016-04-02~", Grain.MONTH, "2016-04"),
        ("2017-02", Grain.DAY, SPANNING),
        ("2017-02", Grain.MONTH, "2017-02"),
        ("2017-02", Grain.QUARTER, "2017-Q1"),
        ("2020", Grain.QUARTER, SPANNING),
        ("2020", Grain.YEAR, "2020"),
        ("2016-01-01", Grain.WEEK, "2015-W53"),
        ("2021-01-03/2021-01-04", Grain.WEEK, SPANNING),
        ("[..2022-08-03]", Grain.TOTAL, SPANNING),
        ("[2022-08-03..]", Grain.YEAR, SPANNING),
        ("1999", Grain.TOTAL, "total"),
        ("1989/1999", Grain.TOTAL, SPANNING),
    ],
)
def test_decision_14_a_date_is_never_put_on_a_finer_one(text: str, grain: Grain, key: str) -> None:
    assert timeline(grain, date(1990, 1, 1), date(2022, 12, 31)).place(when(text))[0] == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2022-09-13", "september-2022"),
        ("2020-09-27/2020-11-09", "2020-war"),
        ("[2016-04-01..2016-04-07]", "april-2016"),
        ("2016-04", SPANNING),
        ("2020-11-09/2020-11-10", SPANNING),
        ("2019-03-17/2019-03-23", OUTSIDE),
        ("[..2022-08-03]", SPANNING),
        ("[..1999-01-01]", SPANNING),
        ("2023-01-05", SPANNING),
    ],
)
def test_decision_13_named_periods_have_an_outside_and_straddlers_span(text: str, key: str) -> None:
    asked = timeline(Grain.NAMED, date(1994, 1, 1), date(2022, 12, 31))
    assert asked.place(when(text))[0] == key


def test_decision_13_sub_periods_are_a_series_of_their_own() -> None:
    asked = timeline(Grain.NAMED, date(2020, 1, 1), date(2020, 12, 31), series="war")
    assert [b.key for b in asked.buckets()] == ["war-until-first-truce"]
    assert asked.place(when("2020-10-01"))[0] == "war-until-first-truce"
    assert asked.place(when("2020-11-01"))[0] == OUTSIDE
    assert asked.place(when("2020-10-09/2020-10-10"))[0] == SPANNING


def test_named_buckets_are_cut_to_the_days_asked_for() -> None:
    asked = timeline(Grain.NAMED, date(2020, 10, 1), date(2020, 11, 20))
    assert list(asked.buckets()) == [
        Bucket("2020-war", date(2020, 10, 1), date(2020, 11, 9)),
        Bucket("hand-over", date(2020, 11, 10), date(2020, 11, 20)),
    ]
    assert asked.place(when("2020-09-27/2020-11-09"))[0] == SPANNING


def test_decision_13_periods_of_one_series_never_overlap() -> None:
    assert overlapping(PERIODS) == []
    late = NamedPeriod("late", "phases", "", date(2020, 11, 9), date(2020, 11, 9), "UTC", "-")
    assert overlapping([*PERIODS, late]) == [("2020-war", "late")]


def test_a_question_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(Invalid):
        Timeline(Grain.DAY, date(2022, 1, 2), date(2022, 1, 1))
