"""Signed heads put where they are out of reach of whoever runs the service.

A place is given as `file:/folder`, `git:/path/to/clone` or the address of a receiver,
`https://…`. What was published in a folder or a clone must still hold before anything is added
there: a record that was rewritten since is refused, and said so.
"""

import asyncio
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from service.domain.ledger import Broken
from service.errors import Invalid
from service.formats import checkpoint
from service.store.database import Database
from service.store.tables import Head
from service.work import ledger
from service.work.ledger import TreeHead

log = logging.getLogger(__name__)

_DEADLINE_SECONDS: Final = 10.0
_GIT_SECONDS: Final = 60.0
_AGAIN_AFTER_SECONDS: Final = 60.0
_LATEST: Final = "latest.txt"
_NUMBERED: Final = re.compile(r"([1-9][0-9]{0,18})\.txt")
_MEDIA: Final = "text/plain; charset=utf-8"
# Nothing of the machine's own configuration may ask, sign, or run along.
_GIT_OPTIONS: Final = (
    *("-c", "user.name=ceasefire-incident-tracker"),
    *("-c", "user.email=ledger@localhost"),
    *("-c", "commit.gpgsign=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)


class NotPublished(RuntimeError):
    """A place did not take a head; the message names it without what may be secret."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of heads: `<size>.txt` for each, the newest also as `latest.txt`."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"

    def published(self) -> Iterator[tuple[str, str]]:
        """Name and text of what was published last, by its number and by its name."""
        if not self.path.is_dir():
            raise NotPublished(f"{self}: is not a folder")
        numbered = [file for file in self.path.iterdir() if _NUMBERED.fullmatch(file.name)]
        newest = max((int(file.stem) for file in numbered), default=0)
        for name in (f"{newest}.txt", _LATEST):
            if (self.path / name).exists():
                yield name, (self.path / name).read_text("utf-8", errors="replace")

    def publish(self, head: Head) -> None:
        for name in (f"{head.size}.txt", _LATEST):
            _write(self.path / name, head.checkpoint)


@dataclass(frozen=True, slots=True)
class Clone:
    """A folder of heads in a clone of a git repository; pushed where it has a remote."""

    path: Path

    def __str__(self) -> str:
        return f"git:{self.path}"

    def published(self) -> Iterator[tuple[str, str]]:
        self._git("rev-parse", "--git-dir")
        return Folder(self.path).published()

    def publish(self, head: Head) -> None:
        names = (f"{head.size}.txt", _LATEST)
        Folder(self.path).publish(head)
        self._git("add", "--", *names)
        if self._git("status", "--porcelain", "--", *names):
            self._git("commit", "--quiet", "-m", f"Tree head of {head.size} leaves", "--", *names)
        if remotes := self._git("remote").split():
            self._git("push", "--quiet", remotes[0], "HEAD")

    def _git(self, *arguments: str) -> str:
        git = shutil.which("git")
        if git is None:
            raise NotPublished(f"{self}: there is no git")
        try:
            done = subprocess.run(  # noqa: S603
                [git, *_GIT_OPTIONS, "-C", str(self.path), *arguments],
                check=False,
                capture_output=True,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                timeout=_GIT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise NotPublished(f"{self}: git {arguments[0]} took too long") from None
        if done.returncode:
            # What git prints may hold the address of the remote, and a password in it.
            raise NotPublished(f"{self}: git {arguments[0]} failed ({done.returncode})")
        return done.stdout.decode("utf-8", errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody's address that takes heads by POST, as plain text."""

    url: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        # A path or a query may hold a secret.
        return f"{parts.scheme}://{parts.hostname}"

    def published(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def publish(self, head: Head) -> None:
        try:
            status = asyncio.run(self._post(head.checkpoint.encode()))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            raise NotPublished(f"{self}: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotPublished(f"{self}: answered {status}")

    async def _post(self, content: bytes) -> int:
        async with (
            asyncio.timeout(_DEADLINE_SECONDS),
            httpx2.AsyncClient(follow_redirects=False) as client,
            # The answer's body is of no interest and may have no end.
            client.stream(
                "POST", self.url, content=content, headers={"Content-Type": _MEDIA}
            ) as answer,
        ):
            return answer.status_code


Place = Folder | Clone | Receiver


def places(text: str) -> tuple[Place, ...]:
    """The places that a setting names, separated by spaces. Raises `Invalid` for another kind."""
    found: list[Place] = []
    for each in text.split():
        kind, _, rest = each.partition(":")
        if kind in ("file", "git") and Path(rest).is_absolute():
            found.append(Folder(Path(rest)) if kind == "file" else Clone(Path(rest)))
        elif kind in ("https", "http") and urlsplit(each).hostname:
            found.append(Receiver(each))
        else:
            raise Invalid(
                "must be file:/folder, git:/clone or https://…, separated by spaces",
                "CEASEFIRE_PUBLISH_HEADS",
            )
    return tuple(found)


def publish(database: Database, place: Place, origin: str) -> Head | None:
    """Put the newest head at a place, unless a newer one is there; `None` while there is none.

    Raises `Broken` where the ledger no longer holds what is published there, `NotPublished` where
    the place cannot be read or written.
    """
    try:
        published = [
            (f"{place}/{name}", _read(note, origin, f"{place}/{name}"))
            for name, note in place.published()
        ]
        with database.reading() as session:
            head = ledger.newest_head(session)
            for name, tree in published:
                ledger.must_hold(session, tree, name)
        if head is not None and all(tree.size <= head.size for _, tree in published):
            place.publish(head)
    except OSError as error:
        raise NotPublished(f"{place}: {error.strerror or type(error).__name__}") from None
    return head


class Publisher:
    """Publishes every new head once at each place; where that fails, again after a while."""

    def __init__(self, where: Sequence[Place], origin: str) -> None:
        self._where = where
        self._origin = origin
        self._sizes: dict[Place, int] = {}
        self._not_before: dict[Place, float] = {}

    def publish(self, database: Database) -> None:
        """One round."""
        for place in self._where:
            if time.monotonic() < self._not_before.get(place, 0):
                continue
            try:
                self._publish(database, place)
            except (Broken, NotPublished) as error:
                self._not_before[place] = time.monotonic() + _AGAIN_AFTER_SECONDS
                log.error("the tree head was not published: %s", error)

    def _publish(self, database: Database, place: Place) -> None:
        with database.reading() as session:
            newest = ledger.newest_head(session)
        if newest is None or newest.size == self._sizes.get(place):
            return
        head = publish(database, place, self._origin)
        if head is not None:
            self._sizes[place] = head.size
            log.info("the tree head of %d leaves is published: %s", head.size, place)


def _read(note: str, origin: str, name: str) -> TreeHead:
    try:
        told = checkpoint.parse(note)
    except Invalid:
        raise Broken(f"{name} is not a checkpoint") from None
    if told.origin != origin:
        raise Broken(f"{name} is of another ledger")
    return TreeHead(told.size, told.root)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and on disk."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        # It is there to be read by others.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
