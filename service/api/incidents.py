"""Reading incidents."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api import answers
from service.api.parameters import IncidentParameters
from service.api.requests import Ctx, StrictRoute
from service.api.shapes import INCIDENT, LIST_OF_INCIDENTS, refusals
from service.formats import tabular
from service.formats.reports import Identifier
from service.formats.views import INCIDENT_COLUMNS
from service.work import incidents

router = APIRouter(route_class=StrictRoute, tags=["incidents"])


@router.get(
    "/incidents",
    summary="List incidents",
    responses={200: LIST_OF_INCIDENTS, **refusals(422, 503)},
)
def list_incidents(
    request: Request, parameters: Annotated[IncidentParameters, Query()], context: Ctx
) -> Response:
    """Incidents that all filters select, with the figures derived from their reports."""
    with context.database.reading() as session:
        theatre = context.theatres.current(session)
        query = parameters.filters(theatre)
        items, last = incidents.find(session, query, theatre, parameters.after(), parameters.limit)
    following = parameters.cursor_to(last)
    if answers.format_of(request, parameters.format) == "csv":
        rows = (tabular.flattened(item) for item in items)
        headers = answers.next_link(request, following)
        return answers.csv(INCIDENT_COLUMNS, rows, "incidents", headers)
    return answers.json(answers.listed(items, following))


@router.get(
    "/incidents/{incident_id}",
    summary="Read one incident",
    responses={200: INCIDENT, **refusals(404, 422, 503)},
)
def get_incident(incident_id: Annotated[Identifier, Path()], context: Ctx) -> Response:
    """An incident with who claims what, side by side, what it is part of and what is part of it."""
    with context.database.reading() as session:
        theatre = context.theatres.current(session)
        return answers.json(incidents.get(session, incident_id, theatre))
