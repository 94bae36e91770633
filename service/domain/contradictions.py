"""What speaks against a report among the others about the same event."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.figures import Figure
from service.domain.reports import Report
from service.domain.vocabulary import Stance
from service.domain.when import When


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A report that disagrees with another, and in what, for a person to read."""

    report: str
    claimant: str
    reasons: tuple[str, ...]


def contradictions(report: Report, others: Iterable[Report]) -> list[Contradiction]:
    """The live reports that disagree with one; a claimant does not disagree with itself."""
    found = []
    for other in sorted(others, key=lambda r: r.said):
        if other.id != report.id and other.claimant != report.claimant and other.counts:
            reasons = tuple(_reasons(report, other))
            if reasons:
                found.append(Contradiction(other.id, other.claimant, reasons))
    return found


def _reasons(report: Report, other: Report) -> Iterable[str]:
    if Stance.DENIES in (report.stance, other.stance) and report.stance != other.stance:
        yield "one of them is a denial"
    blamed = {report.attributed_to, other.attributed_to} - {None}
    if len(blamed) > 1:
        yield f"blames {other.attributed_to}, not {report.attributed_to}"
    if _ends_before(report.when, other.when) or _ends_before(other.when, report.when):
        yield f"says {other.when}, not {report.when}"
    said = {line.cell: line.figures for line in report.lines}
    for line in other.lines:
        for outcome, figure in line.figures.items():
            mine = said.get(line.cell, {}).get(outcome)
            if mine is not None and not mine.meets(figure):
                whose = " ".join(filter(None, (line.cell.party, line.cell.group)))
                of_whom = f" ({whose})" if whose else ""
                yield f"{outcome}{of_whom}: {_told(figure)}, not {_told(mine)}"


def _ends_before(earlier: When, later: When) -> bool:
    """An open side reaches any day."""
    return earlier.end is not None and later.start is not None and earlier.end < later.start


def _told(figure: Figure) -> str:
    if figure.high is None:
        return f"at least {figure.low}"
    return str(figure.low) if figure.low == figure.high else f"{figure.low} to {figure.high}"
