"""Whole lists, read in parts as plain rows."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from service.domain.queries import IncidentQuery
from service.domain.vocabulary import Outcome
from service.store import tables
from service.store.queries import EVERYBODY, Keyset

PART: Final = 250
PARTED: Final = "\x1f"
"""Between the codes of a list in one text: no code holds control characters."""
ACCOUNT: Final = (
    *("start_day", "end_day", "lasted", "earliest", "latest"),
    *("reported_start", "reported_end", "received_day"),
    *("sector", "latitude", "longitude", "precision", "status", "contested"),
    *("possible_duplicate", "counted", "episode", "reports"),
)
"""The columns that are read of accounts."""
# Under names of their own, since a question asks for the same tables.
_INCIDENT: Final = aliased(tables.Incident)
_USED: Final = aliased(tables.AccountWeapon)
_FIGURES: Final = {outcome: aliased(tables.Figure) for outcome in Outcome}
Order = tuple[Any, Any]


def count(session: Session, select: sa.Select[Any]) -> int:
    """How many rows a question selects."""
    counting = select.order_by(None).with_only_columns(sa.func.count(), maintain_column_froms=True)
    return session.scalar(counting) or 0


def place_of(session: Session, select: sa.Select[Any], order: Order, row: str) -> Keyset | None:
    """Where in an order a row stands; `None` where the question does not select it."""
    found = session.execute(select.with_only_columns(*order).where(order[1] == row)).first()
    return Keyset(found[0], found[1]) if found else None


def told_accounts(select: sa.Select[Any], query: IncidentQuery) -> sa.Select[Any]:
    """The same accounts with what is recorded of their incidents apart from them, everybody's
    figures and their weapons: the columns of `told_columns`."""
    account, incident = tables.Account, _INCIDENT
    whose = query.according_to or EVERYBODY
    select = select.join(incident, incident.id == account.incident_id)
    for outcome, figure in _FIGURES.items():
        select = select.outerjoin(
            figure,
            sa.and_(
                figure.incident_id == account.incident_id,
                figure.claimant == whose,
                figure.party == EVERYBODY,
                figure.outcome == outcome,
                figure.level == account.level,
                figure.status.is_not(None),
                figure.low.is_not(None),
                figure.best.is_not(None),
            ),
        )
    return select


def told_columns() -> list[Any]:
    """What is read of an account: its own columns, those of its incident, low, best, high and
    status for each outcome in turn, and its weapons in one text."""
    account = tables.Account
    return [
        *(account.level, *(getattr(account, name) for name in ACCOUNT)),
        *(_INCIDENT.level, _INCIDENT.title, _INCIDENT.parent_id, _INCIDENT.reason, _INCIDENT.note),
        *(c for f in _FIGURES.values() for c in (f.low, f.best, f.high, f.status)),
        sa.select(sa.func.aggregate_strings(_USED.weapon, PARTED))
        .where(
            _USED.incident_id == account.incident_id,
            _USED.claimant == account.claimant,
            _USED.level == account.level,
        )
        .correlate(account)
        .scalar_subquery(),
    ]
