"""A reviewer's decision as it is posted."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from service.domain.vocabulary import Basis, Flag, Status
from service.formats.reports import LongReason, SourceIn, Strict


def _decidable(status: Status) -> Status:
    if status is Status.WITHDRAWN:
        raise ValueError("is for who sent the report, by a change of it")
    return status


class EvidenceIn(SourceIn):
    """A document that a decision rests on, with the SHA-256 of the copy that was looked at."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class ReviewIn(Strict):
    """What a reviewer decides about a report, on what basis and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "verified",
                    "basis": "peacekeepers",
                    "reason": "The peacekeepers' bulletin names the place, the hour and both.",
                    "grade": "B2",
                    "evidence": [
                        {
                            "title": "Bulletin of 3 August 2022",
                            "publisher": "Russian Ministry of Defence",
                            "sha256": "0" * 63 + "1",
                        }
                    ],
                },
                {"clears": ["possible_duplicate"], "reason": "Another event: 40 km away."},
            ]
        }
    )

    status: Annotated[Status, Field(strict=False), AfterValidator(_decidable)] | None = None
    """Left out, the status stays."""
    basis: Annotated[Basis | None, Field(strict=False)] = None
    """The evidence that carries it, by the ladder of docs/reviews.md."""
    reason: LongReason
    """Shown with the report to everybody who sees it."""
    grade: Annotated[str, Field(pattern="^[A-F][1-6]$")] | None = None
    """Admiralty code: reliability of the source, credibility of the information."""
    clears: list[Annotated[Flag, Field(strict=False)]] = Field(default_factory=list, max_length=20)
    """Doubts that are settled by this."""
    evidence: list[EvidenceIn] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _decides(self) -> Self:
        if self.status is None and not self.clears and self.grade is None:
            raise ValueError("must decide a status or a grade, or clear a flag")
        if self.status is None and self.basis is not None:
            raise ValueError("must give the status that the basis is for")
        return self
