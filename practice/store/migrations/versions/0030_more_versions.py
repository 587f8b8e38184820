"""Versions of corrected appointments and reviews, and of birth, admission and end of treatment"""

from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import change_every_practice

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TABLES = ("record_versions", "clients", "analytics.changes")  # a refresh copies what changes here
ADDED = ("birth_date", "admitted_on", "ended_on")
ONLY_GROWS = (
    "create trigger only_grows before update or delete or truncate on record_versions "
    "for each statement execute function refuse_change()"
)
# What stands today counts as known from the beginning.
ADD_VALUES = """
    update record_versions as v set record_values = v.record_values
        || jsonb_build_object('birth_date', c.birth_date, 'admitted_on', c.admitted_on, 'ended_on', c.ended_on)
    from clients as c
    where c.tenant_id = v.tenant_id and c.id = v.record_id and v.record_kind = 'clients'
"""
REMOVED_KINDS = "('appointments', 'treatment_plan_reviews')"


def upgrade() -> None:
    op.execute("drop trigger only_grows on record_versions")
    for statement in change_every_practice(TABLES, ADD_VALUES):
        op.execute(statement)
    op.execute(ONLY_GROWS)
    run_sql_file("0030_more_versions.sql")


def downgrade() -> None:
    run_sql_file("0030_more_versions_before.sql")
    for statement in change_every_practice(
        TABLES,
        f"delete from record_versions where record_kind in {REMOVED_KINDS}",
        f"update record_versions set record_values = record_values - array{list(ADDED)} where record_kind = 'clients'",
    ):
        op.execute(statement)
    op.execute(ONLY_GROWS)
