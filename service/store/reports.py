"""Reports as rows, for selecting; what they say stays in their record."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from service.domain.places import fold_words
from service.domain.reports import Report
from service.domain.theatre import Theatre
from service.domain.vocabulary import SUMMED_OUTCOMES, Outcome
from service.formats.disclosure import disclosed
from service.formats.records import disclosure_of, is_waiting, place_as_written, report_of
from service.store import tables
from service.store.database import insert_rows

Record = dict[str, Any]
POSSIBLE_DUPLICATE: Final = "possible_duplicate"
SOURCE: Final = "source"
CIRCLE: Final = "circle"


def insert_reports(
    session: Session,
    records: Iterable[tuple[str, int, Record, datetime]],
    theatre: Theatre,
    read: Mapping[str, Report] | None = None,
) -> None:
    """Write what is current of reports, by id, revision, record and when they came.

    `read` are those of them, by id, that are at hand as the rules see them.
    """
    read = read or {}
    rows: list[dict[str, Any]] = []
    terms: list[dict[str, Any]] = []
    for report_id, revision, record, received in records:
        report = read.get(report_id) or report_of(report_id, record)
        rows.append(_row(report, revision, record, received, theatre))
        terms.extend(
            {"report_id": report_id, "kind": kind, "value": value} for kind, value in _terms(record)
        )
    insert_rows(session, tables.Report.__table__, rows)
    insert_rows(session, tables.ReportTerm.__table__, terms)


def _row(
    report: Report, revision: int, record: Record, received: datetime, theatre: Theatre
) -> dict[str, Any]:
    point, embargo = report.point, disclosure_of(record).embargo
    return {
        "id": report.id,
        "incident_id": record["incident"],
        "revision": revision,
        "level": report.level,
        "embargo": embargo,
        "owner": record["authors"][0] if record["authors"] else "",
        "waiting": is_waiting(record),
        "gravity": report.gravity,
        "status": record["status"],
        "counted": record["counted"],
        "stance": report.stance.value,
        "claimant": report.claimant,
        "attributed_to": report.attributed_to,
        "sector": report.sector,
        "place": record["published"]["place"],
        "latitude": point.latitude if point else None,
        "longitude": point.longitude if point else None,
        "start_day": report.when.known_start,
        "end_day": report.when.known_end,
        "reported_start": report.reported.known_start,
        "reported_end": report.reported.known_end,
        "received_at": received,
        "received_day": theatre.day_of(received),
        "killed_low": report.low_of(Outcome.KILLED),
        "search_text": search_text(record, theatre),
        "record": record,
    }


def _terms(record: Record) -> set[tuple[str, str]]:
    read, origin = record["resolved"], record.get("origin")
    return {
        *([(SOURCE, origin["source"]), (CIRCLE, origin["circle"])] if origin else []),
        *(("weapon", weapon) for weapon, _ in read["weapons"]),
        *((POSSIBLE_DUPLICATE, incident) for incident in record.get("possible_duplicates", ())),
        *(
            ("party", line["party"])
            for line in read["casualties"]
            if line["party"] and not line["figures"].keys().isdisjoint(SUMMED_OUTCOMES)
        ),
    }


def search_text(record: Record, theatre: Theatre) -> str:
    """What every reader of the report may see of it, folded: never what is private."""
    shown = disclosed(record, theatre)
    posted, read = shown["posted"], shown["resolved"]
    where = posted["where"]
    place = theatre.gazetteer.get(read["place"]) if read["place"] else None
    texts = [
        posted.get("summary"),
        place_as_written(where, read),
        where.get("place"),
        read["claimant"],
        place.display if place else None,
        *(name.name for name in (place.names if place else ())),
        *(source["title"] for source in posted.get("sources", ())),
        *(source.get("publisher") for source in posted.get("sources", ())),
    ]
    return fold_words(" ".join(text for text in texts if text))
