"""What is answered is never old: tags, what may be kept of answers, and what is kept in memory."""

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import combinations, pairwise, permutations
from typing import Any

import anyio
import brotli
import httpx2
import pytest
import sqlalchemy as sa
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from service.api.freshness import Answers, Encoded, Kept
from service.domain.access import Role
from service.store import tables
from tests.happenings import Driver, happenings
from tests.harness import BACKENDS, Databases, Service
from tests.processes import application, at_once, server

REPORT = {
    "when": "2022-09-20",
    "where": {"place": "Lachin"},
    "claimant": "a monitor",
    "casualties": [{"killed": 1}],
}
RESTRICTED = {"disclosure": {"visibility": "restricted"}}
SUM = "/v1/aggregates?period=year"
DATA = (
    *(SUM, "/v1/aggregates?period=total&by=", "/v1/aggregates?period=year&format=csv"),
    *("/v1/reports", "/v1/reports?format=csv&limit=1", "/v1/incidents", "/v1/coverage"),
    *("/v1/tallies", "/v1/aggregates/tallies", "/v1/changes", "/v1/sectors", "/v1/places?q=Lachin"),
    "/v1/aggregates?period=year&compare=previous",
    "/v1/aggregates/gaps?claimants=icrc,armenian-officials&period=year",
    *("/v1/theatre", "/v1/ledger/entries", "/v1/aggregates?period=year&as_of=2022-12-31"),
)
DECODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
    "identity": bytes,
}


def ask(
    client: TestClient | httpx2.Client, path: str, *, held: str | None = None, **headers: str
) -> Any:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if held is not None:
        told["If-None-Match"] = held
    return client.get(path, headers=told)


def killed(answer: Any) -> int:
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"]["figures"]["killed"]["best"])


@pytest.fixture
def others(service: Service) -> Iterator[list[TestClient | httpx2.Client]]:
    """Another instance in this process, and one in a process of its own."""
    with (
        application(service.url) as instance,
        server(service.url) as process,
        process.client() as client,
    ):
        yield [instance, client]


def test_the_first_answer_after_a_201_shows_it_in_every_process(
    service: Service, others: list[TestClient | httpx2.Client]
) -> None:
    everywhere = [service.client, *others]
    service.post(REPORT)
    for reports in range(1, 6):
        tags = {}
        for number, client in enumerate(everywhere):
            first, again = ask(client, SUM), ask(client, SUM)
            assert killed(first) == killed(again) == reports
            tags[number] = first.headers["etag"]
            assert again.headers["etag"] == first.headers["etag"]
        service.post(REPORT)
        for number, client in enumerate(everywhere):
            assert killed(ask(client, SUM, held=tags[number])) == reports + 1


def test_who_writes_reads_it_at_once_while_others_write_too(service: Service) -> None:
    with application(service.url) as other:
        clients = [service.client, other]
        for client in clients:
            assert client.get("/nowhere").status_code == 404
        bodies: dict[tuple[str, str], bytes] = {}

        def write_and_read(writer: int) -> list[str]:
            wrong = []
            for _ in range(4):
                told = clients[writer % 2].post(
                    "/v1/reports", json=REPORT, headers=service.headers()
                )
                assert told.status_code == 201, told.text
                for client in clients:
                    listed = ask(client, "/v1/reports?limit=500&clock=received")
                    if told.json()["id"] not in listed.text:
                        wrong.append(told.json()["id"])
                    key = "list", listed.headers["etag"]
                    if bodies.setdefault(key, listed.content) != listed.content:
                        wrong.append(listed.headers["etag"])
            return wrong

        assert at_once([partial(write_and_read, writer) for writer in range(6)]) == [[]] * 6
    assert killed(ask(service.client, SUM)) == 24


@given(script=st.lists(happenings, min_size=3, max_size=6))
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_happens_what_is_kept_is_what_would_be_made_anew(
    databases: Databases, backend: str, script: list[tuple[Any, ...]]
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        driver = Driver(service)
        bodies: dict[tuple[str, Role, str], bytes] = {}
        with application(url, cache_bytes=0) as forgetful:
            for happening in script:
                driver.run([happening])
                for path in DATA:
                    for role in (Role.ANONYMOUS, Role.REVIEWER):
                        headers = service.headers(role)
                        kept = service.client.get(path, headers=headers)
                        made = forgetful.get(path, headers=headers)
                        assert kept.content == made.content, path
                        assert kept.headers["etag"] == made.headers["etag"], path
                        known = bodies.setdefault((path, role, made.headers["etag"]), made.content)
                        assert known == made.content, path
        service.close()


@pytest.mark.parametrize("path", DATA)
def test_who_has_the_answer_is_told_so_until_something_changes(service: Service, path: str) -> None:
    service.post(REPORT)
    first = ask(service.client, path)
    tag = first.headers["etag"]
    assert tag.startswith('"'), "a strong tag"
    for _ in range(2):
        again = ask(service.client, path, held=tag)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]
    service.post(REPORT)
    assert ask(service.client, path, held=tag).status_code == 200


def test_saying_that_nothing_changed_asks_the_database_for_nothing_else(service: Service) -> None:
    tag = ask(service.client, SUM).headers["etag"]
    statements: list[str] = []
    sa.event.listen(
        service.database.engine, "before_cursor_execute", lambda *event: statements.append(event[2])
    )
    with application(service.url, cache_bytes=0) as other:
        assert ask(other, SUM, held=tag).status_code == 304
    assert ask(service.client, SUM, held=tag).status_code == 304
    assert ask(service.client, SUM).status_code == 200
    assert statements == []


@pytest.mark.parametrize("cache_bytes", [0, 1_000_000])
@pytest.mark.parametrize(
    ("held", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", W/"more" , {}', 304),
        ("*", 304),
        ('"other"', 200),
        ('W/"other"', 200),
        ("", 200),
        ("unquoted", 200),
        ('"', 200),
    ],
)
def test_tags_are_compared_as_the_protocol_says(
    service: Service, held: str, status: int, cache_bytes: int
) -> None:
    with application(service.url, cache_bytes=cache_bytes) as client:
        tag = ask(client, SUM).headers["etag"]
        assert ask(client, SUM, held=held.format(tag)).status_code == status


def test_the_order_of_header_fields_changes_no_tag(service: Service) -> None:
    fields = [("Host", "here.example"), ("Accept", "application/json"), ("Accept-Encoding", "gzip")]
    answers = [
        service.client.get(SUM, headers=httpx2.Headers([*order])) for order in permutations(fields)
    ]
    assert len({answer.headers["etag"] for answer in answers}) == 1


def test_every_reader_host_format_and_coding_has_a_tag_of_its_own(service: Service) -> None:
    readers = [service.headers(role) for role in Role]
    readers.append(service.headers(key=service.make_key("another partner", Role.PARTNER)))
    forms = [{"Accept": "text/csv"}, {"Host": "elsewhere.example"}]
    codings = [{"Accept-Encoding": coding} for coding in DECODED]
    tags = [
        service.client.get("/v1/incidents", headers=headers).headers["etag"]
        for headers in (*readers, *forms, *codings)
    ]
    for one, other in combinations(tags, 2):
        assert one != other
    paths = ("/v1/incidents?limit=5", "/v1/incidents?limit=6", "/v1/reports?limit=5")
    assert len({ask(service.client, path).headers["etag"] for path in paths}) == 3


def test_what_is_kept_for_one_reader_reaches_no_other(service: Service) -> None:
    service.post({**REPORT, "summary": "kestrel", **RESTRICTED}, Role.REVIEWER)
    service.post(REPORT)
    for path in ("/v1/reports", "/v1/incidents", SUM):
        seen = {}
        for role in (Role.REVIEWER, Role.ANONYMOUS, Role.PARTNER) * 2:
            seen[role] = service.client.get(path, headers=service.headers(role))
        held = seen[Role.REVIEWER].headers["etag"]
        answer = ask(service.client, path, held=held)
        assert answer.status_code == 200
        for other in (answer, seen[Role.ANONYMOUS], seen[Role.PARTNER]):
            assert "kestrel" not in other.text
            assert other.content != seen[Role.REVIEWER].content


def test_a_key_that_loses_its_role_is_shown_nothing_that_was_kept_for_it(service: Service) -> None:
    service.post({**REPORT, "summary": "kestrel", **RESTRICTED}, Role.REVIEWER)
    headers = service.headers(key=service.make_key("somebody", Role.REVIEWER))
    first = service.client.get("/v1/reports", headers=headers)
    assert "kestrel" in first.text
    change = {"role": "partner"}
    service.client.patch("/v1/keys/somebody", json=change, headers=service.headers(Role.ADMIN))
    held = {**headers, "If-None-Match": first.headers["etag"]}
    again = service.client.get("/v1/reports", headers=held)
    assert again.status_code == 200
    assert "kestrel" not in again.text
    service.act("/v1/keys/somebody/revoke", {}, Role.ADMIN)
    assert service.client.get("/v1/reports", headers=held).status_code == 401


def test_links_lead_to_the_host_that_was_asked(service: Service) -> None:
    for _ in range(3):
        service.post(REPORT)
    path = "/v1/reports?limit=1&format=csv"
    for host in ("one.example", "two.example") * 2:
        answer = service.client.get(path, headers={"Host": host})
        assert host in answer.headers["link"]


@pytest.mark.parametrize("coding", DECODED)
def test_each_coding_holds_the_same_bytes(seeded: Service, coding: str) -> None:
    for path in ("/v1/incidents", "/v1/incidents?format=csv"):
        plain = ask(seeded.client, path, Accept_Encoding="identity").content
        for _ in range(2):
            headers = {"Accept-Encoding": coding}
            with seeded.client.stream("GET", path, headers=headers) as answer:
                raw = b"".join(answer.iter_raw())
            assert answer.headers.get("content-encoding", "identity") == coding
            assert "Accept-Encoding" in answer.headers["vary"]
            assert DECODED[coding](raw) == plain
            tag = answer.headers["etag"]
            again = ask(seeded.client, path, held=tag, Accept_Encoding=coding)
            assert again.status_code == 304
            other = ask(seeded.client, path, held=tag, Accept_Encoding="x-other")
            assert other.status_code == 200


def test_a_receipt_is_not_encoded(service: Service) -> None:
    long = {**REPORT, "summary": "lantern " * 200}
    headers = {**service.headers(), "Accept-Encoding": "gzip, br, zstd"}
    answer = service.client.post("/v1/reports", json=long, headers=headers)
    assert answer.status_code == 201
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("coding", DECODED)
def test_what_comes_in_pieces_is_sent_in_pieces(coding: str) -> None:
    """The second piece is asked for when something of the first has been sent."""
    sent: list[Any] = []
    sent_before: list[int] = []

    async def pieces() -> Any:
        for number in range(4):
            sent_before.append(sum(len(m.get("body", b"")) for m in sent))
            yield b"".join(b"%d,%d\r\n" % (number, n * 7919 % 10007) for n in range(100_000))

    async def run() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.4"},
            "headers": [(b"accept-encoding", coding.encode())],
        }
        await Encoded(StreamingResponse(pieces(), media_type="text/csv"))(scope, receive, send)

    anyio.run(run)
    assert all(later > earlier for earlier, later in pairwise(sent_before))


def test_answers_say_who_may_keep_them(service: Service) -> None:
    told = service.post(REPORT)
    one = f"/v1/reports/{told['id']}"
    wanted = {
        Role.ANONYMOUS: "public, no-cache",
        Role.MONITOR: "no-store",
        Role.PARTNER: "private, no-cache",
        Role.REVIEWER: "private, no-cache",
    }
    for role, expected in wanted.items():
        for path in (SUM, "/v1/reports?format=csv", one):
            answer = service.client.get(path, headers=service.headers(role))
            assert answer.headers["cache-control"] == expected
            assert answer.headers["vary"].startswith("Authorization, Accept")
    admin = service.headers(Role.ADMIN)
    for answer in (
        service.client.get("/v1/keys", headers=admin),
        service.client.get("/v1/keys/self", headers=admin),
        service.client.get("/health/ready"),
        service.client.get("/v1/reports/unknown"),
        service.client.get("/v1/aggregates?by=nothing"),
        service.client.get("/v1/reports", headers={"Authorization": "Bearer wrong"}),
        service.client.post("/v1/reports", json=REPORT, headers=service.headers()),
        service.client.post("/v1/reports", json={}, headers=service.headers()),
    ):
        assert answer.headers["cache-control"] == "no-store", answer.url
        assert answer.headers.get("etag", '"1"') == '"1"', answer.url


def test_the_tag_of_one_report_is_its_revision(service: Service) -> None:
    told = service.post(REPORT)
    path = f"/v1/reports/{told['id']}"
    for _ in range(2):
        answer = ask(service.client, path, held='"1"')
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    changed = service.change(told, summary="It was at noon.")
    answer = ask(service.client, path)
    assert (answer.json()["summary"], answer.headers["etag"]) == ("It was at noon.", '"2"')
    assert changed["revision"] == 2


def test_an_answer_that_follows_from_the_clock_changes_with_it(service: Service) -> None:
    service.declare("north", schedule="0 0 * * *")

    def ask_once(session: Session) -> None:
        feed = session.get_one(tables.Feed, "north")
        feed.asked_at = feed.moved_at = service.clock()

    service.database.write(ask_once)
    tag = ask(service.client, "/v1/feeds").headers["etag"]
    assert ask(service.client, "/v1/feeds", held=tag).status_code == 304
    before = service.get("/v1/feeds")
    service.clock.now += timedelta(days=30)
    answer = ask(service.client, "/v1/feeds", held=tag)
    assert service.get("/v1/feeds") != before
    assert (answer.status_code, answer.json()) == (200, service.get("/v1/feeds"))


def test_an_earlier_moment_is_shown_anew_when_something_of_it_is_hidden(service: Service) -> None:
    told = service.post({**REPORT, "summary": "kestrel"})
    path = "/v1/reports?as_of=2022-10-01"
    first = ask(service.client, path)
    assert "kestrel" in first.text
    assert ask(service.client, path, held=first.headers["etag"]).status_code == 304
    service.change(told, Role.REVIEWER, **RESTRICTED)
    again = ask(service.client, path, held=first.headers["etag"])
    assert again.status_code == 200
    assert "kestrel" not in again.text


def test_answers_from_memory_are_counted_like_others(databases: Databases, backend: str) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url, settings={"metrics": True})
        tag = ask(service.client, SUM).headers["etag"]
        ask(service.client, SUM)
        ask(service.client, SUM, held=tag)
        counts = service.client.get("/metrics", headers=service.headers(Role.ADMIN)).text
        for status, times in ((200, 2), (304, 1)):
            labels = f'method="GET",route="/v1/aggregates",status="{status}"'
            assert f"ceasefire_requests_total{{{labels}}} {times}.0" in counts
        service.close()


def kept(size: int) -> Kept:
    return Kept(1, "tag", Response(b"x" * size), None)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3_000)), max_size=40))
def test_memory_never_holds_more_than_it_may(steps: list[tuple[int, int]]) -> None:
    answers, most = Answers(16_000), 16_000
    newest: dict[bytes, Kept] = {}
    for name, size in steps:
        question = b"%d" % name
        newest[question] = kept(size)
        answers.keep(question, newest[question])
        found = {q: answers.get(q) for q in newest}
        assert sum(each.size for each in found.values() if each) <= most
        # What is found is never an older answer than the last one that fitted.
        for each, answer in found.items():
            assert answer is None or answer.size <= most // 8 or answer is newest[each]


def test_what_was_not_asked_for_longest_leaves_first() -> None:
    answers = Answers(16_000)
    for name in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"):
        answers.keep(name, kept(1_000))
        answers.get(b"a")
    answers.keep(b"i", kept(1_000))
    assert answers.get(b"a") is not None
    assert answers.get(b"b") is None
    assert answers.get(b"i") is not None


def test_one_long_answer_does_not_push_the_others_out() -> None:
    answers = Answers(16_000)
    answers.keep(b"a", kept(100))
    answers.keep(b"long", kept(10_000))
    assert answers.get(b"a") is not None
    assert answers.get(b"long") is None
