"""Reading incidents."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from service.api import answers
from service.api.access import Reader
from service.api.parameters import IncidentParameters, MomentParameters
from service.api.requests import Ctx, StrictRoute
from service.api.shapes.common import refusals
from service.api.shapes.incidents import INCIDENT, LIST_OF_INCIDENTS, MERGED
from service.errors import Merged
from service.formats import tabular
from service.formats.reports import Identifier
from service.formats.views import INCIDENT_COLUMNS
from service.work import incidents

router = APIRouter(route_class=StrictRoute, tags=["incidents"])


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
    """Incidents that all filters select, with the figures derived from their reports."""
    with context.view(parameters.as_of) as view:
        query = parameters.filters(view.theatre, actor)
        items, last = incidents.find(
            view.session, query, view.theatre, parameters.after(), parameters.limit
        )
    following = parameters.cursor_to(last)
    if answers.format_of(request, parameters.format) == "csv":
        rows = (tabular.flattened(item) for item in items)
        headers = answers.next_link(request, following)
        return answers.csv(INCIDENT_COLUMNS, rows, "incidents", headers)
    return answers.json(answers.listed(items, following))


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
            # Not for good: a merge can be undone. What was asked of the one is asked of the other.
            asked = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/v1/incidents/{merged.into}{asked}", 307)
