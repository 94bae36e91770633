"""What answers about reference data look like."""

from datetime import date
from typing import Any, Final, Literal

from service.api.shapes.common import Described, Page, Shape, described
from service.formats.features import GEOJSON


class Entries(Page):
    items: list[dict[str, Any]]


class TheatreAnswer(Shape):
    id: str
    name: str
    """In the first of `languages`."""
    names: dict[str, str] | None
    """In the others, by language (ISO 639)."""
    timezone: str
    """Of all days and times that name no other, by the IANA."""
    languages: list[str]
    """ISO 639, in the order in which they are offered."""
    monitored_from: date
    """The first day that can hold a violation."""
    licence: str | None
    """The address of the licence that the data are given out under."""


class Outlines(Shape):
    type: Literal["FeatureCollection"]
    bbox: list[float] | None = None
    """Where the ground ends: west, south, east, north. Left out where no sector is drawn."""
    features: list[dict[str, Any]]
    """The `id` of each is an ISO 3166-1 numeric code, `boundaries`, or left out."""


LIST_OF_ENTRIES: Final = described(Entries, "All entries.", exported=True)
THEATRE: Final = described(TheatreAnswer, "The theatre.")
OUTLINES: Final[Described] = {
    "description": "What lies around the theatre.",
    "content": {GEOJSON: {"schema": Outlines.model_json_schema()}},
}
