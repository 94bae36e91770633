"""How often somebody may ask, counted in this process and nowhere else.

An address is held as a hash, and its key is made when the process starts: what is counted leads
back to nobody, and is gone with the process.
"""

import hashlib
import ipaddress
import math
import secrets
import time
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from service.errors import TooMany

# Who has an address of IPv6 has at least all of its /64 (RFC 6177).
_IPV6_PREFIX: Final = 64


class Limits:
    """Three limits, each such as `300/minute`; an empty one does not limit.

    A window opens with the first request and holds so many; the next one opens when it has closed.
    """

    def __init__(self, *, anonymous: str, key: str, failures: str) -> None:
        self._anonymous = _parsed(anonymous)
        self._key = _parsed(key)
        self._failures = _parsed(failures)
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._secret = secrets.token_bytes(32)

    def count_anonymous(self, address: str) -> None:
        """A request without a key. Raises `TooMany`."""
        self._count_at(self._anonymous, "anonymous", address)

    def count_key(self, name: str) -> None:
        """A request with a valid key. Raises `TooMany`."""
        self._count(self._key, "key", name)

    def count_failure(self, address: str) -> None:
        """A request with a key that is not valid. Raises `TooMany`."""
        self._count_at(self._failures, "failure", address)

    def _count_at(self, limit: RateLimitItem | None, what: str, address: str) -> None:
        if limit is not None:
            self._count(limit, what, self._hidden(address))

    def _count(self, limit: RateLimitItem | None, *whom: str) -> None:
        if limit is not None and not self._windows.hit(limit, *whom):
            closes = self._windows.get_window_stats(limit, *whom).reset_time
            raise TooMany(max(1, math.ceil(closes - time.time())))

    def _hidden(self, address: str) -> str:
        network = _network(address).encode()
        return hashlib.blake2b(network, key=self._secret, digest_size=16).hexdigest()


def _parsed(limit: str) -> RateLimitItem | None:
    return parse(limit) if limit else None


def _network(address: str) -> str:
    """What stands for one client: the address, of IPv6 its /64."""
    if ":" not in address:
        # An address of IPv4 is written in one way only.
        return address
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        # A socket of this machine, or a proxy that names its clients in another way.
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False))
    return str(parsed)
