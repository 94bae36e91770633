"""What an entry of a file is beside what is recorded: new, changed, unchanged, or not to be taken;
and taking it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Protocol
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.imports import Origin, Verdict, claim_of
from service.domain.theatre import Theatre
from service.domain.vocabulary import Status
from service.errors import Conflict, Invalid, TrackerError
from service.formats.feeds import PlanIn
from service.formats.imports.entries import Entry, Kind
from service.formats.leads import LeadIn
from service.formats.reports import ReportIn, Strict
from service.formats.sealing import digest
from service.formats.validation import parse
from service.formats.watching import CoverageIn, TallyIn
from service.store import tables
from service.store.journal import Author
from service.work import leads, reports, revising, watching
from service.work.reports import Submission

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:ceasefire-incident-tracker:import")
# People decide about these, whatever a source says of them.
_NOT_SAID: Final = ("id", "disclosure")
Json = dict[str, Any]


def id_of(source: str, key: str) -> str:
    """The id of what a source calls by a key, the same for ever."""
    return str(uuid5(_NAMESPACE, f"{source}\n{key}"))


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry at its place in the file, what becomes of it, and what is sent for it or why
    nothing is; whether something is recorded under its key, be it refused or not."""

    position: int
    entry: Entry
    verdict: Verdict
    sent: Any = None
    error: TrackerError | None = None
    known: bool = False

    def refused(self, error: TrackerError, verdict: Verdict = Verdict.REJECTED) -> "Judged":
        return replace(self, verdict=verdict, sent=None, error=error)


class Known(NamedTuple):
    """What is recorded under an id: what it says, the digest of what its source said last, and
    whether people may have changed it since. Without a digest whatever the source says stays
    out; where its source is known, no other one speaks for it."""

    said: Json
    sha256: str | None
    touched: bool
    source: str | None = None


@dataclass(frozen=True)
class Taking:
    """What it takes to record entries of one source in one transaction."""

    session: Session
    plan: PlanIn
    import_id: str
    theatre: Theatre
    author: Author
    new_id: Callable[[], str]

    def origin_of(self, entry: Entry, posted: Json) -> Origin:
        """Where a report comes from, for its record."""
        return Origin(
            self.plan.source,
            entry.key or "",
            self.import_id,
            _digest_of(entry, _said(posted), self.plan),
            self.plan.circle,
            self.plan.terms,
            dict(entry.kept),
        )


class Keeper(Protocol):
    """Finds and records entries of one kind."""

    model: type[Strict]

    def known(self, session: Session, ids: Sequence[str]) -> dict[str, Known]:
        """What is recorded under these ids."""
        ...

    def keep(self, taking: Taking, judged: Sequence[Judged]) -> list[TrackerError | None]:
        """Record what is new or changed; an error for each entry that cannot be."""
        ...


class _Reports:
    model: type[Strict] = ReportIn

    def known(self, session: Session, ids: Sequence[str]) -> dict[str, Known]:
        row = tables.Report
        found = session.execute(sa.select(row.id, row.record).where(row.id.in_(ids)))
        return {report_id: _known_report(record) for report_id, record in found}

    def keep(self, taking: Taking, judged: Sequence[Judged]) -> list[TrackerError | None]:
        new = [(j, j.sent.posted()) for j in judged if j.verdict is Verdict.CREATED]
        submissions = [
            Submission(j.sent, origin=taking.origin_of(j.entry, posted), posted=posted)
            for j, posted in new
        ]
        results = reports.record(
            taking.session, submissions, taking.theatre, taking.author, taking.new_id
        )
        errors = {j.position: r.error for (j, _), r in zip(new, results, strict=True)}
        changed = [j for j in judged if j.verdict is not Verdict.CREATED]
        told = revising.said_by_source(
            taking.session,
            [
                (j.sent, taking.origin_of(j.entry, j.sent.posted()), j.verdict is Verdict.CLAIM)
                for j in changed
            ],
            taking.theatre,
            taking.author,
        )
        errors |= {j.position: error for j, error in zip(changed, told, strict=True)}
        return [errors[j.position] for j in judged]


def _known_report(record: Json) -> Known:
    said = _said(record["posted"])
    origin = record.get("origin")
    if origin is None:
        # A person sent it: no source speaks for it.
        return Known(said, _digest(said), touched=True, source="")
    now = _digest(said, origin["kept"], origin["circle"], origin["licence"])
    changed = now != origin["sha256"]
    if record["status"] == Status.WITHDRAWN:
        # Nothing that a source says brings it back.
        return Known({}, origin["sha256"], touched=True, source=origin["source"])
    return Known(said, origin["sha256"], changed, origin["source"])


class _Tallies:
    model: type[Strict] = TallyIn

    def known(self, session: Session, ids: Sequence[str]) -> dict[str, Known]:
        return _posted(session, tables.Tally, ids)

    def keep(self, taking: Taking, judged: Sequence[Judged]) -> list[TrackerError | None]:
        return _each(
            judged,
            lambda sent: watching.keep_tally(taking.session, sent, taking.theatre, taking.author),
        )


class _Coverage:
    model: type[Strict] = CoverageIn

    def known(self, session: Session, ids: Sequence[str]) -> dict[str, Known]:
        return _posted(session, tables.Coverage, ids)

    def keep(self, taking: Taking, judged: Sequence[Judged]) -> list[TrackerError | None]:
        return _each(
            judged,
            lambda sent: watching.keep_coverage(
                taking.session, sent, taking.theatre, taking.author
            ),
        )


class _Leads:
    model: type[Strict] = LeadIn

    def known(self, session: Session, ids: Sequence[str]) -> dict[str, Known]:
        return _posted(session, tables.Lead, ids)

    def keep(self, taking: Taking, judged: Sequence[Judged]) -> list[TrackerError | None]:
        return _each(
            judged,
            lambda sent: leads.keep(
                taking.session,
                sent,
                taking.plan.source,
                taking.plan.claimant,
                taking.import_id,
                taking.author,
            ),
        )


_KEEPERS: Final[Mapping[Kind, Keeper]] = {
    Kind.REPORT: _Reports(),
    Kind.TALLY: _Tallies(),
    Kind.COVERAGE: _Coverage(),
    Kind.LEAD: _Leads(),
}


def judge(
    session: Session, plan: PlanIn, theatre: Theatre, entries: Iterable[tuple[int, Entry]]
) -> list[Judged]:
    """A verdict for each entry, numbered by its place in the file. Reads only."""
    judged = [_read(position, entry, plan, theatre) for position, entry in entries]
    named = [(each, _id(each, plan.source)) for each in judged]
    ids: dict[Kind, list[str]] = defaultdict(list)
    for each, entry_id in named:
        ids[each.entry.kind].append(entry_id)
    known = {kind: _KEEPERS[kind].known(session, some) for kind, some in ids.items()}
    return [_compared(each, known[each.entry.kind].get(entry_id), plan) for each, entry_id in named]


def take(taking: Taking, judged: Sequence[Judged]) -> list[Judged]:
    """Record what is new or changed of the entries; the verdicts as they turned out."""
    turned_out = {each.position: each for each in judged}
    for kind, keeper in _KEEPERS.items():
        some = [j for j in judged if j.entry.kind is kind and j.sent is not None]
        some = [j for j in some if j.verdict is not Verdict.UNCHANGED]
        for each, error in zip(some, keeper.keep(taking, some) if some else (), strict=True):
            if error is not None:
                turned_out[each.position] = each.refused(error)
    return [turned_out[each.position] for each in judged]


def _read(position: int, entry: Entry, plan: PlanIn, theatre: Theatre) -> Judged:
    judged = Judged(position, entry, Verdict.CREATED)
    if entry.error is not None:
        return judged.refused(entry.error)
    if not entry.key:
        return judged.refused(Invalid("has nothing that it could be known again by", "key"))
    try:
        sent = parse(_KEEPERS[entry.kind].model, _value(entry, plan, theatre))
    except Invalid as error:
        return judged.refused(error)
    return replace(judged, sent=sent)


def _id(judged: Judged, source: str) -> str:
    if judged.sent is not None:
        return str(judged.sent.id)
    return id_of(source, f"{judged.entry.kind}/{judged.entry.key}")


def _value(entry: Entry, plan: PlanIn, theatre: Theatre) -> Json:
    """What is sent for an entry, in the area that the theatre knows of those it lies in."""
    value = dict(entry.value or {})
    value.setdefault("id", id_of(plan.source, f"{entry.kind}/{entry.key}"))
    if entry.areas and "sector" not in value["where"]:
        found = next(filter(None, map(theatre.find_sector, entry.areas)), None)
        if found is not None:
            value["where"] = {**value["where"], "sector": found.id}
    return value


def _compared(judged: Judged, known: Known | None, plan: PlanIn) -> Judged:
    if known is None:
        return judged
    judged = replace(judged, known=True)
    if judged.sent is None:
        return judged
    said = _said(judged.sent.posted())
    if known.sha256 in (None, _digest_of(judged.entry, said, plan)):
        return replace(judged, verdict=Verdict.UNCHANGED)
    if known.source not in (None, plan.source):
        if said == known.said:
            return replace(judged, verdict=Verdict.UNCHANGED)
        return judged.refused(Conflict("It is recorded from somebody else."), Verdict.HELD)
    if known.touched and said != known.said:
        error = Conflict("It was changed here since, and says something else at its source now.")
        return judged.refused(error, Verdict.HELD)
    same = claim_of(said) == claim_of(known.said)
    return replace(judged, verdict=Verdict.NOTE if same else Verdict.CLAIM)


def _said(posted: Json) -> Json:
    return {name: value for name, value in posted.items() if name not in _NOT_SAID}


def _digest_of(entry: Entry, said: Json, plan: PlanIn) -> str:
    terms = (plan.circle, plan.terms) if entry.kind is Kind.REPORT else ()
    return _digest(said, entry.kept, *terms)


def _digest(said: Json, kept: Mapping[str, str] | None = None, *terms: str | None) -> str:
    """What is said, with the source's own codes and the terms it comes under, in one value that
    tells whether any of it changed."""
    return digest([said, dict(kept or {}), *terms])


def _posted(session: Session, table: Any, ids: Sequence[str]) -> dict[str, Known]:
    found = session.execute(sa.select(table.id, table.record).where(table.id.in_(ids)))
    known: dict[str, Known] = {}
    for subject, record in found:
        said = {name: value for name, value in record["posted"].items() if name != "id"}
        # What was erased does not come back.
        sha256 = None if record.get("erased") else _digest(said)
        known[subject] = Known(said, sha256, touched=False)
    return known


def _each(judged: Sequence[Judged], keep: Callable[[Any], object]) -> list[TrackerError | None]:
    def kept(sent: Any) -> TrackerError | None:
        try:
            keep(sent)
        except TrackerError as error:
            return error
        return None

    return [kept(each.sent) for each in judged]
