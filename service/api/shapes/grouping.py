"""What answers about candidates and steps of grouping look like."""

from typing import Any, Final

from service.api.shapes.common import Page, Shape, described
from service.domain.candidates import Matter


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


class Candidates(Page):
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


class Steps(Page):
    items: list[Step]


LIST_OF_CANDIDATES: Final = described(Candidates, "Best first.")
STEP: Final = described(Step, "The step; it can be undone.")
LIST_OF_STEPS: Final = described(Steps, "Steps, oldest first.")
