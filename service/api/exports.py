"""Lists and sums in the formats that people open: a page, or all of it as it is read."""

import asyncio
import io
import logging
import re
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from service.api import answers, freshness
from service.api.parameters import FormatParameters
from service.api.requests import Context, as_of_view
from service.domain.method import METHOD_VERSION
from service.errors import Invalid, Stale
from service.formats.exports.columns import Json
from service.formats.exports.registry import format_named
from service.formats.exports.writing import About, Content, Format, Subject
from service.work import ledger
from service.work.exports import Export, produced
from service.work.past import View
from service.work.spool import Spool

log = logging.getLogger(__name__)

_TOTAL: Final = "X-Total-Count"
_TAGS: Final = re.compile(r'"([^"]*)"')
_RESUMING: Final = {b"after", b"cursor"}
_PIECE: Final = 256 * 1024
# A reader that takes nothing for so long is taken for gone.
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in another format than JSON."""

    request: Request
    format: Format
    hxl: bool

    @classmethod
    def of(cls, request: Request, parameters: FormatParameters) -> "Asked | None":
        """`None` where JSON is asked for. Raises `Invalid` for hashtags that have no place."""
        name = answers.format_of(request, parameters.format)
        found = None if name == "json" else format_named(name)
        if parameters.hxl and not (found and found.tagged):
            raise Invalid("goes with format=csv and format=xlsx", "hxl")
        return cls(request, found, bool(parameters.hxl)) if found else None

    def table(
        self,
        view: View,
        subject: Subject,
        items: Sequence[Json],
        *links: str,
        sums: Json | None = None,
    ) -> Response:
        """Items that are at hand: a page with the links that go with it, or a short list."""
        out = io.BytesIO()
        about = self._about(view, len(items), sums)
        self.format.write(out, Content(subject, about, [items], self.hxl))
        headers = self._headers(view, subject, *links)
        return Response(out.getvalue(), media_type=self.format.media, headers=headers)

    def whole(
        self, view: View, subject: Subject, items: Sequence[Json], sums: Json | None = None
    ) -> Response:
        """The same, where they are all that answer the question."""
        answer = self.table(view, subject, items, sums=sums)
        answer.headers[_TOTAL] = str(len(items))
        return answer

    def stream(
        self, context: Context, as_of: str | None, ask: Callable[[View], Export]
    ) -> Response:
        """Everything that `ask` finds, in one snapshot, sent while it is being read.

        What `ask` refuses is refused before anything is sent; what fails later cuts the answer.
        Raises `Stale` where `If-Match` names another state of the data, and `Unavailable` while
        too many others are answered so.
        """
        headers: dict[str, str] = {}

        def write(spool: Spool) -> None:
            with context.view(as_of) as view:
                self._check_unchanged(view)
                export = ask(view)
                headers.update(self._headers(view, export.subject))
                headers[_TOTAL] = str(export.total)
                about = self._about(view, export.total, None)
                chunks = _wanted(export.chunks, spool)
                self.format.write(spool, Content(export.subject, about, chunks, self.hxl))

        return Growing(produced(write), self.format.media, headers)

    def _check_unchanged(self, view: View) -> None:
        """The rest of a list belongs to its beginning only while nothing has changed."""
        given = self.request.headers.get("if-match")
        if given is None or given.strip() == "*":
            return
        version = ledger.accepted(view.session) if view.as_of is None else view.version
        held = {*_TAGS.findall(given)}
        if version is None or not held & {*self._tags(version)}:
            raise Stale

    def _tags(self, version: int) -> Iterator[str]:
        """Of the answer to the question, and of that to the same from the first row on."""
        scope = self.request.scope
        pairs = scope["query_string"].split(b"&")
        kept = [pair for pair in pairs if pair.partition(b"=")[0] not in _RESUMING]
        for query in (pairs, kept):
            beginning = Request({**scope, "query_string": b"&".join(query)})
            yield freshness.tag_of(beginning, version)

    def _about(self, view: View, total: int, sums: Json | None) -> About:
        theatre, url = view.theatre, self.request.url
        return About(
            title=theatre.name,
            theatre=theatre.id,
            licence=theatre.licence,
            method=METHOD_VERSION,
            asked=f"{url.path}?{url.query}" if url.query else url.path,
            total=total,
            as_of=as_of_view(view.as_of),
            sums=sums,
        )

    def _headers(self, view: View, subject: Subject, *links: str) -> dict[str, str]:
        file = f"{subject.name}.{self.format.suffix}"
        return {
            "Content-Disposition": f'attachment; filename="{file}"',
            **answers.provenance(view.theatre, *links),
        }


def page_of(
    request: Request,
    asked: Asked | None,
    view: View,
    subject: Subject,
    items: Sequence[Json],
    following: str | None,
) -> Response:
    """A page of a list; `following` is the cursor of the next one."""
    if asked is None:
        headers = answers.provenance(view.theatre)
        return answers.json(answers.listed(items, following), headers=headers)
    return asked.table(view, subject, items, *answers.next_link(request, following))


def _wanted(chunks: Iterable[Sequence[Json]], spool: Spool) -> Iterator[Sequence[Json]]:
    """Parts of a list as long as somebody waits for them, whatever has been written of it."""
    for items in chunks:
        spool.check()
        yield items


class Growing(StreamingResponse):
    """A spool as it grows. It is left when the answer is sent, cut, or thrown away unsent."""

    def __init__(self, spool: Spool, media: str, headers: dict[str, str]) -> None:
        self._spool = spool
        weakref.finalize(self, spool.leave)
        super().__init__(_pieces(spool), media_type=media, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            # Nobody is left to be told; the server cuts what is not complete.
            log.info("an export was given up by its reader")
        finally:
            self._spool.leave()

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await send(message)

        await super().stream_response(patiently)


async def _pieces(spool: Spool) -> AsyncIterator[bytes]:
    while piece := await run_in_threadpool(spool.read, _PIECE):
        yield piece
