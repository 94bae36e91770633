"""What answers about candidates and steps of grouping look like."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from service.api.shapes.common import Bounds, Page, Shape, described
from service.domain.candidates import Form, Matter
from service.domain.vocabulary import Outcome


class TimesCompared(Shape):
    form: Literal[Form.HOURS_APART, Form.MINUTES_APART]
    count: float


class DaysCompared(Shape):
    form: Literal[Form.DAYS_APART, Form.DAYS_OVERLAP, Form.SAME_DAYS]
    own: str
    """EDTF, without times of day."""
    other: str
    days: int
    """Between both; 0 where they can meet."""


class PointsCompared(Shape):
    form: Literal[Form.POINTS_WITHIN, Form.POINTS_BEYOND]
    km: float
    open_km: float
    """How far apart the precisions of both leave open."""


class SectorsCompared(Shape):
    form: Literal[Form.SAME_SECTOR, Form.NESTED_SECTORS, Form.PARTED_SECTORS]
    sectors: list[str]
    """Ids; of two that are nested the first lies in the second."""


class WeaponsCompared(Shape):
    form: Literal[Form.SAME_WEAPON, Form.NESTED_WEAPONS, Form.PARTED_WEAPONS]
    weapons: list[str]
    """Ids, or the words of what matched no class."""


class FiguresCompared(Shape):
    form: Literal[Form.FIGURES_MEET, Form.FIGURES_EXCLUDE]
    outcome: Outcome
    own: Bounds
    other: Bounds


class ClaimantsCompared(Shape):
    form: Literal[Form.SAME_CLAIMANT, Form.SAME_CLAIMANT_OTHERWISE]
    days: int
    """Between both; 0 where they can meet."""


class WordsCompared(Shape):
    form: Literal[Form.SHARED_WORDS]
    shared: int
    words: int
    """How many the shorter text has."""


Compared = Annotated[
    TimesCompared
    | DaysCompared
    | PointsCompared
    | SectorsCompared
    | WeaponsCompared
    | FiguresCompared
    | ClaimantsCompared
    | WordsCompared,
    Field(discriminator="form"),
]


class CandidateReason(Shape):
    matter: Matter
    weight: float
    """Bits, above zero for the same event and below zero against it."""
    says: str
    """In English."""
    told: list[Compared]
    """The same as data, to be said in any language."""


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
