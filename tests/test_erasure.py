"""Forgetting a person: nothing is left of them, and the ledger still holds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.errors import Invalid
from service.store import journal, schema, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import erasure, ledger, reference, revising, seed, verify
from service.work.erasure import Field
from service.work.keys import RESERVED
from tests.harness import NOW, SEED, Service, fill
from tests.mirror import Mirror
from tests.processes import ROOT
from tests.reckoning import Json

OPERATOR = Author("operator", NOW)


def report(**fields: Any) -> Json:
    return {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def told(service: Service) -> tuple[Json, str]:
    """A monitor's report that names somebody, changed once and reviewed."""
    key = service.make_key("kestrel", Role.MONITOR)
    sent = service.client.post(
        "/v1/reports",
        json=report(
            where={"lat": 39.7123, "lon": 46.5123, "as_written": "the heron's yard"},
            summary="Seen by the nightjar.",
            casualties=[{"killed": 2}],
            disclosure={"visibility": "public", "place": "exact"},
        ),
        headers=service.headers(key=key),
    )
    assert sent.status_code == 201, sent.text
    changed = service.client.patch(
        f"/v1/reports/{sent.json()['id']}",
        json={"reason": "Three.", "casualties": [{"killed": 3}]},
        headers=service.headers(key=key, **{"If-Match": '"1"'}),
    )
    assert changed.status_code == 200, changed.text
    reviewed = service.act(
        f"/v1/reports/{sent.json()['id']}/reviews",
        {"status": "corroborated", "basis": "peacekeepers", "reason": "Seen by others."},
        **{"If-Match": '"2"'},
    )
    return reviewed, key


def erase(service: Service, report_id: str, *fields: Field) -> None:
    service.database.write(
        lambda session: erasure.erase_fields(
            session, report_id, fields, "asked by them", reference.load(session), OPERATOR
        )
    )


def everything(service: Service) -> str:
    """Every value of every row."""
    with service.database.reading() as session:
        return "\n".join(
            repr(row)
            for table in tables.metadata.sorted_tables
            for row in session.execute(sa.select(table))
        )


def broken(service: Service) -> list[str]:
    ledger.catch_up(service.database)
    with service.database.reading() as session:
        return list(verify.broken(session))


def test_a_persons_words_are_gone_from_every_revision(service: Service) -> None:
    written, _ = told(service)
    assert "nightjar" in everything(service)
    size = len(followed(service))
    erase(service, written["id"], Field.SUMMARY)
    assert "nightjar" not in everything(service)
    assert broken(service) == []
    shown = service.get(f"/v1/reports/{written['id']}")
    assert (shown["summary"], shown["status"], shown["revision"]) == (None, "corroborated", 4)
    history = service.get(f"/v1/reports/{written['id']}/revisions")["items"]
    assert [each["summary"] for each in history] == [None] * 4
    assert history[-1]["change"] == "asked by them"
    assert service.get("/v1/reports", as_of=f"changes:{size}")["items"][0]["summary"] is None
    assert service.get("/v1/reports", q="nightjar")["items"] == []


def followed(service: Service) -> list[Json]:
    mirror = Mirror()
    mirror.follow(service)
    return mirror.items


def test_a_place_is_gone_from_the_map_and_the_figures_stay(service: Service) -> None:
    written, _ = told(service)
    before = service.aggregates(period="month", by="sector", fill="none")["cells"]
    erase(service, written["id"], Field.PLACE)
    kept = everything(service)
    assert "39.7123" not in kept
    assert "heron" not in kept
    shown = service.get(f"/v1/reports/{written['id']}", Role.REVIEWER)["where"]
    assert (shown["lat"], shown["as_written"], shown["place"]) == (None, None, None)
    assert service.aggregates(period="month", by="sector", fill="none")["cells"] == before
    assert service.wrong_accounts() == []
    assert broken(service) == []


def test_who_sent_is_gone_with_the_key(service: Service) -> None:
    written, key = told(service)
    done = service.database.write(lambda s: erasure.erase_person(s, "kestrel", OPERATOR))
    assert done == 2
    assert "kestrel" not in everything(service)
    assert broken(service) == []
    assert service.wrong_accounts() == []
    refused = service.client.get("/v1/keys/self", headers=service.headers(key=key))
    assert refused.status_code == 401
    assert service.get(f"/v1/reports/{written['id']}")["status"] == "corroborated"


def test_who_reviewed_is_gone_and_the_review_stays(service: Service) -> None:
    written, _ = told(service)
    service.database.write(lambda s: erasure.erase_person(s, "the reviewer", OPERATOR))
    assert "the reviewer" not in everything(service)
    assert broken(service) == []
    shown = service.get(f"/v1/reports/{written['id']}")
    assert [r["reason"] for r in shown["reviews"]] == ["Seen by others."]


def reread(service: Service) -> int:
    """As after a change of reference data."""
    author = Author(reference.REFERENCE, NOW)
    return service.database.write(lambda s: revising.reread(s, reference.load(s), author))


@pytest.mark.parametrize(
    "where",
    [
        {"place": "Lachin"},
        {"place": "Nowhere-upon-Sea", "as_written": "the heron's yard"},
        {"lat": 46.5123, "lon": 39.7123},
        {"observer": {"lat": 39.7, "lon": 46.5, "bearing": 90, "distance_km": 2}},
    ],
)
def test_a_report_whose_place_was_erased_is_read_again_as_it_stands(
    service: Service, where: Json
) -> None:
    written = service.post(report(where=where, casualties=[{"killed": 2}]))
    erase(service, written["id"], Field.PLACE)
    shown = service.get(f"/v1/reports/{written['id']}", Role.ADMIN)
    assert reread(service) == 0
    assert service.get(f"/v1/reports/{written['id']}", Role.ADMIN) == shown
    changed = patched(service, written["id"], casualties=[{"killed": 3}])
    assert changed["casualties"][0]["killed"]["best"] == 3
    for part in ("where", "flags", "unmapped"):
        assert changed[part] == shown[part]
    withdrawn = patched(service, written["id"], status="withdrawn")
    assert (withdrawn["status"], withdrawn["where"]) == ("withdrawn", shown["where"])
    assert broken(service) == []


def patched(service: Service, report_id: str, **changes: Any) -> Json:
    number = service.get(f"/v1/reports/{report_id}", Role.ADMIN)["revision"]
    answer = service.client.patch(
        f"/v1/reports/{report_id}",
        json={"reason": "r", **changes},
        headers=service.headers(Role.ADMIN, **{"If-Match": f'"{number}"'}),
    )
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def test_a_place_that_was_erased_can_be_told_anew(service: Service) -> None:
    written = service.post(report())
    erase(service, written["id"], Field.PLACE)
    changed = patched(service, written["id"], where={"sector": "line-of-separation"})
    assert changed["where"]["sector"] == "line-of-separation"
    # A place that nobody erased is not taken away by a change.
    other = service.post(report(when="2022-08-01"))
    answer = service.client.patch(
        f"/v1/reports/{other['id']}",
        json={"reason": "r", "where": None},
        headers=service.headers(**{"If-Match": '"1"'}),
    )
    assert answer.status_code == 422


def test_when_it_was_said_stays_though_the_sources_that_told_it_are_erased(
    service: Service,
) -> None:
    written = service.post(report(sources=[{"title": "t", "published": "2022-08-04"}]))
    erase(service, written["id"], Field.SOURCES)
    assert reread(service) == 0
    assert service.get(f"/v1/reports/{written['id']}")["reported"] == "2022-08-04"


def loaded(service: Service, folder: Path) -> seed.Loaded:
    return service.database.write(lambda s: seed.load(s, folder, Author(seed.ACTOR, NOW)))


ERASED_SEED = """
[[incident]]
ref = "an-erased-one"
title = "One"
[[incident.report]]
ref = "an-erased-one/crisis-group"
when = "2022-09-25"
where = { place = "Lachin", as_written = "the heron's yard" }
claimant = "crisis-group"
casualties = [{ killed = 2 }]
summary = "Seen by the nightjar."
sources = [{ title = "the kestrel", publisher = "p", published = "2022-09-26", locator = "l" }]
"""


def test_the_files_do_not_bring_back_what_was_erased(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    shutil.copytree(SEED, folder)
    file = folder / "incidents" / "2023.toml"
    file.write_text(ERASED_SEED)
    loaded(service, folder)
    path = f"/v1/reports/{seed.id_of('an-erased-one/crisis-group')}"
    erase(service, path.rpartition("/")[2], Field.PLACE, Field.SUMMARY, Field.SOURCES)
    before = service.get(path, Role.ADMIN)

    def nothing_back() -> None:
        kept = everything(service)
        assert not [word for word in ("heron", "nightjar", "kestrel") if word in kept]
        assert broken(service) == []

    assert loaded(service, folder) == seed.Loaded(0, 0, 0, 0)
    nothing_back()
    # A changed theatre has everything read again.
    claimants = folder / "claimants.toml"
    claimants.write_text(claimants.read_text().replace('id = "icrc"', 'id = "icrc"\nnote = "n"', 1))
    assert loaded(service, folder).reports == 0
    assert service.get(path, Role.ADMIN) == before
    # Another word of the file is taken without the erased ones beside it.
    file.write_text(ERASED_SEED.replace("killed = 2", "killed = 3"))
    assert loaded(service, folder) == seed.Loaded(0, 0, 0, 1)
    shown = service.get(path, Role.ADMIN)
    assert shown["casualties"][0]["killed"]["best"] == 3
    assert shown["where"] == before["where"]
    nothing_back()
    assert loaded(service, folder) == seed.Loaded(0, 0, 0, 0)
    # What somebody wrote in its place stays.
    patched(service, shown["id"], summary="Seen.")
    file.write_text(ERASED_SEED.replace("killed = 2", "killed = 4"))
    assert loaded(service, folder) == seed.Loaded(0, 0, 0, 1)
    assert service.get(path)["summary"] == "Seen."
    nothing_back()
    # Once the file has dropped it, what it says later is new.
    file.write_text(ERASED_SEED.replace('summary = "Seen by the nightjar."', ""))
    loaded(service, folder)
    file.write_text(ERASED_SEED.replace("Seen by the nightjar.", "In better words."))
    loaded(service, folder)
    assert service.get(path)["summary"] == "In better words."
    nothing_back()


def test_who_wrote_with_somebody_erased_still_wrote_it(service: Service) -> None:
    anna = service.make_key("anna", Role.REVIEWER)
    berta = service.make_key("berta", Role.REVIEWER)
    written = service.client.post(
        "/v1/reports", json=report(summary="a"), headers=service.headers(key=anna)
    ).json()
    changed = service.client.patch(
        f"/v1/reports/{written['id']}",
        json={"reason": "r", "summary": "b"},
        headers=service.headers(key=berta, **{"If-Match": '"1"'}),
    )
    assert changed.status_code == 200, changed.text
    service.database.write(lambda s: erasure.erase_person(s, "berta", OPERATOR))
    assert "berta" not in everything(service)
    assert broken(service) == []
    told = service.get(f"/v1/reports/{written['id']}")
    answer = service.client.post(
        f"/v1/reports/{written['id']}/reviews",
        json={"status": "refuted", "reason": "r"},
        headers=service.headers(key=anna, **{"If-Match": f'"{told["revision"]}"'}),
    )
    assert answer.status_code == 403, answer.text
    first, second = record_of(service, written["id"])["authors"]
    assert (first, second.partition(":")[0]) == ("anna", "erased")


def record_of(service: Service, report_id: str) -> Json:
    with service.database.reading() as session:
        record: Json = session.get_one(tables.Report, report_id).record
        return record


def test_two_who_were_erased_stay_two_and_are_nobody_else(service: Service) -> None:
    written = service.post(report(casualties=[{"killed": 2}]))
    names = ["rook", "heron", "swift"]
    for name in names:
        key = service.make_key(name, Role.REVIEWER)
        number = service.get(f"/v1/reports/{written['id']}")["revision"]
        answer = service.client.post(
            f"/v1/reports/{written['id']}/reviews",
            json={"status": "corroborated", "basis": "peacekeepers", "reason": "r"},
            headers=service.headers(key=key, **{"If-Match": f'"{number}"'}),
        )
        assert answer.status_code == 201, answer.text
    for name in names[:2]:
        service.database.write(lambda s, n=name: erasure.erase_person(s, n, OPERATOR))
    kept = everything(service)
    assert not [name for name in names[:2] if name in kept]
    reviewers = list(record_of(service, written["id"])["reviewers"].values())
    assert (len(set(reviewers)), reviewers[2]) == (3, "swift")
    assert broken(service) == []
    assert service.wrong_accounts() == []


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_what_is_nobody_is_not_erased(service: Service, name: str) -> None:
    before = everything(service)
    with pytest.raises(Invalid):
        service.database.write(lambda s: erasure.erase_person(s, name, OPERATOR))
    assert everything(service) == before


def test_erased_values_are_not_left_on_the_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    schema.migrate(url)
    fill(url, "reference")
    service = Service(url)
    written, _ = told(service)
    service.close()
    found = [b"nightjar" in file.read_bytes() for file in tmp_path.iterdir()]
    assert any(found)
    for asked in (["report", written["id"], "--field", "summary", "--reason", "asked"],):
        done = subprocess.run(
            [sys.executable, "-m", "service", "erase", *asked],
            cwd=ROOT,
            env={"DATABASE_URL": url, "PATH": "", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert not any(b"nightjar" in file.read_bytes() for file in tmp_path.iterdir())
    database = Database(url)
    with database.reading() as session:
        assert list(verify.broken(session)) == []
    database.close()


def test_what_is_taken_without_an_erasure_is_found(service: Service, tmp_path: Path) -> None:
    written, _ = told(service)

    def take(session: Any) -> None:
        row = journal.history(session, "report", written["id"])[0]
        private = json.loads(row.private)
        del private["content.posted.summary"]
        row.private = json.dumps(private, sort_keys=True, separators=(",", ":"))

    service.database.write(take)
    assert any("no erasure says so" in line for line in broken(service))


def test_what_a_reviewer_wrote_is_gone_from_the_reasons_too(service: Service) -> None:
    written, _ = told(service)
    erase(service, written["id"], Field.REVIEWS)
    assert "Seen by others" not in everything(service)
    assert broken(service) == []
    history = service.get(f"/v1/reports/{written['id']}/revisions")["items"]
    assert [each["change"] for each in history] == [None, None, None, "asked by them"]


def test_an_erasure_is_in_the_ledger_for_those_who_see_it_whole(service: Service) -> None:
    written, _ = told(service)
    erase(service, written["id"], Field.SUMMARY)
    mirror = Mirror(Role.REVIEWER)
    mirror.follow(service)
    [item] = [each for each in mirror.items if each.get("kind") == "erasure"]
    assert set(item["content"]["erased"]) == {
        f"report/{written['id']}/{number}" for number in (1, 2, 3)
    }
    assert "erasure" not in {each.get("kind") for each in followed(service)}


def erased_from(service: Service, work: Any) -> str:
    """Everything that is kept after something was erased, where all still holds."""
    service.database.write(work)
    ledger.catch_up(service.database)
    with service.database.reading() as session:
        assert list(verify.broken(session)) == []
        return "\n".join(
            str(tuple(row))
            for table in tables.metadata.sorted_tables
            for row in session.execute(sa.select(table))
        )


def line_of(**fields: Any) -> str:
    return json.dumps({"id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e21", **report(**fields)})


def test_of_an_erased_import_the_file_goes_and_what_was_recorded_stays(service: Service) -> None:
    service.declare("wire")
    ran = service.run("wire", f"{line_of()}\n{line_of(summary='Ask the nightjar.')}\n")
    assert (ran["account"]["created"], ran["account"]["rejected"]) == (1, 1)
    kept = erased_from(
        service, lambda s: erasure.erase_import(s, ran["id"], "It names somebody.", OPERATOR)
    )
    assert "nightjar" not in kept
    file = service.client.get(f"/v1/imports/{ran['id']}/file", headers=service.headers(Role.ADMIN))
    assert file.status_code == 404
    [left] = service.get(f"/v1/imports/{ran['id']}/rejects", Role.ADMIN)["items"]
    assert (left["reason"], left["original"]) == ("stands in the file twice", {})
    assert len(service.get("/v1/reports")["items"]) == 1
    again = service.run("wire", line_of())
    assert again["account"]["unchanged"] == 1


def test_an_erased_lead_does_not_come_back(service: Service) -> None:
    service.declare("news", format="rss")
    entry = "<item><guid>1</guid><title>The nightjar speaks</title></item>"
    feed = f"<rss version='2.0'><channel>{entry}</channel></rss>"
    ran = service.run("news", feed)
    [lead] = service.get("/v1/leads", Role.ADMIN)["items"]

    def erase(session: Any) -> None:
        erasure.erase_lead(session, lead["id"], "It names somebody.", OPERATOR)
        erasure.erase_import(session, ran["id"], "It names somebody.", OPERATOR)

    assert "nightjar" not in erased_from(service, erase)
    service.run("news", feed.replace("speaks", "sings"))
    [left] = service.get("/v1/leads", Role.ADMIN)["items"]
    assert (left["state"], left["told"]) == ("dismissed", "")


def test_what_a_source_calls_a_place_goes_with_the_place(service: Service) -> None:
    service.declare("plain", format="csv", mapping=MAPPING)
    ran = service.run(
        "plain", "Ref,Day,Village,Lat,Lon,Who\n1,2022-08-03,Heronsyard,39.7,46.5,icrc\n"
    )
    assert ran["account"]["created"] == 1, ran
    [told] = service.get("/v1/reports", Role.ADMIN)["items"]
    erase = [Field.PLACE, Field.SUMMARY, Field.SOURCES]

    def work(session: Any) -> None:
        theatre = reference.load(session)
        erasure.erase_fields(session, told["id"], erase, "It is somebody's.", theatre, OPERATOR)
        erasure.erase_import(session, ran["id"], "It is somebody's.", OPERATOR)

    assert "Heronsyard" not in erased_from(service, work)


MAPPING = {
    "key": "Ref",
    "claimant": "Who",
    "when": {"column": "Day"},
    "where": {"lat": "Lat", "lon": "Lon", "as_written": "Village"},
}


def test_who_had_a_feed_run_is_erased_with_their_key(service: Service) -> None:
    service.declare("wire")
    key = service.make_key("kestrel", Role.IMPORTER)
    answer = service.client.post(
        "/v1/feeds/wire/runs", content=line_of(), headers=service.headers(key=key)
    )
    assert answer.status_code == 202, answer.text
    assert "kestrel" not in erased_from(
        service, lambda s: erasure.erase_person(s, "kestrel", OPERATOR)
    )
