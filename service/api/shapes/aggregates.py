"""What sums look like."""

from typing import Final

from pydantic import Field

from service.api.shapes.common import Bounds, Shape, described
from service.domain.comparisons import Reason
from service.domain.coverage import Covered
from service.domain.queries import Clock, Compare
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
    incidents_url: str | None
    """`null` where no list shows just these: `spanning` where rows overlap, `incomplete`, and
    totals of days of another time zone."""


class Between(Bounds):
    """From `low` to `high`; `null` leaves a side open."""

    unknown: int
    """Incidents of which nobody gave a count, on both sides together."""


class ChangedFigures(Shape):
    killed: Between
    wounded: Between
    missing: Between
    captured: Between


class Change(Shape):
    """By how much one row differs from another; `null` where one of them is not known."""

    incidents: int | None
    episodes: int | None
    reports: int | None
    possible_duplicates: int | None
    figures: ChangedFigures
    reason: Reason | None
    """Why all of it is `null`."""


class Compared(Counts):
    period: str
    start: str
    end: str


class Comparable(Counts):
    compared: Compared | None = None
    """With `compare`: the same row of earlier days."""
    change: Change | None = None
    """With `compare`: what leads from these to the row."""


class Keys(Shape):
    period: str
    """A bucket's key, `spanning`, `outside` or `incomplete`."""
    start: str | None
    """The days that the row counts: with `window` and `running` more than its period."""
    end: str | None
    sector: str | None = None
    within: str | None = None
    weapon: str | None = None
    claimant: str | None = None
    party: str | None = None
    status: Status | None = None


class Cell(Keys, Comparable):
    pass


class Total(Comparable):
    start: str
    end: str


class ClaimantCounts(Counts):
    claimant: str
    alone: int | None
    """Incidents and episodes of these of which the other tells nothing that counts."""
    shared: int | None
    """The rest, of which the other tells too, in this row or another."""
    alone_url: str | None


class Beside(Shape):
    a: ClaimantCounts
    b: ClaimantCounts
    gap: Change
    """What leads from `a` to `b`."""


class GapCell(Keys, Beside):
    pass


class GapTotal(Beside):
    start: str
    end: str


class AsOf(Shape):
    asked: str
    changes: int
    """How many changes of the ledger the answer knows."""


class InLots(Shape):
    included: int
    """Incidents that the reader is not shown and that the sums count, always whole lots."""
    lot: int
    """So many at least are told of together; whether any are left over is not said."""


class Question(Shape):
    period: str
    series: str | None
    by: list[str]
    level: int
    clock: Clock
    timezone: str | None
    """Whose days these are, where not the theatre's."""
    window: int | None
    running: str | None
    """An agreement."""
    since: str | None
    """The day from which `running` counts."""
    compare: Compare | None
    as_of_day: str | None
    """With `complete`: the day that is today."""
    as_of: AsOf | None
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    additive: bool
    """Whether the cells add up to the total; by weapon, claimant or party they may overlap, and
    with `window` and `running`."""


class Aggregates(Question):
    restricted: InLots | None
    """With `include=restricted`, for those who are not shown everything."""
    total: Total
    cells: list[Cell]


class Gaps(Question):
    claimants: list[str]
    total: GapTotal
    cells: list[GapCell]


class LastDay(Shape):
    """The last incident's day lies between these."""

    earliest: str | None
    latest: str | None


class Days(Shape):
    at_least: int | None
    at_most: int | None


class Quiet(Shape):
    last: LastDay
    days: Days
    """Since the last incident; `null` where none is recorded."""
    open: int
    """Incidents whose time is not known on one side: they may be later than their known day."""
    coverage: Covered | None
    """Of the days since `last.latest`; of all days asked for where nothing is recorded."""
    incidents_url: str | None


class QuietSector(Quiet):
    sector: str
    """A sector, or `unlocated` for what may have been in any."""
    within: str | None
    in_force: bool | None
    """Whether the sector exists on the day."""


class Quietness(Shape):
    as_of_day: str
    start: str | None = Field(alias="from")
    level: int
    clock: Clock
    as_of: AsOf | None
    total: Quiet
    sectors: list[QuietSector]


AGGREGATES: Final = described(Aggregates, "Cells and their total.", exported=True)
GAPS: Final = described(Gaps, "Cells of two claimants, and their totals.", exported=True)
QUIET: Final = described(Quietness, "Sectors, and all of them together.", exported=True)
