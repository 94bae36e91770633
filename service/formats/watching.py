"""Tallies and coverage as they are posted: what observers count, and what they watched."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from service.domain.figures import Figure
from service.domain.vocabulary import Access, Unit
from service.formats.reports import (
    Code,
    Count,
    CountIn,
    Identifier,
    Instant,
    LongText,
    SourceIn,
    Strict,
    instant_of,
)


class SpanIn(Strict):
    """A half-open span of time, from the first instant up to the second."""

    start: Instant = Field(alias="from")
    end: Instant = Field(alias="to")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if instant_of(self.start) >= instant_of(self.end):
            raise ValueError("must end after it starts")
        return self

    def posted(self) -> dict[str, Any]:
        """What was sent, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)


class TallyIn(SpanIn):
    """A claimant's count over a span: "violated the ceasefire 45 times". Never summed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "claimant": "azerbaijan-mod",
                    "from": "2019-03-17T00:00+04:00",
                    "to": "2019-03-24T00:00+04:00",
                    "unit": "violations",
                    "count": 182,
                    "sector": "line-of-contact",
                    "attributed_to": "armenia",
                    "sources": [{"title": "Weekly bulletin", "published": "2019-03-24"}],
                },
                {
                    "claimant": "nk-de-facto-authorities",
                    "from": "2019-03-17T00:00+04:00",
                    "to": "2019-03-24T00:00+04:00",
                    "unit": "violations",
                    "count": {"words": "about 180"},
                    "sector": "line-of-contact",
                    "attributed_to": "azerbaijan",
                },
            ]
        }
    )

    id: Identifier | None = None
    claimant: Code
    unit: Annotated[Unit, Field(strict=False)]
    count: Count
    sector: Code | None = None
    attributed_to: Code | None = None
    note: LongText | None = None
    sources: list[SourceIn] = Field(default_factory=list, max_length=50)

    def figure(self) -> Figure | None:
        """`None` where the words given carry no bound."""
        if isinstance(self.count, CountIn):
            return self.count.figure()
        return Figure.exactly(self.count)


class CoverageIn(SpanIn):
    """Who watched which sectors, when, by what means, with what access."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "observer": "russian-peacekeepers",
                    "sectors": ["line-of-separation", "lachin-corridor"],
                    "from": "2022-08-01T00:00+04:00",
                    "to": "2022-08-08T00:00+04:00",
                    "means": "observation posts",
                    "access": "partial",
                    "note": "Posts along the road only.",
                }
            ]
        }
    )

    id: Identifier | None = None
    observer: Code
    sectors: list[Code] = Field(min_length=1, max_length=100)
    means: Code
    access: Annotated[Access, Field(strict=False)]
    note: LongText | None = None
