"""How numbers and dates are written, as a mapping declares it: nothing undeclared is guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from service.domain.figures import figure_from_words
from service.errors import Invalid

SPACES: Final = " \u00a0\u202f"
_STYLE: Final = re.compile(r"1(?P<thousands>[,.'’ \u00a0\u202f]?)234(?:(?P<decimal>[.,])5)?")
# A number within words, however it is written; \d also takes digits that are not ASCII.
_NUMBER_IN_WORDS: Final = re.compile(r"\d(?:[\d.,'’_ \u00a0\u202f]*\d)?")
_WHOLE: Final = re.compile(r"([0-9]{1,15})(?:\.0{1,15})?")
_TOKEN: Final = re.compile(r"YYYY|MMMM|MMM|MM|M|DD|D|HH|H|mm|ss|.", re.DOTALL)
_TOKENS: Final = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MMMM": r"(?P<name>[^\W\d_]{1,40}\.?)",
    "MMM": r"(?P<name>[^\W\d_]{1,40}\.?)",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
    "HH": "(?P<hour>[0-9]{2})",
    "H": "(?P<hour>[0-9]{1,2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
}
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_ONE_OR_TWO: Final = frozenset({"M", "D", "H"})
_NEEDS: Final = {"day": "month", "minute": "hour", "second": "minute"}


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How numbers are written, declared by an example such as `1 234,5`."""

    pattern: re.Pattern[str]
    thousands: str
    decimal: str

    def plain(self, text: str) -> str | None:
        """The number with a point and nothing between its digits; `None` where it is not one."""
        if self.pattern.fullmatch(text) is None:
            return None
        plain = re.sub(self.thousands, "", text) if self.thousands else text
        return plain.replace(self.decimal, ".") if self.decimal else plain


@lru_cache(maxsize=256)
def number_style(example: str) -> NumberStyle:
    """Raises `ValueError` where the example is not the number 1234 or 1234.5."""
    match = _STYLE.fullmatch(example)
    if match is None or match["thousands"] == match["decimal"]:
        raise ValueError("must write 1234 or 1234.5 as the file writes numbers, such as 1 234,5")
    thousands = match["thousands"]
    between = f"[{SPACES}]" if thousands and thousands in SPACES else re.escape(thousands)
    digits = f"[0-9]{{1,3}}(?:{between}[0-9]{{3}}){{1,5}}|" if thousands else ""
    decimal = match["decimal"] or ""
    fraction = f"(?:{re.escape(decimal)}[0-9]{{1,25}})?" if decimal else ""
    return NumberStyle(
        re.compile(f"[+-]?(?:{digits}[0-9]{{1,15}}){fraction}"),
        between if thousands else "",
        decimal,
    )


_PLAIN: Final = number_style("1234.5")


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A declared form of dates, or of times of day alone."""

    pattern: re.Pattern[str]
    months: Mapping[str, int]

    def date(self, text: str) -> str | None:
        """The date in ISO 8601, as finely as the form tells it; `None` where it does not fit."""
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        parts = match.groupdict()
        month: str | int | None = parts.get("month")
        if "name" in parts:
            month = self.months.get(parts["name"].rstrip(".").casefold())
            if month is None:
                return None
        told = parts["year"] + "".join(f"-{int(p):02}" for p in (month, parts.get("day")) if p)
        return f"{told}T{_clock(parts)}" if parts.get("hour") else told

    def time(self, text: str) -> str | None:
        match = self.pattern.fullmatch(text)
        return _clock(match.groupdict()) if match else None


def _clock(parts: Mapping[str, str]) -> str:
    second = f":{parts['second']}" if "second" in parts else ""
    return f"{int(parts['hour']):02}:{parts.get('minute', '00')}{second}"


@lru_cache(maxsize=256)
def date_pattern(form: str, months: tuple[str, ...] = ()) -> DatePattern:
    """Raises `ValueError` where the form leaves anything to guess."""
    found = _TOKEN.findall(form)
    if any(each not in _TOKENS and each.isalnum() and each != "T" for each in found):
        raise ValueError("may hold YYYY, MMMM, MMM, MM, M, DD, D, HH, H, mm, ss and signs only")
    if any(each in _ONE_OR_TWO and after in _TOKENS for each, after in pairwise(found)):
        raise ValueError("must have a sign behind M, D and H, which may be one digit or two")
    try:
        pattern = re.compile("".join(_TOKENS.get(each) or re.escape(each) for each in found))
    except re.error:
        raise ValueError("names a part of the date twice") from None
    if {"name", "month"} <= pattern.groupindex.keys():
        raise ValueError("names a part of the date twice")
    parts = {"month" if part == "name" else part for part in pattern.groupindex}
    if any(fine in parts and coarse not in parts for fine, coarse in _NEEDS.items()):
        raise ValueError("leaves out a part of the date")
    short = 3 if "MMM" in found else None
    named = months or tuple(name[:short] for name in _MONTHS)
    return DatePattern(pattern, {name.rstrip(".").casefold(): i for i, name in enumerate(named, 1)})


def date_form(form: str) -> str:
    parts = date_pattern(form).pattern.groupindex
    if "year" not in parts:
        raise ValueError("must hold the year as YYYY")
    if "hour" in parts and "day" not in parts:
        raise ValueError("leaves out a part of the date")
    return form


def time_form(form: str) -> str:
    if not {"hour"} <= {*date_pattern(form).pattern.groupindex} <= {"hour", "minute", "second"}:
        raise ValueError("must hold HH or H, and beside it only mm and ss")
    return form


def declared_style(example: str) -> str:
    number_style(example)
    return example


def count_of(value: object, field: str, style: NumberStyle) -> int | dict[str, Any] | None:
    """A count, or the words for one with the bounds they carry. Raises `Invalid`.

    Numbers within words must be written in the same style, so that none is read as another.
    """
    if not isinstance(value, str) or not any(c.isalpha() for c in value):
        return whole_of(value, field, style)
    words = value.strip(SPACES)
    plain = _NUMBER_IN_WORDS.sub(lambda found: _plain_or_refused(found[0], field, style), words)
    figure = figure_from_words(plain)
    if plain == words or figure is None:
        return {"words": words}
    bounds = {"low": figure.low, "best": figure.best, "high": figure.high, "words": words}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def whole_of(value: object, field: str, style: NumberStyle) -> int | None:
    """A whole number of zero or more; `None` where nothing is stated. Raises `Invalid`."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    plain = style.plain(value) if isinstance(value, str) else None
    match = _WHOLE.fullmatch(plain) if plain else None
    if match is None:
        raise Invalid("must be a whole number, written plainly or as declared", field)
    return int(match[1])


def style_of(example: str | None) -> NumberStyle:
    """The style declared, or plain digits with a point."""
    return number_style(example) if example else _PLAIN


def _plain_or_refused(text: str, field: str, style: NumberStyle) -> str:
    plain = style.plain(text)
    if plain is None:
        raise Invalid("holds a number that is not written plainly or as declared", field)
    return plain
