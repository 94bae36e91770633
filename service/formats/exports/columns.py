"""What each column of an export holds, and what it is called elsewhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from service.domain.vocabulary import Outcome

Json = Mapping[str, Any]
Cells = list[Any]


class Kind(StrEnum):
    """What is in the cells of a column; any may be empty."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DAY = "day"
    """A day of the calendar as ISO 8601 text."""
    TEXTS = "texts"
    LINES = "lines"
    """Casualty lines, as a report has them."""
    SOURCES = "sources"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name is the path in the JSON answer, `tag` its hashtag in HXL 1.1
    (hxlstandard.org), `#meta` where HXL has no word for it."""

    name: str
    kind: Kind
    tag: str


_TEXT, _INTEGER, _NUMBER, _BOOLEAN, _DAY, _TEXTS = (
    *(Kind.TEXT, Kind.INTEGER, Kind.NUMBER),
    *(Kind.BOOLEAN, Kind.DAY, Kind.TEXTS),
)
_AFFECTED: Final = {
    Outcome.KILLED: "killed",
    Outcome.WOUNDED: "injured",
    Outcome.MISSING: "missing",
    Outcome.CAPTURED: "captured",
    Outcome.DISPLACED: "displaced",
}
_COUNTED: Final = ("low", "best", "high", "open", "unknown")


def _figures(prefix: str) -> dict[str, tuple[Kind, str]]:
    """Columns of figures by outcome: bounds, and what is said beside them."""
    told: dict[str, tuple[Kind, str]] = {}
    for outcome, word in _AFFECTED.items():
        for part in _COUNTED:
            told[f"{prefix}.{outcome}.{part}"] = (_INTEGER, f"#affected+{word}+{part}")
        told[f"{prefix}.{outcome}.status"] = (_TEXT, f"#status+{word}")
        told[f"{prefix}.{outcome}.words"] = (_TEXT, f"#description+{word}")
    return told


_KNOWN: Final[Mapping[str, tuple[Kind, str]]] = {
    "id": (_TEXT, "#meta+id"),
    "revision": (_INTEGER, "#meta+revision"),
    "incident": (_TEXT, "#event+id"),
    "title": (_TEXT, "#event+name"),
    "when": (_TEXT, "#date+edtf"),
    "period": (_TEXT, "#date+period"),
    "start": (_DAY, "#date+start"),
    "end": (_DAY, "#date+end"),
    "from": (_TEXT, "#date+start"),
    "to": (_TEXT, "#date+end"),
    "precision": (_TEXT, "#meta+precision"),
    "lasted": (_BOOLEAN, "#meta+lasted"),
    "timezone": (_TEXT, "#meta+timezone"),
    "where.place": (_TEXT, "#loc+name"),
    "where.place_id": (_TEXT, "#loc+code"),
    "where.sector": (_TEXT, "#loc+area+code"),
    "where.as_written": (_TEXT, "#loc+original"),
    "where.lat": (_NUMBER, "#geo+lat"),
    "where.lon": (_NUMBER, "#geo+lon"),
    "where.precision": (_TEXT, "#geo+precision"),
    "point.lat": (_NUMBER, "#geo+lat"),
    "point.lon": (_NUMBER, "#geo+lon"),
    "point.precision": (_TEXT, "#geo+precision"),
    "lat": (_NUMBER, "#geo+lat"),
    "lon": (_NUMBER, "#geo+lon"),
    "geometry_precision": (_TEXT, "#geo+precision"),
    "geometry_source": (_TEXT, "#geo+source"),
    "sector": (_TEXT, "#loc+area+code"),
    "sectors": (_TEXTS, "#loc+area+code+list"),
    "within": (_TEXT, "#loc+area+within+code"),
    "weapons": (_TEXTS, "#cause+weapon+code+list"),
    "weapon": (_TEXT, "#cause+weapon+code"),
    "claimant": (_TEXT, "#org+claimant+code"),
    "observer": (_TEXT, "#org+observer+code"),
    "party": (_TEXT, "#group+party+code"),
    "attributed_to": (_TEXT, "#group+attributed+code"),
    "stance": (_TEXT, "#event+stance"),
    "about.report": (_TEXT, "#meta+about+report+id"),
    "about.incident": (_TEXT, "#meta+about+incident+id"),
    "about.outcomes": (_TEXTS, "#meta+about+outcomes+list"),
    "status": (_TEXT, "#status+verification"),
    "basis": (_TEXT, "#status+basis"),
    "contested": (_BOOLEAN, "#status+contested"),
    "possible_duplicate": (_BOOLEAN, "#status+duplicate"),
    "possible_duplicates": (_INTEGER, "#indicator+duplicates+num"),
    "counted": (_BOOLEAN, "#status+counted"),
    "reason": (_TEXT, "#description+reason"),
    "grade": (_TEXT, "#status+grade"),
    "flags": (_TEXTS, "#status+flags+list"),
    "reported": (_TEXT, "#date+reported"),
    "first_reported": (_TEXT, "#date+reported"),
    "received": (_DAY, "#date+received"),
    "summary": (_TEXT, "#description+summary"),
    "note": (_TEXT, "#description+note"),
    "origin.source": (_TEXT, "#meta+source+dataset"),
    "origin.key": (_TEXT, "#meta+source+id"),
    "origin.licence": (_TEXT, "#meta+license"),
    "disclosure.visibility": (_TEXT, "#access+visibility"),
    "disclosure.embargo": (_TEXT, "#access+embargo"),
    "disclosure.place": (_TEXT, "#access+place"),
    "sources.title": (_TEXT, "#meta+source+title"),
    "sources.publisher": (_TEXT, "#meta+source+org"),
    "sources.published": (_TEXT, "#date+published"),
    "sources.url": (_TEXT, "#meta+source+url"),
    "sources.locator": (_TEXT, "#meta+source+locator"),
    "sources": (Kind.SOURCES, "#meta+source+list"),
    "casualties": (Kind.LINES, "#affected+list"),
    "casualties.party": (_TEXT, "#affected+party+code"),
    "casualties.group": (_TEXT, "#affected+group+code"),
    "episode": (_BOOLEAN, "#event+episode"),
    "part_of": (_TEXT, "#event+parent+id"),
    "incidents": (_INTEGER, "#indicator+incidents+num"),
    "episodes": (_INTEGER, "#indicator+episodes+num"),
    "reports": (_INTEGER, "#indicator+reports+num"),
    "remainder": (_BOOLEAN, "#meta+remainder"),
    "coverage": (_TEXT, "#access+coverage"),
    "incidents_url": (_TEXT, "#meta+url"),
    "unit": (_TEXT, "#indicator+unit"),
    "count.low": (_INTEGER, "#indicator+low+num"),
    "count.best": (_INTEGER, "#indicator+best+num"),
    "count.high": (_INTEGER, "#indicator+high+num"),
    "count.words": (_TEXT, "#description+count"),
    "means": (_TEXT, "#access+means"),
    "access": (_TEXT, "#access+type"),
    "name": (_TEXT, "#meta+name"),
    "names": (_TEXT, "#meta+name+list"),
    "display": (_TEXT, "#loc+name"),
    "displays": (_TEXT, "#loc+name+list"),
    "kind": (_TEXT, "#meta+type"),
    "parent": (_TEXT, "#meta+parent+id"),
    "valid_from": (_DAY, "#date+valid+start"),
    "valid_to": (_DAY, "#date+valid+end"),
    "source": (_TEXT, "#meta+source"),
    "rule": (_TEXT, "#meta+rule"),
    "series": (_TEXT, "#meta+series"),
    "date": (_TEXT, "#date"),
    "fixes": (_TEXT, "#description"),
    **_figures("figures"),
    **_figures("casualties"),
    "in_force": (_BOOLEAN, "#meta+valid"),
    "last.earliest": (_DAY, "#date+start+last"),
    "last.latest": (_DAY, "#date+end+last"),
    "days.at_least": (_INTEGER, "#indicator+days+low+num"),
    "days.at_most": (_INTEGER, "#indicator+days+high+num"),
    "open": (_INTEGER, "#indicator+open+num"),
    "alone": (_INTEGER, "#indicator+alone+num"),
    "shared": (_INTEGER, "#indicator+shared+num"),
    "alone_url": (_TEXT, "#meta+url+alone"),
}
# Rows that stand beside another one: what they are called in an answer, and in its hashtags.
_BESIDE: Final = ("compared", "change", "a", "b", "gap")


def columns_of(names: Iterable[str], **kinds: Kind) -> tuple[Column, ...]:
    """The columns of these names; `kinds` are those that hold something else in this list.

    Raises `KeyError` for a name that nobody has described.
    """
    return tuple(_column(str(name), kinds) for name in names)


def _column(name: str, kinds: Mapping[str, Kind]) -> Column:
    beside, _, own = name.partition(".")
    if beside in _BESIDE:
        kind, tag = _KNOWN[own]
        return Column(name, kind, f"{tag}+{beside}")
    kind, tag = _KNOWN[name]
    return Column(name, kinds.get(name, kind), tag)


def picker(names: Sequence[str]) -> Callable[[Json], Cells]:
    """What reads these paths out of an item; what is missing on the way is `None`."""
    groups: list[tuple[tuple[str, ...], list[str]]] = []
    for name in names:
        *path, last = name.split(".")
        if not groups or groups[-1][0] != tuple(path):
            groups.append((tuple(path), []))
        groups[-1][1].append(last)
    runs = [(path, tuple(last), len(last)) for path, last in groups]

    def pick(item: Json) -> Cells:
        cells: Cells = []
        for path, last, count in runs:
            value: Any = item
            for part in path:
                value = value.get(part) if value else None
            if value:
                cells += map(value.get, last)
            else:
                cells += (None,) * count
        return cells

    return pick
