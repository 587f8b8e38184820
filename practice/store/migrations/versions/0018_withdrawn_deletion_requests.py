"""Withdrawn deletion requests"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "deletion_requests"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("withdrawn_by", sa.Uuid(), nullable=True))
    op.add_column(TABLE, sa.Column("withdrawal_reason", sa.Text(), nullable=True))
    replace_status_check("'ASKED', 'APPROVED', 'REFUSED', 'REDACTED', 'WITHDRAWN'")
    op.create_check_constraint(
        op.f("ck_deletion_requests_withdrawal"),
        TABLE,
        "(status = 'WITHDRAWN') = (num_nonnulls(withdrawn_at, withdrawal_reason) = 2)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_deletion_requests_withdrawal"), TABLE)
    op.execute(
        "update deletion_requests set status = 'REFUSED', refusal = withdrawal_reason where status = 'WITHDRAWN'"
    )
    replace_status_check("'ASKED', 'APPROVED', 'REFUSED', 'REDACTED'")
    for column in ("withdrawal_reason", "withdrawn_by", "withdrawn_at"):
        op.drop_column(TABLE, column)


def replace_status_check(statuses: str) -> None:
    op.drop_constraint(op.f("ck_deletion_requests_status"), TABLE)
    op.create_check_constraint(op.f("ck_deletion_requests_status"), TABLE, f"status in ({statuses})")
