"""Fetching from a source: what it may reach, how far it goes, and when it takes what came."""

import io
import logging
import socket
import ssl
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.domain.imports import Fault, Unusable
from service.work import fetching
from service.work.fetching import Bounds, Fetched, Source, fetch
from tests.hostile_server import (
    MEBIBYTE,
    HostileServer,
    bomb,
    chunked,
    drip,
    endless,
    gzip_bomb,
    gzipped,
    head,
    hostile_server,
    in_parts,
    login_page,
    raw,
    redirect,
    short,
    silence,
    status,
    truncated_gzip,
    unless_known,
    whole,
    without_length,
)

FEED = b"date,killed\n2022-08-03,1\n" * 40
TRUSTED = httpx2.create_ssl_context(trust_env=False)
PUBLIC = "93.184.215.14"
HERE = (ip_network("127.0.0.0/8"),)
BOUNDS = Bounds(deadline=30, networks=HERE)
SOON = Bounds(deadline=2, networks=HERE)
MUCH_LATER = 20
SOME_MEMORY = 8 * MEBIBYTE


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


@pytest.fixture
def canary() -> Iterator[HostileServer]:
    """A server that would answer, on another port."""
    with hostile_server() as server:
        server.serve("/", whole(FEED))
        yield server


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With short pauses, and without reading all certificates for every fetch."""
    monkeypatch.setattr(fetching, "_PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(httpx2, "create_ssl_context", lambda **_: TRUSTED)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for, one look-up after the other; the last from then on."""
    known = {f"{name}.test": ["127.0.0.1"] for name in ("feed", "mirror")}
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return ask(host, port, *rest, **more)
        answers = known[name]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def quietly(received: int, total: int | None) -> None:
    """Tells nobody."""


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """The most memory held at once since the start, in bytes; what the server holds is within."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def taken(url: str, bounds: Bounds = BOUNDS, **more: Any) -> tuple[Fetched, bytes]:
    with tempfile.TemporaryFile() as file:
        file.write(b"what was here before")
        fetched = fetch(Source(url, **more), bounds, file, quietly)
        return fetched, file.read()


def fault(url: str, bounds: Bounds = BOUNDS, **more: Any) -> Fault:
    with pytest.raises(Unusable) as caught:
        taken(url, bounds, **more)
    return caught.value.fault


def test_what_is_there_is_fetched(server: HostileServer) -> None:
    url = server.serve(
        "/feed", whole(FEED, ETag='"1"', Last_Modified="Wed, 03 Aug 2022 09:00:00 GMT")
    )
    fetched, content = taken(url)
    assert content == FEED
    assert fetched == Fetched(
        changed=True,
        etag='"1"',
        last_modified="Wed, 03 Aug 2022 09:00:00 GMT",
        media="text/csv",
        size=len(FEED),
        checked=True,
    )


def test_an_address_is_asked_as_it_stands(server: HostileServer) -> None:
    path = "/a%2Fb/%C5%9F;c?from=2022-08-03&to=&q=%26+x"
    server.serve(path, whole(FEED))
    assert taken(server.url(path, "feed.test") + "#part")[1] == FEED
    assert server.asked[0].headers["Host"] == f"feed.test:{server.port}"


def test_what_is_compressed_on_the_way_is_unpacked(server: HostileServer) -> None:
    fetched, content = taken(server.serve("/feed", gzipped(FEED)))
    assert (content, fetched.size, fetched.checked) == (FEED, len(FEED), True)
    assert server.asked[0].headers["Accept-Encoding"] == "gzip, identity"


def test_an_encoding_that_was_not_asked_for_is_refused(server: HostileServer) -> None:
    url = server.serve("/feed", whole(FEED, Content_Encoding="br"))
    assert fault(url) == Fault.BAD_CONTENT


def test_it_is_told_how_far_it_is(server: HostileServer) -> None:
    told: list[tuple[int, int | None]] = []
    url = server.serve("/feed", whole(bytes(MEBIBYTE)))
    fetch(Source(url), BOUNDS, io.BytesIO(), lambda *now: told.append(now))
    assert told[-1] == (MEBIBYTE, MEBIBYTE)
    assert [received for received, _ in told] == sorted(received for received, _ in told)


def test_who_is_told_may_end_it(server: HostileServer) -> None:
    class Enough(Exception):
        pass

    def tell(received: int, total: int | None) -> None:
        raise Enough

    with pytest.raises(Enough):
        fetch(Source(server.serve("/feed", endless())), BOUNDS, io.BytesIO(), tell)


@pytest.mark.parametrize(
    ("validators", "known"),
    [
        ({"ETag": '"1"'}, {"etag": '"1"'}),
        ({"ETag": 'W/"1"'}, {"etag": 'W/"1"'}),
        (
            {"Last_Modified": "Wed, 03 Aug 2022 09:00:00 GMT"},
            {"last_modified": "Wed, 03 Aug 2022 09:00:00 GMT"},
        ),
    ],
)
def test_what_is_known_is_not_fetched_again(
    server: HostileServer, validators: dict[str, str], known: dict[str, Any]
) -> None:
    url = server.serve("/feed", unless_known(FEED, **validators))
    fetched, content = taken(url, **known)
    assert (fetched.changed, fetched.size, content) == (False, 0, b"")
    assert (fetched.etag, fetched.last_modified) == (known.get("etag"), known.get("last_modified"))
    older: dict[str, Any] = dict.fromkeys(known, '"0"')
    assert taken(url, **older)[1] == FEED


def test_unchanged_is_no_answer_to_who_knows_nothing(server: HostileServer) -> None:
    assert fault(server.serve("/feed", raw(head(304)))) == Fault.UNREACHABLE


def test_a_bomb_is_left_at_the_ratio(server: HostileServer) -> None:
    assert len(bomb()) < 2 * MEBIBYTE
    assert fault(server.serve("/feed", gzip_bomb())) == Fault.TOO_LARGE


def test_a_bomb_is_left_at_the_size_and_fits_in_little_memory(server: HostileServer) -> None:
    url = server.serve("/feed", gzip_bomb())
    bounds = Bounds(deadline=60, max_ratio=10_000, networks=HERE)
    with tempfile.TemporaryFile() as file, traced() as peak:
        with pytest.raises(Unusable) as caught:
            fetch(Source(url), bounds, file, quietly)
        assert caught.value.fault == Fault.TOO_LARGE
        assert file.seek(0, io.SEEK_END) <= bounds.max_bytes
        assert peak() < SOME_MEMORY


def test_dense_but_small_is_taken(server: HostileServer) -> None:
    assert taken(server.serve("/feed", gzipped(bytes(MEBIBYTE))))[1] == bytes(MEBIBYTE)


def test_a_truncated_gzip_is_not_half_a_feed(server: HostileServer) -> None:
    assert fault(server.serve("/feed", truncated_gzip(FEED))) == Fault.TRUNCATED


def test_what_is_no_gzip_is_refused(server: HostileServer) -> None:
    url = server.serve("/feed", whole(FEED, Content_Encoding="gzip"))
    assert fault(url) == Fault.BAD_ARCHIVE


def test_a_body_shorter_than_its_length_is_truncated(server: HostileServer) -> None:
    assert fault(server.serve("/feed", short(FEED))) == Fault.TRUNCATED


def test_chunks_without_their_end_are_truncated(server: HostileServer) -> None:
    assert fault(server.serve("/feed", chunked(FEED, finished=False))) == Fault.TRUNCATED


def test_a_body_that_was_short_once_is_fetched_again(server: HostileServer) -> None:
    url = server.serve("/feed", short(FEED[:100]), whole(FEED))
    assert taken(url)[1] == FEED
    assert "Range" not in server.asked[1].headers


def test_only_where_nothing_shows_that_all_came_it_is_unchecked(server: HostileServer) -> None:
    fetched, content = taken(server.serve("/feed", without_length(FEED)))
    assert (content, fetched.checked) == (FEED, False)
    assert taken(server.serve("/chunked", chunked(FEED, FEED)))[0].checked


def test_what_was_broken_off_is_gone_on_with(server: HostileServer) -> None:
    each = -(-len(FEED) // 3)
    fetched, content = taken(server.serve("/feed", in_parts(FEED, '"1"', each)))
    assert (content, fetched.size, fetched.checked, fetched.etag) == (FEED, len(FEED), True, '"1"')
    ranges = [asked.headers["Range"] for asked in server.asked]
    assert ranges == [None, f"bytes={each}-", f"bytes={2 * each}-"]
    assert [asked.headers["If-Range"] for asked in server.asked] == [None, '"1"', '"1"']
    assert server.asked[1].headers["Accept-Encoding"] == "identity"


def test_what_was_changed_in_between_is_taken_from_the_start(server: HostileServer) -> None:
    newer = FEED.replace(b"2022", b"2023")
    url = server.serve("/feed", in_parts(FEED, '"1"', 100), whole(newer, ETag='"2"'))
    fetched, content = taken(url)
    assert (content, fetched.etag) == (newer, '"2"')
    assert server.asked[1].headers["Range"] == "bytes=100-"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content_Range": f"bytes 0-{len(FEED) - 1}/{len(FEED)}"},
        {"Content_Range": f"bytes 100-{len(FEED)}/{len(FEED) + 1}"},
        {"Content_Range": "bytes 100-"},
        {},
        {"Content_Range": f"bytes 100-{len(FEED) - 1}/{len(FEED)}", "ETag": '"2"'},
        {"Content_Range": f"bytes 100-{len(FEED) - 1}/{len(FEED)}", "Content_Encoding": "gzip"},
    ],
)
def test_a_part_that_does_not_fit_is_not_put_in(
    server: HostileServer, wrong: dict[str, str]
) -> None:
    odd = whole(b"x" * (len(FEED) - 100), 206, **wrong)
    url = server.serve("/feed", in_parts(FEED, '"1"', 100), odd, whole(FEED))
    assert taken(url)[1] == FEED
    assert "Range" not in server.asked[2].headers


@pytest.mark.parametrize("etag", ['W/"1"', "1", ""])
def test_nothing_is_gone_on_with_by_a_weak_tag(server: HostileServer, etag: str) -> None:
    assert taken(server.serve("/feed", short(FEED[:100], ETag=etag), whole(FEED)))[1] == FEED
    assert "Range" not in server.asked[1].headers


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/",
        "http://feed.test:{port}/",
        "http://mirror.test:{port}/",
        "http://feed.test@127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "file:///etc/passwd",
        "ftp://feed.test/",
        "gopher://127.0.0.1:{port}/",
        "http://[",
        "",
    ],
)
def test_it_follows_to_no_host_that_is_not_declared(
    server: HostileServer, canary: HostileServer, location: str
) -> None:
    server.serve("/feed", redirect(location.format(port=canary.port)))
    assert fault(server.url("/feed", "feed.test")) == Fault.REDIRECT_REFUSED
    assert (server.connections, canary.connections) == (1, 0)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_it_follows_to_a_host_that_is_declared(
    server: HostileServer, canary: HostileServer, code: int
) -> None:
    server.serve("/feed", redirect(canary.url("/", "mirror.test"), code))
    url = server.url("/feed", "feed.test")
    assert taken(url, hosts=frozenset({f"mirror.test:{canary.port}"}))[1] == FEED
    assert (server.connections, canary.connections) == (1, 1)
    assert canary.asked[0].headers["Host"] == f"mirror.test:{canary.port}"


def test_a_declared_host_must_be_public_as_well(
    server: HostileServer, canary: HostileServer
) -> None:
    server.serve("/feed", redirect(canary.url("/", "127.0.0.2")))
    only = Bounds(deadline=30, networks=(ip_network("127.0.0.1/32"),))
    hosts = frozenset({f"127.0.0.2:{canary.port}"})
    assert fault(server.url("/feed"), only, hosts=hosts) == Fault.ADDRESS_REFUSED
    assert canary.connections == 0


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ("http://a.test/", "http://a.test:80/b", True),
        ("http://a.test/", "https://a.test/", True),
        ("https://a.test/", "https://a.test:443/", True),
        ("https://a.test/", "http://a.test/", False),
        ("https://a.test/", "http://a.test:443/", False),
        ("http://a.test:8080/", "https://a.test/", False),
        ("http://a.test/", "http://a.test:8080/", False),
        ("http://a.test/", "http://a.test./", False),
        ("http://a.test/", "http://b.a.test/", False),
    ],
)
def test_what_is_the_same_server(own: str, other: str, same: bool) -> None:
    assert fetching._same_server(httpx2.URL(own), httpx2.URL(other)) is same


def test_it_follows_on_the_same_host_but_not_for_ever(server: HostileServer) -> None:
    for number in range(5):
        server.serve(f"/{number}", redirect(f"/{number + 1}"))
    server.serve("/5", whole(FEED))
    assert taken(server.url("/0"))[1] == FEED
    server.serve("/5", redirect("/6"))
    server.serve("/6", whole(FEED))
    assert fault(server.url("/0")) == Fault.REDIRECT_REFUSED
    assert server.asked[-1].path == "/5"


def test_secrets_go_to_the_host_they_are_for_and_nowhere_else(
    server: HostileServer, canary: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.serve("/feed?d0-n0t-t3ll", redirect(canary.url("/", "mirror.test")))
    secret = {"Authorization": "Bearer d0-n0t-t3ll", "X-Key": "d0-n0t-t3ll"}
    url = server.url("/feed?d0-n0t-t3ll", "feed.test")
    source = Source(url, frozenset({f"mirror.test:{canary.port}"}), secret)
    fetch(source, BOUNDS, io.BytesIO(), quietly)
    assert server.asked[0].headers["X-Key"] == "d0-n0t-t3ll"
    assert not {"Authorization", "X-Key"}.intersection(canary.asked[0].headers)
    assert "d0-n0t-t3ll" not in caplog.text + repr(replace(source, url=""))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::7f00:1]"),
        *("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254"),
        *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001::1]"),
        *("224.0.0.1", "[ff02::1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fec0::1]"),
        *("192.88.99.1", "198.18.0.1", "203.0.113.1", "240.0.0.1", "255.255.255.255"),
        *("[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "192.0.0.9"),
    ],
)
def test_no_address_but_a_public_one_is_asked(canary: HostileServer, host: str) -> None:
    assert fault(f"http://{host}:{canary.port}/", Bounds(deadline=10)) == Fault.ADDRESS_REFUSED
    assert canary.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "127.0.0.1"])
def test_the_same_is_asked_where_the_operator_allows_it(canary: HostileServer, host: str) -> None:
    assert taken(f"http://{host}:{canary.port}/")[1] == FEED


def test_an_address_that_names_a_network_card_is_refused_anyway() -> None:
    allowed = (ip_network("fe80::/10"),)
    assert fetching._allowed(ip_address("fe80::1"), allowed)
    assert not fetching._allowed(ip_address("fe80::1%lo"), allowed)


@pytest.mark.parametrize("address", ["1.1.1.1", PUBLIC, "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_not_refused(address: str) -> None:
    assert fetching._allowed(ip_address(address), ())


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://feed.test/",
        "feed.test",
        "//feed.test/",
        "http:///",
        "http://[",
        "http://feed.test:0/",
        "http://feed.test:99999/",
        "http://user:word@feed.test/",
        "",
    ],
)
def test_what_is_no_address_on_the_web_is_refused(url: str) -> None:
    assert fault(url) == Fault.ADDRESS_REFUSED


def test_a_name_that_changes_what_it_stands_for_gains_nothing(
    canary: HostileServer, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    connect = anyio.connect_tcp

    async def only_here(remote_host: str, *rest: Any, **more: Any) -> Any:
        connected.append(remote_host)
        if remote_host == PUBLIC:
            raise OSError("a test does not leave the machine")
        return await connect(remote_host, *rest, **more)

    monkeypatch.setattr(anyio, "connect_tcp", only_here)
    names["rebound.test"] = [PUBLIC, "127.0.0.1"]
    url = canary.url("/", "rebound.test")
    assert fault(url, Bounds(deadline=30)) == Fault.UNREACHABLE
    assert set(connected) == {PUBLIC}
    assert len(connected) == 4
    assert canary.connections == 0


def test_the_same_name_deceives_who_looks_it_up_twice(
    canary: HostileServer, names: dict[str, list[str]]
) -> None:
    names["rebound.test"] = [PUBLIC, "127.0.0.1"]
    first = socket.getaddrinfo("rebound.test", None)[0][4][0]
    assert fetching._allowed(ip_address(first), ())
    assert httpx2.get(canary.url("/", "rebound.test"), trust_env=False).content == FEED
    assert canary.connections == 1


def test_a_host_is_refused_for_any_of_its_addresses(
    canary: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (ip_address(PUBLIC), ip_address("127.0.0.1"))
    for found in (both, both[::-1]):
        monkeypatch.setattr(fetching, "_resolve", {"feed.test": found}.__getitem__)
        bounds = Bounds(deadline=10)
        assert fault(canary.url("/", "feed.test"), bounds) == Fault.ADDRESS_REFUSED
    assert canary.connections == 0


def test_another_of_its_addresses_is_tried_next(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (ip_address("127.0.0.255"), ip_address("127.0.0.1"))
    monkeypatch.setattr(fetching, "_resolve", {"feed.test": found}.__getitem__)
    server.serve("/feed", whole(FEED))
    assert taken(server.url("/feed", "feed.test"))[1] == FEED


def test_a_name_is_looked_up_once(
    server: HostileServer, names: dict[str, list[str]], canary: HostileServer
) -> None:
    names["feed.test"] = ["127.0.0.1", PUBLIC]
    server.serve("/feed", status(503), redirect("/there"))
    server.serve("/there", status(503), whole(FEED))
    assert taken(server.url("/feed", "feed.test"))[1] == FEED
    assert names["feed.test"] == [PUBLIC]


def test_proxies_of_the_environment_are_not_asked(
    server: HostileServer, canary: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.serve("/feed", whole(FEED))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url(""))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert taken(url)[1] == FEED
    assert canary.connections == 0
    httpx2.get(url)
    assert canary.connections == 1


def certificate(folder: Path, host: str) -> Path:
    """A key and a certificate for a host, signed with that key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileServer]:
    """A server that shows a certificate for `feed.test`, which is trusted."""
    file = certificate(tmp_path, "feed.test")
    monkeypatch.setattr(
        httpx2, "create_ssl_context", lambda **_: ssl.create_default_context(cafile=file)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with hostile_server(context) as server:
        yield server


def test_a_certificate_must_be_for_the_name(secure: HostileServer) -> None:
    secure.serve("/feed", whole(FEED))
    assert taken(secure.url("/feed", "feed.test"))[1] == FEED
    assert len(secure.asked) == 1
    for other in ("mirror.test", "127.0.0.1"):
        before = secure.connections
        with pytest.raises(Unusable, match="certificate") as caught:
            taken(secure.url("/feed", other))
        assert caught.value.fault == Fault.UNREACHABLE
        assert secure.connections == before + 1
    assert len(secure.asked) == 1


def test_it_does_not_follow_to_where_nothing_is_encrypted(
    secure: HostileServer, canary: HostileServer
) -> None:
    secure.serve("/feed", redirect(canary.url("/", "mirror.test")))
    hosts = frozenset({f"mirror.test:{canary.port}"})
    assert fault(secure.url("/feed", "feed.test"), hosts=hosts) == Fault.REDIRECT_REFUSED
    assert canary.connections == 0


@pytest.mark.parametrize("answer", [drip(), drip(0.05), silence, redirect("/feed")])
def test_it_ends_at_the_deadline(
    server: HostileServer, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_REDIRECTS", 10**9)
    started = time.monotonic()
    assert fault(server.serve("/feed", answer), SOON) == Fault.DEADLINE
    assert time.monotonic() - started < MUCH_LATER


def test_a_look_up_that_hangs_ends_at_the_deadline(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(host: str) -> Any:
        server.over.wait()
        raise OSError("nobody answered")

    monkeypatch.setattr(fetching, "_resolve", hang)
    started = time.monotonic()
    assert fault(server.url("/feed", "feed.test"), SOON) == Fault.DEADLINE
    assert time.monotonic() - started < MUCH_LATER


def test_a_body_without_end_ends_at_the_deadline(server: HostileServer) -> None:
    class Nowhere(io.BytesIO):
        def write(self, data: Any) -> int:
            return len(data)

    bounds = Bounds(deadline=2, max_bytes=10**15, networks=HERE)
    started = time.monotonic()
    with pytest.raises(Unusable) as caught:
        fetch(Source(server.serve("/feed", endless())), bounds, Nowhere(), quietly)
    assert caught.value.fault == Fault.DEADLINE
    assert time.monotonic() - started < MUCH_LATER


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(server: HostileServer, code: int) -> None:
    assert taken(server.serve("/feed", status(code), status(code), whole(FEED)))[1] == FEED
    assert server.connections == 3


def test_but_not_for_ever(server: HostileServer) -> None:
    assert fault(server.serve("/feed", status(503))) == Fault.UNREACHABLE
    assert server.connections == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 204, 206, 300])
def test_any_other_answer_is_final(server: HostileServer, code: int) -> None:
    with pytest.raises(Unusable, match=str(code)) as caught:
        taken(server.serve("/feed", status(code)))
    assert caught.value.fault == Fault.UNREACHABLE
    assert server.connections == 1


def test_a_connection_that_breaks_is_made_again(server: HostileServer) -> None:
    assert taken(server.serve("/feed", raw(), raw(b"HTTP/1.1 20"), whole(FEED)))[1] == FEED


def test_nobody_there_is_unreachable(server: HostileServer) -> None:
    with socket.socket() as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken_port.getsockname()[1]}/"
        assert fault(url) == Fault.UNREACHABLE


def test_a_name_that_is_not_known_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(fetching, "_resolve", unknown)
    assert fault("http://nowhere.test/") == Fault.UNREACHABLE


def test_it_waits_as_long_as_it_is_asked_to(server: HostileServer) -> None:
    url = server.serve("/feed", status(503, Retry_After="1"), whole(FEED))
    started = time.monotonic()
    assert taken(url)[1] == FEED
    assert time.monotonic() - started >= 1


def test_it_does_not_wait_beyond_the_deadline(server: HostileServer) -> None:
    assert fault(server.serve("/feed", status(429, Retry_After="3600"))) == Fault.UNREACHABLE
    assert server.connections == 1


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("7", 7, 7),
        ("Wed, 03 Aug 2022 09:00:00 GMT", 0, 0),
        ("Fri, 03 Aug 2122 09:00:00 GMT", 86400, float("inf")),
        ("", 0, 0),
        ("soon", 0, 0),
        ("-7", 0, 0),
        ("7.5", 0, 0),
        ("9" * 5000, 0, 0),
        ("Fri, 03 Aug 99999 09:00:00 GMT", 0, 0),
        ("Fri, 03 Aug 2022 09:00:00 +999999999999", 0, 0),
        ("Fri, 03 Aug 2022 99:99:99 GMT", 0, 0),
    ],
)
def test_how_long_it_is_asked_to_wait(text: str, least: float, most: float) -> None:
    assert least <= fetching._retry_after(text) <= most


def test_a_body_without_end_fits_in_little_memory(server: HostileServer) -> None:
    url = server.serve("/feed", endless())
    with tempfile.TemporaryFile() as file, traced() as peak:
        with pytest.raises(Unusable) as caught:
            fetch(Source(url), BOUNDS, file, quietly)
        assert caught.value.fault == Fault.TOO_LARGE
        assert file.seek(0, io.SEEK_END) <= BOUNDS.max_bytes
        assert peak() < SOME_MEMORY


def test_gzip_without_end_that_makes_nothing_is_left(server: HostileServer) -> None:
    nothing = b"\x00\x00\x00\xff\xff" * 10_000
    opening = b"\x1f\x8b\x08" + bytes(6) + b"\xff"

    def answer(asked: Any, write: Callable[[bytes], Any]) -> None:
        write(head(Content_Encoding="gzip") + opening)
        while not asked.over.is_set():
            write(nothing)

    bounds = Bounds(deadline=30, max_bytes=MEBIBYTE, networks=HERE)
    assert fault(server.serve("/feed", answer), bounds) == Fault.TOO_LARGE


def test_what_says_that_it_is_too_large_is_not_begun(server: HostileServer) -> None:
    told: list[int] = []
    url = server.serve("/feed", endless(Content_Length=str(10**10)))
    with pytest.raises(Unusable) as caught:
        fetch(Source(url), BOUNDS, io.BytesIO(), lambda received, _: told.append(received))
    assert (caught.value.fault, told) == (Fault.TOO_LARGE, [])


def test_the_bound_itself_is_allowed(server: HostileServer) -> None:
    url = server.serve("/feed", whole(FEED))
    exactly = Bounds(deadline=30, max_bytes=len(FEED), networks=HERE)
    assert taken(url, exactly)[1] == FEED
    less = Bounds(deadline=30, max_bytes=len(FEED) - 1, networks=HERE)
    assert fault(url, less) == Fault.TOO_LARGE


@pytest.mark.parametrize(
    "media", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "text/plain", "text/csv", ""]
)
@pytest.mark.parametrize("accepted", [(), ("text/csv",)])
def test_a_login_page_is_not_a_feed(
    server: HostileServer, media: str, accepted: tuple[str, ...]
) -> None:
    assert fault(server.serve("/feed", login_page(media)), media=accepted) == Fault.BAD_CONTENT


@pytest.mark.parametrize(
    "page",
    [
        b"\xef\xbb\xbf\r\n <!doctype HTML>",
        b"<html lang='az'>",
        b"<HTML>",
        b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'>",
        b"<!-- a --> <!-- b --><html>",
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_page_is_known_by_how_it_begins(
    server: HostileServer, page: bytes, at_once: bool
) -> None:
    pieces = (page,) if at_once else tuple(page[i : i + 1] for i in range(len(page)))
    assert fault(server.serve("/feed", chunked(*pieces))) == Fault.BAD_CONTENT


def test_what_only_speaks_of_pages_is_taken(server: HostileServer) -> None:
    for body in (b"text\n<html>\n", b"<rss><html/></rss>", b"<!-- " + b"<!-- -->" * 1000):
        assert taken(server.serve("/feed", whole(body)))[1] == body


def test_a_page_is_taken_where_pages_are_asked_for(server: HostileServer) -> None:
    assert taken(server.serve("/feed", login_page()), media=("text/html",))[0].media == "text/html"


@pytest.mark.parametrize(
    ("media", "taken_as"),
    [
        ("text/csv", True),
        ("Text/CSV; charset=utf-8; header=present", True),
        ("application/octet-stream", True),
        ("text/plain", True),
        ("", True),
        ("application/json", False),
        ("image/png", False),
    ],
)
def test_only_the_kinds_that_are_asked_for_are_taken(
    server: HostileServer, media: str, taken_as: bool
) -> None:
    url = server.serve("/feed", whole(FEED, Content_Type=media))
    if taken_as:
        assert taken(url, media=("text/csv",))[1] == FEED
    else:
        assert fault(url, media=("text/csv",)) == Fault.BAD_CONTENT
    assert server.asked[0].headers["Accept"] == "text/csv, */*;q=0.1"


@pytest.mark.parametrize(
    "name",
    [
        *("ETag", "Last-Modified", "Content-Type", "Content-Length", "Content-Encoding"),
        *("Transfer-Encoding", "Accept-Ranges", "Content-Range", "Location", "Retry-After"),
    ],
)
@pytest.mark.parametrize("code", [200, 206, 302, 503])
def test_no_header_does_harm(server: HostileServer, name: str, code: int) -> None:
    for value in (b"\xff\xfe", b"9" * 5000, b"", b"-1"):
        answer = raw(f"HTTP/1.1 {code} X\r\n{name}: ".encode(), value, b"\r\n\r\n", FEED)
        url = server.serve("/feed", short(FEED[:100], ETag='"1"'), answer, answer)
        with suppress(Unusable):
            fetched, _ = taken(url)
            taken(url, etag=fetched.etag, last_modified=fetched.last_modified)


def test_a_secret_may_have_letters_of_any_kind(server: HostileServer) -> None:
    taken(server.serve("/feed", whole(FEED)), headers={"X-Key": "şuşa"})
    assert server.asked[0].headers["X-Key"].encode("latin-1") == "şuşa".encode()


@pytest.mark.parametrize(
    ("told", "kept"), [('"1"', '"1"'), ("x" * 1025, None), ('"é"', None), ("", None)]
)
def test_only_a_tag_that_can_be_sent_back_is_kept(
    server: HostileServer, told: str, kept: str | None
) -> None:
    assert taken(server.serve("/feed", whole(FEED, ETag=told)))[0].etag == kept


def test_nothing_that_came_is_repeated(server: HostileServer) -> None:
    for answer in (
        login_page(),
        redirect("http://s3cret.test/s3cret"),
        whole(FEED, Content_Encoding="s3cret"),
        raw(b"s3cret\r\n\r\n"),
        raw(head(418, ETag="s3cret")),
    ):
        with pytest.raises(Unusable) as caught:
            taken(server.serve("/s3cret", answer))
        assert "s3cret" not in str(caught.value)
