"""Made-up events in the shape of UCDP GED for one country: few places and few months hold most of
them, most of them a day's, told by one to four articles.

Nothing in it happened. The same seed always gives the same events.
"""

import csv
import random
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, TextIO

Json = dict[str, Any]

COLUMNS: Final = [
    "id",
    "relid",
    "year",
    "active_year",
    "code_status",
    "type_of_violence",
    "conflict_dset_id",
    "conflict_new_id",
    "conflict_name",
    "dyad_dset_id",
    "dyad_new_id",
    "dyad_name",
    "side_a_dset_id",
    "side_a_new_id",
    "side_a",
    "side_b_dset_id",
    "side_b_new_id",
    "side_b",
    "number_of_sources",
    "source_article",
    "source_office",
    "source_date",
    "source_headline",
    "source_original",
    "where_prec",
    "where_coordinates",
    "where_description",
    "adm_1",
    "adm_2",
    "latitude",
    "longitude",
    "geom_wkt",
    "priogrid_gid",
    "country",
    "country_id",
    "region",
    "event_clarity",
    "date_prec",
    "date_start",
    "date_end",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
    "best",
    "high",
    "low",
    "gwnoa",
    "gwnob",
]
FIRST_YEAR: Final = 1994
YEARS: Final = 30
# How many of the months and places there are, and how fast the lesser ones fall off.
_PLACES: Final = 400
_FALL_OF_MONTHS: Final = 0.8
_FALL_OF_PLACES: Final = 0.9
# Where it happens, in degrees: four by four areas in a country the size of Ukraine.
_SOUTH, _WEST, _HIGH, _WIDE, _ACROSS = 44, 22, 2, 4.5, 4
_SIDES: Final = (
    *("Government of Elsewhere", "Northern front", "Southern front"),
    *("Council of the east", "Republic of the hills", "Free brigade"),
)
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
WORDS: Final = _TEXT.split()


def areas(within: str) -> list[Json]:
    """Entries of the reference data for the sectors that the events lie in, below another."""
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


def write(file: TextIO, count: int, seed: int = 1) -> None:
    """So many events as a CSV of UCDP GED, in the order of their days."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    chance = random.Random(seed)  # noqa: S311
    places = [_place(chance) for _ in range(_PLACES)]
    weights = [1 / (rank + 1) ** _FALL_OF_PLACES for rank in range(_PLACES)]
    number = 0
    for first, many in _months(count, chance):
        days = monthrange(first.year, first.month)[1]
        for day in sorted(chance.randrange(days) for _ in range(many)):
            [place] = chance.choices(places, weights)
            number += 1
            writer.writerow(_event(chance, number, first + timedelta(days=day), place))


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


def _event(
    chance: random.Random, number: int, day: date, place: tuple[str, float, float]
) -> dict[str, str]:
    name, latitude, longitude = place
    [where_prec] = chance.choices((1, 2, 3, 4), (30, 45, 15, 10))
    row, column = int((latitude - _SOUTH) / _HIGH), int((longitude - _WEST) / _WIDE)
    sides = chance.sample(_SIDES, 2)
    told = {
        "id": number,
        "relid": f"XXX-{day.year}-1-{number}",
        "year": day.year,
        "active_year": 1,
        "code_status": "Clear",
        "type_of_violence": 1,
        "conflict_name": f"{sides[0]}: {chance.choice(('Government', 'Territory'))}",
        "dyad_name": " - ".join(sides),
        "side_a": sides[0],
        "side_b": sides[1],
        "where_prec": where_prec,
        "where_coordinates": f"{name} village",
        "where_description": _sentence(chance, name, 6),
        "adm_1": f"Area {row}-{column}",
        "latitude": latitude,
        "longitude": longitude,
        "geom_wkt": f"POINT ({longitude} {latitude})",
        "country": "Elsewhere",
        "region": "Europe",
        "event_clarity": 1,
        **_dates(chance, day),
        **_deaths(chance),
        **_articles(chance, day, name),
    }
    return {column: str(told.get(column, "")) for column in COLUMNS}


def _dates(chance: random.Random, day: date) -> Json:
    kind = chance.random()
    if kind < 0.80:
        return {"date_prec": 1, "date_start": day, "date_end": day}
    if kind < 0.96:
        end = day + timedelta(days=chance.randint(1, 6))
        return {"date_prec": 2, "date_start": day, "date_end": end}
    last = monthrange(day.year, day.month)[1]
    return {"date_prec": 4, "date_start": day.replace(day=1), "date_end": day.replace(day=last)}


def _deaths(chance: random.Random) -> Json:
    """The dead of each side, of civilians, of nobody knows whom, and the range of the whole."""
    parts = [
        min(500, int(chance.paretovariate(1.1))) if chance.random() < share else 0
        for share in (0.55, 0.3, 0.25, 0.06)
    ]
    best = sum(parts)
    low = best - (chance.randint(0, best // 2) if chance.random() < 0.2 else 0)
    high = best + (chance.randint(0, best + 3) if chance.random() < 0.3 else 0)
    names = ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
    return {**dict(zip(names, parts, strict=True)), "low": low, "best": best, "high": high}


def _articles(chance: random.Random, day: date, name: str) -> Json:
    number = chance.choice((1, 1, 2, 2, 3, 4))
    offices = chance.choices(_OFFICES, k=number)
    days = [str(day + timedelta(days=chance.randint(0, 3))) for _ in offices]
    headlines = [_sentence(chance, name, chance.randint(8, 20)) for _ in offices]
    whole = (f'"{o},{d},{h}"' for o, d, h in zip(offices, days, headlines, strict=True))
    return {
        "number_of_sources": number,
        "source_article": ";".join(whole),
        "source_office": ";".join(offices),
        "source_date": ";".join(days),
        "source_headline": ";".join(headlines),
        "source_original": "officials",
    }


def _sentence(chance: random.Random, name: str, words: int) -> str:
    return " ".join([name, *chance.choices(WORDS, k=words)])
