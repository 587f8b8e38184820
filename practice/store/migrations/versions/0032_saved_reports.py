"""Saved reports, and to whom they are sent"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from practice.store.policies import protect

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_definitions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shared_with", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("send_every", sa.Text(), nullable=True),
        sa.Column("send_day", sa.Integer(), nullable=True),
        sa.Column("send_hour", sa.Integer(), nullable=True),
        sa.Column("send_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("send_every in ('week', 'month')", name=op.f("ck_report_definitions_send_every")),
        sa.CheckConstraint(
            "shared_with <@ array['admin', 'supervisor', 'clinician', 'biller']",
            name=op.f("ck_report_definitions_shared_with"),
        ),
        sa.CheckConstraint(
            "num_nulls(send_every, send_day, send_hour, send_since) in (0, 4)",
            name=op.f("ck_report_definitions_whole_schedule"),
        ),
        sa.CheckConstraint("send_day between 0 and 28", name=op.f("ck_report_definitions_send_day")),
        sa.CheckConstraint("send_hour between 0 and 23", name=op.f("ck_report_definitions_send_hour")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_report_definitions_tenant_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_definitions")),
    )
    op.create_index(
        "ix_report_definitions_scheduled",
        "report_definitions",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("send_every is not null and voided_at is null"),
    )
    op.create_index(
        op.f("ix_report_definitions_tenant_id_owner_id"), "report_definitions", ["tenant_id", "owner_id"], unique=False
    )
    op.create_table(
        "report_recipients",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "report_id"],
            ["report_definitions.tenant_id", "report_definitions.id"],
            name=op.f("fk_report_recipients_tenant_id_report_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_report_recipients_tenant_id_staff_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "report_id", "staff_id", name=op.f("pk_report_recipients")),
    )
    op.create_index(
        op.f("ix_report_recipients_tenant_id_staff_id"), "report_recipients", ["tenant_id", "staff_id"], unique=False
    )
    for statement in protect("report_definitions", warehouse=False):
        op.execute(statement)
    for statement in protect("report_recipients", "select, insert, delete", warehouse=False):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_report_recipients_tenant_id_staff_id"), table_name="report_recipients")
    op.drop_table("report_recipients")
    op.drop_index(op.f("ix_report_definitions_tenant_id_owner_id"), table_name="report_definitions")
    op.drop_index(
        "ix_report_definitions_scheduled",
        table_name="report_definitions",
        postgresql_where=sa.text("send_every is not null and voided_at is null"),
    )
    op.drop_table("report_definitions")
