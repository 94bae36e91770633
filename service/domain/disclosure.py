"""What of a report may be published: to whom, from when, and how exactly where.

A position is snapped, never jittered: drawn anew, noise would average out over many readings.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from service.domain.access import Role, Visibility
from service.domain.places import Gazetteer, Place, Point, distance_km
from service.domain.vocabulary import Precision

# A tenth of a degree is 11 km from north to south, at 40 degrees north 8.5 km from east to west.
GRID_DEGREES: Final = 0.1
# Further away a settlement would stand for a place it does not describe; the grid takes over.
FARTHEST_SETTLEMENT_KM: Final = 15.0
# In sums over what fewer may see, nothing is told of fewer incidents than these.
SMALLEST_LOT: Final = 3

Hidden = TypeVar("Hidden")


class PlaceShown(StrEnum):
    """How exactly a position is published, most exactly first."""

    EXACT = "exact"
    SETTLEMENT = "settlement"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What is decided about showing a report; under an embargo only reviewers see it."""

    visibility: Visibility = Visibility.PUBLIC
    embargo: datetime | None = None
    place: PlaceShown = PlaceShown.EXACT

    @property
    def level(self) -> int:
        """The least level of a reader who is shown the report now."""
        return (Visibility.RESTRICTED if self.embargo else self.visibility).level

    def and_also(self, other: "Disclosure") -> "Disclosure":
        """What both allow."""
        shown = list(PlaceShown)
        return Disclosure(
            max(self.visibility, other.visibility, key=lambda v: v.level),
            self.embargo or other.embargo,
            max(self.place, other.place, key=shown.index),
        )


def default_for(role: Role) -> Disclosure:
    """What holds for reports of a role that say nothing of it themselves.

    Where a monitor saw something is where a monitor was.
    """
    if role is Role.MONITOR:
        return Disclosure(Visibility.PARTNERS, None, PlaceShown.SETTLEMENT)
    return Disclosure()


def published(
    point: Point | None, place: Place | None, shown: PlaceShown, gazetteer: Gazetteer
) -> tuple[Point | None, Place | None]:
    """Position and place as they may be shown. Always the same for the same position."""
    if shown is PlaceShown.EXACT:
        return point, place
    if point is None:
        return None, place if shown is PlaceShown.SETTLEMENT else None
    nearest = _settlement(point, place, gazetteer) if shown is PlaceShown.SETTLEMENT else None
    return nearest or (_cell(point), None)


def _settlement(
    point: Point, place: Place | None, gazetteer: Gazetteer
) -> tuple[Point, Place] | None:
    located = [
        (distance_km(point, Point(p.latitude, p.longitude)), p.id, p)
        for p in (
            [place] if place is not None else gazetteer.level_with(point, FARTHEST_SETTLEMENT_KM)
        )
        if p.latitude is not None and p.longitude is not None
    ]
    if not located:
        return None
    distance, _, nearest = min(located, key=lambda found: found[:2])
    if distance > FARTHEST_SETTLEMENT_KM or nearest.latitude is None or nearest.longitude is None:
        return None
    return Point(nearest.latitude, nearest.longitude, _no_finer(nearest.precision)), nearest


def _no_finer(precision: Precision) -> Precision:
    known = list(Precision)
    return max(precision, Precision.SETTLEMENT, key=known.index)


def _cell(point: Point) -> Point:
    """The middle of the grid cell that holds the point."""

    def middle(degrees: float, limit: float) -> float:
        # Rounded first, so that 45.7 lies in one cell whatever its binary fraction.
        cell = math.floor(round(degrees / GRID_DEGREES, 9))
        return max(-limit, min(limit, round((cell + 0.5) * GRID_DEGREES, 6)))

    return Point(middle(point.latitude, 90), middle(point.longitude, 180), Precision.DISTRICT)


def in_standing_lots(
    places: Mapping[str, Sequence[Hidden]],
    hidden: Mapping[Hidden, str],
    smallest: int = SMALLEST_LOT,
) -> Iterable[Hidden]:
    """What of hidden things, by the cell they lie in, may enter sums that others see.

    Whole lots only, and a cell's last incomplete lot is left out of every sum: so no difference of
    two sums, however they are cut along cells, tells of fewer than a lot. Each cell's things come
    in the order they became known, so that a lot once told stays the same.

    `places` holds by cell all that ever were hidden, for good; `hidden` says of what is hidden now
    how it enters a sum, since a lot of which one enters otherwise tells of that one. Who leaves
    keeps its place, and its lot is told no longer: if the others moved up instead, the sum would
    grow by exactly the one that completes the lot.
    """
    for things in places.values():
        for lot in _lots(things, smallest):
            ways = {hidden.get(thing) for thing in lot}
            if len(ways) == 1 and None not in ways:
                yield from lot


def _lots(things: Sequence[Hidden], smallest: int) -> Iterable[Sequence[Hidden]]:
    whole = len(things) // smallest * smallest
    return (things[at : at + smallest] for at in range(0, whole, smallest))
