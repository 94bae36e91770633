"""What sources wrote, for people to read: each lead becomes reports, or is set aside."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Act, Actor, Visibility
from service.domain.reading import read
from service.domain.theatre import Theatre
from service.errors import Conflict, Invalid, NotFound
from service.formats.imports.months import months_of
from service.formats.leads import LeadIn, draft_of, findings_out, source_of
from service.formats.records import instant_text
from service.formats.reports import ReportIn, instant_of
from service.formats.validation import parse
from service.store import journal
from service.store.journal import Author, Change
from service.store.queries import Keyset, page
from service.store.tables import Import, Lead
from service.work import reports
from service.work.imports import plan_of
from service.work.reports import Result, Submission

LEAD: Final = "lead"
OPEN: Final = "open"
TAKEN: Final = "taken"
DISMISSED: Final = "dismissed"
Record = dict[str, Any]


def keep(
    session: Session,
    lead: LeadIn,
    source: str,
    claimant: str | None,
    import_id: str,
    author: Author,
) -> None:
    """Put a lead into the inbox, or what its source made of it since; then it is open again."""
    row = session.get(Lead, lead.id, with_for_update=True)
    before = row.record if row else {}
    record = {
        "source": source,
        "state": OPEN,
        "posted": lead.posted(),
        "import": import_id,
        "claimant": claimant,
        "reports": before.get("reports", []),
        "reason": None,
        "received_at": before.get("received_at") or instant_text(author.received),
    }
    _write(session, str(lead.id), row, record, author)


def empty(session: Session, lead_id: str, author: Author) -> None:
    """Leave nothing of what a source wrote; it is known as erased."""
    row = get(session, lead_id)
    gone = {"posted": {}, "state": DISMISSED, "erased": True}
    _write(session, lead_id, row, {**row.record, **gone}, author)


def insert(session: Session, lead_id: str, revision: int, record: Record) -> None:
    """The row of a recorded lead."""
    session.add(
        Lead(
            id=lead_id,
            revision=revision,
            source=record["source"],
            state=record["state"],
            received_at=datetime.fromisoformat(record["received_at"]).astimezone(UTC),
            record=record,
        )
    )


def find(
    session: Session, state: str | None, source: str | None, after: Keyset | None, limit: int
) -> tuple[Sequence[Lead], Keyset | None]:
    """One page of leads, the newest first, and where the next one starts."""
    select = sa.select(Lead)
    if state is not None:
        select = select.where(Lead.state == state)
    if source is not None:
        select = select.where(Lead.source == source)
    order = (Lead.received_at, Lead.id)
    rows = session.scalars(page(select, order, after, oldest_first=False).limit(limit + 1)).all()
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], Keyset(rows[limit - 1].received_at, rows[limit - 1].id)


def get(session: Session, lead_id: str) -> Lead:
    """Raises `NotFound`."""
    row = session.get(Lead, lead_id)
    if row is None:
        raise NotFound
    return row


def take(
    session: Session,
    lead_id: str,
    told: Sequence[ReportIn],
    theatre: Theatre,
    author: Author,
    actor: Actor,
    new_id: Callable[[], str],
) -> list[Result]:
    """Turn a lead into reports, all of them or none; each names the lead as a source, and is shown
    no wider than that allows.

    Raises `NotFound`, `Conflict` for a lead that is not open, and whatever refuses a report.
    """
    row = _open(session, lead_id)
    may_link = actor.may(Act.GROUP)
    circle = _circle(session, row.record)
    submissions = [
        Submission(_within(circle, _with_source(report, row.record)), may_link) for report in told
    ]
    results = reports.record(session, submissions, theatre, author, new_id)
    for result in results:
        if result.error is not None:
            raise result.error
    ids = [*row.record["reports"], *(result.id for result in results)]
    record = {**row.record, "state": TAKEN, "reports": ids}
    _write(session, lead_id, row, record, author)
    return results


def dismiss(session: Session, lead_id: str, reason: str, author: Author) -> Lead:
    """Set a lead aside. Raises `NotFound`, and `Conflict` for one that is not open."""
    row = _open(session, lead_id)
    _write(session, lead_id, row, {**row.record, "state": DISMISSED, "reason": reason}, author)
    return row


def described(row: Lead, theatre: Theatre) -> Record:
    """A lead with what is found in it now, and a first draft of a report of it."""
    record = row.record
    lead = parse(LeadIn, record["posted"])
    told = lead.told()
    said = theatre.day_of(instant_of(lead.published)) if lead.published else None
    findings = read(told, theatre, months_of(theatre.languages), said, lead.language)
    return {
        "id": row.id,
        "source": row.source,
        "state": row.state,
        "revision": row.revision,
        "title": lead.title,
        "text": lead.text,
        "url": lead.url,
        "published": lead.published,
        "language": lead.language,
        "sha256": hashlib.sha256(told.encode()).hexdigest(),
        "told": told,
        "import_id": record["import"],
        "received": record["received_at"],
        "reports": record["reports"],
        "reason": record["reason"],
        "findings": findings_out(findings).model_dump(mode="json"),
        "draft": draft_of(lead, findings, record["claimant"], theatre),
    }


def _open(session: Session, lead_id: str) -> Lead:
    row = session.get(Lead, lead_id, with_for_update=True)
    if row is None:
        raise NotFound
    if row.state != OPEN:
        raise Conflict("The lead is not open any more.")
    return row


def _with_source(report: ReportIn, record: Record) -> ReportIn:
    """A report that says where it was read, unless it does already."""
    source = source_of(parse(LeadIn, record["posted"]))
    posted = report.posted()
    given = posted.get("sources", [])
    if source in given:
        return report
    return parse(ReportIn, {**posted, "sources": [*given, source]})


def _circle(session: Session, record: Record) -> Visibility:
    """Whom a lead may be passed on to, as its source was declared when it came."""
    return plan_of(session.get_one(Import, record["import"])).circle


def _within(circle: Visibility, report: ReportIn) -> ReportIn:
    """A report that says of itself to be shown no wider. Raises `Invalid` for one that asks to."""
    asked = report.disclosure.visibility if report.disclosure else None
    if asked is not None and asked.level < circle.level:
        raise Invalid("cannot be wider than its source's licence allows", "disclosure.visibility")
    if asked is not None or circle is Visibility.PUBLIC:
        return report
    posted = report.posted()
    shown = {**(posted.get("disclosure") or {}), "visibility": circle.value}
    return parse(ReportIn, {**posted, "disclosure": shown})


def _write(
    session: Session, lead_id: str, row: Lead | None, record: Record, author: Author
) -> None:
    revision = row.revision + 1 if row else 1
    level = Visibility.RESTRICTED.level
    journal.append(session, [Change(LEAD, lead_id, revision, record, level=level)], author)
    if row is None:
        insert(session, lead_id, revision, record)
    else:
        row.revision, row.state, row.record = revision, record["state"], record
