"""A report as it is recorded: what was sent, what it was read as, what was decided."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from service.domain.access import Visibility
from service.domain.casualties import CasualtyLine, Cell
from service.domain.disclosure import Disclosure, PlaceShown, published
from service.domain.drafts import Resolved
from service.domain.figures import Figure
from service.domain.places import Gazetteer, Point
from service.domain.reports import Report
from service.domain.vocabulary import Flag, Group, Outcome, Precision, Stance, Status
from service.domain.when import When

Json = dict[str, Any]
_DOUBTS_OF_PLACE: Final = {
    Flag.MAYBE_SWAPPED.value,
    Flag.NULL_ISLAND.value,
    Flag.OUTSIDE_AREA.value,
    Flag.PLACE_SECTOR_MISMATCH.value,
    Flag.SECTOR_NOT_VALID.value,
}


def resolved_to_json(resolved: Resolved) -> dict[str, Any]:
    """What a report was read as, for its record."""
    when, point = resolved.when, resolved.point
    return {
        "start": _text(when.start),
        "end": _text(when.end),
        "lasted": when.lasted,
        "earliest": _text(when.earliest),
        "latest": _text(when.latest),
        "approximate": when.approximate,
        "reported": [_text(resolved.reported.start), _text(resolved.reported.end)],
        "claimant": resolved.claimant,
        "attributed_to": resolved.attributed_to,
        "sector": resolved.sector,
        "place": resolved.place,
        "point": _point_to_json(point),
        "weapons": [[use.weapon, use.calibre_mm] for use in resolved.weapons],
        "casualties": [
            {
                "party": line.cell.party,
                "group": line.cell.group,
                "figures": {o.value: [f.low, f.best, f.high] for o, f in line.figures.items()},
                "words": {o.value: words for o, words in line.words.items()},
            }
            for line in resolved.lines
        ],
        "flags": sorted(flag.value for flag in resolved.flags),
        "unmapped": list(resolved.unmapped),
    }


def placed_as_before(read: Json, before: Json) -> Json:
    """What a report without a place was read as, with the place that it was read as before and
    the doubts about that."""
    unmapped = [path for path in before["unmapped"] if path.startswith("where.")]
    flags = {*read["flags"], *(_DOUBTS_OF_PLACE & {*before["flags"]})}
    return {
        **read,
        **{name: before[name] for name in ("sector", "place", "point")},
        "unmapped": [*unmapped, *read["unmapped"]],
        "flags": sorted({*flags, *([Flag.UNMAPPED.value] if unmapped else [])}),
    }


def disclosure_of(record: dict[str, Any]) -> Disclosure:
    """What is decided about showing a report."""
    decided = record["disclosure"]
    return Disclosure(
        Visibility(decided["visibility"]),
        _instant(decided["embargo"]),
        PlaceShown(decided["place"]),
    )


def disclosure_to_json(decided: Disclosure, read: dict[str, Any], gazetteer: Gazetteer) -> Json:
    """The part of a record that says how it is shown, and the place that follows from it."""
    place = gazetteer.get(read["place"]) if read["place"] else None
    point, place = published(point_of(read["point"]), place, decided.place, gazetteer)
    return {
        "disclosure": {
            "visibility": decided.visibility.value,
            "embargo": _text(decided.embargo),
            "place": decided.place.value,
        },
        "published": {"point": _point_to_json(point), "place": place.id if place else None},
    }


def open_flags(record: dict[str, Any]) -> list[str]:
    """The doubts that nobody has cleared."""
    compared = [Flag.POSSIBLE_DUPLICATE.value] if record.get("possible_duplicates") else []
    return sorted({*record["resolved"]["flags"], *compared}.difference(record["cleared"]))


def is_waiting(record: dict[str, Any]) -> bool:
    """Whether a reviewer should look at it: nobody has decided about what it says now, somebody
    proposed what needs another one, or what is verified has come into doubt since."""
    if record["status"] == Status.VERIFIED and open_flags(record):
        return True
    decided = [
        review
        for review in record["reviews"]
        if review["status"] is not None and not review["superseded"]
    ]
    if decided and record["status"] != Status.WITHDRAWN:
        return decided[-1]["applied"] is False
    return Status(record["status"]) is Status.UNVERIFIED


def report_of(report_id: str, record: dict[str, Any], resolved: Resolved | None = None) -> Report:
    """The domain's report from the content of a revision, with the position that may be shown;
    `resolved` is what the record was made from, where that is at hand."""
    read = record["resolved"]
    return Report(
        id=report_id,
        claimant=read["claimant"],
        # That a time of day was ambiguous is kept as a doubt.
        when=replace(resolved.when, ambiguous=False) if resolved else when_of(read),
        reported=resolved.reported if resolved else reported_of(read),
        received=datetime.fromisoformat(record["received_at"]),
        sector=read["sector"],
        point=point_of(record["published"]["point"]),
        weapons=frozenset(weapon for weapon, _ in read["weapons"]),
        lines=resolved.lines if resolved else tuple(map(_line, read["casualties"])),
        attributed_to=read["attributed_to"],
        stance=Stance(record["posted"].get("stance", Stance.ASSERTS)),
        status=Status(record["status"]),
        counted=record["counted"],
        level=disclosure_of(record).level,
        possible_duplicate=Flag.POSSIBLE_DUPLICATE in open_flags(record),
    )


def when_of(read: dict[str, Any]) -> When:
    return When(
        _day(read["start"]),
        _day(read["end"]),
        lasted=read["lasted"],
        earliest=_instant(read["earliest"]),
        latest=_instant(read["latest"]),
        approximate=read["approximate"],
    )


def place_as_written(where: dict[str, Any], read: dict[str, Any]) -> str | None:
    """The sender's words for the place; a sector that could not be taken counts as words."""
    not_taken = "where.sector" in read["unmapped"] or Flag.SECTOR_NOT_VALID in read["flags"]
    return where.get("as_written") or (where.get("sector") if not_taken else None)


def reported_of(read: dict[str, Any]) -> When:
    first, last = read["reported"]
    return When(_day(first), _day(last))


def point_of(written: list[Any] | None) -> Point | None:
    return Point(written[0], written[1], Precision(written[2])) if written else None


def _point_to_json(point: Point | None) -> list[Any] | None:
    return [point.latitude, point.longitude, point.precision.value] if point else None


def _line(written: dict[str, Any]) -> CasualtyLine:
    return CasualtyLine(
        Cell(written["party"], Group(written["group"]) if written["group"] else None),
        {Outcome(o): Figure(*bounds) for o, bounds in written["figures"].items()},
        {Outcome(o): words for o, words in written["words"].items()},
    )


# Reports of one file came in one moment.
@lru_cache(maxsize=1 << 12)
def local_day(instant: str, zone: ZoneInfo) -> date:
    """The day of a time zone that an instant falls on."""
    return datetime.fromisoformat(instant).astimezone(zone).date()


@lru_cache(maxsize=1 << 12)
def start_text(day: date, zone: ZoneInfo) -> str:
    """The instant that a day of a time zone begins."""
    return instant_text(datetime.combine(day, time(), zone))


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with a `Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(moment: date | datetime | None) -> str | None:
    if isinstance(moment, datetime):
        return instant_text(moment)
    return moment.isoformat() if moment else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
