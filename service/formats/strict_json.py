"""Reading JSON without believing it: what RFC 8259 leaves open or parsers let pass is refused."""

import json
from typing import Any, Final, NoReturn

from service.errors import Invalid

DEEPEST: Final = 32


def loads(body: bytes) -> Any:
    """The value in a UTF-8 document (a byte order mark is allowed).

    Raises `Invalid` for anything that is not JSON, for NaN and infinities, duplicate names,
    numbers of absurd length and nesting deeper than 32.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8") from None
    _check_depth(text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise Invalid("is not JSON") from None


def _check_depth(text: str) -> None:
    """Raise `Invalid` before a parser recurses; brackets inside strings do not count."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise Invalid(f"is nested deeper than {DEEPEST}")
        elif character in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Invalid("names a field twice")
    return result


def _constant(_: str) -> NoReturn:
    raise Invalid("is not JSON")
