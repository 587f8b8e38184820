"""For each table of clients, schedule, notes and pay: the privileges of the application, and a row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The application's privileges on a table, whether the warehouse reads it, and a statement that inserts a row.

    The superuser runs the statement once for each practice. Without one, creating the practice already inserts rows.
    """

    privileges: str
    warehouse_reads: bool = True
    insert: str | None = None


RECORD_KINDS = (
    *("client", "service", "room", "group", "series", "appointment", "coverage", "incident", "window"),
    *("entry", "charge", "claim", "payment", "note", "plan", "report", "saved_report", "period"),
)
"""Records to which others refer, and which therefore have fixed ids."""


def build_insert(table: str, columns: str, values: str, kind: str | None = None) -> str:
    record_id = f"%({kind}_id)s" if kind else "uuidv7()"
    return f"insert into {table} (tenant_id, id, {columns}) values (%(tenant_id)s, {record_id}, {values})"


READ_WRITE = "select, insert, update"
READ_APPEND = "select, insert"

REPORT = ("owner_id, name, definition, created_at", "%(staff_id)s, 'Money', '{}', now()")
RECIPIENT = "insert into report_recipients values (%(tenant_id)s, %(saved_report_id)s, %(staff_id)s)"

RECORD_TABLES = {
    "clients": Table(
        READ_WRITE,
        insert=build_insert(
            "clients",
            "first_name, last_name, birth_date, self_pay, emancipated, admitted_on, created_at",
            "'Kim', 'Doe', '1990-01-01', true, false, '2026-01-01', now()",
            "client",
        ),
    ),
    "client_name_words": Table("select", warehouse_reads=False),  # written by a trigger of clients
    "services": Table(
        READ_WRITE,
        insert=build_insert(
            "services",
            "code, name, kind, minutes, created_at",
            "'IND', 'Individual', 'INDIVIDUAL', 60, now()",
            "service",
        ),
    ),
    "rooms": Table(READ_WRITE, insert=build_insert("rooms", "name, capacity", "'One', 4", "room")),
    "group_sessions": Table(
        READ_WRITE,
        insert=build_insert(
            "group_sessions",
            "clinician_id, service_id, room_id, starts_at, ends_at",
            "%(staff_id)s, %(service_id)s, %(room_id)s, '2026-02-01T15:00Z', '2026-02-01T16:00Z'",
            "group",
        ),
    ),
    "series": Table(
        READ_APPEND,
        insert=build_insert(
            "series",
            "client_id, clinician_id, service_id, rule, first_starts_at, created_at",
            "%(client_id)s, %(staff_id)s, %(service_id)s, 'FREQ=WEEKLY;COUNT=2', now(), now()",
            "series",
        ),
    ),
    "appointments": Table(
        READ_WRITE,
        insert=build_insert(
            "appointments",
            "reference, client_id, clinician_id, service_id, starts_at, ends_at, type, status, created_at, booked_via, telehealth",
            "'BK-2026-000001', %(client_id)s, %(staff_id)s, %(service_id)s, '2026-03-01T15:00Z', '2026-03-01T16:00Z', 'THERAPY_SESSION', 'SCHEDULED', now(), 'PORTAL', false",
            "appointment",
        ),
    ),
    "occupancies": Table("select"),
    "appointment_steps": Table(
        READ_APPEND,
        insert=build_insert(
            "appointment_steps", "appointment_id, status, at", "%(appointment_id)s, 'SCHEDULED', now()"
        ),
    ),
    "coverages": Table(
        READ_WRITE,
        insert=build_insert(
            "coverages",
            "client_id, rank, payer_id, payer_name, member_id, effective_on",
            "%(client_id)s, 1, '60054', 'Plan', 'M1', '2026-01-01'",
            "coverage",
        ),
    ),
    "eligibility_checks": Table(
        READ_WRITE,
        insert=build_insert(
            "eligibility_checks",
            "coverage_id, asked_at, provider, outcome",
            "%(coverage_id)s, now(), 'manual', 'UNKNOWN'",
        ),
    ),
    "agreements": Table(
        READ_APPEND,
        insert=build_insert(
            "agreements", "kind, number, title, text, published_at", "'CONFIDENTIALITY', 1, 'Title', 'Text', now()"
        ),
    ),
    "consents": Table(
        READ_WRITE, insert=build_insert("consents", "client_id, kind, signed_at", "%(client_id)s, 'TELEHEALTH', now()")
    ),
    "deletion_requests": Table(
        READ_WRITE,
        warehouse_reads=False,
        insert=build_insert("deletion_requests", "client_id, status, asked_at", "%(client_id)s, 'ASKED', now()"),
    ),
    "documents": Table(
        READ_WRITE,
        warehouse_reads=False,
        insert=build_insert(
            "documents",
            "client_id, kind, name, media_type, size, sha256, content, uploaded_at",
            "%(client_id)s, 'OTHER', 'a.pdf', 'application/pdf', 1, 'x', 'x', now()",
        ),
    ),
    "intake_forms": Table(
        READ_WRITE,
        warehouse_reads=False,
        insert=build_insert(
            "intake_forms", "client_id, status, started_at, saved_at", "%(client_id)s, 'DRAFT', now(), now()"
        ),
    ),
    "client_statuses": Table(
        READ_APPEND,
        insert=build_insert(
            "client_statuses", "client_id, status, effective_on, set_at", "%(client_id)s, 'ACTIVE', '2026-01-01', now()"
        ),
    ),
    "primary_clinicians": Table(
        READ_APPEND,
        insert=build_insert(
            "primary_clinicians",
            "client_id, clinician_id, effective_on, set_at",
            "%(client_id)s, %(staff_id)s, '2026-01-01', now()",
        ),
    ),
    "incidents": Table(READ_WRITE, insert=build_insert("incidents", "kind, detected_at", "'EMAIL', now()", "incident")),
    "incident_notices": Table(
        READ_WRITE,
        insert=build_insert(
            "incident_notices", "incident_id, recipients, due_on", "%(incident_id)s, 'AUTHORITY', '2026-05-01'"
        ),
    ),
    "goals": Table(
        READ_WRITE,
        insert=build_insert(
            "goals",
            "staff_id, metric_key, target, starts_on, ends_on, created_at",
            "%(staff_id)s, 'kvr', 80, '2026-01-01', '2026-06-30', now()",
        ),
    ),
    "report_definitions": Table(READ_WRITE, False, build_insert("report_definitions", *REPORT, "saved_report")),
    "report_recipients": Table("select, insert, delete", False, RECIPIENT),
    "sign_ins": Table(READ_APPEND, insert=build_insert("sign_ins", "staff_id, at", "%(staff_id)s, now()")),
    "service_rates": Table(
        READ_APPEND,
        insert=build_insert("service_rates", "service_id, rate_cents, set_at", "%(service_id)s, 15000, now()"),
    ),
    "clinician_services": Table(
        READ_WRITE,
        insert=build_insert("clinician_services", "clinician_id, service_id", "%(staff_id)s, %(service_id)s"),
    ),
    "fees": Table(
        READ_WRITE,
        insert=build_insert(
            "fees", "payer_id, service_id, rate_cents, set_at", "'60054', %(service_id)s, 12000, now()"
        ),
    ),
    "closures": Table(READ_WRITE, insert=build_insert("closures", "closed_on", "'2026-12-25'")),
    "availability_windows": Table(
        READ_WRITE,
        insert=build_insert(
            "availability_windows",
            "clinician_id, weekday, start_time, end_time",
            "%(staff_id)s, 1, '09:00', '17:00'",
            "window",
        ),
    ),
    "window_services": Table(
        "select, insert, delete",
        insert=build_insert("window_services", "window_id, service_id", "%(window_id)s, %(service_id)s"),
    ),
    "availability_exceptions": Table(
        READ_WRITE,
        insert=build_insert(
            "availability_exceptions", "clinician_id, on_date, available", "%(staff_id)s, '2026-04-01', false"
        ),
    ),
    "blocks": Table(
        READ_WRITE,
        insert=build_insert(
            "blocks", "room_id, starts_at, ends_at", "%(room_id)s, '2026-04-01T09:00Z', '2026-04-01T10:00Z'"
        ),
    ),
    "waitlist_entries": Table(
        READ_WRITE, insert=build_insert("waitlist_entries", "client_id, created_at", "%(client_id)s, now()", "entry")
    ),
    "waitlist_offers": Table(
        READ_WRITE,
        insert=build_insert(
            "waitlist_offers",
            "entry_id, clinician_id, service_id, telehealth, starts_at, ends_at, offered_at, holds_until",
            "%(entry_id)s, %(staff_id)s, %(service_id)s, false, '2026-04-02T09:00Z', '2026-04-02T10:00Z', now(), now()",
        ),
    ),
    "reschedule_requests": Table(
        READ_WRITE,
        insert=build_insert(
            "reschedule_requests",
            "appointment_id, asked_by_id, asked_at, starts_at, reason",
            "%(appointment_id)s, %(staff_id)s, now(), now(), 'Ill'",
        ),
    ),
    "messages": Table(
        READ_WRITE,
        insert=build_insert(
            "messages", "kind, channel, client_id, due_at, created_at", "'BOOKED', 'email', %(client_id)s, now(), now()"
        ),
    ),
    "notes": Table(
        READ_WRITE,
        insert=build_insert(
            "notes",
            "client_id, clinician_id, type, created_at, status",
            "%(client_id)s, %(staff_id)s, 'SOAP_NOTE', now(), 'DRAFT'",
            "note",
        ),
    ),
    "note_versions": Table(
        READ_APPEND,
        warehouse_reads=False,
        insert=build_insert(
            "note_versions", "note_id, number, kind, content, written_at", "%(note_id)s, 1, 'CONTENT', 'x', now()"
        ),
    ),
    "note_signatures": Table(
        READ_APPEND,
        warehouse_reads=False,
        insert=build_insert(
            "note_signatures",
            "note_id, number, version_number, kind, signed_at, signed_by_id, account_id, content_hash, hash",
            "%(note_id)s, 1, 1, 'AUTHOR', now(), %(staff_id)s, %(account_id)s, 'x', 'x'",
        ),
    ),
    "note_templates": Table(
        READ_APPEND,
        warehouse_reads=False,
        insert=build_insert("note_templates", "kind, sections, set_at", "'SOAP_NOTE', '[]', now()"),
    ),
    "session_corrections": Table(
        READ_APPEND,
        insert=build_insert(
            "session_corrections", "appointment_id, undone, since, at", "%(appointment_id)s, 'VOID', now(), now()"
        ),
    ),
    "session_locks": Table(
        READ_APPEND,
        insert=build_insert("session_locks", "appointment_id, kind, at", "%(appointment_id)s, 'LOCKED', now()"),
    ),
    "treatment_plans": Table(
        READ_WRITE,
        insert=build_insert(
            "treatment_plans",
            "client_id, clinician_id, kind, starts_on, created_at",
            "%(client_id)s, %(staff_id)s, 'INDIVIDUAL', '2026-01-01', now()",
            "plan",
        ),
    ),
    "treatment_plan_reviews": Table(
        READ_WRITE,
        insert=build_insert(
            "treatment_plan_reviews",
            "client_id, clinician_id, reviewed_on, created_at",
            "%(client_id)s, %(staff_id)s, '2026-01-01', now()",
        ),
    ),
    "progress_reports": Table(
        READ_WRITE,
        insert=build_insert(
            "progress_reports",
            "client_id, clinician_id, reported_on, created_at",
            "%(client_id)s, %(staff_id)s, '2026-01-01', now()",
            "report",
        ),
    ),
    "progress_report_versions": Table(
        READ_APPEND,
        warehouse_reads=False,
        insert=build_insert(
            "progress_report_versions",
            "report_id, number, content, written_at, written_by_id",
            "%(report_id)s, 1, 'x', now(), %(staff_id)s",
        ),
    ),
    "supervision_sessions": Table(
        READ_WRITE,
        insert=build_insert(
            "supervision_sessions",
            "supervisee_id, supervisor_id, held_at, hours, kind",
            "%(staff_id)s, %(staff_id)s, now(), 1, 'GROUP'",
        ),
    ),
    "session_completions": Table(
        READ_WRITE,
        insert="""insert into session_completions (tenant_id, id, kind, minutes, created_at)
        values (%(tenant_id)s, %(appointment_id)s, 'INDIVIDUAL', 60, now())""",
    ),
    "pay_periods": Table(
        f"{READ_WRITE}, delete", insert=build_insert("pay_periods", "week, opened_at", "'2026-03-01', now()", "period")
    ),
    "pay_lines": Table(
        READ_APPEND,
        insert=build_insert(
            "pay_lines",
            "period_id, staff_id, session_id, appointment_id, kind, service_kind, held_on, minutes, multiplier, rate_cents, amount_cents",
            "%(period_id)s, %(staff_id)s, %(appointment_id)s, %(appointment_id)s, 'regular', 'INDIVIDUAL', '2026-03-01', 60, 1, 6000, 6000",
        ),
    ),
    "pay_rates": Table(
        READ_APPEND, insert=build_insert("pay_rates", "staff_id, rate_cents, set_at", "%(staff_id)s, 6000, now()")
    ),
    "pay_multipliers": Table(
        READ_APPEND,
        insert=build_insert(
            "pay_multipliers", "kind, multiplier, effective_on, set_at", "'GROUP', 1.75, '2026-01-01', now()"
        ),
    ),
}
