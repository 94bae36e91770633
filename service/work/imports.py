"""Imports: how they went, what was not taken, who may look, and whether all is as recorded."""

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Act, Actor, Role, Visibility
from service.domain.imports import UNFINISHED, Account, State
from service.errors import Conflict, Hidden, NotFound
from service.formats.feeds import PlanIn
from service.formats.imports.unpacking import unpacked
from service.formats.records import instant_text
from service.formats.sealing import canonical
from service.formats.tabular import REJECT_COLUMNS
from service.formats.validation import parse
from service.store import imports as store
from service.store import journal
from service.store.journal import Author, Change
from service.store.tables import Import

IMPORT: Final = "import"
MOST_BYTES: Final = 2 * 1024 * 1024 * 1024
RELEASED: Final = "released_by"
_LONGEST_MARK: Final = 200
# Lines of JSON may each have names of their own.
_MOST_COLUMNS: Final = 1_000
_DECISIONS: Final = ("by", RELEASED, "discarded_by")
Json = dict[str, Any]


def author_of(source: str, now: datetime) -> Author:
    """Under whose name entries of a source are recorded; no key can be called so."""
    return Author(f"import:{source}", now, Role.IMPORTER, keeps_moment=True)


@contextmanager
def unpacking(file: BinaryIO) -> Iterator[BinaryIO]:
    """What is packed in a file, or the file itself. Raises `Unusable`."""
    plain = unpacked(file, MOST_BYTES)
    try:
        yield plain
    finally:
        if plain is not file:
            plain.close()
        file.seek(0)


def get(session: Session, import_id: str) -> Import:
    """Raises `NotFound`."""
    row = session.get(Import, import_id)
    if row is None:
        raise NotFound
    return row


def plan_of(row: Import) -> PlanIn:
    """How an import is read."""
    return parse(PlanIn, {k: v for k, v in row.content.items() if k in PlanIn.model_fields})


def as_mended(plan: PlanIn, file: BinaryIO) -> PlanIn:
    """How a file is read that may be the CSV of what was not taken, mended since: it holds only
    some of what the source has, and is written as we write."""
    file.seek(0)
    first = file.readline(_LONGEST_MARK).removeprefix(BOM_UTF8).replace(b'"', b"")
    file.seek(0)
    if not first.startswith(f"{','.join(REJECT_COLUMNS)},".encode()):
        return plan
    return plan.model_copy(update={"part": True, "encoding": "utf-8", "delimiter": ","})


def visible(session: Session, import_id: str, actor: Actor) -> Import:
    """An import to who may look into it: reviewers, and whoever had it run. Raises `NotFound`."""
    row = get(session, import_id)
    if not may_look(row, actor):
        raise Hidden
    return row


def may_look(row: Import, actor: Actor) -> bool:
    return actor.may_read_for(Act.REVIEW) or row.content.get("by") == actor.name


def described(row: Import) -> Json:
    """An import as it is told to those who may look into it."""
    account = row.account if row.state not in UNFINISHED else {**Account().to_json(), **row.account}
    return {
        "id": row.id,
        "source": row.source,
        "feed": row.feed,
        "format": row.content["format"],
        "licence": plan_of(row).terms,
        "state": row.state,
        "fault": row.fault,
        "detail": row.detail,
        "started_at": instant_text(row.started_at),
        "ended_at": row.ended_at and instant_text(row.ended_at),
        "sha256": row.sha256,
        "size": row.size,
        "done": row.position,
        "total": row.total,
        "account": account,
    }


def reject_columns(session: Session, import_id: str) -> list[str]:
    """The columns of the CSV of what was not taken: ours, and those that the entries had."""
    columns: dict[str, None] = {}
    for row in store.rejects(session, import_id):
        if len(columns) < _MOST_COLUMNS:
            columns.update(dict.fromkeys(row.original))
    return [*REJECT_COLUMNS, *columns]


def reject_rows(
    session: Session, import_id: str, after: int = 0, limit: int | None = None
) -> Iterator[Json]:
    """What was not taken: where it stands, why, and as it stood."""
    for row in store.rejects(session, import_id, after, limit):
        told = row.problems["problems"]
        yield {
            "position": row.position,
            "line": row.line,
            "held": row.held,
            "field": "; ".join(field for field, _ in told),
            "reason": "; ".join(message for _, message in told),
            "original": row.original,
        }


def of_file(session: Session, row: Import) -> Sequence[Import]:
    """The imports of the same file, which is kept once."""
    if row.sha256 is None:
        return [row]
    return session.scalars(sa.select(Import).where(Import.sha256 == row.sha256)).all()


def decided_by(session: Session, name: str) -> Iterator[tuple[Import, list[str]]]:
    """Imports that somebody had run or decided about, with the decisions that are theirs."""
    for row in session.scalars(sa.select(Import)).all():
        if theirs := [each for each in _DECISIONS if row.content.get(each) == name]:
            yield row, theirs


def tell_anew(session: Session, row: Import, changed: Json, now: datetime) -> None:
    """Record an import with something else in its content; an erased one loses its file and the
    entries of it that were not taken. Raises `Conflict` while it is being read."""
    if row.running is not None:
        raise Conflict("The import is being read; try again when it has ended.")
    row.content = {**row.content, **changed}
    if changed.get("erased") and row.sha256 is not None:
        store.drop_archived(session, row.sha256)
        store.empty_rejects(session, row.id)
    if row.state != State.UNMOVED:
        record(session, row, now)


def broken(session: Session) -> Iterator[str]:
    """Imports whose rows, files or rejects are not as they were recorded."""
    newest = {row.subject: journal.fact_of(row).content for row in journal.newest(session, IMPORT)}
    rows = session.scalars(sa.select(Import).order_by(Import.started_at, Import.id)).all()
    known = {row.id for row in rows}
    yield from (f"imports {each}: is missing" for each in sorted(newest.keys() - known))
    for row in rows:
        told = newest.get(row.id)
        if told is None and (row.state in UNFINISHED or row.state == State.UNMOVED):
            continue
        if row.state in UNFINISHED and told is not None and told["state"] == State.HELD:
            # Somebody let it through, and it is being recorded.
            continue
        if told is None:
            yield f"imports {row.id}: is not in the record"
        else:
            now = _content(session, row)
            yield from (
                f"{'rejects of imports' if name == 'rejects' else 'imports'} {row.id}: "
                f"{name} is not as recorded"
                for name in now
                if now[name] != told.get(name)
            )
    yield from (f"rejects of {each}: are of no import" for each in store.stray(session, known))
    pieces = store.pieces_kept(session)
    came = {row.sha256 for row in rows if row.sha256}
    kept = {row.sha256 for row in rows if row.sha256 and not row.content.get("erased")}
    yield from (f"archive_pieces {each}: are of no import" for each in sorted({*pieces} - came))
    for sha256 in sorted(kept):
        number, last = pieces.get(sha256, (0, -1))
        if number != last + 1 or store.digest_of_archived(session, sha256) != sha256:
            yield f"archive_pieces {sha256}: are not the file that came"


def record(session: Session, row: Import, now: datetime) -> None:
    """Record how an import ended, or what was decided about it."""
    revision = journal.latest_revision(session, IMPORT, row.id) + 1
    session.flush()
    change = Change(
        IMPORT, row.id, revision, _content(session, row), level=Visibility.RESTRICTED.level
    )
    journal.append(session, [change], author_of(row.source, now))


def _content(session: Session, row: Import) -> Json:
    """What is recorded of an import that has ended."""
    refused = hashlib.sha256()
    for each in store.rejects(session, row.id):
        told = [each.position, each.line, each.held, each.problems, each.original]
        refused.update(canonical(told))
    return {
        "source": row.source,
        "feed": row.feed,
        "state": row.state,
        "fault": row.fault,
        "detail": row.detail,
        "started_at": row.started_at.isoformat(),
        "ended_at": row.ended_at and row.ended_at.isoformat(),
        "sha256": row.sha256,
        "size": row.size,
        "total": row.total,
        "plan": row.content,
        "account": row.account,
        "rejects": refused.hexdigest(),
    }
