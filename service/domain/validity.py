"""Spans of days during which something counts: lines move, missions come and go."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """From the first to the last day, both included; `None` is unbounded."""

    first: date | None = None
    last: date | None = None

    def covers(self, first: date, last: date) -> bool:
        return (self.first is None or self.first <= first) and (
            self.last is None or last <= self.last
        )

    def overlaps(self, first: date, last: date) -> bool:
        return (self.first is None or self.first <= last) and (
            self.last is None or first <= self.last
        )

    def clip(self, first: date, last: date) -> tuple[date, date]:
        """The part of a span that overlaps."""
        return max(first, self.first or first), min(last, self.last or last)


@dataclass(frozen=True, slots=True)
class SectorSpan:
    """The sector that a place belongs to while the span lasts."""

    sector: str
    validity: Validity
