"""A status rests on evidence, never on repetition."""

import pytest

from service.domain.verification import (
    COUNTED,
    STRENGTH,
    check_status,
    strongest,
    weakest,
)
from service.domain.vocabulary import Basis, Flag, Status
from service.errors import Invalid

FROM_OUTSIDE = {
    Basis.HUMANITARIAN_REGISTRATION,
    Basis.PEACEKEEPERS,
    Basis.INDEPENDENT_INVESTIGATION,
}


@pytest.mark.parametrize("basis", [None, *Basis])
def test_decision_6_only_evidence_from_outside_the_parties_verifies(basis: Basis | None) -> None:
    if basis in FROM_OUTSIDE:
        check_status(Status.VERIFIED, basis)
    else:
        with pytest.raises(Invalid) as refused:
            check_status(Status.VERIFIED, basis, speaks_for="armenia", other_voices=["azerbaijan"])
        assert refused.value.problems[0].field == "basis"


def test_decision_6_a_flagged_report_cannot_be_verified() -> None:
    with pytest.raises(Invalid) as refused:
        check_status(Status.VERIFIED, Basis.PEACEKEEPERS, flags=[Flag.CLOCK_SKEW])
    assert refused.value.problems[0].field == "status"


@pytest.mark.parametrize(
    ("speaks_for", "other_voices", "corroborated"),
    [
        ("armenia", [], False),
        ("armenia", ["armenia"], False),
        ("armenia", ["armenia", "armenia"], False),
        ("armenia", ["armenia", "azerbaijan"], True),
        ("armenia", [None], True),
        (None, ["armenia"], True),
    ],
)
def test_two_claimants_of_one_party_corroborate_nothing(
    speaks_for: str | None, other_voices: list[str | None], corroborated: bool
) -> None:
    def check() -> None:
        check_status(
            Status.CORROBORATED,
            Basis.CLAIMED_BY_PARTY,
            speaks_for=speaks_for,
            other_voices=other_voices,
        )

    if corroborated:
        check()
    else:
        with pytest.raises(Invalid):
            check()


def test_a_partys_proceedings_against_its_own_corroborate_and_do_not_verify() -> None:
    check_status(Status.CORROBORATED, Basis.OWN_PROCEEDINGS, speaks_for="armenia")
    with pytest.raises(Invalid):
        check_status(Status.VERIFIED, Basis.OWN_PROCEEDINGS, speaks_for="armenia")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.VERIFIED, Status.CORROBORATED}))
def test_other_statuses_need_no_evidence(status: Status) -> None:
    check_status(status, None, flags=list(Flag))


def test_the_ladders_hold_every_status_and_basis_once() -> None:
    assert sorted(STRENGTH) == sorted(Status)
    assert {Status.UNVERIFIED, Status.CORROBORATED, Status.VERIFIED} == COUNTED
    assert strongest(Status) is Status.VERIFIED
    assert weakest(COUNTED) is Status.UNVERIFIED
