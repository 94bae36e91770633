"""Forgetting a person: nothing is left of them, and the ledger still holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.domain.access import Role
from service.store import schema, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import erasure, ledger, reference, verify
from service.work.erasure import Field
from tests.harness import NOW, Service, fill
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
