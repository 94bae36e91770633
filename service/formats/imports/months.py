"""The names of months in the languages of a theatre, as the Unicode CLDR has them."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError

from service.domain.places import fold
from service.domain.reading import Months

# Spellings that CLDR keeps under a territory only, such as "Sept." under British English.
_TERRITORIES: Final = {"en": ("en_GB", "en_AU")}


def months_of(languages: Iterable[str]) -> Months:
    """Language (ISO 639) → folded name → number of the month, wide and abbreviated, as it stands
    alone and beside a day. Languages that CLDR does not know are left out."""
    named = {language: _names(language) for language in languages}
    return {language: names for language, names in named.items() if names}


@lru_cache(maxsize=64)
def _names(language: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for locale in (language, *_TERRITORIES.get(language, ())):
        try:
            months = Locale.parse(locale).months
        except (UnknownLocaleError, ValueError):
            continue
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                names = {n: fold(name) for n, name in months[context][width].items()}
                # A short form that two months share names neither.
                shared = Counter(names.values())
                found |= {name: n for n, name in names.items() if name and shared[name] == 1}
    return {name: n for name, n in found.items() if not name.isdigit()}
