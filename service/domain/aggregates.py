"""Sums over incidents whose cells add up to their total.

An incident's account is split into shares, one for every combination of codes it has in the
dimensions asked for; a row is the sum of the shares with its keys, whether they are summed now
or were kept summed. A share that fits no bucket of time has the key `spanning`, one known only
above the asked depth of the sector tree `unlocated`, so nothing selected is ever left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import reduce
from itertools import pairwise, product
from typing import Final, NamedTuple, TypeVar

from service.domain.cells import (
    CODED,
    Measures,
    added,
    counts_of,
    figures_of,
    has_shares,
    is_remainder,
    moment,
    negative,
    shares_of,
    weapon_rows,
    weapon_selection,
)
from service.domain.comparisons import Change, Comparison, Reason, change
from service.domain.coverage import Covered, Watch
from service.domain.figures import Sum
from service.domain.incidents import Account
from service.domain.periods import Bucket, Grain, Timeline
from service.domain.queries import (
    OVERLAPPING,
    AggregateQuery,
    Dimension,
    IncidentQuery,
)
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
from service.domain.when import When, month_bounds
from service.domain.zones import days_in
from service.errors import Invalid

LARGEST_GRID = 10_000

# One value per dimension asked for, in the order of the question; `unlocated` carries its
# `within` behind a slash. With the key of the period before them they name a cell.
Keys = tuple[str, ...]
Position = tuple[str, Keys]
Place = TypeVar("Place")

# How finely sums with hidden incidents are cut: by month and to the first depth of sectors.
_ATOM_DEPTH: Final = 1
_ALONG_ATOMS: Final = frozenset({Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.TOTAL})
# Of a question's filters those that may cut such sums, and who asks.
_CUTS_ALONG_ATOMS: Final = frozenset({"first", "last", "sector", "level", "sees", "own"})
_PARAMETERS: Final = {"text": "q", "zone": "timezone"}


@dataclass(frozen=True, slots=True)
class Telling:
    """An account, and whose it is: everybody's (`None`) or one claimant's."""

    account: Account
    claimant: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell. Counts are `None` where nothing is recorded and nobody watched throughout.

    `compared` is the same row of earlier days, if that was asked for; `reason` why there is none.
    """

    period: str
    bucket: Bucket | None
    keys: Mapping[str, str | None]
    incidents: int | None
    episodes: int | None
    reports: int | None
    possible_duplicates: int | None
    figures: Mapping[Outcome, Sum]
    remainder: bool
    coverage: Covered | None
    compared: "Row | None" = None
    reason: Reason | None = None

    @property
    def counts(self) -> tuple[int | None, int | None, int | None, int | None]:
        return self.incidents, self.episodes, self.reports, self.possible_duplicates


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


class Counted(NamedTuple):
    """A sum of shares of one time, sector and status, with its code in each dimension asked for.

    `start` and `end` are the first and last day of the units of time it touches; `sector` and
    `status` are empty where there is none or it was not asked for.
    """

    start: date
    end: date
    is_open: bool
    sector: str
    status: str
    codes: tuple[str, ...]
    measures: Measures


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


@dataclass(frozen=True, slots=True)
class Asked:
    """Along which dimensions shares are cut, and which codes of each are asked for under which
    key; a dimension that is left out there is asked for whole, each code under itself."""

    dimensions: tuple[Dimension, ...]
    keys: Mapping[Dimension, Mapping[str, str]]

    def keys_of(self, codes: Sequence[str]) -> dict[Dimension, str] | None:
        """The keys of a share, or `None` where it is not asked for."""
        found: dict[Dimension, str] = {}
        for dimension, code in zip(self.dimensions, codes, strict=True):
            known = self.keys.get(dimension)
            if known is None:
                found[dimension] = code
            elif code in known:
                found[dimension] = known[code]
            else:
                return None
        return found


def asked_for(query: AggregateQuery, theatre: Theatre, *, total: bool = False) -> Asked:
    """What the rows of an answer are made of or, with `total`, what their total is."""
    filters, by = query.filters, () if total else query.by
    keys: dict[Dimension, Mapping[str, str]] = {}
    if Dimension.WEAPON in by:
        keys[Dimension.WEAPON] = weapon_rows(filters, theatre.weapons)
    elif filters.weapon is not None:
        selected = weapon_selection(filters, theatre.weapons)
        keys[Dimension.WEAPON] = dict.fromkeys(selected, "")
    for dimension, wanted in (
        (Dimension.PARTY, filters.party),
        (Dimension.CLAIMANT, filters.according_to),
    ):
        if wanted is not None:
            keys[dimension] = {wanted: wanted}
    return Asked(tuple(d for d in CODED if d in by or d in keys), keys)


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


def counted(
    tellings: Iterable[Telling], asked: Asked, query: AggregateQuery, theatre: Theatre
) -> Iterator[Counted]:
    """The shares of selected accounts, each by itself."""
    apart = Dimension.CLAIMANT in asked.dimensions
    for telling in tellings:
        if (telling.claimant is not None) == apart:
            account = telling.account
            when = time_of(account, query.filters, theatre)
            if query.filters.zone and not when.overlaps(query.filters.first, query.filters.last):
                continue
            place = (when.known_start, when.known_end, when.is_open, account.sector or "")
            for share in shares_of(account, telling.claimant, asked.dimensions, theatre):
                yield Counted(*place, share.status.value, share.codes, share.measures)


def is_in_cell(when: When, query: IncidentQuery, timeline: Timeline, theatre: Theatre) -> bool:
    """Whether something of this time is in the bucket that a list is asked for."""
    if query.zone is not None:
        when = days_in(when, query.zone, theatre)
        if not when.overlaps(query.first, query.last):
            return False
    return query.cell is not None and timeline.place(when)[0] == query.cell.bucket


def time_of(account: Account, filters: IncidentQuery, theatre: Theatre) -> When:
    """An account's time on the clock and in the time zone of a question."""
    when = moment(account, filters.clock, theatre)
    return when if filters.zone is None else days_in(when, filters.zone, theatre)


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
            found.append(replace(row, compared=beside))
        else:
            found.append(replace(row, reason=comparison.reasons.get(key, Reason.NO_PERIOD)))
    if comparison.total is None:
        overall = replace(overall, reason=Reason.UNBOUNDED)
    else:
        beside = grid.total(grid.summed(earlier.total), comparison.total)
        overall = replace(overall, compared=beside)
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


def sector_key(sector: str | None, level: int, theatre: Theatre) -> tuple[str, str | None]:
    """The sector's row at a depth, and for `unlocated` the node that is known instead."""
    if sector is None:
        return UNLOCATED, None
    known = theatre.sectors.tree.ancestor_at(sector, level)
    return (known, None) if known is not None else (UNLOCATED, sector)


def atom_of(when: When, sector: str | None, theatre: Theatre) -> str:
    """The cell of time and place that no question cuts which `must_cut_along_atoms` lets through.

    The months of both ends, the same for nearly all, tell what becomes of it in every bucket of
    whole months; an end that is open counts as a month of its own.
    """
    months = [f"{day:%Y-%m}" if day else ".." for day in (when.start, when.end)]
    key, within = sector_key(sector, _ATOM_DEPTH, theatre)
    return "/".join([*months, key, within or ""])


def must_cut_along_atoms(query: AggregateQuery, theatre: Theatre) -> None:
    """Raises `Invalid` for a question that would tell incidents of one atom apart."""
    filters, nothing = query.filters, IncidentQuery()
    tree = theatre.sectors.tree
    for field_, fits, rule in (
        ("window", query.window is None, "must be left out"),
        ("running", query.since is None, "must be left out"),
        ("compare", query.compare is None, "must be left out"),
        ("complete", query.complete_on is None, "must be left out"),
        ("period", query.grain in _ALONG_ATOMS, "must be month, quarter, year or total"),
        ("by", {*query.by} <= {Dimension.SECTOR}, "must be sector or nothing"),
        ("level", filters.level <= _ATOM_DEPTH, "must be 0 or 1"),
        (
            "from",
            filters.first in (None, filters.first and month_bounds(filters.first)[0]),
            "must be the first day of a month",
        ),
        (
            "to",
            filters.last in (None, filters.last and month_bounds(filters.last)[1]),
            "must be the last day of a month",
        ),
        (
            "sector",
            filters.sector is None
            or (filters.sector in tree and tree.depth(filters.sector) <= _ATOM_DEPTH),
            "must be the theatre or a line",
        ),
        ("series", query.series is None, "must be left out"),
        *(
            (
                _PARAMETERS.get(each.name, each.name),
                getattr(filters, each.name) == getattr(nothing, each.name),
                "must be left out",
            )
            for each in fields(filters)
            if each.name not in _CUTS_ALONG_ATOMS
        ),
    ):
        if not fits:
            raise Invalid(f"{rule} with include=restricted", field_)


class Filer:
    """Says under which keys of a question a sum is filed, if it is asked for."""

    def __init__(self, query: AggregateQuery, theatre: Theatre) -> None:
        self._query = query
        self._theatre = theatre
        self._sectors: dict[str, str] = {}

    def filed(
        self, sums: Iterable[Counted], asked: Asked, by: Sequence[Dimension] | None = None
    ) -> Iterator[tuple[Counted, Keys]]:
        by = self._query.by if by is None else by
        status = self._query.filters.status
        for each in sums:
            if status is not None and each.status != status:
                continue
            keys = asked.keys_of(each.codes)
            if keys is not None:
                yield (
                    each,
                    tuple(
                        self._sector(each.sector)
                        if dimension is Dimension.SECTOR
                        else each.status
                        if dimension is Dimension.STATUS
                        else keys[dimension]
                        for dimension in by
                    ),
                )

    def _sector(self, sector: str) -> str:
        if sector not in self._sectors:
            level = self._query.filters.level
            key, within = sector_key(sector or None, level, self._theatre)
            self._sectors[sector] = f"{key}/{within}" if within else key
        return self._sectors[sector]


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
        for each, _ in self._filer.filed(sums, asked, by=()):
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
        return sorted(wanted, key=self._order)

    def row(self, position: Position, cell: Measures | None, at: Bucket | None = None) -> Row:
        """The row at a position; with `at`, what it was in other days."""
        period, keys = position
        shown: dict[str, str | None] = {}
        sector = self._query.filters.sector
        for dimension, key in zip(self._query.by, keys, strict=True):
            shown[dimension.value] = key
            if dimension is Dimension.SECTOR:
                place, _, within = key.partition("/")
                shown[dimension.value], shown["within"] = place, within or None
                sector = self._theatre.sectors.tree.finer(sector, place)
        bucket = at or self._buckets.get(period)
        covered = self._covered(sector, bucket)
        return self._shown(at.key if at else period, bucket, shown, cell, covered)

    def total(self, cell: Measures | None, at: Bucket | None = None) -> Row:
        asked, timeline = self._query.filters, self._timeline
        everything = asked.first or timeline.first, asked.last or timeline.last
        bucket = at or Bucket("total", *everything)
        covered = self._covered(self._query.filters.sector, bucket)
        return self._shown("total", bucket, {}, cell, covered)

    def _covered(self, sector: str | None, bucket: Bucket | None) -> Covered | None:
        if bucket is None or sector == UNLOCATED:
            return None
        return self._watch.of(sector or self._theatre.root, bucket.start, bucket.end)

    @staticmethod
    def _shown(
        period: str,
        bucket: Bucket | None,
        keys: Mapping[str, str | None],
        cell: Measures | None,
        covered: Covered | None,
    ) -> Row:
        if cell is None:
            nothing = 0 if covered is Covered.FULL else None
            none = {outcome: Sum(nothing, nothing) for outcome in SUMMED_OUTCOMES}
            counts = (nothing, nothing, nothing, nothing)
            return Row(period, bucket, keys, *counts, none, False, coverage=covered)
        return Row(
            period,
            bucket,
            keys,
            *counts_of(cell),
            figures_of(cell),
            is_remainder(cell),
            coverage=covered,
        )

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

    def _order(self, position: Position) -> tuple[object, ...]:
        """In the order of time and of the reference data; what lies outside either comes last."""
        period, keys = position
        bucket = self._buckets.get(period)
        ranks = [
            (self._ranks[d].get(key, len(self._ranks[d])), key)
            for d, key in zip(self._query.by, keys, strict=True)
        ]
        days = [bucket.start, bucket.end] if bucket else [period]
        return (bucket is None, *map(str, days), *ranks)

    @staticmethod
    def _check_size(wanted: Sized) -> None:
        if len(wanted) > LARGEST_GRID:
            raise Invalid(
                f"would give more than {LARGEST_GRID:,} rows; "
                "narrow from and to, or ask for a coarser period or fill=none",
                "period",
            )


def _summed(every: Iterable[Measures]) -> Measures | None:
    found = [*every]
    return reduce(added, found) if found else None


def _add(sums: dict[Place, Measures], place: Place, measures: Measures) -> None:
    known = sums.get(place)
    sums[place] = measures if known is None else added(known, measures)
