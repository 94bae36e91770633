"""What is done every few seconds beside the requests: one thread, one job after the other."""

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 5.0


class Background:
    """Runs `jobs` in turn every so many seconds, as long as the context lasts; 0 seconds: never.

    A job that fails is logged and run again in the next round; the others go on.
    """

    def __init__(self, jobs: Sequence[Callable[[], object]], seconds: float) -> None:
        self._jobs = tuple(jobs)
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def __enter__(self) -> "Background":
        if self._jobs and self._seconds:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            # A job that still waits for somebody else ends with the process.
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for job in self._jobs:
                if self._stopping.is_set():
                    return
                try:
                    job()
                except Exception:
                    log.exception("a job in the background failed and will be tried again")
            self._stopping.wait(self._seconds)
