"""Incidents as features: the same answers as lists give, a page at a time for maps."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.features import Extent
from service.domain.queries import BoundingBox, IncidentQuery
from service.domain.theatre import Theatre
from service.store import tables
from service.store.accounts import load_accounts
from service.store.queries import Keyset, account_order, in_box, page, select_accounts
from service.work.incidents import views_of_accounts

Json = dict[str, Any]

COUNTED_TO: Final = 10_000
"""So many are counted; more would take longer to count than to show."""


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents as one reader is shown them, where the next page starts, and how many there are
    on all, where they are not too many to count."""

    views: list[Json]
    following: Keyset | None
    matched: int | None


def find(
    session: Session,
    query: IncidentQuery,
    box: BoundingBox | None,
    theatre: Theatre,
    after: Keyset | None,
    limit: int,
) -> Page:
    """One page of incidents that lie in a box, or may: of which no position is published
    (OGC 17-069r4, /req/core/fc-bbox-response C)."""
    account = tables.Account
    select = select_accounts(query, theatre)
    if box is not None:
        here = sa.and_(*in_box((account.latitude, account.longitude), box))
        select = select.where(sa.or_(account.latitude.is_(None), here))
    order = account_order(query.clock)
    rows = session.scalars(
        page(select, order, after, oldest_first=query.oldest_first).limit(limit + 1)
    ).all()
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = Keyset(getattr(shown[-1], order[0].key), shown[-1].incident_id)
    accounts = [account for account, _ in load_accounts(session, shown)]
    return Page(
        views_of_accounts(session, accounts, query.sees), following, _matched(session, select)
    )


def extent(session: Session, query: IncidentQuery, theatre: Theatre) -> Extent:
    """What holds all incidents that a question selects."""
    found = select_accounts(query, theatre).subquery().c
    west, south, east, north, first, last = session.execute(
        sa.select(
            *(sa.func.min(found.longitude), sa.func.min(found.latitude)),
            *(sa.func.max(found.longitude), sa.func.max(found.latitude)),
            *(sa.func.min(found.known_start), sa.func.max(found.known_end)),
        )
    ).one()
    return Extent(BoundingBox(west, south, east, north) if west is not None else None, first, last)


def _matched(session: Session, select: sa.Select[Any]) -> int | None:
    some = select.with_only_columns(sa.literal(1)).limit(COUNTED_TO + 1).subquery()
    count = session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return count if count <= COUNTED_TO else None
