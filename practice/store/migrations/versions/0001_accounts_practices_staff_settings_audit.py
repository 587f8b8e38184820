"""Accounts, practices, staff, settings, audit"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import open_system_table, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("platform_admin", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_accounts_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_audit_log")),
    )
    op.create_index(
        op.f("ix_audit_log_tenant_id_account_id_seq"), "audit_log", ["tenant_id", "account_id", "seq"], unique=False
    )
    op.create_index(op.f("ix_audit_log_tenant_id_at"), "audit_log", ["tenant_id", "at"], unique=False)
    op.create_index(
        op.f("ix_audit_log_tenant_id_subject_id_seq"), "audit_log", ["tenant_id", "subject_id", "seq"], unique=False
    )
    op.create_table(
        "data_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "practices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("npi", sa.Text(), nullable=True),
        sa.Column("tax_id", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), server_default="ACTIVE", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status in ('ACTIVE', 'SUSPENDED')", name=op.f("ck_practices_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
        sa.UniqueConstraint("slug", name=op.f("uq_practices_slug")),
    )
    op.create_table(
        "rate_counters",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_counters")),
        prefixes=["unlogged"],
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_attempts")),
    )
    op.create_table(
        "stored_answers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stored_answers")),
    )
    op.create_index(
        op.f("ix_stored_answers_tenant_id_created_at"), "stored_answers", ["tenant_id", "created_at"], unique=False
    )
    op.create_table(
        "account_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("absolute_seconds", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_sessions_account_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_account_sessions_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_sessions")),
    )
    op.create_index(
        op.f("ix_account_sessions_account_id"),
        "account_sessions",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_memberships_tenant_id")),
        sa.PrimaryKeyConstraint("account_id", "tenant_id", name=op.f("pk_memberships")),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose in ('invitation', 'reset', 'code', 'enrol', 'practice')", name=op.f("ck_one_time_tokens_purpose")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_one_time_tokens_account_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_one_time_tokens_tenant_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_tokens")),
    )
    op.create_index(op.f("ix_one_time_tokens_account_id"), "one_time_tokens", ["account_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id")),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "rule_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["set_by"], ["accounts.id"], name=op.f("fk_rule_settings_set_by")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_rule_settings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rule_settings")),
    )
    op.create_index(
        op.f("ix_rule_settings_tenant_id_key"),
        "rule_settings",
        ["tenant_id", "key", sa.literal_column("effective_on desc"), sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "staff",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("discipline", sa.Text(), nullable=True),
        sa.Column("license_type", sa.Text(), nullable=True),
        sa.Column("license_number", sa.Text(), nullable=True),
        sa.Column("npi", sa.Text(), nullable=True),
        sa.Column("supervisor_id", sa.Uuid(), nullable=True),
        sa.Column("hired_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "discipline in ('PSYCHOLOGY', 'COUNSELING', 'SOCIAL_WORK', 'PSYCHIATRY', 'NURSING', 'OTHER')",
            name=op.f("ck_staff_discipline"),
        ),
        sa.CheckConstraint(
            "license_type in ('LPC', 'APC', 'LCSW', 'LMSW', 'LMFT', 'PSYCHOLOGIST', 'MD', 'APRN', 'OTHER')",
            name=op.f("ck_staff_license_type"),
        ),
        sa.CheckConstraint(
            "roles <@ array['admin', 'supervisor', 'clinician', 'scheduler', 'biller', 'analyst']",
            name=op.f("ck_staff_roles"),
        ),
        sa.CheckConstraint("left_on >= hired_on", name=op.f("ck_staff_left_after_hired")),
        sa.CheckConstraint("supervisor_id <> id", name=op.f("ck_staff_not_own_supervisor")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_staff_account_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "supervisor_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_staff_tenant_id_supervisor_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_staff_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_staff")),
        sa.UniqueConstraint("tenant_id", "account_id", name=op.f("uq_staff_tenant_id_account_id")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_staff_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_staff_account_id"), "staff", ["account_id"], unique=False)
    op.create_index(op.f("ix_staff_tenant_id_last_name_id"), "staff", ["tenant_id", "last_name", "id"], unique=False)
    op.create_index(op.f("ix_staff_tenant_id_supervisor_id"), "staff", ["tenant_id", "supervisor_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["account_sessions.id"], name=op.f("fk_refresh_tokens_session_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False)
    op.create_table(
        "trainings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('HIPAA', 'OTHER')", name=op.f("ck_trainings_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_trainings_tenant_id_staff_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_trainings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_trainings")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_trainings_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_trainings_tenant_id_staff_id_kind"),
        "trainings",
        ["tenant_id", "staff_id", "kind", sa.literal_column("completed_on desc")],
        unique=False,
    )

    run_sql_file("0001_functions.sql")
    for table in (
        "alembic_version",
        "practices",
        "accounts",
        "memberships",
        "recovery_codes",
        "sign_in_attempts",
        "account_sessions",
        "refresh_tokens",
        "one_time_tokens",
        "rate_counters",
    ):
        op.execute(open_system_table(table))
    for table in ("staff", "trainings"):
        protect_table(table)
    protect_table("rule_settings", "select, insert")
    protect_table("audit_log", "select, insert", warehouse=False)
    protect_table("audit_heads", "select", warehouse=False)
    protect_table("data_keys", warehouse=False)
    protect_table("stored_answers", "select, insert, update, delete", warehouse=False)
    op.execute("grant select on practices to caseload_warehouse")


def protect_table(table: str, *args: str, **options: bool) -> None:
    for statement in protect(table, *args, **options):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function admit, session_over")
    op.drop_index(op.f("ix_trainings_tenant_id_staff_id_kind"), table_name="trainings")
    op.drop_table("trainings")
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_staff_tenant_id_supervisor_id"), table_name="staff")
    op.drop_index(op.f("ix_staff_tenant_id_last_name_id"), table_name="staff")
    op.drop_index(op.f("ix_staff_account_id"), table_name="staff")
    op.drop_table("staff")
    op.drop_index(op.f("ix_rule_settings_tenant_id_key"), table_name="rule_settings")
    op.drop_table("rule_settings")
    op.drop_table("recovery_codes")
    op.drop_index(op.f("ix_one_time_tokens_account_id"), table_name="one_time_tokens")
    op.drop_table("one_time_tokens")
    op.drop_table("memberships")
    op.drop_index(
        op.f("ix_account_sessions_account_id"),
        table_name="account_sessions",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.drop_table("account_sessions")
    op.drop_index(op.f("ix_stored_answers_tenant_id_created_at"), table_name="stored_answers")
    op.drop_table("stored_answers")
    op.drop_table("sign_in_attempts")
    op.drop_table("rate_counters")
    op.drop_table("practices")
    op.drop_table("data_keys")
    op.drop_index(op.f("ix_audit_log_tenant_id_subject_id_seq"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_tenant_id_at"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_tenant_id_account_id_seq"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("audit_heads")
    op.drop_table("accounts")
    op.execute("drop function chain_audit_entry, refuse_change, rule_value, count_request, enter_practice")
