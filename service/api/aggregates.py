"""Sums by period and sector."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from service.api import answers
from service.api.access import Reader, must_see
from service.api.exports import Asked
from service.api.freshness import FreshRoute
from service.api.parameters import FilterParameters, FormatParameters, during, series_of
from service.api.requests import Ctx, as_of_view
from service.api.shapes.aggregates import AGGREGATES
from service.api.shapes.common import refusals
from service.domain.access import Actor, Visibility
from service.domain.periods import Grain
from service.domain.queries import AggregateQuery, Dimension
from service.domain.theatre import Theatre
from service.errors import Invalid
from service.formats.exports import subjects
from service.formats.reports import Code
from service.formats.views import table_view
from service.work import aggregates

router = APIRouter(route_class=FreshRoute, tags=["aggregates"])


class AggregateParameters(FilterParameters, FormatParameters):
    """Filters, and by what to sum."""

    period: Code = Grain.MONTH.value
    """A grain: day, week, month, quarter, year, named, total; or the id of a named period."""
    by: Annotated[str, Field(max_length=100)] = Dimension.SECTOR.value
    """Comma-separated: sector, weapon, claimant, party, status; empty sums over everything."""
    fill: Literal["dense", "none"] = "dense"
    """`none` leaves out rows where nothing is recorded."""
    include: Literal["restricted"] | None = None
    """For partners: count also incidents that they are not shown, in lots of three.

    Only with a `period` of whole months, `by` sector or nothing, `level` 0 or 1, `from` and `to`
    at the bounds of months and `sector` down to level 1; docs/method.md says why.
    """

    def question(self, theatre: Theatre, actor: Actor) -> AggregateQuery:
        """Raises `Invalid` for what the theatre does not know."""
        filters, series = self.filters(theatre, actor), self.series
        if self.period in set(Grain):
            grain = Grain(self.period)
        else:
            filters = during(filters, self.period, theatre)
            grain, series = Grain.NAMED, series_of(self.period, theatre)
        return AggregateQuery(
            filters, grain, self._dimensions(), series, dense=self.fill == "dense"
        )

    def _dimensions(self) -> tuple[Dimension, ...]:
        names = [name for name in self.by.split(",") if name]
        if len(set(names)) != len(names) or not set(names) <= set(Dimension):
            raise Invalid(f"must be some of {', '.join(Dimension)}, each once", "by")
        return tuple(Dimension(name) for name in names)


@router.get(
    "/aggregates",
    summary="Sum by period and sector",
    responses={200: AGGREGATES, **refusals(403, 422)},
)
def get_aggregates(
    request: Request,
    parameters: Annotated[AggregateParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """Incidents, reports and casualties per cell; the cells add up to `total`.

    What fits no bucket is in `spanning`, what is known to no sector of the asked depth in
    `unlocated`. Ranges are summed bound by bound; `open` counts figures without an upper bound,
    `unknown` incidents without a figure. Counts are `null` where nothing is recorded and nobody
    watched throughout. How each figure is made: docs/method.md.
    """
    export = Asked.of(request, parameters)
    asked = {
        name: value
        for name, value in request.query_params.items()
        # The links lead to what the reader may see.
        if name not in ("period", "by", "fill", "format", "hxl", "series", "include")
    }
    if parameters.include:
        must_see(request, actor, Visibility.PARTNERS, "restricted sums")
    # Who is shown everything anyway is told nothing else.
    in_lots = parameters.include is not None and actor.sees is not Visibility.RESTRICTED
    if in_lots and parameters.as_of is not None:
        raise Invalid("must be left out with include=restricted", "as_of")
    included: int | None = None
    with context.sequenced() if in_lots else context.view(parameters.as_of) as view:
        theatre = view.theatre
        query = parameters.question(theatre, actor)
        if in_lots:
            table, included = aggregates.answer_in_lots(view.session, query, theatre)
        else:
            table = aggregates.answer(view.session, query, theatre)
    timeline = table.timeline
    links = [aggregates.link_of(row, query, timeline, theatre, asked) for row in table.rows]
    total_link = aggregates.link_of_total(timeline, asked)
    content = table_view(table, query, links, total_link, as_of_view(view.as_of), included)
    if export is None:
        return answers.json(content, headers=answers.provenance(theatre))
    subject = subjects.aggregates(query.by, theatre)
    return export.whole(view, subject, content["cells"], content["total"])
