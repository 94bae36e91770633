"""What every answer tells a browser: guess no type, name no page, run nothing, keep nothing but
what the answer says may be kept."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
# Our own page: its files, pictures that it made itself, and nothing that is written in it.
_PAGE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The page of the documentation: its own files, and the scripts written in it.
_DOCUMENTATION: Final = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _NOTHING.encode()),
)
_OURS: Final = frozenset(name for name, _ in _ALWAYS)
_WORKER: Final = "/worker.js"
_KEEP_NOTHING: Final = (b"cache-control", b"no-store")
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@dataclass
class SafeHeaders:
    """Adds to every answer what keeps a browser from doing harm with it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def safely(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = message["headers"] = [
                    pair for pair in message["headers"] if pair[0] not in _OURS
                ]
                headers += _ALWAYS
                names = dict(headers)
                # A file of the documentation's page names its own validators.
                if not names.keys() & {b"cache-control", b"last-modified"}:
                    headers.append(_KEEP_NOTHING)
                kind = names.get(b"content-type", b"")
                if kind.startswith(b"text/html"):
                    start = message
                    return
                # What works in the background lives under the policy that it came with; a script
                # of a page lives under the page's.
                if scope["path"] == _WORKER:
                    MutableHeaders(scope=message)["Content-Security-Policy"] = _PAGE
            elif start is not None:
                MutableHeaders(scope=start)["Content-Security-Policy"] = _policy_of(message)
                await send(start)
                start = None
            await send(message)

        await self.app(scope, receive, safely)


def _policy_of(page: Message) -> str:
    """The policy under which a page works: it names its scripts by their hashes."""
    if not (written := _SCRIPT.findall(page["body"])):
        return _PAGE
    digests = [hashlib.sha256(script).digest() for script in written]
    scripts = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return _DOCUMENTATION.format(scripts=scripts)
