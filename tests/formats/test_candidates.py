"""Why two accounts may be of one event: what is told as data is said in English too."""

import json

import pytest
from hypothesis import given

from service.domain.candidates import (
    ClaimantsCompared,
    Compared,
    DaysCompared,
    FiguresCompared,
    Form,
    PointsCompared,
    SectorsCompared,
    TimesCompared,
    Trace,
    WeaponsCompared,
    WordsCompared,
    compare,
)
from service.domain.figures import Figure
from service.domain.vocabulary import Outcome
from service.formats.candidates import reason_view, sentence
from tests.domain.make import SECTORS, THEATRE, WEAPONS, moderate, when
from tests.domain.test_candidates import traces

DAY, MONTH, LATER = when("2022-08-03"), when("2022-08"), when("2022-08-05")
WAR, WITHIN = when("2020-09-27/2020-11-09"), when("[2020-09-27..2020-11-09]")
SINCE, UNTIL = when("[2022-08-05..]"), when("[..2022-08-03]")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (TimesCompared(Form.HOURS_APART, 6.5), "6.5 hours apart"),
        (TimesCompared(Form.HOURS_APART, 1_030), "1,030.0 hours apart"),
        (TimesCompared(Form.MINUTES_APART, 1), "1 minute apart"),
        (TimesCompared(Form.MINUTES_APART, 20), "20 minutes apart"),
        (DaysCompared(Form.SAME_DAYS, DAY, DAY, 0), "both on 3 August 2022"),
        (
            DaysCompared(Form.SAME_DAYS, WAR, WAR, 0),
            "both lasted 27 September 2020 to 9 November 2020",
        ),
        (
            DaysCompared(Form.SAME_DAYS, WAR, WITHIN, 0),
            "both within 27 September 2020 to 9 November 2020",
        ),
        (
            DaysCompared(Form.DAYS_OVERLAP, DAY, MONTH, 0),
            "3 August 2022 and 1 August 2022 to 31 August 2022 overlap",
        ),
        (
            DaysCompared(Form.DAYS_APART, DAY, LATER, 2),
            "2 days between 3 August 2022 and 5 August 2022",
        ),
        (
            DaysCompared(Form.DAYS_APART, SINCE, UNTIL, 2),
            "2 days between on or after 5 August 2022 and on or before 3 August 2022",
        ),
        (
            PointsCompared(Form.POINTS_WITHIN, 3.0, 6),
            "3 km apart, within the 6 km that both precisions leave open",
        ),
        (
            PointsCompared(Form.POINTS_BEYOND, 9.5, 6),
            "9.5 km apart, beyond the 6 km that both precisions leave open",
        ),
        (SectorsCompared(Form.SAME_SECTOR, ("old-line",)), "both in Old line"),
        (
            SectorsCompared(Form.NESTED_SECTORS, ("old-north", "old-line")),
            "North lies in Old line",
        ),
        (SectorsCompared(Form.PARTED_SECTORS, ("old-line", "rear")), "in Old line and in Rear"),
        (WeaponsCompared(Form.SAME_WEAPON, ("catapult",)), "both name catapult"),
        (
            WeaponsCompared(Form.NESTED_WEAPONS, ("indirect-fire", "mortar")),
            "indirect fire and mortar may be the same weapon",
        ),
        (
            WeaponsCompared(Form.PARTED_WEAPONS, ("mortar", "uav")),
            "one names mortar, the other unmanned aircraft",
        ),
        (
            FiguresCompared(
                Form.FIGURES_MEET, Outcome.KILLED, Figure.exactly(1_000), Figure.at_least(4)
            ),
            "killed 1,000 and at least 4 agree",
        ),
        (
            FiguresCompared(
                Form.FIGURES_EXCLUDE, Outcome.WOUNDED, Figure.exactly(3), Figure(5, 6, 7)
            ),
            "wounded 3 and 5 to 7 exclude each other",
        ),
        (ClaimantsCompared(Form.SAME_CLAIMANT, 0), "the same claimant speaks of both"),
        (
            ClaimantsCompared(Form.SAME_CLAIMANT_OTHERWISE, 1),
            "the same claimant speaks of both, 1 day apart, with figures that exclude each other",
        ),
        (WordsCompared(Form.SHARED_WORDS, 3, 4), "share 3 of 4 words"),
    ],
)
def test_what_was_found_is_a_sentence_with_units(found: Compared, says: str) -> None:
    assert sentence(found, THEATRE) == says


@given(traces, traces)
@moderate
def test_a_reason_is_told_by_its_form_and_plain_values(a: Trace, b: Trace) -> None:
    for reason in compare(a, b, SECTORS, WEAPONS).reasons:
        view = json.loads(json.dumps(reason_view(reason, THEATRE)))
        assert [told["form"] for told in view["told"]] == [found.form for found in reason.told]
        assert view["says"] == "; ".join(sentence(found, THEATRE) for found in reason.told)


def test_days_are_told_in_edtf_and_figures_with_all_their_bounds() -> None:
    a = Trace("a", when("2022-08"), figures={Outcome.KILLED: Figure(2, 3, 4)})
    b = Trace("b", when("[..2022-08-03]"), figures={Outcome.KILLED: Figure.at_least(9)})
    [figures] = compare(a, b, SECTORS, WEAPONS).reasons
    assert reason_view(figures, THEATRE)["told"] == [
        {
            "form": "figures_exclude",
            "outcome": "killed",
            "own": {"low": 2, "best": 3, "high": 4},
            "other": {"low": 9, "best": 9, "high": None},
        }
    ]
    later = Trace("c", when("2022-08-05T10:00Z"))
    [days] = compare(later, b, SECTORS, WEAPONS).reasons
    assert reason_view(days, THEATRE)["told"] == [
        {"form": "days_apart", "own": "2022-08-05", "other": "[..2022-08-03]", "days": 2}
    ]
