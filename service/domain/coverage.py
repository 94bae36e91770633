"""Who watched which sectors, when: it decides between zero and unknown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from service.domain.sectors import Sectors
from service.domain.vocabulary import Access


@dataclass(frozen=True, slots=True)
class Coverage:
    """One observer's watch over sectors during [start, end), both instants in UTC."""

    observer: str
    sectors: frozenset[str]
    start: datetime
    end: datetime
    means: str
    access: Access
    note: str | None = None


class Covered(StrEnum):
    """How much of a cell was watched."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Watch:
    """All coverage, asked cell by cell."""

    def __init__(self, coverage: Iterable[Coverage], sectors: Sectors, zone: tzinfo) -> None:
        self._coverage = [c for c in coverage if c.access is not Access.DENIED]
        self._sectors = sectors
        self._zone = zone
        # A table asks of each sector for all its periods, and of each period for all its sectors.
        self._of_sectors: dict[str, Sequence[Coverage]] = {}
        self._of_days: dict[tuple[date, date], tuple[datetime, datetime]] = {}

    def of(self, sector: str | None, first: date, last: date) -> Covered:
        """How much of the local days `first`–`last` in a sector was watched.

        Full needs every moment in the sector, or in each of its parts, to lie in somebody's
        full access; any watch that touches the cell makes it partial. `None` is no place at all.
        """
        if sector is None:
            return Covered.NONE
        if not self._coverage:
            return Covered.NONE
        start, end = self._instants(first, last)
        touching = [c for c in self._about(sector) if c.start < end and c.end > start]
        if not touching:
            return Covered.NONE
        full = [c for c in touching if c.access is Access.FULL]
        if full and self._fully(sector, first, last, full):
            return Covered.FULL
        return Covered.PARTIAL

    def _fully(self, sector: str, first: date, last: date, full: Sequence[Coverage]) -> bool:
        """Nobody need have watched a sector before it existed, or after."""
        known = self._sectors.get(sector)
        if known is not None and known.validity.overlaps(first, last):
            first, last = known.validity.clip(first, last)
        above = [
            c for c in full if any(self._sectors.tree.holds(s, sector) for s in self._known(c))
        ]
        if _joined(above, *self._instants(first, last)):
            return True
        parts = [
            child
            for child in self._sectors.tree.children(sector)
            if (known := self._sectors.get(child)) and known.validity.overlaps(first, last)
        ]
        return bool(parts) and all(self._fully(part, first, last, full) for part in parts)

    def _about(self, sector: str) -> Sequence[Coverage]:
        """Who watched it, a part of it, or what it is part of."""
        if sector not in self._of_sectors:
            branch, tree = self._sectors.tree.branch(sector), self._sectors.tree
            self._of_sectors[sector] = [
                c
                for c in self._coverage
                if any(s in branch or tree.holds(s, sector) for s in self._known(c))
            ]
        return self._of_sectors[sector]

    def _known(self, coverage: Coverage) -> Iterable[str]:
        return (s for s in coverage.sectors if s in self._sectors)

    def _instants(self, first: date, last: date) -> tuple[datetime, datetime]:
        """From the first midnight up to the one that ends the last day."""
        days = first, last
        if days not in self._of_days:
            after = last + timedelta(days=1)
            self._of_days[days] = (
                datetime.combine(first, time(), self._zone).astimezone(UTC),
                datetime.combine(after, time(), self._zone).astimezone(UTC),
            )
        return self._of_days[days]


def _joined(coverage: Iterable[Coverage], start: datetime, end: datetime) -> bool:
    """Whether the spans together leave no gap between `start` and `end`."""
    reached = start
    for span in sorted(coverage, key=lambda c: c.start):
        if span.start > reached:
            break
        reached = max(reached, span.end)
    return reached >= end
