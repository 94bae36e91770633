"""What an operator types, and what is answered."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service import __main__ as command_line
from tests import postgres
from tests.harness import SEED, Databases
from tests.processes import application, command, server

REPORT = {"when": "2022-09-20", "where": {"place": "Lachin"}, "claimant": "a monitor"}
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command without a new process; return the exit code and what was printed."""

    def run(*arguments: str, url: str) -> tuple[int, str, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setattr("sys.argv", ["ceasefire", *arguments])
        umask = os.umask(0o022)
        try:
            command_line.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os.umask(umask)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def url(databases: Databases, backend: str) -> Iterator[str]:
    with databases.fresh(backend, "reference") as url:
        yield url


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "new" / "api-key"
    monkeypatch.setenv("CEASEFIRE_KEY_FILE", str(file))
    return file


def status_with(key: str, url: str) -> int:
    with application(url) as client:
        answer = client.post("/v1/reports", json=REPORT, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code


def one_line(printed: str) -> bool:
    """One line for the operator, below what the store may have logged."""
    lines = [line for line in printed.splitlines() if not line.startswith("database unavailable:")]
    return len(lines) == 1 and lines[0].startswith("ceasefire: ")


def test_from_nothing_to_a_checked_database(
    typed: Typed, databases: Databases, backend: str, tmp_path: Path
) -> None:
    if backend == "sqlite":
        from_nothing(typed, f"sqlite:///{tmp_path / 'not' / 'yet' / 'there.db'}")
    else:
        with postgres.database(databases.server_url) as url:
            from_nothing(typed, url)


def from_nothing(typed: Typed, url: str) -> None:
    assert typed("migrate", url=url)[0] == 0
    code, printed, _ = typed("seed", url=url)
    assert (code, printed.startswith("Changed: "), "56 incidents" in printed) == (0, True, True)
    assert typed("seed", url=url) == (0, "Nothing changed.\n", "")
    assert typed("check", url=url) == (0, "Every figure equals its recount.\n", "")


def test_a_process_of_its_own_says_the_same(databases: Databases) -> None:
    with databases.fresh("sqlite", "seeds") as url:
        seeded = command("seed", url=url)
        assert (seeded.returncode, seeded.stdout, seeded.stderr) == (0, "Nothing changed.\n", "")


def test_a_key_is_shown_once_and_works_until_it_is_revoked(typed: Typed, url: str) -> None:
    code, printed, _ = typed("keys", "create", "north", "--role", "reviewer", url=url)
    key = printed.strip()
    assert (code, printed.count("\n")) == (0, 1)
    assert status_with(key, url) == 201
    code, printed, _ = typed("keys", "list", url=url)
    assert "north: usable, reviewer" in printed
    assert key not in printed
    assert typed("keys", "revoke", "north", url=url)[0] == 0
    assert status_with(key, url) == 401
    assert "north: revoked" in typed("keys", "list", url=url)[1]
    again = typed("keys", "create", "north", url=url)[1].strip()
    assert (status_with(again, url), status_with(key, url)) == (201, 401)


def test_a_key_is_kept_nowhere_as_it_is(typed: Typed, databases: Databases) -> None:
    with databases.fresh("sqlite", "reference") as url:
        key = typed("keys", "create", url=url)[1].strip()
        folder = Path(url.removeprefix("sqlite:///")).parent
        assert all(key.encode() not in file.read_bytes() for file in folder.iterdir())


def test_the_first_key_is_in_a_file_for_its_owner_only(
    typed: Typed, url: str, key_file: Path
) -> None:
    code, printed, _ = typed("keys", "create", "--if-none", url=url)
    key = key_file.read_text().strip()
    assert code == 0
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert str(key_file) in printed
    assert "curl" in printed
    assert key not in printed
    assert status_with(key, url) == 201
    code, printed, _ = typed("keys", "create", "--if-none", url=url)
    assert (code, printed) == (0, f"A key exists; the first was written to {key_file}\n")
    assert key_file.read_text().strip() == key


def test_a_file_that_others_could_read_is_closed_to_them(
    typed: Typed, url: str, key_file: Path
) -> None:
    key_file.parent.mkdir()
    key_file.touch(0o644)
    typed("keys", "create", "--if-none", url=url)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_where_the_file_cannot_be_written_no_key_is_made(
    typed: Typed, url: str, key_file: Path
) -> None:
    key_file.mkdir(parents=True)
    code, printed, complaint = typed("keys", "create", "--if-none", url=url)
    assert (code, printed) == (1, "")
    assert one_line(complaint)
    assert typed("keys", "list", url=url)[1] == ""


def test_a_revoked_first_key_is_followed_by_another(typed: Typed, url: str, key_file: Path) -> None:
    typed("keys", "create", "--if-none", url=url)
    revoked = key_file.read_text().strip()
    typed("keys", "revoke", "first", url=url)
    assert typed("keys", "create", "--if-none", url=url)[0] == 0
    key = key_file.read_text().strip()
    assert (status_with(key, url), status_with(revoked, url)) == (201, 401)


def test_check_finds_what_was_tampered_with_and_mends_it(
    typed: Typed, databases: Databases, backend: str
) -> None:
    with databases.fresh(backend, "seeds") as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        for tampering in (
            "UPDATE figures SET low = low + 1, counted_low = counted_low + 1 WHERE low = 200",
            "UPDATE accounts SET sector = 'rear' WHERE reports = 2",
            "DELETE FROM account_weapons",
        ):
            assert typed("check", url=url) == (0, "Every figure equals its recount.\n", "")
            with engine.begin() as connection:
                assert connection.exec_driver_sql(tampering).rowcount > 0
            code, printed, _ = typed("check", url=url)
            assert code == 1
            assert printed.startswith("differs: ")
            code, printed, _ = typed("check", "--repair", url=url)
            assert (code, "Repaired" in printed) == (0, True)
        assert typed("check", url=url)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seed", "/nowhere"], "theatre.toml"),
        (["keys", "revoke", "nobody"], "Nothing is known under that name."),
        (["migrate", "7777"], "7777"),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    typed: Typed, databases: Databases, arguments: list[str], said: str
) -> None:
    with databases.fresh("sqlite", "reference") as url:
        code, printed, complaint = typed(*arguments, url=url)
    assert (code, printed) == (1, "")
    assert one_line(complaint)
    assert said in complaint


def test_a_name_in_use_gets_no_second_key(typed: Typed, url: str) -> None:
    typed("keys", "create", "north", url=url)
    code, printed, complaint = typed("keys", "create", "north", url=url)
    assert (code, printed, complaint) == (1, "", "ceasefire: A key of this name exists.\n")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql://monitor:hunter2@127.0.0.1:1/tracker", "refused"),
        ("postgresql://monitor:hunter2/3@host:port/tracker", "not the URL of a database"),
        ("hunter2", "not the URL of a database"),
        ("mysql://monitor:hunter2@host/tracker", "MySQLdb"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check", "seed"])
def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    typed: Typed, url: str, said: str, command: str
) -> None:
    code, printed, complaint = typed(command, url=url)
    assert (code, printed) == (1, "")
    assert said in complaint
    assert one_line(complaint)
    assert "hunter2" not in complaint


def test_where_no_folder_can_be_made_migrate_says_so(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, complaint = typed("migrate", url=f"sqlite:///{tmp_path / 'file' / 'test.db'}")
    assert code == 1
    assert one_line(complaint)
    assert "file" in complaint


def test_a_setting_that_does_not_fit_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    code, _, complaint = typed("serve", url="sqlite://")
    assert (code, one_line(complaint)) == (1, True)
    assert "PORT" in complaint
    assert "eighty" not in complaint


def test_without_tables_nothing_is_served(typed: Typed, tmp_path: Path) -> None:
    code, _, complaint = typed("serve", url=f"sqlite:///{tmp_path / 'empty.db'}")
    assert (code, one_line(complaint)) == (1, True)
    assert "schema none" in complaint
    assert "ceasefire migrate" in complaint


def test_a_server_logs_neither_keys_nor_who_sent_what(typed: Typed, databases: Databases) -> None:
    with databases.fresh("sqlite", "reference") as url:
        key = typed("keys", "create", url=url)[1].strip()
        with server(url, CEASEFIRE_LOG_LEVEL="debug") as running, running.client() as client:
            headers = {"Authorization": f"Bearer {key}", "User-Agent": "a monitor's telephone"}
            for sent in (headers, {**headers, "Authorization": "Bearer ceasefire_of-another"}):
                report = {**REPORT, "summary": "what nobody else may read"}
                client.post("/v1/reports", json=report, headers=sent)
                client.post("/v1/reports", content="{", headers=sent)
            log = running.log.read_text()
    assert "Uvicorn running" in log
    for secret in (key, "ceasefire_of-another", "telephone", "nobody else", "/v1/reports"):
        assert secret not in log


def test_another_folder_of_seeds_is_loaded_in_place_of_the_first(
    typed: Typed, url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "seeds"
    shutil.copytree(SEED, folder)
    for file in (folder / "incidents").iterdir():
        file.unlink()
    assert "0 incidents, 0 reports" in typed("seed", str(folder), url=url)[1]
