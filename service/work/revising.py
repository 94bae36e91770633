"""Changing reports. One function changes a report, and it writes the revision."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Act, Actor, Visibility
from service.domain.disclosure import Disclosure
from service.domain.drafts import Where, resolve
from service.domain.imports import Origin
from service.domain.theatre import Theatre
from service.domain.vocabulary import UNLOCATED, Status
from service.errors import Conflict, Forbidden, Hidden, Invalid, NotFound, Stale, TrackerError
from service.formats.records import (
    disclosure_of,
    disclosure_to_json,
    placed_as_before,
    resolved_to_json,
)
from service.formats.reports import DisclosureIn, ReportIn, ShownIn
from service.formats.validation import parse
from service.store import journal, tables
from service.store.database import chunks
from service.store.journal import Author, Change
from service.store.queries import EVERYBODY
from service.store.reports import POSSIBLE_DUPLICATE, insert_reports, search_text
from service.work import accounts, placing, reports
from service.work.disclosure import shown_incidents
from service.work.reports import REPORT, Record

_Row = tuple[str, int, Record, datetime]


def amend(
    session: Session,
    report_id: str,
    expected: int,
    changes: Mapping[str, Any],
    reason: str,
    theatre: Theatre,
    author: Author,
    actor: Actor,
) -> Record:
    """Change what a report says or how it is shown, or withdraw it, as a new revision.

    `changes` is a JSON merge patch (RFC 7396) over what was posted; `status` may only be
    `withdrawn`. What says something else must be verified again. Raises `NotFound`, `Forbidden`
    for a report of others, `Stale` where `expected` is not the current revision, `Conflict` for a
    withdrawn report, `Invalid`.
    """
    row = to_change(session, report_id, expected, actor)
    if row.owner != actor.name and not actor.may(Act.REVIEW):
        raise Forbidden
    changed = dict(changes)
    status = changed.pop("status", None)
    if status not in (None, Status.WITHDRAWN):
        raise Invalid("can only be withdrawn here", "status")
    if status is not None and row.owner != actor.name and not actor.may(Act.MANAGE_KEYS):
        # It would say for good that its sender took it back; reviewers have `refuted`.
        raise Forbidden("Only who sent a report withdraws it.")
    old = row.record
    if "id" in changed or "incident" in changed:
        raise Invalid("cannot be changed", "id" if "id" in changed else "incident")
    new = old
    if changed.keys() - {"disclosure"}:
        report = parse(ReportIn, _merged(old["posted"], changed))
        new = said_anew(read_again(old, report, theatre, author.moment), old, author)
    if "disclosure" in changed:
        asked = {"disclosure": changed["disclosure"]}
        given = parse(ShownIn, _merged({"disclosure": _asked(old)}, asked))
        said = {name: value for name, value in new["posted"].items() if name != "disclosure"}
        shown = _shown_from_now(old, given.disclosure, changed["disclosure"], author.moment)
        posted = {**said, **given.model_dump(mode="json", exclude_unset=True)}
        new = {
            **new,
            "posted": posted,
            **disclosure_to_json(shown, new["resolved"], theatre.gazetteer),
        }
    if status is not None:
        new = {**new, "status": Status.WITHDRAWN.value, "basis": None, "grade": None}
    revise(session, row, new, reason, theatre, author)
    return new


def said_by_source(
    session: Session,
    told: Sequence[tuple[ReportIn, Origin, bool]],
    theatre: Theatre,
    author: Author,
) -> list[TrackerError | None]:
    """Let recorded reports say what their source says of them now; an error for each that cannot
    be read. How a report is shown stays, no wider than its source allows now; what is decided about
    it stays where its claim does."""
    ids = [report.id for report, *_ in told]
    rows = {row.id: row for row in reports.by_ids(session, ids, to_change=True)}
    changes: list[tuple[tables.Report, Record]] = []
    errors: list[TrackerError | None] = []
    for report, origin, is_claim in told:
        row = rows[report.id or ""]
        try:
            new = read_again(row.record, report, theatre, author.moment)
        except Invalid as error:
            errors.append(error)
            continue
        if "disclosure" in row.record["posted"]:
            shown = {"disclosure": row.record["posted"]["disclosure"]}
            new = {**new, "posted": {**new["posted"], **shown}}
        if is_claim:
            new = said_anew(new, row.record, author)
        allowed = disclosure_of(new).and_also(Disclosure(origin.circle))
        part = disclosure_to_json(allowed, new["resolved"], theatre.gazetteer)
        changes.append((row, {**new, **part, "origin": origin.to_json()}))
        errors.append(None)
    revise_all(session, changes, "changed at its source", theatre, author)
    return errors


def to_change(
    session: Session, report_id: str, expected: int | None, actor: Actor
) -> tables.Report:
    """A live report, to be changed as the revision that its reader has seen.

    Raises `NotFound` also for what the actor is not shown, `Stale`, `Conflict` for a withdrawn one.
    """
    row = session.get(tables.Report, report_id, with_for_update=True)
    if row is None:
        raise NotFound
    if not reports.is_shown(row, actor):
        raise Hidden
    if expected is not None and row.revision != expected:
        raise Stale
    if row.status == Status.WITHDRAWN:
        raise Conflict("The report is withdrawn.")
    return row


def revise(
    session: Session,
    row: tables.Report,
    record: Record,
    reason: str,
    theatre: Theatre,
    author: Author,
) -> None:
    """Give a report a new revision; everything derived from it follows."""
    revise_all(session, [(row, record)], reason, theatre, author)


def revise_all(
    session: Session,
    changes: Sequence[tuple[tables.Report, Record]],
    reason: str,
    theatre: Theatre,
    author: Author,
) -> None:
    """Give reports new revisions in the order given. What is derived follows once for all of them:
    they often share a family, and it is derived whole."""
    if not changes:
        return
    rows = {row.id: (row.id, row.revision + 1, record, row.received_at) for row, record in changes}
    incidents = {i for row, record in changes for i in (row.incident_id, record["incident"])}
    _keep_emptied(session, changes, reason, theatre, author)
    # They were compared with what fewer may know of.
    opened = [row.id for row, record in changes if disclosure_of(record).level < row.level]
    for row, _ in changes:
        session.expunge(row)
    _write_again(session, rows.values(), theatre)
    accounts.refresh_incidents(session, incidents, theatre)
    narrowed = _without_what_fewer_know(session, [rows[report_id] for report_id in opened])
    if narrowed:
        rows.update(narrowed)
        _write_again(session, narrowed.values(), theatre)
        again = {record["incident"] for _, _, record, _ in narrowed.values()}
        accounts.refresh_incidents(session, again, theatre)
    journal.append(
        session,
        (
            Change(REPORT, report_id, revision, record, reason, disclosure_of(record).level)
            for report_id, revision, record, _ in rows.values()
        ),
        author,
    )
    alone = _compared_with_hidden(session, incidents)
    revise_all(session, alone, "compared anew", theatre, author)


def _compared_with_hidden(
    session: Session, incidents: Collection[str]
) -> list[tuple[tables.Report, Record]]:
    """Reports that were compared with one of the incidents while their readers were shown it, and
    now would tell of it to some who are not; each without that."""
    account, term, report = tables.Account, tables.ReportTerm, tables.Report
    least: dict[str, int] = {}
    for some in chunks(sorted(incidents)):
        seen = sa.select(account.incident_id, sa.func.min(account.level)).where(
            account.incident_id.in_(some), account.claimant == EVERYBODY
        )
        least.update(session.execute(seen.group_by(account.incident_id)).all())
    hidden = sorted(incident for incident, level in least.items() if level > 0)
    found: dict[str, tuple[tables.Report, Record]] = {}
    for some in chunks(hidden):
        hinting = sa.select(report).where(
            report.id.in_(
                sa.select(term.report_id).where(
                    term.kind == POSSIBLE_DUPLICATE, term.value.in_(some)
                )
            )
        )
        for row in session.scalars(hinting):
            hints = row.record["possible_duplicates"]
            left = [hint for hint in hints if least.get(hint, 0) <= row.level]
            if left != hints:
                found[row.id] = row, {**row.record, "possible_duplicates": left}
    return list(found.values())


def _keep_emptied(
    session: Session,
    changes: Sequence[tuple[tables.Report, Record]],
    reason: str,
    theatre: Theatre,
    author: Author,
) -> None:
    """Record the incidents whose last reports go: so far only these may have told of them."""
    told = tables.Report
    left = {row.incident_id for row, _ in changes} - {record["incident"] for _, record in changes}
    moved = {row.id for row, record in changes if row.incident_id in left}
    for incident in sorted(left):
        staying = session.scalars(sa.select(told.id).where(told.incident_id == incident))
        if moved.issuperset(staying):
            placing.keep(session, incident, reason, theatre, author)


def _write_again(session: Session, rows: Collection[_Row], theatre: Theatre) -> None:
    """Put reports in the place of what is kept of them."""
    for some in chunks([report_id for report_id, *_ in rows]):
        for table, of_report in (
            (tables.ReportTerm, tables.ReportTerm.report_id),
            (tables.Report, tables.Report.id),
        ):
            session.execute(sa.delete(table).where(of_report.in_(some)))
    insert_reports(session, rows, theatre)


def _without_what_fewer_know(session: Session, rows: Sequence[_Row]) -> dict[str, _Row]:
    """Those of the reports that hint at what their readers are not shown, without these hints."""
    narrowed: dict[str, _Row] = {}
    for report_id, revision, record, received in rows:
        hints = record.get("possible_duplicates", [])
        shown = shown_incidents(session, hints, disclosure_of(record).level)
        if not shown.issuperset(hints):
            left = {**record, "possible_duplicates": [hint for hint in hints if hint in shown]}
            narrowed[report_id] = report_id, revision, left, received
    return narrowed


def reread(session: Session, theatre: Theatre, author: Author) -> int:
    """Read every report again against changed reference data; return how many read otherwise."""
    changes: list[tuple[tables.Report, Record]] = []
    for report_id in session.scalars(sa.select(tables.Report.id)).all():
        row = session.get_one(tables.Report, report_id)
        old = row.record
        said_at = _said_at(session, report_id)
        new = read_again(old, parse(ReportIn, old["posted"]), theatre, said_at)
        if new["resolved"] != old["resolved"]:
            changes.append((row, new))
        else:
            # What follows from the theatre alone is in no record.
            row.search_text = search_text(old, theatre)
            row.received_day = theatre.day_of(row.received_at)
    revise_all(session, changes, "reference data", theatre, author)
    return len(changes)


def _said_at(session: Session, report_id: str) -> datetime:
    """When a report came to say what it says: later decisions about it do not change that."""
    told = [journal.fact_of(revision) for revision in journal.history(session, REPORT, report_id)]
    newest = told[-1].content["posted"]
    since = takewhile(lambda fact: fact.content["posted"] == newest, reversed(told))
    return min(fact.recorded_at for fact in since)


def read_again(old: Record, report: ReportIn, theatre: Theatre, now: datetime) -> Record:
    """The record with its content read anew; what was found beside it stays, and what was read in
    parts of it that are erased since."""
    received = datetime.fromisoformat(old["received_at"])
    draft, placeless = report.to_draft(), _is_placeless(old["posted"])
    if placeless and _is_placeless(report.posted()):
        # Nobody can read it again, and no report may be sent without.
        draft = replace(draft, where=Where(sector=UNLOCATED))
    else:
        placeless = False
    read = resolved_to_json(resolve(draft, theatre, now, received))
    if placeless:
        read = placed_as_before(read, old["resolved"])
    if not (old["posted"].get("sources", True) or report.sources or report.reported):
        read["reported"] = old["resolved"]["reported"]
    counts = reports.counting(old["counted"], old["reason"], read["flags"])
    shown = disclosure_to_json(disclosure_of(old), read, theatre.gazetteer)
    return {**old, "posted": report.posted(), "resolved": read, **counts, **shown}


def said_anew(new: Record, old: Record, author: Author) -> Record:
    """The new record of a report: where it says something else than the old one, nothing is
    decided about it any more, and its author is one of those who wrote it."""
    if _said(new["posted"]) == _said(old["posted"]):
        return new
    return {
        **new,
        "status": Status.UNVERIFIED.value,
        "basis": None,
        "grade": None,
        "cleared": [],
        "authors": list(dict.fromkeys([*old["authors"], author.name])),
        "reviews": [{**review, "superseded": True} for review in old["reviews"]],
    }


def _is_placeless(posted: Record) -> bool:
    """Whether the place it happened at was erased."""
    return all(value is None for value in posted["where"].values())


def _asked(record: Record) -> Record:
    asked: Record = record["posted"].get("disclosure") or {}
    return asked


def _said(posted: Mapping[str, Any]) -> Record:
    """What a report says, apart from how it is to be shown."""
    return {
        name: value
        for name, value in posted.items()
        if name != "disclosure" and value not in (None, [])
    }


def _shown_from_now(
    old: Record, given: DisclosureIn | None, asked: Mapping[str, Any] | None, now: datetime
) -> Disclosure:
    """What a patch makes of a report's disclosure: what it does not name stays."""
    decided = disclosure_of(old)
    origin = old.get("origin")
    if asked is not None and "embargo" in asked and asked["embargo"] is None:
        decided = replace(decided, embargo=None)
    shown = (given or DisclosureIn()).to_disclosure(decided)
    if origin is not None and shown.visibility.level < Visibility(origin["circle"]).level:
        raise Invalid("cannot be wider than its source's licence allows", "disclosure.visibility")
    return reports.begun(shown, now)


def _merged(content: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396: objects merge, `null` removes, everything else replaces."""
    merged = dict(content)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged
