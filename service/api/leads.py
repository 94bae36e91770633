"""Leads: what sources wrote, for people to turn into reports."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.api import answers
from service.api.access import QueueReader, Reviewer
from service.api.freshness import FreshRoute
from service.api.parameters import PageParameters, Whole
from service.api.requests import Ctx
from service.api.shapes.common import refusals
from service.api.shapes.imports import LEAD, LEAD_TAKEN, LIST_OF_LEADS
from service.formats.reports import Code, Identifier, Reason, ReportIn, Strict
from service.work import leads

router = APIRouter(route_class=FreshRoute, tags=["imports"], prefix="/leads")
LeadId = Annotated[Identifier, Path()]


class LeadParameters(PageParameters):
    """Which leads, and which page of them."""

    state: Literal["open", "taken", "dismissed"] | None = None
    source: Code | None = None
    # Each is read anew, which takes longer than to list it.
    limit: Annotated[Whole, Field(ge=1, le=50)] = 20
    format: Literal["json"] | None = None


class LeadReports(Strict):
    """What a lead tells, as reports; the draft in the lead is a beginning."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reports": [
                        {
                            "when": "2022-08-03",
                            "where": {"place": "Lachin"},
                            "claimant": "azerbaijani-officials",
                            "casualties": [{"party": "azerbaijan", "killed": 1}],
                        }
                    ]
                }
            ]
        }
    )

    reports: Annotated[list[ReportIn], Field(min_length=1, max_length=50)]


class Dismissal(Strict):
    """Why a lead is set aside."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "It tells of an exercise."}]}
    )

    reason: Reason


@router.get("", summary="List leads", responses={200: LIST_OF_LEADS, **refusals(403, 422)})
def list_leads(
    parameters: Annotated[LeadParameters, Query()], _: QueueReader, context: Ctx
) -> Response:
    """What sources wrote, the newest first, each with what was found in it."""
    with context.view() as view:
        rows, last = leads.find(
            view.session,
            parameters.state,
            parameters.source,
            parameters.after(),
            parameters.limit,
        )
        items = [leads.described(row, view.theatre) for row in rows]
    return answers.json(answers.listed(items, parameters.cursor_to(last)))


@router.get("/{lead_id}", summary="Get a lead", responses={200: LEAD, **refusals(403, 404, 422)})
def get_lead(lead_id: LeadId, _: QueueReader, context: Ctx) -> Response:
    """One lead, with what was found in it and a first draft of a report."""
    with context.view() as view:
        told = leads.described(leads.get(view.session, lead_id), view.theatre)
    return answers.json(told)


@router.post(
    "/{lead_id}/reports",
    status_code=201,
    summary="Turn a lead into reports",
    responses={201: LEAD_TAKEN, **refusals(403, 404, 408, 409, 413, 415, 422)},
)
def post_lead_reports(
    lead_id: LeadId, told: LeadReports, actor: Reviewer, context: Ctx
) -> Response:
    """Record what a lead tells as reports, all of them or none; each names it as a source."""

    def work(session: Session) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        results = leads.take(session, lead_id, told.reports, theatre, author, actor, context.new_id)
        lead = leads.described(leads.get(session, lead_id), theatre)
        return {"lead": lead, "reports": [result.id for result in results]}

    return answers.json(context.database.write(work), 201)


@router.post(
    "/{lead_id}/dismissal",
    summary="Set a lead aside",
    responses={200: LEAD, **refusals(403, 404, 408, 409, 413, 415, 422)},
)
def dismiss_lead(lead_id: LeadId, told: Dismissal, actor: Reviewer, context: Ctx) -> Response:
    """Decide that a lead tells nothing that is to be recorded; the reason is kept."""

    def work(session: Session) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        return leads.described(leads.dismiss(session, lead_id, told.reason, author), theatre)

    return answers.json(context.database.write(work))
