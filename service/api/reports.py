"""Posting, reading and changing reports."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Final, cast

import orjson
from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from service.api import answers, problems
from service.api.access import Reader, Sender, denials_logged
from service.api.exports import Asked, page_of
from service.api.freshness import FreshRoute
from service.api.parameters import ListParameters, MomentParameters, YesNo
from service.api.requests import SPOOLED, Context, Ctx, check_media, spooled
from service.api.shapes.common import refusals
from service.api.shapes.reports import LIST_OF_REPORTS, RECEIPT, REPORT, REVISIONS
from service.domain.access import Act
from service.errors import PreconditionMissing, Stale
from service.formats import tabular
from service.formats.exports.subjects import REPORTS
from service.formats.reports import Identifier, Reason, ReportIn, Strict
from service.formats.views import receipt
from service.work import bulk, changes, exports, reports, revising
from service.work.disclosure import views_of, without_hidden
from service.work.exports import Export
from service.work.past import View
from service.work.reports import Outcomes, Submission

router = APIRouter(route_class=FreshRoute, tags=["reports"])
ReportId = Annotated[Identifier, Path()]
_NDJSON: Final = "application/x-ndjson"
_LINES: Final = (
    '{"when": "2022-09-20", "where": {"lat": 39.64, "lon": 46.55}, "claimant": "a feed"}\n'
    '{"when": "[..2022-09-21]", "where": {"sector": "lachin-corridor"}, "claimant": "a feed"}\n'
)


class ReportChange(Strict):
    """A JSON merge patch (RFC 7396) over a report, with the reason for it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "reason": "The claimant corrected the count the next morning.",
                    "casualties": [{"party": "nk-de-facto", "group": "military", "killed": 3}],
                },
                {"reason": "Sent by mistake.", "status": "withdrawn"},
            ]
        },
    )

    reason: Reason
    """Why the report changes; kept with the revision."""
    status: Annotated[str | None, Field(pattern="^withdrawn$")] = None
    """Only `withdrawn`: nobody is left claiming it."""


@router.post(
    "/reports",
    status_code=201,
    summary="Send one report",
    responses={201: RECEIPT, **refusals(403, 408, 409, 413, 415, 422)},
)
def post_report(report: ReportIn, actor: Sender, context: Ctx) -> Response:
    """Record a report. A `201` means it is on disk.

    The same report under the same `id` answers as it first did, with
    `Idempotency-Replayed: true`; another report under that id is a conflict.
    """
    submission = Submission(report, may_link=actor.may(Act.GROUP))

    def work(session: Any) -> tuple[reports.Result, dict[str, Any] | None]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        [result] = reports.record(session, [submission], theatre, author, context.new_id)
        if result.id is None or result.record is None:
            return result, None
        [told] = without_hidden(session, [result.record], actor)
        return result, receipt(result.id, told, result.sha256 or "", theatre)

    result, answer = context.database.write(work, shared=True)
    if result.error is not None:
        raise result.error
    replayed = {"Idempotency-Replayed": "true"} if result.outcome is Outcomes.UNCHANGED else {}
    location = {"Location": f"/v1/reports/{result.id}", "ETag": '"1"'}
    return answers.json(answer, 201, {**location, **replayed})


@router.post(
    "/reports/bulk",
    summary="Send many reports",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One outcome per report, then the account of all.",
            "content": {
                _NDJSON: {
                    "schema": {"type": "string"},
                    "example": '{"line":1,"outcome":"created","id":"…"}',
                }
            },
        },
        **refusals(403, 413, 415, 422),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                _NDJSON: {"schema": {"type": "string"}, "example": _LINES},
                "text/csv": {"schema": {"type": "string"}, "example": tabular.EXAMPLE},
            },
        }
    },
)
async def post_reports(
    request: Request,
    actor: Sender,
    context: Ctx,
    atomic: Annotated[YesNo, Query(description="All or nothing.")] = None,
) -> Response:
    """Record reports from NDJSON (one report a line) or CSV (one row per casualty line).

    The answer is NDJSON: one outcome per report, `created`, `unchanged` or `rejected` with its
    reasons, and a last line that counts them and names columns of our own exports that cannot be
    set. With `atomic=true` one rejected report rejects
    all, answered as a problem document that lists every outcome.
    """
    media = check_media(request, _NDJSON, "application/ndjson", "text/csv")
    file = await spooled(request, context)
    upload = bulk.Upload(
        file,
        media,
        context.max_line_bytes,
        actor.may(Act.GROUP),
        partial(context.author, actor),
        context.new_id,
    )
    return await run_in_threadpool(_loaded, upload, context, atomic=bool(atomic))


def _loaded(upload: bulk.Upload, context: Context, *, atomic: bool) -> Response:
    with upload.file, ExitStack() as unless_answered:
        out = cast(BinaryIO, SpooledTemporaryFile(max_size=SPOOLED))  # noqa: SIM115
        unless_answered.enter_context(out)
        ignored = upload.ignored()
        if atomic:
            account, stored = bulk.load_whole(context.database, context.theatres, upload, out)
        else:
            account = bulk.load(context.database, context.theatres, upload, out)
            stored = True
        unless_answered.pop_all()
    summary: dict[str, Any] = {
        "read": account.read,
        "created": account.created if stored else 0,
        "unchanged": account.unchanged,
        "rejected": account.rejected,
    }
    if ignored:
        summary["ignored"] = ignored
    out.seek(0)
    if stored:
        return StreamingResponse(_as_lines(out, summary), media_type=_NDJSON)
    summary["acceptable"] = account.created
    return StreamingResponse(_as_problem(out, summary), 422, media_type=problems.MEDIA_TYPE)


def _as_lines(out: BinaryIO, summary: dict[str, Any]) -> Iterator[bytes]:
    with out:
        while chunk := out.read(65_536):
            yield chunk
    yield orjson.dumps({"summary": summary}) + b"\n"


def _as_problem(out: BinaryIO, summary: dict[str, Any]) -> Iterator[bytes]:
    """A problem document with every outcome in it, none of them stored."""
    told = problems.document(422, "Some reports are not sound, so none was stored.")
    yield orjson.dumps({**told, "summary": summary})[:-1] + b',"outcomes":['
    separator = b""
    with out:
        for line in out:
            yield separator + line.strip().replace(b'"created"', b'"acceptable"', 1)
            separator = b","
    yield b"]}"


@router.get(
    "/reports/template",
    summary="An empty CSV for uploads",
    response_class=Response,
    responses={
        200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **refusals(422),
    },
)
def get_template() -> Response:
    """The header line of the CSV that `/v1/reports/bulk` takes, with the commonest columns."""
    return Response(tabular.TEMPLATE, media_type="text/csv; charset=utf-8")


@router.get(
    "/reports",
    summary="List reports",
    responses={200: LIST_OF_REPORTS, **refusals(422)},
)
def list_reports(
    request: Request,
    parameters: Annotated[ListParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """Reports that all filters select: page by page, or all of them in another format."""
    asked = Asked.of(request, parameters)
    start = parameters.start(page=asked is None or parameters.is_page)
    if asked is not None and not parameters.is_page:

        def found(view: View) -> Export:
            query = parameters.filters(view.theatre, actor)
            return exports.reports(view.session, query, view.theatre, actor, start)

        return asked.stream(context, parameters.as_of, found)
    with context.view(parameters.as_of) as view:
        query = parameters.filters(view.theatre, actor)
        items, last = exports.page_of_reports(
            view.session, query, view.theatre, actor, start.place, parameters.limit
        )
    return page_of(request, asked, view, REPORTS, items, parameters.cursor_to(last))


@router.get(
    "/reports/{report_id}",
    summary="Read one report",
    responses={200: REPORT, **refusals(404, 422)},
)
def get_report(
    request: Request,
    report_id: ReportId,
    parameters: Annotated[MomentParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """A report as it is now; its `ETag` is what a change must name."""
    with denials_logged(request, actor), context.view(parameters.as_of) as view:
        row = reports.get(view.session, report_id, actor)
        [shown] = views_of(view.session, [row], actor, view.theatre)
    return answers.json(shown, headers={"ETag": f'"{shown["revision"]}"'})


@router.get(
    "/reports/{report_id}/revisions",
    summary="Read a report's history",
    responses={200: REVISIONS, **refusals(404, 422)},
)
def get_revisions(request: Request, report_id: ReportId, actor: Reader, context: Ctx) -> Response:
    """Every revision that may be shown, oldest first: what it said, when it was recorded, why."""
    with denials_logged(request, actor), context.view() as view:
        row = reports.get(view.session, report_id, actor)
        items = changes.history_of(view.session, row, actor, view.theatre)
    return answers.json(answers.listed(items, None))


@router.patch(
    "/reports/{report_id}",
    summary="Change or withdraw a report",
    responses={
        200: REPORT,
        **refusals(403, 404, 408, 409, 412, 413, 415, 422, 428),
    },
    openapi_extra={
        "requestBody": {
            "content": {
                "application/merge-patch+json": {
                    "schema": {"$ref": "#/components/schemas/ReportChange"}
                }
            }
        }
    },
)
def patch_report(
    request: Request,
    report_id: ReportId,
    change: ReportChange,
    actor: Sender,
    context: Ctx,
    if_match: Annotated[str | None, Header(description="The revision, as in `ETag`.")] = None,
) -> Response:
    """Give a report a new revision, with a reason; the old one stays readable.

    What a changed report says must be verified again. `status: withdrawn` withdraws it for good.
    """
    expected = revision_of(if_match)
    patch = change.model_dump(exclude_unset=True, exclude={"reason"})

    def work(session: Any) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        revising.amend(
            session,
            report_id,
            expected,
            patch,
            change.reason,
            theatre,
            context.author(actor, theatre),
            actor,
        )
        [shown] = views_of(session, [reports.get(session, report_id, actor)], actor, theatre)
        return shown

    with denials_logged(request, actor):
        view = context.database.write(work, shared=True)
    return answers.json(view, headers={"ETag": f'"{view["revision"]}"'})


def revision_of(if_match: str | None) -> int:
    if if_match is None:
        raise PreconditionMissing
    tag = if_match.strip('"')
    if not tag.isdecimal() or len(tag) > 9:
        raise Stale
    return int(tag)
