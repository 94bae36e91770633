"""A running service for tests: real database, real migrations, a clock and ids handed in."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi.dependencies import models
from starlette.testclient import TestClient

from service.api.app import create_app
from service.domain.access import Role
from service.formats import sealing
from service.formats.reference import read_folder
from service.settings import Settings
from service.store import schema, tables
from service.store.database import Database
from service.store.journal import Author
from service.work import cells, checking, keys, reference, seed
from service.work.reference import Theatres
from tests import postgres

SEED = Path(__file__).parent.parent / "seed_data"
NOW = datetime(2022, 10, 1, 12, 0, tzinfo=UTC)
BACKENDS = ("sqlite", "postgresql")
KEYED = "keyed"
JSON = {"Content-Type": "application/json"}


# Keys that a copied database holds already, by its URL: making them takes as long as many a test.
PREPARED: dict[str, dict[Role, str]] = {}


class Ids:
    """UUIDs that count up, the same in every run."""

    def __init__(self, first: int = 1) -> None:
        self._next = count(first)

    def __call__(self) -> str:
        return f"01840000-0000-7000-8000-{next(self._next):012x}"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Service:
    """The application over one database, spoken to as users do."""

    url: str
    clock: Clock = field(default_factory=Clock)
    new_id: Ids = field(default_factory=Ids)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = settings_of(self.url, **self.settings)
        app = create_app(settings, now=self.clock, new_id=self.new_id)
        self.database: Database = app.state.context.database
        self._theatres = Theatres()
        self.client = TestClient(app, raise_server_exceptions=False)
        self.client.__enter__()
        self.keys = dict(PREPARED.get(self.url, {}))
        for _ in self.keys:
            # As many ids are used up as if the keys were made now.
            self.new_id()
        for role in (*Role,)[1:]:
            self.key(role)

    def close(self) -> None:
        self.client.__exit__(None, None, None)
        # The framework remembers the functions of every application, and by them all it held.
        for remembered in vars(models).values():
            if hasattr(remembered, "cache_clear"):
                remembered.cache_clear()

    def make_key(self, name: str, role: Role = Role.IMPORTER, **more: Any) -> str:
        """A key that nobody else has."""
        author = Author("operator", self.clock())
        return self.database.write(
            lambda session: keys.create(session, name, role, author, self.new_id, **more)
        )

    def key(self, role: Role = Role.IMPORTER) -> str:
        """The key of the one who has this role."""
        if role not in self.keys:
            self.keys[role] = self.make_key(f"the {role}", role)
        return self.keys[role]

    def headers(
        self, role: Role = Role.IMPORTER, *, key: str | None = None, **more: str
    ) -> dict[str, str]:
        """What somebody of a role sends; of `anonymous`, no key."""
        known = {**JSON, **more}
        if role is Role.ANONYMOUS:
            return known
        return {"Authorization": f"Bearer {key or self.key(role)}", **known}

    def post(self, report: dict[str, Any], role: Role = Role.IMPORTER) -> dict[str, Any]:
        """Send a report that must be taken."""
        answer = self.client.post("/v1/reports", json=report, headers=self.headers(role))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(
        self, told: dict[str, Any], role: Role = Role.IMPORTER, **fields: Any
    ) -> dict[str, Any]:
        """Change a report, as it was told last, in a way that must be taken."""
        answer = self.client.patch(
            f"/v1/reports/{told['id']}",
            json={"reason": "It has changed.", **fields},
            headers=self.headers(role, **{"If-Match": f'"{told["revision"]}"'}),
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == f'"{told["revision"] + 1}"'
        return answer.json()

    def act(
        self, path: str, content: dict[str, Any], role: Role = Role.REVIEWER, **headers: str
    ) -> dict[str, Any]:
        """Decide something that must be taken."""
        answer = self.client.post(path, json=content, headers=self.headers(role, **headers))
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str, role: Role = Role.ANONYMOUS, **parameters: Any) -> Any:
        """Read something that must be there."""
        answer = self.client.get(path, params=parameters, headers=self.headers(role))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def declare(self, name: str, **declaration: Any) -> dict[str, Any]:
        """Declare a feed; of our own format, unless another is given."""
        given = {"url": f"https://{name}.example/feed", "source": name, "format": "reports"}
        answer = self.client.put(
            f"/v1/feeds/{name}", json={**given, **declaration}, headers=self.headers(Role.ADMIN)
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, name: str, content: str | bytes = b"", role: Role = Role.ADMIN) -> dict[str, Any]:
        """Run a feed, with a file in the place of what its source would give; how it ended."""
        answer = self.client.post(
            f"/v1/feeds/{name}/runs", content=content, headers=self.headers(role)
        )
        assert answer.status_code == 202, answer.text
        return self.get(answer.headers["location"], role)

    def aggregates(self, **parameters: Any) -> dict[str, Any]:
        if "first" in parameters:
            parameters["from"] = parameters.pop("first")
        if "last" in parameters:
            parameters["to"] = parameters.pop("last")
        return self.get("/v1/aggregates", **parameters)

    def state(self) -> dict[str, Any]:
        """All that must stay as it is when something is refused."""
        with self.database.reading() as session:
            rows = {
                table.name: session.scalar(sa.select(sa.func.count()).select_from(table))
                for table in tables.metadata.sorted_tables
            }
            hashes = session.scalars(
                sa.select(tables.Revision.sha256).order_by(tables.Revision.sequence)
            ).all()
        return {
            "rows": rows,
            "record": sealing.digest(list(hashes)),
            "aggregates": self.aggregates(period="year", by="sector", fill="none"),
        }

    def wrong_accounts(self) -> list[str]:
        """What a recount of every incident, and of every sum, finds different from what is kept."""
        with self.database.reading() as session:
            found = checking.differences(session, self._theatres.current(session))
        return [*found.incidents, *map(str, found.cells)]

    def fold(self) -> None:
        """Add what was changed to the sums, as is done in the background."""
        cells.fold(self.database, self._theatres)


@dataclass
class Databases:
    """Fresh databases, copied from ones that are migrated and filled once per process."""

    server_url: str
    folder: Path
    _templates: dict[tuple[str, str], str] = field(default_factory=dict)
    _keys: dict[tuple[str, str], dict[Role, str]] = field(default_factory=dict)

    @contextmanager
    def keyed(self, backend: str, content: str) -> Iterator[str]:
        """As `fresh`, with a key for every role, which a `Service` over it knows."""
        content = f"{content}_{KEYED}"
        with self.fresh(backend, content) as url:
            PREPARED[url] = self._keys[backend, content]
            yield url
            del PREPARED[url]

    @contextmanager
    def fresh(self, backend: str, content: str) -> Iterator[str]:
        """Yield the URL of a database holding `nothing`, the `reference` data, or all `seeds`."""
        template = self._template(backend, content)
        if backend == "sqlite":
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                file = Path(folder) / "test.db"
                shutil.copy(template, file)
                yield f"sqlite:///{file}"
        else:
            with postgres.database(self.server_url, template) as url:
                yield url

    def _template(self, backend: str, content: str) -> str:
        if (backend, content) not in self._templates:
            self._templates[backend, content] = self._make(backend, content)
        return self._templates[backend, content]

    def _make(self, backend: str, content: str) -> str:
        if backend == "sqlite":
            name = str(self.folder / f"{content}.db")
            url = f"sqlite:///{name}"
        else:
            name = f"template_{content}"
            url = self._create(name)
        schema.migrate(url)
        content, _, keyed = content.partition("_")
        fill(url, content)
        if keyed:
            self._keys[backend, f"{content}_{keyed}"] = give_keys(url)
        return name

    def _create(self, name: str) -> str:
        engine = sa.create_engine(
            self.server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        url = sa.make_url(self.server_url).set(database=name)
        return url.render_as_string(hide_password=False)


def settings_of(url: str, **more: Any) -> Settings:
    """What a service is tested with: no limits, and nothing in the background."""
    quiet = {
        "limit_anonymous": "",
        "limit_key": "",
        "limit_failures": "",
        "ledger_interval_seconds": 0,
        "feeds_interval_seconds": 0,
    }
    return Settings(database_url=url, **{**quiet, **more})


def fill(url: str, content: str) -> None:
    author = Author(seed.ACTOR, NOW)
    fillings: dict[str, Callable[[Any], object]] = {
        "nothing": lambda _: None,
        "reference": lambda s: reference.replace(s, read_folder(SEED), author),
        "seeds": lambda s: seed.load(s, SEED, author),
    }
    database = Database(url)
    database.write(fillings[content])
    database.close()
    _flush(url)


def give_keys(url: str) -> dict[Role, str]:
    """Make a key for every role, as a service for tests does where there are none."""
    service = Service(url)
    service.close()
    _flush(url)
    return service.keys


def _flush(url: str) -> None:
    if url.startswith("sqlite"):
        with sa.create_engine(url).connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
