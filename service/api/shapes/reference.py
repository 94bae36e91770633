"""What answers about reference data look like."""

from datetime import date
from typing import Any, Final

from service.api.shapes.common import Page, Shape, described


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


LIST_OF_ENTRIES: Final = described(Entries, "All entries.", exported=True)
THEATRE: Final = described(TheatreAnswer, "The theatre.")
