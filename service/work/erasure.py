"""Forgetting a person. What was sealed is taken out of the record; its hash stays, so that the
ledger still holds. What was taken from which revision is recorded, for all to see who may see the
ledger whole: what is gone without such an entry was taken by somebody else."""

import secrets
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Visibility
from service.domain.theatre import Theatre
from service.errors import NotFound
from service.formats.records import disclosure_of, disclosure_to_json
from service.formats.sealing import canonical
from service.store import journal, tables
from service.store.journal import Author, Change
from service.store.tables import Revision
from service.work import imports, leads, photos, reference, revising
from service.work.keys import KEY, check_is_somebody
from service.work.ledger import ERASED, ERASURE
from service.work.reports import REPORT

Json = dict[str, Any]


class Field(StrEnum):
    """What of a report can be erased."""

    SUMMARY = "summary"
    PLACE = "place"
    SOURCES = "sources"
    REVIEWS = "reviews"
    REASONS = "reasons"


_PATHS: Final = {
    Field.SUMMARY: ("content.posted.summary",),
    Field.PLACE: (
        *("content.posted.where", "content.posted.where.observer"),
        *("content.resolved.point", "content.resolved.place", "content.published"),
        "content.origin.kept",
    ),
    Field.SOURCES: ("content.posted.sources", "content.origin.kept"),
    # What a reviewer wrote is the reason of the revision too.
    Field.REVIEWS: ("content.reviews", "reason"),
    Field.REASONS: ("reason",),
}
_OF_A_PERSON: Final = ("content.authors", "content.reviewers")
_OF_A_PHOTO: Final = ("content.original", "content.copy", "content.received_at", "reason")


def erase_fields(
    session: Session,
    report_id: str,
    fields: Sequence[Field],
    reason: str,
    theatre: Theatre,
    author: Author,
) -> None:
    """Erase parts of a report from all its revisions. Raises `NotFound`.

    What is left is what it says from now on: a place is gone from the map and from its sector
    only if the sector was not named by itself.
    """
    row = session.get(tables.Report, report_id)
    if row is None:
        raise NotFound
    paths = {path for field in fields for path in _PATHS[field]}
    taken = [_forget(r, paths) for r in journal.history(session, REPORT, report_id)]
    _record(session, taken, reason, author)
    session.flush()
    left = journal.latest_content(session, REPORT, report_id)
    assert left is not None
    part = disclosure_to_json(disclosure_of(left), left["resolved"], theatre.gazetteer)
    revising.revise(session, row, {**left, **part}, reason, theatre, author)


def erase_import(session: Session, import_id: str, reason: str, author: Author) -> None:
    """Erase the file of an import as it came, and what of it was not taken; what was recorded from
    it stays. Raises `NotFound`.

    Every other import of the very same file loses it too.
    """
    told = imports.get(session, import_id)
    for row in imports.of_file(session, told):
        _tell_anew(session, row, {"erased": True}, reason, author)


def erase_lead(session: Session, lead_id: str, reason: str, author: Author) -> None:
    """Erase what a source wrote, for good: it does not come back with the next run. The file it
    came in is erased by itself. Raises `NotFound`."""
    leads.get(session, lead_id)
    told = journal.history(session, leads.LEAD, lead_id)
    _record(session, [_forget(revision, {"content"}) for revision in told], reason, author)
    leads.empty(session, lead_id, author)


def erase_photo(session: Session, photo_id: str, reason: str, author: Author) -> None:
    """Erase a photo, as it came and its copy, with all that tells which one it was. Raises
    `NotFound`."""
    told = journal.history(session, photos.PHOTO, photo_id)
    taken = [_forget(revision, _OF_A_PHOTO) for revision in told]
    photos.empty(session, photo_id, author)
    _record(session, taken, reason, author)


def _tell_anew(
    session: Session, row: tables.Import, changed: Json, reason: str, author: Author
) -> None:
    """Change what is recorded of an import, and forget what was recorded before."""
    told = journal.history(session, imports.IMPORT, row.id)
    _record(session, [_forget(revision, {"content"}) for revision in told], reason, author)
    imports.tell_anew(session, row, changed, author.at)


def erase_person(session: Session, name: str, author: Author) -> int:
    """Erase whose key a name was, from everything it did; return how many changes that were.

    The key is gone with it. Whoever wrote or reviewed with them stays known as who did. Raises
    `NotFound` where nothing was done under the name, `Invalid` where it is nobody's.
    """
    check_is_somebody(name)
    done = list(_made_by(session, name))
    key = session.scalar(sa.select(tables.Key).where(tables.Key.name == name))
    if not done and key is None:
        raise NotFound
    taken = [_forget(revision, {"actor"}) for revision in done]
    for revision in done:
        revision.actor = ERASED
    touched = set()
    for revision in _naming(session, name):
        touched.add(revision.subject)
        taken.append(_forget(revision, _OF_A_PERSON))
    if key is not None:
        told = journal.history(session, KEY, key.id)
        taken += [_forget(revision, {"content"}) for revision in told]
        gone = Change(KEY, key.id, len(told) + 1, {}, ERASED, Visibility.RESTRICTED.level)
        journal.append(session, [gone], author)
        session.delete(key)
    _record(session, taken, ERASED, author)
    session.flush()
    for row, decisions in imports.decided_by(session, name):
        _tell_anew(session, row, dict.fromkeys(decisions, ERASED), ERASED, author)
    if touched:
        _stand_in(session, sorted(touched), name, author)
    return len(done)


def _made_by(session: Session, name: str) -> Iterable[Revision]:
    return session.scalars(sa.select(Revision).where(Revision.actor == name)).all()


def _naming(session: Session, name: str) -> Iterable[Revision]:
    """Revisions of reports that name somebody among who wrote or reviewed them."""
    rows = session.scalars(sa.select(Revision).where(Revision.kind == REPORT))
    for revision in rows.all():
        content = journal.fact_of(revision).content
        if name in content["authors"] or name in content["reviewers"].values():
            yield revision


def _forget(revision: Revision, paths: Iterable[str]) -> tuple[str, list[str]]:
    """Take values out of a revision; return its name and what was there of them."""
    private: dict[str, Any] = orjson.loads(revision.private)
    taken = sorted(private.keys() & {*paths})
    left = {path: opening for path, opening in private.items() if path not in taken}
    revision.private = canonical(left).decode()
    return f"{revision.kind}/{revision.subject}/{revision.revision}", taken


def _record(
    session: Session, taken: Iterable[tuple[str, list[str]]], reason: str, author: Author
) -> None:
    """Keep what was taken from which revision."""
    erased: dict[str, list[str]] = {}
    for name, paths in taken:
        if paths:
            erased[name] = sorted({*erased.get(name, []), *paths})
    if erased:
        level = Visibility.RESTRICTED.level
        change = Change(ERASURE, str(uuid4()), 1, {"erased": erased}, reason, level)
        journal.append(session, [change], author)


def _stand_in(session: Session, touched: Iterable[str], name: str, author: Author) -> None:
    """Name everybody else who wrote or reviewed the reports anew, and somebody erased for whom
    nobody can be taken: else others could review their own words, or verify twice."""
    theatre = reference.load(session)
    erased = f"{ERASED}:{secrets.token_hex(16)}"
    changes = []
    for report_id in touched:
        row = session.get_one(tables.Report, report_id)
        left = {
            "authors": [erased if each == name else each for each in row.record["authors"]],
            "reviewers": {
                review: erased if each == name else each
                for review, each in row.record["reviewers"].items()
            },
        }
        changes.append((row, {**row.record, **left}))
    revising.revise_all(session, changes, ERASED, theatre, author)
