"""Saying which reports tell of one event, and finding which may."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.api import answers
from service.api.access import Grouper, GroupingReader, Reader, denials_logged
from service.api.freshness import FreshRoute
from service.api.parameters import FilterParameters, Whole
from service.api.reports import ReportId
from service.api.requests import Context, Ctx
from service.api.shapes.common import refusals
from service.api.shapes.grouping import LIST_OF_CANDIDATES, LIST_OF_STEPS, STEP
from service.domain.access import Actor
from service.formats.grouping import LinksIn, MergeIn, Reasoned, SplitIn
from service.formats.reports import Identifier
from service.work import candidates, grouping, reports
from service.work.grouping import Desk

router = APIRouter(route_class=FreshRoute, tags=["grouping"])
IncidentId = Annotated[Identifier, Path()]


class CandidateParameters(BaseModel):
    """How many candidates."""

    model_config = FilterParameters.model_config

    limit: Annotated[Whole, Field(ge=1, le=100)] = 20


_STEP = {201: STEP, **refusals(403, 404, 408, 409, 413, 415, 422)}


@router.post(
    "/incidents/{incident_id}/merge", status_code=201, summary="Merge incidents", responses=_STEP
)
def merge(incident_id: IncidentId, asked: MergeIn, actor: Grouper, context: Ctx) -> Response:
    """Make other incidents part of this one's account: their reports stand side by side in it."""
    return _taken(
        context, actor, lambda desk: desk.merge(incident_id, asked.incidents, asked.reason)
    )


@router.post(
    "/incidents/{incident_id}/split", status_code=201, summary="Split an incident", responses=_STEP
)
def split(incident_id: IncidentId, asked: SplitIn, actor: Grouper, context: Ctx) -> Response:
    """Make some of an incident's reports an incident of their own."""
    return _taken(context, actor, lambda desk: desk.split(incident_id, asked.reports, asked.reason))


@router.post(
    "/incidents/{incident_id}/links",
    status_code=201,
    summary="Link to an incident",
    responses=_STEP,
)
def link(incident_id: IncidentId, asked: LinksIn, actor: Grouper, context: Ctx) -> Response:
    """Bring reports to an incident, say what it is part of, or how it is called."""
    return _taken(context, actor, lambda desk: desk.link(incident_id, asked))


@router.post("/groupings/{step_id}/undo", status_code=201, summary="Undo a step", responses=_STEP)
def undo(
    step_id: Annotated[Identifier, Path()], asked: Reasoned, actor: Grouper, context: Ctx
) -> Response:
    """Restore what was before a merge, split, link or undo, unless it has changed since."""
    return _taken(context, actor, lambda desk: desk.undo(step_id, asked.reason))


@router.get(
    "/incidents/{incident_id}/groupings",
    summary="Read the steps that made an incident",
    responses={200: LIST_OF_STEPS, **refusals(403, 404, 422)},
)
def list_steps(incident_id: IncidentId, _: GroupingReader, context: Ctx) -> Response:
    """Merges, splits, links and undoings that touched an incident, oldest first."""
    with context.view() as view:
        items = grouping.steps_of(view.session, incident_id)
    return answers.json(answers.listed(items, None))


@router.get(
    "/incidents/{incident_id}/candidates",
    summary="Find incidents that may be the same event",
    responses={200: LIST_OF_CANDIDATES, **refusals(404, 422)},
)
def incident_candidates(
    parameters: Annotated[CandidateParameters, Query()],
    incident_id: IncidentId,
    actor: Reader,
    context: Ctx,
) -> Response:
    """Other incidents that may tell of the same event, best first, with a score in bits and its
    reasons.

    Nothing is merged by it. How it is reckoned: docs/candidates.md.
    """
    with context.view() as view:
        items = candidates.of_incident(
            view.session, incident_id, actor, view.theatre, parameters.limit
        )
    return answers.json(answers.listed(items, None))


@router.get(
    "/reports/{report_id}/candidates",
    summary="Find incidents that a report may belong to",
    responses={200: LIST_OF_CANDIDATES, **refusals(404, 422)},
)
def report_candidates(
    parameters: Annotated[CandidateParameters, Query()],
    request: Request,
    report_id: ReportId,
    actor: Reader,
    context: Ctx,
) -> Response:
    """Other incidents that a report may tell of, best first, with a score in bits and its
    reasons."""
    with denials_logged(request, actor), context.view() as view:
        row = reports.get(view.session, report_id, actor)
        items = candidates.of_report(view.session, row, actor, view.theatre, parameters.limit)
    return answers.json(answers.listed(items, None))


def _taken(context: Context, actor: Actor, take: Callable[[Desk], dict[str, Any]]) -> Response:
    def work(session: Any) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        return take(Desk(session, theatre, author, context.new_id))

    return answers.json(context.database.write(work), 201)
