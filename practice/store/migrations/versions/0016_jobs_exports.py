"""Jobs and exports"""

import sqlalchemy as sa
from alembic import op

from practice.store.policies import protect

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OPEN = "status in ('QUEUED', 'RUNNING')"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('EXPORT')", name=op.f("ck_jobs_kind")),
        sa.CheckConstraint("status in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')", name=op.f("ck_jobs_status")),
        sa.CheckConstraint("(status in ('DONE', 'FAILED')) = (finished_at is not null)", name=op.f("ck_jobs_finished")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_jobs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_jobs")),
    )
    op.create_index("uq_jobs_one_open", "jobs", ["tenant_id", "kind"], unique=True, postgresql_where=sa.text(OPEN))
    op.create_table(
        "exports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"], ["jobs.tenant_id", "jobs.id"], name=op.f("fk_exports_tenant_id_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_exports")),
    )
    op.create_index(
        op.f("ix_exports_tenant_id_expires_at"),
        "exports",
        ["tenant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    for table in ("jobs", "exports"):
        for statement in protect(table, warehouse=False):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(
        op.f("ix_exports_tenant_id_expires_at"),
        table_name="exports",
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.drop_table("exports")
    op.drop_index("uq_jobs_one_open", table_name="jobs", postgresql_where=sa.text(OPEN))
    op.drop_table("jobs")
