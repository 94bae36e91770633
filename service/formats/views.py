"""What readers are shown of reports, incidents and sums; nothing private passes here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from service.domain.aggregates import Row, Table
from service.domain.disclosure import SMALLEST_LOT
from service.domain.figures import Figure, Sum
from service.domain.incidents import Account, Established, Slot
from service.domain.queries import AggregateQuery, Dimension
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome
from service.domain.weapons import WeaponUse
from service.domain.when import When
from service.formats.disclosure import disclosed
from service.formats.records import (
    instant_text,
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


def aggregate_columns(by: Sequence[Dimension]) -> list[str]:
    """The columns of an answer by these dimensions."""
    keys = [key for dimension in by for key in (dimension, *(["within"] * (dimension == "sector")))]
    sums = [
        f"figures.{outcome}.{part}"
        for outcome in SUMMED_OUTCOMES
        for part in (*_BOUNDS, "open", "unknown")
    ]
    return [
        *("period", "start", "end"),
        *keys,
        *("incidents", "episodes", "reports", "possible_duplicates"),
        *sums,
        *("remainder", "coverage", "incidents_url"),
    ]


def report_view(report_id: str, revision: int, record: Json, theatre: Theatre) -> Json:
    """A report as somebody sees it whom `record` was disclosed to."""
    posted, read = record["posted"], record["resolved"]
    when = when_of(read)
    return {
        "id": report_id,
        "revision": revision,
        "incident": record["incident"],
        "when": posted["when"],
        "timezone": posted.get("timezone"),
        **span_view(when),
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
        "reported": str(reported_of(read)),
        "received": theatre.day_of(datetime.fromisoformat(record["received_at"])).isoformat(),
        "reviews": [_review_view(told) for told in record["reviews"]],
        "disclosure": {
            name: record["disclosure"][name] for name in ("visibility", "embargo", "place")
        },
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


def table_view(
    table: Table,
    query: AggregateQuery,
    links: Sequence[str],
    total_link: str,
    as_of: Json | None = None,
    included: int | None = None,
) -> Json:
    """An answer as tidy rows and their total; `links` leads to the incidents behind each row.

    `included` is how many incidents that the reader is not shown are in the sums, where asked.
    """
    return {
        "period": query.grain,
        "series": query.series,
        "by": list(query.by),
        "level": query.filters.level,
        "clock": query.filters.clock,
        "as_of": as_of,
        # Never whether anything is left out: asked of each month and line that would tell of one.
        "restricted": None if included is None else {"included": included, "lot": SMALLEST_LOT},
        "from": table.timeline.first.isoformat(),
        "to": table.timeline.last.isoformat(),
        "additive": table.additive,
        "total": {**_row_counts(table.total), "incidents_url": total_link},
        "cells": [
            {**_row_keys(row), **_row_counts(row), "incidents_url": link}
            for row, link in zip(table.rows, links, strict=True)
        ],
    }


def _row_keys(row: Row) -> Json:
    return {
        "period": row.period,
        "start": row.bucket.start.isoformat() if row.bucket else None,
        "end": row.bucket.end.isoformat() if row.bucket else None,
        **row.keys,
    }


def _row_counts(row: Row) -> Json:
    return {
        "incidents": row.incidents,
        "episodes": row.episodes,
        "reports": row.reports,
        "possible_duplicates": row.possible_duplicates,
        "figures": {outcome.value: _sum_view(summed) for outcome, summed in row.figures.items()},
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
        {name: source.get(name) for name in _SOURCE_FIELDS} for source in posted.get("sources", ())
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
    return {
        "party": line["party"],
        "group": line["group"],
        **{
            outcome.value: {
                **_bounds(line["figures"].get(outcome)),
                "words": line["words"].get(outcome),
            }
            for outcome in Outcome
            if outcome in line["figures"] or outcome in line["words"]
        },
    }


def _bounds(written: list[int | None] | None) -> Json:
    low, best, high = written or (None, None, None)
    return {"low": low, "best": best, "high": high}
