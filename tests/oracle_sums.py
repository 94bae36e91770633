"""Sums over what the oracle knows, row by row, and which incidents are behind each row."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from typing import Any

from tests.domain.recount import LIVE, STRENGTH
from tests.oracle import Oracle, Told
from tests.reckoning import OUTCOMES, Json, Span, day, known, span

Key = tuple[str | None, ...]


@dataclass
class Count:
    """One row; `behind` holds the incidents and episodes that it counts."""

    incidents: int = 0
    episodes: int = 0
    reports: int = 0
    possible_duplicates: int = 0
    remainder: bool = False
    behind: set[str] = field(default_factory=set)
    figures: dict[str, tuple[int | None, int | None, int | None, int, int]] = field(
        default_factory=lambda: dict.fromkeys(OUTCOMES, (None, None, None, 0, 0))
    )

    def add(self, told: Told, counts: bool, of_status: str | None, whose: str | None) -> bool:
        """Add what `told` says of one party and status; answer whether there is anything."""
        figures = {
            o: told.adds[whose, o]
            for o in OUTCOMES
            if (whose, o) in told.adds and of_status in (None, told.adds[whose, o][1])
        }
        if counts:
            self.behind.add(told.incident)
            self.reports += told.reports
            self.possible_duplicates += told.possible_duplicate
            self.episodes += told.episode
            self.incidents += not told.episode
        for outcome in OUTCOMES:
            low, best, high, opened, silent = self.figures[outcome]
            if outcome in figures:
                bounds, _, remainder = figures[outcome]
                high = None if opened or bounds[2] == math.inf else (high or 0) + int(bounds[2])
                opened += bounds[2] == math.inf
                low, best = (low or 0) + int(bounds[0]), (best or 0) + int(bounds[1])
                self.remainder = self.remainder or remainder
            slot = (None if whose == "unstated" else whose, outcome)
            silent += counts and slot not in told.known
            self.figures[outcome] = low, best, high, opened, silent
        return counts or bool(figures)

    def shown(self) -> Json:
        return {
            "incidents": self.incidents,
            "episodes": self.episodes,
            "reports": self.reports,
            "possible_duplicates": self.possible_duplicates,
            "figures": {
                outcome: dict(zip(("low", "best", "high", "open", "unknown"), each, strict=True))
                for outcome, each in self.figures.items()
            },
            "remainder": self.remainder,
        }


def nothing(count: int | None) -> Json:
    empty = {"low": count, "best": count, "high": count, "open": 0, "unknown": 0}
    return {
        "incidents": count,
        "episodes": count,
        "reports": count,
        "possible_duplicates": count,
        "figures": dict.fromkeys(OUTCOMES, empty),
        "remainder": False,
    }


class Question:
    """Parameters of `/v1/aggregates` or, without `sums`, of a list, answered by the oracle."""

    def __init__(self, oracle: Oracle, asked: dict[str, Any], *, sums: bool = True) -> None:
        self.sums = sums
        self.oracle = oracle
        self.asked = asked
        self.clock = asked.get("clock", "event")
        self.level = int(asked.get("level", 1))
        self.by = [name for name in asked.get("by", "sector").split(",") if name]
        self.grain = asked.get("period", "month")
        self.first = span(asked["from"])[0] if "from" in asked else None
        self.last = span(asked["to"])[1] if "to" in asked else None

    def selected(self, *, apart: bool = False) -> list[Told]:
        """The tellings that all filters select, counted or not."""
        whose = self.asked.get("according_to")
        told = self.oracle.apart if apart or whose else self.oracle.told
        return [one for one in told if whose in (None, one.claimant) and self._fits(one)]

    @cached_property
    def bounds(self) -> tuple[date, date]:
        """The days that the answer is about."""
        if self.first is not None and self.last is not None:
            return self.first, self.last
        apart = "claimant" in self.by or "according_to" in self.asked
        spans = [
            known(self.time(one))
            for one in (*self.oracle.told, *(self.oracle.apart if apart else ()))
            if one.counted
        ] or [(date(1994, 1, 1), date(1994, 1, 1))]
        earliest, latest = min(s[0] for s in spans), max(s[1] for s in spans)
        first = self.first or min(earliest, self.last or earliest)
        return first, self.last or max(latest, first)

    def time(self, told: Told) -> Span:
        return {
            "event": told.when,
            "reported": told.reported,
            "received": (told.received, told.received),
        }[self.clock]

    def rows(self) -> dict[Key, Count]:
        """Keys are the period, then a value per dimension; after a sector what is known instead."""
        rows: dict[Key, Count] = {}
        for told in self.selected(apart="claimant" in self.by):
            if told.counted:
                for keys, whose, of_status in self._keys(told):
                    row = Count()
                    counts = of_status in (None, told.status)
                    if row.add(told, counts, of_status, whose):
                        rows.setdefault(keys, Count()).add(told, counts, of_status, whose)
        return rows

    def total(self) -> Count | None:
        """`None` where nothing is selected."""
        total, anything = Count(), False
        status = self.asked.get("status")
        for told in self.selected():
            if told.counted:
                counts = status in (None, told.status)
                anything |= total.add(told, counts, status, self.asked.get("party"))
        return total if anything else None

    def _keys(self, told: Told) -> Iterator[tuple[Key, str | None, str | None]]:
        period = self.period(self.time(told))
        party, status = self.asked.get("party"), self.asked.get("status")
        parties: set[str | None] = {party}
        if "party" in self.by:
            named = {p for p, _ in told.adds if p is not None} or {"unstated"}
            parties = {p for p in named if party in (None, p)}
        statuses = [s for s in STRENGTH if status in (None, s)] if "status" in self.by else [status]
        weapons = self._weapons(told) if "weapon" in self.by else {""}
        for whose, of_status, weapon in product(parties, statuses, weapons):
            values: dict[str, tuple[str | None, ...]] = {
                "sector": self._sector(told.sector),
                "weapon": (weapon,),
                "claimant": (told.claimant,),
                "party": (whose,),
                "status": (of_status,),
            }
            key = (period, *(value for name in self.by for value in values[name]))
            yield key, whose, of_status

    def _sector(self, sector: str | None) -> tuple[str, str | None]:
        path = self.oracle.sectors.path(sector) if sector else []
        return (path[self.level], None) if self.level < len(path) else ("unlocated", sector)

    def _weapons(self, told: Told) -> set[str]:
        """Rows of the weapons that the filter selects."""
        tree, asked = self.oracle.weapons, self.asked.get("weapon")
        exact = self.asked.get("weapon_exact") == "true"
        found = set()
        for weapon in told.weapons:
            path = tree.path(weapon) if weapon in tree.entries else ["unmapped"]
            if asked is None or (path[-1] == asked if exact else asked in path):
                found.add(path[min(self.level, len(path) - 1)])
        return found or {"unstated"}

    def period(self, when: Span) -> str:
        start, end = when
        first, last = self.bounds
        if start is None or end is None or start < first or end > last:
            return "spanning"
        labels = {self.label(start), self.label(end)}
        if self.grain == "named":
            labels |= {self.label(start + timedelta(n)) for n in range((end - start).days)}
        return labels.pop() if len(labels) == 1 else "spanning"

    def label(self, on: date) -> str:
        if self.grain == "named":
            series = self.asked.get("series", self.oracle.periods[0]["series"])
            for period in self.oracle.periods:
                if period["series"] == series and period["start"] <= str(on) <= period["end"]:
                    return str(period["id"])
            return "outside"
        if self.grain == "quarter":
            return f"{on.year}-Q{(on.month + 2) // 3}"
        forms = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}
        return on.strftime(forms[self.grain]) if self.grain in forms else "total"

    def buckets(self) -> dict[str, tuple[date, date]]:
        """Every bucket of the answer with its days, in order."""
        first, last = self.bounds
        found: dict[str, tuple[date, date]] = {}
        on = first
        while on <= last:
            label = self.label(on)
            found[label] = found.get(label, (on, on))[0], on
            on += timedelta(days=1)
        found.pop("outside", None)
        return found

    def offered(self, first: date, last: date) -> list[Key]:
        """What rows a bucket has even where nothing happened."""
        return [
            tuple(value for values in each for value in values)
            for each in product(*(self._offered(name, first, last) for name in self.by))
        ]

    def _offered(self, name: str, first: date, last: date) -> list[Key]:
        oracle, asked = self.oracle, self.asked.get(name)
        if name == "sector":
            return [
                (code, None)
                for code in oracle.sectors.entries
                if len(oracle.sectors.path(code)) == self.level + 1
                and oracle.sectors.exists(code, first, last, throughout=False)
                and (
                    asked is None
                    or (code in oracle.sectors.branch(asked) and asked != "unlocated")
                    or (asked != "unlocated" and asked in oracle.sectors.branch(code))
                )
            ]
        if name == "weapon":
            tree = oracle.weapons
            codes = set(tree.entries) if asked is None else set(tree.entries) & tree.branch(asked)
            if "weapon_exact" in self.asked and asked is not None:
                codes &= {asked}
            paths = [tree.path(code) for code in codes]
            return [(w,) for w in {path[min(self.level, len(path) - 1)] for path in paths}]
        known_codes = {
            "claimant": oracle.claimants,
            "party": oracle.parties,
            "status": [*LIVE],
        }[name]
        return [(code,) for code in known_codes if asked in (None, code)]

    def covered(self, sector: str | None, first: date, last: date) -> str:
        """How much of the days in a sector somebody watched; `None` is the whole theatre."""
        tree = self.oracle.sectors
        place = sector or next(iter(tree.entries))
        related = tree.branch(place) | set(tree.path(place))
        days = [first + timedelta(n) for n in range((last - first).days + 1)]
        watched = [
            (day(c["from"][:10]), day(c["to"][:10]), set(c["sectors"]), c["access"])
            for c in self.oracle.coverage
            if c["access"] != "denied" and related & set(c["sectors"])
        ]
        on = [
            (d, sectors, access)
            for d in days
            for start, end, sectors, access in watched
            if start and end and start <= d < end
        ]
        full: dict[date, set[str]] = {d: set() for d in days}
        for d, sectors, access in on:
            if access == "full":
                full[d] |= sectors
        if all(self._watched(place, d, full[d], first, last) for d in days):
            return "full"
        return "partial" if on else "none"

    def _watched(self, sector: str, on: date, full: set[str], first: date, last: date) -> bool:
        tree = self.oracle.sectors
        if full & set(tree.path(sector)):
            return True
        if tree.exists(sector, first, last, throughout=False) and not tree.exists(
            sector, on, on, throughout=True
        ):
            return True
        parts = [
            code
            for code, entry in tree.entries.items()
            if entry["parent"] == sector and tree.exists(code, first, last, throughout=False)
        ]
        return bool(parts) and all(self._watched(p, on, full, first, last) for p in parts)

    def _fits(self, told: Told) -> bool:
        asked = self.asked
        live = [r for r in self.oracle.by_incident[told.incident] if r["status"] in LIVE]
        own = [r for r in live if told.claimant in (None, r["claimant"])]
        own = [r for r in live if told.claimant in (None, r["claimant"])]
        tests = {
            "sector": lambda v: self._in_sector(told.sector, v),
            "bbox": lambda v: told.point is not None and in_box(told.point, v),
            "weapon": lambda v: self._has_weapon(told, v),
            "party": lambda v: self._has_party(told, v),
            "status": lambda v: (
                v == told.status or (self.sums and any(a[1] == v for a in told.adds.values()))
            ),
            "contested": lambda v: told.contested == (v == "true"),
            "counted": lambda v: told.counted == (v == "true"),
            "min_killed": lambda v: told.stated.get((None, "killed"), ((-1,),))[0][0] >= v,
            "claimant": lambda v: any(r["claimant"] == v for r in live),
            "attributed_to": lambda v: any(r["attributed_to"] == v for r in own),
            "place": lambda v: any(r["where"]["place"] == v for r in own),
            "time_precision": lambda v: (
                None not in told.when
                and len({str(d)[: {"day": 10, "month": 7, "year": 4}[v]] for d in told.when}) == 1
            ),
            "untold_by": lambda v: (
                not any(
                    other.counted and (other.incident, other.claimant) == (told.incident, v)
                    for other in self.oracle.apart
                )
            ),
            "q": lambda v: any(
                all(word in (r["summary"] or "") for word in v.split()) for r in own
            ),
        }
        start, end = known(self.time(told))
        return (
            (self.last is None or start <= self.last)
            and (self.first is None or end >= self.first)
            and all(test(asked[name]) for name, test in tests.items() if name in asked)
        )

    def _in_sector(self, sector: str | None, asked: str) -> bool:
        tree = self.oracle.sectors
        if asked == "unlocated" and "within" in self.asked:
            return sector == {"unlocated": None}.get(self.asked["within"], self.asked["within"])
        if asked == "unlocated":
            return sector is None or len(tree.path(sector)) <= self.level
        return sector in tree.branch(asked)

    def _has_weapon(self, told: Told, asked: str) -> bool:
        if asked == "unstated":
            return not told.weapons
        if asked == "unmapped":
            return not told.weapons <= set(self.oracle.weapons.entries)
        exact = self.asked.get("weapon_exact") == "true"
        return not told.weapons.isdisjoint({asked} if exact else self.oracle.weapons.branch(asked))

    def _has_party(self, told: Told, asked: str) -> bool:
        stated = {p for p, o in (*told.adds, *told.stated) if o in OUTCOMES} - {None}
        return asked in stated or (asked == "unstated" and not stated)


def in_box(point: tuple[float, float], box: str) -> bool:
    west, south, east, north = map(float, box.split(","))
    across = west <= point[1] <= east if west <= east else point[1] >= west or point[1] <= east
    return across and south <= point[0] <= north
