"""Counts as ranges: what is said, what is added, and what words for quantities mean."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from service.errors import Invalid

LARGEST_COUNT: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """At least `low`, most likely `best`, at most `high`; `None` leaves the top open."""

    low: int
    best: int
    high: int | None

    def __post_init__(self) -> None:
        if self.low < 0:
            raise Invalid("must not be negative", "low")
        if not self.low <= self.best:
            raise Invalid("must not be below low", "best")
        if self.high is not None and self.best > self.high:
            raise Invalid("must not be below low or best", "high")

    @classmethod
    def exactly(cls, count: int) -> "Figure":
        return cls(count, count, count)

    @classmethod
    def at_least(cls, count: int) -> "Figure":
        return cls(count, count, None)

    @property
    def is_open(self) -> bool:
        return self.high is None

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.low + other.low, self.best + other.best, add_bounds((self.high, other.high))
        )

    def minus(self, other: "Figure") -> "Figure":
        """What is left beyond `other`, bound by bound, never below zero, then put in order."""
        low = max(self.low - other.low, 0)
        best = max(self.best - other.best, 0)
        if self.high is None:
            low, best = sorted((low, best))
            return Figure(low, best, None)
        high = 0 if other.high is None else max(self.high - other.high, 0)
        return Figure(*sorted((low, best, high)))

    def meets(self, other: "Figure") -> bool:
        """Whether some count satisfies both."""
        return (other.high is None or self.low <= other.high) and (
            self.high is None or other.low <= self.high
        )


@dataclass(slots=True)
class Sum:
    """A sum of figures that remembers what it does not know.

    `open` counts the figures with no upper bound, `unknown` the events with no figure;
    the three bounds are `None` while no figure was added, `high` also while any is open.
    """

    low: int | None = None
    best: int | None = None
    bounded_high: int = 0
    open: int = 0
    unknown: int = 0

    @property
    def high(self) -> int | None:
        return None if self.low is None or self.open else self.bounded_high

    def add(self, figure: Figure) -> None:
        self.low = (self.low or 0) + figure.low
        self.best = (self.best or 0) + figure.best
        if figure.high is None:
            self.open += 1
        else:
            self.bounded_high += figure.high


def total(figures: Iterable[Figure]) -> Figure | None:
    """The sum, or `None` where there is nothing to add."""
    result: Figure | None = None
    for figure in figures:
        result = figure if result is None else result + figure
    return result


def add_bounds(highs: Iterable[int | None]) -> int | None:
    """The sum of upper bounds; unbounded if one of them is."""
    result = 0
    for high in highs:
        if high is None:
            return None
        result += high
    return result


def larger_bound(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


# Lower bounds of the words for quantities, as a table anyone can check (docs/method.md).
QUANTITY_WORDS: Final[dict[str, int]] = {
    "several": 3,
    "a few": 3,
    "dozens": 24,
    "dozens of": 24,
    "hundreds": 200,
    "hundreds of": 200,
    "several hundred": 300,
    "thousands": 2_000,
    "thousands of": 2_000,
    "several thousand": 3_000,
    "tens of thousands": 20_000,
    "tens of thousands of": 20_000,
    "несколько": 3,
    "десятки": 24,
    "сотни": 200,
    "несколько сотен": 300,
    "тысячи": 2_000,
    "несколько тысяч": 3_000,
    "десятки тысяч": 20_000,
}

_OPEN_PREFIXES: Final = (
    "at least",
    "no fewer than",
    "not less than",
    "over",
    "more than",
    "upwards of",
    "не менее",
    "более",
    "свыше",
    "больше",
)
_ABOUT_PREFIXES: Final = (
    "about",
    "around",
    "some",
    "roughly",
    "approximately",
    "порядка",
    "около",
    "примерно",
)
_THOUSAND: Final = re.compile(r"(?P<digits>[0-9]+) ?(?:тыс\.?|тысяч|thousand)(?: чел(?:\.|овек))?")


def figure_from_words(words: str) -> Figure | None:
    """The bounds that words for a quantity carry, or `None` where they carry none.

    "dozens" is at least 24, "several hundred" at least 300, "over 5,000" at least 5,000,
    "about 180" is 180 approximately. Unknown words carry no bound.
    """
    text = " ".join(words.casefold().split())
    if text in QUANTITY_WORDS:
        return Figure.at_least(QUANTITY_WORDS[text])
    for prefix in _OPEN_PREFIXES:
        if text.startswith(prefix + " "):
            count = _number(text.removeprefix(prefix + " "))
            return None if count is None else Figure.at_least(count)
    for prefix in _ABOUT_PREFIXES:
        if text.startswith(prefix + " "):
            text = text.removeprefix(prefix + " ")
            break
    count = _number(text)
    return None if count is None else Figure.exactly(count)


def _number(text: str) -> int | None:
    thousands = _THOUSAND.fullmatch(text)
    if thousands:
        count = int(thousands["digits"][:12]) * 1_000
    elif re.fullmatch(r"[0-9]{1,12}|[0-9]{1,3}(?:[, ][0-9]{3}){1,3}", text):
        count = int(text.replace(",", "").replace(" ", ""))
    else:
        return None
    return count if count <= LARGEST_COUNT else None
