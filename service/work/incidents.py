"""Incidents as readers ask for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.cells import moment
from service.domain.incidents import Account
from service.domain.queries import IncidentQuery
from service.domain.shares import is_in_cell
from service.domain.theatre import Theatre
from service.errors import Merged, NotFound
from service.formats.views import account_view, claims_matrix, figures_by_party
from service.store import tables
from service.store.accounts import load_accounts
from service.store.database import chunks
from service.store.queries import (
    EVERYBODY,
    Keyset,
    account_order,
    page,
    seen_at,
    select_accounts,
)
from service.work import placing
from service.work.aggregates import timeline_of
from service.work.disclosure import (
    nearest_shown,
    parts_shown,
    shown_incidents,
    views_of,
)

Json = dict[str, Any]


def find(
    session: Session, query: IncidentQuery, theatre: Theatre, after: Keyset | None, limit: int
) -> tuple[list[Json], Keyset | None]:
    """One page of incidents with their claims side by side, and where the next one starts."""
    found: list[tuple[tables.Account, Account]] = []
    for each in _selected(session, query, theatre, after, limit):
        found.append(each)
        if len(found) > limit:
            break
    shown = found[:limit]
    items = _described(session, [account for _, account in shown], query.sees)
    following = None
    if len(found) > limit:
        last = shown[-1][0]
        following = Keyset(_value(last, query), last.incident_id)
    return items, following


def get(session: Session, incident_id: str, actor: Actor, theatre: Theatre) -> Json:
    """One incident with every report about it that the actor is shown.

    Raises `NotFound`, and `Merged` for one that has become part of another's account.
    """
    level = actor.sees.level
    row = session.scalar(
        sa.select(tables.Account).where(
            tables.Account.incident_id == incident_id,
            tables.Account.claimant == EVERYBODY,
            *seen_at(level),
        )
    )
    if row is None:
        into = placing.told_under(session, incident_id)
        if into != incident_id and shown_incidents(session, [into], level):
            raise Merged(into)
        raise NotFound
    [(account, _)] = load_accounts(session, [row])
    [item] = _described(session, [account], level)
    told = _reports_of(session, [incident_id], level)[incident_id]
    return {
        **item,
        "by_party": figures_by_party(account.figures),
        "claims": views_of(session, told, actor, theatre),
    }


def _described(session: Session, accounts: Sequence[Account], level: int) -> list[Json]:
    """Accounts with what is recorded of their incidents, their parts and every figure claimed."""
    ids = [account.incident for account in accounts]
    told = _reports_of(session, ids, level)
    parts = _parts_of(session, ids, level)
    return [
        {
            **view,
            "parts": parts[view["id"]],
            "matrix": claims_matrix((r.id, r.record) for r in told[view["id"]]),
        }
        for view in views_of_accounts(session, accounts, level)
    ]


def views_of_accounts(session: Session, accounts: Sequence[Account], level: int) -> list[Json]:
    """Accounts with what is recorded of their incidents, as readers of a level are shown it."""
    ids = [account.incident for account in accounts]
    said = {
        row.id: placing.shown_of(row, level)
        for row in session.scalars(sa.select(tables.Incident).where(tables.Incident.id.in_(ids)))
    }
    wholes = {each["part_of"] for each in said.values()}
    shown = {whole: nearest_shown(session, whole, level) for whole in wholes}
    return [
        account_view(
            account,
            title=said[account.incident]["title"],
            part_of=shown[said[account.incident]["part_of"]],
            reason=said[account.incident]["reason"],
            note=said[account.incident]["note"],
        )
        for account in accounts
    ]


def _reports_of(
    session: Session, incidents: Sequence[str], level: int
) -> dict[str, list[tables.Report]]:
    """Reports by incident that readers of a level are shown, in the order they were made."""
    report = tables.Report
    told: dict[str, list[tables.Report]] = defaultdict(list)
    for row in session.scalars(
        sa.select(report)
        .where(report.incident_id.in_(incidents), report.level <= level)
        .order_by(report.reported_end, report.received_at, report.id)
    ):
        told[row.incident_id].append(row)
    return told


def _parts_of(session: Session, incidents: Sequence[str], level: int) -> dict[str, list[Json]]:
    """The parts of each incident in the order of their time."""
    parts = parts_shown(session, incidents, level)
    account = tables.Account
    begun: dict[str, date] = {}
    for some in chunks(sorted({row.id for rows in parts.values() for row in rows})):
        select = sa.select(account.incident_id, account.known_start).where(
            account.incident_id.in_(some), account.claimant == EVERYBODY, *seen_at(level)
        )
        begun.update(session.execute(select).all())
    return {
        incident: [
            {"id": row.id, "title": placing.shown_of(row, level)["title"]}
            for row in sorted(parts.get(incident, ()), key=lambda row: (begun[row.id], row.id))
        ]
        for incident in incidents
    }


def _selected(
    session: Session, query: IncidentQuery, theatre: Theatre, after: Keyset | None, limit: int
) -> Iterator[tuple[tables.Account, Account]]:
    """Accounts in order; a cell of an aggregate is told by the very rule that filled it."""
    timeline = None
    if query.cell is not None:
        timeline = timeline_of(session, query, query.cell.grain, query.cell.series, theatre)
    select = select_accounts(query, theatre)
    order = account_order(query.clock)
    while True:
        rows = session.scalars(
            page(select, order, after, oldest_first=query.oldest_first).limit(limit + 1)
        ).all()
        for row, (account, _) in zip(rows, load_accounts(session, rows), strict=True):
            if timeline is None or is_in_cell(
                moment(account, query.clock, theatre), query, timeline, theatre
            ):
                yield row, account
        if len(rows) <= limit:
            return
        after = Keyset(_value(rows[-1], query), rows[-1].incident_id)


def _value(row: tables.Account, query: IncidentQuery) -> Any:
    return getattr(row, account_order(query.clock)[0].key)
