"""What accounts add to the rows of an answer: shares, and sums of shares that were kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from service.domain.cells import (
    CODED,
    Measures,
    moment,
    shares_of,
    weapon_rows,
    weapon_selection,
)
from service.domain.incidents import Account
from service.domain.periods import Timeline
from service.domain.queries import (
    AggregateQuery,
    Dimension,
    IncidentQuery,
)
from service.domain.theatre import Theatre
from service.domain.when import When
from service.domain.zones import days_in


@dataclass(frozen=True, slots=True)
class Telling:
    """An account, and whose it is: everybody's (`None`) or one claimant's."""

    account: Account
    claimant: str | None = None


class Counted(NamedTuple):
    """A sum of shares of one time, sector and status, with its code in each dimension asked for.

    `start` and `end` are the first and last day of the units of time it touches; `sector` and
    `status` are empty where there is none or it was not asked for.
    """

    start: date
    end: date
    is_open: bool
    sector: str
    status: str
    codes: tuple[str, ...]
    measures: Measures


@dataclass(frozen=True, slots=True)
class Asked:
    """By what sums are told apart, along which dimensions shares are cut for it, and which codes of
    each are asked for under which key; a dimension that is left out there is asked for whole, each
    code under itself."""

    by: tuple[Dimension, ...]
    dimensions: tuple[Dimension, ...]
    keys: Mapping[Dimension, Mapping[str, str]]

    def keys_of(self, codes: Sequence[str]) -> dict[Dimension, str] | None:
        """The keys of a share, or `None` where it is not asked for."""
        found: dict[Dimension, str] = {}
        for dimension, code in zip(self.dimensions, codes, strict=True):
            known = self.keys.get(dimension)
            if known is None:
                found[dimension] = code
            elif code in known:
                found[dimension] = known[code]
            else:
                return None
        return found


def asked_for(query: AggregateQuery, theatre: Theatre, *, total: bool = False) -> Asked:
    """What the rows of an answer are made of or, with `total`, what their total is."""
    filters, by = query.filters, () if total else query.by
    keys: dict[Dimension, Mapping[str, str]] = {}
    if Dimension.WEAPON in by:
        keys[Dimension.WEAPON] = weapon_rows(filters, theatre.weapons)
    elif filters.weapon is not None:
        keys[Dimension.WEAPON] = {weapon_selection(filters, theatre.weapons): ""}
    for dimension, wanted in (
        (Dimension.PARTY, filters.party),
        (Dimension.CLAIMANT, filters.according_to),
    ):
        if wanted is not None:
            keys[dimension] = {wanted: wanted}
    return Asked(by, tuple(d for d in CODED if d in by or d in keys), keys)


def counted(
    tellings: Iterable[Telling], asked: Asked, query: AggregateQuery, theatre: Theatre
) -> Iterator[Counted]:
    """The shares of selected accounts, each by itself."""
    apart = Dimension.CLAIMANT in asked.dimensions
    for telling in tellings:
        if (telling.claimant is not None) == apart:
            account = telling.account
            when = time_of(account, query.filters, theatre)
            if query.filters.zone and not when.overlaps(query.filters.first, query.filters.last):
                continue
            place = (when.known_start, when.known_end, when.is_open, account.sector or "")
            for share in shares_of(account, telling.claimant, asked.dimensions, theatre):
                yield Counted(*place, share.status.value, share.codes, share.measures)


def is_in_cell(when: When, query: IncidentQuery, timeline: Timeline, theatre: Theatre) -> bool:
    """Whether something of this time is in the bucket that a list is asked for."""
    if query.zone is not None:
        when = days_in(when, query.zone, theatre)
        if not when.overlaps(query.first, query.last):
            return False
    return query.cell is not None and timeline.place(when)[0] == query.cell.bucket


def time_of(account: Account, filters: IncidentQuery, theatre: Theatre) -> When:
    """An account's time on the clock and in the time zone of a question."""
    when = moment(account, filters.clock, theatre)
    return when if filters.zone is None else days_in(when, filters.zone, theatre)
