"""Versions and signatures of notes, plans, reports, what locks a session, pay periods"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pay_periods",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("problems", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("extract(dow from week) = 0", name=op.f("ck_pay_periods_week")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_pay_periods_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pay_periods")),
        sa.UniqueConstraint("tenant_id", "week", name=op.f("uq_pay_periods_tenant_id_week")),
    )
    op.create_table(
        "note_templates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("sections", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind in ('SOAP_NOTE', 'PROGRESS_NOTE', 'INTAKE_ASSESSMENT', 'PSYCHIATRIC_EVALUATION', 'TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY', 'CRISIS_INTERVENTION', 'PROGRESS_REPORT')",
            name=op.f("ck_note_templates_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_note_templates_tenant_id_service_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_note_templates_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note_templates")),
    )
    op.create_index(
        op.f("ix_note_templates_tenant_id_kind_service_id"),
        "note_templates",
        ["tenant_id", "kind", "service_id", sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "pay_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("service_kind", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("multiplier", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("rate_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(kind = 'adjustment') = (reason is not null)", name=op.f("ck_pay_lines_adjusted")),
        sa.CheckConstraint("kind in ('regular', 'late', 'adjustment', 'standby')", name=op.f("ck_pay_lines_kind")),
        sa.CheckConstraint("reason in ('RATE_CHANGED', 'VOIDED', 'COUNTS_AGAIN')", name=op.f("ck_pay_lines_reason")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_pay_lines_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "period_id"],
            ["pay_periods.tenant_id", "pay_periods.id"],
            name=op.f("fk_pay_lines_tenant_id_period_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_pay_lines_tenant_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pay_lines")),
        sa.UniqueConstraint(
            "tenant_id",
            "period_id",
            "session_id",
            "kind",
            name=op.f("uq_pay_lines_tenant_id_period_id_session_id_kind"),
        ),
    )
    op.create_index(
        op.f("ix_pay_lines_tenant_id_staff_id_period_id"),
        "pay_lines",
        ["tenant_id", "staff_id", "period_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_pay_lines_tenant_id_reason_session_id"),
        "pay_lines",
        ["tenant_id", "reason", "session_id"],
        unique=False,
        postgresql_where=sa.text("reason is not null"),
    )
    op.create_index(
        "uq_pay_lines_paid_once",
        "pay_lines",
        ["tenant_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("kind in ('regular', 'late')"),
    )
    op.create_table(
        "progress_reports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("status in ('DRAFT', 'FINAL')", name=op.f("ck_progress_reports_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_progress_reports_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_progress_reports_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_progress_reports_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_progress_reports_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_progress_reports")),
    )
    op.create_index(
        op.f("ix_progress_reports_tenant_id_client_id_reported_on"),
        "progress_reports",
        ["tenant_id", "client_id", "reported_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_progress_reports_tenant_id_clinician_id_reported_on"),
        "progress_reports",
        ["tenant_id", "clinician_id", "reported_on"],
        unique=False,
    )
    op.create_table(
        "session_completions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_session_completions_minutes")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_session_completions_tenant_id_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_session_completions")),
    )
    op.create_index(
        op.f("ix_session_completions_tenant_id_voided_at"),
        "session_completions",
        ["tenant_id", "voided_at"],
        unique=False,
        postgresql_where=sa.text("voided_at is not null"),
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_status_at"),
        "appointments",
        ["tenant_id", "status_at"],
        unique=False,
        postgresql_where=sa.text("status = 'COMPLETED' and status_at - starts_at > interval '5 days'"),
    )
    op.create_table(
        "session_locks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'UNLOCKED') = (until is not null) and (kind = 'LOCKED' or (by_id is not null and reason is not null))",
            name=op.f("ck_session_locks_unlocked"),
        ),
        sa.CheckConstraint("kind in ('LOCKED', 'UNLOCKED')", name=op.f("ck_session_locks_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_session_locks_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "by_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_session_locks_tenant_id_by_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_session_locks")),
    )
    op.create_index(
        op.f("ix_session_locks_tenant_id_appointment_id"),
        "session_locks",
        ["tenant_id", "appointment_id", sa.literal_column("at desc")],
        unique=False,
    )
    op.create_table(
        "note_signatures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind in ('AUTHOR', 'CO_SIGNATURE', 'AMENDMENT', 'ADDENDUM')", name=op.f("ck_note_signatures_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"], ["notes.tenant_id", "notes.id"], name=op.f("fk_note_signatures_tenant_id_note_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "signed_by_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_note_signatures_tenant_id_signed_by_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note_signatures")),
        sa.UniqueConstraint("tenant_id", "note_id", "number", name=op.f("uq_note_signatures_tenant_id_note_id_number")),
    )
    op.create_table(
        "note_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("generated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind = 'CONTENT' or reason is not null", name=op.f("ck_note_versions_reason")),
        sa.CheckConstraint("kind in ('CONTENT', 'AMENDMENT', 'ADDENDUM')", name=op.f("ck_note_versions_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"], ["notes.tenant_id", "notes.id"], name=op.f("fk_note_versions_tenant_id_note_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "written_by_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_note_versions_tenant_id_written_by_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note_versions")),
        sa.UniqueConstraint("tenant_id", "note_id", "number", name=op.f("uq_note_versions_tenant_id_note_id_number")),
    )
    op.create_table(
        "progress_report_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "report_id"],
            ["progress_reports.tenant_id", "progress_reports.id"],
            name=op.f("fk_progress_report_versions_tenant_id_report_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "written_by_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_progress_report_versions_tenant_id_written_by_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_progress_report_versions")),
        sa.UniqueConstraint(
            "tenant_id", "report_id", "number", name=op.f("uq_progress_report_versions_tenant_id_report_id_number")
        ),
    )
    op.create_table(
        "treatment_plans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_treatment_plans_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_treatment_plans_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"], ["notes.tenant_id", "notes.id"], name=op.f("fk_treatment_plans_tenant_id_note_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_treatment_plans")),
    )
    op.create_index(
        op.f("ix_treatment_plans_tenant_id_client_id_starts_on"),
        "treatment_plans",
        ["tenant_id", "client_id", "starts_on"],
        unique=False,
    )
    op.add_column("messages", sa.Column("about_id", sa.Uuid(), nullable=True))
    op.create_index(
        "uq_messages_to_staff_once",
        "messages",
        ["tenant_id", "staff_id", "kind", "about_id", "due_at", "channel"],
        unique=True,
        postgresql_where=sa.text("about_id is not null"),
    )
    op.add_column("notes", sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notes", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notes", sa.Column("returned_by_id", sa.Uuid(), nullable=True))
    op.add_column("notes", sa.Column("return_reason", sa.LargeBinary(), nullable=True))
    op.add_column("notes", sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notes", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notes", sa.Column("voided_by", sa.Uuid(), nullable=True))
    op.add_column("notes", sa.Column("void_reason", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_notes_tenant_id_submitted_at"),
        "notes",
        ["tenant_id", "submitted_at"],
        unique=False,
        postgresql_where=sa.text("status = 'IN_REVIEW'"),
    )
    op.create_foreign_key(
        op.f("fk_notes_tenant_id_returned_by_id"),
        "notes",
        "staff",
        ["tenant_id", "returned_by_id"],
        ["tenant_id", "id"],
    )
    op.add_column("supervision_sessions", sa.Column("note", sa.LargeBinary(), nullable=True))
    op.add_column("supervision_sessions", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("supervision_sessions", sa.Column("voided_by", sa.Uuid(), nullable=True))
    op.add_column("supervision_sessions", sa.Column("void_reason", sa.Text(), nullable=True))
    op.add_column("treatment_plan_reviews", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.add_column("treatment_plan_reviews", sa.Column("summary", sa.LargeBinary(), nullable=True))
    op.add_column("treatment_plan_reviews", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("treatment_plan_reviews", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("treatment_plan_reviews", sa.Column("voided_by", sa.Uuid(), nullable=True))
    op.add_column("treatment_plan_reviews", sa.Column("void_reason", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_treatment_plan_reviews_tenant_id_plan_id"),
        "treatment_plan_reviews",
        "treatment_plans",
        ["tenant_id", "plan_id"],
        ["tenant_id", "id"],
    )
    for table in ("session_completions", "treatment_plans", "progress_reports"):
        protect_table(table)
    protect_table("pay_periods")
    protect_table("pay_lines", "select, insert")
    protect_table("session_locks", "select, insert")
    for table in ("note_versions", "note_signatures", "note_templates", "progress_report_versions"):
        protect_table(table, "select, insert", warehouse=False)
    run_sql_file("0004_only_grows.sql")


def protect_table(table: str, app: str = "select, insert, update", *, warehouse: bool = True) -> None:
    for statement in protect(table, app, warehouse=warehouse):
        op.execute(statement)


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_treatment_plan_reviews_tenant_id_plan_id"), "treatment_plan_reviews", type_="foreignkey"
    )
    op.drop_column("treatment_plan_reviews", "void_reason")
    op.drop_column("treatment_plan_reviews", "voided_by")
    op.drop_column("treatment_plan_reviews", "voided_at")
    op.drop_column("treatment_plan_reviews", "version")
    op.drop_column("treatment_plan_reviews", "summary")
    op.drop_column("treatment_plan_reviews", "plan_id")
    op.drop_column("supervision_sessions", "void_reason")
    op.drop_column("supervision_sessions", "voided_by")
    op.drop_column("supervision_sessions", "voided_at")
    op.drop_column("supervision_sessions", "note")
    op.drop_constraint(op.f("fk_notes_tenant_id_returned_by_id"), "notes", type_="foreignkey")
    op.drop_index(
        op.f("ix_notes_tenant_id_submitted_at"), table_name="notes", postgresql_where=sa.text("status = 'IN_REVIEW'")
    )
    op.drop_column("notes", "void_reason")
    op.drop_column("notes", "voided_by")
    op.drop_column("notes", "voided_at")
    op.drop_column("notes", "shared_at")
    op.drop_column("notes", "return_reason")
    op.drop_column("notes", "returned_by_id")
    op.drop_column("notes", "returned_at")
    op.drop_column("notes", "submitted_at")
    op.drop_index("uq_messages_to_staff_once", table_name="messages", postgresql_where=sa.text("about_id is not null"))
    op.drop_column("messages", "about_id")
    op.drop_index(op.f("ix_treatment_plans_tenant_id_client_id_starts_on"), table_name="treatment_plans")
    op.drop_table("treatment_plans")
    op.drop_table("progress_report_versions")
    op.drop_table("note_versions")
    op.drop_table("note_signatures")
    op.drop_index(op.f("ix_session_locks_tenant_id_appointment_id"), table_name="session_locks")
    op.drop_table("session_locks")
    op.drop_index(
        op.f("ix_appointments_tenant_id_status_at"),
        table_name="appointments",
        postgresql_where=sa.text("status = 'COMPLETED' and status_at - starts_at > interval '5 days'"),
    )
    op.drop_index(
        op.f("ix_session_completions_tenant_id_voided_at"),
        table_name="session_completions",
        postgresql_where=sa.text("voided_at is not null"),
    )
    op.drop_table("session_completions")
    op.drop_index(op.f("ix_progress_reports_tenant_id_clinician_id_reported_on"), table_name="progress_reports")
    op.drop_index(op.f("ix_progress_reports_tenant_id_client_id_reported_on"), table_name="progress_reports")
    op.drop_table("progress_reports")
    op.drop_index(
        "uq_pay_lines_paid_once", table_name="pay_lines", postgresql_where=sa.text("kind in ('regular', 'late')")
    )
    op.drop_index(
        op.f("ix_pay_lines_tenant_id_reason_session_id"),
        table_name="pay_lines",
        postgresql_where=sa.text("reason is not null"),
    )
    op.drop_index(op.f("ix_pay_lines_tenant_id_staff_id_period_id"), table_name="pay_lines")
    op.drop_table("pay_lines")
    op.drop_index(op.f("ix_note_templates_tenant_id_kind_service_id"), table_name="note_templates")
    op.drop_table("note_templates")
    op.drop_table("pay_periods")
    op.execute("drop function refuse_closed_week")
