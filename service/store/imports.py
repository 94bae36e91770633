"""Imports, the files they read, and what of these was not taken."""

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.imports import State
from service.store.database import Database
from service.store.reports import SOURCE
from service.store.tables import ArchivePiece, Import, Reject, ReportTerm

_PIECE: Final = 1024 * 1024
# Of a large file it saves most of the time and loses a tenth of the space.
_LEVEL: Final = 3


def digest_of(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of a file, which is rewound."""
    hashed, size = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(_PIECE):
        hashed.update(piece)
        size += len(piece)
    file.seek(0)
    return hashed.hexdigest(), size


def archive(database: Database, file: BinaryIO, sha256: str) -> None:
    """Keep a file, each piece in a transaction of its own; what is kept already is not again."""
    with database.reading() as session:
        kept = set(
            session.scalars(sa.select(ArchivePiece.position).where(ArchivePiece.sha256 == sha256))
        )
    file.seek(0)
    position = 0
    while piece := file.read(_PIECE):
        if position not in kept:
            database.write(_keeping(sha256, position, zlib.compress(piece, _LEVEL)))
        position += 1
    file.seek(0)


def _keeping(sha256: str, position: int, content: bytes) -> Any:
    def keep(session: Session) -> None:
        if session.get(ArchivePiece, (sha256, position)) is None:
            session.add(ArchivePiece(sha256=sha256, position=position, content=content))

    return keep


def archived(database: Database, sha256: str) -> Iterator[bytes]:
    """The pieces of a kept file in order, each read in a snapshot of its own."""
    for position in count():
        with database.reading() as session:
            piece = _piece(session, sha256, position)
        if piece is None:
            return
        yield piece


def digest_of_archived(session: Session, sha256: str) -> str | None:
    """SHA-256 of what is kept as a file; `None` where its pieces cannot be read."""
    hashed = hashlib.sha256()
    try:
        for position in count():
            piece = _piece(session, sha256, position)
            if piece is None:
                break
            hashed.update(piece)
    except zlib.error:
        return None
    return hashed.hexdigest()


def pieces_kept(session: Session) -> dict[str, tuple[int, int]]:
    """For each kept file how many pieces there are, and the number of the last one."""
    piece = ArchivePiece
    select = sa.select(piece.sha256, sa.func.count(), sa.func.max(piece.position))
    found = session.execute(select.group_by(piece.sha256)).all()
    return {sha256: (number, last) for sha256, number, last in found}


def stray(session: Session, known: Collection[str]) -> list[str]:
    """Imports that nobody knows and that rejects are kept of."""
    return sorted({*session.scalars(sa.select(Reject.import_id).distinct())} - {*known})


def _piece(session: Session, sha256: str, position: int) -> bytes | None:
    kept = ArchivePiece
    wanted = sa.select(kept.content).where(kept.sha256 == sha256, kept.position == position)
    content = session.scalar(wanted)
    return None if content is None else _decompressed(content)


def _decompressed(content: bytes) -> bytes:
    """Raises `zlib.error` also for what stands behind the end."""
    reader = zlib.decompressobj()
    whole = reader.decompress(content)
    if not reader.eof or reader.unused_data:
        raise zlib.error("is not one whole piece")
    return whole


def is_archived(session: Session, sha256: str) -> bool:
    return session.get(ArchivePiece, (sha256, 0)) is not None


def running(session: Session, source: str) -> Import | None:
    """The import that reads a source, or did when its process ended."""
    return session.scalar(sa.select(Import).where(Import.running == source))


def abandoned(session: Session, now: datetime) -> Sequence[str]:
    """Imports that nobody is at any more, oldest first."""
    left = sa.select(Import.id).where(Import.running.is_not(None), Import.held_until < now)
    return session.scalars(left.order_by(Import.started_at)).all()


def last_done(session: Session, source: str, form: str) -> Import | None:
    """The import of a source in a format that was taken last."""
    rows = session.scalars(
        sa.select(Import)
        .where(Import.source == source, Import.state == State.DONE)
        .order_by(Import.started_at.desc(), Import.id.desc())
    )
    return next((row for row in rows if row.content["format"] == form), None)


def recorded_of(session: Session, source: str) -> int:
    """How many reports of a source are recorded."""
    term = ReportTerm
    count = sa.select(sa.func.count()).where(term.kind == SOURCE, term.value == source)
    return session.scalar(count) or 0


def put_rejects(session: Session, import_id: str, rows: Iterable[dict[str, Any]]) -> None:
    """Keep what was not taken; what is known to be refused already is not kept twice."""
    wanted = {row["position"]: {"import_id": import_id, **row} for row in rows}
    if not wanted:
        return
    known = session.scalars(
        sa.select(Reject.position).where(
            Reject.import_id == import_id, Reject.position.in_([*wanted])
        )
    ).all()
    fresh = [row for position, row in wanted.items() if position not in known]
    if fresh:
        session.execute(sa.insert(Reject), fresh)


def clear_rejects(session: Session, import_id: str, behind: int = 0) -> None:
    """Forget what was not taken of the entries behind a position."""
    session.execute(
        sa.delete(Reject).where(Reject.import_id == import_id, Reject.position > behind)
    )


def empty_rejects(session: Session, import_id: str) -> None:
    """Keep of what was not taken only where and why."""
    session.execute(sa.update(Reject).where(Reject.import_id == import_id).values(original={}))


def drop_archived(session: Session, sha256: str) -> None:
    session.execute(sa.delete(ArchivePiece).where(ArchivePiece.sha256 == sha256))


def rejects(
    session: Session, import_id: str, after: int = 0, limit: int | None = None
) -> Iterator[Reject]:
    """What was not taken, in the order of the file, from behind the position `after`."""
    wanted = sa.select(Reject).where(Reject.import_id == import_id, Reject.position > after)
    wanted = wanted.order_by(Reject.position).limit(limit)
    yield from session.scalars(wanted.execution_options(yield_per=500))


def refused_between(session: Session, import_id: str, first: int, last: int) -> dict[int, bool]:
    """Which entries between two positions, both included, are known to be refused, and whether
    they only wait."""
    row = Reject
    wanted = sa.select(row.position, row.held).where(
        row.import_id == import_id, row.position.between(first, last)
    )
    return dict(session.execute(wanted).all())


def listed(session: Session, feed: str | None, limit: int | None = None) -> Sequence[Import]:
    """Imports, of a feed where one is named, the newest first."""
    wanted = sa.select(Import).order_by(Import.started_at.desc(), Import.id.desc())
    if feed is not None:
        wanted = wanted.where(Import.feed == feed)
    return session.scalars(wanted.limit(limit)).all()
