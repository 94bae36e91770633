"""Checking that everything kept is what the record says, and the record what was promised.

The ledger is checked first; then every other table is made again from the record and compared,
so that no row of any of them can be changed, added or taken away unseen.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.domain.access import Visibility
from service.formats import checkpoint
from service.formats.disclosure import shown_whole
from service.formats.records import disclosure_of
from service.store import journal, summing, tables
from service.work import cells, feeds, imports, ledger, past, photos, reference
from service.work.checking import REPAIR
from service.work.feeds import FEED
from service.work.imports import IMPORT
from service.work.keys import KEY
from service.work.leads import LEAD
from service.work.photos import OPENING, PHOTO
from service.work.placing import INCIDENT
from service.work.reports import REPORT

# What is checked by itself; all else follows from it.
_RECORD: Final = {"revisions", "pending", "leaves", "nodes", "heads"}
# What is summed is compared with a recount, folded or not.
_SUMMED: Final = {"cells", "cell_changes", "summing"}
# Beside what is recorded of them stands how far they are just now, which nothing follows from.
_UNDER_WAY: Final = {"feeds", "imports", "archive_pieces", "rejects"}
# Of bytes the record has no more than their hashes.
_BYTES: Final = {"photo_pieces"}


def broken(
    session: Session, verifiers: Sequence[str] = (), held: Sequence[str] = ()
) -> Iterator[str]:
    """What is wrong, the first broken row first; nothing where all is as recorded.

    `verifiers` are keys that heads must be signed with, `held` the texts of heads kept elsewhere.
    """
    # What follows from something broken says nothing.
    for check in (
        ledger.broken(session, verifiers),
        _held(session, verifiers, held),
        _broken_levels(session),
    ):
        found = False
        for wrong in check:
            found = True
            yield wrong
        if found:
            return
    expected, differs = past.in_memory(), False
    try:
        expected.write(lambda into: past.project(session, into))
        with expected.reading() as made:
            for table in tables.metadata.sorted_tables:
                if table.name not in _RECORD | _UNDER_WAY | _BYTES | _SUMMED:
                    for wrong in _differences(session, made, table):
                        differs = True
                        yield wrong
    finally:
        expected.close()
    if not differs:
        yield from _broken_sums(session)
    yield from feeds.broken(session)
    yield from imports.broken(session)
    yield from photos.broken(session)


def _held(session: Session, verifiers: Sequence[str], held: Sequence[str]) -> Iterator[str]:
    """Each head that was kept elsewhere is one that this ledger had."""
    for note in held:
        told = checkpoint.parse(note)
        if verifiers and not any(ledger.signed(note, each) for each in verifiers):
            yield f"checkpoint of {told.size}: is not signed by the ledger's key"
        elif told.size > ledger.size_of(session):
            yield f"checkpoint of {told.size}: the ledger has only {ledger.size_of(session)} leaves"
        elif ledger.root(session, told.size) != told.root:
            yield f"checkpoint of {told.size}: the ledger does not hold what it stands for"
        elif session.get(tables.Head, told.size) is None:
            yield f"heads {told.size}: is missing"


def _broken_levels(session: Session) -> Iterator[str]:
    """Who was shown a revision follows from what it says of that, and who was shown what is
    recorded of an incident or a photo, from the reports that told of it then."""
    told: dict[str, dict[str, int]] = defaultdict(dict)
    place: dict[str, str] = {}
    whole: dict[str, int] = {}
    reviewers = Visibility.RESTRICTED.level
    rows = session.scalars(
        sa.select(tables.Revision)
        .order_by(tables.Revision.sequence)
        .execution_options(yield_per=500)
    )
    for row in rows:
        level = Visibility.PUBLIC.level
        if row.kind == REPORT:
            content = journal.fact_of(row).content
            level = disclosure_of(content).level
            told[place.get(row.subject, "")].pop(row.subject, None)
            told[content["incident"]][row.subject] = level
            place[row.subject] = content["incident"]
            whole[row.subject] = level if shown_whole(content) else reviewers
        elif row.kind == INCIDENT:
            level = min(told[row.subject].values(), default=level)
        elif row.kind == PHOTO:
            photo = journal.fact_of(row).content
            level = whole.get(photo["report"], reviewers) if photo["released"] else reviewers
        elif row.kind in (KEY, ledger.ERASURE, FEED, IMPORT, LEAD, OPENING, REPAIR):
            level = reviewers
        if row.level != level:
            yield f"revisions {row.sequence}: level is not {level}"


def _broken_sums(session: Session) -> Iterator[str]:
    """Accounts follow from the record by now, and the sums from them."""
    if not reference.entries_of(session, "theatre"):
        return
    if not cells.is_defined(session):
        yield "summing: is not what the cells are summed by"
    for cell in summing.differences(session, reference.load(session)):
        named = "/".join(map(str, cell))
        yield f"cells {named}: with cell_changes is not the sum of its accounts"


def _differences(session: Session, made: Session, table: sa.Table) -> Iterator[str]:
    try:
        kept, wanted = _rows(session, table), _rows(made, table)
    except (SQLAlchemyError, ValueError, TypeError) as error:
        yield f"{table.name}: cannot be read ({type(error).__name__})"
        return
    for key in sorted({*kept, *wanted}, key=str):
        named = "/".join(map(str, key))
        if key not in kept:
            yield f"{table.name} {named}: is missing"
        elif key not in wanted:
            yield f"{table.name} {named}: is not in the record"
        elif kept[key] != wanted[key]:
            columns = [c.name for c in table.columns if kept[key][c.name] != wanted[key][c.name]]
            yield f"{table.name} {named}: {', '.join(columns)} not as recorded"


def _rows(session: Session, table: sa.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    keys = [column.name for column in table.primary_key]
    found = session.execute(sa.select(table)).mappings()
    return {
        tuple(row[name] for name in keys): {str(name): value for name, value in row.items()}
        for row in found
    }
