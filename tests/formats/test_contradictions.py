"""What two reports disagree in: what is told as data is said in English too."""

import pytest

from service.domain.casualties import Cell
from service.domain.contradictions import Contradiction, Difference, Form
from service.domain.figures import Figure
from service.domain.vocabulary import Group, Outcome, Stance
from service.formats.contradictions import contradiction_view
from tests.domain.make import when


@pytest.mark.parametrize(
    ("difference", "says", "told"),
    [
        (
            Difference(Form.STANCE, Stance.ASSERTS, Stance.DENIES),
            "one of them is a denial",
            {"own": "asserts", "other": "denies"},
        ),
        (
            Difference(Form.ATTRIBUTED_TO, "armenia", "azerbaijan"),
            "blames azerbaijan, not armenia",
            {"own": "armenia", "other": "azerbaijan"},
        ),
        (
            Difference(Form.WHEN, when("2022-08-03T10:30Z"), when("[2022-08-05..]")),
            "says [2022-08-05..], not 2022-08-03T10:30Z",
            {"own": "2022-08-03T10:30Z", "other": "[2022-08-05..]"},
        ),
        (
            Difference(Form.FIGURE, Figure.exactly(3), Figure.at_least(1_200), Outcome.KILLED),
            "killed: at least 1200, not 3",
            {
                "own": {"low": 3, "best": 3, "high": 3},
                "other": {"low": 1_200, "best": 1_200, "high": None},
                "outcome": "killed",
            },
        ),
        (
            Difference(
                Form.FIGURE,
                Figure(1, 2, 3),
                Figure.exactly(7),
                Outcome.WOUNDED,
                Cell("armenia", Group.CIVILIAN),
            ),
            "wounded (armenia civilian): 7, not 1 to 3",
            {
                "own": {"low": 1, "best": 2, "high": 3},
                "other": {"low": 7, "best": 7, "high": 7},
                "outcome": "wounded",
                "party": "armenia",
                "group": "civilian",
            },
        ),
    ],
)
def test_a_difference_is_a_sentence_and_told_by_its_form(
    difference: Difference, says: str, told: dict[str, object]
) -> None:
    nothing = {"outcome": None, "party": None, "group": None}
    assert contradiction_view(Contradiction("a report", "icrc", (difference,))) == {
        "report": "a report",
        "claimant": "icrc",
        "reasons": [says],
        "told": [{"form": difference.form, **nothing, **told}],
    }
