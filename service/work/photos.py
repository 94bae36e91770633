"""Photos of reports: kept as they came for reviewers alone, and shown to others as a copy, once a
reviewer has looked at it.

What the record holds of a photo; nothing of `original` and `copy` once it was erased:

    {"report", "released", "original", "copy", "received_at"}

with `{"sha256", "size", "media_type", "width", "height"}` of each file. That somebody opened an
original is recorded too.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Act, Actor, Visibility
from service.domain.photos import MOST_OF_A_REPORT
from service.domain.theatre import Theatre
from service.errors import Conflict, Forbidden, Hidden, NotFound
from service.formats.photos import Picture, content_of, level_of, photo_view, receipt
from service.formats.records import instant_text
from service.store import journal, tables
from service.store import photos as store
from service.store.journal import Author, Change
from service.store.tables import Photo
from service.work import reports, revising
from service.work.disclosure import sees_everything

PHOTO: Final = "photo"
OPENING: Final = "opening"
Json = dict[str, Any]


def known(session: Session, report_id: str, sha256: str, actor: Actor) -> Json | None:
    """The receipt of a photo that the report has already, by the hash of what was sent.

    Raises `NotFound`, also for a report that the actor is not shown, and `Forbidden` for one of
    others.
    """
    report = reports.get(session, report_id, actor)
    if report.owner != actor.name and not actor.may(Act.REVIEW):
        raise Forbidden
    photo_id = session.scalar(
        sa.select(Photo.id).where(Photo.report_id == report_id, Photo.sha256 == sha256)
    )
    if photo_id is None:
        return None
    first = journal.first_revisions(session, PHOTO, [photo_id])[photo_id]
    return receipt(photo_id, journal.fact_of(first).content, first.sha256)


def add(
    session: Session,
    report_id: str,
    original: Picture,
    copy: Picture,
    author: Author,
    actor: Actor,
    new_id: Callable[[], str],
) -> tuple[bool, Json]:
    """Keep a photo of a report; whether it was kept before, and its receipt.

    Raises what `known` does, and `Conflict` for a report that is withdrawn or has as many photos as
    it may have.
    """
    content = content_of(report_id, original, copy, instant_text(author.received))
    again = known(session, report_id, content["original"]["sha256"], actor)
    if again is not None:
        return True, again
    revising.to_change(session, report_id, None, actor)
    if sum(row.sha256 is not None for row in store.of_report(session, report_id)) >= (
        MOST_OF_A_REPORT
    ):
        raise Conflict(f"A report has at most {MOST_OF_A_REPORT} photos.")
    photo_id = new_id()
    level = Visibility.RESTRICTED.level
    [sha256] = journal.append(session, [Change(PHOTO, photo_id, 1, content, level=level)], author)
    store.insert(session, photo_id, 1, content)
    store.keep(session, photo_id, store.ORIGINAL, original.content)
    store.keep(session, photo_id, store.COPY, copy.content)
    return False, receipt(photo_id, content, sha256)


def of_report(
    session: Session, report: tables.Report, actor: Actor, theatre: Theatre
) -> list[Json]:
    """The photos of a report that the actor is shown, those that came first before the others."""
    return [
        _view(row, report, actor, theatre)
        for row in store.of_report(session, report.id)
        if _is_shown(row, report, actor)
    ]


def copy_of(session: Session, photo_id: str, actor: Actor) -> tuple[bytes, Json]:
    """The bytes of a copy, and what is recorded of it. Raises `NotFound` also for what the actor is
    not shown."""
    row = _get(session, photo_id)
    if not _is_shown(row, session.get_one(tables.Report, row.report_id), actor):
        raise Hidden
    return _content(session, row, store.COPY)


def open_original(
    session: Session, photo_id: str, author: Author, new_id: Callable[[], str]
) -> tuple[bytes, Json]:
    """The bytes as they came, and what is recorded of them; that they were asked for is recorded
    too. Raises `NotFound`."""
    found = _content(session, _get(session, photo_id), store.ORIGINAL)
    level = Visibility.RESTRICTED.level
    opening = Change(OPENING, new_id(), 1, {"photo": photo_id}, level=level)
    journal.append(session, [opening], author)
    return found


def decide(
    session: Session,
    photo_id: str,
    *,
    released: bool,
    reason: str,
    author: Author,
    actor: Actor,
    theatre: Theatre,
) -> Json:
    """Let others see a copy as far as they are shown its report, or take that back; the photo as
    the actor is told of it.

    Raises `NotFound`, `Conflict` where that is decided already or the photo erased, and `Forbidden`
    for a photo that somebody sent themselves, or of their own report.
    """
    row = _get(session, photo_id, to_change=True)
    report = session.get_one(tables.Report, row.report_id)
    if row.sha256 is None:
        raise Conflict("The photo was erased.")
    if row.record["released"] == released:
        raise Conflict("The photo is released already." if released else "It is not released.")
    sender = journal.first_revisions(session, PHOTO, [photo_id])[photo_id].actor
    if released and author.name in (sender, *report.record["authors"]):
        raise Forbidden("Nobody releases their own photo, or one of their own report.")
    record = {**row.record, "released": released}
    _write(session, row, record, level_of(record, report.record), reason, author)
    return _view(row, report, actor, theatre)


def empty(session: Session, photo_id: str, author: Author) -> None:
    """Leave nothing of a photo but that the report had one."""
    row = _get(session, photo_id, to_change=True)
    store.drop(session, photo_id)
    gone = {"released": False, "original": None, "copy": None, "received_at": None}
    row.sha256 = None
    _write(session, row, {**row.record, **gone}, Visibility.RESTRICTED.level, None, author)


def broken(session: Session) -> Iterator[str]:
    """Photos whose bytes are not those that were recorded."""
    wanted = {
        (row.subject, part): content[part]["sha256"]
        for row in journal.newest(session, PHOTO)
        for content in [journal.fact_of(row).content]
        for part in store.PARTS
        if content[part]
    }
    for photo_id, part, sha256 in store.digests(session):
        expected = wanted.pop((photo_id, part), None)
        if expected is None:
            yield f"photo_pieces {photo_id}/{part}: are of no photo"
        elif sha256 != expected:
            yield f"photo_pieces {photo_id}/{part}: are not what was recorded"
    yield from (f"photo_pieces {each}/{part}: are missing" for each, part in sorted(wanted))


def _get(session: Session, photo_id: str, *, to_change: bool = False) -> Photo:
    row = session.get(Photo, photo_id, with_for_update=to_change)
    if row is None:
        raise NotFound
    return row


def _is_shown(row: Photo, report: tables.Report, actor: Actor) -> bool:
    if sees_everything(actor, report.owner):
        return bool(row.record["released"]) or actor.sees is Visibility.RESTRICTED
    return level_of(row.record, report.record) <= actor.sees.level


def _view(row: Photo, report: tables.Report, actor: Actor, theatre: Theatre) -> Json:
    everything = actor.sees is Visibility.RESTRICTED
    return photo_view(
        row.id, row.revision, row.record, report.record, theatre, everything=everything
    )


def _content(session: Session, row: Photo, part: str) -> tuple[bytes, Json]:
    described = row.record[part]
    if described is None:
        raise NotFound
    return store.kept(session, row.id, part), described


def _write(
    session: Session, row: Photo, record: Json, level: int, reason: str | None, author: Author
) -> None:
    row.revision, row.record = row.revision + 1, record
    change = Change(PHOTO, row.id, row.revision, record, reason, level)
    journal.append(session, [change], author)
