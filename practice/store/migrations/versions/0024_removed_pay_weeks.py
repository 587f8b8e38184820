"""Pay weeks that were opened by mistake can be removed"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file("0024_removed_pay_weeks.sql")


def downgrade() -> None:
    op.execute("revoke delete on pay_periods from caseload_app")
    op.execute("drop trigger paid_stays on pay_periods")
    op.execute("drop function refuse_removal_of_paid_week")
    op.execute("drop trigger never_truncated on pay_periods")
    op.execute(
        "create trigger never_removed before delete or truncate on pay_periods "
        "for each statement execute function refuse_change()"
    )
