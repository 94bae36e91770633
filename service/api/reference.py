"""The reference data of the theatre: the codes that requests use and answers name."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from service.api import answers
from service.api.parameters import FilterParameters
from service.api.requests import Context, Ctx, StrictRoute
from service.api.shapes.common import refusals
from service.api.shapes.reference import LIST_OF_ENTRIES
from service.formats.reports import Code
from service.work import reference

router = APIRouter(route_class=StrictRoute, tags=["reference data"])

_GEOJSON: Final = "application/geo+json"
# What is shown of each kind, in order; geometry only in GeoJSON.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "sector": (
        *("id", "name", "parent", "valid_from", "valid_to", "note"),
        *("geometry_precision", "geometry_source"),
    ),
    "place": (
        *("id", "display", "kind", "lat", "lon", "precision", "names", "sectors"),
        *("note", "source"),
    ),
    "weapon": ("id", "name", "parent", "note"),
    "scheme": ("id", "name", "source", "rule"),
    "claimant": ("id", "name", "kind", "party", "valid_from", "valid_to", "note"),
    "party": ("id", "names"),
    "period": ("id", "series", "name", "start", "end", "timezone", "source", "note"),
    "agreement": ("id", "name", "date", "fixes", "source", "note"),
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: LIST_OF_ENTRIES,
    **refusals(422),
}
_SECTORS: Final[dict[int | str, dict[str, Any]]] = {
    **_RESPONSES,
    200: {
        **LIST_OF_ENTRIES,
        "content": {**LIST_OF_ENTRIES["content"], _GEOJSON: {"schema": {"type": "object"}}},
    },
}


class ReferenceParameters(BaseModel):
    """In which format."""

    model_config = FilterParameters.model_config

    format: Literal["json", "csv"] | None = None


class SectorParameters(BaseModel):
    """In which format."""

    model_config = FilterParameters.model_config

    format: Literal["json", "csv", "geojson"] | None = None


class PlaceParameters(ReferenceParameters):
    """Which places, in which format."""

    q: Code | None = None
    """A spelling in any script; answers the place it means, if one."""


Plain = Annotated[ReferenceParameters, Query()]


@router.get("/sectors", summary="List sectors", responses=_SECTORS)
def list_sectors(
    request: Request, parameters: Annotated[SectorParameters, Query()], context: Ctx
) -> Response:
    """The tree of sectors with their validity; with `format=geojson` their outlines."""
    wants_outlines = _GEOJSON in request.headers.get("accept", "")
    if parameters.format == "geojson" or (parameters.format is None and wants_outlines):
        features = [
            {
                "type": "Feature",
                "id": entry["id"],
                "geometry": entry.get("geometry"),
                "properties": _shown(entry, _COLUMNS["sector"]),
            }
            for entry in _entries(context, "sector")
        ]
        collection = {"type": "FeatureCollection", "features": features}
        return Response(orjson.dumps(collection), media_type=_GEOJSON)
    return _answer(request, "sector", _entries(context, "sector"), parameters.format)


@router.get("/places", summary="List places", responses=_RESPONSES)
def list_places(
    request: Request, parameters: Annotated[PlaceParameters, Query()], context: Ctx
) -> Response:
    """The gazetteer: every place with its names by language, script and usage."""
    entries = _entries(context, "place")
    if parameters.q is not None:
        with context.database.reading() as session:
            found = context.theatres.current(session).gazetteer.find(parameters.q)
        entries = [entry for entry in entries if found and entry["id"] == found.id]
    return _answer(request, "place", entries, parameters.format)


@router.get("/weapons", summary="List weapons", responses=_RESPONSES)
def list_weapons(request: Request, parameters: Plain, context: Ctx) -> Response:
    """The tree of weapon classes."""
    return _answer(request, "weapon", _entries(context, "weapon"), parameters.format)


@router.get("/schemes", summary="List weapon schemes", responses=_RESPONSES)
def list_schemes(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Classifications of others, derived from class and calibre by these rules."""
    return _answer(request, "scheme", _entries(context, "scheme"), parameters.format)


@router.get("/claimants", summary="List claimants", responses=_RESPONSES)
def list_claimants(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Who asserts, and for which party, if for one."""
    return _answer(request, "claimant", _entries(context, "claimant"), parameters.format)


@router.get("/parties", summary="List parties", responses=_RESPONSES)
def list_parties(request: Request, parameters: Plain, context: Ctx) -> Response:
    """The sides, named in the theatre's languages."""
    return _answer(request, "party", _entries(context, "party"), parameters.format)


@router.get("/periods", summary="List named periods", responses=_RESPONSES)
def list_periods(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Named periods with their bounds and sources; those of one series never overlap."""
    return _answer(request, "period", _entries(context, "period"), parameters.format)


@router.get("/agreements", summary="List agreements", responses=_RESPONSES)
def list_agreements(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Ceasefires, truces and mandates."""
    return _answer(request, "agreement", _entries(context, "agreement"), parameters.format)


def _entries(context: Context, kind: str) -> Sequence[Mapping[str, Any]]:
    with context.database.reading() as session:
        return reference.entries_of(session, kind).get(kind, [])


def _answer(
    request: Request,
    kind: str,
    entries: Sequence[Mapping[str, Any]],
    asked: Literal["json", "csv"] | None,
) -> Response:
    columns = _COLUMNS[kind]
    items = [_shown(entry, columns) for entry in entries]
    if answers.format_of(request, asked) == "csv":
        return answers.csv(columns, ({**item, **_joined(item)} for item in items), kind)
    return answers.json(answers.listed(items, None))


def _shown(entry: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    return {column: entry.get(column) for column in columns}


def _joined(item: Mapping[str, Any]) -> dict[str, str]:
    """Lists and objects as one cell each."""
    return {
        name: orjson.dumps(value).decode()
        for name, value in item.items()
        if isinstance(value, list | dict)
    }
