"""Loading a folder of reference data, coverage and documented incidents. Twice changes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.orm import Session

from service.domain.drafts import resolve
from service.domain.theatre import Theatre
from service.domain.vocabulary import Basis, Status
from service.errors import Invalid
from service.formats.reference import naming, read_folder, read_toml
from service.formats.reports import ReportIn
from service.formats.sealing import erased_of
from service.formats.validation import parse
from service.formats.watching import CoverageIn
from service.store import journal, tables
from service.store.journal import Author
from service.work import accounts, placing, reference, reports, revising, watching
from service.work.reports import REPORT, Decision, Submission

ACTOR: Final = "seed"
Json = dict[str, Any]
# Refs are for people; ids follow from them, so the same file always means the same reports.
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:ceasefire-incident-tracker:seed")
_INCIDENT_FIELDS: Final = {
    "ref", "title", "part_of", "episode", "counted", "reason", "note", "report",
}  # fmt: skip
_DECISION_FIELDS: Final = {"ref", "status", "basis", "counted", "reason"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load changed."""

    reference: int
    coverage: int
    incidents: int
    reports: int

    @property
    def nothing(self) -> bool:
        return not any((self.reference, self.coverage, self.incidents, self.reports))


def load(session: Session, folder: Path, author: Author) -> Loaded:
    """Make the database hold what the folder says. Raises `Invalid` naming file and entry.

    What people changed through the service since stays; what changed in the files becomes a
    new revision.
    """
    author = Author(ACTOR, author.at)
    changed = reference.replace(session, read_folder(folder), author)
    theatre = reference.load(session)
    if changed:
        # In another name, so that it never passes for what a file said of a report.
        revising.reread(session, theatre, Author(reference.REFERENCE, author.at))
        accounts.refresh_all(session, theatre)
    watched = 0
    for i, entry in enumerate(read_toml(folder / "coverage.toml").get("coverage", ())):
        with naming(f"coverage.toml.{i}"):
            watched += _load_coverage(session, entry, theatre, author)
    incidents = list(_incidents_of(folder))
    placed = 0
    for incident in _parents_first(incidents):
        with naming(incident.where):
            placed += _load_incident(session, incident.entry, theatre, author)
    told = _load_reports(session, incidents, theatre, author)
    return Loaded(changed, watched, placed, told)


def id_of(ref: str) -> str:
    """The id that a ref of the seed files stands for."""
    return str(uuid5(_NAMESPACE, ref))


def _load_coverage(
    session: Session, entry: dict[str, Any], theatre: Theatre, author: Author
) -> bool:
    ref = "/".join(("coverage", entry["observer"], *entry["sectors"], entry["from"], entry["to"]))
    sent = parse(CoverageIn, {**entry, "id": id_of(ref)})
    return watching.keep_coverage(session, sent, theatre, author)


@dataclass(frozen=True, slots=True)
class _Incident:
    """An entry of an incident file, and where it stands."""

    where: str
    entry: dict[str, Any]


def _incidents_of(folder: Path) -> Iterator[_Incident]:
    """Raises `Invalid` for a field that is not known and for a ref that stands twice."""
    seen: set[str] = set()
    for path in sorted((folder / "incidents").glob("*.toml")):
        for i, entry in enumerate(read_toml(path).get("incident", ())):
            where = f"{path.name}.{entry.get('ref', i)}"
            if unknown := sorted(entry.keys() - _INCIDENT_FIELDS):
                raise Invalid("is not a known field", f"{where}.{unknown[0]}")
            with naming(where):
                refs = [entry["ref"], *(told["ref"] for told in entry.get("report", ()))]
            for ref in refs:
                if ref in seen:
                    raise Invalid("stands twice", f"{path.name}.{ref}")
                seen.add(ref)
            yield _Incident(where, entry)


def _parents_first(incidents: Sequence[_Incident]) -> Iterator[_Incident]:
    waiting = list(incidents)
    placed: set[str | None] = {None}
    while waiting:
        ready = [i for i in waiting if i.entry.get("part_of") in placed]
        if not ready:
            raise Invalid(
                "is part of something unknown or of itself", f"{waiting[0].where}.part_of"
            )
        yield from ready
        placed.update(incident.entry["ref"] for incident in ready)
        waiting = [i for i in waiting if i.entry["ref"] not in placed]


def _load_incident(
    session: Session, entry: dict[str, Any], theatre: Theatre, author: Author
) -> bool:
    part_of = entry.get("part_of")
    content = {
        "ref": entry["ref"],
        "title": entry["title"],
        "part_of": id_of(part_of) if part_of else None,
        "episode": entry.get("episode", False),
        "counted": entry.get("counted", True),
        "reason": entry.get("reason"),
        "note": entry.get("note"),
    }
    incident = id_of(entry["ref"])
    kind = placing.INCIDENT
    if journal.latest_content(session, kind, incident, actor=ACTOR) == content:
        return False
    return placing.place(session, incident, content, "seed data", theatre, author)


def _load_reports(
    session: Session, incidents: Iterable[_Incident], theatre: Theatre, author: Author
) -> int:
    new: dict[str, Submission] = {}
    revised = 0
    for incident in incidents:
        for told in incident.entry.get("report", ()):
            where = f"{incident.where}.{told['ref']}"
            with naming(where):
                submission = _submission(told, id_of(incident.entry["ref"]))
                row = session.get(tables.Report, submission.report.id)
                if row is None:
                    new[where] = submission
                else:
                    revised += _revise(session, row, submission, theatre, author)
    results = reports.record(session, list(new.values()), theatre, author, _no_new_ids)
    for where, result in zip(new, results, strict=True):
        if result.error is not None:
            with naming(where):
                raise result.error
    return len(new) + revised


def _submission(told: dict[str, Any], incident: str) -> Submission:
    said = {key: value for key, value in told.items() if key not in _DECISION_FIELDS}
    if "about" in said:
        said["about"] = {
            key: id_of(value) if key in ("report", "incident") else value
            for key, value in said["about"].items()
        }
    decision = Decision(
        incident=incident,
        status=Status(told.get("status", Status.UNVERIFIED)),
        basis=Basis(told["basis"]) if "basis" in told else None,
        counted=told.get("counted", True),
        reason=told.get("reason"),
    )
    report = parse(ReportIn, {**said, "id": id_of(told["ref"])})
    return Submission(report, decision=decision)


def _revise(
    session: Session,
    row: tables.Report,
    submission: Submission,
    theatre: Theatre,
    author: Author,
) -> bool:
    """Whether the file says something else of a report than it did when it was last loaded."""
    report, old = submission.report, row.record
    said = journal.latest_content(session, REPORT, row.id, actor=ACTOR) or {}
    resolved = resolve(report.to_draft(), theatre, author.at)
    told = report.posted()
    erased = _erased(session, row.id, told, said.get("posted", {}))
    wanted = {
        "posted": {**told, **{name: said["posted"][name] for name in erased}},
        "incident": submission.decision.incident,
        **reports.decided(submission, resolved, theatre),
    }
    # What people decided since the file was last loaded stays, unless the file speaks of it anew.
    changed = {key: value for key, value in wanted.items() if said.get(key) != value}
    if not changed:
        return False
    posted = changed.pop("posted", None)
    record = {**old, **changed}
    if posted is not None:
        now = {name: old["posted"][name] for name in erased if name in old["posted"]}
        posted = {name: value for name, value in posted.items() if name not in erased} | now
    report = parse(ReportIn, posted or old["posted"])
    record = revising.read_again(record, report, theatre, author.at)
    anew = revising.said_anew(record, old, author)
    # The file's own decision is about what it says now; what was withdrawn it only brings back by
    # another decision.
    kept = anew is record or old["status"] == Status.WITHDRAWN
    decision = record if kept else wanted
    anew = {**anew, "status": decision["status"], "basis": decision["basis"]}
    revising.revise(session, row, anew, "seed data", theatre, author)
    return True


def _erased(session: Session, report_id: str, told: Json, said: Json) -> list[str]:
    """What the file still says and was erased from the record.

    Nobody can tell whether it is the same text: what was erased cannot be compared. So it stays
    erased until a file without it has been loaded.
    """
    empty = [name for name in told if name in said and _is_empty(said[name])]
    if not empty:
        return []
    paths = {
        path
        for revision in journal.history(session, REPORT, report_id)
        for path in erased_of(revision.entry, revision.private)
    }
    return [name for name in empty if f"content.posted.{name}" in paths]


def _is_empty(value: Any) -> bool:
    left = value.values() if isinstance(value, dict) else [value or None]
    return all(each is None for each in left)


def _no_new_ids() -> str:
    raise AssertionError("every seed report has an id and an incident")
