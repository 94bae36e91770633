"""Photos of reports: sending them, looking at their copies, and deciding who else may."""

import hashlib
from typing import Annotated, Any, BinaryIO, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.api import answers
from service.api.access import QueueReader, Reader, Reviewer, Sender, denials_logged
from service.api.freshness import FreshRoute
from service.api.parameters import MomentParameters
from service.api.reports import ReportId
from service.api.requests import Context, Ctx, check_media, spooled
from service.api.shapes.common import refusals
from service.api.shapes.photos import (
    LIST_OF_PHOTOS,
    PHOTO,
    PHOTO_RECEIPT,
    SAME_RECEIPT,
    images,
)
from service.domain.access import Actor
from service.domain.photos import MEDIA_TYPES
from service.errors import Invalid
from service.formats import photos as formats
from service.formats.reports import Identifier, Reason, Strict
from service.work import photos, reports

router = APIRouter(route_class=FreshRoute, tags=["photos"])
PhotoId = Annotated[Identifier, Path()]
# Each takes much memory while it is decoded; who waits for one takes no thread from others.
_DECODED_AT_ONCE: Final = anyio.CapacityLimiter(2)
_SENT: Final = images("", *MEDIA_TYPES)["content"]
_DECIDING: Final = refusals(403, 404, 408, 409, 413, 415, 422)


class Release(Strict):
    """Why others may see the copy of a photo, or may not any more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "No face and no house can be made out."}]}
    )

    reason: Reason


@router.post(
    "/reports/{report_id}/photos",
    status_code=201,
    summary="Send a photo of a report",
    responses={
        200: SAME_RECEIPT,
        201: PHOTO_RECEIPT,
        **refusals(403, 404, 408, 409, 413, 415, 422),
    },
    openapi_extra={"requestBody": {"required": True, "content": _SENT}},
)
async def post_photo(
    request: Request,
    report_id: ReportId,
    actor: Sender,
    context: Ctx,
    sha256: Annotated[
        str, Query(pattern="^[0-9a-f]{64}$", description="Of the body, in hexadecimal.")
    ],
) -> Response:
    """Keep a photo with a report. A `201` means it is on disk.

    It is kept as it came, for reviewers alone, with a copy that holds nothing but the pixels. The
    same photo of the same report answers with the first receipt and `200`.
    """
    check_media(request, *MEDIA_TYPES)
    with await spooled(request, context, context.max_photo_bytes) as file:
        known, answer = await anyio.to_thread.run_sync(
            _kept, request, report_id, sha256, file, actor, context, limiter=_DECODED_AT_ONCE
        )
    location = {"Location": f"/v1/photos/{answer['id']}"}
    if known:
        return answers.json(answer, 200, {**location, "Idempotency-Replayed": "true"})
    return answers.json(answer, 201, location)


def _kept(
    request: Request,
    report_id: str,
    sha256: str,
    file: BinaryIO,
    actor: Actor,
    context: Context,
) -> tuple[bool, dict[str, Any]]:
    """Whether the photo is kept already, and its receipt."""
    with denials_logged(request, actor):
        # Who may not send it here is told so before anything of it is decoded.
        with context.database.reading() as session:
            known = photos.known(session, report_id, sha256, actor)
        file.seek(0)
        content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Invalid("is not that of the body", "sha256")
        if known is not None:
            return True, known
        original, copy = formats.read(content, context.max_photo_pixels)

        def work(session: Session) -> tuple[bool, dict[str, Any]]:
            author = context.author(actor, context.theatres.current(session))
            return photos.add(session, report_id, original, copy, author, actor, context.new_id)

        return context.database.write(work)


@router.get(
    "/reports/{report_id}/photos",
    summary="List the photos of a report",
    responses={200: LIST_OF_PHOTOS, **refusals(404, 422)},
)
def list_photos(
    request: Request,
    report_id: ReportId,
    parameters: Annotated[MomentParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """The photos of which the reader is shown the copy: to reviewers all, to others those that a
    reviewer released, as far as they are shown the whole report."""
    with denials_logged(request, actor), context.view(parameters.as_of) as view:
        report = reports.get(view.session, report_id, actor)
        items = photos.of_report(view.session, report, actor, view.theatre)
    return answers.json(answers.listed(items, None))


@router.get(
    "/photos/{photo_id}",
    summary="Get the copy of a photo",
    response_class=Response,
    responses={
        200: images("The copy, a JPEG of pixels alone.", "image/jpeg"),
        **refusals(404, 422),
    },
)
def get_photo(request: Request, photo_id: PhotoId, actor: Reader, context: Ctx) -> Response:
    """The copy of a photo, upright and no larger than 2048 pixels a side, without any metadata."""
    with denials_logged(request, actor), context.view() as view:
        content, described = photos.copy_of(view.session, photo_id, actor)
    tag = f'"{described["sha256"]}"'
    return Response(content, media_type=described["media_type"], headers={"ETag": tag})


@router.get(
    "/photos/{photo_id}/original",
    summary="Get a photo as it came",
    response_class=Response,
    responses={
        200: images("The bytes as they came.", *MEDIA_TYPES),
        **refusals(403, 404, 422),
    },
)
def get_original(photo_id: PhotoId, actor: QueueReader, context: Ctx) -> Response:
    """A photo with all its metadata, byte for byte, for reviewers. That it was opened is recorded,
    with who did and when."""

    def work(session: Session) -> tuple[bytes, dict[str, Any]]:
        author = context.author(actor, context.theatres.current(session))
        return photos.open_original(session, photo_id, author, context.new_id)

    content, described = context.database.write(work)
    suffix = described["media_type"].partition("/")[2]
    return Response(
        content,
        media_type=described["media_type"],
        headers={
            "Content-Disposition": f'attachment; filename="{photo_id}.{suffix}"',
            "Cache-Control": "no-store",
        },
    )


@router.post(
    "/photos/{photo_id}/release",
    summary="Let others see the copy of a photo",
    responses={200: PHOTO, **_DECIDING},
)
def release_photo(
    request: Request, photo_id: PhotoId, told: Release, actor: Reviewer, context: Ctx
) -> Response:
    """Show the copy to whoever is shown the whole report, because nobody and nothing in it that
    must be protected can be made out; the reason is told with it. Nobody releases their own."""
    return _decided(request, photo_id, told, actor, context, released=True)


@router.post(
    "/photos/{photo_id}/withdrawal",
    summary="Let nobody else see a photo any more",
    responses={200: PHOTO, **_DECIDING},
)
def withdraw_photo(
    request: Request, photo_id: PhotoId, told: Release, actor: Reviewer, context: Ctx
) -> Response:
    """Take the release of a photo back; from then on reviewers alone see it. The reason is kept."""
    return _decided(request, photo_id, told, actor, context, released=False)


def _decided(
    request: Request,
    photo_id: str,
    told: Release,
    actor: Actor,
    context: Context,
    *,
    released: bool,
) -> Response:
    def work(session: Session) -> dict[str, Any]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        return photos.decide(
            session,
            photo_id,
            released=released,
            reason=told.reason,
            author=author,
            actor=actor,
            theatre=theatre,
        )

    with denials_logged(request, actor):
        return answers.json(context.database.write(work, shared=True))
