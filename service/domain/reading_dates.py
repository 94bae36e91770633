"""Finding dates in sentences: the forms are those of docs/formats/leads.md."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from service.domain.findings import DateFound, Found, Spans
from service.domain.sentences import LONGEST_STEM, Lexicon, Sentence
from service.domain.when import FIRST_YEAR, LAST_YEAR

Months = Mapping[str, Mapping[str, int]]
"""Language → folded name of a month → its number."""

_DATE_GAP: Final = re.compile(r"[ \t\u00a0\u202f,՝’'-]{0,3}")
_ISO: Final = re.compile(r"(?<![\w-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9-])")
_DOTTED: Final = re.compile(r"(?<![\w.])([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?![0-9]|\.[0-9])")


@dataclass(frozen=True, slots=True)
class _Day:
    """A date as it stands: the span in characters; `last_day` of a span of days, `year` where one
    is given, `offsets` in days from the day something was said."""

    start: int
    end: int
    month: int = 0
    day: int | None = None
    last_day: int | None = None
    year: int | None = None
    offsets: tuple[int, int] | None = None


def dates_in(
    text: str, sentences: Sequence[Sentence], months: Months, said: date | None
) -> Iterator[DateFound]:
    numeric = [*_numeric(text)]
    taken = Spans(numeric)
    written: list[_Day] = [_Day(n.start, n.end, n.month, n.day, year=n.year) for n in numeric]
    for sentence in sentences:
        known = _month_names(months, sentence.lexicon)
        ours = [day for day in _written_days(sentence, known) if not taken.cover(day.start)]
        written += _with_years(ours)
    end = 0
    for day in sorted(written, key=lambda d: d.start):
        edtf = _edtf(day, said)
        if edtf is not None and day.start >= end:
            end = day.end
            yield DateFound(day.start, end, text[day.start : end], edtf)


def _numeric(text: str) -> list["_Numeric"]:
    """`2022-09-13`, and `13.09.2022`, in which the day always comes first."""
    found = [
        _Numeric(m.start(), m.end(), m[0], int(m[1]), int(m[2]), int(m[3]))
        for m in _ISO.finditer(text)
    ]
    found += [
        _Numeric(m.start(), m.end(), m[0], int(m[3]), int(m[2]), int(m[1]))
        for m in _DOTTED.finditer(text)
    ]
    return sorted(found, key=lambda n: n.start)


@dataclass(frozen=True, slots=True)
class _Numeric(Found):
    year: int
    month: int
    day: int


def _month_names(months: Months, lexicon: Lexicon | None) -> dict[str, int]:
    """Names of all languages; where two languages disagree, that of the sentence's holds."""
    merged: dict[str, int] = {}
    for names in months.values():
        merged |= names
    return merged | dict(months.get(lexicon.language, {})) if lexicon else merged


def _with_years(days: Sequence[_Day]) -> list[_Day]:
    """A day without a year takes that of the next date of the sentence which has one."""
    found: list[_Day] = []
    year: int | None = None
    for day in reversed(days):
        year = day.year or year
        found.append(day if day.offsets is not None else replace(day, year=year))
    return found[::-1]


def _edtf(day: _Day, said: date | None) -> str | None:
    """The date in EDTF, or `None` where it is none of the calendar, or its year is not known."""
    try:
        if day.offsets is not None:
            return _relative(day.offsets, said)
        if day.day is None:
            return f"{date(day.year or 0, day.month, 1):%Y-%m}" if day.year else None
        first = _dated(day.month, day.day, day.year, said)
        if first is None or day.last_day is None:
            return None if first is None else first.isoformat()
        last = first.replace(day=day.last_day)
        return f"{first}/{last}" if first < last else None
    except (ValueError, OverflowError):
        return None


def _relative(offsets: tuple[int, int], said: date | None) -> str | None:
    if said is None:
        return None
    first, last = (said + timedelta(days=offset) for offset in offsets)
    return first.isoformat() if first == last else f"[{first}..{last}]"


def _dated(month: int, day: int, year: int | None, said: date | None) -> date | None:
    """A day without a year is the last such day that is not after the day after it was said."""
    if year is not None:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    if said is None:
        return None
    for candidate in range(said.year + 1, said.year - 9, -1):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found <= said + timedelta(days=1):
            return found
    return None


def _written_days(sentence: Sentence, months: Mapping[str, int]) -> Iterator[_Day]:
    at = 0
    while at < len(sentence.tokens):
        found = _days_around_month(sentence, at, months) or _relative_day(sentence, at)
        if found is None:
            at += 1
            continue
        at, day = found
        yield day


def _relative_day(sentence: Sentence, at: int) -> tuple[int, _Day] | None:
    found = sentence.lexicon.relative.match(sentence.tokens, at) if sentence.lexicon else None
    if found is None:
        return None
    start, end, _ = sentence.span(at, at + found[0])
    return at + found[0], _Day(start, end, offsets=found[1])


def _days_around_month(
    sentence: Sentence, at: int, months: Mapping[str, int]
) -> tuple[int, _Day] | None:
    """A date that begins here: with its year, its day, or its month."""
    tokens = sentence.tokens
    year, next_at = _year(sentence, at)
    if year is not None:
        month = _month(sentence, next_at, months)
        if month is not None:
            day = _day(sentence, next_at + 1)
            end = next_at + 1 if day is None else day[1]
            return end, _made(sentence, at, end, month, day, year)
        return None
    day = _day(sentence, at)
    if day is not None:
        next_at = _past(sentence, day[1], _lexical(sentence, "day_words"))
        month = _month(sentence, next_at, months)
        if month is None:
            return None
        end = next_at + 1
    else:
        month = _month(sentence, at, months)
        if month is None:
            return None
        day = _day(sentence, at + 1)
        if day is not None and _counts_people(sentence, day[1]):
            return None
        end = at + 1 if day is None else day[1]
    if end < len(tokens):
        year, year_end = _year(sentence, end)
        if year is not None and _near(sentence, end):
            end = year_end
    if day is None and year is None:
        return None
    return end, _made(sentence, at, end, month, day, year)


def _made(
    sentence: Sentence,
    first: int,
    end: int,
    month: int,
    day: tuple[tuple[int, int | None], int] | None,
    year: int | None,
) -> _Day:
    start, stop, _ = sentence.span(first, end)
    days = day[0] if day else (None, None)
    return _Day(start, stop, month, days[0], days[1], year)


def _lexical(sentence: Sentence, name: str) -> frozenset[str]:
    words: frozenset[str] = getattr(sentence.lexicon, name) if sentence.lexicon else frozenset()
    return words


def _past(sentence: Sentence, at: int, words: frozenset[str]) -> int:
    while at < len(sentence.tokens) and sentence.tokens[at].folded in words and _near(sentence, at):
        at += 1
    return at


def _near(sentence: Sentence, at: int) -> bool:
    """Whether the token stands so close to the one before it as parts of a date do."""
    if at == 0:
        return True
    before = sentence.tokens[at - 1]
    gap = sentence.source[before.end : sentence.tokens[at].start]
    # Only a short form ends in a full stop that ends no sentence.
    if gap.startswith(".") and len(before.folded) <= 4:
        gap = gap[1:]
    return _DATE_GAP.fullmatch(gap) is not None


def _glued(sentence: Sentence, at: int) -> bool:
    """Whether the token is an ending of the number before it: 13th, 13-ին."""
    if not 0 < at < len(sentence.tokens) or not sentence.tokens[at].script:
        return False
    before, token = sentence.tokens[at - 1], sentence.tokens[at]
    return len(token.text) <= 4 and sentence.source[before.end : token.start] in ("", "-")


def _year(sentence: Sentence, at: int) -> tuple[int | None, int]:
    """A year, and what comes after it and the words for one."""
    if at >= len(sentence.tokens):
        return None, at
    token = sentence.tokens[at]
    if not (len(token.text) == 4 and token.text.isascii() and token.text.isdigit()):
        return None, at
    if not FIRST_YEAR <= int(token.text) <= LAST_YEAR:
        return None, at
    return int(token.text), _past(sentence, at + 1, _lexical(sentence, "year_words"))


def _month(sentence: Sentence, at: int, months: Mapping[str, int]) -> int | None:
    if at >= len(sentence.tokens) or not _near(sentence, at):
        return None
    word = sentence.tokens[at].folded[:LONGEST_STEM]
    if word in months:
        return months[word]
    for ending in sentence.lexicon.endings if sentence.lexicon else ():
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3 and stem in months:
            return months[stem]
    return None


def _day(sentence: Sentence, at: int) -> tuple[tuple[int, int | None], int] | None:
    """A day, or first and last day, and what comes after it and its ending."""
    if at >= len(sentence.tokens) or not _near(sentence, at):
        return None
    first = _day_number(sentence, at)
    if first is None:
        return None
    at += 1
    last: int | None = None
    if at < len(sentence.tokens):
        gap = sentence.source[sentence.tokens[at - 1].end : sentence.tokens[at].start]
        if gap.strip() in ("-", "–", "—") and len(gap) <= 3:
            last = _day_number(sentence, at)
            at += last is not None
    return (first, last), at + 1 if _glued(sentence, at) else at


def _day_number(sentence: Sentence, at: int) -> int | None:
    token = sentence.tokens[at]
    if not (len(token.text) <= 2 and token.text.isascii() and token.text.isdigit()):
        return None
    return int(token.text) if 1 <= int(token.text) <= 31 else None


def _counts_people(sentence: Sentence, at: int) -> bool:
    """Whether people follow, so that the number before them is a count and no day."""
    return sentence.lexicon is not None and any(
        sentence.lexicon.groups.match(sentence.tokens, next_at) is not None
        for next_at in range(at, min(at + 2, len(sentence.tokens)))
    )
