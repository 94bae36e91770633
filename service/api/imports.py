"""Imports: how far they are, how they ended, what was not taken, and what waits for a person."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from service.api import answers
from service.api.access import ImportReader, Reviewer
from service.api.freshness import FreshRoute
from service.api.parameters import FilterParameters, Whole
from service.api.requests import Context, Ctx
from service.api.shapes.common import refusals
from service.api.shapes.imports import IMPORT, LIST_OF_IMPORTS, LIST_OF_REJECTS
from service.domain.access import Act, Actor
from service.errors import NotFound
from service.formats import tabular
from service.formats.reports import Code, Identifier
from service.store import imports as store
from service.work import imports

router = APIRouter(route_class=FreshRoute, tags=["imports"], prefix="/imports")
ImportId = Annotated[Identifier, Path()]
_PAGE = 1_000


class ImportParameters(BaseModel):
    """Which imports, and how many."""

    model_config = FilterParameters.model_config

    feed: Code | None = None
    limit: Annotated[Whole, Field(ge=1, le=500)] = 50


class RejectParameters(BaseModel):
    """Which page of what was not taken."""

    model_config = FilterParameters.model_config

    after: Annotated[Whole, Field(ge=0)] = 0
    """The position behind which to go on."""
    limit: Annotated[Whole, Field(ge=1, le=1_000)] = 100
    format: answers.Format | None = None


@router.get("", summary="List imports", responses={200: LIST_OF_IMPORTS, **refusals(403, 422)})
def list_imports(
    parameters: Annotated[ImportParameters, Query()], actor: ImportReader, context: Ctx
) -> Response:
    """The newest imports: all of them for reviewers, their own for others."""
    with context.database.reading() as session:
        # Of those who see only their own, nobody knows how many others lie between.
        most = parameters.limit if actor.may_read_for(Act.REVIEW) else None
        rows = store.listed(session, parameters.feed, most)
        shown = [row for row in rows if imports.may_look(row, actor)]
        items = [imports.described(row) for row in shown[: parameters.limit]]
    return answers.json(answers.listed(items, None))


@router.get(
    "/{import_id}", summary="Get an import", responses={200: IMPORT, **refusals(403, 404, 422)}
)
def get_import(import_id: ImportId, actor: ImportReader, context: Ctx) -> Response:
    """How far an import is, or how it ended: what was read is what became of it, summed up."""
    with context.database.reading() as session:
        told = imports.described(imports.visible(session, import_id, actor))
    return answers.json(told)


@router.get(
    "/{import_id}/rejects",
    summary="Get what was not taken",
    responses={200: LIST_OF_REJECTS, **refusals(403, 404, 422)},
)
def get_rejects(
    request: Request,
    import_id: ImportId,
    parameters: Annotated[RejectParameters, Query()],
    actor: ImportReader,
    context: Ctx,
) -> Response:
    """Each entry with its line, what is wrong with it, and as it stood.

    The CSV holds all of them, and can be imported again once it is mended.
    """
    with context.database.reading() as session:
        imports.visible(session, import_id, actor)
    if answers.format_of(request, parameters.format) == "csv":
        with context.database.reading() as session:
            columns = imports.reject_columns(session, import_id)
        return answers.csv(columns, _all_rejects(context, import_id), f"rejects-{import_id}")
    with context.database.reading() as session:
        wanted = parameters.limit + 1
        items = list(imports.reject_rows(session, import_id, parameters.after, wanted))
    more = len(items) > parameters.limit
    items = items[: parameters.limit]
    return answers.json(answers.listed(items, str(items[-1]["position"]) if more else None))


@router.get(
    "/{import_id}/file",
    summary="Get the file of an import",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The bytes as they came.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        },
        **refusals(403, 404, 422),
    },
)
def get_file(import_id: ImportId, actor: ImportReader, context: Ctx) -> Response:
    """What the source gave, byte for byte; its hash is in the import."""
    with context.database.reading() as session:
        sha256 = imports.visible(session, import_id, actor).sha256
        if sha256 is None or not store.is_archived(session, sha256):
            raise NotFound
    return StreamingResponse(
        store.archived(context.database, sha256),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{import_id}.bin"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.post(
    "/{import_id}/release",
    status_code=202,
    summary="Take a file that waits",
    responses={202: IMPORT, **refusals(403, 404, 408, 409, 413, 415, 422)},
)
def release_import(import_id: ImportId, actor: Reviewer, context: Ctx) -> Response:
    """Record a file that waits for a person, whatever seemed wrong with it as a whole."""
    importer = context.runner.importer
    importer.release(import_id, actor.name or "")
    return _told(import_id, actor, context, 202, BackgroundTask(importer.go_on, import_id))


@router.post(
    "/{import_id}/discard",
    summary="Leave a file that waits",
    responses={200: IMPORT, **refusals(403, 404, 408, 409, 413, 415, 422)},
)
def discard_import(import_id: ImportId, actor: Reviewer, context: Ctx) -> Response:
    """Decide that a file that waits is not to be taken; it stays kept."""
    context.runner.importer.discard(import_id, actor.name or "")
    return _told(import_id, actor, context, 200)


def _told(
    import_id: str,
    actor: Actor,
    context: Context,
    status: int,
    afterwards: BackgroundTask | None = None,
) -> Response:
    with context.database.reading() as session:
        told = imports.described(imports.visible(session, import_id, actor))
    answer = answers.json(told, status, {"Location": f"/v1/imports/{import_id}"})
    answer.background = afterwards
    return answer


def _all_rejects(context: Context, import_id: str) -> Iterator[dict[str, Any]]:
    """All rows for the CSV, read page by page: a slow reader holds no snapshot."""
    after = 0
    while True:
        with context.database.reading() as session:
            rows = list(imports.reject_rows(session, import_id, after, _PAGE))
        if not rows:
            return
        yield from map(tabular.reject_row, rows)
        after = rows[-1]["position"]
