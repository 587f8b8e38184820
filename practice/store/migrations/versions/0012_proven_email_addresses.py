"""Links that prove an email address, changed addresses of clients"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PURPOSES = ("invitation", "reset", "code", "enrol", "practice")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("email_proven_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("one_time_tokens", sa.Column("client_id", sa.Uuid(), nullable=True))
    op.add_column("one_time_tokens", sa.Column("mailed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    allow_purposes(*PURPOSES, "email_change")
    op.add_column("clients", sa.Column("former_account_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_clients_former_account_id"), "clients", "accounts", ["former_account_id"], ["id"])
    op.add_column("clients", sa.Column("email_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clients", sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("clients", "email_confirmed_at")
    op.drop_column("clients", "email_changed_at")
    op.drop_constraint(op.f("fk_clients_former_account_id"), "clients")
    op.drop_column("clients", "former_account_id")
    op.execute("delete from one_time_tokens where purpose = 'email_change'")
    allow_purposes(*PURPOSES)
    op.drop_column("one_time_tokens", "mailed")
    op.drop_column("one_time_tokens", "client_id")
    op.drop_column("accounts", "email_proven_at")


def allow_purposes(*purposes: str) -> None:
    """Replace the list of purposes that a one-time token may have."""
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens")
    quoted = ", ".join(f"'{purpose}'" for purpose in purposes)
    op.create_check_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens", f"purpose in ({quoted})")
