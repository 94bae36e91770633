"""What the service says of itself: complete, true, and asking nobody else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from tests.harness import Service

JSON = "application/json"
PROBLEM = "application/problem+json"
WRITING = frozenset({"post", "patch"})


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
    assert len(list(operations(document))) >= 25
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
        expected = {"422"}
        if not path.startswith("/health/live") and not path.endswith("/template"):
            expected |= {"503"}
        if "{" in path:
            expected |= {"404"}
        if method in WRITING:
            expected |= {"401", "413", "415"}
            assert operation["security"], path
        if method in WRITING and not path.endswith("/bulk"):
            expected |= {"400", "408", "409"}
        if method == "patch":
            expected |= {"412", "428"}
        assert expected <= answers, (method, path, expected - answers)
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if int(status) >= 400:
                assert set(answer["content"]) == {PROBLEM}, (path, status)
            else:
                for media, content in answer["content"].items():
                    assert content["schema"], (path, media)


def examples_of(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
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
        for media, content in operation["requestBody"]["content"].items():
            examples = examples_of(document, content)
            assert examples, (path, media)
            for example in examples:
                answer = send(service, method, path, media, example)
                assert answer.status_code in (200, 201), (path, example, answer.text)
                assert '"rejected":1' not in answer.text
                assert answer.headers.get("idempotency-replayed") is None
                tried += 1
    assert tried >= 8


def send(service: Service, method: str, path: str, media: str, example: Any) -> Any:
    headers = {"Content-Type": media}
    if "{" in path:
        sent = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc"}
        path = path.format(report_id=service.post(sent)["id"])
        headers["If-Match"] = '"1"'
    content = example if isinstance(example, str) else json.dumps(example)
    return service.client.request(
        method, path, content=content.encode(), headers=service.headers(**headers)
    )


def test_the_examples_fit_their_schemas_and_raise_no_doubt(
    service: Service, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    for name in ("ReportIn", "ReportChange", "TallyIn", "CoverageIn"):
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
    *("/v1/sectors", "/v1/places", "/v1/places?q=Shusha", "/v1/weapons", "/v1/schemes"),
    *("/v1/claimants", "/v1/parties", "/v1/periods", "/v1/agreements"),
    *("/health/live", "/health/ready"),
)


def test_every_answer_has_the_shape_that_is_declared(seeded: Service) -> None:
    document = seeded.get("/openapi.json")
    tally = document["components"]["schemas"]["TallyIn"]["examples"][0]
    for sent in (tally, document["components"]["schemas"]["TallyIn"]["examples"][1]):
        seeded.client.post("/v1/tallies", json=sent, headers=seeded.headers())
    items = seeded.get("/v1/incidents", limit=500)["items"]
    reports = seeded.get("/v1/reports", limit=500)["items"]
    asked = {
        *((query, query.partition("?")[0]) for query in QUERIES),
        *((f"/v1/incidents/{i['id']}", "/v1/incidents/{incident_id}") for i in items),
        *((f"/v1/reports/{r['id']}", "/v1/reports/{report_id}") for r in reports[:20]),
        *(
            (f"/v1/reports/{r['id']}/revisions", "/v1/reports/{report_id}/revisions")
            for r in reports[:5]
        ),
    }
    for query, path in sorted(asked):
        declared = document["paths"][path]["get"]["responses"]["200"]["content"][JSON]["schema"]
        schema_of(document, declared).validate(seeded.get(query))
    untried = {
        path
        for method, path, operation in operations(document)
        if method == "get" and JSON in operation["responses"]["200"]["content"]
    } - {path for _, path in asked}
    assert untried == set()


def test_what_is_written_is_answered_in_the_shape_that_is_declared(service: Service) -> None:
    document = service.get("/openapi.json")
    for method, path, operation in operations(document):
        if method not in WRITING or path.endswith("/bulk"):
            continue
        answers = operation["responses"]
        good = next(a for status, a in answers.items() if status.startswith("2"))
        for example in examples_of(document, operation["requestBody"]["content"][JSON]):
            answer = send(service, method, path, JSON, example)
            assert str(answer.status_code) in answers
            schema_of(document, good["content"][JSON]["schema"]).validate(answer.json())
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
