"""How long no incident is known of: from what is kept summed by days, where that can tell."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from service.domain.periods import Grain, Timeline
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.domain.quiet import Quiet, Quietness, quietness
from service.domain.theatre import Theatre
from service.domain.vocabulary import UNLOCATED
from service.work.aggregates import rows_of, watch_of


def answer(session: Session, filters: IncidentQuery, today: date, theatre: Theatre) -> Quietness:
    """What is known as of `today`, or of the last day of the filters, if that was earlier."""
    day = min(filters.last or today, today)
    query = AggregateQuery(replace(filters, last=day), Grain.DAY, (Dimension.SECTOR,))
    sums = rows_of(session, query, theatre)
    timeline = Timeline(Grain.TOTAL, day, day)
    watch = watch_of(session, theatre)
    return quietness(sums, query, timeline, theatre, watch, over=day == today)


def link_of(
    row: Quiet, answered: Quietness, theatre: Theatre, asked: Mapping[str, str]
) -> str | None:
    """The list of the last incidents of a row: what touches its last known day, or is later."""
    if row.latest is None:
        return None
    parameters = {**asked, "counted": "true", "from": f"{row.latest}", "to": f"{answered.day}"}
    if row.sector is not None:
        parameters["sector"] = theatre.sectors.tree.finer(asked.get("sector"), row.sector)
    if row.sector == UNLOCATED:
        parameters["within"] = row.within or UNLOCATED
    return f"/v1/incidents?{urlencode(parameters)}"
