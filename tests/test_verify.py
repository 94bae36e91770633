"""Whatever is done to the database behind the service's back is found, and named."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.domain.access import Role
from service.domain.ledger import leaf_hash
from service.formats.checkpoint import LogKey, new_key
from service.formats.reference import read_folder
from service.formats.sealing import seal_of
from service.store import tables
from service.store.database import Database
from service.store.journal import Author
from service.work import ledger, reference, seed, verify
from tests import pictures
from tests.harness import NOW, Databases, Service

OTHER_THEATRE = Path(__file__).parent / "other_theatre"
TABLES = tables.metadata.sorted_tables
# How far something is just now: nothing follows from it.
UNDER_WAY = {
    "feeds": {"next_run_at", "failures", "asked_at", "moved_at", "etag", "last_modified"},
    "imports": {"running", "holder", "held_until", "position", "attempts"},
}
# Only tells rows apart.
NUMBERS = {("cell_changes", "id")}
COLUMNS = [
    (table.name, column.name)
    for table in TABLES
    for column in table.columns
    if column.name not in UNDER_WAY.get(table.name, ()) and (table.name, column.name) not in NUMBERS
]
# What is only there between a write and the next look at the ledger.
PASSING = {"pending"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, databases: Databases) -> Iterator["Kept"]:
    """A small database with something in every table, and a head of its ledger."""
    with databases.fresh(request.param, "nothing") as url:
        database = Database(url)
        author = Author(seed.ACTOR, NOW)
        database.write(lambda s: reference.replace(s, read_folder(OTHER_THEATRE), author))
        service = Service(url)
        happen(service)
        key = LogKey.read(new_key(), "tests")
        ledger.catch_up(database)
        head = database.write(lambda s: ledger.sign(s, key, NOW))
        assert head is not None
        service.fold()
        # Written after the head, and neither sequenced nor folded yet.
        service.post({"when": "2022-09-01", "where": {"as_written": "a ford"}, "claimant": "who"})
        service.close()
        database.close()
        kept = Kept(Database(url, foreign_keys=False), key, head.checkpoint)
        yield kept
        kept.database.close()


def happen(service: Service) -> None:
    """Something for every table and nearly every column."""
    theatre = service.get("/v1/claimants")["items"], service.get("/v1/sectors")["items"]
    claimant, sector = theatre[0][0]["id"], theatre[1][-1]["id"]
    party = service.get("/v1/parties")["items"][0]["id"]
    weapon = service.get("/v1/weapons")["items"][0]["id"]
    told = [
        service.post(
            {
                "when": "2022-08-03T10:00+00:00",
                "where": {"sector": sector},
                "claimant": claimant,
                "weapons": [weapon],
                "casualties": [{"party": party, "killed": {"low": 2, "best": 3, "high": 4}}],
                "attributed_to": party,
                **more,
            }
        )
        for more in (
            {},
            {"claimant": "somebody", "summary": "A night."},
            {"where": {"lat": 10.0, "lon": 10.0}},
            {"disclosure": {"visibility": "partners"}, "claimant": "another"},
            {"disclosure": {"embargo": "2023-01-01T00:00:00Z"}},
        )
    ]
    service.act(
        f"/v1/reports/{told[0]['id']}/reviews",
        {"status": "corroborated", "basis": "peacekeepers", "reason": "Seen.", "grade": "B2"},
        **{"If-Match": '"1"'},
    )
    first, second, third = (each["incident"] for each in told[:3])
    service.act(f"/v1/incidents/{first}/merge", {"incidents": [second], "reason": "One night."})
    service.act(
        f"/v1/incidents/{third}/links",
        {"part_of": first, "title": "A part", "note": "of it", "reason": "It is."},
    )
    hidden = told[4]["incident"]
    service.act(f"/v1/incidents/{hidden}/links", {"title": "Not yet", "reason": "Under embargo."})
    span = {"from": "2022-08-01T00:00Z", "to": "2022-08-08T00:00Z"}
    tally = {"claimant": claimant, "sector": sector, "unit": "violations", "count": 45}
    watch = {"observer": claimant, "sectors": [sector], "means": "patrols", "access": "full"}
    for path, sent in (("tallies", tally), ("coverage", watch)):
        answer = service.client.post(
            f"/v1/{path}", json={**sent, **span}, headers=service.headers()
        )
        assert answer.status_code == 201, answer.text
    photo = pictures.sent(service, told[0]["id"], pictures.jpeg())
    service.act(f"/v1/photos/{photo['id']}/release", {"reason": "Nobody is in it."})
    service.make_key("an expired", Role.MONITOR, expires_at=NOW + timedelta(days=1))
    service.declare("wire", licence="CC BY 4.0")
    sound = {"when": "2022-08-09", "where": {"sector": sector}, "claimant": claimant}
    line = json.dumps({"id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e21", **sound})
    service.run("wire", f"{line}\n{line}\n")
    service.declare("news", format="rss")
    entry = "<item><guid>1</guid><title>A night</title></item>"
    service.run("news", f"<rss version='2.0'><channel>{entry}</channel></rss>")


class Kept:
    """The database, and what is held elsewhere."""

    def __init__(self, database: Database, key: LogKey, checkpoint: str) -> None:
        self.database, self.key, self.checkpoint = database, key, checkpoint

    @contextmanager
    def tampering(self) -> Iterator[Session]:
        """A transaction that may do anything, and is taken back."""
        with Session(self.database.engine) as session:
            if session.bind.dialect.name == "postgresql":
                session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            yield session
            session.rollback()

    def broken(self, session: Session, *, held: bool = True) -> list[str]:
        notes = [self.checkpoint] if held else []
        return list(verify.broken(session, [self.key.verifier], notes))


def table_of(name: str) -> sa.Table:
    return tables.metadata.tables[name]


def plain(name: str, column: str) -> sa.ColumnClause[Any]:
    """A column without what the application makes of its values."""
    return sa.column(column, table_of(name).columns[column].type)


def one_row(session: Session, name: str, column: str | None = None) -> dict[str, Any]:
    """A row of the table, with something in the column where any row has that."""
    table = table_of(name)
    select = sa.select(table).limit(1).order_by(*table.primary_key.columns.values())
    if column is not None:
        row = session.execute(select.where(table.columns[column].is_not(None))).mappings().first()
        if row is not None:
            return dict(row)
    return dict(session.execute(select).mappings().one())


def of_row(name: str, row: dict[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(c == row[c.name] for c in table_of(name).primary_key.columns))


_SOMETHING: dict[str, Any] = {
    "BIGINT": 7,
    "INTEGER": 7,
    "FLOAT": 7.0,
    "DATE": NOW.date(),
    "DATETIME": NOW,
    "CHAR(32)": "00000000-0000-7000-8000-00000000dead",
}


def another(value: Any, column: sa.Column[Any]) -> Any:
    """A value that the column takes, and that is not the one it has."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1_000_001
        case datetime():
            return value + timedelta(days=1)
        case date():
            return value + timedelta(days=1)
        case bytes():
            return value + b"x"
        case dict():
            return {**value, "tampered": True}
        case None:
            return _SOMETHING.get(str(column.type), "x")
    if isinstance(column.type, sa.Uuid):
        return "00000000-0000-7000-8000-00000000dead"
    return f"{'0' if value[:1] != '0' else '1'}{value[1:]}" if len(value) > 1 else f"{value}x"


def test_what_nobody_touched_is_in_order(kept: Kept) -> None:
    with kept.tampering() as session:
        for name in tables.metadata.tables:
            assert session.scalar(sa.select(sa.func.count()).select_from(table_of(name))), name
        assert kept.broken(session) == []


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_a_value_changed_in_any_column_is_found(kept: Kept, name: str, column: str) -> None:
    table = table_of(name)
    with kept.tampering() as session:
        row = one_row(session, name, column)
        changed = another(row[column], table.columns[column])
        done = session.execute(sa.update(table).where(of_row(name, row)).values({column: changed}))
        assert done.rowcount == 1
        found = kept.broken(session)
        assert found, f"{name}.{column}"
        assert any(name in line or name in PASSING for line in found), found


def test_a_salt_that_has_swallowed_the_first_byte_of_its_text_is_found(kept: Kept) -> None:
    path = "content.received_at"
    with kept.tampering() as session:
        revision = session.scalars(
            sa.select(tables.Revision).where(tables.Revision.kind == "report").limit(1)
        ).one()
        private = json.loads(revision.private)
        salt, text = private[path]
        private[path] = [salt + text[0].encode().hex(), text[1:]]
        assert seal_of(*private[path]) == seal_of(salt, text)
        revision.private = json.dumps(private)
        session.flush()
        assert kept.broken(session) == [
            f"revisions {revision.sequence}: private {path} is not what was sealed"
        ]


@pytest.mark.parametrize("name", tables.metadata.tables)
def test_a_row_taken_away_is_found(kept: Kept, name: str) -> None:
    with kept.tampering() as session:
        session.execute(sa.delete(table_of(name)).where(of_row(name, one_row(session, name))))
        assert kept.broken(session), name


@pytest.mark.parametrize("name", sorted(set(tables.metadata.tables) - {"heads"}))
def test_a_table_emptied_is_found(kept: Kept, name: str) -> None:
    with kept.tampering() as session:
        session.execute(sa.delete(table_of(name)))
        assert kept.broken(session), name


@pytest.mark.parametrize("name", tables.metadata.tables)
def test_a_row_put_in_is_found(kept: Kept, name: str) -> None:
    table = table_of(name)
    with kept.tampering() as session:
        row = one_row(session, name)
        unique = {c.name for c in table.columns if c.primary_key or c.unique}
        unique |= {"revisions": {"subject"}, "photos": {"sha256"}}.get(name, set())
        forged = {c: another(v, table.columns[c]) if c in unique else v for c, v in row.items()}
        session.execute(sa.insert(table).values(forged))
        assert kept.broken(session), name


@pytest.mark.parametrize("name", ["reports", "incidents", "accounts", "tallies", "keys"])
def test_the_contents_of_two_rows_exchanged_are_found(kept: Kept, name: str) -> None:
    table = table_of(name)
    keys = {c.name for c in table.primary_key.columns} | {"sha256", "name"}
    with kept.tampering() as session:
        rows = [dict(r) for r in session.execute(sa.select(table).limit(40)).mappings()]
        pairs = [
            (a, b)
            for a in rows
            for b in rows
            if {k: v for k, v in a.items() if k not in keys}
            != {k: v for k, v in b.items() if k not in keys}
        ]
        if not pairs:
            pytest.skip("one row only")
        first, second = pairs[0]
        for here, there in ((first, second), (second, first)):
            values = {k: v for k, v in there.items() if k not in keys}
            session.execute(sa.update(table).where(of_row(name, here)).values(values))
        assert kept.broken(session), name


def rewritten(session: Session) -> None:
    """Another claimant in the first report, and every hash made anew, as an owner could."""
    revision = session.scalars(
        sa.select(tables.Revision)
        .where(tables.Revision.kind == "report")
        .order_by(tables.Revision.sequence)
    ).first()
    assert revision is not None
    revision.entry = revision.entry.replace('"status":"unverified"', '"status":"refuted"', 1)
    revision.sha256 = leaf_hash(revision.entry.encode()).hex()
    session.flush()
    sequences = session.scalars(
        sa.select(tables.Revision.sequence).order_by(tables.Revision.sequence)
    ).all()
    for name in ("leaves", "nodes", "pending"):
        session.execute(sa.delete(table_of(name)))
    session.execute(sa.insert(tables.Pending), [{"sequence": each} for each in sequences])
    while ledger.store.sequence(session, 1_000):
        pass


def test_a_record_rewritten_with_all_its_hashes_is_found_by_a_head_held_elsewhere(
    kept: Kept,
) -> None:
    with kept.tampering() as session:
        rewritten(session)
        session.execute(sa.delete(tables.Head))
        assert any("checkpoint" in line for line in kept.broken(session))
        # Without one, the ledger says nothing wrong: only what was derived from the record does.
        assert not [line for line in kept.broken(session, held=False) if "reports" not in line]


def test_a_rewritten_record_contradicts_the_heads_it_signed(kept: Kept) -> None:
    with kept.tampering() as session:
        rewritten(session)
        assert any(line.startswith("heads") for line in kept.broken(session, held=False))


def test_a_record_cut_off_at_its_end_is_found_by_a_head_held_elsewhere(kept: Kept) -> None:
    with kept.tampering() as session:
        last = session.scalar(sa.select(sa.func.max(tables.Leaf.position)))
        sequence = session.scalar(
            sa.select(tables.Leaf.sequence).where(tables.Leaf.position == last)
        )
        for name in ("pending", "heads"):
            session.execute(sa.delete(table_of(name)))
        session.execute(sa.delete(tables.Leaf).where(tables.Leaf.position == last))
        for node in session.scalars(sa.select(tables.Node)).all():
            if (node.position + 1) << node.level > last:
                session.delete(node)
        session.flush()
        session.execute(sa.delete(tables.Revision).where(tables.Revision.sequence >= sequence))
        assert any("checkpoint" in line for line in kept.broken(session))
