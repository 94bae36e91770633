"""Free text that should be looked at before it is shown: persons, and characters that deceive."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from service.domain.vocabulary import Flag

_PERSONAL: Final = re.compile(
    r"\w@[\w-]+\.\w"  # an address for mail
    # A telephone or document number, which a date with what follows it is not.
    r"|(?<![\w-])(?!\d{4}-\d\d-\d\d)\+?(?:\d[ ()-]{0,2}){9,40}\d(?!\w)"
    r"|\b(?:[Nn]amed|[Ii]dentified as|по имени|անունով|adlı)\s+\S+"
    r"|\b[A-ZÀ-ÞА-ЯԱ-Ֆ]\w+\s+[A-ZÀ-ÞА-ЯԱ-Ֆ]\w+,\s*(?:aged\s*)?\d{1,3}\b"  # Name Surname, 34
)

_LATIN: Final = "A-Za-zÀ-ÖØ-öø-ʯ"
_LOOKING_LATIN: Final = "Ͱ-ϿЀ-ԯԱ-Ֆա-և"
_MIXED: Final = re.compile(f"[{_LATIN}][{_LOOKING_LATIN}]|[{_LOOKING_LATIN}][{_LATIN}]")


def doubts_of(texts: Iterable[str], titles: Iterable[str]) -> set[Flag]:
    """Flags for free text that may identify a person or hides characters from the eye."""
    texts = list(texts)
    flags: set[Flag] = set()
    if any(_PERSONAL.search(text) for text in texts):
        flags.add(Flag.PERSONAL_DATA)
    if any(has_unusual(text) for text in (*texts, *titles)):
        flags.add(Flag.UNUSUAL_CHARACTERS)
    return flags


def has_unusual(text: str) -> bool:
    """Whether a text holds a character that is, or a word in letters of two scripts, which looks
    like another (Unicode Technical Standard 39, 4)."""
    if text.isascii() and text.isprintable():
        return False
    # What is printable holds no such character; that is known at once.
    unseen = not text.isprintable() and any(map(is_unusual, set(text)))
    return unseen or _MIXED.search(text) is not None


def is_unusual(character: str) -> bool:
    """Control and format characters that change how text is shown; line ends and tabs are usual."""
    return unicodedata.category(character) in {"Cc", "Cf"} and character not in "\n\r\t\u00ad"
