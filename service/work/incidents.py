"""Incidents as readers ask for them."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.aggregates import moment
from service.domain.incidents import Account
from service.domain.queries import IncidentQuery
from service.domain.theatre import Theatre
from service.errors import NotFound
from service.formats.views import account_view, claims_matrix, figures_by_party, report_view
from service.store import tables
from service.store.accounts import load_accounts
from service.store.queries import EVERYBODY, Keyset, account_order, page, select_accounts
from service.work.aggregates import timeline_of

Json = dict[str, Any]


def find(
    session: Session, query: IncidentQuery, theatre: Theatre, after: Keyset | None, limit: int
) -> tuple[list[Json], Keyset | None]:
    """One page of incidents, and where the next one starts."""
    items: list[Json] = []
    for row, account in _selected(session, query, theatre, after, limit):
        items.append(account_view(account, _recorded(session, row.incident_id)))
        if len(items) > limit:
            break
        last = Keyset(_value(row, query), row.incident_id)
    return items[:limit], last if len(items) > limit else None


def get(session: Session, incident_id: str, theatre: Theatre) -> Json:
    """One incident with its claims side by side, its parts, and what it is part of."""
    row = session.get(tables.Account, (incident_id, EVERYBODY))
    if row is None:
        raise NotFound
    [(account, _)] = load_accounts(session, [row])
    told = session.scalars(
        sa.select(tables.Report)
        .where(tables.Report.incident_id == incident_id)
        .order_by(tables.Report.reported_end, tables.Report.received_at, tables.Report.id)
    ).all()
    parts = session.execute(
        sa.select(tables.Incident.id, tables.Incident.title)
        .join(tables.Account, tables.Account.incident_id == tables.Incident.id)
        .where(tables.Incident.parent_id == incident_id, tables.Account.claimant == EVERYBODY)
        .order_by(tables.Account.known_start, tables.Incident.id)
    )
    return {
        **account_view(account, _recorded(session, incident_id)),
        "by_party": figures_by_party(account.figures),
        "parts": [{"id": part_id, "title": title} for part_id, title in parts],
        "matrix": claims_matrix((report.id, report.record) for report in told),
        "claims": [report_view(r.id, r.revision, r.record, theatre) for r in told],
    }


def _selected(
    session: Session, query: IncidentQuery, theatre: Theatre, after: Keyset | None, limit: int
) -> Iterator[tuple[tables.Account, Account]]:
    """Rows in order; a cell of an aggregate is told by the very rule that filled it."""
    timeline = None
    if query.cell is not None:
        timeline = timeline_of(session, query, query.cell.grain, query.cell.series, theatre)
    select = select_accounts(query, theatre)
    while True:
        rows = session.scalars(
            page(select, account_order(query.clock), after, oldest_first=query.oldest_first).limit(
                limit + 1
            )
        ).all()
        for row, (account, _) in zip(rows, load_accounts(session, rows), strict=True):
            place = timeline.place(moment(account, query.clock, theatre)) if timeline else None
            if place is None or (query.cell and place[0] == query.cell.bucket):
                yield row, account
        if len(rows) <= limit:
            return
        after = Keyset(_value(rows[-1], query), rows[-1].incident_id)


def _value(row: tables.Account, query: IncidentQuery) -> Any:
    return getattr(row, account_order(query.clock)[0].key)


def _recorded(session: Session, incident_id: str) -> Json:
    row = session.get_one(tables.Incident, incident_id)
    return {
        "title": row.title,
        "reason": row.reason,
        "parent_id": row.parent_id,
        "note": row.note,
    }
