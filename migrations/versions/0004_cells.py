"""Accounts are kept summed: the first program that opens them fills that in. Reports are counted
from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CODE = sa.String(200)
OUTCOMES = ("killed", "wounded", "missing", "captured")
PARTS = ("told", "low", "best", "high", "open", "unknown")
COUNTS = ("shares", "incidents", "episodes", "reports", "possible_duplicates", "remainders")


def upgrade() -> None:
    op.create_table(
        "summing",
        sa.Column("definition", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("definition", name="pk_summing"),
    )
    op.create_table(
        "cells",
        *columns(),
        sa.PrimaryKeyConstraint(*(column.name for column in keys()), name="pk_cells"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cells_cube_end", "cells", ["cube", "end"])
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "cell_changes",
        sa.Column("id", counter, nullable=False),
        *columns(),
        sa.PrimaryKeyConstraint("id", name="pk_cell_changes"),
    )

    op.drop_index("ix_accounts_claimant_long", "accounts")
    op.create_index(
        "ix_accounts_long",
        "accounts",
        ["claimant", "known_start"],
        sqlite_where=sa.text("long = 1"),
        postgresql_where=sa.text("long"),
    )

    op.drop_index("ix_reports_start_day_id", "reports")
    op.create_index(
        "ix_reports_start_day_id_end_day_level", "reports", ["start_day", "id", "end_day", "level"]
    )


def keys() -> list[sa.Column]:
    return [
        sa.Column("cube", sa.String(250), nullable=False),
        sa.Column("start", sa.Date, nullable=False),
        sa.Column("end", sa.Date, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("sector", CODE, nullable=False),
        sa.Column("status", CODE, nullable=False),
        sa.Column("code", CODE, nullable=False),
        sa.Column("level", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("until_level", sa.Integer, nullable=False, autoincrement=False),
    ]


def columns() -> list[sa.Column]:
    measures = (*COUNTS, *(f"{outcome}_{part}" for outcome in OUTCOMES for part in PARTS))
    return [*keys(), *(sa.Column(name, sa.BigInteger, nullable=False) for name in measures)]


def downgrade() -> None:
    op.drop_index("ix_reports_start_day_id_end_day_level", "reports")
    op.create_index("ix_reports_start_day_id", "reports", ["start_day", "id"])
    op.drop_index("ix_accounts_long", "accounts")
    op.create_index("ix_accounts_claimant_long", "accounts", ["claimant", "long"])
    for table in ("cell_changes", "cells", "summing"):
        op.drop_table(table)
