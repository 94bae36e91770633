"""Accounts as rows, and rows back to accounts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.figures import Figure
from service.domain.incidents import Account, Contribution, Established, Slot
from service.domain.places import Point
from service.domain.theatre import Theatre
from service.domain.vocabulary import Outcome, Precision, Status
from service.domain.when import When
from service.store import tables
from service.store.database import chunks
from service.store.queries import EVERYBODY


def _table(mapped: type[tables.Base]) -> sa.Table:
    table = mapped.__table__
    assert isinstance(table, sa.Table)
    return table


_ACCOUNTS: Final = _table(tables.Account)
_WEAPONS: Final = _table(tables.AccountWeapon)
_FIGURES: Final = _table(tables.Figure)
_Key = tuple[str, str, int]
LONGEST: Final = timedelta(days=31)
"""What lasts longer is long: it touches too much to be one event with anything."""
DERIVED: Final = (_FIGURES, _WEAPONS, _ACCOUNTS)


def is_long(when: When) -> bool:
    """Whether something may have lasted for more than the longest month, or without an end."""
    return when.is_open or when.known_end - when.known_start > LONGEST


def touching(first: date, last: date) -> sa.ColumnElement[bool]:
    """Whether an account touches some days."""
    return sa.or_(*touching_apart(first - LONGEST, first, last))


def touching_apart(earliest: Any, first: Any, last: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """The same of days that may be parameters, in two conditions that exclude each other and that
    each look at few accounts. `earliest` lies `LONGEST` before the first day."""
    row = _ACCOUNTS.c
    met = row.known_start <= last, row.known_end >= first
    return sa.and_(~row.long, row.known_start >= earliest, *met), sa.and_(row.long, *met)


def rows_of_account(
    account: Account, claimants: Iterable[str], circle: range, theatre: Theatre
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    """An account as rows of the derived tables, for readers of the levels in `circle`: once for
    each of those who tell it so."""
    rows = [*_rows(account, circle, theatre)]
    for claimant in claimants:
        for table, row in rows:
            yield table, {**row, "claimant": claimant}


def _rows(
    account: Account, circle: range, theatre: Theatre
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    key = {"incident_id": account.incident, "level": circle[0]}
    when, point = account.when, account.point
    yield (
        _ACCOUNTS,
        {
            **key,
            "until_level": circle[-1],
            "start_day": when.start,
            "end_day": when.end,
            "known_start": when.known_start,
            "known_end": when.known_end,
            "lasted": when.lasted,
            "earliest": when.earliest,
            "latest": when.latest,
            "sector": account.sector,
            "status": account.status,
            "contested": account.contested,
            "possible_duplicate": account.possible_duplicate,
            "long": is_long(when),
            "counted": account.counted,
            "episode": account.episode,
            "reports": account.reports,
            "reported_start": account.first_reported.known_start,
            "reported_end": account.first_reported.known_end,
            "first_received": account.first_received,
            "received_day": theatre.day_of(account.first_received),
            "latitude": point.latitude if point else None,
            "longitude": point.longitude if point else None,
            "precision": point.precision if point else None,
        },
    )
    for weapon in sorted(account.weapons):
        yield _WEAPONS, {**key, "weapon": weapon}
    for slot in {*account.figures, *account.contributions, *account.below}:
        party, outcome = slot
        own = account.figures.get(slot)
        counted = account.contributions.get(slot)
        stated = own or counted
        yield (
            _FIGURES,
            {
                **key,
                "party": party or EVERYBODY,
                "outcome": outcome,
                "low": own.figure.low if own else None,
                "best": own.figure.best if own else None,
                "high": own.figure.high if own else None,
                "status": stated.status if stated else None,
                "counted_low": counted.figure.low if counted else None,
                "counted_best": counted.figure.best if counted else None,
                "counted_high": counted.figure.high if counted else None,
                "remainder": counted is not None and counted.remainder,
                "below": slot in account.below,
            },
        )


def load_accounts(session: Session, rows: Sequence[Any]) -> list[tuple[Account, str]]:
    """Rows of `accounts` back to accounts with whose they are, in the order given."""
    wanted = [_key(row) for row in rows]
    weapons: dict[_Key, set[str]] = {}
    figures: dict[_Key, list[Any]] = {}
    ids = sorted({incident for incident, *_ in wanted})
    for some in chunks(ids):
        # Rows as they are: making objects of the mapped classes takes several times as long.
        for weapon in session.execute(sa.select(_WEAPONS).where(_WEAPONS.c.incident_id.in_(some))):
            weapons.setdefault(_key(weapon), set()).add(weapon.weapon)
        for figure in session.execute(sa.select(_FIGURES).where(_FIGURES.c.incident_id.in_(some))):
            figures.setdefault(_key(figure), []).append(figure)
    return [
        (_account(row, weapons.get(key, set()), figures.get(key, [])), row.claimant)
        for row, key in zip(rows, wanted, strict=True)
    ]


def _key(row: Any) -> _Key:
    return row.incident_id, row.claimant, row.level


def when_of_row(row: Any) -> When:
    return When(row.start_day, row.end_day, row.lasted, row.earliest, row.latest)


def point_of_row(row: Any) -> Point | None:
    if row.latitude is None or row.longitude is None or not row.precision:
        return None
    return Point(row.latitude, row.longitude, Precision(row.precision))


def _account(row: Any, weapons: set[str], figures: Iterable[Any]) -> Account:
    own: dict[Slot, Established] = {}
    contributions: dict[Slot, Contribution] = {}
    below: set[Slot] = set()
    for figure in figures:
        slot = (figure.party or None, Outcome(figure.outcome))
        if figure.below:
            below.add(slot)
        if figure.status is None:
            continue
        status = Status(figure.status)
        if figure.low is not None and figure.best is not None:
            own[slot] = Established(Figure(figure.low, figure.best, figure.high), status)
        if figure.counted_low is not None and figure.counted_best is not None:
            counted = Figure(figure.counted_low, figure.counted_best, figure.counted_high)
            contributions[slot] = Contribution(counted, status, figure.remainder)
    return Account(
        incident=row.incident_id,
        when=when_of_row(row),
        sector=row.sector,
        status=Status(row.status),
        contested=row.contested,
        possible_duplicate=row.possible_duplicate,
        counted=row.counted,
        episode=row.episode,
        reports=row.reports,
        first_reported=When(row.reported_start, row.reported_end),
        first_received=row.first_received,
        weapons=frozenset(weapons),
        point=point_of_row(row),
        figures=own,
        contributions=contributions,
        below=frozenset(below),
    )
