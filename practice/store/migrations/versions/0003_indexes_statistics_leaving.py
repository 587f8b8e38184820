"""Appointments by status, statistics for imports, an end to who has left, redaction, whom a payer was asked of"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_appointments_tenant_id_status_starts_at_id"),
        "appointments",
        ["tenant_id", "status", "starts_at", "id"],
        unique=False,
    )
    op.add_column("eligibility_checks", sa.Column("payer_id", sa.Text(), nullable=True))
    op.add_column("eligibility_checks", sa.Column("member_id", sa.Text(), nullable=True))
    run_sql_file("0003_know_staff.sql")
    run_sql_file("0003_admit.sql")
    run_sql_file("0003_redact.sql")


def downgrade() -> None:
    run_sql_file("0003_redact_before.sql")
    run_sql_file("0002_admit.sql")
    op.execute("drop function know_staff")
    op.drop_column("eligibility_checks", "member_id")
    op.drop_column("eligibility_checks", "payer_id")
    op.drop_index(op.f("ix_appointments_tenant_id_status_starts_at_id"), table_name="appointments")
