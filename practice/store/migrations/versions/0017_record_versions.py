"""Versions of the records that past metrics rest on"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

VERSIONED = {
    "staff": "supervisor_id roles license_type discipline hired_on left_on deactivated_at",
    "trainings": "staff_id kind completed_on voided_at",
    "clients": "self_pay emancipated has_complete_demographics high_risk_since high_risk_until portal_activated_at",
    "coverages": "client_id rank payer_id payer_name effective_on ends_on verified_at voided_at",
    "consents": "client_id kind signed_at expires_on revoked_at voided_at",
    "availability_windows": "clinician_id weekday start_time end_time effective_on ends_on voided_at",
    "availability_exceptions": "clinician_id on_date start_time end_time available voided_at",
    "closures": "closed_on voided_at",
    "supervision_sessions": "supervisee_id supervisor_id held_at hours kind note_signed_at voided_at",
}
DEMOGRAPHICS = (
    *("first_name", "last_name", "address", "city", "state", "zip", "phone"),
    *("emergency_contact_name", "emergency_contact_phone"),
)
COMPLETE = " and ".join(f"coalesce(trim(both from {column}), ''::text) <> ''::text" for column in DEMOGRAPHICS)


def upgrade() -> None:
    op.add_column("trainings", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("trainings", sa.Column("voided_by", sa.Uuid(), nullable=True))
    op.add_column("trainings", sa.Column("void_reason", sa.Text(), nullable=True))
    op.add_column(
        "clients",
        sa.Column("has_complete_demographics", sa.Boolean(), sa.Computed(COMPLETE, persisted=True), nullable=False),
    )
    op.create_table(
        "record_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_values", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_record_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_versions")),
    )
    op.create_index(
        op.f("ix_record_versions_tenant_id_record_kind_record_id_known_at"),
        "record_versions",
        ["tenant_id", "record_kind", "record_id", "known_at"],
    )
    run_sql_file("0017_admit.sql")
    run_sql_file("0017_record_versions.sql")
    for statement in protect("record_versions", "select"):
        op.execute(statement)
    for table, columns in VERSIONED.items():
        keep_versions(table, columns.split())


def keep_versions(table: str, columns: list[str]) -> None:
    """Keep every version of these columns from now on. What stands today counts as known from the beginning."""
    pairs = ", ".join(f"'{column}', r.{column}" for column in columns)
    for target in (table, "record_versions"):  # the rows of every practice, which the policies hide even from the owner
        op.execute(f"alter table {target} no force row level security")
    op.execute(
        "insert into record_versions (tenant_id, id, record_kind, record_id, record_values) "
        f"select r.tenant_id, uuidv7(), '{table}', r.id, jsonb_build_object({pairs}) from {table} as r"
    )
    for target in (table, "record_versions"):
        op.execute(f"alter table {target} force row level security")
    names = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"create trigger keep_version after insert or update on {table} "
        f"for each row execute function keep_version({names})"
    )


def downgrade() -> None:
    for table in (*VERSIONED, "notes"):
        op.execute(f"drop trigger keep_version on {table}")
    op.execute("drop function keep_version")
    op.drop_table("record_versions")
    run_sql_file("0017_record_versions_before.sql")
    run_sql_file("0003_admit.sql")
    op.drop_column("clients", "has_complete_demographics")
    for column in ("void_reason", "voided_by", "voided_at"):
        op.drop_column("trainings", column)
