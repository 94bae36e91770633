"""The guides, typed command by command into a shell beside a running service."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import Databases
from tests.processes import ROOT, command, environment, server

TOOLS = ("bash", "curl")
SHELL = shutil.which("bash") or ""
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="needs bash and curl"
)


def typed(guide: str, base_url: str) -> str:
    """The commands of a guide, for a service somewhere else."""
    text = (ROOT / "docs" / guide).read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    for written, meant in (
        ("http://127.0.0.1:8000", base_url),
        (".venv/bin/ceasefire", str(Path(sys.executable).parent / "ceasefire")),
        ("tools/verify_ledger.py", str(ROOT / "tools" / "verify_ledger.py")),
        ("docs/formats/examples", str(ROOT / "docs" / "formats" / "examples")),
    ):
        script = script.replace(written, meant)
    return script


def run(script: str, folder: Path, **variables: str) -> list[str]:
    done = subprocess.run(
        [SHELL, "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_monitor_and_a_reviewer_contradict_merge_verify_and_undo(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    with databases.fresh(backend, "seeds") as url, server(url) as running:
        printed = run(typed("reviewing.md", running.base_url), tmp_path, **environment(url))
    candidates, contested, waiting, verified, left, before, total, change = printed
    assert "'matter': 'place'" in candidates
    assert (contested, verified, left, before) == ("True", "verified", "1", "unverified")
    assert int(waiting) > 90
    assert "'incidents': 2" in total
    assert change == "Two posts, four kilometres apart."


def test_somebody_imports_a_newer_vintage_mends_releases_and_declares_feeds(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    guide = (ROOT / "docs" / "imports.md").read_text()
    [declared] = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "feeds.toml").write_text(declared)
    with (
        databases.fresh(backend, "seeds") as url,
        # The sources of the example are not to be asked from a test.
        server(url, CEASEFIRE_FEEDS_INTERVAL_SECONDS="0") as running,
    ):
        printed = run(typed("imports.md", running.base_url), tmp_path, **environment(url))
    assert [line for line in printed if line.startswith(("read ", "of the updated"))] == [
        "read 3: 3 created, 0 updated, 0 unchanged, 0 rejected, 0 held",
        "read 3 = created 3 + updated 0 + unchanged 0 + rejected 0 + held 0",
        "read 3 = created 0 + updated 0 + unchanged 3 + rejected 0 + held 0",
        "read 3 = created 0 + updated 2 + unchanged 1 + rejected 0 + held 0",
        "of the updated 1 claim something else, 1 only note something else",
        "read 3 = created 0 + updated 0 + unchanged 2 + rejected 1 + held 0",
        "read 1 = created 1 + updated 0 + unchanged 0 + rejected 0 + held 0",
        "read 14 = created 14 + updated 0 + unchanged 0 + rejected 0 + held 0",
        "read 14 = created 0 + updated 0 + unchanged 11 + rejected 0 + held 3",
        "read 14 = created 0 + updated 3 + unchanged 11 + rejected 0 + held 0",
        "of the updated 3 claim something else, 0 only note something else",
        "read 1 = created 1 + updated 0 + unchanged 0 + rejected 0 + held 0",
    ]
    assert "Checked: (left out)" in printed
    assert "4,when,is not a date of the calendar,E-104,26.13.2022" in "\n".join(printed)
    assert printed.index("It waits.") > printed.index(
        "yearbook: held (mass_change: changes a large share of what was recorded)"
    )
    taken, feeds_changed, *listed, account = printed[printed.index("taken") :]
    assert (taken, feeds_changed) == ("taken", "4 feeds declared, 4 changed.")
    assert {line.partition(":")[0] for line in listed} == {
        *("ministry", "ucdp-api", "ucdp-candidate", "valley")
    }
    assert "'read': 3" in account
    assert "'notes': 3" in account


def test_an_outsider_checks_the_ledger(databases: Databases, backend: str, tmp_path: Path) -> None:
    key = {"CEASEFIRE_LEDGER_KEY_FILE": str(tmp_path / "ledger-key")}
    with databases.fresh(backend, "seeds") as url:
        made = command("ledger", "key", "--if-none", url=url, **key)
        assert made.returncode == 0, made.stderr
        assert command("ledger", "head", url=url, **key).returncode == 0
        with server(url, **key) as running:
            script = typed("ledger.md", running.base_url)
            script = script[: script.index("--database")].rpartition("python3")[0]
            printed = run(script, tmp_path, **environment(url))
            assert any(line.startswith("verified: ") for line in printed)
            entries = tmp_path / "entries.ndjson"
            entries.write_text(entries.read_text().replace("Lachin", "Lachyn", 1))
            done = subprocess.run(
                [
                    *(sys.executable, str(ROOT / "tools" / "verify_ledger.py")),
                    *("--entries", "entries.ndjson", "--checkpoint", "held.txt"),
                ],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout[:7]) == (1, "broken:")
