"""Amendments in review, notes entered in error"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SIGNED = "(status in ('SIGNED', 'AMENDED')) = (signed_at is not null and signed_by_id is not null)"


def upgrade() -> None:
    op.add_column("note_versions", sa.Column("needs_review", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("notes", sa.Column("version_in_review", sa.Integer(), nullable=True))
    op.add_column("notes", sa.Column("entered_in_error_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notes", sa.Column("entered_in_error_by_id", sa.Uuid(), nullable=True))
    op.add_column("notes", sa.Column("error_reason", sa.LargeBinary(), nullable=True))
    op.create_foreign_key(
        op.f("fk_notes_tenant_id_entered_in_error_by_id"),
        "notes",
        "staff",
        ["tenant_id", "entered_in_error_by_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        op.f("ix_notes_tenant_id_entered_in_error_at"),
        "notes",
        ["tenant_id", "entered_in_error_at"],
        unique=False,
        postgresql_where=sa.text("entered_in_error_at is not null"),
    )
    op.drop_constraint(op.f("ck_notes_status"), "notes", type_="check")
    op.drop_constraint(op.f("ck_notes_signed"), "notes", type_="check")
    op.create_check_constraint(
        op.f("ck_notes_status"), "notes", "status in ('DRAFT', 'IN_REVIEW', 'SIGNED', 'AMENDED', 'ENTERED_IN_ERROR')"
    )
    op.create_check_constraint(op.f("ck_notes_signed"), "notes", f"{SIGNED} or status = 'ENTERED_IN_ERROR'")
    op.create_check_constraint(
        op.f("ck_notes_version_in_review"), "notes", "version_in_review is null or status in ('SIGNED', 'AMENDED')"
    )
    op.create_check_constraint(
        op.f("ck_notes_entered_in_error"),
        "notes",
        "(status = 'ENTERED_IN_ERROR') = (num_nonnulls(entered_in_error_at, entered_in_error_by_id, error_reason) = 3)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_notes_entered_in_error"), "notes", type_="check")
    op.drop_constraint(op.f("ck_notes_version_in_review"), "notes", type_="check")
    op.drop_constraint(op.f("ck_notes_signed"), "notes", type_="check")
    op.drop_constraint(op.f("ck_notes_status"), "notes", type_="check")
    op.create_check_constraint(op.f("ck_notes_signed"), "notes", SIGNED)
    op.create_check_constraint(
        op.f("ck_notes_status"), "notes", "status in ('DRAFT', 'IN_REVIEW', 'SIGNED', 'AMENDED')"
    )
    op.drop_index(
        op.f("ix_notes_tenant_id_entered_in_error_at"),
        table_name="notes",
        postgresql_where=sa.text("entered_in_error_at is not null"),
    )
    op.drop_constraint(op.f("fk_notes_tenant_id_entered_in_error_by_id"), "notes", type_="foreignkey")
    op.drop_column("notes", "error_reason")
    op.drop_column("notes", "entered_in_error_by_id")
    op.drop_column("notes", "entered_in_error_at")
    op.drop_column("notes", "version_in_review")
    op.drop_column("note_versions", "needs_review")
