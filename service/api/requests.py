"""Requests, read strictly: what may arrive, how large, how slowly, and who sends it."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator, Set
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Final, cast
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.domain.access import Actor
from service.domain.theatre import Theatre
from service.errors import (
    Invalid,
    Malformed,
    TooLarge,
    TooSlow,
    UnsupportedMedia,
)
from service.formats import strict_json
from service.store.database import Database
from service.store.journal import Author
from service.work import ledger
from service.work.feeds import Runner
from service.work.past import AsOf, Past, View
from service.work.reference import Theatres

SPOOLED: Final = 1024 * 1024
"""Bytes of an upload that stay in memory."""

versions_read: ContextVar[set[int | None] | None] = ContextVar("versions_read", default=None)
"""Where a route that wants to know finds which versions of the data its answer was read from;
`None` among them stands for something else than data, such as the time."""


@dataclass(frozen=True)
class Context:
    """What the application hands to its routes; clock and ids come from outside."""

    database: Database
    theatres: Theatres
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    max_body_bytes: int
    max_line_bytes: int
    max_upload_bytes: int
    max_photo_bytes: int
    max_photo_pixels: int
    body_timeout: float
    keep_times: bool
    reviewers_to_verify: int
    past: Past
    runner: Runner

    def author(self, actor: Actor, theatre: Theatre) -> Author:
        """Whose change it is; of those in danger only the day is recorded."""
        now = self.now()
        at = theatre.start_of_day(theatre.day_of(now)) if actor.protected else now
        return Author(actor.name or "", at, actor.role, now, keeps_moment=self.keep_times)

    @contextmanager
    def sequenced(self) -> Iterator[View]:
        """One snapshot in which what was written before is in the ledger."""
        ledger.catch_up(self.database)
        with self.view() as view:
            if ledger.is_waiting(view.session):
                # What is not in the ledger yet will be, without another change.
                note_version(None)
            yield view

    @contextmanager
    def view(self, as_of: str | None = None) -> Iterator[View]:
        """One snapshot: of now, or of what was recorded up to an earlier moment."""
        if as_of is None:
            with self.database.reading() as session:
                if versions_read.get() is not None:
                    note_version(ledger.accepted(session))
                yield View(session, self.theatres.current(session))
        else:
            ledger.catch_up(self.database)
            with self.past.at(self.database, self.theatres, as_of) as view:
                note_version(view.version)
                yield view


def note_version(version: int | None) -> None:
    """Say which version of the data is being read for the answer that is being made."""
    versions = versions_read.get()
    if versions is not None:
        versions.add(version)


def _context_of(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


# Not a plain function: the framework would hand it to a thread, which takes longer than it does.
async def _context(request: Request) -> Context:
    return _context_of(request)


Ctx = Annotated[Context, Depends(_context)]


def as_of_view(as_of: AsOf | None) -> dict[str, Any] | None:
    return {"asked": as_of.asked, "changes": as_of.size} if as_of else None


class StrictRequest(Request):
    """A request whose JSON body is bounded in size and time and believed in nothing."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            context = _context_of(self)
            self._body = await _bounded_body(self, context.max_body_bytes, context.body_timeout)
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = strict_json.loads(await self.body())
            except Invalid as error:
                raise Malformed(f"The body {error}.") from None
        return self._json


class StrictRoute(APIRoute):
    """Refuses unknown and repeated query parameters, and bodies that are not plain JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        parameters = self.dependant.query_params
        # A model of parameters knows them itself; on other routes the framework would pass over.
        modelled = any(isinstance(p.field_info.annotation, type(BaseModel)) for p in parameters)
        known = None if modelled else {parameter.alias for parameter in parameters}

        async def strictly(request: Request) -> Response:
            _check_query(request, known)
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                check_media(request, "application/json", "application/merge-patch+json")
                # Read here: the framework would turn every refusal into one and the same.
                await strict.json()
            return await handle(strict)

        return strictly


def check_media(request: Request, *accepted: str) -> str:
    """The media type of the body. Raises `UnsupportedMedia` for another, or a compressed body."""
    media, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [p.partition("=")[2].strip(' "') for p in parameters if "charset" in p]
    encoding = request.headers.get("content-encoding", "identity").lower()
    if media.strip() not in accepted or encoding != "identity":
        raise UnsupportedMedia
    if any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise UnsupportedMedia
    return media.strip()


async def spooled(request: Request, context: Context, largest: int | None = None) -> BinaryIO:
    """The whole body in a temporary file: a body cut off on its way stores nothing."""
    most, size = largest or context.max_upload_bytes, 0
    with ExitStack() as unless_read:
        file = cast(BinaryIO, SpooledTemporaryFile(max_size=SPOOLED))  # noqa: SIM115
        unless_read.enter_context(file)
        try:
            async with asyncio.timeout(context.body_timeout) as patience:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > most:
                        raise TooLarge
                    await run_in_threadpool(file.write, chunk)
                    # An upload may be long; only a pause in it may not.
                    patience.reschedule(asyncio.get_running_loop().time() + context.body_timeout)
        except TimeoutError:
            raise TooSlow from None
        unless_read.pop_all()
    return file


async def _bounded_body(request: Request, largest: int, seconds: float) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > largest:
        raise TooLarge
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                received += chunk
                if len(received) > largest:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    return bytes(received)


def _check_query(request: Request, known: Set[str] | None) -> None:
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=100,
        )
    except ValueError:
        if request.scope["query_string"]:
            raise Invalid("is not a query string", "query") from None
        return
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Invalid("is given more than once", _shown(name))
        if known is not None and name not in known:
            raise Invalid("is not a known field", _shown(name))


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[a-z_]{1,40}", name) else "query"
