"""One file from one address, fetched so that neither it nor its server can do harm.

Only declared hosts are asked, by addresses that belong to the public Internet: a name is resolved
once, what it stands for is examined, and that very address is connected to, so that a name server
cannot say one thing to the guard and another to the connection. TLS still asks for the name. Time,
bytes, redirects and attempts are bounded, and what came is only taken where it came whole.
"""

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import BinaryIO, Final

import httpx2

from service.domain.imports import Fault, Unusable
from service.formats.imports.unpacking import Gunzip

_REDIRECTS: Final = 5
_REDIRECTED: Final = frozenset({301, 302, 303, 307, 308})
_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds before another attempt; there is one attempt more than pauses."""
_CONNECT_SECONDS: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}
_AGENT: Final = "ceasefire-incident-tracker"

_UNTOLD_MEDIA: Final = frozenset({"", "application/octet-stream", "text/plain"})
"""Content types of servers that do not know what they send."""
_HTML_MEDIA: Final = frozenset({"text/html", "application/xhtml+xml"})
_OPENING: Final = 1024
_HTML: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+)?html\b",
    re.IGNORECASE | re.DOTALL,
)
_MEDIA: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]*"')
_VALIDATOR: Final = re.compile(r"[\x20-\x7e]{1,1024}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")

# What `is_global` lets pass, or another release of Python might: the special-purpose registries of
# IANA, RFC 7526 (6to4 relays).
_NOT_PUBLIC_4: Final = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))
# All that IANA has given out so far. Multicast, NAT64, and addresses of IPv4 written as IPv6 lie
# outside of it.
_PUBLIC_6: Final = ip_network("2000::/3")
# Teredo, ORCHID and other protocols (RFC 2928), 6to4 (RFC 3056), examples (RFC 3849, RFC 9637).
_NOT_PUBLIC_6: Final = (
    ip_network("2001::/23"),
    ip_network("2002::/16"),
    ip_network("2001:db8::/32"),
    ip_network("3fff::/20"),
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Source:
    """What may be fetched.

    `hosts` are further hosts that it may redirect to, as they stand in an address: `host`, or
    `host:port` for a port that is not the scheme's own. `headers` may hold secrets: they are sent
    to the host and port of `url` alone. `media` are the content types that are taken, without
    parameters; none means any but HTML. `etag` and `last_modified` are what an earlier answer gave.
    """

    url: str
    hosts: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    media: Sequence[str] = ()
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a fetch may go.

    `deadline` is in seconds for all of it, further attempts included. `max_bytes` bounds what
    arrives and what it is unpacked to. `max_ratio` is how many bytes may be unpacked from one,
    beyond 1 MiB. `networks` are those outside the public Internet that the operator allows.
    """

    deadline: float = 60.0
    max_bytes: int = 50 * 1024 * 1024
    max_ratio: int = 100
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: nothing where it has not `changed`.

    `size` is in bytes as written. `checked` is false where the server gave neither a length nor an
    end mark, so that nothing shows whether all of it came.
    """

    changed: bool
    etag: str | None
    last_modified: str | None
    media: str | None
    size: int
    checked: bool


def fetch(
    source: Source, bounds: Bounds, into: BinaryIO, tell: Callable[[int, int | None], None]
) -> Fetched:
    """Fetch a source into a file, which is emptied first and at its start afterwards.

    What an error leaves in the file is of no use.

    `tell` hears again and again how many bytes have arrived, and of how many where that is known;
    both count them as they travel, compressed or not, and begin again where an attempt does. What
    it raises ends the fetch.

    Raises `Unusable`: `address_refused`, `redirect_refused`, `unreachable`, `deadline`,
    `truncated`, `too_large`, `bad_content`, and `bad_archive` where what was compressed on the way
    is damaged.
    Not to be called where an event loop runs.
    """
    return asyncio.run(_fetched(source, bounds, into, tell))


async def _fetched(
    source: Source, bounds: Bounds, into: BinaryIO, tell: Callable[[int, int | None], None]
) -> Fetched:
    limit = asyncio.timeout(bounds.deadline)
    try:
        async with limit:
            return await _Fetch(source, bounds, into, tell).run()
    except TimeoutError:
        if not limit.expired():
            raise
        raise Unusable(Fault.DEADLINE, "it did not arrive in the time it is given") from None


class _Again(Unusable):
    """An attempt failed and another may not, after so many seconds at least."""

    def __init__(self, fault: Fault, detail: str, after: float = 0.0) -> None:
        super().__init__(fault, detail)
        self.after = after


@dataclass(frozen=True, slots=True)
class _Head:
    """What an answer says of its body; `length` is in bytes as they travel."""

    etag: str | None
    last_modified: str | None
    media: str
    packed: bool
    length: int | None
    chunked: bool
    ranges: bool

    @property
    def resumable(self) -> bool:
        # A weak tag may stand for other bytes: RFC 9110, 13.1.5.
        strong = self.etag is not None and _STRONG_ETAG.fullmatch(self.etag) is not None
        return strong and self.ranges and self.length is not None and not self.packed


class _Fetch:
    """One fetch over its attempts: the addresses that were found, and how far it has got."""

    def __init__(
        self,
        source: Source,
        bounds: Bounds,
        into: BinaryIO,
        tell: Callable[[int, int | None], None],
    ) -> None:
        self._source = source
        self._bounds = bounds
        self._into = into
        self._tell = tell
        self._url = _parsed(source.url)
        self._verify = httpx2.create_ssl_context(trust_env=False)
        self._addresses: dict[str, tuple[Address, ...]] = {}
        self._attempts = 0
        self._head: _Head | None = None
        self._received = 0
        self._written = 0
        self._opening = b""
        self._gunzip: Gunzip | None = None

    async def run(self) -> Fetched:
        clock = asyncio.get_running_loop().time
        ends = clock() + self._bounds.deadline
        for pause in _PAUSES:
            try:
                return await self._attempt()
            except _Again as failed:
                wait = max(pause, failed.after)
                if clock() + wait >= ends:
                    raise
            self._attempts += 1
            await asyncio.sleep(wait)
        return await self._attempt()

    async def _attempt(self) -> Fetched:
        url = self._url
        for _ in range(_REDIRECTS + 1):
            request = self._request(url, await self._address(url))
            # One connection for one request: what TLS has shown of one host is not for another
            # that happens to have the same address.
            async with httpx2.AsyncHTTPTransport(self._verify, trust_env=False) as transport:
                try:
                    response = await transport.handle_async_request(request)
                except (httpx2.TransportError, ssl.SSLError) as error:
                    raise _unreached(error) from None
                async with aclosing(response):
                    if response.status_code not in _REDIRECTED:
                        return await self._answered(response)
                    url = self._redirected(url, response.headers.get("Location", ""))
        raise _redirect_refused("it redirects more often than is followed")

    async def _address(self, url: httpx2.URL) -> Address:
        host = url.raw_host.decode("ascii")
        if host not in self._addresses:
            try:
                found = await _in_thread(lambda: _resolve(host))
            except (OSError, UnicodeError):
                raise _Again(Fault.UNREACHABLE, "the host is not known") from None
            if not found or not all(_allowed(each, self._bounds.networks) for each in found):
                raise _address_refused("the host is not on the public Internet")
            self._addresses[host] = found
        addresses = self._addresses[host]
        return addresses[self._attempts % len(addresses)]

    def _request(self, url: httpx2.URL, address: Address) -> httpx2.Request:
        headers = httpx2.Headers({"User-Agent": _AGENT, "Accept": "*/*"})
        if self._source.media:
            headers["Accept"] = ", ".join((*self._source.media, "*/*;q=0.1"))
        if _same_server(self._url, url):
            headers.update(httpx2.Headers(self._source.headers, encoding="utf-8"))
        headers["Host"] = url.netloc.decode("ascii")
        headers.update(self._conditions())
        return httpx2.Request(
            "GET",
            url.copy_with(host=str(address)),
            headers=headers,
            extensions={
                "timeout": httpx2.Timeout(None, connect=_CONNECT_SECONDS).as_dict(),
                "sni_hostname": url.raw_host.decode("ascii"),
            },
        )

    def _conditions(self) -> Mapping[str, str]:
        if self._head is not None and self._resuming:
            return {
                "Accept-Encoding": "identity",
                "Range": f"bytes={self._received}-",
                "If-Range": self._head.etag or "",
            }
        return {
            "Accept-Encoding": "gzip, identity",
            **({"If-None-Match": self._source.etag} if self._source.etag else {}),
            **(
                {"If-Modified-Since": self._source.last_modified}
                if self._source.last_modified
                else {}
            ),
        }

    def _redirected(self, url: httpx2.URL, location: str) -> httpx2.URL:
        if not location:
            raise _redirect_refused("it redirects to nowhere")
        try:
            target = _parsed(str(url.join(location)))
        except (httpx2.InvalidURL, ValueError, Unusable):
            raise _redirect_refused("it redirects to what is no address of a server") from None
        if url.scheme == "https" and target.scheme == "http":
            raise _redirect_refused("it redirects to where nothing is encrypted")
        if not _same_server(self._url, target) and target.netloc not in _declared(self._source):
            raise _redirect_refused("it redirects to a host that is not declared for it")
        return target

    async def _answered(self, response: httpx2.Response) -> Fetched:
        status = response.status_code
        asked_if_changed = bool(self._source.etag or self._source.last_modified)
        if status == 304 and asked_if_changed and not self._resuming:
            return self._unchanged(response)
        if status == 200:
            self._begin(_head(response))
            return await self._poured(response)
        if self._resuming and status in (206, 416):
            return await self._resumed(response)
        detail = f"the server answered {status}"
        if status == 429 or status >= 500:
            raise _Again(
                Fault.UNREACHABLE, detail, _retry_after(response.headers.get("Retry-After", ""))
            )
        raise Unusable(Fault.UNREACHABLE, detail)

    def _unchanged(self, response: httpx2.Response) -> Fetched:
        self._empty()
        return Fetched(
            changed=False,
            etag=_validator(response, "ETag") or self._source.etag,
            last_modified=_validator(response, "Last-Modified") or self._source.last_modified,
            media=None,
            size=0,
            checked=True,
        )

    def _begin(self, head: _Head) -> None:
        if not _taken(head.media, self._source.media):
            raise Unusable(Fault.BAD_CONTENT, "the server sent another kind of content")
        if head.length is not None and head.length > self._bounds.max_bytes:
            raise _too_large()
        self._empty()
        self._head = head
        self._gunzip = (
            Gunzip(self._bounds.max_bytes, self._bounds.max_ratio) if head.packed else None
        )

    def _empty(self) -> None:
        self._into.seek(0)
        self._into.truncate()
        self._head, self._received, self._written, self._opening = None, 0, 0, b""

    @property
    def _resuming(self) -> bool:
        return self._head is not None and self._head.resumable and self._received > 0

    async def _resumed(self, response: httpx2.Response) -> Fetched:
        """The rest of what was broken off, where the answer is just that."""
        assert self._head is not None
        assert self._head.length is not None
        rest = f"bytes {self._received}-{self._head.length - 1}/{self._head.length}"
        fits = (
            response.status_code == 206
            and response.headers.get("Content-Range", "").strip() == rest
            and response.headers.get("Content-Encoding", "identity").strip() in ("", "identity")
            and response.headers.get("ETag", self._head.etag) == self._head.etag
        )
        if not fits:
            self._empty()
            raise _broken_off()
        return await self._poured(response)

    async def _poured(self, response: httpx2.Response) -> Fetched:
        assert self._head is not None
        async with aclosing(_pieces(response)) as pieces:
            async for piece in pieces:
                self._arrived(piece)
        if self._head.length is not None and self._received != self._head.length:
            if self._received > self._head.length:
                self._empty()
            raise _broken_off()
        if self._gunzip:
            self._gunzip.end()
        self._into.seek(0)
        return Fetched(
            changed=True,
            etag=self._head.etag,
            last_modified=self._head.last_modified,
            media=self._head.media or None,
            size=self._written,
            checked=self._head.length is not None or self._head.chunked or self._head.packed,
        )

    def _arrived(self, piece: bytes) -> None:
        assert self._head is not None
        self._received += len(piece)
        if self._received > self._bounds.max_bytes:
            raise _too_large()
        for part in self._gunzip.feed(piece) if self._gunzip else (piece,):
            self._write(part)
        self._tell(self._received, self._head.length)

    def _write(self, part: bytes) -> None:
        if len(self._opening) < _OPENING:
            self._opening += part[: _OPENING - len(self._opening)]
            if _HTML.match(self._opening) and not _HTML_MEDIA.intersection(self._source.media):
                raise Unusable(Fault.BAD_CONTENT, "the server sent a page, as for a login")
        self._written += len(part)
        self._into.write(part)


def _unreached(error: BaseException) -> Unusable:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unusable(Fault.UNREACHABLE, "the server's certificate is not valid for the host")
        cause = cause.__cause__ or cause.__context__
    return _Again(Fault.UNREACHABLE, "the server could not be reached")


async def _pieces(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The body as it travels. Raises `_Again` where it is broken off."""
    try:
        async for piece in response.aiter_raw():
            yield piece
    except (httpx2.TransportError, ssl.SSLError):
        raise _broken_off() from None


async def _in_thread(work: Callable[[], tuple[Address, ...]]) -> tuple[Address, ...]:
    """What a function returns, without waiting for it where it outlasts the deadline.

    A thread of the loop's own pool would be waited for when the loop ends.
    """
    future: Future[tuple[Address, ...]] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001
                future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


def _resolve(host: str) -> tuple[Address, ...]:
    """The addresses of a name or of an address in any spelling that the system understands.

    Raises `OSError`, `UnicodeError`.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(address[0]) for *_, address in found))


def _allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address may be connected to: it is public, or the operator allows it."""
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    return _public(address) or any(address in network for network in networks)


def _public(address: Address) -> bool:
    """Whether it belongs to one host of the public Internet, and leads to no other address."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def _parsed(text: str) -> httpx2.URL:
    """The address of something on a server. Raises `Unusable`: `address_refused`."""
    try:
        url = httpx2.URL(text)
        host = url.raw_host.decode("ascii")
    except (httpx2.InvalidURL, ValueError):
        raise _address_refused("the address cannot be read") from None
    # A password in an address is one that is logged, and `%` in a host names a network card.
    if url.scheme not in _PORTS or not host or "%" in host or url.userinfo:
        raise _address_refused("the address must be http or https, of a host, without a password")
    if not 0 < _port(url) < 65536:
        raise _address_refused("the address has no such port")
    return url


def _port(url: httpx2.URL) -> int:
    return _PORTS[url.scheme] if url.port is None else url.port


def _same_server(own: httpx2.URL, other: httpx2.URL) -> bool:
    """Whether it is the same host and port, or the same host now asking for TLS."""
    encrypted = (own.scheme, _port(own), other.scheme, _port(other)) == ("http", 80, "https", 443)
    same = (own.scheme, _port(own)) == (other.scheme, _port(other))
    return own.raw_host == other.raw_host and (same or encrypted)


def _declared(source: Source) -> frozenset[bytes]:
    return frozenset(httpx2.URL(f"https://{host}").netloc for host in source.hosts)


def _head(response: httpx2.Response) -> _Head:
    """Raises `Unusable`: `bad_content` for an encoding that was not asked for."""
    headers = response.headers
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Unusable(Fault.BAD_CONTENT, "the server sent an encoding that is not read here")
    length = headers.get("Content-Length", "").strip()
    chunked = "Transfer-Encoding" in headers
    media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return _Head(
        etag=_validator(response, "ETag"),
        last_modified=_validator(response, "Last-Modified"),
        media=media if _MEDIA.fullmatch(media) else "",
        packed=coding in ("gzip", "x-gzip"),
        length=int(length) if length.isdecimal() and len(length) < 20 and not chunked else None,
        chunked=chunked,
        ranges=headers.get("Accept-Ranges", "bytes").strip().lower() == "bytes",
    )


def _validator(response: httpx2.Response, name: str) -> str | None:
    """A header that can be kept and sent back."""
    text = response.headers.get(name, "")
    return text if _VALIDATOR.fullmatch(text) else None


def _taken(media: str, accepted: Sequence[str]) -> bool:
    if media in _HTML_MEDIA or (accepted and media not in _UNTOLD_MEDIA):
        return media in accepted
    return True


def _retry_after(text: str) -> float:
    """Seconds that a server asks to wait, 0 where it does not say so: RFC 9110, 10.2.3."""
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    if until.tzinfo is None:
        return 0.0
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _address_refused(detail: str) -> Unusable:
    return Unusable(Fault.ADDRESS_REFUSED, detail)


def _redirect_refused(detail: str) -> Unusable:
    return Unusable(Fault.REDIRECT_REFUSED, detail)


def _too_large() -> Unusable:
    return Unusable(Fault.TOO_LARGE, "there is more of it than is taken")


def _broken_off() -> _Again:
    return _Again(Fault.TRUNCATED, "the answer ends too early")
