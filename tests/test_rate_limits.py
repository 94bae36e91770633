"""How often somebody may ask: by key, by address, and with keys that are none."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from service.api.app import create_app
from service.api.limits import Limits
from service.domain.access import Role
from service.errors import TooMany
from service.settings import Settings
from service.store import tables
from service.store.database import Database
from service.store.journal import Author
from service.work import keys
from tests.harness import NOW, Databases, Ids
from tests.processes import server

PROXY = ("10.1.2.3", 50000)
ELSEWHERE = ("192.0.2.1", 50000)
OFF = {"limit_anonymous": "", "limit_key": "", "limit_failures": ""}
REPORT = {"when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "a monitor"}


class Seconds:
    """What the limits take for the time."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh("sqlite", "reference") as url:
        yield url


@contextmanager
def served(url: str, client: tuple[str, int] = ELSEWHERE, **settings: Any) -> Iterator[TestClient]:
    app = create_app(Settings(**{"database_url": url, **OFF, **settings}))
    with TestClient(app, client=client, raise_server_exceptions=False) as running:
        yield running


def key_of(url: str, name: str) -> dict[str, str]:
    database = Database(url)
    author = Author(keys.OPERATOR, NOW)
    numbers = Ids()
    with database.reading() as session:
        for _ in keys.listed(session):
            numbers()
    key = database.write(lambda s: keys.create(s, name, Role.MONITOR, author, numbers))
    database.close()
    return {"Authorization": f"Bearer {key}"}


def asked(client: TestClient, times: int, **how: Any) -> list[int]:
    return [client.get("/v1/parties", **how).status_code for _ in range(times)]


def wrong(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer ceasefire_{number}"}


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_who_has_no_key_waits_for_the_next_window(url: str, seconds: Seconds) -> None:
    with served(url, limit_anonymous="3/minute") as client:
        assert asked(client, 3) == [200, 200, 200]
        seconds.now += 19.5
        refused = client.get("/v1/reports")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "41"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:ceasefire:problem:too-many-requests"
        seconds.now += 40.4
        assert asked(client, 1) == [429]
        seconds.now += 0.2
        assert asked(client, 4) == [200, 200, 200, 429]


def test_every_key_has_a_window_of_its_own(url: str) -> None:
    north, south = key_of(url, "north"), key_of(url, "south")
    with served(url, limit_key="2/minute", limit_anonymous="1/minute") as client:
        assert asked(client, 3, headers=north) == [200, 200, 429]
        assert asked(client, 2, headers=south) == [200, 200]
        assert asked(client, 2) == [200, 429]


def test_a_thousand_wrong_keys_leave_a_monitor_alone(url: str) -> None:
    key = key_of(url, "north")
    with served(url, limit_failures="30/minute", limit_anonymous="5/minute") as client:
        answers = []
        for number in range(1_000):
            answers.append(client.get("/v1/parties", headers=wrong(number)).status_code)
            if number % 100 == 99:
                answer = client.post("/v1/reports", json=REPORT, headers=key)
                assert answer.status_code == 201
        assert answers.count(401) >= 30
        assert answers.count(429) >= 900
        assert set(answers) == {401, 429}
        assert answers[:31] == [401] * 30 + [429]
        # What is counted of wrong keys is not counted against readers.
        assert asked(client, 5) == [200] * 5


def test_what_is_no_bearer_counts_as_a_wrong_key(url: str) -> None:
    with served(url, limit_failures="2/minute") as client:
        basic = {"Authorization": "Basic bm9ib2R5Og=="}
        assert asked(client, 3, headers=basic) == [401, 401, 429]


def test_an_empty_limit_is_none(url: str) -> None:
    with served(url) as client:
        assert asked(client, 50) == [200] * 50
        assert asked(client, 50, headers=wrong(1)) == [401] * 50


def test_the_health_of_the_service_may_be_asked_for_at_any_rate(url: str) -> None:
    with served(url, limit_anonymous="1/hour", limit_failures="1/hour") as client:
        for path in ("/health/live", "/health/ready"):
            for headers in ({}, wrong(1)):
                answers = {client.get(path, headers=headers).status_code for _ in range(5)}
                assert answers == {200}


def test_every_route_is_limited(url: str) -> None:
    with served(url, limit_anonymous="1/hour") as client:
        assert asked(client, 1) == [200]
        for path, item in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
            for method in item:
                answer = client.request(method, path)
                limited = not path.startswith("/health/")
                assert (answer.status_code == 429) == limited, path
        for path in ("/", "/docs", "/openapi.json", "/v1/nowhere", "/static-offline-docs/x.js"):
            assert client.get(path).status_code == 429, path


def test_what_is_malformed_counts_too(url: str) -> None:
    with served(url, limit_anonymous="2/hour") as client:
        answers = [client.get("/v1/parties?x=1").status_code for _ in range(3)]
        assert answers == [422, 422, 429]


def test_nobody_says_where_they_come_from_unless_they_are_trusted(url: str) -> None:
    for client, trusted in (
        (PROXY, ""),
        (ELSEWHERE, "10.0.0.0/8"),
        (PROXY, "10.0.0.1, 10.1.2.4"),
        (("127.0.0.1", 1), "10.0.0.0/8"),
    ):
        settings = {"trusted_proxies": trusted} if trusted else {}
        with served(url, client, limit_anonymous="2/minute", **settings) as running:
            answers = [asked(running, 1, headers=from_address(f"198.51.100.{n}")) for n in range(3)]
            assert answers == [[200], [200], [429]], (client, trusted)


def test_a_server_believes_nobody_on_its_own_machine_either(url: str) -> None:
    # The server underneath would, unless told otherwise.
    environment = {"CEASEFIRE_LIMIT_ANONYMOUS": "2/hour", "FORWARDED_ALLOW_IPS": "*"}
    with server(url, **environment) as running, running.client() as client:
        answers = [
            client.get("/v1/parties", headers=from_address(f"198.51.100.{number}")).status_code
            for number in range(3)
        ]
    assert answers == [200, 200, 429]


@pytest.mark.parametrize("trusted", ["10.1.2.3", "10.0.0.0/8", "192.0.2.9, 10.1.2.3/8"])
def test_behind_a_trusted_proxy_each_address_has_its_own_window(url: str, trusted: str) -> None:
    with served(url, PROXY, limit_anonymous="2/minute", trusted_proxies=trusted) as client:
        for number in range(3):
            header = from_address(f"198.51.100.{number}")
            assert asked(client, 3, headers=header) == [200, 200, 429]
        # What stands further left, the client itself has written.
        invented = from_address("203.0.113.77, 198.51.100.1")
        assert asked(client, 1, headers=invented) == [429]


def test_who_has_one_address_of_ipv6_has_all_of_its_network(url: str) -> None:
    with served(url, PROXY, limit_anonymous="2/minute", trusted_proxies="10.0.0.0/8") as client:
        for address, status in (
            ("2001:db8:1:2::1", 200),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", 200),
            ("[2001:db8:1:2::abcd]:443", 429),
            ("2001:db8:1:3::1", 200),
            ("::ffff:198.51.100.1", 200),
            ("198.51.100.1", 200),
            ("198.51.100.1:4711", 429),
            ("not an address", 200),
        ):
            assert asked(client, 1, headers=from_address(address)) == [status], address


def test_an_address_is_kept_nowhere(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = "198.51.100.77"
    limits = Limits(anonymous="1/minute", key="", failures="1/minute")
    limits.count_anonymous(address)
    with pytest.raises(TooMany) as refusal:
        limits.count_anonymous(address)
    assert address not in f"{vars(limits._windows.storage)} {refusal.value} {refusal.value.args}"
    other = Limits(anonymous="1/minute", key="", failures="1/minute")
    assert limits._hidden(address) != other._hidden(address)
    key = key_of(url, "north")
    with served(url, (address, 1), limit_anonymous="1/hour", limit_failures="1/hour") as client:
        for headers in ({}, key, wrong(1)):
            for _ in range(3):
                client.get("/v1/parties", headers=headers)
                client.post("/v1/reports", json=REPORT, headers=headers)
    assert address not in "\n".join(record.getMessage() for record in caplog.records)
    database = Database(url)
    with database.reading() as session:
        for table in tables.metadata.sorted_tables:
            assert all(address not in str(row) for row in session.execute(table.select()))
    database.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_anonymous", "many"),
        ("limit_key", "0/minute"),
        ("limit_failures", "3/minute; 5/hour"),
        ("limit_key", "3/fortnight"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "proxy.example.org"),
        ("trusted_proxies", "10.0.0.1,"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**{name: value})  # type: ignore[arg-type]
    assert value not in str(refusal.value)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEASEFIRE_LIMIT_ANONYMOUS", "off")
    monkeypatch.setenv("CEASEFIRE_LIMIT_KEY", "10/second")
    monkeypatch.setenv("CEASEFIRE_LIMIT_FAILURES", "")
    monkeypatch.setenv("CEASEFIRE_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    settings = Settings()
    assert settings.limit_anonymous == ""
    assert settings.limit_key == "10/second"
    assert settings.limit_failures == "30/minute"
    assert settings.trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")
