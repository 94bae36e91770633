"""Reading incidents."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api import answers
from service.api.access import Reader
from service.api.exports import Asked, page_of
from service.api.freshness import FreshRoute
from service.api.parameters import IncidentParameters, MomentParameters
from service.api.requests import Ctx
from service.api.shapes.common import refusals
from service.api.shapes.incidents import INCIDENT, LIST_OF_INCIDENTS, MERGED
from service.errors import Merged
from service.formats.exports.subjects import INCIDENTS
from service.formats.reports import Identifier
from service.work import exports, incidents
from service.work.exports import Export
from service.work.past import View

router = APIRouter(route_class=FreshRoute, tags=["incidents"])


@router.get(
    "/incidents",
    summary="List incidents",
    responses={200: LIST_OF_INCIDENTS, **refusals(422)},
)
def list_incidents(
    request: Request,
    parameters: Annotated[IncidentParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """Incidents that all filters select, with the figures derived from their reports: page by page,
    or all of them in another format."""
    asked = Asked.of(request, parameters)
    start = parameters.start(page=asked is None or parameters.is_page)
    if asked is not None and not parameters.is_page:
        whole = asked.format.whole

        def found(view: View) -> Export:
            query = parameters.filters(view.theatre, actor)
            return exports.all_incidents(view.session, query, view.theatre, start, whole=whole)

        return asked.stream(context, parameters.as_of, found)
    with context.view(parameters.as_of) as view:
        query = parameters.filters(view.theatre, actor)
        items, last = incidents.find(
            view.session, query, view.theatre, start.place, parameters.limit
        )
    return page_of(request, asked, view, INCIDENTS, items, parameters.cursor_to(last))


@router.get(
    "/incidents/{incident_id}",
    summary="Read one incident",
    responses={200: INCIDENT, 307: MERGED, **refusals(404, 422)},
)
def get_incident(
    request: Request,
    incident_id: Annotated[Identifier, Path()],
    parameters: Annotated[MomentParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """An incident with who claims what, side by side, what it is part of and what is part of it."""
    with context.view(parameters.as_of) as view:
        try:
            return answers.json(incidents.get(view.session, incident_id, actor, view.theatre))
        except Merged as merged:
            return answers.merged(request, merged.into)
