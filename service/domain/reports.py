"""A report: one claimant's account of an event."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from service.domain.casualties import CasualtyLine, combine
from service.domain.figures import Figure
from service.domain.places import Point
from service.domain.verification import COUNTED
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome, Stance, Status
from service.domain.when import When

MANY_KILLED: Final = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What reconciling needs of a report.

    `reported` is when the claimant said it, both ends known; `received` when it reached us;
    `sector` is where the report itself places the event, `None` where that is not known; `level`
    the least level of a reader who is shown it.
    """

    id: str
    claimant: str
    when: When
    reported: When
    received: datetime
    sector: str | None = None
    point: Point | None = None
    weapons: frozenset[str] = frozenset()
    lines: tuple[CasualtyLine, ...] = ()
    attributed_to: str | None = None
    stance: Stance = Stance.ASSERTS
    status: Status = Status.UNVERIFIED
    counted: bool = True
    level: int = 0
    possible_duplicate: bool = False

    @property
    def counts(self) -> bool:
        """Whether it speaks in figures: live, and not set aside with a reason."""
        return self.counted and self.status in COUNTED

    def figure_of(self, outcome: Outcome) -> Figure | None:
        """What the report says in all, a total and its parts counted once."""
        cells = {line.cell: line.figures[outcome] for line in self.lines if outcome in line.figures}
        combined = combine(cells)
        return combined.figure if combined else None

    def low_of(self, outcome: Outcome) -> int | None:
        """The least that the report says in all."""
        figure = self.figure_of(outcome)
        return figure.low if figure else None

    @property
    def gravity(self) -> int:
        """How grave what it tells is: 3 for ten killed or more, 2 for any, 1 for people harmed
        otherwise, 0 where nobody is said to be."""
        killed = self.low_of(Outcome.KILLED) or 0
        if killed:
            return 3 if killed >= MANY_KILLED else 2
        return int(any(self.low_of(outcome) for outcome in SUMMED_OUTCOMES))

    @property
    def said(self) -> tuple[date, datetime, str]:
        """The order in which a claimant's reports replace one another."""
        return self.reported.known_end, self.received, self.id
