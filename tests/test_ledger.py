"""The ledger over a running service: places, proofs, heads, and where they are published."""

import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from service.domain.ledger import (
    EMPTY_ROOT,
    Broken,
    extends,
    includes,
    leaf_hash,
    node_hash,
)
from service.errors import Invalid, Unavailable
from service.formats import checkpoint
from service.formats.checkpoint import Checkpoint, LogKey, new_key
from service.settings import Settings
from service.store import ledger as store
from service.store.database import Database
from service.store.journal import Author, Change, append
from service.store.tables import Head, Leaf, Node, Pending, Revision
from service.work import ledger
from service.work.background import Background
from service.work.publishing import (
    Clone,
    Folder,
    NotPublished,
    Publisher,
    Receiver,
    places,
    publish,
)
from tests.harness import NOW, Databases
from tests.processes import ROOT, application, at_once, command, server

NAME = "example.org/ledger"
KEY = LogKey.read(new_key(), NAME)
HOUR = timedelta(hours=1)
AUTHOR = Author("a monitor", NOW)


@pytest.fixture
def url(databases: Databases, backend: str) -> Iterator[str]:
    with databases.fresh(backend, "nothing") as fresh:
        yield fresh


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def record(database: Database, count: int, subject: str = "subject") -> list[str]:
    """Accept so many changes; their hashes."""

    def work(session: Session) -> list[str]:
        at = (
            session.scalar(
                sa.select(sa.func.max(Revision.revision)).where(Revision.subject == subject)
            )
            or 0
        )
        changes = [
            Change("tally", subject, at + number, {"received_at": "2022-10-01", "n": number})
            for number in range(1, count + 1)
        ]
        return append(session, changes, AUTHOR)

    return database.write(work)


def defined_root(leaves: list[bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    power = 1
    while power * 2 < len(leaves):
        power *= 2
    return node_hash(defined_root(leaves[:power]), defined_root(leaves[power:]))


def leaves_of(database: Database) -> list[bytes]:
    with database.reading() as session:
        rows = session.execute(
            sa.select(Leaf.position, Leaf.hash, Revision.entry)
            .join(Revision, Revision.sequence == Leaf.sequence)
            .order_by(Leaf.position)
        ).all()
    assert [row.position for row in rows] == list(range(len(rows)))
    assert all(leaf_hash(row.entry.encode()).hex() == row.hash for row in rows)
    return [bytes.fromhex(row.hash) for row in rows]


def what_is_broken(database: Database, *verifiers: str) -> list[str]:
    with database.reading() as session:
        return list(ledger.broken(session, verifiers))


def sign(database: Database, at: datetime = NOW) -> Head:
    ledger.catch_up(database)
    head = database.write(lambda session: ledger.sign(session, KEY, at))
    assert head is not None
    return head


# Places in the tree.


def test_every_change_gets_the_next_place_whatever_the_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_BATCH", 3)
    accepted: list[str] = []
    for count in (0, 1, 2, 3, 10, 7, 1):
        accepted += record(database, count)
        assert ledger.catch_up(database) == count
        assert ledger.catch_up(database) == 0
        leaves = leaves_of(database)
        assert [leaf.hex() for leaf in leaves] == accepted
        with database.reading() as session:
            tree = ledger.head(session)
            assert session.scalar(sa.select(sa.func.count()).select_from(Pending)) == 0
        assert (tree.size, tree.root) == (len(leaves), defined_root(leaves))
        assert what_is_broken(database) == []


def test_proofs_come_from_the_kept_subtrees(database: Database) -> None:
    record(database, 23)
    ledger.catch_up(database)
    leaves = leaves_of(database)
    roots = [defined_root(leaves[:size]) for size in range(24)]
    with database.reading() as session:
        for size in range(1, 24):
            assert ledger.root(session, size) == roots[size]
            for position in range(size):
                proof = ledger.inclusion(session, position, size)
                assert includes(leaves[position], position, size, proof, roots[size])
            for first in range(1, size + 1):
                proof = ledger.consistency(session, first, size)
                assert extends(first, size, roots[first], roots[size], proof)
        for position, leaf in enumerate(leaves):
            assert ledger.position_of(session, leaf.hex()) == position
        assert ledger.position_of(session, "0" * 64) is None


def statements(database: Database, work: Callable[[], object]) -> int:
    """How many SELECTs it takes."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    return sum(statement.lstrip().upper().startswith("SELECT") for statement in seen)


def test_a_proof_and_a_batch_take_the_same_few_questions_in_a_large_tree(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, 1500)
    ledger.catch_up(database)
    with database.reading() as session:
        assert statements(database, lambda: ledger.inclusion(session, 777, 1500)) <= 2
        assert statements(database, lambda: ledger.consistency(session, 777, 1500)) <= 2
        assert statements(database, lambda: ledger.root(session, 1500)) <= 2
    record(database, 1)
    assert statements(database, lambda: ledger.catch_up(database)) <= 8
    with database.reading() as session:
        nodes = session.scalar(sa.select(sa.func.count()).select_from(Node))
    assert nodes == sum(1501 >> level for level in range(1, 11))


def test_no_question_reads_all_leaves_on_sqlite(databases: Databases) -> None:
    with databases.fresh("sqlite", "nothing") as url:
        database = Database(url)
        record(database, 40)
        ledger.catch_up(database)
        asked: list[tuple[str, Any]] = []
        sa.event.listen(
            database.engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, parameters, *_: asked.append((statement, parameters)),
        )
        record(database, 3)
        asked.clear()
        ledger.catch_up(database)
        with database.reading() as session:
            ledger.inclusion(session, 5, 43)
            ledger.consistency(session, 5, 43)
        selects = [each for each in asked if each[0].lstrip().upper().startswith("SELECT")]
        assert len(selects) >= 6
        with database.engine.connect() as connection:
            for statement, parameters in selects:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                for row in plan.all():
                    assert "SCAN leaves" not in row.detail, (statement, row.detail)
                    assert "SCAN nodes" not in row.detail, (statement, row.detail)
                    assert "SCAN revisions" not in row.detail, (statement, row.detail)
        database.close()


def test_many_sequencers_and_writers_at_once_make_one_tree(url: str) -> None:
    databases = [Database(url) for _ in range(4)]

    def write(number: int) -> None:
        for _ in range(6):
            record(databases[number % 4], 2, f"subject {number}")
            ledger.catch_up(databases[number % 4])

    at_once([partial(write, number) for number in range(8)])
    at_once([partial(ledger.catch_up, each) for each in databases])
    assert len(leaves_of(databases[0])) == 8 * 6 * 2
    assert what_is_broken(databases[0]) == []
    for each in databases:
        each.close()


def test_where_the_database_takes_no_writes_what_is_there_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, 2)
    ledger.catch_up(database)
    record(database, 1)

    def refuse(_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(database, "write", refuse)
    assert ledger.catch_up(database) == 0
    with database.reading() as session:
        assert ledger.head(session).size == 2


def test_a_tree_with_a_hole_is_not_built_upon(database: Database) -> None:
    record(database, 4)
    ledger.catch_up(database)
    database.write(lambda session: session.execute(sa.delete(Node).where(Node.level == 2)))
    record(database, 1)
    with pytest.raises(Broken, match="nodes 2/0: is missing"):
        ledger.catch_up(database)
    assert what_is_broken(database)[0] == "nodes 2/0: is missing"


# Heads.


def test_a_head_is_signed_once_for_each_size(database: Database) -> None:
    assert database.write(lambda session: ledger.sign(session, KEY, NOW)) is None
    record(database, 3)
    first = sign(database, NOW.replace(microsecond=5))
    assert first.signed_at == NOW
    again = sign(database, NOW + HOUR)
    assert (again.size, again.checkpoint) == (3, first.checkpoint)
    told = checkpoint.verify(first.checkpoint, KEY.verifier)
    assert told == Checkpoint(NAME, 3, defined_root(leaves_of(database)), NOW)
    record(database, 1)
    assert sign(database, NOW + HOUR).size == 4
    assert what_is_broken(database, KEY.verifier) == []
    with database.reading() as session:
        assert [head.size for head in store.heads_below(session, None, 10)] == [4, 3]


def test_nothing_is_signed_that_contradicts_the_last_head(database: Database) -> None:
    record(database, 3)
    sign(database)
    database.write(
        lambda session: session.execute(
            sa.update(Leaf).where(Leaf.position == 2).values(hash="ab" * 32)
        )
    )
    record(database, 1)
    with pytest.raises(Broken, match="the first 3 leaves are not those of the last head"):
        sign(database)
    database.write(lambda session: session.execute(sa.delete(Leaf).where(Leaf.position >= 2)))
    with pytest.raises(Broken, match="the last head has 3 leaves, the ledger only 2"):
        database.write(lambda session: ledger.sign(session, KEY, NOW))


def test_heads_are_signed_by_the_clock_and_only_when_the_tree_has_grown(
    database: Database,
) -> None:
    now = NOW

    def keep() -> int:
        ledger.catch_up(database)
        ledger.keep_signed(database, KEY, HOUR.total_seconds(), lambda: now)
        with database.reading() as session:
            return len(store.heads_below(session, None, 100))

    assert keep() == 0
    record(database, 1)
    assert keep() == 1
    record(database, 1)
    assert keep() == 1
    now += HOUR
    assert keep() == 2
    now += HOUR
    assert keep() == 2


# The note, against the example that Go publishes with its package sumdb/note.

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_NOTE = (
    f"{PETER_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_is_signed_byte_for_byte_as_others_do() -> None:
    key = LogKey("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
    assert key.verifier == PETER
    assert key.note(PETER_TEXT) == PETER_NOTE
    for at in range(len(PETER)):
        with pytest.raises(Invalid):
            checkpoint.read_verifier(PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :])
        with pytest.raises(Invalid):
            checkpoint.read_verifier(PETER[:at])


def test_a_checkpoint_is_read_as_it_was_written_and_any_change_is_seen() -> None:
    note = KEY.sign(5, bytes(range(32)), NOW + timedelta(microseconds=7))
    assert note.startswith(
        f"{NAME}\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n2022-10-01T12"
    )
    assert checkpoint.verify(note, KEY.verifier) == Checkpoint(NAME, 5, bytes(range(32)), NOW)
    for at in range(len(note)):
        for other in {"x", "\n", " ", "=", "0"} - {note[at]}:
            with pytest.raises(Invalid):
                checkpoint.verify(note[:at] + other + note[at + 1 :], KEY.verifier)
    stranger = LogKey.read(new_key(), NAME)
    with pytest.raises(Invalid, match="not signed by this key"):
        checkpoint.verify(note, stranger.verifier)
    cosigned = note + PETER_NOTE.partition("\n\n")[2]
    assert checkpoint.verify(cosigned, KEY.verifier).size == 5


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "a\n5\n", "a\n05\nAAAA\n", "a\n5\nAAAA\n", "a\n-1\nx\n", "a\n5\n\nx\n"),
        "\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "a\n٥\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_even_when_it_is_signed(text: str) -> None:
    with pytest.raises(Invalid):
        checkpoint.parse(KEY.note(text))


def test_only_an_ed25519_key_signs(tmp_path: Path) -> None:
    assert LogKey.load(tmp_path / "none", NAME) is None
    for content in (b"", b"rubbish", new_key()[:60], new_key().replace(b"PRIVATE", b"PUBLIC")):
        with pytest.raises(Invalid, match="Ed25519"):
            LogKey.read(content, NAME)


# Over HTTP.


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "ledger-key"
    file.write_bytes(new_key())
    return file


@pytest.fixture
def client(url: str, key_file: Path) -> Iterator[TestClient]:
    with application(
        url,
        ledger_key_file=key_file,
        ledger_name=NAME,
        ledger_interval_seconds=0,
        limit_anonymous="off",
    ) as running:
        yield running


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/v1/ledger/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def steps(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in proof]


def test_what_was_just_accepted_is_proved_at_once(client: TestClient, database: Database) -> None:
    [*_, sha256] = record(database, 5)
    told = get(client, "inclusion", leaf=sha256)
    assert (told["position"], told["size"]) == (4, 5)
    root = bytes.fromhex(told["root"])
    assert root == defined_root(leaves_of(database))
    assert includes(bytes.fromhex(sha256), 4, 5, steps(told["proof"]), root)
    record(database, 6)
    both = get(client, "consistency", first=5)
    assert (both["first"], both["second"]) == (5, 11)
    assert bytes.fromhex(both["first_root"]) == root
    assert extends(5, 11, root, bytes.fromhex(both["second_root"]), steps(both["proof"]))
    earlier = get(client, "inclusion", leaf=sha256, size=7)
    assert includes(
        bytes.fromhex(sha256), 4, 7, steps(earlier["proof"]), bytes.fromhex(earlier["root"])
    )


def test_signed_heads_are_given_out(client: TestClient, database: Database, key_file: Path) -> None:
    for path in ("checkpoint", "head"):
        assert client.get(f"/v1/ledger/{path}").status_code == 404
    assert get(client, "heads") == {"items": [], "next": None}
    key = LogKey.read(key_file.read_bytes(), NAME)
    for number in range(1, 6):
        record(database, number)
        ledger.catch_up(database)
        database.write(lambda session: ledger.sign(session, key, NOW))
    newest = get(client, "head")
    assert newest["size"] == 15
    assert newest["verifier_key"] == key.verifier
    answer = client.get("/v1/ledger/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == newest["checkpoint"]
    told = checkpoint.verify(answer.content.decode(), key.verifier)
    assert (told.size, told.root.hex(), told.signed_at) == (15, newest["root"], NOW)
    first = get(client, "heads", limit=2)
    assert [head["size"] for head in first["items"]] == [15, 10]
    rest = get(client, "heads", limit=3, cursor=first["next"])
    assert [head["size"] for head in rest["items"]] == [6, 3, 1]
    assert rest["next"] is None


def test_without_a_key_nothing_is_signed(url: str, tmp_path: Path) -> None:
    with application(url, ledger_key_file=tmp_path / "none", ledger_interval_seconds=0) as client:
        for path in ("checkpoint", "head", "heads"):
            answer = client.get(f"/v1/ledger/{path}")
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("inclusion", 422),
        ("inclusion?leaf=", 422),
        ("inclusion?leaf=" + "0" * 63, 422),
        ("inclusion?leaf=" + "G" * 64, 422),
        ("inclusion?leaf=" + "0" * 64, 404),
        ("inclusion?leaf=LEAF&size=0", 422),
        ("inclusion?leaf=LEAF&size=-1", 422),
        ("inclusion?leaf=LEAF&size=1.5", 422),
        ("inclusion?leaf=LEAF&size=4", 422),
        ("inclusion?leaf=LEAF&size=2", 404),
        ("inclusion?leaf=LEAF&size=99999999999999999999999", 422),
        ("inclusion?leaf=LEAF&size=999999999999999999", 422),
        ("inclusion?leaf=LEAF&leaf=LEAF", 422),
        ("inclusion?leaf=LEAF&more=1", 422),
        ("consistency", 422),
        ("consistency?first=0", 422),
        ("consistency?first=-1", 422),
        ("consistency?first=2&second=1", 422),
        ("consistency?first=4", 422),
        ("consistency?first=1&second=4", 422),
        ("consistency?first=1&second=1e9", 422),
        ("consistency?first=%D9%A1", 422),
        ("heads?limit=0", 422),
        ("heads?cursor=x", 422),
        ("heads?limit=100000", 422),
        ("inclusion?leaf=LEAF&size=3", 200),
        ("consistency?first=3&second=3", 200),
    ],
)
def test_nonsense_is_refused_with_a_problem(
    client: TestClient, database: Database, query: str, status: int
) -> None:
    [*_, leaf] = record(database, 3)
    answer = client.get(f"/v1/ledger/{query.replace('LEAF', leaf)}")
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_empty_ledger_has_nothing_to_prove(client: TestClient) -> None:
    assert client.get("/v1/ledger/inclusion", params={"leaf": "0" * 64}).status_code == 404
    assert client.get("/v1/ledger/consistency", params={"first": 1}).status_code == 422


# In the background.


def test_the_background_sequences_signs_and_publishes(
    url: str, database: Database, key_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "heads"
    folder.mkdir()
    record(database, 3)
    with application(
        url,
        ledger_key_file=key_file,
        ledger_name=NAME,
        ledger_interval_seconds=0.02,
        publish_heads=f"file:{folder}",
    ):
        wait_for((folder / "latest.txt").exists)
    key = LogKey.read(key_file.read_bytes(), NAME)
    assert checkpoint.verify((folder / "3.txt").read_text(), key.verifier).size == 3
    assert what_is_broken(database, key.verifier) == []


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_that_fails_is_tried_again_and_holds_nobody_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise RuntimeError("on purpose")

    with Background([fail, lambda: done.append("other")], 0.01):
        wait_for(lambda: len(done) >= 6)
    assert done[:4] == ["failed", "other", "failed", "other"]
    assert "tried again" in caplog.text
    settled = len(done)
    time.sleep(0.05)
    assert len(done) == settled


def test_the_background_ends_at_once_and_without_an_interval_does_not_begin() -> None:
    ran = threading.Event()
    with Background([ran.set], 3600):
        assert ran.wait(5)
        started = time.monotonic()
    assert time.monotonic() - started < 1
    before = threading.active_count()
    with Background([ran.set], 0):
        assert threading.active_count() == before


# Published outside.


def rewrite(database: Database) -> None:
    """What whoever runs the service could do: another record, with a tree of its own."""

    def work(session: Session) -> None:
        for table in (Head, Node, Leaf, Pending):
            session.execute(sa.delete(table))
        sequences = session.scalars(sa.select(Revision.sequence)).all()
        session.execute(sa.insert(Pending), [{"sequence": each} for each in sequences])
        entry = session.scalars(
            sa.select(Revision.entry).order_by(Revision.sequence).limit(1)
        ).one()
        session.execute(
            sa.update(Revision)
            .where(Revision.entry == entry)
            .values(entry=entry + " ", sha256=leaf_hash(entry.encode() + b" ").hex())
        )

    database.write(work)


def git(*arguments: str, folder: Path) -> str:
    return subprocess.run(
        [shutil.which("git") or "git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    ).stdout.strip()


@pytest.fixture(params=["file", "git"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Folder | Clone:
    folder = tmp_path / "published"
    folder.mkdir()
    if request.param == "git":
        git("init", "--quiet", "--initial-branch=main", folder=folder)
    [found] = places(f"{request.param}:{folder}")
    assert isinstance(found, Folder | Clone)
    return found


def test_each_head_is_published_and_the_newest_once_more(
    database: Database, place: Folder | Clone
) -> None:
    assert publish(database, place, NAME) is None
    record(database, 2)
    first = sign(database)
    publish(database, place, NAME)
    record(database, 3)
    second = sign(database, NOW + HOUR)
    for _ in range(2):
        publish(database, place, NAME)
    assert (place.path / "2.txt").read_text() == first.checkpoint
    for name in ("5.txt", "latest.txt"):
        assert (place.path / name).read_text() == second.checkpoint
    names = {"2.txt", "5.txt", "latest.txt"}
    assert {file.name for file in place.path.iterdir()} - {".git"} == names
    if isinstance(place, Clone):
        assert git("status", "--porcelain", folder=place.path) == ""
        log = git("log", "--format=%an %s", folder=place.path).splitlines()
        assert log == [f"ceasefire-incident-tracker Tree head of {size} leaves" for size in (5, 2)]


@pytest.mark.parametrize("kept", ["2.txt", "latest.txt"])
def test_a_rewritten_record_is_not_published(
    database: Database, place: Folder | Clone, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    record(database, 2)
    sign(database)
    publish(database, place, NAME)
    for name in {"2.txt", "latest.txt"} - {kept}:
        (place.path / name).unlink()
    rewrite(database)
    record(database, 1)
    sign(database)
    with pytest.raises(Broken, match=f"the first 2 leaves are not those of .*{kept}"):
        publish(database, place, NAME)
    Publisher([place], NAME).publish(database)
    assert f"{kept}" in caplog.text
    assert not (place.path / "3.txt").exists()


def test_a_record_that_lost_changes_is_not_published(
    database: Database, place: Folder | Clone
) -> None:
    record(database, 2)
    sign(database)
    (place.path / "9.txt").write_text(KEY.sign(9, bytes(32), NOW))
    with pytest.raises(Broken, match=r"9\.txt has 9 leaves, the ledger only 2"):
        publish(database, place, NAME)


def test_what_stands_there_and_is_not_ours_is_not_written_over(
    database: Database, place: Folder | Clone
) -> None:
    record(database, 2)
    head = sign(database)
    for content in ("", "rubbish", LogKey.read(new_key(), "another").sign(2, bytes(32), NOW)):
        (place.path / "latest.txt").write_text(content)
        with pytest.raises(Broken, match=r"latest\.txt is"):
            publish(database, place, NAME)
    (place.path / "latest.txt").write_text(head.checkpoint)
    assert publish(database, place, NAME) is not None


def test_a_clone_with_a_remote_is_pushed_and_a_push_that_failed_is_made_up_for(
    database: Database, tmp_path: Path
) -> None:
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote), folder=tmp_path)
    git("clone", "--quiet", str(remote), str(clone), folder=tmp_path)
    git("symbolic-ref", "HEAD", "refs/heads/main", folder=clone)
    place = Clone(clone)
    record(database, 2)
    sign(database)
    away = remote.rename(tmp_path / "away.git")
    with pytest.raises(NotPublished, match="git push failed"):
        publish(database, place, NAME)
    away.rename(remote)
    publish(database, place, NAME)
    assert "2.txt" in git("show", "--stat", "main", folder=remote)


def test_places_that_cannot_be_written_are_named(database: Database, tmp_path: Path) -> None:
    record(database, 2)
    sign(database)
    for place in (Folder(tmp_path / "none"), Clone(tmp_path), Clone(tmp_path / "none")):
        with pytest.raises(NotPublished, match=str(tmp_path)):
            publish(database, place, NAME)


def test_a_setting_that_names_no_place_is_refused() -> None:
    assert places("") == ()
    assert places("file:/a  git:/b\nhttps://example.org/x?token=1") == (
        Folder(Path("/a")),
        Clone(Path("/b")),
        Receiver("https://example.org/x?token=1"),
    )
    for wrong in ("file:a", "git:", "ftp://example.org", "https://", "/folder", "https:/x"):
        with pytest.raises(Invalid):
            places(wrong)


class Listener(HTTPServer):
    """Takes what is posted, or misbehaves."""

    def __init__(self, status: int = 204, *, delay: float = 0) -> None:
        self.taken: list[tuple[str, str, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                outer.taken.append((self.path, self.headers["Content-Type"], content))
                deadline = time.monotonic() + delay
                try:
                    # A header that never ends, one byte at a time.
                    while time.monotonic() < deadline:
                        self.wfile.write(b"H")
                        time.sleep(0.05)
                    self.send_response(status)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/take?token=secret"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def test_a_receiver_gets_each_head_once(database: Database) -> None:
    with Listener() as receiver:
        publisher = Publisher(places(receiver.url), NAME)
        publisher.publish(database)
        assert receiver.taken == []
        record(database, 2)
        head = sign(database)
        for _ in range(3):
            publisher.publish(database)
        assert receiver.taken == [
            ("/take?token=secret", "text/plain; charset=utf-8", head.checkpoint.encode())
        ]


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_receiver_that_refuses_is_asked_again_later_and_its_secret_kept(
    database: Database,
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record(database, 2)
    sign(database)
    with Listener(status) as receiver:
        publisher = Publisher(places(receiver.url), NAME)
        for _ in range(3):
            publisher.publish(database)
        assert len(receiver.taken) == 1
        assert f"answered {status}" in caplog.text
        assert "secret" not in caplog.text
        monkeypatch.setattr("service.work.publishing._AGAIN_AFTER_SECONDS", 0)
        again = Publisher(places(receiver.url), NAME)
        for _ in range(3):
            again.publish(database)
        assert len(receiver.taken) == 4


def test_a_receiver_that_dawdles_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.work.publishing._DEADLINE_SECONDS", 0.3)
    record(database, 2)
    sign(database)
    with Listener(delay=5) as receiver:
        started = time.monotonic()
        with pytest.raises(NotPublished):
            publish(database, Receiver(receiver.url), NAME)
        assert time.monotonic() - started < 2


# The command line.


@pytest.fixture
def operator(url: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    return partial(
        command,
        url=url,
        CEASEFIRE_LEDGER_KEY_FILE=str(tmp_path / "keys" / "ledger-key"),
        CEASEFIRE_LEDGER_NAME=NAME,
        CEASEFIRE_PUBLISH_HEADS=f"file:{tmp_path}",
    )


def test_an_operator_makes_a_key_signs_publishes_and_exports(
    operator: Callable[..., subprocess.CompletedProcess[str]], database: Database, tmp_path: Path
) -> None:
    assert operator("ledger", "key").returncode == 1
    assert operator("ledger", "head").returncode == 1
    made = operator("ledger", "key", "--if-none")
    verifier = made.stdout.strip()
    assert checkpoint.read_verifier(verifier)[0] == NAME
    assert operator("ledger", "key", "--if-none").stdout == made.stdout
    file = tmp_path / "keys" / "ledger-key"
    assert file.stat().st_mode & 0o777 == 0o600
    empty = operator("ledger", "head")
    assert (empty.returncode, empty.stderr) == (1, "ceasefire: The ledger is empty.\n")
    hashes = record(database, 3)
    signed = operator("ledger", "head")
    assert checkpoint.verify(signed.stdout, verifier).size == 3
    published = operator("ledger", "publish")
    assert published.returncode == 0, published.stderr
    assert (tmp_path / "latest.txt").read_text() == signed.stdout
    lines = [json.loads(line) for line in operator("ledger", "export").stdout.splitlines()]
    assert lines == [{"position": at, "sha256": hashes[at]} for at in range(3)]
    exported = operator("ledger", "export", "--whole")
    assert exported.returncode == 0, exported.stderr
    whole = exported.stdout
    assert [leaf_hash(json.loads(line)["entry"].encode()).hex() for line in whole.splitlines()] == (
        hashes
    )
    rewrite(database)
    refused = operator("ledger", "publish")
    assert refused.returncode == 1
    assert "the first 3 leaves are not those of" in refused.stderr


# Everything that can be wrong in the tables.


def fill(database: Database) -> None:
    """12 revisions of two subjects, heads of 7 and 11 of them, and one that waits."""
    record(database, 5, "one")
    record(database, 2, "two")
    sign(database)
    record(database, 4, "one")
    sign(database, NOW + HOUR)
    record(database, 1, "two")


@contextmanager
def filled(databases: Databases, backend: str = "sqlite") -> Iterator[Database]:
    with databases.fresh(backend, "nothing") as url:
        database = Database(url, foreign_keys=False)
        fill(database)
        yield database
        database.close()


@pytest.fixture
def sound(databases: Databases) -> Iterator[Database]:
    with filled(databases) as database:
        yield database


# A private value whose salt has swallowed its first byte: together they are what they were.
SALT, TEXT = (f"""private ->> '$."content.received_at"[{part}]'""" for part in (0, 1))
LONGER_SALT = f"""
UPDATE revisions SET private = json_set(
    private,
    '$."content.received_at"[0]', ({SALT}) || lower(hex(substr({TEXT}, 1, 1))),
    '$."content.received_at"[1]', substr({TEXT}, 2)
) WHERE sequence = 4
"""
DAMAGE = {
    "UPDATE revisions SET entry = entry || ' ' WHERE sequence = 4": "revisions 4: sha256",
    "UPDATE revisions SET entry = 'rubbish' WHERE sequence = 4": "revisions 4: sha256",
    "UPDATE revisions SET entry = NULL WHERE sequence = 4": "revisions 4: sha256",
    "UPDATE revisions SET entry = 7 WHERE sequence = 4": "revisions 4: sha256",
    "UPDATE revisions SET entry = x'00ff' WHERE sequence = 4": "revisions 4: sha256",
    "UPDATE revisions SET sha256 = lower(hex(zeroblob(32))) WHERE sequence = 4": "revisions 4: sha",
    "UPDATE revisions SET kind = 'coverage' WHERE sequence = 4": "revisions 4: ",
    "UPDATE revisions SET subject = 'three' WHERE sequence = 5": "revisions 5: ",
    "UPDATE revisions SET revision = 99 WHERE sequence = 4": "revisions 4: revision",
    "UPDATE revisions SET recorded_at = '2022-10-01 12:00:01' WHERE sequence = 4": (
        "revisions 4: recorded_at"
    ),
    "UPDATE revisions SET recorded_at = 'never' WHERE sequence = 4": "revisions 4: recorded_at",
    "UPDATE revisions SET recorded_at = 7 WHERE sequence = 4": "revisions 4: recorded_at",
    "UPDATE revisions SET actor = 'somebody else' WHERE sequence = 4": "revisions 4: actor",
    "UPDATE revisions SET actor = 'erased' WHERE sequence = 4": "revisions 4: actor",
    "UPDATE revisions SET private = replace(private, 'monitor', 'monitos') WHERE sequence = 4": (
        "revisions 4: private actor"
    ),
    "UPDATE revisions SET private = 'rubbish' WHERE sequence = 4": "revisions 4: private",
    "UPDATE revisions SET private = '[]' WHERE sequence = 4": "revisions 4: private",
    'UPDATE revisions SET private = \'{"x": ["00", "1"]}\' WHERE sequence = 4': (
        "revisions 4: private x"
    ),
    "UPDATE revisions SET private = '{\"actor\": 5}' WHERE sequence = 4": "revisions 4: private",
    LONGER_SALT: "revisions 4: private content.received_at",
    "DELETE FROM revisions WHERE sequence = 4": "revisions 5: revision",
    "DELETE FROM revisions WHERE sequence = 11": "leaves 10: there is no revision 11",
    "DELETE FROM revisions WHERE sequence = 12": "pending 12: there is no such revision",
    "DELETE FROM leaves WHERE position = 3": "leaves 3: is missing",
    "DELETE FROM leaves WHERE position = 10": "heads 11: the ledger has only 10 leaves",
    "DELETE FROM leaves": "heads 7: the ledger has only 0 leaves",
    "UPDATE leaves SET position = 50 WHERE position = 3": "leaves 3: is missing",
    "UPDATE leaves SET hash = lower(hex(zeroblob(32))) WHERE position = 3": "leaves 3: hash",
    "UPDATE leaves SET hash = 'rubbish' WHERE position = 3": "leaves 3: hash",
    "UPDATE leaves SET sequence = 99 WHERE position = 3": "leaves 3: there is no revision 99",
    "UPDATE leaves SET hash = upper(hash) WHERE position = 3": "leaves 3: hash",
    "UPDATE nodes SET hash = lower(hex(zeroblob(32))) WHERE level = 2 AND position = 1": (
        "nodes 2/1: hash"
    ),
    "DELETE FROM nodes WHERE level = 1 AND position = 2": "nodes 1/2: is missing",
    "UPDATE nodes SET position = 77 WHERE level = 1 AND position = 2": "nodes 1/2: is missing",
    "INSERT INTO nodes VALUES (9, 0, 'x')": "nodes 9/0: there is no such subtree",
    "INSERT INTO nodes VALUES (0, 0, 'x')": "nodes 0/0: there is no such subtree",
    "DELETE FROM pending": "revisions 12: is neither",
    "INSERT INTO pending VALUES (3)": "pending 3: is in the ledger already",
    "INSERT INTO pending VALUES (99)": "pending 99: there is no such revision",
    "UPDATE heads SET root = lower(hex(zeroblob(32))) WHERE size = 7": "heads 7: root",
    "UPDATE heads SET size = 8 WHERE size = 7": "heads 8: root",
    "UPDATE heads SET size = 80 WHERE size = 7": "heads 80: the ledger has only 11 leaves",
    "UPDATE heads SET signed_at = '2022-10-01 12:00:01' WHERE size = 7": "heads 7: checkpoint",
    "UPDATE heads SET signed_at = 'never' WHERE size = 7": "heads 7: checkpoint",
    "UPDATE heads SET checkpoint = 'rubbish' WHERE size = 7": "heads 7: checkpoint",
    "UPDATE heads SET checkpoint = NULL WHERE size = 7": "heads 7: checkpoint",
    "UPDATE heads SET checkpoint = replace(checkpoint, 'example.org', 'example.com')": (
        "heads 7: checkpoint is not signed"
    ),
    "UPDATE heads SET checkpoint = (SELECT checkpoint FROM heads WHERE size = 11)": (
        "heads 7: checkpoint does not say"
    ),
}


def damage(database: Database, statement: str) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        # The worst case: a table that holds back nothing.
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'"
        )
        connection.commit()
    database.engine.dispose()
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0
        connection.commit()


@pytest.mark.parametrize("statement", DAMAGE)
def test_whatever_is_damaged_is_named(sound: Database, statement: str) -> None:
    assert what_is_broken(sound, KEY.verifier) == []
    damage(sound, statement)
    [first, *_] = what_is_broken(sound, KEY.verifier)
    assert first.startswith(DAMAGE[statement]), first


def test_what_was_erased_leaves_the_ledger_whole(sound: Database) -> None:
    def erase(session: Session) -> None:
        row = session.get_one(Revision, 4)
        name = f"{row.kind}/{row.subject}/{row.revision}"
        erased = {name: sorted(json.loads(row.private))}
        row.private, row.actor = "{}", "erased"
        append(session, [Change("erasure", "e", 1, {"erased": erased})], Author("x", NOW))

    sound.write(erase)
    assert what_is_broken(sound, KEY.verifier) == []


def test_the_settings_of_the_ledger_are_checked() -> None:
    for wrong in ("", "two words", "a+b", "línea", "x" * 101):
        with pytest.raises(ValueError, match="ledger_name"):
            Settings(ledger_name=wrong)
    assert Settings().ledger_name == "ceasefire-incident-tracker"
    assert "secret" not in repr(Settings(publish_heads="https://example.org/?secret"))


def steps_of_the_document() -> str:
    """Everything that an outsider is told to type, for one shell."""
    document = (ROOT / "docs" / "ledger.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", document, re.DOTALL)
    assert len(blocks) == 5
    return "".join(blocks)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_an_outsider_who_follows_the_document_verifies_the_record(
    databases: Databases, key_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    with databases.fresh("sqlite", "seeds") as url:
        settings = {
            "CEASEFIRE_LEDGER_KEY_FILE": str(key_file),
            "CEASEFIRE_LEDGER_INTERVAL_SECONDS": "0.1",
        }
        with server(url, **settings) as running, running.client() as client:
            wait_for(lambda: client.get("/v1/ledger/head").status_code == 200)
            file = url.removeprefix("sqlite:///")
            with sqlite3.connect(file) as connection:
                connection.execute("VACUUM INTO ?", [str(tmp_path / "backup.db")])
            connection.close()
            done = subprocess.run(
                ["/bin/sh", "-e"],
                check=False,
                input=steps_of_the_document().replace("http://127.0.0.1:8000", running.base_url),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
            )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("verified: ") == 2
    assert '"proof":["' in done.stdout
