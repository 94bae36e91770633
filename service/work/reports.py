"""Recording reports, and finding them again."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor, Role, Visibility
from service.domain.candidates import Nearby, Trace, broadest
from service.domain.disclosure import Disclosure, default_for
from service.domain.drafts import Resolved, resolve
from service.domain.imports import Origin
from service.domain.incidents import Incident
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.verification import check_status
from service.domain.vocabulary import Basis, Flag, Stance, Status
from service.errors import Conflict, Hidden, Invalid, NotFound, TrackerError
from service.formats.records import (
    disclosure_to_json,
    instant_text,
    report_of,
    resolved_to_json,
)
from service.formats.reports import AboutIn, DisclosureIn, ReportIn
from service.store import journal, tables
from service.store.database import chunks, insert_rows
from service.store.journal import Author, Change
from service.store.reports import insert_reports
from service.store.tables import Revision
from service.work import accounts, candidates, placing

REPORT: Final = "report"
# Versions of UUIDs that hold the time they were made, 1, 2 and 6 mostly the device too.
_TELLING: Final = {1, 2, 6, 7}
# How far from one another reports of one batch are compared.
_REACH: Final = broadest(candidates.FLAGGED)
Record = dict[str, Any]


class Outcomes(StrEnum):
    """How one submission ended."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a report apart from what it says."""

    incident: str | None = None
    status: Status = Status.UNVERIFIED
    basis: Basis | None = None
    counted: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One report to record; `may_link` lets its suggested incident take effect, `origin` says which
    source it was imported from, `posted` is the report as plain JSON values where they are at
    hand."""

    report: ReportIn
    may_link: bool = False
    decision: Decision = field(default_factory=Decision)
    origin: Origin | None = None
    posted: Record | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a submission ended: its record at revision 1 and the hash of its leaf in the ledger, or
    the error that refused it."""

    outcome: Outcomes
    id: str | None = None
    record: Record | None = None
    sha256: str | None = None
    error: TrackerError | None = None


def record(
    session: Session,
    submissions: Sequence[Submission],
    theatre: Theatre,
    author: Author,
    new_id: Callable[[], str],
) -> list[Result]:
    """Record reports in the order given; one result each.

    A known id with the same content answers as it first did and changes nothing; with other
    content it is refused with `Conflict`.
    """
    batch = _Batch(session, theatre, author, new_id, _source_of(submissions))
    batch.recall([s.report.id for s in submissions if s.report.id])
    results = [batch.take(submission) for submission in submissions]
    leaves = batch.write()
    return [replace(r, sha256=r.sha256 or leaves.get(r.id or "")) for r in results]


def is_shown(row: tables.Report, actor: Actor) -> bool:
    return row.level <= actor.sees.level or (actor.name is not None and row.owner == actor.name)


def by_ids(
    session: Session, ids: Sequence[str | None], *, to_change: bool = False
) -> Sequence[tables.Report]:
    """The reports of these ids, in no order; those that nobody knows are left out."""
    select = sa.select(tables.Report).where(tables.Report.id.in_(ids))
    return session.scalars(select.with_for_update() if to_change else select).all()


def get(session: Session, report_id: str, actor: Actor) -> tables.Report:
    """The report as it is now. Raises `NotFound` also for what the actor is not shown."""
    row = session.get(tables.Report, report_id)
    if row is None:
        raise NotFound
    if not is_shown(row, actor):
        raise Hidden
    return row


def decided(submission: Submission, resolved: Resolved, theatre: Theatre) -> Record:
    """Status, basis and whether it counts. Raises `Invalid` where the evidence bears less."""
    decision = submission.decision
    voice = theatre.find_claimant(submission.report.claimant)
    check_status(
        decision.status,
        decision.basis,
        flags=resolved.flags,
        speaks_for=voice.party if voice else None,
    )
    return {
        "status": decision.status.value,
        "basis": decision.basis,
        **counting(decision.counted, decision.reason, resolved.flags),
    }


def begun(shown: Disclosure, now: datetime) -> Disclosure:
    """An embargo that is over before it begins is none."""
    over = shown.embargo is not None and shown.embargo <= now
    return replace(shown, embargo=None) if over else shown


def counting(counted: bool, reason: str | None, flags: Collection[str]) -> Record:
    """What lies outside the monitored period is not counted, as long as it lies there."""
    if reason == Flag.OUT_OF_PERIOD:
        counted, reason = True, None
    if counted and Flag.OUT_OF_PERIOD in flags:
        counted, reason = False, Flag.OUT_OF_PERIOD.value
    return {"counted": counted, "reason": reason}


def _source_of(submissions: Sequence[Submission]) -> str | None:
    """The one source that all of them were imported from."""
    sources = {s.origin.source if s.origin else None for s in submissions}
    return sources.pop() if len(sources) == 1 else None


class _Batch:
    """Reports taken one by one, written together; `source` is where all of them come from."""

    def __init__(
        self,
        session: Session,
        theatre: Theatre,
        author: Author,
        new_id: Callable[[], str],
        source: str | None = None,
    ) -> None:
        self._session = session
        self._theatre = theatre
        self._author = author
        self._new_id = new_id
        self._known: dict[str, Revision] = {}
        self._fresh: dict[str, Record] = {}
        self._incidents: dict[str, bool] = {}
        self._read: dict[str, Report] = {}
        self._unplaced: list[str] = []
        self._source = source

    def recall(self, ids: Sequence[str]) -> None:
        """Read what is already recorded under these ids."""
        for some in chunks(ids):
            self._known.update(journal.first_revisions(self._session, REPORT, some))

    def take(self, submission: Submission) -> Result:
        report = submission.report
        posted = submission.posted or report.posted()
        if report.id is not None and report.id in self._fresh:
            return self._again(report.id, posted, self._fresh[report.id], None)
        if report.id is not None and (first := self._known.get(report.id)) is not None:
            return self._again(report.id, posted, journal.fact_of(first).content, first.sha256)
        try:
            self._check_id(report.id)
            resolved = resolve(
                report.to_draft(), self._theatre, self._author.moment, self._author.received
            )
            record = self._record(submission, posted, resolved)
        except TrackerError as error:
            return Result(Outcomes.REJECTED, report.id, error=error)
        report_id = report.id or self._new_id()
        self._fresh[report_id] = record
        self._read[report_id] = report_of(report_id, record, resolved)
        if submission.decision.incident is None:
            self._unplaced.append(report_id)
        return Result(Outcomes.CREATED, report_id, record)

    def _check_id(self, report_id: str | None) -> None:
        """An id is shown to everybody for ever; most kinds hold a moment, some a device (RFC 9562).

        What was sent before stays known by its id, whatever its kind.
        """
        if self._author.role is Role.MONITOR and report_id and UUID(report_id).version in _TELLING:
            raise Invalid("must be a UUID of version 4: this one tells when it was made", "id")

    def _again(self, report_id: str, posted: Record, first: Record, sha256: str | None) -> Result:
        """What is sent again is told how it was received; who neither sent it nor sees everything
        learns nothing."""
        sees_all = self._sender.sees is Visibility.RESTRICTED
        known = sees_all or self._sender.name in first["authors"]
        if first["posted"] != posted or not known:
            error = Conflict("Another report is recorded under this id.")
            return Result(Outcomes.REJECTED, report_id, error=error)
        return Result(Outcomes.UNCHANGED, report_id, first, sha256)

    def write(self) -> dict[str, str]:
        """Write what was taken; return the hash of each report's leaf."""
        if not self._fresh:
            return {}
        self._hint_at_duplicates()
        reports: dict[str, list[Report]] = defaultdict(list)
        for report_id, record in self._fresh.items():
            reports[record["incident"]].append(self._read[report_id])
        new = [incident for incident, is_new in self._incidents.items() if is_new]
        insert_rows(
            self._session,
            tables.Incident.__table__,
            [{"id": i, "root_id": i, "episode": False, "counted": True, "level": 0} for i in new],
        )
        leaves = journal.append(
            self._session,
            (
                Change(REPORT, i, 1, record, level=self._read[i].level)
                for i, record in self._fresh.items()
            ),
            self._author,
        )
        insert_reports(
            self._session,
            ((i, 1, record, self._author.received) for i, record in self._fresh.items()),
            self._theatre,
            self._read,
        )
        accounts.derive_new(
            self._session,
            [Incident(i, reports=tuple(reports[i])) for i in new],
            self._theatre,
        )
        accounts.refresh_incidents(self._session, reports.keys() - new, self._theatre)
        return dict(zip(self._fresh, leaves, strict=True))

    def _record(self, submission: Submission, posted: dict[str, Any], resolved: Resolved) -> Record:
        read = resolved_to_json(resolved)
        incident = self._incident_of(submission)
        if incident is None:
            incident = self._new_id()
            self._incidents[incident] = True
            if submission.report.about is not None:
                read["unmapped"].append("about")
                read["flags"] = sorted({*read["flags"], Flag.UNMAPPED.value})
        given = submission.report.disclosure or DisclosureIn()
        shown = begun(given.to_disclosure(default_for(self._author.role)), self._author.moment)
        origin = submission.origin
        if origin is not None:
            shown = shown.and_also(Disclosure(origin.circle))
        return {
            "posted": posted,
            "incident": incident,
            **decided(submission, resolved, self._theatre),
            "received_at": instant_text(self._author.received),
            "resolved": read,
            **disclosure_to_json(shown, read, self._theatre.gazetteer),
            "authors": [self._author.name],
            "grade": None,
            "cleared": [],
            "reviews": [],
            "reviewers": {},
            **({"origin": origin.to_json()} if origin else {}),
        }

    def _hint_at_duplicates(self) -> None:
        """Flag reports that somebody should compare with incidents already known."""
        for report_id in self._unplaced:
            self._fresh[report_id]["possible_duplicates"] = []
        if self._source is not None:
            self._compare_with_others()
            return
        traces = {report_id: self._trace(report_id) for report_id in self._fresh}
        known = dict(zip(self._unplaced, self._known_around(traces), strict=True))
        taken: dict[int, Nearby] = {}
        for report_id, trace in traces.items():
            level = self._read[report_id].level
            if report_id in known:
                # A hint must not tell of what the report's own readers are not shown.
                shown = [nearby for least, nearby in taken.items() if least <= level]
                others = [*known[report_id], *(t for nearby in shown for t in nearby.of(trace))]
                self._hint(report_id, trace, others)
            taken.setdefault(level, Nearby(_REACH)).add(trace)

    def _compare_with_others(self) -> None:
        """Flag reports of one source, which calls two events by two names, by what others tell.
        Few have anything around them, and only of those the rest is compared."""
        among = candidates.Neighbourhood(
            self._session, self._theatre, candidates.FLAGGED, self._source
        )
        near = [i for i in self._unplaced if among.is_near(self._read[i])]
        traces = [(self._trace(i), self._read[i].level) for i in near]
        for report_id, (trace, _), others in zip(near, traces, among.of_each(traces), strict=True):
            self._hint(report_id, trace, others)

    def _hint(self, report_id: str, trace: Trace, others: Iterable[Trace]) -> None:
        found = candidates.chosen(trace, others, self._theatre)
        self._fresh[report_id]["possible_duplicates"] = found
        self._read[report_id] = replace(self._read[report_id], possible_duplicate=bool(found))

    def _trace(self, report_id: str) -> Trace:
        record = self._fresh[report_id]
        return candidates.trace_of_report(record["incident"], self._read[report_id], record)

    def _known_around(self, traces: Mapping[str, Trace]) -> list[list[Trace]]:
        """What is known around each of the reports that have no incident of others yet."""
        asked = [(traces[report_id], self._read[report_id].level) for report_id in self._unplaced]
        if len(asked) == 1:
            # Its own days and surroundings are fewer than those of its months.
            [(trace, level)] = asked
            return [candidates.near(self._session, trace, level, self._theatre, candidates.FLAGGED)]
        return candidates.Neighbourhood(self._session, self._theatre, candidates.FLAGGED).of_each(
            asked
        )

    def _spoken_of(self, about: AboutIn | None) -> str | None:
        """The known incident that a denial or correction is about.

        What the sender is not shown is not known to them: else a guess would be confirmed, and
        what is hidden drawn into the light by a denial of it.
        """
        if about is None:
            return None
        incident = about.incident
        if about.report is not None:
            told = self._fresh.get(about.report)
            row = None if told else self._session.get(tables.Report, about.report)
            shown = row is not None and is_shown(row, self._sender)
            incident = told["incident"] if told else row.incident_id if row and shown else None
        if incident is None or self._session.get(tables.Incident, incident) is None:
            return incident if incident in self._incidents else None
        incident = placing.told_under(self._session, incident)
        if incident not in self._incidents and not self._is_known(incident):
            return None
        self._incidents.setdefault(incident, False)
        return incident

    @property
    def _sender(self) -> Actor:
        return Actor(self._author.name, self._author.role)

    def _is_known(self, incident: str) -> bool:
        """Whether the sender is shown the incident or a report in it, or nobody is."""
        told = self._session.scalars(
            sa.select(tables.Report).where(tables.Report.incident_id == incident)
        ).all()
        return not told or any(is_shown(row, self._sender) for row in told)

    def _joins(self, report: ReportIn) -> bool:
        """Whether what a report is about makes it part of an incident without a reviewer.

        An assertion never is: it would displace what its claimant is known to have said. Anybody
        may hold a monitor's key, so theirs join only where they can displace nobody else's words.
        """
        if report.stance is Stance.ASSERTS or report.about is None:
            return False
        if self._author.role is not Role.MONITOR:
            return True
        if report.stance is Stance.DENIES:
            return not report.casualties
        if report.about.report is None:
            return False
        about = self._session.get(tables.Report, report.about.report)
        return about is not None and about.owner == self._author.name

    def _incident_of(self, submission: Submission) -> str | None:
        """The incident decided, or suggested where the key may link, or spoken of by a denial or
        correction; `None` for one of its own."""
        report = submission.report
        wanted = submission.decision.incident
        if wanted is None and submission.may_link:
            wanted = report.incident
        if wanted is None:
            return self._spoken_of(report.about) if self._joins(report) else None
        if wanted not in self._incidents:
            if self._session.get(tables.Incident, wanted) is None:
                raise Invalid("is not a known incident", "incident")
            wanted = placing.told_under(self._session, wanted)
            self._incidents[wanted] = False
        return wanted
