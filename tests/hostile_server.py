"""A small HTTP server that does what a source or its network may do, and counts who comes.

An answer is a function that writes bytes to the connection, which is closed afterwards:

    with hostile_server() as server:
        server.serve("/feed.csv", whole(b"...", ETag='"1"'))
        ... server.url("/feed.csv") ... server.connections

Answers for one path may be given one after the other; the last one is given from then on.
"""

import gzip
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, parse_headers
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Asked:
    """A request as it came; `over` is set when the server is about to end."""

    path: str
    headers: Message
    over: threading.Event


Write = Callable[[bytes], Any]
Answer = Callable[[Asked, Write], None]


@dataclass
class HostileServer:
    port: int
    scheme: str
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, list[Answer]] = field(default_factory=dict)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def serve(self, path: str, *answers: Answer) -> str:
        """Say what is answered at a path; its address."""
        self.answers[path] = [*answers]
        return self.url(path)

    def answer(self, asked: Asked, write: Write) -> None:
        self.asked.append(asked)
        waiting = self.answers.get(asked.path, [status(404)])
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(asked, write)


@contextmanager
def hostile_server(tls: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """A server on a free port of 127.0.0.1; with a context of its own, one that speaks TLS."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            # The client has gone away, which is the point of most tests.
            with suppress(OSError, HTTPException):
                connection = self.request
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                with connection, connection.makefile("rb") as lines:
                    words = lines.readline(MEBIBYTE).decode("latin-1").split()
                    if len(words) == 3:
                        asked = Asked(words[1], parse_headers(lines), server.over)
                        server.answer(asked, connection.sendall)

    class Listener(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def process_request(self, request: Any, client_address: Any) -> None:
            server.connections += 1
            super().process_request(request, client_address)

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nothing: a broken connection is meant to be."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        server = HostileServer(listener.server_address[1], "https" if tls else "http")
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown()
            thread.join()


def head(code: int = 200, /, **headers: str) -> bytes:
    """Status line and headers; `Content_Type` stands for `Content-Type`."""
    lines = [
        f"HTTP/1.1 {code} As told",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(*pieces: bytes) -> Answer:
    """Exactly these bytes."""

    def answer(asked: Asked, write: Write) -> None:
        for piece in pieces:
            write(piece)

    return answer


def whole(body: bytes, code: int = 200, /, **headers: str) -> Answer:
    return raw(
        head(code, **{"Content_Type": "text/csv", **headers}, Content_Length=str(len(body))), body
    )


def status(code: int, /, **headers: str) -> Answer:
    return whole(b"", code, **headers)


def redirect(location: str, code: int = 302) -> Answer:
    return status(code, Location=location)


def login_page(media: str = "text/html; charset=utf-8") -> Answer:
    return whole(LOGIN_PAGE, Content_Type=media)


def unless_known(body: bytes, **validators: str) -> Answer:
    """304 where the client says that it has what the `ETag` or `Last_Modified` stands for."""
    asks = {"ETag": "If-None-Match", "Last_Modified": "If-Modified-Since"}

    def answer(asked: Asked, write: Write) -> None:
        known = any(asked.headers.get(asks[name]) == value for name, value in validators.items())
        (raw(head(304, **validators)) if known else whole(body, **validators))(asked, write)

    return answer


def gzipped(body: bytes, **headers: str) -> Answer:
    return whole(gzip.compress(body), Content_Encoding="gzip", **headers)


def truncated_gzip(body: bytes) -> Answer:
    """Cut in the middle, and its length given as that of what is left."""
    packed = gzip.compress(body)
    return whole(packed[: len(packed) // 2], Content_Encoding="gzip")


def bomb(mebibytes: int = 1024) -> bytes:
    """Gzip of so many mebibytes of zeros, a thousandth of their size; a multiple of 16."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # What was flushed in full stands on its own, and may be repeated.
    part = packer.compress(bytes(16 * MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + part * (mebibytes // 16)


def gzip_bomb(mebibytes: int = 1024) -> Answer:
    return whole(bomb(mebibytes), Content_Encoding="gzip")


def short(body: bytes, missing: int = 100, **headers: str) -> Answer:
    """Fewer bytes than its length says."""
    told = {"Content_Type": "text/csv", **headers, "Content_Length": str(len(body) + missing)}
    return raw(head(**told), body)


def without_length(body: bytes, **headers: str) -> Answer:
    """Ends where the connection ends, as in HTTP/1.0."""
    return raw(head(**{"Content_Type": "text/csv", **headers}), body)


def chunked(*pieces: bytes, finished: bool = True) -> Answer:
    framed = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    end = b"0\r\n\r\n" if finished else b""
    return raw(head(Content_Type="text/csv", Transfer_Encoding="chunked"), *framed, end)


def drip(seconds: float = 0.5) -> Answer:
    """A byte now and then, for ever."""

    def answer(asked: Asked, write: Write) -> None:
        write(head(Content_Type="text/csv", Content_Length=str(MEBIBYTE)))
        while not asked.over.wait(seconds):
            write(b"x")

    return answer


def silence(asked: Asked, write: Write) -> None:
    """Not even a status."""
    asked.over.wait()


def endless(piece: bytes = b"x" * 65536, **headers: str) -> Answer:
    """A body that never ends; by default one huge line."""

    def answer(asked: Asked, write: Write) -> None:
        write(head(**{"Content_Type": "text/csv", **headers}))
        while not asked.over.is_set():
            write(piece)

    return answer


def in_parts(body: bytes, etag: str, each: int) -> Answer:
    """Breaks off after so many bytes every time, and goes on where it is asked to."""

    def answer(asked: Asked, write: Write) -> None:
        start = 0
        if asked.headers.get("Range") and asked.headers.get("If-Range") == etag:
            start = int(asked.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        span = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        told = {"ETag": etag, "Accept_Ranges": "bytes", "Content_Type": "text/csv", **span}
        write(head(206 if start else 200, **told, Content_Length=str(len(body) - start)))
        write(body[start : start + each])

    return answer
