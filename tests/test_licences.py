"""What a source's licence allows is what readers are shown, by every door. Rows are invented."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.domain.access import Role
from service.work import embargoes
from service.work.reference import Theatres
from tests.harness import Service
from tests.oracle import everything

Json = dict[str, Any]

# Found again wherever any of it is told.
ROW = {
    "event_id_cnty": "ZQX9001",
    "event_date": "2022-08-03",
    "year": "2022",
    "time_precision": "1",
    "disorder_type": "Political violence",
    "event_type": "Violence against civilians",
    "sub_event_type": "Suicide bomb",
    "actor1": "Zqarmy of Ruritania",
    "actor2": "Civilians",
    "country": "Ruritania",
    "admin1": "Zqprovince",
    "location": "Zqstrelsau",
    "latitude": "39.7313",
    "longitude": "46.5127",
    "geo_precision": "1",
    "source": "Zqgazette; Zqradio",
    "notes": "Zqnotes say that a market was hit.",
    "fatalities": "73417341",
}
TOLD = {
    *("zqx9001", "zqarmy", "zqprovince", "zqstrelsau", "zqgazette", "zqradio", "zqnotes"),
    *("73417341", "acled-of-ours", "39.7313", "46.5127"),
}
LICENCE = "For the licensee alone"
ACLED: Json = {
    "url": "https://example.org/acled.csv",
    "source": "acled-of-ours",
    "format": "acled",
    "licence": LICENCE,
}
OPEN: Json = {
    "url": "https://example.org/events.csv",
    "source": "an-open-source",
    "format": "ucdp-ged",
    "licence": "CC BY 4.0",
}
OPEN_ROW = {
    "id": "900001",
    "year": "2022",
    "code_status": "Clear",
    "type_of_violence": "1",
    "dyad_name": "Ruritania - Graustark",
    "side_a": "Government of Ruritania",
    "side_b": "Graustark",
    "source_article": '"Strelsau Gazette,2022-08-04,Shots at the ford"',
    "source_office": "Strelsau Gazette",
    "source_date": "2022-08-04",
    "source_headline": "Shots at the ford",
    "where_prec": "1",
    "where_coordinates": "Strelsau",
    "adm_1": "Upper Province",
    "latitude": "39.6412",
    "longitude": "46.5463",
    "country": "Ruritania",
    "event_clarity": "1",
    "date_prec": "1",
    "date_start": "2022-08-03",
    "date_end": "2022-08-03",
    "deaths_a": "1",
    "deaths_b": "2",
    "deaths_civilians": "0",
    "deaths_unknown": "0",
    "best": "3",
    "high": "5",
    "low": "2",
}
# Those who do not belong to the circle of a restricted source, though one of them ran it.
OUTSIDE = (Role.ANONYMOUS, Role.PARTNER, Role.MONITOR, Role.IMPORTER)
BESIDE: Json = {
    "when": "2022-08-03",
    "where": {"lat": 39.7312, "lon": 46.5126, "as_written": "the market"},
    "claimant": "residents",
    "attributed_to": "azerbaijan",
    "casualties": [{"killed": 12}],
}


def declare(service: Service, name: str, feed: Json, **changes: Any) -> None:
    answer = service.client.put(
        f"/v1/feeds/{name}", json={**feed, **changes}, headers=service.headers(Role.ADMIN)
    )
    assert answer.status_code == 200, answer.text


def run(service: Service, name: str, *rows: Json, role: Role = Role.REVIEWER) -> Json:
    """The import of a file of rows, which must end well."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    answer = service.client.post(
        f"/v1/feeds/{name}/runs", content=text.getvalue(), headers=service.headers(role)
    )
    assert answer.status_code == 202, answer.text
    ended: Json = service.get(f"/v1/imports/{answer.json()['id']}", Role.REVIEWER)
    assert ended["state"] == "done", ended
    assert ended["account"]["rejected"] == ended["account"]["held"] == 0, ended
    return ended


def reports_of(service: Service, source: str, role: Role = Role.REVIEWER) -> list[Json]:
    items = everything(service, "/v1/reports", role=role)
    return [item for item in items if item["origin"] and item["origin"]["source"] == source]


def patched(service: Service, told: Json, role: Role, disclosure: Json) -> Any:
    return service.client.patch(
        f"/v1/reports/{told['id']}",
        json={"reason": "It has changed.", "disclosure": disclosure},
        headers=service.headers(role, **{"If-Match": f'"{told["revision"]}"'}),
    )


def to_the_end(service: Service, path: str, role: Role = Role.ANONYMOUS) -> list[Json]:
    """All leaves of the ledger, as they are told at a path."""
    items: list[Json] = []
    while more := service.get(path, role, after=len(items), limit=500)["items"]:
        items += more
    return items


# A restricted source


@pytest.fixture
def licensed(service: Service) -> Service:
    """With one row of a restricted source."""
    declare(service, "licensed", ACLED)
    run(service, "licensed", ROW, role=Role.IMPORTER)
    return service


def test_its_reports_are_restricted_and_say_where_they_come_from(licensed: Service) -> None:
    [told] = reports_of(licensed, "acled-of-ours")
    assert told["disclosure"] == {"visibility": "restricted", "embargo": None, "place": "exact"}
    assert told["claimant"] == "acled"
    origin = told["origin"]
    assert (origin["source"], origin["licence"], origin["key"]) == (
        "acled-of-ours",
        LICENCE,
        "ZQX9001",
    )
    assert origin["kept"]["actor1"] == "Zqarmy of Ruritania"
    for row in rows_of(licensed, Role.REVIEWER):
        assert (row["origin.source"], row["origin.licence"]) == ("acled-of-ours", LICENCE)
    assert licensed.get(f"/v1/reports/{told['id']}", Role.ADMIN)["origin"] == origin


def rows_of(service: Service, role: Role = Role.ANONYMOUS) -> list[Json]:
    """The list of reports as CSV."""
    answer = service.client.get(
        "/v1/reports", params={"format": "csv"}, headers=service.headers(role)
    )
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("role", OUTSIDE)
def test_nothing_of_its_rows_is_told_by_any_door(licensed: Service, role: Role) -> None:
    [hidden] = reports_of(licensed, "acled-of-ours")
    beside = licensed.post(BESIDE)
    licensed.clock.advance(days=1)
    key = licensed.make_key("a stranger", role) if role is not Role.ANONYMOUS else None
    headers = licensed.headers(role, key=key)
    asked = 0
    for path in doors(licensed, hidden, beside):
        answer = licensed.client.get(path, headers=headers)
        assert answer.status_code < 500, path
        text, question = answer.text.lower(), path.lower()
        # What was asked comes back in links and refusals.
        secrets = {*TOLD, hidden["id"], hidden["incident"]}
        if role is Role.IMPORTER and path.startswith("/v1/feeds"):
            # Those who run feeds have to know them.
            secrets -= {"acled-of-ours"}
        assert [s for s in sorted(secrets) if s in text and s not in question] == [], path
        asked += answer.status_code == 200
    assert asked > 40
    for path in (f"/v1/reports/{hidden['id']}", f"/v1/incidents/{hidden['incident']}"):
        assert licensed.client.get(path, headers=headers).status_code == 404
        unknown = f"{path[:-4]}ffff"
        assert licensed.client.get(unknown, headers=headers).status_code == 404


def doors(service: Service, hidden: Json, beside: Json) -> Iterator[str]:
    """Every question that the service knows, about the row and about what stands beside it."""
    filters = (
        "",
        "q=Zqnotes",
        "q=Zqgazette",
        "claimant=acled",
        "according_to=acled",
        "weapon=ied",
        "attributed_to=Zqarmy of Ruritania",
        "min_killed=7000",
        "bbox=46,39,47,40",
        "from=2022-08-03&to=2022-08-03",
        "as_of=2022-10-01",
        "sector=unlocated",
        "status=unverified",
    )
    ids: Json = {
        "report_id": [hidden["id"], beside["id"]],
        "incident_id": [hidden["incident"], beside["incident"]],
        "import_id": [service.get("/v1/imports", Role.REVIEWER)["items"][0]["id"]],
        "lead_id": [hidden["id"]],
    }
    for path, item in service.client.get("/openapi.json").json()["paths"].items():
        if "get" not in item:
            continue
        names = {parameter["name"] for parameter in item["get"].get("parameters", ())}
        paths = [path.replace("{name}", "licensed")]
        for name, values in ids.items():
            paths = [each.replace(f"{{{name}}}", v) for each in paths for v in values]
        for each in dict.fromkeys(paths):
            for question in filters:
                if not question or question.partition("=")[0] in names:
                    yield f"{each}?{question}"
                    if "format" in names:
                        yield f"{each}?{question}&format=csv"
            if "by" in names:
                yield from (
                    f"{each}?by={by}&fill=none" for by in ("claimant", "weapon", "party", "status")
                )


@pytest.mark.parametrize("role", OUTSIDE)
def test_sums_are_as_if_its_rows_were_not_there(service: Service, role: Role) -> None:
    service.post(BESIDE)
    asked = [
        {"period": "month", "by": by, "fill": "none", **more}
        for by in ("", "sector", "claimant", "weapon", "status")
        for more in ({}, {"bbox": "46,39,47,40"}, {"min_killed": "1"}, {"q": "market"})
    ]
    before = [service.get("/v1/aggregates", role, **each) for each in asked]
    declare(service, "licensed", ACLED)
    run(service, "licensed", ROW, {**ROW, "event_id_cnty": "ZQX9002"})
    assert [service.get("/v1/aggregates", role, **each) for each in asked] == before
    total = service.get("/v1/aggregates", Role.REVIEWER, period="total", by="")["total"]
    assert (total["incidents"], total["figures"]["killed"]["low"]) == (3, 12 + 2 * 73417341)
    assert service.wrong_accounts() == []


def test_feed_and_ledger_hold_no_more_of_it_than_hashes(licensed: Service) -> None:
    [hidden] = reports_of(licensed, "acled-of-ours")
    for role in OUTSIDE:
        for path in ("/v1/ledger/entries", "/v1/changes"):
            text = json.dumps(to_the_end(licensed, path, role)).lower()
            assert [each for each in (*TOLD, hidden["id"]) if each in text] == []
    told = to_the_end(licensed, "/v1/ledger/entries", Role.REVIEWER)
    [opened] = [item for item in told if f'"{hidden["id"]}"' in item.get("entry", "")]
    assert "Zqnotes" in opened["openings"]["content.posted.summary"][1]


@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_nobody_outside_is_pointed_to_it_as_a_duplicate(service: Service, first: str) -> None:
    declare(service, "licensed", ACLED)
    if first == "ours":
        beside = service.post(BESIDE)
    run(service, "licensed", ROW)
    if first == "theirs":
        beside = service.post(BESIDE)
    [hidden] = reports_of(service, "acled-of-ours")
    told = service.get(f"/v1/reports/{beside['id']}")
    assert (told["possible_duplicates"], "possible_duplicate" in told["flags"]) == ([], False)
    found = service.get(f"/v1/reports/{beside['id']}/candidates", Role.REVIEWER)["items"]
    assert hidden["incident"] in json.dumps(found)


def test_a_restricted_source_cannot_be_declared_public(service: Service) -> None:
    for visibility, expected in (("public", 422), ("partners", 200), ("restricted", 200)):
        answer = service.client.put(
            "/v1/feeds/licensed",
            json={**ACLED, "visibility": visibility},
            headers=service.headers(Role.ADMIN),
        )
        assert answer.status_code == expected, answer.text
    answer = service.client.put(
        "/v1/feeds/licensed",
        json={**ACLED, "format": "acled-api", "visibility": "public"},
        headers=service.headers(Role.ADMIN),
    )
    assert answer.status_code == 422
    assert "visibility" in answer.text


def test_that_it_is_asked_at_all_is_told_only_to_its_circle(licensed: Service) -> None:
    for role in (Role.ANONYMOUS, Role.PARTNER, Role.MONITOR):
        assert licensed.get("/v1/feeds", role)["items"] == []
        answer = licensed.client.get("/v1/feeds/licensed", headers=licensed.headers(role))
        unknown = licensed.client.get("/v1/feeds/unknown", headers=licensed.headers(role))
        assert (answer.status_code, unknown.status_code) == (404, 404)
        mine, others = answer.json(), unknown.json()
        assert {**mine, "instance": None} == {**others, "instance": None}
    for role in (Role.IMPORTER, Role.REVIEWER, Role.ADMIN):
        assert [each["name"] for each in licensed.get("/v1/feeds", role)["items"]] == ["licensed"]
    declare(licensed, "licensed", ACLED, visibility="partners")
    assert licensed.get("/v1/feeds", Role.PARTNER)["items"][0]["licence"] == LICENCE
    assert licensed.get("/v1/feeds", Role.MONITOR)["items"] == []


# The circle of a source


@pytest.mark.parametrize(
    ("feed", "circle", "wider"),
    [
        (ACLED, "restricted", ("public", "partners")),
        (OPEN, "restricted", ("public", "partners")),
        (OPEN, "partners", ("public",)),
    ],
)
def test_nobody_widens_a_report_beyond_the_circle_of_its_source(
    service: Service, feed: Json, circle: str, wider: tuple[str, ...]
) -> None:
    declare(service, "chosen", feed, visibility=circle)
    run(service, "chosen", ROW if feed is ACLED else OPEN_ROW, role=Role.IMPORTER)
    [told] = reports_of(service, feed["source"])
    assert told["disclosure"]["visibility"] == circle
    for visibility in wider:
        for role in (Role.REVIEWER, Role.ADMIN):
            answer = patched(service, told, role, {"visibility": visibility})
            assert answer.status_code == 422, answer.text
            [problem] = answer.json()["errors"]
            assert problem["field"] == "disclosure.visibility"
        # Who had it imported is not shown it.
        answer = patched(service, told, Role.IMPORTER, {"visibility": visibility})
        assert answer.status_code == 404
    for nothing in ({"visibility": None}, {"embargo": None}, {}):
        answer = patched(service, told, Role.ADMIN, nothing)
        told = service.get(f"/v1/reports/{told['id']}", Role.ADMIN)
        assert told["disclosure"]["visibility"] == circle, answer.text


def test_an_embargo_that_ends_opens_a_report_no_further_than_its_circle(service: Service) -> None:
    declare(service, "chosen", OPEN, visibility="partners")
    run(service, "chosen", OPEN_ROW)
    [told] = reports_of(service, OPEN["source"])
    answer = patched(service, told, Role.REVIEWER, {"embargo": "2022-10-02T00:00Z"})
    assert answer.status_code == 200, answer.text
    assert reports_of(service, OPEN["source"], Role.PARTNER) == []
    service.clock.advance(days=3)
    assert embargoes.end(service.database, Theatres(), service.clock()) == 1
    assert len(reports_of(service, OPEN["source"], Role.PARTNER)) == 1
    assert reports_of(service, OPEN["source"], Role.ANONYMOUS) == []


def test_a_report_that_was_narrowed_stays_so_when_its_source_says_something_else(
    service: Service,
) -> None:
    declare(service, "open", OPEN)
    run(service, "open", OPEN_ROW)
    [told] = reports_of(service, OPEN["source"], Role.ANONYMOUS)
    answer = patched(service, told, Role.REVIEWER, {"visibility": "partners", "place": "grid"})
    assert answer.status_code == 200, answer.text
    ended = run(service, "open", {**OPEN_ROW, "best": "4", "latitude": "39.6512"})
    assert ended["account"]["changed"] == {"claims": 1, "notes": 0}
    assert reports_of(service, OPEN["source"], Role.ANONYMOUS) == []
    [told] = reports_of(service, OPEN["source"], Role.PARTNER)
    assert told["disclosure"] == {"visibility": "partners", "embargo": None, "place": "grid"}
    assert (told["revision"], told["where"]["lat"]) == (3, 39.65)
    ended = run(service, "open", {**OPEN_ROW, "best": "4", "latitude": "39.6512"})
    assert ended["account"]["unchanged"] == 1


def test_a_source_whose_circle_narrows_narrows_what_a_run_changes(service: Service) -> None:
    declare(service, "open", OPEN)
    run(service, "open", OPEN_ROW)
    assert len(reports_of(service, OPEN["source"], Role.ANONYMOUS)) == 1
    declare(service, "open", OPEN, visibility="restricted")
    run(service, "open", {**OPEN_ROW, "best": "4"})
    for role in OUTSIDE:
        assert reports_of(service, OPEN["source"], role) == []
    [told] = reports_of(service, OPEN["source"])
    answer = patched(service, told, Role.ADMIN, {"visibility": "public"})
    assert answer.status_code == 422
    # What was public until then is said to be so no longer.
    actions = [item["action"] for item in to_the_end(service, "/v1/changes")]
    assert "withheld" in actions
    # A wider one opens nothing by itself, and lets people do so.
    declare(service, "open", OPEN)
    run(service, "open", {**OPEN_ROW, "best": "5"})
    assert reports_of(service, OPEN["source"], Role.ANONYMOUS) == []
    [told] = reports_of(service, OPEN["source"])
    answer = patched(service, told, Role.ADMIN, {"visibility": "public"})
    assert answer.status_code == 200, answer.text
    assert service.wrong_accounts() == []


# An open source


def test_public_reports_say_which_source_under_which_licence(service: Service) -> None:
    declare(service, "open", OPEN)
    run(service, "open", OPEN_ROW)
    [told] = reports_of(service, OPEN["source"], Role.ANONYMOUS)
    origin = told["origin"]
    assert {**origin, "kept": None} == {
        "source": "an-open-source",
        "key": "900001",
        "licence": "CC BY 4.0",
        "kept": None,
    }
    assert origin["kept"]["dyad_name"] == "Ruritania - Graustark"
    for row in rows_of(service):
        shown = [row[f"origin.{name}"] for name in ("source", "key", "licence")]
        assert shown == ["an-open-source", "900001", "CC BY 4.0"]
    posted = service.post(BESIDE)
    assert service.get(f"/v1/reports/{posted['id']}")["origin"] is None


@pytest.mark.parametrize("why", ["coarse", "personal"])
def test_key_and_codes_of_the_source_are_kept_back_where_they_may_tell_more(
    service: Service, why: str
) -> None:
    declare(service, "open", OPEN)
    headline = "Contact Mr. Zqname, +374 91 234567" if why == "personal" else "Shots"
    run(
        service,
        "open",
        {**OPEN_ROW, "source_headline": headline, "where_description": headline},
    )
    [told] = reports_of(service, OPEN["source"])
    if why == "coarse":
        answer = patched(service, told, Role.REVIEWER, {"place": "grid"})
        assert answer.status_code == 200, answer.text
    else:
        assert "personal_data" in told["flags"]
    [shown] = reports_of(service, OPEN["source"], Role.ANONYMOUS)
    assert shown["origin"] == {
        "source": "an-open-source",
        "key": None,
        "licence": "CC BY 4.0",
        "kept": {},
    }
    assert {row["origin.key"] for row in rows_of(service)} == {""}
    for path in ("/v1/changes", "/v1/ledger/entries"):
        about = [
            text for each in to_the_end(service, path) if told["id"] in (text := json.dumps(each))
        ]
        assert about
        assert not [text for text in about if "900001" in text or "Upper Province" in text]
    [everything_of_it] = reports_of(service, OPEN["source"])
    assert everything_of_it["origin"]["key"] == "900001"


def test_no_hash_over_what_is_kept_back_is_told(service: Service) -> None:
    """Who knows the rest of a report could try positions until one gives the hash."""
    declare(service, "open", OPEN)
    run(service, "open", OPEN_ROW)
    [told] = reports_of(service, OPEN["source"])
    assert patched(service, told, Role.REVIEWER, {"place": "grid"}).status_code == 200
    items = to_the_end(service, "/v1/changes")
    origins = [i["content"]["origin"] for i in items if i.get("subject") == told["id"]]
    assert len(origins) == 2
    for origin in origins:
        assert origin.keys() == {"source", "key", "licence", "kept"}
