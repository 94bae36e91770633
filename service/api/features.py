"""Incidents and sectors as features, for QGIS, GDAL and whoever else speaks
OGC API – Features, Part 1 (OGC 17-069r4)."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema
from starlette.responses import Response

from service.api import answers, problems
from service.api.access import Reader
from service.api.freshness import FreshRoute
from service.api.parameters import (
    LARGEST_PAGE,
    CursorParameters,
    FilterParameters,
    MomentParameters,
    Whole,
    YesNo,
)
from service.api.requests import Ctx
from service.api.shapes.common import refusals
from service.api.shapes.features import (
    ANY_REFUSAL,
    COLLECTION,
    COLLECTIONS,
    CONFORMANCE,
    FEATURE,
    FEATURES,
    LANDING_PAGE,
    MERGED,
    SCHEMA_OF_FEATURES,
    SERVICE_DESCRIPTION,
)
from service.domain.access import Actor
from service.domain.features import extent_of, select_sectors
from service.domain.queries import BoundingBox, IncidentQuery
from service.domain.theatre import Theatre
from service.errors import Invalid, Merged, NotFound, Problem
from service.formats import features as documents
from service.formats.reports import Code, Identifier
from service.formats.validation import problems_of
from service.work import features, incidents
from service.work.past import View

Json = dict[str, Any]

_ROOT: Final = "/v1/ogc"
_NUMBER: Final = r"-?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?"
_BOX: Final = rf"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$"
_MOMENT: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,20})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?"
)
_TIME: Final = rf"^({_MOMENT}(/(\.\.|{_MOMENT})?)?|(\.\.)?/{_MOMENT})$"


class FeaturesRoute(FreshRoute):
    """Refuses what is wrong with parameters with 400, and knows nothing under a wrong path."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def as_the_standard_says(request: Request) -> Response:
            try:
                return await handle(request)
            except Invalid as error:
                found = error.problems
            except RequestValidationError as error:
                if error.errors()[0]["loc"][0] == "path":
                    raise NotFound from None
                wrong = problems_of(error.errors())
                found = tuple(Problem(p.field.partition(".")[2], p.message) for p in wrong)
            return problems.problem(400, Invalid.detail, found)

        return as_the_standard_says


router = APIRouter(route_class=FeaturesRoute, tags=["features"], prefix="/ogc")


class ItemParameters(BaseModel):
    """Which features of a collection."""

    model_config = FilterParameters.model_config

    limit: Annotated[
        Whole,
        Field(ge=1),
        AfterValidator(lambda limit: min(limit, LARGEST_PAGE)),
        WithJsonSchema({"type": "integer", "minimum": 1}),
    ] = 100
    """No more than 500 are given at once, however many are asked for."""
    bbox: Annotated[str | None, Field(max_length=400, pattern=_BOX)] = None
    """West, south, east, north in degrees (CRS84), or with heights, which select nothing.

    What has no geometry may lie in it, and is selected too."""
    time: Annotated[str | None, Field(alias="datetime", max_length=100, pattern=_TIME)] = None
    """An instant or a day, or two with `/` between them, one of which may be open (`..`).

    What has a local day in common with it is selected."""

    def box(self) -> BoundingBox | None:
        if self.bbox is None:
            return None
        numbers = [float(number) for number in self.bbox.split(",")]
        west, south, *_ = numbers
        east, north = numbers[-2:] if len(numbers) == 4 else numbers[3:5]
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
            raise Invalid("must be west,south,east,north in degrees", "bbox")
        return BoundingBox(west, south, east, north)

    def span(self, theatre: Theatre) -> tuple[date | None, date | None]:
        """The first and the last local day, `None` where open. Raises `Invalid`."""
        if self.time is None:
            return None, None
        start, _, end = self.time.partition("/")
        first, last = _day(start, theatre), _day(end if "/" in self.time else start, theatre)
        if first and last and first > last:
            raise Invalid("ends before it starts", "datetime")
        return first, last


class IncidentItemParameters(ItemParameters, FilterParameters, CursorParameters):
    """Which incidents; whatever filters lists filters features too."""

    counted: YesNo = None
    """Only what figures count, or only what they leave out."""

    def filters(self, theatre: Theatre, actor: Actor) -> IncidentQuery:
        # A box is one of features here, which selects otherwise.
        query = super(IncidentItemParameters, self.model_copy(update={"bbox": None})).filters(
            theatre, actor
        )
        first, last = self.span(theatre)
        return replace(
            query,
            counted=self.counted,
            first=max(filter(None, (query.first, first)), default=None),
            last=min(filter(None, (query.last, last)), default=None),
        )


class SectorItemParameters(ItemParameters):
    """Which sectors."""

    cursor: Code | None = None
    """Of the `next` link of the page before."""


@router.get("", summary="Where features start", responses={200: LANDING_PAGE, **ANY_REFUSAL})
def get_landing_page(request: Request, context: Ctx) -> Response:
    """The landing page that QGIS, `ogrinfo OAPIF:…` and other clients are given."""
    with context.view() as view:
        theatre = view.theatre
    return answers.json(documents.landing_page(theatre, _root(request), _url(request, "/docs")))


@router.get(
    "/conformance",
    summary="What features conform to",
    responses={200: CONFORMANCE, **ANY_REFUSAL},
)
def get_conformance() -> Response:
    """The conformance classes of the standard that are met."""
    return answers.json({"conformsTo": documents.CONFORMANCE})


@router.get(
    "/api",
    summary="The description of the service",
    response_class=Response,
    responses={200: SERVICE_DESCRIPTION, **ANY_REFUSAL},
)
def get_service_description(request: Request) -> Response:
    """The same as `/openapi.json`, under the media type that clients of features look for."""
    return Response(orjson.dumps(request.app.openapi()), media_type=documents.OPENAPI)


@router.get("/collections", summary="List collections", responses={200: COLLECTIONS, **ANY_REFUSAL})
def list_collections(request: Request, actor: Reader, context: Ctx) -> Response:
    """Both collections, with the box and the span that hold what the reader is shown of them."""
    root = _root(request)
    with context.view() as view:
        every = [_collection(name, view, actor, root) for name in documents.TITLES]
    return answers.json(documents.collections(every, root))


@router.get(
    "/collections/{collection_id}",
    summary="Read one collection",
    responses={200: COLLECTION, **refusals(404), **ANY_REFUSAL},
)
def get_collection(
    request: Request, collection_id: Annotated[Code, Path()], actor: Reader, context: Ctx
) -> Response:
    """What a collection holds, and where."""
    if collection_id not in documents.TITLES:
        raise NotFound
    with context.view() as view:
        return answers.json(_collection(collection_id, view, actor, _root(request)))


@router.get(
    "/collections/{collection_id}/schema",
    summary="Read the schema of a collection",
    response_class=Response,
    responses={200: SCHEMA_OF_FEATURES, **refusals(404), **ANY_REFUSAL},
)
def get_schema(request: Request, collection_id: Annotated[Code, Path()]) -> Response:
    """The properties of the features of a collection with their types, as a JSON Schema."""
    if collection_id not in documents.TITLES:
        raise NotFound
    content = documents.schema(collection_id, _root(request))
    return Response(orjson.dumps(content), media_type=documents.SCHEMA)


@router.get(
    "/collections/incidents/items",
    summary="List incidents as features",
    response_class=Response,
    responses={200: FEATURES, **ANY_REFUSAL},
)
def list_incident_features(
    request: Request,
    parameters: Annotated[IncidentItemParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """The incidents that `/v1/incidents` lists, newest first, as GeoJSON."""
    with context.view(parameters.as_of) as view:
        found = features.find(
            view.session,
            parameters.filters(view.theatre, actor),
            parameters.box(),
            view.theatre,
            parameters.after(),
            parameters.limit,
        )
    shown = [documents.incident_feature(each) for each in found.views]
    following = parameters.cursor_to(found.following)
    return _page(request, shown, "incidents", following, found.matched)


@router.get(
    "/collections/incidents/items/{incident_id}",
    summary="Read one incident as a feature",
    response_class=Response,
    responses={200: FEATURE, 307: MERGED, **refusals(404), **ANY_REFUSAL},
)
def get_incident_feature(
    request: Request,
    incident_id: Annotated[Identifier, Path()],
    parameters: Annotated[MomentParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """An incident with its figures, and where it happened if that is published."""
    with context.view(parameters.as_of) as view:
        try:
            told = incidents.get(view.session, incident_id, actor, view.theatre)
        except Merged as merged:
            return answers.merged(request, merged.into)
    return _single(request, documents.incident_feature(told), "incidents")


@router.get(
    "/collections/sectors/items",
    summary="List sectors as features",
    response_class=Response,
    responses={200: FEATURES, **ANY_REFUSAL},
)
def list_sector_features(
    request: Request, parameters: Annotated[SectorItemParameters, Query()], context: Ctx
) -> Response:
    """Sectors with their outlines and validity, in the order of the reference data."""
    with context.view() as view:
        theatre = view.theatre
    found = select_sectors(theatre.sectors, parameters.box(), *parameters.span(theatre))
    start = 0
    if parameters.cursor is not None:
        ids = [sector.id for sector in found]
        if parameters.cursor not in ids:
            raise Invalid("is not a cursor", "cursor")
        start = ids.index(parameters.cursor) + 1
    shown = found[start : start + parameters.limit]
    following = shown[-1].id if found[start + parameters.limit :] else None
    tree = theatre.sectors.tree
    items = [documents.sector_feature(sector, tree.depth(sector.id)) for sector in shown]
    return _page(request, items, "sectors", following, len(found))


@router.get(
    "/collections/sectors/items/{sector_id}",
    summary="Read one sector as a feature",
    response_class=Response,
    responses={200: FEATURE, **refusals(404), **ANY_REFUSAL},
)
def get_sector_feature(
    request: Request, sector_id: Annotated[Code, Path()], context: Ctx
) -> Response:
    """A sector with its outline, where one is known."""
    with context.view() as view:
        sectors = view.theatre.sectors
    sector = sectors.get(sector_id)
    if sector is None:
        raise NotFound
    found = documents.sector_feature(sector, sectors.tree.depth(sector_id))
    return _single(request, found, "sectors")


def _collection(name: str, view: View, actor: Actor, root: str) -> Json:
    if name == "sectors":
        extent = extent_of(view.theatre.sectors)
    else:
        shown = IncidentQuery(sees=actor.sees.level, own=actor.name)
        extent = features.extent(view.session, shown, view.theatre)
    return documents.collection(name, extent, view.theatre, root)


def _page(
    request: Request,
    items: Sequence[Json],
    name: str,
    following: str | None,
    matched: int | None,
) -> Response:
    links = _links(request, name)
    if following is not None:
        there = str(request.url.include_query_params(cursor=following))
        links.append(documents.link(there, "next", documents.GEOJSON))
    return _geojson(documents.feature_collection(items, links, matched))


def _single(request: Request, feature: Json, name: str) -> Response:
    return _geojson({**feature, "links": _links(request, name)})


def _links(request: Request, name: str) -> list[Json]:
    return [
        documents.link(str(request.url), "self", documents.GEOJSON),
        documents.link(f"{_root(request)}/collections/{name}", "collection", documents.JSON),
    ]


def _geojson(content: Json) -> Response:
    headers = {"Content-Crs": f"<{documents.CRS84}>"}
    return Response(orjson.dumps(content), media_type=documents.GEOJSON, headers=headers)


def _root(request: Request) -> str:
    return _url(request, _ROOT)


def _url(request: Request, path: str) -> str:
    return f"{str(request.base_url).rstrip('/')}{path}"


def _day(text: str, theatre: Theatre) -> date | None:
    """The local day of a day or an instant; `None` for an open end."""
    if text in ("", ".."):
        return None
    try:
        if len(text) == len("2020-09-27"):
            return date.fromisoformat(text)
        return theatre.day_of(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise Invalid("is not a date of the calendar", "datetime") from None
