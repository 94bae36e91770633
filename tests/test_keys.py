"""Keys: made, changed, revoked, and what remains of them."""

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Actor, Role
from service.errors import Conflict, Invalid, NotFound, Unauthorized
from service.store import journal, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import embargoes, erasure, keys, seed
from service.work.reference import REFERENCE
from tests.harness import NOW, Databases, Ids, Service
from tests.test_command_line import Typed, one_line, status_with, typed, url

__all__ = ["typed", "url"]

OPERATOR = Author(keys.OPERATOR, NOW)
LATER = NOW + timedelta(days=1)
REPORT = {"when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "a monitor"}


@pytest.fixture
def database(databases: Databases, backend: str) -> Iterator[Database]:
    with databases.fresh(backend, "nothing") as url:
        database = Database(url)
        yield database
        database.close()


def made(database: Database, name: str = "north", role: Role = Role.MONITOR, **more: Any) -> str:
    new_id = Ids()
    taken = 0
    with database.reading() as session:
        taken = len(keys.listed(session))
    for _ in range(taken):
        new_id()
    return database.write(lambda s: keys.create(s, name, role, OPERATOR, new_id, **more))


def holder(database: Database, key: str, now: datetime = NOW) -> Actor:
    with database.reading() as session:
        return keys.holder(session, key, now)


def recorded(database: Database, name: str) -> list[dict[str, Any]]:
    with database.reading() as session:
        key = keys.named(session, name)
        return [journal.fact_of(r).content for r in journal.history(session, keys.KEY, key.id)]


def test_a_key_is_256_random_bits_and_kept_as_a_hash(database: Database) -> None:
    key = made(database)
    assert key.startswith("ceasefire_")
    assert len(key.removeprefix("ceasefire_")) == 43
    with database.reading() as session:
        kept = keys.named(session, "north")
        assert kept.sha256 == hashlib.sha256(key.encode()).hexdigest()
        assert "sha256" not in keys.described(kept)
    assert made(database, "south") != key


def test_a_key_says_who_asks(database: Database) -> None:
    key = made(database, role=Role.REVIEWER, read_only=True)
    assert holder(database, key) == Actor("north", Role.REVIEWER, read_only=True)


def test_unknown_expired_and_revoked_keys_are_refused_alike(database: Database) -> None:
    expired = made(database, "expired", expires_at=LATER)
    revoked = made(database, "revoked")
    database.write(lambda s: keys.revoke(s, "revoked", OPERATOR))
    holder(database, expired, LATER - timedelta(microseconds=1))
    told = set()
    for key in (expired, revoked, "ceasefire_x", "", expired.swapcase()):
        with pytest.raises(Unauthorized) as refusal:
            holder(database, key, LATER)
        told.add(str(refusal.value))
    assert len(told) == 1


def test_every_change_is_recorded_with_its_author(database: Database) -> None:
    key = made(database, expires_at=LATER)
    admin = Author("admin", NOW + timedelta(hours=1))
    database.write(lambda s: keys.change(s, "north", admin, role=Role.REVIEWER, expires_at=None))
    database.write(lambda s: keys.change(s, "north", admin, role=Role.REVIEWER))
    database.write(lambda s: keys.revoke(s, "north", admin))
    database.write(lambda s: keys.revoke(s, "north", admin))
    first = {
        "name": "north",
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
        "role": "monitor",
        "read_only": False,
        "created_at": "2022-10-01T12:00:00Z",
        "expires_at": "2022-10-02T12:00:00Z",
        "revoked_at": None,
    }
    second = {**first, "role": "reviewer", "expires_at": None}
    third = {**second, "revoked_at": "2022-10-01T13:00:00Z"}
    assert recorded(database, "north") == [first, second, third]
    with database.reading() as session:
        revisions = session.scalars(sa.select(tables.Revision)).all()
        assert [r.actor for r in revisions] == ["operator", "admin", "admin"]
        assert {r.level for r in revisions} == {2}
        # Neither name nor hash is open in the entry of the ledger.
        assert all("north" not in r.entry for r in revisions)
        assert all(first["sha256"] not in r.entry for r in revisions)


def test_a_key_is_made_again_from_the_record(database: Database) -> None:
    made(database, expires_at=LATER)
    [content] = recorded(database, "north")

    def again(session: Any) -> None:
        key = keys.named(session, "north")
        session.delete(key)
        session.flush()
        keys.insert_key(session, key.id, content)

    with database.reading() as session:
        before = keys.described(keys.named(session, "north"))
    database.write(again)
    with database.reading() as session:
        assert keys.described(keys.named(session, "north")) == before


def test_a_revoked_name_gets_a_new_secret_under_the_same_row(database: Database) -> None:
    old = made(database, role=Role.ADMIN)
    with pytest.raises(Conflict):
        made(database)
    database.write(lambda s: keys.revoke(s, "north", OPERATOR))
    new = made(database, role=Role.MONITOR)
    assert holder(database, new) == Actor("north", Role.MONITOR)
    with pytest.raises(Unauthorized):
        holder(database, old)
    assert len(recorded(database, "north")) == 3


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", "a\nb", "x" * 101, "ceasefire_abc", "operator", "<b>", " a"]
)
def test_what_cannot_be_a_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(Invalid):
        made(database, name)


@pytest.mark.parametrize(
    "name", [keys.OPERATOR, seed.ACTOR, embargoes.ACTOR, erasure.ERASED, REFERENCE, "migration"]
)
def test_no_key_is_called_as_what_changes_without_one_is(database: Database, name: str) -> None:
    with pytest.raises(Invalid, match="kept for changes"):
        made(database, name)


@pytest.mark.parametrize("name", ["a", "north desk", "a.b@example.org", "հյուսիս", "first-2"])
def test_what_can_be_a_name_is_taken(database: Database, name: str) -> None:
    assert holder(database, made(database, name)).name == name


def test_nobody_is_made_anonymous_and_no_key_ends_before_it_begins(database: Database) -> None:
    for wrong in ({"role": Role.ANONYMOUS}, {"expires_at": NOW}):
        with pytest.raises(Invalid):
            made(database, **wrong)
    made(database)
    for change in ({"role": Role.ANONYMOUS}, {"expires_at": NOW}):
        with pytest.raises(Invalid):
            database.write(lambda s, c=change: keys.change(s, "north", OPERATOR, **c))


def test_who_is_not_there_is_not_changed(database: Database) -> None:
    made(database)
    database.write(lambda s: keys.revoke(s, "north", OPERATOR))
    with pytest.raises(Conflict):
        database.write(lambda s: keys.change(s, "north", OPERATOR, read_only=True))
    for change in (keys.change, keys.revoke):
        with pytest.raises(NotFound):
            database.write(lambda s, c=change: c(s, "nobody", OPERATOR))


def test_an_expired_key_is_no_usable_one(database: Database) -> None:
    made(database, expires_at=LATER)
    with database.reading() as session:
        assert keys.any_usable(session, NOW)
        assert not keys.any_usable(session, LATER)
        assert keys.free_name(session, "north") == "north-2"


# Over HTTP


@pytest.fixture
def admin(service: Service) -> dict[str, str]:
    return bearer(service.make_key("boss", Role.ADMIN))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def make(service: Service, admin: dict[str, str], **key: Any) -> dict[str, Any]:
    answer = service.client.post("/v1/keys", json=key, headers=admin)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def sent(service: Service, key: str) -> int:
    return service.client.post("/v1/reports", json=REPORT, headers=bearer(key)).status_code


def test_a_key_is_shown_once_and_lets_its_holder_send(
    service: Service, admin: dict[str, str]
) -> None:
    made = make(service, admin, name="north", role="monitor", expires_at="2022-10-02T16:00+04:00")
    key = made.pop("key")
    assert made == {
        "name": "north",
        "role": "monitor",
        "read_only": False,
        "created_at": "2022-10-01T12:00:00Z",
        "expires_at": "2022-10-02T12:00:00Z",
        "revoked_at": None,
    }
    assert sent(service, key) == 201
    answer = service.client.get("/v1/keys", headers=admin)
    assert made in answer.json()["items"]
    assert key not in answer.text
    assert hashlib.sha256(key.encode()).hexdigest() not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    service.clock.advance(days=1)
    assert sent(service, key) == 401


def test_a_holder_is_told_what_the_key_allows(service: Service, admin: dict[str, str]) -> None:
    for role, read_only, may, sees in (
        ("partner", False, [], "partners"),
        ("monitor", False, ["send"], "public"),
        ("importer", False, ["send", "import"], "public"),
        ("reviewer", False, ["send", "review", "group", "import"], "restricted"),
        ("reviewer", True, [], "restricted"),
    ):
        name = f"{role} {read_only}"
        key = make(service, admin, name=name, role=role, read_only=read_only)["key"]
        assert service.client.get("/v1/keys/self", headers=bearer(key)).json() == {
            "name": name,
            "role": role,
            "read_only": read_only,
            "expires_at": None,
            "may": may,
            "sees": sees,
        }


def test_what_a_key_allows_changes_with_the_next_request(
    service: Service, admin: dict[str, str]
) -> None:
    key = make(service, admin, name="north", role="monitor")["key"]

    def changed(**change: Any) -> int:
        answer = service.client.patch("/v1/keys/north", json=change, headers=admin)
        assert answer.status_code == 200, answer.text
        assert change.items() <= answer.json().items()
        return sent(service, key)

    assert changed(read_only=True) == 403
    assert changed(read_only=False) in (200, 201)
    assert changed(role="partner") == 403
    assert changed(role="importer", expires_at="2022-10-01T12:30:00Z") in (200, 201)
    service.clock.advance(minutes=30)
    assert sent(service, key) == 401
    assert changed(expires_at=None) in (200, 201)
    answer = service.client.post("/v1/keys/north/revoke", headers=admin)
    assert answer.json()["revoked_at"] == "2022-10-01T12:30:00Z"
    assert sent(service, key) == 401
    assert len(recorded(service.database, "north")) == 7


def test_the_last_who_can_manage_keys_is_kept(service: Service) -> None:
    for key in service_keys(service):
        service.database.write(lambda s, k=key: keys.revoke(s, k, OPERATOR))
    boss = bearer(service.make_key("boss", Role.ADMIN))
    before = service.state()
    for path, method, change in (
        ("/v1/keys/boss", "PATCH", {"role": "reviewer"}),
        ("/v1/keys/boss", "PATCH", {"read_only": True}),
        ("/v1/keys/boss/revoke", "POST", None),
    ):
        answer = service.client.request(method, path, json=change, headers=boss)
        assert answer.status_code == 409, answer.text
        assert service.state() == before
    make(service, boss, name="reader", role="admin", read_only=True)
    assert service.client.post("/v1/keys/boss/revoke", headers=boss).status_code == 409
    make(service, boss, name="deputy", role="admin")
    assert service.client.post("/v1/keys/boss/revoke", headers=boss).status_code == 200
    assert service.client.get("/v1/keys", headers=boss).status_code == 401


def service_keys(service: Service) -> list[str]:
    with service.database.reading() as session:
        return [key.name for key in keys.listed(session)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "king"}, "role"),
        ({"role": "anonymous"}, "role"),
        ({"role": None}, ""),
        ({"read_only": "yes"}, "read_only"),
        ({"expires_at": "2022-10-01T12:00Z"}, "expires_at"),
        ({"expires_at": "2023-01-01"}, "expires_at"),
        ({"name": "south"}, "name"),
        ({"sha256": "0" * 64}, "sha256"),
    ],
)
def test_what_no_key_can_be_is_named(
    service: Service, admin: dict[str, str], change: dict[str, Any], field: str
) -> None:
    make(service, admin, name="north", role="monitor")
    before = service.state()
    answer = service.client.patch("/v1/keys/north", json=change, headers=admin)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert service.state() == before


def test_names_in_use_and_names_of_nobody(service: Service, admin: dict[str, str]) -> None:
    make(service, admin, name="north", role="monitor")
    again = service.client.post(
        "/v1/keys", json={"name": "north", "role": "monitor"}, headers=admin
    )
    assert again.status_code == 409
    wrong = service.client.post("/v1/keys", json={"name": "a/b", "role": "monitor"}, headers=admin)
    assert [problem["field"] for problem in wrong.json()["errors"]] == ["name"]
    for method, path in (("PATCH", "/v1/keys/south"), ("POST", "/v1/keys/south/revoke")):
        answer = service.client.request(method, path, json={}, headers=admin)
        assert answer.status_code == 404


def test_a_key_in_a_url_is_refused_and_not_repeated(
    service: Service, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = service.make_key("north", Role.MONITOR)
    for path in (
        *(f"/v1/reports?{name}={key}" for name in ("token", "key", "api_key", "apikey", "Api_Key")),
        *(f"/v1/reports?access_token={value}" for value in (key, "anything", "")),
        *(f"/v1/reports?claimant={key}", f"/v1/reports?claimant=%63{key[1:]}"),
        *(f"/v1/reports/{key}", f"/v1/{key}/reports", f"/{key}", f"/health/live?q={key}"),
        f"/v1/keys/%63{key[1:]}/revoke",
    ):
        for headers in ({}, admin):
            answer = service.client.get(path, headers=headers)
            assert answer.status_code == 400, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert key[10:] not in answer.text
    service_log = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    assert key[10:] not in "\n".join(service_log)


def test_what_is_denied_is_logged_without_name_or_key(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    key = service.make_key("north", Role.PARTNER)
    assert sent(service, key) == 403
    [line] = [r.getMessage() for r in caplog.records if "denied" in r.getMessage()]
    assert keys.short("north") in line
    assert "POST" in line
    assert "/reports" in line
    assert "send" in line
    for secret in ("north", key[10:], "testclient"):
        assert secret not in line


# On the command line


def test_an_operator_gives_a_role_an_end_and_takes_them_back(typed: Typed, url: str) -> None:
    key = typed("keys", "create", "north", "--role", "importer", "--expires", "90d", url=url)[1]
    assert status_with(key.strip(), url) == 201
    end = datetime.now(UTC) + timedelta(days=90)
    listed = typed("keys", "list", url=url)[1]
    assert f"north: usable, importer, made {datetime.now(UTC):%Y-%m-%d}" in listed
    assert f"ends {end:%Y-%m-%d}" in listed
    assert keys.short("north") in listed
    assert key.strip() not in listed
    assert typed("keys", "change", "north", "--read-only", "--expires", "never", url=url)[0] == 0
    listed = typed("keys", "list", url=url)[1]
    assert "north: usable, importer, read-only" in listed
    assert "ends" not in listed
    assert status_with(key.strip(), url) == 403
    typed("keys", "change", "north", "--no-read-only", "--role", "partner", url=url)
    assert "north: usable, partner, made" in typed("keys", "list", url=url)[1]
    typed("keys", "change", "north", "--role", "monitor", "--expires", "2199-01-01", url=url)
    assert "ends 2199-01-01" in typed("keys", "list", url=url)[1]
    assert status_with(key.strip(), url) == 201
    database = Database(url)
    with database.reading() as session:
        rows = session.scalars(sa.select(tables.Revision).where(tables.Revision.kind == "key"))
        assert [r.actor for r in rows] == ["operator"] * 4
    database.close()


def test_an_operator_may_revoke_the_last_admin(typed: Typed, url: str) -> None:
    typed("keys", "create", "boss", "--role", "admin", url=url)
    assert typed("keys", "change", "boss", "--role", "monitor", url=url)[0] == 0
    assert typed("keys", "revoke", "boss", url=url)[0] == 0
    assert "boss: revoked" in typed("keys", "list", url=url)[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["create", "north", "--role", "king"], 2),
        (["create", "north", "--role", "anonymous"], 1),
        (["create", "north", "--expires", "soon"], 2),
        (["create", "north", "--expires", "99999999999d"], 2),
        (["create", "north", "--expires", "2001-01-01"], 1),
        (["create", "a/b"], 1),
        (["create", "ceasefire_of-mine"], 1),
        (["change", "nobody", "--read-only"], 1),
    ],
)
def test_an_operators_mistake_makes_no_key(
    typed: Typed, url: str, arguments: list[str], code: int
) -> None:
    answered, printed, complaint = typed("keys", *arguments, url=url)
    assert (answered, printed) == (code, "")
    assert code == 2 or one_line(complaint)
    assert "ceasefire_of-mine" not in complaint
    assert typed("keys", "list", url=url)[1] == ""
    assert json.dumps(complaint)
