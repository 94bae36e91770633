"""What every answer tells a browser: guess no type, name no page, run nothing, keep nothing."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
# The page of the documentation: its own files, and the scripts written in it.
_PAGE: Final = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@dataclass
class SafeHeaders:
    """Adds to every answer what keeps a browser from doing harm with it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with_key = "authorization" in Headers(scope=scope)
        start: Message | None = None

        async def safely(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = _NOTHING
                if with_key:
                    # Another reader of the same cache may be shown less.
                    headers["Cache-Control"] = "no-store"
                if headers.get("Content-Type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None:
                MutableHeaders(scope=start)["Content-Security-Policy"] = _policy_of(message)
                await send(start)
                start = None
            await send(message)

        await self.app(scope, receive, safely)


def _policy_of(page: Message) -> str:
    """The policy under which a page works: it names its scripts by their hashes."""
    digests = [hashlib.sha256(script).digest() for script in _SCRIPT.findall(page["body"])]
    scripts = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return _PAGE.format(scripts=scripts)
