"""`caseload doctor` finds what somebody who owns the database changed on the ledger and in its documents."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from practice.billing.verification import examine_ledger
from practice.security.doctor import Finding
from practice.security.installation import Installation
from tests.support.builders.billing import BillingPractice, Documents
from tests.support.builders.people import make_practice
from tests.support.harness import cluster


@dataclass
class Books:
    """A practice with a document of every kind, two of its charges and two of its payments."""

    billing: BillingPractice
    charge_id: UUID
    other_id: UUID
    payment_id: UUID

    def tamper(self, statement: str) -> list[Finding]:
        """Change something as a superuser without triggers, and return what the doctor finds. Nothing stays changed."""
        installation, tenant_id = self.billing.practice.installation, self.billing.practice.id
        parameters = {"t": tenant_id, "charge": self.charge_id, "other": self.other_id, "payment": self.payment_id}
        with cluster.connect_as_superuser(installation.store.database) as connection:
            connection.execute("set session_replication_role = replica")
            changed = connection.execute(statement, parameters).rowcount  # ty: ignore[invalid-argument-type]
        assert changed > 0
        return list(examine_ledger(installation, self.billing.practice.now, tenant_id, "Practice"))


@pytest.fixture
def books(own_installation: Installation) -> Books:
    billing = BillingPractice(make_practice(own_installation))

    def write(documents: Documents) -> Books:
        charge_id, other_id = documents.charge(16500, copay_cents=2500), documents.charge(9000, None)
        payment_id, credit_id = documents.pay(10000, "P1"), documents.pay(9000)
        documents.apply(payment_id, charge_id, 9000)
        documents.apply(credit_id, other_id, 4000)
        documents.adjust(charge_id, 3000)
        documents.transfer(charge_id, 500, "P1", None)
        documents.refund(credit_id, 1000)
        documents.keep(payment_id, 700)
        documents.settle(payment_id, 200)
        changed_id = documents.charge(5000)
        documents.change("charges", changed_id, amount_cents=6000)
        return Books(billing, charge_id, other_id, payment_id)

    return billing.write(write)


ONE_APPLICATION = "tenant_id = %(t)s and kind = 'application' and charge_id = %(charge)s"

TAMPERINGS = {
    "the amount of a charge": (
        "update charges set amount_cents = amount_cents + 1 where tenant_id = %(t)s and id = %(charge)s",
        "The entry `charge` of charges {charge} (charge {charge}) has another amount than its document.",
    ),
    "the copay of a charge": (
        "update charges set copay_cents = 2400 where tenant_id = %(t)s and id = %(charge)s",
        "The entry `copay` of charges {charge} (charge {charge}) has another amount than its document.",
    ),
    "the payer of a charge": (
        "update charges set payer_id = 'P9' where tenant_id = %(t)s and id = %(charge)s",
        "The entry `charge` of charges {charge} (charge {charge}) is on other accounts.",
    ),
    "a void": (
        "update charges set voided_at = now() where tenant_id = %(t)s and id = %(charge)s",
        "The entry `void` of charges {charge} (charge {charge}) is missing.",
    ),
    **{
        f"the amount of a row of {table}": (
            f"update {table} set amount_cents = amount_cents + 1 where tenant_id = %(t)s and {column} = %({subject})s",
            f"({subject} {{{subject}}}) has another amount than its document.",
        )
        for table, column, subject in (
            ("adjustments", "charge_id", "charge"),
            ("balance_transfers", "charge_id", "charge"),
            ("payments", "id", "payment"),
            ("provider_adjustments", "payment_id", "payment"),
            ("settlements", "payment_id", "payment"),
        )
    },
    "the amount of an application": (
        "update payment_applications set amount_cents = 1 where tenant_id = %(t)s and charge_id = %(charge)s",
        "(charge {charge}, payment {payment}) has another amount than its document.",
    ),
    "the amount of a refund": (
        "update refunds set amount_cents = 1 where tenant_id = %(t)s",
        "The entry `refund` of refunds ",
    ),
    "a change of a charge": (
        "update charge_changes set amount_cents = 1 where tenant_id = %(t)s",
        "The entry `charge_change` of charge_changes ",
    ),
    "a document that is gone": (
        "delete from adjustments where tenant_id = %(t)s and charge_id = %(charge)s",
        "(charge {charge}) has no document.",
    ),
    "an entry that is gone": (
        f"delete from ledger_entries where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) is missing.",
    ),
    "another entry": (
        "insert into ledger_entries select tenant_id, uuidv7(), kind, debit_id, credit_id, amount_cents, charge_id, "
        f"payment_id, posted_at from ledger_entries where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) has no document.",
    ),
    "an entry on another account": (
        "update ledger_entries as e set credit_id = k.id from ledger_accounts as k where k.tenant_id = e.tenant_id "
        "and k.kind = 'cash' and e.tenant_id = %(t)s and e.kind = 'application' and e.charge_id = %(charge)s",
        "(charge {charge}, payment {payment}) is on other accounts.",
    ),
    "an entry the wrong way round": (
        f"update ledger_entries set credit_id = debit_id, debit_id = credit_id where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) is on other accounts.",
    ),
    "an entry of another charge": (
        f"update ledger_entries set charge_id = %(other)s where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) is of another charge.",
    ),
    "an entry of another payment": (
        f"update ledger_entries set payment_id = uuidv7() where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) is of another payment.",
    ),
    "an entry of another day": (
        f"update ledger_entries set posted_at = posted_at - interval '1 day' where {ONE_APPLICATION}",
        "(charge {charge}, payment {payment}) is of another moment.",
    ),
    "a balance": (
        "update charge_balances set open_cents = open_cents + 1 where tenant_id = %(t)s and charge_id = %(other)s",
        "The balance of charge {other} on account ",
    ),
    "a balance that is gone": (
        "delete from charge_balances where tenant_id = %(t)s and charge_id = %(other)s",
        "The balance of charge {other} on account ",
    ),
    "an account": (
        "update ledger_accounts set payer_id = 'P8' "
        "where tenant_id = %(t)s and payer_id = 'P1' and kind = 'receivable'",
        "is not what its number says.",
    ),
    **{
        f"{column} of a payment": (
            f"update payments set {column} = {column} + 1 where tenant_id = %(t)s and id = %(payment)s",
            "Payment {payment}: its sums are not those of its documents and entries.",
        )
        for column in ("applied_cents", "refunded_cents", "provider_cents")
    },
}


def test_books_as_they_were_written_are_fine(books: Books) -> None:
    [finding] = books.tamper("select 1 where %(t)s is not null")
    assert finding.ok
    assert "entries on the ledger, as the documents say." in finding.message


@pytest.mark.parametrize(("statement", "expected"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_the_doctor_finds(books: Books, statement: str, expected: str) -> None:
    [finding] = books.tamper(statement)
    assert not finding.ok
    messages = [problem["message"] for problem in finding.facts["wrong"]]
    wanted = expected.format(charge=books.charge_id, other=books.other_id, payment=books.payment_id)
    assert any(wanted in message for message in messages), messages
    assert finding.facts["problems"] == len(messages)


def test_two_wrongs_that_cancel_out_are_found(books: Books) -> None:
    """An application, its entry and both balances are raised together, so that only the identities are broken."""
    raised = "set amount_cents = amount_cents + 1 where tenant_id = %(t)s and charge_id = %(charge)s"
    [finding] = books.tamper(
        f"""
        with a as (update payment_applications {raised}),
        e as (update ledger_entries {raised} and kind = 'application')
        update payments set applied_cents = applied_cents + 1 where tenant_id = %(t)s and id = %(payment)s
        """
    )
    messages = " ".join(problem["message"] for problem in finding.facts["wrong"])
    assert f"The balance of charge {books.charge_id}" in messages
    assert f"Charge {books.charge_id}: " in messages


def test_the_practice_beside_it_is_not_examined_with_it(books: Books) -> None:
    other = BillingPractice(make_practice(books.billing.practice.installation))
    other.write(lambda documents: documents.charge(100))
    with other.practice.work() as work:
        assert work.db.scalar(text("select count(*) from ledger_entries")) == 1
    [finding] = books.tamper(
        "update ledger_entries set amount_cents = 1 where tenant_id = %(t)s and charge_id = %(other)s"
    )
    assert {problem.get("charge_id") for problem in finding.facts["wrong"]} <= {str(books.other_id), None}
