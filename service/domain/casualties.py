"""Cells of casualties and the containment rule between coarser and finer ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.domain.figures import Figure, add_bounds, larger_bound
from service.domain.vocabulary import Group, Outcome


@dataclass(frozen=True, slots=True)
class Cell:
    """Whose casualties: a party and a group, either possibly unstated (`None`)."""

    party: str | None = None
    group: Group | None = None

    def contains(self, other: "Cell") -> bool:
        """Whether `other` is a strictly finer part of this cell."""
        return (
            self != other
            and self.party in (None, other.party)
            and self.group in (None, other.group)
        )


@dataclass(frozen=True, slots=True)
class CasualtyLine:
    """What a report says of one cell: a figure per outcome, with the words it was given in."""

    cell: Cell
    figures: Mapping[Outcome, Figure]
    words: Mapping[Outcome, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Combined:
    """The figure of several cells taken together.

    `inconsistent` is true where a coarser upper bound lies below what the finer cells add up to.
    """

    figure: Figure
    inconsistent: bool


def combine(cells: Mapping[Cell, Figure]) -> Combined | None:
    """One figure for all cells of an outcome, or `None` where there is no cell.

    Low and best are, bound by bound, the largest of what is stated for everybody, the sum over
    parties of each one's larger of stated and summed, and the sum over groups likewise. High is
    the sum over the stated cells contained in no other, each the larger of stated and summed.
    Where a coarser high is below the sum of the finer lows, the low stays the coarser one.
    """
    if not cells:
        return None
    everybody = Cell()
    stated = cells.get(everybody)
    finer = {cell: figure for cell, figure in cells.items() if cell != everybody}
    parties = [_branch(cells, Cell(party=party)) for party in _parties(finer)]
    groups = [_branch(cells, Cell(group=group)) for group in _groups(finer)]
    inconsistent = any(branch.inconsistent for branch in (*parties, *groups))

    summed_low = max(sum(b.low for b in parties), sum(b.low for b in groups))
    summed_best = max(sum(b.best for b in parties), sum(b.best for b in groups))
    if stated is None:
        low, best = summed_low, summed_best
    else:
        low, best = max(stated.low, summed_low), max(stated.best, summed_best)
        if stated.high is not None and stated.high < summed_low:
            low, inconsistent = stated.low, True
    high = _high(cells)
    best = max(best, low)
    if high is not None:
        high = max(high, best)
    return Combined(Figure(low, best, high), inconsistent)


def of_party(cells: Mapping[Cell, Figure], party: str) -> Mapping[Cell, Figure]:
    """The cells of one party, as if it were everybody."""
    return {Cell(group=cell.group): figure for cell, figure in cells.items() if cell.party == party}


def _parties(cells: Iterable[Cell]) -> list[str]:
    return sorted({cell.party for cell in cells if cell.party is not None})


def _groups(cells: Iterable[Cell]) -> list[Group]:
    return sorted({cell.group for cell in cells if cell.group is not None})


@dataclass(frozen=True, slots=True)
class _Branch:
    low: int
    best: int
    inconsistent: bool


def _branch(cells: Mapping[Cell, Figure], top: Cell) -> _Branch:
    stated = cells.get(top)
    parts = [figure for cell, figure in cells.items() if top.contains(cell)]
    low, best = sum(p.low for p in parts), sum(p.best for p in parts)
    if stated is None:
        return _Branch(low, best, inconsistent=False)
    if stated.high is not None and stated.high < low:
        return _Branch(stated.low, max(stated.best, best), inconsistent=True)
    return _Branch(max(stated.low, low), max(stated.best, best), inconsistent=False)


def _high(cells: Mapping[Cell, Figure]) -> int | None:
    outermost = [cell for cell in cells if not any(other.contains(cell) for other in cells)]
    return add_bounds(_high_of(cells, cell) for cell in outermost)


def _high_of(cells: Mapping[Cell, Figure], top: Cell) -> int | None:
    parts = {cell: figure for cell, figure in cells.items() if top.contains(cell)}
    if not parts:
        return cells[top].high
    return larger_bound(cells[top].high, _high(parts))
