"""Random histories: documents in any order, refused ones among them. The ledger agrees with one kept slowly by hand."""

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from practice.billing.ledger import read_trial_balance
from practice.billing.rules.ledger import build_entries
from practice.billing.verification import DOCUMENTS, find_ledger_problems
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.store.engine import ENTER_PRACTICE
from tests.support.builders.billing import BillingPractice, Documents
from tests.support.builders.people import make_practice
from tests.support.oracles.slow_ledger import SlowLedger, read_documents

HISTORIES = 2_000 if os.environ.get("CASELOAD_LONG") else 200
AT_LAST = datetime(2200, 1, 1, tzinfo=UTC)  # outside a service, a change is of the real time
PAYERS = (None, "P1", "P2")
CODES = ("FB", "WO", "72", "CS", "B3", "L6", "CT", "CR", "J1", "IMPORTED")
GROUPS = ("CO", "WO", "PR", "OA", "PI", "CR")

Step = tuple[str, int, int, int, int]


class History:
    """Writes random documents of one practice. A step that the database refuses leaves nothing."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.ids: dict[str, list[UUID]] = defaultdict(list)
        self.done: dict[str, int] = defaultdict(int)
        self.refused: dict[str, int] = defaultdict(int)

    def run(self, step: Step) -> None:
        name, *numbers = step
        self.documents.now += timedelta(minutes=1)
        try:
            with self.documents.db.begin_nested():
                getattr(self, name)(*numbers)
            self.done[name] += 1
        except IntegrityError:
            self.refused[name] += 1
        except LookupError:
            pass  # nothing to do it with yet

    def pick(self, table: str, number: int) -> UUID:
        if not self.ids[table]:
            raise LookupError
        return self.ids[table][number % len(self.ids[table])]

    def charge(self, cents: int, payer: int, copay: int, _: int) -> None:
        named = PAYERS[payer % 3]
        copay_cents = min(copay % 2_500, abs(cents)) if named else 0
        self.ids["charges"].append(self.documents.charge(abs(cents), named, copay_cents=copay_cents))

    def void_charge(self, charge: int, *_: int) -> None:
        self.documents.change("charges", self.pick("charges", charge), voided_at=self.documents.now)

    def change_charge(self, charge: int, cents: int, copay: int, _: int) -> None:
        self.documents.change(
            "charges", self.pick("charges", charge), amount_cents=abs(cents), copay_cents=min(copay % 500, abs(cents))
        )

    def transfer(self, charge: int, cents: int, old: int, new: int) -> None:
        self.documents.transfer(self.pick("charges", charge), cents, PAYERS[old % 3], PAYERS[new % 3])

    def pay(self, cents: int, payer: int, unnamed: int, _: int) -> None:
        named = PAYERS[payer % 3]
        values: dict[str, Any] = {"payer_id": None} if named and unnamed % 5 == 0 else {}
        self.ids["payments"].append(self.documents.pay(abs(cents), named, **values))

    def void_payment(self, payment: int, *_: int) -> None:
        self.documents.change("payments", self.pick("payments", payment), voided_at=self.documents.now)

    def apply(self, payment: int, charge: int, cents: int, _: int) -> None:
        applied = self.documents.apply(self.pick("payments", payment), self.pick("charges", charge), cents)
        self.ids["payment_applications"].append(applied)

    def adjust(self, charge: int, cents: int, group: int, payer: int) -> None:
        adjusted = self.documents.adjust(
            self.pick("charges", charge), cents, GROUPS[group % len(GROUPS)], PAYERS[payer % 3]
        )
        self.ids["adjustments"].append(adjusted)

    def reverse(self, adjustment: int, row: int, *_: int) -> None:
        """Undo a whole application or adjustment."""
        table = ("payment_applications", "adjustments")[adjustment % 2]
        row_id = self.pick(table, row)
        columns = (
            "payment_id, charge_id" if table == "payment_applications" else "charge_id, group_code, reason, payer_id"
        )
        self.documents.db.execute(
            text(f"""
                insert into {table} (tenant_id, id, {columns}, amount_cents, posted_at, reverses_id)
                select tenant_id, uuidv7(), {columns}, -amount_cents, :now, id from {table}
                where tenant_id = :tenant_id and id = :id
            """),
            {"tenant_id": self.documents.tenant_id, "id": row_id, "now": self.documents.now},
        )

    def refund(self, payment: int, cents: int, *_: int) -> None:
        self.documents.refund(self.pick("payments", payment), abs(cents) or 1)

    def keep(self, payment: int, cents: int, code: int, _: int) -> None:
        self.documents.keep(self.pick("payments", payment), cents, CODES[code % len(CODES)])

    def settle(self, payment: int, cents: int, *_: int) -> None:
        self.documents.settle(self.pick("payments", payment), cents)


OFTEN = ("charge", "pay", "apply", "apply", "adjust", "transfer")
SELDOM = ("void_charge", "change_charge", "void_payment", "reverse", "refund", "keep", "settle")
CENTS = st.one_of(st.integers(-20_000, 20_000), st.sampled_from([0, 1, -1, 2_500, 10_500, 16_500]))
STEPS = st.lists(
    st.tuples(st.sampled_from((*OFTEN, *OFTEN, *SELDOM)), CENTS, CENTS, CENTS, CENTS), min_size=8, max_size=40
)


@pytest.fixture(scope="module")
def billing(installation: Installation) -> BillingPractice:
    return BillingPractice(make_practice(installation))


@settings(max_examples=HISTORIES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=STEPS, imports=st.booleans())
def test_every_history_agrees_with_a_slow_ledger(billing: BillingPractice, steps: list[Step], imports: bool) -> None:
    billing.client_id, billing.clinician_id  # noqa: B018 - both exist before the history
    with billing.practice.work() as work:
        if imports:  # which the rules of services do not bind
            work.db.execute(ENTER_PRACTICE, {"tenant_id": billing.practice.id, "now": None})
        history = History(billing.documents(work.db))
        for step in steps:
            history.run(step)
        documents = read_documents(work.db, billing.practice.id)
        ledger = SlowLedger().post_all(documents)
        assert ledger.find_broken_identities() == []
        assert find_ledger_problems(work.db, billing.practice.id) == []
        compare_with_slow_ledger(work, history, ledger)
        compare_with_rules(work.db, billing.practice.id)
        work.db.rollback()
        work.entries.clear()


def compare_with_slow_ledger(work: Any, history: History, ledger: SlowLedger) -> None:
    accounts = {
        (row.kind, row.payer_id, row.client_id): (row.debit_cents, row.credit_cents)
        for row in read_trial_balance(work, Scope.ALL, AT_LAST)
    }
    named = ledger.debits.keys() | ledger.credits.keys()
    expected = {account: (ledger.debits[account], ledger.credits[account]) for account in named}
    assert accounts == {account: sums for account, sums in expected.items() if any(sums)}
    tenant = {"tenant_id": history.documents.tenant_id}
    balances = work.db.execute(
        text("""
            select b.charge_id, k.kind, k.payer_id, k.client_id, b.open_cents
            from charge_balances as b join ledger_accounts as k on k.tenant_id = b.tenant_id and k.id = b.account_id
            where b.tenant_id = :tenant_id and b.open_cents <> 0
        """),
        tenant,
    )
    assert {(row[0], tuple(row[1:4])): row[4] for row in balances} == {
        key: cents for key, cents in ledger.open.items() if cents
    }
    payments = work.db.execute(
        text("""
            select id, applied_cents, refunded_cents, provider_cents from payments where tenant_id = :tenant_id
        """),
        tenant,
    )
    for row in payments:
        assert tuple(row[1:]) == (ledger.applied[row.id], ledger.refunded[row.id], ledger.kept[row.id])


def compare_with_rules(db: Session, tenant_id: UUID) -> None:
    """Compare the stored entries with those that the posting table gives for each document."""
    tenant = {"tenant_id": tenant_id}
    expected = {
        (entry.kind, row["id"], tuple(entry.debit), tuple(entry.credit), entry.amount_cents)
        for table, query in DOCUMENTS.items()
        for row in db.execute(text(query), tenant).mappings()
        for entry in build_entries(table, row)
    }
    stored = db.execute(
        text("""
            select e.kind, e.document_id, e.amount_cents, d.kind, d.payer_id, d.client_id, c.kind, c.payer_id,
                c.client_id
            from ledger_entries as e
            join ledger_accounts as d on d.tenant_id = e.tenant_id and d.id = e.debit_id
            join ledger_accounts as c on c.tenant_id = e.tenant_id and c.id = e.credit_id
            where e.tenant_id = :tenant_id
        """),
        tenant,
    )
    assert {(row[0], row[1], tuple(row[3:6]), tuple(row[6:9]), row[2]) for row in stored} == expected
