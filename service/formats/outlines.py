"""The outlines of land and countries around a theatre, made of Natural Earth's 1:10m countries.

They are read from TopoJSON (github.com/topojson/topojson-specification), in which neighbours share
the lines between them: each line is made simpler once, so that no gap opens between two countries.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from shapely import (
    LineString,
    MultiLineString,
    Polygon,
    STRtree,
    make_valid,
    set_precision,
    total_bounds,
    unary_union,
)
from shapely.geometry import box as rectangle
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

import service
from service.domain.queries import BoundingBox

BOUNDARIES: Final = "boundaries"
"""The id of the feature that holds the lines between countries."""

_COUNTRIES: Final = Path(service.__file__).parent / "page" / "base" / "countries-10m.json"
# How far the ground goes on around what is watched, as a share of its longer side: a screen is
# seldom of the shape of a theatre.
_MARGIN: Final = 0.5
# What no screen shows, as a share of the longer side.
_FINEST: Final = 1 / 2_000
_DIGITS: Final = 3
_THEATRES: Final = 8
_WORLD: Final = (-180.0, -90.0, 180.0, 90.0)

Json = dict[str, Any]


@lru_cache(_THEATRES)
def around(extent: BoundingBox | None) -> bytes:
    """A GeoJSON FeatureCollection (WGS 84) of what lies around an extent: each country with its
    ISO 3166-1 numeric code as `id`, where it has one, and last the lines between them as one
    feature. Its `bbox` is where the ground ends. Where no sector is drawn there is no extent, and
    nothing around it. Kept, since the file never changes."""
    if extent is None:
        return orjson.dumps({"type": "FeatureCollection", "features": []})
    return orjson.dumps(collection(orjson.loads(_COUNTRIES.read_bytes()), extent))


def collection(topology: Mapping[str, Any], extent: BoundingBox) -> Json:
    """The same of any topology with an object `countries`."""
    longer = max(extent.east - extent.west, extent.north - extent.south)
    ground = _ground(extent, longer * _MARGIN)
    lines = _Lines(topology, ground, longer * _FINEST)
    features = []
    sides: list[frozenset[int]] = []
    for country in topology["objects"]["countries"]["geometries"]:
        sides.append(lines.near(country))
        land = _rounded(_land(country, lines, ground))
        if not land.is_empty:
            code = {"id": country["id"]} if "id" in country else {}
            features.append({"type": "Feature", **code, **_drawn(land)})
    between = MultiLineString([lines.simpler(line).coords for line in _shared(sides)])
    boundaries = _rounded(between.intersection(ground))
    if not boundaries.is_empty:
        features.append({"type": "Feature", "id": BOUNDARIES, **_drawn(boundaries)})
    return {"type": "FeatureCollection", "bbox": list(ground.bounds), "features": features}


def _ground(extent: BoundingBox, margin: float) -> Polygon:
    west, south, east, north = _WORLD
    return rectangle(
        max(extent.west - margin, west),
        max(extent.south - margin, south),
        min(extent.east + margin, east),
        min(extent.north + margin, north),
    )


class _Lines:
    """The arcs of a topology in degrees, made simpler where they are asked for. In the file each
    position is told as how far it is from the one before, in steps of a grid."""

    def __init__(self, topology: Mapping[str, Any], ground: Polygon, tolerance: float) -> None:
        scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
        self._drawn = [
            LineString(np.cumsum(np.array(arc, dtype=float), axis=0) * scale + shift)
            for arc in topology["arcs"]
        ]
        self._near = frozenset(STRtree(self._drawn).query(ground).tolist())
        self._tolerance = tolerance

    def near(self, country: Mapping[str, Any]) -> frozenset[int]:
        """The arcs of a country that may touch the ground."""
        used = (arc for polygon in _polygons(country) for ring in polygon for arc in ring)
        return self._near & {arc if arc >= 0 else ~arc for arc in used}

    def bounds(self, ring: Iterable[int]) -> Polygon:
        """The box that holds a ring."""
        drawn = [self._drawn[arc if arc >= 0 else ~arc] for arc in ring]
        west, south, east, north = map(float, total_bounds(drawn))
        return rectangle(west, south, east, north)

    def simpler(self, arc: int) -> BaseGeometry:
        """An arc without what is finer than a screen shows, with the same ends."""
        return self._drawn[arc].simplify(self._tolerance, preserve_topology=False)

    def ring(self, arcs: Iterable[int]) -> list[tuple[float, ...]]:
        """The positions of a ring; `~n` stands for arc `n` the other way round."""
        made: list[tuple[float, ...]] = []
        for arc in arcs:
            line = list(self.simpler(arc if arc >= 0 else ~arc).coords)
            made.extend((line if arc >= 0 else line[::-1])[:-1])
        return made


def _land(country: Mapping[str, Any], lines: _Lines, ground: Polygon) -> BaseGeometry:
    """What a country has of the ground. What is too small to enclose anything is left out."""
    made = []
    for outer, *inner in _polygons(country):
        edge = lines.ring(outer) if lines.bounds(outer).intersects(ground) else []
        if _encloses(edge):
            holes = [ring for ring in map(lines.ring, inner) if _encloses(ring)]
            made.append(make_valid(Polygon(edge, holes)).intersection(ground))
    return unary_union(made)


def _encloses(ring: Sequence[tuple[float, ...]]) -> bool:
    return len({*ring}) > 2


def _polygons(country: Mapping[str, Any]) -> Sequence[Sequence[Sequence[int]]]:
    kind, arcs = country["type"], country.get("arcs", ())
    return [arcs] if kind == "Polygon" else arcs


def _shared(sides: Iterable[frozenset[int]]) -> list[int]:
    """The lines that more than one country has."""
    once: set[int] = set()
    more: set[int] = set()
    for lines in sides:
        more |= once & lines
        once |= lines
    return sorted(more)


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    return set_precision(geometry, 10**-_DIGITS)


def _drawn(geometry: BaseGeometry) -> Json:
    return {"properties": {}, "geometry": _whole(mapping(geometry))}


def _whole(geometry: Mapping[str, Any]) -> Json:
    """Positions as they are written: rounding leaves digits of its own behind."""
    if "geometries" in geometry:
        parts = [_whole(part) for part in geometry["geometries"]]
        return {"type": geometry["type"], "geometries": parts}
    return {"type": geometry["type"], "coordinates": _written(geometry["coordinates"])}


def _written(positions: Any) -> Any:
    if isinstance(positions, float):
        return round(positions, _DIGITS)
    return [_written(each) for each in positions]
