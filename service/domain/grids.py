"""Which rows an answer has, what each of them holds, and under which keys a sum is filed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from datetime import date
from itertools import pairwise, product
from typing import NamedTuple, TypeVar

from service.domain.cells import (
    Measures,
    added,
    counts_of,
    figures_of,
    has_shares,
    is_remainder,
    negative,
    weapon_rows,
)
from service.domain.comparisons import Reason
from service.domain.coverage import Covered, Watch
from service.domain.figures import Sum
from service.domain.periods import Bucket, Timeline
from service.domain.queries import (
    OVERLAPPING,
    AggregateQuery,
    Dimension,
)
from service.domain.shares import Asked, Counted, asked_for
from service.domain.spans import Spans, is_complete, shown_buckets, spans_of, uncut
from service.domain.theatre import Theatre
from service.domain.verification import COUNTED, STRENGTH
from service.domain.vocabulary import (
    INCOMPLETE,
    SPANNING,
    SUMMED_OUTCOMES,
    UNLOCATED,
    Outcome,
)
from service.domain.when import When
from service.errors import Invalid

LARGEST_GRID = 10_000

# One value per dimension asked for, in the order of the question; `unlocated` carries its
# `within` behind a slash. With the key of the period before them they name a cell.
Keys = tuple[str, ...]
Position = tuple[str, Keys]
Place = TypeVar("Place")


class Row(NamedTuple):
    """One cell, or `None` where nothing is recorded: it then counts nothing if somebody watched
    throughout, and else what is not known (`None`).

    `compared` is the same row of earlier days, if that was asked for; `reason` why there is none.
    """

    period: str
    bucket: Bucket | None
    keys: Mapping[str, str | None]
    cell: Measures | None
    coverage: Covered | None
    compared: "Row | None" = None
    reason: Reason | None = None

    @property
    def counts(self) -> tuple[int | None, int | None, int | None, int | None]:
        """Incidents, episodes, reports and possible duplicates."""
        if self.cell is None:
            nothing = self._nothing
            return nothing, nothing, nothing, nothing
        return counts_of(self.cell)

    @property
    def incidents(self) -> int | None:
        return self.counts[0]

    @property
    def episodes(self) -> int | None:
        return self.counts[1]

    @property
    def reports(self) -> int | None:
        return self.counts[2]

    @property
    def possible_duplicates(self) -> int | None:
        return self.counts[3]

    @property
    def figures(self) -> Mapping[Outcome, Sum]:
        if self.cell is None:
            nothing = self._nothing
            return {outcome: Sum(nothing, nothing) for outcome in SUMMED_OUTCOMES}
        return figures_of(self.cell)

    @property
    def remainder(self) -> bool:
        return self.cell is not None and is_remainder(self.cell)

    @property
    def _nothing(self) -> int | None:
        return 0 if self.coverage is Covered.FULL else None


def sector_key(sector: str | None, level: int, theatre: Theatre) -> tuple[str, str | None]:
    """The sector's row at a depth, and for `unlocated` the node that is known instead."""
    if sector is None:
        return UNLOCATED, None
    known = theatre.sectors.tree.ancestor_at(sector, level)
    return (known, None) if known is not None else (UNLOCATED, sector)


class Filer:
    """Says under which keys of a question a sum is filed, if it is asked for."""

    def __init__(self, query: AggregateQuery, theatre: Theatre) -> None:
        self._query = query
        self._theatre = theatre

    def filed(self, sums: Iterable[Counted], asked: Asked) -> Iterator[tuple[Counted, Keys]]:
        # Of many sums few have other codes than one before them.
        known: dict[tuple[str, str, tuple[str, ...]], Keys | None] = {}
        for each in sums:
            place = each.sector, each.status, each.codes
            if place not in known:
                known[place] = self._keys(*place, asked)
            keys = known[place]
            if keys is not None:
                yield each, keys

    def _keys(self, sector: str, status: str, codes: Sequence[str], asked: Asked) -> Keys | None:
        if self._query.filters.status not in (None, status):
            return None
        keys = asked.keys_of(codes)
        if keys is None:
            return None
        if Dimension.SECTOR in asked.by:
            keys[Dimension.SECTOR] = self._sector(sector)
        return tuple(status if d is Dimension.STATUS else keys[d] for d in asked.by)

    def _sector(self, sector: str) -> str:
        level = self._query.filters.level
        key, within = sector_key(sector or None, level, self._theatre)
        return f"{key}/{within}" if within else key


class Grid:
    """Which rows an answer has, in which order, and what an empty one says."""

    def __init__(
        self, query: AggregateQuery, timeline: Timeline, theatre: Theatre, watch: Watch
    ) -> None:
        self._query = query
        self._timeline = timeline
        self._theatre = theatre
        self._watch = watch
        self._filer = Filer(query, theatre)
        self._buckets: dict[str, Bucket] = {}
        # What is not cut off by the question is not cut off by what happens to be recorded.
        asked = query.filters
        self._whole = replace(timeline, first=asked.first or date.min, last=asked.last or date.max)
        self._periods: dict[tuple[date, date], str] = {}
        self._shown: dict[Keys, tuple[Mapping[str, str | None], str | None]] = {}
        self._ranks = {d: {key: rank for rank, key in enumerate(self._known(d))} for d in query.by}
        if query.moves or query.compare:
            self.know(shown_buckets(query, timeline))

    @property
    def is_additive(self) -> bool:
        """Whether each incident is in one row only."""
        return not self._query.moves and not OVERLAPPING.intersection(self._query.by)

    def cells(self, sums: Iterable[Counted]) -> dict[Position, Measures]:
        """What the rows hold."""
        if self._query.moves:
            every = spans_of(self._query, self._timeline)
            shown = Spans(span for span in every.buckets if span.key in self._buckets)
            return self.cells_of(sums, shown, lambda each: self._in_no_span(each, every))
        cells: dict[Position, Measures] = {}
        for each, keys in self._filer.filed(sums, asked_for(self._query, self._theatre)):
            _add(cells, (self._period(each), keys), each.measures)
        # What came and went again may be kept as two sums that cancel out.
        return {position: cell for position, cell in cells.items() if has_shares(cell)}

    def cells_of(
        self,
        sums: Iterable[Counted],
        spans: Spans,
        otherwise: Callable[[Counted], str | None] = lambda _: None,
    ) -> dict[Position, Measures]:
        """What lies in each of some spans, under their keys; what is in none has the key that
        `otherwise` gives it, if any."""
        steps: dict[Keys, dict[int, Measures]] = {}
        cells: dict[Position, Measures] = {}
        for each, keys in self._filer.filed(sums, asked_for(self._query, self._theatre)):
            held = range(0) if each.is_open else spans.holding(each.start, each.end)
            if held:
                of = steps.setdefault(keys, {})
                _add(of, held.start, each.measures)
                _add(of, held.stop, negative(each.measures))
            elif (key := otherwise(each)) is not None:
                _add(cells, (key, keys), each.measures)
        cells = {position: cell for position, cell in cells.items() if has_shares(cell)}
        for keys, of in steps.items():
            reached: Measures | None = None
            for at, until in pairwise(sorted(of)):
                reached = of[at] if reached is None else added(reached, of[at])
                if has_shares(reached):
                    cells |= {(span.key, keys): reached for span in spans.buckets[at:until]}
            self._check_size(cells)
        return cells

    def summed(self, sums: Iterable[Counted]) -> Measures | None:
        """What all of them add up to, if anything."""
        asked = asked_for(self._query, self._theatre, total=True)
        overall: Measures | None = None
        for each, _ in self._filer.filed(sums, asked):
            overall = each.measures if overall is None else added(overall, each.measures)
        return overall if overall and has_shares(overall) else None

    def know(self, buckets: Iterable[Bucket]) -> None:
        """Which days rows of these keys are about."""
        self._buckets |= {bucket.key: bucket for bucket in buckets}

    def known(self) -> Iterable[Bucket]:
        return self._buckets.values()

    def _period(self, each: Counted) -> str:
        """The key of the row's period, its bucket remembered."""
        if each.is_open:
            return SPANNING
        span = each.start, each.end
        if span not in self._periods:
            key, bucket = self._whole.place(When(*span))
            if bucket is not None:
                every = self._query.complete_on is None
                if every or is_complete(uncut(bucket, self._timeline), self._query):
                    shown = bucket.clipped(self._timeline.first, self._timeline.last)
                    self._buckets[key] = shown
                else:
                    key = INCOMPLETE
            self._periods[span] = key
        return self._periods[span]

    @staticmethod
    def _in_no_span(each: Counted, every: Spans) -> str:
        cut = not each.is_open and every.holding(each.start, each.end)
        return INCOMPLETE if cut else SPANNING

    def positions(self, filled: Iterable[Position]) -> list[Position]:
        wanted = set(filled)
        if self._query.dense:
            for bucket in shown_buckets(self._query, self._timeline):
                self._buckets[bucket.key] = bucket
                values = [self._offered(dimension, bucket) for dimension in self._query.by]
                wanted.update((bucket.key, keys) for keys in product(*values))
                self._check_size(wanted)
        self._check_size(wanted)
        times = {period: self._time(period) for period, _ in wanted}
        ranks = {keys: self._rank(keys) for _, keys in wanted}
        return sorted(wanted, key=lambda position: (times[position[0]], ranks[position[1]]))

    def row(self, position: Position, cell: Measures | None, at: Bucket | None = None) -> Row:
        """The row at a position; with `at`, what it was in other days."""
        period, keys = position
        if keys not in self._shown:
            self._shown[keys] = self._show(keys)
        shown, sector = self._shown[keys]
        bucket = at or self._buckets.get(period)
        covered = self._covered(sector, bucket)
        return Row(at.key if at else period, bucket, shown, cell, covered)

    def _show(self, keys: Keys) -> tuple[Mapping[str, str | None], str | None]:
        """The keys of a row as they are shown, and the sector that it is about."""
        shown: dict[str, str | None] = {}
        sector = self._query.filters.sector
        for dimension, key in zip(self._query.by, keys, strict=True):
            shown[dimension.value] = key
            if dimension is Dimension.SECTOR:
                place, _, within = key.partition("/")
                shown[dimension.value], shown["within"] = place, within or None
                sector = self._theatre.sectors.tree.finer(sector, place)
        return shown, sector

    def total(self, cell: Measures | None, at: Bucket | None = None) -> Row:
        asked, timeline = self._query.filters, self._timeline
        everything = asked.first or timeline.first, asked.last or timeline.last
        bucket = at or Bucket("total", *everything)
        covered = self._covered(self._query.filters.sector, bucket)
        return Row("total", bucket, {}, cell, covered)

    def _covered(self, sector: str | None, bucket: Bucket | None) -> Covered | None:
        if bucket is None or sector == UNLOCATED:
            return None
        return self._watch.of(sector or self._theatre.root, bucket.start, bucket.end)

    def _offered(self, dimension: Dimension, bucket: Bucket) -> list[str]:
        """The rows that a bucket shows even where nothing happened."""
        filters, theatre = self._query.filters, self._theatre
        match dimension:
            case Dimension.SECTOR:
                tree = theatre.sectors.tree
                at_level = theatre.sectors.at_level(filters.level, bucket.start, bucket.end)
                asked = filters.sector
                return [
                    s
                    for s in at_level
                    if asked is None
                    or (asked in tree and (tree.holds(asked, s) or tree.holds(s, asked)))
                ]
            case Dimension.WEAPON:
                known = set(self._known(dimension))
                return sorted(known.intersection(weapon_rows(filters, theatre.weapons).values()))
            case Dimension.CLAIMANT:
                return [c for c in theatre.claimants if filters.claimant in (None, c)]
            case Dimension.PARTY:
                return [p for p in theatre.parties if filters.party in (None, p)]
            case Dimension.STATUS:
                return [
                    s
                    for s in self._known(dimension)
                    if s in COUNTED and filters.status in (None, s)
                ]

    def _known(self, dimension: Dimension) -> list[str]:
        match dimension:
            case Dimension.SECTOR:
                return [s.id for s in self._theatre.sectors]
            case Dimension.WEAPON:
                return [w.id for w in self._theatre.weapons]
            case Dimension.CLAIMANT:
                return list(self._theatre.claimants)
            case Dimension.PARTY:
                return list(self._theatre.parties)
            case Dimension.STATUS:
                return [s.value for s in reversed(STRENGTH)]

    def _time(self, period: str) -> tuple[object, ...]:
        """Rows come in the order of time; what lies outside it last."""
        bucket = self._buckets.get(period)
        return (False, bucket.start, bucket.end) if bucket else (True, period)

    def _rank(self, keys: Keys) -> list[tuple[int, str]]:
        """And in the order of the reference data; what these do not know last."""
        return [
            (self._ranks[d].get(key, len(self._ranks[d])), key)
            for d, key in zip(self._query.by, keys, strict=True)
        ]

    @staticmethod
    def _check_size(wanted: Sized) -> None:
        if len(wanted) > LARGEST_GRID:
            raise Invalid(
                f"would give more than {LARGEST_GRID:,} rows; "
                "narrow from and to, or ask for a coarser period or fill=none",
                "period",
            )


def _add(sums: dict[Place, Measures], place: Place, measures: Measures) -> None:
    known = sums.get(place)
    sums[place] = measures if known is None else added(known, measures)
