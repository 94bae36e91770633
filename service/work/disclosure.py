"""Handing out reports: what one reader is shown of them, and of what they point to."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor, Visibility
from service.domain.theatre import Theatre
from service.formats.disclosure import disclosed
from service.formats.views import report_view
from service.store import tables
from service.store.queries import EVERYBODY, seen_at, shown_to

Json = dict[str, Any]


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
    level = actor.sees.level
    about = [record["posted"].get("about") or {} for _, _, record in told]
    incidents = shown_incidents(
        session,
        {
            *(i for _, _, record in told for i in record.get("possible_duplicates", ())),
            *(a["incident"] for a in about if a.get("incident")),
        },
        level,
    )
    reports = _shown_reports(session, {a["report"] for a in about if a.get("report")}, actor)
    return [
        _without_hidden(
            report_view(
                report_id,
                revision,
                disclosed(record, theatre, everything=sees_everything(actor, owners[report_id])),
                theatre,
            ),
            incidents,
            reports,
        )
        for report_id, revision, record in told
    ]


def shown_incidents(session: Session, incidents: Iterable[str], level: int) -> set[str]:
    """Those of the incidents that readers of a level are shown."""
    account = tables.Account
    return set(
        session.scalars(
            sa.select(account.incident_id).where(
                account.incident_id.in_(sorted(set(incidents))),
                account.claimant == EVERYBODY,
                *seen_at(level),
            )
        )
    )


def _shown_reports(session: Session, reports: Iterable[str], actor: Actor) -> set[str]:
    report = tables.Report
    return set(
        session.scalars(
            sa.select(report.id).where(
                report.id.in_(sorted(set(reports))), shown_to(actor.sees.level, actor.name)
            )
        )
    )


def _without_hidden(view: Json, incidents: set[str], reports: set[str]) -> Json:
    """A view without pointers to what its reader is not shown."""
    about = view["about"]
    if about is not None:
        about = {
            **about,
            "incident": about["incident"] if about["incident"] in incidents else None,
            "report": about["report"] if about["report"] in reports else None,
        }
    found = [incident for incident in view["possible_duplicates"] if incident in incidents]
    return {**view, "about": about, "possible_duplicates": found}
