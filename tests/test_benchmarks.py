"""What the benchmarks are measured on must be what the service would have written."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Service

pytest.importorskip("duckdb", reason="comes with make benchmark")

from benchmarks import generator

INCIDENTS, KINDS = 300, 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(tmp_path_factory.mktemp("made")) / "made.db"
    generator.make(file, INCIDENTS, kinds=KINDS)
    return file


def accounts_of(file: Path) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(
            "SELECT * FROM accounts WHERE reports > 0 ORDER BY incident_id, claimant"
        ).fetchall()


def test_nothing_made_up_differs_from_a_recount(made: Path) -> None:
    assert generator.differences(made) == []


def test_a_recount_notices_a_figure_that_is_wrong(made: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(made.read_bytes())
    with closing(sqlite3.connect(broken)) as connection:
        connection.execute("UPDATE figures SET counted_high = counted_high + 1")
        connection.commit()

    assert generator.differences(broken)


def test_the_service_reads_what_is_made_up(made: Path) -> None:
    service = Service(f"sqlite:///{made}")
    reports = service.get("/v1/reports", limit=500)["items"]
    total = service.aggregates(period="total", by="")["total"]
    years = service.aggregates(period="year", by="sector", fill="none")
    service.close()

    assert len(reports) >= INCIDENTS
    assert total["incidents"] > INCIDENTS / 2
    assert sum(cell["incidents"] for cell in years["cells"]) == total["incidents"]
    assert {report["when"][:4] for report in reports} > {"2018", "2019"}


def test_the_same_seed_makes_the_same(made: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.db", tmp_path / "other.db"
    generator.make(again, INCIDENTS, kinds=KINDS)
    generator.make(other, INCIDENTS, 2, kinds=KINDS)

    mine = [row[0] for row in accounts_of(made) if row[0].startswith("018bcfe5")]
    assert mine
    assert accounts_of(again) == accounts_of(made)
    assert accounts_of(other) != accounts_of(made)
