"""Questions for sums, as the service is asked them, and as plain SQL over the same rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import prod
from typing import Any, Final

from service.domain.periods import Grain
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES

LAST_YEAR: Final = 2023
_BOUNDS: Final = ("low", "best", "high")
# About how many rows a year of each grain, and each dimension, multiply an answer by.
_A_YEAR: Final = {Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4, Grain.YEAR: 1, Grain.NAMED: 1}
_WIDTH: Final = {
    Dimension.SECTOR: 10,
    Dimension.STATUS: 3,
    Dimension.CLAIMANT: 14,
    Dimension.WEAPON: 45,
    Dimension.PARTY: 4,
}
# An answer holds at most 10,000 rows.
_MOST_ROWS: Final = 9_000
SECTOR, STATUS, CLAIMANT = Dimension.SECTOR, Dimension.STATUS, Dimension.CLAIMANT
WEAPON, PARTY = Dimension.WEAPON, Dimension.PARTY
BY_SECTOR: Final = ((SECTOR,), (SECTOR, STATUS), (SECTOR, CLAIMANT))
BY_WEAPON_OR_PARTY: Final = ((WEAPON,), (SECTOR, WEAPON), (PARTY,), (SECTOR, PARTY))


@dataclass(frozen=True, slots=True)
class Question:
    """Sums by a grain and dimensions over so many whole years."""

    grain: Grain
    by: tuple[Dimension, ...]
    years: int

    @property
    def name(self) -> str:
        return f"{self.grain} × {' × '.join(self.by)}, {self.years} years"

    @property
    def span(self) -> tuple[date, date]:
        """From the first to the last day, at the bounds of the grain's units."""
        first, last = date(LAST_YEAR - self.years + 1, 1, 1), date(LAST_YEAR, 12, 31)
        if self.grain is Grain.WEEK:
            return first + timedelta(-first.weekday() % 7), last - timedelta(last.isoweekday() % 7)
        return first, last

    @property
    def parameters(self) -> dict[str, str]:
        """Of `GET /v1/aggregates`."""
        asked = {"period": self.grain.value, "by": ",".join(self.by), "fill": "none"}
        if self.grain is Grain.NAMED:
            return asked
        first, last = self.span
        return {**asked, "from": first.isoformat(), "to": last.isoformat()}

    @property
    def query(self) -> AggregateQuery:
        first, last = (None, None) if self.grain is Grain.NAMED else self.span
        return AggregateQuery(IncidentQuery(first, last), self.grain, self.by, dense=False)


def questions(dimensions: tuple[tuple[Dimension, ...], ...]) -> Iterator[Question]:
    """Every grain by these dimensions, over as many years as an answer may hold."""
    for by in dimensions:
        for grain, periods in _A_YEAR.items():
            rows = periods * prod(_WIDTH[dimension] for dimension in by)
            fitting = [years for years in (29, 15, 10, 5, 2, 1) if rows * years <= _MOST_ROWS]
            # A single year of weeks by many weapons may be more than an answer may hold.
            if fitting:
                yield Question(grain, by, fitting[0])


def plain(question: Question, theatre: Theatre) -> str:
    """The question as whoever has only the accounts and figures would put it to SQLite."""
    whose = "f.party <> ''" if PARTY in question.by else "f.party = ''"
    weapons = (
        "JOIN account_weapons w ON w.incident_id = a.incident_id"
        " AND w.claimant = a.claimant AND w.level = a.level"
        if WEAPON in question.by
        else ""
    )
    columns = {WEAPON: "w.weapon", PARTY: "f.party"}
    keys = [
        _period(question, theatre, "a.known_start"),
        *(columns.get(d, f"a.{d}") for d in question.by),
    ]
    sums = (
        f"sum(f.counted_{bound}) FILTER (WHERE f.outcome = '{outcome}') AS {outcome}_{bound}"
        for outcome in SUMMED_OUTCOMES
        for bound in _BOUNDS
    )
    return f"""
        SELECT {", ".join(keys)}, count(DISTINCT a.incident_id) AS incidents, {", ".join(sums)}
        FROM accounts a LEFT JOIN figures f ON f.incident_id = a.incident_id
            AND f.claimant = a.claimant AND f.level = a.level AND {whose}
        {weapons}
        WHERE {_selected(question)} AND a.counted AND a.level = 0
        GROUP BY {", ".join(str(number + 1) for number in range(len(keys)))}
    """  # noqa: S608


def wide(question: Question, theatre: Theatre) -> str:
    """The question to DuckDB, which holds one wide row for each account, weapon or party."""
    table = "facts"
    if WEAPON in question.by:
        table = "by_weapon"
    if PARTY in question.by:
        table = "by_party"
    keys = [_period(question, theatre, "a.known_start", dates=True), *question.by]
    sums = (
        f"sum({outcome}_{bound}) AS {outcome}_{bound}"
        for outcome in SUMMED_OUTCOMES
        for bound in _BOUNDS
    )
    return f"""
        SELECT {", ".join(keys)}, count(*) AS incidents, sum(reports) AS reports, {", ".join(sums)}
        FROM {table} a WHERE {_selected(question)} GROUP BY ALL
    """  # noqa: S608


def _selected(question: Question) -> str:
    whose = "a.claimant <> ''" if CLAIMANT in question.by else "a.claimant = ''"
    if question.grain is Grain.NAMED:
        return whose
    first, last = question.span
    return f"{whose} AND a.known_start <= '{last}' AND a.known_end >= '{first}'"


def _period(question: Question, theatre: Theatre, day: str, *, dates: bool = False) -> str:
    if question.grain is Grain.NAMED:
        whens = (
            f"WHEN {day} BETWEEN '{bucket.start}' AND '{bucket.end}' THEN '{bucket.key}'"
            for bucket in theatre.named_buckets(next(iter(theatre.series)))
        )
        return f"CASE {' '.join(whens)} ELSE 'outside' END"
    if dates:
        return f"date_trunc('{question.grain}', {day})"
    return {
        Grain.WEEK: f"strftime('%Y-%W', {day})",
        Grain.MONTH: f"substr({day}, 1, 7)",
        Grain.QUARTER: f"substr({day}, 1, 4) || '-Q' || (substr({day}, 6, 2) + 2) / 3",
        Grain.YEAR: f"substr({day}, 1, 4)",
    }[question.grain]


def totals(rows: list[Any]) -> int:
    """All incidents in the answer of `plain`, which stand before the twelve sums."""
    return sum(row[-1 - len(_BOUNDS) * len(SUMMED_OUTCOMES)] for row in rows)
