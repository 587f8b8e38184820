"""Group sessions of their own: opened without a seat, in series, cancelled and moved as one"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("series", "client_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("group_sessions", sa.Column("series_id", sa.Uuid(), nullable=True))
    op.add_column("group_sessions", sa.Column("held", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("group_sessions", sa.Column("status", sa.Text(), server_default="SCHEDULED", nullable=False))
    op.add_column("group_sessions", sa.Column("status_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("group_sessions", sa.Column("cancellation_reason", sa.Text(), nullable=True))
    op.add_column("group_sessions", sa.Column("rescheduled_to_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        op.f("ck_group_sessions_status"), "group_sessions", "status in ('SCHEDULED', 'CANCELLED', 'RESCHEDULED')"
    )
    op.create_check_constraint(
        op.f("ck_group_sessions_status_at"), "group_sessions", "status = 'SCHEDULED' or status_at is not null"
    )
    op.create_foreign_key(
        op.f("fk_group_sessions_tenant_id_series_id"),
        "group_sessions",
        "series",
        ["tenant_id", "series_id"],
        ["tenant_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_group_sessions_tenant_id_rescheduled_to_id"),
        "group_sessions",
        "group_sessions",
        ["tenant_id", "rescheduled_to_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        op.f("ix_group_sessions_tenant_id_series_id"),
        "group_sessions",
        ["tenant_id", "series_id"],
        unique=False,
        postgresql_where=sa.text("series_id is not null"),
    )
    op.create_index(
        op.f("ix_group_sessions_tenant_id_starts_at_id"),
        "group_sessions",
        ["tenant_id", "starts_at", "id"],
        unique=False,
    )
    run_sql_file("0013_group_sessions.sql")


def downgrade() -> None:
    run_sql_file("0013_group_sessions_before.sql")
    op.drop_index(op.f("ix_group_sessions_tenant_id_starts_at_id"), table_name="group_sessions")
    op.drop_index(
        op.f("ix_group_sessions_tenant_id_series_id"),
        table_name="group_sessions",
        postgresql_where=sa.text("series_id is not null"),
    )
    op.drop_constraint(op.f("fk_group_sessions_tenant_id_rescheduled_to_id"), "group_sessions", type_="foreignkey")
    op.drop_constraint(op.f("fk_group_sessions_tenant_id_series_id"), "group_sessions", type_="foreignkey")
    op.drop_constraint(op.f("ck_group_sessions_status_at"), "group_sessions", type_="check")
    op.drop_constraint(op.f("ck_group_sessions_status"), "group_sessions", type_="check")
    op.drop_column("group_sessions", "rescheduled_to_id")
    op.drop_column("group_sessions", "cancellation_reason")
    op.drop_column("group_sessions", "status_at")
    op.drop_column("group_sessions", "status")
    op.drop_column("group_sessions", "held")
    op.drop_column("group_sessions", "series_id")
    op.execute("alter table series no force row level security")  # to see the rows of every practice
    op.execute("delete from series where client_id is null")
    op.execute("alter table series force row level security")
    op.alter_column("series", "client_id", existing_type=sa.Uuid(), nullable=False)
