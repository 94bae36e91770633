"""What answers about reports look like."""

from typing import Final

from service.api.shapes.common import ClaimedBounds, Page, Shape, Source, Span, described
from service.domain.access import Visibility
from service.domain.disclosure import PlaceShown
from service.domain.vocabulary import Basis, Flag, Group, Outcome, Precision, Stance, Status


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


class Origin(Shape):
    source: str
    key: str | None
    """What the source calls it."""
    licence: str | None
    kept: dict[str, str]
    """The source's own codes, as they stood."""


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
    origin: Origin | None
    """Which source it was imported from."""
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


class Reports(Page):
    items: list[Report]


class Revisions(Page):
    items: list[Revision]


RECEIPT: Final = described(Receipt, "On disk: the report, its incident and its flags.")
REPORT: Final = described(Report, "The report.")
REVISIONS: Final = described(Revisions, "All revisions, oldest first.")
LIST_OF_REPORTS: Final = described(Reports, "A page of reports.", exported=True)
