"""A first theatre from the data themselves: areas by the columns that name them, sides, and
whoever says so; for a conflict that nobody has described yet."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import tomli_w

from service.errors import Invalid
from service.formats.imports.entries import Entry
from service.formats.reference import FILES, read_toml

Json = dict[str, Any]
ROOT: Final = "theatre"
# Days before the first entry of a file may still come with the next.
_MONITORED_FROM: Final = "1900"
_IMPLAUSIBLE: Final = 10_000
_WEAPONS: Final = "weapons.toml"
_NO_PLACES: Final = "id,name,lat,lon,alternates\n"


def outline(entries: Iterable[Entry], name: str | None, weapons: Path) -> dict[str, list[Json]]:
    """Reference entries by kind for a theatre that holds everything the entries name.

    The outermost area they share is the theatre itself; where they share none, one is put around
    all. `weapons` is a folder of reference data whose classes of weapons are taken over. Raises
    `Invalid` where no entry names an area.
    """
    chains: dict[tuple[str, ...], None] = {}
    sides: dict[str, None] = {}
    voices: dict[str, None] = {}
    for entry in entries:
        if entry.value is not None:
            chains[tuple(reversed(entry.areas))] = None
            sides.update(dict.fromkeys(_sides(entry.value)))
            voices.update(dict.fromkeys(_voices(entry.value)))
    sectors = list(_sectors(chains, name))
    armoury = read_toml(weapons / _WEAPONS)
    # Their names in languages that this theatre does not have yet stay behind.
    classes, schemes = (
        [{k: v for k, v in entry.items() if k != "names"} for entry in armoury.get(kind, [])]
        for kind in ("weapon", "scheme")
    )
    return {
        "theatre": [
            {
                "id": sectors[0]["id"],
                "name": name or sectors[0]["name"],
                "timezone": "UTC",
                "monitored_from": _MONITORED_FROM,
                "implausible_casualties": _IMPLAUSIBLE,
                "languages": ["en"],
            }
        ],
        "party": [{"id": code, "names": {"en": side}} for code, side in _coded(sides)],
        "claimant": [{"id": voice, "name": voice, "kind": "research"} for voice in voices if voice],
        "weapon": classes,
        "scheme": schemes,
        "sector": sectors,
        **{kind: [] for kind in ("place", "agreement", "period")},
    }


def with_outlines(theatre: dict[str, list[Json]], polygons: Path, named_by: str) -> None:
    """Give sectors the polygons of a GeoJSON file whose property `named_by` is their name.

    Raises `Invalid` where a feature lacks it, or names no sector.
    """
    by_name = {sector["name"]: sector for sector in theatre["sector"]}
    for feature in orjson.loads(polygons.read_bytes())["features"]:
        sector = by_name.get(feature["properties"].get(named_by))
        if sector is None:
            raise Invalid("draws an area that the data do not name")
        sector["geometry"] = feature["geometry"]
        sector["geometry_precision"] = "sector"
        sector["geometry_source"] = polygons.name


def write_folder(theatre: Mapping[str, list[Json]], folder: Path) -> None:
    """Write a theatre as a folder of reference data. Raises `Invalid` where there is one."""
    if folder.exists() and any(folder.iterdir()):
        raise Invalid("is not empty", str(folder))
    (folder / "incidents").mkdir(parents=True, exist_ok=True)
    _write(folder / "theatre.toml", theatre["theatre"][0])
    files: dict[str, Json] = {}
    for file, kind in FILES:
        files.setdefault(file, {})[kind] = [
            {k: v for k, v in entry.items() if v is not None and not k.startswith("geometry")}
            for entry in theatre.get(kind, [])
        ]
    for file, content in files.items():
        _write(folder / file, content)
    features = [
        {
            "type": "Feature",
            "properties": {"sector": sector["id"], "source": sector["geometry_source"]},
            "geometry": sector["geometry"],
        }
        for sector in theatre["sector"]
        if sector.get("geometry")
    ]
    drawn = {"type": "FeatureCollection", "features": features}
    (folder / "sectors.geojson").write_bytes(orjson.dumps(drawn))
    (folder / "places.csv").write_text(_NO_PLACES)
    (folder / "coverage.toml").touch()


def _sectors(chains: Iterable[tuple[str, ...]], name: str | None) -> Iterator[Json]:
    """The tree of areas, the outermost first; each chain leads from the outermost inwards."""
    paths: dict[tuple[str, ...], None] = {}
    for chain in chains:
        for depth in range(1, len(chain) + 1):
            paths[chain[:depth]] = None
    outermost = [path for path in paths if len(path) == 1]
    if not outermost:
        raise Invalid("names no area that a theatre could be made from", "file")
    taken: set[str] = set()
    root: str | None = None
    if len(outermost) > 1:
        root = _code(name or ROOT, taken)
        yield {"id": root, "name": name or "Theatre", "parent": None}
    codes: dict[tuple[str, ...], str] = {}
    for path in sorted(paths, key=len):
        codes[path] = _code(path[-1], taken)
        yield {"id": codes[path], "name": path[-1], "parent": codes.get(path[:-1], root)}


def _coded(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    taken: set[str] = set()
    return ((_code(name, taken), name) for name in names)


def _code(name: str, taken: set[str]) -> str:
    """Small Latin letters and hyphens for a name, with a number where that is in use."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    code = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:60] or "area"
    numbered = (code, *(f"{code}-{number}" for number in range(2, len(taken) + 3)))
    chosen = next(each for each in numbered if each not in taken)
    taken.add(chosen)
    return chosen


def _sides(value: Mapping[str, Any]) -> Iterator[str]:
    yield from (line["party"] for line in value.get("casualties", ()) if line.get("party"))
    if value.get("attributed_to"):
        yield value["attributed_to"]


def _voices(value: Mapping[str, Any]) -> Iterator[str]:
    yield from (value[name] for name in ("claimant", "observer") if value.get(name))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(tomli_w.dumps(content), encoding="utf-8")
