"""What answers about tallies and coverage look like."""

from typing import Final

from pydantic import Field

from service.api.shapes.common import ClaimedBounds, Page, Shape, Source, described
from service.domain.vocabulary import Access, Unit


class Tally(Shape):
    id: str
    claimant: str
    attributed_to: str | None
    sector: str | None
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    unit: Unit
    count: ClaimedBounds
    note: str | None
    sources: list[Source]
    unmapped: list[str]


class Coverage(Shape):
    id: str
    observer: str
    sectors: list[str]
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    means: str
    access: Access
    note: str | None
    unmapped: list[str]


class TalliesSideBySide(Shape):
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    unit: Unit
    sector: str | None
    claims: list[Tally]


class Tallies(Page):
    items: list[Tally]


class ComparedTallies(Page):
    items: list[TalliesSideBySide]


class CoverageList(Page):
    items: list[Coverage]


TALLY: Final = described(Tally, "The tally.")
LIST_OF_TALLIES: Final = described(Tallies, "A page of tallies.", exported=True)
COMPARED_TALLIES: Final = described(ComparedTallies, "Tallies side by side.", exported=True)
COVERAGE: Final = described(Coverage, "The coverage.")
LIST_OF_COVERAGE: Final = described(CoverageList, "A page of coverage.", exported=True)
