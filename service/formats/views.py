"""What readers are shown of reports, incidents and sums; nothing private passes here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, Protocol

from service.domain.aggregates import Gap, Gaps, Side, Table
from service.domain.comparisons import Change, change
from service.domain.disclosure import SMALLEST_LOT
from service.domain.figures import Figure, Sum
from service.domain.grids import Row
from service.domain.incidents import Account, Established, Slot
from service.domain.periods import Timeline
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.domain.quiet import Quiet, Quietness
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome
from service.domain.weapons import WeaponUse
from service.domain.when import When
from service.formats.disclosure import disclosed
from service.formats.records import (
    instant_text,
    local_day,
    open_flags,
    place_as_written,
    reported_of,
    when_of,
)

Json = dict[str, Any]

# What of a source may be shown; a list, so that a new field stays private until it is put here.
_SOURCE_FIELDS: Final = ("title", "publisher", "published", "url", "locator")


_REVIEW_FIELDS: Final = (
    *("id", "recorded", "revision", "status", "basis", "reason", "grade", "clears"),
    *("applied", "superseded"),
)
_BOUNDS: Final = ("low", "best", "high")
_UNKNOWN: Final = (None, None, None)
_NAMES: Final = {outcome: outcome.value for outcome in Outcome}
_OUTCOMES: Final = tuple(_NAMES.values())
# What of a report's reading says when it happened.
_SPAN: Final = ("start", "end", "lasted", "earliest", "latest", "approximate")
INCIDENT_COLUMNS: Final = (
    "id",
    "title",
    "when",
    "start",
    "end",
    "precision",
    "lasted",
    "sector",
    "point.lat",
    "point.lon",
    "point.precision",
    "status",
    "contested",
    "possible_duplicate",
    "counted",
    "reason",
    "episode",
    "part_of",
    "reports",
    "weapons",
    *(f"figures.{outcome}.{part}" for outcome in Outcome for part in (*_BOUNDS, "status")),
    "first_reported",
    "note",
)
_PERIOD: Final = ("period", "start", "end")
_COUNTS: Final = ("incidents", "episodes", "reports", "possible_duplicates")
_SUMS: Final = (
    *_COUNTS,
    *(
        f"figures.{outcome}.{part}"
        for outcome in SUMMED_OUTCOMES
        for part in (*_BOUNDS, "open", "unknown")
    ),
    *("remainder", "coverage", "incidents_url"),
)
_CHANGE: Final = (
    *_COUNTS,
    *(f"figures.{outcome}.{part}" for outcome in SUMMED_OUTCOMES for part in (*_BOUNDS, "unknown")),
    "reason",
)
QUIET_COLUMNS: Final = (
    *("sector", "within", "in_force", "last.earliest", "last.latest"),
    *("days.at_least", "days.at_most", "open", "coverage", "incidents_url"),
)
TALLY_COLUMNS: Final = (
    "id",
    "claimant",
    "attributed_to",
    "sector",
    "from",
    "to",
    "unit",
    *(f"count.{part}" for part in (*_BOUNDS, "words")),
    "note",
)
COVERAGE_COLUMNS: Final = (
    "id",
    "observer",
    "sectors",
    "from",
    "to",
    "means",
    "access",
    "note",
)


def aggregate_columns(by: Sequence[Dimension], *, compared: bool = False) -> list[str]:
    """The columns of an answer by these dimensions; with `compared` beside earlier days."""
    beside = _PERIOD + _SUMS if compared else ()
    return [
        *_key_columns(by),
        *_SUMS,
        *(f"compared.{name}" for name in beside),
        *(f"change.{name}" for name in (_CHANGE if compared else ())),
    ]


def gap_columns(by: Sequence[Dimension]) -> list[str]:
    """The columns of two claimants side by side."""
    side = ("claimant", *_SUMS, "alone", "shared", "alone_url")
    return [
        *_key_columns(by),
        *(f"{which}.{name}" for which in ("a", "b") for name in side),
        *(f"gap.{name}" for name in _CHANGE),
    ]


def _key_columns(by: Sequence[Dimension]) -> list[str]:
    keys = [key for dimension in by for key in (dimension, *(["within"] * (dimension == "sector")))]
    return [*_PERIOD, *keys]


def report_view(report_id: str, revision: int, record: Json, theatre: Theatre) -> Json:
    """A report as somebody sees it whom `record` was disclosed to."""
    posted, read, disclosure = record["posted"], record["resolved"], record["disclosure"]
    return {
        "id": report_id,
        "revision": revision,
        "incident": record["incident"],
        "when": posted["when"],
        "timezone": posted.get("timezone"),
        **_span_told(*map(read.__getitem__, _SPAN)),
        "where": _where_view(posted["where"], read, theatre),
        "weapons": [_weapon_view(w, c, theatre) for w, c in read["weapons"]],
        "casualties": [_casualties_view(line) for line in read["casualties"]],
        "claimant": read["claimant"],
        "attributed_to": read["attributed_to"],
        "stance": posted.get("stance", "asserts"),
        "about": _about_view(posted.get("about")),
        "status": record["status"],
        "basis": record["basis"],
        "counted": record["counted"],
        "reason": record["reason"],
        "grade": record["grade"],
        "flags": open_flags(record),
        "cleared": record["cleared"],
        "unmapped": read["unmapped"],
        "possible_duplicates": record.get("possible_duplicates", []),
        "summary": posted.get("summary"),
        "sources": _sources_view(posted),
        "origin": _origin_view(record.get("origin")),
        "reported": _reported_told(*read["reported"]),
        "received": local_day(record["received_at"], theatre.zone).isoformat(),
        "reviews": [_review_view(told) for told in record["reviews"]],
        "disclosure": {name: disclosure[name] for name in ("visibility", "embargo", "place")},
    }


def receipt(report_id: str, record: Json, sha256: str, theatre: Theatre) -> Json:
    """The answer to who sent a report: the report, when it was received, and the hash of its leaf
    in the ledger."""
    return {
        **report_view(report_id, 1, disclosed(record, theatre, everything=True), theatre),
        "received_at": record["received_at"],
        "sha256": sha256,
    }


def account_view(
    account: Account,
    *,
    title: str | None,
    part_of: str | None,
    reason: str | None,
    note: str | None,
) -> Json:
    """An incident as its reports tell it, with what is recorded of it apart from them."""
    point = account.point
    return {
        "id": account.incident,
        "title": title,
        "when": str(account.when),
        **span_view(account.when),
        "sector": account.sector,
        "point": (
            {"lat": point.latitude, "lon": point.longitude, "precision": point.precision}
            if point
            else None
        ),
        "status": account.status,
        "contested": account.contested,
        "possible_duplicate": account.possible_duplicate,
        "counted": account.counted,
        "reason": reason,
        "episode": account.episode,
        "part_of": part_of,
        "reports": account.reports,
        "weapons": sorted(account.weapons),
        "figures": {
            outcome.value: established_view(account.figures.get((None, outcome)))
            for outcome in Outcome
        },
        "first_reported": str(account.first_reported),
        "note": note,
    }


def figures_by_party(figures: Mapping[Slot, Established]) -> Json:
    parties = sorted({party for party, _ in figures if party is not None})
    return {
        party: {
            outcome.value: established_view(figures[party, outcome])
            for outcome in Outcome
            if (party, outcome) in figures
        }
        for party in parties
    }


def claims_matrix(reports: Iterable[tuple[str, Json]]) -> list[Json]:
    """Every figure claimed, side by side: one row per party, group, outcome and report."""
    return [
        {
            "party": line["party"],
            "group": line["group"],
            "outcome": outcome,
            "claimant": record["resolved"]["claimant"],
            "report": report_id,
            "stance": record["posted"].get("stance", "asserts"),
            "status": record["status"],
            "counted": record["counted"],
            **(_bounds(line["figures"].get(outcome))),
            "words": line["words"].get(outcome),
        }
        for report_id, record in reports
        for line in record["resolved"]["casualties"]
        for outcome in Outcome
        if outcome in line["figures"] or outcome in line["words"]
    ]


def tally_view(tally_id: str, record: Json) -> Json:
    posted, read = record["posted"], record["read"]
    words = posted["count"].get("words") if isinstance(posted["count"], dict) else None
    return {
        "id": tally_id,
        "claimant": read["claimant"],
        "attributed_to": read["attributed_to"],
        "sector": read["sector"],
        "from": posted["from"],
        "to": posted["to"],
        "unit": posted["unit"],
        "count": {**_bounds(read["count"]), "words": words},
        "note": posted.get("note"),
        "sources": _sources_view(posted),
        "unmapped": read["unmapped"],
    }


def coverage_view(coverage_id: str, record: Json) -> Json:
    posted, read = record["posted"], record["read"]
    return {
        "id": coverage_id,
        "observer": read["observer"],
        "sectors": posted["sectors"],
        "from": posted["from"],
        "to": posted["to"],
        "means": posted["means"],
        "access": posted["access"],
        "note": posted.get("note"),
        "unmapped": read["unmapped"],
    }


def established_view(established: Established | None) -> Json | None:
    if established is None:
        return None
    return {**figure_view(established.figure), "status": established.status}


def figure_view(figure: Figure) -> Json:
    return {"low": figure.low, "best": figure.best, "high": figure.high}


class Links(Protocol):
    """What leads from rows and totals to the lists behind them, where there are such lists."""

    def of_row(self, row: Row, *, elsewhere: bool = False) -> str | None: ...
    def of_total(self, total: Row) -> str | None: ...


def table_view(
    table: Table,
    query: AggregateQuery,
    links: Links,
    as_of: Json | None = None,
    included: int | None = None,
) -> Json:
    """An answer as tidy rows and their total.

    `included` is how many incidents that the reader is not shown are in the sums, where asked.
    """
    return {
        **_question_view(query, table.timeline),
        "as_of": as_of,
        # Never whether anything is left out: asked of each month and line that would tell of one.
        "restricted": None if included is None else {"included": included, "lot": SMALLEST_LOT},
        "additive": table.additive,
        "total": {
            **_row_days(table.total),
            **_row_counts(table.total),
            "incidents_url": links.of_total(table.total),
            **(_beside(table.total, links.of_total) if query.compare else {}),
        },
        "cells": [
            {
                **_row_keys(row),
                **_row_counts(row),
                "incidents_url": links.of_row(row),
                **(
                    _beside(row, lambda told: links.of_row(told, elsewhere=True))
                    if query.compare
                    else {}
                ),
            }
            for row in table.rows
        ],
    }


def gaps_view(
    gaps: Gaps,
    query: AggregateQuery,
    claimants: Sequence[str],
    links: Sequence[Links],
    links_alone: Sequence[Links],
    as_of: Json | None = None,
) -> Json:
    """Two claimants side by side; `links_alone` lead to what only one of them tells."""

    def sides(gap: Gap, url: Callable[[Links, Row], str | None]) -> Json:
        found = zip((gap.one, gap.other), claimants, links, links_alone, strict=True)
        views = [
            {
                "claimant": claimant,
                **_row_counts(side.row),
                "incidents_url": url(its, side.row),
                **_alone_view(side, url(alone, side.row)),
            }
            for side, claimant, its, alone in found
        ]
        return {"a": views[0], "b": views[1], "gap": _change_view(gap.difference)}

    return {
        **_question_view(query, gaps.timeline),
        "as_of": as_of,
        "claimants": list(claimants),
        "additive": gaps.additive,
        "total": {
            **_row_days(gaps.total.one.row),
            **sides(gaps.total, lambda its, row: its.of_total(row)),
        },
        "cells": [
            {**_row_keys(gap.one.row), **sides(gap, lambda its, row: its.of_row(row))}
            for gap in gaps.rows
        ],
    }


def _alone_view(side: Side, url: str | None) -> Json:
    return {"alone": side.alone, "shared": side.shared, "alone_url": url}


def quiet_view(
    answered: Quietness,
    filters: IncidentQuery,
    link: Callable[[Quiet], str | None],
    as_of: Json | None = None,
) -> Json:
    """How long no incident is known of, by sector and altogether."""

    def row_view(row: Quiet) -> Json:
        at_least, at_most = answered.days(row)
        return {
            "last": {"earliest": _day(row.earliest), "latest": _day(row.latest)},
            "days": {"at_least": at_least, "at_most": at_most},
            "open": row.open,
            "coverage": row.coverage,
            "incidents_url": link(row),
        }

    return {
        "as_of_day": answered.day.isoformat(),
        "from": _day(filters.first),
        "level": filters.level,
        "clock": filters.clock,
        "as_of": as_of,
        "total": row_view(answered.total),
        "sectors": [
            {
                "sector": row.sector,
                "within": row.within,
                "in_force": row.in_force,
                **row_view(row),
            }
            for row in answered.rows
        ],
    }


def _question_view(query: AggregateQuery, timeline: Timeline) -> Json:
    zone = query.filters.zone
    return {
        "period": query.grain,
        "series": query.series,
        "by": list(query.by),
        "level": query.filters.level,
        "clock": query.filters.clock,
        "timezone": zone.key if zone else None,
        "window": query.window,
        "running": query.running,
        "since": _day(query.since),
        "compare": query.compare,
        "as_of_day": _day(query.complete_on),
        "from": timeline.first.isoformat(),
        "to": timeline.last.isoformat(),
    }


def _beside(row: Row, link: Callable[[Row], str | None]) -> Json:
    other = row.compared
    compared = None
    if other is not None:
        days = {"period": other.period, **_row_days(other)}
        compared = {**days, **_row_counts(other), "incidents_url": link(other)}
    return {"compared": compared, "change": _change_view(change(row, other, row.reason))}


def _change_view(told: Change) -> Json:
    return {
        **dict(zip(_COUNTS, told.counts, strict=True)),
        "figures": {
            outcome.value: {
                "low": between.low,
                "best": between.best,
                "high": between.high,
                "unknown": between.unknown,
            }
            for outcome, between in told.figures.items()
        },
        "reason": told.reason,
    }


def _row_days(row: Row) -> Json:
    return {
        "start": _day(row.bucket.start) if row.bucket else None,
        "end": _day(row.bucket.end) if row.bucket else None,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _row_keys(row: Row) -> Json:
    return {"period": row.period, **_row_days(row), **row.keys}


def _row_counts(row: Row) -> Json:
    return {
        **dict(zip(_COUNTS, row.counts, strict=True)),
        "figures": {_NAMES[outcome]: _sum_view(told) for outcome, told in row.figures.items()},
        "remainder": row.remainder,
        "coverage": row.coverage,
    }


def _sum_view(summed: Sum) -> Json:
    return {
        "low": summed.low,
        "best": summed.best,
        "high": summed.high,
        "open": summed.open,
        "unknown": summed.unknown,
    }


def _origin_view(origin: Json | None) -> Json | None:
    """Which source a report was imported from, under which licence, and what it calls it."""
    if origin is None:
        return None
    told = {name: origin[name] for name in ("source", "key", "licence")}
    # In one order, whether the report was just recorded or made again from the record.
    return {**told, "kept": dict(sorted(origin["kept"].items()))}


def _sources_view(posted: Json) -> list[Json]:
    return [
        dict(zip(_SOURCE_FIELDS, map(source.get, _SOURCE_FIELDS), strict=True))
        for source in posted.get("sources", ())
    ]


def _about_view(about: Json | None) -> Json | None:
    if about is None:
        return None
    return {name: about.get(name) for name in ("report", "incident", "outcomes")}


def span_view(when: When) -> Json:
    return {
        "start": when.start.isoformat() if when.start else None,
        "end": when.end.isoformat() if when.end else None,
        "earliest": instant_text(when.earliest) if when.earliest else None,
        "latest": instant_text(when.latest) if when.latest else None,
        "precision": when.precision,
        "lasted": when.lasted,
    }


# Many tell of the same days.
@lru_cache(1 << 12)
def _span_told(*read: Any) -> Json:
    return span_view(when_of(dict(zip(_SPAN, read, strict=True))))


@lru_cache(1 << 12)
def _reported_told(*read: str | None) -> str:
    return str(reported_of({"reported": read}))


def _review_view(told: Json) -> Json:
    sources = [
        {name: source.get(name) for name in (*_SOURCE_FIELDS, "sha256")}
        for source in told["evidence"]
    ]
    return {**{name: told[name] for name in _REVIEW_FIELDS}, "evidence": sources}


def _where_view(where: Json, read: Json, theatre: Theatre) -> Json:
    place = theatre.gazetteer.get(read["place"]) if read["place"] else None
    point = read["point"] or [None, None, None]
    return {
        "place": where.get("place"),
        "place_id": read["place"],
        "display": place.display if place else None,
        "sector": read["sector"],
        "as_written": place_as_written(where, read),
        "lat": point[0],
        "lon": point[1],
        "precision": point[2],
    }


def _weapon_view(weapon: str, calibre: float | None, theatre: Theatre) -> Json:
    schemes = theatre.weapons.memberships(WeaponUse(weapon, calibre))
    return {"weapon": weapon, "calibre_mm": calibre, "schemes": schemes}


def _casualties_view(line: Json) -> Json:
    figures, words = line["figures"], line["words"]
    view = {"party": line["party"], "group": line["group"]}
    for outcome in _OUTCOMES:
        if outcome in figures or outcome in words:
            low, best, high = figures.get(outcome) or _UNKNOWN
            view[outcome] = {"low": low, "best": best, "high": high, "words": words.get(outcome)}
    return view


def _bounds(written: list[int | None] | None) -> Json:
    low, best, high = written or _UNKNOWN
    return {"low": low, "best": best, "high": high}
