"""Sums are kept in step with what they are made of, whoever writes, folds, repairs or reseeds."""

import shutil
import threading
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.access import Role
from service.domain.aggregates import Table
from service.domain.periods import Grain
from service.domain.queries import AggregateQuery, Dimension, IncidentQuery
from service.store.journal import Author
from service.store.tables import CELL_CHANGES, CELLS, Summing
from service.work import aggregates, cells, reference, seed
from service.work.reference import Theatres
from tests.harness import SEED, Service
from tests.processes import command

QUESTIONS = [
    AggregateQuery(IncidentQuery(), Grain(grain), by, dense=False)
    for grain in ("day", "week", "month", "year", "named", "total")
    for by in (
        *((), (Dimension.SECTOR,), (Dimension.SECTOR, Dimension.STATUS)),
        *((Dimension.WEAPON,), (Dimension.PARTY,), (Dimension.CLAIMANT,)),
    )
]


def answers(service: Service) -> list[Table]:
    """Read from what is kept, past whatever remembers answers."""
    with service.database.reading() as session:
        theatre = reference.load(session)
        return [aggregates.answer(session, asked, theatre) for asked in QUESTIONS]


def rows(service: Service, table: sa.Table) -> int:
    with service.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def tamper(service: Service, statement: Any) -> None:
    service.database.write(lambda session: session.execute(statement))


def test_folding_changes_no_answer_and_leaves_nothing_to_fold(seeded: Service) -> None:
    seeded.post(
        {
            "when": "2022-08-03",
            "where": {"place": "Lachin"},
            "claimant": "icrc",
            "weapons": ["mortar"],
            "casualties": [{"party": "armenia", "killed": 2}],
        }
    )
    before = answers(seeded)
    assert rows(seeded, CELL_CHANGES)
    seeded.fold()
    assert not rows(seeded, CELL_CHANGES)
    assert answers(seeded) == before
    assert seeded.wrong_accounts() == []


def test_what_comes_and_goes_leaves_no_cell_behind(service: Service) -> None:
    service.fold()
    assert not rows(service, CELLS)
    told = service.post(
        {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc", "weapons": ["uav"]}
    )
    service.fold()
    assert rows(service, CELLS)
    told = service.change(told, when="2022-09")
    [cell] = service.get("/v1/aggregates", period="total", by="")["cells"]
    assert (cell["start"], cell["end"], cell["incidents"]) == ("2022-09-01", "2022-09-30", 1)
    service.change(told, status="withdrawn")
    assert service.get("/v1/aggregates", period="total", by="")["total"]["incidents"] is None
    service.fold()
    assert not rows(service, CELLS)


def test_a_database_that_was_never_summed_is_when_it_is_opened(seeded: Service) -> None:
    before = answers(seeded)
    for table in (CELLS, CELL_CHANGES, Summing.__table__):
        tamper(seeded, sa.delete(table))
    assert answers(seeded) != before
    cells.ensure(seeded.database, Theatres())
    assert answers(seeded) == before
    assert seeded.wrong_accounts() == []


def test_a_reseed_with_other_periods_weapons_and_sectors_sums_anew(
    seeded: Service, tmp_path: Any
) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(SEED, folder)
    for file, old, new in (
        ("weapons.toml", 'parent = "indirect-fire"\n', ""),
        ("periods.toml", "end = 2022-09-12", "end = 2022-09-10"),
        ("sectors.toml", 'valid_from = 2020-11-10\nnote = "The road', 'note = "The road'),
    ):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))
    loaded = seeded.database.write(
        lambda session: seed.load(session, folder, Author("seed", seeded.clock()))
    )
    assert loaded.reference == 3
    assert seeded.wrong_accounts() == []
    seeded.fold()
    assert seeded.wrong_accounts() == []


def test_check_finds_sums_that_are_none_and_repair_mends_them(seeded: Service) -> None:
    seeded.fold()
    before = answers(seeded)
    tag = seeded.client.get("/v1/aggregates").headers.get("etag")
    some = sa.select(CELLS.c.cube, CELLS.c.start).where(CELLS.c.cube.like("%month%")).distinct()
    with seeded.database.reading() as session:
        wrong = session.execute(some.limit(4)).all()
    measures = ("shares", "incidents", "killed_low", "wounded_unknown")
    for measure, (cube, start) in zip(measures, wrong, strict=True):
        here = CELLS.c.cube == cube, CELLS.c.start == start
        tamper(seeded, sa.update(CELLS).where(*here).values({measure: CELLS.c[measure] + 1}))
    found = command("check", url=seeded.url)
    assert found.returncode == 1
    assert all(f"differs: {cube} {start}" in found.stdout for cube, start in wrong)
    assert command("check", "--repair", url=seeded.url).returncode == 0
    assert command("check", url=seeded.url).returncode == 0
    assert answers(seeded) == before
    # Nobody goes on with an answer from before it was mended.
    assert seeded.client.get("/v1/aggregates").headers.get("etag") != tag


def test_one_day_is_checked_by_itself(seeded: Service) -> None:
    seeded.fold()
    tamper(
        seeded,
        sa.update(CELLS)
        .where(CELLS.c.cube == "event/day/", CELLS.c.start == date(2022, 9, 13))
        .values(killed_low=CELLS.c.killed_low + 1),
    )
    assert command("check", "--day", "2022-09-13", url=seeded.url).returncode == 1
    assert command("check", "--day", "2022-08-01", url=seeded.url).returncode == 0


def test_many_who_write_into_one_cell_while_it_is_folded_lose_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them into one day, one sector, one status: the hottest cell there is."""
    # On a busy machine writers wait for each other longer than a client should have to.
    monkeypatch.setattr("service.store.database._PATIENCE_SECONDS", 120)
    each, writers = 6, 6
    failed: list[Any] = []
    done = threading.Event()

    def write(name: int) -> None:
        for _ in range(each):
            answer = service.client.post(
                "/v1/reports",
                json={
                    "when": "2022-09-13",
                    "where": {"sector": "armenia-azerbaijan-border"},
                    "claimant": f"monitor {name}",
                    "casualties": [{"party": "armenia", "killed": 1}],
                },
                headers=service.headers(Role.IMPORTER),
            )
            if answer.status_code != 201:
                failed.append(answer.text)

    def fold() -> None:
        while not done.is_set():
            service.fold()

    folding = threading.Thread(target=fold)
    threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
    folding.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    folding.join()
    assert failed == []
    [cell] = service.get("/v1/aggregates", period="total", by="")["cells"]
    assert cell["incidents"] == each * writers
    assert cell["figures"]["killed"]["low"] == each * writers
    assert service.wrong_accounts() == []
