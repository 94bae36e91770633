"""Any spelling finds a place; nothing is matched by look alone."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.places import (
    EARTH_RADIUS_KM,
    Gazetteer,
    Place,
    PlaceName,
    Point,
    destination,
    fold,
    fold_words,
)
from service.errors import Invalid
from tests.domain.make import GAZETTEER, moderate

SPELLINGS = [
    ("Shusha", "shusha"),
    ("SHUSHI", "shusha"),
    ("Şuşa", "shusha"),
    ("Շուշի", "shusha"),
    ("ՇՈՒՇԻ", "shusha"),
    ("Шуша", "shusha"),
    ("shusha/shushi", "shusha"),
    ("Xankəndi", "stepanakert"),
    ("XANKƏNDİ", "stepanakert"),
    ("Laçın", "lachin"),
    ("LAÇIN", "lachin"),
    ("Lacin", "lachin"),
    ("Lachin", "lachin"),
    ("Ağdam", "agdam"),
    ("AĞDAM", "agdam"),
    ("Агдам", "agdam"),
    ("Cəbrayıl", "jabrail"),
    ("Cebrayil", "jabrail"),
    ("Джебраил", "jabrail"),
    ("Füzuli", "fizuli"),
    ("FÜZULİ", "fizuli"),
    (" Ta-lish ", "talish"),
]


@pytest.mark.parametrize(("spelling", "place"), SPELLINGS)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_any_spelling_finds_the_place(spelling: str, place: str, form: str) -> None:
    found = GAZETTEER.find(unicodedata.normalize(form, spelling))  # type: ignore[arg-type]
    assert found is not None
    assert found.id == place


@pytest.mark.parametrize("lookalike", ["Аgdam", "Lасhin", "Тalish", "Shush", "", "-", "'"])
def test_nothing_is_matched_by_look_or_by_part(lookalike: str) -> None:
    assert GAZETTEER.find(lookalike) is None


def test_letters_that_people_type_in_two_ways_are_one() -> None:
    assert fold("Ёлка") == fold("елка")
    assert fold("Йорк") == fold(unicodedata.normalize("NFD", "йорк"))
    assert fold("Երևան") == fold("ԵՐԵՒԱՆ")
    assert fold("Straße") == fold("STRASSE")
    assert fold("Nagorno-Karabakh") == fold("nagorno karabakh")


def test_words_are_folded_one_by_one_for_searching() -> None:
    assert fold_words("  Near  Ağdam – east ") == "near agdam east"


@moderate
@given(st.text(max_size=20))
def test_folding_twice_changes_nothing_and_normal_forms_agree(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_a_shared_spelling_finds_the_curated_place_and_else_none() -> None:
    name = (PlaceName("Talish"),)
    curated = Place("talish-1", "Talish (north)", name)
    others = [Place(f"talish-{i}", f"Talish {i}", name, curated=False) for i in (2, 3)]
    assert Gazetteer([others[0], curated, others[1]]).find("talish") == curated
    assert Gazetteer(others).find("talish") is None
    assert Gazetteer([curated, Place("talish-4", "Talish 4", name)]).find("talish") is None
    assert Gazetteer(others).find("talish-3") == others[1]


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (-90.1, 0), (0, 181), (0, -180.5), (math.nan, 0)]
)
def test_positions_off_the_globe_are_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(Invalid):
        Point(latitude, longitude)


def test_the_edges_of_the_globe_are_accepted_and_one_meridian_has_one_name() -> None:
    assert Point(90, 180) == Point(90, -180)
    assert Point(-90, 0).latitude == -90


@pytest.mark.parametrize(
    ("start", "bearing", "distance", "end"),
    [
        ((40, 46.5), 0, 0, (40, 46.5)),
        ((40, 46.5), 0, 100, (40.89932, 46.5)),
        ((40, 46.5), 360, 100, (40.89932, 46.5)),
        ((40, 46.5), 180, 100, (39.10068, 46.5)),
        ((0, 0), 90, 100, (0, 0.89932)),
        ((60, 0), 90, 10, (59.99988, 0.17986)),
        ((0, 179.9), 90, 100, (0, -179.20068)),
    ],
)
def test_bearing_and_distance_lead_to_the_point_that_was_seen(
    start: tuple[float, float], bearing: float, distance: float, end: tuple[float, float]
) -> None:
    assert destination(*start, bearing, distance) == pytest.approx(end, abs=2e-5)


@moderate
@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(0, 360), st.floats(0, 100))
def test_the_point_seen_lies_at_the_distance_given(
    latitude: float, longitude: float, bearing: float, distance: float
) -> None:
    seen = destination(latitude, longitude, bearing, distance)
    a, b, turn = (math.radians(d) for d in (latitude, seen[0], seen[1] - longitude))
    # Haversine: accurate for small angles, and another formula than the one under test.
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    assert 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half)) == pytest.approx(distance, abs=0.002)


@pytest.mark.parametrize(
    ("bearing", "distance", "field"),
    [(-1, 1, "bearing"), (361, 1, "bearing"), (0, -1, "distance_km"), (0, 101, "distance_km")],
)
def test_bearings_and_distances_out_of_range_are_refused(
    bearing: float, distance: float, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        destination(40, 46, bearing, distance)
    assert [p.field for p in refused.value.problems] == [field]


def named(*names: tuple[str, str | None, str | None], display: str = "Old/New") -> Place:
    return Place("it", display, tuple(PlaceName(*name) for name in names))


NEUTRAL = {
    "what is displayed, where it is a name": (
        [("New", "en", "b"), ("Old", "en", None), ("Old/New", "en", None)],
        "Old/New",
    ),
    "what nobody claims": (
        [("Neu", "en", "b"), ("Alt", "en", None), ("Anders", "en", None)],
        "Alt",
    ),
    "what each side calls it, in order": ([("Alt", "en", "a"), ("Neu", "en", "b")], "Alt/Neu"),
    "the first that each side calls it": (
        [("Alt", "en", "a"), ("Älter", "en", "a"), ("Neu", "en", "b"), ("Neuer", "en", "b")],
        "Alt/Neu",
    ),
    "one name for both": ([("Alt", "en", "a"), ("Alt", "en", "b")], "Alt"),
    "the only one": ([("Neu", "en", "b")], "Neu"),
}


@pytest.mark.parametrize("what", NEUTRAL)
def test_a_place_is_shown_by(what: str) -> None:
    names, shown = NEUTRAL[what]
    assert named(*names).displays == {"en": shown}


def test_a_place_is_shown_in_each_language_by_its_own_names_alone() -> None:
    place = named(
        ("Neu", "de", "b"), ("Alt", "de", "a"), ("Vieux", "fr", None), ("Etwas", None, None)
    )
    assert place.displays == {"de": "Neu/Alt", "fr": "Vieux"}
    assert named(("Alt", None, "a")).displays == {}


NAMES = st.tuples(
    st.sampled_from(["Alt", "Neu", "Anders", "Old/New"]),
    st.sampled_from(["de", "fr", None]),
    st.sampled_from(["a", "b", None]),
)


@given(names=st.lists(NAMES, max_size=8))
def test_what_is_shown_consists_of_names_of_the_language_and_finds_the_place(
    names: list[tuple[str, str | None, str | None]],
) -> None:
    place = named(*names)
    known = {language: {n for n, of, _ in names if of == language} for _, language, _ in names}
    assert place.displays.keys() == known.keys() - {None}
    for language, shown in place.displays.items():
        assert shown in known[language] or {*shown.split("/")} <= known[language]
        assert Gazetteer([place]).find(shown) is place
