"""What analysts read: their logins, and the views of schema `marts`"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import open_system_table, open_to_marts

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COLUMNS = {
    "time_zone_changes": "old_zone, changed_at",
    "appointments": (
        "tenant_id, id, client_id, clinician_id, group_session_id, series_id, room_id, service_id, type, status, "
        "status_at, starts_at, ends_at, actual_minutes, telehealth, booked_via, created_at, eligibility_verified_at, "
        "arrived_at, ready_at, started_at, rescheduled_to_id, price_cents, copay_cents, note_signed_at"
    ),
    "services": "tenant_id, id, code, kind, cpt_code, minutes",
    "session_completions": "tenant_id, id, kind, minutes, voided_at",
    "session_locks": "tenant_id, appointment_id, kind, at, until",
    "notes": (
        "id, appointment_id, client_id, clinician_id, type, status, created_at, submitted_at, returned_at, signed_at, "
        "signed_by_id, version_in_review, shared_at, entered_in_error_at, voided_at"
    ),
    "charges": (
        "tenant_id, id, appointment_id, client_id, clinician_id, service_date, cpt_code, modifiers, diagnoses, units, "
        "amount_cents, created_at, voided_at"
    ),
    "payments": ("tenant_id, id, client_id, payer, payer_id, method, amount_cents, received_on, posted_at, voided_at"),
    "payment_applications": "tenant_id, charge_id, payment_id, amount_cents, posted_at",
    "adjustments": "tenant_id, charge_id, amount_cents",
    "refunds": "tenant_id, payment_id, amount_cents",
    "clients": (
        "tenant_id, id, birth_date, emancipated, sex, ended_on, end_reason, admitted_on, primary_clinician_id, "
        "self_pay, high_risk_since, high_risk_until, phone, email, address, emergency_contact_name, guardian_name, "
        "referring_provider, has_complete_demographics, portal_activated_at, reminders"
    ),
    "coverages": "tenant_id, id, client_id, rank, payer_id, effective_on, ends_on, verified_at, voided_at",
    "staff": "id, external_id, roles, discipline, license_type, supervisor_id, hired_on, left_on",
    "pay_periods": "tenant_id, id, week, opened_at, closed_at, problems",
    "pay_lines": (
        "tenant_id, id, period_id, staff_id, session_id, appointment_id, kind, reason, service_kind, held_on, minutes, "
        "multiplier, rate_cents, amount_cents"
    ),
    "analytics.refreshes": (
        "tenant_id, is_current, as_of, metric_keys, numerator_scales, denominator_scales, divided_by_days"
    ),
    "analytics.metric_cells": (
        "tenant_id, entity_kind, entity_id, period_kind, period_start, period_end, receivable_days, numerators, "
        "denominators, value_hundredths, statuses"
    ),
}
"""The columns of tables of a practice that the views need. Contacts only become `has_phone` and the like."""

# Policies for everybody add up with those for one role: they would show an analyst the practice that app.tenant_id names.
LIMIT_OWN_PRACTICE = """
    do $$
    declare p record;
    begin
        for p in select schemaname, tablename from pg_policies where policyname = 'own_practice' loop
            execute format('alter policy own_practice on %I.%I to {roles}', p.schemaname, p.tablename);
        end loop;
    end $$
"""


def upgrade() -> None:
    op.execute(LIMIT_OWN_PRACTICE.format(roles="caseload_owner, caseload_app"))
    run_sql_file("0025_analysts.sql")
    op.execute(open_system_table("analyst_logins"))
    op.execute("grant usage on schema analytics to caseload_marts")
    for table, columns in COLUMNS.items():
        for statement in open_to_marts(table, columns):
            op.execute(statement)
    op.execute("grant select (id, time_zone) on practices to caseload_marts")
    op.execute("create schema marts authorization caseload_marts")
    op.execute("set role caseload_marts")
    run_sql_file("0025_marts.sql")
    run_sql_file("0025_marts_metrics.sql")
    run_sql_file("0025_marts_comments.sql")
    op.execute("grant usage on schema marts to caseload_analyst, caseload_app")
    op.execute("grant select on all tables in schema marts to caseload_analyst, caseload_app")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set role caseload_marts")
    op.execute("drop schema marts cascade")
    op.execute("reset role")
    for table, columns in COLUMNS.items():
        op.execute(f"drop policy marts_read on {table}")
        op.execute(f"revoke select ({columns}) on {table} from caseload_marts")
    op.execute("revoke select (id, time_zone) on practices from caseload_marts")
    op.execute("revoke usage on schema analytics from caseload_marts")
    op.execute("drop function analyst_practice")
    op.execute("drop table analyst_logins")
    op.execute(LIMIT_OWN_PRACTICE.format(roles="public"))
