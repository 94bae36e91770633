"""Cells of casualties and the containment rule between coarser and finer ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from service.domain.figures import Figure, add_bounds, larger_bound
from service.domain.vocabulary import Group, Outcome

Stated = TypeVar("Stated")


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

    `behind` are the cells that make up its best; `inconsistent` is true where a coarser upper
    bound lies below what the finer cells add up to.
    """

    figure: Figure
    behind: frozenset[Cell]
    inconsistent: bool


def combine(cells: Mapping[Cell, Figure]) -> Combined | None:
    """One figure for all cells of an outcome, or `None` where there is no cell.

    Low and best are, bound by bound, the largest of what is stated for everybody, the sum over
    parties of each one's larger of stated and summed, and the sum over groups likewise. High is
    the sum over the stated cells contained in no other, each the larger of stated and summed.
    Where a coarser high is below the sum of the finer lows, the low stays the coarser one.
    """
    return _combined(tuple(cells.items())) if cells else None


# Of one report the same cells are asked for again and again.
@lru_cache(maxsize=1 << 12)
def _combined(stated: tuple[tuple[Cell, Figure], ...]) -> Combined:
    if len(stated) == 1:
        [(cell, figure)] = stated
        return Combined(figure, frozenset({cell}), inconsistent=False)
    cells = dict(stated)
    parties = {Cell(party=cell.party) for cell in cells if cell.party is not None}
    groups = {Cell(group=cell.group) for cell in cells if cell.group is not None}
    by_party, by_group = (
        _joined([_enclosing(cells, top, _parts(cells, top)) for top in tops])
        for tops in (parties, groups)
    )
    fuller = by_party if by_party.behind and by_party.best >= by_group.best else by_group
    finer = replace(
        fuller,
        low=max(by_party.low, by_group.low),
        inconsistent=by_party.inconsistent or by_group.inconsistent,
    )
    whole = _enclosing(cells, Cell(), finer)
    best = max(whole.best, whole.low)
    high = _high(cells)
    figure = Figure(whole.low, best, None if high is None else max(high, best))
    return Combined(figure, whole.behind, whole.inconsistent)


def of_party(cells: Mapping[Cell, Stated], party: str) -> Mapping[Cell, Stated]:
    """The cells of one party, as if it were everybody."""
    return {Cell(group=cell.group): said for cell, said in cells.items() if cell.party == party}


@dataclass(frozen=True, slots=True)
class _Lower:
    """Low and best of some cells together, and the cells behind the best."""

    low: int
    best: int
    behind: frozenset[Cell]
    inconsistent: bool = False


def _parts(cells: Mapping[Cell, Figure], top: Cell) -> _Lower:
    below = {cell: figure for cell, figure in cells.items() if top.contains(cell)}
    return _Lower(
        sum(f.low for f in below.values()), sum(f.best for f in below.values()), frozenset(below)
    )


def _enclosing(cells: Mapping[Cell, Figure], top: Cell, finer: _Lower) -> _Lower:
    """The larger of what is stated for `top` and what the finer cells sum to, bound by bound."""
    stated = cells.get(top)
    if stated is None:
        return finer
    contradicted = stated.high is not None and stated.high < finer.low
    stated_leads = stated.best >= finer.best
    return _Lower(
        low=stated.low if contradicted else max(stated.low, finer.low),
        best=max(stated.best, finer.best),
        behind=frozenset({top}) if stated_leads else finer.behind,
        inconsistent=contradicted or finer.inconsistent,
    )


def _joined(branches: Sequence[_Lower]) -> _Lower:
    return _Lower(
        sum(b.low for b in branches),
        sum(b.best for b in branches),
        frozenset().union(*(b.behind for b in branches)),
        any(b.inconsistent for b in branches),
    )


def _high(cells: Mapping[Cell, Figure]) -> int | None:
    outermost = [cell for cell in cells if not any(other.contains(cell) for other in cells)]
    return add_bounds(_high_of(cells, cell) for cell in outermost)


def _high_of(cells: Mapping[Cell, Figure], top: Cell) -> int | None:
    parts = {cell: figure for cell, figure in cells.items() if top.contains(cell)}
    if not parts:
        return cells[top].high
    return larger_bound(cells[top].high, _high(parts))
