"""Precision is kept and respected: nothing known coarsely is put on a finer date."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.when import TimePrecision, When, intersection_or_hull, parse_when
from service.errors import Invalid
from tests.domain.make import ZONE, moderate, when

# Few days and hours, so that spans often touch, share an end or exclude each other.
days = st.dates(date(2015, 12, 26), date(2016, 1, 6))
moments = st.builds("{}T{:02}:30+04:00".format, days, st.integers(8, 11))
points = st.one_of(
    days.map(str), days.map(lambda d: f"{d:%Y-%m}"), days.map(lambda d: f"{d:%Y}"), moments
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    first, last = sorted((draw(points), draw(points)))
    form = draw(
        st.sampled_from(["{0}", "{0}/{1}", "[{0}..{1}]", "[..{0}]", "[{0}..]", "../{0}", "{0}/.."])
    )
    return form.format(first, last)


def readable(text: str) -> When | None:
    try:
        return when(text)
    except Invalid:
        return None


whens = texts().map(readable).filter(lambda w: w is not None)


def extent(told: When | None) -> object:
    return told and (told.start, told.end, told.earliest, told.latest)


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2022-08-03", date(2022, 8, 3), date(2022, 8, 3), TimePrecision.DAY),
        ("2017-02", date(2017, 2, 1), date(2017, 2, 28), TimePrecision.MONTH),
        ("2020", date(2020, 1, 1), date(2020, 12, 31), TimePrecision.YEAR),
        ("2020-09-27/2020-11-09", date(2020, 9, 27), date(2020, 11, 9), TimePrecision.SPAN),
        ("[2016-04-01..2016-04-07]", date(2016, 4, 1), date(2016, 4, 7), TimePrecision.SPAN),
        ("[..2022-08-03]", None, date(2022, 8, 3), TimePrecision.OPEN),
        ("[2022-08-03..]", date(2022, 8, 3), None, TimePrecision.OPEN),
        ("2022-08-03T14:30+04:00", date(2022, 8, 3), date(2022, 8, 3), TimePrecision.INSTANT),
        ("2016-04-02~", date(2016, 4, 1), date(2016, 4, 30), TimePrecision.MONTH),
        ("2017-02~", date(2017, 1, 1), date(2017, 12, 31), TimePrecision.YEAR),
        ("2022-08-03T14:30+04:00~", date(2022, 8, 3), date(2022, 8, 3), TimePrecision.DAY),
    ],
)
def test_precision_follows_from_the_form(
    text: str, start: date | None, end: date | None, precision: TimePrecision
) -> None:
    told = when(text)
    assert (told.start, told.end, told.precision) == (start, end, precision)
    assert told.is_open == (precision is TimePrecision.OPEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2022-8-3",
        "2022-02-30",
        "2022-13",
        "20220803",
        "1661-01-01",
        "2022-08-03T14:30",
        "2022-08-03T25:00Z",
        "2022-08-03T14:30+25:00",
        "2022-08-03/2022-08-01",
        "[2022-08-03..2022-08-01]",
        "2022-08-03T14:30Z/2022-08-03T14:29Z",
        "[..]",
        "/",
        "../..",
        "2022-08-03/2022-08-04/2022-08-05",
        "٢٠٢٢-٠٨-٠٣",
        "2022-08-03\n",
        " 2022-08-03",
        "2022-08-03" + "~" * 100,
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        when(text)


def test_a_time_without_offset_is_read_only_in_a_named_zone() -> None:
    with pytest.raises(Invalid, match="offset"):
        parse_when("2022-08-03T14:30", ZONE)
    told = parse_when("2022-08-03T14:30", ZONE, "Asia/Yerevan")
    assert told.earliest == datetime(2022, 8, 3, 10, 30, tzinfo=UTC)
    with pytest.raises(Invalid, match="time zone"):
        parse_when("2022-08-03T14:30", ZONE, "Mars/Olympus")


@pytest.mark.parametrize("text", ["2022-03-27T02:30", "2022-10-30T02:30"])
def test_a_time_that_the_clock_skips_or_repeats_is_ambiguous(text: str) -> None:
    assert parse_when(text, ZONE, "Europe/Berlin").ambiguous
    assert not parse_when(text + "+02:00", ZONE, "Europe/Berlin").ambiguous


def test_decision_14_days_are_days_of_the_theatre() -> None:
    assert when("2022-08-03T22:00Z").start == date(2022, 8, 4)
    assert when("2022-08-04T01:00+04:00").earliest == datetime(2022, 8, 3, 21, tzinfo=UTC)


def test_decision_14_an_approximate_day_is_precise_to_its_month_only() -> None:
    told = when("2016-04-02~")
    assert told.approximate
    assert not told.inside(date(2016, 4, 2), date(2016, 4, 2))
    assert told.inside(date(2016, 4, 1), date(2016, 4, 30))


def test_decision_1_an_open_side_matches_only_at_its_known_end() -> None:
    before = when("[..2022-08-03]")
    assert before.overlaps(date(2022, 8, 3), date(2022, 8, 31))
    assert not before.overlaps(date(2020, 1, 1), date(2022, 8, 2))
    after = when("[2022-08-03..]")
    assert after.overlaps(date(2022, 8, 1), date(2022, 8, 3))
    assert not after.overlaps(date(2022, 8, 4), date(2023, 1, 1))
    assert not before.inside(date.min, date.max)


def test_decision_1_reports_that_exclude_each_other_give_their_hull() -> None:
    told = intersection_or_hull([when("2022-08-01"), when("2022-08-05"), when("2022-08-03")])
    assert str(told) == "[2022-08-01..2022-08-05]"
    assert str(intersection_or_hull([when("2022-08"), when("[..2022-08-05]")])) == (
        "[2022-08-01..2022-08-05]"
    )


def test_two_times_of_one_day_agree_on_the_day_only() -> None:
    times = [when("2022-08-03T10:00Z"), when("2022-08-03T12:00Z"), when("2022-08-03T10:00Z")]
    for order in (times, times[::-1], [times[0], times[2], times[1]]):
        assert str(intersection_or_hull(order)) == "2022-08-03"


def test_a_time_of_day_narrows_only_its_own_day() -> None:
    met = when("[2022-08-03T10:00Z..2022-08-05T10:00Z]").meet(when("2022-08-04"))
    assert str(met) == "2022-08-04"


@moderate
@given(texts())
def test_what_is_written_says_what_was_read(text: str) -> None:
    told = readable(text)
    if told is None:
        return
    again = when(str(told))
    assert extent(again) == extent(told)
    assert str(again) == str(told)
    assert again.lasted == (told.lasted and told.precision is not TimePrecision.INSTANT)


@moderate
@given(whens, whens)
def test_meeting_is_commutative_and_never_widens(a: When, b: When) -> None:
    met = a.meet(b)
    assert met == b.meet(a)
    if met is None:
        return
    for side in (a, b):
        assert side.start is None or (met.start is not None and met.start >= side.start)
        assert side.end is None or (met.end is not None and met.end <= side.end)
        assert met.meet(side) == met
    written = when(str(met))
    assert (written.start, written.end) == (met.start, met.end)


def test_a_part_of_something_that_lasted_did_not_last_as_long() -> None:
    war = when("2022-08-01/2022-08-05")
    assert str(when("2022-08").within(war)) == "[2022-08-01..2022-08-05]"
    assert str(when("[2022-08-01..2022-08-05]").within(war)) == "[2022-08-01..2022-08-05]"
    assert str(when("2022-08-02/2022-08-03").within(war)) == "2022-08-02/2022-08-03"
    assert str(when("2022-08-02/2022-08-09").within(war)) == "[2022-08-02..2022-08-05]"
    assert str(when("2022-09-01").within(war)) == "2022-09-01"


@moderate
@given(whens, whens, whens)
def test_meeting_is_associative(a: When, b: When, c: When) -> None:
    left, right = a.meet(b), b.meet(c)
    assert (left and left.meet(c)) == (right and a.meet(right))


@moderate
@given(
    st.lists(whens, min_size=1, max_size=4).flatmap(
        lambda w: st.tuples(st.just(w), st.permutations(w))
    )
)
def test_the_order_of_reports_does_not_move_an_incident(
    pair: tuple[list[When], list[When]],
) -> None:
    given_order, other_order = pair
    assert intersection_or_hull(given_order) == intersection_or_hull(other_order)


@moderate
@given(whens, days, st.integers(0, 60))
def test_inside_means_every_day_is_inside(told: When, first: date, length: int) -> None:
    last = first + timedelta(days=length)
    if told.start is None or told.end is None:
        assert not told.inside(first, last)
    else:
        every = (told.start, told.end)
        assert told.inside(first, last) == all(first <= day <= last for day in every)
