"""Services that clients can book online"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("services", sa.Column("bookable_online", sa.Boolean(), server_default="true", nullable=False))


def downgrade() -> None:
    op.drop_column("services", "bookable_online")
