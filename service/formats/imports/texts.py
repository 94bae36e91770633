"""Free text of other people's tables, made to fit the texts of a report."""

from typing import Final

from service.domain.screening import is_unusual

SHORT: Final = 500
CODE: Final = 200
CUT: Final = "a text was cut to the length that is taken"
INVISIBLE: Final = "invisible characters in a text were left out"


def one_line(text: str, remarks: set[str]) -> str:
    """The text with single spaces for line ends, tabs and runs of spaces, and nothing invisible."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    visible = "".join(character for character in line if not is_unusual(character))
    if visible != line:
        remarks.add(INVISIBLE)
    return visible


def cut(text: str, longest: int, remarks: set[str]) -> str:
    """The text, or its beginning with an ellipsis, of at most `longest` characters."""
    if len(text) <= longest:
        return text
    remarks.add(CUT)
    return text[: longest - 1].rstrip() + "…"
