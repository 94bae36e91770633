"""Sums by period and sector, beside earlier days, of two claimants, and how long it is quiet."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from service.api import answers
from service.api.access import Reader, must_see
from service.api.exports import Asked
from service.api.freshness import FreshRoute
from service.api.parameters import (
    FilterParameters,
    FormatParameters,
    Whole,
    YesNo,
    during,
    in_zone,
    series_of,
)
from service.api.requests import Ctx, as_of_view
from service.api.shapes.aggregates import AGGREGATES, GAPS, QUIET
from service.api.shapes.common import refusals
from service.domain.access import Actor, Visibility
from service.domain.periods import Grain
from service.domain.queries import AggregateQuery, Compare, Dimension
from service.domain.spans import CALENDAR, LONGEST_WINDOW
from service.domain.theatre import Theatre
from service.domain.when import parse_when
from service.errors import Invalid
from service.formats.exports import subjects
from service.formats.reports import Code, ShortText
from service.formats.views import gaps_view, quiet_view, table_view
from service.work import aggregates, lots, quiet

router = APIRouter(route_class=FreshRoute, tags=["aggregates"])

Clock = Callable[[], datetime]

# What of a question is no filter of the lists that links lead to, which show what the reader may
# see in days of their own.
_NO_FILTERS: Final = frozenset(
    {
        *("period", "by", "fill", "format", "hxl", "series", "include", "claimants"),
        *("window", "running", "compare", "complete", "timezone"),
    }
)


class SumParameters(FilterParameters, FormatParameters):
    """Filters, and by what to sum."""

    period: Code = Grain.MONTH.value
    """A grain: day, week, month, quarter, year, named, total; or the id of a named period."""
    by: Annotated[str, Field(max_length=100)] = Dimension.SECTOR.value
    """Comma-separated: sector, weapon, claimant, party, status; empty sums over everything."""
    fill: Literal["dense", "none"] = "dense"
    """`none` leaves out rows where nothing is recorded."""
    window: Annotated[Whole | None, Field(ge=2, le=LONGEST_WINDOW)] = None
    """Each row counts what lies in so many periods, the last of them its own."""
    running: Code | None = None
    """An agreement of `/v1/agreements`: each row counts all since its first day."""
    complete: YesNo = None
    """Only periods that `from` and `to` hold whole and that ended before today have rows; what
    lies in others is in the row `incomplete`."""
    timezone: Code | None = None
    """With `period=day`, `from` and `to`: days of this time zone (IANA), not the theatre's."""

    def question(self, theatre: Theatre, actor: Actor, now: Clock) -> AggregateQuery:
        """Raises `Invalid` for what the theatre does not know, and what does not go together.

        The clock is read only where today is asked for: what is made with it is no answer of the
        data alone, and not kept.
        """
        filters, series = self.filters(theatre, actor), self.series
        if self.period in set(Grain):
            grain = Grain(self.period)
        else:
            filters = during(filters, self.period, theatre)
            grain, series = Grain.NAMED, series_of(self.period, theatre)
        if self.timezone is not None and grain is not Grain.DAY:
            raise Invalid("goes with period=day", "timezone")
        filters = in_zone(filters, self.timezone)
        if self.window is not None and grain not in CALENDAR:
            raise Invalid(f"goes with period={', '.join(sorted(CALENDAR))}", "window")
        if self.window is not None and self.running is not None:
            raise Invalid("goes without window", "running")
        if self.complete and grain is Grain.TOTAL:
            raise Invalid("goes with a period that has an end of its own", "complete")
        if self.complete and self.as_of is not None:
            raise Invalid("must be left out with complete", "as_of")
        query = AggregateQuery(
            filters,
            grain,
            self._dimensions(),
            series,
            dense=self.fill == "dense",
            window=self.window,
            complete_on=now().astimezone(filters.zone or theatre.zone).date()
            if self.complete
            else None,
        )
        return query if self.running is None else self._since(query, self.running, theatre)

    @staticmethod
    def _since(query: AggregateQuery, agreement: str, theatre: Theatre) -> AggregateQuery:
        date = next((a.date for a in theatre.agreements if a.id == agreement), None)
        if date is None:
            raise Invalid("is not a known agreement", "running")
        since = parse_when(date, theatre.zone).known_start
        if query.filters.first is not None and query.filters.first < since:
            raise Invalid("must not be before the agreement", "from")
        if query.filters.last is not None and query.filters.last < since:
            raise Invalid("must not be before the agreement", "to")
        first = query.filters.first or since
        filters = replace(query.filters, first=first)
        return replace(query, filters=filters, running=agreement, since=since)

    def _dimensions(self) -> tuple[Dimension, ...]:
        names = [name for name in self.by.split(",") if name]
        if len(set(names)) != len(names) or not set(names) <= set(Dimension):
            raise Invalid(f"must be some of {', '.join(Dimension)}, each once", "by")
        return tuple(Dimension(name) for name in names)


class AggregateParameters(SumParameters):
    """Filters, by what to sum, and with what to compare."""

    compare: Annotated[Compare | None, Field(strict=False)] = None
    """Beside each row the same one of the period before, or of the year before, and the change."""
    include: Literal["restricted"] | None = None
    """For partners: count also incidents that they are not shown, in lots of three.

    Only with a `period` of whole months, `by` sector or nothing, `level` 0 or 1, `from` and `to`
    at the bounds of months and `sector` down to level 1; docs/method.md says why.
    """

    def question(self, theatre: Theatre, actor: Actor, now: Clock) -> AggregateQuery:
        query = super().question(theatre, actor, now)
        if self.compare and self.running is not None:
            raise Invalid("goes without running", "compare")
        if self.compare is Compare.YEAR_BEFORE and query.grain is Grain.NAMED:
            raise Invalid("must be previous with named periods", "compare")
        return replace(query, compare=self.compare)


class GapParameters(SumParameters):
    """Filters, by what to sum, and of whom."""

    claimants: ShortText
    """Two, by id or name, with a comma between them."""

    def pair(self, theatre: Theatre) -> tuple[str, str]:
        """Raises `Invalid` for anything else than two claimants."""
        names = [name.strip() for name in self.claimants.split(",")]
        found = [known.id if (known := theatre.find_claimant(n)) else n for n in names]
        if len(found) != 2 or not all(found) or found[0] == found[1]:
            raise Invalid("must be two claimants with a comma between them", "claimants")
        return found[0], found[1]

    def question(self, theatre: Theatre, actor: Actor, now: Clock) -> AggregateQuery:
        query = super().question(theatre, actor, now)
        for given, parameter in (
            (self.according_to, "according_to"),
            (self.untold_by, "untold_by"),
        ):
            if given is not None:
                raise Invalid("goes without claimants", parameter)
        if Dimension.CLAIMANT in query.by:
            raise Invalid("must not name claimant, who stand side by side", "by")
        return query


class QuietParameters(FilterParameters, FormatParameters):
    """Filters; `to` is the day as of which is told, today unless given."""


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
    watched throughout. With `window` or `running` rows overlap: the answer says
    `"additive": false`. How each figure is made: docs/method.md.
    """
    export = Asked.of(request, parameters)
    if parameters.include:
        must_see(request, actor, Visibility.PARTNERS, "restricted sums")
    # Who is shown everything anyway is told nothing else.
    in_lots = parameters.include is not None and actor.sees is not Visibility.RESTRICTED
    if in_lots and parameters.as_of is not None:
        raise Invalid("must be left out with include=restricted", "as_of")
    included: int | None = None
    with context.sequenced() if in_lots else context.view(parameters.as_of) as view:
        theatre = view.theatre
        query = parameters.question(theatre, actor, context.now)
        if in_lots:
            table, included = lots.answer(view.session, query, theatre)
        else:
            table = aggregates.answer(view.session, query, theatre)
    links = aggregates.Links(query, table.timeline, theatre, _filters_sent(request))
    content = table_view(table, query, links, as_of_view(view.as_of), included)
    if export is None:
        return answers.json(content, headers=answers.provenance(theatre))
    subject = subjects.aggregates(query.by, theatre, compared=query.compare is not None)
    return export.whole(view, subject, content["cells"], content["total"])


@router.get(
    "/aggregates/gaps",
    summary="Two claimants side by side",
    responses={200: GAPS, **refusals(422)},
)
def get_gaps(
    request: Request,
    parameters: Annotated[GapParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """What each of two claimants says, cell by cell, and the gap between them.

    `a` and `b` are what `/v1/aggregates` answers with `according_to` the one and the other; `gap`
    leads from `a` to `b`, as a range. `alone` counts incidents and episodes of which the other
    tells nothing, `shared` those of which both tell. Who is right is not said.
    """
    export = Asked.of(request, parameters)
    with context.view(parameters.as_of) as view:
        theatre = view.theatre
        query = parameters.question(theatre, actor, context.now)
        pair = parameters.pair(theatre)
        answered = aggregates.gaps(view.session, query, pair, theatre)
    sent = _filters_sent(request)
    own = [{**sent, "according_to": claimant} for claimant in pair]
    alone = [{**asked, "untold_by": other} for asked, other in zip(own, pair[::-1], strict=True)]
    links, links_alone = (
        [aggregates.Links(query, answered.timeline, theatre, asked) for asked in each]
        for each in (own, alone)
    )
    as_of = as_of_view(view.as_of)
    content = gaps_view(answered, query, pair, links, links_alone, as_of)
    if export is None:
        return answers.json(content, headers=answers.provenance(theatre))
    subject = subjects.gaps(query.by, theatre)
    return export.whole(view, subject, content["cells"], content["total"])


@router.get(
    "/aggregates/quiet",
    summary="Days since the last incident",
    responses={200: QUIET, **refusals(422)},
)
def get_quiet(
    request: Request,
    parameters: Annotated[QuietParameters, Query()],
    actor: Reader,
    context: Ctx,
) -> Response:
    """How many days have gone by since the last incident that is recorded, by sector.

    A range, since the last one may be known only to a month; `null` where none is recorded.
    `coverage` says whether the days since were watched: silence alone is not calm.
    """
    if parameters.as_of is not None and parameters.last is None:
        raise Invalid("must be given with as_of", "to")
    export = Asked.of(request, parameters)
    with context.view(parameters.as_of) as view:
        theatre = view.theatre
        filters = parameters.filters(theatre, actor)
        today = theatre.day_of(context.now())
        answered = quiet.answer(view.session, filters, today, theatre)
    sent = _filters_sent(request)
    content = quiet_view(
        answered,
        filters,
        lambda row: quiet.link_of(row, answered, theatre, sent),
        as_of_view(view.as_of),
    )
    if export is None:
        return answers.json(content, headers=answers.provenance(theatre))
    subject = subjects.quiet(theatre)
    return export.whole(view, subject, content["sectors"], content["total"])


def _filters_sent(request: Request) -> Mapping[str, str]:
    """What the lists behind an answer are asked as well."""
    sent = request.query_params.items()
    return {name: value for name, value in sent if name not in _NO_FILTERS}
