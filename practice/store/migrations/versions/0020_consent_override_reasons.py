"""Reasons for visits without consents, in the appointment's steps instead of the audit log"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appointment_steps", sa.Column("consent_override_reason", sa.LargeBinary(), nullable=True))
    run_sql_file("0020_consent_override_reasons.sql")


def downgrade() -> None:
    run_sql_file("0020_consent_override_reasons_before.sql")
    op.drop_column("appointment_steps", "consent_override_reason")
