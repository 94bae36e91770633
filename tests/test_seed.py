"""Loading seed data: once, again, corrected, and broken."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.domain.access import Role
from service.errors import Invalid
from service.store import tables
from service.store.journal import Author
from service.work import seed
from service.work.seed import Loaded, id_of
from tests.harness import SEED, Service

NOTHING = Loaded(0, 0, 0, 0)
SEPTEMBER = "september-2022-escalation"
ARMENIAN = id_of(f"{SEPTEMBER}/armenian-officials")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "seeds"
    shutil.copytree(SEED, copied)
    return copied


def load(service: Service, folder: Path) -> Loaded:
    author = Author(seed.ACTOR, service.clock())
    return service.database.write(lambda session: seed.load(session, folder, author))


def edit(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    text = file.read_text()
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1))


def revisions(service: Service, report_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get(f"/v1/reports/{report_id}/revisions")["items"]
    return items


def test_loading_again_changes_nothing(seeded: Service) -> None:
    before = seeded.state()
    seeded.clock.advance(days=400)
    assert load(seeded, SEED) == NOTHING
    assert seeded.state() == before


def test_a_corrected_figure_is_one_new_revision_and_the_old_one_stays(
    seeded: Service, folder: Path
) -> None:
    before = seeded.state()["rows"]["revisions"]
    edit(folder, "incidents/2022.toml", "low = 49", "low = 105")
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    assert seeded.state()["rows"]["revisions"] == before + 1
    first, second = revisions(seeded, ARMENIAN)
    assert first["casualties"][0]["killed"]["low"] == 49
    assert second["casualties"][0]["killed"]["low"] == 105
    answer = seeded.aggregates(period="day", by="", first="2022-09-13", last="2022-09-13")
    assert answer["total"]["figures"]["killed"]["low"] == 155
    assert seeded.wrong_accounts() == []
    assert load(seeded, folder) == NOTHING


def test_a_corrected_file_put_right_again_is_a_third_revision(
    seeded: Service, folder: Path
) -> None:
    edit(folder, "incidents/2022.toml", "low = 49", "low = 105")
    load(seeded, folder)
    assert load(seeded, SEED) == Loaded(0, 0, 0, 1)
    lows = [r["casualties"][0]["killed"]["low"] for r in revisions(seeded, ARMENIAN)]
    assert lows == [49, 105, 49]


def test_what_a_person_changed_survives_loading_again(seeded: Service, folder: Path) -> None:
    answer = seeded.client.patch(
        f"/v1/reports/{ARMENIAN}",
        json={
            "casualties": [{"party": "armenia", "group": "military", "killed": {"low": 105}}],
            "reason": "a later count",
        },
        headers=seeded.headers(Role.REVIEWER, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    before = seeded.state()
    assert load(seeded, SEED) == NOTHING
    assert seeded.state() == before
    edit(folder, "incidents/2022.toml", "killed = 2, wounded = 19", "killed = 3, wounded = 19")
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    assert revisions(seeded, ARMENIAN)[-1]["casualties"][0]["killed"]["low"] == 105


def test_a_place_that_a_file_moves_is_published_there_and_was_not_reviewed(
    seeded: Service, folder: Path
) -> None:
    review = {"grade": "B2", "reason": "A source that is right as a rule."}
    tag = {"If-Match": '"1"'}
    seeded.act(f"/v1/reports/{ARMENIAN}/reviews", review, Role.ADMIN, **tag)
    before = 'where = { sector = "armenia-azerbaijan-border", as_written = "at the border" }'
    edit(folder, "incidents/2022.toml", before, 'where = { place = "Lachin" }')
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    shown = seeded.get(f"/v1/reports/{ARMENIAN}")
    assert (shown["where"]["place"], shown["where"]["lat"]) == ("Lachin", 39.6374)
    assert [told["superseded"] for told in shown["reviews"]] == [True]


def test_a_decision_in_a_file_leaves_what_a_person_made_the_report_say(
    seeded: Service, folder: Path
) -> None:
    patch = {"casualties": [{"party": "armenia", "killed": 105}], "reason": "a later count"}
    headers = seeded.headers(Role.REVIEWER, **{"If-Match": '"1"'})
    assert seeded.client.patch(f"/v1/reports/{ARMENIAN}", json=patch, headers=headers).is_success
    ref = f'ref = "{SEPTEMBER}/armenian-officials"'
    edit(folder, "incidents/2022.toml", ref, f'{ref}\ncounted = false\nreason = "doubtful"')
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    shown = seeded.get(f"/v1/reports/{ARMENIAN}")
    assert (shown["counted"], shown["casualties"][0]["killed"]["low"]) == (False, 105)


def judge(service: Service, **decision: Any) -> None:
    number = service.get(f"/v1/reports/{ARMENIAN}", Role.ADMIN)["revision"]
    tag = {"If-Match": f'"{number}"'}
    service.act(f"/v1/reports/{ARMENIAN}/reviews", {"reason": "r", **decision}, Role.ADMIN, **tag)


def test_what_a_file_makes_a_report_say_must_be_decided_anew(seeded: Service, folder: Path) -> None:
    judge(seeded, status="verified", basis="peacekeepers", grade="B2")
    edit(folder, "incidents/2022.toml", "low = 49", "low = 105")
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    shown = seeded.get(f"/v1/reports/{ARMENIAN}")
    assert (shown["status"], shown["basis"], shown["grade"]) == (
        *("unverified", "mutual-accusation"),
        None,
    )
    assert [told["superseded"] for told in shown["reviews"]] == [True]
    with seeded.database.reading() as session:
        assert session.get_one(tables.Report, ARMENIAN).waiting
    assert seeded.wrong_accounts() == []


def test_a_status_in_the_file_itself_holds_for_what_it_says_now(
    seeded: Service, folder: Path
) -> None:
    file = folder / "incidents/2022.toml"
    before, ref, after = file.read_text().partition(f'ref = "{SEPTEMBER}/armenian-officials"')
    stated = 'status = "corroborated"\n  basis = "peacekeepers"'
    after = after.replace('basis = "mutual-accusation"', stated, 1)
    file.write_text(before + ref + after)
    load(seeded, folder)
    judge(seeded, status="refuted", grade="E5")
    edit(folder, "incidents/2022.toml", "low = 49", "low = 105")
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    shown = seeded.get(f"/v1/reports/{ARMENIAN}")
    told = (shown["status"], shown["basis"], shown["grade"])
    assert told == ("corroborated", "peacekeepers", None)


def test_a_file_does_not_bring_back_what_a_person_withdrew(seeded: Service, folder: Path) -> None:
    answer = seeded.client.patch(
        f"/v1/reports/{ARMENIAN}",
        json={"status": "withdrawn", "reason": "entered by mistake"},
        headers=seeded.headers(Role.ADMIN, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    edit(folder, "incidents/2022.toml", "low = 49", "low = 105")
    assert load(seeded, folder) == Loaded(0, 0, 0, 1)
    assert seeded.get(f"/v1/reports/{ARMENIAN}")["status"] == "withdrawn"


def test_a_report_that_a_person_withdrew_stays_withdrawn(seeded: Service) -> None:
    answer = seeded.client.patch(
        f"/v1/reports/{ARMENIAN}",
        json={"status": "withdrawn", "reason": "entered by mistake"},
        headers=seeded.headers(Role.ADMIN, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    assert load(seeded, SEED) == NOTHING
    assert seeded.get(f"/v1/reports/{ARMENIAN}")["status"] == "withdrawn"


def put_buzdukh_in_the_north(folder: Path) -> None:
    sectors = (
        '[{ sector = "line-of-separation", valid_from = 2020-11-10 }]\nnote = "Neither section'
    )
    edit(folder, "places.toml", sectors, sectors.replace("separation", "separation-north-west"))


def test_a_place_put_in_another_sector_moves_the_reports_there(
    seeded: Service, folder: Path
) -> None:
    [report] = seeded.get("/v1/reports", place="Mount Buzdukh")["items"]
    assert report["where"]["sector"] == "line-of-separation"
    put_buzdukh_in_the_north(folder)
    assert load(seeded, folder) == Loaded(1, 0, 0, 0)
    moved = seeded.get(f"/v1/reports/{report['id']}")
    assert (moved["where"]["sector"], moved["revision"]) == ("line-of-separation-north-west", 2)
    assert seeded.wrong_accounts() == []
    assert load(seeded, folder) == NOTHING


def test_what_a_person_changed_survives_that_the_place_is_moved(
    seeded: Service, folder: Path
) -> None:
    [report] = seeded.get("/v1/reports", place="Mount Buzdukh")["items"]
    answer = seeded.client.patch(
        f"/v1/reports/{report['id']}",
        json={"summary": "Put in better words.", "reason": "clearer"},
        headers=seeded.headers(Role.REVIEWER, **{"If-Match": '"1"'}),
    )
    assert answer.status_code == 200
    put_buzdukh_in_the_north(folder)
    assert load(seeded, folder) == Loaded(1, 0, 0, 0)
    moved = seeded.get(f"/v1/reports/{report['id']}")
    assert moved["where"]["sector"] == "line-of-separation-north-west"
    assert moved["summary"] == "Put in better words."


def test_a_new_incident_in_a_file_is_added_to_the_others(seeded: Service, folder: Path) -> None:
    (folder / "incidents" / "2023.toml").write_text(
        """
        [[incident]]
        ref = "a-later-one"
        title = "A later one"
        [[incident.report]]
        ref = "a-later-one/crisis-group"
        when = "2022-09-25"
        where = { place = "Lachin" }
        claimant = "crisis-group"
        sources = [{ title = "t", publisher = "p", published = "2022-09-26", locator = "l" }]
        """
    )
    assert load(seeded, folder) == Loaded(0, 0, 1, 1)
    assert seeded.get(f"/v1/incidents/{id_of('a-later-one')}")["title"] == "A later one"


def test_reference_data_that_goes_is_gone_and_comes_back(seeded: Service, folder: Path) -> None:
    edit(folder, "agreements.toml", '[[agreement]]\nid = "ceasefire-1994"', '[[gone]]\nid = "x"')
    assert load(seeded, folder).reference >= 1
    assert load(seeded, SEED).reference >= 1
    assert load(seeded, SEED) == NOTHING


INCIDENTS = "incidents/2022.toml"
FIRST = "farukh-march-2022"
BROKEN = {
    "a file that is no TOML": (INCIDENTS, "[[incident]]", "[[incident]", ["2022.toml"]),
    "an incident without a title": (
        INCIDENTS, 'title = "Territory around', '# "', ["2022.toml", FIRST, "title"],
    ),
    "an incident without a ref": (INCIDENTS, f'ref = "{FIRST}"', "", ["2022.toml.0", "ref"]),
    "a report without a ref": (
        INCIDENTS, f'ref = "{FIRST}/crisis-group"', "", ["2022.toml", FIRST, "ref"],
    ),
    "a ref that stands twice": (
        INCIDENTS, f'ref = "{FIRST}/crisis-group"', f'ref = "{FIRST}/armenian-officials"',
        ["2022.toml", f"{FIRST}/armenian-officials", "twice"],
    ),
    "a field nobody knows": (
        INCIDENTS, 'title = "Territory', 'colour = "Territory', ["2022.toml", FIRST, "colour"],
    ),
    "a report's field nobody knows": (
        INCIDENTS, 'stance = "asserts"', 'mood = "grim"',
        ["2022.toml", f"{FIRST}/crisis-group", "mood"],
    ),
    "a date that is none": (
        INCIDENTS, 'when = "2022-03"', 'when = "2022-13"',
        ["2022.toml", f"{FIRST}/crisis-group", "when"],
    ),
    "a status nobody knows": (
        INCIDENTS, 'status = "verified"', 'status = "certain"',
        ["2022.toml", "north-eastern-front-1-august-2022", "certain"],
    ),
    "a basis that does not verify": (
        INCIDENTS, 'basis = "peacekeepers"', 'basis = "claimed-by-party"',
        ["2022.toml", "north-eastern-front-1-august-2022"],
    ),
    "an episode nobody knows": (
        INCIDENTS, 'part_of = "august-2022-escalation"', 'part_of = "august"',
        ["2022.toml", "north-eastern-front-1-august-2022", "part_of"],
    ),
    "coverage without an observer": (
        "coverage.toml", 'observer = "osce', '# "', ["coverage.toml.0", "observer"],
    ),
    "coverage of a sector nobody knows": (
        "coverage.toml", 'sectors = ["line-of-contact"]', 'sectors = ["line"]',
        ["coverage.toml.0", "sectors"],
    ),
    "a theatre without a zone": (
        "theatre.toml", 'timezone = ', "# ", ["theatre", "timezone"],
    ),
    "a field of the theatre nobody knows": (
        "theatre.toml", "licence =", "license =", ["theatre.armenia-azerbaijan", "license"],
    ),
    "an entry's field nobody knows": (
        "sectors.toml", 'note = "Wars', 'remark = "Wars', ["sector.armenia-azerbaijan", "remark"],
    ),
    "a name in a language that the theatre does not list": (
        "weapons.toml", "names = { ru", "names = { fr", ["weapon.small-arms", "names.fr"],
    ),
    "a second name in the language of the first": (
        "theatre.toml", "names = { ru", "names = { en", ["theatre", "names.en"],
    ),
    "a name of nothing": (
        "periods.toml", 'ru = "До прекращения огня 1994 года"', 'ru = " "',
        ["period.before-the-1994-ceasefire", "names.ru"],
    ),
    "names that are no table": (
        "claimants.toml", "names = {", "names = 1 # {", ["claimant.armenian-officials"],
    ),
    "a sector below one nobody knows": (
        "sectors.toml", 'parent = "line-of-contact"', 'parent = "line"',
        ["line-of-contact-north", "parent"],
    ),
    "an outline of a sector nobody knows": (
        "sectors.geojson", '"sector":"line-of-contact"', '"sector":"line"', ["sectors.geojson"],
    ),
    "outlines that are no JSON": ("sectors.geojson", "{", "[", ["sectors.geojson"]),
    "a position that is no number": ("places.csv", "39.553", "north", ["places.csv.2"]),
    "a claimant for a side nobody knows": (
        "claimants.toml", 'party = "armenia"', 'party = "nobody"', ["armenian-officials"],
    ),
    "a period that ends before it starts": (
        "periods.toml", "end = 1993-12-31", "end = 1983-12-31", ["before-the-1994-ceasefire"],
    ),
    "periods that overlap": (
        "periods.toml", "end = 1993-12-31", "end = 1994-12-31", ["before-the-1994-ceasefire"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(databases: Any) -> Iterator[Service]:
    """One seeded service for all that must leave it as it is."""
    with databases.fresh("sqlite", "seeds") as url:
        running = Service(url)
        yield running
        running.close()


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_named_with_its_entry_and_changes_nothing(
    kept: Service, folder: Path, what: str
) -> None:
    name, old, new, said = BROKEN[what]
    edit(folder, "incidents/2016-april.toml", "low = 200", "low = 201")
    edit(folder, name, old, new)
    before = kept.state()
    with pytest.raises(Invalid) as refused:
        load(kept, folder)
    assert [word for word in said if word not in str(refused.value)] == [], str(refused.value)
    assert kept.state() == before


@pytest.mark.parametrize("name", ["theatre.toml", "sectors.geojson", "coverage.toml"])
def test_a_missing_file_is_named(kept: Service, folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(Invalid, match=name):
        load(kept, folder)
