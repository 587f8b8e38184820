"""Pay weeks that were opened by mistake can be removed"""

from practice.store.migrations.sqlfile import run_sql_file

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file("0024_removed_pay_weeks.sql")


def downgrade() -> None:
    run_sql_file("0024_removed_pay_weeks_before.sql")
