"""A report as somebody sends it, and what the tracker makes of it: mapped, doubted or refused.

What breaks a rule of form is refused with `Invalid`. What is well formed but doubtful is kept,
with flags: a monitor three days offline must not lose a report to a typing mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from service.domain.casualties import CasualtyLine, Cell
from service.domain.places import Place, Point, destination
from service.domain.screening import doubts_of
from service.domain.theatre import Theatre
from service.domain.vocabulary import (
    UNLOCATED,
    UNSTATED,
    Flag,
    Group,
    Outcome,
    Precision,
    Stance,
)
from service.domain.weapons import WeaponUse
from service.domain.when import TimePrecision, When, parse_when
from service.errors import Invalid

CLOCK_TOLERANCE: Final = timedelta(hours=24)
# Coordinates that only stand for an area file an event in it and are not shown as its position.
_NOT_A_POINT: Final = frozenset({Precision.SECTOR, Precision.THEATRE})


@dataclass(frozen=True, slots=True)
class Observer:
    """Where a monitor stood, and in which direction (degrees from north) and how far they saw it.

    Private: it never leaves the tracker.
    """

    latitude: float
    longitude: float
    bearing: float
    distance_km: float


@dataclass(frozen=True, slots=True)
class Where:
    """Where an event is said to have happened, in any of the ways there are."""

    place: str | None = None
    sector: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    precision: Precision | None = None
    observer: Observer | None = None
    as_written: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A document behind a report. `published` is in EDTF, `locator` says where in it."""

    title: str
    publisher: str | None = None
    published: str | None = None
    url: str | None = None
    locator: str | None = None


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A casualty line with the party as written and a figure or the words for each outcome."""

    line: CasualtyLine
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A report as sent; every text is NFC and free of NUL and surrogates."""

    when: str
    where: Where
    claimant: str
    timezone: str | None = None
    weapons: tuple[WeaponUse, ...] = ()
    casualties: tuple[DraftLine, ...] = ()
    attributed_to: str | None = None
    stance: Stance = Stance.ASSERTS
    reported: str | None = None
    summary: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A draft read against the reference data.

    `unmapped` names the fields whose text matched nothing and is kept as written.
    """

    when: When
    reported: When
    claimant: str
    attributed_to: str | None
    sector: str | None
    place: str | None
    point: Point | None
    weapons: tuple[WeaponUse, ...]
    lines: tuple[CasualtyLine, ...]
    flags: frozenset[Flag]
    unmapped: tuple[str, ...]


@dataclass(slots=True)
class _Doubts:
    flags: set[Flag] = field(default_factory=set)
    unmapped: list[str] = field(default_factory=list)

    def unmap(self, path: str) -> None:
        self.flags.add(Flag.UNMAPPED)
        self.unmapped.append(path)


def resolve(
    draft: Draft, theatre: Theatre, now: datetime, received: datetime | None = None
) -> Resolved:
    """Read a draft against the theatre. Raises `Invalid` naming the field.

    `received` is when it first came, where that was not `now`.
    """
    doubts = _Doubts()
    when = _event_time(draft, theatre, now, doubts)
    reported = _reported(draft, theatre, now, received or now)
    sector, place, point = _located(draft.where, when, theatre, doubts)
    claimant = theatre.find_claimant(draft.claimant)
    if claimant is None:
        doubts.unmap("claimant")
    blamed = draft.attributed_to and theatre.find_party(draft.attributed_to)
    if draft.attributed_to and not blamed:
        doubts.unmap("attributed_to")
    return Resolved(
        when=when,
        reported=reported,
        claimant=claimant.id if claimant else draft.claimant,
        attributed_to=blamed.id if blamed else draft.attributed_to,
        sector=sector,
        place=place.id if place else None,
        point=point,
        weapons=tuple(_weapons(draft.weapons, theatre, doubts)),
        lines=tuple(_lines(draft.casualties, theatre, doubts)),
        flags=frozenset(doubts.flags | _doubtful_texts(draft)),
        unmapped=tuple(doubts.unmapped),
    )


def _event_time(draft: Draft, theatre: Theatre, now: datetime, doubts: _Doubts) -> When:
    try:
        when = parse_when(draft.when, theatre.zone, draft.timezone)
    except Invalid as error:
        raise error.under("when") from None
    ahead = max(_first_moment(when, theatre), _certain_end(when, theatre)) - now
    if ahead > CLOCK_TOLERANCE:
        raise Invalid("lies in the future", "when")
    if ahead > timedelta():
        doubts.flags.add(Flag.CLOCK_SKEW)
    if when.known_end < theatre.monitored_from:
        doubts.flags.add(Flag.OUT_OF_PERIOD)
    if when.ambiguous:
        doubts.flags.add(Flag.AMBIGUOUS_TIME)
    return when


def _first_moment(when: When, theatre: Theatre) -> datetime:
    return when.earliest or theatre.start_of_day(when.known_start)


def _certain_end(when: When, theatre: Theatre) -> datetime:
    """What lasted to a day has reached that day; what happened within one need not have."""
    if not when.lasted:
        return _first_moment(when, theatre)
    return when.latest or theatre.start_of_day(when.known_end)


def _reported(draft: Draft, theatre: Theatre, now: datetime, received: datetime) -> When:
    """When the claimant said it: as given, else the first dated source, else the day of receipt."""
    published = [
        (f"sources.{i}.published", source.published)
        for i, source in enumerate(draft.sources)
        if source.published
    ]
    given = [("reported", draft.reported)] if draft.reported else []
    given_times = []
    for path, text in (*given, *published):
        try:
            said = parse_when(text, theatre.zone, draft.timezone)
        except Invalid as error:
            raise error.under(path) from None
        if said.precision is TimePrecision.OPEN:
            raise Invalid("must have both ends", path)
        if _first_moment(said, theatre) - now > CLOCK_TOLERANCE:
            raise Invalid("lies in the future", path)
        given_times.append(When(said.start, said.end))
    day = theatre.day_of(received)
    return given_times[0] if given_times else When(day, day)


def _located(
    where: Where, when: When, theatre: Theatre, doubts: _Doubts
) -> tuple[str | None, Place | None, Point | None]:
    sectors = theatre.sectors
    if not any((where.place, where.sector, where.as_written, where.observer)) and (
        where.latitude is None
    ):
        raise Invalid("must name a place, a sector or a position", "where")
    named = where.sector if where.sector in sectors else None
    if where.sector and not named and where.sector != UNLOCATED:
        doubts.unmap("where.sector")
    place = theatre.gazetteer.find(where.place) if where.place else None
    if where.place and not place:
        doubts.unmap("where.place")
    point = _point(where, doubts)
    around = sectors.of_point(point, when) if point else None
    if point and around is None:
        _doubt_position(point, theatre, doubts)
    found = [*filter(None, (sectors.of_place(place, when) if place else None, around))]
    if where.as_written and not any((where.place, where.sector, where.observer, point)):
        doubts.unmap("where.as_written")
    if point is not None and point.precision in _NOT_A_POINT:
        point = None
    if point is None and place and place.latitude is not None and place.longitude is not None:
        point = Point(place.latitude, place.longitude, place.precision)
    if named:
        if not sectors.valid(named, when):
            doubts.flags.add(Flag.SECTOR_NOT_VALID)
        in_force = sectors.in_force(named, when)
        nested = [s for s in found if in_force and _nested(theatre, in_force, s)]
        if len(nested) < len(found):
            doubts.flags.add(Flag.PLACE_SECTOR_MISMATCH)
        return sectors.tree.finest([*filter(None, [in_force]), *nested]), place, point
    if len(found) > 1 and not _nested(theatre, *found[:2]):
        doubts.flags.add(Flag.PLACE_SECTOR_MISMATCH)
    return sectors.tree.finest(found), place, point


def _nested(theatre: Theatre, a: str, b: str) -> bool:
    tree = theatre.sectors.tree
    return tree.holds(a, b) or tree.holds(b, a)


def _point(where: Where, doubts: _Doubts) -> Point | None:
    """The event's position: as given, or seen from the observer's; none where both are 0."""
    if where.observer is not None:
        try:
            stood = Point(where.observer.latitude, where.observer.longitude)
            latitude, longitude = destination(
                stood.latitude,
                stood.longitude,
                where.observer.bearing,
                where.observer.distance_km,
            )
        except Invalid as error:
            raise error.under("where.observer") from None
        point = Point(latitude, longitude, where.precision or Precision.SETTLEMENT)
    elif where.latitude is not None and where.longitude is not None:
        try:
            point = Point(where.latitude, where.longitude, where.precision or Precision.EXACT)
        except Invalid as error:
            raise error.under("where") from None
    else:
        return None
    if point.latitude == 0 and point.longitude == 0:
        doubts.flags.add(Flag.NULL_ISLAND)
        return None
    return point


def _doubt_position(point: Point, theatre: Theatre, doubts: _Doubts) -> None:
    """Flag a position that no outline holds."""
    if theatre.sectors.holds_point(point):
        return
    swapped = abs(point.longitude) <= 90 and theatre.sectors.holds_point(
        Point(point.longitude, point.latitude)
    )
    doubts.flags.add(Flag.MAYBE_SWAPPED if swapped else Flag.OUTSIDE_AREA)


def _weapons(uses: Iterable[WeaponUse], theatre: Theatre, doubts: _Doubts) -> Iterable[WeaponUse]:
    for i, use in enumerate(uses):
        known = theatre.weapons.find(use.weapon)
        if known is None:
            doubts.unmap(f"weapons.{i}")
        yield WeaponUse(known.id if known else use.weapon, use.calibre_mm)


def _lines(
    drafted: Iterable[DraftLine], theatre: Theatre, doubts: _Doubts
) -> Iterable[CasualtyLine]:
    seen: set[tuple[str | None, Group | None, Outcome]] = set()
    for i, each in enumerate(drafted):
        line = each.line
        if each.unreadable:
            doubts.flags.add(Flag.UNREADABLE_QUANTITY)
        named = None if line.cell.party == UNSTATED else line.cell.party
        party = named and theatre.find_party(named)
        if named and not party:
            doubts.unmap(f"casualties.{i}.party")
        cell = Cell(party.id if party else named, line.cell.group)
        for outcome, figure in line.figures.items():
            if (cell.party, cell.group, outcome) in seen:
                raise Invalid(
                    "is given twice for the same party and group", f"casualties.{i}.{outcome}"
                )
            seen.add((cell.party, cell.group, outcome))
            if figure.best > theatre.implausible_casualties and outcome is not Outcome.DISPLACED:
                doubts.flags.add(Flag.IMPLAUSIBLE_CASUALTIES)
        yield CasualtyLine(cell, line.figures, line.words)


def _doubtful_texts(draft: Draft) -> set[Flag]:
    texts = [text for text in (draft.summary, draft.where.as_written) if text]
    titles = (source.title for source in draft.sources)
    words = (text for each in draft.casualties for text in each.line.words.values())
    names = filter(None, (draft.claimant, draft.attributed_to, draft.where.place))
    return doubts_of(texts, (*titles, *words, *names))
