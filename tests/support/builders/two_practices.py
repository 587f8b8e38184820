"""Two practices with a row in every table, and the privileges of each role: the data of the isolation tests.

A migration that creates a table adds an entry; without one the isolation tests fail.
"""

from typing import Any
from uuid import UUID

from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.billing_tables import BILLING_TABLES
from tests.support.builders.people import make_practice, sign_in
from tests.support.builders.table_fixtures import RECORD_KINDS, RECORD_TABLES, Table
from tests.support.harness import cluster

TABLES = {
    "staff": Table("select, insert, update"),
    "trainings": Table(
        "select, insert, update",
        insert="""insert into trainings (tenant_id, id, staff_id, kind, completed_on, recorded_at)
        values (%(tenant_id)s, uuidv7(), %(staff_id)s, 'HIPAA', '2026-01-05', now())""",
    ),
    "rule_settings": Table(
        "select, insert",
        insert="""insert into rule_settings (tenant_id, id, key, value, effective_on, set_at)
        values (%(tenant_id)s, uuidv7(), 'hipaa_training_days', '400', '2026-01-01', now())""",
    ),
    "time_zone_changes": Table(
        "select, insert",
        insert="""insert into time_zone_changes (tenant_id, id, changed_at, old_zone, new_zone)
        values (%(tenant_id)s, uuidv7(), '2020-01-01', 'America/New_York', 'America/New_York')""",
    ),
    "record_versions": Table("select"),
    "jobs": Table(
        "select, insert, update",
        warehouse_reads=False,
        insert="""insert into jobs (tenant_id, id, kind, status, created_at, finished_at)
        values (%(tenant_id)s, %(job_id)s, 'EXPORT', 'DONE', now(), now())""",
    ),
    "exports": Table(
        "select, insert, update",
        warehouse_reads=False,
        insert="""insert into exports (tenant_id, id, created_at, expires_at, size, sha256, rows)
        values (%(tenant_id)s, %(job_id)s, now(), now(), 1, 'hash', 1)""",
    ),
    **RECORD_TABLES,
    **BILLING_TABLES,
    "audit_log": Table("select, insert", warehouse_reads=False),
    "audit_heads": Table("select", warehouse_reads=False),
    "data_keys": Table("select, insert, update", warehouse_reads=False),
    "stored_answers": Table(
        "select, insert, update, delete",
        warehouse_reads=False,
        insert="""insert into stored_answers (tenant_id, id, request_hash, created_at)
        values (%(tenant_id)s, uuidv7(), 'hash', now())""",
    ),
    "analytics.refreshes": Table(
        "select, insert, update, delete",
        warehouse_reads=False,
        insert="""insert into analytics.refreshes (tenant_id, id, as_of, engine, started_at, published_at, is_current,
            row_count, metric_keys, numerator_scales, denominator_scales, divided_by_days)
        values (%(tenant_id)s, uuidv7(), now(), 'duckdb', now(), now(), true,
            1, array['kept_visit_rate'], array[1], array[1], array[false])""",
    ),
    "analytics.changes": Table(
        "select, insert, delete",
        warehouse_reads=False,
        insert="insert into analytics.changes (tenant_id, table_name) values (%(tenant_id)s, 'notes')",
    ),
    "analytics.metric_cells": Table(
        "select, insert, update, delete",
        warehouse_reads=False,
        insert="""insert into analytics.metric_cells (tenant_id, entity_kind, entity_id, period_kind, period_start,
            period_end, receivable_days, numerators, denominators, value_hundredths, statuses)
        values (%(tenant_id)s, 'practice', %(tenant_id)s, 'month', '2026-03-01',
            '2026-04-01', 90, array[9], array[10], array[9000], 'o')""",
    ),
}

VIEWS = {"analytics.metric_values"}
"""Views that the service reads. They show what the policies of their tables let through."""

CHECKED = """
    7 * (select count(*) from clients where tenant_id = %(tenant_id)s)
    + 5 * (select count(*) from staff where tenant_id = %(tenant_id)s) + 2
"""
MARTS = {
    "marts.appointments": "select count(*) from appointments where tenant_id = %(tenant_id)s",
    # from the quarter in which the staff was hired
    "marts.calendar": """
        select (date_trunc('quarter', now() at time zone 'America/New_York') + interval '3 months')::date
            - date_trunc('quarter', min(hired_on))::date
        from staff where tenant_id = %(tenant_id)s
    """,
    "marts.charges": "select count(*) from charges where tenant_id = %(tenant_id)s",
    "marts.clients": "select count(*) from clients where tenant_id = %(tenant_id)s",
    # seven checks of a client, five of a staff member and two of the practice, on each day until today
    "marts.compliance_checks": f"""
        select ({CHECKED}) * ((now() at time zone 'America/New_York')::date + 1
            - date_trunc('quarter', min(hired_on))::date)
        from staff where tenant_id = %(tenant_id)s
    """,
    "marts.compliance_spans": f"select {CHECKED}",
    "marts.metric_values": "select count(*) from analytics.metric_cells where tenant_id = %(tenant_id)s",
    "marts.notes": "select count(*) from notes where tenant_id = %(tenant_id)s",
    "marts.pay_lines": "select count(*) from pay_lines where tenant_id = %(tenant_id)s",
    "marts.pay_periods": "select count(*) from pay_periods where tenant_id = %(tenant_id)s",
    "marts.payments": "select count(*) from payments where tenant_id = %(tenant_id)s",
    "marts.remittance_claims": "select 0",
    "marts.sessions": "select count(*) from appointments where tenant_id = %(tenant_id)s and status = 'COMPLETED'",
    "marts.staff": "select count(*) from staff where tenant_id = %(tenant_id)s",
    "marts.time_zones": "select count(*) from practices where id = %(tenant_id)s",
}
"""Views that analysts and the service read, with the number of rows that they show of a practice."""

COUNTED = {"marts.compliance_spans": "count(distinct (entity_kind, client_id, staff_id, check_key))"}
"""What is counted in place of rows where their number changes from day to day."""

PARTS = {
    f"marts.compliance_{part}"
    for part in ("days", "settings", "versions", "completions", "of_clients", "of_staff", "of_practice")
}
"""Views that marts are built from. Nobody may select from them."""

WAREHOUSE_READS_SYSTEM_TABLES = {"practices"}

ROWS_OF_SYSTEM_TABLES = (
    "insert into recovery_codes (account_id, code_hash) values (%(account_id)s, 'hash')",
    "insert into sign_in_attempts (key, failures, last_at) values (%(key)s::text::bytea, 1, now())",
    "insert into dagster_tickets (ticket_hash, expires_at) values (%(key)s::text::bytea, now())",
    "insert into rate_counters (key, minute, requests) values (%(key)s, now(), 1)",
    """insert into analyst_logins (login, tenant_id, name, created_at)
    values ('analyst_' || %(key)s, %(tenant_id)s, 'Somebody', now())""",
)
"""Rows of the tables that neither creating a practice nor signing in fills."""

COMPLETED_APPOINTMENT = """
    insert into appointments (tenant_id, id, reference, client_id, clinician_id, service_id, starts_at, ends_at, type,
        status, status_at, created_at, booked_via, telehealth, guarded)
    values (%(tenant_id)s, uuidv7(), 'BK-2026-000002', %(client_id)s, %(staff_id)s, %(service_id)s,
        '2026-02-01T15:00Z', '2026-02-01T16:00Z', 'THERAPY_SESSION', 'COMPLETED', '2026-02-01T16:00Z', now(),
        'PORTAL', false, false)
"""


def create_two_practices(installation: Installation, database: str) -> tuple[UUID, UUID]:
    """Create two practices with a signed-in admin and a row in every table, and return their ids."""
    practice_ids = []
    for _ in range(2):
        practice = make_practice(installation)
        practice.add("clinician", supervisor=practice.add("supervisor"))
        sign_in(installation, practice.admin.account_id, practice.id)
        ids: dict[str, Any] = {
            "tenant_id": practice.id,
            "account_id": practice.admin.account_id,
            "staff_id": practice.admin.staff_id,
            "key": practice.id.hex,
            **{f"{kind}_id": new_id() for kind in (*RECORD_KINDS, "job")},
        }
        with cluster.connect_as_superuser(database) as connection:
            connection.execute("select set_config('app.tenant_id', %s, false)", [str(practice.id)])  # for triggers
            for statement in (
                *(entry.insert for entry in TABLES.values() if entry.insert),
                *ROWS_OF_SYSTEM_TABLES,
                COMPLETED_APPOINTMENT,
            ):
                connection.execute(statement, ids)
        practice_ids.append(practice.id)
    return practice_ids[0], practice_ids[1]
