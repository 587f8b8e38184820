"""Changes of a practice's time zone"""

import sqlalchemy as sa
from alembic import op

from practice.store.policies import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "time_zone_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("old_zone", sa.Text(), nullable=False),
        sa.Column("new_zone", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_time_zone_changes_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_time_zone_changes")),
        sa.UniqueConstraint("tenant_id", "changed_at", name=op.f("uq_time_zone_changes_tenant_id_changed_at")),
    )
    for statement in protect("time_zone_changes", "select, insert"):
        op.execute(statement)
    op.execute(
        "create trigger only_grows before update or delete or truncate on time_zone_changes "
        "for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("time_zone_changes")
