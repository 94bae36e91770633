"""Keeping sums in step with the accounts they are made of, and checking that they are."""

import hashlib
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.cells import (
    CALENDAR,
    CUBES,
    MEASURES,
    Cell,
    Measures,
    added,
    cells_of,
    negative,
)
from service.domain.incidents import Account
from service.domain.theatre import Theatre
from service.store import cells, summing, tables
from service.store.database import Database
from service.work.reference import Theatres

# A change of the rules by which accounts are cut, which nothing else of the definition shows.
_RULES: Final = 3
MANY: Final = 10_000
"""Changes with which a reader has more to add up than with the cells themselves."""
Sums = dict[Cell, Measures]


class Changes:
    """What becomes of the cells of days when accounts go and others come."""

    def __init__(self, theatre: Theatre) -> None:
        self._theatre = theatre
        self._sums: Sums = {}

    def come(self, account: Account, whose: str, circle: range) -> None:
        for cell, measures in cells_of(account, whose or None, circle, self._theatre):
            _add(self._sums, cell, measures)

    def go(self, account: Account, whose: str, circle: range) -> None:
        for cell, measures in cells_of(account, whose or None, circle, self._theatre):
            _add(self._sums, cell, negative(measures))

    def keep(self, session: Session) -> None:
        cells.append(session, {c: m for c, m in self._sums.items() if any(m)})


def fold(database: Database, theatres: Theatres, at_least: int = 1) -> None:
    """Add what was appended to the cells, of all units of time, where it is so much; nobody's
    answer changes."""
    with database.reading() as session:
        if cells.waiting(session) < at_least:
            return
    database.write(lambda session: summing.fold(session, theatres.current(session)))


def is_defined(session: Session) -> bool:
    """Whether the cells are summed by the definition that this code has."""
    return cells.definitions(session) == [_definition()]


def ensure(database: Database, theatres: Theatres) -> None:
    """Sum everything, where it never was or was by another definition."""
    with database.reading() as session:
        if is_defined(session):
            return
    database.write(lambda session: _ensure(session, theatres))


def _ensure(session: Session, theatres: Theatres) -> None:
    if not is_defined(session):
        if session.scalar(sa.select(tables.Account.incident_id).limit(1)) is not None:
            rebuild(session, theatres.current(session))
        else:
            cells.define(session, _definition())


def rebuild(session: Session, theatre: Theatre) -> None:
    """Sum all accounts anew, by the definition that this code has."""
    summing.rebuild(session, theatre)
    cells.define(session, _definition())


def _add(sums: Sums, cell: Cell, measures: Measures) -> None:
    known = sums.get(cell)
    sums[cell] = measures if known is None else added(known, measures)


def _definition() -> str:
    told = f"{_RULES} {CUBES} {CALENDAR} {MEASURES}"
    return hashlib.sha256(told.encode()).hexdigest()
