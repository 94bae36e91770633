"""Deciding about reports, and what waits for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.api import answers
from service.api.access import QueueReader, Reader, Reviewer, denials_logged
from service.api.freshness import FreshRoute
from service.api.parameters import FilterParameters, Whole
from service.api.reports import ReportId, revision_of
from service.api.requests import Ctx
from service.api.shapes.common import refusals
from service.api.shapes.reports import REPORT
from service.api.shapes.reviews import QUEUE, REVIEWS
from service.formats.reviews import ReviewIn
from service.work import reports, reviews
from service.work.disclosure import views_of

router = APIRouter(route_class=FreshRoute, tags=["reviews"])


class QueueParameters(BaseModel):
    """How much of the queue."""

    model_config = FilterParameters.model_config

    # Each is compared with what is known, which takes longer than to list it.
    limit: Annotated[Whole, Field(ge=1, le=50)] = 50


@router.post(
    "/reports/{report_id}/reviews",
    status_code=201,
    summary="Decide about a report",
    responses={201: REPORT, **refusals(403, 404, 408, 409, 412, 413, 415, 422, 428)},
)
def post_review(
    request: Request,
    report_id: ReportId,
    decision: ReviewIn,
    actor: Reviewer,
    context: Ctx,
    if_match: Annotated[str | None, Header(description="The revision, as in `ETag`.")] = None,
) -> Response:
    """Give a report a status on a basis, a grade, or clear its flags; the reason is kept.

    Evidence of a party alone verifies nothing, nobody reviews their own report, and where two
    reviewers are needed the first only proposes. Earlier decisions stay beside the new one.
    """
    expected = revision_of(if_match)

    def work(session: Any) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        row = reviews.review(
            session,
            report_id,
            expected,
            decision,
            context.reviewers_to_verify,
            theatre,
            context.author(actor, theatre),
            actor,
            context.new_id,
        )
        [shown] = views_of(session, [row], actor, theatre)
        return shown

    with denials_logged(request, actor):
        view = context.database.write(work, shared=True)
    return answers.json(view, 201, headers={"ETag": f'"{view["revision"]}"'})


@router.get(
    "/reports/{report_id}/reviews",
    summary="Read the decisions about a report",
    responses={200: REVIEWS, **refusals(404, 422)},
)
def get_reviews(request: Request, report_id: ReportId, actor: Reader, context: Ctx) -> Response:
    """Every decision about a report, oldest first, dissent included."""
    with denials_logged(request, actor), context.view() as view:
        row = reports.get(view.session, report_id, actor)
        [shown] = views_of(view.session, [row], actor, view.theatre)
    return answers.json(answers.listed(shown["reviews"], None))


@router.get(
    "/reviews/queue",
    summary="Read what waits for a decision",
    responses={200: QUEUE, **refusals(403, 422)},
)
def get_queue(
    parameters: Annotated[QueueParameters, Query()], actor: QueueReader, context: Ctx
) -> Response:
    """Reports that nobody has decided about, gravest first and of equals the oldest."""
    with context.view() as view:
        items, waiting = reviews.queue(view.session, parameters.limit, actor, view.theatre)
    return answers.json({"items": items, "waiting": waiting})
