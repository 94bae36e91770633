"""Writers that wait at the same time do their works together: one takes the turn for all of them,
so that one transaction, and one fsync, serves them all.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar

from service.errors import Unavailable

T = TypeVar("T")

# Whoever came first waits for whoever is taken along.
_MOST: Final = 64
_SECONDS: Final = 0.05


class Waiting(Generic[T]):
    """A work that waits to be done, by the thread that brought it or by another one.

    How it ends may be noted several times before its thread is called; the last counts.
    """

    def __init__(self, work: Callable[..., T]) -> None:
        self._work = work
        self._result: T | None = None
        self._error: Exception | None = None
        self._called = threading.Event()
        self.leads = False

    def attempt(self, do: Callable[[Callable[..., T]], T]) -> None:
        """Note how `do` with the work ends."""
        try:
            self._result, self._error = do(self._work), None
        except Exception as error:  # noqa: BLE001
            # For whoever brought it.
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Note that nothing came of it."""
        self._result, self._error = None, error

    def call(self) -> None:
        """Let its thread go on."""
        self._called.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it was called in time."""
        return self._called.wait(seconds)

    def outcome(self) -> T:
        """What came of it. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class Group:
    """The work of one who leads, and of those who wait when their turn comes: no more than a
    bounded number and time of them, since all wait for the last."""

    def __init__(self, first: Waiting[Any], following: Callable[[], Waiting[Any] | None]) -> None:
        self.members = [first]
        self._following = following

    def gather(self) -> Iterator[Waiting[Any]]:
        """Each member, and whoever has come to wait meanwhile."""
        begin = time.monotonic()
        yield self.members[0]
        while len(self.members) < _MOST and time.monotonic() - begin < _SECONDS:
            one = self._following()
            if one is None:
                return
            self.members.append(one)
            yield one


class Companions:
    """Those who wait to write. The first who comes leads; then whoever has waited longest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Waiting[Any]] = deque()
        self._is_led = False

    def do(self, work: Callable[..., T], lead: Callable[[Group], None], patience: float) -> T:
        """What comes of a work that `lead` does for a whole group, in this thread or in another.

        Raises what the work raises, and `Unavailable` after so many seconds of waiting.
        """
        one = Waiting(work)
        with self._lock:
            if self._is_led:
                self._waiting.append(one)
            else:
                self._is_led = one.leads = True
        if not one.leads and not one.wait(patience) and self._gave_up(one):
            raise Unavailable
        if not one.leads:
            # Somebody does it just now.
            one.wait()
        if one.leads:
            group = Group(one, self._next)
            try:
                lead(group)
            except BaseException:
                for other in group.members:
                    other.fail(Unavailable())
                raise
            finally:
                self._hand_on()
                for other in group.members[1:]:
                    other.call()
        return one.outcome()

    def __len__(self) -> int:
        """How many wait, the one who leads among them until its group is done."""
        with self._lock:
            return len(self._waiting) + self._is_led

    def _next(self) -> Waiting[Any] | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _gave_up(self, one: Waiting[Any]) -> bool:
        with self._lock:
            if one not in self._waiting:
                return False
            self._waiting.remove(one)
            return True

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            heir = self._waiting.popleft()
            heir.leads = True
        heir.call()
