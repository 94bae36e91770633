"""Deciding how far reports are established, and what waits for it."""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.contradictions import contradictions
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.verification import check_status
from service.domain.vocabulary import Flag, Stance, Status
from service.errors import Forbidden, Invalid
from service.formats.contradictions import contradiction_view
from service.formats.records import instant_text, open_flags, report_of
from service.formats.reviews import ReviewIn
from service.store import tables
from service.store.journal import Author
from service.work import candidates, reports, revising
from service.work.disclosure import views_of

Record = dict[str, Any]
_CANDIDATES_SHOWN: Final = 3


def review(
    session: Session,
    report_id: str,
    expected: int,
    decision: ReviewIn,
    reviewers_to_verify: int,
    theatre: Theatre,
    author: Author,
    actor: Actor,
    new_id: Callable[[], str],
) -> tables.Report:
    """Keep a reviewer's decision and, where it takes effect, give the report its status.

    Where two reviewers are needed, the first who would verify only proposes it. Decisions that
    another one replaces stay beside it. Raises `NotFound`, `Stale`, `Conflict`, `Forbidden` for
    a report of the reviewer's own, and `Invalid` where the evidence does not carry the status.
    """
    row = revising.to_change(session, report_id, expected, actor)
    old = row.record
    if author.name in old["authors"]:
        raise Forbidden("Nobody reviews their own report.")
    unknown = [flag for flag in decision.clears if flag not in open_flags(old)]
    if unknown:
        raise Invalid("is not a flag of the report", "clears")
    cleared = list(dict.fromkeys([*old["cleared"], *(flag.value for flag in decision.clears)]))
    if decision.status is not None:
        _check(session, row, decision, {**old, "cleared": cleared}, author.name, theatre)
    enough = _verifiers(old, author) >= reviewers_to_verify
    applied = decision.status is not Status.VERIFIED or enough
    review_id = new_id()
    told = {
        "id": review_id,
        "recorded": instant_text(author.at),
        "revision": row.revision + 1,
        "status": decision.status,
        "applied": applied,
        "superseded": False,
        **decision.model_dump(mode="json", exclude={"status"}),
    }
    new = {
        **old,
        "cleared": cleared,
        "grade": decision.grade or old["grade"],
        "reviews": [*old["reviews"], told],
        "reviewers": {**old["reviewers"], review_id: author.name},
    }
    if decision.status is not None and applied:
        new |= {"status": decision.status.value, "basis": decision.basis}
    revising.revise(session, row, new, decision.reason, theatre, author)
    return reports.get(session, report_id, actor)


def queue(session: Session, limit: int, actor: Actor, theatre: Theatre) -> tuple[list[Record], int]:
    """What waits for a decision, gravest first and of equals the oldest, each with what speaks
    against it; and how many wait in all."""
    row = tables.Report
    waiting = sa.and_(row.waiting, row.level <= actor.sees.level)
    rows = session.scalars(
        sa.select(row)
        .where(waiting)
        .order_by(row.gravity.desc(), row.received_day, row.id)
        .limit(limit)
    ).all()
    told = _told_of(session, {r.incident_id for r in rows})
    views = views_of(session, rows, actor, theatre)
    among = candidates.Neighbourhood(session, theatre)
    items = [
        {
            "report": view,
            "gravity": r.gravity,
            "own": actor.name in r.record["authors"],
            "candidates": candidates.of_report(
                session, r, actor, theatre, _CANDIDATES_SHOWN, among
            ),
            "contradicted_by": [
                contradiction_view(found)
                for found in contradictions(report_of(r.id, r.record), told[r.incident_id])
            ],
        }
        for r, view in zip(rows, views, strict=True)
    ]
    return items, session.scalar(sa.select(sa.func.count()).where(waiting)) or 0


def _check(
    session: Session,
    row: tables.Report,
    decision: ReviewIn,
    record: Record,
    reviewer: str,
    theatre: Theatre,
) -> None:
    """Raise `Invalid` where the evidence does not carry the status."""
    assert decision.status is not None
    said = report_of(row.id, record)
    voice = theatre.claimants.get(said.claimant)
    told = session.scalars(
        sa.select(tables.Report).where(
            tables.Report.incident_id == row.incident_id,
            # What a status rests on must be there for whoever reads it.
            tables.Report.level <= row.level,
        )
    )
    others = [
        other
        for other in (
            report_of(each.id, each.record)
            for each in told
            # Nobody lends a voice to their own decision.
            if reviewer not in each.record["authors"]
        )
        if other.counts
        # A denial supports no account of the event, nor an account a denial.
        and (other.stance is Stance.DENIES) == (said.stance is Stance.DENIES)
        and other.claimant != said.claimant
    ]
    # Somebody the theatre does not know may be a party under another name.
    voices = [
        theatre.claimants[other.claimant].party
        for other in others
        if other.claimant in theatre.claimants
    ]
    check_status(
        decision.status,
        decision.basis,
        flags=[Flag(flag) for flag in open_flags(record)],
        speaks_for=voice.party if voice else None,
        other_voices=voices if voice else [party for party in voices if party is None],
    )


def _verifiers(record: Record, author: Author) -> int:
    """How many people would verify what the report says now, the author among them.

    Of each it is the latest decision that counts: whoever thought again does not verify any more.
    A decision of nobody known may have been the author's own, so it is nobody else's.
    """
    latest = {
        record["reviewers"][told["id"]]: told["status"]
        for told in record["reviews"]
        if told["status"] is not None
        and not told["superseded"]
        and told["id"] in record["reviewers"]
    }
    latest[author.name] = Status.VERIFIED
    return sum(status == Status.VERIFIED for status in latest.values())


def _told_of(session: Session, incidents: set[str]) -> dict[str, list[Report]]:
    told: dict[str, list[Report]] = {incident: [] for incident in incidents}
    row = tables.Report
    for each in session.scalars(sa.select(row).where(row.incident_id.in_(sorted(incidents)))):
        told[each.incident_id].append(report_of(each.id, each.record))
    return told
