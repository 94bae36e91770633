"""How long things take, each in turn with what it is compared to: machines are noisy, and what
disturbs one of a pair disturbs the other."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

_LEAST_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 10.0
_LEAST_ROUNDS: Final = 5
_MOST_ROUNDS: Final = 15


@dataclass(frozen=True, slots=True)
class Times:
    """What was measured, in order: seconds, or requests per second."""

    each: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.each)

    @property
    def least(self) -> float:
        return min(self.each)

    @property
    def most(self) -> float:
        return max(self.each)


@dataclass(frozen=True, slots=True)
class Load:
    """What `wrk` saw: requests a second, latencies in seconds, answers that were errors, and how
    many bytes each answer took."""

    rate: float
    p50: float
    p99: float
    errors: int
    size: float


def seconds_of(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def in_turn(
    *works: Callable[[], Any], rounds: int | None = None, warm: bool = True
) -> tuple[Times, ...]:
    """The seconds that each takes, one after the other, round by round.

    They are repeated until all have had some time, and those that have had much no more; each is
    done once before, which does not count unless it was slow.
    """
    times: list[list[float]] = [[] for _ in works]
    spent = [0.0 for _ in works]
    if warm:
        for number, work in enumerate(works):
            took = seconds_of(work)
            if took > _MOST_SECONDS / 2:
                times[number].append(took)
                spent[number] += took
    for done in range(rounds or _MOST_ROUNDS):
        enough = min(spent) > _LEAST_SECONDS or max(spent) > _MOST_SECONDS
        if rounds is None and done >= _LEAST_ROUNDS and enough:
            break
        for number, work in enumerate(works):
            if times[number] and spent[number] > _MOST_SECONDS:
                continue
            took = seconds_of(work)
            times[number].append(took)
            spent[number] += took
    return tuple(Times(each) for each in times)


def rates_in_turn(
    works: Sequence[Callable[[], Load]], rounds: int = 5
) -> tuple[Sequence[Load], ...]:
    """What `wrk` sees of each, one after the other, round by round."""
    loads: list[list[Load]] = [[] for _ in works]
    for _ in range(rounds):
        for number, work in enumerate(works):
            loads[number].append(work())
    return tuple(loads)


def load(
    address: str,
    clients: int = 16,
    seconds: int = 4,
    headers: Mapping[str, str] | None = None,
    script: str | None = None,
) -> Load:
    """Ask for one address again and again, as so many clients."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed")
    # As `servers.fetched` asks, so that what that brought and its tag are of the same answer.
    told = {"Accept-Encoding": "identity", **(headers or {})}
    given = [part for name, value in told.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(  # noqa: S603
        [
            *(program, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "60s"),
            *given,
            *(("-s", script) if script else ()),
            address,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done
    )
    return Load(
        float(_found(r"Requests/sec: +([\d.]+)", done)[1]),
        _latency("50", done),
        _latency("99", done),
        int(failed[1]) if failed else sum(map(int, broken.groups())) if broken else 0,
        _size(done),
    )


def _found(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(text)
    return found


def _latency(percent: str, text: str) -> float:
    found = _found(rf" {percent}% +([\d.]+)(us|ms|s|m)\b", text)
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[found[2]]


def _size(text: str) -> float:
    found = _found(r"(\d+) requests in .*, ([\d.]+)(B|KB|MB|GB) read", text)
    scale = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[found[3]]
    return float(found[2]) * scale / int(found[1])
