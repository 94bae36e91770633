"""Made-up incidents in the shape of what monitors report, recorded once by the service itself.

A family is an incident, or an episode with its parts, told by one to four claimants. Each is
recorded by the service's own code about a day and a place that stand for any other, and taken
down as rows; `benchmarks.generator` then lets it happen on other days in other places. So the
rows obey whatever rules the service has, without a second copy of them.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor, Role
from service.domain.theatre import Theatre
from service.domain.vocabulary import Basis, Status
from service.formats.reports import ReportIn
from service.formats.validation import parse
from service.store import tables
from service.store.database import UtcDateTime
from service.store.journal import Author
from service.work import reports, revising
from service.work.reports import Decision, Submission

Json = dict[str, Any]
Row = dict[str, Any]

RECORDED: Final[tuple[sa.Table, ...]] = tuple(
    tables.metadata.tables[name]
    for name in (
        *("incidents", "reports", "report_terms"),
        *("accounts", "account_weapons", "figures"),
    )
)
"""The tables that a family has rows in."""
_TAKEN_DOWN: Final = (*RECORDED, tables.CELL_CHANGES)
NOON: Final = " 12:00:00.000000"
"""The time of day of every instant, as SQLite keeps it."""
FIRST: Final = -1_000_000
"""Stands for the first day, where its distance from the last differs."""
STANDS_FOR_IDS: Final = "000000000000"
"""The first twelve digits of every id: each time it happens, a family gets others."""
_SAID_WITHIN, _CAME_WITHIN = 3, 30
_CLAIMANTS: Final = (70, 20, 8, 2)
_PARTS_OF_EPISODE: Final = (2, 3)
_EPISODES = 0.02
_REVISED = 0.02
_WITHOUT_FIGURES = 0.55
_POINTS = 0.6


@dataclass(frozen=True, slots=True)
class Time:
    """A way to write when something happened: how often, the known days, and the text, in which
    `{first}` `{last}` `{month}` `{year}` stand for others."""

    weight: int
    text: str
    first: date
    last: date
    unit: str = "day"


@dataclass(frozen=True, slots=True)
class Spot:
    """A position (degrees) and the sector that it lies in."""

    sector: str
    latitude: float
    longitude: float


_DAY, _MONTH = date(1997, 5, 31), (date(1997, 5, 1), date(1997, 5, 31))
TIMES: Final = (
    Time(840, "{last}", _DAY, _DAY),
    Time(60, "{month}", *_MONTH, "month"),
    Time(15, "{month}-17~", *_MONTH, "month"),
    Time(20, "{year}", date(1997, 1, 1), date(1997, 12, 31), "year"),
    *(Time(6, "{first}/{last}", _DAY - timedelta(days), _DAY) for days in range(1, 7)),
    *(Time(6, "[{first}..{last}]", _DAY - timedelta(days), _DAY) for days in (1, 2, 7)),
    Time(6, "[..{last}]", _DAY, _DAY),
    Time(5, "[{last}..]", _DAY, _DAY),
)


@dataclass(frozen=True, slots=True)
class Family:
    """What is taken down: rows by table and what it adds to sums, raw, as SQLite keeps them, when
    and how it was told, and how many incidents it is."""

    time: Time
    incidents: int
    rows: Mapping[str, Sequence[Row]]

    @property
    def sums(self) -> Sequence[Row]:
        """What it adds to the cells of days, a cell in several rows perhaps."""
        return self.rows[tables.CELL_CHANGES.name]


def record_families(
    session: Session, theatre: Theatre, spot: Spot, many: int, chance: random.Random
) -> Iterator[Family]:
    """Record families one by one and take each down; the session is left as it was.

    `spot` is where they happen, in a sector that exists at all times.
    """
    writer = _Writer(theatre, spot, chance)
    before = {table.name: _keys(session, table) for table in _TAKEN_DOWN}
    for _ in range(many):
        savepoint = session.begin_nested()
        time_, incidents = writer.record(session)
        found = {
            table.name: [
                row for row in _raw(session, table) if _key(row, table) not in before[table.name]
            ]
            for table in _TAKEN_DOWN
        }
        savepoint.rollback()
        session.expire_all()
        yield Family(time_, incidents, found)


class _Writer:
    def __init__(self, theatre: Theatre, spot: Spot, chance: random.Random) -> None:
        self._theatre = theatre
        self._spot = spot
        self._chance = chance
        # Most is told by few. Who spoke only at times would be in doubt at others.
        voices = [c for c in theatre.claimants.values() if c.validity.first is None]
        self._voices = [v.id for v in chance.sample(voices, min(12, len(voices)))]
        self._parties = list(theatre.parties)
        self._weapons = [w.id for w in theatre.weapons]
        chance.shuffle(self._weapons)

    def record(self, session: Session) -> tuple[Time, int]:
        chance = self._chance
        [time_] = chance.choices(TIMES, [t.weight for t in TIMES])
        ids = (f"00000000-0000-7000-8000-{number:012x}" for number in count(1))
        root = next(ids)
        episode = chance.random() < _EPISODES
        parts = [next(ids) for _ in range(chance.choice(_PARTS_OF_EPISODE))] if episode else []
        for incident in (root, *parts):
            session.add(
                tables.Incident(
                    id=incident,
                    parent_id=root if incident in parts else None,
                    root_id=root,
                    episode=False,
                    counted=True,
                    level=0,
                )
            )
            session.flush()
        for incident in (root, *parts):
            self._tell(session, incident, time_, ids)
        return time_, 1 + len(parts)

    def _tell(self, session: Session, incident: str, time_: Time, ids: Iterator[str]) -> None:
        chance = self._chance
        [voices] = chance.choices(range(1, len(_CLAIMANTS) + 1), _CLAIMANTS)
        weights = [1 / rank for rank in range(1, len(self._voices) + 1)]
        told = self._casualties()
        where = self._where()
        for claimant in dict.fromkeys(chance.choices(self._voices, weights, k=voices)):
            said = time_.last + timedelta(chance.randint(0, _SAID_WITHIN))
            came = said + timedelta(chance.randint(0, _CAME_WITHIN))
            report = {
                "when": text_of(time_, time_.first, time_.last),
                "where": where,
                "claimant": claimant,
                "weapons": self._named(self._weapons, (15, 60, 20, 5)),
                "casualties": [self._as_told(line) for line in told],
                "reported": said.isoformat(),
                "summary": chance.choice(_SUMMARIES),
            }
            if chance.random() < 0.6:
                report["attributed_to"] = chance.choice(self._parties)
            author = Author("benchmark", datetime.combine(came, time(12), UTC))
            decision = self._decided(incident, is_located="as_written" not in where)
            submission = Submission(parse(ReportIn, report), decision=decision)
            [result] = reports.record(
                session, [submission], self._theatre, author, lambda: next(ids)
            )
            assert result.error is None, result.error
            assert result.id is not None
            if chance.random() < _REVISED:
                revising.amend(
                    session,
                    result.id,
                    1,
                    {"summary": chance.choice(_SUMMARIES)},
                    "said again",
                    self._theatre,
                    author,
                    Actor("benchmark", Role.ADMIN),
                )

    def _where(self) -> Json:
        if self._chance.random() < _POINTS:
            return {
                "lat": self._spot.latitude,
                "lon": self._spot.longitude,
                "precision": "settlement",
            }
        if self._chance.random() < 0.05:
            return {"as_written": "near the positions"}
        return {"sector": self._spot.sector}

    def _decided(self, incident: str, *, is_located: bool) -> Decision:
        """Mostly nothing is established; what is doubtful cannot be verified."""
        verified = Status.VERIFIED if is_located else Status.CORROBORATED
        [(status, basis)] = self._chance.choices(
            [
                (Status.UNVERIFIED, None),
                (Status.CORROBORATED, Basis.OWN_PROCEEDINGS),
                (verified, Basis.INDEPENDENT_INVESTIGATION),
                (Status.REFUTED, None),
                (Status.UNVERIFIABLE, None),
            ],
            (85, 6, 6, 2, 1),
        )
        counted = self._chance.random() > 0.01
        return Decision(incident, status, basis, counted, None if counted else "an allegation")

    def _casualties(self) -> list[Json]:
        """The dead and wounded of none, one or two parties and groups."""
        chance = self._chance
        if chance.random() < _WITHOUT_FIGURES:
            return []
        parties = [*self._parties, None]
        whose = chance.sample(parties, chance.choice((1, 1, 1, 2)))
        return [
            {
                "party": party,
                "group": chance.choice(("military", "military", "civilian", None)),
                **{
                    outcome: min(400, int(chance.paretovariate(1.1)) - chance.choice((0, 1)))
                    for outcome, often in _OUTCOMES.items()
                    if chance.random() < often
                },
            }
            for party in whose
        ]

    def _as_told(self, line: Json) -> Json:
        """Some claimants know less, or say something else."""
        told = {name: value for name, value in line.items() if value is not None}
        for outcome in _OUTCOMES.keys() & told.keys():
            number, kind = told[outcome], self._chance.random()
            if kind < 0.15:
                told[outcome] = {"low": number}
            elif kind < 0.4:
                low, high = number // 2, number + self._chance.randint(1, number + 2)
                told[outcome] = {"low": low, "best": number, "high": high}
        return told

    def _named(self, codes: Sequence[str], many: Sequence[int]) -> list[str]:
        [number] = self._chance.choices(range(len(many)), many)
        weights = [1 / rank for rank in range(1, len(codes) + 1)]
        return [*dict.fromkeys(self._chance.choices(codes, weights, k=number))]


_OUTCOMES: Final = {"killed": 0.6, "wounded": 0.6, "missing": 0.04, "captured": 0.04}
_SUMMARIES: Final = (
    "Positions came under fire during the night.",
    "An exchange of fire near the line; the other side denies that it began.",
    "A vehicle was hit on the road to the village.",
    "Mortar rounds fell near houses.",
    "Shots were heard until the morning.",
)


def text_of(time_: Time, first: date, last: date) -> str:
    """When something happened, in the form of `time_`, on other days."""
    return time_.text.format(first=first, last=last, month=f"{last:%Y-%m}", year=last.year)


def kept_of(value: Any, column: sa.Column[Any], when: Time) -> Any:
    """A value of a family as it is kept to be repeated: a day as its distance from the last."""
    if value is not None and is_time(column):
        if not isinstance(column.type, sa.Date):
            assert value.endswith(NOON), value
        return distance_of(value[:10], when)
    return value


def is_time(column: sa.Column[Any]) -> bool:
    """Whether a column holds days or instants."""
    return isinstance(column.type, sa.Date | UtcDateTime)


def distance_of(text: str, when: Time) -> int:
    """How many days after the last one a day lies; `FIRST` for the first."""
    day = date.fromisoformat(text)
    if day == when.first and when.unit != "day":
        return FIRST
    return (day - when.last).days


def _raw(session: Session, table: sa.Table) -> list[Row]:
    found = session.connection().exec_driver_sql(f'SELECT * FROM "{table.name}"')  # noqa: S608
    return [dict(row) for row in found.mappings()]


def _key(row: Mapping[str, Any], table: sa.Table) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _keys(session: Session, table: sa.Table) -> set[tuple[Any, ...]]:
    return {_key(row, table) for row in _raw(session, table)}
