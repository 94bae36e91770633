"""The reference data of the theatre: the codes that requests use and answers name.

Whatever has a `name` has it in the first of the theatre's languages, and `names` in the others.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api import answers
from service.api.exports import Asked
from service.api.freshness import FreshRoute
from service.api.parameters import FormatParameters
from service.api.requests import Context, Ctx
from service.api.shapes.common import refusals
from service.api.shapes.reference import LIST_OF_ENTRIES, OUTLINES, THEATRE
from service.domain.features import extent_of
from service.formats import outlines
from service.formats.exports import subjects
from service.formats.features import GEOJSON
from service.formats.reports import Code
from service.work import reference

router = APIRouter(route_class=FreshRoute, tags=["reference data"])

# What is shown of each kind, in order; geometry only in GeoJSON.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "sector": (
        *("id", "name", "names", "parent", "valid_from", "valid_to", "note"),
        *("geometry_precision", "geometry_source"),
    ),
    "place": (
        *("id", "display", "displays", "kind", "lat", "lon", "precision", "names"),
        *("sectors", "note", "source"),
    ),
    "weapon": ("id", "name", "names", "parent", "note"),
    "scheme": ("id", "name", "names", "source", "rule"),
    "claimant": ("id", "name", "names", "kind", "party", "valid_from", "valid_to", "note"),
    "party": ("id", "names"),
    "period": ("id", "series", "name", "names", "start", "end", "timezone", "source", "note"),
    "agreement": ("id", "name", "names", "date", "fixes", "source", "note"),
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: LIST_OF_ENTRIES,
    **refusals(422),
}


class PlaceParameters(FormatParameters):
    """Which places, in which format."""

    q: Code | None = None
    """A spelling in any script; answers the place it means, if one."""
    kind: Code | None = None
    """Only places of this kind, as they tell it themselves."""


Plain = Annotated[FormatParameters, Query()]


@router.get("/theatre", summary="Describe the theatre", responses={200: THEATRE, **refusals(422)})
def show_theatre(context: Ctx) -> Response:
    """What these data are about, and what holds for all of them."""
    with context.view() as view:
        theatre = view.theatre
    told = {
        "id": theatre.id,
        "name": theatre.name,
        "names": theatre.names or None,
        "timezone": theatre.zone.key,
        "languages": theatre.languages,
        "monitored_from": theatre.monitored_from,
        "licence": theatre.licence,
    }
    return answers.json(told, headers=answers.provenance(theatre))


@router.get("/sectors", summary="List sectors", responses=_RESPONSES)
def list_sectors(request: Request, parameters: Plain, context: Ctx) -> Response:
    """The tree of sectors with their validity; with `format=geojson` their outlines."""
    return _answer(request, "sector", parameters, context)


@router.get("/places", summary="List places", responses=_RESPONSES)
def list_places(
    request: Request, parameters: Annotated[PlaceParameters, Query()], context: Ctx
) -> Response:
    """The gazetteer: every place with its names by language, script and usage.

    `display` takes no side; `displays` is the same in each language that the place has names in."""
    return _answer(
        request, "place", parameters, context, spelling=parameters.q, of_kind=parameters.kind
    )


@router.get("/weapons", summary="List weapons", responses=_RESPONSES)
def list_weapons(request: Request, parameters: Plain, context: Ctx) -> Response:
    """The tree of weapon classes."""
    return _answer(request, "weapon", parameters, context)


@router.get("/schemes", summary="List weapon schemes", responses=_RESPONSES)
def list_schemes(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Classifications of others, derived from class and calibre by these rules."""
    return _answer(request, "scheme", parameters, context)


@router.get("/claimants", summary="List claimants", responses=_RESPONSES)
def list_claimants(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Who asserts, and for which party, if for one."""
    return _answer(request, "claimant", parameters, context)


@router.get("/parties", summary="List parties", responses=_RESPONSES)
def list_parties(request: Request, parameters: Plain, context: Ctx) -> Response:
    """The sides, named in the theatre's languages."""
    return _answer(request, "party", parameters, context)


@router.get("/periods", summary="List named periods", responses=_RESPONSES)
def list_periods(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Named periods with their bounds and sources; those of one series never overlap."""
    return _answer(request, "period", parameters, context)


@router.get("/agreements", summary="List agreements", responses=_RESPONSES)
def list_agreements(request: Request, parameters: Plain, context: Ctx) -> Response:
    """Ceasefires, truces and mandates."""
    return _answer(request, "agreement", parameters, context)


@router.get(
    "/outlines",
    summary="Draw the ground around the theatre",
    response_class=Response,
    responses={200: OUTLINES, **refusals(422)},
)
def show_outlines(context: Ctx) -> Response:
    """Land and countries for the ground of a map, by their ISO 3166-1 numeric code, and as the
    feature `boundaries` the lines between them: Natural Earth's, 1:10m, made simpler. They express
    no position of ours."""
    with context.view() as view:
        theatre = view.theatre
    drawn = outlines.around(extent_of(theatre.sectors).box)
    return Response(drawn, media_type=GEOJSON, headers=answers.provenance(theatre))


def _answer(
    request: Request,
    kind: str,
    parameters: FormatParameters,
    context: Context,
    *,
    spelling: str | None = None,
    of_kind: str | None = None,
) -> Response:
    """The entries of a kind; with a spelling the place it means, of one kind only those."""
    asked = Asked.of(request, parameters)
    with context.view() as view:
        entries = reference.entries_of(view.session, kind).get(kind, [])
    if spelling is not None:
        found = view.theatre.gazetteer.find(spelling)
        entries = [entry for entry in entries if found and entry["id"] == found.id]
    if of_kind is not None:
        entries = [entry for entry in entries if entry.get("kind") == of_kind]
    if kind == "place":
        displays = {place.id: place.displays for place in view.theatre.gazetteer}
        entries = [{**entry, "displays": displays[entry["id"]] or None} for entry in entries]
    columns = _COLUMNS[kind]
    items = [{column: entry.get(column) for column in columns} for entry in entries]
    if asked is not None:
        # Outlines are no column, but where they stand as geometries they are wanted.
        told = items if asked.format.whole else entries
        return asked.whole(view, subjects.reference(kind, columns), told)
    return answers.json(answers.listed(items, None), headers=answers.provenance(view.theatre))
