"""Every route, asked by everybody: who gets through is written down here, and nowhere else.

"Gets through" means that the answer is neither 401 nor 403. A route that is not in the table
fails, and so does a line for a route that is gone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts

from service.domain.access import Role
from service.store.journal import Author
from service.work import keys
from tests.harness import Service

VALID = frozenset(
    {"anonymous", "partner", "monitor", "importer", "reviewer", "admin", "read-only reviewer"}
)
READERS = VALID
EVERYBODY = VALID | {"expired", "revoked", "unknown", "not a bearer"}
KEYED = VALID - {"anonymous"}
SENDERS = frozenset({"monitor", "importer", "reviewer", "admin"})
REVIEWERS = frozenset({"reviewer", "admin"})
# Who only reads is shown what reviewers work with.
DESK = REVIEWERS | {"read-only reviewer"}
IMPORTERS = frozenset({"importer", "reviewer", "admin"})
ADMINS = frozenset({"admin"})

TABLE: Mapping[str, frozenset[str]] = {
    "GET /": READERS,
    "GET /report": READERS,
    "GET /review": READERS,
    "GET /worker.js": READERS,
    "GET /manifest.webmanifest": READERS,
    # Files that hold no data, asked for many at a time: the gate lets all of them through.
    "GET /page/{version}/{name:path}": EVERYBODY,
    "GET /docs": READERS,
    "GET /docs/oauth2-redirect": READERS,
    "GET /openapi.json": READERS,
    "GET /static-offline-docs": READERS,
    "GET /health/live": EVERYBODY,
    "GET /health/ready": EVERYBODY,
    "GET /v1/agreements": READERS,
    "GET /v1/aggregates": READERS,
    "GET /v1/aggregates/gaps": READERS,
    "GET /v1/aggregates/quiet": READERS,
    "GET /v1/aggregates/tallies": READERS,
    "GET /v1/changes": READERS,
    "GET /v1/claimants": READERS,
    "GET /v1/coverage": READERS,
    "POST /v1/coverage": SENDERS,
    "POST /v1/groupings/{step_id}/undo": REVIEWERS,
    "GET /v1/feeds": READERS,
    "DELETE /v1/feeds/{name}": ADMINS,
    "GET /v1/feeds/{name}": READERS,
    "PUT /v1/feeds/{name}": ADMINS,
    "POST /v1/feeds/{name}/runs": IMPORTERS,
    "GET /v1/imports": IMPORTERS | DESK,
    "GET /v1/imports/{import_id}": IMPORTERS | DESK,
    "POST /v1/imports/{import_id}/discard": REVIEWERS,
    "GET /v1/imports/{import_id}/file": IMPORTERS | DESK,
    "GET /v1/imports/{import_id}/rejects": IMPORTERS | DESK,
    "POST /v1/imports/{import_id}/release": REVIEWERS,
    "GET /v1/incidents": READERS,
    "GET /v1/incidents/{incident_id}": READERS,
    "GET /v1/incidents/{incident_id}/candidates": READERS,
    "GET /v1/incidents/{incident_id}/groupings": DESK,
    "POST /v1/incidents/{incident_id}/links": REVIEWERS,
    "POST /v1/incidents/{incident_id}/merge": REVIEWERS,
    "POST /v1/incidents/{incident_id}/split": REVIEWERS,
    "GET /v1/keys": ADMINS,
    "POST /v1/keys": ADMINS,
    "GET /v1/keys/self": KEYED,
    "PATCH /v1/keys/{name}": ADMINS,
    "POST /v1/keys/{name}/revoke": ADMINS,
    "GET /v1/leads": DESK,
    "GET /v1/leads/{lead_id}": DESK,
    "POST /v1/leads/{lead_id}/dismissal": REVIEWERS,
    "POST /v1/leads/{lead_id}/reports": REVIEWERS,
    "GET /v1/ledger/checkpoint": READERS,
    "GET /v1/ledger/consistency": READERS,
    "GET /v1/ledger/entries": READERS,
    "GET /v1/ledger/head": READERS,
    "GET /v1/ledger/heads": READERS,
    "GET /v1/ledger/inclusion": READERS,
    "GET /v1/ogc": READERS,
    "GET /v1/ogc/api": READERS,
    "GET /v1/ogc/collections": READERS,
    "GET /v1/ogc/collections/incidents/items": READERS,
    "GET /v1/ogc/collections/incidents/items/{incident_id}": READERS,
    "GET /v1/ogc/collections/sectors/items": READERS,
    "GET /v1/ogc/collections/sectors/items/{sector_id}": READERS,
    "GET /v1/ogc/collections/{collection_id}": READERS,
    "GET /v1/ogc/collections/{collection_id}/schema": READERS,
    "GET /v1/ogc/conformance": READERS,
    "GET /v1/outlines": READERS,
    "GET /v1/parties": READERS,
    "GET /v1/periods": READERS,
    "GET /v1/photos/{photo_id}": READERS,
    "GET /v1/photos/{photo_id}/original": DESK,
    "POST /v1/photos/{photo_id}/release": REVIEWERS,
    "POST /v1/photos/{photo_id}/withdrawal": REVIEWERS,
    "GET /v1/places": READERS,
    "GET /v1/reports": READERS,
    "POST /v1/reports": SENDERS,
    "POST /v1/reports/bulk": SENDERS,
    "GET /v1/reports/template": READERS,
    "GET /v1/reports/{report_id}": READERS,
    "PATCH /v1/reports/{report_id}": SENDERS,
    "GET /v1/reports/{report_id}/candidates": READERS,
    "GET /v1/reports/{report_id}/photos": READERS,
    "POST /v1/reports/{report_id}/photos": SENDERS,
    "GET /v1/reports/{report_id}/revisions": READERS,
    "GET /v1/reports/{report_id}/reviews": READERS,
    "POST /v1/reports/{report_id}/reviews": REVIEWERS,
    "GET /v1/reviews/queue": DESK,
    "GET /v1/schemes": READERS,
    "GET /v1/sectors": READERS,
    "GET /v1/tallies": READERS,
    "GET /v1/theatre": READERS,
    "POST /v1/tallies": SENDERS,
    "GET /v1/weapons": READERS,
}
# What stands in a path where it is not a UUID, and in a query where it has to.
IN_PATH = {"name": "nobody"}
IN_QUERY = {
    "first": "1",
    "leaf": "0" * 64,
    "sha256": "0" * 64,
    "claimants": "icrc,armenian-officials",
}
UNKNOWN_ID = "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff"


def routes(service: Service) -> Iterator[str]:
    for context in iter_route_contexts(service.client.app.routes):  # type: ignore[attr-defined]
        for method in getattr(context, "methods", None) or {"GET"}:
            if method != "HEAD":
                yield f"{method} {context.path}"


def asking(service: Service) -> dict[str, dict[str, str]]:
    """The header of everybody who may ask."""
    given = {
        role.value: service.make_key(f"a {role}", role) for role in Role if role != "anonymous"
    }
    given["read-only reviewer"] = service.make_key("a reader", Role.REVIEWER, read_only=True)
    given["revoked"] = service.make_key("a revoked", Role.ADMIN)
    service.database.write(
        lambda s: keys.revoke(s, "a revoked", Author(keys.OPERATOR, service.clock()))
    )
    end = service.clock.now.replace(hour=23)
    given["expired"] = service.make_key("an expired", Role.ADMIN, expires_at=end)
    service.clock.advance(days=1)
    given["unknown"] = keys.PREFIX + "of-nobody"
    bearers = {who: {"Authorization": f"Bearer {key}"} for who, key in given.items()}
    basic = {"Authorization": f"Basic {given['admin']}"}
    return {"anonymous": {}, "not a bearer": basic, **bearers}


def answer_of(service: Service, document: dict[str, Any], route: str, who: dict[str, str]) -> Any:
    method, path = route.split(" ")
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    path = re.sub(r"{(\w+)(:\w+)?}", lambda name: IN_PATH.get(name[1], UNKNOWN_ID), path)
    query = {
        p["name"]: IN_QUERY[p["name"]]
        for p in operation.get("parameters", [])
        if p["in"] == "query" and p["required"]
    }
    media, body = body_of(document, operation)
    return service.client.request(
        method,
        quote(path),
        params=query,
        content=body.encode() if body is not None else None,
        headers={**who, "If-Match": '"1"', **({"Content-Type": media} if media else {})},
        follow_redirects=False,
    )


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> tuple[str, str | None]:
    """An example from the description, in the first format that it takes."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media.startswith("image/"):
            return media, ""
        if "example" in content:
            example = content["example"]
        else:
            name = content["schema"]["$ref"].rpartition("/")[2]
            [example, *_] = document["components"]["schemas"][name].get("examples", [{}])
        return media, example if isinstance(example, str) else json.dumps(example)
    return "", None


def test_every_route_is_in_the_table(service: Service) -> None:
    assert set(routes(service)) == set(TABLE)


def test_everybody_gets_through_where_the_table_says_so_and_nowhere_else(
    service: Service,
) -> None:
    document = service.get("/openapi.json")
    everybody = asking(service)
    assert set(everybody) == EVERYBODY
    wrong = []
    for route in routes(service):
        through = TABLE.get(route, frozenset())
        for who, header in everybody.items():
            answer = answer_of(service, document, route, header)
            # With a key it is known who it is, without one it is not.
            refused = 403 if who in KEYED else 401
            expected = answer.status_code not in (401, 403, 429, 500, 503)
            if who in through and not expected:
                wrong.append(f"{who} is refused at {route}: {answer.status_code} {answer.text}")
            if who not in through and answer.status_code != refused:
                wrong.append(f"{who} gets through at {route}: {answer.status_code} {answer.text}")
    assert wrong == []


def test_all_who_are_nobody_are_told_the_same(service: Service) -> None:
    everybody = asking(service)
    told = {
        service.client.get(path, headers=everybody[who]).content
        for path in ("/v1/keys/self", "/v1/reports", "/v1/reports/" + UNKNOWN_ID, "/v1/nowhere")
        for who in ("expired", "revoked", "unknown", "not a bearer")
    }
    told.add(service.client.get("/v1/keys/self").content)
    assert len(told) == 1


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic bm9ib2R5Og==", "Token x", "x", "Bearer \xff"]
)
def test_whoever_shows_something_that_is_no_key_is_not_taken_for_anonymous(
    service: Service, header: str
) -> None:
    answer = service.client.get(
        "/v1/incidents", headers={"Authorization": header.encode("latin-1")}
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_where_a_key_is_optional_the_description_says_so(service: Service) -> None:
    document = service.get("/openapi.json")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            through = TABLE[f"{method.upper()} {path}"]
            given = operation.get("security", [])
            assert ({} in given, bool(given)) == (through == READERS, through != EVERYBODY), path
