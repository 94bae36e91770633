"""What is made at its own pace and read at another's: a file that grows while it is read."""

import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, Final

IN_MEMORY: Final = 4 * 1024 * 1024
"""Bytes that are kept without a file on disk."""


class Gone(Exception):
    """Nobody reads on."""


class Spool:
    """Bytes on their way from one thread to another, who may be slower; what is written waits on
    disk. `left` is called once, when nobody reads on."""

    def __init__(self, left: Callable[[], object]) -> None:
        self._left = left
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        self._changed = threading.Condition()
        self._written = 0
        self._read = 0
        self._ended = False
        self._gone = False
        self._error: BaseException | None = None

    def write(self, data: bytes) -> None:
        """Raises `Gone`."""
        with self._changed:
            self._check()
            self._file.seek(self._written)
            self._file.write(data)
            self._written += len(data)
            self._changed.notify_all()

    def check(self) -> None:
        """Raises `Gone` where writing on would be in vain."""
        with self._changed:
            self._check()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; with an error, what came is not all."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def begun(self) -> None:
        """Wait until there is something to read. Raises the error that came before it."""
        with self._changed:
            self._changed.wait_for(lambda: self._written or self._ended or self._gone)
            if self._error is not None and not self._written:
                raise self._error

    def read(self, size: int) -> bytes:
        """Up to so many bytes as soon as there are any; empty at the end. Raises the error that
        cut it short."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > self._read or self._ended or self._gone)
            self._check()
            if self._error is not None:
                raise self._error
            self._file.seek(self._read)
            data = self._file.read(size)
            self._read += len(data)
            return data

    def leave(self) -> None:
        """Read no more: the file goes, and whoever writes stops."""
        with self._changed:
            if self._gone:
                return
            self._gone = True
            self._file.close()
            self._changed.notify_all()
        self._left()

    def _check(self) -> None:
        if self._gone:
            raise Gone
