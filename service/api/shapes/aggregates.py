"""What sums look like."""

from typing import Final

from pydantic import Field

from service.api.shapes.common import Bounds, Shape, described
from service.domain.coverage import Covered
from service.domain.queries import Clock
from service.domain.vocabulary import Status


class Summed(Bounds):
    open: int
    """Incidents whose count has no upper bound."""
    unknown: int
    """Incidents of which nobody gave a count."""


class SummedFigures(Shape):
    killed: Summed
    wounded: Summed
    missing: Summed
    captured: Summed


class Counts(Shape):
    incidents: int | None
    """`null`: nothing recorded, and nobody watched throughout."""
    episodes: int | None
    reports: int | None
    possible_duplicates: int | None
    """Incidents that may be events counted elsewhere already."""
    figures: SummedFigures
    remainder: bool
    """Holds what an episode counts beyond its parts."""
    coverage: Covered | None
    incidents_url: str


class Cell(Counts):
    period: str
    """A bucket's key, `spanning` or `outside`."""
    start: str | None
    end: str | None
    sector: str | None = None
    within: str | None = None
    weapon: str | None = None
    claimant: str | None = None
    party: str | None = None
    status: Status | None = None


class AsOf(Shape):
    asked: str
    changes: int
    """How many changes of the ledger the answer knows."""


class InLots(Shape):
    included: int
    """Incidents that the reader is not shown and that the sums count, always whole lots."""
    lot: int
    """So many at least are told of together; whether any are left over is not said."""


class Aggregates(Shape):
    period: str
    series: str | None
    by: list[str]
    level: int
    clock: Clock
    as_of: AsOf | None
    restricted: InLots | None
    """With `include=restricted`, for those who are not shown everything."""
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    additive: bool
    """Whether the cells add up to the total; by weapon, claimant or party they may overlap."""
    total: Counts
    cells: list[Cell]


AGGREGATES: Final = described(Aggregates, "Cells and their total.", exported=True)
