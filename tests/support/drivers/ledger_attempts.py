"""Acts that the ledger's rules in the database refuse, on a practice with documents of every kind."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import text

from practice.store.ids import new_id
from tests.support.builders.billing import Documents


class Prepared(Documents):
    """Documents with a charge of $165 of payer P1 that the insurer paid and adjusted, and another without anything."""

    charge_id: UUID
    other_id: UUID
    insurance_id: UUID
    own_payment_id: UUID
    applied_id: UUID
    adjusted_id: UUID


def prepare(documents: Documents) -> Prepared:
    prepared = Prepared(**vars(documents))
    prepared.charge_id, prepared.other_id = prepared.charge(), prepared.charge(9000, None)
    prepared.insurance_id, prepared.own_payment_id = prepared.pay(10500, "P1"), prepared.pay(10000)
    prepared.applied_id = prepared.apply(prepared.insurance_id, prepared.charge_id, 10500)
    prepared.adjusted_id = prepared.adjust(prepared.charge_id, 4000)
    prepared.transfer(prepared.charge_id, 2000, "P1", None)
    prepared.refund(prepared.insurance_id, 100)
    prepared.keep(prepared.insurance_id, 100)
    prepared.settle(prepared.insurance_id, 100)
    prepared.change("charges", prepared.other_id, amount_cents=9500)
    return prepared


def add_entry(documents: Prepared, **values: object) -> None:
    """Insert an entry from revenue to cash, with other values."""
    db, tenant = documents.db, {"tenant_id": documents.tenant_id}
    accounts = {
        row.kind: row.id
        for row in db.execute(text("select kind, id from ledger_accounts where tenant_id = :tenant_id"), tenant)
    }
    row = {"document_id": new_id(), "kind": "charge", "debit_id": accounts["cash"], "credit_id": accounts["revenue"]}
    row |= {"amount_cents": 100, "posted_at": documents.now} | tenant | values
    names = ", ".join(row)
    db.execute(text(f"insert into ledger_entries ({names}) values ({', '.join(f':{n}' for n in row)})"), row)


def add_entry_of_one_account(documents: Prepared) -> None:
    cash = text("select id from ledger_accounts where tenant_id = :tenant_id and kind = 'cash'")
    account_id = documents.db.scalar(cash, {"tenant_id": documents.tenant_id})
    add_entry(documents, debit_id=account_id, credit_id=account_id)


def change_first(table: str, operation: str) -> Callable[[Prepared], None]:
    """Return an act on every row of a table of the practice."""
    column = {"ledger_entries": "amount_cents", "ledger_accounts": "kind", "charge_balances": "open_cents"}.get(
        table, "amount_cents"
    )
    statements = {
        "update": f"update {table} set {column} = {column} where tenant_id = :tenant_id",
        "delete": f"delete from {table} where tenant_id = :tenant_id",
        "truncate": f"truncate {table}",
        "insert": f"insert into {table} select * from {table} where tenant_id = :tenant_id",
    }

    def act(documents: Prepared) -> None:
        tenant = {"tenant_id": documents.tenant_id} if operation != "truncate" else {}
        documents.db.execute(text(statements[operation]), tenant)

    return act


def reverse(documents: Prepared, **values: object) -> UUID:
    row = {"cents": -10500, "reverses_id": documents.applied_id} | values
    payment_id, charge_id = row.pop("payment_id", documents.insurance_id), row.pop("charge_id", documents.charge_id)
    return documents.apply(payment_id, charge_id, row.pop("cents"), **row)  # ty: ignore[invalid-argument-type]


def reverse_adjustment(documents: Prepared, cents: int = -4000, group: str = "CO", payer: str | None = "P1") -> UUID:
    return documents.adjust(documents.charge_id, cents, group, payer, reverses_id=documents.adjusted_id)


def reverse_twice(act: Callable[[Prepared], UUID]) -> Callable[[Prepared], None]:
    def act_twice(documents: Prepared) -> None:
        act(documents)
        act(documents)

    return act_twice


def overspend(documents: Prepared) -> None:
    documents.apply(documents.own_payment_id, documents.other_id, 6000)
    documents.apply(documents.own_payment_id, documents.other_id, 4001)


def overrefund(documents: Prepared) -> None:
    documents.apply(documents.own_payment_id, documents.other_id, 6000)
    documents.refund(documents.own_payment_id, 4001)


def take_back_of_another(documents: Prepared) -> None:
    documents.apply(documents.own_payment_id, documents.charge_id, -100)


def take_back_too_much(documents: Prepared) -> None:
    documents.apply(documents.insurance_id, documents.other_id, -100)


def void_paid_payment(documents: Prepared) -> None:
    documents.apply(documents.own_payment_id, documents.other_id, 100)
    documents.change("payments", documents.own_payment_id, voided_at=documents.now)


def void_paid_charge(documents: Prepared) -> None:
    documents.change("charges", documents.charge_id, voided_at=documents.now)


def on_void_charge(act: Callable[[Prepared], object]) -> Callable[[Prepared], None]:
    def act_on_void(documents: Prepared) -> None:
        documents.change("charges", documents.other_id, voided_at=documents.now)
        act(documents)

    return act_on_void


def set_charge(**values: object) -> Callable[[Prepared], None]:
    return lambda documents: documents.change("charges", documents.charge_id, **values)


def set_payment(**values: object) -> Callable[[Prepared], None]:
    return lambda documents: documents.change("payments", documents.own_payment_id, **values)


def change_claimed_charge(documents: Prepared) -> None:
    db, tenant = documents.db, {"tenant_id": documents.tenant_id}
    coverage, claim = {"id": new_id(), "client_id": documents.client_id} | tenant, {"claim_id": new_id()} | tenant
    db.execute(
        text("""
            insert into coverages (tenant_id, id, client_id, rank, payer_id, payer_name, member_id, effective_on)
            values (:tenant_id, :id, :client_id, 1, 'P1', 'Plan', 'M1', '2025-01-01')
        """),
        coverage,
    )
    db.execute(
        text("""
            insert into claims (tenant_id, id, control_number, client_id, coverage_id, submitted_at)
            values (:tenant_id, :claim_id, 'N1', :client_id, :id, now())
        """),
        coverage | claim,
    )
    db.execute(
        text("""
            insert into claim_charges (tenant_id, claim_id, position, charge_id)
            values (:tenant_id, :claim_id, 1, :charge_id)
        """),
        claim | {"charge_id": documents.other_id},
    )
    documents.change("charges", documents.other_id, amount_cents=100)
