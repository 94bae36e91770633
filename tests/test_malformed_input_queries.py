"""Paths and queries that break a rule, on every route that takes them."""

import base64
import json
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from tests.corpus import MARK, flaws
from tests.harness import Service

LISTS = ("/v1/reports", "/v1/incidents")
WATCHED = ("/v1/tallies", "/v1/coverage", "/v1/aggregates/tallies")
SUMS = "/v1/aggregates"
REFERENCE = tuple(
    f"/v1/{name}"
    for name in (
        *("sectors", "places", "weapons", "schemes", "claimants", "parties", "periods"),
        "agreements",
    )
)
BARE = ("/v1/reports/template", "/health/live", "/health/ready")
ALL = (*LISTS, *WATCHED, SUMS, *REFERENCE, *BARE)

PAGED = {
    "limit": (
        *("-1", "0", "501", "1000000000", str(2**63), "9" * 5_000, "1.0", "1e2", "+5", " 5", "5 "),
        *("５", "٥", "5_0", "0x10", "true", "", MARK),
    ),
    "cursor": (MARK, "", "AAAA", "W10=", base64.b64encode(b'["2022-01-01","x","y"]').decode()),
    "format": (MARK, "", "xml", "JSON"),
}
SPANNED = {
    "from": (
        *(MARK, "", "0", "1659484800", "2022-13", "2022-02-30", "0000", "9999", "20220803"),
        *("2022-08-03T14:30Z", "2022-08~", "[2022..2023]", "2022/2023", "２０２２", "2022\x00"),
    ),
    "sector": (MARK, "", "a" * 201, "lachin\x00", " lachin", "lachin-corridor\n", "\u202elachin"),
}
FILTERS: dict[str, tuple[str, ...]] = {
    **SPANNED,
    "to": ("2022-02-29", "2101"),
    "clock": (MARK, "", "EVENT"),
    "level": ("-1", "10", "1.0", "true", "", str(2**63)),
    "within": (MARK,),
    "place": (MARK, "Аgdam", "\x00", "\u200bLachin"),
    "bbox": (
        *(MARK, "", "1,2,3", "1,2,3,4,5", "47,41,48,40", "-181,0,1,1", "0,-91,1,1", "NaN,0,1,1"),
        *("1e1,0,20,1", "Infinity,0,1,1", "0,0,,1", "0;0;1;1", "١,٠,٢,١"),
    ),
    "weapon": (MARK, "", "MINE"),
    "weapon_exact": (MARK, "", "1", "TRUE", "yes"),
    "claimant": ("", "\x00", "a\nb", "a" * 201),
    "party": ("", "\x00", "a" * 201),
    "attributed_to": ("", "\x00", "a" * 201),
    "status": (MARK, "", "Verified"),
    "contested": (MARK, "", "0"),
    "min_killed": ("-1", "1.5", str(2**63), "true", "", "100000001"),
    "q": ("", "\x00", "\x1b[2J", "a" * 201, "%", "_", "\\", "☃"),
    "according_to": ("", "\x00"),
    "untold_by": ("", "\x00"),
    "time_precision": (MARK, "", "DAY", "span"),
    "place_precision": (MARK, "", "theatre"),
    "period": (MARK, ""),
}


def refused(service: Service, path: str, query: dict[str, Any], field: str | None) -> list[str]:
    answer = service.client.get(path, params=query)
    found = flaws(answer, 422, None if field is None else {field})
    return [f"{path}?{query}: {found}"] if found else []


def test_values_that_break_a_rule_are_refused_by_name(seeded: Service) -> None:
    for path in (*LISTS, *WATCHED, SUMS):
        fields: dict[str, tuple[str, ...]] = {**SPANNED}
        if path not in (SUMS, "/v1/aggregates/tallies"):
            fields |= PAGED
        if path not in WATCHED:
            fields |= FILTERS
        wrong = [
            found
            for name, values in fields.items()
            for value in values
            for found in refused(seeded, path, {name: value}, name)
        ]
        assert wrong == []


def test_sums_refuse_dimensions_and_grids_that_there_are_not(seeded: Service) -> None:
    for query, field in (
        ({"by": MARK}, "by"),
        ({"by": "sector,sector"}, "by"),
        ({"by": "sector;weapon"}, "by"),
        ({"by": "sector " + "x" * 200}, "by"),
        ({"fill": MARK}, "fill"),
        ({"window": "1.5"}, "window"),
        ({"window": str(2**63)}, "window"),
        ({"running": MARK}, "running"),
        ({"compare": MARK}, "compare"),
        ({"complete": "yes"}, "complete"),
        ({"period": "day", "timezone": "../../etc/passwd"}, "timezone"),
        ({"series": MARK, "period": "named"}, "series"),
        ({"period": "day", "from": "1990", "to": "2100"}, None),
    ):
        assert refused(seeded, SUMS, query, field) == []


def test_half_a_bucket_is_refused(seeded: Service) -> None:
    assert refused(seeded, "/v1/incidents", {"bucket": "2022-08"}, "grain") == []
    assert refused(seeded, "/v1/incidents", {"grain": "month"}, "grain") == []
    assert refused(seeded, "/v1/reports", {"grain": "month", "bucket": "2022-08"}, "bucket") == []


def test_unknown_and_repeated_parameters_are_refused_everywhere(seeded: Service) -> None:
    queries = (
        ("verified=true", "verified"),
        ("received_ip=1", "received_ip"),
        ("unknown=", "unknown"),
        ("Limit=5", ""),
        (f"{MARK}={MARK}", ""),
        ("from=2022&from=2022", "from"),
        ("format=json&format=json", "format"),
        (f"{MARK}=1&{MARK}=1", "query"),
        (MARK, "query"),
        ("limit", "query"),
        ("&".join(f"a{i}=1" for i in range(200)), "query"),
        ("q=%ff%fe", "query"),
        ("q=%ed%a0%80", "query"),
    )
    for path, (query, field) in product(ALL, queries):
        answer = seeded.client.get(f"{path}?{query}")
        named = {e["field"] for e in answer.json()["errors"]}
        assert flaws(answer, 422) == [], (path, query)
        # A name that is not plain is not repeated; the answer says only that it was in the query.
        assert named == {field} or (not field and named == {"query"}), (path, query)


def test_writing_takes_no_parameters(service: Service) -> None:
    before = service.state()
    body = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc"}
    for path in ("/v1/reports", "/v1/tallies", "/v1/coverage"):
        answer = service.client.post(f"{path}?verified=true", json=body, headers=service.headers())
        assert flaws(answer, 422, {"verified"}) == []
    bulk = service.headers(**{"Content-Type": "application/x-ndjson"})
    for query, field in (
        ("dry_run=true", "dry_run"),
        ("atomic=1", "atomic"),
        ("atomic=", "atomic"),
    ):
        answer = service.client.post(
            f"/v1/reports/bulk?{query}", content=json.dumps(body), headers=bulk
        )
        assert flaws(answer, 422, {field}) == []
    assert service.state() == before


def test_ids_that_are_none_are_refused_and_unknown_ones_not_found(seeded: Service) -> None:
    patch = {"json": {"reason": MARK}, "headers": seeded.headers(**{"If-Match": '"1"'})}
    for path in ("/v1/reports/{}", "/v1/reports/{}/revisions", "/v1/incidents/{}"):
        field = "incident_id" if "incidents" in path else "report_id"
        for value in (
            str(2**63),
            "-1",
            "1",
            MARK,
            "%00",
            "%ff",
            "a" * 36,
            "0" * 36,
            "..%2e",
            "'--",
        ):
            assert flaws(seeded.client.get(path.format(value)), 422, {field}) == [], (path, value)
        unknown = path.format("01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e10")
        assert flaws(seeded.client.get(unknown), 404) == []
    assert flaws(seeded.client.patch("/v1/reports/1", **patch), 422, {"report_id"}) == []
    unknown = "/v1/reports/01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e10"
    assert flaws(seeded.client.patch(unknown, **patch), 404) == []


@pytest.mark.parametrize("path", [*LISTS, "/v1/tallies", "/v1/coverage"])
def test_a_cursor_that_was_tampered_with_is_refused(seeded: Service, path: str) -> None:
    tally = {
        "claimant": "icrc",
        "from": "2022-08-01T00:00Z",
        "to": "2022-08-02T00:00Z",
        "unit": "shots",
        "count": 1,
    }
    for day in "12":
        sent = {**tally, "count": int(day)}
        seeded.client.post("/v1/tallies", json=sent, headers=seeded.headers())
    for clock in ({}, {"clock": "received"}) if path in LISTS else ({},):
        cursor = seeded.get(path, limit=1, **clock)["next"]
        value, item, mark = json.loads(base64.urlsafe_b64decode(cursor))
        instant = "T" in value
        forged = (
            [value, item],
            [value, item, mark, 1],
            [value, item, "0" * 12],
            [value, MARK, mark],
            [value, 1, mark],
            [None, item, mark],
            ["2022-02-30", item, mark],
            ["2022-08-03" if instant else "2022-08-03T00:00:00+00:00", item, mark],
            ["0001-01-01T00:00:00+14:00", item, mark],
            ["9999-12-31T23:59:59-14:00", item, mark],
            {"value": value},
        )
        for content in forged:
            made = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
            query = {"cursor": made, **clock}
            assert refused(seeded, path, query, "cursor") == [], content
        # Made for one question, it is no answer to another.
        assert refused(seeded, path, {"cursor": cursor, "from": "2022", **clock}, "cursor") == []


def test_text_in_a_query_is_only_text(seeded: Service) -> None:
    for text in ("' OR 'zz'='zz", "{{7*7}}", "Ա" * 200, "%zz%", "z_z", "zz\\"):
        answer = seeded.client.get(f"/v1/reports?q={quote(text, safe='')}&limit=500")
        assert answer.status_code == 200, text
        assert answer.json()["items"] == []
