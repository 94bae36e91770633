"""Answers that say which state of the data they are of, so that nothing is sent or made twice.

The tag of an answer stands for how many changes had been accepted when it was read and for all
that it depends on besides: who asks, for what, in which form and coding, and this code. It is a
hash, so it tells none of these.
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Set
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

import service
from service.api.requests import StrictRoute, versions_read
from service.domain.access import Actor
from service.errors import Unavailable
from service.store.database import Database
from service.work import ledger

# One long answer must not push all others out.
_LARGEST_SHARE: Final = 8
# What an answer takes beside its body, roughly.
_BESIDE: Final = 1_000
_TAG: Final = re.compile(r'"([^"]*)"')
# What of a request an answer depends on beside its URL; links in it name the host.
_TELLING: Final = frozenset({b"accept", b"accept-encoding", b"host"})
_VARY: Final = "Authorization, Accept, Accept-Encoding"

# What is long is sent while it is being read, and no encoder may hold it back.
for _media in ("text/csv", "application/x-ndjson", "application/geo+json"):
    add_compress_type(_media, streaming=True)


def _code() -> bytes:
    """What stands for the rules by which answers are made."""
    digest = hashlib.sha256()
    for file in sorted(Path(service.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.digest()


_CODE: Final = _code()


class Encoded(Response):
    """An answer that is encoded as it leaves, piece by piece where it comes so."""

    def __init__(self, answer: Response) -> None:
        self._encoded = CompressMiddleware(answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._encoded(scope, receive, send)


class Kept(NamedTuple):
    """An answer, what it was read from, and the route that made it."""

    version: int
    tag: str
    answer: Response
    route: object

    @property
    def size(self) -> int:
        return len(self.answer.body) + _BESIDE


class Answers:
    """The last whole answer to each question, as many as fit into so many bytes; what was not
    asked for longest leaves first.

    None is given out but under a version just read from the database, so none is old, whichever
    process wrote last.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()

    def get(self, question: bytes) -> Kept | None:
        kept = self._kept.get(question)
        if kept is not None:
            self._kept.move_to_end(question)
        return kept

    def keep(self, question: bytes, kept: Kept) -> None:
        if kept.size * _LARGEST_SHARE > self._most_bytes:
            return
        before = self._kept.pop(question, None)
        self._kept[question] = kept
        self._size += kept.size - (before.size if before else 0)
        while self._size > self._most_bytes:
            self._size -= self._kept.popitem(last=False)[1].size


class Versions:
    """Reads the version of the data from a database, once for all who wait for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading: asyncio.Task[int] | None = None
        self._next: asyncio.Task[int] | None = None

    async def current(self) -> int:
        """How many changes had been accepted at some moment since it was asked for. Raises
        `Unavailable`."""
        if self._database.at_hand:
            return self._database.number(ledger.ACCEPTED)
        if self._next is None:
            # What is being read already may be older than who asks now.
            self._next = asyncio.create_task(self._read_after(self._reading))
        return await asyncio.shield(self._next)

    async def _read_after(self, earlier: asyncio.Task[int] | None) -> int:
        if earlier is not None and not earlier.done():
            await asyncio.wait([earlier])
        self._reading, self._next = self._next, None
        return await run_in_threadpool(self._database.number, ledger.ACCEPTED)


@dataclass
class FromMemory:
    """Answers what is kept and still of the version that the database has, and lets all else on.

    It stands before the routes, to find one of which takes longer than all that is done here.
    """

    app: ASGIApp
    answers: Answers
    versions: Versions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET":
            answer = await self._answer(scope)
        await (answer or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        asked = _asked(scope)
        kept = self.answers.get(asked.question)
        if kept is None:
            return None
        try:
            version = await self.versions.current()
        except Unavailable:
            # A route says so in its own way.
            return None
        if version != kept.version:
            return None
        scope["route"] = kept.route
        if asked.holds(kept.tag):
            return _unchanged(kept.tag, asked.caching)
        return kept.answer


class FreshRoute(StrictRoute):
    """Gives what is read a strong tag, and `304` to who has it already (RFC 9110, 13.1.2).

    An answer that follows from one version of the data is tagged by it; any other, if it is whole,
    by its own bytes. What a route tags itself keeps its tag, and is neither encoded nor compared:
    the number of a revision is the same in every coding and for every reader.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if "GET" not in (self.methods or ()):
            # What answers a change is not encoded: it holds what was sent beside what only the
            # sender is shown, and its length would tell where they are alike (BREACH).
            return handle

        async def freshly(request: Request) -> Response:
            asked = _asked(request.scope)
            if asked.held:
                tag = asked.tag(await request.app.state.versions.current())
                if tag in asked.held:
                    return _unchanged(tag, asked.caching)
            read: set[int | None] = set()
            outer = versions_read.set(read)
            try:
                response = await handle(request)
            finally:
                versions_read.reset(outer)
            if response.status_code != 200 or "cache-control" in response.headers:
                return response
            [version] = read if len(read) == 1 else [None]
            return await _tagged(request, response, asked, version)

        return freshly


def tag_of(request: Request, version: int) -> str:
    """The tag, without its quotes, of the answer to a question when so many changes had been
    accepted."""
    return _asked(request.scope).tag(version)


class _Asked(NamedTuple):
    """A hash of all that the answer to a request depends on but the data; the tags of answers
    that its sender has; and who may keep the answer."""

    question: bytes
    held: Set[str]
    caching: str

    def tag(self, version: int) -> str:
        of = b"%s %d %s" % (_CODE, version, self.question)
        return hashlib.blake2b(of, digest_size=16).hexdigest()

    def holds(self, tag: str) -> bool:
        return bool(self.held) and (tag in self.held or "*" in self.held)


def _asked(scope: Scope) -> _Asked:
    actor: Actor = scope["state"]["actor"]
    telling: list[tuple[bytes, bytes]] = []
    held: set[str] = set()
    for name, value in scope["headers"]:
        if name in _TELLING:
            telling.append((name, value))
        elif name == b"if-none-match":
            text = value.decode("latin-1")
            held.update(_TAG.findall(text) or [text.strip()])
    # In which order fields of different names come tells nothing (RFC 9110, 5.3).
    telling.sort(key=itemgetter(0))
    url = scope["scheme"], scope.get("root_path"), scope["path"], scope["query_string"]
    who = actor.name, actor.role.value, actor.read_only
    return _Asked(_question(who, url, tuple(telling)), held, _caching(actor))


@lru_cache(maxsize=1_024)
def _question(*parts: object) -> bytes:
    # Written so that no two questions give the same text.
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _caching(actor: Actor) -> str:
    if actor.name is None:
        return "public, no-cache"
    # Nothing is to be found on a device that is taken from somebody in the field.
    return "no-store" if actor.protected else "private, no-cache"


async def _tagged(
    request: Request, response: Response, asked: _Asked, version: int | None
) -> Response:
    """The answer as it leaves: piece by piece, or whole and kept for who asks next."""
    own = response.headers.get("etag")
    tag = None if version is None else asked.tag(version)
    if not hasattr(response, "body"):
        if tag is not None:
            response.headers.update(_headers(tag, asked.caching))
        return Encoded(response)
    if own:
        response.headers.update({"Cache-Control": asked.caching, "Vary": _VARY})
        return response
    finished = await _finished(request, Encoded(response))
    told = tag or hashlib.blake2b(finished.body, digest_size=16).hexdigest()
    finished.headers.update(_headers(told, asked.caching))
    if version is not None:
        kept = Kept(version, told, finished, request.scope["route"])
        request.app.state.answers.keep(asked.question, kept)
    return _unchanged(told, asked.caching) if asked.holds(told) else finished


async def _finished(request: Request, response: Response) -> Response:
    sent: list[Message] = []

    async def collect(message: Message) -> None:
        sent.append(message)

    await response(request.scope, request.receive, collect)
    start, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    finished = Response(body, start["status"])
    finished.raw_headers = [*start["headers"]]
    finished.headers["Content-Length"] = str(len(body))
    return finished


def _unchanged(tag: str, caching: str) -> Response:
    return Response(status_code=304, headers=_headers(tag, caching))


def _headers(tag: str, caching: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"', "Cache-Control": caching, "Vary": _VARY}
