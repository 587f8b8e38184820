"""Published values of the warehouse"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import THIS_PRACTICE

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("refreshes", "metric_cells")


def upgrade() -> None:
    run_sql_file("0022_analytics.sql")
    for table in TABLES:
        name = f"analytics.{table}"
        op.execute(f"alter table {name} enable row level security")
        op.execute(f"alter table {name} force row level security")
        op.execute(f"create policy own_practice on {name} using ({THIS_PRACTICE}) with check ({THIS_PRACTICE})")
        op.execute(f"grant select, insert, update, delete on {name} to caseload_app")
    # The warehouse role builds in schemas of its own, which the owner of the database cannot make for it.
    op.execute(
        "do $$ begin execute format('grant create on database %I to caseload_warehouse', current_database()); end $$"
    )


def downgrade() -> None:
    op.execute("drop view analytics.metric_values")
    for table in reversed(TABLES):
        op.execute(f"drop table analytics.{table}")
    op.execute("drop schema analytics")
