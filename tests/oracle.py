"""Accounts of incidents reckoned again from the reports that the service shows, in plain loops.

Nothing here uses the service's rules; only its public answers, and the tree of incidents.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from service.store import tables
from tests.domain.recount import LIVE, STRENGTH, Bounds
from tests.harness import Service
from tests.reckoning import (
    NOTHING,
    OUTCOMES,
    Json,
    Slot,
    Span,
    add_unstated,
    beyond,
    common_time,
    day,
    disagree,
    finest_point,
    known,
    narrowed,
    plus,
    span,
    stated_by,
)


@dataclass
class Told:
    """An incident as everybody (`claimant` is `None`) or one claimant tells it."""

    incident: str
    claimant: str | None
    when: Span
    sector: str | None
    status: str
    contested: bool
    possible_duplicate: bool
    counted: bool
    episode: bool
    reports: int
    reported: Span
    received: date
    weapons: set[str]
    point: tuple[float, float] | None
    stated: dict[Slot, tuple[Bounds, str]]
    adds: dict[Slot, tuple[Bounds, str, bool]] = field(default_factory=dict)
    known: set[Slot] = field(default_factory=set)


class Trees:
    """Codes and what is above them, with the days on which they exist."""

    def __init__(self, entries: list[Json]) -> None:
        self.entries = {entry["id"]: entry for entry in entries}

    def path(self, code: str) -> list[str]:
        """From the top down to the code itself."""
        found: list[str] = []
        above: str | None = code
        while above is not None:
            found.insert(0, above)
            above = self.entries[above]["parent"]
        return found

    def branch(self, code: str) -> set[str]:
        return {c for c in self.entries if code in self.path(c)} or {code}

    def exists(self, code: str, first: date, last: date, *, throughout: bool) -> bool:
        start, end = day(self.entries[code]["valid_from"]), day(self.entries[code]["valid_to"])
        if throughout:
            return (start or date.min) <= first and last <= (end or date.max)
        return (start or date.min) <= last and first <= (end or date.max)


class Oracle:
    """All that a service shows at one moment, and what follows from it."""

    def __init__(self, service: Service) -> None:
        self.sectors = Trees(service.get("/v1/sectors")["items"])
        self.weapons = Trees(service.get("/v1/weapons")["items"])
        self.claimants = [c["id"] for c in service.get("/v1/claimants")["items"]]
        self.parties = [p["id"] for p in service.get("/v1/parties")["items"]]
        self.periods = service.get("/v1/periods")["items"]
        self.coverage = list(everything(service, "/v1/coverage"))
        self.reports = list(everything(service, "/v1/reports", clock="received", order="oldest"))
        for rank, report in enumerate(self.reports):
            report["said"] = span(report["reported"])[1], rank
        self.by_incident: dict[str, list[Json]] = {}
        for report in self.reports:
            self.by_incident.setdefault(report["incident"], []).append(report)
        with service.database.reading() as session:
            rows = session.scalars(sa.select(tables.Incident)).all()
        self.incidents = {row.id: row for row in rows}
        self.told = self._tell(None)
        self.apart = [
            told
            for claimant in sorted({r["claimant"] for r in self.reports})
            for told in self._tell(claimant)
        ]

    def _tell(self, claimant: str | None) -> list[Told]:
        told: dict[str, Told] = {}
        for name, row in self.incidents.items():
            one = self._tell_one(name, claimant)
            if one is not None:
                if row.parent_id is not None:
                    one.when = narrowed(one.when, self._time_left(row.parent_id))
                one.sector = self._existing(one.sector, one.when)
                told[name] = one
        for name, row in self.incidents.items():
            if row.parent_id is None:
                self._fill_in(told, name)
        return list(told.values())

    def _tell_one(self, name: str, claimant: str | None) -> Told | None:
        row = self.incidents[name]
        heard = [
            r
            for r in self.by_incident.get(name, ())
            if claimant is None or r["claimant"] == claimant
        ]
        if not heard:
            return None
        speaking = [r for r in heard if r["counted"] and r["status"] in LIVE]
        live = speaking or [r for r in heard if r["status"] != "withdrawn"] or heard
        affirming = [r for r in live if r["stance"] != "denies"] or live
        stated, inconsistent = stated_by(speaking)
        return Told(
            incident=name,
            claimant=claimant,
            when=common_time(live),
            sector=self._common_place([r["where"]["sector"] for r in live if r["where"]["sector"]]),
            status=max((r["status"] for r in affirming), key=STRENGTH.index),
            contested=inconsistent or disagree(speaking),
            possible_duplicate=any("possible_duplicate" in r["flags"] for r in speaking),
            counted=row.counted and any(r["stance"] != "denies" for r in speaking),
            episode=row.episode or any(o.parent_id == name for o in self.incidents.values()),
            reports=len(speaking),
            reported=min((span(r["reported"]) for r in live), key=lambda s: (s[1], s[0])),
            received=min(date.fromisoformat(r["received"]) for r in live),
            weapons={w["weapon"] for r in affirming for w in r["weapons"]},
            point=finest_point(live),
            stated=stated,
        )

    def _time_left(self, name: str) -> Span:
        above = self.incidents[name].parent_id
        around: Span = self._time_left(above) if above is not None else (None, None)
        reports = self.by_incident.get(name)
        one = self._tell_one(name, None) if reports else None
        return narrowed(one.when, around) if one is not None and one.counted else around

    def _common_place(self, found: list[str]) -> str | None:
        if not found:
            return None
        deepest = max((self.sectors.path(s) for s in found), key=len)
        if all(s in deepest for s in found):
            return deepest[-1]
        shared = [s for s in deepest if all(s in self.sectors.path(other) for other in found)]
        return shared[-1] if shared else None

    def _existing(self, sector: str | None, when: Span) -> str | None:
        first, last = known(when)
        for code in reversed(self.sectors.path(sector) if sector else []):
            if self.sectors.exists(code, first, last, throughout=True):
                return code
        return None

    def _fill_in(self, told: dict[str, Told], name: str) -> dict[Slot, Bounds]:
        """What an incident adds beyond its parts; answers what it and they add together."""
        inside: dict[Slot, Bounds] = {}
        for child in (i for i, row in self.incidents.items() if row.parent_id == name):
            for slot, bounds in self._fill_in(told, child).items():
                inside[slot] = plus(inside.get(slot, NOTHING), bounds)
        one = told.get(name)
        if one is None:
            return inside
        one.known = {*one.stated, *inside}
        if not one.counted:
            return inside
        together = dict(inside)
        for slot, (bounds, status) in one.stated.items():
            if slot[1] in OUTCOMES:
                left = beyond(bounds, inside[slot]) if slot in inside else bounds
                one.adds[slot] = left, status, slot in inside
                together[slot] = plus(left, inside.get(slot, NOTHING))
        for outcome in OUTCOMES:
            add_unstated(one.adds, outcome)
        return together


def everything(service: Service, path: str, **filters: Any) -> Iterator[Json]:
    """All items of a list, page after page."""
    page = service.get(path, limit=500, **filters)
    yield from page["items"]
    while page["next"]:
        page = service.get(path, limit=500, cursor=page["next"], **filters)
        yield from page["items"]
