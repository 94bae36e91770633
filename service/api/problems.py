"""Errors on the wire: RFC 9457 problem documents that name fields and repeat nothing sent."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from service import errors
from service.errors import Invalid, Malformed, Problem, TooMany, TrackerError
from service.formats.validation import problems_of

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
STATUS: Final[Mapping[type[TrackerError], int]] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionMissing: 428,
    errors.Stale: 412,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    errors.Malformed: 400,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.TooSlow: 408,
}
TITLES: Final = {
    400: "Malformed",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    412: "Changed in between",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    408: {"Connection": "close"},
    413: {"Connection": "close"},
    503: {"Retry-After": "2"},
}


def problem(
    status: int,
    detail: str,
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(
        orjson.dumps(document(status, detail, problems)),
        status,
        media_type=MEDIA_TYPE,
        headers={**_HEADERS.get(status, {}), **(headers or {})},
    )


def document(status: int, detail: str, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    title = TITLES.get(status, "Error")
    return {
        "type": f"urn:ceasefire:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [{"field": p.field, "message": p.message} for p in problems],
    }


def install(app: FastAPI) -> None:
    """Let every error of the application leave as a problem document."""

    @app.exception_handler(TrackerError)
    def refused(_: Request, error: TrackerError) -> Response:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        found = [
            # The first part of the path says whether it is of the body, the query or the path.
            Problem(p.field.partition(".")[2], p.message)
            for p in problems_of(error.errors())
        ]
        return problem(422, Invalid.detail, found)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        title = TITLES.get(error.status_code, "Error")
        headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
        return problem(error.status_code, f"{title}.", headers=headers)

    @app.exception_handler(ClientDisconnect)
    def gone(_: Request, __: ClientDisconnect) -> Response:
        # Nobody is there to read it; it only keeps a broken connection from counting as our fault.
        return problem(400, Malformed.detail)

    @app.exception_handler(Exception)
    def unforeseen(_: Request, __: Exception) -> Response:
        return problem(500, "Something went wrong here; the request may be tried again.")


def _allowed(request: Request) -> str:
    """Every method that the path takes; the framework would name those of one route only."""
    return ", ".join(
        method
        for method in ("GET", "HEAD", "POST", "PATCH")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )


def of_error(error: TrackerError) -> Response:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    found = error.problems if isinstance(error, Invalid) else ()
    later = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    return problem(status, error.detail, found, later)
