"""Photos: what was sent, sealed, and a copy that holds nothing but pixels."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
CODE = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "photos",
        sa.Column("id", ID, nullable=False),
        sa.Column("report_id", ID, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.UniqueConstraint("report_id", "sha256", name="uq_photos_report_id_sha256"),
    )
    op.create_table(
        "photo_pieces",
        sa.Column("photo_id", ID, nullable=False),
        sa.Column("part", CODE, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("photo_id", "part", "position", name="pk_photo_pieces"),
    )


def downgrade() -> None:
    for table in ("photo_pieces", "photos"):
        op.drop_table(table)
    connection = op.get_bind()
    revisions = sa.table("revisions", sa.column("kind", sa.String))
    of_photos = revisions.c.kind.in_(["photo", "opening"])
    if connection.scalar(sa.select(sa.func.count()).select_from(revisions).where(of_photos)):
        # The schema before cannot read them; without them the ledger is another one.
        for table in ("heads", "nodes", "leaves", "pending"):
            op.execute(f"DELETE FROM {table}")  # noqa: S608
        connection.execute(sa.delete(revisions).where(of_photos))
        op.execute("INSERT INTO pending (sequence) SELECT sequence FROM revisions")
