"""Sources that are asked again and again: when, by whom, with what, and what becomes of it."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.store import tables
from service.work import fetching
from service.work.feeds import Runner
from tests.harness import Databases, Service
from tests.hostile_server import (
    Answer,
    Asked,
    HostileServer,
    Write,
    hostile_server,
    raw,
    silence,
    status,
    unless_known,
    whole,
)
from tests.processes import ROOT, at_once, command, environment
from tests.valley import MAPPING, MAPPING_TOML

NETWORKS = ("127.0.0.0/8",)
SECRET = "correct-horse-battery-staple"
VARIABLE = "CEASEFIRE_FEED_VALLEY"
TRUSTED = httpx2.create_ssl_context(trust_env=False)
TOML = """
[[feed]]
name = "valley"
url = "{url}"
format = "csv"
claimant = "azerbaijani-officials"
schedule = "0 * * * *"
mapping = "valley.toml"
"""


def table(count: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("id", "date", "place", "killed", "note"))
    for n in range(count):
        rows.writerow((f"V{n}", f"2022-09-{n % 28 + 1:02d}", "Lachin", "1", f"Report {n}"))
    return text.getvalue().encode()


GOOD = table(20)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With short pauses, and without reading all certificates for every fetch."""
    monkeypatch.setattr(fetching, "_PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(httpx2, "create_ssl_context", lambda **_: TRUSTED)


@pytest.fixture
def service(databases: Databases, backend: str) -> Iterator[Service]:
    """It may fetch from this machine, as its operator allows."""
    with databases.fresh(backend, "reference") as url:
        service = Service(url, settings={"feed_networks": NETWORKS})
        yield service
        service.close()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


def runner(service: Service) -> Runner:
    found = service.client.app.state.context.runner  # type: ignore[attr-defined]
    assert isinstance(found, Runner)
    return found


def declare(service: Service, url: str, **more: Any) -> dict[str, Any]:
    plain = {"format": "csv", "mapping": MAPPING, "claimant": "azerbaijani-officials", "url": url}
    return service.declare("valley", **{**plain, **more})


def declaration(service: Service) -> dict[str, Any]:
    told: dict[str, Any] = service.get("/v1/feeds/valley", Role.ADMIN)["declaration"]
    return told


def imports(service: Service) -> list[dict[str, Any]]:
    """The newest first."""
    items: list[dict[str, Any]] = service.get("/v1/imports", Role.ADMIN)["items"]
    return items


def reports(service: Service) -> int:
    with service.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(tables.Report)) or 0


def test_a_source_is_asked_and_what_it_gives_is_recorded(
    service: Service, server: HostileServer
) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD)))
    told = service.run("valley")
    assert (told["state"], told["feed"], told["account"]["created"]) == ("done", "valley", 20)
    assert reports(service) == 20
    assert service.get("/v1/feeds/valley")["moved"] == "2022-10-01"


def test_what_it_says_is_unchanged_is_not_recorded_again(
    service: Service, server: HostileServer
) -> None:
    declare(service, server.serve("/feed.csv", unless_known(GOOD, ETag='"1"')), rhythm="36h")
    service.run("valley")
    with service.database.reading() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(tables.Revision))
    service.clock.advance(days=2)
    told = service.run("valley")
    assert (told["state"], told["sha256"], told["account"]["read"]) == ("unmoved", None, 0)
    with service.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(tables.Revision)) == before
    assert server.asked[1].headers["If-None-Match"] == '"1"'
    # It answers, and yet has not moved for longer than its rhythm.
    assert service.get("/v1/feeds/valley")["stale"]


def test_the_same_bytes_again_have_not_moved(service: Service, server: HostileServer) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD), whole(GOOD), whole(table(21))))
    moved = []
    for _ in range(3):
        service.run("valley")
        moved.append(service.get("/v1/feeds/valley")["moved"])
        service.clock.advance(days=1)
    assert moved == ["2022-10-01", "2022-10-01", "2022-10-03"]


def test_another_address_is_asked_for_all_of_it(service: Service, server: HostileServer) -> None:
    declare(service, server.serve("/feed.csv", unless_known(GOOD, ETag='"1"')))
    service.run("valley")
    declare(service, server.serve("/new.csv", unless_known(GOOD, ETag='"1"')))
    assert service.run("valley")["account"]["unchanged"] == 20
    assert server.asked[1].headers["If-None-Match"] is None


def test_a_source_is_asked_when_its_time_has_come(service: Service, server: HostileServer) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD)), schedule="17 * * * *")
    assert runner(service).run_due() == 0
    service.clock.advance(minutes=16, seconds=59)
    assert runner(service).run_due() == 0
    service.clock.advance(seconds=1)
    assert runner(service).run_due() == 1
    assert runner(service).run_due() == 0
    assert [each["feed"] for each in imports(service)] == ["valley"]
    assert declaration(service)["next_run_at"] == "2022-10-01T13:17:00Z"
    service.clock.advance(hours=5)
    # What was missed is asked once, not five times.
    assert runner(service).run_due() == 1
    assert declaration(service)["next_run_at"] == "2022-10-01T18:17:00Z"


def test_a_source_that_fails_is_asked_sooner_and_then_ever_later(
    service: Service, server: HostileServer
) -> None:
    url = server.serve("/feed.csv", status(404))
    declare(service, url, schedule="0 0 * * *")
    service.clock.advance(hours=12)
    pauses = []
    for failures in range(1, 11):
        assert runner(service).run_due() == 1
        told = declaration(service)
        assert told["failures"] == failures
        due = datetime.fromisoformat(told["next_run_at"])
        pauses.append((due - service.clock()) / timedelta(minutes=1))
        service.clock.now = due
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    # Not beyond six hours, nor beyond its schedule.
    assert pauses[-1] == 360
    server.serve("/feed.csv", whole(GOOD))
    assert runner(service).run_due() == 1
    told = declaration(service)
    assert (told["failures"], told["next_run_at"]) == (0, "2022-10-03T00:00:00Z")
    assert reports(service) == 20


def test_a_source_that_falls_silent_is_stale(service: Service, server: HostileServer) -> None:
    declare(
        service,
        server.serve("/feed.csv", whole(GOOD), status(404)),
        schedule="0 0 * * *",
    )
    assert not service.get("/v1/feeds/valley")["stale"]
    service.run("valley")
    service.clock.advance(days=2)
    service.run("valley")
    assert not service.get("/v1/feeds/valley")["stale"]
    # Three times the interval of its schedule.
    service.clock.advance(days=1, seconds=1)
    assert service.get("/v1/feeds/valley")["stale"]


def test_a_withdrawn_feed_is_asked_no_more_and_what_came_stays(
    service: Service, server: HostileServer
) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD)), schedule="0 * * * *")
    service.run("valley")
    answer = service.client.delete("/v1/feeds/valley", headers=service.headers(Role.ADMIN))
    assert answer.status_code == 204
    service.clock.advance(days=1)
    assert runner(service).run_due() == 0
    assert (reports(service), server.connections) == (20, 1)


def test_a_file_declares_feeds_and_twice_changes_nothing(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    file = tmp_path / "feeds.toml"
    (tmp_path / "valley.toml").write_text(MAPPING_TOML)
    file.write_text(TOML.format(url="https://example.org/feed.csv"))
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        service.declare("other")
        answers = [command("feeds", "load", str(file), url=url).stdout for _ in range(2)]
        assert answers == ["1 feeds declared, 1 changed.\n", "1 feeds declared, 0 changed.\n"]
        assert declaration(service)["in_file"]
        assert declaration(service)["feed"]["mapping"]["key"] == "id"
        file.write_text("")
        command("feeds", "load", str(file), url=url)
        names = [item["name"] for item in service.get("/v1/feeds", Role.ADMIN)["items"]]
        assert names == ["other"]
        service.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "file:///etc/passwd"},
        {"url": "https://user:word@example.org/"},
        {"headers": {"Authorization": SECRET}},
        {"headers": {"Authorization": "env:DATABASE_URL"}},
        {"headers": {"Authorization": "env:CEASEFIRE_FEED_X\r\nHost: x"}},
        {"schedule": "often"},
        {"rhythm": "soon"},
        {"format": "guess"},
        {"format": "acled", "mapping": None, "visibility": "public"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_declaration_that_cannot_hold_is_refused(service: Service, wrong: dict[str, Any]) -> None:
    feed = {"url": "https://example.org/", "source": "v", "format": "csv", "mapping": MAPPING}
    given = {name: value for name, value in {**feed, **wrong}.items() if value is not None}
    answer = service.client.put("/v1/feeds/valley", json=given, headers=service.headers(Role.ADMIN))
    assert answer.status_code == 422, answer.text
    assert SECRET not in answer.text


def test_a_secret_goes_to_its_source_and_is_told_nowhere(
    service: Service,
    server: HostileServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    caplog.set_level("DEBUG")
    declared = declare(
        service,
        server.serve("/feed.csv", whole(GOOD), status(403)),
        headers={"X-Access-Token": f"env:{VARIABLE}"},
    )
    told = [declared, service.run("valley"), service.run("valley"), imports(service)]
    told += [service.get("/v1/feeds", role) for role in (Role.ADMIN, Role.ANONYMOUS)]
    assert [asked.headers["X-Access-Token"] for asked in server.asked] == [SECRET, SECRET]
    assert SECRET not in str(told)
    assert SECRET not in caplog.text
    with service.database.reading() as session:
        for each in tables.metadata.sorted_tables:
            assert SECRET not in str(session.execute(sa.select(each)).all())


def test_a_secret_that_is_not_set_asks_nobody(
    service: Service, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    url = server.serve("/feed.csv", whole(GOOD))
    declare(service, url, headers={"X-Access-Token": f"env:{VARIABLE}"})
    told = service.run("valley")
    assert told["state"] == "failed"
    assert VARIABLE in told["detail"]
    assert server.connections == 0


def event(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "type_of_violence": 1,
        "side_a": "A",
        "side_b": "B",
        "country": "X",
        "latitude": 39.6,
        "longitude": 46.5,
        "low": 1,
        "best": 1,
        "high": 1,
        "date_start": "2022-09-13",
        "date_end": "2022-09-13",
        "date_prec": 1,
        "where_prec": 1,
        "deaths_a": 1,
        "deaths_b": 0,
        "deaths_civilians": 0,
        "deaths_unknown": 0,
    }


def page(following: str, *numbers: int, total: int = 4) -> bytes:
    return orjson.dumps(
        {
            "TotalCount": total,
            "TotalPages": 2,
            "NextPageUrl": following,
            "Result": [event(number) for number in numbers],
        }
    )


def paged(service: Service, url: str) -> None:
    headers = {"x-ucdp-access-token": f"env:{VARIABLE}"}
    service.declare("valley", url=url, format="ucdp-api", headers=headers)


def test_every_page_is_fetched_with_its_token(
    service: Service, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    second = server.serve("/api?page=2", whole(page("", 3, 4), Content_Type="application/json"))
    first = server.serve("/api", whole(page(second, 1, 2), Content_Type="application/json"))
    paged(service, first)
    told = service.run("valley")
    assert (told["state"], told["account"]["created"]) == ("done", 4)
    assert [asked.headers["x-ucdp-access-token"] for asked in server.asked] == [SECRET, SECRET]


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (status(500), "unreachable"),
        (whole(b'{"TotalCount": 4, "Res', Content_Type="application/json"), "truncated"),
        (whole(page("", 3), Content_Type="application/json"), "truncated"),
        (whole(page("", 3, 4, total=5), Content_Type="application/json"), "truncated"),
    ],
    ids=["gone", "cut", "fewer", "changed meanwhile"],
)
def test_a_page_that_fails_keeps_out_all(
    service: Service,
    server: HostileServer,
    monkeypatch: pytest.MonkeyPatch,
    second: Any,
    fault: str,
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    following = server.serve("/api?page=2", second)
    paged(
        service,
        server.serve("/api", whole(page(following, 1, 2), Content_Type="application/json")),
    )
    told = service.run("valley")
    assert (told["state"], told["fault"]) == ("failed", fault)
    assert reports(service) == 0


def test_pages_of_another_host_are_not_asked(
    service: Service, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    with hostile_server() as canary:
        following = canary.serve("/api", whole(page("", 3, 4), Content_Type="application/json"))
        first = whole(page(following, 1, 2), Content_Type="application/json")
        paged(service, server.serve("/api", first))
        told = service.run("valley")
        assert (told["state"], told["fault"]) == ("failed", "redirect_refused")
        assert canary.connections == 0


def held_back(body: bytes, until: threading.Event) -> Answer:
    """Answers only then, or when the server ends."""

    def answer(asked: Asked, write: Write) -> None:
        while not until.wait(0.05) and not asked.over.is_set():
            pass
        whole(body)(asked, write)

    return answer


def test_who_runs_a_feed_at_once_runs_it_once(service: Service, server: HostileServer) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD)), schedule="0 * * * *")
    service.clock.advance(hours=1)
    assert sum(at_once([runner(service).run_due] * 4)) == 1
    assert server.connections == 1
    others_refused, refused = threading.Event(), []
    server.serve("/feed.csv", held_back(GOOD, others_refused))

    def ask() -> int:
        answer = service.client.post("/v1/feeds/valley/runs", headers=service.headers(Role.ADMIN))
        if answer.status_code == 409:
            refused.append(answer)
        if len(refused) == 3:
            others_refused.set()
        return answer.status_code

    assert sorted(at_once([ask] * 4)) == [202, 409, 409, 409]
    assert server.connections == 2
    assert reports(service) == 20


def feeds_file(tmp_path: Path, url: str) -> dict[str, str]:
    """What a process is told in order to ask a server of this machine."""
    (tmp_path / "valley.toml").write_text(MAPPING_TOML)
    (tmp_path / "feeds.toml").write_text(TOML.format(url=url))
    return {
        "CEASEFIRE_FEEDS_FILE": str(tmp_path / "feeds.toml"),
        "CEASEFIRE_FEED_NETWORKS": ",".join(NETWORKS),
    }


def test_two_processes_on_one_database_run_a_feed_once(
    databases: Databases, backend: str, server: HostileServer, tmp_path: Path
) -> None:
    one_ended = threading.Event()
    more = feeds_file(tmp_path, server.serve("/feed.csv", held_back(GOOD, one_ended)))
    with databases.fresh(backend, "reference") as url:
        command("feeds", "load", url=url, **more)

        def run() -> subprocess.CompletedProcess[str]:
            answer = command("feeds", "run", "valley", url=url, **more)
            one_ended.set()
            return answer

        ended = at_once([run] * 2)
        assert sorted(each.returncode for each in ended) == [0, 1], ended
        [refused] = [each.stderr for each in ended if each.returncode]
        assert "is being imported right now" in refused
        assert server.connections == 1
        service = Service(url)
        assert reports(service) == 20
        service.close()


def position(url: str) -> int:
    """How many entries of the newest import are through."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            told = sa.text("SELECT position FROM imports ORDER BY started_at DESC LIMIT 1")
            return int(connection.scalar(told) or 0)
    finally:
        engine.dispose()


def let_go(url: str) -> None:
    """As if the time had passed after which a process counts as ended."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        past = sa.update(tables.Import).where(tables.Import.running.is_not(None))
        connection.execute(past.values(held_until=datetime(2022, 1, 1, tzinfo=UTC)))
    engine.dispose()


def killed(url: str, *arguments: str, after: int, **more: str) -> None:
    """Run a command, and end it by force once so many entries are through."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=environment(url, **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while position(url) <= after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


MANY = 3_000


def complete(service: Service) -> None:
    """All rows are recorded once, and nothing is found wrong."""
    [told] = [each for each in imports(service) if each["state"] == "done"]
    assert (told["account"]["read"], told["account"]["created"]) == (MANY, MANY)
    assert (told["done"], told["total"]) == (MANY, MANY)
    assert reports(service) == MANY
    for word in ("check", "verify"):
        ended = command(word, url=service.url)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("by_feed", [True, False], ids=["feeds run", "import"])
def test_what_was_killed_is_gone_on_with_by_the_next(
    databases: Databases, backend: str, server: HostileServer, tmp_path: Path, by_feed: bool
) -> None:
    more = feeds_file(tmp_path, server.serve("/feed.csv", unless_known(table(MANY), ETag='"1"')))
    file = tmp_path / "many.csv"
    file.write_bytes(table(MANY))
    mapping = ("--mapping", str(tmp_path / "valley.toml"), "--claimant", "azerbaijani-officials")
    one = ("import", str(file), "--format", "csv", "--source", "valley", *mapping)
    with databases.fresh(backend, "reference") as url:
        command("feeds", "load", url=url, **more)
        killed(url, *(("feeds", "run", "valley") if by_feed else one), after=0, **more)
        assert 0 < position(url) < MANY
        # Until its time is up, it may still be at it.
        early = command("feeds", "run", "valley", url=url, **more)
        assert early.returncode == 1
        assert "is being imported right now" in early.stderr
        let_go(url)
        service = Service(url)
        service.clock.now = datetime.now(UTC)
        runner(service).run_due()
        complete(service)
        service.close()


def test_what_was_killed_twice_is_interrupted_and_may_be_run_again(
    databases: Databases, backend: str, server: HostileServer, tmp_path: Path
) -> None:
    more = feeds_file(tmp_path, server.serve("/feed.csv", whole(table(MANY))))
    with databases.fresh(backend, "reference") as url:
        command("feeds", "load", url=url, **more)
        killed(url, "feeds", "run", "valley", after=0, **more)
        let_go(url)
        killed(url, "feeds", "run", "valley", after=position(url), **more)
        let_go(url)
        ended = command("feeds", "run", "valley", url=url, **more)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        service = Service(url)
        newest, oldest = imports(service)
        assert (oldest["state"], oldest["fault"]) == ("failed", "interrupted")
        taken = oldest["account"]["created"]
        assert 0 < taken == oldest["done"] < MANY
        # What it had recorded is known again.
        assert newest["state"] == "done"
        assert newest["account"]["unchanged"] == taken
        assert newest["account"]["created"] == MANY - taken
        assert reports(service) == MANY
        service.close()
        for word in ("check", "verify"):
            assert command(word, url=url).returncode == 0


def test_a_process_that_ends_while_it_fetches_leaves_nothing(
    databases: Databases, backend: str, server: HostileServer, tmp_path: Path
) -> None:
    more = feeds_file(tmp_path, server.serve("/feed.csv", silence))
    with databases.fresh(backend, "reference") as url:
        command("feeds", "load", url=url, **more)
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "feeds", "run", "valley"],
            cwd=ROOT,
            env=environment(url, **more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        let_go(url)
        server.serve("/feed.csv", whole(GOOD))
        ended = command("feeds", "run", "valley", url=url, **more)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        service = Service(url)
        newest, oldest = imports(service)
        assert (oldest["state"], oldest["fault"]) == ("failed", "interrupted")
        assert (newest["state"], newest["account"]["created"]) == ("done", 20)
        service.close()


def test_what_was_interrupted_while_it_was_fetched_is_asked_again_soon(
    service: Service, server: HostileServer
) -> None:
    declare(service, server.serve("/feed.csv", whole(GOOD)), schedule="0 0 * * *")
    service.clock.advance(hours=12)
    # It begins, and is heard of no more.
    begun = runner(service).begin("valley", "schedule")
    service.clock.advance(seconds=61)
    runner(service).run_due()
    told = service.get(f"/v1/imports/{begun}", Role.ADMIN)
    assert (told["state"], told["fault"]) == ("failed", "interrupted")
    service.clock.advance(minutes=1)
    assert runner(service).run_due() == 1
    assert reports(service) == 20


def test_what_breaks_once_does_not_stop_the_others(service: Service, server: HostileServer) -> None:
    declare(service, server.serve("/feed.csv", raw(b"nonsense\r\n\r\n")), schedule="0 * * * *")
    more = {"format": "csv", "mapping": MAPPING, "claimant": "azerbaijani-officials"}
    service.declare("well", url=server.serve("/w", whole(GOOD)), schedule="0 * * * *", **more)
    service.clock.advance(hours=1)
    assert runner(service).run_due() == 2
    assert reports(service) == 20
