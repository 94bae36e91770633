"""Keeping sums in step with the accounts they are made of, and checking that they are."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.cells import (
    CALENDAR,
    CUBES,
    DAYS,
    MEASURES,
    Cell,
    Measures,
    added,
    cells_of,
    coarser,
    cuts_of,
    negative,
)
from service.domain.incidents import Account
from service.domain.queries import Clock, Dimension
from service.domain.theatre import Theatre
from service.store import cells, tables
from service.store.accounts import load_accounts, touching
from service.store.database import Database
from service.store.queries import EVERYBODY
from service.work.reference import Theatres

# A change of the rules by which accounts are cut, which nothing else of the definition shows.
_RULES: Final = 1
_AT_ONCE: Final = 2_000
# Cells in memory while everything is summed.
_MOST: Final = 50_000
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
    database.write(lambda session: _fold(session, theatres.current(session)))


def _fold(session: Session, theatre: Theatre) -> None:
    _fold_in(session, cells.take_changes(session), theatre)


def _fold_in(session: Session, days: Mapping[Cell, Measures], theatre: Theatre) -> None:
    cells.add(session, {c: m for c, m in _in_all_units(days, theatre).items() if any(m)})


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
    cells.clear(session)
    cells.define(session, _definition())
    days: Sums = {}
    for cell, measures in _recounted(session, theatre):
        _add(days, cell, measures)
        if len(days) >= _MOST:
            _fold_in(session, days, theatre)
            days.clear()
    _fold_in(session, days, theatre)


def differences(session: Session, theatre: Theatre) -> Sums:
    """What all cells lack to equal a recount of the accounts; nothing where none lacks any."""
    days: Sums = {}
    for cell, measures in _recounted(session, theatre):
        _add(days, cell, measures)
    lacking = _in_all_units(days, theatre)
    for cell, measures in cells.every_folded(session):
        _add(lacking, cell, negative(measures))
    for cell, measures in _in_all_units(dict(cells.every_change(session)), theatre).items():
        _add(lacking, cell, negative(measures))
    return {cell: measures for cell, measures in lacking.items() if any(measures)}


def differences_between(session: Session, theatre: Theatre, first: date, last: date) -> Sums:
    """The same of what happened within some days as everybody tells it, by cells of days."""
    own = (c for c in CUBES if c.clock is Clock.EVENT and c.dimension is not Dimension.CLAIMANT)
    names = [cube.name(DAYS.name) for cube in own]
    lacking: Sums = {}
    for cell, measures in _recounted(session, theatre, first, last):
        if cell.cube in names:
            _add(lacking, cell, measures)
    for every in (cells.every_folded, cells.every_change):
        for cell, measures in every(session, names, first, last):
            _add(lacking, cell, negative(measures))
    return {cell: measures for cell, measures in lacking.items() if any(measures)}


def repair(session: Session, theatre: Theatre) -> int:
    """Add to the cells what they lack; return how many lacked something."""
    _fold(session, theatre)
    lacking = differences(session, theatre)
    cells.add(session, lacking)
    return len(lacking)


def _recounted(
    session: Session, theatre: Theatre, first: date | None = None, last: date | None = None
) -> Iterator[tuple[Cell, Measures]]:
    """What every account that counts adds to cells of days, or those that touch some days."""
    for rows in _batches(session, first, last):
        for (account, whose), row in zip(load_accounts(session, rows), rows, strict=True):
            circle = range(row.level, row.until_level + 1)
            yield from cells_of(account, whose or None, circle, theatre)


def _batches(session: Session, first: date | None, last: date | None) -> Iterator[Sequence[Any]]:
    row = tables.Account.__table__.c
    # In the order of time, in which the same cells follow each other.
    order = (row.claimant, row.known_start, row.incident_id)
    select = sa.select(tables.Account.__table__).where(row.counted).order_by(*order)
    if first is not None and last is not None:
        select = select.where(row.claimant == EVERYBODY, touching(first, last))
    yield from session.execute(select.execution_options(yield_per=_AT_ONCE)).partitions()


def _in_all_units(days: Mapping[Cell, Measures], theatre: Theatre) -> Sums:
    """Cells of days, and the cells of all larger units that hold them."""
    by_name: dict[str, Sums] = {cube.name(DAYS.name): {} for cube in CUBES}
    for cell, measures in days.items():
        by_name.setdefault(cell.cube, {})[cell] = measures
    for cube in CUBES:
        for cut in cuts_of(cube, theatre)[1:]:
            larger: Sums = {}
            for cell, measures in by_name[cube.name(cut.made_of)].items():
                _add(larger, coarser(cell, cube, cut), measures)
            by_name[cube.name(cut.name)] = larger
    return {cell: measures for of in by_name.values() for cell, measures in of.items()}


def _add(sums: Sums, cell: Cell, measures: Measures) -> None:
    known = sums.get(cell)
    sums[cell] = measures if known is None else added(known, measures)


def _definition() -> str:
    told = f"{_RULES} {CUBES} {CALENDAR} {MEASURES}"
    return hashlib.sha256(told.encode()).hexdigest()
