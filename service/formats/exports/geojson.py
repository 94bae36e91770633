"""GeoJSON (RFC 7946): a collection of features, with what it is as members of its own."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from shapely import MultiPolygon, Polygon, get_num_coordinates
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import unary_union

from service.domain.theatre import Theatre
from service.domain.vocabulary import Precision
from service.formats.exports.columns import Json
from service.formats.exports.writing import Content, Geometry, Sink

# What is known no finer than this has no place on a map: a dot would make one up.
_NO_POINT: Final = frozenset({Precision.SECTOR, Precision.THEATRE})
_MEMBERS: Final = {"type", "features", "bbox"}


class GeoJson:
    """Longitude and latitude in degrees (WGS 84), outer rings counterclockwise, `geometry` null
    where no position is published."""

    media = "application/geo+json"
    suffix = "geojson"
    whole = False
    tagged = False

    def write(self, sink: Sink, content: Content) -> None:
        head = {"type": "FeatureCollection", "name": content.subject.name, **content.about.told()}
        sink.write(orjson.dumps(head)[:-1] + b',"features":[')
        names = [column.name for column in content.subject.fields]
        extent = _Extent()
        before = b"\n"
        for items in content.chunks:
            features = []
            for item in items:
                geometry = content.subject.geometry(item)
                extent.add(geometry)
                properties = dict(zip(names, content.subject.record(item), strict=True))
                features.append(_feature(item.get("id"), geometry, properties))
            if features:
                sink.write(before + b",\n".join(features))
                before = b",\n"
        box = f',"bbox":{orjson.dumps(extent.box).decode()}' if extent.box else ""
        sink.write(f"\n]{box}}}\n".encode())


def _feature(item: Any, geometry: Geometry | None, properties: Mapping[str, Any]) -> bytes:
    named = {} if item is None else {"id": item}
    return orjson.dumps(
        {"type": "Feature", **named, "geometry": geometry, "properties": properties}
    )


class _Extent:
    """The least box around geometries: west, south, east, north."""

    def __init__(self) -> None:
        self.box: list[float] = []
        self._known: dict[int, tuple[Geometry, list[float]]] = {}

    def add(self, geometry: Geometry | None) -> None:
        if geometry is None:
            return
        if geometry["type"] == "Point":
            longitude, latitude = geometry["coordinates"]
            west, south, east, north = longitude, latitude, longitude, latitude
        else:
            # Areas are few and the same ones come again; kept, so that no other gets the same id.
            known = self._known.get(id(geometry))
            if known is None:
                known = self._known[id(geometry)] = geometry, [*shape(geometry).bounds]
            west, south, east, north = known[1]
        box = self.box or [west, south, east, north]
        self.box = [
            *(min(box[0], west), min(box[1], south)),
            *(max(box[2], east), max(box[3], north)),
        ]


def point_of(point: Json | None) -> Geometry | None:
    """Of a published position (`lat`, `lon`, `precision`), where it is one."""
    if not point or point["lat"] is None or point["lon"] is None:
        return None
    if point["precision"] in _NO_POINT:
        return None
    return {"type": "Point", "coordinates": [point["lon"], point["lat"]]}


class Areas:
    """The outlines of a theatre's sectors, as RFC 7946 wants them."""

    def __init__(self, theatre: Theatre) -> None:
        self._sectors = theatre.sectors
        self._known: dict[tuple[str, ...], Geometry | None] = {}

    def of(self, *sectors: str | None) -> Geometry | None:
        """The area of one or several sectors; `None` where one of them has no outline."""
        names = tuple(sorted({sector or "" for sector in sectors}))
        if names not in self._known:
            self._known[names] = self._made(names)
        return self._known[names]

    def _made(self, names: tuple[str, ...]) -> Geometry | None:
        found = [sector.geometry if (sector := self._sectors.get(n)) else None for n in names]
        outlines = [shape(dict(geometry)) for geometry in found if geometry]
        if not outlines or len(outlines) < len(found):
            return None
        return drawn(outlines[0] if len(outlines) == 1 else unary_union(outlines))


def drawn(outline: BaseGeometry) -> Geometry | None:
    """A geometry whose rings follow the right-hand rule."""
    if not get_num_coordinates(outline):
        return None
    if isinstance(outline, Polygon):
        outline = orient(outline)
    elif isinstance(outline, MultiPolygon):
        outline = MultiPolygon([orient(part) for part in outline.geoms])
    found: Geometry = orjson.loads(orjson.dumps(mapping(outline)))
    return found
