"""Sums over incidents whose cells add up to their total.

An incident's account is split into shares, one for every combination of keys it has in the
dimensions asked for; a cell is the sum of the shares with its keys. A share that fits no bucket
of time has the key `spanning`, one known only above the asked depth of the sector tree
`unlocated`, so nothing selected is ever left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, fields
from itertools import product
from typing import Final

from service.domain.coverage import Covered, Watch
from service.domain.figures import Sum
from service.domain.incidents import Account, Contribution
from service.domain.periods import Bucket, Grain, Timeline
from service.domain.queries import (
    OVERLAPPING,
    AggregateQuery,
    Clock,
    Dimension,
    IncidentQuery,
)
from service.domain.theatre import Theatre
from service.domain.verification import COUNTED, STRENGTH
from service.domain.vocabulary import (
    SUMMED_OUTCOMES,
    UNLOCATED,
    UNMAPPED,
    UNSTATED,
    Outcome,
    Status,
)
from service.domain.weapons import Weapons
from service.domain.when import When, month_bounds
from service.errors import Invalid

LARGEST_GRID = 10_000

# One value per dimension asked for, in the order of the question; `unlocated` carries its
# `within` behind a slash. With the key of the period before them they name a cell.
Keys = tuple[str, ...]
Position = tuple[str, Keys]

# Dimensions that split an account's figures; the others only file it.
_FIGURE_DIMENSIONS = (Dimension.PARTY, Dimension.STATUS)

# How finely sums with hidden incidents are cut: by month and to the first depth of sectors.
_ATOM_DEPTH: Final = 1
_ALONG_ATOMS: Final = frozenset({Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.TOTAL})
# Of a question's filters those that may cut such sums, and who asks.
_CUTS_ALONG_ATOMS: Final = frozenset({"first", "last", "sector", "level", "sees", "own"})
_PARAMETERS: Final = {"text": "q"}


@dataclass(frozen=True, slots=True)
class Telling:
    """An account, and whose it is: everybody's (`None`) or one claimant's."""

    account: Account
    claimant: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell. Counts are `None` where nothing is recorded and nobody watched throughout."""

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


@dataclass(frozen=True, slots=True)
class Table:
    """The answer: rows, and the total that counts each incident once."""

    rows: Sequence[Row]
    total: Row
    additive: bool
    timeline: Timeline


@dataclass(slots=True)
class _Cell:
    incidents: int = 0
    episodes: int = 0
    reports: int = 0
    possible_duplicates: int = 0
    remainder: bool = False
    shares: int = 0
    figures: dict[Outcome, Sum] = field(
        default_factory=lambda: {outcome: Sum() for outcome in SUMMED_OUTCOMES}
    )

    def add(self, share: "_Share") -> None:
        self.shares += 1
        if share.counts:
            self.incidents += not share.account.episode
            self.episodes += share.account.episode
            self.reports += share.account.reports
            self.possible_duplicates += share.account.possible_duplicate
        for outcome, contribution in share.figures.items():
            self.figures[outcome].add(contribution.figure)
            self.remainder = self.remainder or contribution.remainder
        for outcome in share.unknown:
            self.figures[outcome].unknown += 1


@dataclass(frozen=True, slots=True)
class _Share:
    account: Account
    counts: bool
    figures: Mapping[Outcome, Contribution]
    unknown: Sequence[Outcome]


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
    splitter = _Splitter(query.filters, theatre)
    grid = _Grid(query, timeline, theatre, watch)
    by_claimant = Dimension.CLAIMANT in query.by
    cells: dict[Position, _Cell] = {}
    overall = _Cell()
    for telling in tellings:
        if telling.claimant is None:
            for _, share in splitter.split(telling, ()):
                overall.add(share)
        if (telling.claimant is not None) == by_claimant:
            period = grid.period(moment(telling.account, query.filters.clock, theatre))
            for keys, share in splitter.split(telling, query.by):
                cells.setdefault((period, keys), _Cell()).add(share)
    return Table(
        rows=[grid.row(position, cells.get(position)) for position in grid.positions(cells)],
        total=grid.total(overall),
        additive=not OVERLAPPING.intersection(query.by),
        timeline=timeline,
    )


def moment(account: Account, clock: Clock, theatre: Theatre) -> When:
    """The account's time on the chosen clock; that of receipt is a day."""
    match clock:
        case Clock.EVENT:
            return account.when
        case Clock.REPORTED:
            return account.first_reported
        case Clock.RECEIVED:
            day = theatre.day_of(account.first_received)
            return When(day, day)


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


def _asked_weapons(
    used: frozenset[str], filters: IncidentQuery, weapons: Weapons
) -> frozenset[str]:
    """Those that the filter selects: rows of other weapons are not asked for."""
    asked = filters.weapon
    if asked is None:
        return used
    if asked not in weapons:
        return frozenset(w for w in used if asked == UNMAPPED and w not in weapons)
    return used & ({asked} if filters.weapon_exact else weapons.tree.branch(asked))


class _Splitter:
    """Splits an account into shares along dimensions, keeping what the filters select."""

    def __init__(self, filters: IncidentQuery, theatre: Theatre) -> None:
        self._filters = filters
        self._theatre = theatre

    def split(self, telling: Telling, by: Sequence[Dimension]) -> Iterator[tuple[Keys, _Share]]:
        account = telling.account
        plain = {d: self._keys(telling, d) for d in by if d not in _FIGURE_DIMENSIONS}
        for party in self._parties(account, split=Dimension.PARTY in by):
            for status, share in self._by_status(account, party, split=Dimension.STATUS in by):
                for combination in product(*plain.values()):
                    keys = {
                        **dict(zip(plain, combination, strict=True)),
                        Dimension.PARTY: party or "",
                        Dimension.STATUS: status or "",
                    }
                    yield tuple(keys[d] for d in by), share

    def _keys(self, telling: Telling, dimension: Dimension) -> list[str]:
        level = self._filters.level
        if dimension is Dimension.SECTOR:
            key, within = sector_key(telling.account.sector, level, self._theatre)
            return [f"{key}/{within}" if within else key]
        if dimension is Dimension.WEAPON:
            weapons = self._theatre.weapons
            used = _asked_weapons(telling.account.weapons, self._filters, weapons)
            return sorted({weapons.at_level(w, level) for w in used}) or [UNSTATED]
        return [telling.claimant or ""]

    def _parties(self, account: Account, *, split: bool) -> list[str | None]:
        wanted = self._filters.party
        if not split:
            return [wanted]
        stated: set[str | None] = {party for party, _ in account.contributions if party}
        return [p for p in stated or {UNSTATED} if wanted in (None, p)]

    def _by_status(
        self, account: Account, party: str | None, *, split: bool
    ) -> Iterator[tuple[Status | None, _Share]]:
        """The account's figures, apart by their own status where asked.

        The incident counts under its own status, each figure under that of the report behind it.
        """
        figures = {
            outcome: contribution
            for outcome in SUMMED_OUTCOMES
            if (contribution := account.contributions.get((party, outcome)))
        }
        whose = None if party == UNSTATED else party
        unknown = [o for o in SUMMED_OUTCOMES if account.unknown((whose, o))]
        if not split and self._filters.status is None:
            yield None, _Share(account, counts=True, figures=figures, unknown=unknown)
            return
        for status in Status:
            counts = account.status is status
            of_status = {o: c for o, c in figures.items() if c.status is status}
            if self._filters.status in (None, status) and (counts or of_status):
                yield (
                    status if split else None,
                    _Share(account, counts, of_status, unknown if counts else ()),
                )


class _Grid:
    """Which rows an answer has, in which order, and what an empty one says."""

    def __init__(
        self, query: AggregateQuery, timeline: Timeline, theatre: Theatre, watch: Watch
    ) -> None:
        self._query = query
        self._timeline = timeline
        self._theatre = theatre
        self._watch = watch
        self._buckets: dict[str, Bucket] = {}
        self._ranks = {d: {key: rank for rank, key in enumerate(self._known(d))} for d in query.by}

    def period(self, when: When) -> str:
        """The key of the row's period, its bucket remembered."""
        key, bucket = self._timeline.place(when)
        if bucket is not None:
            self._buckets[key] = bucket
        return key

    def positions(self, filled: Iterable[Position]) -> list[Position]:
        wanted = set(filled)
        if self._query.dense:
            for bucket in self._timeline.buckets():
                self._buckets[bucket.key] = bucket
                values = [self._offered(dimension, bucket) for dimension in self._query.by]
                wanted.update((bucket.key, keys) for keys in product(*values))
                self._check_size(wanted)
        self._check_size(wanted)
        return sorted(wanted, key=self._order)

    def row(self, position: Position, cell: _Cell | None) -> Row:
        period, keys = position
        shown: dict[str, str | None] = {}
        sector = self._query.filters.sector
        for dimension, key in zip(self._query.by, keys, strict=True):
            shown[dimension.value] = key
            if dimension is Dimension.SECTOR:
                place, _, within = key.partition("/")
                shown[dimension.value], shown["within"] = place, within or None
                sector = self._theatre.sectors.tree.finer(sector, place)
        bucket = self._buckets.get(period)
        return self._shown(period, bucket, shown, cell, self._covered(sector, bucket))

    def total(self, cell: _Cell) -> Row:
        bucket = Bucket("total", self._timeline.first, self._timeline.last)
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
        cell: _Cell | None,
        covered: Covered | None,
    ) -> Row:
        if cell is None or not cell.shares:
            nothing = 0 if covered is Covered.FULL else None
            none = {outcome: Sum(nothing, nothing) for outcome in SUMMED_OUTCOMES}
            counts = (nothing, nothing, nothing, nothing)
            return Row(period, bucket, keys, *counts, none, False, coverage=covered)
        return Row(
            period,
            bucket,
            keys,
            cell.incidents,
            cell.episodes,
            cell.reports,
            cell.possible_duplicates,
            cell.figures,
            cell.remainder,
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
                known = frozenset(self._known(dimension))
                asked_for = _asked_weapons(known, filters, theatre.weapons)
                return sorted({theatre.weapons.at_level(w, filters.level) for w in asked_for})
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
        return (bucket is None, str(bucket.start) if bucket else period, *ranks)

    @staticmethod
    def _check_size(wanted: Sized) -> None:
        if len(wanted) > LARGEST_GRID:
            raise Invalid(
                f"would give more than {LARGEST_GRID:,} rows; "
                "narrow from and to, or ask for a coarser period or fill=none",
                "period",
            )
