"""Writers that wait at the same time are committed together: one fsync for all of them, and
nobody's fault or luck is anybody else's."""

import re
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.domain.access import Role
from service.errors import Unavailable
from service.identity import new_id
from service.store import commits, tables
from service.store.commits import Companions, Group
from service.store.database import Database
from tests.harness import Databases, Service
from tests.processes import SERVE, at_once, server

REPORT = {
    "when": "2022-09-20",
    "where": {"place": "Lachin"},
    "claimant": "a monitor",
    "casualties": [{"killed": 1}],
}
KNOWN = "01850000-0000-4000-8000-000000000001"
MANY = 8
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"])
Work = Callable[[Session], Any]
Outcome = Future[Any]


@pytest.fixture(autouse=True)
def however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group takes along all who wait, on a busy machine too."""
    monkeypatch.setattr(commits, "_SECONDS", 30)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def waiting(database: Database, jobs: Sequence[Callable[[], Any]]) -> Iterator[list[Outcome]]:
    """Jobs that each write something, all of them waiting in this order until the block ends."""
    go_on, holds = threading.Event(), threading.Event()

    def hold(_: Session) -> None:
        holds.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(len(jobs) + 1) as threads:
        holding = threads.submit(database.write, hold)
        assert holds.wait(30)
        outcomes: list[Outcome] = []
        try:
            for number, job in enumerate(jobs, 1):
                outcomes.append(threads.submit(job))
                until(partial(number_waits, database, number))
            yield outcomes
        finally:
            go_on.set()
        holding.result()


def number_waits(database: Database, number: int) -> bool:
    return len(database.companions) == number


@contextmanager
def commits_counted(database: Database) -> Iterator[list[str]]:
    """What ends transactions that write, while the block lasts."""
    seen: list[str] = []

    def note(connection: sa.Connection) -> None:
        if not connection.get_execution_options().get("postgresql_readonly"):
            seen.append("commit")

    sa.event.listen(database.engine, "commit", note)
    yield seen
    sa.event.remove(database.engine, "commit", note)


def posting(service: Service, **more: Any) -> Callable[[], httpx2.Response]:
    return partial(
        service.client.post,
        "/v1/reports",
        json={**REPORT, "id": new_id(), **more},
        headers=service.headers(Role.REVIEWER),
    )


def statuses(outcomes: Sequence[Outcome]) -> Counter[int]:
    return Counter(outcome.result().status_code for outcome in outcomes)


@on_sqlite
def test_reports_that_wait_at_the_same_time_share_one_commit(service: Service) -> None:
    jobs = [posting(service, summary=f"account {n}") for n in range(MANY)]
    with commits_counted(service.database) as seen:
        with waiting(service.database, jobs) as outcomes:
            pass
        assert statuses(outcomes) == {201: MANY}
    assert len(seen) == 1
    assert service.state()["rows"]["reports"] == MANY
    assert service.wrong_accounts() == []
    receipts = [outcome.result().json() for outcome in outcomes]
    assert len({told["sha256"] for told in receipts}) == MANY
    # As if each had been sent after the answer to the one before.
    for number, told in enumerate(receipts):
        before = {earlier["incident"] for earlier in receipts[:number]}
        assert set(told["possible_duplicates"]) == before


@on_postgresql
def test_postgresql_is_left_to_share_its_own_commits(service: Service) -> None:
    all_are_in = threading.Barrier(MANY, timeout=30)

    def work(session: Session) -> int:
        session.execute(sa.text("SELECT 1"))
        all_are_in.wait()
        return id(session.connection())

    with commits_counted(service.database) as seen:
        transactions = at_once([partial(service.database.write, work, shared=True)] * MANY)
    assert len(set(transactions)) == len(seen) == MANY


@on_sqlite
def test_what_is_refused_is_refused_alone(service: Service) -> None:
    jobs = [
        posting(service, id=KNOWN),
        posting(service, id=KNOWN, summary="another report"),
        posting(service, incident=new_id()),
        posting(service, id=KNOWN),
        posting(service),
    ]
    with waiting(service.database, jobs) as outcomes:
        pass
    assert [outcome.result().status_code for outcome in outcomes] == [201, 409, 422, 201, 201]
    assert outcomes[3].result().headers["Idempotency-Replayed"] == "true"
    assert service.state()["rows"]["reports"] == 2
    assert service.wrong_accounts() == []


@dataclass(frozen=True)
class Writing:
    """Writes entries under these ids, one after the other, and then perhaps gives up."""

    ids: tuple[str, ...]
    gives_up: bool

    def __call__(self, session: Session) -> set[str]:
        """What stands there afterwards."""
        for each in self.ids:
            session.execute(
                sa.insert(tables.Reference), {"kind": "x", "id": each, "position": 0, "content": {}}
            )
        if self.gives_up:
            raise LookupError(self.ids)
        return stored(session)


def stored(session: Session) -> set[str]:
    row = tables.Reference
    return set(session.scalars(sa.select(row.id).where(row.kind == "x")))


def one_by_one(works: Sequence[Writing]) -> Iterator[set[str] | type[Exception]]:
    """What comes of works where each has the database to itself."""
    there: set[str] = set()
    for work in works:
        taken = [*work.ids, *there]
        if len(set(taken)) < len(taken):
            yield IntegrityError
        elif work.gives_up:
            yield LookupError
        else:
            there = {*there, *work.ids}
            yield there


works = st.lists(
    st.builds(Writing, st.lists(st.sampled_from("abcdef"), max_size=3).map(tuple), st.booleans()),
    min_size=1,
    max_size=6,
)


@on_sqlite
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(works=works)
def test_a_group_ends_as_its_works_would_one_by_one(service: Service, works: list[Writing]) -> None:
    database = service.database
    database.write(lambda s: s.execute(sa.delete(tables.Reference).filter_by(kind="x")))
    with commits_counted(database) as seen:
        jobs = [partial(database.write, work, shared=True) for work in works]
        with waiting(database, jobs) as outcomes:
            pass
        found = [type(o.exception()) if o.exception() else o.result() for o in outcomes]
    expected = [*one_by_one(works)]
    assert found == expected
    assert len(seen) == 1
    left = [there for there in expected if isinstance(there, set)]
    with database.reading() as session:
        assert stored(session) == (left[-1] if left else set())


@on_sqlite
def test_who_takes_the_transaction_down_takes_nobody_along(service: Service) -> None:
    def bring_down(session: Session) -> None:
        # As the database does by itself when the disk is full.
        session.connection().exec_driver_sql("ROLLBACK")
        raise LookupError

    works: list[Work] = [Writing(("a",), False), bring_down, Writing(("b",), False)]
    jobs = [partial(service.database.write, work, shared=True) for work in works]
    with waiting(service.database, jobs) as outcomes:
        pass
    assert outcomes[0].result() == {"a"}
    assert isinstance(outcomes[1].exception(), LookupError)
    assert outcomes[2].result() == {"a", "b"}
    with service.database.reading() as session:
        assert stored(session) == {"a", "b"}


def full(_: Any) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


@on_sqlite
def test_a_commit_that_fails_fails_for_the_whole_group(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, commit = service.state(), service.database.engine.dialect.do_commit
    jobs = [*(posting(service, id=KNOWN) for _ in range(2)), posting(service, incident=new_id())]
    jobs += [posting(service, id=KNOWN, summary="another"), posting(service)]
    with waiting(service.database, jobs) as outcomes:
        monkeypatch.setattr(service.database.engine.dialect, "do_commit", full)
    # Not even a conflict, since the other report was not recorded either.
    assert statuses(outcomes) == {503: len(jobs)}
    monkeypatch.setattr(service.database.engine.dialect, "do_commit", commit)
    assert service.state() == before
    assert posting(service)().status_code == 201


@on_sqlite
def test_nobody_is_answered_before_the_commit(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = service.database.engine.dialect
    commit = dialect.do_commit
    early: list[bool] = []
    with waiting(service.database, [posting(service) for _ in range(MANY)]) as outcomes:

        def look_and_commit(connection: Any) -> None:
            # Whoever was told too early has time to answer.
            time.sleep(0.2)
            early.extend(outcome.done() for outcome in outcomes)
            commit(connection)

        monkeypatch.setattr(dialect, "do_commit", look_and_commit)
    assert statuses(outcomes) == {201: MANY}
    assert early == [False] * MANY


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_fewer_syncs_than_reports_and_each_before_its_answers(
    databases: Databases, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg"
    strace = ("strace", "-f", "-y", "-s", "24", "-e", calls, "-o", str(trace))
    with databases.fresh("sqlite", "reference") as url:
        service = Service(url)
        headers = service.headers()
        service.close()
        with server(url, (*strace, *SERVE)) as running, running.client() as client:
            post = partial(client.post, "/v1/reports", json=REPORT, headers=headers)
            assert post().status_code == 201
            said = len(trace.read_text())
            other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with ThreadPoolExecutor(MANY) as threads:
                outcomes = [threads.submit(post) for _ in range(MANY)]
                # Long enough for most of them to have come to wait.
                time.sleep(1)
                other.execute("ROLLBACK")
            other.close()
            assert statuses(outcomes) == {201: MANY}
    dirty, syncs, answers = False, 0, 0
    for line in trace.read_text()[said:].splitlines():
        if re.search(r"pwrite64\(.*-wal>", line):
            dirty = True
        elif dirty and re.search(r"(fdatasync|fsync)(\(.*-wal>| resumed>)\) += 0", line):
            dirty = False
            syncs += 1
        elif "HTTP/1.1 201" in line:
            assert not dirty
            answers += 1
    assert answers == MANY
    assert 0 < syncs < MANY


def grouped(companions: Companions, count: int) -> list[list[int]]:
    """The groups that works end up in that wait while a first one is being done."""
    groups: list[list[int]] = []
    go_on = threading.Event()

    def lead(group: Group) -> None:
        assert go_on.wait(30)
        done: list[int] = []
        groups.append(done)
        for one in group.gather():
            one.attempt(lambda work: done.append(work()))

    with ThreadPoolExecutor(count) as threads:
        for number in range(count):
            threads.submit(companions.do, lambda n=number: n, lead, 30)  # type: ignore[misc]
            until(lambda n=number: len(companions) == n + 1)  # type: ignore[misc]
        go_on.set()
    return groups


def test_a_group_is_bounded_and_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_MOST", 3)
    assert grouped(Companions(), 8) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_group_does_not_go_on_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_SECONDS", 0)
    assert grouped(Companions(), 3) == [[0], [1], [2]]


def test_whoever_waits_too_long_is_told_so_and_nothing_comes_of_it() -> None:
    companions, go_on, done = Companions(), threading.Event(), []

    def lead(group: Group) -> None:
        assert go_on.wait(30)
        for one in group.gather():
            one.attempt(lambda work: work())

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(companions.do, lambda: done.append("first"), lead, 30)
        until(lambda: len(companions) == 1)
        with pytest.raises(Unavailable):
            companions.do(lambda: done.append("second"), lead, 0)
        go_on.set()
        first.result()
    companions.do(lambda: done.append("third"), lead, 0)
    assert done == ["first", "third"]


def test_where_the_one_who_leads_fails_nobody_believes_to_be_done() -> None:
    companions, go_on = Companions(), threading.Event()

    def lead(group: Group) -> None:
        assert go_on.wait(30)
        for one in group.gather():
            one.attempt(lambda work: work())
        raise SystemExit

    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(companions.do, lambda: True, lead, 30) for _ in range(2))
        until(lambda: len(companions) == 2)
        go_on.set()
        assert {type(first.exception()), type(second.exception())} == {SystemExit, Unavailable}
