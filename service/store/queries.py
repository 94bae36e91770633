"""From the one question to SQL. Every door asks through here, so no two figures can disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from service.domain.places import fold_words
from service.domain.queries import BoundingBox, Clock, IncidentQuery, WatchQuery
from service.domain.theatre import Theatre
from service.domain.verification import COUNTED
from service.domain.vocabulary import (
    SUMMED_OUTCOMES,
    UNLOCATED,
    UNMAPPED,
    UNSTATED,
    Outcome,
    Precision,
    Status,
)
from service.domain.when import TimePrecision
from service.errors import Invalid
from service.store import tables
from service.store.tables import Report, ReportTerm

EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Keyset:
    """Where a page ended: the sort value and the id of its last item."""

    value: date | datetime
    id: str


def select_accounts(
    query: IncidentQuery, theatre: Theatre, *, apart: bool = False, figures: bool = False
) -> sa.Select[Any]:
    """The accounts that a question selects: everybody's, or (`apart`) each claimant's own.

    With `figures`, a status also selects accounts that have a figure of that status.
    """
    account = tables.Account
    whose = account.claimant == (query.according_to or EVERYBODY)
    if apart and query.according_to is None:
        whose = account.claimant != EVERYBODY
    conditions = [whose, *seen_at(query.sees), *_account_conditions(query, theatre)]
    if query.status is not None:
        own = account.status == query.status
        conditions.append(sa.or_(own, _has_figure(status=query.status)) if figures else own)
    return sa.select(account).where(*conditions)


def select_reports(query: IncidentQuery, theatre: Theatre) -> sa.Select[Any]:
    """The reports that a question selects, by what each of them says itself."""
    return sa.select(Report).where(
        shown_to(query.sees, query.own), *_report_conditions(query, theatre)
    )


def seen_at(level: int) -> list[Any]:
    """The accounts that readers of a level are shown."""
    return [tables.Account.level <= level, tables.Account.until_level >= level]


def shown_to(level: int, owner: str | None) -> Any:
    """The reports that a reader is shown: those of their level, and their own."""
    of_level = Report.level <= level
    return of_level if owner is None else sa.or_(of_level, Report.owner == owner)


def select_tallies(query: WatchQuery, theatre: Theatre) -> sa.Select[Any]:
    tally = tables.Tally
    conditions = _touching(tally, query, theatre)
    if query.sector is not None:
        conditions.append(tally.sector.in_(_branch(query.sector, theatre.sectors.tree)))
    for asked, column in (
        (query.claimant, tally.claimant),
        (query.attributed_to, tally.attributed_to),
        (query.unit, tally.unit),
    ):
        if asked is not None:
            conditions.append(column == asked)
    return sa.select(tally).where(*conditions)


def select_coverage(query: WatchQuery, theatre: Theatre) -> sa.Select[Any]:
    coverage, watched = tables.Coverage, tables.CoverageSector
    conditions = _touching(coverage, query, theatre)
    if query.sector is not None:
        branch = _branch(query.sector, theatre.sectors.tree)
        conditions.append(
            sa.exists().where(watched.coverage_id == coverage.id, watched.sector.in_(branch))
        )
    if query.claimant is not None:
        conditions.append(coverage.observer == query.claimant)
    if query.access is not None:
        conditions.append(coverage.access == query.access)
    return sa.select(coverage).where(*conditions)


def page(
    select: sa.Select[Any], order: Sequence[Any], after: Keyset | None, *, oldest_first: bool
) -> sa.Select[Any]:
    """One page in the order of `order` (a time and an id), behind `after`.

    Raises `Invalid` for an `after` that belongs to another order.
    """
    if after is not None:
        if isinstance(after.value, datetime) is isinstance(order[0].type, sa.Date):
            raise Invalid("is not a cursor", "cursor")
        bound = sa.tuple_(
            *(sa.literal(v, c.type) for v, c in zip((after.value, after.id), order, strict=True))
        )
        here = sa.tuple_(*order)
        select = select.where(here > bound if oldest_first else here < bound)
    return select.order_by(*(c.asc() if oldest_first else c.desc() for c in order))


def account_order(clock: Clock) -> tuple[Any, Any]:
    account = tables.Account
    times = {
        Clock.EVENT: account.known_start,
        Clock.REPORTED: account.reported_end,
        # The day, since a place in the order would tell the moment.
        Clock.RECEIVED: account.received_day,
    }
    return times[clock], account.incident_id


def report_order(clock: Clock) -> tuple[Any, Any]:
    times = {
        Clock.EVENT: Report.start_day,
        Clock.REPORTED: Report.reported_end,
        Clock.RECEIVED: Report.received_day,
    }
    return times[clock], Report.id


def _account_conditions(query: IncidentQuery, theatre: Theatre) -> list[Any]:
    account = tables.Account
    spans = {
        Clock.EVENT: (account.known_start, account.known_end),
        Clock.REPORTED: (account.reported_start, account.reported_end),
        Clock.RECEIVED: (account.received_day, account.received_day),
    }
    # Days of another time zone begin up to a day earlier or later; which touches is told then.
    margin = timedelta(days=query.zone is not None)
    conditions = _overlap(spans[query.clock], query, margin)
    conditions += in_sector(account.sector, query, theatre)
    conditions += in_box((account.latitude, account.longitude), query.bbox)
    if query.counted is not None:
        conditions.append(account.counted == query.counted)
    if query.contested is not None:
        conditions.append(account.contested == query.contested)
    if query.min_killed is not None:
        conditions.append(
            _has_figure(party=EVERYBODY, outcome=Outcome.KILLED, low=query.min_killed)
        )
    if query.weapon is not None:
        conditions.append(_has_weapon(query, theatre))
    if query.party is not None:
        conditions.append(_has_party(query.party))
    # One claimant's account is selected by what that claimant says, not by what others do.
    own = [
        Report.level <= query.sees,
        sa.or_(account.claimant == EVERYBODY, Report.claimant == account.claimant),
    ]
    for asked, column in (
        (query.attributed_to, Report.attributed_to),
        (query.place, Report.place),
    ):
        if asked is not None:
            conditions.append(_has_report(column == asked, *own))
    if query.claimant is not None:
        conditions.append(
            _has_report(Report.level <= query.sees, Report.claimant == query.claimant)
        )
    if query.text is not None:
        conditions.append(_has_report(_matches(query.text), *own))
    if query.untold_by is not None:
        conditions.append(~_is_told_by(query.untold_by, query.sees))
    conditions += _as_precise(query, theatre)
    return conditions


def _is_told_by(claimant: str, level: int) -> Any:
    """Whether a claimant's account of the incident counts."""
    account, own = tables.Account, aliased(tables.Account)
    return sa.exists().where(
        own.incident_id == account.incident_id,
        own.claimant == claimant,
        own.counted,
        own.level <= level,
        own.until_level >= level,
    )


def _as_precise(query: IncidentQuery, theatre: Theatre) -> list[Any]:
    """What is known to one instant, day, month or year, and to one place."""
    account = tables.Account
    start, end = account.start_day, account.end_day
    conditions: list[Any] = []
    match query.time_precision:
        case TimePrecision.INSTANT:
            conditions.append(account.earliest == account.latest)
        case TimePrecision.DAY:
            conditions.append(start == end)
        case TimePrecision.MONTH | TimePrecision.YEAR as precision:
            same = ["year", "month"] if precision is TimePrecision.MONTH else ["year"]
            conditions += [sa.extract(part, start) == sa.extract(part, end) for part in same]
    if query.place_precision is not None:
        finest = [*Precision]
        known: Any = account.precision.in_(finest[: finest.index(query.place_precision) + 1])
        if query.place_precision is Precision.SECTOR:
            known = sa.or_(known, account.sector != theatre.root)
        conditions.append(known)
    return conditions


def _report_conditions(query: IncidentQuery, theatre: Theatre) -> list[Any]:
    for name in ("time_precision", "place_precision", "untold_by"):
        if getattr(query, name) is not None:
            raise Invalid("goes with incidents and sums", name)
    spans = {
        Clock.EVENT: (Report.start_day, Report.end_day),
        Clock.REPORTED: (Report.reported_start, Report.reported_end),
        Clock.RECEIVED: (Report.received_day, Report.received_day),
    }
    conditions = _overlap(spans[query.clock], query)
    conditions += in_sector(Report.sector, query, theatre)
    conditions += in_box((Report.latitude, Report.longitude), query.bbox)
    for asked, column in (
        (query.claimant, Report.claimant),
        (query.according_to, Report.claimant),
        (query.attributed_to, Report.attributed_to),
        (query.place, Report.place),
        (query.status, Report.status),
    ):
        if asked is not None:
            conditions.append(column == asked)
    if query.counted is not None:
        counts = sa.and_(Report.counted, Report.status.in_(sorted(COUNTED)))
        conditions.append(counts if query.counted else sa.not_(counts))
    if query.min_killed is not None:
        conditions.append(Report.killed_low >= query.min_killed)
    if query.weapon is not None:
        stated = _has_term("weapon", _is_weapon(ReportTerm.value, query, theatre))
        conditions.append(~_has_term("weapon") if query.weapon == UNSTATED else stated)
    if query.party is not None:
        stated = _has_term("party", ReportTerm.value == query.party)
        conditions.append(~_has_term("party") if query.party == UNSTATED else stated)
    if query.text is not None:
        conditions.append(_matches(query.text))
    if query.contested is not None:
        account = tables.Account
        conditions.append(
            sa.exists().where(
                account.incident_id == Report.incident_id,
                account.claimant == EVERYBODY,
                *seen_at(query.sees),
                account.contested == query.contested,
            )
        )
    return conditions


def _overlap(
    span: tuple[Any, Any], query: IncidentQuery, margin: timedelta = timedelta()
) -> list[Any]:
    conditions = []
    if query.last is not None:
        conditions.append(span[0] <= query.last + margin)
    if query.first is not None:
        conditions.append(span[1] >= query.first - margin)
    return conditions


def _touching(
    table: type[tables.Tally] | type[tables.Coverage], query: WatchQuery, theatre: Theatre
) -> list[Any]:
    """Spans are half-open instants, questions are whole local days."""

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), theatre.zone)

    conditions = []
    if query.last is not None:
        conditions.append(table.start_at < midnight(query.last + timedelta(days=1)))
    if query.first is not None:
        conditions.append(table.end_at > midnight(query.first))
    return conditions


def in_sector(column: Any, query: IncidentQuery, theatre: Theatre) -> list[Any]:
    if query.sector is None:
        return []
    tree = theatre.sectors.tree
    if query.sector == UNLOCATED:
        if query.within is not None:
            nowhere = query.within == UNLOCATED
            return [column.is_(None) if nowhere else column == query.within]
        shallow = [s.id for s in theatre.sectors if tree.depth(s.id) < query.level]
        return [sa.or_(column.is_(None), column.in_(shallow))]
    return [column.in_(_branch(query.sector, tree))]


def _branch(node: str, tree: Any) -> list[str]:
    return sorted(tree.branch(node)) if node in tree else [node]


def in_box(columns: tuple[Any, Any], box: BoundingBox | None) -> list[Any]:
    if box is None:
        return []
    latitude, longitude = columns
    if box.west <= box.east:
        across = longitude.between(box.west, box.east)
    else:  # over the 180th meridian, RFC 7946 section 5.2
        across = sa.or_(longitude >= box.west, longitude <= box.east)
    return [latitude.between(box.south, box.north), across]


def _matches(text: str) -> Any:
    return sa.and_(
        *(Report.search_text.contains(word, autoescape=True) for word in fold_words(text).split())
    )


def _has_report(*conditions: Any) -> Any:
    """A live report of the incident."""
    return sa.exists().where(
        Report.incident_id == tables.Account.incident_id,
        Report.status.in_(sorted(COUNTED)),
        *conditions,
    )


def _has_term(kind: str, *conditions: Any) -> Any:
    return sa.exists().where(
        ReportTerm.report_id == Report.id, ReportTerm.kind == kind, *conditions
    )


def _has_weapon(query: IncidentQuery, theatre: Theatre) -> Any:
    account, used = tables.Account, tables.AccountWeapon
    own = sa.and_(
        used.incident_id == account.incident_id,
        used.claimant == account.claimant,
        used.level == account.level,
    )
    if query.weapon == UNSTATED:
        return ~sa.exists().where(own)
    return sa.exists().where(own, _is_weapon(used.weapon, query, theatre))


def _is_weapon(column: Any, query: IncidentQuery, theatre: Theatre) -> Any:
    if query.weapon == UNMAPPED:
        return column.not_in([weapon.id for weapon in theatre.weapons])
    asked = query.weapon or UNSTATED
    exact = query.weapon_exact
    return column.in_([asked] if exact else _branch(asked, theatre.weapons.tree))


def _has_party(party: str) -> Any:
    if party != UNSTATED:
        return _has_figure(party=party)
    summed = sa.exists().where(
        tables.Figure.incident_id == tables.Account.incident_id,
        tables.Figure.claimant == tables.Account.claimant,
        tables.Figure.level == tables.Account.level,
        tables.Figure.status.is_not(None),
        tables.Figure.outcome.in_(SUMMED_OUTCOMES),
        tables.Figure.party.not_in([EVERYBODY, UNSTATED]),
    )
    return sa.or_(_has_figure(party=UNSTATED), ~summed)


def _has_figure(
    *,
    party: str | None = None,
    outcome: Outcome | None = None,
    low: int | None = None,
    status: Status | None = None,
) -> Any:
    figure, account = tables.Figure, tables.Account
    conditions = [
        figure.incident_id == account.incident_id,
        figure.claimant == account.claimant,
        figure.level == account.level,
        figure.status.is_not(None),
    ]
    if party is not None:
        conditions += [figure.party == party, figure.outcome.in_(SUMMED_OUTCOMES)]
    if outcome is not None:
        conditions.append(figure.outcome == outcome)
    if low is not None:
        conditions.append(figure.low >= low)
    if status is not None:
        conditions += [figure.status == status, figure.counted_low.is_not(None)]
    return sa.exists().where(*conditions)
