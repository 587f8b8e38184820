"""The ledger, the documents that it lacked, and the entries and balances of earlier records"""

import sqlalchemy as sa
from alembic import op

from practice.store.migrations.sqlfile import run_sql_file
from practice.store.policies import protect

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

WRITTEN_BY_TRIGGERS = ("ledger_accounts", "ledger_entries", "charge_balances", "charge_changes")
DOCUMENTS = ("balance_transfers", "provider_adjustments", "settlements")
ONLY_GROW_NOW = ("payment_applications", "adjustments", "refunds")
CHECKS = {
    "charges": {
        "copay": "copay_cents between 0 and amount_cents",
        "copay_beside_payer": "copay_cents = 0 or payer_id is not null",
    },
    "payments": {
        "credit": "payer <> 'CLIENT' or applied_cents + refunded_cents <= amount_cents + provider_cents",
        "taken_back": "payer <> 'CLIENT' or external_id is not null or applied_cents + refunded_cents >= 0",
        "void": "voided_at is null or (applied_cents = 0 and refunded_cents = 0 and provider_cents = 0)",
    },
}
TRIGGERS = {
    "charges": ("posts", "posts_changes", "money_stays"),
    "payments": ("posts", "posts_void", "money_stays", "starts_at_zero"),
    "payment_applications": (
        *("posts", "counts", "only_grows", "reverses_exactly", "refuses_void_charge"),
        "takes_back_what_was_applied",
    ),
    "adjustments": ("posts", "only_grows", "reverses_exactly", "refuses_void_charge"),
    "refunds": ("posts", "counts", "only_grows"),
}
FUNCTIONS = (
    *("post_documents", "post_charges", "post_changed_charge", "post_payments", "post_void_payment"),
    *("count_payments", "keep_money_of_charge", "keep_money_of_payment", "refuse_counted_payment"),
    *("check_reversal", "refuse_void_charge", "refuse_taking_too_much", "refuse_settling_with_client"),
    "check_accounts",
    *(
        "place_imported_balances",
        "sum_balances",
        "post_entries",
        "are_sums_written",
        "ledger_drafts",
        "ledger_account_id",
    ),
)


def upgrade() -> None:
    op.create_table(
        "charge_balances",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("open_cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "charge_id", "account_id", name=op.f("pk_charge_balances")),
    )
    op.create_table(
        "ledger_accounts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind in ('cash', 'receivable', 'unapplied', 'payer_balance', 'revenue', 'contractual', 'write_off', 'other_adjustment', 'interest', 'capitation', 'provider_adjustment')",
            name=op.f("ck_ledger_accounts_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("fk_ledger_accounts_tenant_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["practices.id"], name=op.f("fk_ledger_accounts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_accounts")),
    )
    op.create_index(
        op.f("ix_ledger_accounts_tenant_id_kind_payer_id_client_id"),
        "ledger_accounts",
        ["tenant_id", "kind", "payer_id", "client_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "ledger_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_ledger_entries_amount")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_ledger_entries_two_accounts")),
        sa.PrimaryKeyConstraint("tenant_id", "document_id", "kind", name=op.f("pk_ledger_entries")),
    )
    op.create_index(
        op.f("ix_ledger_entries_tenant_id_charge_id"),
        "ledger_entries",
        ["tenant_id", "charge_id"],
        unique=False,
        postgresql_where=sa.text("charge_id is not null"),
    )
    op.create_index(
        op.f("ix_ledger_entries_tenant_id_payment_id"),
        "ledger_entries",
        ["tenant_id", "payment_id"],
        unique=False,
        postgresql_where=sa.text("payment_id is not null"),
    )
    op.create_table(
        "provider_adjustments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_provider_adjustments_tenant_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_provider_adjustments")),
    )
    op.create_index(
        op.f("ix_provider_adjustments_tenant_id_payment_id"),
        "provider_adjustments",
        ["tenant_id", "payment_id"],
        unique=False,
    )
    op.create_table(
        "settlements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_settlements_tenant_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_settlements")),
    )
    op.create_index(
        op.f("ix_settlements_tenant_id_payment_id"), "settlements", ["tenant_id", "payment_id"], unique=False
    )
    op.create_table(
        "balance_transfers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("from_payer_id", sa.Text(), nullable=True),
        sa.Column("to_payer_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason in ('EXPECTED', 'PR', 'NEXT_COVERAGE', 'MANUAL', 'IMPORTED')",
            name=op.f("ck_balance_transfers_reason"),
        ),
        sa.CheckConstraint("from_payer_id is distinct from to_payer_id", name=op.f("ck_balance_transfers_parties")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["charges.tenant_id", "charges.id"],
            name=op.f("fk_balance_transfers_tenant_id_charge_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_balance_transfers")),
    )
    op.create_index(
        op.f("ix_balance_transfers_tenant_id_charge_id"), "balance_transfers", ["tenant_id", "charge_id"], unique=False
    )
    op.create_table(
        "charge_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("copay_cents", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents <> 0 or copay_cents <> 0", name=op.f("ck_charge_changes_amounts")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["charges.tenant_id", "charges.id"],
            name=op.f("fk_charge_changes_tenant_id_charge_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_charge_changes")),
    )
    op.create_index(
        op.f("ix_charge_changes_tenant_id_charge_id"), "charge_changes", ["tenant_id", "charge_id"], unique=False
    )
    op.add_column("adjustments", sa.Column("payer_id", sa.Text(), nullable=True))
    op.add_column("adjustments", sa.Column("reverses_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_adjustments_tenant_id_reverses_id"),
        "adjustments",
        ["tenant_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id is not null"),
    )
    op.create_foreign_key(
        op.f("fk_adjustments_tenant_id_reverses_id"),
        "adjustments",
        "adjustments",
        ["tenant_id", "reverses_id"],
        ["tenant_id", "id"],
    )
    op.add_column("charges", sa.Column("coverage_id", sa.Uuid(), nullable=True))
    op.add_column("charges", sa.Column("payer_id", sa.Text(), nullable=True))
    op.add_column("charges", sa.Column("copay_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_foreign_key(
        op.f("fk_charges_tenant_id_coverage_id"),
        "charges",
        "coverages",
        ["tenant_id", "coverage_id"],
        ["tenant_id", "id"],
    )
    op.add_column("payment_applications", sa.Column("reverses_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_payment_applications_tenant_id_reverses_id"),
        "payment_applications",
        ["tenant_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id is not null"),
    )
    op.create_foreign_key(
        op.f("fk_payment_applications_tenant_id_reverses_id"),
        "payment_applications",
        "payment_applications",
        ["tenant_id", "reverses_id"],
        ["tenant_id", "id"],
    )
    op.add_column("payments", sa.Column("applied_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("payments", sa.Column("refunded_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("payments", sa.Column("provider_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for table in WRITTEN_BY_TRIGGERS:
        for statement in protect(table, "select"):
            op.execute(statement)
    for table in DOCUMENTS:
        for statement in protect(table, "select, insert"):
            op.execute(statement)
    for table in ONLY_GROW_NOW:
        op.execute(f"revoke update on {table} from caseload_app")
    run_sql_file("0033_postings.sql")
    run_sql_file("0033_ledger.sql")
    run_sql_file("0033_ledger_of_before.sql")
    for table, checks in CHECKS.items():
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    run_sql_file("0033_documents_stay.sql")


def downgrade() -> None:
    for table, triggers in TRIGGERS.items():
        for trigger in triggers:
            op.execute(f"drop trigger {trigger} on {table}")
    for table in ONLY_GROW_NOW:
        op.execute(f"grant update on {table} to caseload_app")
    for table, checks in CHECKS.items():
        for name in checks:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_column("payments", "provider_cents")
    op.drop_column("payments", "refunded_cents")
    op.drop_column("payments", "applied_cents")
    op.drop_constraint(
        op.f("fk_payment_applications_tenant_id_reverses_id"), "payment_applications", type_="foreignkey"
    )
    op.drop_index(
        op.f("ix_payment_applications_tenant_id_reverses_id"),
        table_name="payment_applications",
        postgresql_where=sa.text("reverses_id is not null"),
    )
    op.drop_column("payment_applications", "reverses_id")
    op.drop_constraint(op.f("fk_charges_tenant_id_coverage_id"), "charges", type_="foreignkey")
    op.drop_column("charges", "copay_cents")
    op.drop_column("charges", "payer_id")
    op.drop_column("charges", "coverage_id")
    op.drop_constraint(op.f("fk_adjustments_tenant_id_reverses_id"), "adjustments", type_="foreignkey")
    op.drop_index(
        op.f("ix_adjustments_tenant_id_reverses_id"),
        table_name="adjustments",
        postgresql_where=sa.text("reverses_id is not null"),
    )
    op.drop_column("adjustments", "reverses_id")
    op.drop_column("adjustments", "payer_id")
    op.drop_index(op.f("ix_charge_changes_tenant_id_charge_id"), table_name="charge_changes")
    op.drop_table("charge_changes")
    op.drop_index(op.f("ix_balance_transfers_tenant_id_charge_id"), table_name="balance_transfers")
    op.drop_table("balance_transfers")
    op.drop_index(op.f("ix_settlements_tenant_id_payment_id"), table_name="settlements")
    op.drop_table("settlements")
    op.drop_index(op.f("ix_provider_adjustments_tenant_id_payment_id"), table_name="provider_adjustments")
    op.drop_table("provider_adjustments")
    op.drop_index(
        op.f("ix_ledger_entries_tenant_id_payment_id"),
        table_name="ledger_entries",
        postgresql_where=sa.text("payment_id is not null"),
    )
    op.drop_index(
        op.f("ix_ledger_entries_tenant_id_charge_id"),
        table_name="ledger_entries",
        postgresql_where=sa.text("charge_id is not null"),
    )
    op.drop_table("ledger_entries")
    op.drop_index(
        op.f("ix_ledger_accounts_tenant_id_kind_payer_id_client_id"),
        table_name="ledger_accounts",
        postgresql_nulls_not_distinct=True,
    )
    op.drop_table("ledger_accounts")
    op.drop_table("charge_balances")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
