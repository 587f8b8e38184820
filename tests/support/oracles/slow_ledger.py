"""A slow ledger: one document after the other, by the posting table in words. It reads documents and knows no SQL rule.

Written apart from the triggers and from `practice.billing.rules.ledger`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

Row = dict[str, Any]
Account = tuple[str, str | None, UUID | None]

TABLES = (
    *("charges", "charge_changes", "balance_transfers", "payments", "payment_applications", "adjustments", "refunds"),
    *("provider_adjustments", "settlements"),
)


def read_documents(db: Session, tenant_id: UUID) -> dict[str, list[Row]]:
    return {
        table: [
            dict(row)
            for row in db.execute(
                text(f"select * from {table} where tenant_id = :tenant_id order by id"), {"tenant_id": tenant_id}
            ).mappings()
        ]
        for table in TABLES
    }


def of_payer(payer_id: str) -> Account:
    return "receivable", payer_id, None


def of_client(client_id: UUID) -> Account:
    return "receivable", None, client_id


@dataclass
class SlowLedger:
    debits: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    credits: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    open: dict[tuple[UUID, Account], int] = field(default_factory=lambda: defaultdict(int))
    unapplied: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """Of a charge."""
    applied: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """To a charge, and of a payment."""
    adjusted: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    refunded: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    kept: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    received: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    def post(
        self, cents: int, debit: Account, credit: Account, *, charge: UUID | None = None, payment: UUID | None = None
    ) -> None:
        if cents < 0:
            cents, debit, credit = -cents, credit, debit
        self.debits[debit] += cents
        self.credits[credit] += cents
        for account, change in ((debit, cents), (credit, -cents)):
            if account[0] == "receivable" and charge:
                self.open[charge, account] += change
            if account[0] == "unapplied" and payment:
                self.unapplied[payment] -= change

    def post_all(self, documents: dict[str, list[Row]]) -> "SlowLedger":
        charges = {row["id"]: row for row in documents["charges"]}
        payments = {row["id"]: row for row in documents["payments"]}
        for charge in charges.values():
            self.post_charge(charge, [row for row in documents["charge_changes"] if row["charge_id"] == charge["id"]])
        for row in documents["balance_transfers"]:
            client_id = charges[row["charge_id"]]["client_id"]
            new, old = (
                of_client(client_id) if row[name] is None else of_payer(row[name])
                for name in ("to_payer_id", "from_payer_id")
            )
            self.post(row["amount_cents"], new, old, charge=row["charge_id"])
        for payment in payments.values():
            if payment["voided_at"] is None:
                self.received[payment["id"]] = payment["amount_cents"]
                self.post(payment["amount_cents"], ("cash", None, None), UNAPPLIED, payment=payment["id"])
            else:  # received and given back
                self.debits["cash", None, None] += payment["amount_cents"]
                self.credits["cash", None, None] += payment["amount_cents"]
                self.debits[UNAPPLIED] += payment["amount_cents"]
                self.credits[UNAPPLIED] += payment["amount_cents"]
        for row in documents["payment_applications"]:
            self.post_application(row, charges[row["charge_id"]], payments[row["payment_id"]])
        for row in documents["adjustments"]:
            self.post_adjustment(row, charges[row["charge_id"]])
        for row in documents["refunds"]:
            self.refunded[row["payment_id"]] += row["amount_cents"]
            self.post(row["amount_cents"], UNAPPLIED, ("cash", None, None), payment=row["payment_id"])
        for row in documents["provider_adjustments"]:
            self.kept[row["payment_id"]] += row["amount_cents"]
            self.post(
                row["amount_cents"],
                account_of_plb(row["code"], payments[row["payment_id"]]),
                UNAPPLIED,
                payment=row["payment_id"],
            )
        for row in documents["settlements"]:
            self.kept[row["payment_id"]] -= row["amount_cents"]
            owed_by = "payer_balance", payments[row["payment_id"]]["payer_id"] or "", None
            self.post(row["amount_cents"], UNAPPLIED, owed_by, payment=row["payment_id"])
        return self

    def post_charge(self, charge: Row, changes: Iterable[Row]) -> None:
        """Post what was asked at first, each change, and its end if it is void."""
        changes = list(changes)
        client = of_client(charge["client_id"])
        owing = client if charge["payer_id"] is None else of_payer(charge["payer_id"])
        total, copay = charge["amount_cents"], charge["copay_cents"]
        steps = [(row["amount_cents"], row["copay_cents"]) for row in changes]
        first = total - sum(step[0] for step in steps), copay - sum(step[1] for step in steps)
        ending = [(-total, -copay)] if charge["voided_at"] is not None else []
        for amount, expected in [first, *steps, *ending]:
            self.post(amount - expected, owing, ("revenue", None, None), charge=charge["id"])
            self.post(expected, client, ("revenue", None, None), charge=charge["id"])
        self.asked[charge["id"]] = 0 if ending else total

    def post_application(self, row: Row, charge: Row, payment: Row) -> None:
        self.applied[charge["id"]] += row["amount_cents"]
        self.applied[payment["id"]] += row["amount_cents"]
        if payment["payer"] == "CLIENT":
            paid_by = of_client(charge["client_id"])
        else:
            names = [name for name in (payment["payer_id"], charge["payer_id"]) if name is not None]
            paid_by = of_payer(names[0] if names else "")
        self.post(row["amount_cents"], UNAPPLIED, paid_by, charge=charge["id"], payment=payment["id"])

    def post_adjustment(self, row: Row, charge: Row) -> None:
        self.adjusted[charge["id"]] += row["amount_cents"]
        names = {"CO": "contractual", "WO": "write_off", "PI": "other_adjustment", "OA": "other_adjustment"}
        names |= {"CR": "other_adjustment", "PR": "other_adjustment"}
        lowered = of_client(charge["client_id"]) if row["payer_id"] is None else of_payer(row["payer_id"])
        self.post(row["amount_cents"], (names[row["group_code"]], None, None), lowered, charge=charge["id"])

    def find_broken_identities(self) -> list[str]:
        """Return each identity that does not hold, of charges and payments."""
        broken = []
        for charge, asked in self.asked.items():
            still_open = sum(cents for (of, _), cents in self.open.items() if of == charge)
            if asked != self.applied[charge] + self.adjusted[charge] + still_open:
                broken.append(f"charge {charge}")
        for payment in {*self.received, *self.unapplied}:
            if self.received[payment] + self.kept[payment] != (
                self.applied[payment] + self.refunded[payment] + self.unapplied[payment]
            ):
                broken.append(f"payment {payment}")
        if sum(self.debits.values()) != sum(self.credits.values()):
            broken.append("debits and credits")
        return broken


UNAPPLIED: Account = ("unapplied", None, None)


def account_of_plb(code: str, payment: Row) -> Account:
    if code in ("FB", "WO", "72", "CS", "B3"):
        return "payer_balance", payment["payer_id"] or "", None
    named = {"L6": "interest", "CT": "capitation", "CR": "capitation"}
    return named.get(code, "provider_adjustment"), None, None
