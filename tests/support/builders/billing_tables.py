"""For each table of billing: the privileges of the application, and a row."""

from tests.support.builders.table_fixtures import READ_APPEND, READ_WRITE, Table, build_insert

BILLING_TABLES = {
    "charges": Table(
        READ_WRITE,
        insert=build_insert(
            "charges",
            "client_id, clinician_id, service_date, cpt_code, units, amount_cents, created_at",
            "%(client_id)s, %(staff_id)s, '2026-03-01', '90837', 1, 15000, now()",
            "charge",
        ),
    ),
    "claims": Table(
        READ_WRITE,
        insert=build_insert(
            "claims",
            "control_number, client_id, coverage_id, submitted_at",
            "'PCN1', %(client_id)s, %(coverage_id)s, now()",
            "claim",
        ),
    ),
    "claim_charges": Table(
        READ_WRITE,
        insert="insert into claim_charges (tenant_id, claim_id, position, charge_id) "
        "values (%(tenant_id)s, %(claim_id)s, 1, %(charge_id)s)",
    ),
    "payments": Table(
        READ_WRITE,
        insert=build_insert(
            "payments",
            "payer, client_id, method, amount_cents, received_on, posted_at",
            "'CLIENT', %(client_id)s, 'CASH', 3000, '2026-03-01', now()",
            "payment",
        ),
    ),
    "payment_applications": Table(
        READ_APPEND,
        insert=build_insert(
            "payment_applications",
            "payment_id, charge_id, amount_cents, posted_at",
            "%(payment_id)s, %(charge_id)s, 2900, now()",
        ),
    ),
    "refunds": Table(
        READ_APPEND,
        insert=build_insert(
            "refunds", "payment_id, amount_cents, method, refunded_at", "%(payment_id)s, 100, 'CASH', now()"
        ),
    ),
    "adjustments": Table(
        READ_APPEND,
        insert=build_insert(
            "adjustments",
            "charge_id, group_code, reason, amount_cents, posted_at",
            "%(charge_id)s, 'CO', '45', 500, now()",
        ),
    ),
    "balance_transfers": Table(
        READ_APPEND,
        insert=build_insert(
            "balance_transfers",
            "charge_id, to_payer_id, reason, amount_cents, posted_at",
            "%(charge_id)s, 'P1', 'MANUAL', 700, now()",
        ),
    ),
    "provider_adjustments": Table(
        READ_APPEND,
        insert=build_insert(
            "provider_adjustments", "payment_id, code, amount_cents, posted_at", "%(payment_id)s, 'L6', 50, now()"
        ),
    ),
    "settlements": Table(
        READ_APPEND,
        insert=build_insert("settlements", "payment_id, amount_cents, posted_at", "%(payment_id)s, 0, now()"),
    ),
    # written by triggers of those above
    "charge_changes": Table(
        "select",
        insert=build_insert(
            "charge_changes", "charge_id, amount_cents, copay_cents, changed_at", "%(charge_id)s, 100, 0, now()"
        ),
    ),
    "ledger_accounts": Table("select"),
    "ledger_entries": Table("select"),
    "charge_balances": Table("select"),
}
