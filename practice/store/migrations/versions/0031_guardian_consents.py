"""The day until which a guardian's consent is needed, for the service alone"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set role caseload_marts")
    run_sql_file("0031_guardian_consents.sql")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set role caseload_marts")
    run_sql_file("0031_guardian_consents_before.sql")
    op.execute("reset role")
