"""Every test that asks for a service runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.harness import BACKENDS, Databases, Service


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with postgres.server() as url:
        yield Databases(url, Path(tmp_path_factory.mktemp("databases")))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(databases: Databases, backend: str) -> Iterator[Service]:
    """A service that knows the theatre and has no report yet."""
    with databases.fresh(backend, "reference") as url:
        running = Service(url)
        yield running
        running.close()


@pytest.fixture
def seeded(databases: Databases, backend: str) -> Iterator[Service]:
    """A service with every documented incident."""
    with databases.fresh(backend, "seeds") as url:
        running = Service(url)
        yield running
        running.close()
