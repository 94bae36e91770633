"""Days of another time zone than the theatre's."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from service.domain.theatre import Theatre
from service.domain.when import When

_SHORTEST = timedelta(microseconds=1)


def days_in(when: When, zone: ZoneInfo, theatre: Theatre) -> When:
    """The same time in days of a zone: what is known to an instant lies on the day it has there,
    what is known to days of the theatre touches every day there that these touch."""
    start, end = when.start, when.end
    if start is not None:
        first = when.earliest or theatre.start_of_day(start)
        start = first.astimezone(zone).date()
    if end is not None:
        last = when.latest or theatre.start_of_day(end + timedelta(days=1)) - _SHORTEST
        end = last.astimezone(zone).date()
    return replace(when, start=start, end=end)
