"""What is malformed is refused by field; what is doubtful is kept, with flags."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.drafts import Draft, DraftLine, Observer, Resolved, Source, Where, resolve
from service.domain.figures import Figure
from service.domain.places import Point
from service.domain.vocabulary import Flag, Group, Outcome, Precision
from service.domain.weapons import WeaponUse
from service.errors import Invalid
from tests.domain.make import NOW, THEATRE, ZONE, line, moderate

LACHIN = Where(place="Laçın")


def read(when: str = "2022-08-03", where: Where = LACHIN, **others: Any) -> Resolved:
    others.setdefault("claimant", "nk-authorities")
    return resolve(Draft(when, where, **others), THEATRE, NOW)


def refused_at(when: str = "2022-08-03", where: Where = LACHIN, **others: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read(when, where, **others)
    return [problem.field for problem in refused.value.problems]


def test_a_plain_report_carries_no_flag() -> None:
    told = read(
        weapons=(WeaponUse("UAV-strike"),),
        casualties=(DraftLine(line("nk-de-facto", Group.MILITARY, killed=2, wounded=19)),),
        attributed_to="Azerbaijan",
        summary="Two soldiers were killed on 2022-08-03 14:30; 19 were wounded.",
        sources=(Source("A title", published="2022-08-05"),),
    )
    assert told.flags == frozenset()
    assert told.unmapped == ()
    assert (told.sector, told.place) == ("corridor", "lachin")
    assert told.point == Point(39.6, 46.5, Precision.SETTLEMENT)
    assert told.weapons == (WeaponUse("uav-strike"),)
    assert told.attributed_to == "azerbaijan"
    assert str(told.reported) == "2022-08-05"


@pytest.mark.parametrize(
    ("said", "doubted"),
    [
        (10_000, False),
        (10_001, True),
        (50_000, True),
        (Figure.at_least(10_001), True),
        (Figure(3, 50_000, None), True),
    ],
)
def test_b2_an_implausible_count_is_kept_with_a_flag(said: int | Figure, doubted: bool) -> None:
    told = read(casualties=(DraftLine(line(killed=said)),))
    assert (Flag.IMPLAUSIBLE_CASUALTIES in told.flags) is doubted
    assert told.lines == (line(killed=said),)


def test_b2_many_displaced_are_plausible() -> None:
    assert read(casualties=(DraftLine(line(displaced=90_000)),)).flags == frozenset()


@pytest.mark.parametrize(
    ("when", "ahead"),
    [
        ("2022-09-20T12:00+04:00", timedelta()),
        ("2022-09-20T12:01+04:00", timedelta(minutes=1)),
        ("2022-09-21T12:00+04:00", timedelta(hours=24)),
        ("2022-09-21T12:01+04:00", timedelta(hours=24, minutes=1)),
        ("2022-09-20", timedelta(hours=-12)),
        ("2022-09-21", timedelta(hours=12)),
        ("2022-09-22", timedelta(hours=36)),
        ("2022-09", timedelta(days=-19)),
        ("2023", timedelta(days=100)),
        ("[2022-09-01..2022-12-31]", timedelta(days=-19)),
        ("2022-09-01/2022-12-31", timedelta(days=100)),
        ("2022-09-01/2022-09-21", timedelta(hours=12)),
        ("2022-09-01/..", timedelta(days=-19)),
    ],
)
def test_b5_the_future_is_refused_and_b6_a_fast_clock_is_flagged(
    when: str, ahead: timedelta
) -> None:
    if ahead > timedelta(hours=24):
        assert refused_at(when) == ["when"]
    else:
        assert (Flag.CLOCK_SKEW in read(when).flags) is (ahead > timedelta())


@pytest.mark.parametrize(
    ("when", "out"),
    [("1993-12-31", True), ("1988/1993", True), ("1994-01-01", False), ("1992/1994", False)],
)
def test_b7_what_precedes_the_ceasefire_is_kept_with_a_flag(when: str, out: bool) -> None:
    assert (Flag.OUT_OF_PERIOD in read(when).flags) is out


def test_b8_an_end_before_the_start_is_refused() -> None:
    assert refused_at("2022-08-05/2022-08-03") == ["when"]


def test_b9_a_time_without_offset_needs_a_time_zone() -> None:
    assert refused_at("2022-08-03T14:30") == ["when"]
    told = read("2022-08-03T01:30", timezone="Asia/Yerevan")
    assert told.when.earliest == datetime(2022, 8, 2, 21, 30, tzinfo=UTC)
    assert told.when.start == date(2022, 8, 3)


def test_b10_a_time_the_clock_skips_or_repeats_is_kept_with_a_flag() -> None:
    assert Flag.AMBIGUOUS_TIME in read("2022-03-27T02:30", timezone="Europe/Berlin").flags
    assert Flag.AMBIGUOUS_TIME in read("2021-10-31T02:30", timezone="Europe/Berlin").flags
    assert Flag.AMBIGUOUS_TIME not in read("2022-03-27T03:30", timezone="Europe/Berlin").flags


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (Where(latitude=91, longitude=46), "where.lat"),
        (Where(latitude=39, longitude=181), "where.lon"),
        (Where(observer=Observer(91, 46, 0, 1)), "where.observer.lat"),
        (Where(observer=Observer(39, 46, 361, 1)), "where.observer.bearing"),
        (Where(observer=Observer(39, 46, 0, 101)), "where.observer.distance_km"),
        (Where(), "where"),
    ],
)
def test_b11_positions_off_the_globe_or_none_are_refused_by_field(where: Where, field: str) -> None:
    assert refused_at(where=where) == [field]


@pytest.mark.parametrize("latitude", [90, -90])
@pytest.mark.parametrize("longitude", [180, -180])
def test_b11_the_edges_of_the_globe_are_accepted(latitude: float, longitude: float) -> None:
    told = read(where=Where(latitude=latitude, longitude=longitude))
    assert told.point == Point(latitude, 180)


def test_b12_swapped_coordinates_are_flagged_and_never_swapped_for_the_sender() -> None:
    told = read(where=Where(latitude=46.5, longitude=39.5))
    assert told.flags == {Flag.MAYBE_SWAPPED}
    assert told.point == Point(46.5, 39.5)
    assert told.sector is None


def test_b13_nought_nought_is_flagged_and_is_no_position() -> None:
    told = read(where=Where(latitude=0, longitude=0))
    assert told.flags == {Flag.NULL_ISLAND}
    assert (told.point, told.sector) == (None, None)
    with_place = read(where=Where(place="Lachin", latitude=0, longitude=0))
    assert with_place.point == Point(39.6, 46.5, Precision.SETTLEMENT)


@pytest.mark.parametrize(
    ("precision", "sector"), [(Precision.SECTOR, "corridor"), (Precision.THEATRE, "theatre")]
)
def test_coordinates_that_stand_for_an_area_file_the_event_and_are_no_position(
    precision: Precision, sector: str
) -> None:
    told = read(where=Where(latitude=39.5, longitude=46.5, precision=precision))
    assert (told.sector, told.point, told.flags) == (sector, None, frozenset())


def test_b14_a_point_outside_the_area_is_kept_with_a_flag() -> None:
    told = read(where=Where(latitude=10, longitude=10))
    assert told.flags == {Flag.OUTSIDE_AREA}
    assert told.point == Point(10, 10)
    assert told.sector is None


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"claimant": "Somebody"}, ("claimant",)),
        ({"attributed_to": "Nobody"}, ("attributed_to",)),
        ({"where": Where(place="Atlantis")}, ("where.place",)),
        ({"where": Where(sector="Somewhere")}, ("where.sector",)),
        ({"where": Where(as_written="near the river")}, ("where.as_written",)),
        ({"weapons": (WeaponUse("mine"), WeaponUse("catapult"))}, ("weapons.1",)),
        ({"casualties": (DraftLine(line("Elsewhere", killed=1)),)}, ("casualties.0.party",)),
    ],
)
def test_b15_what_matches_nothing_is_kept_as_written_with_a_flag(
    change: dict[str, Any], paths: tuple[str, ...]
) -> None:
    told = read(**change)
    assert told.flags == {Flag.UNMAPPED}
    assert told.unmapped == paths
    assert told.claimant == change.get("claimant", "nk-authorities")
    assert told.weapons == change.get("weapons", ())
    if "where" in change:
        assert (told.sector, told.place, told.point) == (None, None, None)


def test_b15_unlocated_is_a_place_one_may_name() -> None:
    told = read(where=Where(sector="unlocated"))
    assert (told.flags, told.sector) == (frozenset(), None)


def test_text_beside_a_known_place_is_no_riddle() -> None:
    assert read(where=Where(place="Lachin", as_written="on the road")).flags == frozenset()


@pytest.mark.parametrize(
    ("summary", "personal"),
    [
        ("A soldier named Armen was wounded", True),
        ("identified as A. B.", True),
        ("житель по имени Иван", True),
        ("Write to someone@example.org", True),
        ("Call +374 (91) 23-45-67", True),
        ("Document 1234567890", True),
        ("Ivan Petrov, 34, was hurt", True),
        ("Two soldiers were wounded near Lachin", False),
        ("Over 1,900 projectiles and 182 violations", False),
        ("On 2022-08-03 14:30 and from 2020-09-27 2020-11-09", False),
        ("Fired at 39.7589 46.7489", False),
        ("", False),
    ],
)
def test_b22_text_that_may_name_a_person_is_flagged(summary: str, personal: bool) -> None:
    assert (Flag.PERSONAL_DATA in read(summary=summary).flags) is personal
    assert personal is (
        Flag.PERSONAL_DATA in read(where=Where(place="Lachin", as_written=summary)).flags
    )


@pytest.mark.parametrize(
    ("character", "unusual"),
    [
        ("\u202e", True),
        ("\u200b", True),
        ("\x07", True),
        ("\n", False),
        ("\t", False),
        ("ə", False),
    ],
)
def test_characters_that_change_how_text_is_shown_are_flagged(
    character: str, unusual: bool
) -> None:
    words = {Outcome.KILLED: f"a{character}b"}
    for told in (
        read(summary=f"a{character}b"),
        read(sources=(Source(f"a{character}b"),)),
        read(where=Where(place="Lachin", as_written=f"a{character}b")),
        read(casualties=(DraftLine(replace(line("armenia"), words=words)),)),
    ):
        assert (Flag.UNUSUAL_CHARACTERS in told.flags) is unusual


@pytest.mark.parametrize(
    ("name", "unusual"),
    [
        ("Ministry of Defence of Azerb\u0430ijan", True),
        ("\u041cinistry of Defence", True),
        ("\u0410gdam", True),
        ("Պaշտպանության նախարարություն", True),
        ("Ministry of Defence of Azerbaijan", False),
        ("Azərbaycan Respublikasının Müdafiə Nazirliyi", False),
        ("Министерство обороны (MoD)", False),
        ("ՀՀ պաշտպանության նախարարություն, T-72Б", False),
    ],
)
def test_a_name_that_looks_like_another_is_flagged(name: str, unusual: bool) -> None:
    for told in (
        read(claimant=name),
        read(attributed_to=name),
        read(where=Where(place=name)),
        read(sources=(Source(name),)),
    ):
        assert (Flag.UNUSUAL_CHARACTERS in told.flags) is unusual


def test_decision_15_a_sector_not_valid_on_the_date_is_flagged_and_falls_back() -> None:
    told = read("2022-08-03", Where(sector="old-north"))
    assert told.flags == {Flag.SECTOR_NOT_VALID}
    assert told.sector == "theatre"
    assert read("2016-04-02", Where(sector="old-north")).flags == frozenset()


@pytest.mark.parametrize(
    ("where", "sector", "flags"),
    [
        (Where(place="Talish", sector="old-line"), "old-north", set()),
        (Where(place="Talish", sector="old-north"), "old-north", set()),
        (Where(place="Talish", sector="theatre"), "old-north", set()),
        (Where(place="Talish", sector="rear"), "rear", {Flag.PLACE_SECTOR_MISMATCH}),
        (
            Where(place="Talish", latitude=39.5, longitude=46.5),
            "old-line",
            {Flag.PLACE_SECTOR_MISMATCH},
        ),
        (Where(place="Talish", latitude=40.6, longitude=46.5), "old-north", set()),
    ],
)
def test_decision_2_place_sector_and_point_give_the_finest_that_they_share(
    where: Where, sector: str, flags: set[Flag]
) -> None:
    told = read("2016-04-02", where)
    assert told.sector == sector
    assert told.flags == flags


def test_an_observer_leads_to_the_point_that_was_seen_and_stays_out_of_it() -> None:
    told = read(where=Where(observer=Observer(39.5, 46.5, 0, 10)))
    assert told.point == Point(39.58993, 46.5, Precision.SETTLEMENT)
    assert told.sector == "corridor"


def test_any_name_of_a_party_or_claimant_is_understood() -> None:
    told = read(
        claimant="peacekeepers",
        attributed_to="Азербайджан",
        casualties=(DraftLine(line("АРМЕНИЯ", killed=1)),),
    )
    assert told.flags == frozenset()
    assert told.attributed_to == "azerbaijan"
    assert told.lines[0].cell.party == "armenia"


def test_one_cell_given_twice_is_refused_even_under_two_names() -> None:
    twice = (DraftLine(line("armenia", killed=1)), DraftLine(line("Армения", killed=2)))
    assert refused_at(casualties=twice) == ["casualties.1.killed"]
    apart = (DraftLine(line("armenia", killed=1)), DraftLine(line("armenia", wounded=2)))
    assert read(casualties=apart).flags == frozenset()


def test_words_that_carry_no_bound_are_flagged_and_give_no_figure() -> None:
    told = read(casualties=(DraftLine(line("armenia"), unreadable=True),))
    assert told.flags == {Flag.UNREADABLE_QUANTITY}
    assert told.lines[0].figures == {}


@pytest.mark.parametrize(
    ("reported", "published", "said"),
    [
        ("2022-08-04", ["2022-08-09"], "2022-08-04"),
        (None, [None, "2022-08-09", "2022-08-05"], "2022-08-09"),
        (None, ["2022-08"], "2022-08"),
        (None, ["2022-08-09T10:00Z"], "2022-08-09"),
        (None, [], "2022-09-20"),
    ],
)
def test_a_report_was_said_when_it_says_or_when_its_first_source_does(
    reported: str | None, published: list[str | None], said: str
) -> None:
    sources = tuple(Source("A title", published=p) for p in published)
    assert str(read(reported=reported, sources=sources).reported) == said


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reported": "yesterday"}, "reported"),
        ({"reported": "2022-09-22"}, "reported"),
        ({"reported": "[..2022-08-03]"}, "reported"),
        ({"sources": (Source("a"), Source("b", published="soon"))}, "sources.1.published"),
        (
            {"reported": "2022-08-04", "sources": (Source("a", published="2031"),)},
            "sources.0.published",
        ),
    ],
)
def test_a_date_of_saying_that_cannot_be_is_refused_by_field(
    change: dict[str, Any], field: str
) -> None:
    assert refused_at(**change) == [field]


@moderate
@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=20))
def test_refusals_never_repeat_what_was_sent(when: str, reported: str, claimant: str) -> None:
    draft = Draft(f"§{when}", LACHIN, f"§{claimant}", reported=f"§{reported}")
    with pytest.raises(Invalid) as refused:
        resolve(draft, THEATRE, NOW)
    assert "§" not in str(refused.value)


@moderate
@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(Precision))
def test_any_position_on_the_globe_is_kept_or_doubted(
    latitude: float, longitude: float, precision: Precision
) -> None:
    told = read(where=Where(latitude=latitude, longitude=longitude, precision=precision))
    assert (told.sector is None) == bool(told.flags)
    if Flag.NULL_ISLAND in told.flags or precision in (Precision.SECTOR, Precision.THEATRE):
        assert told.point is None
    else:
        assert told.point == Point(latitude, longitude, precision)


def test_days_of_receipt_are_days_of_the_theatre() -> None:
    late = datetime(2022, 9, 20, 23, tzinfo=ZONE)
    for now, day in ((late, 20), (late + timedelta(hours=1), 21)):
        told = resolve(Draft("2022-08-03", LACHIN, "newspaper"), THEATRE, now.astimezone(UTC))
        assert str(told.reported) == f"2022-09-{day}"
