"""Places and positions: names in any script, points on the sphere, how finely they are known."""

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from service.domain.validity import SectorSpan
from service.domain.vocabulary import Precision
from service.errors import Invalid

EARTH_RADIUS_KM: Final = 6371.0088
_LONGEST_BEARING_KM: Final = 100.0

# Letters that Unicode does not decompose, though people type the plain one instead.
_PLAIN: Final = str.maketrans(
    {
        "ı": "i",
        "ə": "e",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "ħ": "h",
        "ё": "е",
        "й": "и",
        "և": "եւ",
    }
)


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A spelling with its language (ISO 639) and, where it matters, who uses it."""

    name: str
    language: str | None = None
    usage: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A gazetteer entry. `display` is the neutral form shown unless a reader chooses another."""

    id: str
    display: str
    names: tuple[PlaceName, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    precision: Precision = Precision.SETTLEMENT
    kind: str | None = None
    sectors: tuple[SectorSpan, ...] = ()
    note: str | None = None
    source: str | None = None
    curated: bool = True

    @property
    def displays(self) -> Mapping[str, str]:
        """The neutral form in each language that the place has names in.

        It is `display` where that is a name in the language, else the first name of no usage, which
        nobody claims; where all have one, the first of each usage, joined by a slash.
        """
        names: dict[str, list[PlaceName]] = {}
        for name in self.names:
            if name.language is not None:
                names.setdefault(name.language, []).append(name)
        return {language: self._neutral(known) for language, known in names.items()}

    def _neutral(self, names: Iterable[PlaceName]) -> str:
        by_usage: dict[str | None, str] = {}
        for name in names:
            if name.name == self.display:
                return self.display
            by_usage.setdefault(name.usage, name.name)
        return by_usage.get(None) or "/".join(dict.fromkeys(by_usage.values()))


@dataclass(frozen=True, slots=True)
class Point:
    """A position in degrees (WGS 84) with how finely it is known."""

    latitude: float
    longitude: float
    precision: Precision = Precision.EXACT

    def __post_init__(self) -> None:
        if not -90 <= self.latitude <= 90:
            raise Invalid("must lie between -90 and 90", "lat")
        if not -180 <= self.longitude <= 180:
            raise Invalid("must lie between -180 and 180", "lon")
        if self.longitude == -180:
            object.__setattr__(self, "longitude", 180.0)


# What `fold` takes out of ASCII; what parts words stays.
_NOT_WORDS: Final = {
    code: None for code in range(128) if not (chr(code).isalnum() or chr(code).isspace())
}
_LONGEST_KEPT: Final = 40


def fold(text: str) -> str:
    """A spelling without case, accents, spaces, hyphens and apostrophes, for comparing.

    Scripts are not turned into one another: a Cyrillic letter never equals a Latin one by look.
    """
    return _fold_kept(text) if len(text) <= _LONGEST_KEPT else _fold(text)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(c for c in decomposed if c.isalnum()).casefold().translate(_PLAIN)


_fold_kept = lru_cache(maxsize=1 << 14)(_fold)


def fold_words(text: str) -> str:
    """`fold`, word by word, for searching in sentences."""
    if text.isascii():
        return " ".join(text.lower().translate(_NOT_WORDS).split())
    return " ".join(filter(None, (fold(word) for word in text.split())))


class Gazetteer:
    """Finds a place by any spelling.

    A spelling shared by several places finds the curated one; where that does not decide, none.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_id = {place.id: place for place in places}
        located = sorted((place.latitude, place.id) for place in self if place.latitude is not None)
        self._latitudes = [latitude for latitude, _ in located]
        self._southmost_first = [self._by_id[place_id] for _, place_id in located]
        spellings: dict[str, set[str]] = {}
        for place in self._by_id.values():
            shown = (place.display, *place.displays.values())
            for name in (place.id, *shown, *(n.name for n in place.names)):
                spellings.setdefault(fold(name), set()).add(place.id)
        self._by_spelling = {
            spelling: found
            for spelling, ids in spellings.items()
            if (found := self._decide(ids)) is not None
        }

    def find(self, spelling: str) -> Place | None:
        return self._by_id.get(spelling) or self._by_spelling.get(fold(spelling))

    def get(self, place_id: str) -> Place | None:
        return self._by_id.get(place_id)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._by_id.values())

    def level_with(self, point: Point, km: float) -> Iterable[Place]:
        """At least the places that lie no more than so many km north or south of a point."""
        # A little more, since degrees are rounded.
        reach = math.degrees(km / EARTH_RADIUS_KM) * 1.001
        begin = bisect_left(self._latitudes, point.latitude - reach)
        return self._southmost_first[begin : bisect_right(self._latitudes, point.latitude + reach)]

    def _decide(self, ids: set[str]) -> Place | None:
        curated = [self._by_id[i] for i in ids if self._by_id[i].curated]
        candidates = curated or [self._by_id[i] for i in ids]
        return candidates[0] if len(candidates) == 1 else None


def distance_km(a: Point, b: Point) -> float:
    """Along the great circle of a sphere."""
    north, south = math.radians(a.latitude), math.radians(b.latitude)
    across = math.radians(b.longitude - a.longitude)
    haversine = (
        math.sin((south - north) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, haversine)))


def destination(
    latitude: float, longitude: float, bearing: float, distance_km: float
) -> tuple[float, float]:
    """The point seen from an observer, by bearing in degrees from north and distance.

    Great circle on a sphere. Raises `Invalid` for a bearing outside 0–360 or a distance
    outside 0–100 km.
    """
    if not 0 <= bearing <= 360:
        raise Invalid("must lie between 0 and 360", "bearing")
    if not 0 <= distance_km <= _LONGEST_BEARING_KM:
        raise Invalid(f"must lie between 0 and {_LONGEST_BEARING_KM:g}", "distance_km")
    angle = distance_km / EARTH_RADIUS_KM
    heading, start, meridian = map(math.radians, (bearing, latitude, longitude))
    target = math.asin(
        math.sin(start) * math.cos(angle) + math.cos(start) * math.sin(angle) * math.cos(heading)
    )
    turned = math.atan2(
        math.sin(heading) * math.sin(angle) * math.cos(start),
        math.cos(angle) - math.sin(start) * math.sin(target),
    )
    east = (math.degrees(meridian + turned) + 540) % 360 - 180
    return round(math.degrees(target), 5), round(east, 5)
