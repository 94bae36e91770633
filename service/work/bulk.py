"""Many reports at once: one outcome per report, everything or whatever is sound."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.theatre import Theatre
from service.errors import Invalid, TrackerError
from service.formats import strict_json, tabular
from service.formats.records import open_flags
from service.formats.reports import ReportIn
from service.formats.tabular import Row
from service.formats.validation import parse
from service.store.database import Database
from service.store.journal import Author
from service.work import cells, reports
from service.work.disclosure import without_hidden
from service.work.reference import Theatres
from service.work.reports import Outcomes, Result, Submission

BATCH: Final = 500
ACCEPTED: Final = "accepted"


@dataclass(slots=True)
class Account:
    """How an upload ended: `read` is the sum of the other three."""

    read: int = 0
    created: int = 0
    unchanged: int = 0
    rejected: int = 0

    def add(self, outcome: Outcomes) -> None:
        self.read += 1
        match outcome:
            case Outcomes.CREATED:
                self.created += 1
            case Outcomes.UNCHANGED:
                self.unchanged += 1
            case Outcomes.REJECTED:
                self.rejected += 1


class _Refused(Exception):
    """Rolls an atomic upload back."""


@dataclass(frozen=True)
class Upload:
    """A file of reports, and what recording them takes."""

    file: BinaryIO
    media: str
    longest_line: int
    may_link: bool
    author: Callable[[Theatre], Author]
    new_id: Callable[[], str]

    def rows(self) -> Iterator[Row]:
        """Its reports from the start. Raises `Invalid` for a header that cannot be used."""
        self.file.seek(0)
        if self.media == "text/csv":
            return tabular.read_reports(self.file, self.longest_line)
        return _json_lines(self.file, self.longest_line)

    def ignored(self) -> list[str]:
        """Columns that are known and cannot be set."""
        return tabular.ignored_columns(self.file) if self.media == "text/csv" else []


def load(database: Database, theatres: Theatres, upload: Upload, out: BinaryIO) -> Account:
    """Record what is sound, batch by batch; write one outcome per line to `out`."""
    account = Account()
    rows = upload.rows()
    while batch := list(islice(rows, BATCH)):
        results = database.write(partial(_take, theatres=theatres, upload=upload, batch=batch))
        cells.fold(database, theatres, at_least=cells.MANY)
        _tell(batch, results, account, out)
    return account


def load_whole(
    database: Database, theatres: Theatres, upload: Upload, out: BinaryIO
) -> tuple[Account, bool]:
    """Record all reports or none; the second value says which."""
    account = Account()

    def work(session: Session) -> None:
        nonlocal account
        account = Account()
        out.seek(0)
        out.truncate()
        rows = upload.rows()
        while batch := list(islice(rows, BATCH)):
            results = _take(session, theatres, upload, batch)
            _tell(batch, results, account, out)
        if account.rejected:
            raise _Refused

    try:
        database.write(work)
    except _Refused:
        return account, False
    return account, True


def _take(
    session: Session, theatres: Theatres, upload: Upload, batch: Sequence[Row]
) -> list[Result]:
    theatre = theatres.current(session)
    parsed: list[Submission | TrackerError] = [_parsed(row, upload.may_link) for row in batch]
    submissions = [p for p in parsed if isinstance(p, Submission)]
    author = upload.author(theatre)
    recorded = iter(reports.record(session, submissions, theatre, author, upload.new_id))
    results = [
        next(recorded) if isinstance(p, Submission) else Result(Outcomes.REJECTED, error=p)
        for p in parsed
    ]
    known = [result.record for result in results if result.record is not None]
    told = iter(without_hidden(session, known, Actor(author.name, author.role)))
    return [replace(result, record=next(told)) if result.record else result for result in results]


def _parsed(row: Row, may_link: bool) -> Submission | TrackerError:
    if row.error is not None:
        return row.error
    try:
        return Submission(parse(ReportIn, row.value), may_link=may_link)
    except Invalid as error:
        return error


def _tell(batch: Iterable[Row], results: Iterable[Result], account: Account, out: BinaryIO) -> None:
    for row, result in zip(batch, results, strict=True):
        account.add(result.outcome)
        out.write(orjson.dumps(_outcome(row.line, result)) + b"\n")


def _outcome(line: int, result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {"line": line, "outcome": result.outcome, "id": result.id}
    if result.record is not None:
        told |= {
            "incident": result.record["incident"],
            "status": result.record["status"],
            "flags": open_flags(result.record),
        }
    if result.error is not None:
        problems = result.error.problems if isinstance(result.error, Invalid) else ()
        told["detail"] = result.error.detail
        told["errors"] = [{"field": p.field, "message": p.message} for p in problems]
    return told


def _json_lines(file: BinaryIO, longest_line: int) -> Iterator[Row]:
    line = 0
    while raw := file.readline(longest_line + 1):
        line += 1
        if len(raw) > longest_line:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(longest_line + 1)
            yield Row(line, error=Invalid("is longer than is taken"))
        elif raw.strip():
            try:
                yield Row(line, strict_json.loads(raw))
            except Invalid as error:
                yield Row(line, error=error)
