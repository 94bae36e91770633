"""Sums over incidents whose cells add up to their total.

An incident's account is split into shares, one for every combination of codes it has in the
dimensions asked for; a row is the sum of the shares with its keys, whether they are summed now
or were kept summed. A share that fits no bucket of time has the key `spanning`, one known only
above the asked depth of the sector tree `unlocated`, so nothing selected is ever left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.cells import (
    Measures,
    counts_of,
)
from service.domain.comparisons import Change, Comparison, Reason, change
from service.domain.coverage import Watch
from service.domain.grids import Grid, Row
from service.domain.periods import Timeline
from service.domain.queries import (
    AggregateQuery,
)
from service.domain.shares import Counted, Telling, asked_for, counted
from service.domain.theatre import Theatre


@dataclass(frozen=True, slots=True)
class Table:
    """The answer: rows, and the total that counts each incident once."""

    rows: Sequence[Row]
    total: Row
    additive: bool
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Side:
    """What one claimant says in a row of a question, and of how many incidents and episodes
    there the other tells nothing."""

    row: Row
    alone: int | None

    @property
    def shared(self) -> int | None:
        """How many the other tells of too, wherever."""
        if self.alone is None or self.row.incidents is None or self.row.episodes is None:
            return None
        return self.row.incidents + self.row.episodes - self.alone


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of two claimants side by side, and what leads from the one to the other."""

    one: Side
    other: Side
    difference: Change


@dataclass(frozen=True, slots=True)
class Gaps:
    """The answer to a question that is asked of two claimants."""

    rows: Sequence[Gap]
    total: Gap
    additive: bool
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Earlier:
    """Sums of the days that a question is compared with."""

    comparison: Comparison
    rows: Iterable[Counted]
    total: Iterable[Counted]


@dataclass(frozen=True, slots=True)
class Voice:
    """The sums of a question as one claimant answers it, and of these what the other tells
    nothing of."""

    query: AggregateQuery
    rows: Iterable[Counted]
    total: Iterable[Counted]
    alone: Iterable[Counted]
    alone_total: Iterable[Counted]


def aggregate(
    tellings: Iterable[Telling],
    query: AggregateQuery,
    timeline: Timeline,
    theatre: Theatre,
    watch: Watch,
) -> Table:
    """Sum the selected accounts. Raises `Invalid` where the grid would exceed 10,000 rows.

    `tellings` holds everybody's account of each selected incident and, where the question is
    by claimant, each claimant's own.
    """
    told = list(tellings)
    rows = counted(told, asked_for(query, theatre), query, theatre)
    total = counted(told, asked_for(query, theatre, total=True), query, theatre)
    return tabulate(rows, total, query, timeline, theatre, watch)


def tabulate(
    rows: Iterable[Counted],
    total: Iterable[Counted],
    query: AggregateQuery,
    timeline: Timeline,
    theatre: Theatre,
    watch: Watch,
    earlier: Earlier | None = None,
) -> Table:
    """The answer that sums make: `rows` what its cells hold, `total` what each incident once adds.

    Raises `Invalid` where the grid would exceed 10,000 rows.
    """
    grid = Grid(query, timeline, theatre, watch)
    cells = grid.cells(rows)
    # Where every share is in one row, the rows are fewer to add up.
    once = total is rows and grid.is_additive
    overall = grid.total(_summed(cells.values()) if once else grid.summed(total))
    if earlier is None:
        found = [grid.row(position, cells.get(position)) for position in grid.positions(cells)]
        return Table(found, overall, grid.is_additive, timeline)
    comparison = earlier.comparison
    before = grid.cells_of(earlier.rows, comparison.spans)
    found = []
    # What is recorded only in the earlier days has a row too.
    for position in grid.positions({*cells, *before}):
        key = position[0]
        row = grid.row(position, cells.get(position))
        if (period := comparison.periods.get(key)) is not None:
            beside = grid.row(position, before.get(position), period)
            found.append(row._replace(compared=beside))
        else:
            found.append(row._replace(reason=comparison.reasons.get(key, Reason.NO_PERIOD)))
    if comparison.total is None:
        overall = overall._replace(reason=Reason.UNBOUNDED)
    else:
        beside = grid.total(grid.summed(earlier.total), comparison.total)
        overall = overall._replace(compared=beside)
    return Table(found, overall, grid.is_additive, timeline)


def side_by_side(
    voices: tuple[Voice, Voice],
    query: AggregateQuery,
    timeline: Timeline,
    theatre: Theatre,
    watch: Watch,
) -> Gaps:
    """What two claimants answer to the same question.

    Raises `Invalid` where the grid would exceed 10,000 rows.
    """
    grid = Grid(query, timeline, theatre, watch)
    heard = [(Grid(v.query, timeline, theatre, watch), v) for v in voices]
    cells = [own.cells(voice.rows) for own, voice in heard]
    alone = [own.cells(voice.alone) for own, voice in heard]
    grid.know(shown for own, _ in heard for shown in own.known())
    rows = []
    for at in grid.positions({*cells[0], *cells[1]}):
        one, other = (
            _side(grid.row(at, of.get(at)), without.get(at))
            for of, without in zip(cells, alone, strict=True)
        )
        rows.append(_gap(one, other, told=all(at in of for of in cells)))
    totals = [own.summed(voice.total) for own, voice in heard]
    one, other = (
        _side(grid.total(whole), own.summed(voice.alone_total))
        for whole, (own, voice) in zip(totals, heard, strict=True)
    )
    total = _gap(one, other, told=None not in totals)
    return Gaps(rows, total, grid.is_additive, timeline)


def _side(row: Row, alone: Measures | None) -> Side:
    if row.incidents is None:
        return Side(row, None)
    incidents, episodes, *_ = counts_of(alone) if alone else (0, 0)
    return Side(row, incidents + episodes)


def _gap(one: Side, other: Side, *, told: bool) -> Gap:
    return Gap(one, other, change(other.row, one.row, None if told else Reason.UNTOLD))


def _summed(every: Iterable[Measures]) -> Measures | None:
    columns = zip(*every, strict=True)
    return [sum(column) for column in columns] or None
