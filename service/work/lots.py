"""Sums in which, in whole lots, incidents count that their reader is not shown."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from service.domain.access import Visibility
from service.domain.aggregates import Table, aggregate
from service.domain.atoms import atom_of, must_cut_along_atoms
from service.domain.disclosure import in_standing_lots
from service.domain.incidents import Account
from service.domain.queries import AggregateQuery, IncidentQuery
from service.domain.shares import Telling
from service.domain.theatre import Theatre
from service.domain.when import month_bounds
from service.formats.records import when_of
from service.store import journal, tables
from service.store.accounts import load_accounts
from service.store.database import chunks
from service.store.queries import EVERYBODY, seen_at, select_accounts
from service.store.reports import CIRCLE
from service.work.aggregates import recorded_span, timeline_of, watch_of
from service.work.reports import REPORT


def answer(session: Session, query: AggregateQuery, theatre: Theatre) -> tuple[Table, int]:
    """Sum what the question selects and, in whole lots, what its reader is not shown; and how many
    hidden incidents are in the sums.

    Raises `Invalid` for a question that could tell apart what is in one lot.
    """
    must_cut_along_atoms(query, theatre)
    told = _told_in_lots(session, query.filters.sees, theatre)
    query = replace(query, filters=_whole_months(session, query.filters, told.values(), theatre))
    counted = replace(query.filters, counted=True)
    shown = session.scalars(select_accounts(counted, theatre, figures=True)).all()
    every = session.scalars(
        select_accounts(
            replace(counted, sees=Visibility.RESTRICTED.level, own=None), theatre, figures=True
        )
    ).all()
    # What is told takes the place of what its reader is shown of the same incident.
    rows = [row for row in shown if row.incident_id not in told]
    hidden = [row for row in every if row.incident_id in told]
    tellings = [Telling(account) for account, _ in load_accounts(session, [*rows, *hidden])]
    timeline = timeline_of(session, query.filters, query.grain, query.series, theatre)
    table = aggregate(tellings, query, timeline, theatre, watch_of(session, theatre))
    return table, len(hidden)


def _told_in_lots(session: Session, level: int, theatre: Theatre) -> dict[str, Account]:
    """The hidden incidents that may enter sums for readers of a level, as all reports tell them."""
    places = _places_of_hidden(session, level, theatre)
    cells = {incident: cell for cell, incidents in places.items() for incident in incidents}
    hidden = _hidden_now(session, cells, level, theatre)
    ways = {incident: way for incident, (way, _) in hidden.items()}
    return {incident: hidden[incident][1] for incident in in_standing_lots(places, ways)}


def _places_of_hidden(session: Session, level: int, theatre: Theatre) -> dict[str, list[str]]:
    """By atom every incident of which a report was ever hidden from a level, in the order in which
    the first one came into the ledger. The ledger only grows, so no place ever changes."""
    revision, leaf = tables.Revision, tables.Leaf
    first = (
        sa.select(sa.func.min(leaf.position).label("position"))
        .join(revision, revision.sequence == leaf.sequence)
        .where(revision.kind == REPORT, revision.level > level)
        .group_by(revision.subject)
        .subquery()
    )
    found = session.scalars(
        sa.select(revision)
        .join(leaf, leaf.sequence == revision.sequence)
        .join(first, first.c.position == leaf.position)
        .order_by(leaf.position)
    )
    places: dict[str, list[str]] = {}
    placed: set[str] = set()
    for each in found:
        content = journal.fact_of(each).content
        incident, read = content["incident"], content["resolved"]
        if incident not in placed:
            placed.add(incident)
            cell = atom_of(when_of(read), read["sector"], theatre)
            places.setdefault(cell, []).append(incident)
    return places


def _hidden_now(
    session: Session, cells: Mapping[str, str], level: int, theatre: Theatre
) -> dict[str, tuple[str, Account]]:
    """Those of the incidents that count and of which a level is shown nothing or something else:
    whether they are one more or take the place of what is shown, and how all reports tell them.

    Left out are those that hold or are held by others, whose remainder would tell of them, those
    of which a source tells whose licence goes no further, and
    those that have left their cell or are shown in another: their move would tell of one alone.
    """
    every = _accounts_seen(session, cells, Visibility.RESTRICTED.level)
    shown = _accounts_seen(session, every, level)
    alone = _standing_alone(session, every) - _licensed(session, every, level)
    found: dict[str, tuple[str, Account]] = {}
    for incident, account in every.items():
        other = shown.get(incident)
        atoms = {atom_of(a.when, a.sector, theatre) for a in (account, other or account)}
        hidden = account.counted and account != other
        if hidden and incident in alone and atoms == {cells[incident]}:
            way = "beside" if other is not None and other.counted else "apart"
            found[incident] = (way, account)
    return found


def _accounts_seen(session: Session, incidents: Iterable[str], level: int) -> dict[str, Account]:
    account = tables.Account
    found: dict[str, Account] = {}
    for some in chunks(sorted(incidents)):
        rows = session.scalars(
            sa.select(account).where(
                account.incident_id.in_(some), account.claimant == EVERYBODY, *seen_at(level)
            )
        ).all()
        found |= {told.incident: told for told, _ in load_accounts(session, rows)}
    return found


def _licensed(session: Session, incidents: Iterable[str], level: int) -> set[str]:
    """The incidents of which a source tells that may not be passed on to readers of a level."""
    report, term = tables.Report, tables.ReportTerm
    circles = [circle.value for circle in Visibility if circle.level > level]
    found: set[str] = set()
    for some in chunks(sorted(incidents)):
        found.update(
            session.scalars(
                sa.select(report.incident_id)
                .join(term, term.report_id == report.id)
                .where(report.incident_id.in_(some), term.kind == CIRCLE, term.value.in_(circles))
            )
        )
    return found


def _standing_alone(session: Session, incidents: Iterable[str]) -> set[str]:
    row, part = tables.Incident, aliased(tables.Incident)
    found: set[str] = set()
    for some in chunks(sorted(incidents)):
        found.update(
            session.scalars(
                sa.select(row.id).where(
                    row.id.in_(some),
                    row.parent_id.is_(None),
                    sa.not_(row.episode),
                    ~sa.exists().where(part.parent_id == row.id),
                )
            )
        )
    return found


def _whole_months(
    session: Session, filters: IncidentQuery, told: Iterable[Account], theatre: Theatre
) -> IncidentQuery:
    """From and to as asked or, over all that is known, at the bounds of months."""
    start, end = recorded_span(session, filters.clock, theatre, filters.sees, apart=False)
    starts = [start, *(account.when.known_start for account in told)]
    ends = [end, *(account.when.known_end for account in told)]
    first = filters.first or month_bounds(min(*starts, filters.last or start))[0]
    return replace(filters, first=first, last=filters.last or month_bounds(max(*ends, first))[1])
