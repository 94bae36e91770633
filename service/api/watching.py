"""Tallies and coverage: what observers count, and what they watched."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from service.api import answers
from service.api.access import Sender
from service.api.exports import Asked, page_of
from service.api.freshness import FreshRoute
from service.api.parameters import FormatParameters, PageParameters, WatchParameters
from service.api.requests import Context, Ctx
from service.api.shapes.common import refusals
from service.api.shapes.watching import (
    COMPARED_TALLIES,
    COVERAGE,
    LIST_OF_COVERAGE,
    LIST_OF_TALLIES,
    TALLY,
)
from service.domain.queries import WatchQuery
from service.domain.theatre import Theatre
from service.domain.vocabulary import Access, Unit
from service.formats.exports import subjects
from service.formats.exports.writing import Subject
from service.formats.reports import Code
from service.formats.views import coverage_view, tally_view
from service.formats.watching import CoverageIn, TallyIn
from service.store.queries import select_coverage, select_tallies
from service.work import exports, watching
from service.work.exports import Export, Start
from service.work.past import View
from service.work.reports import Outcomes

router = APIRouter(route_class=FreshRoute, tags=["tallies and coverage"])
_WRITING = refusals(403, 408, 409, 413, 415, 422)


class _Kind(NamedTuple):
    """How what observers tell is found, all or a page of it, and shown."""

    select: Callable[[WatchQuery, Theatre], Any]
    every: Callable[[Any, WatchQuery, Theatre, Start], Export]
    view: Callable[[str, Any], dict[str, Any]]
    subject: Callable[[Theatre], Subject]


_TALLIES: Final = _Kind(select_tallies, exports.tallies, tally_view, subjects.tallies)
_COVERAGE: Final = _Kind(select_coverage, exports.coverage, coverage_view, subjects.coverage)


class TallyParameters(WatchParameters):
    """Which tallies."""

    claimant: Code | None = None
    attributed_to: Code | None = None
    unit: Annotated[Unit | None, Field(strict=False)] = None

    def watched(self, theatre: Theatre) -> WatchQuery:
        return replace(
            super().watched(theatre),
            claimant=self.claimant,
            attributed_to=self.attributed_to,
            unit=self.unit,
        )


class ComparisonParameters(TallyParameters, FormatParameters):
    """Which tallies, in which format."""


class TallyListParameters(TallyParameters, PageParameters):
    """Which tallies, and which page in which format."""


class CoverageParameters(WatchParameters, PageParameters):
    """Which coverage, and which page in which format."""

    observer: Code | None = None
    access: Annotated[Access | None, Field(strict=False)] = None

    def watched(self, theatre: Theatre) -> WatchQuery:
        return replace(super().watched(theatre), claimant=self.observer, access=self.access)


@router.post(
    "/tallies", status_code=201, summary="Record a tally", responses={201: TALLY, **_WRITING}
)
def post_tally(tally: TallyIn, actor: Sender, context: Ctx) -> Response:
    """Record a claimant's count over a span, such as "45 violations within a day"."""

    def work(session: Any) -> tuple[Outcomes, dict[str, Any]]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        outcome, tally_id, record = watching.record_tally(
            session, tally, theatre, author, context.new_id
        )
        return outcome, tally_view(tally_id, record)

    return _created(*context.database.write(work, shared=True))


@router.get(
    "/tallies",
    summary="List tallies",
    responses={200: LIST_OF_TALLIES, **refusals(422)},
)
def list_tallies(
    request: Request, parameters: Annotated[TallyListParameters, Query()], context: Ctx
) -> Response:
    """Tallies whose span touches `from`–`to`, in the order of time: page by page, or all of them
    in another format."""
    return _list(_TALLIES, request, parameters, context)


@router.get(
    "/aggregates/tallies",
    summary="Tallies side by side",
    responses={200: COMPARED_TALLIES, **refusals(422)},
)
def compare_tallies(
    request: Request, parameters: Annotated[ComparisonParameters, Query()], context: Ctx
) -> Response:
    """Tallies of the same span, unit and sector next to one another, one entry per claimant; in
    other formats than JSON one row for each.

    Nothing is added: not across claimants, not across units, and never to incidents.
    """
    asked = Asked.of(request, parameters)
    with context.view(parameters.as_of) as view:
        items = watching.side_by_side(view.session, parameters.watched(view.theatre), view.theatre)
    if asked is None:
        headers = answers.provenance(view.theatre)
        return answers.json(answers.listed(items, None), headers=headers)
    claims = [claim for item in items for claim in item["claims"]]
    return asked.whole(view, subjects.tallies(view.theatre), claims)


@router.post(
    "/coverage", status_code=201, summary="Record coverage", responses={201: COVERAGE, **_WRITING}
)
def post_coverage(coverage: CoverageIn, actor: Sender, context: Ctx) -> Response:
    """Record who watched which sectors, when, by what means and with what access."""

    def work(session: Any) -> tuple[Outcomes, dict[str, Any]]:
        theatre = context.theatres.current(session)
        author = context.author(actor, theatre)
        outcome, coverage_id, record = watching.record_coverage(
            session, coverage, theatre, author, context.new_id
        )
        return outcome, coverage_view(coverage_id, record)

    return _created(*context.database.write(work, shared=True))


@router.get(
    "/coverage",
    summary="List coverage",
    responses={200: LIST_OF_COVERAGE, **refusals(422)},
)
def list_coverage(
    request: Request, parameters: Annotated[CoverageParameters, Query()], context: Ctx
) -> Response:
    """Coverage whose span touches `from`–`to`, in the order of time: page by page, or all of it in
    another format."""
    return _list(_COVERAGE, request, parameters, context)


def _list(
    kind: _Kind,
    request: Request,
    parameters: TallyListParameters | CoverageParameters,
    context: Context,
) -> Response:
    asked = Asked.of(request, parameters)
    start = parameters.start(page=asked is None or parameters.is_page)
    if asked is not None and not parameters.is_page:

        def every(view: View) -> Export:
            query = parameters.watched(view.theatre)
            return kind.every(view.session, query, view.theatre, start)

        return asked.stream(context, parameters.as_of, every)
    with context.view(parameters.as_of) as view:
        select = kind.select(parameters.watched(view.theatre), view.theatre)
        found, last = watching.find(view.session, select, start.place, parameters.limit)
    items = [kind.view(*each) for each in found]
    return page_of(
        request, asked, view, kind.subject(view.theatre), items, parameters.cursor_to(last)
    )


def _created(outcome: Outcomes, view: dict[str, Any]) -> Response:
    replayed = {"Idempotency-Replayed": "true"} if outcome is Outcomes.UNCHANGED else {}
    return answers.json(view, 201, replayed)
