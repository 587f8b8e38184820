"""Completions and voids that were undone"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_corrections",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("undone", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("undone in ('COMPLETION', 'VOID')", name=op.f("ck_session_corrections_undone")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_session_corrections_tenant_id_appointment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_session_corrections")),
    )
    op.create_index(
        op.f("ix_session_corrections_tenant_id_appointment_id"),
        "session_corrections",
        ["tenant_id", "appointment_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_session_corrections_tenant_id_at"), "session_corrections", ["tenant_id", "at"], unique=False
    )
    for statement in protect("session_corrections", "select, insert"):
        op.execute(statement)
    run_sql_file("0009_corrections.sql")


def downgrade() -> None:
    run_sql_file("0009_corrections_before.sql")
    op.drop_table("session_corrections")
