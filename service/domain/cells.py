"""What is kept summed: accounts cut into cells of time, sector, status and at most one code more.

One definition of what is summed (`CUBES`), by which units of time (`Cut`) and what a sum holds
(`MEASURES`); the tables, their upkeep, the questions they answer and the recount that checks them
all follow from it. A cell is the sum of shares; a share is what one account adds to it. Sums are
kept by the units of time that a share touches, from its first to its last, so what spans units
is exact too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property, lru_cache
from itertools import product
from operator import add
from typing import Final, NamedTuple, Protocol

from service.domain.figures import Sum
from service.domain.incidents import Account
from service.domain.periods import Bucket, Grain, calendar_bucket
from service.domain.queries import Clock, Dimension, IncidentQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import (
    SUMMED_OUTCOMES,
    UNMAPPED,
    UNSTATED,
    Outcome,
    Status,
)
from service.domain.weapons import Weapons
from service.domain.when import When

_COUNTS: Final = (
    *("shares", "incidents", "episodes", "reports", "possible_duplicates", "remainders"),
)
_PARTS: Final = ("told", "low", "best", "high", "open", "unknown")
MEASURES: Final = (*_COUNTS, *(f"{o}_{part}" for o in SUMMED_OUTCOMES for part in _PARTS))
"""What a sum holds, in this order: shares of accounts, the incidents, episodes, reports and
possible duplicates they count, how many shares are remainders; and by outcome how many figures
were told, their low, best and bounded high, how many are open and how many unknown."""
_SUMMED: Final = tuple(enumerate(SUMMED_OUTCOMES))

Measures = Sequence[int]
# A weapon itself without what is below it, where something is.
_EXACTLY: Final = "="
# Of one account several shares along these may count, each with a code.
CODED: Final = (Dimension.WEAPON, Dimension.PARTY, Dimension.CLAIMANT)


class Cube(NamedTuple):
    """What is summed apart: on one clock, by one dimension beside sector and status, or none."""

    clock: Clock
    dimension: Dimension | None = None

    def name(self, cut: str, *, together: bool = False) -> str:
        """What the cube is called that is cut into such units of time; `together` is the one whose
        cells hold all statuses."""
        return _name(self.clock, cut, self.dimension, together)


@lru_cache
def _name(clock: Clock, cut: str, dimension: Dimension | None, together: bool) -> str:
    return f"{clock}/{cut}/{dimension or ''}{'/together' if together else ''}"


class Cell(NamedTuple):
    """A place in a cube: the days of the first and last unit of time, the sector (empty for none),
    the status (empty for all together), the code in the cube's dimension (empty for none), and the
    circle of readers.

    `is_open` says that one side of the time is not known; the cell then lies at its known end.
    """

    cube: str
    start: date
    end: date
    is_open: bool
    sector: str
    status: str
    code: str
    level: int
    until_level: int


KEYS: Final = Cell._fields


class Share(NamedTuple):
    """What an account adds under one status and one code in each of some dimensions."""

    status: Status
    codes: tuple[str, ...]
    measures: Measures


class Cut(Protocol):
    """A way to cut time into units without gaps."""

    @property
    def name(self) -> str: ...

    def unit(self, day: date) -> tuple[date, date]:
        """The first and the last day of the unit that holds a day."""
        ...


@dataclass(frozen=True, slots=True)
class CalendarCut:
    """Time cut by the calendar."""

    grain: Grain

    @property
    def name(self) -> str:
        return self.grain.value

    def unit(self, day: date) -> tuple[date, date]:
        return _unit(self.grain, day)


@lru_cache(maxsize=65_536)
def _unit(grain: Grain, day: date) -> tuple[date, date]:
    bucket = calendar_bucket(grain, day)
    return bucket.start, bucket.end


@dataclass(frozen=True)
class NamedCut:
    """Time cut into the periods of a series and what lies between them."""

    series: str
    periods: tuple[Bucket, ...]

    @property
    def name(self) -> str:
        return f"{Grain.NAMED}:{self.series}"

    @cached_property
    def _starts(self) -> list[date]:
        after = (p.end + timedelta(days=1) for p in self.periods if p.end < date.max)
        return sorted({date.min, *(p.start for p in self.periods), *after})

    def unit(self, day: date) -> tuple[date, date]:
        starts = self._starts
        at = bisect_right(starts, day)
        end = starts[at] - timedelta(days=1) if at < len(starts) else date.max
        return starts[at - 1], end


DAYS: Final = CalendarCut(Grain.DAY)
CALENDAR: Final = (
    DAYS,
    *map(CalendarCut, (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)),
)
CUBES: Final = (
    *(Cube(Clock.EVENT, dimension) for dimension in (None, *CODED)),
    # What is asked by these clocks is asked rarely, and from days.
    *(Cube(c, d) for c in (Clock.REPORTED, Clock.RECEIVED) for d in (None, Dimension.CLAIMANT)),
)


class Kept(NamedTuple):
    """Cells of a cube as they are kept: in units of a cut, each status apart or all together."""

    cube: Cube
    cut: Cut
    together: bool = False

    @property
    def name(self) -> str:
        return self.cube.name(self.cut.name, together=self.together)

    @property
    def days(self) -> "Kept":
        """That from which all else of the cube follows."""
        return Kept(self.cube, DAYS)

    @property
    def source(self) -> "Kept":
        """The least from which this follows."""
        if self.together:
            return Kept(self.cube, self.cut)
        finer = _MADE_OF.get(self.cut.name)
        return self.days if finer is None else Kept(self.cube, CalendarCut(finer))


_MADE_OF: Final = {Grain.QUARTER.value: Grain.MONTH, Grain.YEAR.value: Grain.QUARTER}


def kept_of(cube: Cube, theatre: Theatre) -> Iterator[Kept]:
    """What is kept of a cube, first that from which the rest follows."""
    yield Kept(cube, DAYS)
    if cube.clock is Clock.EVENT:
        for cut in (*CALENDAR[1:], *_named(theatre)):
            yield Kept(cube, cut)
            yield Kept(cube, cut, together=True)


def _named(theatre: Theatre) -> Iterator[Cut]:
    return (NamedCut(series, theatre.named_buckets(series)) for series in theatre.series)


# What a cube can be narrowed by; all other filters ask the accounts themselves.
_NARROWING: Final = frozenset(
    {
        *("first", "last", "clock", "sector", "level", "within", "status", "counted"),
        *("weapon", "weapon_exact", "party", "according_to"),
        *("cell", "oldest_first", "sees", "own"),
    }
)


def cube_of(filters: IncidentQuery, dimensions: Sequence[Dimension]) -> Cube | None:
    """The cube that can answer a question whose shares are cut along dimensions, if one can."""
    nothing = IncidentQuery()
    narrowed = (f.name for f in fields(filters) if f.name not in _NARROWING)
    if len(dimensions) > 1 or any(
        getattr(filters, name) != getattr(nothing, name) for name in narrowed
    ):
        return None
    cube = Cube(filters.clock, *dimensions)
    return cube if cube in CUBES else None


def kept_for(
    cube: Cube,
    grain: Grain,
    series: str | None,
    filters: IncidentQuery,
    theatre: Theatre,
    *,
    by_status: bool,
) -> Kept:
    """The fewest kept cells of which a question's buckets and its span are made."""
    named = f"{Grain.NAMED}:{series or next(iter(theatre.series), '')}"
    kept = {(each.cut.name, each.together): each for each in kept_of(cube, theatre)}
    fitting = (*{**_FITTING, Grain.NAMED: (named,)}[grain], DAYS.name)
    found = (kept.get((name, not by_status)) or kept.get((name, False)) for name in fitting)
    return next(each for each in found if each and _is_aligned(each.cut, filters))


# The units of which a grain's buckets are made, coarsest first; days fit all.
_FITTING: Final[Mapping[Grain, tuple[str, ...]]] = {
    Grain.DAY: (),
    Grain.WEEK: (Grain.WEEK,),
    Grain.MONTH: (Grain.MONTH,),
    Grain.QUARTER: (Grain.QUARTER, Grain.MONTH),
    Grain.YEAR: (Grain.YEAR, Grain.QUARTER, Grain.MONTH),
    Grain.TOTAL: (Grain.YEAR, Grain.QUARTER, Grain.MONTH),
}


def _is_aligned(cut: Cut, filters: IncidentQuery) -> bool:
    first, last = filters.first, filters.last
    return (first is None or cut.unit(first)[0] == first) and (
        last is None or cut.unit(last)[1] == last
    )


def cells_of(
    account: Account, whose: str | None, circle: range, theatre: Theatre
) -> Iterator[tuple[Cell, Measures]]:
    """What an account that counts adds to the cells of days; `whose` it is, `None` for
    everybody's. `circle` holds the levels of the readers who are shown it."""
    if not account.counted:
        return
    by_dimension: dict[Dimension | None, list[Share]] = {}
    for cube in CUBES:
        dimension = cube.dimension
        if (dimension is Dimension.CLAIMANT) == (whose is not None):
            if dimension not in by_dimension:
                dimensions = (dimension,) if dimension else ()
                by_dimension[dimension] = [*shares_of(account, whose, dimensions, theatre)]
            when = moment(account, cube.clock, theatre)
            place = (cube.name(DAYS.name), when.known_start, when.known_end, when.is_open)
            for share in by_dimension[dimension]:
                cell = Cell(
                    *place,
                    account.sector or "",
                    share.status.value,
                    share.codes[0] if share.codes else "",
                    circle[0],
                    circle[-1],
                )
                yield cell, share.measures


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


def shares_of(
    account: Account, whose: str | None, dimensions: Sequence[Dimension], theatre: Theatre
) -> Iterator[Share]:
    """An account's shares along dimensions, apart by status.

    The incident counts under its own status, each figure under that of the report behind it.
    """
    split = Dimension.PARTY in dimensions
    plain = [_codes(account, whose, d, theatre) for d in dimensions if d is not Dimension.PARTY]
    for party in _parties(account) if split else (None,):
        by_status = [*_by_status(account, party)]
        for combination in product(*plain):
            rest = iter(combination)
            codes = tuple(party or "" if d is Dimension.PARTY else next(rest) for d in dimensions)
            for status, measures in by_status:
                yield Share(status, codes, measures)


def _codes(
    account: Account, whose: str | None, dimension: Dimension, theatre: Theatre
) -> Iterable[str]:
    if dimension is Dimension.CLAIMANT:
        return (whose or "",)
    return weapon_codes(account.weapons, theatre.weapons)


def weapon_codes(used: Iterable[str], weapons: Weapons) -> set[str]:
    """Every class that holds one of the weapons; of a weapon with classes below it also itself."""
    codes: set[str] = set()
    for weapon in used:
        if weapon in weapons:
            codes.update(weapons.tree.path(weapon))
            codes.add(_exactly(weapon, weapons))
        else:
            codes.add(UNMAPPED)
    return codes or {UNSTATED}


def _exactly(weapon: str, weapons: Weapons) -> str:
    return f"{_EXACTLY}{weapon}" if weapons.tree.children(weapon) else weapon


def _parties(account: Account) -> set[str]:
    return {party for party, _ in account.contributions if party} or {UNSTATED}


def _by_status(account: Account, party: str | None) -> Iterator[tuple[Status, Measures]]:
    whose = None if party == UNSTATED else party
    told: dict[Status, dict[Outcome, tuple[int, int, int, int, bool]]] = {account.status: {}}
    for outcome in SUMMED_OUTCOMES:
        if (contribution := account.contributions.get((party, outcome))) is not None:
            figure, high = contribution.figure, contribution.figure.high
            parts = (figure.low, figure.best, high or 0, high is None, contribution.remainder)
            told.setdefault(contribution.status, {})[outcome] = parts
    for status, figures in told.items():
        counts = status is account.status
        remains = any(parts[4] for parts in figures.values())
        measures = [
            1,
            counts and not account.episode,
            counts and account.episode,
            account.reports if counts else 0,
            counts and account.possible_duplicate,
            remains,
        ]
        for outcome in SUMMED_OUTCOMES:
            unknown = counts and account.unknown((whose, outcome))
            measures += [outcome in figures, *figures.get(outcome, _NOTHING)[:4], unknown]
        yield status, [*map(int, measures)]


_NOTHING: Final = (0, 0, 0, 0, False)


def added(a: Measures, b: Measures) -> Measures:
    return [*map(add, a, b)]


def negative(measures: Measures) -> Measures:
    return [-each for each in measures]


def counts_of(measures: Measures) -> tuple[int, int, int, int]:
    """Incidents, episodes, reports and possible duplicates."""
    _, incidents, episodes, reports, possible_duplicates, *_ = measures
    return incidents, episodes, reports, possible_duplicates


def has_shares(measures: Measures) -> bool:
    return measures[0] > 0


def is_remainder(measures: Measures) -> bool:
    return measures[5] > 0


def figures_of(measures: Measures) -> Mapping[Outcome, Sum]:
    """The sums by outcome that a cell's measures hold."""
    at = len(_COUNTS)
    figures: dict[Outcome, Sum] = {}
    for i, outcome in _SUMMED:
        told, low, best, high, opened, unknown = measures[at + 6 * i : at + 6 * i + 6]
        if told:
            figures[outcome] = Sum(low, best, high, opened, unknown)
        else:
            figures[outcome] = Sum(unknown=unknown)
    return figures


def weapon_rows(filters: IncidentQuery, weapons: Weapons) -> dict[str, str]:
    """The code of every row that sums by weapon have at the asked depth, with the row's key.

    The filter narrows the rows to the weapons it selects; what is known only above the depth has
    a row of its own.
    """
    tree, level = weapons.tree, filters.level
    if filters.weapon is not None:
        code = weapon_selection(filters, weapons)
        if filters.weapon not in weapons:
            return {code: filters.weapon}
        if filters.weapon_exact or tree.depth(filters.weapon) >= level:
            return {code: weapons.at_level(filters.weapon, level)}
        asked = sorted(tree.branch(filters.weapon))
    else:
        asked = [weapon.id for weapon in weapons]
    rows = {} if filters.weapon is not None else {UNMAPPED: UNMAPPED, UNSTATED: UNSTATED}
    for weapon in asked:
        if tree.depth(weapon) == level:
            rows[weapon] = weapon
        elif tree.depth(weapon) < level:
            rows[_exactly(weapon, weapons)] = weapon
    return rows


def weapon_selection(filters: IncidentQuery, weapons: Weapons) -> str:
    """The code of what the filter by weapon selects."""
    asked = filters.weapon or UNSTATED
    return _exactly(asked, weapons) if filters.weapon_exact and asked in weapons else asked
