"""Imports and feeds: what was read from which source, and what became of every row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.Uuid(as_uuid=False)
CODE = sa.String(200)
DIGEST = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("name", CODE, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("next_run_at", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("moved_at", INSTANT, nullable=True),
        sa.Column("etag", sa.Text, nullable=True),
        sa.Column("last_modified", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_feeds"),
    )
    op.create_index("ix_feeds_next_run_at", "feeds", ["next_run_at"])
    op.create_table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", CODE, nullable=False),
        sa.Column("feed", CODE, nullable=True),
        sa.Column("running", CODE, nullable=True),
        sa.Column("holder", CODE, nullable=True),
        sa.Column("held_until", INSTANT, nullable=True),
        sa.Column("state", CODE, nullable=False),
        sa.Column("fault", CODE, nullable=True),
        sa.Column("detail", sa.Text, nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("sha256", DIGEST, nullable=True),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("total", sa.Integer, nullable=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("account", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        sa.UniqueConstraint("running", name="uq_imports_running"),
    )
    op.create_index("ix_imports_source_started_at", "imports", ["source", "started_at"])
    for name in ("feed", "state", "sha256"):
        op.create_index(f"ix_imports_{name}", "imports", [name])
    op.create_table(
        "archive_pieces",
        sa.Column("sha256", DIGEST, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", "position", name="pk_archive_pieces"),
    )
    op.create_table(
        "rejects",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("problems", sa.JSON, nullable=False),
        sa.Column("original", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "position", name="pk_rejects"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_rejects_import_id"),
    )
    op.create_table(
        "leads",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leads"),
    )
    op.create_index("ix_leads_source", "leads", ["source"])
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("long", sa.Boolean, server_default="0", nullable=False))
        batch.create_index("ix_accounts_claimant_long", ["claimant", "long"])
    _say_what_is_long()
    with op.batch_alter_table("accounts") as batch:
        batch.alter_column("long", server_default=None)
    # Reports from sources, where this schema was in force before.
    reports = sa.table("reports", sa.column("id", ID), sa.column("record", sa.JSON))
    terms = sa.table(
        "report_terms",
        sa.column("report_id", ID),
        sa.column("kind", CODE),
        sa.column("value", CODE),
    )
    connection = op.get_bind()
    imported = sa.cast(reports.c.record, sa.Text).contains('"origin"')
    for report_id, record in connection.execute(sa.select(reports).where(imported)).all():
        if record.get("origin"):
            connection.execute(
                sa.insert(terms),
                [
                    {"report_id": report_id, "kind": kind, "value": record["origin"][kind]}
                    for kind in ("source", "circle")
                ],
            )
    op.create_index("ix_leads_state_received_at_id", "leads", ["state", "received_at", "id"])


def _say_what_is_long() -> None:
    accounts = sa.table(
        "accounts",
        sa.column("start_day", sa.Date),
        sa.column("end_day", sa.Date),
        sa.column("long", sa.Boolean),
    )
    start, end = accounts.c.start_day, accounts.c.end_day
    if op.get_bind().dialect.name == "sqlite":
        days = sa.func.julianday(end) - sa.func.julianday(start)
    else:
        days = end - start
    long = sa.or_(start.is_(None), end.is_(None), days > 31)
    op.execute(sa.update(accounts).where(long).values(long=True))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as batch:
        batch.drop_index("ix_accounts_claimant_long")
        batch.drop_column("long")
    for table in ("leads", "rejects", "archive_pieces", "imports", "feeds"):
        op.drop_table(table)
    op.execute("DELETE FROM report_terms WHERE kind IN ('source', 'circle')")
    connection = op.get_bind()
    revisions = sa.table("revisions", sa.column("kind", sa.String))
    of_imports = revisions.c.kind.in_(["feed", "import", "lead"])
    if connection.scalar(sa.select(sa.func.count()).select_from(revisions).where(of_imports)):
        # The schema before cannot read them; without them the ledger is another one.
        for table in ("heads", "nodes", "leaves", "pending"):
            op.execute(f"DELETE FROM {table}")  # noqa: S608
        connection.execute(sa.delete(revisions).where(of_imports))
        op.execute("INSERT INTO pending (sequence) SELECT sequence FROM revisions")
