"""Silence is not calm: only a full watch makes a zero."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.coverage import Coverage, Covered, Watch
from service.domain.vocabulary import Access
from tests.domain.make import SECTORS, ZONE, moderate, watch

FIRST, LAST = date(2016, 4, 1), date(2016, 4, 30)
FULL, PARTIAL, NONE = Covered.FULL, Covered.PARTIAL, Covered.NONE


@pytest.mark.parametrize(
    ("spans", "covered"),
    [
        ([], NONE),
        ([("old-line", FIRST, LAST, Access.FULL)], FULL),
        ([("theatre", FIRST, LAST, Access.FULL)], FULL),
        ([("old-line", date(2016, 1, 1), date(2016, 12, 31), Access.FULL)], FULL),
        ([("old-line", FIRST, LAST, Access.PARTIAL)], PARTIAL),
        ([("old-line", FIRST, LAST, Access.DENIED)], NONE),
        ([("old-line", FIRST, date(2016, 4, 29), Access.FULL)], PARTIAL),
        ([("old-north", FIRST, LAST, Access.FULL)], PARTIAL),
        ([("rear", FIRST, LAST, Access.FULL)], NONE),
        ([("old-line", date(2016, 3, 1), date(2016, 3, 31), Access.FULL)], NONE),
        ([("old-line", date(2016, 5, 1), date(2016, 5, 2), Access.FULL)], NONE),
        (
            [
                ("old-north", FIRST, LAST, Access.FULL),
                ("old-south", FIRST, LAST, Access.FULL),
            ],
            FULL,
        ),
        (
            [
                ("old-line", date(2016, 4, 11), LAST, Access.FULL),
                ("old-line", FIRST, date(2016, 4, 10), Access.FULL),
            ],
            FULL,
        ),
        (
            [
                ("old-line", FIRST, date(2016, 4, 10), Access.FULL),
                ("old-line", date(2016, 4, 12), LAST, Access.FULL),
            ],
            PARTIAL,
        ),
        (
            [
                ("old-line", FIRST, date(2016, 4, 10), Access.FULL),
                ("old-line", date(2016, 4, 11), LAST, Access.PARTIAL),
            ],
            PARTIAL,
        ),
        ([("not-known-any-more", FIRST, LAST, Access.FULL)], NONE),
    ],
)
def test_a_month_on_the_line_is_watched(
    spans: list[tuple[str, date, date, Access]], covered: Covered
) -> None:
    assert watch(*spans).of("old-line", FIRST, LAST) is covered


def test_no_place_is_watched_by_nobody() -> None:
    assert watch(("theatre", FIRST, LAST, Access.FULL)).of(None, FIRST, LAST) is NONE


def test_a_part_that_does_not_exist_yet_need_not_be_watched() -> None:
    spans = [(s, FIRST, LAST, Access.FULL) for s in ("old-line", "rear")]
    assert watch(*spans).of("theatre", FIRST, LAST) is FULL
    assert watch(*spans[:1]).of("theatre", FIRST, LAST) is PARTIAL


def test_days_begin_at_midnight_of_the_theatre() -> None:
    def of_april_first(start: datetime) -> Covered:
        day = Coverage("o", frozenset({"rear"}), start, start + timedelta(days=1), "", Access.FULL)
        return Watch([day], SECTORS, ZONE).of("rear", FIRST, FIRST)

    assert of_april_first(datetime(2016, 3, 31, 20, tzinfo=UTC)) is FULL
    assert of_april_first(datetime(2016, 4, 1, 0, tzinfo=UTC)) is PARTIAL
    assert of_april_first(datetime(2016, 4, 1, 20, tzinfo=UTC)) is NONE


@moderate
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["theatre", "old-line", "old-north", "old-south", "rear"]),
            st.integers(0, 7),
            st.integers(0, 7),
            st.sampled_from(Access),
        ),
        max_size=7,
    )
)
def test_full_means_that_every_day_of_every_part_is_watched(
    drawn: list[tuple[str, int, int, Access]],
) -> None:
    spans = [
        (sector, FIRST + timedelta(days=start), FIRST + timedelta(days=start + length), access)
        for sector, start, length, access in drawn
    ]
    first, last = FIRST, FIRST + timedelta(days=4)
    dates = [first + timedelta(days=i) for i in range(5)]

    def watched(part: str, day: date) -> bool:
        return any(
            access is Access.FULL and a <= day <= b and part in SECTORS.tree.branch(sector)
            for sector, a, b, access in spans
        )

    touched = any(
        access is not Access.DENIED
        and a <= last
        and b >= first
        and {"old-line", "theatre", "old-north", "old-south"} >= {sector}
        for sector, a, b, access in spans
    )
    # Who watches the line watches both of its sections.
    fully = all(watched("old-north", day) and watched("old-south", day) for day in dates)
    expected = FULL if fully else PARTIAL if touched else NONE
    assert watch(*spans).of("old-line", first, last) is expected
