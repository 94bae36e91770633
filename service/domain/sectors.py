"""Sectors: areas in a tree, each valid for a span of time, some with a drawn outline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from shapely import Point as ShapelyPoint
from shapely import STRtree
from shapely.geometry import shape

from service.domain.places import Place, Point
from service.domain.trees import Tree
from service.domain.validity import Validity
from service.domain.vocabulary import Precision
from service.domain.when import When
from service.errors import Invalid


@dataclass(frozen=True, slots=True)
class Sector:
    """An area. `geometry` is a GeoJSON geometry (WGS 84) or `None` where none is known; `names` are
    those in other languages (ISO 639) than the one of `name`."""

    id: str
    name: str
    parent: str | None
    validity: Validity
    note: str | None = None
    geometry: Mapping[str, Any] | None = None
    geometry_precision: str | None = None
    geometry_source: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


_POSITIONS = 10_000
# How deep a point may be filed, by how finely it is known.
_DEEPEST = {
    Precision.EXACT: 99,
    Precision.SETTLEMENT: 99,
    Precision.DISTRICT: 1,
    Precision.SECTOR: 1,
    Precision.THEATRE: 0,
}


class Sectors:
    """The sector tree and its outlines. Raises `Invalid` where an outline cannot be read."""

    def __init__(self, sectors: Iterable[Sector]) -> None:
        self._by_id = {sector.id: sector for sector in sectors}
        self.tree = Tree({sector.id: sector.parent for sector in self._by_id.values()})
        drawn = [sector for sector in self._by_id.values() if sector.geometry]
        self._drawn: Sequence[str] = [sector.id for sector in drawn]
        self._known_around = lru_cache(_POSITIONS)(self._find_around)
        try:
            self._outlines = STRtree([shape(dict(sector.geometry or {})) for sector in drawn])
        except Exception as error:
            raise Invalid("has an outline that cannot be read", "sectors") from error

    def __contains__(self, sector: object) -> bool:
        return sector in self._by_id

    def __iter__(self) -> Iterator[Sector]:
        return iter(self._by_id.values())

    def get(self, sector: str) -> Sector | None:
        return self._by_id.get(sector)

    def valid(self, sector: str, when: When) -> bool:
        """Whether the sector exists all through `when`; an open side counts at its known end."""
        return self._by_id[sector].validity.covers(when.known_start, when.known_end)

    def in_force(self, sector: str, when: When) -> str | None:
        """The sector itself where it is valid, else its nearest ancestor that is."""
        for node in reversed(self.tree.path(sector)):
            if self.valid(node, when):
                return node
        return None

    def of_place(self, place: Place, when: When) -> str | None:
        """Where the gazetteer files a place at the time; across a change, the common ancestor."""
        matching = [
            span.sector
            for span in place.sectors
            if span.validity.overlaps(when.known_start, when.known_end)
        ]
        if matching:
            return self.tree.finest(matching)
        if place.latitude is not None and place.longitude is not None:
            return self.of_point(Point(place.latitude, place.longitude, place.precision), when)
        # Filed at other times only: what those sectors lie in still holds it.
        around = [self.in_force(span.sector, when) for span in place.sectors]
        return self.tree.finest([sector for sector in around if sector is not None])

    def of_point(self, point: Point, when: When) -> str | None:
        """The finest valid sector whose outline holds the point, as deep as its precision allows.

        Of several outlines at the same depth the nearest common ancestor is taken.
        """
        found = self._around(point.longitude, point.latitude)
        valid = [s for s in found if self.valid(s, when)]
        allowed = [s for s in valid if self.tree.depth(s) <= _DEEPEST[point.precision]]
        if not allowed:
            return None
        deepest = max(self.tree.depth(s) for s in allowed)
        return self.tree.finest(sorted(s for s in allowed if self.tree.depth(s) == deepest))

    def holds_point(self, point: Point) -> bool:
        """Whether any outline, of whatever time, holds the point; where none is drawn, nothing
        lies outside."""
        return not self._drawn or bool(self._around(point.longitude, point.latitude))

    def _around(self, longitude: float, latitude: float) -> Sequence[str]:
        """Sectors whose outlines hold a position. Many events lie at the same few positions."""
        return self._known_around(longitude, latitude) if self._drawn else ()

    def _find_around(self, longitude: float, latitude: float) -> Sequence[str]:
        point = ShapelyPoint(longitude, latitude)
        return [self._drawn[i] for i in self._outlines.query(point, predicate="intersects")]

    def at_level(self, level: int, first: date, last: date) -> list[str]:
        """Sectors at a depth that exist on some day of the span, in the reference data's order."""
        return [
            sector.id
            for sector in self._by_id.values()
            if self.tree.depth(sector.id) == level and sector.validity.overlaps(first, last)
        ]
