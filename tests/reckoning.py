"""Rules of reconciling over reports as the service shows them, in plain loops."""

import math
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from tests.domain.recount import STRENGTH, Bounds, Cells, everybody

Json = dict[str, Any]
Span = tuple[date | None, date | None]
Slot = tuple[str | None, str]
OUTCOMES = ("killed", "wounded", "missing", "captured")
NOTHING: Bounds = (0, 0, 0)


def add_unstated(adds: dict[Slot, tuple[Bounds, str, bool]], outcome: str) -> None:
    """Fill in what an incident adds to the casualties of no stated party."""
    if (None, outcome) not in adds:
        return
    left, status, remainder = adds[None, outcome]
    shares = [a[0] for (p, o), a in adds.items() if p is not None and o == outcome]
    summed = NOTHING
    for share in shares:
        summed = plus(summed, share)
    unstated = beyond(left, summed) if shares else left
    # A top left open by a party already is not left open once more.
    empty = 0, 0, math.inf if summed[2] == math.inf else 0
    if not shares or unstated not in (NOTHING, empty):
        adds["unstated", outcome] = unstated, status, remainder


def stated_by(speaking: list[Json]) -> tuple[dict[Slot, tuple[Bounds, str]], bool]:
    stated: dict[Slot, tuple[Bounds, str]] = {}
    inconsistent = False
    for outcome in (*OUTCOMES, "displaced"):
        cells: Cells = {}
        statuses: dict[tuple[str | None, str | None], str] = {}
        for cell, voices in last_words(speaking, outcome).items():
            strongest = max((status for _, status in voices), key=STRENGTH.index)
            statuses[cell] = strongest
            cells[cell] = (
                min(bounds[0] for bounds, _ in voices),
                min(bounds[1] for bounds, status in voices if status == strongest),
                max(bounds[2] for bounds, _ in voices),
            )
        inconsistent = inconsistent or overflows(cells)
        for whose in {None, *(party for party, _ in cells)} if cells else ():
            part = {c: b for c, b in cells.items() if whose in (None, c[0])}
            bounds = everybody(
                part if whose is None else {(None, group): b for (_, group), b in part.items()}
            )
            status = min((statuses[c] for c in behind_best(part, whose)), key=STRENGTH.index)
            stated[whose, outcome] = bounds, status
    return stated, inconsistent


def behind_best(cells: Cells, whose: str | None) -> set[tuple[str | None, str | None]]:
    """The cells that make up the best of a party's figure, or of everybody's."""
    if whose is not None:
        return larger(cells, (whose, None), {c for c in cells if c[1] is not None})[1]
    sides = []
    for side in (0, 1):
        best, behind = 0.0, set()
        for code in {cell[side] for cell in cells} - {None}:
            top = (code, None) if side == 0 else (None, code)
            one = larger(cells, top, {c for c in cells if c[side] == code and None not in c})
            best, behind = best + one[0], behind | one[1]
        sides.append((best, behind))
    parties, groups = sides
    fuller = parties if parties[1] and parties[0] >= groups[0] else groups
    top = cells.get((None, None))
    return {(None, None)} if top is not None and top[1] >= fuller[0] else fuller[1]


def larger(
    cells: Cells, top: tuple[str | None, str | None], parts: set[tuple[str | None, str | None]]
) -> tuple[float, set[tuple[str | None, str | None]]]:
    """The larger best of a stated cell and of its parts, and which of them it is."""
    best = sum(cells[part][1] for part in parts)
    if top in cells and cells[top][1] >= best:
        return cells[top][1], {top}
    return best, parts


def last_words(
    speaking: list[Json], outcome: str
) -> dict[tuple[str | None, str | None], list[tuple[Bounds, str]]]:
    """Per cell what each claimant said last."""
    latest: dict[tuple[str | None, str | None], dict[str, tuple[Bounds, str]]] = {}
    for report in sorted(speaking, key=lambda r: r["said"]):
        for line in report["casualties"]:
            given = line.get(outcome)
            if given is not None and given["low"] is not None:
                high = math.inf if given["high"] is None else given["high"]
                said = (given["low"], given["best"], high), report["status"]
                cell = (line["party"], line["group"])
                latest.setdefault(cell, {})[report["claimant"]] = said
    return {cell: list(voices.values()) for cell, voices in latest.items()}


def overflows(cells: Cells) -> bool:
    """Whether a coarser figure's top lies below what the finer ones add up to."""
    for (party, group), bounds in cells.items():
        if party is not None and group is not None:
            continue
        finer = {
            (p, g): b
            for (p, g), b in cells.items()
            if (p, g) != (party, group) and party in (None, p) and group in (None, g)
        }
        if finer and bounds[2] < everybody(finer)[0]:
            return True
    return False


def disagree(speaking: list[Json]) -> bool:
    in_order = sorted(speaking, key=lambda r: r["said"])
    stances = {r["claimant"]: r["stance"] for r in in_order}
    blamed = {r["claimant"]: r["attributed_to"] for r in in_order if r["attributed_to"]}
    if len(set(blamed.values())) > 1 or "denies" in stances.values():
        return True
    return any(
        a[0][0] > b[0][2] or b[0][0] > a[0][2]
        for outcome in (*OUTCOMES, "displaced")
        for voices in last_words(speaking, outcome).values()
        for a, b in combinations(voices, 2)
    )


def finest_point(live: list[Json]) -> tuple[float, float] | None:
    order = ["exact", "settlement", "district", "sector", "theatre"]
    found = sorted(
        (order.index(r["where"]["precision"]), r["said"], r["where"]["lat"], r["where"]["lon"])
        for r in live
        if r["where"]["lat"] is not None
    )
    return (found[0][2], found[0][3]) if found else None


def common_time(live: list[Json]) -> Span:
    """What all allow, days and times of day; where that is nothing, what spans them all."""
    starts, ends = [day(r["start"]) for r in live], [day(r["end"]) for r in live]
    start = max((d for d in starts if d), default=None)
    end = min((d for d in ends if d), default=None)
    times = {r["when"] for r in live if "T" in r["when"]}
    if len(times) <= 1 and (start is None or end is None or start <= end):
        return start, end
    first = min(a or b for a, b in zip(starts, ends, strict=True) if a or b)
    last = max(b or a for a, b in zip(starts, ends, strict=True) if a or b)
    if None in starts and None in ends:
        return first, last
    return None if None in starts else first, None if None in ends else last


def narrowed(when: Span, around: Span) -> Span:
    start = max((d for d in (when[0], around[0]) if d), default=None)
    end = min((d for d in (when[1], around[1]) if d), default=None)
    return when if start and end and start > end else (start, end)


def known(when: Span) -> tuple[date, date]:
    first, last = when[0] or when[1], when[1] or when[0]
    assert first is not None
    assert last is not None
    return first, last


def plus(a: Bounds, b: Bounds) -> Bounds:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def beyond(a: Bounds, b: Bounds) -> Bounds:
    high = math.inf if a[2] == math.inf else max(0, a[2] - b[2])
    low, best, high = sorted((max(0, a[0] - b[0]), max(0, a[1] - b[1]), high))
    return low, best, high


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def span(text: str) -> tuple[date, date]:
    """A day, a month, a year, or `[first..last]`."""
    if text.startswith("["):
        first, last = text[1:-1].split("..")
        return date.fromisoformat(first), date.fromisoformat(last)
    first = date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    if len(text) == 10:
        return first, first
    following = (
        first.replace(year=first.year + 1)
        if len(text) == 4
        else (first + timedelta(days=31)).replace(day=1)
    )
    return first, following - timedelta(days=1)
