"""What answers look like, for the API's own documentation."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from service.api.problems import MEDIA_TYPE, TITLES
from service.domain.coverage import Covered
from service.domain.queries import Clock
from service.domain.vocabulary import (
    Access,
    Basis,
    Flag,
    Group,
    Outcome,
    Precision,
    Stance,
    Status,
    Unit,
)
from service.domain.when import TimePrecision

Described = dict[str, Any]


class Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class FieldProblem(Shape):
    field: str
    """Path of the field, such as `casualties.0.killed`; empty for the whole."""
    message: str


class ProblemDocument(Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]


class Bounds(Shape):
    low: int | None
    best: int | None
    high: int | None
    """`null` where nothing bounds it."""


class ClaimedBounds(Bounds):
    words: str | None
    """As the source puts it."""


class Established(Bounds):
    status: Status


class Summed(Bounds):
    open: int
    """Incidents whose count has no upper bound."""
    unknown: int
    """Incidents of which nobody gave a count."""


class Span(Shape):
    when: str
    """EDTF."""
    start: str | None
    end: str | None
    earliest: str | None
    """Instant in UTC, where a time of day is known."""
    latest: str | None
    precision: TimePrecision
    lasted: bool


class PublicWhere(Shape):
    place: str | None
    place_id: str | None
    display: str | None
    sector: str | None
    as_written: str | None
    lat: float | None
    lon: float | None
    precision: Precision | None


class Weapon(Shape):
    weapon: str
    calibre_mm: float | None
    schemes: dict[str, str]


class Casualties(Shape):
    party: str | None
    group: Group | None
    killed: ClaimedBounds | None = None
    wounded: ClaimedBounds | None = None
    missing: ClaimedBounds | None = None
    captured: ClaimedBounds | None = None
    displaced: ClaimedBounds | None = None


class Source(Shape):
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    locator: str | None


class About(Shape):
    report: str | None
    incident: str | None
    outcomes: list[Outcome] | None


class Report(Span):
    id: str
    revision: int
    incident: str
    timezone: str | None
    """Of times of day in `when` that have no offset."""
    where: PublicWhere
    weapons: list[Weapon]
    casualties: list[Casualties]
    claimant: str
    attributed_to: str | None
    stance: Stance
    about: About | None
    status: Status
    basis: Basis | None
    counted: bool
    reason: str | None
    """Why it is not counted."""
    flags: list[Flag]
    unmapped: list[str]
    """Fields whose text matched nothing in the reference data."""
    possible_duplicates: list[str]
    """Incidents it may be about."""
    summary: str | None
    sources: list[Source]
    reported: str
    received: str


class Receipt(Report):
    received_at: str
    sha256: str
    """Of the canonical JSON of the record."""


class Revision(Report):
    recorded: str
    change: str | None
    """The reason given."""
    sha256: str


class Point(Shape):
    lat: float
    lon: float
    precision: Precision


class Figures(Shape):
    killed: Established | None = None
    wounded: Established | None = None
    missing: Established | None = None
    captured: Established | None = None
    displaced: Established | None = None


class Claim(ClaimedBounds):
    party: str | None
    group: Group | None
    outcome: Outcome
    claimant: str
    report: str
    stance: Stance
    status: Status
    counted: bool


class Part(Shape):
    id: str
    title: str | None


class Incident(Span):
    id: str
    title: str | None
    sector: str | None
    point: Point | None
    status: Status
    contested: bool
    """Its live reports disagree."""
    counted: bool
    reason: str | None
    episode: bool
    part_of: str | None
    reports: int
    weapons: list[str]
    figures: Figures
    first_reported: str
    note: str | None
    parts: list[Part]
    matrix: list[Claim]
    """Every figure claimed, side by side."""


class IncidentWithClaims(Incident):
    by_party: dict[str, Figures]
    claims: list[Report]


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


class Aggregates(Shape):
    period: str
    series: str | None
    by: list[str]
    level: int
    clock: Clock
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    additive: bool
    """Whether the cells add up to the total; by weapon, claimant or party they may overlap."""
    total: Counts
    cells: list[Cell]


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


class _Page(Shape):
    next: str | None
    """Hand it back as `cursor`."""


class Reports(_Page):
    items: list[Report]


class Revisions(_Page):
    items: list[Revision]


class Incidents(_Page):
    items: list[Incident]


class Tallies(_Page):
    items: list[Tally]


class ComparedTallies(_Page):
    items: list[TalliesSideBySide]


class CoverageList(_Page):
    items: list[Coverage]


class Entries(_Page):
    items: list[dict[str, Any]]


class Health(Shape):
    status: str
    theatre: str | None = None


def _described(model: type[BaseModel], description: str, *, csv: bool = False) -> Described:
    content = {"text/csv": {"schema": {"type": "string"}}} if csv else {}
    return {"model": model, "description": description, "content": content}


RECEIPT: Final = _described(Receipt, "On disk: the report, its incident and its flags.")
REPORT: Final = _described(Report, "The report.")
REVISIONS: Final = _described(Revisions, "All revisions, oldest first.")
LIST_OF_REPORTS: Final = _described(Reports, "A page of reports.", csv=True)
INCIDENT: Final = _described(IncidentWithClaims, "The incident.")
LIST_OF_INCIDENTS: Final = _described(Incidents, "A page of incidents.", csv=True)
AGGREGATES: Final = _described(Aggregates, "Cells and their total.", csv=True)
TALLY: Final = _described(Tally, "The tally.")
LIST_OF_TALLIES: Final = _described(Tallies, "A page of tallies.", csv=True)
COMPARED_TALLIES: Final = _described(ComparedTallies, "Tallies side by side.")
COVERAGE: Final = _described(Coverage, "The coverage.")
LIST_OF_COVERAGE: Final = _described(CoverageList, "A page of coverage.", csv=True)
LIST_OF_ENTRIES: Final = _described(Entries, "All entries.", csv=True)
HEALTH: Final = _described(Health, "Well.")


def refusals(*statuses: int) -> dict[int | str, Described]:
    """Problem documents for these statuses, and for what no route can rule out."""
    schema = ProblemDocument.model_json_schema()
    # Whole in its place: the framework knows this model by no name that could be referred to.
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    return {
        status: {
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }
