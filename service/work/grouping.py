"""Which reports tell of one event, and what is part of what. Every step can be undone.

A step is recorded whole, with what was before and after it, so that undoing is a step like any
other: it restores what was before, as long as nothing of it has changed since.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.theatre import Theatre
from service.errors import Conflict, Invalid, NotFound
from service.formats.grouping import LinksIn
from service.store import journal, tables
from service.store.journal import Author, Change
from service.store.reports import POSSIBLE_DUPLICATE
from service.work import revising
from service.work.placing import NOTHING, contents_of, line_above, place

GROUPING: Final = "grouping"
Json = dict[str, Any]


@dataclass(slots=True)
class Step:
    """What a step changes: for reports their incident and the incidents they are compared with,
    for incidents what is recorded of them; each as it was and as it becomes."""

    action: str
    incident: str
    reports: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    incidents: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    undoes: str | None = None

    def content(self) -> Json:
        return {
            "action": self.action,
            "incident": self.incident,
            "reports": {i: list(both) for i, both in self.reports.items()},
            "incidents": {i: list(both) for i, both in self.incidents.items()},
            "undoes": self.undoes,
            "undone": False,
        }


@dataclass(frozen=True, slots=True)
class Desk:
    """What grouping works with inside one transaction."""

    session: Session
    theatre: Theatre
    author: Author
    new_id: Callable[[], str]

    def merge(self, into: str, others: Sequence[str], reason: str) -> Json:
        """Make incidents one: reports and parts of the others become those of `into`.

        Raises `NotFound`, `Invalid` for unknown incidents and the same one twice, `Conflict` where
        one is part of another or has been merged already.
        """
        step = Step("merge", into)
        target = self._live(into)
        merged = [self._named(incident, "incidents") for incident in others]
        if len({into, *others}) != len(others) + 1:
            raise Invalid("must name other incidents, each once", "incidents")
        for row in merged:
            if {into, *others} & {*line_above(self.session, row.id)[1:]} or row.id in line_above(
                self.session, target.id
            ):
                raise Conflict("One of them is part of another.")
            self._empty(step, row, into)
            for part in self._parts([row.id]):
                step.incidents[part.id] = (
                    contents_of(part),
                    {**contents_of(part), "part_of": into},
                )
        hints = dict.fromkeys(others, into)
        for told in self._touched([into, *others]):
            self._regroup(step, told, hints.get(told.incident_id, told.incident_id), hints)
        return self._take(step, reason)

    def split(self, incident: str, chosen: Sequence[str], reason: str) -> Json:
        """Make some of an incident's reports an incident of their own.

        Raises `NotFound`, `Invalid` for reports of other incidents or for all of them.
        """
        self._live(incident)
        told = {row.id: row for row in self._reports([incident])}
        if not set(chosen) <= told.keys():
            raise Invalid("must be reports of the incident", "reports")
        if set(chosen) == told.keys():
            raise Invalid("must leave a report with the incident", "reports")
        apart = self.new_id()
        step = Step("split", incident)
        step.incidents[apart] = ({**NOTHING, "merged_into": incident}, dict(NOTHING))
        for report in chosen:
            self._regroup(step, told[report], apart, {})
        return self._take(step, reason)

    def link(self, incident: str, links: LinksIn) -> Json:
        """Bring reports to an incident, or say what it is part of and how it is called.

        An incident that loses its last report by it, and has no parts, is told as part of this one
        from then on, as after a merge. Raises `NotFound`, `Invalid` for what is not known,
        `Conflict` for a part of itself.
        """
        row = self._live(incident)
        step = Step("link", incident)
        said = links.model_dump(exclude_unset=True, include={"part_of", "title", "episode", "note"})
        if links.part_of is not None:
            self._named(links.part_of, "part_of")
        if said.items() - contents_of(row).items():
            step.incidents[incident] = (contents_of(row), {**contents_of(row), **said})
        moved: dict[str, tables.Report] = {}
        for report in links.reports:
            told = self.session.get(tables.Report, report)
            if told is None:
                raise Invalid("is not a known report", "reports")
            if told.incident_id != incident:
                moved[report] = told
        left = {told.incident_id for told in moved.values()}
        left -= {told.incident_id for told in self._reports(sorted(left)) if told.id not in moved}
        hints = {emptied: incident for emptied in sorted(left) if not self._parts([emptied])}
        for emptied in hints:
            self._empty(step, self.session.get_one(tables.Incident, emptied), incident)
        for told in {
            told.id: told for told in (*moved.values(), *self._touched([*hints]))
        }.values():
            self._regroup(step, told, incident if told.id in moved else told.incident_id, hints)
        return self._take(step, links.reason)

    def undo(self, step_id: str, reason: str) -> Json:
        """Restore what was before a step.

        Raises `NotFound`, `Conflict` for one undone already, or if anything of it changed since.
        """
        done = journal.latest_content(self.session, GROUPING, step_id)
        if done is None:
            raise NotFound
        if done["undone"]:
            raise Conflict("It has been undone already.")
        step = Step("undo", done["incident"], undoes=step_id)
        for report, (before, after) in done["reports"].items():
            row = self.session.get_one(tables.Report, report)
            if _grouped(row.record) != after:
                raise Conflict("A report has been moved since.")
            step.reports[report] = (after, before)
        for incident, (before, after) in done["incidents"].items():
            if _recorded(self.session, incident) != after:
                raise Conflict("What is recorded of an incident has changed since.")
            step.incidents[incident] = (after, before)
        # What was said meanwhile of an incident that is merged again belongs to the other.
        hints = {
            incident: after["merged_into"]
            for incident, (before, after) in step.incidents.items()
            if after["merged_into"] and not before["merged_into"]
        }
        for told in self._touched([*hints]):
            if told.id not in step.reports:
                self._regroup(step, told, told.incident_id, hints)
        revision = journal.latest_revision(self.session, GROUPING, step_id) + 1
        undone = Change(GROUPING, step_id, revision, {**done, "undone": True}, reason)
        journal.append(self.session, [undone], self.author)
        return self._take(step, reason)

    def _take(self, step: Step, reason: str) -> Json:
        """Carry a step out and record it."""
        if not step.reports and not step.incidents:
            raise Invalid("changes nothing")
        step_id = self.new_id()
        made = [i for i in step.incidents if self.session.get(tables.Incident, i) is None]
        for incident in made:
            place(self.session, incident, dict(NOTHING), reason, self.theatre, self.author)
        for incident, (_, after) in self._outermost_first(step.incidents):
            place(self.session, incident, after, reason, self.theatre, self.author)
        rows = [(self.session.get_one(tables.Report, i), i) for i in step.reports]
        changes = [(row, {**row.record, **step.reports[i][1]}) for row, i in rows]
        revising.revise_all(self.session, changes, reason, self.theatre, self.author)
        self._check_whole(step)
        content = step.content()
        journal.append(self.session, [Change(GROUPING, step_id, 1, content, reason)], self.author)
        return {"id": step_id, **content}

    def _check_whole(self, step: Step) -> None:
        """Raise `Conflict` where something would belong to an incident that is merged."""
        merged = [i for i, (_, after) in step.incidents.items() if after["merged_into"]]
        if self._reports(merged) or self._parts(merged):
            raise Conflict("Something else belongs to an incident of it since.")
        holders = {
            *(grouped["incident"] for _, grouped in step.reports.values()),
            *(after["part_of"] for _, after in step.incidents.values()),
            *(after["merged_into"] for _, after in step.incidents.values()),
        }
        for holder in holders - {None}:
            self._live(holder)

    @staticmethod
    def _empty(step: Step, row: tables.Incident, into: str) -> None:
        """What becomes of an incident whose reports are told under another one."""
        emptied = {**NOTHING, "title": row.title, "note": row.note, "merged_into": into}
        step.incidents[row.id] = (contents_of(row), emptied)

    @staticmethod
    def _outermost_first(
        incidents: Mapping[str, tuple[Json, Json]],
    ) -> Iterable[tuple[str, tuple[Json, Json]]]:
        """What is taken out of something goes first, so that no order makes a ring."""
        return sorted(incidents.items(), key=lambda each: each[1][1]["part_of"] is not None)

    def _live(self, incident: str) -> tables.Incident:
        row = self.session.get(tables.Incident, incident)
        if row is None:
            raise NotFound
        if row.merged_into is not None:
            raise Conflict("It was merged into another incident.")
        return row

    def _named(self, incident: str, field: str) -> tables.Incident:
        """An incident that a field of the request names."""
        try:
            return self._live(incident)
        except NotFound:
            raise Invalid("is not a known incident", field) from None

    def _parts(self, incidents: Sequence[str]) -> Sequence[tables.Incident]:
        row = tables.Incident
        return self.session.scalars(
            sa.select(row).where(row.parent_id.in_(incidents)).order_by(row.id)
        ).all()

    def _reports(self, incidents: Sequence[str]) -> Sequence[tables.Report]:
        row = tables.Report
        return self.session.scalars(
            sa.select(row).where(row.incident_id.in_(incidents)).order_by(row.id)
        ).all()

    def _touched(self, incidents: Sequence[str]) -> Sequence[tables.Report]:
        """Reports of the incidents, and those that are to be compared with them."""
        row, term = tables.Report, tables.ReportTerm
        hinting = sa.select(term.report_id).where(
            term.kind == POSSIBLE_DUPLICATE, term.value.in_(incidents)
        )
        return self.session.scalars(
            sa.select(row)
            .where(sa.or_(row.incident_id.in_(incidents), row.id.in_(hinting)))
            .order_by(row.id)
        ).all()

    @staticmethod
    def _regroup(step: Step, row: tables.Report, incident: str, merged: Mapping[str, str]) -> None:
        """What becomes of a report that is told under `incident` from now on."""
        before = _grouped(row.record)
        others = {merged.get(hint, hint) for hint in before["possible_duplicates"]} - {incident}
        after = {"incident": incident, "possible_duplicates": sorted(others)}
        if after != before:
            step.reports[row.id] = (before, after)


def steps_of(session: Session, incident: str) -> list[Json]:
    """The steps that touched an incident, oldest first. Raises `NotFound`."""
    if session.get(tables.Incident, incident) is None:
        raise NotFound
    steps: dict[str, Json] = {}
    for revision in journal.naming(session, GROUPING, incident):
        fact = journal.fact_of(revision)
        steps[fact.subject] = {"id": fact.subject, **fact.content}
    return list(steps.values())


def _grouped(record: Json) -> Json:
    return {
        "incident": record["incident"],
        "possible_duplicates": record.get("possible_duplicates", []),
    }


def _recorded(session: Session, incident: str) -> Json:
    return contents_of(session.get_one(tables.Incident, incident))
