"""What the documents say is what the service does."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from service.__main__ import app
from service.domain.access import Role
from service.domain.figures import QUANTITY_WORDS
from service.domain.imports import HELD
from service.domain.vocabulary import Basis, Flag
from service.formats.imports.registry import FORMATS
from service.settings import Settings
from tests.formats import test_ucdp
from tests.harness import Databases, Service
from tests.processes import command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
METHOD = (ROOT / "docs" / "method.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
IMPORTS = (ROOT / "docs" / "imports.md").read_text()
HOST = "http://127.0.0.1:8000"


def curl_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [c for block in blocks for c in re.split(r"\n(?=curl)", block) if c.startswith("curl")]


@pytest.mark.parametrize("typed", curl_commands())
def test_every_request_in_the_readme_is_answered(seeded: Service, typed: str) -> None:
    url, *options = shlex.split(typed.replace("\\\n", " "))[1:]
    given = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict(
        value.split(": ", 1)
        for option, value in zip(options[::2], options[1::2], strict=True)
        if option == "-H"
    )
    assert url.startswith(HOST)
    path = url.removeprefix(HOST)
    if not headers:
        answer = seeded.client.get(path)
        assert answer.status_code == 200, answer.text
        return
    headers["Authorization"] = f"Bearer {seeded.key(Role.ADMIN)}"
    body = given.get("-d") or given["--data-binary"]
    if body.startswith("@"):
        body = (ROOT / body[1:]).read_text()
    answer = seeded.client.post(path, content=body.encode(), headers=headers)
    assert answer.status_code in (200, 201), answer.text
    assert '"outcome":"rejected"' not in answer.text


def test_the_readmes_file_of_ten_reports_shows_in_the_sums(seeded: Service) -> None:
    def total() -> int:
        answer = seeded.aggregates(period="month", by="sector", first="2022-09", last="2022-09")
        incidents: int = answer["total"]["incidents"]
        return incidents

    before = total()
    answer = seeded.client.post(
        "/v1/reports/bulk",
        content=(ROOT / "docs" / "ten-reports.csv").read_bytes(),
        headers={**seeded.headers(), "Content-Type": "text/csv"},
    )
    assert '"created":10' in answer.text
    assert total() == before + 10


def test_the_readmes_import_is_taken(databases: Databases, tmp_path: Path) -> None:
    [line] = re.findall(r"^\.venv/bin/ceasefire import (.+)$", README, re.MULTILINE)
    name, *options = shlex.split(line)
    (tmp_path / name).write_bytes(test_ucdp.table(test_ucdp.USUAL).read())
    with databases.fresh("sqlite", "nothing") as url:
        done = command("import", str(tmp_path / name), *options, url=url)
    assert done.returncode == 0, done.stderr
    assert "read 1 = created 1 " in done.stdout


def test_links_between_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https:)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} → {target}"


def test_every_format_and_every_reason_to_wait_is_in_the_guide_to_imports() -> None:
    assert [name for name in (*FORMATS, *HELD) if f"`{name}`" not in IMPORTS] == []


def test_every_flag_basis_and_quantity_word_is_in_the_method() -> None:
    missing = [
        word for word in (*Flag, *Basis, *QUANTITY_WORDS) if word.removesuffix(" of") not in METHOD
    ]
    assert missing == []


def test_every_setting_is_documented_with_its_default() -> None:
    for name, setting in Settings.model_fields.items():
        variable = setting.validation_alias or f"CEASEFIRE_{name.upper()}"
        assert f"`{variable}`" in OPERATIONS


def test_every_command_is_documented() -> None:
    commands = getattr(get_command(app), "commands", {})
    for name in commands:
        assert f"`ceasefire {name}" in OPERATIONS
