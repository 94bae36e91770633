"""The one question that lists, aggregates, maps and exports are asked."""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.domain.periods import Grain
from service.domain.places import EARTH_RADIUS_KM, Point
from service.domain.vocabulary import Access, Status, Unit


class Clock(StrEnum):
    """Which time a question is about: when it happened, was said, or reached us."""

    EVENT = "event"
    REPORTED = "reported"
    RECEIVED = "received"


class Dimension(StrEnum):
    """By what an aggregate is split."""

    SECTOR = "sector"
    WEAPON = "weapon"
    CLAIMANT = "claimant"
    PARTY = "party"
    STATUS = "status"


# Dimensions in which one incident can appear in several rows.
OVERLAPPING = frozenset({Dimension.WEAPON, Dimension.CLAIMANT, Dimension.PARTY})


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """Degrees (WGS 84), in the order of RFC 7946: west, south, east, north."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, point: Point, km: float) -> "BoundingBox":
        """The least box that holds all within so many km of a point."""
        angle = km / EARTH_RADIUS_KM
        south = point.latitude - math.degrees(angle)
        north = point.latitude + math.degrees(angle)
        # Around a pole all longitudes are near.
        if south <= -90 or north >= 90:
            return cls(-180, max(-90.0, south), 180, min(90.0, north))
        # The circle is widest not at its middle but on the side of the pole.
        across = math.asin(math.sin(angle) / math.cos(math.radians(point.latitude)))
        sides = (point.longitude + math.degrees(side) for side in (-across, across))
        west, east = (_turned(side) for side in sides)
        return cls(west, south, east, north)


def _turned(longitude: float) -> float:
    """The same meridian from -180 to 180 degrees."""
    return (longitude + 180) % 360 - 180 if abs(longitude) > 180 else longitude


@dataclass(frozen=True, slots=True)
class CellFilter:
    """One cell of an aggregate: what links behind figures ask for."""

    grain: Grain
    bucket: str
    series: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Filters. All that are set must hold; `None` and empty do not restrict.

    `sector`, `weapon` select branches. `sector` may be `unlocated` (known only above `level`,
    at the node `within`), `weapon` and `party` may be `unstated`. `according_to` asks for one
    claimant's account alone, `counted` for what figures count. `weapon_exact` leaves out what is
    below the weapon. `sees` is the level of who asks, `own` their name: as long as nobody says
    who asks, only what is public answers.
    """

    first: date | None = None
    last: date | None = None
    clock: Clock = Clock.EVENT
    sector: str | None = None
    level: int = 1
    within: str | None = None
    place: str | None = None
    bbox: BoundingBox | None = None
    weapon: str | None = None
    weapon_exact: bool = False
    claimant: str | None = None
    party: str | None = None
    attributed_to: str | None = None
    status: Status | None = None
    contested: bool | None = None
    min_killed: int | None = None
    text: str | None = None
    according_to: str | None = None
    counted: bool | None = None
    cell: CellFilter | None = None
    oldest_first: bool = False
    sees: int = 0
    own: str | None = None


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """A question for sums: filters, a grain, and dimensions in the order of the rows."""

    filters: IncidentQuery
    grain: Grain
    by: tuple[Dimension, ...] = (Dimension.SECTOR,)
    series: str | None = None
    dense: bool = True


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """Filters of tallies and coverage: a span of local days that they touch, and a branch."""

    first: date | None = None
    last: date | None = None
    sector: str | None = None
    claimant: str | None = None
    attributed_to: str | None = None
    unit: Unit | None = None
    access: Access | None = None
