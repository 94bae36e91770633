"""Sums that the database makes itself: accounts recounted into cells of days, these rolled up.

The recount says the rules of `domain.cells.cells_of` to the database, which takes minutes for what
takes Python hours. Writers keep cells in step by the one and are checked by the other, so that each
proves the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.cells import (
    CUBES,
    DAYS,
    KEYS,
    MEASURES,
    Cell,
    Cube,
    Kept,
    kept_of,
    weapon_codes,
)
from service.domain.queries import Clock, Dimension
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES, UNMAPPED, UNSTATED, Outcome
from service.store.accounts import LONGEST, touching_apart
from service.store.database import add_selected, as_rows, dialect_of, listed, unhurried
from service.store.queries import EVERYBODY
from service.store.tables import (
    CELL_CHANGES,
    CELLS,
    Account,
    AccountWeapon,
    Figure,
    metadata,
)

_ACCOUNTS: Final = Account.__table__
_FIGURES: Final = Figure.__table__
_WEAPONS: Final = AccountWeapon.__table__
# What answers add up.
_HELD: Final = (CELLS, CELL_CHANGES)
_ONE_ACCOUNT: Final = ("incident_id", "claimant", "level")
# Written out rather than bound, so that a database sees what it groups by in what it selects.
_NONE: Final = sa.literal_column("''", sa.String())
_ZERO, _ONE = (sa.literal_column(number, sa.BigInteger()) for number in "01")
_SOURCES: Final[Any] = sa.bindparam("sources", expanding=True)
_EARLIEST, _FIRST, _LAST = (
    sa.bindparam(name, type_=sa.Date()) for name in ("earliest", "first", "last")
)
_ALWAYS: Final = {"first": date.min, "last": date.max}
_Expression = sa.ColumnElement[Any]


def fold(session: Session, theatre: Theatre) -> None:
    """Add what was appended to all cells that hold it, and take it out."""
    every = [(kept.days, kept) for cube in CUBES for kept in kept_of(cube, theatre)]
    rolled = _rolled_up(dialect_of(session), CELL_CHANGES.name)
    bound = _units(session, CELL_CHANGES, every)
    add_selected(session, CELLS, rolled, bound)
    shrunk = rolled.having(sa.func.sum(CELL_CHANGES.c.shares) <= 0).subquery()
    emptied = sa.exists().where(*(CELLS.c[name] == shrunk.c[name] for name in KEYS))
    session.execute(sa.delete(CELLS).where(CELLS.c.shares == 0, emptied), bound)
    session.execute(sa.delete(CELL_CHANGES))


def rebuild(session: Session, theatre: Theatre) -> None:
    """Make all cells anew."""
    unhurried(session)
    dialect, classes = dialect_of(session), _classes(theatre)
    for table in _HELD:
        session.execute(sa.delete(table))
    for cube in CUBES:
        session.execute(_insert_recounted(dialect, cube), classes)
    roll_up(session, theatre)


def roll_up(session: Session, theatre: Theatre) -> None:
    """Make of the cells of days, where there are no others yet, all that follows from them."""
    unhurried(session)
    made = _insert_rolled_up(dialect_of(session))
    for cube in CUBES:
        for kept in kept_of(cube, theatre):
            if kept != kept.days:
                session.execute(made, _units(session, CELLS, [(kept.source, kept)]))


def differences(session: Session, theatre: Theatre) -> Iterator[Cell]:
    """The cells that are not what a recount gives. What follows from wrong cells of days says
    nothing, and is not told."""
    unhurried(session)
    dialect, classes = dialect_of(session), _classes(theatre)
    every = {cube: [*kept_of(cube, theatre)] for cube in CUBES}
    names = [kept.name for of in every.values() for kept in of]
    strange = (sa.select(*(t.c[key] for key in KEYS)).where(t.c.cube.not_in(names)) for t in _HELD)
    yield from _found(session, sa.union(*strange))
    for cube, (days, *rest) in every.items():
        bound = {"named": days.name, **_ALWAYS, **classes}
        wrong = _found(session, _unlike_recounted(dialect, cube), bound)
        yield from wrong
        for kept in rest if not wrong else ():
            units = _units(session, CELLS, [(kept.source, kept)])
            bound = {"named": kept.name, **_ALWAYS, **units}
            yield from _found(session, _unlike_rolled_up(dialect), bound)


def differences_between(
    session: Session, theatre: Theatre, first: date, last: date
) -> Iterator[Cell]:
    """The same of what happened within some days as everybody tells it, by cells of days."""
    dialect = dialect_of(session)
    span = {"earliest": first - LONGEST, "first": first, "last": last, **_classes(theatre)}
    for cube in CUBES:
        if cube.clock is Clock.EVENT and cube.dimension is not Dimension.CLAIMANT:
            bound = {"named": next(kept_of(cube, theatre)).name, **span}
            yield from _found(session, _unlike_recounted_between(dialect, cube), bound)


def sums_of(table: sa.FromClause) -> list[sa.ColumnElement[int]]:
    # PostgreSQL sums whole numbers to a decimal, which is slow to read.
    return [sa.cast(sa.func.sum(table.c[name]), sa.BigInteger).label(name) for name in MEASURES]


def _found(session: Session, cells: Any, bound: Mapping[str, Any] | None = None) -> list[Cell]:
    return [Cell(*row) for row in session.execute(cells, bound and dict(bound)).all()]


# To put a statement of so many sums together takes longer than to sum some hundred incidents.
@cache
def _insert_recounted(dialect: str, cube: Cube) -> sa.Insert:
    return _into_cells(_grouped(_recounted(dialect, cube)))


@cache
def _insert_rolled_up(dialect: str) -> sa.Insert:
    return _into_cells(_rolled_up(dialect, CELLS.name))


def _into_cells(made: sa.Select[Any]) -> sa.Insert:
    return sa.insert(CELLS).from_select([*KEYS, *MEASURES], made)


@cache
def _unlike_recounted(dialect: str, cube: Cube) -> sa.Select[Any]:
    return _unlike(_recounted(dialect, cube), _HELD)


@cache
def _unlike_recounted_between(dialect: str, cube: Cube) -> sa.Select[Any]:
    near = touching_apart(_EARLIEST, _FIRST, _LAST)
    return _unlike([part for each in near for part in _recounted(dialect, cube, each)], _HELD)


@cache
def _unlike_rolled_up(dialect: str) -> sa.Select[Any]:
    return _unlike([_rolled_up(dialect, CELLS.name)], (CELLS,))


def _unlike(wanted: Sequence[sa.Select[Any]], tables: Sequence[sa.Table]) -> sa.Select[Any]:
    """The cells of a name and a span of which what tables hold together is not what is wanted."""
    held = (
        sa.select(
            *(table.c[name] for name in KEYS),
            *((-table.c[name]).label(name) for name in MEASURES),
        ).where(
            table.c.cube == sa.bindparam("named"), table.c.start <= _LAST, table.c.end >= _FIRST
        )
        for table in tables
    )
    every = _grouped([*wanted, *held]).subquery("every_cell")
    return sa.select(*(every.c[name] for name in KEYS)).where(
        sa.or_(*(every.c[name] != 0 for name in MEASURES))
    )


def _grouped(parts: Sequence[sa.Select[Any]]) -> sa.Select[Any]:
    every = sa.union_all(*parts).subquery("part")
    keys = [every.c[name] for name in KEYS]
    return sa.select(*keys, *sums_of(every)).group_by(*keys)


def _units(
    session: Session, source: sa.Table, wanted: Sequence[tuple[Kept, Kept]]
) -> dict[str, Any]:
    """What is rolled up, in pairs of cells of a table and those that are wanted of them."""
    sources = sorted({given.name for given, _ in wanted})
    days = session.scalars(_days(source.name), {"sources": sources}).all()
    cuts = {kept.cut.name: kept.cut for _, kept in wanted}
    return {
        "sources": sources,
        "units": as_rows((f"{name} {d}", *cut.unit(d)) for name, cut in cuts.items() for d in days),
        "kinds": as_rows(
            (given.name, kept.cut.name, kept.name, "yes" if kept.together else "")
            for given, kept in wanted
        ),
    }


@cache
def _days(table: str) -> sa.CompoundSelect[Any]:
    cells = metadata.tables[table].c
    here = cells.cube.in_(_SOURCES)
    return sa.union(*(sa.select(day).where(here) for day in (cells.start, cells.end)))


@cache
def _rolled_up(dialect: str, table: str) -> sa.Select[Any]:
    """What cells of a table make of others, as `_units` has it."""
    source, text, day = metadata.tables[table], sa.String(), sa.Date()
    units = listed(dialect, "units", {"key": text, "first": day, "last": day})
    columns = {"source": text, "cut": text, "name": text, "together": text}
    kinds = listed(dialect, "kinds", columns)
    begun, ended = units.alias("begun"), units.alias("ended")
    cells = source.c
    keys = {
        "cube": kinds.c.name,
        "start": begun.c.first,
        "end": ended.c.last,
        **{name: cells[name] for name in KEYS[3:]},
        "status": sa.case((kinds.c.together == _NONE, cells.status), else_=_NONE),
    }
    return (
        sa.select(*(keys[name].label(name) for name in KEYS), *sums_of(source))
        .join(kinds, kinds.c.source == cells.cube)
        .join(begun, _unit_of(begun, kinds, cells.start))
        .join(ended, _unit_of(ended, kinds, cells.end))
        .where(cells.cube.in_(_SOURCES))
        .group_by(*keys.values())
    )


def _unit_of(units: sa.FromClause, kinds: sa.FromClause, day: _Expression) -> _Expression:
    # One text on either side: SQLite makes an index of it, and no planner can pair days with days
    # before it has a cell.
    return units.c.key == kinds.c.cut + sa.literal_column("' '") + sa.cast(day, sa.String())


def _classes(theatre: Theatre) -> dict[str, Any]:
    """The codes that each weapon counts under."""
    weapons = theatre.weapons
    return {"classes": as_rows((w.id, c) for w in weapons for c in weapon_codes([w.id], weapons))}


@cache
def _listed_classes(dialect: str) -> sa.CTE:
    return listed(dialect, "classes", {"weapon": sa.String(), "code": sa.String()})


def _recounted(dialect: str, cube: Cube, near: _Expression | None = None) -> list[sa.Select[Any]]:
    """What accounts, or those that are near, add to a cube's cells of days: what each counts by
    itself with every figure unknown, which of them are known after all, and what these tell. Its
    parameters are `_classes`."""
    account, figure = _ACCOUNTS.c, _FIGURES.c
    chosen = [
        account.counted,
        (account.claimant != EVERYBODY)
        if cube.dimension is Dimension.CLAIMANT
        else (account.claimant == EVERYBODY),
        *([] if near is None else [near]),
    ]
    codes = _codes(dialect, cube, chosen)
    with_figures = codes.accounts.join(_FIGURES, _same(figure, account) & _is_summed(figure))
    known = _all_there(figure.low, figure.best, figure.status) | figure.below
    parts: list[tuple[_Expression, dict[str, _Expression], sa.FromClause, list[_Expression]]] = [
        (account.status, _own(), codes.accounts, []),
        (account.status, _known(), with_figures, [figure.party == codes.lacking, known]),
        (figure.status, _told(), with_figures, [figure.party == codes.telling, _tells(figure)]),
    ]
    return [
        sa.select(*_cell(cube, status, codes.code, measures))
        .select_from(rows)
        .where(*chosen, *conditions)
        for status, measures, rows, conditions in parts
    ]


def _cell(
    cube: Cube, status: _Expression, code: _Expression, measures: Mapping[str, _Expression]
) -> Iterator[_Expression]:
    """A cell of days, and what is added to it."""
    account = _ACCOUNTS.c
    first, last = {
        Clock.EVENT: (account.known_start, account.known_end),
        Clock.REPORTED: (account.reported_start, account.reported_end),
        Clock.RECEIVED: (account.received_day, account.received_day),
    }[cube.clock]
    is_open = account.start_day.is_(None) | account.end_day.is_(None)
    keys = (
        sa.literal(cube.name(DAYS.name)),
        *(first, last, is_open if cube.clock is Clock.EVENT else sa.false()),
        *(sa.func.coalesce(account.sector, _NONE), status, code),
        *(account.level, account.until_level),
    )
    for name, key in zip(KEYS, keys, strict=True):
        yield key.label(name)
    for name in MEASURES:
        yield measures.get(name, _ZERO).label(name)


def _own() -> dict[str, _Expression]:
    account = _ACCOUNTS.c
    return {
        "shares": _ONE,
        "incidents": _counted(~account.episode),
        "episodes": _counted(account.episode),
        "reports": account.reports,
        "possible_duplicates": _counted(account.possible_duplicate),
        **{f"{outcome}_unknown": _ONE for outcome in SUMMED_OUTCOMES},
    }


def _known() -> dict[str, _Expression]:
    return {f"{o}_unknown": -_counted(_FIGURES.c.outcome == o) for o in SUMMED_OUTCOMES}


def _told() -> dict[str, _Expression]:
    """What a figure tells. It is a share by itself under a status that is not the account's own,
    the first of an account under that status; a remainder is noted once likewise."""
    figure = _FIGURES.c
    elsewhere = figure.status != _ACCOUNTS.c.status
    measures = {
        "shares": _counted(elsewhere & ~_earlier()),
        "remainders": _counted(figure.remainder & ~_earlier(remainder=True)),
    }
    bounds = {
        "told": _ONE,
        "low": figure.counted_low,
        "best": figure.counted_best,
        "high": sa.func.coalesce(figure.counted_high, _ZERO),
        "open": _counted(figure.counted_high.is_(None)),
    }
    for outcome in SUMMED_OUTCOMES:
        for part, value in bounds.items():
            here = sa.case((figure.outcome == outcome, value), else_=_ZERO)
            measures[f"{outcome}_{part}"] = here
    return measures


def _earlier(*, remainder: bool = False) -> _Expression:
    """Whether a figure comes after another of the same account, party and status."""
    figure, other = _FIGURES.c, _FIGURES.alias("other").c
    same = [other[name] == figure[name] for name in (*_ONE_ACCOUNT, "party", "status")]
    before = _is_summed(other) & (other.outcome < figure.outcome)
    remains = [other.remainder] if remainder else []
    return sa.exists().where(*same, before, _tells(other), *remains)


def _tells(figure: Any) -> _Expression:
    return _all_there(figure.counted_low, figure.counted_best, figure.status)


@dataclass(frozen=True, slots=True)
class _Codes:
    """Accounts, once for each code they have, and of which party the figures then count and of
    which they may be unknown."""

    accounts: sa.FromClause
    code: _Expression
    telling: _Expression = _NONE
    lacking: _Expression = _NONE


def _codes(dialect: str, cube: Cube, chosen: Sequence[_Expression]) -> _Codes:
    account = _ACCOUNTS.c
    key = [account[name] for name in _ONE_ACCOUNT]
    match cube.dimension:
        case Dimension.WEAPON:
            weapon = _WEAPONS.c
            classes = _listed_classes(dialect)
            found: _Expression = sa.func.coalesce(classes.c.code, sa.literal(UNMAPPED))
            some = (
                sa.select(*key, found.label("code"))
                .join(_WEAPONS, _same(weapon, account))
                .join(classes, classes.c.weapon == weapon.weapon, isouter=True)
                .where(*chosen)
                .distinct()
            )
            none = ~sa.exists().where(_same(weapon, account))
        case Dimension.PARTY:
            figure = _FIGURES.c
            told = _same(figure, account), figure.party != EVERYBODY, _tells(figure)
            some = (
                sa.select(*key, figure.party.label("code"))
                .join(_FIGURES, sa.and_(*told))
                .where(*chosen)
                .distinct()
            )
            none = ~sa.exists().where(*told)
        case Dimension.CLAIMANT:
            return _Codes(_ACCOUNTS, account.claimant)
        case _:
            return _Codes(_ACCOUNTS, _NONE)
    rest = sa.select(*key, sa.literal(UNSTATED)).where(*chosen, none)
    codes = sa.union_all(some, rest).subquery()
    accounts, code = _ACCOUNTS.join(codes, _same(codes.c, account)), codes.c.code
    if cube.dimension is Dimension.WEAPON:
        return _Codes(accounts, code)
    # Of parties that are not stated it is not known whether what everybody suffered is theirs.
    return _Codes(accounts, code, code, sa.case((code == UNSTATED, _NONE), else_=code))


def _same(one: Any, other: Any) -> _Expression:
    return sa.and_(*(one[name] == other[name] for name in _ONE_ACCOUNT))


def _is_summed(figure: Any) -> _Expression:
    # So rather than by those that are, each of which would be looked up by itself.
    others: _Expression = figure.outcome.in_(sorted({*Outcome} - {*SUMMED_OUTCOMES}))
    return ~others


def _all_there(*columns: _Expression) -> _Expression:
    return sa.and_(*(column.is_not(None) for column in columns))


def _counted(condition: _Expression) -> _Expression:
    return sa.case((condition, _ONE), else_=_ZERO)
