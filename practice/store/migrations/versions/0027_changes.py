"""Changes of records that the next refresh of the warehouse copies"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = (
    *("time_zone_changes", "record_versions", "staff", "clients", "client_statuses", "primary_clinicians", "coverages"),
    *("appointments", "notes", "charges", "payment_applications", "adjustments", "sign_ins", "rule_settings"),
    *("treatment_plan_reviews", "claims", "claim_charges", "incidents"),
)
ROWS = {
    "insert": "referencing new table as new_rows",
    "update": "referencing old table as old_rows new table as new_rows",
    "delete": "referencing old table as old_rows",
    "truncate": "",
}


def upgrade() -> None:
    run_sql_file("0027_changes.sql")
    for statement in protect("analytics.changes", "select, insert, delete", warehouse=False):
        op.execute(statement)
    for table in TABLES:
        function = "queue_claims" if table == "claim_charges" else "queue_changes"
        for operation, rows in ROWS.items():
            # An import fills a new practice, whose first refresh copies everything, and says so.
            op.execute(
                f"create trigger queue_{operation} after {operation} on {table} {rows} for each statement "
                "when (current_setting('app.never_refreshed', true) is distinct from 'on') "
                f"execute function analytics.{'queue_changes' if operation == 'truncate' else function}()"
            )


def downgrade() -> None:
    for table in TABLES:
        for operation in ROWS:
            op.execute(f"drop trigger queue_{operation} on {table}")
    op.execute("drop function analytics.queue_changes")
    op.execute("drop function analytics.queue_claims")
    op.execute("drop table analytics.changes")
