"""Clients, the schedule, and the tables of notes, pay and billing"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file("0002_search.sql")
    op.create_table(
        "occupancies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("holder in ('appointment', 'group', 'block', 'offer')", name=op.f("ck_occupancies_holder")),
        sa.CheckConstraint("kind in ('clinician', 'room', 'client')", name=op.f("ck_occupancies_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "holder_id", "kind", name=op.f("pk_occupancies")),
    )
    op.create_index(
        op.f("ix_occupancies_tenant_id_resource_id_ends_at_starts_at"),
        "occupancies",
        ["tenant_id", "resource_id", "ends_at", "starts_at"],
        unique=False,
    )
    op.create_table(
        "agreements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind in ('INFORMED_TREATMENT', 'GUARDIAN', 'TELEHEALTH', 'CONFIDENTIALITY', 'DATA_PROCESSING')",
            name=op.f("ck_agreements_kind"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_agreements_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("tenant_id", "kind", "number", name=op.f("uq_agreements_tenant_id_kind_number")),
    )
    op.create_table(
        "closures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_closures_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_closures")),
    )
    op.create_index(
        "uq_closures_tenant_id_closed_on",
        "closures",
        ["tenant_id", "closed_on"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_table(
        "incidents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.Column("people_affected", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("people_affected >= 0", name=op.f("ck_incidents_people_affected")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_incidents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_incidents_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_incidents_tenant_id"), "incidents", ["tenant_id", sa.literal_column("detected_at desc")], unique=False
    )
    op.create_table(
        "rooms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("equipment", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_rooms_capacity")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_rooms_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_rooms_tenant_id_external_id")),
    )
    op.create_table(
        "services",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cpt_code", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind in ('INDIVIDUAL', 'GROUP', 'INTAKE', 'FAMILY', 'MEDICATION', 'ASSESSMENT', 'CRISIS')",
            name=op.f("ck_services_kind"),
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_services_capacity")),
        sa.CheckConstraint("minutes between 1 and 1440", name=op.f("ck_services_minutes")),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_services_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_services")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_services_tenant_id_code")),
    )
    op.create_table(
        "availability_exceptions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("start_time", sa.Time(), nullable=True),
        sa.Column("end_time", sa.Time(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(start_time is null) = (end_time is null)", name=op.f("ck_availability_exceptions_both_times")
        ),
        sa.CheckConstraint("end_time > start_time", name=op.f("ck_availability_exceptions_ends_after_start")),
        sa.CheckConstraint(
            "not available or start_time is not null", name=op.f("ck_availability_exceptions_open_with_times")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_availability_exceptions_tenant_id_clinician_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_availability_exceptions")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_availability_exceptions_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_availability_exceptions_tenant_id_clinician_id_on_date"),
        "availability_exceptions",
        ["tenant_id", "clinician_id", "on_date"],
        unique=False,
    )
    op.create_table(
        "availability_windows",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("start_time", sa.Time(), nullable=False),
        sa.Column("end_time", sa.Time(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("end_time > start_time", name=op.f("ck_availability_windows_ends_after_start")),
        sa.CheckConstraint("ends_on >= effective_on", name=op.f("ck_availability_windows_ends_on_after_start")),
        sa.CheckConstraint("weekday between 0 and 6", name=op.f("ck_availability_windows_weekday")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_availability_windows_tenant_id_clinician_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_availability_windows")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_availability_windows_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_availability_windows_tenant_id_clinician_id"),
        "availability_windows",
        ["tenant_id", "clinician_id"],
        unique=False,
    )
    op.create_table(
        "blocks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("clinician_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_blocks_ends_after_start")),
        sa.CheckConstraint("num_nonnulls(room_id, clinician_id) = 1", name=op.f("ck_blocks_one_of_both")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_blocks_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"], name=op.f("fk_blocks_tenant_id_room_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_blocks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_blocks")),
    )
    op.create_index(
        op.f("ix_blocks_tenant_id_clinician_id_ends_at"),
        "blocks",
        ["tenant_id", "clinician_id", "ends_at"],
        unique=False,
        postgresql_where=sa.text("clinician_id is not null"),
    )
    op.create_index(
        op.f("ix_blocks_tenant_id_room_id_ends_at"),
        "blocks",
        ["tenant_id", "room_id", "ends_at"],
        unique=False,
        postgresql_where=sa.text("room_id is not null"),
    )
    op.create_table(
        "clients",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("emergency_contact_name", sa.Text(), nullable=True),
        sa.Column("emergency_contact_phone", sa.Text(), nullable=True),
        sa.Column("self_pay", sa.Boolean(), nullable=False),
        sa.Column("emancipated", sa.Boolean(), nullable=False),
        sa.Column("guardian_name", sa.Text(), nullable=True),
        sa.Column("guardian_phone", sa.Text(), nullable=True),
        sa.Column("guardian_email", sa.Text(), nullable=True),
        sa.Column("referring_provider", sa.Text(), nullable=True),
        sa.Column("medical_notes", sa.LargeBinary(), nullable=True),
        sa.Column("high_risk_since", sa.Date(), nullable=True),
        sa.Column("high_risk_until", sa.Date(), nullable=True),
        sa.Column("primary_clinician_id", sa.Uuid(), nullable=True),
        sa.Column("admitted_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("portal_activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{email}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "by_last_name",
            sa.Text(collation="C"),
            sa.Computed(
                "search_form((last_name || ' '::text) || first_name)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "by_first_name",
            sa.Text(collation="C"),
            sa.Computed(
                "search_form((first_name || ' '::text) || last_name)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("end_reason in ('DISCHARGED', 'INACTIVE')", name=op.f("ck_clients_end_reason")),
        sa.CheckConstraint("reminders <@ array['email', 'sms']", name=op.f("ck_clients_reminders")),
        sa.CheckConstraint("ended_on >= admitted_on", name=op.f("ck_clients_ended_after_admitted")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_clients_account_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "primary_clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_clients_tenant_id_primary_clinician_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_clients_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_clients")),
        sa.UniqueConstraint("tenant_id", "account_id", name=op.f("uq_clients_tenant_id_account_id")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_clients_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_clients_account_id"), "clients", ["account_id"], unique=False)
    op.create_index(op.f("ix_clients_tenant_id_birth_date"), "clients", ["tenant_id", "birth_date"], unique=False)
    op.create_index(op.f("ix_clients_tenant_id_by_first_name"), "clients", ["tenant_id", "by_first_name"], unique=False)
    op.create_index(op.f("ix_clients_tenant_id_by_last_name"), "clients", ["tenant_id", "by_last_name"], unique=False)
    op.create_index(
        op.f("ix_clients_tenant_id_primary_clinician_id"),
        "clients",
        ["tenant_id", "primary_clinician_id"],
        unique=False,
    )
    op.create_table(
        "clinician_services",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=True),
        sa.Column("offered", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("minutes between 1 and 1440", name=op.f("ck_clinician_services_minutes")),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_clinician_services_price")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_clinician_services_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_clinician_services_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_clinician_services")),
        sa.UniqueConstraint(
            "tenant_id",
            "clinician_id",
            "service_id",
            name=op.f("uq_clinician_services_tenant_id_clinician_id_service_id"),
        ),
    )
    op.create_table(
        "fees",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=True),
        sa.Column("rate_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("rate_cents >= 0", name=op.f("ck_fees_rate")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_fees_tenant_id_clinician_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_fees_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fees")),
    )
    op.create_index(
        op.f("ix_fees_tenant_id_payer_id_service_id"), "fees", ["tenant_id", "payer_id", "service_id"], unique=False
    )
    op.create_table(
        "goals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("metric_key", sa.Text(), nullable=False),
        sa.Column("target", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default="ACTIVE", nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("status in ('ACTIVE', 'ACHIEVED', 'MISSED')", name=op.f("ck_goals_status")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_goals_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_goals_tenant_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_goals")),
    )
    op.create_index(op.f("ix_goals_tenant_id_staff_id"), "goals", ["tenant_id", "staff_id"], unique=False)
    op.create_table(
        "group_sessions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "ends_at > starts_at and ends_at - starts_at <= interval '24 hours'", name=op.f("ck_group_sessions_length")
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_group_sessions_capacity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_group_sessions_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"], name=op.f("fk_group_sessions_tenant_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_group_sessions_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_group_sessions")),
    )
    op.create_index(
        op.f("ix_group_sessions_tenant_id_clinician_id_starts_at"),
        "group_sessions",
        ["tenant_id", "clinician_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_group_sessions_tenant_id_external_id"),
        "group_sessions",
        ["tenant_id", "external_id"],
        unique=False,
        postgresql_where=sa.text("external_id is not null"),
    )
    op.create_table(
        "incident_notices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "recipients in ('INDIVIDUALS', 'AUTHORITY', 'MEDIA')", name=op.f("ck_incident_notices_recipients")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_notices_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_notices")),
    )
    op.create_index(
        op.f("ix_incident_notices_tenant_id_incident_id"),
        "incident_notices",
        ["tenant_id", "incident_id"],
        unique=False,
    )
    op.create_table(
        "pay_multipliers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("multiplier", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("multiplier >= 0", name=op.f("ck_pay_multipliers_multiplier")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_pay_multipliers_tenant_id_staff_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_pay_multipliers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pay_multipliers")),
    )
    op.create_index(
        op.f("ix_pay_multipliers_tenant_id_kind_staff_id"),
        "pay_multipliers",
        ["tenant_id", "kind", "staff_id", sa.literal_column("effective_on desc"), sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "pay_rates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("rate_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("rate_cents >= 0", name=op.f("ck_pay_rates_rate")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_pay_rates_tenant_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pay_rates")),
    )
    op.create_index(
        op.f("ix_pay_rates_tenant_id_staff_id"),
        "pay_rates",
        ["tenant_id", "staff_id", sa.literal_column("effective_on desc nulls last"), sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "service_rates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("rate_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("rate_cents >= 0", name=op.f("ck_service_rates_rate")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_service_rates_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_rates")),
    )
    op.create_index(
        op.f("ix_service_rates_tenant_id_service_id"),
        "service_rates",
        [
            "tenant_id",
            "service_id",
            sa.literal_column("effective_on desc nulls last"),
            sa.literal_column("set_at desc"),
        ],
        unique=False,
    )
    op.create_table(
        "sign_ins",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_sign_ins_tenant_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_sign_ins_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_sign_ins_tenant_id_staff_id_at"), "sign_ins", ["tenant_id", "staff_id", "at"], unique=False
    )
    op.create_table(
        "supervision_sessions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("supervisee_id", sa.Uuid(), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hours", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind in ('INDIVIDUAL', 'GROUP')", name=op.f("ck_supervision_sessions_kind")),
        sa.CheckConstraint("hours > 0", name=op.f("ck_supervision_sessions_hours")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "supervisee_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_supervision_sessions_tenant_id_supervisee_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "supervisor_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_supervision_sessions_tenant_id_supervisor_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_supervision_sessions")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_supervision_sessions_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_supervision_sessions_tenant_id_supervisee_id_held_at"),
        "supervision_sessions",
        ["tenant_id", "supervisee_id", "held_at"],
        unique=False,
    )
    op.create_table(
        "client_statuses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("status in ('ACTIVE', 'INACTIVE', 'DISCHARGED')", name=op.f("ck_client_statuses_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_client_statuses_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_client_statuses")),
    )
    op.create_index(
        op.f("ix_client_statuses_tenant_id_client_id"),
        "client_statuses",
        ["tenant_id", "client_id", sa.literal_column("effective_on desc"), sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "consents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by_name", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind in ('INFORMED_TREATMENT', 'GUARDIAN', 'TELEHEALTH', 'CONFIDENTIALITY', 'DATA_PROCESSING')",
            name=op.f("ck_consents_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements.tenant_id", "agreements.id"],
            name=op.f("fk_consents_tenant_id_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_consents_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consents")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_consents_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_consents_tenant_id_client_id_kind"),
        "consents",
        ["tenant_id", "client_id", "kind", sa.literal_column("signed_at desc")],
        unique=False,
    )
    op.create_table(
        "coverages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("group_number", sa.Text(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("copay_cents", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("copay_cents >= 0", name=op.f("ck_coverages_copay")),
        sa.CheckConstraint("ends_on >= effective_on", name=op.f("ck_coverages_ends_after_start")),
        sa.CheckConstraint("rank in (1, 2, 3)", name=op.f("ck_coverages_rank")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_coverages_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_coverages")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_coverages_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_coverages_tenant_id_client_id"), "coverages", ["tenant_id", "client_id"], unique=False)
    op.create_table(
        "deletion_requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("redacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redacted_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'REFUSED') = (refusal is not null)", name=op.f("ck_deletion_requests_refusal")),
        sa.CheckConstraint(
            "status in ('ASKED', 'APPROVED', 'REFUSED', 'REDACTED')", name=op.f("ck_deletion_requests_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_deletion_requests_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deletion_requests")),
    )
    op.create_index(
        op.f("ix_deletion_requests_tenant_id_client_id"), "deletion_requests", ["tenant_id", "client_id"], unique=False
    )
    op.create_index(
        "uq_deletion_requests_open",
        "deletion_requests",
        ["tenant_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("status in ('ASKED', 'APPROVED')"),
    )
    op.create_table(
        "documents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_documents_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_documents")),
    )
    op.create_index(
        op.f("ix_documents_tenant_id_client_id"),
        "documents",
        ["tenant_id", "client_id", sa.literal_column("uploaded_at desc")],
        unique=False,
    )
    op.create_table(
        "payments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "method in ('CASH', 'CHECK', 'CREDIT_CARD', 'DEBIT_CARD', 'EFT', 'OTHER')", name=op.f("ck_payments_method")
        ),
        sa.CheckConstraint("payer <> 'CLIENT' or client_id is not null", name=op.f("ck_payments_client_pays")),
        sa.CheckConstraint("payer in ('INSURANCE', 'CLIENT')", name=op.f("ck_payments_payer")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_payments_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_payments_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_payments_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_payments_tenant_id_client_id_received_on"),
        "payments",
        ["tenant_id", "client_id", "received_on"],
        unique=False,
        postgresql_where=sa.text("client_id is not null"),
    )
    op.create_index(op.f("ix_payments_tenant_id_posted_at"), "payments", ["tenant_id", "posted_at"], unique=False)
    op.create_table(
        "primary_clinicians",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_primary_clinicians_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_primary_clinicians_tenant_id_clinician_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_primary_clinicians")),
    )
    op.create_index(
        op.f("ix_primary_clinicians_tenant_id_client_id"),
        "primary_clinicians",
        ["tenant_id", "client_id", sa.literal_column("effective_on desc"), sa.literal_column("set_at desc")],
        unique=False,
    )
    op.create_table(
        "series",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("first_starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"], name=op.f("fk_series_tenant_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_series_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_series_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_series")),
    )
    op.create_table(
        "treatment_plan_reviews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_treatment_plan_reviews_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_treatment_plan_reviews_tenant_id_clinician_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_treatment_plan_reviews")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_treatment_plan_reviews_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_treatment_plan_reviews_tenant_id_client_id_reviewed_on"),
        "treatment_plan_reviews",
        ["tenant_id", "client_id", "reviewed_on"],
        unique=False,
    )
    op.create_table(
        "waitlist_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("service_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("time_from", sa.Time(), nullable=True),
        sa.Column("time_to", sa.Time(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="2", nullable=False),
        sa.Column("status", sa.Text(), server_default="WAITING", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("priority in (1, 2, 3)", name=op.f("ck_waitlist_entries_priority")),
        sa.CheckConstraint(
            "status in ('WAITING', 'OFFERED', 'BOOKED', 'WITHDRAWN')", name=op.f("ck_waitlist_entries_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_waitlist_entries_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_waitlist_entries")),
    )
    op.create_index(
        op.f("ix_waitlist_entries_tenant_id_client_id"), "waitlist_entries", ["tenant_id", "client_id"], unique=False
    )
    op.create_index(
        op.f("ix_waitlist_entries_tenant_id_status_priority_created_at"),
        "waitlist_entries",
        ["tenant_id", "status", "priority", "created_at"],
        unique=False,
    )
    op.create_table(
        "window_services",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("window_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_window_services_tenant_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "window_id"],
            ["availability_windows.tenant_id", "availability_windows.id"],
            name=op.f("fk_window_services_tenant_id_window_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_window_services")),
        sa.UniqueConstraint(
            "tenant_id", "window_id", "service_id", name=op.f("uq_window_services_tenant_id_window_id_service_id")
        ),
    )
    op.create_table(
        "appointments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("group_session_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("booked_via", sa.Text(), nullable=False),
        sa.Column("telehealth", sa.Boolean(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_minutes", sa.Integer(), nullable=True),
        sa.Column("cancellation_reason", sa.Text(), nullable=True),
        sa.Column("rescheduled_to_id", sa.Uuid(), nullable=True),
        sa.Column("eligibility_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("special_requests", sa.Text(), nullable=True),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=True),
        sa.Column("price_from", sa.Text(), nullable=True),
        sa.Column("copay_cents", sa.BigInteger(), nullable=True),
        sa.Column("guarded", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("overlap_allowed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "booked_via in ('FRONT_DESK', 'PORTAL', 'CLINICIAN', 'SYNC')", name=op.f("ck_appointments_booked_via")
        ),
        sa.CheckConstraint(
            "ends_at > starts_at and ends_at - starts_at <= interval '24 hours'", name=op.f("ck_appointments_length")
        ),
        sa.CheckConstraint(
            "status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS') or status_at is not null",
            name=op.f("ck_appointments_status_at"),
        ),
        sa.CheckConstraint(
            "status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'NO_SHOW', 'CANCELLED', 'RESCHEDULED')",
            name=op.f("ck_appointments_status"),
        ),
        sa.CheckConstraint(
            "type in ('INITIAL_EVALUATION', 'FOLLOW_UP', 'MEDICATION_MANAGEMENT', 'THERAPY_SESSION', 'GROUP_THERAPY', 'FAMILY_THERAPY')",
            name=op.f("ck_appointments_type"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_appointments_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_appointments_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_session_id"],
            ["group_sessions.tenant_id", "group_sessions.id"],
            name=op.f("fk_appointments_tenant_id_group_session_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rescheduled_to_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_appointments_tenant_id_rescheduled_to_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"], name=op.f("fk_appointments_tenant_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "series_id"],
            ["series.tenant_id", "series.id"],
            name=op.f("fk_appointments_tenant_id_series_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_appointments_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appointments")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_appointments_tenant_id_external_id")),
        sa.UniqueConstraint("tenant_id", "reference", name=op.f("uq_appointments_tenant_id_reference")),
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_client_id_starts_at"),
        "appointments",
        ["tenant_id", "client_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_clinician_id_starts_at"),
        "appointments",
        ["tenant_id", "clinician_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_group_session_id"),
        "appointments",
        ["tenant_id", "group_session_id"],
        unique=False,
        postgresql_where=sa.text("group_session_id is not null"),
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_series_id"),
        "appointments",
        ["tenant_id", "series_id"],
        unique=False,
        postgresql_where=sa.text("series_id is not null"),
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_starts_at"),
        "appointments",
        ["tenant_id", "starts_at"],
        unique=False,
        postgresql_where=sa.text("not guarded"),
    )
    op.create_index(
        op.f("ix_appointments_tenant_id_starts_at_id"), "appointments", ["tenant_id", "starts_at", "id"], unique=False
    )
    op.create_table(
        "claims",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("control_number", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("coverage_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_response_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_response", sa.Text(), nullable=True),
        sa.Column("adjudicated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("payer_claim_number", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("first_response in ('ACCEPTED', 'REJECTED')", name=op.f("ck_claims_first_response")),
        sa.CheckConstraint("outcome in ('PAID', 'PARTIAL', 'DENIED')", name=op.f("ck_claims_outcome")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"], name=op.f("fk_claims_tenant_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coverage_id"],
            ["coverages.tenant_id", "coverages.id"],
            name=op.f("fk_claims_tenant_id_coverage_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_claims")),
        sa.UniqueConstraint("tenant_id", "control_number", name=op.f("uq_claims_tenant_id_control_number")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_claims_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_claims_tenant_id_client_id"), "claims", ["tenant_id", "client_id"], unique=False)
    op.create_table(
        "eligibility_checks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("coverage_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("copay_cents", sa.BigInteger(), nullable=True),
        sa.Column("covered_until", sa.Date(), nullable=True),
        sa.Column("payer_reference", sa.Text(), nullable=True),
        sa.CheckConstraint("outcome in ('ACTIVE', 'INACTIVE', 'UNKNOWN')", name=op.f("ck_eligibility_checks_outcome")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coverage_id"],
            ["coverages.tenant_id", "coverages.id"],
            name=op.f("fk_eligibility_checks_tenant_id_coverage_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_eligibility_checks")),
    )
    op.create_index(
        op.f("ix_eligibility_checks_tenant_id_coverage_id"),
        "eligibility_checks",
        ["tenant_id", "coverage_id", sa.literal_column("asked_at desc")],
        unique=False,
    )
    op.create_table(
        "refunds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "method in ('CASH', 'CHECK', 'CREDIT_CARD', 'DEBIT_CARD', 'EFT', 'OTHER')", name=op.f("ck_refunds_method")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_refunds_tenant_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_refunds_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_refunds_tenant_id_payment_id"), "refunds", ["tenant_id", "payment_id"], unique=False)
    op.create_table(
        "waitlist_offers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("telehealth", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holds_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="OPEN", nullable=False),
        sa.CheckConstraint(
            "status in ('OPEN', 'TAKEN', 'DECLINED', 'EXPIRED')", name=op.f("ck_waitlist_offers_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_waitlist_offers_tenant_id_clinician_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["waitlist_entries.tenant_id", "waitlist_entries.id"],
            name=op.f("fk_waitlist_offers_tenant_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"], name=op.f("fk_waitlist_offers_tenant_id_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_waitlist_offers_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_waitlist_offers")),
    )
    op.create_index(
        op.f("ix_waitlist_offers_tenant_id_clinician_id"),
        "waitlist_offers",
        ["tenant_id", "clinician_id"],
        unique=False,
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_index(
        op.f("ix_waitlist_offers_tenant_id_entry_id"), "waitlist_offers", ["tenant_id", "entry_id"], unique=False
    )
    op.create_table(
        "appointment_steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'NO_SHOW', 'CANCELLED', 'RESCHEDULED')",
            name=op.f("ck_appointment_steps_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_appointment_steps_tenant_id_appointment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appointment_steps")),
    )
    op.create_index(
        op.f("ix_appointment_steps_tenant_id_appointment_id_at"),
        "appointment_steps",
        ["tenant_id", "appointment_id", "at"],
        unique=False,
    )
    op.create_table(
        "charges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("cpt_code", sa.Text(), nullable=False),
        sa.Column("modifiers", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("diagnoses", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.Uuid(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("cardinality(diagnoses) <= 12", name=op.f("ck_charges_diagnoses")),
        sa.CheckConstraint("cardinality(modifiers) <= 4", name=op.f("ck_charges_modifiers")),
        sa.CheckConstraint("units > 0", name=op.f("ck_charges_units")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_charges_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"], name=op.f("fk_charges_tenant_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_charges_tenant_id_clinician_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_charges")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_charges_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_charges_tenant_id_appointment_id"), "charges", ["tenant_id", "appointment_id"], unique=False
    )
    op.create_index(
        op.f("ix_charges_tenant_id_client_id_service_date"),
        "charges",
        ["tenant_id", "client_id", "service_date"],
        unique=False,
    )
    op.create_table(
        "intake_forms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.Column("assessment", sa.LargeBinary(), nullable=True),
        sa.Column("goals", sa.LargeBinary(), nullable=True),
        sa.Column("agreements", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status = 'COMPLETED') = (completed_at is not null)", name=op.f("ck_intake_forms_completed")
        ),
        sa.CheckConstraint("status in ('DRAFT', 'COMPLETED')", name=op.f("ck_intake_forms_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_intake_forms_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_intake_forms_tenant_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_intake_forms")),
    )
    op.create_index(
        op.f("ix_intake_forms_tenant_id_client_id"), "intake_forms", ["tenant_id", "client_id"], unique=False
    )
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("lead_minutes", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="PLANNED", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel in ('email', 'sms', 'app')", name=op.f("ck_messages_channel")),
        sa.CheckConstraint(
            "status in ('PLANNED', 'SENT', 'FAILED', 'CANCELLED', 'UNKNOWN')", name=op.f("ck_messages_status")
        ),
        sa.CheckConstraint("num_nonnulls(client_id, staff_id) = 1", name=op.f("ck_messages_one_recipient")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_messages_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_messages_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_messages_tenant_id_staff_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_messages_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
    )
    op.create_index(
        op.f("ix_messages_tenant_id_client_id_created_at"),
        "messages",
        ["tenant_id", "client_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("client_id is not null"),
    )
    op.create_index(
        op.f("ix_messages_tenant_id_due_at"),
        "messages",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'PLANNED'"),
    )
    op.create_index(
        "uq_messages_once",
        "messages",
        ["tenant_id", "appointment_id", "kind", "lead_minutes", "channel", "client_id", "staff_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("appointment_id is not null"),
    )
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("clinician_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status in ('SIGNED', 'AMENDED')) = (signed_at is not null and signed_by_id is not null)",
            name=op.f("ck_notes_signed"),
        ),
        sa.CheckConstraint("status in ('DRAFT', 'IN_REVIEW', 'SIGNED', 'AMENDED')", name=op.f("ck_notes_status")),
        sa.CheckConstraint(
            "type in ('SOAP_NOTE', 'PROGRESS_NOTE', 'INTAKE_ASSESSMENT', 'PSYCHIATRIC_EVALUATION', 'TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY', 'CRISIS_INTERVENTION')",
            name=op.f("ck_notes_type"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_notes_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"], name=op.f("fk_notes_tenant_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clinician_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_notes_tenant_id_clinician_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "signed_by_id"], ["staff.tenant_id", "staff.id"], name=op.f("fk_notes_tenant_id_signed_by_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notes")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_notes_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_notes_tenant_id_appointment_id"), "notes", ["tenant_id", "appointment_id"], unique=False)
    op.create_index(
        op.f("ix_notes_tenant_id_client_id_created_at"), "notes", ["tenant_id", "client_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_notes_tenant_id_clinician_id_created_at"),
        "notes",
        ["tenant_id", "clinician_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "reschedule_requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("new_appointment_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "status in ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN')", name=op.f("ck_reschedule_requests_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_reschedule_requests_tenant_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asked_by_id"],
            ["staff.tenant_id", "staff.id"],
            name=op.f("fk_reschedule_requests_tenant_id_asked_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "new_appointment_id"],
            ["appointments.tenant_id", "appointments.id"],
            name=op.f("fk_reschedule_requests_tenant_id_new_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"],
            ["rooms.tenant_id", "rooms.id"],
            name=op.f("fk_reschedule_requests_tenant_id_room_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reschedule_requests")),
    )
    op.create_index(
        op.f("ix_reschedule_requests_tenant_id_status_asked_at"),
        "reschedule_requests",
        ["tenant_id", "status", "asked_at"],
        unique=False,
    )
    op.create_index(
        "uq_reschedule_requests_tenant_id_appointment_id",
        "reschedule_requests",
        ["tenant_id", "appointment_id"],
        unique=True,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_table(
        "adjustments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("group_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "group_code in ('CO', 'PR', 'OA', 'PI', 'CR', 'WO')", name=op.f("ck_adjustments_group_code")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["charges.tenant_id", "charges.id"],
            name=op.f("fk_adjustments_tenant_id_charge_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_adjustments")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_adjustments_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_adjustments_tenant_id_charge_id"), "adjustments", ["tenant_id", "charge_id"], unique=False)
    op.create_table(
        "claim_charges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["charges.tenant_id", "charges.id"],
            name=op.f("fk_claim_charges_tenant_id_charge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"],
            ["claims.tenant_id", "claims.id"],
            name=op.f("fk_claim_charges_tenant_id_claim_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "claim_id", "position", name=op.f("pk_claim_charges")),
    )
    op.create_index(
        op.f("ix_claim_charges_tenant_id_charge_id"), "claim_charges", ["tenant_id", "charge_id"], unique=False
    )
    op.create_table(
        "payment_applications",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["charges.tenant_id", "charges.id"],
            name=op.f("fk_payment_applications_tenant_id_charge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_payment_applications_tenant_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payment_applications")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_payment_applications_tenant_id_external_id")),
    )
    op.create_index(
        op.f("ix_payment_applications_tenant_id_charge_id"),
        "payment_applications",
        ["tenant_id", "charge_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_applications_tenant_id_payment_id"),
        "payment_applications",
        ["tenant_id", "payment_id"],
        unique=False,
    )

    run_sql_file("0002_occupancies.sql")
    run_sql_file("0002_admit.sql")
    for table in (
        "adjustments",
        "appointments",
        "availability_exceptions",
        "availability_windows",
        "blocks",
        "charges",
        "claim_charges",
        "claims",
        "clients",
        "clinician_services",
        "closures",
        "consents",
        "coverages",
        "eligibility_checks",
        "fees",
        "goals",
        "group_sessions",
        "incident_notices",
        "incidents",
        "messages",
        "notes",
        "payment_applications",
        "payments",
        "refunds",
        "reschedule_requests",
        "rooms",
        "services",
        "supervision_sessions",
        "treatment_plan_reviews",
        "waitlist_entries",
        "waitlist_offers",
    ):
        protect_table(table)
    for table in (
        "agreements",
        "appointment_steps",
        "client_statuses",
        "pay_multipliers",
        "pay_rates",
        "primary_clinicians",
        "series",
        "service_rates",
        "sign_ins",
    ):
        protect_table(table, "select, insert")
    protect_table("occupancies", "select")
    protect_table("window_services", "select, insert, delete")
    protect_table("deletion_requests", warehouse=False)
    protect_table("documents", warehouse=False)
    protect_table("intake_forms", warehouse=False)


def protect_table(table: str, *args: str, **options: bool) -> None:
    for statement in protect(table, *args, **options):
        op.execute(statement)


def downgrade() -> None:
    run_sql_file("0002_admit_before.sql")
    op.drop_index(op.f("ix_payment_applications_tenant_id_payment_id"), table_name="payment_applications")
    op.drop_index(op.f("ix_payment_applications_tenant_id_charge_id"), table_name="payment_applications")
    op.drop_table("payment_applications")
    op.drop_index(op.f("ix_claim_charges_tenant_id_charge_id"), table_name="claim_charges")
    op.drop_table("claim_charges")
    op.drop_index(op.f("ix_adjustments_tenant_id_charge_id"), table_name="adjustments")
    op.drop_table("adjustments")
    op.drop_index(
        "uq_reschedule_requests_tenant_id_appointment_id",
        table_name="reschedule_requests",
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.drop_index(op.f("ix_reschedule_requests_tenant_id_status_asked_at"), table_name="reschedule_requests")
    op.drop_table("reschedule_requests")
    op.drop_index(op.f("ix_notes_tenant_id_clinician_id_created_at"), table_name="notes")
    op.drop_index(op.f("ix_notes_tenant_id_client_id_created_at"), table_name="notes")
    op.drop_index(op.f("ix_notes_tenant_id_appointment_id"), table_name="notes")
    op.drop_table("notes")
    op.drop_index(
        "uq_messages_once",
        table_name="messages",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("appointment_id is not null"),
    )
    op.drop_index(
        op.f("ix_messages_tenant_id_due_at"), table_name="messages", postgresql_where=sa.text("status = 'PLANNED'")
    )
    op.drop_index(
        op.f("ix_messages_tenant_id_client_id_created_at"),
        table_name="messages",
        postgresql_where=sa.text("client_id is not null"),
    )
    op.drop_table("messages")
    op.drop_index(op.f("ix_intake_forms_tenant_id_client_id"), table_name="intake_forms")
    op.drop_table("intake_forms")
    op.drop_index(op.f("ix_charges_tenant_id_client_id_service_date"), table_name="charges")
    op.drop_index(op.f("ix_charges_tenant_id_appointment_id"), table_name="charges")
    op.drop_table("charges")
    op.drop_index(op.f("ix_appointment_steps_tenant_id_appointment_id_at"), table_name="appointment_steps")
    op.drop_table("appointment_steps")
    op.drop_index(op.f("ix_waitlist_offers_tenant_id_entry_id"), table_name="waitlist_offers")
    op.drop_index(
        op.f("ix_waitlist_offers_tenant_id_clinician_id"),
        table_name="waitlist_offers",
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.drop_table("waitlist_offers")
    op.drop_index(op.f("ix_refunds_tenant_id_payment_id"), table_name="refunds")
    op.drop_table("refunds")
    op.drop_index(op.f("ix_eligibility_checks_tenant_id_coverage_id"), table_name="eligibility_checks")
    op.drop_table("eligibility_checks")
    op.drop_index(op.f("ix_claims_tenant_id_client_id"), table_name="claims")
    op.drop_table("claims")
    op.drop_index(op.f("ix_appointments_tenant_id_starts_at_id"), table_name="appointments")
    op.drop_index(
        op.f("ix_appointments_tenant_id_starts_at"),
        table_name="appointments",
        postgresql_where=sa.text("not guarded"),
    )
    op.drop_index(
        op.f("ix_appointments_tenant_id_series_id"),
        table_name="appointments",
        postgresql_where=sa.text("series_id is not null"),
    )
    op.drop_index(
        op.f("ix_appointments_tenant_id_group_session_id"),
        table_name="appointments",
        postgresql_where=sa.text("group_session_id is not null"),
    )
    op.drop_index(op.f("ix_appointments_tenant_id_clinician_id_starts_at"), table_name="appointments")
    op.drop_index(op.f("ix_appointments_tenant_id_client_id_starts_at"), table_name="appointments")
    op.drop_table("appointments")
    op.drop_table("window_services")
    op.drop_index(op.f("ix_waitlist_entries_tenant_id_status_priority_created_at"), table_name="waitlist_entries")
    op.drop_index(op.f("ix_waitlist_entries_tenant_id_client_id"), table_name="waitlist_entries")
    op.drop_table("waitlist_entries")
    op.drop_index(
        op.f("ix_treatment_plan_reviews_tenant_id_client_id_reviewed_on"), table_name="treatment_plan_reviews"
    )
    op.drop_table("treatment_plan_reviews")
    op.drop_table("series")
    op.drop_index(op.f("ix_primary_clinicians_tenant_id_client_id"), table_name="primary_clinicians")
    op.drop_table("primary_clinicians")
    op.drop_index(op.f("ix_payments_tenant_id_posted_at"), table_name="payments")
    op.drop_index(
        op.f("ix_payments_tenant_id_client_id_received_on"),
        table_name="payments",
        postgresql_where=sa.text("client_id is not null"),
    )
    op.drop_table("payments")
    op.drop_index(op.f("ix_documents_tenant_id_client_id"), table_name="documents")
    op.drop_table("documents")
    op.drop_index(
        "uq_deletion_requests_open",
        table_name="deletion_requests",
        postgresql_where=sa.text("status in ('ASKED', 'APPROVED')"),
    )
    op.drop_index(op.f("ix_deletion_requests_tenant_id_client_id"), table_name="deletion_requests")
    op.drop_table("deletion_requests")
    op.drop_index(op.f("ix_coverages_tenant_id_client_id"), table_name="coverages")
    op.drop_table("coverages")
    op.drop_index(op.f("ix_consents_tenant_id_client_id_kind"), table_name="consents")
    op.drop_table("consents")
    op.drop_index(op.f("ix_client_statuses_tenant_id_client_id"), table_name="client_statuses")
    op.drop_table("client_statuses")
    op.drop_index(op.f("ix_supervision_sessions_tenant_id_supervisee_id_held_at"), table_name="supervision_sessions")
    op.drop_table("supervision_sessions")
    op.drop_index(op.f("ix_sign_ins_tenant_id_staff_id_at"), table_name="sign_ins")
    op.drop_table("sign_ins")
    op.drop_index(op.f("ix_service_rates_tenant_id_service_id"), table_name="service_rates")
    op.drop_table("service_rates")
    op.drop_index(op.f("ix_pay_rates_tenant_id_staff_id"), table_name="pay_rates")
    op.drop_table("pay_rates")
    op.drop_index(op.f("ix_pay_multipliers_tenant_id_kind_staff_id"), table_name="pay_multipliers")
    op.drop_table("pay_multipliers")
    op.drop_index(op.f("ix_incident_notices_tenant_id_incident_id"), table_name="incident_notices")
    op.drop_table("incident_notices")
    op.drop_index(
        op.f("ix_group_sessions_tenant_id_external_id"),
        table_name="group_sessions",
        postgresql_where=sa.text("external_id is not null"),
    )
    op.drop_index(op.f("ix_group_sessions_tenant_id_clinician_id_starts_at"), table_name="group_sessions")
    op.drop_table("group_sessions")
    op.drop_index(op.f("ix_goals_tenant_id_staff_id"), table_name="goals")
    op.drop_table("goals")
    op.drop_index(op.f("ix_fees_tenant_id_payer_id_service_id"), table_name="fees")
    op.drop_table("fees")
    op.drop_table("clinician_services")
    op.drop_index(op.f("ix_clients_tenant_id_primary_clinician_id"), table_name="clients")
    op.drop_index(op.f("ix_clients_tenant_id_by_last_name"), table_name="clients")
    op.drop_index(op.f("ix_clients_tenant_id_by_first_name"), table_name="clients")
    op.drop_index(op.f("ix_clients_tenant_id_birth_date"), table_name="clients")
    op.drop_index(op.f("ix_clients_account_id"), table_name="clients")
    op.drop_table("clients")
    op.drop_index(
        op.f("ix_blocks_tenant_id_room_id_ends_at"),
        table_name="blocks",
        postgresql_where=sa.text("room_id is not null"),
    )
    op.drop_index(
        op.f("ix_blocks_tenant_id_clinician_id_ends_at"),
        table_name="blocks",
        postgresql_where=sa.text("clinician_id is not null"),
    )
    op.drop_table("blocks")
    op.drop_index(op.f("ix_availability_windows_tenant_id_clinician_id"), table_name="availability_windows")
    op.drop_table("availability_windows")
    op.drop_index(
        op.f("ix_availability_exceptions_tenant_id_clinician_id_on_date"), table_name="availability_exceptions"
    )
    op.drop_table("availability_exceptions")
    op.drop_table("services")
    op.drop_table("rooms")
    op.drop_index(op.f("ix_incidents_tenant_id"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_index(
        "uq_closures_tenant_id_closed_on", table_name="closures", postgresql_where=sa.text("voided_at is null")
    )
    op.drop_table("closures")
    op.drop_table("agreements")
    op.drop_index(op.f("ix_occupancies_tenant_id_resource_id_ends_at_starts_at"), table_name="occupancies")
    op.drop_table("occupancies")
    op.execute(
        "drop function occupy_for_appointment, occupy_for_block, occupy_for_offer, guard_from_now_on, occupy, release, search_form"
    )
