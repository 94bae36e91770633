"""How far a report is established, and what evidence may carry which status.

The ladder of bases orders the evidence that monitoring texts themselves name, weakest first;
none is climbed by repetition.
"""

from collections.abc import Collection, Iterable
from typing import Final

from service.domain.vocabulary import Basis, Flag, Status
from service.errors import Invalid

# Weakest first. The last three count; what comes before them stays out of every figure.
STRENGTH: Final = (
    Status.WITHDRAWN,
    Status.REFUTED,
    Status.UNVERIFIABLE,
    Status.UNVERIFIED,
    Status.CORROBORATED,
    Status.VERIFIED,
)
COUNTED: Final = frozenset({Status.UNVERIFIED, Status.CORROBORATED, Status.VERIFIED})

VERIFYING: Final = frozenset(
    {Basis.HUMANITARIAN_REGISTRATION, Basis.PEACEKEEPERS, Basis.INDEPENDENT_INVESTIGATION}
)
CORROBORATING: Final = VERIFYING | {Basis.OWN_PROCEEDINGS}


def strongest(statuses: Iterable[Status]) -> Status:
    return max(statuses, key=STRENGTH.index)


def weakest(statuses: Iterable[Status]) -> Status:
    return min(statuses, key=STRENGTH.index)


def check_status(
    status: Status,
    basis: Basis | None,
    *,
    flags: Collection[Flag] = (),
    speaks_for: str | None = None,
    other_voices: Iterable[str | None] = (),
) -> None:
    """Raise `Invalid` where the evidence does not carry the status.

    `speaks_for` is the party of the report's claimant, `other_voices` the parties of the other
    claimants that assert the same event (`None` for one that speaks for no party). Verification
    needs evidence from outside the parties and no open flag; corroboration needs such evidence,
    a party's proceedings against its own, or a second claimant who speaks for another side.
    """
    if status is Status.VERIFIED:
        if basis not in VERIFYING:
            raise Invalid("needs a basis from outside the parties to be verified", "basis")
        if flags:
            raise Invalid("cannot be verified while it carries flags", "status")
    elif status is Status.CORROBORATED:
        independent = any(voice is None or voice != speaks_for for voice in other_voices)
        if basis not in CORROBORATING and not independent:
            raise Invalid(
                "needs independent evidence or a second claimant of another side", "basis"
            )
