"""What becomes of a file: every entry is accounted for, and people keep the last word."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.domain.access import Role
from service.domain.imports import State
from service.work import importing as reading
from tests.harness import Databases, Service
from tests.processes import ROOT, command, environment
from tests.valley import MAPPING, MAPPING_TOML, csv_of

Row = dict[str, str]


def row(number: int, **changes: str) -> Row:
    plain = {
        "id": f"V{number}",
        "date": f"2022-09-{number % 28 + 1:02d}",
        "place": "Lachin",
        "killed": str(number % 5),
        "note": f"Report {number}",
    }
    return {**plain, **changes}


ROWS = [row(number) for number in range(20)]


GOOD = csv_of(ROWS)


def with_changed(number: int, **changes: str) -> bytes:
    return csv_of([row(n, **changes) if n == number else row(n) for n in range(20)])


@pytest.fixture
def filled(service: Service) -> Service:
    """A service that knows twenty reports of a feed."""
    declare(service)
    assert outcome(service.run("valley", GOOD)) == {"created": 20}
    return service


def declare(service: Service, name: str = "valley", **more: Any) -> None:
    plain = {"format": "csv", "mapping": MAPPING, "claimant": "azerbaijani-officials"}
    service.declare(name, **{**plain, **more})


def outcome(told: dict[str, Any]) -> dict[str, int]:
    """What became of the entries, none left out."""
    account = told["account"]
    became = ("created", "updated", "unchanged", "rejected", "held")
    assert account["read"] == sum(account[each] for each in became)
    assert account["updated"] == sum(account["changed"].values())
    return {each: account[each] for each in became if account[each]}


def ended(told: dict[str, Any]) -> tuple[str, str | None]:
    return told["state"], told["fault"]


def report(service: Service, number: int, role: Role = Role.REVIEWER) -> dict[str, Any]:
    """The report of a row, by the day it is for."""
    day = row(number)["date"]
    parameters = {"from": day, "to": day}
    [found] = service.get("/v1/reports", role, **parameters)["items"]
    return dict(found)


def total(service: Service) -> int:
    count: int = service.aggregates(period="year")["total"]["reports"]
    return count


def rejects(service: Service, told: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"/v1/imports/{told['id']}/rejects"
    items: list[dict[str, Any]] = service.get(path, Role.ADMIN)["items"]
    return items


def rejects_csv(service: Service, told: dict[str, Any]) -> str:
    answer = service.client.get(
        f"/v1/imports/{told['id']}/rejects?format=csv", headers=service.headers(Role.ADMIN)
    )
    assert answer.headers["content-type"].startswith("text/csv")
    return answer.text


def test_a_file_is_kept_as_it_came(filled: Service) -> None:
    [told] = filled.get("/v1/imports", Role.ADMIN)["items"]
    assert (told["sha256"], told["size"]) == (hashlib.sha256(GOOD).hexdigest(), len(GOOD))
    assert (told["done"], told["total"]) == (20, 20)
    answer = filled.client.get(f"/v1/imports/{told['id']}/file", headers=filled.headers(Role.ADMIN))
    assert answer.content == GOOD


def test_the_same_file_again_changes_no_report(filled: Service) -> None:
    before = [report(filled, number)["revision"] for number in range(20)]
    assert outcome(filled.run("valley", GOOD)) == {"unchanged": 20}
    assert [report(filled, number)["revision"] for number in range(20)] == before == [1] * 20


def test_what_changes_becomes_a_revision_of_the_claim_or_of_the_note(filled: Service) -> None:
    told = filled.run(
        "valley", csv_of([row(0, killed="9"), row(1, note="Other words"), *ROWS[2:], row(20)])
    )
    assert outcome(told) == {"created": 1, "updated": 2, "unchanged": 18}
    assert told["account"]["changed"] == {"claims": 1, "notes": 1}
    assert report(filled, 0)["casualties"][0]["killed"]["best"] == 9
    assert report(filled, 1)["summary"] == "Other words"
    assert [report(filled, n)["revision"] for n in (0, 1, 2)] == [2, 2, 1]
    assert filled.wrong_accounts() == []


def test_absence_deletes_nothing(filled: Service) -> None:
    told = filled.run("valley", csv_of(ROWS[:17]))
    assert (outcome(told), told["account"]["absent"]) == ({"unchanged": 17}, 3)
    assert total(filled) == 20


def test_the_same_key_twice_is_taken_once(service: Service) -> None:
    declare(service)
    told = service.run("valley", csv_of([*ROWS, row(3, killed="7")]))
    assert outcome(told) == {"created": 20, "rejected": 1}
    [item] = rejects(service, told)
    assert (item["line"], item["reason"]) == (22, "stands in the file twice")
    assert report(service, 3)["casualties"][0]["killed"]["best"] == 3


@pytest.mark.parametrize("by_command", [False, True], ids=["HTTP", "command"])
def test_what_was_not_taken_is_mended_and_imported_again(
    filled: Service, tmp_path: Path, by_command: bool
) -> None:
    formula = '=HYPERLINK("http://127.0.0.1/")'
    wrong = [row(20, date="2022-13-01", note=formula), row(21, killed="1_0", note="-2, +3\n@4")]
    told = filled.run("valley", csv_of([*ROWS, *wrong]))
    assert outcome(told) == {"unchanged": 20, "rejected": 2}
    assert [(item["line"], item["field"]) for item in rejects(filled, told)] == [
        (22, "when"),
        (23, "casualties.0.killed"),
    ]
    text = rejects_csv(filled, told)
    # Nothing that a spreadsheet would run.
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    mended = text.replace("2022-13-01", "2022-09-21").replace("1_0", "10").encode()
    if by_command:
        file = tmp_path / "mended.csv"
        file.write_bytes(mended)
        printed = command("import", str(file), "--feed", "valley", url=filled.url)
        assert printed.returncode == 0, printed.stdout + printed.stderr
        assert "read 2 = created 2 + updated 0" in printed.stdout
    else:
        again = filled.run("valley", mended)
        assert ended(again) == ("done", None)
        assert (outcome(again), again["account"]["absent"]) == ({"created": 2}, 0)
    assert report(filled, 20)["summary"] == formula
    # As if it had been right at first.
    right = [row(20, note=formula), row(21, killed="10", note="-2, +3\n@4")]
    assert outcome(filled.run("valley", csv_of([*ROWS, *right]))) == {"unchanged": 22}


def test_what_was_not_taken_is_mended_whatever_the_source_is_written_in(service: Service) -> None:
    declare(service, encoding="cp1251", delimiter=";")
    rows = [*ROWS, row(20, killed="1_0", note="Обстрел")]
    content = csv_of(rows).decode().replace(",", ";").encode("cp1251")
    told = service.run("valley", content)
    assert outcome(told) == {"created": 20, "rejected": 1}
    mended = rejects_csv(service, told).replace("1_0", "10").encode()
    assert outcome(service.run("valley", mended)) == {"created": 1}
    assert report(service, 20)["summary"] == "Обстрел"


def test_a_row_that_cannot_be_taken_any_more_is_not_absent(filled: Service) -> None:
    wrong = [row(n, killed="1_0") for n in range(5)]
    told = filled.run("valley", csv_of([*wrong, *ROWS[5:]]))
    assert ended(told) == ("held", "many_rejected")
    assert told["account"]["absent"] == 0


def test_a_report_that_a_person_changed_is_not_overwritten(filled: Service) -> None:
    filled.change(report(filled, 3), Role.REVIEWER, summary="Told better.")
    assert outcome(filled.run("valley", GOOD)) == {"unchanged": 20}
    told = filled.run("valley", with_changed(3, killed="8"))
    assert (ended(told), outcome(told)) == (("done", None), {"unchanged": 19, "held": 1})
    [item] = rejects(filled, told)
    assert (item["held"], item["line"]) == (True, 5)
    now = report(filled, 3)
    assert (now["summary"], now["casualties"][0]["killed"]["best"]) == ("Told better.", 3)


def test_a_withdrawn_report_is_not_revived(filled: Service) -> None:
    filled.change(report(filled, 3), Role.ADMIN, status="withdrawn")
    assert outcome(filled.run("valley", GOOD)) == {"unchanged": 20}
    assert outcome(filled.run("valley", with_changed(3, killed="8"))) == {
        "unchanged": 19,
        "held": 1,
    }
    assert total(filled) == 19


def verified(service: Service, number: int) -> None:
    told = report(service, number)
    decided = {"status": "verified", "basis": "peacekeepers", "reason": "They saw it."}
    if told["flags"]:
        decided["cleared"] = told["flags"]
    service.act(
        f"/v1/reports/{told['id']}/reviews", decided, **{"If-Match": f'"{told["revision"]}"'}
    )
    assert report(service, number)["status"] == "verified"


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"note": "Other words"}, "verified"), ({"killed": "9"}, "unverified")],
    ids=["note", "claim"],
)
def test_a_verification_holds_for_the_claim_that_was_verified(
    filled: Service, changes: Row, status: str
) -> None:
    verified(filled, 3)
    assert outcome(filled.run("valley", with_changed(3, **changes)))["updated"] == 1
    assert report(filled, 3)["status"] == status


def test_a_narrower_showing_holds_for_the_next_file_too(filled: Service) -> None:
    filled.change(report(filled, 3), Role.REVIEWER, disclosure={"visibility": "restricted"})
    assert total(filled) == 19
    assert outcome(filled.run("valley", with_changed(3, killed="9")))["updated"] == 1
    assert total(filled) == 19
    assert report(filled, 3)["casualties"][0]["killed"]["best"] == 9


def waiting(service: Service, content: bytes, fault: str) -> dict[str, Any]:
    """An import that waits; until somebody decides, nothing of it is recorded."""
    before = service.aggregates(period="year", by="sector")
    told = service.run("valley", content)
    assert ended(told) == ("held", fault)
    assert service.aggregates(period="year", by="sector") == before
    return told


SHRUNK = csv_of([row(0), row(20), row(21)])
CHANGED = csv_of([*(row(n, killed="9") for n in range(5)), *ROWS[5:]])
REJECTED = csv_of([*ROWS, *(row(n, killed="1_0") for n in range(20, 30))])


@pytest.mark.parametrize(
    ("content", "fault", "waits", "released"),
    [
        (SHRUNK, "shrunk", {"unchanged": 1, "held": 2}, {"unchanged": 1, "created": 2}),
        (CHANGED, "mass_change", {"unchanged": 15, "held": 5}, {"unchanged": 15, "updated": 5}),
        (
            REJECTED,
            "many_rejected",
            {"unchanged": 20, "rejected": 10},
            {"unchanged": 20, "rejected": 10},
        ),
    ],
    ids=["shrunk", "mass change", "many rejected"],
)
def test_what_waits_is_taken_when_a_reviewer_says_so(
    filled: Service, content: bytes, fault: str, waits: dict[str, int], released: dict[str, int]
) -> None:
    told = waiting(filled, content, fault)
    assert outcome(told) == waits
    path = f"/v1/imports/{told['id']}"
    for role in (Role.ANONYMOUS, Role.PARTNER, Role.MONITOR, Role.IMPORTER):
        answer = filled.client.post(f"{path}/release", headers=filled.headers(role))
        assert answer.status_code in (401, 403, 404)
    assert filled.act(f"{path}/release", {})["state"] in ("ready", "applying", "done")
    now = filled.get(path, Role.REVIEWER)
    assert (ended(now)[0], outcome(now)) == ("done", released)
    assert now["account"]["absent"] == told["account"]["absent"]
    again = filled.client.post(f"{path}/release", headers=filled.headers(Role.REVIEWER))
    assert again.status_code == 409
    assert filled.wrong_accounts() == []


def test_what_waits_may_be_left(filled: Service) -> None:
    told = waiting(filled, SHRUNK, "shrunk")
    path = f"/v1/imports/{told['id']}"
    assert filled.act(f"{path}/discard", {})["state"] == "discarded"
    for act in ("release", "discard"):
        answer = filled.client.post(f"{path}/{act}", headers=filled.headers(Role.REVIEWER))
        assert answer.status_code == 409
    assert total(filled) == 20
    kept = filled.client.get(f"{path}/file", headers=filled.headers(Role.REVIEWER))
    assert kept.content == SHRUNK


def test_a_file_that_lacks_a_column_may_be_released_where_it_can_be_read(service: Service) -> None:
    service.declare("own")
    lines = ["id,when,where.place,claimant,summary"]
    ids = [f"01840000-0000-7000-8000-0000000f{n:04d}" for n in range(12)]
    lines += [f"{each},2022-09-{n + 1:02d},Lachin,a monitor,Fire" for n, each in enumerate(ids)]
    assert outcome(service.run("own", "\n".join(lines) + "\n")) == {"created": 12}
    without = "\n".join(line.rpartition(",")[0] for line in lines) + "\n"
    twice = without + without.splitlines()[1] + "\n"
    told = service.run("own", twice)
    assert ended(told) == ("held", "schema_changed")
    service.act(f"/v1/imports/{told['id']}/release", {})
    now = service.get(f"/v1/imports/{told['id']}", Role.ADMIN)
    assert now["state"] == "done"
    assert outcome(now) == {"updated": 12, "rejected": 1}
    assert now["account"]["changed"] == {"claims": 0, "notes": 12}
    # From now on that is how the source looks.
    assert ended(service.run("own", without)) == ("done", None)
    assert service.wrong_accounts() == []


def test_a_file_of_some_of_it_lacks_nothing(service: Service) -> None:
    declare(service, part=True)
    service.run("valley", GOOD)
    told = service.run("valley", csv_of([row(0, killed="9")]))
    assert (ended(told), told["account"]["absent"]) == (("done", None), 0)


def test_an_importer_sees_only_its_own_imports(filled: Service) -> None:
    [of_admin] = filled.get("/v1/imports", Role.ADMIN)["items"]
    mine = filled.run("valley", GOOD, Role.IMPORTER)
    assert [each["id"] for each in filled.get("/v1/imports", Role.IMPORTER)["items"]] == [
        mine["id"]
    ]
    assert len(filled.get("/v1/imports", Role.REVIEWER)["items"]) == 2
    for path in ("", "/rejects", "/file"):
        answer = filled.client.get(
            f"/v1/imports/{of_admin['id']}{path}", headers=filled.headers(Role.IMPORTER)
        )
        assert answer.status_code == 404
        assert filled.client.get(f"/v1/imports/{mine['id']}{path}").status_code in (401, 403)


def test_how_far_an_import_is_can_be_asked_while_it_runs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(service)
    monkeypatch.setattr(reading, "_BATCH", 5)
    context = service.client.app.state.context  # type: ignore[attr-defined]
    seen: list[tuple[str, int, int | None]] = []

    def tell(state: State, done: int, whole: int | None) -> None:
        if state is State.APPLYING:
            [told] = service.get("/v1/imports", Role.ADMIN)["items"]
            seen.append((told["state"], told["done"], told["total"]))

    importer = replace(context.runner.importer, tell=tell)
    runner = replace(context.runner, importer=importer)
    assert runner.run("valley", runner.begin("valley", "somebody"), io.BytesIO(GOOD)) == "done"
    assert seen == [("applying", done, 20) for done in (5, 10, 15, 20)]


def test_another_source_that_tells_of_the_same_is_pointed_out(filled: Service) -> None:
    declare(filled, "mirror", claimant="armenian-officials")
    first = report(filled, 3)
    assert first["possible_duplicates"] == []
    assert outcome(filled.run("mirror", csv_of([row(3)]))) == {"created": 1}
    [other] = filled.get("/v1/reports", Role.REVIEWER, claimant="armenian-officials")["items"]
    assert other["possible_duplicates"] == [first["incident"]]
    assert "possible_duplicate" in other["flags"]
    # Merged by a person only.
    assert other["incident"] != first["incident"]


# The command line.


@pytest.fixture
def url(databases: Databases, backend: str) -> Iterator[str]:
    with databases.fresh(backend, "reference") as url:
        yield url


@pytest.fixture
def typed(url: str, tmp_path: Path) -> "Typed":
    return Typed(url, tmp_path)


class Typed:
    """Somebody with a file, its mapping and a terminal."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.file, self.mapping = folder / "events.csv", folder / "mapping.toml"
        self.mapping.write_text(MAPPING_TOML)

    def __call__(self, content: bytes, *more: str, code: int = 0) -> str:
        self.file.write_bytes(content)
        return self.said("import", str(self.file), *self.how, *more, code=code)

    @property
    def how(self) -> tuple[str, ...]:
        named = ("--mapping", str(self.mapping), "--claimant", "azerbaijani-officials")
        return ("--format", "csv", "--source", "valley", *named)

    def said(self, *words: str, code: int = 0) -> str:
        answer = command(*words, url=self.url)
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer.stdout


def import_of(printed: str) -> str:
    return str(re.findall(r"ceasefire imports show (\S+)", printed)[0])


def test_what_is_typed_ends_with_the_account(typed: Typed) -> None:
    first = typed(csv_of([*ROWS, row(20, killed="1_0")]))
    assert "read 21 = created 20 + updated 0 + unchanged 0 + rejected 1 + held 0" in first
    name = import_of(first)
    assert name in typed.said("imports", "list")
    assert "read 21 = created 20" in typed.said("imports", "show", name)
    printed = typed.said("imports", "rejects", name)
    assert [line["reject.line"] for line in csv.DictReader(io.StringIO(printed))] == ["22"]


def test_a_preview_records_nothing(typed: Typed) -> None:
    printed = typed(csv_of([*ROWS, row(20, killed="1_0")]), "--preview")
    assert "line 22 would not be taken" in printed
    assert "killed: " in printed
    assert typed.said("imports", "list") == ""
    service = Service(typed.url)
    assert service.get("/v1/reports")["items"] == []
    service.close()


def test_what_comes_in_can_be_imported(typed: Typed) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "service", "import", "-", *typed.how],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env=environment(typed.url),
        input=GOOD,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    assert b"read 20 = created 20" in answer.stdout


def test_what_waits_is_decided_by_the_operator(typed: Typed) -> None:
    typed(GOOD)
    printed = typed(SHRUNK, code=1)
    assert "held (shrunk" in printed
    name = import_of(printed)
    typed.said("imports", "discard", name)
    typed.said("imports", "release", name, code=1)
    name = import_of(typed(SHRUNK, code=1))
    assert "created 2" in typed.said("imports", "release", name)
    typed.said("imports", "show", "no-such-import", code=1)


def test_a_theatre_is_written_from_a_file_and_loaded(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    text = (Path(__file__).parent / "data" / "ukraine_older.csv.gz").resolve()
    folder = tmp_path / "theatre"
    with databases.fresh(backend, "nothing") as url:
        words = ("theatre", str(text), str(folder), "--format", "ucdp-ged", "--name", "The valley")
        answer = command(*words, url=url)
        assert answer.returncode == 0, answer.stderr
        assert command(*words, url=url).returncode == 1
        loaded = command("seed", str(folder), url=url)
        assert loaded.returncode == 0, loaded.stderr
        service = Service(url)
        assert "Donetsk Oblast" in {item["name"] for item in service.get("/v1/sectors")["items"]}
        service.close()


def test_candidate_events_come_on_top_of_the_annual_ones(service: Service) -> None:
    """Both are one source's: what is only in one stays, what is in both says what came last."""
    declare(service, "annual", source="program")
    declare(service, "candidate", source="program", part=True)
    assert outcome(service.run("annual", csv_of(ROWS[:15]))) == {"created": 15}
    monthly = csv_of([row(14, killed="9"), *ROWS[15:]])
    assert outcome(service.run("candidate", monthly)) == {"created": 5, "updated": 1}
    [changed] = service.get("/v1/reports", q="Report 14")["items"]
    assert changed["casualties"][0]["killed"]["best"] == 9
    assert len(service.get("/v1/reports", limit=100)["items"]) == 20


def test_areas_are_drawn_by_polygons_that_are_supplied(tmp_path: Path) -> None:
    codes = ("id", "type_of_violence", "date_prec", "where_prec", "low", "best", "high")
    dead = {"deaths_a": "1", "deaths_b": "0", "deaths_civilians": "0", "deaths_unknown": "0"}
    usual = dict.fromkeys(codes, "1") | dead | {"side_a": "North", "side_b": "South"}
    usual |= {"date_start": "2014-05-01", "date_end": "2014-05-01"}
    placed = {"country": "Ruritania", "adm_1": "Hills", "latitude": "2", "longitude": "3"}
    events = tmp_path / "events.csv"
    events.write_bytes(csv_of([usual | placed]))
    ring = [[2, 1], [4, 1], [4, 3], [2, 3], [2, 1]]
    drawn = {
        "type": "Feature",
        "properties": {"shapeName": "Hills"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    polygons = tmp_path / "provinces.geojson"
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn]}))
    url, folder = f"sqlite:///{tmp_path / 'drawn.db'}", str(tmp_path / "theatre")
    made = ("--polygons", str(polygons), "--named-by", "shapeName")
    for words in (
        ("theatre", str(events), folder, "--format", "ucdp-ged", *made),
        ("migrate",),
        ("seed", folder),
    ):
        done = command(*words, url=url)
        assert done.returncode == 0, done.stderr
    service = Service(url)
    try:
        [hills] = [s for s in service.get("/v1/sectors")["items"] if s["name"] == "Hills"]
        told = service.post({"when": "2014-05-01", "where": {"lat": 2, "lon": 3}, "claimant": "x"})
        assert (told["where"]["sector"], hills["parent"]) == (hills["id"], "ruritania")
    finally:
        service.close()


def test_no_source_takes_over_what_a_person_sent(service: Service) -> None:
    service.declare("others", visibility="restricted")
    sent = {"when": "2022-09-02", "where": {"place": "Lachin"}, "claimant": "icrc"}
    told = service.post({**sent, "id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e31", "summary": "Fire."})
    same = json.dumps({**sent, "id": told["id"], "summary": "Fire."})
    assert outcome(service.run("others", same)) == {"unchanged": 1}
    other = json.dumps({**sent, "id": told["id"], "summary": "None."})
    assert outcome(service.run("others", other)) == {"held": 1}
    now = service.get(f"/v1/reports/{told['id']}")
    assert (now["summary"], now["origin"], now["revision"]) == ("Fire.", None, 1)


def test_counts_have_no_circle_of_their_own(service: Service) -> None:
    for form, mapping in (("wide", {"rows": "periods"}), ("csv", {"kind": "tally"})):
        declaration = {"url": "https://a.example/", "source": "a", "format": form}
        answer = service.client.put(
            "/v1/feeds/a",
            json={**declaration, "mapping": mapping, "visibility": "partners"},
            headers=service.headers(Role.ADMIN),
        )
        assert answer.status_code == 422
        assert "visibility must be public" in answer.text


def test_an_import_that_two_threads_hold_counts_each_row_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock jumps, as after a sleep of the machine, and somebody looks for what was left."""
    monkeypatch.setattr(reading, "_BATCH", 5)
    declare(service)
    runner = service.client.app.state.context.runner  # type: ignore[attr-defined]
    jumped: list[int] = []

    def jump(state: State, done: int, _: int | None) -> None:
        if state is State.APPLYING and not jumped:
            jumped.append(done)
            service.clock.advance(minutes=5)
            runner.recover()

    object.__setattr__(runner.importer, "tell", jump)
    assert outcome(service.run("valley", GOOD)) == {"created": 20}
    assert jumped == [5]


def test_a_column_cannot_be_a_formula_either(service: Service) -> None:
    service.declare("own")
    bad = json.dumps({"=1+1": "x", "when": "2022-09-02"})
    run = service.run("own", bad)
    rejects = service.client.get(
        f"/v1/imports/{run['id']}/rejects?format=csv", headers=service.headers(Role.ADMIN)
    )
    assert "'=1+1" in rejects.text.splitlines()[0]
