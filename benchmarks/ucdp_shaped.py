"""Made-up reports in the shape of an import of UCDP GED for one country: few places and few months
hold most of the events, most of them a day's, told by one to four articles.

Nothing in it happened. The same seed always gives the same reports.
"""

import random
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

Json = dict[str, Any]

CLAIMANT: Final = "ucdp"
FIRST_YEAR: Final = 1994
YEARS: Final = 30
# How many of the months and places there are, and how fast the lesser ones fall off.
_PLACES: Final = 400
_FALL_OF_MONTHS: Final = 0.8
_FALL_OF_PLACES: Final = 0.9
# Where it happens, in degrees: four by four areas in a country the size of Ukraine.
_SOUTH, _WEST, _HIGH, _WIDE, _ACROSS = 44, 22, 2, 4.5, 4
_PARTIES: Final = ("armenia", "azerbaijan", "nk-de-facto")
_SIDES: Final = (*_PARTIES, "Wagner group", "Northern front", "Council of the east")
_VIOLENCE: Final = ("State-based violence", "Non-state violence", "One-sided violence")
_PRECISIONS: Final = ("exact", "settlement", "district", "sector")
_OFFICES: Final = (
    "Agence France Presse",
    "Reuters News",
    "BBC Monitoring Trans Caucasus Unit",
    "Interfax",
    "Associated Press",
    "Turan news agency",
    "ARMENPRESS",
    "Caucasian Knot",
    "Radio Free Europe Documents and Publications",
)
_SYLLABLES: Final = ("ag", "ba", "dar", "er", "gal", "ish", "kar", "lu", "mar", "nav", "or", "shen")
_TEXT: Final = (
    "positions shelled soldiers killed wounded near village border line contact ministry defence "
    "spokesman denied accused forces violated ceasefire overnight sniper fire mortar artillery "
    "reported army servicemen exchange attack died clashes troops says officials separatist region "
    "truce monitors observers peace talks despite escalation civilians houses damaged road column "
    "reconnaissance group repelled losses advance heights post district town source local"
)
_WORDS: Final = _TEXT.split()


def areas(within: str) -> list[Json]:
    """Entries of the reference data for the sectors that the reports lie in, below another."""
    return [_area(within, row, column) for row in range(_ACROSS) for column in range(_ACROSS)]


def _area(within: str, row: int, column: int) -> Json:
    south, west = _SOUTH + row * _HIGH, _WEST + column * _WIDE
    north, east = south + _HIGH, west + _WIDE
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "id": f"area-{row}-{column}",
        "name": f"Area {row}-{column}",
        "parent": within,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def reports(count: int, seed: int = 1) -> Iterator[Json]:
    """So many reports as `ReportIn` takes them, in the order of their days."""
    chance = random.Random(seed)  # noqa: S311
    places = [_place(chance) for _ in range(_PLACES)]
    weights = [1 / (rank + 1) ** _FALL_OF_PLACES for rank in range(_PLACES)]
    for first, many in _months(count, chance):
        days = monthrange(first.year, first.month)[1]
        for day in sorted(chance.randrange(days) for _ in range(many)):
            [place] = chance.choices(places, weights)
            yield _report(chance, first + timedelta(days=day), place)


def _months(count: int, chance: random.Random) -> Iterator[tuple[date, int]]:
    """The first days of the months with how many of the reports fall into each."""
    months = [date(FIRST_YEAR + i // 12, i % 12 + 1, 1) for i in range(12 * YEARS)]
    ranks = list(range(len(months)))
    chance.shuffle(ranks)
    weights = [1 / (rank + 1) ** _FALL_OF_MONTHS for rank in ranks]
    whole, before = sum(weights), 0.0
    bounds = [0]
    for weight in weights:
        before += weight
        bounds.append(round(count * before / whole))
    for month, (begin, end) in zip(months, pairwise(bounds), strict=True):
        yield month, end - begin


def _place(chance: random.Random) -> tuple[str, float, float]:
    name = "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).capitalize()
    latitude = round(chance.uniform(_SOUTH, _SOUTH + _ACROSS * _HIGH), 6)
    return name, latitude, round(chance.uniform(_WEST, _WEST + _ACROSS * _WIDE), 6)


def _report(chance: random.Random, day: date, place: tuple[str, float, float]) -> Json:
    name, latitude, longitude = place
    [precision] = chance.choices(_PRECISIONS, (30, 45, 15, 10))
    sources = [_source(chance, day, name) for _ in range(chance.choice((1, 1, 2, 2, 3, 4)))]
    sides = chance.sample(_SIDES, 2)
    conflict = f"{sides[0]}: {chance.choice(('Government', 'Territory'))}"
    return {
        "id": str(UUID(int=chance.getrandbits(128), version=4)),
        "when": _when(chance, day),
        "where": {
            "lat": latitude,
            "lon": longitude,
            "precision": precision,
            "as_written": f"{name} village; {_sentence(chance, name, 6)}",
        },
        "claimant": CLAIMANT,
        "casualties": _casualties(chance, sides),
        "summary": f"{chance.choice(_VIOLENCE)}: {' - '.join(sides)}. Conflict: {conflict}.",
        "sources": sources,
    }


def _when(chance: random.Random, day: date) -> str:
    kind = chance.random()
    if kind < 0.80:
        return day.isoformat()
    if kind < 0.96:
        return f"[{day}..{day + timedelta(days=chance.randint(1, 6))}]"
    return f"{day:%Y-%m}"


def _casualties(chance: random.Random, sides: list[str]) -> list[Json]:
    """A line for all with its range, and one for each side and for civilians that had losses."""
    [side_a, side_b, civilians, unknown] = (
        min(500, int(chance.paretovariate(1.1))) if chance.random() < share else 0
        for share in (0.55, 0.3, 0.25, 0.06)
    )
    best = side_a + side_b + civilians + unknown
    low = best - (chance.randint(0, best // 2) if chance.random() < 0.2 else 0)
    high = best + (chance.randint(0, best + 3) if chance.random() < 0.3 else 0)
    lines: list[Json] = [{"killed": {"low": low, "best": best, "high": high}}]
    lines += [
        {"party": party, "group": "military", "killed": _at_most(high, count)}
        for party, count in zip(sides, (side_a, side_b), strict=True)
        if count
    ]
    return lines + ([{"group": "civilian", "killed": civilians}] if civilians else [])


def _at_most(high: int, count: int) -> int | Json:
    return count if high < 20 else {"low": count // 2, "best": count, "high": count}


def _source(chance: random.Random, day: date, name: str) -> Json:
    published = day + timedelta(days=chance.randint(0, 3))
    return {
        "title": _sentence(chance, name, chance.randint(20, 45)),
        "publisher": chance.choice(_OFFICES),
        "published": published.isoformat(),
    }


def _sentence(chance: random.Random, name: str, words: int) -> str:
    return " ".join([name, *chance.choices(_WORDS, k=words)])
