"""What was found in a text, and where it stands."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.figures import Figure
from service.domain.vocabulary import Group, Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """Something found: `text` is what stands from `start` to before `end`, in characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DateFound(Found):
    """A day, a month or a span, in EDTF."""

    edtf: str


@dataclass(frozen=True, slots=True)
class PlaceFound(Found):
    place: str


@dataclass(frozen=True, slots=True)
class WeaponFound(Found):
    weapon: str
    calibre_mm: float | None = None


@dataclass(frozen=True, slots=True)
class CountFound(Found):
    """People and what happened to them.

    `words` are those for the quantity, `None` where none is given or it is one for two outcomes;
    `figure` holds its bounds, `None` where the words hold no number. `outcome` is `None` where
    casualties of every kind are denied.
    """

    outcome: Outcome | None
    group: Group | None
    words: str | None
    figure: Figure | None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a text tells, each kind in the order of the text; `language` is the one it was read
    in for the most part, `None` where it is in none that the theatre has words for."""

    language: str | None = None
    dates: tuple[DateFound, ...] = ()
    places: tuple[PlaceFound, ...] = ()
    weapons: tuple[WeaponFound, ...] = ()
    counts: tuple[CountFound, ...] = ()


class Spans:
    """Spans that do not overlap, in order."""

    def __init__(self, found: Sequence[Found]) -> None:
        self._starts = [each.start for each in found]
        self._ends = [each.end for each in found]

    def cover(self, position: int) -> bool:
        at = bisect_right(self._starts, position) - 1
        return at >= 0 and position < self._ends[at]
