"""Photos, and their bytes: of each what was sent and its copy."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.store.database import insert_rows
from service.store.tables import Photo, PhotoPiece

ORIGINAL: Final = "original"
COPY: Final = "copy"
PARTS: Final = (ORIGINAL, COPY)
_PIECE: Final = 1024 * 1024


def insert(session: Session, photo_id: str, revision: int, record: dict[str, Any]) -> None:
    """The row of a recorded photo."""
    session.add(
        Photo(
            id=photo_id,
            report_id=record["report"],
            sha256=record["original"] and record["original"]["sha256"],
            revision=revision,
            record=record,
        )
    )


def of_report(session: Session, report_id: str) -> Sequence[Photo]:
    """The photos of a report, those that came first before the others."""
    rows = session.scalars(sa.select(Photo).where(Photo.report_id == report_id)).all()
    return sorted(rows, key=lambda row: (row.record["received_at"] or "", row.id))


def keep(session: Session, photo_id: str, part: str, content: bytes) -> None:
    pieces = range(0, len(content), _PIECE)
    rows = [
        {
            "photo_id": photo_id,
            "part": part,
            "position": position,
            "content": content[start : start + _PIECE],
        }
        for position, start in enumerate(pieces)
    ]
    insert_rows(session, PhotoPiece.__table__, rows)


def kept(session: Session, photo_id: str, part: str) -> bytes:
    """All bytes of a part; none where it is not there."""
    piece = PhotoPiece
    wanted = sa.select(piece.content).where(piece.photo_id == photo_id, piece.part == part)
    return b"".join(session.scalars(wanted.order_by(piece.position)))


def drop(session: Session, photo_id: str) -> None:
    session.execute(sa.delete(PhotoPiece).where(PhotoPiece.photo_id == photo_id))


def digests(session: Session) -> Iterator[tuple[str, str, str | None]]:
    """Every photo and part that bytes are kept of, with their SHA-256; none where a piece is
    missing. Holds one piece at a time."""
    piece = PhotoPiece
    found = session.execute(
        sa.select(piece.photo_id, piece.part, sa.func.count(), sa.func.max(piece.position))
        .group_by(piece.photo_id, piece.part)
        .order_by(piece.photo_id, piece.part)
    ).all()
    for photo_id, part, number, last in found:
        hashed = hashlib.sha256()
        for position in range(number):
            hashed.update(session.scalar(_of_piece(photo_id, part, position)) or b"")
        yield photo_id, part, hashed.hexdigest() if number == last + 1 else None


def _of_piece(photo_id: str, part: str, position: int) -> sa.Select[bytes]:
    piece = PhotoPiece
    return sa.select(piece.content).where(
        piece.photo_id == photo_id, piece.part == part, piece.position == position
    )
