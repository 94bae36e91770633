"""When and where things happen: few months and few sectors hold most of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from shapely.geometry import shape

from benchmarks.families import TIMES, Family, Spot, Time
from service.domain.places import Point
from service.domain.theatre import Theatre
from service.domain.vocabulary import Precision
from service.domain.when import When

FIRST_DAY: Final = date(1994, 7, 1)
YEARS: Final = 30
AT_ONCE: Final = 500_000
# How much faster the lesser months and sectors fall off.
_FALL_OF_MONTHS, _FALL_OF_SECTORS = 0.8, 0.9
_SPOTS_TRIED: Final = 6_000
# The Julian day number of 1 January 1970, of which SQLite makes a date.
_EPOCH: Final = 2_440_588
_MILLISECONDS: Final = 1_700_000_000_000


class Scenes:
    """Where and when things happen: few sectors and few months hold most of them."""

    def __init__(self, theatre: Theatre, chance: np.random.Generator) -> None:
        self._chance = chance
        spans = [sector.validity for sector in theatre.sectors]
        changes = {s.first for s in spans if s.first} | {
            s.last + timedelta(1) for s in spans if s.last
        }
        self._changes = sorted(changes)
        eras = [date.min, *self._changes, date.max]
        samples = _positions(theatre, chance)
        found = [
            [theatre.sectors.of_point(point, _on(start)) for point in samples]
            for start, _ in pairwise(eras)
        ]
        always = [
            sector if all(other[i] == sector for other in found) else None
            for i, sector in enumerate(found[0])
        ]
        ranks = [sector.id for sector in theatre.sectors]
        chance.shuffle(ranks)
        # The last is for what lies in several eras.
        self._spots = [_Spots(samples, sectors, ranks) for sectors in (*found, always)]
        [self.anywhere] = self._spots[-1].choose(chance, 1)
        months = np.arange(12 * YEARS)
        chance.shuffle(months)
        weights = 1 / (months + 1) ** _FALL_OF_MONTHS
        self._months = weights / weights.sum()

    def days(self, many: int) -> np.ndarray:
        """Days since 1970 on which things happen, in order."""
        first = np.datetime64(FIRST_DAY, "M")
        month = first + self._chance.choice(12 * YEARS, size=many, p=self._months)
        start = month.astype("datetime64[D]").astype(np.int64)
        length = (month + 1).astype("datetime64[D]").astype(np.int64) - start
        return np.sort(start + (self._chance.random(many) * length).astype(np.int64))

    def spots(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """A spot for each span of days, in a sector that exists throughout."""
        changes = np.array([(day - date(1970, 1, 1)).days for day in self._changes])
        eras = np.searchsorted(changes, first, side="right")
        eras[eras != np.searchsorted(changes, last, side="right")] = len(self._spots) - 1
        chosen = np.empty(len(first), dtype=object)
        for era, spots in enumerate(self._spots):
            here = np.flatnonzero(eras == era)
            chosen[here] = spots.choose(self._chance, len(here))
        return chosen


class _Spots:
    def __init__(
        self, samples: Sequence[Point], sectors: Sequence[str | None], ranks: Sequence[str]
    ) -> None:
        held = {sector for sector in sectors if sector is not None}
        order = [sector for sector in ranks if sector in held]
        many = {sector: sectors.count(sector) for sector in order}
        spots, weights = [], []
        for point, sector in zip(samples, sectors, strict=True):
            if sector is not None:
                spots.append(Spot(sector, point.latitude, point.longitude))
                share = 1 / (order.index(sector) + 1) ** _FALL_OF_SECTORS
                weights.append(share / many[sector])
        self._spots = np.empty(len(spots), dtype=object)
        self._spots[:] = spots
        self._weights = np.array(weights) / sum(weights)

    def choose(self, chance: np.random.Generator, many: int) -> np.ndarray:
        return self._spots[chance.choice(len(self._spots), size=many, p=self._weights)]


def _on(day: date) -> When:
    return When(day, day)


def _positions(theatre: Theatre, chance: np.random.Generator) -> list[Point]:
    """Positions all over the area that is drawn."""
    bounds = np.array(
        [shape(dict(sector.geometry)).bounds for sector in theatre.sectors if sector.geometry]
    )
    west, south, east, north = (
        *bounds[:, :2].min(axis=0),
        *bounds[:, 2:].max(axis=0),
    )
    return [
        Point(round(latitude, 5), round(longitude, 5), Precision.SETTLEMENT)
        for latitude, longitude in zip(
            chance.uniform(south, north, _SPOTS_TRIED).tolist(),
            chance.uniform(west, east, _SPOTS_TRIED).tolist(),
            strict=True,
        )
    ]


@dataclass(frozen=True, slots=True)
class Happenings:
    """What happens, in order: which family, from which day of 1970 on to which, and where."""

    family: np.ndarray
    first: np.ndarray
    last: np.ndarray
    spot: np.ndarray

    def parts(self) -> Iterator[tuple[int, "Happenings"]]:
        """So many at a time as are written in one transaction, with the number of the first."""
        for begin in range(0, len(self.family), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            yield (
                begin,
                Happenings(self.family[some], self.first[some], self.last[some], self.spot[some]),
            )

    def rows(self, begin: int) -> Iterator[tuple[Any, ...]]:
        """Number, family, first digits of ids, Julian days, month, year and spot of each."""
        texts = self.last.astype("datetime64[D]").astype(str).tolist()
        for number, (family, first, last, text, spot) in enumerate(
            zip(
                self.family.tolist(),
                self.first.tolist(),
                self.last.tolist(),
                texts,
                self.spot,
                strict=True,
            ),
            begin,
        ):
            prefix = f"{_MILLISECONDS + number:012x}"
            days = (first + _EPOCH, last + _EPOCH, text[:7], text[:4])
            place = (spot.sector, spot.latitude, spot.longitude)
            yield (number, family, prefix, *days, *place)


def happen(recorded: Sequence[Family], scenes: Scenes, incidents: int) -> Happenings:
    """Let families happen until there are so many incidents."""
    chance = np.random.default_rng(incidents)
    sizes = np.array([family.incidents for family in recorded])
    chosen = chance.integers(len(recorded), size=incidents)
    reached = np.cumsum(sizes[chosen])
    chosen = chosen[: int(np.searchsorted(reached, incidents)) + 1]
    times = np.array([TIMES.index(family.time) for family in recorded])[chosen]
    last = scenes.days(len(chosen))
    first = last.copy()
    for number, written in enumerate(TIMES):
        here = times == number
        first[here], last[here] = _span(written, last[here])
    return Happenings(chosen, first, last, scenes.spots(first, last))


def _span(written: Time, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and last days of what is written so, around these days."""
    if written.unit == "day":
        return days - (written.last - written.first).days, days
    unit = days.astype("datetime64[D]").astype(f"datetime64[{written.unit[0].upper()}]")
    start = unit.astype("datetime64[D]").astype(np.int64)
    end = (unit + 1).astype("datetime64[D]").astype(np.int64) - 1
    return start, end
