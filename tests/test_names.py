"""What is told of the theatre can be read in all its languages, and takes no side in any."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.formats.reference import FILES, read_folder, theatre_of
from service.store import journal
from service.store.journal import Author
from service.work import ledger, seed, verify
from service.work.reference import REFERENCE
from service.work.seed import Loaded
from tests.harness import BACKENDS, SEED, Databases, Service

Json = dict[str, Any]

ENTRIES = read_folder(SEED)
THEATRE = theatre_of(ENTRIES)
FIRST, *OTHERS = THEATRE.languages
NAMED = ("theatre", *(k for _, k in FILES if k not in ("party", "place", "word")))
LISTS = {
    "claimant": "/v1/claimants",
    "weapon": "/v1/weapons",
    "scheme": "/v1/schemes",
    "sector": "/v1/sectors",
    "agreement": "/v1/agreements",
    "period": "/v1/periods",
}


@pytest.fixture(scope="module", params=BACKENDS)
def told(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Service]:
    with databases.fresh(request.param, "seeds") as url:
        running = Service(url)
        yield running
        running.close()


@pytest.mark.parametrize("kind", NAMED)
def test_everything_with_a_name_has_one_in_every_language(kind: str) -> None:
    assert ENTRIES[kind]
    assert [e["id"] for e in ENTRIES[kind] if {*e.get("names", {})} != {*OTHERS}] == []


@pytest.mark.parametrize("kind", NAMED)
def test_no_two_entries_of_a_kind_have_the_same_name(kind: str) -> None:
    for language in OTHERS:
        names = [entry["names"][language] for entry in ENTRIES[kind]]
        assert len({*names}) == len(names)


def test_every_side_is_named_in_every_language() -> None:
    assert [p.id for p in THEATRE.parties.values() if {*p.names} != {*THEATRE.languages}] == []


def test_every_place_that_the_sources_name_is_shown_in_every_language() -> None:
    places = [place for place in THEATRE.gazetteer if place.curated]
    assert [p.id for p in places if {*p.displays} != {*THEATRE.languages}] == []
    assert [p.id for p in places if p.displays[FIRST] != p.display] == []


def test_what_both_sides_name_differently_is_shown_with_both_names_in_every_language() -> None:
    both = [place for place in THEATRE.gazetteer if "/" in place.display]
    assert len(both) >= 6
    for place in both:
        assert [text for text in place.displays.values() if text.count("/") != 1] == []


def test_every_form_that_is_shown_finds_its_place() -> None:
    for place in THEATRE.gazetteer:
        if place.curated:
            for text in place.displays.values():
                assert THEATRE.gazetteer.find(text) is place


@pytest.mark.parametrize(("kind", "path"), LISTS.items())
def test_lists_tell_the_names(told: Service, kind: str, path: str) -> None:
    assert [item["names"] for item in told.get(path)["items"]] == [
        entry["names"] for entry in ENTRIES[kind]
    ]


def test_places_tell_how_they_are_shown(told: Service) -> None:
    [place] = told.get("/v1/places", q="Шуша/Шуши")["items"]
    assert place["display"] == "Shusha/Shushi"
    assert place["displays"] == {
        "en": "Shusha/Shushi",
        "ru": "Шуша/Шуши",
        "hy": "Շուշա/Շուշի",
        "az": "Şuşa/Şuşi",
    }
    assert {n["usage"] for n in place["names"] if "usage" in n} == {"armenian", "azerbaijan"}
    [village] = told.get("/v1/places", q="Vayk")["items"]
    assert village["displays"] is None


def test_the_theatre_says_what_it_is(told: Service) -> None:
    shown = told.get("/v1/theatre")
    assert shown.pop("names")["ru"] == "Армения – Азербайджан, Нагорный Карабах"
    assert shown == {
        "id": "armenia-azerbaijan",
        "name": "Armenia–Azerbaijan, Nagorno-Karabakh",
        "timezone": "Etc/GMT-4",
        "languages": ["en", "ru", "hy", "az"],
        "monitored_from": "1994-01-01",
        "licence": "https://creativecommons.org/licenses/by/4.0/",
    }
    assert told.client.get("/v1/theatre?language=ru").status_code == 422


def test_names_reach_a_database_that_was_made_before_there_were_any(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    folder = tmp_path / "seeds"
    shutil.copytree(SEED, folder)
    for file in {"theatre.toml", *(name for name, kind in FILES if kind in NAMED)}:
        text = (folder / file).read_text()
        (folder / file).write_text(re.sub(r"^names = .*\n", "", text, flags=re.MULTILINE))
    places = (folder / "places.toml").read_text()
    fewer = re.sub(r'^  \{ name = "Буздух".*\n', "", places, flags=re.MULTILINE)
    (folder / "places.toml").write_text(fewer)
    with databases.fresh(backend, "nothing") as url:
        running = Service(url)
        author = Author(seed.ACTOR, running.clock())
        running.database.write(lambda session: seed.load(session, folder, author))
        assert {item["names"] for item in running.get("/v1/weapons")["items"]} == {None}
        assert running.get("/v1/theatre")["names"] is None
        number = sum(len(ENTRIES[kind]) for kind in NAMED) + 1
        for expected in (Loaded(number, 0, 0, 0), Loaded(0, 0, 0, 0)):
            loaded = running.database.write(lambda session: seed.load(session, SEED, author))
            assert loaded == expected
        assert running.get("/v1/theatre")["names"] == ENTRIES["theatre"][0]["names"]
        with running.database.reading() as session:
            history = list(journal.history(session, REFERENCE, "weapon/mortar"))
            assert ['"names"' in revision.entry for revision in history] == [False, True]
        ledger.catch_up(running.database)
        with running.database.reading() as session:
            assert list(verify.broken(session)) == []
        assert running.wrong_accounts() == []
        running.close()
