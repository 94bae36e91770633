"""Feeds: sources that are asked again and again."""

from contextlib import ExitStack
from os import SEEK_END
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers
from service.api.access import FeedManager, ImportRunner, Reader
from service.api.freshness import FreshRoute
from service.api.requests import Context, Ctx, spooled
from service.api.shapes.common import refusals
from service.api.shapes.imports import FEED, IMPORT, LIST_OF_FEEDS
from service.domain.access import Act, Actor
from service.errors import NotFound
from service.formats.feeds import FeedIn, parse_name
from service.formats.reports import Code
from service.store.journal import Author
from service.store.tables import Feed
from service.work import feeds, imports

router = APIRouter(route_class=FreshRoute, tags=["imports"], prefix="/feeds")
Name = Annotated[Code, Path()]
_FILE: Final = "id,when,claimant,where.place\r\n"


@router.get("", summary="List feeds", responses={200: LIST_OF_FEEDS, **refusals(422)})
def list_feeds(actor: Reader, context: Ctx) -> Response:
    """Where data come from, under which licence, and whether a source has fallen silent."""
    with context.database.reading() as session:
        rows = [row for row in feeds.listed(session) if _is_shown(row, actor)]
        items = [_told(row, actor, context) for row in rows]
    return answers.json(answers.listed(items, None))


@router.get("/{name}", summary="Get a feed", responses={200: FEED, **refusals(404, 422)})
def get_feed(name: Name, actor: Reader, context: Ctx) -> Response:
    """One feed, as it is declared."""
    with context.database.reading() as session:
        row = feeds.get(session, name)
        if not _is_shown(row, actor):
            raise NotFound
        told = _told(row, actor, context)
    return answers.json(told)


@router.put(
    "/{name}",
    summary="Declare a feed",
    responses={200: FEED, **refusals(403, 408, 413, 415, 422)},
)
def put_feed(name: Name, feed: FeedIn, actor: FeedManager, context: Ctx) -> Response:
    """Say which source is asked, how its answer is read, and when it is asked again."""
    parse_name(name)
    author = _author(actor, context)

    def work(session: Session) -> dict[str, Any]:
        feeds.declare(session, name, feed, author)
        session.flush()
        return _told(feeds.get(session, name), actor, context)

    return answers.json(context.database.write(work))


@router.delete(
    "/{name}", status_code=204, summary="Withdraw a feed", responses=refusals(403, 404, 422)
)
def delete_feed(name: Name, actor: FeedManager, context: Ctx) -> Response:
    """Ask a source no more; what came from it stays."""
    author = _author(actor, context)
    context.database.write(lambda session: feeds.withdraw(session, name, author))
    return Response(status_code=204)


@router.post(
    "/{name}/runs",
    status_code=202,
    summary="Run a feed",
    responses={202: IMPORT, **refusals(403, 404, 408, 409, 413, 415, 422)},
    openapi_extra={
        "requestBody": {
            "required": False,
            "description": "A file to read in the place of what the source would give.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string"}, "example": _FILE}
            },
        }
    },
)
async def run_feed(request: Request, name: Name, actor: ImportRunner, context: Ctx) -> Response:
    """Ask the source now, or read the file that is sent along; the answer says where to look how
    it goes."""
    file = await spooled(request, context)
    return await run_in_threadpool(_begun, file, name, actor, context)


def _begun(file: BinaryIO, name: str, actor: Actor, context: Context) -> Response:
    with ExitStack() as unless_begun:
        unless_begun.enter_context(file)
        import_id = context.runner.begin(name, actor.name or "")
        unless_begun.pop_all()
    with context.database.reading() as session:
        told = imports.described(imports.get(session, import_id))
    answer = answers.json(told, 202, {"Location": f"/v1/imports/{import_id}"})
    answer.background = BackgroundTask(_run, context, name, import_id, file)
    return answer


def _run(context: Context, name: str, import_id: str, file: BinaryIO) -> None:
    with file:
        given = file.seek(0, SEEK_END) > 0
        file.seek(0)
        context.runner.run(name, import_id, file if given else None)


def _is_shown(row: Feed, actor: Actor) -> bool:
    """That a source is used may itself be for few."""
    circle = feeds.declared(row).circle
    return circle.level <= actor.sees.level or actor.may_read_for(Act.IMPORT)


def _told(row: Feed, actor: Actor, context: Context) -> dict[str, Any]:
    return feeds.described(row, context.now(), everything=actor.may_read_for(Act.IMPORT))


def _author(actor: Actor, context: Context) -> Author:
    return Author(actor.name or "", context.now(), actor.role)
