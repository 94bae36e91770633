"""Cells as rows: added to by everybody at once, folded by one, read with what is not folded yet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.cells import DAYS, KEYS, MEASURES, Cell, Cube, Kept, Measures
from service.domain.queries import IncidentQuery
from service.domain.shares import Counted
from service.domain.theatre import Theatre
from service.store.database import insert_rows
from service.store.queries import in_sector
from service.store.summing import sums_of
from service.store.tables import CELL_CHANGES, CELLS, Summing, metadata

_AT_ONCE: Final = 1_000


def append(session: Session, changes: Mapping[Cell, Measures]) -> None:
    """Add to cells of days, in a way that waits for nobody."""
    insert_rows(session, CELL_CHANGES, [_row(cell, changes[cell]) for cell in changes])


def waiting(session: Session) -> int:
    """About how many changes are not folded in yet."""
    first, last = session.execute(
        sa.select(sa.func.min(CELL_CHANGES.c.id), sa.func.max(CELL_CHANGES.c.id))
    ).one()
    return 0 if first is None else last - first + 1


def definitions(session: Session) -> Sequence[str]:
    """By which definition the cells are summed; none before they were."""
    return session.scalars(sa.select(Summing.definition)).all()


def define(session: Session, definition: str) -> None:
    session.execute(sa.delete(Summing))
    session.add(Summing(definition=definition))


def read(
    session: Session,
    kept: Kept,
    query: IncidentQuery,
    theatre: Theatre,
    codes: Sequence[str] | None,
    *,
    by_sector: bool,
) -> Iterator[Counted]:
    """The sums that answer a question, in no order, some of one place perhaps apart; `codes`
    narrows the cube's dimension."""
    coded, by_status = kept.cube.dimension is not None, not kept.together
    for table, name in ((CELLS, kept.name), (CELL_CHANGES, kept.days.name)):
        # Cells that hold all statuses together have one status, which need not be added up.
        together = kept.together and table is CELLS
        statement = _asked(
            table.name, by_sector=by_sector, by_status=by_status or together, coded=coded
        )
        conditions = in_sector(sa.func.nullif(table.c.sector, ""), query, theatre)
        if codes is not None:
            conditions.append(table.c.code.in_(codes))
        if query.status is not None:
            conditions.append(table.c.status == query.status)
        bound = {
            "cube": name,
            "first": query.first or date.min,
            "last": query.last or date.max,
            "sees": query.sees,
        }
        found = session.execute(statement.where(*conditions), bound)
        for some in found.partitions(_AT_ONCE):
            for start, end, is_open, sector, status, code, *measures in some:
                of = (code,) if coded else ()
                yield Counted(start, end, is_open, sector, status, of, measures)


@lru_cache
def _asked(table: str, *, by_sector: bool, by_status: bool, coded: bool) -> sa.Select[Any]:
    """What every question of a kind has in common, put together once: that takes longer than to
    read a small answer."""
    own = metadata.tables[table]
    c = own.c
    nothing = sa.literal_column("''", sa.String)
    apart = [(c.sector, by_sector), (c.status, by_status), (c.code, coded)]
    key = [c.start, c.end, c.is_open, *(column if asked else nothing for column, asked in apart)]
    first: Any = sa.bindparam("first")
    last: Any = sa.bindparam("last")
    sees: Any = sa.bindparam("sees")
    conditions = (
        c.cube == sa.bindparam("cube"),
        *(c.start <= last, c.end >= first),
        *(c.level <= sees, c.until_level >= sees),
    )
    if by_sector and by_status and own is CELLS:
        # Few cells have the same place in two circles of readers, and adding them up in the
        # database takes longer than to read them all.
        return sa.select(*key, *(c[name] for name in MEASURES)).where(*conditions)
    grouped = [c.start, c.end, c.is_open, *(column for column, asked in apart if asked)]
    return sa.select(*key, *sums_of(own)).where(*conditions).group_by(*grouped)


def span(session: Session, cube: Cube, level: int) -> tuple[date | None, date | None]:
    """The first and the last day known of all that readers of a level are shown in a cube."""
    first = _outermost(session, cube, level, "start", sa.asc, min)
    return first, first and _outermost(session, cube, level, "end", sa.desc, max)


def _outermost(
    session: Session,
    cube: Cube,
    level: int,
    name: str,
    order: Callable[[Any], Any],
    choose: Callable[[Iterable[date]], date],
) -> date | None:
    """The first day, in an order, on which something is left when the changes are added."""

    def shares(table: sa.Table, most: int | None = None) -> dict[date, int]:
        day = table.c[name]
        here = [table.c.cube == cube.name(DAYS.name), *seen_at(table, level)]
        select = sa.select(day, sa.cast(sa.func.sum(table.c.shares), sa.BigInteger)).where(*here)
        return dict(session.execute(select.group_by(day).order_by(order(day)).limit(most)).all())

    changes = shares(CELL_CHANGES)
    # Each change may empty one day, so behind them one is left.
    folded = shares(CELLS, len(changes) + 1)
    days = {day for day in {*changes, *folded} if changes.get(day, 0) + folded.get(day, 0) > 0}
    return choose(days) if days else None


def seen_at(table: sa.Table, level: int) -> list[Any]:
    return [table.c.level <= level, table.c.until_level >= level]


def _row(cell: Cell, measures: Measures) -> dict[str, Any]:
    return dict(zip((*KEYS, *MEASURES), (*cell, *measures), strict=True))
