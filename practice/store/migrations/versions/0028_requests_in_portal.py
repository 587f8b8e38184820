"""Deletion requests made in the portal: who asked there as a client or guardian may be staff later"""

import sqlalchemy as sa
from alembic import op

from practice.store.policies import change_every_practice

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MARK_REQUESTS = """
    update deletion_requests as d set asked_in_portal = true
    where d.asked_by is not null and not exists (
        select from staff as s
        where s.tenant_id = d.tenant_id and s.account_id = d.asked_by and s.created_at <= d.asked_at
    )
"""


def upgrade() -> None:
    op.add_column(
        "deletion_requests", sa.Column("asked_in_portal", sa.Boolean(), server_default="false", nullable=False)
    )
    for statement in change_every_practice(("deletion_requests", "staff"), MARK_REQUESTS):
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("deletion_requests", "asked_in_portal")
