"""Tickets to Dagster's page"""

import sqlalchemy as sa
from alembic import op

from practice.store.policies import open_system_table

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dagster_tickets",
        sa.Column("ticket_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["account_sessions.id"], name=op.f("fk_dagster_tickets_session_id")),
        sa.PrimaryKeyConstraint("ticket_hash", name=op.f("pk_dagster_tickets")),
    )
    op.execute(open_system_table("dagster_tickets"))


def downgrade() -> None:
    op.drop_table("dagster_tickets")
