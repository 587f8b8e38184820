"""The email address that a client confirmed"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # null for earlier confirmations, which do not say what they are about: those clients confirm again
    op.add_column("clients", sa.Column("confirmed_email", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("clients", "confirmed_email")
