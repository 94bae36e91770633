"""Reference data: from the entries of its files to a theatre."""

import csv
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from service.domain.periods import NamedPeriod, overlapping
from service.domain.places import Gazetteer, Place, PlaceName
from service.domain.sectors import Sector, Sectors
from service.domain.theatre import Agreement, Claimant, Party, Theatre, Words
from service.domain.validity import SectorSpan, Validity
from service.domain.vocabulary import ClaimantKind, Group, Outcome, Precision
from service.domain.weapons import Scheme, SchemeRule, WeaponClass, Weapons
from service.domain.when import parse_when, parse_zone
from service.errors import Invalid

Entry = Mapping[str, Any]
T = TypeVar("T")

# In the order in which a theatre is put together: file, key of the entries in it, kind.
FILES: Final = (
    ("parties.toml", "party"),
    ("claimants.toml", "claimant"),
    ("weapons.toml", "weapon"),
    ("weapons.toml", "scheme"),
    ("sectors.toml", "sector"),
    ("places.toml", "place"),
    ("agreements.toml", "agreement"),
    ("periods.toml", "period"),
    ("words.toml", "word"),
)
# Whose entries have a `name` in the first of the theatre's languages, and `names` in the others.
_NAMED: Final = ("claimant", "weapon", "scheme", "sector", "agreement", "period")
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(("id", *named))
    for kind, named in {
        "theatre": (
            *("name", "names", "timezone", "monitored_from", "implausible_casualties"),
            *("languages", "licence"),
        ),
        "party": ("names", "also"),
        "claimant": ("name", "names", "kind", "party", "valid_from", "valid_to", "note"),
        "weapon": ("name", "names", "parent", "note"),
        "scheme": ("name", "names", "source", "rule"),
        "sector": ("name", "names", "parent", "valid_from", "valid_to", "note"),
        "place": (
            *("display", "kind", "lat", "lon", "precision", "names", "sectors", "note"),
            *("source", "curated"),
        ),
        "agreement": ("name", "names", "date", "fixes", "source", "note"),
        "period": ("series", "name", "names", "start", "end", "timezone", "source", "note"),
        "word": (each.name for each in fields(Words) if each.name != "language"),
    }.items()
}
_ADDRESS: Final = re.compile(r"https?://[!-;=?-~]{1,300}")
_OPTIONAL: Final = frozenset({"words.toml"})
KINDS: Final = ("theatre", *(kind for _, kind in FILES))

_WORD_LISTS: Final = (
    "single",
    "quantities",
    "none",
    "measures",
    "between",
    "passive",
    "joining",
    "negators",
    "denials",
    "without",
    "ordinary",
    "speaking",
    "year_words",
    "day_words",
    "number_endings",
    "endings",
    "restored",
)


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Let what is wrong with an entry be raised as `Invalid` that says where the entry stands."""
    try:
        yield
    except Invalid as error:
        raise error.under(where) from None
    except KeyError as error:
        raise Invalid(f"lacks {error.args[0]}", where) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Invalid(str(error), where) from None


def read_toml(path: Path) -> dict[str, Any]:
    """A file's content with dates as ISO 8601 text. Raises `Invalid` naming the file."""
    with naming(path.name), path.open("rb") as file:
        return {key: _plain(value) for key, value in tomllib.load(file).items()}


def read_folder(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All reference entries of a seed folder by kind, outlines and gazetteer rows joined in.

    Raises `Invalid` naming the file or the entry, also for a field that is not known.
    """
    entries: dict[str, list[dict[str, Any]]] = {"theatre": [read_toml(folder / "theatre.toml")]}
    for name, kind in FILES:
        if name in _OPTIONAL and not (folder / name).exists():
            continue
        entries[kind] = list(read_toml(folder / name).get(kind, []))
    for kind, some in entries.items():
        for position, entry in enumerate(some):
            if unknown := sorted(entry.keys() - _FIELDS[kind]):
                where = f"{kind}.{entry.get('id', position)}.{unknown[0]}"
                raise Invalid("is not a known field", where)
    with naming("sectors.geojson"):
        outlines = {
            feature["properties"]["sector"]: feature
            for feature in orjson.loads((folder / "sectors.geojson").read_bytes())["features"]
        }
        for sector in entries["sector"]:
            if feature := outlines.pop(sector.get("id"), None):
                properties = feature["properties"]
                sector["geometry"] = feature["geometry"]
                sector["geometry_precision"] = properties.get("precision")
                sector["geometry_source"] = properties.get("source")
    if outlines:
        raise Invalid("draws a sector that sectors.toml does not name", "sectors.geojson")
    entries["place"].extend(_gazetteer_rows(folder / "places.csv"))
    return entries


def theatre_of(entries: Mapping[str, Sequence[Entry]]) -> Theatre:
    """Put a theatre together. Raises `Invalid` naming the kind and position of a bad entry."""
    whole = entries["theatre"][0]
    with naming("theatre"):
        zone = parse_zone(whole["timezone"])
        monitored_from = parse_when(whole["monitored_from"], zone).known_start
        named, name = whole["id"], whole["name"]
        implausible, languages = whole["implausible_casualties"], tuple(whole["languages"])
        licence = whole.get("licence")
        if licence is not None and not _ADDRESS.fullmatch(licence):
            raise Invalid("must be the address of a licence", "licence")
        names_of = partial(_names, languages=languages[1:])
        names = names_of(whole)
    for kind in _NAMED:
        _each(kind, entries, names_of)
    periods = _each("period", entries, _period)
    if clashes := overlapping(periods):
        raise Invalid(f"{clashes[0][0]} and {clashes[0][1]} overlap", "period")
    sectors = Sectors(_each("sector", entries, _sector))
    parties = {party.id: party for party in _each("party", entries, _party)}
    claimants = {claimant.id: claimant for claimant in _each("claimant", entries, _claimant)}
    for claimant in claimants.values():
        if claimant.party is not None and claimant.party not in parties:
            raise Invalid("speaks for a party that is not known", f"claimant.{claimant.id}")
    places = _each("place", entries, _place)
    for place in places:
        if any(span.sector not in sectors for span in place.sectors):
            raise Invalid("lies in a sector that is not known", f"place.{place.id}")
    weapons = Weapons(_each("weapon", entries, _weapon), _each("scheme", entries, _scheme))
    words = _each("word", entries, _words)
    for of_language in words:
        if any(weapon and weapon not in weapons for weapon in of_language.weapons):
            where = f"word.{of_language.language}"
            raise Invalid("has words for a weapon that is not known", where)
    return Theatre(
        id=named,
        name=name,
        zone=zone,
        monitored_from=monitored_from,
        implausible_casualties=implausible,
        languages=languages,
        parties=parties,
        claimants=claimants,
        weapons=weapons,
        sectors=sectors,
        gazetteer=Gazetteer(places),
        periods=periods,
        agreements=_each("agreement", entries, _agreement),
        words=words,
        licence=licence,
        names=names,
    )


def _each(
    kind: str, entries: Mapping[str, Sequence[Entry]], build: Callable[[Entry], T]
) -> tuple[T, ...]:
    built: list[T] = []
    seen: set[str] = set()
    for entry in entries.get(kind, ()):
        name = str(entry.get("id", len(built)))
        if name in seen:
            raise Invalid("stands twice", f"{kind}.{name}")
        seen.add(name)
        with naming(f"{kind}.{name}"):
            built.append(build(entry))
    return tuple(built)


def _names(entry: Entry, languages: Sequence[str]) -> Mapping[str, str]:
    """What an entry is called in these languages, as far as anybody said."""
    names: Mapping[str, Any] = entry.get("names", {})
    for language, name in names.items():
        if language not in languages:
            raise Invalid("is no further language of the theatre", f"names.{language}")
        if not isinstance(name, str) or not name.strip():
            raise Invalid("must be text", f"names.{language}")
    return names


def _party(entry: Entry) -> Party:
    return Party(entry["id"], entry["names"], tuple(entry.get("also", ())))


def _claimant(entry: Entry) -> Claimant:
    return Claimant(
        entry["id"],
        entry["name"],
        ClaimantKind(entry["kind"]),
        entry.get("party"),
        validity_of(entry),
        entry.get("note"),
    )


def _weapon(entry: Entry) -> WeaponClass:
    return WeaponClass(entry["id"], entry["name"], entry.get("parent"), entry.get("note"))


def _scheme(entry: Entry) -> Scheme:
    rules = tuple(
        SchemeRule(
            rule["weapon"], rule["category"], rule.get("calibre_from"), rule.get("calibre_below")
        )
        for rule in entry.get("rule", ())
    )
    return Scheme(entry["id"], entry["name"], entry["source"], rules)


def _sector(entry: Entry) -> Sector:
    return Sector(
        entry["id"],
        entry["name"],
        entry.get("parent"),
        validity_of(entry),
        entry.get("note"),
        entry.get("geometry"),
        entry.get("geometry_precision"),
        entry.get("geometry_source"),
        entry.get("names", {}),
    )


def _place(entry: Entry) -> Place:
    names = tuple(
        PlaceName(name["name"], name.get("language"), name.get("usage"))
        for name in entry.get("names", ())
    )
    return Place(
        id=entry["id"],
        display=entry["display"],
        names=names,
        latitude=entry.get("lat"),
        longitude=entry.get("lon"),
        precision=Precision(entry.get("precision", Precision.SETTLEMENT)),
        kind=entry.get("kind"),
        sectors=tuple(
            SectorSpan(span["sector"], validity_of(span)) for span in entry.get("sectors", ())
        ),
        note=entry.get("note"),
        source=entry.get("source"),
        curated=entry.get("curated", True),
    )


def _agreement(entry: Entry) -> Agreement:
    return Agreement(entry["id"], entry["name"], entry["date"], entry["fixes"], entry["source"])


def _period(entry: Entry) -> NamedPeriod:
    start, end = date.fromisoformat(entry["start"]), date.fromisoformat(entry["end"])
    if start > end:
        raise Invalid("ends before it starts", "end")
    parse_zone(entry["timezone"])
    return NamedPeriod(
        entry["id"],
        entry["series"],
        entry["name"],
        start,
        end,
        entry["timezone"],
        entry["source"],
        entry.get("note"),
    )


def _words(entry: Entry) -> Words:
    lists = {
        name: tuple(str(pattern) for pattern in entry.get(name, ()))
        for name in _WORD_LISTS
        if name in entry
    }
    return Words(
        language=entry["id"],
        script=entry["script"],
        letters=entry.get("letters", ""),
        stopwords=frozenset(entry.get("stopwords", ())),
        before=_by_outcome(entry.get("before", {})),
        after=_by_outcome(entry.get("after", {})),
        either=_by_outcome(entry.get("either", {})),
        groups={
            None if group == "people" else Group(group): tuple(patterns)
            for group, patterns in entry.get("groups", {}).items()
        },
        numbers={word: int(number) for word, number in entry.get("numbers", {}).items()},
        multipliers={word: int(number) for word, number in entry.get("multipliers", {}).items()},
        qualifiers=_patterns(entry.get("qualifiers", {})),
        following=_patterns(entry.get("following", {})),
        weapons=_patterns(entry.get("weapons", {})),
        relative={word: (int(a), int(b)) for word, (a, b) in entry.get("relative", {}).items()},
        **lists,
    )


def _by_outcome(patterns: Mapping[str, Sequence[str]]) -> dict[Outcome, tuple[str, ...]]:
    return {Outcome(outcome): tuple(some) for outcome, some in patterns.items()}


def _patterns(patterns: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(some) for name, some in patterns.items()}


def validity_of(entry: Entry) -> Validity:
    first, last = entry.get("valid_from"), entry.get("valid_to")
    return Validity(
        date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None
    )


def _gazetteer_rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            with naming(f"{path.name}.{line}"):
                entry = {
                    "id": row["id"],
                    "display": row["name"],
                    "names": [{"name": name} for name in row["alternates"].split("|") if name],
                    "lat": float(row["lat"]),
                    "lon": float(row["lon"]),
                    "precision": Precision.SETTLEMENT.value,
                    "source": "GeoNames, CC BY 4.0",
                    "curated": False,
                }
            yield entry


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
