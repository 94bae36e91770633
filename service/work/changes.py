"""What changed, in the order of the ledger, as far as a reader is shown it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor, Visibility
from service.domain.disclosure import PlaceShown
from service.domain.theatre import Theatre
from service.domain.vocabulary import Flag, Status
from service.formats.disclosure import disclosed, narrowed
from service.formats.photos import level_of
from service.formats.records import disclosure_of, open_flags
from service.formats.sealing import Fact
from service.store import journal, ledger
from service.store.database import chunks
from service.store.tables import Incident, Photo, Report, Revision
from service.work import reports
from service.work.disclosure import (
    nearest_shown,
    parts_shown,
    sees_everything,
    shown_incidents,
    views_of_records,
    without_hidden,
)
from service.work.photos import OPENING, PHOTO
from service.work.placing import INCIDENT, shown_of
from service.work.reports import REPORT

Json = dict[str, Any]

# Seals that may be opened to whoever sees a report at all, and those that need more: nobody but
# the record itself knows who sent a report, where its observer stood and at what moment it came.
_OPEN: Final = ("reason", "content.reviews", "content.posted.sources")
_PUBLISHED: Final = ("content.published",)
_REPORT_POINTS: Final = (
    "content.posted.incident",
    "content.posted.about",
    "content.possible_duplicates",
    "content.cleared",
)
_INCIDENT_POINTS: Final = ("content.part_of", "content.merged_into")
_PLACE: Final = (
    *("content.posted.where", "content.resolved.point", "content.resolved.place"),
    *("content.origin", "content.origin.kept"),
)
_TEXT: Final = ("content.posted.summary",)
_COPY: Final = ("content.copy",)
_ORIGINAL: Final = ("content.original",)
_HIDDEN: Final = {"action": "hidden"}


def page(session: Session, after: int, limit: int, actor: Actor, theatre: Theatre) -> list[Json]:
    """Changes from position `after` on, as items of the feed."""
    found = ledger.leaves_from(session, after, limit)
    reader = _Reader(session, [revision for _, revision in found], actor, theatre)
    return [
        {"position": leaf.position, "sha256": revision.sha256, **reader.change(revision)}
        for leaf, revision in found
    ]


def entries(session: Session, after: int, limit: int, actor: Actor, theatre: Theatre) -> list[Json]:
    """The ledger's leaves from position `after` on: their hashes, and where the reader may see
    them their entries, with the private values that may be opened."""
    found = ledger.leaves_from(session, after, limit)
    reader = _Reader(session, [revision for _, revision in found], actor, theatre)
    items = []
    for leaf, revision in found:
        item: Json = {"position": leaf.position, "sha256": revision.sha256}
        openings = reader.openings(revision)
        if openings is not None:
            item |= {"entry": revision.entry, "openings": openings}
        items.append(item)
    return items


def history_of(session: Session, row: Report, actor: Actor, theatre: Theatre) -> list[Json]:
    """The revisions of a report that its reader may be shown, oldest first."""
    told = [
        (revision, journal.fact_of(revision))
        for revision in journal.history(session, REPORT, row.id)
        if _may_see(revision, row, actor)
    ]
    records = [
        (row.id, fact.revision, narrowed(fact.content, row.record, theatre)) for _, fact in told
    ]
    views = views_of_records(session, records, {row.id: row.owner}, actor, theatre)
    return [
        {
            **view,
            "recorded": theatre.day_of(fact.recorded_at).isoformat(),
            "change": fact.reason,
            "sha256": revision.sha256,
        }
        for view, (revision, fact) in zip(views, told, strict=True)
    ]


class _Reader:
    """What one reader is shown of some revisions."""

    def __init__(
        self, session: Session, revisions: Sequence[Revision], actor: Actor, theatre: Theatre
    ) -> None:
        self._session, self._actor, self._theatre = session, actor, theatre
        of_photos = {r.subject for r in revisions if r.kind == PHOTO}
        self._photos = {row.id: row for row in _in_chunks(session, Photo, Photo.id, of_photos)}
        subjects = {r.subject for r in revisions if r.kind == REPORT}
        subjects |= {photo.report_id for photo in self._photos.values()}
        self._reports = {row.id: row for row in _in_chunks(session, Report, Report.id, subjects)}
        before = _previous(session, [r for r in revisions if r.kind in (REPORT, PHOTO)])
        self._before = {
            (r.subject, r.revision): journal.fact_of(r).content for r in before if r.kind == REPORT
        }
        self._levels = {(r.kind, r.subject, r.revision): r.level for r in before}
        self._incidents = self._recorded_incidents(
            {r.subject for r in revisions if r.kind == INCIDENT}
            | {row.incident_id for row in self._reports.values()}
        )
        self._parts = self._parts_of({row.incident_id for row in self._reports.values()})
        shown = [revision for revision in revisions if self._is_shown(revision)]
        self._facts = {r.sequence: journal.fact_of(r) for r in shown}
        self._records = {
            r.sequence: narrowed(
                self._facts[r.sequence].content, self._reports[r.subject].record, theatre
            )
            for r in shown
            if r.kind == REPORT
        }
        told = without_hidden(session, [*self._records.values()], actor)
        self._without_hidden = dict(zip(self._records, told, strict=True))

    def change(self, revision: Revision) -> Json:
        """A revision as an item of the feed; of what is hidden no more than its hash."""
        fact = self._facts.get(revision.sequence)
        if fact is None:
            return self._hidden(revision)
        if revision.kind == REPORT:
            return self._report(revision, fact)
        content = {name: v for name, v in fact.content.items() if name != "received_at"}
        if revision.kind == INCIDENT:
            content = self._pointing(content)
        if revision.kind == PHOTO and self._actor.sees is not Visibility.RESTRICTED:
            del content["original"]
        actions = {INCIDENT: "linked", "grouping": "grouped", OPENING: "opened"}
        action = actions.get(fact.kind, "created" if fact.revision == 1 else "revised")
        if revision.kind == PHOTO and fact.revision > 1:
            action = "released" if content["released"] else "withdrawn"
        return self._item(fact, action, content)

    def openings(self, revision: Revision) -> Json | None:
        """The seals of an entry that the reader may open; `None` where the entry is hidden."""
        fact = self._facts.get(revision.sequence)
        if fact is None:
            return None
        opened: set[str] = {*_OPEN}
        if revision.kind == INCIDENT and self._pointing(fact.content) == fact.content:
            opened |= {*_INCIDENT_POINTS}
        if revision.kind == REPORT:
            opened |= self._opened_of_report(revision, fact)
        if revision.kind == PHOTO:
            opened |= {*_COPY}
            if self._actor.sees is Visibility.RESTRICTED:
                opened |= {*_ORIGINAL}
        private: dict[str, list[str]] = orjson.loads(revision.private)
        return {path: opening for path, opening in private.items() if path in opened}

    def _is_shown(self, revision: Revision) -> bool:
        match revision.kind:
            case "report":
                return _may_see(revision, self._reports[revision.subject], self._actor)
            case "incident":
                # Who was shown the incident then and is now: a title may tell of what only few
                # could read.
                level = self._actor.sees.level
                return revision.subject in self._incidents and revision.level <= level
            case "photo":
                return self._may_see_photo(revision)
            case "grouping" | "erasure" | "opening":
                return self._actor.sees is Visibility.RESTRICTED
            case "key" | "feed" | "import" | "lead":
                return False
        return True

    def _hidden(self, revision: Revision) -> Json:
        """A revision that is not shown: whoever was shown the report or photo until now must learn
        that it is no longer to be shown."""
        level = self._actor.sees.level
        before = self._levels.get((revision.kind, revision.subject, revision.revision - 1))
        if before is not None and before <= level < revision.level:
            return {"action": "withheld", "kind": revision.kind, "subject": revision.subject}
        return _HIDDEN

    def _may_see_photo(self, revision: Revision) -> bool:
        """A release is told to those who were told of it then and are shown the copy now."""
        level = self._actor.sees.level
        photo = self._photos[revision.subject]
        now = level_of(photo.record, self._reports[photo.report_id].record)
        return max(now, revision.level) <= level

    def _report(self, revision: Revision, fact: Fact) -> Json:
        row = self._reports[revision.subject]
        everything = sees_everything(self._actor, row.owner)
        pointing = self._without_hidden[revision.sequence]
        record = disclosed(pointing, self._theatre, everything=everything)
        item = self._item(fact, self._action(fact), record)
        return {**item, "incidents": self._line(row.incident_id)}

    def _opened_of_report(self, revision: Revision, fact: Fact) -> set[str]:
        row, record = self._reports[revision.subject], self._records[revision.sequence]
        opened: set[str] = set()
        if record["published"] == fact.content["published"]:
            opened |= {*_PUBLISHED}
        if sees_everything(self._actor, row.owner):
            opened |= {*_PLACE, *_TEXT}
        elif Flag.PERSONAL_DATA not in open_flags(record):
            opened |= {*_TEXT}
            if disclosure_of(record).place is PlaceShown.EXACT:
                opened |= {*_PLACE}
        if self._without_hidden[revision.sequence] == record:
            opened |= {*_REPORT_POINTS}
        return opened

    def _pointing(self, content: Json) -> Json:
        """What is recorded of an incident, without pointers to what the reader is not shown."""
        if self._actor.sees is Visibility.RESTRICTED:
            return content
        level = self._actor.sees.level
        into = content.get("merged_into")
        return {
            **content,
            "part_of": nearest_shown(self._session, content["part_of"], level),
            "merged_into": into if into and shown_incidents(self._session, [into], level) else None,
        }

    def _action(self, fact: Fact) -> str:
        before, now = self._before.get((fact.subject, fact.revision - 1)), fact.content
        if before is None:
            return "created"
        for changed, action in (
            (now["status"] == Status.WITHDRAWN, "withdrawn"),
            (len(now["reviews"]) > len(before["reviews"]), "reviewed"),
            (now["incident"] != before["incident"], "moved"),
            (now["disclosure"] != before["disclosure"], "disclosed"),
        ):
            if changed:
                return action
        return "revised"

    def _item(self, fact: Fact, action: str, content: Json) -> Json:
        return {
            "action": action,
            "kind": fact.kind,
            "subject": fact.subject,
            "revision": fact.revision,
            "recorded": self._theatre.day_of(fact.recorded_at).isoformat(),
            "reason": fact.reason,
            "content": content,
        }

    def _line(self, incident: str) -> list[Json]:
        """What is recorded of an incident and of all it is part of, the outermost first, and then
        of its parts: who was not shown the incident was not told what they are part of."""
        line: list[Json] = []
        above: str | None = incident
        while above is not None and above in self._incidents:
            told = self._pointing(self._incidents[above])
            line.insert(0, {"id": above, **told})
            above = told["part_of"]
        parts = self._parts.get(incident, ()) if line else ()
        return [*line, *({"id": part, **content} for part, content in parts)]

    def _parts_of(self, incidents: set[str]) -> dict[str, list[tuple[str, Json]]]:
        """What is recorded of the nearest parts that the reader is shown."""
        level = self._actor.sees.level
        return {
            incident: [(row.id, {**shown_of(row, level), "part_of": incident}) for row in rows]
            for incident, rows in parts_shown(self._session, incidents, level).items()
        }

    def _recorded_incidents(self, wanted: set[str]) -> dict[str, Json]:
        """The incidents that the reader is shown, with all they are part of."""
        recorded: dict[str, Json] = {}
        level = self._actor.sees.level
        while wanted:
            shown = shown_incidents(self._session, wanted, level)
            rows = list(_in_chunks(self._session, Incident, Incident.id, shown))
            recorded |= {row.id: shown_of(row, level) for row in rows}
            above = {nearest_shown(self._session, row.parent_id, level) for row in rows}
            wanted = {incident for incident in above if incident} - recorded.keys()
        return recorded


def _in_chunks(session: Session, entity: Any, column: Any, values: set[str]) -> Iterable[Any]:
    for some in chunks(sorted(values)):
        yield from session.scalars(sa.select(entity).where(column.in_(some)))


def _previous(session: Session, revisions: Sequence[Revision]) -> Sequence[Revision]:
    """The revisions before these."""
    wanted = [(r.kind, r.subject, r.revision - 1) for r in revisions if r.revision > 1]
    named = sa.tuple_(Revision.kind, Revision.subject, Revision.revision)
    return session.scalars(sa.select(Revision).where(named.in_(wanted))).all() if wanted else ()


def _may_see(revision: Revision, row: Report, actor: Actor) -> bool:
    """A revision is shown to those who were shown it then and are shown the report now."""
    then = revision.level <= actor.sees.level or sees_everything(actor, row.owner)
    return then and reports.is_shown(row, actor)
