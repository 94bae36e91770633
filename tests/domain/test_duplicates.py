"""A hint for people: close in time, in nested sectors, with nothing against it."""

import pytest

from service.domain.duplicates import Trace, possible_duplicates
from tests.domain.make import SECTORS, when


def trace(
    at: str = "2016-04-02", sector: str | None = "old-line", *weapons: str, name: str = "other"
) -> Trace:
    return Trace(name, when(at), sector, frozenset(weapons))


NEW = trace("2016-04-02", "old-line", "mortar", name="new")


@pytest.mark.parametrize(
    ("other", "hint"),
    [
        (trace(), True),
        (trace("[2016-04-01..2016-04-03]"), True),
        (trace(sector="old-north"), True),
        (trace("2016-04-02", "old-line", "mortar", "mine"), True),
        (trace("2016-04-02", "old-line", "mine"), False),
        (trace("2016-04-03"), False),
        (trace("2016-04"), False),
        (trace("[..2016-04-02]"), False),
        (trace("[2016-04-02..]"), False),
        (trace(sector="rear"), False),
        (trace(sector="theatre"), False),
        (trace(sector=None), False),
        (trace(name="new"), False),
    ],
)
def test_only_what_may_be_the_same_event_is_hinted_at(other: Trace, hint: bool) -> None:
    assert possible_duplicates(NEW, [other], SECTORS) == (["other"] if hint else [])


def test_two_monitors_who_noted_other_minutes_of_one_day_may_speak_of_the_same_event() -> None:
    first, second = trace("2016-04-02T10:00Z", name="new"), trace("2016-04-02T10:05Z")
    assert possible_duplicates(first, [second], SECTORS) == ["other"]


def test_a_new_report_known_only_to_the_theatre_or_the_month_hints_at_nothing() -> None:
    for new in (trace(sector="theatre"), trace(sector=None), trace("2016-04")):
        assert possible_duplicates(new, [trace(name="x")], SECTORS) == []
