"""Who asks: the key in the header, what its role allows, and how often it may ask.

Every request passes the `Gate` before anything of it is read, so that no route can forget it;
what a route needs beyond reading, it says by the type of its actor.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.api import page, problems
from service.api.limits import Limits
from service.api.requests import Context
from service.domain.access import ANYBODY, Act, Actor, Visibility
from service.errors import Forbidden, Hidden, Malformed, Stale, TrackerError, Unauthorized
from service.work import keys

log = logging.getLogger(__name__)

_bearer = HTTPBearer(auto_error=False, description="An API key: `ceasefire keys create NAME`.")
# Whether it lives, and files that hold no data: a browser asks for many of them at once.
_UNLIMITED: Final = ("/health/", f"{page.ADDRESS}/")
_NAMES_OF_A_KEY: Final = {"token", "key", "api_key", "apikey", "access_token"}
_LIKE_A_KEY: Final = re.compile(f"%|key|token|{keys.PREFIX}", re.IGNORECASE)
_KEY_IN_URL: Final = (
    "A key does not belong into a URL, which is written down on its way. "
    "Send it in the Authorization header, and have this one revoked."
)


def install(app: FastAPI, limits: Limits, trusted_proxies: Sequence[str]) -> None:
    """Let nothing reach the routes of an application but through the gate.

    `trusted_proxies` are addresses and networks whose X-Forwarded-For is believed.
    """
    app.add_middleware(Gate, limits=limits)
    # Outside the gate, which is to see the client's address.
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[*trusted_proxies])
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        return _with_optional_keys(plain())

    app.openapi = openapi  # type: ignore[method-assign]


@dataclass
class Gate:
    """Finds out who asks, and counts it; what it lets through carries its actor."""

    app: ASGIApp
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            try:
                _check_url(request)
                request.state.actor = await self._actor(request)
            except TrackerError as error:
                await problems.of_error(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _actor(self, request: Request) -> Actor:
        if request.scope["path"].startswith(_UNLIMITED):
            return ANYBODY
        address = request.client.host if request.client else ""
        given = request.headers.get("authorization")
        if given is None:
            self.limits.count_anonymous(address)
            return ANYBODY
        try:
            actor = await run_in_threadpool(_holder, request.app.state.context, given)
        except Unauthorized:
            # Valid keys are not counted with the wrong ones: many may share an address.
            self.limits.count_failure(address)
            raise
        self.limits.count_key(actor.name or "")
        return actor


def _holder(context: Context, given: str) -> Actor:
    """Raises `Unauthorized` for whatever is no valid key, each after the same look-up."""
    scheme, _, credentials = given.partition(" ")
    key = credentials.strip() if scheme.lower() == "bearer" else ""
    with context.database.reading() as session:
        return keys.holder(session, key, context.now())


def _check_url(request: Request) -> None:
    in_path = f"/{keys.PREFIX}" in request.scope["path"]
    if in_path or _is_key_in(request.scope["query_string"].decode("latin-1")):
        raise Malformed(_KEY_IN_URL)


def _is_key_in(query: str) -> bool:
    # Most hold nothing like it, which is seen sooner than they are taken apart.
    return _LIKE_A_KEY.search(query) is not None and any(
        name.lower() in _NAMES_OF_A_KEY or value.startswith(keys.PREFIX)
        for name, value in parse_qsl(query, keep_blank_values=True)
    )


# Those that follow are not plain functions: the framework would hand each to a thread, which takes
# longer than it does.
async def _reader(request: Request) -> Actor:
    actor = request.state.actor
    assert isinstance(actor, Actor)
    return actor


Reader = Annotated[Actor, Depends(_reader)]


async def _known(actor: Reader, _: Annotated[object, Depends(_bearer)]) -> Actor:
    if actor.name is None:
        raise Unauthorized
    return actor


Known = Annotated[Actor, Depends(_known)]


def _allowed(act: Act, *, reading: bool = False) -> Callable[[Request, Actor], Awaitable[Actor]]:
    async def check(request: Request, actor: Known) -> Actor:
        if not (actor.may_read_for(act) if reading else actor.may(act)):
            log_denied(request, actor, act)
            raise Forbidden
        return actor

    return check


Sender = Annotated[Actor, Depends(_allowed(Act.SEND))]
Reviewer = Annotated[Actor, Depends(_allowed(Act.REVIEW))]
Grouper = Annotated[Actor, Depends(_allowed(Act.GROUP))]
ImportRunner = Annotated[Actor, Depends(_allowed(Act.IMPORT))]
FeedManager = Annotated[Actor, Depends(_allowed(Act.MANAGE_FEEDS))]
KeyManager = Annotated[Actor, Depends(_allowed(Act.MANAGE_KEYS))]
# Whoever may only read is shown what the act would need.
ImportReader = Annotated[Actor, Depends(_allowed(Act.IMPORT, reading=True))]
QueueReader = Annotated[Actor, Depends(_allowed(Act.REVIEW, reading=True))]
GroupingReader = Annotated[Actor, Depends(_allowed(Act.GROUP, reading=True))]
KeyReader = Annotated[Actor, Depends(_allowed(Act.MANAGE_KEYS, reading=True))]


def log_denied(request: Request, actor: Actor, what: str) -> None:
    """Write down that somebody asked for what they may not have: neither from where, nor the URL.

    `what` is an act, or a word for what was asked to be seen.
    """
    who = keys.short(actor.name) if actor.name else "anonymous"
    log.warning("denied: key %s, %s %s, %s", who, request.method, _template(request), what)


@contextmanager
def denials_logged(request: Request, actor: Actor) -> Iterator[None]:
    """Write down what somebody is refused of one report: to see it, to change it, or to decide
    about a revision that is no longer the current one."""
    try:
        yield
    except (Hidden, Forbidden, Stale) as refusal:
        log_denied(request, actor, type(refusal).__name__.lower())
        raise


def must_see(request: Request, actor: Actor, circle: Visibility, what: str) -> None:
    """Raises `Unauthorized` or `Forbidden` for who does not belong to a circle of readers.

    `what` is a word for what was asked to be seen.
    """
    if actor.name is None:
        raise Unauthorized
    if actor.sees.level < circle.level:
        log_denied(request, actor, what)
        raise Forbidden


def _template(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", ""))


def _with_optional_keys(document: dict[str, Any]) -> dict[str, Any]:
    """Say of every operation that needs no key that it takes one; the framework cannot."""
    for path, item in document["paths"].items():
        if not path.startswith(_UNLIMITED):
            for operation in item.values():
                operation.setdefault("security", [{_bearer.scheme_name: []}, {}])
    return document
