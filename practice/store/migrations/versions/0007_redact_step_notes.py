"""Redaction of the notes of appointment steps"""

from practice.store.migrations.sqlfile import run_sql_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file("0007_redact.sql")


def downgrade() -> None:
    run_sql_file("0007_redact_before.sql")
