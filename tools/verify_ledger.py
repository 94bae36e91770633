#!/usr/bin/env python3
"""Check a Ceasefire Incident Tracker's record against itself and against heads held elsewhere.

    python verify_ledger.py --database ceasefire.db [--checkpoint FILE ...] [--key KEY ...]
    python verify_ledger.py --dump dump.sql         [--checkpoint FILE ...] [--key KEY ...]
    python verify_ledger.py --entries entries.ndjson [--checkpoint FILE ...] [--key KEY ...]

It needs Python 3.8 or newer and nothing else, and shares no code with the service: it was written
from docs/ledger.md, RFC 9162 (the tree), RFC 8032 (Ed25519) and C2SP tlog-checkpoint (heads).

One line says what was verified, or names the first broken row: its table, its key, and what is
wrong. Exit 0: all is well. 1: something is broken. 2: the input cannot be used.
"""

# Python 3.8 knows neither `datetime.UTC` nor `zip(strict=)`.
# ruff: noqa: UP017, B905

import argparse
import base64
import hashlib
import json
import re
import sqlite3
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

EMPTY_ROOT = hashlib.sha256(b"").digest()
ERASED = "erased"
HASH = re.compile("[0-9a-f]{64}")
COLUMNS = {
    "revisions": (
        "sequence",
        "kind",
        "subject",
        "revision",
        "recorded_at",
        "actor",
        "entry",
        "private",
        "sha256",
    ),
    "leaves": ("position", "sequence", "hash"),
    "pending": ("sequence",),
    "heads": ("size", "root", "signed_at", "checkpoint"),
}
LONGEST_NOTE = 100_000
# A damaged database may even damage the message that says so.
UNREADABLE = (OSError, sqlite3.Error, UnicodeError, OverflowError, MemoryError)
NUMBERS = {"sequence", "revision", "position", "size"}


class Broken(Exception):
    """A row is not as it must be."""


class Unusable(Exception):
    """The input is not what it should be, or cannot be read."""


# The tree, RFC 9162 section 2.1.


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Leaves are added one by one; kept are only the complete subtrees that make it up."""

    def __init__(self):
        self.size = 0
        self._parts = []

    def add(self, leaf):
        self._parts.append(leaf)
        self.size += 1
        number = self.size
        while number % 2 == 0:
            right = self._parts.pop()
            self._parts.append(node_hash(self._parts.pop(), right))
            number //= 2

    def root(self):
        if not self._parts:
            return EMPTY_ROOT
        value = self._parts[-1]
        for part in reversed(self._parts[:-1]):
            value = node_hash(part, value)
        return value


# Ed25519, RFC 8032 section 5.1: points in extended coordinates (x, y, z, t), x = X/Z, y = Y/Z,
# x * y = T/Z, on -x^2 + y^2 = 1 + d x^2 y^2 modulo P.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def add_points(a, b):
    s = (a[1] - a[0]) * (b[1] - b[0]) % P
    t = (a[1] + a[0]) * (b[1] + b[0]) % P
    u = 2 * a[3] * b[3] * D % P
    v = 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number % 2:
            total = add_points(total, point)
        point = add_points(point, point)
        number //= 2
    return total


def same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_from(encoded):
    """The point of 32 bytes (5.1.3); None where there is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x % 2 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_from((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signature(public, message, signature):
    """Whether the holder of the key made it (5.1.7)."""
    if len(signature) != 64:
        return False
    key, commitment = point_from(public), point_from(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    factor = int.from_bytes(challenge, "little") % ORDER
    return same_point(times(answer, BASE), add_points(commitment, times(factor, key)))


# Signed heads, https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint


class Key:
    """A verifier key: name+key id+base64(0x01 and the public key)."""

    def __init__(self, text):
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        public = from_base64(encoded)
        if not re.fullmatch(r"[^\s+]+", name) or not public or public[:1] != b"\x01":
            raise Unusable("--key is not an Ed25519 verifier key")
        self.name, self.public = name, public[1:]
        known = name.encode("utf-8", "surrogateescape") + b"\n" + public
        self.id = hashlib.sha256(known).digest()[:4]
        if len(self.public) != 32 or self.id.hex() != key_id:
            raise Unusable("--key is not an Ed25519 verifier key: its parts do not agree")


class Checkpoint:
    """A signed head as it is written. Raises ValueError for what is none."""

    def __init__(self, note):
        text, blank, signatures = note.rpartition("\n\n")
        self.text = text + "\n"
        origin, size, root, *more = [*text.split("\n"), "", ""]
        decoded = from_base64(root)
        if not blank or not origin or not re.fullmatch("0|[1-9][0-9]{0,18}", size):
            raise ValueError("is not a checkpoint")
        if decoded is None or len(decoded) != 32:
            raise ValueError("is not a checkpoint: there is no root in it")
        self.origin, self.size, self.root, self.time = origin, int(size), decoded, more[0]
        self.signatures = []
        for line in signatures.splitlines():
            dash, name, encoded, *rest = [*line.split(" "), "", ""]
            signature = from_base64(encoded)
            if dash != "\u2014" or not name or signature is None or len(signature) < 5 or any(rest):
                raise ValueError("is not a checkpoint: a signature is malformed")
            self.signatures.append((name, signature[:4], signature[4:]))

    def fault(self, keys):
        """Why it is not signed by any of these keys; None where it is."""
        signed = False
        for key in keys:
            for name, key_id, signature in self.signatures:
                if (name, key_id) == (key.name, key.id):
                    message = self.text.encode("utf-8", "surrogateescape")
                    if self.origin != key.name or not is_signature(key.public, message, signature):
                        return "its signature is not that of the key"
                    signed = True
        return None if signed else "it is not signed by the key"


def from_base64(text):
    """The bytes of base64 written in its one right way, else None."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return None
    return value if base64.b64encode(value).decode() == text else None


class Outside:
    """Heads that somebody keeps elsewhere, by size."""

    def __init__(self, files, keys):
        self._by_size = {}
        for name in files:
            try:
                note = Path(name).read_bytes()[:LONGEST_NOTE].decode("utf-8", "surrogateescape")
                found = Checkpoint(note.replace("\r\n", "\n"))
            except ValueError as error:
                raise Unusable(f"--checkpoint {name}: {error}") from None
            fault = found.fault(keys) if keys else None
            if fault:
                raise Broken(f"checkpoint {name}: {fault}")
            self._by_size.setdefault(found.size, []).append((name, found.root))
        self.count = len(files)

    def compare(self, tree):
        for name, root in self._by_size.pop(tree.size, ()):
            if root != tree.root():
                raise Broken(f"checkpoint {name}: the first {tree.size} leaves have another root")

    def end(self, tree):
        for size in sorted(self._by_size):
            name = self._by_size[size][0][0]
            raise Broken(f"checkpoint {name}: it has {size} leaves, the ledger only {tree.size}")


# Sources of rows.


def open_database(path):
    """The SQLite file, read only."""
    if not Path(path).is_file():
        raise Unusable(f"there is no file {path}")
    uri = Path(path).resolve().as_uri() + "?mode=ro"
    connection = connect(uri, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.OperationalError:
        # A copy in a folder that cannot be written to; nobody else is at work on it.
        if Path(path + "-wal").exists():
            raise
        connection = connect(uri + "&immutable=1", uri=True)
    for table, columns in COLUMNS.items():
        known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        missing = [column for column in columns if column not in known]
        if missing:
            raise Unusable(f"the database has no {table}.{missing[0]}")
    return connection


def connect(name, **options):
    connection = sqlite3.connect(name, **options)
    # Whatever the bytes of a text are, they come back the same when they are hashed.
    connection.text_factory = lambda value: value.decode("utf-8", "surrogateescape")
    return connection


def load_dump(path):
    """A plain-format pg_dump, its rows put into a temporary database."""
    connection = connect("")
    for table, columns in COLUMNS.items():
        connection.execute("CREATE TABLE {} ({})".format(table, ", ".join(columns)))
    found = set()
    with Path(path).open("rb") as file:
        if file.read(5) == b"PGDMP":
            raise Unusable("the dump is not in plain format; make it with pg_dump --format=plain")
        file.seek(0)
        for line in file:
            start = re.match(rb'COPY (?:\S+\.)?"?(\w+)"? \((.*)\) FROM stdin;\r?$', line)
            encoding = re.match(rb"SET client_encoding = '(.*)';", line)
            if encoding and encoding.group(1).upper() not in (b"UTF8", b"SQL_ASCII"):
                raise Unusable("the dump is not in UTF-8; make it with pg_dump --encoding=UTF8")
            if start:
                copy_rows(connection, file, start, found)
    missing = [table for table in COLUMNS if table not in found]
    if missing:
        raise Unusable(f"the dump has no COPY of the table {missing[0]}")
    for table, column in (
        ("revisions", "sequence"),
        ("leaves", "sequence"),
        ("leaves", "position"),
        ("pending", "sequence"),
    ):
        connection.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")
    return connection


def copy_rows(connection, file, start, found):
    """The lines of one COPY block, up to its end."""
    table = start.group(1).decode()
    names = [
        name.strip().strip('"') for name in start.group(2).decode("ascii", "replace").split(",")
    ]
    columns = COLUMNS.get(table, ())
    missing = [column for column in columns if column not in names]
    if missing:
        raise Unusable(f"the dump has no {table}.{missing[0]}")
    places = [names.index(column) for column in columns]
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    for line in file:
        if line.rstrip(b"\r\n") == b"\\.":
            found.add(table)
            return
        if not columns:
            continue
        fields = line.rstrip(b"\n").split(b"\t")
        if len(fields) != len(names):
            raise Unusable(f"the dump has a row of {table} with too few or many columns")
        values = [
            copied(fields[place], column in NUMBERS) for place, column in zip(places, columns)
        ]
        connection.execute(insert, values)
    raise Unusable(f"the dump ends in the middle of the table {table}")


ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def copied(field, number):
    """A value in COPY's text format: NULL, a whole number, or a text."""
    if field == b"\\N":
        return None
    if number and re.fullmatch(rb"-?[0-9]{1,18}", field):
        return int(field)

    def plain(match):
        code = match.group(1)
        if code in ESCAPES:
            return ESCAPES[code]
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        if re.fullmatch(b"[0-7]+", code):
            return bytes([int(code, 8) & 0xFF])
        return code

    text = re.sub(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", plain, field, flags=re.DOTALL)
    # As bytes: a text with half a character in it could not be put into the temporary database.
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text


# The checks.


def check_record(connection, outside, keys):
    """Every table of a database; what was verified, in words."""
    revisions = check_revisions(connection)
    tree, heads = check_leaves(connection, outside, keys)
    pending = check_pending(connection)
    outside.end(tree)
    counts = f"{revisions} revisions, {tree.size} of them in the ledger and {pending} waiting"
    return f"{counts}; {heads} stored heads; {ending(tree, outside, keys)}"


def ending(tree, outside, keys):
    signatures = "signatures checked" if keys else "signatures not checked without --key"
    root = f"root {tree.root().hex()} at {tree.size} leaves"
    return f"{outside.count} heads from outside; {signatures}; {root}"


def check_revisions(connection):
    """Each against its own entry and seals, and the numbers of each subject against 1, 2, 3."""
    latest, before, count = {}, None, 0
    gone, erased = {}, {}
    for row in rows(connection, "revisions", "sequence"):
        key = "revisions {}".format(shown(row["sequence"]))
        if not is_whole(row["sequence"]) or row["sequence"] == before:
            raise Broken(key + ": sequence is no number of its own")
        before = row["sequence"]
        wrong = wrong_in_revision(row)
        if wrong:
            raise Broken(f"{key}: {wrong}")
        subject = row["kind"], row["subject"]
        expected = latest.get(subject, 0) + 1
        if row["revision"] != expected:
            raise Broken(
                "{}: revision is {}, the next of its subject is {}".format(
                    key, shown(row["revision"]), expected
                )
            )
        latest[subject] = expected
        count += 1
        told, private = json_object(row["entry"]), json_object(row["private"])
        missing = set(told["sealed"]) - set(private)
        if missing:
            gone["{}/{}/{}".format(*subject, expected)] = key, missing
        if row["kind"] == "erasure":
            for name, paths in of_erasure(told).items():
                erased.setdefault(name, set()).update(paths)
    for name, (key, missing) in gone.items():
        for path in sorted(missing - erased.get(name, set())):
            raise Broken(f"{key}: private {shown(path)} is gone, and no erasure says so")
    return count


def of_erasure(told):
    """What an erasure says it took: paths by kind, subject and revision."""
    content = told.get("content")
    erased = content.get("erased") if isinstance(content, dict) else None
    if not isinstance(erased, dict):
        return {}
    return {
        name: [path for path in paths if isinstance(path, str)]
        for name, paths in erased.items()
        if isinstance(paths, list)
    }


def wrong_in_revision(row):
    """What is wrong with a revision by itself; None where nothing is."""
    entry = row["entry"]
    if not isinstance(entry, str):
        return "entry is no text"
    if leaf_hash(entry.encode("utf-8", "surrogateescape")).hex() != row["sha256"]:
        return "sha256 is not the hash of entry"
    told = json_object(entry)
    if told is None or not isinstance(told.get("sealed"), dict):
        return "entry is not as entries are"
    for column in ("kind", "subject", "revision"):
        if told.get(column) != row[column] or isinstance(row[column], bool):
            return f"{column} is not that of entry"
    if not isinstance(row["kind"], str) or not isinstance(row["subject"], str):
        return "kind and subject are no texts"
    if not is_whole(row["revision"]):
        return "revision is no number"
    instant = instant_of(row["recorded_at"])
    if instant is None or instant != instant_of(told.get("recorded_at")):
        return "recorded_at is not that of entry"
    private = json_object(row["private"])
    if private is None:
        return "private is not as it must be"
    wrong = wrong_in_openings(told["sealed"], private)
    if wrong:
        return "private " + wrong
    actor = json_value(private["actor"][1]) if "actor" in private else ERASED
    return "actor is not that of private" if row["actor"] != actor else None


def wrong_in_openings(sealed, openings):
    """Which value does not open its seal: SHA-256 of the salt's bytes and the JSON."""
    for path in sorted(openings):
        opening = openings[path]
        if (
            not isinstance(opening, list)
            or len(opening) != 2
            or not all(isinstance(part, str) for part in opening)
        ):
            return f"{shown(path)} is no salt with a text"
        # A salt of another length could hold the beginning of what was said.
        if not re.match("^[0-9a-f]{32}\\Z", opening[0]):
            return f"{shown(path)} has no salt of 16 bytes"
        salt = bytes.fromhex(opening[0])
        text = opening[1].encode("utf-8", "surrogatepass")
        if hashlib.sha256(salt + text).hexdigest() != sealed.get(path):
            return f"{shown(path)} is not what was sealed"
    return None


def check_leaves(connection, outside, keys):
    """Positions 0, 1, 2, ... with the hashes of their revisions; the heads at their sizes."""
    heads = read_heads(connection, keys)
    stored, tree = len(heads), Tree()
    outside.compare(tree)
    compare_head(heads, tree)
    query = (
        "SELECT l.position, l.sequence, l.hash, r.sha256 FROM leaves l "
        "LEFT JOIN revisions r ON r.sequence = l.sequence ORDER BY l.position"
    )
    for position, sequence, value, sha256 in execute(connection, "leaves", query):
        if position != tree.size or not is_whole(position):
            at = "is missing" if is_whole(position) and position > tree.size else "is no place"
            key = tree.size if at == "is missing" else position
            raise Broken(f"leaves {shown(key)}: {at}")
        key = f"leaves {position}"
        if sha256 is None:
            raise Broken(f"{key}: there is no revision {shown(sequence)}")
        if value != sha256:
            raise Broken(f"{key}: hash is not that of revision {shown(sequence)}")
        tree.add(bytes.fromhex(value))
        outside.compare(tree)
        compare_head(heads, tree)
    for size in sorted(heads):
        raise Broken(f"heads {size}: the ledger has only {tree.size} leaves")
    return tree, stored


def compare_head(heads, tree):
    root = heads.pop(tree.size, None)
    if root is not None and root != tree.root():
        raise Broken(f"heads {tree.size}: root is not that of the ledger")


def read_heads(connection, keys):
    """The roots of the stored heads by their sizes."""
    found = {}
    for row in rows(connection, "heads", "size"):
        key = "heads {}".format(shown(row["size"]))
        if not is_whole(row["size"]) or row["size"] in found:
            raise Broken(key + ": size is no number of its own")
        if not isinstance(row["root"], str) or not HASH.fullmatch(row["root"]):
            raise Broken(key + ": root is no hash")
        try:
            note = Checkpoint(row["checkpoint"])
        except (ValueError, AttributeError, TypeError):
            raise Broken(key + ": checkpoint is none") from None
        if note.size != row["size"] or note.root.hex() != row["root"]:
            raise Broken(key + ": checkpoint does not say what the columns say")
        instant = instant_of(row["signed_at"])
        if instant is None or instant != instant_of(note.time):
            raise Broken(key + ": signed_at is not that of checkpoint")
        fault = note.fault(keys) if keys else None
        if fault:
            raise Broken(f"{key}: checkpoint: {fault}")
        found[row["size"]] = note.root
    return found


def check_pending(connection):
    """Every revision is in the ledger once, or waits for it."""
    twice = "SELECT sequence FROM leaves GROUP BY sequence HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    nothing = """SELECT p.sequence FROM pending p
        LEFT JOIN revisions r ON r.sequence = p.sequence
        WHERE r.sequence IS NULL ORDER BY 1 LIMIT 1"""
    both = """SELECT p.sequence FROM pending p
        JOIN leaves l ON l.sequence = p.sequence ORDER BY 1 LIMIT 1"""
    neither = """SELECT r.sequence FROM revisions r
        LEFT JOIN leaves l ON l.sequence = r.sequence
        LEFT JOIN pending p ON p.sequence = r.sequence
        WHERE l.sequence IS NULL AND p.sequence IS NULL ORDER BY 1 LIMIT 1"""
    questions = (
        ("leaves: revision {} has more than one place", twice),
        ("pending {}: there is no such revision", nothing),
        ("pending {}: is in the ledger already", both),
        ("revisions {}: is neither in the ledger nor waiting for it", neither),
    )
    for wrong, question in questions:
        for (number,) in execute(connection, "pending", question):
            raise Broken(wrong.format(shown(number)))
    [(count,)] = execute(connection, "pending", "SELECT count(*) FROM pending")
    return count


def check_entries(path, outside, keys):
    """Lines of `position`, `sha256`, and of those that were shown `entry` and `openings`."""
    tree, latest, opaque = Tree(), {}, 0
    outside.compare(tree)
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, item in items_of(file):
            key = f"entries {tree.size}"
            if item.get("position") != tree.size or not is_whole(item.get("position")):
                raise Broken(
                    "{}: is missing; line {} has position {}".format(
                        key, number, shown(item.get("position"))
                    )
                )
            if not isinstance(item.get("sha256"), str) or not HASH.fullmatch(item["sha256"]):
                raise Broken(key + ": sha256 is no hash")
            if "entry" in item:
                check_entry(key, item, latest, opaque)
            else:
                opaque += 1
            tree.add(bytes.fromhex(item["sha256"]))
            outside.compare(tree)
    outside.end(tree)
    return f"{tree.size} entries, {opaque} of them opaque; {ending(tree, outside, keys)}"


def items_of(lines):
    """Each item with the number of its line: a line is one, or a page of them as it was served."""
    for number, line in enumerate(lines, 1):
        page = json_object(line)
        items = page.get("items", [page]) if page is not None else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Unusable(f"line {number} of the entries is not an object of JSON")
        for item in items:
            yield number, item


def check_entry(key, item, latest, opaque):
    """One entry that was shown, against its hash, its seals, and those before it."""
    entry, openings = item["entry"], item.get("openings", {})
    if not isinstance(entry, str):
        raise Broken(key + ": entry is no text")
    try:
        value = leaf_hash(entry.encode("utf-8", "surrogateescape")).hex()
    except UnicodeEncodeError:
        value = None
    if value != item["sha256"]:
        raise Broken(key + ": sha256 is not the hash of entry")
    told = json_object(entry)
    if told is None or not isinstance(told.get("sealed"), dict):
        raise Broken(key + ": entry is not as entries are")
    if not isinstance(openings, dict):
        raise Broken(key + ": openings are none")
    wrong = wrong_in_openings(told["sealed"], openings)
    if wrong:
        raise Broken(f"{key}: opening {wrong}")
    subject, revision = (shown(told.get("kind")), shown(told.get("subject"))), told.get("revision")
    before = latest.get(subject, 0)
    # What is opaque may have been a revision of the same thing.
    if not is_whole(revision) or revision <= before or (not opaque and revision != before + 1):
        raise Broken(f"{key}: revision is {shown(revision)}, after {before} of its subject")
    latest[subject] = revision


def rows(connection, table, order):
    columns = COLUMNS[table]
    query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"  # noqa: S608
    for row in execute(connection, table, query):
        yield dict(zip(columns, row))


def execute(connection, table, query):
    try:
        yield from connection.execute(query)
    except UNREADABLE as error:
        raise Unusable(f"the table {table} cannot be read: {error}") from None


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def json_value(text):
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def json_object(text):
    value = json_value(text) if isinstance(text, str) else None
    return value if isinstance(value, dict) else None


INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
    r"(?:Z|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?",
    re.ASCII,
)


def instant_of(text):
    """An instant as either database or an entry writes it; without an offset it is UTC."""
    match = INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    *parts, fraction, sign, hours, minutes, seconds = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    try:
        microseconds = int((fraction or "").ljust(6, "0"))
        local = datetime(*map(int, parts), microseconds, tzinfo=timezone.utc)
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None


def shown(value):
    """A key as it is printed: short, and in one line."""
    text = value if isinstance(value, str) else repr(value)
    return "".join(c if c.isprintable() else "?" for c in text[:80])


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Check a record against itself and against heads held elsewhere."
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--database", metavar="FILE", help="an SQLite database")
    source.add_argument("--dump", metavar="FILE", help="a PostgreSQL database by pg_dump, plain")
    source.add_argument("--entries", metavar="FILE", help="pages of /v1/ledger/entries, one a line")
    parser.add_argument(
        "--checkpoint", metavar="FILE", action="append", default=[], help="a head held elsewhere"
    )
    parser.add_argument(
        "--key", metavar="KEY", action="append", default=[], help="who must have signed the heads"
    )
    asked = parser.parse_args(arguments)
    try:
        keys = [Key(text) for text in asked.key]
        outside = Outside(asked.checkpoint, keys)
        if asked.entries:
            verified = check_entries(asked.entries, outside, keys)
        else:
            database = open_database(asked.database) if asked.database else load_dump(asked.dump)
            verified = check_record(database, outside, keys)
    except Broken as error:
        return said(f"broken: {error}", 1)
    except Unusable as error:
        return said(f"unusable: {error}", 2)
    except UNREADABLE as error:
        return said(f"unusable: {error}", 2)
    except Exception as error:  # noqa: BLE001
        # Nobody who checks a damaged record is helped by where the script gave up.
        return said(f"unusable: unforeseen {type(error).__name__}: {error}", 2)
    return said(f"verified: {verified}", 0)


def said(text, status):
    line = "".join(c if c.isprintable() else "?" for c in text) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "replace"))
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
