"""A data set as a package: what its tables hold, and how it describes itself.

The description is a Data Package (datapackage.org, version 2.0), the tables are CSV (RFC 4180) in
UTF-8. A field is a path of the API's answers; what is empty is not known or does not apply.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome, Stance, Status
from service.errors import Invalid
from service.formats import strict_json
from service.formats.records import instant_text
from service.formats.tabular import REPORT_COLUMNS
from service.formats.views import COVERAGE_COLUMNS, INCIDENT_COLUMNS, TALLY_COLUMNS

Json = dict[str, Any]


class Audience(StrEnum):
    """Whom a package is for: it holds what they are shown, or everything."""

    PUBLIC = "public"
    PARTNERS = "partners"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a package: `key` names its primary key, `refers` leads from a field to a field
    of another table, or of itself where that is empty."""

    name: str
    title: str
    columns: Sequence[str]
    key: Sequence[str] = ()
    refers: Sequence[tuple[str, str, str]] = ()
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.name}.csv"

    def schema(self) -> Json:
        """A Table Schema 2.0."""
        schema: Json = {
            "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
            "fields": [self._field(name) for name in self.columns],
            "missingValues": [""],
        }
        if self.key:
            schema["primaryKey"] = [*self.key]
        if self.refers:
            schema["foreignKeys"] = [
                {
                    "fields": [mine],
                    "reference": {**({"resource": table} if table else {}), "fields": [theirs]},
                }
                for mine, table, theirs in self.refers
            ]
        return schema

    def _field(self, name: str) -> Json:
        last = name.rpartition(".")[2]
        of_type = self.types.get(name) or _TYPES.get(name) or _TYPES.get(last, "string")
        told: Json = {"name": name, "type": of_type}
        if of_type in ("array", "object"):
            told["description"] = "As JSON."
        elif says := _SAYS.get(name) or _SAYS.get(last if last in _PARTS else ""):
            told["description"] = says
        constraints: Json = {"required": True} if name in self.key else {}
        if self.key == (name,):
            constraints["unique"] = True
        if of_type == "integer":
            constraints["minimum"] = 0
        if allowed := _ENUMERATED.get(name):
            constraints["enum"] = [each.value for each in allowed]
        return {**told, "constraints": constraints} if constraints else told


@dataclass(frozen=True, slots=True)
class File:
    """A file of a package, with its size in bytes and its SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a package says of itself: the theatre, for whom, the newest change in it, how many
    changes it follows from, the `size` and root of their ledger, which may lack the very last, and
    the schema of the database that it was made from.

    `licence` is that of what is the tracker's own, where one is declared; `sources` are the sources
    of its reports with their licences, empty where one names none.
    """

    theatre: str
    name: str
    audience: Audience
    created: datetime
    changes: int
    size: int
    root: str
    method: str
    schema: str
    licence: str | None = None
    sources: frozenset[tuple[str, str]] = frozenset()

    @property
    def version(self) -> str:
        """That of the method and, behind it, that of the data."""
        return f"{self.method}+{self.changes}"


DESCRIPTOR: Final = "datapackage.json"
README: Final = "README.md"
CHECKSUMS: Final = "SHA256SUMS"
CHECKPOINT: Final = "checkpoint.txt"
OUTLINES: Final = "sectors.geojson"
RECORD: Final = "record/"
_BOUNDS: Final = ("low", "best", "high")
_PARTS: Final = (*_BOUNDS, "words")
_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("start", "end", "valid_from", "valid_to", "received"), "date"),
    **dict.fromkeys(("lasted", "contested", "counted", "episode", "possible_duplicate"), "boolean"),
    **dict.fromkeys(("lat", "lon", "calibre_mm"), "number"),
    **dict.fromkeys(("revision", "reports", "line", "number", *_BOUNDS), "integer"),
    "disclosure.embargo": "datetime",
}
_ENUMERATED: Final[Mapping[str, Iterable[StrEnum]]] = {
    "status": Status,
    "stance": Stance,
    "outcome": Outcome,
}
_SAYS: Final[Mapping[str, str]] = {
    "low": "At least so many.",
    "best": "The best estimate.",
    "high": "At most so many; empty where nobody bounds it.",
    "when": "When it happened, in EDTF (ISO 8601-2), as precisely as is known.",
    "start": "The first day it may have begun, local to the theatre.",
    "end": "The last day it may have ended, local to the theatre.",
    "lasted": "Whether it went on all the time from start to end.",
    "sector": "An id of sectors, the smallest one that is known.",
    "where.sector": "An id of sectors, the smallest one that is known.",
    "where.place_id": "An id of places.",
    "part_of": "The incident that this one is a part of.",
    "episode": "Whether it is a frame around others, which is not counted itself.",
    "counted": "Whether figures count it.",
    "contested": "Whether those who tell of it contradict each other.",
    "weapons": "Ids of weapon_classes with semicolons between.",
    "sectors": "Ids of sectors with semicolons between.",
    "claimant": "Who says so: an id of claimants, or a name as it was sent.",
    "observer": "Who watched: an id of claimants, or a name as it was sent.",
    "party": "An id of parties, or a name as it was sent.",
    "flags": "What is doubtful about it, with semicolons between.",
    "reported": "When it was first said, a day, month or year.",
    "first_reported": "When it was first said, a day, month or year.",
    "received": "The day it reached the tracker.",
    "words": "How many in words, where that is how it was said.",
    "from": "RFC 3339, seconds may be left out.",
    "to": "RFC 3339, seconds may be left out.",
    "counted_low": "At least so many are added to sums, beyond what its parts add.",
    "counted_best": "So many are added to sums, beyond what its parts add.",
    "counted_high": "At most so many are added to sums, beyond what its parts add.",
}
_OF_REPORTS: Final = tuple(
    name for name in REPORT_COLUMNS if not name.startswith(("sources.", "casualties."))
)

TABLES: Final = (
    Table(
        "incidents",
        "What happened, as all reports tell it together",
        (
            *INCIDENT_COLUMNS,
            # What the incident adds to the sums of a question, so that they can be made again.
            *(f"counted.{outcome}.{bound}" for outcome in SUMMED_OUTCOMES for bound in _BOUNDS),
        ),
        key=("id",),
        refers=(("part_of", "", "id"),),
    ),
    Table(
        "incident_parties",
        "The figures of each incident by the party of the casualties",
        (
            *("incident", "party", "outcome", *_BOUNDS, "status"),
            *(f"counted_{bound}" for bound in _BOUNDS),
        ),
        key=("incident", "party", "outcome"),
        refers=(("incident", "incidents", "id"),),
        types=dict.fromkeys((f"counted_{bound}" for bound in _BOUNDS), "integer"),
    ),
    Table(
        "reports",
        "Who claims what; several reports may tell of one incident",
        _OF_REPORTS,
        key=("id",),
        refers=(("incident", "incidents", "id"),),
    ),
    Table(
        "casualties",
        "The casualty lines of reports",
        (
            *("report", "line", "party", "group"),
            *(f"{outcome}.{part}" for outcome in Outcome for part in _PARTS),
        ),
        key=("report", "line"),
        refers=(("report", "reports", "id"),),
    ),
    Table(
        "sources",
        "Where reports were published",
        ("report", "number", "title", "publisher", "published", "url", "locator"),
        key=("report", "number"),
        refers=(("report", "reports", "id"),),
    ),
    Table(
        "weapons",
        "The weapons that reports name",
        ("report", "number", "weapon", "calibre_mm", "schemes"),
        key=("report", "number"),
        refers=(("report", "reports", "id"),),
        types={"schemes": "object"},
    ),
    Table(
        "reports_flat",
        "Reports with a row for each casualty line or source, as they can be imported elsewhere",
        REPORT_COLUMNS,
        refers=(("id", "reports", "id"),),
    ),
    Table(
        "tallies", "What claimants counted over a span; never added up", TALLY_COLUMNS, key=("id",)
    ),
    Table("coverage", "Who watched which sectors, and when", COVERAGE_COLUMNS, key=("id",)),
)

_IN_LANGUAGES: Final = {"names": "object"}
REFERENCE_TABLES: Final[Mapping[str, Table]] = {
    "sector": Table(
        "sectors",
        "Sectors as a tree; outlines are in sectors.geojson",
        (
            *("id", "name", "names", "parent", "valid_from", "valid_to", "note"),
            *("geometry_precision", "geometry_source"),
        ),
        key=("id",),
        types=_IN_LANGUAGES,
        refers=(("parent", "", "id"),),
    ),
    "place": Table(
        "places",
        "The gazetteer",
        (
            *("id", "display", "kind", "lat", "lon", "precision", "names", "sectors"),
            *("note", "source"),
        ),
        key=("id",),
        types={"names": "array", "sectors": "array"},
    ),
    "weapon": Table(
        "weapon_classes",
        "Weapon classes as a tree",
        ("id", "name", "names", "parent", "note"),
        key=("id",),
        types=_IN_LANGUAGES,
        refers=(("parent", "", "id"),),
    ),
    "scheme": Table(
        "weapon_schemes",
        "Classifications of others, by class and calibre",
        ("id", "name", "names", "source", "rule"),
        key=("id",),
        types={**_IN_LANGUAGES, "rule": "array"},
    ),
    "party": Table("parties", "The sides", ("id", "names"), key=("id",), types=_IN_LANGUAGES),
    "claimant": Table(
        "claimants",
        "Who asserts, and for which side, if for one",
        ("id", "name", "names", "kind", "party", "valid_from", "valid_to", "note"),
        key=("id",),
        types=_IN_LANGUAGES,
        refers=(("party", "parties", "id"),),
    ),
    "period": Table(
        "periods",
        "Named periods; those of one series never overlap",
        ("id", "series", "name", "names", "start", "end", "timezone", "source", "note"),
        key=("id",),
        types=_IN_LANGUAGES,
    ),
    "agreement": Table(
        "agreements",
        "Ceasefires, truces and mandates",
        ("id", "name", "names", "date", "fixes", "source", "note"),
        key=("id",),
        types=_IN_LANGUAGES,
    ),
}
ALL_TABLES: Final = {table.path: table for table in (*TABLES, *REFERENCE_TABLES.values())}

_MEDIA: Final[Mapping[str, tuple[str, str]]] = {
    "csv": ("csv", "text/csv"),
    "geojson": ("geojson", "application/geo+json"),
    "ndjson": ("ndjson", "application/x-ndjson"),
    "txt": ("txt", "text/plain"),
}
# Licences that have a name among those of opendefinition.org and SPDX.
_LICENCES: Final[Mapping[str, str]] = {
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "CC0 1.0": "CC0-1.0",
}
_SUM: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_]+(?:/[a-z_]+)?(?:\.[a-z]+)?)")


def descriptor(told: Told, files: Sequence[File]) -> bytes:
    """`datapackage.json` for these files."""
    names = sorted({name for name, _ in told.sources})
    return orjson.dumps(
        {
            "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
            "name": f"{_slug(told.theatre)}-{told.audience}",
            "title": told.name,
            "description": f"Incidents, reports and reference data, for {_WHO[told.audience]}.",
            "version": told.version,
            "created": instant_text(told.created),
            "keywords": ["ceasefire", "incidents", "casualties"],
            "licenses": [*map(_licence, _licences(told))] or [{"path": README}],
            **({"sources": [{"title": name} for name in names]} if names else {}),
            "resources": [_resource(file) for file in files],
            "ceasefire": {
                "for": told.audience,
                "schema": told.schema,
                "ledger": {"size": told.size, "root": told.root},
            },
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def _resource(file: File) -> Json:
    stem, _, suffix = file.path.rpartition(".")
    form, media = _MEDIA[suffix]
    told: Json = {
        # A name may hold no slash, and outlines are beside the table of the same name.
        "name": (stem if suffix != "geojson" else file.path).replace("/", "-"),
        "path": file.path,
        "format": form,
        "mediatype": media,
        "encoding": "utf-8",
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }
    if (table := ALL_TABLES.get(file.path)) is None:
        return told
    dialect = {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True}
    return {
        **told,
        "type": "table",
        "title": table.title,
        "dialect": dialect,
        "schema": table.schema(),
    }


def checksums(files: Iterable[File]) -> bytes:
    """As `sha256sum -c` reads them."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in files).encode()


def read_checksums(text: bytes) -> dict[str, str]:
    """SHA-256 by path. Raises `Invalid`, also for a path that leads elsewhere."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
        told = _SUM.fullmatch(line)
        if told is None or told[2] in found:
            raise Invalid("is no checksum of one file of a package", f"{CHECKSUMS} line {number}")
        found[told[2]] = told[1]
    return found


def read_descriptor(content: bytes) -> tuple[Audience, str, tuple[int, str]]:
    """For whom a package is, of which schema, and size and root of its ledger.

    Raises `Invalid` where it is no package of this service.
    """
    try:
        told = strict_json.loads(content)["ceasefire"]
        audience, schema = Audience(told["for"]), str(told["schema"])
        return audience, schema, (int(told["ledger"]["size"]), str(told["ledger"]["root"]))
    except (Invalid, KeyError, TypeError, ValueError):
        raise Invalid(
            "is not that of a package which `ceasefire export` made", DESCRIPTOR
        ) from None


_WHO: Final[Mapping[Audience, str]] = {
    Audience.PUBLIC: "everybody",
    Audience.PARTNERS: "partners only",
    Audience.EVERYTHING: "whoever runs the service and nobody else",
}
_LEFT_OUT: Final[Mapping[Audience, str]] = {
    Audience.PUBLIC: (
        "What is for partners or reviewers only, what is under an embargo, and what a source's\n"
        "licence keeps back is not here, and nothing here depends on it: every figure is that of\n"
        "the reports in this package. Who sent and who reviewed a report is never told; a place\n"
        "may be shown more coarsely than it is known, and a text that may name a person is kept\n"
        "back. The history of each report and its reviews are at `/v1/reports/ID/revisions`,\n"
        "copies of photos that a reviewer released at `/v1/reports/ID/photos`. A database cannot\n"
        "be made from it."
    ),
    Audience.PARTNERS: (
        "What is for reviewers only and what is under an embargo is not here, and nothing here\n"
        "depends on it. Who sent and who reviewed a report is never told. The history of each\n"
        "report and its reviews are at `/v1/reports/ID/revisions`, copies of photos that a\n"
        "reviewer released at `/v1/reports/ID/photos`. A database cannot be made from it. Do not\n"
        "pass it on: it holds what is not public."
    ),
    Audience.EVERYTHING: (
        "Nothing is left out. The tables hold what reviewers are shown; `record/` holds every\n"
        "change with its private values (who sent and reviewed it, exact positions, summaries),\n"
        "feeds, imports, the files that were imported and what was refused of them, and photos as\n"
        "they came, which tell where their makers stood. API keys are in it as SHA-256 hashes of\n"
        "256 random bits, and stay valid where it is taken back. Keep it as you keep the\n"
        "database: it can endanger people.\n"
        "\n"
        "    ceasefire import THIS_PACKAGE\n"
        "\n"
        "takes it back into an empty, migrated database; the key that signs heads is not in it."
    ),
}


def readme(told: Told, files: Sequence[File], rows: Mapping[str, int]) -> bytes:
    """What somebody who opens the package should know first; `rows` counts those of each table."""
    listed = "\n".join(
        f"| `{file.path}` | {rows.get(file.path, '')} | {_about(file.path)} |" for file in files
    )
    licences = "\n".join(
        f"| {_plain(name)} | {_plain(licence) or 'not said'} |"
        for name, licence in sorted(told.sources)
    )
    signed = any(file.path == CHECKPOINT for file in files)
    return f"""# {_plain(told.name)}

For {_WHO[told.audience]}. Exported by a Ceasefire Incident Tracker; the newest change in it is of
{instant_text(told.created)}, version {told.version}: method {told.method} and {told.changes}
changes, which the API repeats with `as_of=changes:{told.changes}`.

| file | rows | holds |
| --- | --- | --- |
{listed}

`{DESCRIPTOR}` says of every column what it holds (Data Package 2.0, datapackage.org).

## Checking it

    sha256sum -c {CHECKSUMS}

The ledger of {told.size} changes has the root `{told.root}`.
{_SIGNED if signed else _UNSIGNED}

## Opening it

    import pandas
    incidents = pandas.read_csv("incidents.csv", dtype={{"id": str}}, keep_default_na=False,
                                na_values=[""])
    told = incidents[incidents.counted & ~incidents.episode]
    print(len(told), told["counted.killed.best"].sum())

A spreadsheet opens every table; text that it would take for a formula has an apostrophe in front.

* Figures are `low`, `best`, `high`; an empty `high` is open, empty altogether is not known.
* `figures.…` are an incident's own, `counted.…` is what it adds to sums beyond its parts; add up
  `counted.…`. Incidents with `episode` are frames around others: count them apart.
* Claims of several sides stand side by side in `reports.csv`. Adding them up counts people twice.
* `tallies.csv` holds counts over spans, which nothing is ever added to.

## Left out, and why

{_LEFT_OUT[told.audience]}

## Licences

Each report names its source and licence (`origin.source`, `origin.licence`); one without is the
tracker's own, {f"given out under <{told.licence}>" if told.licence else "ask whoever runs it"}.
Entries of the reference data name their sources (`source`, `geometry_source`).

| source of reports | licence |
| --- | --- |
{licences or "| none | |"}
""".encode()


_SIGNED: Final = (
    f"`{CHECKPOINT}` is its newest head, signed when it was this long or shorter. Compare it with\n"
    "`/v1/ledger/checkpoint` of the service and with heads that others hold; docs/ledger.md says\n"
    "how to prove that one is the beginning of the other."
)
_UNSIGNED: Final = "No head of it was signed where this was made."


def _about(path: str) -> str:
    if path in ALL_TABLES:
        return ALL_TABLES[path].title
    return _OTHER_FILES[path]


_OTHER_FILES: Final[Mapping[str, str]] = {
    OUTLINES: "Outlines of sectors (RFC 7946)",
    CHECKPOINT: "The newest signed head of the ledger",
    f"{RECORD}ledger.ndjson": "Every change in the order of the ledger, with its private values",
    f"{RECORD}pending.ndjson": "Changes that have no place in the ledger yet",
    f"{RECORD}heads.ndjson": "Every head that was signed",
    f"{RECORD}feeds.ndjson": "Feeds, and how far they are",
    f"{RECORD}imports.ndjson": "Imports and their accounts",
    f"{RECORD}archive_pieces.ndjson": "The files that were imported, as they came, compressed",
    f"{RECORD}rejects.ndjson": "What was not taken of them",
    f"{RECORD}photo_pieces.ndjson": "Photos as they came, and their copies",
    f"{RECORD}reference.ndjson": "The reference data as they are now",
}


def _licences(told: Told) -> list[str]:
    """That of the tracker's own first, then those of sources."""
    own = [told.licence] if told.licence else []
    return [*own, *sorted({licence for _, licence in told.sources if licence} - {*own})]


def _licence(text: str) -> Json:
    name = _LICENCES.get(text)
    if text.startswith("https://"):
        return {"path": text}
    return {"name": name, "title": text} if name else {"path": README, "title": text}


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") or "theatre"


def _plain(text: str) -> str:
    """Text of others in a line of Markdown: no markup of its own, no cell of its own."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
