"""What answers about incidents look like."""

from typing import Final

from service.api.shapes.common import Bounds, ClaimedBounds, Described, Page, Shape, Span, described
from service.api.shapes.reports import Report
from service.domain.vocabulary import Group, Outcome, Precision, Stance, Status


class Established(Bounds):
    status: Status


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


class Incidents(Page):
    items: list[Incident]


INCIDENT: Final = described(IncidentWithClaims, "The incident.")
MERGED: Final[Described] = {"description": "It is told as part of another incident now."}
LIST_OF_INCIDENTS: Final = described(Incidents, "A page of incidents.", exported=True)
