"""Trust: roles, disclosure, reviews, and a ledger of every change.

What was recorded before becomes part of the ledger as public, as everything was until now.
"""

import hashlib
import json
import secrets
from copy import deepcopy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Json = dict[str, Any]
COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
INSTANT = sa.DateTime(timezone=True)
# The private fields of each kind as they were when this was written, inner ones first.
SEALED = {
    "report": (
        "content.authors",
        "content.reviewers",
        "content.received_at",
        "content.posted.where.observer",
        "content.posted.where",
        "content.posted.summary",
        "content.posted.sources",
        "content.posted.incident",
        "content.posted.about",
        "content.possible_duplicates",
        "content.cleared",
        "content.reviews",
        "content.resolved.point",
        "content.resolved.place",
        "content.published",
    ),
    "tally": ("content.received_at",),
    "coverage": ("content.received_at",),
    "incident": ("content.part_of", "content.merged_into"),
    "key": ("content",),
}
OF_A_REPORT = (
    "authors",
    "cleared",
    "disclosure",
    "grade",
    "published",
    "reviewers",
    "reviews",
)
POSSIBLE_DUPLICATE = "possible_duplicate"
LIVE = ("unverified", "corroborated", "verified")
REVISIONS = sa.table(
    "revisions",
    sa.column("sequence", COUNTER),
    sa.column("kind", sa.String),
    sa.column("subject", sa.String),
    sa.column("revision", sa.Integer),
    sa.column("recorded_at", INSTANT),
    sa.column("actor", sa.String),
    sa.column("reason", sa.Text),
    sa.column("content", sa.Text),
    sa.column("level", sa.Integer),
    sa.column("entry", sa.Text),
    sa.column("private", sa.Text),
    sa.column("sha256", sa.String),
)
REPORTS = sa.table(
    "reports",
    sa.column("id", sa.Uuid(as_uuid=False)),
    sa.column("incident_id", sa.Uuid(as_uuid=False)),
    sa.column("status", sa.String),
    sa.column("claimant", sa.String),
    sa.column("killed_low", sa.BigInteger),
    sa.column("owner", sa.String),
    sa.column("waiting", sa.Boolean),
    sa.column("gravity", sa.Integer),
    sa.column("record", sa.JSON),
)
TERMS = sa.table(
    "report_terms",
    sa.column("report_id", sa.Uuid(as_uuid=False)),
    sa.column("kind", sa.String),
    sa.column("value", sa.String),
)
KEYS = sa.table(
    "keys",
    sa.column("id", sa.Uuid(as_uuid=False)),
    sa.column("name", sa.String),
    sa.column("sha256", sa.String),
    sa.column("may_link", sa.Boolean),
    sa.column("role", sa.String),
    sa.column("created_at", INSTANT),
    sa.column("revoked_at", INSTANT),
)


def upgrade() -> None:
    connection = op.get_bind()
    op.create_table(
        "pending",
        sa.Column("sequence", COUNTER, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["revisions.sequence"], name=op.f("fk_pending_sequence")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_pending")),
    )
    op.create_table(
        "leaves",
        sa.Column("position", COUNTER, autoincrement=False, nullable=False),
        sa.Column("sequence", COUNTER, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["revisions.sequence"], name=op.f("fk_leaves_sequence")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_leaves")),
        sa.UniqueConstraint("sequence", name=op.f("uq_leaves_sequence")),
    )
    op.create_index("ix_leaves_hash", "leaves", ["hash"])
    op.create_table(
        "nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", COUNTER, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_nodes")),
    )
    op.create_table(
        "heads",
        sa.Column("size", COUNTER, autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_heads")),
    )
    with op.batch_alter_table("incidents") as batch:
        batch.add_column(sa.Column("merged_into", sa.Uuid(as_uuid=False), nullable=True))
        batch.add_column(sa.Column("level", sa.Integer, server_default="0", nullable=False))
        batch.create_foreign_key(
            op.f("fk_incidents_merged_into"), "incidents", ["merged_into"], ["id"]
        )
    with op.batch_alter_table("incidents") as batch:
        batch.alter_column("level", server_default=None)
    _add_levels()
    with op.batch_alter_table("keys") as batch:
        batch.add_column(sa.Column("role", sa.String(200), server_default="", nullable=False))
        batch.add_column(sa.Column("read_only", sa.Boolean, server_default="0", nullable=False))
        batch.add_column(sa.Column("expires_at", INSTANT, nullable=True))
    with op.batch_alter_table("reports") as batch:
        batch.add_column(sa.Column("level", sa.Integer, server_default="0", nullable=False))
        batch.add_column(sa.Column("embargo", INSTANT, nullable=True))
        batch.add_column(sa.Column("owner", sa.String(200), server_default="", nullable=False))
        batch.add_column(sa.Column("waiting", sa.Boolean, server_default="0", nullable=False))
        batch.add_column(sa.Column("gravity", sa.Integer, server_default="0", nullable=False))
        batch.drop_index("ix_reports_received_at_id")
    with op.batch_alter_table("revisions") as batch:
        batch.add_column(sa.Column("level", sa.Integer, server_default="0", nullable=False))
        batch.add_column(sa.Column("entry", sa.Text, server_default="", nullable=False))
        batch.add_column(sa.Column("private", sa.Text, server_default="", nullable=False))
    _seal_the_record(connection)
    with op.batch_alter_table("revisions") as batch:
        batch.drop_column("content")
        batch.create_index("ix_revisions_recorded_at", ["recorded_at"])
        batch.drop_column("reason")
        for name in ("level", "entry", "private"):
            batch.alter_column(name, server_default=None)
    _give_roles(connection)
    with op.batch_alter_table("keys") as batch:
        batch.drop_column("may_link")
        for name in ("role", "read_only"):
            batch.alter_column(name, server_default=None)
    with op.batch_alter_table("reports") as batch:
        for name in ("level", "owner", "waiting", "gravity"):
            batch.alter_column(name, server_default=None)
        batch.create_index("ix_reports_received_day_id", ["received_day", "id"])
        batch.create_index("ix_reports_owner", ["owner"])
        batch.create_index("ix_reports_embargo", ["embargo"])
        batch.create_index(
            "ix_reports_waiting_gravity_received_day_id",
            ["waiting", "gravity", "received_day", "id"],
        )
    op.execute("INSERT INTO pending (sequence) SELECT sequence FROM revisions")


def downgrade() -> None:
    connection = op.get_bind()
    for table in ("pending", "leaves", "nodes", "heads"):
        op.drop_table(table)
    op.execute("DELETE FROM report_terms WHERE kind = 'possible_duplicate'")
    op.execute("DELETE FROM revisions WHERE kind IN ('key', 'grouping')")
    with op.batch_alter_table("revisions") as batch:
        batch.add_column(sa.Column("content", sa.Text, server_default="", nullable=False))
        batch.add_column(sa.Column("reason", sa.Text, nullable=True))
    _open_the_record(connection)
    with op.batch_alter_table("revisions") as batch:
        batch.drop_index("ix_revisions_recorded_at")
        for name in ("level", "entry", "private"):
            batch.drop_column(name)
        batch.alter_column("content", server_default=None)
    with op.batch_alter_table("reports") as batch:
        for index in (
            "received_day_id",
            "owner",
            "embargo",
            "waiting_gravity_received_day_id",
        ):
            batch.drop_index(f"ix_reports_{index}")
        batch.create_index("ix_reports_received_at_id", ["received_at", "id"])
        for name in ("level", "embargo", "owner", "waiting", "gravity"):
            batch.drop_column(name)
    with op.batch_alter_table("keys") as batch:
        batch.add_column(sa.Column("may_link", sa.Boolean, server_default="0", nullable=False))
    connection.execute(sa.update(KEYS).values(may_link=KEYS.c.role.in_(["reviewer", "admin"])))
    with op.batch_alter_table("keys") as batch:
        batch.alter_column("may_link", server_default=None)
        for name in ("role", "read_only", "expires_at"):
            batch.drop_column(name)
    _drop_levels()
    with op.batch_alter_table("incidents") as batch:
        batch.drop_constraint("fk_incidents_merged_into", type_="foreignkey")
        batch.drop_column("merged_into")
        batch.drop_column("level")


def _add_levels() -> None:
    """Until now everybody was shown the same account."""
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("level", sa.Integer, server_default="0", nullable=False))
        batch.add_column(sa.Column("until_level", sa.Integer, server_default="2", nullable=False))
        batch.add_column(
            sa.Column("possible_duplicate", sa.Boolean, server_default="0", nullable=False)
        )
        batch.drop_index("ix_accounts_claimant_first_received_incident_id")
        batch.create_index(
            "ix_accounts_claimant_received_day_incident_id",
            ["claimant", "received_day", "incident_id"],
        )
        batch.drop_constraint("pk_accounts", type_="primary")
        batch.create_primary_key("pk_accounts", ["incident_id", "claimant", "level"])
    for table, more in (("account_weapons", ["weapon"]), ("figures", ["party", "outcome"])):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("level", sa.Integer, server_default="0", nullable=False))
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["incident_id", "claimant", *more, "level"])
    for table in ("accounts", "account_weapons", "figures"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("level", server_default=None)
            if table == "accounts":
                batch.alter_column("until_level", server_default=None)
                batch.alter_column("possible_duplicate", server_default=None)


def _drop_levels() -> None:
    """What remains is what those saw who saw everything."""
    for table in ("account_weapons", "figures"):
        op.execute(
            f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE "  # noqa: S608
            f"accounts.incident_id = {table}.incident_id AND accounts.claimant = {table}.claimant "
            f"AND accounts.level = {table}.level AND accounts.until_level = 2)"
        )
    op.execute("DELETE FROM accounts WHERE until_level < 2")
    for table, more in (
        ("accounts", []),
        ("account_weapons", ["weapon"]),
        ("figures", ["party", "outcome"]),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["incident_id", "claimant", *more])
            batch.drop_column("level")
            if table == "accounts":
                batch.drop_index("ix_accounts_claimant_received_day_incident_id")
                batch.create_index(
                    "ix_accounts_claimant_first_received_incident_id",
                    ["claimant", "first_received", "incident_id"],
                )
                batch.drop_column("until_level")
                batch.drop_column("possible_duplicate")


def _seal_the_record(connection: sa.Connection) -> None:
    posters: dict[str, str] = {}
    for row in connection.execute(sa.select(REVISIONS).order_by(REVISIONS.c.sequence)).all():
        content = json.loads(row.content)
        if row.kind == "report":
            posters.setdefault(row.subject, row.actor)
            content = _with_trust(content, posters[row.subject])
        entry, private = _seal(row, content)
        connection.execute(
            sa.update(REVISIONS)
            .where(REVISIONS.c.sequence == row.sequence)
            .values(entry=entry, private=private, sha256=_leaf(entry))
        )
    doubled: set[tuple[str, str]] = set()
    for row in connection.execute(sa.select(REPORTS)).all():
        connection.execute(
            sa.update(REPORTS)
            .where(REPORTS.c.id == row.id)
            .values(
                owner=posters[row.id],
                waiting=row.status == "unverified"
                or (row.status == "verified" and bool(row.record["resolved"]["flags"])),
                gravity=_gravity(row.killed_low, row.record),
                record=_with_trust(row.record, posters[row.id]),
            )
        )
        for incident in row.record.get("possible_duplicates", ()):
            connection.execute(
                sa.insert(TERMS).values(report_id=row.id, kind="possible_duplicate", value=incident)
            )
        counts = row.record["counted"] and row.status in LIVE
        if counts and "possible_duplicate" in row.record["resolved"]["flags"]:
            doubled |= {(row.incident_id, ""), (row.incident_id, row.claimant)}
    accounts = sa.table(
        "accounts",
        sa.column("incident_id", sa.Uuid(as_uuid=False)),
        sa.column("claimant", sa.String),
        sa.column("possible_duplicate", sa.Boolean),
    )
    for incident, claimant in sorted(doubled):
        connection.execute(
            sa.update(accounts)
            .where(accounts.c.incident_id == incident, accounts.c.claimant == claimant)
            .values(possible_duplicate=True)
        )


def _open_the_record(connection: sa.Connection) -> None:
    for row in connection.execute(sa.select(REVISIONS).order_by(REVISIONS.c.sequence)).all():
        content, reason = _unseal(row.entry, row.private)
        if row.kind == "report":
            content = _without_trust(content)
        text = _canonical(content)
        connection.execute(
            sa.update(REVISIONS)
            .where(REVISIONS.c.sequence == row.sequence)
            .values(content=text, reason=reason, sha256=hashlib.sha256(text.encode()).hexdigest())
        )
    for row in connection.execute(sa.select(REPORTS)).all():
        connection.execute(
            sa.update(REPORTS)
            .where(REPORTS.c.id == row.id)
            .values(record=_without_trust(row.record))
        )


def _give_roles(connection: sa.Connection) -> None:
    for key in connection.execute(sa.select(KEYS)).all():
        role = "admin" if key.may_link else "importer"
        connection.execute(sa.update(KEYS).where(KEYS.c.id == key.id).values(role=role))
        content = {
            "name": key.name,
            "sha256": key.sha256,
            "role": role,
            "read_only": False,
            "created_at": _instant(key.created_at),
            "expires_at": None,
            "revoked_at": _instant(key.revoked_at) if key.revoked_at else None,
        }
        values: Json = {
            "kind": "key",
            "subject": key.id,
            "revision": 1,
            "recorded_at": key.created_at,
            "actor": "migration",
        }
        entry, private = _seal(SimpleNamespace(**values, reason=None), content)
        connection.execute(
            sa.insert(REVISIONS).values(
                **values, level=2, entry=entry, private=private, sha256=_leaf(entry)
            )
        )


def _with_trust(content: Json, poster: str) -> Json:
    """The flag follows from the incidents that the report is to be compared with."""
    flags = [flag for flag in content["resolved"]["flags"] if flag != POSSIBLE_DUPLICATE]
    return {
        **content,
        "resolved": {**content["resolved"], "flags": flags},
        "authors": [poster],
        "cleared": [],
        "disclosure": {"visibility": "public", "embargo": None, "place": "exact"},
        "grade": None,
        "published": {key: content["resolved"][key] for key in ("place", "point")},
        "reviewers": {},
        "reviews": [],
    }


def _without_trust(content: Json) -> Json:
    before = {name: value for name, value in content.items() if name not in OF_A_REPORT}
    if content.get("possible_duplicates"):
        flags = sorted({*content["resolved"]["flags"], POSSIBLE_DUPLICATE})
        before["resolved"] = {**content["resolved"], "flags": flags}
    return before


def _gravity(killed_low: int | None, record: Json) -> int:
    if killed_low:
        return 3 if killed_low >= 10 else 2
    lines = record["resolved"]["casualties"]
    hurt = any(
        bounds[0]
        for line in lines
        for outcome, bounds in line["figures"].items()
        if outcome != "displaced"
    )
    return int(hurt)


def _seal(row: Any, content: Json) -> tuple[str, str]:
    entry: Json = {
        "kind": row.kind,
        "subject": row.subject,
        "revision": row.revision,
        "recorded_at": _instant(row.recorded_at),
        "actor": row.actor,
        "reason": row.reason,
        "content": deepcopy(content),
    }
    sealed, private = {}, {}
    for path in (*SEALED.get(row.kind, ()), "actor", "reason"):
        *above, name = path.split(".")
        holder: Any = entry
        for step in above:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and name in holder:
            text, salt = _canonical(holder.pop(name)), secrets.token_hex(16)
            private[path] = [salt, text]
            sealed[path] = hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()
    entry["sealed"] = sealed
    return _canonical(entry), _canonical(private)


def _unseal(entry: str, private: str) -> tuple[Json, str | None]:
    told, known = json.loads(entry), json.loads(private)
    for path in sorted(told["sealed"], key=lambda path: path.count(".")):
        *above, name = path.split(".")
        holder: Any = told
        for step in above:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and path in known:
            holder[name] = json.loads(known[path][1])
    return told["content"], told["reason"]


def _leaf(entry: str) -> str:
    return hashlib.sha256(b"\x00" + entry.encode()).hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _instant(moment: datetime) -> str:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")
