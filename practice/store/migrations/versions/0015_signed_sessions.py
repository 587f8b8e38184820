"""The signature of a session's note on its appointment"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNSIGNED = "status = 'COMPLETED' and note_signed_at is null"


def upgrade() -> None:
    run_sql_file("0015_signed_sessions.sql")
    op.create_index(
        "ix_appointments_unsigned",
        "appointments",
        ["tenant_id", "starts_at", "id"],
        unique=False,
        postgresql_where=sa.text(UNSIGNED),
    )


def downgrade() -> None:
    op.drop_index("ix_appointments_unsigned", table_name="appointments", postgresql_where=sa.text(UNSIGNED))
    op.execute("drop trigger show_when_written on notes")
    op.execute("drop trigger show_when_changed on notes")
    op.execute("drop function show_new_signatures")
    op.execute("drop function show_signature")
    op.execute("drop function first_signature")
    op.drop_column("appointments", "note_signed_at")
