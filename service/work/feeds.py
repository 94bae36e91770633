"""Sources that are asked again and again: declared, asked when it is time, each by one process."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Visibility
from service.domain.imports import Fault, State, Unusable
from service.errors import Conflict, Invalid, NotFound
from service.formats.feeds import FeedIn
from service.formats.imports.entries import Paged
from service.formats.imports.pages import LARGEST_PAGE
from service.formats.records import instant_text
from service.formats.validation import parse
from service.store import journal
from service.store.journal import Author, Change
from service.store.tables import Feed
from service.work import fetching
from service.work.fetching import Bounds, Fetched, Source
from service.work.importing import Importer, TakenOver

log = logging.getLogger(__name__)

FEED: Final = "feed"
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
# No key can be called so.
_SCHEDULE: Final = "import:schedule"
_MOST_PAGES: Final = 10_000
_IN_FILE: Final = "in_file"
# RFC 7464: a page is told from the next without being read.
_BEFORE_PAGE: Final = b"\x1e"
Json = dict[str, Any]


def declare(
    session: Session, name: str, feed: FeedIn, author: Author, *, in_file: bool = False
) -> bool:
    """Let a feed be as declared; whether that changes anything."""
    content = {**feed.posted(), _IN_FILE: in_file}
    row = session.get(Feed, name)
    if row is not None and row.content == content:
        return False
    if row is None:
        row = Feed(name=name, failures=0)
        session.add(row)
    # What it gave before has to be read otherwise now, also where it says that nothing is new.
    row.etag = row.last_modified = None
    row.content, row.next_run_at = content, feed.next_run(author.at)
    _record(session, name, content, author)
    return True


def withdraw(session: Session, name: str, author: Author) -> None:
    """Ask a source no more; what came from it stays. Raises `NotFound`."""
    session.delete(get(session, name))
    _record(session, name, {}, author)


def load(session: Session, declared: Mapping[str, FeedIn], author: Author) -> int:
    """Let the feeds of the file be as it declares them; return how many changed.

    Those that it declared before and does not any more are withdrawn; others stay.
    """
    changed = sum(
        declare(session, name, feed, author, in_file=True) for name, feed in declared.items()
    )
    for row in listed(session):
        if row.content[_IN_FILE] and row.name not in declared:
            withdraw(session, row.name, author)
            changed += 1
    return changed


def listed(session: Session) -> Sequence[Feed]:
    return session.scalars(sa.select(Feed).order_by(Feed.name)).all()


def get(session: Session, name: str) -> Feed:
    """Raises `NotFound`."""
    row = session.get(Feed, name)
    if row is None:
        raise NotFound
    return row


def declared(row: Feed) -> FeedIn:
    """A feed as it was declared."""
    return parse(FeedIn, {name: value for name, value in row.content.items() if name != _IN_FILE})


def described(row: Feed, now: datetime, *, everything: bool) -> Json:
    """A feed as it is told: how it is asked only to those who may have it run."""
    feed = declared(row)
    told: Json = {
        "name": row.name,
        "source": feed.source,
        "format": feed.format,
        "claimant": feed.claimant or feed.form.default_claimant,
        "licence": feed.terms,
        "visibility": feed.circle,
        "stale": is_stale(row, now),
        "moved": row.moved_at and row.moved_at.date().isoformat(),
        "declaration": None,
    }
    if everything:
        told["declaration"] = {
            "in_file": row.content[_IN_FILE],
            "feed": feed.posted(),
            "asked_at": row.asked_at and instant_text(row.asked_at),
            "moved_at": row.moved_at and instant_text(row.moved_at),
            "next_run_at": row.next_run_at and instant_text(row.next_run_at),
            "failures": row.failures,
        }
    return told


def is_stale(row: Feed, now: datetime) -> bool:
    """Whether a source has not moved for longer than its rhythm."""
    patience = declared(row).patience(now)
    if patience is None or row.asked_at is None:
        return False
    return row.moved_at is None or now - row.moved_at > patience


@dataclass(frozen=True)
class Runner:
    """Asks feeds and imports what they give.

    `environment` holds their secrets, `bounds` what the operator sets for all.
    """

    importer: Importer
    environment: Mapping[str, str]
    bounds: Bounds

    def begin(self, name: str, by: str) -> str:
        """Register a run of a feed; return the id of its import.

        Raises `NotFound`, and `Conflict` while its source is being imported.
        """
        with self.importer.database.reading() as session:
            feed = declared(get(session, name))
        return self.importer.begin(feed, by, name)

    def run(self, name: str, import_id: str, file: BinaryIO | None = None) -> State:
        """Ask a source, or take a file in the place of what it would give; how it ended."""
        try:
            if file is not None:
                return self.importer.read(import_id, file)
            return self._ask(name, import_id)
        except TakenOver:
            log.warning("feed %s: another process goes on with it", name)
            return State.FETCHING

    def recover(self) -> None:
        """Go on with what was interrupted; what cannot be gone on with is asked again soon."""
        for name in self.importer.recover():
            self.importer.database.write(partial(self._plan, name=name, state=State.FAILED))

    def run_due(self) -> int:
        """Take over what was interrupted, and ask every source whose time has come; return how
        many were asked."""
        self.recover()
        asked = 0
        while name := self.importer.database.write(self._claim_due):
            try:
                self.run(name, self.begin(name, _SCHEDULE))
                asked += 1
            except (Conflict, NotFound):
                log.info("feed %s is being run or gone", name)
            except Exception:
                # The others are not to wait for it.
                log.exception("feed %s could not be run", name)
        return asked

    def _claim_due(self, session: Session) -> str | None:
        """The feed that waits longest. Its next run is set at once, so that nobody else has it."""
        now = self.importer.now()
        row = session.scalar(
            sa.select(Feed)
            .where(Feed.next_run_at <= now)
            .order_by(Feed.next_run_at, Feed.name)
            .limit(1)
            .with_for_update()
        )
        if row is None:
            return None
        # Whatever becomes of it, it is not due at once again.
        row.next_run_at = None
        try:
            row.next_run_at = declared(row).next_run(now)
        except Invalid:
            log.error("feed %s is not declared in a way that is understood", row.name)
        return row.name

    def _ask(self, name: str, import_id: str) -> State:
        database = self.importer.database
        with database.reading() as session:
            row = get(session, name)
            feed, etag, last_modified = declared(row), row.etag, row.last_modified
        with TemporaryFile() as file:
            try:
                source = Source(
                    feed.url,
                    frozenset(feed.hosts),
                    feed.header_values(self.environment),
                    feed.form.media,
                    etag,
                    last_modified,
                )
                with self.importer.holding(import_id):
                    fetched = self._fetched(feed, source, file)
            except Unusable as unusable:
                state = self.importer.fail(import_id, unusable)
            except Invalid as error:
                reason = Unusable(Fault.UNREACHABLE, error.problems[0].message)
                state = self.importer.fail(import_id, reason)
            else:
                if fetched.changed:
                    state = self.importer.read(import_id, file, checked=fetched.checked)
                else:
                    state = self.importer.unmoved(import_id)
                database.write(lambda session: self._note(session, name, fetched, state))
        database.write(lambda session: self._plan(session, name, state))
        return state

    def _fetched(self, feed: FeedIn, source: Source, into: BinaryIO) -> Fetched:
        """Everything that a source gives, page after page where it has pages."""
        bounds = replace(self.bounds, deadline=feed.deadline_seconds, max_bytes=feed.max_bytes)
        tell = partial(self.importer.tell, State.FETCHING)
        form = feed.form
        if not isinstance(form, Paged):
            return fetching.fetch(source, bounds, into, tell)
        written = 0
        for page in self._pages(form, source, bounds, tell):
            written += into.write(_BEFORE_PAGE + page + b"\n")
            if written > feed.max_bytes:
                raise Unusable(Fault.TOO_LARGE, "is larger than is taken")
        into.seek(0)
        return Fetched(
            changed=True, etag=None, last_modified=None, media=None, size=written, checked=True
        )

    def _pages(
        self,
        form: Paged,
        source: Source,
        bounds: Bounds,
        tell: Callable[[int, int | None], None],
    ) -> Iterator[bytes]:
        end = time.monotonic() + bounds.deadline
        url = source.url
        for _ in range(_MOST_PAGES):
            left = end - time.monotonic()
            if left <= 0:
                raise Unusable(Fault.DEADLINE, "did not give its pages in time")
            asked = replace(source, url=url, etag=None, last_modified=None)
            with TemporaryFile() as page:
                largest = min(bounds.max_bytes, LARGEST_PAGE)
                within = replace(bounds, deadline=left, max_bytes=largest)
                fetching.fetch(asked, within, page, tell)
                content = page.read()
            yield content
            following = form.next_url(content, url)
            if following is None:
                return
            url = following
        raise Unusable(Fault.TOO_LARGE, "has more pages than are read")

    def _note(self, session: Session, name: str, fetched: Fetched, state: State) -> None:
        """Remember what need not be fetched again."""
        row = session.get(Feed, name)
        if row is not None and fetched.changed and state is not State.FAILED:
            row.etag, row.last_modified = fetched.etag, fetched.last_modified

    def _plan(self, session: Session, name: str, state: State) -> None:
        """When to ask again: by its schedule; after a failure sooner, after each one later."""
        row = session.get(Feed, name)
        if row is None:
            return
        now = self.importer.now()
        row.asked_at = now
        regular = declared(row).next_run(now)
        if state is not State.FAILED:
            row.failures, row.next_run_at = 0, regular
            return
        row.failures += 1
        pause = min(_FIRST_PAUSE * 2 ** min(row.failures - 1, 12), _LONGEST_PAUSE)
        row.next_run_at = regular and min(regular, now + pause)


def broken(session: Session) -> Iterator[str]:
    """Feeds that are not as they were declared."""
    told = {r.subject: journal.fact_of(r).content for r in journal.newest(session, FEED)}
    kept = {row.name: row.content for row in listed(session)}
    for name in sorted(told.keys() | kept.keys()):
        if (told.get(name) or None) != kept.get(name):
            yield f"feeds {name}: is not as it was declared"


def _record(session: Session, name: str, content: Json, author: Author) -> None:
    revision = journal.latest_revision(session, FEED, name) + 1
    change = Change(FEED, name, revision, content, level=Visibility.RESTRICTED.level)
    journal.append(session, [change], author)


def work(runner: Runner, seconds: float) -> None:
    """Ask what is due, again and again, until the process is told to stop."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.is_set():
        try:
            runner.run_due()
        except Exception:
            log.exception("asking feeds failed and will be tried again")
        stopping.wait(seconds)
