"""Every test that asks for a service runs on SQLite and on a real PostgreSQL."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.harness import BACKENDS, Databases, Service

MEMORY = Path("/dev/shm")  # noqa: S108
ENOUGH = 2**31


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    # Files of SQLite lie in memory where there is room: what is tested waits for the disk at every
    # commit, and half the time of a run would go into that.
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if roomy else None) as folder,
        postgres.server() as url,
    ):
        yield Databases(url, Path(folder))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(databases: Databases, backend: str) -> Iterator[Service]:
    """A service that knows the theatre and has no report yet."""
    with databases.keyed(backend, "reference") as url:
        running = Service(url)
        yield running
        running.close()


@pytest.fixture
def seeded(databases: Databases, backend: str) -> Iterator[Service]:
    """A service with every documented incident."""
    with databases.keyed(backend, "seeds") as url:
        running = Service(url)
        yield running
        running.close()
