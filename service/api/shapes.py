"""What answers look like, for the API's own documentation."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from service.api.problems import MEDIA_TYPE, TITLES
from service.domain.access import Act, Role, Visibility
from service.domain.candidates import Matter
from service.domain.coverage import Covered
from service.domain.disclosure import PlaceShown
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


class Disclosed(Shape):
    visibility: Visibility
    embargo: str | None
    """Until then only reviewers see it."""
    place: PlaceShown
    """How exactly the position is published."""


class Evidence(Source):
    sha256: str | None
    """Of the copy that was looked at."""


class Review(Shape):
    id: str
    recorded: str
    revision: int
    """Of the report, that the decision made."""
    status: Status | None
    basis: Basis | None
    reason: str
    grade: str | None
    """Admiralty code."""
    clears: list[Flag]
    evidence: list[Evidence]
    applied: bool
    """Whether it took effect; the first of two reviewers only proposes."""
    superseded: bool
    """Whether the report says something else since."""


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
    grade: str | None
    """Admiralty code: reliability of the source, credibility of the information."""
    flags: list[Flag]
    """Doubts that nobody has cleared."""
    cleared: list[Flag]
    unmapped: list[str]
    """Fields whose text matched nothing in the reference data."""
    possible_duplicates: list[str]
    """Incidents it may be about."""
    summary: str | None
    sources: list[Source]
    reported: str
    received: str
    reviews: list[Review]
    disclosure: Disclosed


class Receipt(Report):
    received_at: str
    sha256: str
    """Of the report's leaf in the ledger."""


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
    possible_duplicate: bool
    """It may be an event that another incident tells of."""
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


class Reviews(_Page):
    items: list[Review]


class CandidateReason(Shape):
    matter: Matter
    weight: float
    """Bits, above zero for the same event and below zero against it."""
    says: str


class Candidate(Shape):
    incident: str
    title: str | None
    score: float
    """The sum of the weights."""
    reasons: list[CandidateReason]


class Contradicting(Shape):
    report: str
    claimant: str
    reasons: list[str]


class Waiting(Shape):
    report: Report
    gravity: int
    """3: ten killed or more, 2: any killed, 1: people harmed otherwise, 0: nobody said to be."""
    own: bool
    """Sent or changed by the reader, who cannot review it."""
    contradicted_by: list[Contradicting]
    candidates: list[Candidate]
    """The best of the incidents that it may belong to."""


class Queue(Shape):
    items: list[Waiting]
    waiting: int


class Change(Shape):
    position: int
    """Counted from 0, without gaps."""
    sha256: str
    """Of the leaf."""
    action: str
    """`created`, `revised`, `reviewed`, `moved`, `disclosed`, `withdrawn`, `linked`, `grouped`;
    `hidden` or `withheld` where it is not shown."""
    kind: str | None = None
    subject: str | None = None
    revision: int | None = None
    recorded: str | None = None
    reason: str | None = None
    content: dict[str, Any] | None = None
    incidents: list[dict[str, Any]] | None = None
    """What is recorded of a report's incident and of what that is part of, outermost first, and
    then of its parts."""


class Changes(Shape):
    items: list[Change]
    next: int
    """Hand it back as `after`."""


class LedgerEntry(Shape):
    position: int
    sha256: str
    entry: str | None = None
    openings: dict[str, tuple[str, str]] | None = None
    """Salt and JSON of each sealed value that may be shown."""


class LedgerEntries(Shape):
    items: list[LedgerEntry]
    next: int


class Candidates(_Page):
    items: list[Candidate]


class Step(Shape):
    id: str
    action: str
    """`merge`, `split`, `link` or `undo`."""
    incident: str
    reports: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    """What each report belonged to, and belongs to now."""
    incidents: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    """What was recorded of each incident, and is now."""
    undoes: str | None
    undone: bool


class Steps(_Page):
    items: list[Step]


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


class Key(Shape):
    name: str
    role: Role
    read_only: bool
    created_at: str
    expires_at: str | None
    """`null`: never."""
    revoked_at: str | None


class NewKey(Key):
    key: str
    """It cannot be read again."""


class OwnKey(Shape):
    name: str
    role: Role
    read_only: bool
    expires_at: str | None
    may: list[Act]
    """What it allows beyond reading."""
    sees: Visibility
    """The narrowest circle whose reports it is shown; what was sent with it, it is shown too."""


class Keys(_Page):
    items: list[Key]


class TreeHead(Shape):
    size: int
    """Leaves that it stands for."""
    root: str
    """SHA-256 in hexadecimal, by RFC 9162."""
    signed_at: str
    checkpoint: str
    """The head as a signed note (C2SP tlog-checkpoint)."""


class SignedHead(TreeHead):
    verifier_key: str
    """Whoever checks keeps it; it never changes."""


class Heads(_Page):
    items: list[TreeHead]


class Inclusion(Shape):
    position: int
    """Of the leaf, from 0."""
    size: int
    proof: list[str]
    """Hashes in hexadecimal, lowest first (RFC 9162, 2.1.3)."""
    root: str


class Consistency(Shape):
    first: int
    second: int
    first_root: str
    second_root: str
    proof: list[str]
    """Hashes in hexadecimal (RFC 9162, 2.1.4)."""


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
MERGED: Final[Described] = {"description": "It is told as part of another incident now."}
LIST_OF_INCIDENTS: Final = _described(Incidents, "A page of incidents.", csv=True)
AGGREGATES: Final = _described(Aggregates, "Cells and their total.", csv=True)
REVIEWS: Final = _described(Reviews, "All decisions, oldest first.")
QUEUE: Final = _described(Queue, "What waits, gravest first.")
CHANGES: Final = _described(Changes, "Changes, and how many are known with them.")
ENTRIES_OF_LEDGER: Final = _described(LedgerEntries, "Leaves, and how many are known with them.")
LIST_OF_CANDIDATES: Final = _described(Candidates, "Best first.")
STEP: Final = _described(Step, "The step; it can be undone.")
LIST_OF_STEPS: Final = _described(Steps, "Steps, oldest first.")
TALLY: Final = _described(Tally, "The tally.")
LIST_OF_TALLIES: Final = _described(Tallies, "A page of tallies.", csv=True)
COMPARED_TALLIES: Final = _described(ComparedTallies, "Tallies side by side.")
COVERAGE: Final = _described(Coverage, "The coverage.")
LIST_OF_COVERAGE: Final = _described(CoverageList, "A page of coverage.", csv=True)
LIST_OF_ENTRIES: Final = _described(Entries, "All entries.", csv=True)
KEY: Final = _described(Key, "The key as it is now, without its secret.")
NEW_KEY: Final = _described(NewKey, "The key, this once.")
OWN_KEY: Final = _described(OwnKey, "What the key allows.")
LIST_OF_KEYS: Final = _described(Keys, "All keys.")
SIGNED_HEAD: Final = _described(SignedHead, "The newest signed head.")
LIST_OF_HEADS: Final = _described(Heads, "A page of heads, newest first.")
INCLUSION: Final = _described(Inclusion, "The proof.")
CONSISTENCY: Final = _described(Consistency, "The proof.")
CHECKPOINT: Final = {
    "description": "The newest signed head, as a signed note.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
METRICS: Final = {
    "description": "Counts in the text format of Prometheus.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
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
