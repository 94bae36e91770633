"""What is said of incidents and of the reports that tell of them, as it is posted."""

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from service.formats.reports import Identifier, LongText, Reason, ShortText, Strict

_Several = Annotated[list[Identifier], Field(min_length=1, max_length=500)]
_EXAMPLE: Final = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e30"


def _examples(*examples: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [*examples]})


class Reasoned(Strict):
    """A step, and why it is taken; kept with it."""

    model_config = _examples({"reason": "They were two villages of one name."})

    reason: Reason


class MergeIn(Reasoned):
    """Incidents that are the same event as another one."""

    model_config = _examples(
        {"incidents": [_EXAMPLE], "reason": "Both name the post above the village, at dawn."}
    )

    incidents: _Several


class SplitIn(Reasoned):
    """Reports that tell of another event than the rest."""

    model_config = _examples(
        {"reports": [_EXAMPLE], "reason": "Told of the day after, and of another road."}
    )

    reports: _Several


class LinksIn(Reasoned):
    """Reports that belong to the incident, what it is part of, and how it is called."""

    model_config = _examples(
        {"reports": [_EXAMPLE], "reason": "The ministry speaks of the same convoy."},
        {"part_of": _EXAMPLE, "title": "Shelling near Lachin", "reason": "On its second day."},
    )

    reports: Annotated[list[Identifier], Field(max_length=500)] = Field(default_factory=list)
    part_of: Identifier | None = None
    """`null` makes it stand alone."""
    title: ShortText | None = None
    episode: bool = False
    """Whether it is a span of events, such as a war or an escalation."""
    note: LongText | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"reason"}:
            raise ValueError("must link a report or say something of the incident")
        return self
