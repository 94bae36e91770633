"""What is found in texts of four languages, and what must not be."""

import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.figures import figure_from_words
from service.domain.reading import CountFound, Findings, Found, read
from service.domain.theatre import Theatre
from service.errors import Invalid
from service.formats.imports.months import months_of
from service.formats.reference import read_folder, theatre_of
from tests.domain.make import THEATRE as SMALL
from tests.domain.make import moderate

SEED = Path(__file__).parents[2] / "seed_data"
THEATRE: Theatre = theatre_of(read_folder(SEED))
MONTHS = months_of(THEATRE.languages)
SAID = date(2022, 9, 14)
GORIS = next(place.id for place in THEATRE.gazetteer if place.display == "Goris")


def find(text: str, said: date | None = SAID, language: str | None = None) -> Findings:
    return read(text, THEATRE, MONTHS, said, language)


def shown(count: CountFound) -> str:
    """A count in one line: outcome, group, bounds or words, `!` where it is denied."""
    outcome = count.outcome.value if count.outcome else "harmed"
    group = f" {count.group.value}" if count.group else ""
    figure = count.figure
    if figure is None:
        many = f" “{count.words}”" if count.words and count.outcome else ""
    elif figure.low == figure.high:
        many = f" {figure.low}"
    else:
        many = f" {figure.low}–{'' if figure.high is None else figure.high}"
    return f"{'!' if count.denied else ''}{outcome}{group}{many}"


def every(findings: Findings) -> list[Found]:
    return [*findings.dates, *findings.places, *findings.weapons, *findings.counts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # English
        ("Two servicemen were killed and three wounded.", ["killed military 2", "wounded 3"]),
        ("The shelling killed two soldiers and wounded 19.", ["killed military 2", "wounded 19"]),
        ("A strike, killing at least twelve civilians.", ["killed civilian 12–"]),
        ("A soldier was killed by a sniper.", ["killed military 1"]),
        (
            "At least 49 Armenian soldiers and 50 Azerbaijani service members were killed.",
            ["killed military 49–", "killed military 50"],
        ),
        ("It killed two soldiers and three civilians.", ["killed military 2", "killed civilian 3"]),
        ("Two wounded soldiers were brought in.", ["wounded military 2"]),
        ("Up to 20 fighters were killed.", ["killed military 0–20"]),
        ("About 180 people were displaced.", ["displaced 180"]),
        ("More than five thousand people were displaced.", ["displaced 5000–"]),
        ("Twenty-five soldiers are missing.", ["missing military 25"]),
        ("2–3 soldiers were wounded.", ["wounded military 2–3"]),
        ("Six soldiers were taken prisoner.", ["captured military 6"]),
        ("Several soldiers were wounded.", ["wounded military “Several”"]),
        ("Dozens of civilians were killed.", ["killed civilian “Dozens of”"]),
        ("Five people were killed or wounded.", ["killed", "wounded"]),
        ("Soldiers were wounded.", ["wounded military"]),
        ("The ministry denied that three soldiers were killed.", ["!killed military 3"]),
        ("The claim that 3 soldiers were killed is false.", ["!killed military 3"]),
        ("Three soldiers were not killed.", ["!killed military 3"]),
        ("No soldiers were wounded.", ["!wounded military “No”"]),
        ("There were no casualties.", ["!harmed"]),
        (
            "Armenia denied that it opened fire and said two of its soldiers were wounded.",
            ["wounded military 2"],
        ),
        ("One man aged 45 was injured.", ["wounded 1"]),
        ("Two of its soldiers were killed.", ["killed military 2"]),
        ("2 killed 3 wounded in clashes", ["killed 2", "wounded 3"]),
        ("5 dead, 12 injured.", ["killed 5", "wounded 12"]),
        # Russian
        (
            "Погибли трое военнослужащих, ещё пятеро ранены.",
            ["killed military 3", "wounded 5"],
        ),
        ("Ранены двое мирных жителей.", ["wounded civilian 2"]),
        ("Погибли не менее 49 военнослужащих.", ["killed military 49–"]),
        ("Около двадцати пяти человек пропали без вести.", ["missing 25"]),
        ("Шестеро солдат попали в плен.", ["captured military 6"]),
        ("Несколько военных погибли.", ["killed military “Несколько”"]),
        ("Ведомство опровергло гибель двух солдат.", ["!killed military 2"]),
        ("Жертв нет.", ["!harmed"]),
        ("Никто не пострадал.", ["!harmed"]),
        # Armenian
        (
            "Երկու զինծառայող է զոհվել, երեքը՝ վիրավորվել։",
            ["killed military 2", "wounded 3"],
        ),
        ("Զոհվել է 49 զինծառայող։", ["killed military 49"]),
        ("Առնվազն 49 զինծառայող է զոհվել։", ["killed military 49–"]),
        ("Մի քանի զինվոր վիրավորվել է։", ["wounded military “Մի քանի”"]),
        ("Զոհեր չկան։", ["!harmed"]),
        ("Ոչ ոք չի տուժել։", ["!harmed"]),
        # Azerbaijani
        (
            "İki hərbi qulluqçu həlak olub, üç nəfər yaralanıb.",
            ["killed military 2", "wounded 3"],
        ),
        ("Ən azı 50 hərbçi şəhid olub.", ["killed military 50–"]),
        ("20-dən çox əsgər yaralanıb.", ["wounded military 20–"]),
        ("Bir neçə əsgər yaralanıb.", ["wounded military “Bir neçə”"]),
        ("İtki yoxdur, atəş açılıb.", ["!harmed"]),
    ],
)
def test_counts_of_people(text: str, expected: list[str]) -> None:
    assert [shown(count) for count in find(text).counts] == expected


@pytest.mark.parametrize(
    "text",
    [
        "The ceasefire was violated 45 times within a day.",
        "Two drones and a tank were destroyed.",
        "82 mm mortars wounded the calm.",
        "The war in 2020 killed thousands of hopes.",
        "Killed in action in 2020, he was 20.",
        "Two soldiers fired at a village.",
        "Two houses of civilians were evacuated.",
        "A group of soldiers were killed.",
        "Article 5 captured the mood of the talks.",
        "Режим прекращения огня нарушен 45 раз.",
        "Հրադադարը խախտվել է 45 անգամ։",
        "Atəşkəs 45 dəfə pozulub.",
        "",
    ],
)
def test_no_count_is_made_up(text: str) -> None:
    assert [shown(count) for count in find(text).counts if count.figure] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-09-13", ["2022-09-13"]),
        ("on 13 September 2022", ["2022-09-13"]),
        ("September 13, 2022", ["2022-09-13"]),
        ("September 13th, 2022", ["2022-09-13"]),
        ("the 13th of September 2022", ["2022-09-13"]),
        ("on 13 Sept. at dawn", ["2022-09-13"]),
        ("Sept. 13, 2022", ["2022-09-13"]),
        ("13–14 September 2022", ["2022-09-13/2022-09-14"]),
        ("in September 2022", ["2022-09"]),
        ("13.09.2022", ["2022-09-13"]),
        ("13.13.2022, 2022-02-30", []),
        ("from 27 September to 10 November 2020", ["2020-09-27", "2020-11-10"]),
        ("on 15 September", ["2022-09-15"]),
        ("on 16 September", ["2021-09-16"]),
        ("on 29 February", ["2020-02-29"]),
        ("yesterday", ["2022-09-13"]),
        ("Shelling went on overnight.", ["[2022-09-13..2022-09-14]"]),
        ("13 сентября 2022 года", ["2022-09-13"]),
        ("13 сент. 2022", ["2022-09-13"]),
        ("Вчера вечером", ["2022-09-13"]),
        ("սեպտեմբերի 13-ին", ["2022-09-13"]),
        ("2022 թ. սեպտեմբերի 13-ին", ["2022-09-13"]),
        ("երեկ", ["2022-09-13"]),
        ("13 sentyabr 2022-ci il", ["2022-09-13"]),
        ("2022-ci il sentyabrın 13-də", ["2022-09-13"]),
        ("Dünən atəş açılıb", ["2022-09-13"]),
        ("It may be so; march on", []),
        ("in September 13 soldiers were hurt", []),
        ("version 1.2.2022.4 of 99 September", []),
    ],
)
def test_dates(text: str, expected: list[str]) -> None:
    assert [found.edtf for found in find(text).dates] == expected


def test_a_day_without_a_year_is_none_where_nobody_knows_when_it_was_said() -> None:
    assert find("on 13 September, yesterday", said=None).dates == ()
    assert find("in May", said=date.min).dates == find("tomorrow", said=date.max).dates == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("near Lachin and Shusha", ["lachin", "shusha"]),
        ("Shusha's streets, Stepanakert/Khankendi", ["shusha", "stepanakert"]),
        ("in Lachin district", ["lachin-district"]),
        ("под Агдамом, в Шуше и Лачинском районе", ["agdam", "shusha", "lachin"]),
        ("в Гадруте", ["hadrut"]),
        ("Շուշիում, Շուշիի մոտ, Ստեփանակերտից", ["shusha", "shusha", "stepanakert"]),
        ("Şuşada, Laçından, Xankəndinin", ["shusha", "lachin", "stepanakert"]),
        ("Stepanakert said so; Hadrut denied it.", []),
        ("Baku, Yerevan’s ministry, в Ереване", []),
        ("A year on; Нагорный Карабах и Горис", ["nagorno-karabakh", GORIS]),
        ("Armenia and Azerbaijan", []),
        ("the bank of the river, a gay march, lachin in small letters", []),
    ],
)
def test_places(text: str, expected: list[str]) -> None:
    assert [found.place for found in find(text).places] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120 mm mortars and a drone", [("mortar", 120.0), ("uav", None)]),
        ("7.62 mm sniper fire", [("sniper-rifle", None)]),
        ("ballistic missiles, kamikaze drones", ["ballistic-missile", "loitering-munition"]),
        ("a think tank called it shelling", []),
        ("из 82-мм миномётов, БПЛА, снайпером", [("mortar", 82.0), "uav", "sniper-rifle"]),
        ("ականանետ և անօդաչու սարք", ["mortar", "uav"]),
        ("atıcı silahlardan, minaatanlardan və pilotsuz aparatla", ["small-arms", "mortar", "uav"]),
    ],
)
def test_weapons(text: str, expected: list[str | tuple[str, float | None]]) -> None:
    wanted = [each if isinstance(each, tuple) else (each, None) for each in expected]
    assert [(found.weapon, found.calibre_mm) for found in find(text).weapons] == wanted


def test_the_language_is_told_by_script_then_declaration_then_common_words() -> None:
    assert find("Погибли трое").language == "ru"
    assert find("Two soldiers were hurt by the fire").language == "en"
    assert find("Atəş açılıb və iki nəfər yaralanıb").language == "az"
    assert find("Bir mina", language="az").language == "az"
    assert find("Погибли трое", language="en-GB").language == "ru"
    assert find("123").language is None


@pytest.mark.parametrize("words", ["at least 5", "over 5", "about 180", "7", "1,234"])
def test_bounds_are_those_of_the_words_of_a_report(words: str) -> None:
    [count] = find(f"{words} soldiers were killed.").counts
    assert (count.words, count.figure) == (words, figure_from_words(words))


def test_a_theatre_without_words_has_dates_and_spellings_only() -> None:
    found = read("Two soldiers were killed in Shusha on 13 September 2022.", SMALL, MONTHS, SAID)
    assert [place.place for place in found.places] == ["shusha"]
    assert [day.edtf for day in found.dates] == ["2022-09-13"]
    assert found.counts == found.weapons == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"weapons": {"trebuchet": ["trebuchet"]}},
        {"either": {"annoyed": ["annoyed"]}},
        {"groups": {"giants": ["giant*"]}},
        {"numbers": {"many": "many"}},
        {"script": None},
    ],
)
def test_words_that_mean_nothing_known_are_refused(wrong: dict[str, object]) -> None:
    entries = read_folder(SEED)
    entry = {**entries["word"][0], **wrong}
    if wrong == {"script": None}:
        del entry["script"]
    with pytest.raises(Invalid, match=r"word\.en"):
        theatre_of({**entries, "word": [entry]})


MIXED = (
    "Two 3 2–3 at least soldiers killed wounded and , . no denied 13 September 2022 Lachin "
    "погибли трое 49 человек ранены и не жертв нет զոհվել երկու զինվոր 13-ին սեպտեմբերի iki "
    "nəfər yaralanıb -dən çox mm mortars 2022-09-13 99.99.9999 a thousand \u0301 ՝ ։ ( ) İ ß ﬁ ²"
)
PIECES = MIXED.split(" ")


@moderate
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
        st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    ),
    st.one_of(st.none(), st.dates()),
)
def test_nothing_raises_and_every_span_is_the_text(text: str, said: date | None) -> None:
    for found in every(find(text, said)):
        assert 0 <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "text",
    ["a" * 20_000, "A " * 10_000, "two " * 5_000, "killed " * 2_800, "1" * 20_000, "1 " * 10_000,
     "two soldiers " * 1_500, "killed two soldiers, " * 950, "13 September " * 1_500, "no " * 6_600,
     "Լ" * 20_000, "two soldiers and " * 1_170, "at least " * 2_200, "'" * 20_000, ", " * 10_000,
     "1,000" * 4_000, "denied " * 2_800, "Lachin " * 2_800, "killed or " * 2_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_time_grows_with_the_length_only(text: str) -> None:
    began = time.process_time()
    find(text)
    assert time.process_time() - began < 2


# Facts of the reference incidents in words of our own, with what a careful reader would note.
MEASURED: tuple[tuple[str, set[str]], ...] = (
    ("On 13 September, Armenian officials put their dead at no fewer than 49 soldiers.", {
        "2022-09-13", "killed military 49–"}),
    ("Azerbaijan's defence ministry said 50 of its servicemen were killed on 13 September 2022.", {
        "2022-09-13", "killed military 50"}),
    ("The attack on 3 August left two soldiers dead and 19 wounded near Lachin.", {
        "2022-08-03", "lachin", "killed military 2", "wounded 19"}),
    ("An Azerbaijani conscript was killed by shelling in the Lachin area.", {
        "lachin", "killed military 1"}),
    ("Drones struck positions near Buzdukh, wounding eight soldiers.", {
        "uav", "buzdukh", "wounded military 8"}),
    ("In October 2020 ballistic missiles hit Ganja, killing at least 26 civilians.", {
        "2020-10", "ballistic-missile", "ganja", "killed civilian 26–"}),
    ("More than 90,000 people were displaced from Hadrut and Shusha.", {
        "displaced 90000–", "hadrut", "shusha"}),
    ("Peacekeepers reported that nobody was hurt near Farukh in March 2022.", {
        "!harmed", "farukh", "2022-03"}),
    ("Four civilians were killed by a landmine in Kelbajar.", {
        "killed civilian 4", "mine", "kelbajar"}),
    ("Stepanakert said three of its fighters were wounded by 60 mm mortars.", {
        "wounded military 3", "mortar"}),
    ("Обе стороны применяли артиллерию и БПЛА; погибли более ста военнослужащих.", {
        "artillery", "uav", "killed military 100–"}),
    ("3 августа 2022 года в районе Лачина погибли двое военнослужащих, 19 ранены.", {
        "2022-08-03", "lachin", "killed military 2", "wounded 19"}),
    ("Азербайджанский солдат погиб в результате обстрела.", {"killed military"}),
    ("В Мартакерте снайпер ранил мирного жителя.", {
        "martakert", "sniper-rifle", "wounded civilian"}),
    ("Օգոստոսի 3-ին զոհվել է երկու զինծառայող, վիրավորվել՝ 19-ը։", {
        "2022-08-03", "killed military 2", "wounded 19"}),
    ("Հադրութում կիրառվել է հրետանի, հինգ խաղաղ բնակիչ վիրավորվել է։", {
        "hadrut", "artillery", "wounded civilian 5"}),
    ("Avqustun 3-də Laçın istiqamətində bir əsgər həlak olub.", {
        "2022-08-03", "lachin", "killed military 1"}),
    ("Gəncədə raket zərbəsi nəticəsində 26 mülki şəxs həlak olub.", {
        "ganja", "missiles", "killed civilian 26"}),
    ("Ağdamda mina partlayışı nəticəsində iki nəfər yaralanıb.", {
        "agdam", "mine", "wounded 2"}),
    ("The sides accused each other of 45 violations; no casualties were reported.", {"!harmed"}),
)  # fmt: skip


def told(findings: Findings) -> Iterable[str]:
    yield from (found.edtf for found in findings.dates)
    yield from (found.place for found in findings.places)
    yield from (found.weapon for found in findings.weapons)
    yield from (shown(found) for found in findings.counts)


def measured() -> tuple[int, int, int]:
    """Right, found and wanted over the measured sentences."""
    right = found = wanted = 0
    for text, expected in MEASURED:
        told_here = set(told(find(text)))
        right += len(told_here & expected)
        found += len(told_here)
        wanted += len(expected)
        if told_here != expected:
            print(text, "made up", told_here - expected, "missed", expected - told_here)  # noqa: T201
    return right, found, wanted


def test_little_is_missed_and_less_made_up() -> None:
    right, found, wanted = measured()
    assert right / found >= 0.95
    assert right / wanted >= 0.85
