"""What lists of reference data look like."""

from typing import Any, Final

from service.api.shapes.common import Page, described


class Entries(Page):
    items: list[dict[str, Any]]


LIST_OF_ENTRIES: Final = described(Entries, "All entries.", exported=True)
