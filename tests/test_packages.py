"""A whole data set as a package: it describes itself, tells no more than the lists, and is taken
back to an equal database."""

import csv
import hashlib
import io
import json
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.api.app import create_app
from service.domain.access import Role
from service.errors import Conflict, Invalid, Unavailable
from service.formats import packed
from service.formats.checkpoint import LogKey, new_key
from service.formats.packages import Audience
from service.formats.tabular import guarded
from service.identity import new_id
from service.store import tables
from service.store.database import Database
from service.work import accounts, ledger, packages, reference, verify
from tests.happenings import Driver
from tests.harness import BACKENDS, Databases, Ids, Service, settings_of
from tests.processes import ROOT, command
from tests.test_canary import (
    ASKED,
    Crawl,
    Plants,
    operations,
    parameters,
    paths_of,
    plant,
)
from tests.test_leads import ENTRIES, rss
from tests.test_licences import OPEN, OPEN_ROW
from tests.test_recount import scripts
from tests.valley import csv_of

Json = dict[str, Any]
EVERYTHING = Audience.EVERYTHING
READERS = {
    Audience.PUBLIC: Role.ANONYMOUS,
    Audience.PARTNERS: Role.PARTNER,
    Audience.EVERYTHING: Role.ADMIN,
}
VIEWERS = ("anonymous", "partner", "monitor", "admin")
HEADERS = ("content-type", "etag", "location", "link", "x-total-count")


def written(service: Service, target: Path, audience: Audience = EVERYTHING) -> Path:
    ledger.catch_up(service.database)
    packages.write(service.database, target, audience)
    return target


def signed(service: Service) -> None:
    """Sign the tree as it is now, with a key of its own."""
    ledger.catch_up(service.database)
    key = LogKey.read(new_key(), "example.org/ledger")
    service.database.write(lambda session: ledger.sign(session, key, service.clock()))


def taken_back(url: str, package: Path) -> int:
    database = Database(url)
    try:
        with packed.opened(package) as files:
            return packages.take_back(database, files)
    finally:
        database.close()


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


ORIGINAL = "/v1/photos/{photo_id}/original"


@contextmanager
def answering(service: Service, url: str) -> Iterator[TestClient]:
    """The same service over another database, at the same moment, with the same keys."""
    app = create_app(settings_of(url, **service.settings), now=service.clock, new_id=Ids(0xF000))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@dataclass
class Compared(Crawl):
    """Asks two services the same, and notes where they answer otherwise."""

    other: TestClient = field(kw_only=True)
    differ: list[str] = field(default_factory=list)

    def ask(
        self,
        viewer: str,
        route: str,
        path: str,
        query: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Any:
        self.asked.add(route)
        one, two = (
            client.get(
                path, params=query, headers=self.plants.headers(viewer), follow_redirects=False
            )
            for client in (self.plants.service.client, self.other)
        )
        told, again = (
            (each.status_code, each.content, [each.headers.get(name) for name in HEADERS])
            for each in (one, two)
        )
        if told != again:
            self.differ.append(f"{viewer} at {path} {dict(query or {})}")
        return one


def compare_everything(crawl: Compared) -> None:
    """Every route that reads, in several roles and formats, for now and for earlier."""
    plants = crawl.plants
    document = plants.service.get("/openapi.json")
    for method, path, operation in operations(document):
        # Their time is that of the answer, and that an original was opened is recorded.
        if method != "GET" or path in ("/metrics", "/health/ready", ORIGINAL):
            continue
        known = {p["name"]: p["required"] for p in parameters(operation, "query")}
        needed = {name: ASKED[name][0] for name, required in known.items() if required}
        choices = [
            *(("format", "csv"), ("format", "ndjson"), ("limit", "500"), ("after", "0")),
            ("as_of", f"changes:{plants.sizes[-2]}"),
        ]
        for viewer in VIEWERS:
            # Lists tell of all; of single things a few of each kind do.
            for filled in paths_of(plants, path, operation)[::4]:
                crawl.ask(viewer, f"GET {path}", filled, needed)
                for name, value in choices:
                    if name in known and viewer in ("anonymous", "admin"):
                        crawl.ask(viewer, f"GET {path}", filled, {**needed, name: value})
    for by in ("sector", "weapon", "claimant,party", "status"):
        crawl.ask("anonymous", "GET /v1/aggregates", "/v1/aggregates", {"by": by, "fill": "none"})
    for size in plants.sizes:
        asked = {"first": str(size), "second": str(plants.size())}
        crawl.ask("anonymous", "GET /v1/ledger/consistency", "/v1/ledger/consistency", asked)
    with plants.service.database.reading() as session:
        leaves = session.scalars(sa.select(tables.Leaf.hash).order_by(tables.Leaf.position)).all()
    for leaf in leaves[-40:]:
        asked = {"leaf": leaf}
        crawl.ask("anonymous", "GET /v1/ledger/inclusion", "/v1/ledger/inclusion", asked)


def must_hold(url: str) -> None:
    """What `ceasefire verify` and `ceasefire check` look for."""
    database = Database(url)
    try:
        with database.reading() as session:
            assert list(verify.broken(session)) == []
            assert accounts.differences(session, reference.load(session)) == []
    finally:
        database.close()


def import_more(service: Service) -> None:
    """Events with codes of their source, a row that is not taken, and a text with figures in it."""
    service.declare("events", **OPEN)
    rows = [OPEN_ROW, {**OPEN_ROW, "id": "900002", "date_start": "never"}]
    told = service.run("events", csv_of(rows))
    assert (told["account"]["created"], told["account"]["rejected"]) == (1, 1)
    told = {
        "id": str(uuid4()),
        "when": "2022-08-09",
        "where": {"place": "Lachin"},
        "claimant": "icrc",
    }
    service.declare("unlicensed")
    assert service.run("unlicensed", json.dumps(told))["account"]["created"] == 1
    service.declare("news", format="rss", claimant="icrc")
    assert service.run("news", rss(*ENTRIES))["account"]["created"] == len(ENTRIES)


@pytest.mark.parametrize("into", BACKENDS)
def test_a_package_is_taken_back_to_an_equal_database(
    databases: Databases, backend: str, into: str, tmp_path: Path
) -> None:
    with databases.fresh(backend, "reference") as url, databases.fresh(into, "nothing") as copy:
        service = Service(url)
        try:
            plants = plant(service)
            import_more(service)
            signed(service)
            package = written(service, tmp_path / "all")
            assert taken_back(copy, package) == plants.size()
            must_hold(copy)
            with answering(service, copy) as client:
                crawl = Compared(plants, other=client)
                compare_everything(crawl)
            assert crawl.differ == []
            assert {"GET /v1/changes", "GET /v1/leads", "GET /v1/imports"} < crawl.asked
        finally:
            service.close()
        again = Database(copy)
        for audience in Audience:
            packages.write(again, tmp_path / f"again-{audience}", audience)
        again.close()
        assert files_of(tmp_path / "again-everything") == files_of(package)


few = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(scripts, st.sampled_from(BACKENDS))
def test_whatever_happened_the_package_of_a_copy_is_the_same_package(
    databases: Databases,
    backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    script: Any,
    into: str,
) -> None:
    home = tmp_path_factory.mktemp("packages")
    with databases.fresh(backend, "reference") as url, databases.fresh(into, "nothing") as copy:
        service = Service(url)
        try:
            Driver(service).run(script[: len(script) // 2])
            signed(service)
            Driver(service).run(script[len(script) // 2 :])
            # Some changes have no place in the ledger yet.
            packages.write(service.database, home / "one.zip", EVERYTHING)
        finally:
            service.close()
        taken_back(copy, home / "one.zip")
        again = Database(copy)
        packages.write(again, home / "two.zip", EVERYTHING)
        ledger.catch_up(again)
        again.close()
        must_hold(copy)
    assert (home / "one.zip").read_bytes() == (home / "two.zip").read_bytes()


def test_the_copy_goes_on_as_the_original_would(
    databases: Databases, service: Service, backend: str, tmp_path: Path
) -> None:
    """With keys that still count, ids that are known, and numbers behind those of the record."""
    posted = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "icrc"}
    told = service.post({**posted, "id": str(UUID(int=4711, version=4))})
    package = written(service, tmp_path / "all")
    with databases.fresh(backend, "nothing") as copy:
        taken_back(copy, package)
        with answering(service, copy) as client:
            same = client.post(
                "/v1/reports", json={**posted, "id": told["id"]}, headers=service.headers()
            )
            assert (same.status_code, same.json()) == (201, told)
            assert same.headers["Idempotency-Replayed"] == "true"
            more = client.post("/v1/reports", json=posted, headers=service.headers())
            assert more.status_code == 201, more.text
        database = Database(copy)
        assert ledger.catch_up(database) == 1
        database.close()
        must_hold(copy)


# What a package says of itself


@pytest.fixture(params=list(Audience))
def audience(request: pytest.FixtureRequest) -> Audience:
    return Audience(request.param)


@pytest.fixture
def planted(databases: Databases, backend: str) -> Iterator[Plants]:
    """With ids as they are made, so that they can be seen to tell no moment."""
    with databases.fresh(backend, "seeds") as url:
        service = Service(url, new_id=new_id)  # type: ignore[arg-type]
        yield filled(service)
        service.close()


def filled(service: Service) -> Plants:
    plants = plant(service)
    import_more(service)
    service.post(
        {
            "when": "2022-08-20",
            "where": {"as_written": "@SUM(A1)"},
            "claimant": "=HYPERLINK(1)",
            "casualties": [{"party": "-party", "killed": {"low": 3}}],
            "weapons": [{"weapon": "mortar", "calibre_mm": 82}],
            "summary": 'two\r\nlines, "quoted"; and more',
        }
    )
    signed(service)
    return plants


def cast(text: str, kind: str) -> Any:
    """A cell by the lexical rules of Table Schema 2.0. Raises `ValueError`."""
    match kind:
        case "string":
            return text
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return {"true": True, "false": False}[text]
        case "date":
            assert len(text) == 10
            return date.fromisoformat(text)
        case "datetime":
            assert text.endswith("Z")
            return datetime.fromisoformat(text)
        case "array" | "object":
            value = json.loads(text)
            assert isinstance(value, list if kind == "array" else dict)
            return value
    raise ValueError(kind)


def tables_of(folder: Path, resources: Sequence[Json]) -> dict[str, list[Json]]:
    """Every table, checked against its schema and its constraints, and cast."""
    found: dict[str, list[Json]] = {}
    for resource in resources:
        if "schema" not in resource:
            continue
        fields = resource["schema"]["fields"]
        with (folder / resource["path"]).open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file, strict=True)
        assert header == [each["name"] for each in fields]
        assert len({*header}) == len(header)
        cast_rows = []
        for row in rows:
            cells = {
                each["name"]: None if cell == "" else cast(cell, each["type"])
                for each, cell in zip(fields, row, strict=True)
            }
            for each in fields:
                rules, value = each.get("constraints", {}), cells[each["name"]]
                assert value is not None or not rules.get("required"), (resource["name"], each)
                if value is not None:
                    assert value in rules.get("enum", [value])
                    assert "minimum" not in rules or value >= rules["minimum"]
            cast_rows.append(cells)
        found[resource["name"]] = cast_rows
    return found


def test_the_description_is_true_of_every_file(
    planted: Plants, audience: Audience, tmp_path: Path
) -> None:
    folder = written(planted.service, tmp_path / "package", audience)
    told = json.loads((folder / "datapackage.json").read_bytes())
    assert told["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert re.fullmatch("[a-z0-9._/-]+", told["name"])
    assert datetime.fromisoformat(told["created"]).tzinfo is not None
    assert all(each.keys() & {"name", "path"} for each in told["licenses"])
    assert all(each["title"] for each in told["sources"])
    resources = told["resources"]
    names = [resource["name"] for resource in resources]
    assert len({*names}) == len(names)
    assert all(re.fullmatch("[a-z0-9._-]+", name) for name in names)
    beside = {"datapackage.json", "README.md", "SHA256SUMS"}
    assert {each["path"] for each in resources} == files_of(folder).keys() - beside
    for resource in resources:
        content = (folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        content.decode(resource["encoding"])
    found = tables_of(folder, resources)
    for resource in resources:
        if "schema" not in resource:
            continue
        rows, schema = found[resource["name"]], resource["schema"]
        if key := schema.get("primaryKey"):
            keys = [tuple(row[name] for name in key) for row in rows]
            assert len({*keys}) == len(keys)
            assert all(None not in each for each in keys)
        for refers in schema.get("foreignKeys", ()):
            [mine], [theirs] = refers["fields"], refers["reference"]["fields"]
            other = refers["reference"].get("resource", resource["name"])
            known = {row[theirs] for row in found[other]}
            assert {row[mine] for row in rows} - {None} <= known, (resource["name"], mine)
    readme = (folder / "README.md").read_text()
    for name, rows in found.items():
        assert f"| `{name}.csv` | {len(rows)} |" in readme
    assert "| unlicensed | not said |" in readme
    assert f"| {OPEN['source']} | {OPEN['licence']} |" in readme
    if audience is EVERYTHING:
        assert all(found[name] for name in found if name != "agreements")


def test_no_cell_is_a_formula(planted: Plants, tmp_path: Path) -> None:
    folder = written(planted.service, tmp_path / "package")
    cells = {
        cell
        for path in folder.glob("*.csv")
        for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
        for cell in row
    }
    assert {"'=HYPERLINK(1)", "'@SUM(A1)", "'-party", 'two\r\nlines, "quoted"; and more'} <= cells
    assert not [c for c in cells if c.startswith(("=", "+", "@", "\t", "\r"))]
    assert not [c for c in cells if c.startswith("-") and not re.fullmatch(r"-[0-9.]+", c)]


def test_pandas_makes_the_totals_of_the_page(
    planted: Plants, audience: Audience, tmp_path: Path
) -> None:
    folder = written(planted.service, tmp_path / "package", audience)
    frames = {
        path.stem: pd.read_csv(path, keep_default_na=False, na_values=[""])
        for path in folder.glob("*.csv")
    }
    service, role = planted.service, READERS[audience]

    def asked(by: str) -> Json:
        told: Json = service.get("/v1/aggregates", role, period="total", by=by, fill="none")
        return told

    def sums(rows: Any, prefix: str) -> Json:
        """As the API adds up: what nobody tells of is no zero."""
        told = {bound: rows[f"{prefix}{bound}"].sum(min_count=1) for bound in ("low", "best")}
        bounded = rows[f"{prefix}high"].notna()
        return {
            **{bound: None if pd.isna(value) else int(value) for bound, value in told.items()},
            "open": int((rows[f"{prefix}best"].notna() & ~bounded).sum()),
        }

    total = asked("")["total"]
    counted = frames["incidents"][frames["incidents"]["counted"]]
    single = counted[~counted["episode"]]
    assert (len(single), len(counted) - len(single)) == (total["incidents"], total["episodes"])
    assert int(counted["reports"].sum()) == total["reports"]
    for outcome, figure in total["figures"].items():
        told = {name: figure[name] for name in ("low", "best", "open")}
        assert sums(counted, f"counted.{outcome}.") == told
    ours = frames["incident_parties"].merge(counted, left_on="incident", right_on="id")
    for cell in asked("party")["cells"]:
        if cell["party"] == "unstated":
            continue
        for outcome, figure in cell["figures"].items():
            rows = ours[(ours["party"] == guarded(cell["party"])) & (ours["outcome"] == outcome)]
            told = {name: figure[name] for name in ("low", "best", "open")}
            assert sums(rows, "counted_") == told
    listed = service.get("/v1/reports", role, limit=500)["items"]
    assert {*frames["reports"]["id"]} == {each["id"] for each in listed}
    assert len(frames["casualties"]) == sum(len(each["casualties"]) for each in listed)
    assert len(frames["sources"]) == sum(len(each["sources"]) for each in listed)
    assert len(frames["weapons"]) == sum(len(each["weapons"]) for each in listed)


def test_nothing_private_leaves(planted: Plants, audience: Audience, tmp_path: Path) -> None:
    folder = written(planted.service, tmp_path / "package", audience)
    viewer = READERS[audience].value
    crawl = Crawl(planted)
    for path, content in files_of(folder).items():
        if not path.startswith("record/"):
            route = "GET /v1/places" if path in ("places.csv", "sectors.geojson") else path
            crawl.look(viewer, route, content.decode(), path)
    assert crawl.leaks == set()
    seen = {name for name, _ in crawl.seen}
    assert "openly" in seen
    assert ("partnerssummary" in seen) is (audience is not Audience.PUBLIC)
    assert ("restrictedsummary" in seen) is (audience is EVERYTHING)


def test_the_sums_are_checked_by_another_tool_and_the_ledger_by_the_script(
    planted: Plants, tmp_path: Path
) -> None:
    folder = written(planted.service, tmp_path / "package")
    done = subprocess.run(
        ["/usr/bin/env", "sha256sum", "--check", "--strict", "SHA256SUMS"],
        check=False,
        capture_output=True,
        cwd=folder,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": OK") == len(files_of(folder)) - 1
    verified = subprocess.run(
        [
            *(sys.executable, str(ROOT / "tools" / "verify_ledger.py")),
            *("--entries", "record/ledger.ndjson", "--checkpoint", "checkpoint.txt"),
        ],
        check=False,
        capture_output=True,
        cwd=folder,
        text=True,
    )
    assert verified.stdout.startswith("verified: "), verified.stdout


def test_a_zip_holds_the_same(seeded: Service, tmp_path: Path) -> None:
    folder = written(seeded, tmp_path / "package", Audience.PUBLIC)
    packages.write(seeded.database, tmp_path / "package.zip", Audience.PUBLIC)
    with zipfile.ZipFile(tmp_path / "package.zip") as unpacked:
        assert unpacked.testzip() is None
        assert {name: unpacked.read(name) for name in unpacked.namelist()} == files_of(folder)


def test_reports_of_a_public_package_can_be_imported_elsewhere(
    databases: Databases, planted: Plants, tmp_path: Path
) -> None:
    folder = written(planted.service, tmp_path / "package", Audience.PUBLIC)
    told = len(planted.service.get("/v1/reports", limit=500)["items"])
    with databases.fresh("sqlite", "reference") as url:
        refused = command("import", str(folder), url=url)
        assert (refused.returncode, refused.stdout) == (1, "")
        [options] = re.findall("`ceasefire import reports_flat.csv (.*?)`", refused.stderr)
        file = str(folder / "reports_flat.csv")
        done = command("import", file, *options.replace("NAME", "another").split(), url=url)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"read {told} = created {told} " in done.stdout


# What is refused


def rewritten(package: Path, path: str, content: bytes) -> None:
    """Change a file of a package so that its checksum is right again."""
    (package / path).write_bytes(content)
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {path}" if line.endswith(f"  {path}") else line
        for line in (package / "SHA256SUMS").read_text().splitlines()
    ]
    (package / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def refusal(url: str, package: Path) -> str:
    """Why a package is not taken; nothing of it may stay."""
    with pytest.raises((Invalid, Conflict)) as refused:
        taken_back(url, package)
    database = Database(url)
    with database.reading() as session:
        for table in tables.metadata.sorted_tables:
            if table.name != "summing":
                count = session.scalar(sa.select(sa.func.count()).select_from(table))
                assert count == 0, table.name
    database.close()
    return str(refused.value)


@pytest.fixture
def package(service: Service, tmp_path: Path) -> Path:
    for day in ("2022-08-03", "2022-08-04"):
        service.post({"when": day, "where": {"place": "Lachin"}, "claimant": "icrc"})
    signed(service)
    return written(service, tmp_path / "package")


@pytest.fixture
def empty(databases: Databases, backend: str) -> Iterator[str]:
    with databases.fresh(backend, "nothing") as url:
        yield url


def test_a_file_that_was_changed_is_named(package: Path, empty: str) -> None:
    for path in files_of(package):
        if path == "SHA256SUMS":
            continue
        content = (package / path).read_bytes()
        (package / path).write_bytes(content + b" ")
        assert refusal(empty, package).startswith(f"{path}: ")
        (package / path).unlink()
        assert refusal(empty, package) == f"{path}: is missing"
        (package / path).write_bytes(content)
    assert taken_back(empty, package)


def test_files_beyond_those_that_are_told_of_are_refused(package: Path, empty: str) -> None:
    (package / "more.csv").write_bytes(b"id\r\n")
    assert "SHA256SUMS: " in refusal(empty, package)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "record/../../secret", "record/a/b.csv", "a b.csv"]
)
def test_no_path_leads_out_of_a_package(package: Path, empty: str, path: str) -> None:
    with (package / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {path}\n")
    assert path not in (said := refusal(empty, package))
    assert said.startswith("SHA256SUMS line")


def test_no_link_leads_out_of_a_package(package: Path, empty: str, tmp_path: Path) -> None:
    shutil.move(package / "parties.csv", tmp_path / "parties.csv")
    (package / "parties.csv").symlink_to(tmp_path / "parties.csv")
    assert refusal(empty, package) == "parties.csv: is not a file"


def zipped(folder: Path, more: Mapping[str, bytes]) -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in {**files_of(folder), **more}.items():
            into.writestr(name, content)
    return target


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"../../x.csv": b"x"}, "SHA256SUMS: does not say what every file must be"),
        ({"bomb.csv": bytes(256 << 20)}, "the zip: "),
        ({f"f{n}.csv": b"" for n in range(200)}, "the zip: holds too many files"),
        ({"parties.csv": b"id"}, "parties.csv: is not as it was written"),
    ],
    ids=["beside", "bomb", "many", "changed"],
)
def test_a_hostile_zip_is_refused(
    package: Path, empty: str, more: Mapping[str, bytes], said: str
) -> None:
    assert refusal(empty, zipped(package, more)).startswith(said)


def test_a_damaged_zip_is_refused(package: Path, empty: str) -> None:
    target = zipped(package, {})
    content = bytearray(target.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = b"\xff" * 50
    target.write_bytes(content)
    refusal(empty, target)


def test_a_record_that_was_changed_is_refused_even_with_right_checksums(
    package: Path, empty: str
) -> None:
    path = "record/ledger.ndjson"
    whole = (package / path).read_bytes()
    lines = whole.splitlines(keepends=True)

    def line(**changed: Any) -> bytes:
        return json.dumps({**json.loads(lines[-1]), **changed}, ensure_ascii=False).encode() + b"\n"

    other = json.loads(lines[-1])["entry"].replace("2022-08-04", "2022-08-05")
    leaf = hashlib.sha256(b"\x00" + other.encode()).hexdigest()
    for changed in (
        lines[:-1],
        [*lines[:-2], lines[-1], lines[-2]],
        [*lines[:-1], line(entry=other)],
        [*lines[:-1], line(entry=other, sha256=leaf)],
        [*lines[:-1], line(level=2)],
        [*lines[:-1], line(openings={})],
        [*lines[:-1], line(position=None)],
        [*lines[:-1], line(sequence="x")],
        [*lines[:-1], b"[]\n"],
        [*lines[:-1], b"{"],
        [*lines[:-1], b"\xff\xff\n"],
    ):
        rewritten(package, path, b"".join(changed))
        assert refusal(empty, package)
    rewritten(package, path, whole)
    path = "record/reference.ndjson"
    whole = (package / path).read_bytes()
    rewritten(package, path, whole.replace(b"Lachin", b"Elsewhere"))
    assert "reference" in refusal(empty, package)
    rewritten(package, path, whole)
    assert taken_back(empty, package)


def test_a_database_that_holds_something_is_left_alone(package: Path, service: Service) -> None:
    before = service.state()
    with pytest.raises(Conflict, match="an empty one"):
        taken_back(service.url, package)
    assert service.state() == before


def test_a_package_of_another_schema_or_none_of_ours_is_refused(package: Path, empty: str) -> None:
    whole = (package / "datapackage.json").read_bytes()
    schema = json.loads(whole)["ceasefire"]["schema"]
    rewritten(package, "datapackage.json", whole.replace(f'"{schema}"'.encode(), b'"9999"'))
    assert "of another schema" in refusal(empty, package)
    rewritten(package, "datapackage.json", b'{"name": "theirs", "resources": []}')
    assert refusal(empty, package).startswith("datapackage.json: is not that of a package")


# What an operator types


def test_typed_by_an_operator_a_package_comes_and_goes(
    seeded: Service, empty: str, tmp_path: Path
) -> None:
    key = {"CEASEFIRE_LEDGER_KEY_FILE": str(tmp_path / "ledger-key")}
    assert command("ledger", "key", "--if-none", url=seeded.url, **key).returncode == 0
    folder = tmp_path / "all"
    done = command("export", str(folder), "--for", "everything", url=seeded.url, **key)
    assert (done.returncode, "as you keep the database" in done.stderr) == (0, True), done.stderr
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert (modes, stat.S_IMODE(folder.stat().st_mode)) == ({0o600}, 0o700)
    head = command("ledger", "head", url=seeded.url, **key).stdout
    assert (folder / "checkpoint.txt").read_text() == head
    again = command("export", str(folder), url=seeded.url, **key)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    for option in (("--preview",), ("--format", "reports"), ("--feed", "x")):
        refused = command("import", str(folder), *option, url=empty)
        assert (refused.returncode, "goes with no option" in refused.stderr) == (1, True)
    taken = command("import", str(folder), url=empty)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert (
        command("verify", "--checkpoint", str(folder / "checkpoint.txt"), url=empty).returncode == 0
    )
    assert command("check", url=empty).returncode == 0
    public = command("export", str(tmp_path / "public.zip"), url=empty, **key)
    assert (public.returncode, public.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"all", "public.zip", "ledger-key"}


def test_what_fails_leaves_nothing_behind(service: Service, tmp_path: Path) -> None:
    service.database.write(lambda session: session.execute(sa.delete(tables.Reference)))
    with pytest.raises(Unavailable):
        packages.write(service.database, tmp_path / "package", Audience.PUBLIC)
    assert [*tmp_path.iterdir()] == []
