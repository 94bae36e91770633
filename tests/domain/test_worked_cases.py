"""The cases that must come out right, as the texts tell them."""

from datetime import date

from service.domain.figures import Figure, figure_from_words
from service.domain.incidents import Incident
from service.domain.periods import Grain
from service.domain.queries import Dimension
from service.domain.vocabulary import Group, Outcome, Stance, Status
from tests.domain.make import account, incident, killed, killed_in, line, report, row_of, table

MILITARY, CIVILIAN = Group.MILITARY, Group.CIVILIAN


def in_words(words: str) -> Figure:
    figure = figure_from_words(words)
    assert figure is not None
    return figure


def test_13_september_2022_is_at_least_99_and_nothing_calls_it_verified() -> None:
    night = incident(
        "night",
        report(
            "2022-09-13",
            "armenia-mod",
            line("armenia", MILITARY, killed=in_words("at least 49")),
            sector="theatre",
        ),
        report(
            "2022-09-13",
            "azerbaijan-mod",
            line("azerbaijan", MILITARY, killed=50),
            sector="theatre",
        ),
    )
    september = date(2022, 9, 1), date(2022, 9, 30)
    row = row_of(table([night], Grain.NAMED, *september), "september-2022")
    assert (row.incidents, row.reports) == (1, 2)
    assert killed_in(row) == (99, 99, None)
    assert row.figures[Outcome.KILLED].open == 1
    sides = table([night], Grain.NAMED, *september, Dimension.PARTY)
    assert killed_in(row_of(sides, "september-2022", party="armenia")) == (49, 49, None)
    assert killed_in(row_of(sides, "september-2022", party="azerbaijan")) == (50, 50, 50)
    statuses = table([night], Grain.NAMED, *september, Dimension.STATUS)
    assert [row.keys["status"] for row in statuses.rows] == ["unverified"]
    verified = table([night], Grain.NAMED, *september, status=Status.VERIFIED)
    assert verified.total.incidents is None
    assert killed_in(verified.total) == (None, None, None)


def test_april_2016_is_200_or_more_and_not_203() -> None:
    episode = incident(
        "escalation",
        report("[2016-04-01..2016-04-07]", "newspaper", line(killed=in_words("at least 200"))),
        episode=True,
    )
    allegation = report(
        "2016-04", "nk-authorities", line("nk-de-facto", CIVILIAN, killed=3), counted=False
    )
    year = date(2016, 1, 1), date(2016, 12, 31)
    set_aside = [episode, incident("talish", allegation, parent="escalation")]
    counted = [
        episode,
        incident(
            "talish",
            report("2016-04", "nk-authorities", line("nk-de-facto", CIVILIAN, killed=3)),
            parent="escalation",
        ),
    ]
    for family in (set_aside, counted):
        answer = table(family, Grain.NAMED, *year)
        assert killed_in(row_of(answer, "april-2016")) == (200, 200, None)
        assert killed_in(answer.total) == (200, 200, None)


def test_the_2020_war_is_in_its_period_and_year_and_spans_its_months() -> None:
    war = incident(
        "war",
        report(
            "2020-09-27/2020-11-09",
            "newspaper",
            line(None, MILITARY, killed=in_words("over 5,000")),
            line(None, CIVILIAN, killed=in_words("several hundred")),
            sector="theatre",
        ),
        episode=True,
    )
    year = date(2020, 1, 1), date(2020, 12, 31)
    for grain, period in (
        (Grain.NAMED, "2020-war"),
        (Grain.YEAR, "2020"),
        (Grain.MONTH, "spanning"),
        (Grain.QUARTER, "spanning"),
    ):
        answer = table([war], grain, *year)
        assert killed_in(row_of(answer, period)) == (5_300, 5_300, None)
        assert killed_in(answer.total) == (5_300, 5_300, None)
        assert answer.total.episodes == 1


def mines() -> list[Incident]:
    cluster = report(
        "2020-11-10/2020-12-22",
        "newspaper",
        line(killed=in_words("at least 7"), wounded=4),
        sector=None,
    )
    return [
        incident("mines", cluster, episode=True),
        *(
            incident(name, report(at, "newspaper", sector=None), parent="mines")
            for name, at in (
                ("59", "[..2020-11-30]"),
                ("61", "[..2020-12-14]"),
                ("62", "[..2020-12-18]"),
            )
        ),
        incident("58", report("[..2020-11-02]", sector=None)),
        incident("60", report("[..2020-11-15]", sector=None)),
    ]


def test_the_mines_of_2020_are_seven_and_four_spanning_months_and_placed_by_quarter() -> None:
    quarter = date(2020, 10, 1), date(2020, 12, 31)
    for grain, period in (
        (Grain.MONTH, "spanning"),
        (Grain.QUARTER, "2020-Q4"),
        (Grain.YEAR, "2020"),
    ):
        answer = table(mines(), grain, *quarter)
        assert killed_in(row_of(answer, period)) == (7, 7, None)
        assert killed_in(answer.total) == (7, 7, None)
        assert answer.total.figures[Outcome.WOUNDED].low == 4
        assert answer.total.figures[Outcome.KILLED].unknown == 5
        assert (answer.total.incidents, answer.total.episodes) == (5, 1)


def test_1_august_2022_is_verified_by_the_peacekeepers() -> None:
    soldier = incident(
        "soldier",
        report(
            "2022-08-01", "peacekeepers", line(None, MILITARY, wounded=1), status=Status.VERIFIED
        ),
    )
    answer = table([soldier], Grain.DAY, date(2022, 8, 1), date(2022, 8, 5), Dimension.STATUS)
    row = row_of(answer, "2022-08-01", status="verified")
    assert row.incidents == 1
    assert row.figures[Outcome.WOUNDED].low == 1


def test_years_without_a_report_are_null_and_not_zero() -> None:
    answer = table([], Grain.YEAR, date(2017, 7, 1), date(2020, 6, 30), dense=True)
    assert [row.period for row in answer.rows] == ["2017", "2018", "2019", "2020"]
    assert {row.incidents for row in answer.rows} == {None}
    assert {killed_in(row) for row in answer.rows} == {(None, None, None)}


def test_hadrut_is_one_contested_incident_without_blame_by_us() -> None:
    told = account(
        report("2020-12-12", "armenia-mod", blames="azerbaijan"),
        report("2020-12-12", "azerbaijan-mod", blames="armenia"),
    )
    assert told.contested
    assert not hasattr(told, "attributed_to")


def test_a_denial_of_losses_leaves_the_six_dead_that_somebody_else_told_of() -> None:
    told = account(
        report("2017-02", "newspaper", line("azerbaijan", MILITARY, killed=6)),
        report("2017-02", "armenia-mod", stance=Stance.DENIES),
    )
    assert killed(told) == Figure.exactly(6)
    assert told.contested


def test_a_row_known_to_the_country_is_in_the_theatre_and_unlocated_below_it() -> None:
    row = [incident("row", report("2020-10-01", sector="theatre"))]
    days = date(2020, 10, 1), date(2020, 10, 31)
    theatre = table(row, Grain.MONTH, *days, Dimension.SECTOR, level=0)
    assert row_of(theatre, "2020-10", sector="theatre").incidents == 1
    below = table(row, Grain.MONTH, *days, Dimension.SECTOR, level=1)
    assert row_of(below, "2020-10", sector="unlocated", within="theatre").incidents == 1
    assert account(report("2020-10-01", sector="theatre")).point is None
