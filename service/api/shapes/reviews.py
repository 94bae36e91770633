"""What answers about decisions look like."""

from typing import Final

from service.api.shapes.common import Bounds, Page, Shape, described
from service.api.shapes.grouping import Candidate
from service.api.shapes.reports import Report, Review
from service.domain.contradictions import Form
from service.domain.vocabulary import Group, Outcome


class Reviews(Page):
    items: list[Review]


class Difference(Shape):
    form: Form
    own: str | Bounds
    """What the report that waits says: a stance, a party, EDTF or a figure."""
    other: str | Bounds
    outcome: Outcome | None
    """Of a figure, as are its `party` and `group`, which are `null` where nobody says whose."""
    party: str | None
    group: Group | None


class Contradicting(Shape):
    report: str
    claimant: str
    reasons: list[str]
    """In English."""
    told: list[Difference]
    """The same as data, in the same order."""


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


REVIEWS: Final = described(Reviews, "All decisions, oldest first.")
QUEUE: Final = described(Queue, "What waits, gravest first.")
