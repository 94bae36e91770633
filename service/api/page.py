"""The page people look at, report with and review on: files as they are, from this process only.

They lie in `service/page` and are served below an address that holds their version, so that a
browser may keep them for ever and never mixes two versions.
"""

import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette_compress import CompressMiddleware

import service
from service.errors import NotFound

ADDRESS: Final = "/page"

_FOLDER: Final = Path(service.__file__).parent / "page"
# What is made into answers of the API, and is too much to send.
_NOT_SENT: Final = frozenset({"base"})
_DIGITS: Final = 12
_OWN_SCRIPT: Final = re.compile(rb'<script type="module" src="\{page\}/([^"]+)">')
_IMPORTED: Final = re.compile(rb'^(?:import\b|export\b|\}).*"(\.[^"]+)";$', re.MULTILINE)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "public, no-cache"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".toml": "text/plain; charset=utf-8",
}

router = APIRouter(include_in_schema=False)


class _File(Response):
    """A file, compressed as it leaves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Smaller than the default by a tenth, and each is sent to a browser once.
        compressed = CompressMiddleware(super().__call__, zstd=False, brotli_quality=6)
        await compressed(scope, receive, send)


class Page(NamedTuple):
    """All files by their path below the folder, and what stands for their content."""

    version: str
    files: Mapping[str, bytes]

    def start(self, name: str) -> bytes:
        """A file that others start from: it says at which address they lie, and which there are."""
        links = [
            f'<link rel="modulepreload" href="{{page}}/{each}"{urgency}>'
            for each, urgency in self._needed(name).items()
        ]
        written = self.files[name].replace(b"{modules}", "\n".join(links).encode())
        written = written.replace(b"{page}", f"{ADDRESS}/{self.version}".encode())
        return written.replace(b"{files}", " ".join(self.files).encode())

    def _needed(self, name: str) -> dict[str, str]:
        """What a page's scripts import, and what that imports: else each waits for the one before
        to arrive. All but the first script, with what only they need, may come later."""
        needed: dict[str, str] = {}
        for own in _OWN_SCRIPT.findall(self.files[name]):
            urgency = ' fetchpriority="low"' if needed else ""
            waiting = [own.decode()]
            while waiting:
                if (each := waiting.pop(0)) in needed:
                    continue
                needed[each] = urgency
                folder = posixpath.dirname(each)
                waiting += [
                    posixpath.normpath(posixpath.join(folder, imported.decode()))
                    for imported in _IMPORTED.findall(self.files[each])
                ]
        return needed


@cache
def page() -> Page:
    """What is served, read once."""
    files = {
        path.relative_to(_FOLDER).as_posix(): path.read_bytes()
        for path in sorted(_FOLDER.rglob("*"))
        if path.is_file() and path.relative_to(_FOLDER).parts[0] not in _NOT_SENT
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return Page(digest.hexdigest()[:_DIGITS], files)


@cache
def _started(name: str) -> bytes:
    return page().start(name)


@router.get("/")
def get_dashboard() -> Response:
    """What was claimed, where and when, and what follows from it."""
    return _start("index.html")


@router.get("/report")
def get_report_form() -> Response:
    """Where a monitor writes a report, with or without a network."""
    return _start("report.html")


@router.get("/review")
def get_review_desk() -> Response:
    """Where reviewers decide."""
    return _start("review.html")


@router.get("/worker.js")
def get_worker() -> Response:
    """What keeps the page on a device. Its own address decides what it may answer for: all."""
    return _start("worker.js")


@router.get("/manifest.webmanifest")
def get_manifest() -> Response:
    """By what name and picture a device keeps the report form."""
    return _start("manifest.webmanifest")


@router.get(f"{ADDRESS}/{{version}}/{{name:path}}")
def get_file(version: str, name: str) -> Response:
    """One file of the page. Another version's address leads to what is there now."""
    whole = page()
    if name not in whole.files:
        raise NotFound("There is no such file.")
    kept = _FOR_EVER if version == whole.version else _ASK_EACH_TIME
    return _answer(name, whole.files[name], kept)


def _start(name: str) -> Response:
    return _answer(name, _started(name), _ASK_EACH_TIME)


def _answer(name: str, content: bytes, kept: str) -> Response:
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _File(content, media_type=kind, headers={"Cache-Control": kept})
