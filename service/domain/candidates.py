"""Which incident a report, or another incident, may belong to, with reasons a person can read.

A sum of weights in bits after Fellegi & Sunter, "A Theory for Record Linkage", Journal of the
American Statistical Association 64 (1969): each matter compared adds log2 of how much likelier
what is seen is between two accounts of one event than between accounts of two. What is not
known adds nothing. A hint for people: nothing is merged by it. See docs/candidates.md.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from service.domain.figures import Figure
from service.domain.places import EARTH_RADIUS_KM, Point
from service.domain.sectors import Sectors
from service.domain.vocabulary import Outcome, Precision
from service.domain.weapons import Weapons
from service.domain.when import When

# What a pair must reach to be shown: one day does while nothing speaks against it, one place not.
POSSIBLE: Final = 5.0

# How far from its coordinates an event may lie, in km. UCDP GED's second grade is 25 km.
RADIUS_KM: Final[Mapping[Precision, float]] = {
    Precision.EXACT: 1,
    Precision.SETTLEMENT: 3,
    Precision.DISTRICT: 25,
    Precision.SECTOR: 75,
}

# Time. The chance that two events meet: fighting comes in bursts, the rest is spread over a season.
_BURST: Final = 1 / 64
_SEASON_DAYS: Final = 90
# Accounts of one event are seldom days apart.
_BITS_PER_DAY: Final = 2.0
# Where both give times of day, twelve hours make two events of what one day leaves open.
_BITS_PER_HOUR: Final = 0.25

# Place. Likewise: the same few places are fought over, the rest is spread over an area.
_HOTSPOT: Final = 1 / 32
_AREA_RADIUS_KM: Final = 100
# Coordinates of one event are set at another end of its district more often than beyond it.
_BITS_PER_KM: Final = 0.25
# Sectors, by the depth they share: the line (1), its section (2 and deeper); and where they part.
_SHARED_SECTOR: Final = (0.0, 2.0, 3.0)
_PARTED_SECTOR: Final = (-4.0, -2.0)

# Weapons. A handful of classes make up most events, and witnesses mistake one for another.
_SAME_WEAPON: Final = 2.0
_FINER_WEAPON: Final = 1.5
_OTHER_WEAPON: Final = -1.5

# Figures. Three accounts of one event in five give figures that meet.
_FIGURES_MEET: Final = 0.6
_MOST_PER_FIGURE: Final = 4.0
_MOST_FOR_FIGURES: Final = 6.0
# Rival claims differ, and tolls grow: figures that exclude each other say little.
_APART: Final = -0.5
_FURTHEST_APART: Final = -3.0

# A claimant follows up what it reported, and replaces its figure rather than giving two.
_SAME_CLAIMANT: Final = 0.5
_SAME_CLAIMANT_OTHERWISE: Final = -1.0

# Words. One in five is shared by chance; few words prove little.
_LEAST_LETTERS: Final = 4
_SHARED_BY_CHANCE: Final = 0.2
_FEW_WORDS: Final = 4
_BITS_FOR_WORDS: Final = 5.0


class Matter(StrEnum):
    """What is compared."""

    TIME = "time"
    PLACE = "place"
    WEAPONS = "weapons"
    FIGURES = "figures"
    CLAIMANTS = "claimants"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Trace:
    """What is compared of a report or an incident.

    `figures` are everybody's, one per outcome; `words` are folded (`places.fold_words`).
    """

    incident: str
    when: When
    sector: str | None = None
    point: Point | None = None
    weapons: frozenset[str] = frozenset()
    figures: Mapping[Outcome, Figure] = field(default_factory=dict)
    claimants: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    # Those of the words that are compared: picked once, since one trace meets many.
    telling: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        long = frozenset(word for word in self.words if len(word) >= _LEAST_LETTERS)
        object.__setattr__(self, "telling", long)


@dataclass(frozen=True, slots=True)
class Reason:
    """What one matter says, in bits: above zero for the same event, below zero against it."""

    matter: Matter
    weight: float
    says: str


class _Weighed(NamedTuple):
    """A reason before it is put into words: of most pairs only the sum is asked for."""

    matter: Matter
    weight: float
    says: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that may be the same event. `score` is the sum of its reasons' weights."""

    incident: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far apart two traces can lie and still reach a threshold.

    `days` between the nearest days of both, an open side reaching without end; `km` between
    both points, beyond the radius of each one's precision. Without two points only `days` holds.
    """

    days: int
    km: int


def candidates(
    new: Trace,
    others: Iterable[Trace],
    sectors: Sectors,
    weapons: Weapons,
    threshold: float = POSSIBLE,
    most: int | None = None,
) -> list[Candidate]:
    """Those of `others` that may be the same event as `new`, best first, then by id; `most` keeps
    the best. An incident is named once, by the best of its traces."""
    reach = broadest(threshold)
    found: dict[str, tuple[float, Trace]] = {}
    for other in others:
        if other.incident == new.incident or not within(reach, new, other):
            continue
        score = _sum(_weigh(new, other, sectors, weapons))
        best = found.get(other.incident)
        if score >= threshold and (best is None or score > best[0]):
            found[other.incident] = score, other
    ranked = sorted(found.values(), key=lambda each: (-each[0], each[1].incident))
    return [compare(new, other, sectors, weapons) for _, other in ranked[:most]]


def compare(new: Trace, other: Trace, sectors: Sectors, weapons: Weapons) -> Candidate:
    """All that speaks for and against one event. Either way round gives the same score."""
    weighed = _weigh(new, other, sectors, weapons)
    reasons = tuple(Reason(w.matter, w.weight, w.says()) for w in weighed if w.weight)
    return Candidate(other.incident, _sum(weighed), reasons)


def _weigh(new: Trace, other: Trace, sectors: Sectors, weapons: Weapons) -> tuple[_Weighed, ...]:
    return (
        *_time(new.when, other.when),
        *_place(new, other, sectors),
        *_weapons(new.weapons, other.weapons, weapons),
        *_figures(new.figures, other.figures),
        *_claimants(new, other),
        *_text(new.telling, other.telling),
    )


def _sum(weighed: Iterable[_Weighed]) -> float:
    return round(math.fsum(each.weight for each in weighed), 2)


def within(reach: Reach, a: Trace, b: Trace) -> bool:
    """Whether two traces lie near enough to be worth comparing; asks for no more than when and
    where they are."""
    if _days_apart(a.when, b.when) > reach.days:
        return False
    if a.point is None or b.point is None:
        return True
    radii = radius_km(a.point), radius_km(b.point)
    if radii[0] is None or radii[1] is None:
        return True
    return distance_km(a.point, b.point) <= reach.km + radii[0] + radii[1]


def broadest(threshold: float) -> Reach:
    """Nothing beyond it can reach the threshold, whatever else agrees: a query may leave it out."""
    spare = sum(MOST.values()) - threshold
    # A kilometre more, since weights are rounded.
    return Reach(
        max(2, math.ceil(spare / _BITS_PER_DAY)), max(0, math.ceil(spare / _BITS_PER_KM)) + 1
    )


def _weighed(matter: Matter, weight: float, says: Callable[[], str]) -> Iterator[_Weighed]:
    # Two decimals are finer than any of the constants is known.
    yield _Weighed(matter, round(weight, 2) + 0.0, says)


def _time(a: When, b: When) -> Iterator[_Weighed]:
    days, hours = _days_apart(a, b), _hours_apart(a, b)
    against = _BITS_PER_DAY * days if hours is None else _BITS_PER_HOUR * hours
    return _weighed(
        Matter.TIME, _same_time(a, b) - against, lambda: _time_in_words(a, b, days, hours)
    )


def _time_in_words(a: When, b: When, days: int, hours: float | None) -> str:
    if hours:
        minutes = math.ceil(hours * 60)
        return f"{hours:,.1f} hours apart" if hours >= 1 else f"{_counted(minutes, 'minute')} apart"
    if days and hours is None:
        return f"{_counted(days, 'day')} between {_span(a)} and {_span(b)}"
    if (a.start, a.end) != (b.start, b.end):
        return f"{_span(a)} and {_span(b)} overlap"
    if a.start == a.end:
        return f"both on {_span(a)}"
    return f"both {'lasted' if a.lasted and b.lasted else 'within'} {_span(a)}"


def _same_time(a: When, b: When) -> float:
    """What meeting is worth: the less, the more days both leave open."""
    if a.is_open or b.is_open:
        return 0.0
    if a.lasted and b.lasted and (a.start, a.end) == (b.start, b.end):
        return _bits_of_time(1)
    return _bits_of_time(_days_open(a) + _days_open(b) - 1)


def _bits_of_time(days: int) -> float:
    return max(0.0, -math.log2(_BURST + days / _SEASON_DAYS))


def _days_open(when: When) -> int:
    return (when.known_end - when.known_start).days + 1


def _days_apart(a: When, b: When) -> int:
    """Days from the end of the earlier to the start of the later; 0 where both can meet."""
    gaps = [
        (later.start - earlier.end).days
        for earlier, later in ((a, b), (b, a))
        if earlier.end is not None and later.start is not None
    ]
    return max([0, *gaps])


def _hours_apart(a: When, b: When) -> float | None:
    """Hours between times of day that are given at both ends by both; otherwise `None`."""
    if not (a.earliest and a.latest and b.earliest and b.latest):
        return None
    gap = max((b.earliest - a.latest), (a.earliest - b.latest))
    return max(0.0, gap.total_seconds() / 3600)


def _place(a: Trace, b: Trace, sectors: Sectors) -> Iterator[_Weighed]:
    """By the points of both, given their precisions; without them by the sectors."""
    radii = [radius_km(trace.point) for trace in (a, b)]
    if a.point is None or b.point is None or radii[0] is None or radii[1] is None:
        yield from _sector(a.sector, b.sector, sectors)
        return
    open_km = radii[0] + radii[1]
    apart = distance_km(a.point, b.point)
    same = max(0.0, -math.log2(_HOTSPOT + (open_km / _AREA_RADIUS_KM) ** 2))
    says = "within" if apart <= open_km else "beyond"
    yield from _weighed(
        Matter.PLACE,
        same - _BITS_PER_KM * max(0.0, apart - open_km),
        lambda: f"{_km(apart)} apart, {says} the {open_km:g} km that both precisions leave open",
    )


def radius_km(point: Point | None) -> float | None:
    """How far from a point the event may lie; `None` where that is the whole theatre."""
    return RADIUS_KM.get(point.precision) if point else None


def _sector(a: str | None, b: str | None, sectors: Sectors) -> Iterator[_Weighed]:
    """Nested sectors speak for; a sector of the whole theatre says nothing."""
    tree = sectors.tree
    if a is None or b is None or a not in tree or b not in tree:
        return
    shallow, deep = sorted((tree.depth(a), tree.depth(b)))
    if shallow == 0:
        return
    first, last = (a, b) if a <= b else (b, a)
    if tree.holds(a, b) or tree.holds(b, a):
        weight = _SHARED_SECTOR[min(shallow, len(_SHARED_SECTOR) - 1)]
        holder, held = (a, b) if tree.holds(a, b) else (b, a)
        form = "both in {1}" if shallow == deep else "{0} lies in {1}"
    else:
        common = tree.finest([a, b])
        level = 0 if common is None else min(tree.depth(common), len(_PARTED_SECTOR) - 1)
        weight, (held, holder), form = _PARTED_SECTOR[level], (first, last), "in {0} and in {1}"
    yield from _weighed(
        Matter.PLACE,
        weight,
        lambda: form.format(_name_of(sectors, held), _name_of(sectors, holder)),
    )


def _name_of(sectors: Sectors, sector: str) -> str:
    known = sectors.get(sector)
    return known.name if known else sector


def _weapons(a: frozenset[str], b: frozenset[str], weapons: Weapons) -> Iterator[_Weighed]:
    """The best agreement of any two; a class agrees with those it contains."""
    if not a or not b:
        return
    pairs = sorted({(min(pair), max(pair)) for pair in product(a, b)})
    first, second = max(pairs, key=lambda pair: _weapon_weight(pair[0], pair[1], weapons))
    weight = _weapon_weight(first, second, weapons)
    if first == second:
        form = "both name {0}"
    elif weight > 0:
        form = "{0} and {1} may be the same weapon"
    else:
        form = "one names {0}, the other {1}"
    yield from _weighed(
        Matter.WEAPONS,
        weight,
        lambda: form.format(_weapon_name(weapons, first), _weapon_name(weapons, second)),
    )


def _weapon_weight(a: str, b: str, weapons: Weapons) -> float:
    tree = weapons.tree
    if a == b:
        return _SAME_WEAPON
    if a not in tree or b not in tree:
        # What matched no class may be any of them.
        return 0.0
    if tree.holds(a, b) or tree.holds(b, a):
        return _FINER_WEAPON
    return 0.0 if tree.finest([a, b]) else _OTHER_WEAPON


def _weapon_name(weapons: Weapons, weapon: str) -> str:
    known = weapons.find(weapon)
    return known.name.lower() if known else weapon


def _figures(a: Mapping[Outcome, Figure], b: Mapping[Outcome, Figure]) -> Iterator[_Weighed]:
    """Outcome by outcome, one reason for all: who is killed and who is wounded hang together."""
    both = [outcome for outcome in Outcome if outcome in a and outcome in b]
    if both:
        weight = sum(_figure_weight(a[outcome], b[outcome]) for outcome in both)
        yield from _weighed(
            Matter.FIGURES,
            min(_MOST_FOR_FIGURES, weight),
            lambda: "; ".join(_figure_in_words(o, a[o], b[o]) for o in both),
        )


def _figure_in_words(outcome: Outcome, a: Figure, b: Figure) -> str:
    agree = "agree" if a.meets(b) else "exclude each other"
    return f"{outcome} {_range(a)} and {_range(b)} {agree}"


def _figure_weight(a: Figure, b: Figure) -> float:
    if a.meets(b):
        # A range that many events fall into is easily met.
        chance = max(_chance(a), _chance(b))
        return max(0.0, min(_MOST_PER_FIGURE, math.log2(_FIGURES_MEET / chance)))
    below, above = (a, b) if a.low < b.low else (b, a)
    ratio = above.low / max(1, below.high or 0)
    return max(_FURTHEST_APART, _APART - math.log2(max(1.0, ratio)))


def _chance(figure: Figure) -> float:
    """The share of events with a count in the range, if one in n has n or more.

    Of 907 deadly events of UCDP GED 23.1, 45 % have 3 deaths or more, 15 % 10, 6 % 20, 1.5 % 50.
    No deaths count as often as one.
    """
    above = 0.0 if figure.high is None else 1 / (max(1, figure.high) + 1)
    return 1 / max(1, figure.low) - above


def _claimants(a: Trace, b: Trace) -> Iterator[_Weighed]:
    """A shared claimant; different ones say nothing, for rivals speak of the same events."""
    if a.claimants.isdisjoint(b.claimants):
        return
    differ = any(not a.figures[o].meets(b.figures[o]) for o in a.figures.keys() & b.figures.keys())
    apart = _days_apart(a.when, b.when)
    yield from _weighed(
        Matter.CLAIMANTS,
        _SAME_CLAIMANT_OTHERWISE if differ else _SAME_CLAIMANT,
        lambda: (
            "the same claimant speaks of both"
            + (f", {_counted(apart, 'day')} apart" if apart else "")
            + (", with figures that exclude each other" if differ else "")
        ),
    )


def _text(a: frozenset[str], b: frozenset[str]) -> Iterator[_Weighed]:
    """Shared words beyond those shared by chance; other words say nothing: languages differ."""
    shared, fewer = len(a & b), min(len(a), len(b))
    beyond = max(0.0, shared - _SHARED_BY_CHANCE * fewer)
    return _weighed(
        Matter.TEXT,
        _BITS_FOR_WORDS * beyond / (fewer + _FEW_WORDS),
        lambda: f"share {shared} of {_counted(fewer, 'word')}",
    )


def distance_km(a: Point, b: Point) -> float:
    """Along the great circle of a sphere, in km."""
    north, south = math.radians(a.latitude), math.radians(b.latitude)
    half = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north)
        * math.cos(south)
        * math.sin(math.radians(a.longitude - b.longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def _km(distance: float) -> str:
    return f"{distance:.0f} km" if distance >= 10 else f"{distance:.1f} km".replace(".0 ", " ")


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _range(figure: Figure) -> str:
    if figure.high is None:
        return f"at least {figure.low:,}"
    if figure.low == figure.high:
        return f"{figure.low:,}"
    return f"{figure.low:,} to {figure.high:,}"


def _span(when: When) -> str:
    if when.start is None:
        return f"on or before {_day(when.known_end)}"
    if when.end is None:
        return f"on or after {_day(when.known_start)}"
    if when.start == when.end:
        return _day(when.start)
    return f"{_day(when.start)} to {_day(when.end)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


# The most that each matter can say for one event.
MOST: Final[Mapping[Matter, float]] = {
    Matter.TIME: round(_bits_of_time(1), 2),
    Matter.PLACE: -math.log2(_HOTSPOT),
    Matter.WEAPONS: _SAME_WEAPON,
    Matter.FIGURES: _MOST_FOR_FIGURES,
    Matter.CLAIMANTS: _SAME_CLAIMANT,
    Matter.TEXT: _BITS_FOR_WORDS * (1 - _SHARED_BY_CHANCE),
}
BROADEST: Final = broadest(POSSIBLE)
