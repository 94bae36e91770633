"""The one question that lists, aggregates, maps and exports are asked."""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from service.domain.periods import Grain
from service.domain.places import EARTH_RADIUS_KM, Point
from service.domain.vocabulary import Access, Precision, Status, Unit
from service.domain.when import TimePrecision


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


class Compare(StrEnum):
    """With which earlier days a row is compared."""

    PREVIOUS = "previous"
    YEAR_BEFORE = "year_before"


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
    claimant's account alone, `untold_by` for what another tells nothing of that counts, `counted`
    for what figures count. `weapon_exact` leaves out what is below the weapon. `time_precision` and
    `place_precision` ask for what is known at least so finely. With `zone`, days are those of
    another time zone than the theatre's. `sees` is the level of who asks, `own` their name: as
    long as nobody says who asks, only what is public answers.
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
    untold_by: str | None = None
    time_precision: TimePrecision | None = None
    place_precision: Precision | None = None
    zone: ZoneInfo | None = None
    counted: bool | None = None
    cell: CellFilter | None = None
    oldest_first: bool = False
    sees: int = 0
    own: str | None = None


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """A question for sums: filters, a grain, and dimensions in the order of the rows.

    A row counts its bucket or, with `window`, the so many buckets that end with it or, with
    `since` (the day of the agreement `running`), all days from that one on. With `complete_on`
    only buckets have rows that are whole and ended before that day.
    """

    filters: IncidentQuery
    grain: Grain
    by: tuple[Dimension, ...] = (Dimension.SECTOR,)
    series: str | None = None
    dense: bool = True
    window: int | None = None
    running: str | None = None
    since: date | None = None
    compare: Compare | None = None
    complete_on: date | None = None

    @property
    def moves(self) -> bool:
        """Whether the days of one row may be days of another."""
        return self.window is not None or self.since is not None


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
