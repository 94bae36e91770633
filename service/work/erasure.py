"""Forgetting a person. What was sealed is taken out of the record; its hash stays, so that the
ledger still holds. The erasure itself is recorded, as a revision with its reason."""

import secrets
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

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
from service.work import reference, reports
from service.work.keys import KEY, check_is_somebody
from service.work.reports import REPORT

ERASED: Final = "erased"
Json = dict[str, Any]


class Field(StrEnum):
    """What of a report can be erased."""

    SUMMARY = "summary"
    PLACE = "place"
    SOURCES = "sources"
    REVIEWS = "reviews"


_PATHS: Final = {
    Field.SUMMARY: ("content.posted.summary",),
    Field.PLACE: (
        *("content.posted.where", "content.posted.where.observer"),
        *("content.resolved.point", "content.resolved.place", "content.published"),
    ),
    Field.SOURCES: ("content.posted.sources",),
    Field.REVIEWS: ("content.reviews",),
}
_OF_A_PERSON: Final = ("content.authors", "content.reviewers")


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
    for revision in journal.history(session, REPORT, report_id):
        _forget(revision, paths)
    session.flush()
    left = journal.latest_content(session, REPORT, report_id)
    assert left is not None
    part = disclosure_to_json(disclosure_of(left), left["resolved"], theatre.gazetteer)
    reports.revise(session, row, {**left, **part}, reason, theatre, author)


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
    for revision in done:
        _forget(revision, {"actor"})
        revision.actor = ERASED
    touched = set()
    for revision in _naming(session, name):
        touched.add(revision.subject)
        _forget(revision, _OF_A_PERSON)
    if key is not None:
        told = journal.history(session, KEY, key.id)
        for revision in told:
            _forget(revision, {"content"})
        gone = Change(KEY, key.id, len(told) + 1, {}, ERASED, Visibility.RESTRICTED.level)
        journal.append(session, [gone], author)
        session.delete(key)
    session.flush()
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


def _forget(revision: Revision, paths: Iterable[str]) -> None:
    private: dict[str, Any] = orjson.loads(revision.private)
    left = {path: opening for path, opening in private.items() if path not in paths}
    revision.private = canonical(left).decode()


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
    reports.revise_all(session, changes, ERASED, theatre, author)
