"""A report: one claimant's account of an event."""

from dataclasses import dataclass
from datetime import date, datetime

from service.domain.casualties import CasualtyLine, combine
from service.domain.places import Point
from service.domain.verification import COUNTED
from service.domain.vocabulary import Outcome, Stance, Status
from service.domain.when import When


@dataclass(frozen=True, slots=True)
class Report:
    """What reconciling needs of a report.

    `reported` is when the claimant said it, both ends known; `received` when it reached us;
    `sector` is where the report itself places the event, `None` where that is not known.
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

    @property
    def counts(self) -> bool:
        """Whether it speaks in figures: live, and not set aside with a reason."""
        return self.counted and self.status in COUNTED

    def low_of(self, outcome: Outcome) -> int | None:
        """The least that the report says in all, a total and its parts counted once."""
        cells = {line.cell: line.figures[outcome] for line in self.lines if outcome in line.figures}
        combined = combine(cells)
        return combined.figure.low if combined else None

    @property
    def said(self) -> tuple[date, datetime, str]:
        """The order in which a claimant's reports replace one another."""
        return self.reported.known_end, self.received, self.id
