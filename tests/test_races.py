"""Two at the same moment: one takes effect, the other is told, and it would not hold by itself.

Every race is run in threads over two instances of the application, and between two servers that
are processes of their own. With its guarantee switched off the same race must come out wrong:
otherwise it would prove nothing.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Protocol, cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from service.domain.access import Role
from service.store.database import Database
from service.work import accounts, grouping, placing, revising
from tests.harness import Service
from tests.processes import application, at_once, server

Json = dict[str, Any]
ROUNDS = 4
DAYS = count(1)


class Client(Protocol):
    """Whoever speaks to an instance: within this process or over a socket."""

    def request(self, method: str, url: str, **more: Any) -> Any: ...


@dataclass
class Pair:
    """Two instances of the application over one database, and two reviewers."""

    service: Service
    clients: tuple[Client, Client]

    def post(self, killed: int = 3) -> Json:
        """A report about an event of its own."""
        day = next(DAYS) % 28 + 1
        told = {
            "when": f"20{next(DAYS) % 22:02}-08-{day:02}",
            "where": {"place": "Lachin"},
            "claimant": "icrc",
            "casualties": [{"killed": killed}],
        }
        return self.service.post(told)

    def race(self, *asked: tuple[str, str, Json], match: str = '"1"') -> list[Any]:
        """Ask both at once: what each is asked, and what each answers."""
        jobs: list[Callable[[], Any]] = []
        for number, (client, (method, path, body)) in enumerate(
            zip(self.clients, asked, strict=True)
        ):
            key = self.keys[number]
            headers = self.service.headers(key=key, **{"If-Match": match})
            jobs.append(partial(client.request, method, path, json=body, headers=headers))
        return at_once(jobs)

    def __post_init__(self) -> None:
        self.keys = [self.service.make_key(f"reviewer {n}", Role.ADMIN) for n in (1, 2)]


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def of_two_changes(pair: Pair) -> list[str]:
    """Two changes of one revision: one holds, the other is late."""
    wrong = []
    for _ in range(ROUNDS):
        told = pair.post()
        path = f"/v1/reports/{told['id']}"
        changes = [{"summary": f"account {n}", "reason": "r"} for n in (0, 1)]
        answers = pair.race(*(("PATCH", path, change) for change in changes))
        if statuses(answers) != [200, 412]:
            wrong.append(f"answered {statuses(answers)}")
            continue
        taken = next(n for n in (0, 1) if answers[n].status_code == 200)
        now = pair.service.get(path)
        if (now["revision"], now["summary"]) != (2, f"account {taken}"):
            wrong.append(f"revision {now['revision']}: {now['summary']}")
    return wrong


def of_two_decisions(pair: Pair) -> list[str]:
    """One reviewer verifies, the other refutes: one decision holds."""
    wrong = []
    verified = {"status": "verified", "basis": "peacekeepers", "reason": "The bulletin."}
    refuted = {"status": "refuted", "reason": "Invented."}
    for _ in range(ROUNDS):
        told = pair.post()
        path = f"/v1/reports/{told['id']}/reviews"
        answers = pair.race(("POST", path, verified), ("POST", path, refuted))
        if statuses(answers) != [201, 412]:
            wrong.append(f"answered {statuses(answers)}")
            continue
        [kept] = pair.service.get(path)["items"]
        asked = verified if answers[0].status_code == 201 else refuted
        now = pair.service.get(f"/v1/reports/{told['id']}")["status"]
        if not kept["status"] == now == asked["status"]:
            wrong.append(f"kept {kept['status']}, is {now}")
    return wrong


def of_withdrawing_and_verifying(pair: Pair) -> list[str]:
    """Never verified and withdrawn."""
    wrong = []
    verified = {"status": "verified", "basis": "peacekeepers", "reason": "The bulletin."}
    withdrawn = {"status": "withdrawn", "reason": "Sent by mistake."}
    for _ in range(ROUNDS):
        told = pair.post()
        path = f"/v1/reports/{told['id']}"
        answers = pair.race(("POST", f"{path}/reviews", verified), ("PATCH", path, withdrawn))
        if statuses(answers) not in ([200, 412], [201, 412]):
            wrong.append(f"answered {statuses(answers)}")
            continue
        now = pair.service.get(path)
        wanted = "verified" if answers[0].status_code == 201 else "withdrawn"
        if (now["status"], now["revision"]) != (wanted, 2):
            wrong.append(f"{now['status']} at revision {now['revision']}, not {wanted}")
    return wrong


def of_part_of_each_other(pair: Pair) -> list[str]:
    """A part of B while B becomes part of A: one holds."""
    wrong = []
    for _ in range(ROUNDS):
        one, other = (pair.post()["incident"] for _ in range(2))
        answers = pair.race(
            ("POST", f"/v1/incidents/{one}/links", {"part_of": other, "reason": "r"}),
            ("POST", f"/v1/incidents/{other}/links", {"part_of": one, "reason": "r"}),
        )
        if statuses(answers) != [201, 409]:
            wrong.append(f"answered {statuses(answers)}")
        above = recorded(pair, "parent_id", one, other)
        if sorted(above, key=str) != sorted([None, one if above[0] is None else other], key=str):
            wrong.append(f"part of {above}")
    return wrong


def of_merging_into_each_other(pair: Pair) -> list[str]:
    """A merged into B while B is merged into A: one holds, and both reports are told there."""
    wrong = []
    for _ in range(ROUNDS):
        one, other = (pair.post()["incident"] for _ in range(2))
        answers = pair.race(
            ("POST", f"/v1/incidents/{one}/merge", {"incidents": [other], "reason": "r"}),
            ("POST", f"/v1/incidents/{other}/merge", {"incidents": [one], "reason": "r"}),
        )
        if statuses(answers) != [201, 409]:
            wrong.append(f"answered {statuses(answers)}")
            continue
        into = recorded(pair, "merged_into", one, other)
        if into not in ([None, one], [other, None]):
            wrong.append(f"merged into {into}")
            continue
        told = pair.service.get(f"/v1/incidents/{one if into[0] is None else other}")
        if told["reports"] != 2:
            wrong.append(f"{told['reports']} reports")
    return wrong


def recorded(pair: Pair, column: str, *incidents: str) -> list[str | None]:
    table = sa.table(
        "incidents",
        sa.column("id", sa.Uuid(as_uuid=False)),
        sa.column(column, sa.Uuid(as_uuid=False)),
    )
    with pair.service.database.reading() as session:
        return [
            session.scalar(sa.select(table.c[column]).where(table.c.id == incident))
            for incident in incidents
        ]


RACES = [
    of_two_changes,
    of_two_decisions,
    of_withdrawing_and_verifying,
    of_part_of_each_other,
    of_merging_into_each_other,
]


@pytest.fixture
def pair(service: Service) -> Iterator[Pair]:
    """Two instances in threads."""
    with application(service.url, limit_key="") as other:
        # Routes are put together on first use; two applications of one process must not do so at
        # the same time, which no server does.
        for client in (service.client, other):
            assert client.get("/nowhere").status_code == 404
        yield Pair(service, (service.client, other))


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_in_threads(pair: Pair, race: Callable[[Pair], list[str]]) -> None:
    assert race(pair) == []
    assert pair.service.wrong_accounts() == []


def test_between_processes(service: Service) -> None:
    """All races, and fifty at once, between two servers."""
    quiet = {"LIMIT_KEY": "", "LIMIT_ANONYMOUS": "", "LEDGER_INTERVAL_SECONDS": "0"}
    with (
        server(service.url, **quiet) as first,
        server(service.url, **quiet) as second,
        first.client() as one,
        second.client() as other,
    ):
        pair = Pair(service, (one, other))
        for race in RACES:
            assert race(pair) == [], race.__name__
        sent_fifty_times(pair)
        # Who came too late is in the log.
        late = [s.log.read_text().count("/reviews, stale") for s in (first, second)]
        assert sum(late) >= ROUNDS
    assert service.wrong_accounts() == []


def sent_fifty_times(pair: Pair) -> None:
    """One report, recorded once, whoever is asked."""
    before = pair.service.state()["rows"]
    known = {
        "id": "01850000-0000-7000-8000-000000000001",
        "when": "2022-09-20",
        "where": {"place": "Lachin"},
        "claimant": "a monitor",
    }
    headers = pair.service.headers()
    answers = at_once(
        [
            partial(pair.clients[n % 2].request, "POST", "/v1/reports", json=known, headers=headers)
            for n in range(50)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert len({answer.content for answer in answers}) == 1
    after = pair.service.state()["rows"]
    for table in ("reports", "incidents", "revisions"):
        assert after[table] == before[table] + 1


def test_the_attempt_that_came_too_late_is_in_the_log(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "service.api.access"):
        assert of_two_decisions(pair) == []
    late = [r.getMessage() for r in caplog.records if "denied" in r.getMessage()]
    assert len(late) == ROUNDS
    assert all("POST" in line and "/reviews, stale" in line for line in late)


# Without what guarantees it, the same race comes out wrong


def databases_of(pair: Pair) -> list[Database]:
    return [
        cast(FastAPI, cast(TestClient, client).app).state.context.database
        for client in pair.clients
    ]


def without_serializability(pair: Pair) -> None:
    """READ COMMITTED on PostgreSQL; on SQLite a transaction that takes no lock before it reads."""
    for database in databases_of(pair):
        engine = database.engine
        if engine.dialect.name == "postgresql":
            weak = engine.execution_options(isolation_level="READ COMMITTED")
            database._writers.configure(bind=weak)
        else:
            sa.event.listen(engine, "before_cursor_execute", _deferred, retval=True)


def _deferred(*call: Any) -> tuple[str, Any]:
    return "BEGIN" if call[2] == "BEGIN IMMEDIATE" else call[2], call[3]


def meeting(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool = True) -> None:
    """Let both get as far as a function before either goes on, if both come."""
    plain, gate = getattr(module, name), threading.Barrier(2)

    def together(*arguments: Any, **more: Any) -> Any:
        found = plain(*arguments, **more) if after else None
        try:
            gate.wait(0.5)
        except threading.BrokenBarrierError:
            gate.reset()
            time.sleep(0.05)
        return found if after else plain(*arguments, **more)

    monkeypatch.setattr(module, name, together)


@pytest.mark.parametrize(
    "race",
    [of_two_changes, of_two_decisions, of_withdrawing_and_verifying],
    ids=lambda r: r.__name__,
)
def test_without_comparing_revisions_it_goes_wrong(
    pair: Pair, race: Callable[[Pair], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = revising.to_change
    monkeypatch.setattr(
        revising, "to_change", lambda session, report, _, actor: plain(session, report, None, actor)
    )
    assert race(pair) != []


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_without_serializability_it_goes_wrong(
    pair: Pair, race: Callable[[Pair], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_serializability(pair)
    # Where a ring was made, whoever walks along it would not come back.
    monkeypatch.setattr(placing, "_move_below", lambda *_: None)
    monkeypatch.setattr(grouping.Desk, "_check_whole", lambda *_: None)
    # The rows that are derived would be in each other's way besides.
    monkeypatch.setattr(accounts, "refresh", lambda *_: None)
    # So would the revisions that both write of what is above.
    monkeypatch.setattr(placing, "keep", lambda *_: None)
    for module, name in ((revising, "to_change"), (grouping.Desk, "_live")):
        meeting(monkeypatch, module, name)
    if race is of_part_of_each_other:
        # Each looks at what is above before the other says what is.
        meeting(monkeypatch, placing, "line_above")
    assert race(pair) != []


def test_without_a_check_for_rings_it_goes_wrong(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "line_above", lambda *_: [])
    assert of_part_of_each_other(pair) != []


def test_without_a_check_for_merged_incidents_it_goes_wrong(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anything(desk: grouping.Desk, incident: str) -> Any:
        return desk.session.get_one(grouping.tables.Incident, incident)

    monkeypatch.setattr(grouping.Desk, "_live", anything)
    monkeypatch.setattr(grouping.Desk, "_check_whole", lambda *_: None)
    assert of_merging_into_each_other(pair) != []
