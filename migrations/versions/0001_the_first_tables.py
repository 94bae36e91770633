"""the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_weapons",
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("weapon", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint(
            "incident_id", "claimant", "weapon", name=op.f("pk_account_weapons")
        ),
    )
    op.create_table(
        "coverage",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("observer", sa.String(length=200), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("access", sa.String(length=200), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage")),
    )
    with op.batch_alter_table("coverage", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_coverage_start_at_id"), ["start_at", "id"], unique=False
        )

    op.create_table(
        "figures",
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("party", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=True),
        sa.Column("best", sa.BigInteger(), nullable=True),
        sa.Column("high", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=200), nullable=True),
        sa.Column("counted_low", sa.BigInteger(), nullable=True),
        sa.Column("counted_best", sa.BigInteger(), nullable=True),
        sa.Column("counted_high", sa.BigInteger(), nullable=True),
        sa.Column("remainder", sa.Boolean(), nullable=False),
        sa.Column("below", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "incident_id", "claimant", "party", "outcome", name=op.f("pk_figures")
        ),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("parent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("root_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("episode", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["incidents.id"], name=op.f("fk_incidents_parent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incidents_root_id"), ["root_id"], unique=False)

    op.create_table(
        "keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("may_link", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_keys_name")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
    )
    op.create_table(
        "reference",
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_reference")),
    )
    op.create_table(
        "revisions",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_revisions")),
        sa.UniqueConstraint(
            "kind", "subject", "revision", name=op.f("uq_revisions_kind_subject_revision")
        ),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_revisions_kind_sequence"), ["kind", "sequence"], unique=False
        )

    op.create_table(
        "tallies",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("sector", sa.String(length=200), nullable=True),
        sa.Column("attributed_to", sa.String(length=200), nullable=True),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tallies")),
    )
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tallies_claimant"), ["claimant"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_tallies_start_at_id"), ["start_at", "id"], unique=False
        )

    op.create_table(
        "accounts",
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("start_day", sa.Date(), nullable=True),
        sa.Column("end_day", sa.Date(), nullable=True),
        sa.Column("known_start", sa.Date(), nullable=False),
        sa.Column("known_end", sa.Date(), nullable=False),
        sa.Column("lasted", sa.Boolean(), nullable=False),
        sa.Column("earliest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sector", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=200), nullable=False),
        sa.Column("contested", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("episode", sa.Boolean(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("reported_start", sa.Date(), nullable=False),
        sa.Column("reported_end", sa.Date(), nullable=False),
        sa.Column("first_received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_day", sa.Date(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("precision", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_accounts_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", "claimant", name=op.f("pk_accounts")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_accounts_claimant_first_received_incident_id"),
            ["claimant", "first_received", "incident_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_accounts_claimant_known_start_incident_id"),
            ["claimant", "known_start", "incident_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_accounts_claimant_reported_end_incident_id"),
            ["claimant", "reported_end", "incident_id"],
            unique=False,
        )

    op.create_table(
        "coverage_sectors",
        sa.Column("coverage_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sector", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["coverage_id"], ["coverage.id"], name=op.f("fk_coverage_sectors_coverage_id")
        ),
        sa.PrimaryKeyConstraint("coverage_id", "sector", name=op.f("pk_coverage_sectors")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=200), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("stance", sa.String(length=200), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("attributed_to", sa.String(length=200), nullable=True),
        sa.Column("sector", sa.String(length=200), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("start_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("reported_start", sa.Date(), nullable=False),
        sa.Column("reported_end", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_day", sa.Date(), nullable=False),
        sa.Column("killed_low", sa.BigInteger(), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_reports_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reports_claimant_start_day"), ["claimant", "start_day"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_reports_incident_id"), ["incident_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reports_place"), ["place"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reports_received_at_id"), ["received_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_reports_reported_end_id"), ["reported_end", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_reports_start_day_id"), ["start_day", "id"], unique=False
        )

    op.create_table(
        "report_terms",
        sa.Column("report_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_report_terms_report_id")
        ),
        sa.PrimaryKeyConstraint("report_id", "kind", "value", name=op.f("pk_report_terms")),
    )
    with op.batch_alter_table("report_terms", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_report_terms_kind_value"), ["kind", "value"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("report_terms", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_report_terms_kind_value"))

    op.drop_table("report_terms")
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reports_start_day_id"))
        batch_op.drop_index(batch_op.f("ix_reports_reported_end_id"))
        batch_op.drop_index(batch_op.f("ix_reports_received_at_id"))
        batch_op.drop_index(batch_op.f("ix_reports_place"))
        batch_op.drop_index(batch_op.f("ix_reports_incident_id"))
        batch_op.drop_index(batch_op.f("ix_reports_claimant_start_day"))

    op.drop_table("reports")
    op.drop_table("coverage_sectors")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_claimant_reported_end_incident_id"))
        batch_op.drop_index(batch_op.f("ix_accounts_claimant_known_start_incident_id"))
        batch_op.drop_index(batch_op.f("ix_accounts_claimant_first_received_incident_id"))

    op.drop_table("accounts")
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tallies_start_at_id"))
        batch_op.drop_index(batch_op.f("ix_tallies_claimant"))

    op.drop_table("tallies")
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revisions_kind_sequence"))

    op.drop_table("revisions")
    op.drop_table("reference")
    op.drop_table("keys")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_root_id"))
        batch_op.drop_index(batch_op.f("ix_incidents_parent_id"))

    op.drop_table("incidents")
    op.drop_table("figures")
    with op.batch_alter_table("coverage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coverage_start_at_id"))

    op.drop_table("coverage")
    op.drop_table("account_weapons")
