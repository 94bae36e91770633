"""A database that is busy, full or away: a clear "later", never a fault of ours, and no loss."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import sqlalchemy as sa

from service.errors import Unavailable
from tests.harness import Databases, Service
from tests.processes import RestartablePostgres, application, own_postgres

REPORT = {"when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "a monitor"}
MOUNT, UMOUNT = shutil.which("mount") or "", shutil.which("umount") or ""
KNOWN = "01850000-0000-7000-8000-000000000001"
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"])


def post(service: Service, **more: Any) -> httpx2.Response:
    return service.client.post("/v1/reports", json={**REPORT, **more}, headers=service.headers())


def is_later(answer: httpx2.Response) -> bool:
    """A problem document that says to come back, when, and nothing of what is wrong inside."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["detail"] == Unavailable.detail
    return True


def health(service: Service) -> tuple[int, int]:
    live, ready = (service.client.get(f"/health/{each}") for each in ("live", "ready"))
    return live.status_code, ready.status_code


def elsewhere(service: Service) -> sa.Connection:
    """A connection of another program to the same database."""
    return sa.create_engine(service.url, poolclass=sa.NullPool).connect()


def path_of(service: Service) -> str:
    return service.url.removeprefix("sqlite:///")


@on_sqlite
def test_while_another_program_holds_the_lock_writers_wait_and_readers_go_on(
    service: Service,
) -> None:
    before = service.state()
    other = sqlite3.connect(path_of(service), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert is_later(post(service, id=KNOWN))
    assert 4 < time.monotonic() - started < 9
    assert service.state() == before
    assert health(service) == (200, 200)
    other.execute("ROLLBACK")
    other.close()
    assert post(service, id=KNOWN).status_code == 201


def limit_pages(service: Service, pages: int) -> None:
    """Let the database grow by so many pages and no more."""

    @sa.event.listens_for(service.database.engine, "checkout")
    def limit(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        [now] = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {now + pages}")
        cursor.close()

    service.database.engine.dispose()


@on_sqlite
def test_a_full_database_refuses_what_is_new_and_shows_what_it_has(service: Service) -> None:
    limit_pages(service, 0)
    acknowledged = 0
    while (answer := post(service, summary="x" * 4000)).status_code == 201:
        acknowledged += 1
    assert is_later(answer)
    assert acknowledged < 100
    assert service.state()["rows"]["reports"] == acknowledged
    assert len(service.get("/v1/reports", limit=500)["items"]) == acknowledged
    assert health(service) == (200, 200)
    limit_pages(service, 100)
    assert post(service).status_code == 201
    assert service.wrong_accounts() == []


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run([UMOUNT, "--lazy", folder], check=True)


@pytest.mark.skipif(not (MOUNT and UMOUNT), reason="there is no mount")
def test_a_full_disk_loses_nothing_and_is_forgotten_when_there_is_room(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh("sqlite", "reference") as template, small_disk(tmp_path) as disk:
        shutil.copy(template.removeprefix("sqlite:///"), disk / "test.db")
        service = Service(f"sqlite:///{disk / 'test.db'}")
        acknowledged = set()
        while (answer := post(service, summary="x" * 4000)).status_code == 201:
            acknowledged.add(answer.json()["id"])
        assert is_later(answer)
        kept = {each["id"] for each in service.get("/v1/reports", limit=500)["items"]}
        assert kept == acknowledged
        assert health(service) == (200, 200)
        subprocess.run([MOUNT, "-o", "remount,size=9m", disk], check=True)
        assert post(service).status_code == 201
        assert service.wrong_accounts() == []
        with elsewhere(service) as connection:
            assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        service.close()


def test_a_database_that_may_only_be_read_is_shown_and_takes_nothing(
    databases: Databases,
) -> None:
    with databases.fresh("sqlite", "reference") as url:
        service = Service(url)
        service.post(REPORT)
        with application(f"{url.replace('///', '///file:')}?mode=ro&uri=true") as reader:
            assert len(reader.get("/v1/reports").json()["items"]) == 1
            assert is_later(reader.post("/v1/reports", json=REPORT, headers=service.headers()))
        service.close()


@pytest.fixture(scope="module")
def own() -> Iterator[RestartablePostgres]:
    with own_postgres() as server:
        yield server


def test_a_stopped_postgresql_means_later_and_is_found_again(
    own: RestartablePostgres, tmp_path: Path
) -> None:
    with Databases(own.url, tmp_path).fresh("postgresql", "reference") as url:
        service = Service(url)
        assert post(service, id=KNOWN).status_code == 201
        own.stop()
        try:
            assert is_later(post(service))
            assert is_later(service.client.get("/v1/reports"))
            assert is_later(service.client.get("/v1/aggregates"))
            assert health(service) == (200, 503)
        finally:
            own.start()
        assert health(service) == (200, 200)
        assert service.get(f"/v1/reports/{KNOWN}")["revision"] == 1
        assert post(service).status_code == 201
        service.close()


@on_postgresql
def test_lost_connections_are_replaced_without_a_word(service: Service) -> None:
    assert post(service).status_code == 201
    with elsewhere(service) as other:
        other.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert post(service).status_code == 201


@on_postgresql
def test_a_commit_whose_answer_was_lost_is_not_done_twice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = service.database.engine.dialect
    commit = dialect.do_commit
    cut_off: list[bool] = []

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        if not cut_off:
            cut_off.append(True)
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", commit_and_lose)
    assert is_later(post(service, id=KNOWN))
    again = post(service, id=KNOWN)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert service.state()["rows"]["reports"] == 1


@on_postgresql
def test_a_statement_that_takes_too_long_is_given_up(service: Service) -> None:
    before = service.state()
    with (
        application(service.url, statement_timeout=0.2) as client,
        elsewhere(service) as other,
    ):
        other.exec_driver_sql("LOCK TABLE revisions IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        headers = service.headers()
        assert is_later(client.post("/v1/reports", json=REPORT, headers=headers))
        assert is_later(client.get("/v1/aggregates"))
        assert time.monotonic() - started < 3
        other.rollback()
        assert service.state() == before
        assert client.post("/v1/reports", json=REPORT, headers=headers).status_code == 201


def fail(service: Service, code: str, times: int) -> None:
    """Let the next commits that record something fail with an SQLSTATE."""
    with elsewhere(service) as connection:
        connection.exec_driver_sql("CREATE SEQUENCE failures")
        connection.exec_driver_sql(
            f"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                -- A sequence goes on counting when the rest is rolled back.
                IF nextval('failures') <= {times} THEN
                    RAISE EXCEPTION 'in the way' USING ERRCODE = '{code}';
                END IF;
                RETURN NULL;
            END $$
            """
        )
        connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON revisions "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        connection.commit()


@on_postgresql
@pytest.mark.parametrize("code", ["40001", "40P01", "23505"])
def test_a_transaction_that_was_in_the_way_of_another_is_done_again(
    service: Service, code: str
) -> None:
    fail(service, code, times=2)
    assert post(service).status_code == 201
    assert service.state()["rows"]["reports"] == 1
    assert service.wrong_accounts() == []


@on_postgresql
def test_a_transaction_that_is_always_in_the_way_ends_in_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.database._PATIENCE_SECONDS", 0.3)
    before = service.state()
    fail(service, "40001", times=1_000_000)
    assert is_later(post(service))
    assert service.state() == before
