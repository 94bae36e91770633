"""The ledger over the record: give changes their places, sign heads, prove, and check it all."""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.domain.ledger import Broken, Growing, Subtree, leaf_hash
from service.errors import Invalid, Unavailable
from service.formats import checkpoint
from service.formats.checkpoint import LogKey
from service.formats.records import instant_text
from service.formats.sealing import seal_of
from service.store import ledger as store
from service.store.database import Database
from service.store.tables import Head, Leaf, Node, Pending, Revision

log = logging.getLogger(__name__)

# Small enough that other writers on SQLite hardly wait for one.
_BATCH: Final = 1_000
_CHUNK: Final = 1_000
ERASED: Final = "erased"
ERASURE: Final = "erasure"

inclusion = store.inclusion
consistency = store.consistency
position_of = store.position_of
newest_head = store.newest_head
heads_below = store.heads_below
size_of = store.size_of
root = store.root
pending_count = store.pending_count
is_waiting = store.is_waiting
accepted = store.accepted
ACCEPTED: Final = store.ACCEPTED


@dataclass(frozen=True, slots=True)
class TreeHead:
    """How many leaves there are, and their root (32 bytes)."""

    size: int
    root: bytes


def catch_up(database: Database) -> int:
    """Give every accepted change its place in the ledger; return how many had none.

    Where the database takes no writes, what has a place already stays all there is.
    """
    with database.reading() as session:
        if not store.is_waiting(session):
            return 0
    done = 0
    try:
        while placed := database.write(lambda session: store.sequence(session, _BATCH)):
            done += placed
    except Unavailable:
        log.warning("changes wait for their place in the ledger")
    return done


def head(session: Session) -> TreeHead:
    """The tree as it is now."""
    size = store.size_of(session)
    return TreeHead(size, store.root(session, size))


def sign(session: Session, key: LogKey, now: datetime) -> Head | None:
    """The newest signed head, of the tree as it is now; `None` while there is nothing to sign.

    Raises `Broken` where the tree no longer holds what was signed last: two heads that
    contradict each other must never both be signed.
    """
    newest = store.newest_head(session)
    tree = head(session)
    if newest is not None:
        must_hold(session, TreeHead(newest.size, bytes.fromhex(newest.root)), "the last head")
    if tree.size == (newest.size if newest else 0):
        return newest
    now = now.astimezone(UTC).replace(microsecond=0)
    signed = Head(
        size=tree.size,
        root=tree.root.hex(),
        signed_at=now,
        checkpoint=key.sign(tree.size, tree.root, now),
    )
    session.add(signed)
    session.flush()
    return signed


def must_hold(session: Session, earlier: TreeHead, name: str) -> None:
    """Raises `Broken` unless the first leaves are those that `earlier` stands for."""
    size = store.size_of(session)
    if earlier.size > size:
        raise Broken(f"{name} has {earlier.size} leaves, the ledger only {size}")
    if store.root(session, earlier.size) != earlier.root:
        raise Broken(f"the first {earlier.size} leaves are not those of {name}")


def keep_signed(
    database: Database, key: LogKey, interval: float, now: Callable[[], datetime]
) -> None:
    """Sign the tree where it has grown and the last head is older than `interval` seconds."""
    with database.reading() as session:
        newest = store.newest_head(session)
        grown = store.size_of(session) > (newest.size if newest else 0)
    moment = now()
    if grown and (newest is None or moment - newest.signed_at >= timedelta(seconds=interval)):
        database.write(lambda session: sign(session, key, moment))


def exported(database: Database, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Every leaf in its order: position and hash, and where `whole` what it was made from.

    Each page is one snapshot; since nothing before it ever changes, so are all of them together.
    """
    position = 0
    while True:
        with database.reading() as session:
            rows = store.leaves_from(session, position, _CHUNK)
        for leaf, revision in rows:
            line: dict[str, Any] = {"position": leaf.position, "sha256": leaf.hash}
            if whole:
                line |= {"entry": revision.entry, "openings": json.loads(revision.private)}
            yield line
        if not rows:
            return
        position = rows[-1][0].position + 1


def broken(session: Session, verifiers: Sequence[str] = ()) -> Iterator[str]:
    """What is wrong in `revisions`, `leaves`, `nodes`, `pending` and `heads`, row by row.

    `verifiers` are the keys of which one must have signed each head; without any, signatures
    are not looked at. Reads every row once, and keeps no more than a chunk of them.
    """
    checks: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("revisions", lambda: _broken_revisions(session)),
        ("leaves", lambda: _broken_tree(session)),
        ("pending", lambda: _broken_pending(session)),
        ("heads", lambda: _broken_heads(session, verifiers)),
    )
    for table, check in checks:
        try:
            yield from check()
        except (DBAPIError, Broken) as error:
            yield f"{table}: cannot be read ({type(error).__name__})"


def _broken_revisions(session: Session) -> Iterator[str]:
    """Each row against its own entry and seals, and the numbers of each subject against 1, 2, 3."""
    counted = sa.func.row_number().over(
        partition_by=(Revision.kind, Revision.subject), order_by=Revision.sequence
    )
    rows = session.execute(
        sa.select(
            Revision.sequence,
            Revision.kind,
            Revision.subject,
            Revision.revision,
            # As it is stored: what is no instant must be named, not fall over.
            sa.type_coerce(Revision.recorded_at, sa.String).label("recorded_at"),
            Revision.actor,
            Revision.entry,
            Revision.private,
            Revision.sha256,
            counted.label("number"),
        ).order_by(Revision.sequence),
        execution_options={"yield_per": _CHUNK},
    )
    gone: dict[str, tuple[int, set[str]]] = {}
    erased: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for wrong in _wrong_in(row):
            yield f"revisions {row.sequence}: {wrong}"
        entry, private = _object(row.entry) or {}, _object(row.private)
        sealed = entry.get("sealed")
        if isinstance(sealed, dict) and private is not None and sealed.keys() - private.keys():
            name = f"{row.kind}/{row.subject}/{row.revision}"
            gone[name] = row.sequence, sealed.keys() - private.keys()
        if row.kind == ERASURE:
            for name, paths in entry["content"]["erased"].items():
                erased[name] |= {*paths}
    for name, (sequence, missing) in gone.items():
        for path in sorted(missing - erased[name]):
            yield f"revisions {sequence}: private {path} is gone, and no erasure says so"


def _wrong_in(row: Any) -> Iterator[str]:
    if not isinstance(row.entry, str) or leaf_hash(row.entry.encode()).hex() != row.sha256:
        yield "sha256 is not the hash of entry"
    if row.revision != row.number:
        yield f"revision is not {row.number}, the next of its subject"
    entry, private = _object(row.entry), _object(row.private)
    sealed = entry.get("sealed") if entry else None
    if entry is None or not isinstance(sealed, dict):
        yield "entry cannot be read"
        return
    for column in ("kind", "subject", "revision"):
        if entry.get(column) != getattr(row, column):
            yield f"{column} is not that of entry"
    if entry.get("recorded_at") != _stored_instant(row.recorded_at):
        yield "recorded_at is not that of entry"
    if private is None:
        yield "private cannot be read"
        return
    for path, opening in private.items():
        if not _opens(sealed.get(path), opening):
            yield f"private {path} is not what was sealed"
    actor = private.get("actor")
    if row.actor != (ERASED if actor is None else _text_of(actor)):
        yield "actor is not that of private"


def _broken_tree(session: Session) -> Iterator[str]:
    """Leaves without gaps over true hashes; above them every complete subtree and no other; and
    each signed head at its size."""
    tree = Growing()
    heads = {head.size: head.root for head in session.execute(sa.select(Head.size, Head.root))}
    rows = session.execute(
        sa.select(Leaf.position, Leaf.sequence, Leaf.hash, Revision.sha256)
        .outerjoin(Revision, Revision.sequence == Leaf.sequence)
        .order_by(Leaf.position),
        execution_options={"yield_per": _CHUNK},
    )
    for chunk in rows.partitions():
        begin = tree.size
        made: dict[Subtree, bytes] = {}
        for row in chunk:
            if row.position != tree.size:
                yield f"leaves {tree.size}: is missing"
                return
            if row.sha256 is None:
                yield f"leaves {row.position}: there is no revision {row.sequence}"
            elif row.hash != row.sha256:
                yield f"leaves {row.position}: hash is not that of revision {row.sequence}"
            leaf = _hash(row.hash)
            if leaf is None:
                yield f"leaves {row.position}: hash is none"
                return
            made |= dict(tree.add(leaf))
            if tree.size in heads and heads.pop(tree.size) != tree.root().hex():
                yield f"heads {tree.size}: root is not that of the ledger"
        yield from _broken_nodes(session, begin, tree.size, made)
    for size in sorted(heads):
        yield f"heads {size}: the ledger has only {tree.size} leaves"
    yield from _surplus_nodes(session, tree.size)


def _broken_nodes(
    session: Session, begin: int, end: int, made: dict[Subtree, bytes]
) -> Iterator[str]:
    """The subtrees that were completed between two sizes."""
    levels = range(1, end.bit_length())
    ranges = [
        (Node.level == level) & Node.position.between(begin >> level, (end >> level) - 1)
        for level in levels
        if begin >> level < end >> level
    ]
    if not ranges:
        return
    rows = session.execute(sa.select(Node.level, Node.position, Node.hash).where(sa.or_(*ranges)))
    kept = {(level, position): value for level, position, value in rows}
    for (level, position), value in made.items():
        if (level, position) not in kept:
            yield f"nodes {level}/{position}: is missing"
        elif kept[level, position] != value.hex():
            yield f"nodes {level}/{position}: hash is not that of what is below"


def _surplus_nodes(session: Session, size: int) -> Iterator[str]:
    levels = range(1, size.bit_length())
    known = [
        (Node.level == level) & Node.position.between(0, (size >> level) - 1) for level in levels
    ]
    surplus = sa.select(Node.level, Node.position).order_by(Node.level, Node.position)
    for level, position in session.execute(surplus.where(~sa.or_(sa.false(), *known))):
        yield f"nodes {level}/{position}: there is no such subtree"


def _broken_pending(session: Session) -> Iterator[str]:
    """Every revision is either in the ledger or waits for its place, never both."""
    both = sa.select(Pending.sequence).join(Leaf, Leaf.sequence == Pending.sequence)
    for number in session.scalars(both.order_by(Pending.sequence)):
        yield f"pending {number}: is in the ledger already"
    nothing = (
        sa.select(Pending.sequence)
        .outerjoin(Revision, Revision.sequence == Pending.sequence)
        .where(Revision.sequence.is_(None))
    )
    for number in session.scalars(nothing.order_by(Pending.sequence)):
        yield f"pending {number}: there is no such revision"
    neither = (
        sa.select(Revision.sequence)
        .outerjoin(Leaf, Leaf.sequence == Revision.sequence)
        .outerjoin(Pending, Pending.sequence == Revision.sequence)
        .where(Leaf.sequence.is_(None), Pending.sequence.is_(None))
    )
    for number in session.scalars(neither.order_by(Revision.sequence)):
        yield f"revisions {number}: is neither in the ledger nor waiting for it"
    twice = sa.select(Leaf.sequence).group_by(Leaf.sequence).having(sa.func.count() > 1)
    for number in session.scalars(twice.order_by(Leaf.sequence)):
        yield f"leaves: revision {number} has more than one place"


def _broken_heads(session: Session, verifiers: Sequence[str]) -> Iterator[str]:
    """Each note says what the columns say, and is signed."""
    rows = session.execute(
        sa.select(
            Head.size,
            Head.root,
            sa.type_coerce(Head.signed_at, sa.String).label("signed_at"),
            Head.checkpoint,
        ).order_by(Head.size),
        execution_options={"yield_per": _CHUNK},
    )
    for row in rows:
        told = _told(row.checkpoint)
        if told is None:
            yield f"heads {row.size}: checkpoint cannot be read"
            continue
        signed_at = instant_text(told.signed_at) if told.signed_at else None
        if (told.size, told.root.hex(), signed_at) != (
            row.size,
            row.root,
            _stored_instant(row.signed_at),
        ):
            yield f"heads {row.size}: checkpoint does not say what the columns say"
        elif verifiers and not any(signed(row.checkpoint, each) for each in verifiers):
            yield f"heads {row.size}: checkpoint is not signed by the ledger's key"


def _told(note: Any) -> checkpoint.Checkpoint | None:
    try:
        return checkpoint.parse(note) if isinstance(note, str) else None
    except (Invalid, UnicodeError):
        return None


def signed(note: str, verifier: str) -> bool:
    try:
        return checkpoint.verify(note, verifier).origin == verifier.partition("+")[0]
    except (Invalid, UnicodeError):
        return False


def _object(text: Any) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _opens(sealed: Any, opening: Any) -> bool:
    match opening:
        # A salt of another length could hold the beginning of what was said.
        case [str(salt), str(text)] if re.fullmatch("[0-9a-f]{32}", salt):
            return bool(seal_of(salt, text) == sealed)
    return False


def _text_of(opening: Any) -> Any:
    """The value of a text that was sealed; `None` where it is none."""
    match opening:
        case [_, str(text)]:
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                return None
    return None


def _stored_instant(value: Any) -> str | None:
    """An instant as entries write it, from what a column holds on either database."""
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return instant_text(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)


def _hash(hexadecimal: Any) -> bytes | None:
    try:
        value = bytes.fromhex(hexadecimal)
    except (ValueError, TypeError):
        return None
    return value if len(value) == 32 and value.hex() == hexadecimal else None


def lines(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """NDJSON, as `tools/verify_ledger.py --entries` reads it."""
    for item in items:
        yield json.dumps(item, ensure_ascii=False, separators=(",", ":"))
