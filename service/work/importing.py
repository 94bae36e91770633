"""Reading the file of a source: judged as a whole before anything of it is recorded, recorded in
short transactions, and accounted for to the last entry.

A file is kept as it came. It is read twice: the first time only to judge it, so that what is
doubtful changes nothing; the second time what is new or changed is recorded, each batch with how
far the reading has come, so that another process goes on where one was killed.
"""

import gc
import logging
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from sqlalchemy.orm import Session

from service.domain.imports import (
    HELD,
    RELEASABLE,
    Account,
    Fault,
    State,
    Unusable,
    Verdict,
    missing,
)
from service.errors import Conflict, Invalid, TrackerError
from service.formats.feeds import PlanIn
from service.formats.imports.entries import Entry, Kind
from service.store import imports as store
from service.store.database import Database
from service.store.tables import Feed, Import
from service.work import cells, entries
from service.work.entries import Judged, Taking
from service.work.imports import (
    RELEASED,
    as_mended,
    author_of,
    get,
    plan_of,
    record,
    unpacking,
)
from service.work.reference import Theatres

log = logging.getLogger(__name__)

_BATCH: Final = 500
_LEASE: Final = timedelta(seconds=60)
_ATTEMPTS: Final = 2
_SPOOLED: Final = 1024 * 1024
_RENEW_SECONDS: Final = 15.0
# Whoever reads a source sees by fewer that it cannot be read.
_MOST_REJECTS: Final = 20_000
_UNCHECKED: Final = "unchecked"
UNCHECKED: Final = (
    "nothing showed whether all of it came: the source gave neither a length nor an end"
)
_IN_WORDS: Final = {
    Fault.SHRUNK: "lists far less than before; what is gone stays recorded",
    Fault.MASS_CHANGE: "changes a large share of what was recorded",
    Fault.MANY_REJECTED: "has many entries that cannot be taken",
    Fault.REJECTED: "has entries that cannot be taken, and is to be taken whole or not at all",
}


Json = dict[str, Any]
Tell = Callable[[State, int, int | None], None]


def untold(_: State, _done: int, _total: int | None) -> None:
    """Where nobody watches how far an import is."""


class TakenOver(Conflict):
    """Another process goes on with the import, since this one seemed to have ended."""

    def __init__(self) -> None:
        super().__init__("Another process goes on with the import.")


@dataclass(frozen=True)
class Importer:
    """Reads files into the record; `holder` names this process among others that do."""

    database: Database
    theatres: Theatres
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    holder: str
    tell: Tell
    _active: set[str] = field(default_factory=set)

    def begin(self, plan: PlanIn, by: str, feed: str | None = None) -> str:
        """Register an import that is about to be read; return its id.

        Raises `Conflict` while another one of the same source is being read, and `Unavailable`
        before there is a theatre.
        """
        import_id, now = self.new_id(), self.now()

        def work(session: Session) -> None:
            # Nothing can be read against a theatre that is not there.
            self.theatres.current(session)
            if store.running(session, plan.source) is not None:
                raise Conflict("This source is being imported right now.")
            session.add(
                Import(
                    id=import_id,
                    source=plan.source,
                    feed=feed,
                    running=plan.source,
                    holder=self.holder,
                    held_until=now + _LEASE,
                    state=State.FETCHING.value,
                    started_at=now,
                    position=0,
                    attempts=1,
                    content={**plan.plan(), "by": by},
                    account={},
                )
            )

        self.database.write(work)
        return import_id

    def read(self, import_id: str, file: BinaryIO, *, checked: bool = True) -> State:
        """Keep a file, judge it, and record what it says; return how it ended.

        Whatever is wrong with it ends in the account of the import, and so does that nothing
        `checked` whether all of it came. Raises `TakenOver`.
        """

        def ready(session: Session) -> None:
            row = self._held(session, import_id)
            row.sha256, row.size, row.state = sha256, size, State.READY.value
            if not checked:
                row.content = {**row.content, _UNCHECKED: True}

        with self.holding(import_id):
            try:
                sha256, size = store.digest_of(file)
                store.archive(self.database, file, sha256)
                self.database.write(ready)
                with unpacking(file) as plain:
                    return self._read(import_id, plain)
            except Unusable as unusable:
                return self.fail(import_id, unusable)

    @contextmanager
    def holding(self, import_id: str) -> Iterator[None]:
        """Say all the time that this process is still at an import, whatever it waits for."""
        done = threading.Event()

        def keep_saying() -> None:
            while not done.wait(_RENEW_SECONDS):
                try:
                    self.database.write(lambda session: self._held(session, import_id))
                except TakenOver:
                    return
                except Exception:
                    log.exception("the lease of import %s was not renewed", import_id)

        saying = threading.Thread(target=keep_saying, name="lease", daemon=True)
        self._active.add(import_id)
        saying.start()
        try:
            yield
        finally:
            done.set()
            saying.join()
            self._active.discard(import_id)

    def fail(self, import_id: str, unusable: Unusable) -> State:
        """End an import of which nothing was taken."""
        state = State.HELD if unusable.fault in HELD else State.FAILED
        detail = unusable.problems[0].message

        def work(session: Session) -> None:
            row = self._held(session, import_id)
            # Of what is not through, nothing is accounted for.
            store.clear_rejects(session, import_id, behind=row.position)
            self._end(session, row, state, unusable.fault, detail)

        self.database.write(work)
        return state

    def unmoved(self, import_id: str) -> State:
        """End an import of a source that says it is as it was; nothing is worth recording."""

        def work(session: Session) -> None:
            row = self._held(session, import_id)
            row.state, row.ended_at = State.UNMOVED.value, self.now()
            row.running = row.holder = row.held_until = None
            row.account = Account().to_json()

        self.database.write(work)
        return State.UNMOVED

    def recover(self) -> list[str]:
        """Go on with imports whose process has ended; return the feeds of those that cannot be
        gone on with."""
        with self.database.reading() as session:
            left = store.abandoned(session, self.now())
        lost: list[str] = []
        for import_id in left:
            try:
                feed = self._take_over(import_id)
            except Exception:
                log.exception("import %s could not be gone on with", import_id)
            else:
                lost += [feed] if feed is not None else []
        return lost

    def release(self, import_id: str, by: str) -> None:
        """Let a file that waits for a person be recorded, by `go_on`, whatever seemed wrong.

        Raises `NotFound`, and `Conflict` for what does not wait or cannot be read.
        """

        def work(session: Session) -> None:
            row = get(session, import_id)
            if row.state != State.HELD or row.fault not in RELEASABLE:
                raise Conflict("It does not wait for a decision, or only a better file helps.")
            if store.running(session, row.source) is not None:
                raise Conflict("This source is being imported right now.")
            row.running, row.holder, row.held_until = row.source, self.holder, self._until()
            row.state, row.position, row.account = State.READY.value, 0, {}
            row.fault = row.detail = row.ended_at = None
            row.attempts = 1
            row.content = {**row.content, RELEASED: by}

        self.database.write(work)

    def discard(self, import_id: str, by: str) -> None:
        """Decide that a file that waits is not to be taken. Raises `NotFound` and `Conflict`."""

        def work(session: Session) -> None:
            row = get(session, import_id)
            if row.state != State.HELD:
                raise Conflict("It does not wait for a decision.")
            row.content = {**row.content, "discarded_by": by}
            row.state = State.DISCARDED.value
            record(session, row, self.now())

        self.database.write(work)

    def _take_over(self, import_id: str) -> str | None:
        def claim(session: Session) -> bool:
            row = session.get(Import, import_id, with_for_update=True)
            if row is None or row.running is None or (row.held_until or self.now()) > self.now():
                return False
            if import_id in self._active:
                # This very process is at it, though it was too busy to say so.
                return False
            row.holder, row.held_until = self.holder, self._until()
            row.attempts += 1
            return True

        if not self.database.write(claim):
            return None
        with self.database.reading() as session:
            row = get(session, import_id)
            again, feed = row.sha256 is not None and row.attempts <= _ATTEMPTS, row.feed
        if again:
            log.warning("import %s was interrupted and goes on", import_id)
            self.go_on(import_id)
            return None
        self.fail(import_id, Unusable(Fault.INTERRUPTED, "its process ended while it was read"))
        return feed

    def go_on(self, import_id: str) -> State:
        """Read the kept file of an import from where it stands; return how it ended."""
        with self.holding(import_id):
            try:
                with self._archived(import_id) as file, unpacking(file) as plain:
                    return self._read(import_id, plain)
            except Unusable as unusable:
                return self.fail(import_id, unusable)

    @contextmanager
    def _archived(self, import_id: str) -> Iterator[BinaryIO]:
        with self.database.reading() as session:
            sha256 = get(session, import_id).sha256 or ""
        with cast(BinaryIO, SpooledTemporaryFile(max_size=_SPOOLED)) as file:
            try:
                file.writelines(store.archived(self.database, sha256))
                found, _ = store.digest_of(file)
            except zlib.error:
                found = ""
            if found != sha256:
                raise Unusable(Fault.TRUNCATED, "what was kept of it is not whole any more")
            yield file

    def _read(self, import_id: str, file: BinaryIO) -> State:
        with self.database.reading() as session:
            row = get(session, import_id)
            plan, judged = as_mended(plan_of(row), file), row.state == State.APPLYING
            released = RELEASED in row.content
        if not judged:
            state = self._judge(import_id, plan, file, released=released)
            if state is not State.APPLYING:
                return state
        return self._apply(import_id, plan, file)

    def _judge(self, import_id: str, plan: PlanIn, file: BinaryIO, *, released: bool) -> State:
        """Read the file without recording any of it; whether it is to be recorded. Of one that a
        person let through, only what cannot be taken is looked for."""
        columns = self._columns(plan, file, released=released)
        account, reports = Account(), 0
        with closing(_Seen()) as seen:
            self.database.write(lambda session: store.clear_rejects(session, import_id))
            for batch in batches(plan.form.read(file, plan.reading)):
                with self.database.reading() as session:
                    theatre = self.theatres.current(session)
                    judged = entries.judge(session, plan, theatre, batch)
                judged = seen.once(judged)
                _count(account, judged)
                reports += sum(j.entry.kind is Kind.REPORT and j.known for j in judged)
                if refused := [*filter(_is_refused, judged)]:
                    self.database.write(partial(self._refuse, import_id=import_id, judged=refused))
                if account.verdicts[Verdict.REJECTED] > _MOST_REJECTS:
                    raise Unusable(Fault.MANY_REJECTED, _IN_WORDS[Fault.MANY_REJECTED])
                self.tell(State.READY, batch[-1][0], None)
        with self.database.reading() as session:
            if not plan.part:
                account.absent = max(0, store.recorded_of(session, plan.source) - reports)
        doubt = plan.tolerance.doubt(account, atomic=plan.atomic)
        if released and doubt in RELEASABLE:
            doubt = Fault.REJECTED if plan.atomic and account.verdicts[Verdict.REJECTED] else None

        def decide(session: Session) -> State:
            row = self._held(session, import_id)
            row.total, row.content = account.read, {**row.content, "columns": list(columns)}
            if doubt is None:
                row.state, row.account = State.APPLYING.value, _at_first(row, account.absent)
                return State.APPLYING
            account.remarks.update(_at_first(row, 0)["remarks"].keys() - account.remarks.keys())
            row.account = account.holding().to_json()
            state = State.HELD if doubt in HELD else State.FAILED
            self._end(session, row, state, doubt, _IN_WORDS[doubt])
            return state

        return self.database.write(decide)

    def _columns(self, plan: PlanIn, file: BinaryIO, *, released: bool) -> Sequence[str]:
        """What entries are made from. Raises `Unusable` where the source used to give more."""
        with self.database.reading() as session:
            last = None if released else store.last_done(session, plan.source, plan.format)
            before = last.content.get("columns", []) if last else []
        try:
            columns = plan.form.columns(file, plan.reading)
            # Reading one entry finds what the header lacks.
            next(iter(plan.form.read(file, plan.reading)), None)
        except Unusable as unusable:
            if before and unusable.fault is Fault.BAD_HEADER:
                raise Unusable(Fault.SCHEMA_CHANGED, unusable.problems[0].message) from None
            raise
        if gone := missing(before, columns):
            raise Unusable(Fault.SCHEMA_CHANGED, f"lacks columns that it had: {', '.join(gone)}")
        return columns

    def _refuse(self, session: Session, import_id: str, judged: Sequence[Judged]) -> None:
        self._held(session, import_id)
        store.put_rejects(session, import_id, map(_reject, judged))

    def _apply(self, import_id: str, plan: PlanIn, file: BinaryIO) -> State:
        with self.database.reading() as session:
            row = get(session, import_id)
            done, total = row.position, row.total
        for read in batches(plan.form.read(file, plan.reading)):
            batch = [(position, entry) for position, entry in read if position > done]
            if not batch:
                continue
            self.database.write(partial(self._take, import_id=import_id, plan=plan, batch=batch))
            cells.fold(self.database, self.theatres, at_least=cells.MANY)
            self.tell(State.APPLYING, batch[-1][0], total)

        def finish(session: Session) -> None:
            row = self._held(session, import_id)
            feed = session.get(Feed, row.feed) if row.feed else None
            if feed is not None and _moved(row, store.last_done(session, plan.source, plan.format)):
                feed.moved_at = self.now()
            self._end(session, row, State.DONE, None, None)

        self.database.write(finish)
        return State.DONE

    def _take(
        self, session: Session, import_id: str, plan: PlanIn, batch: Sequence[tuple[int, Entry]]
    ) -> None:
        """Record one batch, and that it is through."""
        row = self._held(session, import_id)
        theatre = self.theatres.current(session)
        author = author_of(plan.source, self.now())
        refused = store.refused_between(session, import_id, batch[0][0], batch[-1][0])
        fresh = [(position, entry) for position, entry in batch if position not in refused]
        taking = Taking(session, plan, import_id, theatre, author, self.new_id)
        taken = entries.take(taking, entries.judge(session, plan, theatre, fresh))
        store.put_rejects(session, import_id, map(_reject, filter(_is_refused, taken)))
        account = Account.from_json(row.account)
        _count(account, taken)
        for held in refused.values():
            account.verdicts[Verdict.HELD if held else Verdict.REJECTED] += 1
        row.account, row.position = account.to_json(), batch[-1][0]

    def _held(self, session: Session, import_id: str) -> Import:
        """The import, held on to for a while longer. Raises `TakenOver`."""
        row = session.get(Import, import_id, with_for_update=True)
        if row is None or row.holder != self.holder or row.running is None:
            raise TakenOver
        row.held_until = self._until()
        return row

    def _until(self) -> datetime:
        return self.now() + _LEASE

    def _end(
        self, session: Session, row: Import, state: State, fault: Fault | None, detail: str | None
    ) -> None:
        row.state, row.fault, row.detail = state.value, fault and fault.value, detail
        row.running = row.holder = row.held_until = None
        row.ended_at = self.now()
        feed = session.get(Feed, row.feed) if row.feed else None
        if feed is not None and state is State.FAILED:
            # What failed is to be fetched again, though its source says it is as it was.
            feed.etag = feed.last_modified = None
        if not row.account:
            row.account = Account().to_json()
        record(session, row, self.now())


def batches(read: Iterable[Entry]) -> Iterator[list[tuple[int, Entry]]]:
    """Entries with their places in the file, counted from 1, as many as one transaction takes."""
    numbered = enumerate(read, 1)
    with _collected_by_batch() as collect:
        while batch := list(islice(numbered, _BATCH)):
            yield batch
            collect()


@contextmanager
def _collected_by_batch() -> Iterator[Callable[[], object]]:
    """Look for garbage when told to: most of what a batch is made of goes by itself, and looking
    through it again and again while it grows takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield partial(gc.collect, 0)
    finally:
        if was_on:
            gc.enable()


def _moved(row: Import, last: Import | None) -> bool:
    """Whether a source says or lists something else than it did, whatever its bytes."""
    now, before = Account.from_json(row.account), Account.from_json(last.account if last else {})
    return bool(now.updated or now.verdicts[Verdict.CREATED]) or now.absent != before.absent


def _at_first(row: Import, absent: int) -> Json:
    """The account of an import before its first entry is recorded."""
    return {"absent": absent, "remarks": {UNCHECKED: 1} if row.content.get(_UNCHECKED) else {}}


def _count(account: Account, judged: Iterable[Judged]) -> None:
    for each in judged:
        account.verdicts[each.verdict] += 1
        account.remarks.update(each.entry.remarks)


def _is_refused(judged: Judged) -> bool:
    return judged.error is not None


def _reject(judged: Judged) -> Json:
    error = judged.error or TrackerError()
    problems = error.problems if isinstance(error, Invalid) else ()
    told = [[p.field, p.message] for p in problems] or [["", error.detail]]
    return {
        "position": judged.position,
        "line": judged.entry.line,
        "held": judged.verdict is Verdict.HELD,
        "problems": {"problems": told},
        "original": dict(judged.entry.original),
    }


class _Seen:
    """Which ids a file has had so far, kept on disk: a file may have millions."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("")
        self._kept.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def once(self, judged: Iterable[Judged]) -> list[Judged]:
        """What comes a second time is refused: nobody can say which of the two holds."""
        twice = Invalid("stands in the file twice", "key")
        return [
            each if self._is_first(each) else replace(each.refused(twice), known=False)
            for each in judged
        ]

    def _is_first(self, judged: Judged) -> bool:
        if judged.sent is None:
            return True
        name = f"{judged.entry.kind}/{judged.sent.id}"
        return self._kept.execute("INSERT OR IGNORE INTO seen VALUES (?)", [name]).rowcount == 1

    def close(self) -> None:
        self._kept.close()
