"""What answers of several matters have in common, and what every refusal looks like."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from service.api.problems import MEDIA_TYPE, TITLES
from service.domain.when import TimePrecision
from service.formats.exports.registry import MEDIA

Described = dict[str, Any]


class Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class FieldProblem(Shape):
    field: str
    """Path of the field, such as `casualties.0.killed`; empty for the whole."""
    message: str


class ProblemDocument(Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]


class Bounds(Shape):
    low: int | None
    best: int | None
    high: int | None
    """`null` where nothing bounds it."""


class ClaimedBounds(Bounds):
    words: str | None
    """As the source puts it."""


class Span(Shape):
    when: str
    """EDTF."""
    start: str | None
    end: str | None
    earliest: str | None
    """Instant in UTC, where a time of day is known."""
    latest: str | None
    precision: TimePrecision
    lasted: bool


class Source(Shape):
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    locator: str | None


class Page(Shape):
    next: str | None
    """Hand it back as `cursor`."""


def described(
    model: type[BaseModel], description: str, *, csv: bool = False, exported: bool = False
) -> Described:
    """An answer in JSON, also as CSV, or with `exported` in every format that lists and sums are
    written in, with headers for what some of them have no room for."""
    if not exported:
        content = {"text/csv": {"schema": {"type": "string"}}} if csv else {}
        return {"model": model, "description": description, "content": content}
    return {
        "model": model,
        "description": description,
        "content": {media: {"schema": _EXPORTED.get(media, _BYTES)} for media in MEDIA},
        "headers": {
            name: {"description": told, "schema": {"type": "string"}}
            for name, told in _HEADERS.items()
        },
    }


_BYTES: Final[Described] = {"type": "string", "format": "binary"}
_EXPORTED: Final[dict[str, Described]] = {
    "text/csv": {"type": "string"},
    "application/x-ndjson": {"type": "string"},
    "application/geo+json": {"type": "object"},
}
_HEADERS: Final = {
    "X-Total-Count": "How many items the answer holds, where it holds all of them.",
    "X-Method-Version": "The edition of the rules that figures are made by.",
    "Link": "`rel=license`, and `rel=next` of a page (RFC 8288).",
}


def refusals(*statuses: int) -> dict[int | str, Described]:
    """Problem documents for these statuses."""
    return {
        status: {
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {"schema": _problem()}},
        }
        for status in statuses
    }


@cache
def _problem() -> Described:
    schema = ProblemDocument.model_json_schema()
    # Whole in its place: the framework knows this model by no name that could be referred to.
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    return schema
