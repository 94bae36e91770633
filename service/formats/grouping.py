"""What is said of incidents and of the reports that tell of them, as it is posted."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from service.formats.reports import Identifier, LongText, Reason, ShortText, Strict

_Several = Annotated[list[Identifier], Field(min_length=1, max_length=500)]


class Reasoned(Strict):
    """A step, and why it is taken; kept with it."""

    reason: Reason


class MergeIn(Reasoned):
    """Incidents that are the same event as another one."""

    incidents: _Several


class SplitIn(Reasoned):
    """Reports that tell of another event than the rest."""

    reports: _Several


class LinksIn(Reasoned):
    """Reports that belong to the incident, what it is part of, and how it is called."""

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
