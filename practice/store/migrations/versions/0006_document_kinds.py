"""Kinds of documents"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What exists is closed to the front desk and to billing until somebody who treats the client files it elsewhere.
    op.add_column("documents", sa.Column("kind", sa.Text(), server_default="CLINICAL", nullable=False))
    op.alter_column("documents", "kind", server_default=None)
    op.add_column("documents", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_check_constraint(
        op.f("ck_documents_kind"), "documents", "kind in ('CLINICAL', 'INSURANCE', 'CONSENT', 'OTHER')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_documents_kind"), "documents", type_="check")
    op.drop_column("documents", "version")
    op.drop_column("documents", "kind")
