"""Handing out reports: what one reader is shown of them, and of what they point to."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor, Visibility
from service.domain.theatre import Theatre
from service.domain.vocabulary import Flag
from service.formats.disclosure import disclosed
from service.formats.views import report_view
from service.store import tables
from service.store.database import chunks
from service.store.queries import EVERYBODY, seen_at, shown_to

Json = dict[str, Any]

# What of a report that was sent may lead to something else.
_POINTING: Final = {"incident", "about"}


def sees_everything(actor: Actor, owner: str) -> bool:
    """Whether a report is shown to somebody as it is, not as it is published."""
    return actor.sees is Visibility.RESTRICTED or actor.name == owner


def views_of(
    session: Session, rows: Sequence[tables.Report], actor: Actor, theatre: Theatre
) -> list[Json]:
    """Reports that the actor may see, as the actor is shown them."""
    told = [(row.id, row.revision, row.record) for row in rows]
    owners = {row.id: row.owner for row in rows}
    return views_of_records(session, told, owners, actor, theatre)


def views_of_records(
    session: Session,
    told: Sequence[tuple[str, int, Json]],
    owners: dict[str, str],
    actor: Actor,
    theatre: Theatre,
) -> list[Json]:
    """The same from records by report and revision; `owners` says who sent each report."""
    records = without_hidden(session, [record for _, _, record in told], actor)
    return [
        report_view(
            report_id,
            revision,
            disclosed(record, theatre, everything=sees_everything(actor, owners[report_id])),
            theatre,
        )
        for (report_id, revision, _), record in zip(told, records, strict=True)
    ]


def without_hidden(session: Session, records: Sequence[Json], actor: Actor) -> list[Json]:
    """Records that point to nothing which the actor is not shown, nor hint that it is there."""
    about = [about for record in records if (about := record["posted"].get("about"))]
    incidents = shown_incidents(
        session,
        {
            *(i for record in records for i in record.get("possible_duplicates", ())),
            *(a["incident"] for a in about if a.get("incident")),
            *(r["posted"]["incident"] for r in records if r["posted"].get("incident")),
        },
        actor.sees.level,
    )
    reports = _shown_reports(session, {a["report"] for a in about if a.get("report")}, actor)
    return [_without_hidden(record, incidents, reports) for record in records]


def shown_incidents(session: Session, incidents: Iterable[str], level: int) -> set[str]:
    """Those of the incidents that readers of a level are shown."""
    account = tables.Account
    return {
        incident
        for some in chunks(sorted(set(incidents)))
        for incident in session.scalars(
            sa.select(account.incident_id).where(
                account.incident_id.in_(some), account.claimant == EVERYBODY, *seen_at(level)
            )
        )
    }


def _shown_reports(session: Session, reports: Iterable[str], actor: Actor) -> set[str]:
    report = tables.Report
    return {
        shown
        for some in chunks(sorted(set(reports)))
        for shown in session.scalars(
            sa.select(report.id).where(report.id.in_(some), shown_to(actor.sees.level, actor.name))
        )
    }


def _without_hidden(record: Json, incidents: set[str], reports: set[str]) -> Json:
    hints = record.get("possible_duplicates", [])
    if not hints and record["posted"].keys().isdisjoint(_POINTING):
        return record
    posted = dict(record["posted"])
    if posted.get("incident") not in incidents:
        posted.pop("incident", None)
    if about := posted.get("about"):
        posted["about"] = {
            **about,
            **{
                name: about[name] if about[name] in shown else None
                for name, shown in (("incident", incidents), ("report", reports))
                if name in about
            },
        }
    found = [incident for incident in hints if incident in incidents]
    if not hints:
        return {**record, "posted": posted}
    if not found:
        # That the flag was cleared would say that something is there, as the flag itself would.
        flag = Flag.POSSIBLE_DUPLICATE.value
        record = {**record, "cleared": [each for each in record["cleared"] if each != flag]}
    return {**record, "posted": posted, "possible_duplicates": found}


def nearest_shown(session: Session, incident: str | None, level: int) -> str | None:
    """The incident, or the innermost one around it, that readers of a level are shown."""
    while incident is not None and not shown_incidents(session, [incident], level):
        incident = session.scalar(
            sa.select(tables.Incident.parent_id).where(tables.Incident.id == incident)
        )
    return incident


def parts_shown(
    session: Session, incidents: Iterable[str], level: int
) -> dict[str, list[tables.Incident]]:
    """The parts of incidents that readers of a level are shown, each under the innermost that
    they are shown; what lies between is passed over."""
    row = tables.Incident
    parts: dict[str, list[tables.Incident]] = {}
    under = {incident: incident for incident in incidents}
    while under:
        found = [
            part
            for some in chunks(sorted(under))
            for part in session.scalars(sa.select(row).where(row.parent_id.in_(some)))
        ]
        shown = shown_incidents(session, {part.id for part in found}, level)
        below: dict[str, str] = {}
        for part in sorted(found, key=lambda part: part.id):
            above = under[part.parent_id or ""]
            if part.id in shown:
                parts.setdefault(above, []).append(part)
            else:
                below[part.id] = above
        under = below
    return parts
