"""Two releases of a real data set, imported by somebody who has nothing but the files."""

import csv
import gzip
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service.domain.access import Role
from tests.harness import BACKENDS, Databases, Service
from tests.processes import command

DATA = Path(__file__).parent / "data"
OLDER, NEWER = DATA / "ukraine_older.csv.gz", DATA / "ukraine_newer.csv.gz"
PRECISIONS = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 4, "6": 6, "7": 6}
SUM = re.compile(
    r"read (\d+) = created (\d+) \+ updated (\d+) \+ unchanged (\d+) \+ rejected (\d+) "
    r"\+ held (\d+)"
)
Row = dict[str, str]


@cache
def events(file: Path) -> dict[str, Row]:
    """The rows of a release by their ids, as the library reads them; the tags below the header
    have no id."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return {row["id"]: row for row in csv.DictReader(text) if row["id"]}


def together() -> dict[str, Row]:
    """What is known once the newer came over the older."""
    return events(OLDER) | events(NEWER)


def claim(row: Row) -> tuple[Any, ...]:
    """When, where, how many, and whose dead; not the words around it."""
    low, best, high = (int(row[name]) for name in ("low", "best", "high"))
    dead = {
        row["side_a"]: int(row["deaths_a"]),
        row["side_b"]: int(row["deaths_b"]),
        "civilians": int(row["deaths_civilians"]),
    }
    # Parts that are more than the whole are not told as figures.
    parts = {side: n for side, n in dead.items() if n} if sum(dead.values()) <= best else {}
    return (
        (min(low, best, high), best, max(low, best, high)),
        parts,
        (row["date_start"][:10], row["date_end"][:10], row["date_prec"]),
        (float(row["latitude"]), float(row["longitude"]), PRECISIONS[row["where_prec"]]),
    )


def sums(rows: dict[str, Row], of: str) -> dict[str, list[int]]:
    """Events and their low, best and high, by the key that each row has."""
    kept: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows.values():
        low, best, high = (int(row[name]) for name in ("low", "best", "high"))
        told = (1, min(low, best, high), best, max(low, best, high))
        key = year_of(row) if of == "year" else area_of(row)
        kept[key] = [before + more for before, more in zip(kept[key], told, strict=True)]
    return dict(kept)


def year_of(row: Row) -> str:
    first, last = row["date_start"][:4], row["date_end"][:4]
    return first if first == last else "spanning"


def area_of(row: Row) -> str:
    if row["where_prec"] in ("6", "7") or not row["adm_1"]:
        return "unlocated"
    return row["adm_1"].casefold().replace(" ", "-")


def counted(cells: list[dict[str, Any]], key: str) -> dict[str, list[int]]:
    """The same of what the service answers, all cells of a key added up."""
    kept: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for cell in cells:
        killed = cell["figures"]["killed"]
        told = (cell["incidents"], killed["low"], killed["best"], killed["high"])
        assert killed["open"] == killed["unknown"] == 0
        kept[cell[key]] = [a + b for a, b in zip(kept[cell[key]], told, strict=True)]
    return dict(kept)


@dataclass
class Imported:
    """A database, and what was printed as one file came into it after the other."""

    url: str
    first: str
    again: str
    newer: str
    revisions: tuple[int, int, int]


def revisions(url: str) -> int:
    answer = command("verify", url=url)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return int(re.findall(r"verified: (\d+) changes", answer.stdout)[0])


@pytest.fixture(scope="module", params=BACKENDS)
def imported(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Imported]:
    """Both releases, typed as a new user would, the first one twice."""
    with databases.fresh(request.param, "nothing") as url:
        told, known = [], []
        for file in (OLDER, OLDER, NEWER):
            answer = command("import", str(file), "--format", "ucdp-ged", url=url)
            assert answer.returncode == 0, answer.stdout + answer.stderr
            told.append(answer.stdout)
            known.append(revisions(url))
        yield Imported(url, told[0], told[1], told[2], (known[0], known[1], known[2]))


@pytest.fixture(scope="module")
def asked(imported: Imported) -> Iterator[Service]:
    service = Service(imported.url)
    yield service
    service.close()


def account(printed: str) -> tuple[int, ...]:
    """Read, created, updated, unchanged, rejected, held."""
    found = SUM.search(printed)
    assert found, printed
    read, *became = map(int, found.groups())
    assert read == sum(became)
    return (read, *became)


def test_every_row_of_the_older_release_is_taken(imported: Imported) -> None:
    assert re.search("no theatre yet: Ukraine .* made from the file", imported.first)
    assert account(imported.first) == (1167, 1167, 0, 0, 0, 0)
    assert len(events(OLDER)) == 1167


def test_the_same_file_again_changes_nothing(imported: Imported) -> None:
    assert account(imported.again) == (1167, 0, 0, 1167, 0, 0)
    before, after, _ = imported.revisions
    # The import itself is recorded, and nothing else.
    assert after == before + 1


def test_the_newer_release_adds_and_changes_and_deletes_nothing(
    imported: Imported, asked: Service
) -> None:
    older, newer = events(OLDER), events(NEWER)
    both = older.keys() & newer.keys()
    claims = sum(claim(older[each]) != claim(newer[each]) for each in both)
    assert (len(newer), len(newer.keys() - older.keys()), len(both)) == (2989, 1916, 1073)
    read, created, updated, unchanged, rejected, held = account(imported.newer)
    assert (read, created, rejected, held) == (2989, 1916, 0, 0)
    assert updated + unchanged == 1073
    assert claims == 149
    notes = updated - claims
    assert (
        f"of the updated {claims} claim something else, {notes} only note something else"
    ) in imported.newer
    assert len(older.keys() - newer.keys()) == 94
    assert "94 recorded before are not in the file; they stay" in imported.newer
    # The numbers add up in the record too: one revision each, and one for the import.
    _, before, after = imported.revisions
    assert after == before + created + updated + 1
    assert asked.aggregates(period="year")["total"]["reports"] == 1167 + 1916


def test_a_row_that_the_newer_release_lacks_is_still_shown(asked: Service) -> None:
    shown = {
        (item["where"]["lat"], item["where"]["lon"], item["when"])
        for item in every_report(asked)
        if item["where"]["lat"] is not None
    }
    for each in events(OLDER).keys() - events(NEWER).keys():
        row = events(OLDER)[each]
        if row["where_prec"] == "1" and row["date_prec"] == "1":
            first, last = row["date_start"][:10], row["date_end"][:10]
            when = first if first == last else f"{first}/{last}"
            assert (float(row["latitude"]), float(row["longitude"]), when) in shown


def every_report(asked: Service) -> Iterator[dict[str, Any]]:
    parameters: dict[str, Any] = {"limit": 500}
    while True:
        page = asked.get("/v1/reports", Role.REVIEWER, **parameters)
        yield from page["items"]
        if page["next"] is None:
            return
        parameters["cursor"] = page["next"]


def test_the_sums_of_every_year_are_those_of_the_rows(asked: Service) -> None:
    answer = asked.aggregates(period="year", by="claimant", fill="none")
    expected = sums(together(), "year")
    assert counted(answer["cells"], "period") == expected
    killed = answer["total"]["figures"]["killed"]
    whole = [sum(each) for each in zip(*expected.values(), strict=True)]
    told = [answer["total"]["incidents"], killed["low"], killed["best"], killed["high"]]
    assert told == whole


def test_the_sums_of_every_area_are_those_of_the_rows(asked: Service) -> None:
    answer = asked.aggregates(period="year", by="sector", fill="none")
    assert counted(answer["cells"], "sector") == sums(together(), "area")


def test_figures_out_of_order_and_cells_of_several_lines_are_accounted_for(
    imported: Imported,
) -> None:
    for file, printed in ((OLDER, imported.first), (NEWER, imported.newer)):
        doubtful = sum(
            not int(row["low"]) <= int(row["best"]) <= int(row["high"])
            for row in events(file).values()
        )
        assert f"{doubtful} × low, best and high were out of order" in printed
    lines = gzip.decompress(NEWER.read_bytes()).count(b"\n")
    # Below the header and the tags, every further line belongs to a row above it.
    assert lines - 2 > len(events(NEWER))
    assert Counter("\n" in "".join(row.values()) for row in events(NEWER).values())[True] > 0


def test_nothing_is_found_wrong_afterwards(imported: Imported) -> None:
    answer = command("check", url=imported.url)
    assert (answer.returncode, answer.stdout.strip()) == (0, "Every figure equals its recount.")
    assert command("verify", url=imported.url).returncode == 0


def test_one_packed_upload_gives_the_same(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    with databases.fresh(backend, "nothing") as url:
        folder = str(tmp_path / "theatre")
        written = command("theatre", str(NEWER), folder, "--format", "ucdp-ged", url=url)
        assert written.returncode == 0, written.stderr
        loaded = command("seed", folder, url=url)
        assert loaded.returncode == 0, loaded.stdout + loaded.stderr
        service = Service(url)
        feed = {"url": "https://example.org/ged.csv", "source": "ucdp", "format": "ucdp-ged"}
        put = service.client.put("/v1/feeds/ucdp", json=feed, headers=service.headers(Role.ADMIN))
        assert put.status_code == 200, put.text
        begun = service.client.post(
            "/v1/feeds/ucdp/runs",
            content=NEWER.read_bytes(),
            headers=service.headers(**{"Content-Type": "application/octet-stream"}),
        )
        assert begun.status_code == 202, begun.text
        told = service.get(begun.headers["location"], Role.IMPORTER)
        assert told["state"] == "done"
        assert (told["account"]["read"], told["account"]["created"]) == (2989, 2989)
        assert (told["done"], told["total"]) == (2989, 2989)
        answer = service.aggregates(period="year", by="claimant", fill="none")
        assert counted(answer["cells"], "period") == sums(events(NEWER), "year")
        areas = service.aggregates(period="year", by="sector", fill="none")
        assert counted(areas["cells"], "sector") == sums(events(NEWER), "area")
        file = service.client.get(
            f"{begun.headers['location']}/file", headers=service.headers(Role.IMPORTER)
        )
        assert file.content == NEWER.read_bytes()
        assert service.wrong_accounts() == []
        service.close()


def test_the_rows_are_what_the_csv_module_reads() -> None:
    """The files hold each id once, so that rows may be compared by it."""
    for file in (OLDER, NEWER):
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            ids = [row["id"] for row in csv.DictReader(io.StringIO(text.read())) if row["id"]]
        assert len(ids) == len({*ids})
