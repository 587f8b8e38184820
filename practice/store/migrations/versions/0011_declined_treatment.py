"""Intake forms in which treatment was declined"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intake_forms", sa.Column("treatment_declined", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("intake_forms", "treatment_declined")
