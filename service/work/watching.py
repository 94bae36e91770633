"""Tallies and coverage: recorded once, shown side by side, never summed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.queries import WatchQuery
from service.domain.theatre import Theatre
from service.errors import Conflict, Invalid
from service.formats.records import instant_text
from service.formats.reports import instant_of
from service.formats.views import tally_view
from service.formats.watching import CoverageIn, SpanIn, TallyIn
from service.store import journal, tables
from service.store.journal import Author, Change
from service.store.queries import Keyset, page, select_tallies
from service.work.reports import Outcomes

TALLY: Final = "tally"
COVERAGE: Final = "coverage"
Record = dict[str, Any]


def record_tally(
    session: Session, tally: TallyIn, theatre: Theatre, author: Author, new_id: Callable[[], str]
) -> tuple[Outcomes, str, Record]:
    """Record a tally. Raises `Conflict` for another content under a known id."""
    outcome, tally_id, record = _record(
        session, TALLY, tally, _read_tally(tally, theatre), author, new_id
    )
    if outcome is Outcomes.CREATED:
        insert_tally(session, tally_id, record)
    return outcome, tally_id, record


def keep_tally(session: Session, tally: TallyIn, theatre: Theatre, author: Author) -> bool:
    """Record a tally under its id, or what changed of it as a new revision; whether either."""
    row = session.get(tables.Tally, tally.id)
    if row is None:
        record_tally(session, tally, theatre, author, lambda: str(tally.id))
        return True
    record = {**row.record, "posted": tally.posted(), "read": _read_tally(tally, theatre)}
    if record == row.record:
        return False
    _revise(session, TALLY, row.id, record, author)
    session.delete(row)
    session.flush()
    insert_tally(session, str(tally.id), record)
    return True


def _read_tally(tally: TallyIn, theatre: Theatre) -> Record:
    """What a tally was read as; what matched nothing is named in `unmapped`."""
    claimant = theatre.find_claimant(tally.claimant)
    blamed = tally.attributed_to and theatre.find_party(tally.attributed_to)
    sector = tally.sector if tally.sector in theatre.sectors else None
    figure = tally.figure()
    unmapped = [
        name
        for name, given, known in (
            ("claimant", tally.claimant, claimant),
            ("sector", tally.sector, sector),
            ("attributed_to", tally.attributed_to, blamed),
        )
        if given and not known
    ]
    return {
        "claimant": claimant.id if claimant else tally.claimant,
        "sector": sector,
        "attributed_to": blamed.id if blamed else tally.attributed_to,
        "unmapped": unmapped,
        "count": [figure.low, figure.best, figure.high] if figure else None,
    }


def insert_tally(session: Session, tally_id: str, record: Record) -> None:
    """The row of a recorded tally."""
    posted, read = record["posted"], record["read"]
    session.add(
        tables.Tally(
            id=tally_id,
            claimant=read["claimant"],
            sector=read["sector"],
            attributed_to=read["attributed_to"],
            unit=posted["unit"],
            start_at=instant_of(posted["from"]),
            end_at=instant_of(posted["to"]),
            record=record,
        )
    )


def record_coverage(
    session: Session,
    coverage: CoverageIn,
    theatre: Theatre,
    author: Author,
    new_id: Callable[[], str],
) -> tuple[Outcomes, str, Record]:
    """Record coverage. Raises `Invalid` for a sector nobody knows: it would cover nothing."""
    read = _read_coverage(coverage, theatre)
    outcome, coverage_id, record = _record(session, COVERAGE, coverage, read, author, new_id)
    if outcome is Outcomes.CREATED:
        insert_coverage(session, coverage_id, record)
    return outcome, coverage_id, record


def insert_coverage(session: Session, coverage_id: str, record: Record) -> None:
    """The rows of recorded coverage."""
    posted = record["posted"]
    session.add(
        tables.Coverage(
            id=coverage_id,
            observer=record["read"]["observer"],
            start_at=instant_of(posted["from"]),
            end_at=instant_of(posted["to"]),
            access=posted["access"],
            record=record,
        )
    )
    session.flush()
    session.add_all(
        tables.CoverageSector(coverage_id=coverage_id, sector=sector)
        for sector in set(posted["sectors"])
    )


def keep_coverage(session: Session, coverage: CoverageIn, theatre: Theatre, author: Author) -> bool:
    """Record coverage under its id, or what changed of it as a new revision; whether either."""
    row = session.get(tables.Coverage, coverage.id)
    if row is None:
        record_coverage(session, coverage, theatre, author, lambda: str(coverage.id))
        return True
    read = _read_coverage(coverage, theatre)
    record = {**row.record, "posted": coverage.posted(), "read": read}
    if record == row.record:
        return False
    _revise(session, COVERAGE, row.id, record, author)
    sectors = tables.CoverageSector
    session.execute(sa.delete(sectors).where(sectors.coverage_id == row.id))
    session.delete(row)
    session.flush()
    insert_coverage(session, str(coverage.id), record)
    return True


def _read_coverage(coverage: CoverageIn, theatre: Theatre) -> Record:
    """What coverage was read as. Raises `Invalid` for a sector nobody knows."""
    for i, sector in enumerate(coverage.sectors):
        if sector not in theatre.sectors:
            raise Invalid("is not a known sector", f"sectors.{i}")
    observer = theatre.find_claimant(coverage.observer)
    return {
        "observer": observer.id if observer else coverage.observer,
        "unmapped": [] if observer else ["observer"],
    }


def _revise(session: Session, kind: str, subject: str, record: Record, author: Author) -> None:
    revision = journal.latest_revision(session, kind, subject) + 1
    journal.append(session, [Change(kind, subject, revision, record)], author)


def find(
    session: Session, select: sa.Select[Any], after: Keyset | None, limit: int
) -> tuple[list[tuple[str, Record]], Keyset | None]:
    """One page of what `select` gives, in the order of time, and where the next one starts."""
    table = select.column_descriptions[0]["entity"]
    order = (table.start_at, table.id)
    rows = session.scalars(page(select, order, after, oldest_first=True).limit(limit + 1)).all()
    shown = [(row.id, row.record) for row in rows[:limit]]
    more = len(rows) > limit
    return shown, Keyset(rows[limit - 1].start_at, rows[limit - 1].id) if more else None


def side_by_side(session: Session, query: WatchQuery, theatre: Theatre) -> list[dict[str, Any]]:
    """Tallies of the same span, unit and sector in one row each, apart by claimant.

    No row is a sum: two claimants who count the same week stay two counts.
    """
    tally = tables.Tally
    rows = session.scalars(
        select_tallies(query, theatre).order_by(tally.start_at, tally.end_at, tally.unit, tally.id)
    )
    groups: dict[tuple[datetime, datetime, str, str | None], list[tables.Tally]] = {}
    for row in rows:
        groups.setdefault((row.start_at, row.end_at, row.unit, row.sector), []).append(row)
    return [
        {
            "from": instant_text(start),
            "to": instant_text(end),
            "unit": unit,
            "sector": sector,
            "claims": [tally_view(row.id, row.record) for row in group],
        }
        for (start, end, unit, sector), group in groups.items()
    ]


def _record(
    session: Session,
    kind: str,
    sent: SpanIn,
    read: Record,
    author: Author,
    new_id: Callable[[], str],
) -> tuple[Outcomes, str, Record]:
    posted = sent.posted()
    given = posted.get("id")
    if given is not None:
        first = journal.first_revisions(session, kind, [given]).get(given)
        if first is not None:
            known = journal.fact_of(first).content
            if known["posted"] != posted:
                raise Conflict("Something else is recorded under this id.")
            return Outcomes.UNCHANGED, given, known
    subject = given or new_id()
    record = {"posted": posted, "read": read, "received_at": instant_text(author.received)}
    journal.append(session, [Change(kind, subject, 1, record)], author)
    return Outcomes.CREATED, subject, record
