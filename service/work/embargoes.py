"""Ending embargoes. The end is a recorded change like any other, so that a report appears in the
feed, in figures and in the ledger when it appears to readers."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.formats.records import disclosure_of, disclosure_to_json
from service.store import tables
from service.store.database import Database
from service.store.journal import Author
from service.work import revising
from service.work.reference import Theatres

ACTOR: Final = "embargo"


def end(database: Database, theatres: Theatres, now: datetime) -> int:
    """Record the end of every embargo that is over; return how many ended."""
    with database.reading() as session:
        if session.scalar(_over(now).limit(1)) is None:
            return 0
    return database.write(lambda session: _end(session, theatres.current(session), now))


def _over(now: datetime) -> sa.Select[Any]:
    return sa.select(tables.Report.id).where(tables.Report.embargo <= now)


def _end(session: Session, theatre: Theatre, now: datetime) -> int:
    author = Author(ACTOR, now)
    over = session.scalars(_over(now)).all()
    changes = []
    for report_id in over:
        row = session.get_one(tables.Report, report_id)
        shown = replace(disclosure_of(row.record), embargo=None)
        part = disclosure_to_json(shown, row.record["resolved"], theatre.gazetteer)
        changes.append((row, {**row.record, **part}))
    revising.revise_all(session, changes, "embargo ended", theatre, author)
    return len(over)
