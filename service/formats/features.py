"""OGC API – Features, Part 1 (OGC 17-069r4): its documents in JSON, and features in GeoJSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from service.domain.features import Extent
from service.domain.sectors import Sector
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome

Json = dict[str, Any]

GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.1"
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMANCE: Final = (
    # Not `oas30`: the description is one of OpenAPI 3.1.
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "incidents": (
        "Incidents",
        "Incidents as all their reports tell them; without geometry where no point is published.",
    ),
    "sectors": (
        "Sectors",
        "The tree of areas with their validity, and their outlines where these are known.",
    ),
}
"""Title and description of every collection."""

SCHEMA: Final = "application/schema+json"

# Plain types, as clients of features know no others: what is unknown is null beside them. Days and
# instants are text, since GDAL takes every comparison with a date for the parameter `datetime`,
# which selects whatever overlaps.
_TEXT: Final[Json] = {"type": "string"}
_COUNT: Final[Json] = {"type": "integer"}
_YES_OR_NO: Final[Json] = {"type": "boolean"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
_INCIDENT: Final[Mapping[str, Json]] = {
    "title": _TEXT,
    "when": _TEXT,
    "start": _TEXT,
    "end": _TEXT,
    "earliest": _TEXT,
    "latest": _TEXT,
    "precision": _TEXT,
    "lasted": _YES_OR_NO,
    "sector": _TEXT,
    "status": _TEXT,
    "contested": _YES_OR_NO,
    "possible_duplicate": _YES_OR_NO,
    "counted": _YES_OR_NO,
    "reason": _TEXT,
    "episode": _YES_OR_NO,
    "part_of": _TEXT,
    "reports": _COUNT,
    "weapons": _TEXTS,
    "first_reported": _TEXT,
    "note": _TEXT,
}
_FIGURE: Final[Mapping[str, Json]] = {
    "low": _COUNT,
    "best": _COUNT,
    "high": _COUNT,
    "status": _TEXT,
}
_SECTOR: Final[Mapping[str, Json]] = {
    "name": _TEXT,
    "names": _TEXT,
    "parent": _TEXT,
    "level": _COUNT,
    "valid_from": _TEXT,
    "valid_to": _TEXT,
    "note": _TEXT,
    "geometry_precision": _TEXT,
    "geometry_source": _TEXT,
}
_PROPERTIES: Final[Mapping[str, Mapping[str, Json]]] = {
    "incidents": {
        **_INCIDENT,
        "point_precision": _TEXT,
        **{f"{o}_{part}": kind for o in Outcome for part, kind in _FIGURE.items()},
    },
    "sectors": _SECTOR,
}


def link(href: str, rel: str, media: str, title: str | None = None) -> Json:
    named = {"title": title} if title else {}
    return {"href": href, "rel": rel, "type": media, **named}


def landing_page(theatre: Theatre, root: str, description: str) -> Json:
    """Where everything starts. `root` is its own URL, `description` that of the page for people."""
    return {
        "title": theatre.name,
        "description": "Ceasefire incidents and sectors as features.",
        "links": [
            link(root, "self", JSON, "This document"),
            link(f"{root}/api", "service-desc", OPENAPI, "The description of the service"),
            link(description, "service-doc", "text/html", "The same for people"),
            link(f"{root}/conformance", "conformance", JSON, "What it conforms to"),
            link(f"{root}/collections", "data", JSON, "The collections"),
        ],
    }


def collections(every: Iterable[Json], root: str) -> Json:
    return {
        "links": [link(f"{root}/collections", "self", JSON, "This document")],
        "collections": list(every),
    }


def collection(name: str, extent: Extent, theatre: Theatre, root: str) -> Json:
    """What is said of a collection; its days become the instants that they begin and end at."""
    title, description = TITLES[name]
    here = f"{root}/collections/{name}"
    first = theatre.start_of_day(extent.first) if extent.first else None
    last = theatre.start_of_day(extent.last + timedelta(days=1)) if extent.last else None
    until = last - timedelta(seconds=1) if last else None
    interval = [_instant(each) if each else None for each in (first, until)]
    said: Json = {"temporal": {"interval": [interval]}}
    if box := extent.box:
        said["spatial"] = {"bbox": [[box.west, box.south, box.east, box.north]], "crs": CRS84}
    return {
        "id": name,
        "title": title,
        "description": description,
        "links": [
            link(here, "self", JSON, "This document"),
            link(f"{here}/items", "items", GEOJSON, title),
            link(f"{here}/schema", "describedby", SCHEMA, "What is said of each"),
        ],
        "extent": said,
        "itemType": "feature",
        "crs": [CRS84],
    }


def schema(name: str, root: str) -> Json:
    """The types of the properties of a collection's features, where they are not null: from a page
    on which nobody gives a figure, no client can tell that it would be a number."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{root}/collections/{name}/schema",
        "title": TITLES[name][0],
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": "Feature"},
            "id": {"type": "string"},
            "geometry": {"type": "object"},
            "properties": {"type": "object", "properties": dict(_PROPERTIES[name])},
        },
    }


def feature_collection(
    features: Sequence[Json], links: Sequence[Json], matched: int | None
) -> Json:
    """A page of features; `matched` is how many there are on all pages, where that is known.

    Without a `timeStamp`, which the standard leaves open: the same page is the same bytes.
    """
    counted = {} if matched is None else {"numberMatched": matched}
    return {
        "type": "FeatureCollection",
        **counted,
        "numberReturned": len(features),
        "links": links,
        "features": features,
    }


def incident_feature(view: Mapping[str, Any]) -> Json:
    """An incident, as its reader is shown it, with a position where one is published."""
    point = view["point"]
    return {
        "type": "Feature",
        "id": view["id"],
        "geometry": (
            {"type": "Point", "coordinates": [point["lon"], point["lat"]]} if point else None
        ),
        "properties": {
            **{name: view[name] for name in _INCIDENT},
            "point_precision": point["precision"] if point else None,
            **{
                f"{outcome}_{part}": (view["figures"][outcome] or {}).get(part)
                for outcome in Outcome
                for part in _FIGURE
            },
        },
    }


def sector_feature(sector: Sector, level: int) -> Json:
    """A sector; `level` is its depth in the tree."""
    first, last = sector.validity.first, sector.validity.last
    return {
        "type": "Feature",
        "id": sector.id,
        "geometry": sector.geometry,
        "properties": {
            "name": sector.name,
            # Clients of features know no objects in their properties.
            "names": orjson.dumps(sector.names).decode() if sector.names else None,
            "parent": sector.parent,
            "level": level,
            "valid_from": first.isoformat() if first else None,
            "valid_to": last.isoformat() if last else None,
            "note": sector.note,
            "geometry_precision": sector.geometry_precision,
            "geometry_source": sector.geometry_source,
        },
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
