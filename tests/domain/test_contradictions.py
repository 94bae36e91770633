"""What speaks against a report: denials, blame, days and figures that exclude each other."""

from datetime import date

import pytest

from service.domain.casualties import Cell
from service.domain.contradictions import Difference, Form, contradictions
from service.domain.figures import Figure
from service.domain.reports import Report
from service.domain.vocabulary import Group, Outcome, Stance, Status
from tests.domain.make import line, report, when


def differences(own: Report, other: Report) -> list[Difference]:
    [found] = contradictions(own, [other])
    assert (found.report, found.claimant) == (other.id, other.claimant)
    return list(found.differences)


def test_a_denial_contradicts_an_account_and_no_other_denial() -> None:
    account, denial = report(), report(claimant="icrc", stance=Stance.DENIES)
    assert differences(account, denial) == [Difference(Form.STANCE, Stance.ASSERTS, Stance.DENIES)]
    assert differences(denial, account) == [Difference(Form.STANCE, Stance.DENIES, Stance.ASSERTS)]
    assert not contradictions(denial, [report(stance=Stance.DENIES)])
    assert not contradictions(account, [report(claimant="icrc", stance=Stance.CORRECTS)])


def test_blame_of_another_contradicts_and_no_blame_does_not() -> None:
    own = report(blames="armenia")
    other = report(claimant="icrc", blames="azerbaijan")
    assert differences(own, other) == [Difference(Form.ATTRIBUTED_TO, "armenia", "azerbaijan")]
    assert not contradictions(own, [report(claimant="icrc")])
    assert not contradictions(report(), [other])


@pytest.mark.parametrize("later", ["2022-08-05", "2022-08-05T10:00Z", "[2022-08-05..]"])
def test_days_that_cannot_meet_contradict_as_they_were_told(later: str) -> None:
    own, other = report("[..2022-08-03]"), report(later, claimant="icrc")
    assert differences(own, other) == [Difference(Form.WHEN, own.when, when(later))]
    assert differences(other, own) == [Difference(Form.WHEN, when(later), own.when)]
    assert not contradictions(report("2022-08"), [other])


def test_figures_that_exclude_each_other_contradict_where_both_speak_of_the_same_people() -> None:
    soldiers = Cell("armenia", Group.MILITARY)
    own = report(
        "2022-08-03",
        "newspaper",
        line(killed=3, wounded=4),
        line("armenia", Group.MILITARY, killed=2),
    )
    other = report(
        "2022-08-03",
        "icrc",
        line(killed=Figure(5, 6, 7), wounded=Figure.at_least(1)),
        line("armenia", Group.MILITARY, killed=Figure.at_least(3)),
        line("azerbaijan", killed=9),
    )
    assert differences(own, other) == [
        Difference(Form.FIGURE, Figure.exactly(3), Figure(5, 6, 7), Outcome.KILLED),
        Difference(
            Form.FIGURE, Figure.exactly(2), Figure.at_least(3), Outcome.KILLED, cell=soldiers
        ),
    ]


def test_only_live_reports_of_others_speak_against_one_in_the_order_they_were_said() -> None:
    own = report("2022-08-03", "newspaper", line(killed=3), id="own")
    others = [
        report("2022-08-03", "icrc", line(killed=4), id="late", said=date(2022, 9, 2)),
        report("2022-08-03", "residents", line(killed=4), id="early", said=date(2022, 8, 4)),
        report("2022-08-03", "newspaper", line(killed=4), id="its own"),
        report("2022-08-03", "icrc", line(killed=4), status=Status.REFUTED),
        report("2022-08-03", "icrc", line(killed=4), counted=False),
        report("2022-08-03", "icrc", line(killed=3)),
    ]
    assert [found.report for found in contradictions(own, [own, *others])] == ["early", "late"]
