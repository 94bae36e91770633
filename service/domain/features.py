"""Features: what has a place and a time, as maps ask for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shapely import total_bounds
from shapely.geometry import box as rectangle
from shapely.geometry import shape

from service.domain.queries import BoundingBox
from service.domain.sectors import Sector

Geometry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """The least box and span of local days that hold a collection.

    `box` is `None` where nothing has a place; a side of the span where it is open.
    """

    box: BoundingBox | None = None
    first: date | None = None
    last: date | None = None


def select_sectors(
    sectors: Iterable[Sector], box: BoundingBox | None, first: date | None, last: date | None
) -> list[Sector]:
    """Sectors that exist on some day of a span and touch a box; what is not drawn may lie in it."""
    return [
        sector
        for sector in sectors
        if sector.validity.overlaps(first or date.min, last or date.max)
        and (box is None or sector.geometry is None or touches(sector.geometry, box))
    ]


def touches(geometry: Geometry, box: BoundingBox) -> bool:
    """Whether a GeoJSON geometry (WGS 84) has a position in common with a box."""
    west, east = box.west, box.east
    # Over the 180th meridian it is two, RFC 7946 section 5.2.
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    drawn = shape(dict(geometry))
    return any(drawn.intersects(rectangle(a, box.south, b, box.north)) for a, b in spans)


def extent_of(sectors: Iterable[Sector]) -> Extent:
    """What holds the outlines and the validities of all."""
    every = list(sectors)
    drawn = [shape(dict(sector.geometry)) for sector in every if sector.geometry]
    firsts = [sector.validity.first for sector in every]
    lasts = [sector.validity.last for sector in every]
    return Extent(
        BoundingBox(*map(float, total_bounds(drawn))) if drawn else None,
        min((day for day in firsts if day), default=None) if None not in firsts else None,
        max((day for day in lasts if day), default=None) if None not in lasts else None,
    )
