"""A second reckoning of the same figures: the rules as they are told, in plain loops.

It shares no code with the reckoning it checks. Bounds are (low, best, high), with infinity for a
top that is open.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from service.domain.incidents import Incident
from service.domain.reports import Report

Bounds = tuple[float, float, float]
Slot = tuple[str | None, str]
Span = tuple[date | None, date | None]
Cells = dict[tuple[str | None, str | None], Bounds]

OUTCOMES = ("killed", "wounded", "missing", "captured")
STRENGTH = ("withdrawn", "refuted", "unverifiable", "unverified", "corroborated", "verified")
LIVE = STRENGTH[3:]

ABOVE = {
    "theatre": None,
    "old-line": "theatre",
    "old-north": "old-line",
    "old-south": "old-line",
    "new-line": "theatre",
    "new-east": "new-line",
    "corridor": "theatre",
    "rear": "theatre",
    "small-arms": None,
    "sniper": "small-arms",
    "indirect-fire": None,
    "mortar": "indirect-fire",
    "artillery": "indirect-fire",
    "uav": None,
    "uav-strike": "uav",
    "mine": None,
}
LAST_DAY_OF_OLD = date(2020, 11, 9)
NAMED = {
    "april-2016": (date(2016, 4, 1), date(2016, 4, 7)),
    "2020-war": (date(2020, 9, 27), date(2020, 11, 9)),
    "hand-over": (date(2020, 11, 10), date(2020, 12, 1)),
    "august-2022": (date(2022, 8, 1), date(2022, 8, 5)),
    "september-2022": (date(2022, 9, 13), date(2022, 9, 13)),
}


@dataclass
class Told:
    when: Span
    sector: str | None
    status: str
    counted: bool
    episode: bool
    reports: int
    weapons: set[str]
    stated: dict[Slot, tuple[Bounds, str]]
    adds: dict[Slot, tuple[Bounds, str, bool]] = field(default_factory=dict)
    known: set[Slot] = field(default_factory=set)


@dataclass
class Count:
    incidents: int = 0
    episodes: int = 0
    reports: int = 0
    remainder: bool = False
    figures: dict[str, tuple[int | None, int | None, int | None, int, int]] = field(
        default_factory=lambda: dict.fromkeys(OUTCOMES, (None, None, None, 0, 0))
    )


def tell(incidents: Iterable[Incident], claimant: str | None = None) -> dict[str, Told]:
    members = {each.id: each for each in incidents}
    told = {}
    for name, member in members.items():
        one = _tell_one(member, claimant)
        if one is None:
            continue
        if member.parent is not None:
            one.when = _narrowed(one.when, _time_left(members, member.parent))
        one.sector = _existing(one.sector, one.when)
        one.episode = one.episode or any(other.parent == name for other in members.values())
        told[name] = one
    for name, member in members.items():
        if member.parent is None:
            _fill_in(members, told, name)
    return told


def _tell_one(member: Incident, claimant: str | None) -> Told | None:
    heard = [r for r in member.reports if claimant is None or r.claimant == claimant]
    if not heard:
        return None
    speaking = [r for r in heard if r.counted and r.status in LIVE]
    live = speaking or [r for r in heard if r.status != "withdrawn"] or heard
    affirming = [r for r in live if r.stance != "denies"] or live
    return Told(
        when=_common_time([(r.when.start, r.when.end) for r in live]),
        sector=_common_place([r.sector for r in live if r.sector is not None]),
        status=max((r.status for r in affirming), key=STRENGTH.index),
        counted=member.counted and any(r.stance != "denies" for r in speaking),
        episode=member.episode,
        reports=len(speaking),
        weapons={w for r in affirming for w in r.weapons},
        stated=_stated(speaking),
    )


def _common_time(spans: list[Span]) -> Span:
    start = max((a for a, _ in spans if a is not None), default=None)
    end = min((b for _, b in spans if b is not None), default=None)
    if start is None or end is None or start <= end:
        return start, end
    starts, ends = [a for a, _ in spans], [b for _, b in spans]
    if None in starts and None in ends:
        return min(a or b for a, b in spans if a or b), max(b or a for a, b in spans if a or b)
    return (
        None if None in starts else min(a for a in starts if a),
        None if None in ends else max(b for b in ends if b),
    )


def _narrowed(span: Span, around: Span | None) -> Span:
    if around is None:
        return span
    start = max((a for a in (span[0], around[0]) if a is not None), default=None)
    end = min((b for b in (span[1], around[1]) if b is not None), default=None)
    return span if start is not None and end is not None and start > end else (start, end)


def _time_left(members: dict[str, Incident], name: str) -> Span | None:
    member = members[name]
    above = _time_left(members, member.parent) if member.parent is not None else None
    one = _tell_one(member, None)
    return above if one is None or not one.counted else _narrowed(one.when, above)


def _upwards(code: str) -> list[str]:
    found = [code]
    while (above := ABOVE.get(found[-1])) is not None:
        found.append(above)
    return found


def _common_place(sectors: list[str]) -> str | None:
    if not sectors:
        return None
    deepest = max((_upwards(s) for s in sectors), key=len)
    if all(s in deepest for s in sectors):
        return deepest[0]
    return next(s for s in deepest if all(s in _upwards(other) for other in sectors))


def _existing(sector: str | None, span: Span) -> str | None:
    if sector is None:
        return None
    first = span[0] or span[1] or date.min
    last = span[1] or span[0] or date.max
    if sector.startswith("old") and last > LAST_DAY_OF_OLD:
        return "theatre"
    if sector.startswith(("new", "corridor")) and first <= LAST_DAY_OF_OLD:
        return "theatre"
    return sector


def _stated(speaking: list[Report]) -> dict[Slot, tuple[Bounds, str]]:
    stated: dict[Slot, tuple[Bounds, str]] = {}
    for outcome in OUTCOMES:
        cells: Cells = {}
        statuses: dict[tuple[str | None, str | None], str] = {}
        for cell in {(ln.cell.party, ln.cell.group) for r in speaking for ln in r.lines}:
            voices = _last_words(speaking, outcome, cell)
            if voices:
                strongest = max((status for _, status in voices), key=STRENGTH.index)
                cells[cell] = (
                    min(bounds[0] for bounds, _ in voices),
                    min(bounds[1] for bounds, status in voices if status == strongest),
                    max(bounds[2] for bounds, _ in voices),
                )
                statuses[cell] = strongest
        for whose in {None, *(party for party, _ in cells)}:
            part = {c: b for c, b in cells.items() if whose is None or c[0] == whose}
            if not part:
                continue
            bounds = (
                everybody(part)
                if whose is None
                else everybody({(None, g): b for (_, g), b in part.items()})
            )
            made_of = _cells_of_best(part, whose)
            status = min((statuses[c] for c in made_of), key=STRENGTH.index)
            stated[whose, outcome] = bounds, status
    return stated


def _cells_of_best(part: Cells, whose: str | None) -> set[tuple[str | None, str | None]]:
    """The cells that make up the largest best: a total, else slices by party, else by group."""
    if whose is not None:
        ways = [_slice_of_best(part, lambda c: c[0] == whose, (whose, None))]
    else:
        parties = {p for p, _ in part if p is not None}
        groups = {g for _, g in part if g is not None}
        by_party = [_slice_of_best(part, lambda c, p=p: c[0] == p, (p, None)) for p in parties]
        by_group = [_slice_of_best(part, lambda c, g=g: c[1] == g, (None, g)) for g in groups]
        ways = [set().union(*by_party), set().union(*by_group)]
        if (None, None) in part:
            ways.insert(0, {(None, None)})
    return max((way for way in ways if way), key=lambda way: sum(part[c][1] for c in way))


def _slice_of_best(
    part: Cells,
    belongs: Callable[[tuple[str | None, str | None]], bool],
    top: tuple[str | None, str | None],
) -> set[tuple[str | None, str | None]]:
    finer = {c for c in part if belongs(c) and c != top}
    if top in part and part[top][1] >= sum(part[c][1] for c in finer):
        return {top}
    return finer


def _last_words(
    speaking: list[Report], outcome: str, cell: tuple[str | None, str | None]
) -> list[tuple[Bounds, str]]:
    voices: list[tuple[Bounds, str]] = []
    for claimant in {r.claimant for r in speaking}:
        giving = [
            ((r.reported.end, r.received, r.id), figure, r.status.value)
            for r in speaking
            if r.claimant == claimant
            for line in r.lines
            if (line.cell.party, line.cell.group) == cell
            for given, figure in line.figures.items()
            if given == outcome
        ]
        if giving:
            _, figure, status = max(giving, key=lambda g: g[0])
            high = math.inf if figure.high is None else figure.high
            voices.append(((figure.low, figure.best, high), status))
    return voices


def everybody(cells: Cells) -> Bounds:
    """One toll from cells by (party, group), either possibly unstated."""
    parties = {p for p, _ in cells if p is not None}
    groups = {g for _, g in cells if g is not None}
    lines = [(_finer(cells, p, None), cells.get((p, None))) for p in parties]
    columns = [(_finer(cells, None, g), cells.get((None, g))) for g in groups]
    low = best = 0.0
    for slices in (lines, columns):
        lows, bests = 0.0, 0.0
        for finer, stated in slices:
            sum_low, sum_best = sum(b[0] for b in finer), sum(b[1] for b in finer)
            if stated is None:
                lows, bests = lows + sum_low, bests + sum_best
            else:
                lows += stated[0] if stated[2] < sum_low else max(stated[0], sum_low)
                bests += max(stated[1], sum_best)
        low, best = max(low, lows), max(best, bests)
    high = 0.0
    for finer, stated in (*lines, *columns):
        if stated is not None:
            high += max(stated[2], sum(b[2] for b in finer))
    for (p, g), bounds in cells.items():
        alone = (p, None) not in cells and (None, g) not in cells
        if p is not None and g is not None and alone:
            high += bounds[2]
    if (None, None) in cells:
        stated = cells[None, None]
        low = stated[0] if stated[2] < low else max(stated[0], low)
        best = max(stated[1], best)
        high = max(stated[2], high)
    best = max(best, low)
    return low, best, max(high, best)


def _finer(cells: Cells, party: str | None, group: str | None) -> list[Bounds]:
    return [
        bounds
        for (p, g), bounds in cells.items()
        if p is not None and g is not None and (p == party or g == group)
    ]


def _fill_in(members: dict[str, Incident], told: dict[str, Told], name: str) -> dict[Slot, Bounds]:
    """What the incident adds beyond its children; answers what it and they add together."""
    inside: dict[Slot, Bounds] = {}
    for child in (m.id for m in members.values() if m.parent == name):
        for slot, bounds in _fill_in(members, told, child).items():
            inside[slot] = _plus(inside.get(slot, (0, 0, 0)), bounds)
    one = told.get(name)
    if one is None:
        return inside
    one.known = {*one.stated, *inside}
    if not one.counted:
        return inside
    together = dict(inside)
    for slot, (bounds, status) in one.stated.items():
        left = _beyond(bounds, inside[slot]) if slot in inside else bounds
        one.adds[slot] = left, status, slot in inside
        together[slot] = _plus(left, inside.get(slot, (0, 0, 0)))
    for outcome in OUTCOMES:
        if (None, outcome) in one.adds:
            left, status, remainder = one.adds[None, outcome]
            shares = [a[0] for (p, o), a in one.adds.items() if p is not None and o == outcome]
            summed: Bounds = (0, 0, 0)
            for share in shares:
                summed = _plus(summed, share)
            unstated = _beyond(left, summed) if shares else left
            # A top left open by a party already is not left open once more.
            nothing = 0, 0, math.inf if summed[2] == math.inf else 0
            if not shares or unstated not in ((0, 0, 0), nothing):
                one.adds["unstated", outcome] = unstated, status, remainder
    return together


def _plus(a: Bounds, b: Bounds) -> Bounds:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _beyond(a: Bounds, b: Bounds) -> Bounds:
    high = math.inf if a[2] == math.inf else max(0, a[2] - b[2])
    low, best, high = sorted((max(0, a[0] - b[0]), max(0, a[1] - b[1]), high))
    return low, best, high


def period_of(span: Span, grain: str, first: date, last: date) -> str:
    start, end = span
    if start is None or end is None or start < first or end > last:
        return "spanning"
    labels = set()
    day = start
    while day <= end:
        labels.add(_label(day, grain))
        day += timedelta(days=1)
    return labels.pop() if len(labels) == 1 else "spanning"


def _label(day: date, grain: str) -> str:
    if grain == "named":
        return next((name for name, (a, b) in NAMED.items() if a <= day <= b), "outside")
    form = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y", "total": "total"}
    if grain == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return day.strftime(form[grain])


def rows(
    voices: Iterable[tuple[Told, str | None]],
    by: tuple[str, ...],
    grain: str,
    first: date,
    last: date,
    *,
    level: int = 1,
    party: str | None = None,
    status: str | None = None,
) -> dict[tuple[str, ...], Count]:
    """Keys are the period and then one value per dimension, `unlocated` with what is known."""
    cells: dict[tuple[str, ...], Count] = {}
    for told, claimant in voices:
        period = period_of(told.when, grain, first, last)
        parties: set[str | None] = {None}
        if "party" in by or party is not None:
            parties = {p for p, _ in told.adds if p is not None} or {"unstated"}
            parties = {p for p in parties if party in (None, p)}
        for whose in parties:
            for of_status in STRENGTH if "status" in by or status else (None,):
                if status not in (None, of_status):
                    continue
                figures = {
                    outcome: told.adds[whose, outcome]
                    for outcome in OUTCOMES
                    if (whose, outcome) in told.adds
                    and of_status in (None, told.adds[whose, outcome][1])
                }
                counts = of_status in (None, told.status)
                if not counts and not figures:
                    continue
                unknown = [
                    outcome
                    for outcome in OUTCOMES
                    if counts
                    and (None if whose == "unstated" else whose, outcome) not in told.known
                ]
                for weapon in _weapons(told, level) if "weapon" in by else {""}:
                    values = {
                        "sector": _sector(told, level),
                        "weapon": weapon,
                        "claimant": claimant or "",
                        "party": whose or "",
                        "status": of_status or "",
                    }
                    key = (period, *(values[dimension] for dimension in by))
                    _add(cells.setdefault(key, Count()), told, counts, figures, unknown)
    return cells


def _sector(told: Told, level: int) -> str:
    if told.sector is None:
        return "unlocated/"
    path = _upwards(told.sector)[::-1]
    return f"{path[level]}/" if level < len(path) else f"unlocated/{told.sector}"


def _weapons(told: Told, level: int) -> set[str]:
    found = set()
    for weapon in told.weapons:
        path = _upwards(weapon)[::-1]
        found.add("unmapped" if weapon not in ABOVE else path[min(level, len(path) - 1)])
    return found or {"unstated"}


def _add(
    cell: Count,
    told: Told,
    counts: bool,
    figures: dict[str, tuple[Bounds, str, bool]],
    unknown: list[str],
) -> None:
    if counts:
        cell.reports += told.reports
        if told.episode:
            cell.episodes += 1
        else:
            cell.incidents += 1
    for outcome in OUTCOMES:
        low, best, high, opened, silent = cell.figures[outcome]
        if outcome in figures:
            added, _, remainder = figures[outcome]
            high = None if opened or added[2] == math.inf else (high or 0) + int(added[2])
            opened += added[2] == math.inf
            low, best = (low or 0) + int(added[0]), (best or 0) + int(added[1])
            cell.remainder = cell.remainder or remainder
        cell.figures[outcome] = low, best, high, opened, silent + (outcome in unknown)
