"""Audit entries of lists by the clients that they showed"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_audit_log_client_ids",
        "audit_log",
        [sa.literal_column("(details -> 'client_ids')")],
        postgresql_using="gin",
        postgresql_where=sa.text("details ? 'client_ids'"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_log_client_ids", table_name="audit_log")
