"""Servers in processes of their own: the service, bare routes, Datasette, PostgreSQL."""

import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tests import processes
from tests.processes import Server

_PATIENCE: Final = 300


@contextmanager
def service(url: str, **settings: str) -> Iterator[Server]:
    """The service itself, without limits of requests and without work in the background."""
    quiet = {"CEASEFIRE_FEEDS_INTERVAL_SECONDS": "0", "CEASEFIRE_STATEMENT_TIMEOUT": "600"}
    with processes.server(url, **quiet, **settings) as running:
        yield running


@contextmanager
def bare(body: bytes, kind: str = "starlette") -> Iterator[Server]:
    """A route that answers with these bytes, served as the service is."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        launch = (
            *(sys.executable, "-m", "uvicorn", f"benchmarks.bare:{kind}", "--port", "0"),
            *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
        )
        with processes.server("sqlite://", launch, BODY=str(file)) as running:
            yield running


@contextmanager
def datasette(file: Path, queries: Mapping[str, str]) -> Iterator[Server]:
    """Datasette over a SQLite file, without its limits, with queries that have names."""
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "metadata.json"
        named = {name: {"sql": sql} for name, sql in queries.items()}
        metadata.write_text(json.dumps({"databases": {file.stem: {"queries": named}}}))
        limits = {
            "sql_time_limit_ms": 600_000,
            "max_returned_rows": 1_000_000_000,
            "max_csv_mb": 0,
            "num_sql_threads": 3,
            "allow_facet": "off",
            "suggest_facets": "off",
        }
        launch = (
            *(sys.executable, "-m", "datasette", "serve", str(file), "--metadata", str(metadata)),
            *("--port", "0"),
            *(part for name, value in limits.items() for part in ("--setting", name, str(value))),
        )
        with processes.server("sqlite://", launch) as running:
            yield running


def address(server: Server, path: str, parameters: Mapping[str, Any] | None = None) -> str:
    """Where something is asked for."""
    asked = "&".join(f"{name}={quote(str(value))}" for name, value in (parameters or {}).items())
    return f"{server.base_url}{path}{'?' if asked else ''}{asked}"


def fetched(url: str, **headers: str) -> tuple[bytes, Mapping[str, str]]:
    """The bytes of one answer and its headers; raises for an error."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
