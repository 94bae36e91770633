"""Sentences, and looking up the words of a theatre in them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Generic, TypeVar

from service.domain.places import fold
from service.domain.theatre import Words

LONGEST_STEM: Final = 24

T = TypeVar("T")

_TOKEN: Final = re.compile(
    r"[0-9]{1,3}(?:[, \u00a0\u202f][0-9]{3})+(?![0-9])|[0-9]+"
    r"|(?:[^\W\d_]|[\u0300-\u036f])+(?:['’ʼ՛՜՞](?:[^\W\d_]|[\u0300-\u036f])+)*"
)
_SENTENCE_END: Final = re.compile(r"[!?…։;\n]|[.:](?=\s|$)")
_CLAUSE_END: Final = re.compile(r"[,()\[\]«»“”\"]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a number. `ends_sentence` and `ends_clause` say what stands after the token
    before it; `script` is that of its first letter, empty for a number."""

    start: int
    end: int
    text: str
    folded: str
    script: str
    ends_sentence: bool
    ends_clause: bool


class Phrases(Generic[T]):
    """Patterns of one or more words, found at a place in a sentence in constant time."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        self._whole: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        self._begun: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for pattern, value in patterns:
            first, *rest = (
                fold(word) + ("*" if word.endswith("*") else "") for word in pattern.split()
            )
            index = self._begun if first.endswith("*") else self._whole
            index.setdefault(first.rstrip("*"), []).append((tuple(rest), value))

    def match(self, tokens: Sequence[Token], at: int) -> tuple[int, T] | None:
        """How many words fit from `at` on, the most, and the value of that pattern."""
        word = tokens[at].folded
        fitting = list(self._whole.get(word, ()))
        for length in range(min(len(word), LONGEST_STEM), 0, -1):
            fitting += self._begun.get(word[:length], ())
        found: tuple[int, T] | None = None
        for rest, value in fitting:
            longer = found is None or len(rest) + 1 > found[0]
            if longer and all(_fits(p, tokens, at + 1 + i) for i, p in enumerate(rest)):
                found = (len(rest) + 1, value)
        return found


def _fits(pattern: str, tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    word = tokens[at].folded
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


def _each(patterns: Iterable[str]) -> Phrases[bool]:
    return Phrases((pattern, True) for pattern in patterns)


def _mapped(patterns: Mapping[T, Sequence[str]]) -> Phrases[T]:
    return Phrases((pattern, value) for value, some in patterns.items() for pattern in some)


class Lexicon:
    """`Words`, made ready for looking up."""

    def __init__(self, words: Words) -> None:
        self.language = words.language
        self.script = words.script
        self.letters = frozenset(words.letters.casefold())
        self.stopwords = frozenset(map(fold, words.stopwords))
        self.outcomes = Phrases(
            (pattern, (side, outcome))
            for side in ("before", "after", "either")
            for outcome, patterns in getattr(words, side).items()
            for pattern in patterns
        )
        self.groups = _mapped(words.groups)
        self.numbers = Phrases(words.numbers.items())
        self.multipliers = Phrases(words.multipliers.items())
        self.single = _each(words.single)
        self.quantities = _each(words.quantities)
        self.none = _each(words.none)
        self.measures = _each(words.measures)
        self.qualifiers = _mapped(words.qualifiers)
        self.following = _mapped(words.following)
        self.between = _each((*words.between, *words.passive))
        self.passive = _each(words.passive)
        self.joining = _each(words.joining)
        self.negators = _each(words.negators)
        self.denials = _each(words.denials)
        self.without = _each(words.without)
        self.weapons = _mapped(words.weapons)
        self.ordinary = frozenset(map(fold, words.ordinary))
        self.speaking = _each(words.speaking)
        self.relative = Phrases(words.relative.items())
        self.year_words = frozenset(map(fold, words.year_words))
        self.day_words = frozenset(map(fold, words.day_words))
        self.number_endings = frozenset(map(fold, words.number_endings))
        endings = {fold(ending) for ending in words.endings} - {""}
        self.endings = tuple(sorted(endings, key=lambda e: (-len(e), e)))
        self.restored = ("", *map(fold, words.restored))

    @staticmethod
    @lru_cache(maxsize=64)
    def of(words: Words) -> "Lexicon":
        return Lexicon(words)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a sentence, what reads them, and which of them a date has taken."""

    source: str
    tokens: Sequence[Token]
    lexicon: Lexicon | None
    taken: frozenset[int] = frozenset()

    def span(self, first: int, last: int) -> tuple[int, int, str]:
        """From one token to before another, and what stands there."""
        start, end = self.tokens[first].start, self.tokens[last - 1].end
        return start, end, self.source[start:end]


def tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        first = match[0][0]
        before = tokens[-1] if tokens else None
        gap = text[before.end : match.start()] if before else ""
        # "Sept. 13", "2022 թ. սեպտեմբերի": a short form, not the end of a sentence.
        short = gap.startswith(". ") and (
            first.islower() or (first.isdigit() and before is not None and len(before.text) <= 4)
        )
        tokens.append(
            Token(
                match.start(),
                match.end(),
                match[0],
                fold(match[0]),
                "" if first in "0123456789" else _script(first),
                not short and _SENTENCE_END.search(gap) is not None,
                _CLAUSE_END.search(gap) is not None,
            )
        )
    return tokens


# The first word of the Unicode name of a letter, and the script's code in ISO 15924.
_SCRIPTS: Final = {
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "CYRILLIC": "Cyrl",
    "GEORGIAN": "Geor",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
    "LATIN": "Latn",
}


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return _SCRIPTS.get(name, "Zyyy")


def sentences_of(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    sentence: list[Token] = []
    for token in tokens:
        if token.ends_sentence and sentence:
            yield sentence
            sentence = []
        sentence.append(token)
    if sentence:
        yield sentence


def languages_of(
    tokens: Sequence[Token], lexicons: Sequence[Lexicon], declared: str | None
) -> tuple[dict[str, Lexicon], str | None]:
    """The lexicon for each script of the text, and the language of the script most used."""
    chosen: dict[str, Lexicon] = {}
    used = Counter(token.script for token in tokens if token.script)
    told = (declared or "").partition("-")[0].casefold()
    for script in used:
        candidates = [lexicon for lexicon in lexicons if lexicon.script == script]
        if not candidates:
            continue
        words = [token for token in tokens if token.script == script]
        named = [lexicon for lexicon in candidates if lexicon.language == told]
        chosen[script] = named[0] if named else max(candidates, key=lambda c: _likeness(c, words))
    main = next((script for script, _ in used.most_common() if script in chosen), None)
    return chosen, chosen[main].language if main else None


def _likeness(lexicon: Lexicon, words: Sequence[Token]) -> int:
    """How often the words are frequent ones of the language, or hold letters that only it has."""
    return sum(
        (word.folded in lexicon.stopwords)
        + 2 * (not lexicon.letters.isdisjoint(word.text[:LONGEST_STEM].casefold()))
        for word in words
    )


def sentence_of(source: str, tokens: Sequence[Token], by_script: Mapping[str, Lexicon]) -> Sentence:
    used = Counter(token.script for token in tokens if token.script in by_script)
    return Sentence(source, tokens, by_script[used.most_common(1)[0][0]] if used else None)
