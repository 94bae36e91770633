"""What answers about features look like."""

from typing import Any, Final, Literal

from service.api.shapes.common import Described, Shape, described, refusals
from service.formats.features import GEOJSON, OPENAPI, SCHEMA


class Link(Shape):
    href: str
    rel: str
    type: str
    title: str | None = None


class LandingPage(Shape):
    title: str
    description: str
    links: list[Link]


class Conformance(Shape):
    conformsTo: list[str]  # noqa: N815
    """Conformance classes, by their URI."""


class SpatialExtent(Shape):
    bbox: list[list[float]]
    """West, south, east, north."""
    crs: str


class TemporalExtent(Shape):
    interval: list[list[str | None]]
    """`null` where it is open."""


class CollectionExtent(Shape):
    spatial: SpatialExtent | None = None
    temporal: TemporalExtent


class Collection(Shape):
    id: str
    title: str
    description: str
    links: list[Link]
    extent: CollectionExtent
    itemType: Literal["feature"]  # noqa: N815
    crs: list[str]


class Collections(Shape):
    links: list[Link]
    collections: list[Collection]


class Feature(Shape):
    """RFC 7946."""

    type: Literal["Feature"]
    id: str
    geometry: dict[str, Any] | None
    """`null` where no position is known or may be shown."""
    properties: dict[str, Any]


class LinkedFeature(Feature):
    links: list[Link]


class FeatureCollection(Shape):
    type: Literal["FeatureCollection"]
    numberMatched: int | None = None  # noqa: N815
    """On all pages; left out where there are more than ten thousand."""
    numberReturned: int  # noqa: N815
    links: list[Link]
    """`next` leads to the next page."""
    features: list[Feature]


def _whole(model: type[Shape]) -> dict[str, Any]:
    """A schema in its place: the framework refers to models in answers of plain JSON only."""
    schema = model.model_json_schema()
    whole: dict[str, Any] = _resolved(schema, schema.pop("$defs", {}))
    return whole


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {name: _resolved(part, definitions) for name, part in schema.items()}
    if isinstance(schema, list):
        return [_resolved(part, definitions) for part in schema]
    return schema


def _as_geojson(model: type[Shape], description: str) -> Described:
    return {"description": description, "content": {GEOJSON: {"schema": _whole(model)}}}


LANDING_PAGE: Final = described(LandingPage, "Links to all there is.")
CONFORMANCE: Final = described(Conformance, "The conformance classes.")
COLLECTIONS: Final = described(Collections, "The collections.")
COLLECTION: Final = described(Collection, "The collection.")
FEATURES: Final = _as_geojson(FeatureCollection, "A page of features.")
FEATURE: Final = _as_geojson(LinkedFeature, "The feature.")
MERGED: Final[Described] = {"description": "It is told as part of another incident now."}
SCHEMA_OF_FEATURES: Final[Described] = {
    "description": "A JSON Schema.",
    "content": {SCHEMA: {"schema": {"type": "object"}}},
}
SERVICE_DESCRIPTION: Final[Described] = {
    "description": "The description, as OpenAPI 3.1.",
    "content": {OPENAPI: {"schema": {"type": "object"}}},
}
# Wrong parameters are 400 in this standard, so that no route has the 422 of all others.
ANY_REFUSAL: Final[dict[int | str, Described]] = {
    "default": {**refusals(400)[400], "description": "Any other refusal."}
}
