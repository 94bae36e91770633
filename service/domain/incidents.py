"""From the reports of an incident to what is known of it, and from a family to what counts.

Every rule here is described, with its reason, in docs/method.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations

from service.domain.casualties import Cell, combine, of_party
from service.domain.figures import Figure, total
from service.domain.places import Point
from service.domain.reports import Report
from service.domain.sectors import Sectors
from service.domain.verification import STRENGTH, strongest, weakest
from service.domain.vocabulary import SUMMED_OUTCOMES, UNSTATED, Outcome, Stance, Status
from service.domain.when import When, intersection_or_hull

# A figure's place in an incident: whose casualties (`None` for everybody), and the outcome.
Slot = tuple[str | None, Outcome]


@dataclass(frozen=True, slots=True)
class Incident:
    """A group of reports about one event; `parent` is the incident it is part of."""

    id: str
    parent: str | None = None
    episode: bool = False
    counted: bool = True
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Established:
    """A figure with the status of the report that gives its best."""

    figure: Figure
    status: Status


# What each claimant says of each cell of each outcome.
_Claims = Mapping[Outcome, Mapping[Cell, Mapping[str, Established]]]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one incident adds to sums: its figure, or the remainder beyond its children."""

    figure: Figure
    status: Status
    remainder: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An incident as its reports tell it: all of them, or one claimant's alone."""

    incident: str
    when: When
    sector: str | None
    status: Status
    contested: bool
    counted: bool
    episode: bool
    reports: int
    first_reported: When
    first_received: datetime
    weapons: frozenset[str] = frozenset()
    point: Point | None = None
    possible_duplicate: bool = False
    figures: Mapping[Slot, Established] = field(default_factory=dict)
    contributions: Mapping[Slot, Contribution] = field(default_factory=dict)
    below: frozenset[Slot] = frozenset()

    def unknown(self, slot: Slot) -> bool:
        """Whether nobody gave a figure, neither for the incident nor for a part of it."""
        return slot not in self.figures and slot not in self.below


def account_of(
    incident: Incident, sectors: Sectors, *, claimant: str | None = None
) -> Account | None:
    """Reconcile an incident's reports, or one claimant's alone; `None` without any."""
    told = [r for r in incident.reports if claimant in (None, r.claimant)]
    if not told:
        return None
    speaking = [r for r in told if r.counts]
    live = speaking or [r for r in told if r.status is not Status.WITHDRAWN] or told
    affirming = [r for r in live if r.stance is not Stance.DENIES] or live
    claims = _claims(speaking)
    figures, inconsistent = _figures(claims)
    return Account(
        incident=incident.id,
        when=intersection_or_hull(r.when for r in live),
        sector=sectors.tree.finest([r.sector for r in live if r.sector is not None]),
        status=strongest(r.status for r in affirming),
        contested=inconsistent or _disagree(speaking, claims),
        # Somebody who only denies an event has not told of one.
        counted=incident.counted and any(r.stance is not Stance.DENIES for r in speaking),
        episode=incident.episode,
        reports=len(speaking),
        first_reported=min((r.reported for r in live), key=lambda w: (w.known_end, w.known_start)),
        first_received=min(r.received for r in live),
        weapons=frozenset(w for r in affirming for w in r.weapons),
        point=_finest_point(live),
        possible_duplicate=any(r.possible_duplicate for r in speaking),
        figures=figures,
    )


def accounts_of_family(
    family: Iterable[Incident], sectors: Sectors, *, claimant: str | None = None
) -> dict[str, Account]:
    """The accounts of incidents joined by `parent`, narrowed by their ancestors and contained.

    A child's time is narrowed to its ancestors' where they meet, its sector to what exists at
    that time, and every figure of a parent counts only as the remainder beyond its children.
    With `claimant`, ancestors of which that claimant says nothing still narrow the time.
    """
    members = {incident.id: incident for incident in family}
    children: dict[str | None, list[str]] = defaultdict(list)
    for member in members.values():
        children[member.parent if member.parent in members else None].append(member.id)

    told: dict[str, Account] = {}
    for member_id, around in _downwards(children, members, sectors):
        account = account_of(members[member_id], sectors, claimant=claimant)
        if account is not None:
            when = account.when.within(around) if around else account.when
            sector = account.sector and sectors.in_force(account.sector, when)
            episode = account.episode or bool(children[member_id])
            if (when, sector, episode) != (account.when, account.sector, account.episode):
                account = replace(account, when=when, sector=sector, episode=episode)
            told[member_id] = account

    def contribute(member_id: str) -> dict[Slot, Figure]:
        """Fill in what the member and all below it add; return their sums."""
        below: dict[Slot, list[Figure]] = defaultdict(list)
        for child in children[member_id]:
            for slot, figure in contribute(child).items():
                below[slot].append(figure)
        summed = {slot: added for slot, many in below.items() if (added := total(many))}
        account = told.get(member_id)
        if account is None:
            return summed
        own = _remainders(account, summed) if account.counted else {}
        told[member_id] = replace(account, contributions=own, below=frozenset(summed))
        for slot, contribution in own.items():
            if slot[0] != UNSTATED:
                parts = [contribution.figure, *below[slot]]
                summed[slot] = total(parts) or contribution.figure
        return summed

    for root in children[None]:
        contribute(root)
    return told


def _downwards(
    children: Mapping[str | None, Sequence[str]],
    members: Mapping[str, Incident],
    sectors: Sectors,
) -> Iterator[tuple[str, When | None]]:
    """Every member after its parent, with the time that its ancestors leave it."""
    waiting: list[tuple[str, When | None]] = [(root, None) for root in children[None]]
    while waiting:
        member_id, around = waiting.pop()
        yield member_id, around
        # Reconciling is the dear part, and most incidents have no parts whose time it narrows.
        account = account_of(members[member_id], sectors) if children[member_id] else None
        if account is not None and account.counted:
            around = account.when.within(around) if around else account.when
        waiting.extend((child, around) for child in children[member_id])


def _claims(speaking: Iterable[Report]) -> _Claims:
    """Per outcome and cell what each claimant says: only its latest report that gives it speaks."""
    claims: dict[Outcome, dict[Cell, dict[str, Established]]] = {}
    for report in sorted(speaking, key=lambda r: r.said):
        for line in report.lines:
            for outcome, figure in line.figures.items():
                cells = claims.setdefault(outcome, {})
                said = Established(figure, report.status)
                cells.setdefault(line.cell, {})[report.claimant] = said
    return claims


def _reconciled(claims: Iterable[Established]) -> Established:
    """One figure of a cell from all claimants.

    Low is the lowest low, high the highest high, best that of the report with the strongest
    status, of equals the lowest.
    """
    given = list(claims)
    leading = min(given, key=lambda e: (-STRENGTH.index(e.status), e.figure.best))
    highs = [e.figure.high for e in given]
    figure = Figure(
        min(e.figure.low for e in given),
        leading.figure.best,
        None if None in highs else max(h for h in highs if h is not None),
    )
    return Established(figure, leading.status)


def _figures(claims: _Claims) -> tuple[dict[Slot, Established], bool]:
    """A figure for everybody and for each party; a figure made of several has their weakest
    status. The second value tells whether a coarser bound contradicts finer ones."""
    figures: dict[Slot, Established] = {}
    inconsistent = False
    for outcome, by_cell in claims.items():
        cells = {cell: _reconciled(said.values()) for cell, said in by_cell.items()}
        for party in (None, *sorted({cell.party for cell in cells if cell.party is not None})):
            asked = cells if party is None else of_party(cells, party)
            combined = combine({cell: e.figure for cell, e in asked.items()})
            if combined is not None:
                status = weakest(asked[cell].status for cell in combined.behind)
                figures[party, outcome] = Established(combined.figure, status)
                inconsistent = inconsistent or combined.inconsistent
    return figures, inconsistent


def _disagree(speaking: Iterable[Report], claims: _Claims) -> bool:
    """A denial, blame put on different sides, or ranges of one cell that do not meet.

    A claimant that changed its mind does not disagree with itself.
    """
    stances: dict[str, Stance] = {}
    blames: dict[str, str] = {}
    for report in sorted(speaking, key=lambda r: r.said):
        stances[report.claimant] = report.stance
        if report.attributed_to is not None:
            blames[report.claimant] = report.attributed_to
    if Stance.DENIES in stances.values() or len(set(blames.values())) > 1:
        return True
    return any(
        not a.figure.meets(b.figure)
        for by_cell in claims.values()
        for said in by_cell.values()
        for a, b in combinations(said.values(), 2)
    )


def _remainders(account: Account, below: Mapping[Slot, Figure]) -> dict[Slot, Contribution]:
    """What the incident adds beyond what its parts already count, for everybody and per party."""
    own: dict[Slot, Contribution] = {}
    for slot, established in account.figures.items():
        if slot[1] in SUMMED_OUTCOMES:
            inside = below.get(slot)
            figure = established.figure.minus(inside) if inside else established.figure
            own[slot] = Contribution(figure, established.status, remainder=inside is not None)
    for outcome in SUMMED_OUTCOMES:
        if (everybody := own.get((None, outcome))) is not None:
            parties = total(
                c.figure for (party, o), c in own.items() if party is not None and o == outcome
            )
            if parties is None:
                own[UNSTATED, outcome] = everybody
            elif (beyond := _unstated(everybody.figure, parties)) is not None:
                own[UNSTATED, outcome] = replace(everybody, figure=beyond)
    return own


def _unstated(everybody: Figure, parties: Figure) -> Figure | None:
    """What nobody's party is known for; an open top that a party already has is not another."""
    beyond = everybody.minus(parties)
    if beyond.is_open and parties.is_open:
        return beyond if beyond.best else None
    return beyond if beyond != Figure.exactly(0) else None


def _finest_point(reports: Iterable[Report]) -> Point | None:
    """The finest of the published points; of equals, the one that was said first."""
    points = [r.point for r in sorted(reports, key=lambda r: r.said) if r.point is not None]
    order = list(type(points[0].precision)) if points else []
    return min(points, key=lambda p: order.index(p.precision), default=None)
