"""Reading values with Pydantic, and its complaints in our own words."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import Invalid, Problem
from service.formats.reports import UNION_TAGS

Model = TypeVar("Model", bound=BaseModel)

_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Where a message would be about Python or could repeat what was sent, ours stands instead.
_MESSAGES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "string_unicode": "holds characters that are not text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_long": "has too many items",
    "too_short": "has too few items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "int_parsing_size": "is too large",
    "literal_error": "is not one of the accepted values",
    "enum": "is not one of the accepted values",
    "greater_than_equal": "is too small",
    "greater_than": "is too small",
    "less_than_equal": "is too large",
    "less_than": "is too large",
}


def parse(model: type[Model], value: Any) -> Model:
    """A value as the model. Raises `Invalid` naming each field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(problems_of(error.errors())) from None


def problems_of(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Pydantic's errors without what was sent; names of unknown fields only where harmless."""
    problems: dict[Problem, None] = {}
    for error in errors:
        path = [str(part) for part in error["loc"] if part not in UNION_TAGS]
        kind = str(error["type"])
        message = _MESSAGES.get(kind)
        if message is None and kind == "value_error":
            message = str(error["ctx"]["error"])
        if kind == "extra_forbidden" and path and not _FIELD.fullmatch(path[-1]):
            path, message = path[:-1], "has a field that is not known"
        problems[Problem(".".join(path), message or "is not valid")] = None
    return list(problems)
