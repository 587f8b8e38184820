"""Documents of billing, written as the runtime role writes them."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client

DAY = date(2026, 3, 2)


def insert(db: Session, table: str, tenant_id: UUID, **values: Any) -> UUID:
    """Insert a row under a new id and return the id."""
    row = {"tenant_id": tenant_id, "id": new_id()} | values
    names = ", ".join(row)
    db.execute(text(f"insert into {table} ({names}) values ({', '.join(f':{name}' for name in row)})"), row)
    return row["id"]


@dataclass
class Documents:
    """Writes documents of one practice in a session. Amounts are in cents, and `now` is the moment of each."""

    db: Session
    tenant_id: UUID
    client_id: UUID
    clinician_id: UUID
    now: datetime

    def charge(self, cents: int = 16500, payer: str | None = "P1", **values: Any) -> UUID:
        row = {"client_id": self.client_id, "clinician_id": self.clinician_id, "service_date": DAY}
        row |= {"cpt_code": "90837", "units": 1, "amount_cents": cents, "payer_id": payer, "created_at": self.now}
        return insert(self.db, "charges", self.tenant_id, **row | values)

    def pay(self, cents: int, payer: str | None = None, **values: Any) -> UUID:
        """Receive a payment of an insurer, or without one of the client."""
        row = {"payer": "INSURANCE" if payer else "CLIENT", "client_id": None if payer else self.client_id}
        row |= {"payer_id": payer, "method": "CHECK", "amount_cents": cents}
        row |= {"received_on": self.now.date(), "posted_at": self.now}
        return insert(self.db, "payments", self.tenant_id, **row | values)

    def apply(self, payment_id: UUID, charge_id: UUID, cents: int, **values: Any) -> UUID:
        row = {"payment_id": payment_id, "charge_id": charge_id, "amount_cents": cents, "posted_at": self.now}
        return insert(self.db, "payment_applications", self.tenant_id, **row | values)

    def adjust(self, charge_id: UUID, cents: int, group: str = "CO", payer: str | None = "P1", **values: Any) -> UUID:
        row = {"charge_id": charge_id, "amount_cents": cents, "group_code": group, "reason": "45", "payer_id": payer}
        return insert(self.db, "adjustments", self.tenant_id, **row | {"posted_at": self.now} | values)

    def transfer(self, charge_id: UUID, cents: int, old: str | None, new: str | None, reason: str = "PR") -> UUID:
        row = {"charge_id": charge_id, "amount_cents": cents, "from_payer_id": old, "to_payer_id": new}
        return insert(self.db, "balance_transfers", self.tenant_id, **row, reason=reason, posted_at=self.now)

    def refund(self, payment_id: UUID, cents: int) -> UUID:
        row = {"payment_id": payment_id, "amount_cents": cents, "method": "CHECK", "refunded_at": self.now}
        return insert(self.db, "refunds", self.tenant_id, **row)

    def keep(self, payment_id: UUID, cents: int, code: str = "WO") -> UUID:
        row = {"payment_id": payment_id, "amount_cents": cents, "code": code, "posted_at": self.now}
        return insert(self.db, "provider_adjustments", self.tenant_id, **row)

    def settle(self, payment_id: UUID, cents: int) -> UUID:
        return insert(
            self.db, "settlements", self.tenant_id, payment_id=payment_id, amount_cents=cents, posted_at=self.now
        )

    def change(self, table: str, record_id: UUID, **values: Any) -> None:
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        self.db.execute(
            text(f"update {table} set {assignments} where tenant_id = :tenant_id and id = :id"),
            {"tenant_id": self.tenant_id, "id": record_id, **values},
        )


@dataclass
class BillingPractice:
    """A practice with a client and a clinician, for documents in one transaction each."""

    practice: PracticeFixture

    @cached_property
    def client_id(self) -> UUID:
        return make_client(self.practice)

    @cached_property
    def clinician(self) -> Person:
        return self.practice.add("clinician")

    @property
    def clinician_id(self) -> UUID:
        return self.clinician.staff_id

    def documents(self, db: Session, now: datetime | None = None) -> Documents:
        return Documents(db, self.practice.id, self.client_id, self.clinician_id, now or self.practice.now)

    def write(self, write: Any, now: datetime | None = None) -> Any:
        """Write documents in a transaction and return what `write` returns."""
        documents = self.client_id, self.clinician_id
        with self.practice.work(now=now) as work:
            return write(Documents(work.db, self.practice.id, *documents, now or self.practice.now))
