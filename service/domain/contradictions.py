"""What speaks against a report among the others about the same event."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from service.domain.casualties import Cell
from service.domain.figures import Figure
from service.domain.reports import Report
from service.domain.vocabulary import Outcome, Stance
from service.domain.when import When


class Form(StrEnum):
    """In what two reports disagree."""

    STANCE = "stance"
    ATTRIBUTED_TO = "attributed_to"
    WHEN = "when"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a report says and what the other says instead; of a figure, whose it is."""

    form: Form
    own: Stance | str | When | Figure
    other: Stance | str | When | Figure
    outcome: Outcome | None = None
    cell: Cell = field(default_factory=Cell)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A report that disagrees with another, and in what."""

    report: str
    claimant: str
    differences: tuple[Difference, ...]


def contradictions(report: Report, others: Iterable[Report]) -> list[Contradiction]:
    """The live reports that disagree with one; a claimant does not disagree with itself."""
    found = []
    for other in sorted(others, key=lambda r: r.said):
        if other.id != report.id and other.claimant != report.claimant and other.counts:
            differences = tuple(_differences(report, other))
            if differences:
                found.append(Contradiction(other.id, other.claimant, differences))
    return found


def _differences(report: Report, other: Report) -> Iterable[Difference]:
    if Stance.DENIES in (report.stance, other.stance) and report.stance != other.stance:
        yield Difference(Form.STANCE, report.stance, other.stance)
    own, others = report.attributed_to, other.attributed_to
    if own is not None and others is not None and own != others:
        yield Difference(Form.ATTRIBUTED_TO, own, others)
    if _ends_before(report.when, other.when) or _ends_before(other.when, report.when):
        yield Difference(Form.WHEN, report.when, other.when)
    said = {line.cell: line.figures for line in report.lines}
    for line in other.lines:
        for outcome, figure in line.figures.items():
            mine = said.get(line.cell, {}).get(outcome)
            if mine is not None and not mine.meets(figure):
                yield Difference(Form.FIGURE, mine, figure, outcome, line.cell)


def _ends_before(earlier: When, later: When) -> bool:
    """An open side reaches any day."""
    return earlier.end is not None and later.start is not None and earlier.end < later.start
