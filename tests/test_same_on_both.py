"""The same requests give the same bytes, whichever database is underneath."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.access import Role
from service.formats import sealing
from service.work import keys
from tests.happenings import Driver
from tests.harness import BACKENDS, Databases, Service, fill
from tests.reckoning import Json
from tests.test_recount import DIMENSIONS, questions, scripts

HEADERS = ("Content-Type", "ETag", "Location", "Link", "Idempotency-Replayed")
few = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Answer = tuple[str, int, dict[str, str], bytes]


@contextmanager
def recorded(databases: Databases, backend: str, content: str) -> Iterator[Any]:
    """A service, and everything it answers from now on."""
    answers: list[Answer] = []

    def keep(response: Any) -> None:
        response.read()
        told = {name: response.headers.get(name, "") for name in HEADERS}
        answers.append((str(response.request.url), response.status_code, told, response.content))

    with databases.fresh(backend, "nothing") as url, no_chance():
        fill(url, content)
        service = Service(url)
        service.client.event_hooks["response"].append(keep)
        try:
            yield service, answers
        finally:
            service.close()


@contextmanager
def no_chance() -> Iterator[None]:
    """Salts and keys that are the same in every run, so that the leaves of the ledger are."""
    salts = count(1)
    drawn = SimpleNamespace(
        token_bytes=lambda size: next(salts).to_bytes(size),
        token_urlsafe=lambda size: f"{next(salts):0{size}}",
    )
    with patch.object(sealing, "secrets", drawn), patch.object(keys, "secrets", drawn):
        yield


def ask_everything(service: Service) -> None:
    """Every list from both ends on every clock, page by page, and every thing by its id."""
    for path in ("/v1/changes", "/v1/ledger/entries"):
        for role in (Role.ANONYMOUS, Role.ADMIN):
            service.get(path, role, limit=500)
    service.get("/v1/reviews/queue", Role.ADMIN, limit=50)
    for path in ("/v1/reports", "/v1/incidents"):
        for clock in ("event", "reported", "received"):
            for order in ("newest", "oldest"):
                walk(service, path, limit=7, clock=clock, order=order)
        for form in ("json", "csv"):
            service.client.get(path, params={"format": form, "limit": 500})
        for item in service.get(path, limit=500)["items"]:
            service.client.get(f"{path}/{item['id']}")
            service.get(f"{path}/{item['id']}/candidates")
            if path == "/v1/reports":
                service.client.get(f"{path}/{item['id']}/revisions")
    for path in ("coverage", "tallies", "sectors", "places", "weapons", "claimants", "periods"):
        for form in ("json", "csv"):
            service.client.get(f"/v1/{path}", params={"format": form})


def walk(service: Service, path: str, **asked: Any) -> None:
    page = service.get(path, **asked)
    while page["next"]:
        page = service.get(path, **asked, cursor=page["next"])


def same(transcripts: dict[str, list[Answer]]) -> None:
    one, other = transcripts.values()
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        assert ours == theirs


@few
@given(scripts, st.lists(questions(), min_size=6, max_size=6))
def test_whatever_happens_both_databases_answer_alike(
    databases: Databases, script: Any, asked: list[Json]
) -> None:
    transcripts: dict[str, list[Answer]] = {}
    for backend in BACKENDS:
        with recorded(databases, backend, "reference") as (service, answers):
            Driver(service).run(script)
            ask_everything(service)
            for question in asked:
                for form in ("json", "csv"):
                    service.client.get("/v1/aggregates", params={**question, "format": form})
            transcripts[backend] = answers
    same(transcripts)


def test_both_databases_tell_the_documented_incidents_alike(databases: Databases) -> None:
    transcripts: dict[str, list[Answer]] = {}
    for backend in BACKENDS:
        with recorded(databases, backend, "seeds") as (service, answers):
            ask_everything(service)
            for period in ("month", "quarter", "year", "named", "total"):
                for by in ("", *DIMENSIONS, "sector,weapon", "status,party"):
                    for form in ("json", "csv"):
                        asked = {"period": period, "by": by, "fill": "none", "format": form}
                        service.client.get("/v1/aggregates", params=asked)
            for q in ("Шуша", "hadrut", "mine", "%", "_", "'", "ё"):
                service.client.get("/v1/reports", params={"q": q})
                service.client.get("/v1/incidents", params={"q": q})
            transcripts[backend] = answers
    same(transcripts)


ODD: list[Json] = [
    {"summary": "Ёлка, İstanbul, Straße, ﬁ, \u202e, 𐍈", "claimant": "Éire 😀"},
    {"claimant": "a", "where": {"as_written": "b'; DROP TABLE reports; --"}},
    {"claimant": "A"},
    {"claimant": "á"},
    {"when": "[..2022-09-01]"},
    {"when": "[2022-09-01..]"},
    {"when": "2022-09-01T23:59:59.999999-11:30"},
    {"where": {"lat": 0.1 + 0.2, "lon": 46.000001, "precision": "exact"}},
    {"casualties": [{"killed": 100_000_000}]},
    {"casualties": [{"party": "z", "killed": 1}, {"party": "Z", "killed": 2}]},
    {"weapons": [{"weapon": "mortar", "calibre_mm": 81.9}]},
]


def test_odd_values_come_back_alike(databases: Databases) -> None:
    plain: Json = {"when": "2022-09-01", "where": {"place": "Lachin"}, "claimant": "a monitor"}
    transcripts: dict[str, list[Answer]] = {}
    for backend in BACKENDS:
        with recorded(databases, backend, "reference") as (service, answers):
            for report in ODD:
                service.post({**plain, **report})
                service.clock.advance(microseconds=1)
            ask_everything(service)
            for asked in ({"claimant": "á"}, {"q": "straße"}, {"q": "ﬁ"}, {"min_killed": 2}):
                service.client.get("/v1/reports", params=asked)
            for by in DIMENSIONS:
                service.client.get("/v1/aggregates", params={"by": by, "fill": "none"})
            transcripts[backend] = answers
    same(transcripts)
