"""What the service says of itself: complete, true, and asking nobody else."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from service.domain.access import Role
from service.formats.checkpoint import LogKey, new_key
from service.settings import Settings
from service.work import ledger
from tests import pictures
from tests.harness import Service
from tests.processes import application

JSON = "application/json"
PROBLEM = "application/problem+json"
WRITING = frozenset({"post", "patch"})
NO_BODY: Any = {"content": {JSON: {"example": {}}}}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def schema_of(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    whole: dict[str, Any] = service.get("/openapi.json")
    return whole


def test_the_description_is_openapi_3_1_and_its_references_lead_somewhere(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"]
    assert document["info"]["version"]
    for name, schema in document["components"]["schemas"].items():
        meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_route_is_in_the_description_and_says_what_it_does(
    service: Service, document: dict[str, Any]
) -> None:
    assert len(list(operations(document))) >= 45
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert len(operation["description"]) > 20, (method, path)
        assert operation["tags"], (method, path)
        parameters = operation.get("parameters", [])
        assert {p["name"] for p in parameters if p["in"] == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )


def test_every_route_names_all_its_refusals(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        answers = set(operation["responses"])
        # The standard of features says 400 for what is wrong with parameters.
        expected = {"default"} if path.startswith("/v1/ogc") else {"422"}
        if not path.startswith("/health/live") and not path.endswith("/template"):
            expected |= {"503"}
        if "{" in path and method != "put":
            expected |= {"404"}
        if method in WRITING:
            expected |= {"401", "413", "415"}
            assert operation["security"], path
        if method in WRITING and not path.endswith("/bulk"):
            expected |= {"400", "408", "409"}
        if any(p["name"] == "If-Match" for p in operation.get("parameters", ())):
            expected |= {"412", "428"}
        if path.startswith("/v1/"):
            expected |= {"400", "401", "429"}
        if {} not in operation.get("security", [{}]) and path != "/v1/keys/self":
            expected |= {"403"}
        assert expected <= answers, (method, path, expected - answers)


def test_every_answer_is_described_with_its_media_types(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if status == "default" or int(status) >= 400:
                assert set(answer["content"]) == {PROBLEM}, (path, status)
            elif int(status) >= 300 or status == "204":
                assert "content" not in answer, (path, status)
            else:
                for media, content in answer["content"].items():
                    assert content.get("schema"), (path, media)


def examples_of(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    if content["schema"].get("format") == "binary":
        return [pictures.jpeg()]
    name = content["schema"]["$ref"].rpartition("/")[2]
    found: list[Any] = document["components"]["schemas"][name].get("examples", [])
    return found


def test_every_example_of_a_request_is_accepted_as_it_stands(
    service: Service, document: dict[str, Any]
) -> None:
    tried = 0
    for method, path, operation in operations(document):
        if method not in WRITING:
            continue
        for media, content in operation.get("requestBody", NO_BODY)["content"].items():
            examples = examples_of(document, content)
            assert examples, (path, media)
            for example in examples:
                answer = send(service, method, path, media, example)
                assert answer.status_code in (200, 201, 202), (path, example, answer.text)
                assert '"outcome":"rejected"' not in answer.text
                assert answer.headers.get("idempotency-replayed") is None
                tried += 1
    assert tried >= 20


def send(service: Service, method: str, path: str, media: str, example: Any) -> Any:
    """Ask as somebody who may, of things that are there."""
    headers = {"Content-Type": media}
    query = {"sha256": pictures.sha256(example)} if isinstance(example, bytes) else {}
    if "{" in path:
        path, example = there(service, path, example)
        headers["If-Match"] = '"1"'
    content = example if isinstance(example, str | bytes) else json.dumps(example)
    return service.client.request(
        method,
        path,
        params=query,
        content=content if isinstance(content, bytes) else content.encode(),
        headers=service.headers(Role.ADMIN, **headers),
    )


def there(service: Service, path: str, example: Any) -> tuple[str, Any]:
    """A path and an example with the ids of what is there where they have other ones."""
    if path.startswith(("/v1/feeds", "/v1/imports", "/v1/leads")):
        return imported(service, path), example
    if path.startswith("/v1/photos"):
        return photographed(service, path), example
    one = told(service)
    if isinstance(example, bytes):
        return path.format(report_id=one["id"]), example
    if path.endswith("/split"):
        # Something must be left.
        two = told(service, incident=one["incident"])
    elif "clears" in example:
        two = told(service, when=one["when"])
        assert two["flags"] == ["possible_duplicate"]
    else:
        two = told(service)
    ids = {"reports": [two["id"]], "incidents": [two["incident"]], "part_of": two["incident"]}
    step = name = ""
    if "{step_id}" in path:
        titled = {"title": "Shelling near Lachin", "reason": "It had no title."}
        step = service.act(f"/v1/incidents/{one['incident']}/links", titled)["id"]
    if "{name}" in path:
        name = f"key {service.new_id()[-6:]}"
        service.make_key(name)
    path = path.format(report_id=two["id"], incident_id=one["incident"], step_id=step, name=name)
    return path, {**example, **{field: value for field, value in ids.items() if field in example}}


def imported(service: Service, path: str) -> str:
    """A path with the ids of a feed, an import that waits, and a lead."""
    name = f"feed-{service.new_id()[-6:]}"
    service.declare(name)
    waits = service.run(name, "id,when,claimant,where.place\n" + ",never,icrc,Lachin\n" * 12)
    assert waits["state"] == "held"
    service.declare(f"{name}-rss", format="rss")
    entry = "<item><guid>1</guid><title>Shelling near Lachin</title></item>"
    service.run(f"{name}-rss", f"<rss version='2.0'><channel>{entry}</channel></rss>")
    [lead] = service.get("/v1/leads", Role.ADMIN, source=f"{name}-rss")["items"]
    return path.format(name=name, import_id=waits["id"], lead_id=lead["id"])


def photographed(service: Service, path: str) -> str:
    """A path with the id of a photo, which is released where that is to be taken back."""
    photo = pictures.sent(service, told(service)["id"], pictures.jpeg(), Role.REVIEWER)["id"]
    if path.endswith("/withdrawal"):
        service.act(f"/v1/photos/{photo}/release", {"reason": "Nobody is in it."}, Role.ADMIN)
    return path.format(photo_id=photo)


def told(service: Service, **more: Any) -> Any:
    """A report; on its own day, so that it resembles no other one."""
    number = len(service.get("/v1/reports", limit=500)["items"])
    sent = {"when": str(date(2017, 1, 1) + timedelta(days=40 * number)), "claimant": "icrc"}
    return service.post({**sent, "where": {"place": "Lachin"}, **more}, Role.REVIEWER)


def test_the_examples_fit_their_schemas_and_raise_no_doubt(
    service: Service, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    tried = [name for name, schema in schemas.items() if "examples" in schema]
    assert len(tried) >= 11
    for name in tried:
        for example in schemas[name]["examples"]:
            schema_of(document, schemas[name]).validate(example)
    flags = [set(service.post(e)["flags"]) - {"unmapped"} for e in schemas["ReportIn"]["examples"]]
    assert flags == [set()] * len(flags)


QUERIES = (
    *("/v1/reports?limit=500", "/v1/reports?status=verified", "/v1/incidents?limit=500"),
    *("/v1/reports?claimant=nobody", "/v1/tallies", "/v1/coverage", "/v1/aggregates/tallies"),
    *(f"/v1/aggregates?period={p}&by=" for p in ("day&from=2022-08&to=2022-09", "week", "named")),
    *(f"/v1/aggregates?period=year&by={by}" for by in ("sector", "weapon", "claimant", "party")),
    *("/v1/aggregates?period=quarter&by=status,sector&level=2", "/v1/aggregates?clock=received"),
    *("/v1/aggregates?period=april-2016-escalation", "/v1/aggregates?from=2018&to=2018"),
    "/v1/aggregates?compare=previous&from=2022-08&to=2022-09",
    *("/v1/aggregates?window=3", "/v1/aggregates?complete=true&period=quarter&by="),
    "/v1/aggregates?running=ceasefire-1994&period=year",
    "/v1/aggregates?period=day&timezone=Europe/London&from=2022-08&to=2022-08&by=",
    "/v1/aggregates/gaps?claimants=armenian-officials,azerbaijani-officials&period=year",
    "/v1/aggregates/quiet?level=2",
    *("/v1/sectors", "/v1/places", "/v1/places?q=Shusha", "/v1/weapons", "/v1/schemes"),
    *("/v1/claimants", "/v1/parties", "/v1/periods", "/v1/agreements", "/v1/theatre"),
    *("/health/live", "/health/ready"),
    *("/v1/changes?limit=500", "/v1/changes?after=400&limit=500", "/v1/reviews/queue?limit=20"),
    *("/v1/keys", "/v1/keys/self", "/v1/ledger/entries?limit=500"),
    *("/v1/ledger/head", "/v1/ledger/heads", "/v1/ledger/consistency?first=7"),
    *("/v1/feeds", "/v1/imports", "/v1/leads"),
    *("/v1/ogc", "/v1/ogc/conformance", "/v1/ogc/collections"),
)
# Nobody without a key is shown them.
CLOSED = {
    *("/v1/keys", "/v1/keys/self", "/v1/reviews/queue"),
    "/v1/incidents/{incident_id}/groupings",
    *("/v1/imports", "/v1/imports/{import_id}", "/v1/imports/{import_id}/rejects"),
    *("/v1/leads", "/v1/leads/{lead_id}"),
}
IMPORTED = (
    "/v1/feeds/{name}",
    "/v1/imports/{import_id}",
    "/v1/imports/{import_id}/rejects",
    "/v1/leads/{lead_id}",
)


def test_every_answer_has_the_shape_that_is_declared(seeded: Service, tmp_path: Path) -> None:
    key_file = tmp_path / "ledger-key"
    key_file.write_bytes(new_key())
    ledger.catch_up(seeded.database)
    key = LogKey.load(key_file, Settings().ledger_name)
    assert key is not None
    seeded.database.write(lambda session: ledger.sign(session, key, seeded.clock()))
    document = seeded.get("/openapi.json")
    tally = document["components"]["schemas"]["TallyIn"]["examples"][0]
    for sent in (tally, document["components"]["schemas"]["TallyIn"]["examples"][1]):
        seeded.client.post("/v1/tallies", json=sent, headers=seeded.headers())
    items = seeded.get("/v1/incidents", limit=500)["items"]
    reports = seeded.get("/v1/reports", limit=500)["items"]
    for example in document["components"]["schemas"]["ReviewIn"]["examples"][:1]:
        path = f"/v1/reports/{reports[0]['id']}/reviews"
        seeded.act(path, {**example, "status": "corroborated"}, **{"If-Match": '"1"'})
    photo = pictures.sent(seeded, reports[0]["id"], pictures.jpeg(), Role.REVIEWER)["id"]
    seeded.act(f"/v1/photos/{photo}/release", {"reason": "Nobody is in it."}, Role.ADMIN)
    merged = {"incidents": [items[-1]["id"]], "reason": "The same event."}
    seeded.act(f"/v1/incidents/{items[0]['id']}/merge", merged)
    leaf = seeded.get("/v1/changes")["items"][0]["sha256"]
    asked = {
        *((query, query.partition("?")[0]) for query in QUERIES),
        *((f"/v1/incidents/{i['id']}", "/v1/incidents/{incident_id}") for i in items),
        *(
            (f"/v1/incidents/{i['id']}/{part}", f"/v1/incidents/{{incident_id}}/{part}")
            for i in items[:4]
            for part in ("candidates", "groupings")
        ),
        (f"/v1/ledger/inclusion?leaf={leaf}", "/v1/ledger/inclusion"),
        ("/v1/ogc/collections/incidents", "/v1/ogc/collections/{collection_id}"),
        ("/v1/ogc/collections/sectors", "/v1/ogc/collections/{collection_id}"),
        *((imported(seeded, path), path) for path in IMPORTED),
        *((f"/v1/reports/{r['id']}", "/v1/reports/{report_id}") for r in reports[:20]),
        *(
            (f"/v1/reports/{r['id']}/{part}", f"/v1/reports/{{report_id}}/{part}")
            for r in reports[:5]
            for part in ("candidates", "photos", "reviews", "revisions")
        ),
    }
    with application(seeded.url, ledger_key_file=key_file) as client:
        for query, path in sorted(asked):
            content = document["paths"][path]["get"]["responses"]["200"]["content"]
            for role in (Role.ADMIN, *(() if path in CLOSED else (Role.ANONYMOUS,))):
                answer = client.get(query, headers=seeded.headers(role))
                assert answer.status_code == 200, (query, role, answer.text)
                assert answer.headers["content-type"].startswith(JSON), query
                schema_of(document, content[JSON]["schema"]).validate(answer.json())
    untried = {
        path
        for method, path, operation in operations(document)
        if method == "get" and JSON in operation["responses"]["200"]["content"]
    } - {path for _, path in asked}
    assert untried == set()


def test_what_is_written_is_answered_in_the_shape_that_is_declared(service: Service) -> None:
    document = service.get("/openapi.json")
    for method, path, operation in operations(document):
        body = operation.get("requestBody", NO_BODY)
        if method not in WRITING or JSON not in body["content"]:
            continue
        answers = operation["responses"]
        good = next(a for status, a in answers.items() if status.startswith("2"))
        for example in examples_of(document, body["content"][JSON]):
            answer = send(service, method, path, JSON, example)
            assert str(answer.status_code) in answers
            schema_of(document, good["content"][JSON]["schema"]).validate(answer.json())
        if body is NO_BODY:
            continue
        refused = send(service, method, path, JSON, {"x": 1})
        schema = answers[str(refused.status_code)]["content"][PROBLEM]["schema"]
        schema_of(document, schema).validate(refused.json())


def test_the_documentation_asks_nobody_outside(service: Service) -> None:
    page = service.client.get("/docs")
    assert page.status_code == 200
    wanted = re.findall(r"""(?:src|href|url)\s*[=:]\s*['"]([^'"]+)['"]""", page.text)
    assert len(wanted) >= 3
    for address in wanted:
        assert address.startswith("/")
        assert not address.startswith("//")
        assert service.client.get(address).status_code == 200
    assert not re.findall(r"https?://", page.text)
    assert service.client.get("/redoc").status_code == 404
    [style] = [address for address in wanted if address.endswith(".css")]
    assert not re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//", service.client.get(style).text)
