"""Redaction of the notes of appointment steps"""

from practice.store.migrations.sqlfile import run_sql_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file("0006_redact.sql")


def downgrade() -> None:
    run_sql_file("0006_redact_before.sql")
