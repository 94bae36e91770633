"""The ledger's tables: leaves in their order, complete subtrees above them, heads given out.

Nothing here reads more than about log2(size) rows besides what is asked for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.ledger import (
    Broken,
    Growing,
    Lookup,
    Subtree,
    consistency_proof,
    inclusion_proof,
    root_of,
    subtrees,
)
from service.store.database import insert_rows
from service.store.tables import Head, Leaf, Node, Pending, Revision

T = TypeVar("T")

ACCEPTED: Final[sa.Select[int]] = sa.select(
    sa.func.coalesce(sa.select(sa.func.max(Leaf.position) + 1).scalar_subquery(), 0)
    + sa.select(sa.func.count()).select_from(Pending).scalar_subquery()
)
"""How many changes have been accepted, which is the version of everything that follows from them.

Each is put into `pending` by its own transaction and moved to `leaves` by another, so that no two
states have the same number, whatever the order of their commits. The newest number of the record
would not do on PostgreSQL, where a lower one may be committed later.
"""


def size_of(session: Session) -> int:
    """How many leaves there are."""
    last = session.scalar(sa.select(sa.func.max(Leaf.position)))
    return 0 if last is None else last + 1


def pending_count(session: Session) -> int:
    """How many accepted changes have no place yet."""
    return session.scalar(sa.select(sa.func.count()).select_from(Pending)) or 0


def accepted(session: Session) -> int:
    """How many changes have been accepted."""
    return session.execute(ACCEPTED).scalar_one()


def is_waiting(session: Session) -> bool:
    """Whether some revision is not in the ledger yet."""
    return session.scalar(sa.select(Pending.sequence).limit(1)) is not None


def sequence(session: Session, most: int) -> int:
    """Give up to `most` revisions that wait the next places, oldest first; return how many.

    Two at once both write the next position, so that one of them has to begin again.
    """
    waiting = session.execute(
        sa.select(Pending.sequence, Revision.sha256)
        .join(Revision, Revision.sequence == Pending.sequence)
        .order_by(Pending.sequence)
        .limit(most)
    ).all()
    if not waiting:
        return 0
    size = size_of(session)
    edge = subtrees(0, size)
    known = _hashes(session, edge)
    tree = Growing(size, [known[subtree] for subtree in edge])
    leaves, nodes = [], []
    for number, sha256 in waiting:
        leaves.append({"position": tree.size, "sequence": number, "hash": sha256})
        nodes += [
            {"level": level, "position": index, "hash": value.hex()}
            for (level, index), value in tree.add(_bytes(sha256, f"revisions {number}"))
        ]
    insert_rows(session, Leaf.__table__, leaves)
    insert_rows(session, Node.__table__, nodes)
    # One snapshot: what came in between with a smaller number is not seen here either.
    session.execute(sa.delete(Pending).where(Pending.sequence <= waiting[-1].sequence))
    return len(waiting)


def root(session: Session, size: int) -> bytes:
    """The root over the first `size` leaves, of which there must be so many."""
    return _answered(session, lambda node: root_of(size, node))


def inclusion(session: Session, position: int, size: int) -> list[bytes]:
    """The proof that the leaf at `position` is in the tree of `size`."""
    return _answered(session, lambda node: inclusion_proof(position, size, node))


def consistency(session: Session, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves is the beginning of that of `second`."""
    return _answered(session, lambda node: consistency_proof(first, second, node))


def position_of(session: Session, sha256: str) -> int | None:
    """Where a leaf is, by its hash in hexadecimal."""
    return session.scalar(sa.select(sa.func.min(Leaf.position)).where(Leaf.hash == sha256))


def newest_head(session: Session) -> Head | None:
    return session.scalars(sa.select(Head).order_by(Head.size.desc()).limit(1)).first()


def heads_below(session: Session, size: int | None, most: int) -> Sequence[Head]:
    """Heads that were given out, newest first; with a size, only those of smaller trees."""
    chosen = sa.select(Head).order_by(Head.size.desc()).limit(most)
    return session.scalars(chosen if size is None else chosen.where(Head.size < size)).all()


def leaves_from(session: Session, position: int, most: int) -> Sequence[tuple[Leaf, Revision]]:
    """Up to `most` leaves in their order, beginning at `position`, with what they stand for."""
    return [
        (leaf, revision)
        for leaf, revision in session.execute(
            sa.select(Leaf, Revision)
            .join(Revision, Revision.sequence == Leaf.sequence)
            .where(Leaf.position >= position)
            .order_by(Leaf.position)
            .limit(most)
        )
    ]


def _answered(session: Session, ask: Callable[[Lookup], T]) -> T:
    """What follows from complete subtrees, all read at once: which ones are asked for depends on
    sizes only, so a first run with any hashes finds them out."""
    wanted: list[Subtree] = []

    def note(level: int, index: int) -> bytes:
        wanted.append((level, index))
        return b""

    ask(note)
    known = _hashes(session, wanted)
    return ask(lambda level, index: known[level, index])


def _hashes(session: Session, wanted: Iterable[Subtree]) -> Mapping[Subtree, bytes]:
    """Hashes of complete subtrees. Raises `Broken` where one is not there."""
    by_level: dict[int, list[int]] = defaultdict(list)
    for level, index in wanted:
        by_level[level].append(index)
    found: dict[Subtree, str] = {}
    if leaves := by_level.pop(0, None):
        rows = session.execute(sa.select(Leaf.position, Leaf.hash).where(Leaf.position.in_(leaves)))
        found |= {(0, position): value for position, value in rows}
        by_level[0] = leaves
    above = [
        (Node.level == level) & Node.position.in_(indices)
        for level, indices in by_level.items()
        if level
    ]
    if above:
        nodes = session.execute(
            sa.select(Node.level, Node.position, Node.hash).where(sa.or_(*above))
        )
        found |= {(level, position): value for level, position, value in nodes}
    for level, indices in by_level.items():
        for index in indices:
            if (level, index) not in found:
                table = f"nodes {level}/{index}" if level else f"leaves {index}"
                raise Broken(f"{table}: is missing")
    return {subtree: _bytes(value, "the ledger") for subtree, value in found.items()}


def _bytes(hexadecimal: str, where: str) -> bytes:
    try:
        value = bytes.fromhex(hexadecimal)
    except (ValueError, TypeError):
        value = b""
    if len(value) != 32:
        raise Broken(f"{where}: a hash is not one")
    return value
