"""Reading a text for dates, places, weapons and counts of people, by rules anyone can follow.

Nothing here knows grammar: the words are those of the theatre (`Words`), the rules those of
docs/formats/leads.md. What is found is for a person to check; what is not plain is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from service.domain.findings import (
    CountFound,
    DateFound,
    Findings,
    Found,
    PlaceFound,
    Spans,
    WeaponFound,
)
from service.domain.reading_dates import Months, dates_in
from service.domain.reading_people import people_in
from service.domain.sentences import (
    Lexicon,
    Sentence,
    languages_of,
    sentence_of,
    sentences_of,
    tokens_of,
)
from service.domain.theatre import Theatre

__all__ = [
    "LONGEST_TEXT",
    "CountFound",
    "DateFound",
    "Findings",
    "Found",
    "Months",
    "PlaceFound",
    "WeaponFound",
    "read",
]

LONGEST_TEXT: Final = 20_000
_MOST_WORDS_OF_A_PLACE: Final = 4
_SHORTEST_PLACE: Final = 4
_LONGEST_PLACE: Final = 80
_SHORTEST_STEM: Final = 3
_MILLIMETRES: Final = frozenset({"mm", "мм", "մմ"})


def read(
    text: str, theatre: Theatre, months: Months, said: date | None, language: str | None = None
) -> Findings:
    """What can be found in a text. `said` is the local day it was said on, for days without a
    year; `language` the declared one, which decides between languages of one script only.

    Only the first 20,000 characters are read. Raises nothing, whatever the text.
    """
    tokens = tokens_of(text[:LONGEST_TEXT])
    lexicons = [Lexicon.of(words) for words in theatre.words]
    by_script, main = languages_of(tokens, lexicons, language)
    sentences = [sentence_of(text, some, by_script) for some in sentences_of(tokens)]
    dates = tuple(dates_in(text[:LONGEST_TEXT], sentences, months, said))
    taken = Spans(dates)
    places: list[PlaceFound] = []
    weapons: list[WeaponFound] = []
    counts: list[CountFound] = []
    for sentence in sentences:
        free = replace(
            sentence,
            taken=frozenset(
                i for i, token in enumerate(sentence.tokens) if taken.cover(token.start)
            ),
        )
        places += _places(free, theatre)
        weapons += _weapons(free, theatre)
        counts += people_in(free)
    return Findings(main, dates, tuple(places), tuple(weapons), tuple(counts))


def _places(sentence: Sentence, theatre: Theatre) -> Iterator[PlaceFound]:
    at = 0
    while at < len(sentence.tokens):
        found = _place(sentence, at, theatre)
        if found is None:
            at += 1
            continue
        length, place = found
        if place is not None:
            yield PlaceFound(*sentence.span(at, at + length), place)
        at += length


def _place(sentence: Sentence, at: int, theatre: Theatre) -> tuple[int, str | None] | None:
    """The longest name of a place that begins here, as how many words it has and its id."""
    tokens = sentence.tokens
    if at in sentence.taken or not tokens[at].script or tokens[at].text[0].islower():
        return None
    longest = 1
    while longest < _MOST_WORDS_OF_A_PLACE and at + longest < len(tokens):
        following = tokens[at + longest]
        if following.ends_clause or at + longest in sentence.taken:
            break
        longest += 1
    folded = [token.folded for token in tokens[at : at + longest]]
    for length in range(longest, 0, -1):
        place = _named(folded[:length], sentence.lexicon, theatre)
        if place is not None:
            return length, None if _is_other(sentence, at + length, place, theatre) else place
    return None


def _named(words: Sequence[str], lexicon: Lexicon | None, theatre: Theatre) -> str | None:
    """The place that folded words name, as they stand or without an ending of the last one."""
    name = "".join(words)
    # "A year" is no way to write Ayear.
    if not _SHORTEST_PLACE <= len(name) <= _LONGEST_PLACE or len(words[0]) < 2:
        return None
    if lexicon is None:
        return theatre.spellings.get(name)
    if name in lexicon.ordinary:
        return None
    if name in theatre.spellings:
        return theatre.spellings[name]
    stems = (
        name.removesuffix(ending)
        for ending in lexicon.endings
        if name.endswith(ending) and len(words[-1]) - len(ending) >= _SHORTEST_STEM
    )
    wholes = (stem + restored for stem in stems for restored in lexicon.restored)
    return next(
        (
            theatre.spellings[whole]
            for whole in wholes
            if len(whole) >= _SHORTEST_PLACE
            and whole in theatre.spellings
            and whole not in lexicon.ordinary
        ),
        None,
    )


def _is_other(sentence: Sentence, after: int, place: str, theatre: Theatre) -> bool:
    """Whether the name stands for a side, or for whoever speaks there."""
    named = theatre.gazetteer.get(place)
    if named is None or theatre.find_party(named.display) is not None:
        return True
    return (
        sentence.lexicon is not None
        and after < len(sentence.tokens)
        and sentence.lexicon.speaking.match(sentence.tokens, after) is not None
    )


def _weapons(sentence: Sentence, theatre: Theatre) -> Iterator[WeaponFound]:
    if sentence.lexicon is None:
        return
    at = 0
    while at < len(sentence.tokens):
        found = sentence.lexicon.weapons.match(sentence.tokens, at)
        if found is None:
            at += 1
            continue
        length, weapon = found
        if weapon in theatre.weapons:
            first, calibre = _calibre(sentence, at)
            yield WeaponFound(*sentence.span(first, at + length), weapon, calibre)
        at += length


def _calibre(sentence: Sentence, at: int) -> tuple[int, float | None]:
    """The millimetres that stand right before a weapon, and where the whole begins."""
    tokens = sentence.tokens
    if at < 2 or tokens[at - 1].folded not in _MILLIMETRES:
        return at, None
    number = tokens[at - 2].text
    # The fraction of 7.62 is a token of its own.
    if not (number.isascii() and number.isdigit() and 2 <= len(number) <= 3):
        return at, None
    if sentence.source[max(tokens[at - 2].start - 1, 0)] in ".,":
        return at, None
    return at - 2, float(number)
