"""What analysts read of compliance checks, and versions of incidents and their notices, which two of them rest on"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import change_every_practice, open_to_marts

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

VERSIONED = {
    "incidents": "detected_at responded_at people_affected voided_at",
    "incident_notices": "incident_id recipients due_on sent_on",
}
COLUMNS = {
    "record_versions": "record_kind, record_id, known_at, record_values, id",
    "rule_settings": "key, value, effective_on, set_at",
    "client_statuses": "id, client_id, status, effective_on, set_at, set_by",
    "treatment_plans": "id, client_id, kind, starts_on, created_at, voided_at",
    "treatment_plan_reviews": "client_id, reviewed_on, created_at, voided_at",
    "intake_forms": "client_id, completed_at, treatment_declined",
    "session_corrections": "tenant_id, appointment_id, undone, since, at",
}
"""The columns that the views need of tables that no mart has read before. Of a plan's kind they only compare whether it
is another one than before."""
PARTS = ("days", "settings", "versions", "completions", "of_clients", "of_staff", "of_practice")
"""Views that the marts are built from. Nobody may select from them."""


def upgrade() -> None:
    for table, columns in VERSIONED.items():
        keep_versions(table, columns.split())
    run_sql_file("0029_compliance.sql")
    for table, columns in COLUMNS.items():
        for statement in open_to_marts(table, columns):
            op.execute(statement)
    op.execute("grant select (created_at) on staff to caseload_marts")
    op.execute("set role caseload_marts")
    run_sql_file("0029_compliance_parts.sql")
    run_sql_file("0029_compliance_clients.sql")
    run_sql_file("0029_compliance_staff.sql")
    run_sql_file("0029_compliance_marts.sql")
    run_sql_file("0029_compliance_comments.sql")
    op.execute("grant select on marts.compliance_spans, marts.compliance_checks to caseload_analyst, caseload_app")
    op.execute("reset role")


def keep_versions(table: str, columns: list[str]) -> None:
    """Keep every version of these columns from now on. What stands today counts as known from the beginning."""
    pairs = ", ".join(f"'{column}', r.{column}" for column in columns)
    insertion = (
        "insert into record_versions (tenant_id, id, record_kind, record_id, record_values) "
        f"select r.tenant_id, uuidv7(), '{table}', r.id, jsonb_build_object({pairs}) from {table} as r"
    )
    for statement in change_every_practice((table, "record_versions"), insertion):
        op.execute(statement)
    names = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"create trigger keep_version after insert or update on {table} "
        f"for each row execute function keep_version({names})"
    )


def downgrade() -> None:
    op.execute("set role caseload_marts")
    op.execute("drop view marts.compliance_checks, marts.compliance_spans")
    op.execute(f"drop view {', '.join(f'marts.compliance_{part}' for part in reversed(PARTS))}")
    op.execute("reset role")
    op.execute("drop function local_day, day_span")
    for table, columns in COLUMNS.items():
        op.execute(f"drop policy marts_read on {table}")
        op.execute(f"revoke select ({columns}) on {table} from caseload_marts")
    op.execute("revoke select (created_at) on staff from caseload_marts")
    for table in VERSIONED:
        op.execute(f"drop trigger keep_version on {table}")
