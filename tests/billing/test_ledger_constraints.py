"""The rules of the ledger stand in the database: each refuses an attempt, and without the rule the attempt succeeds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from practice.security.installation import Installation
from practice.store.engine import ENTER_PRACTICE, make_engine
from practice.store.ids import new_id
from tests.support.builders.billing import BillingPractice, Documents
from tests.support.builders.people import make_practice
from tests.support.drivers.ledger_attempts import (
    add_entry,
    add_entry_of_one_account,
    change_claimed_charge,
    change_first,
    on_void_charge,
    overrefund,
    overspend,
    prepare,
    reverse,
    reverse_adjustment,
    reverse_twice,
    set_charge,
    set_payment,
    take_back_of_another,
    take_back_too_much,
    void_paid_charge,
    void_paid_payment,
)
from tests.support.harness import cluster

REFUSED, APP, OWNER = "42501", "caseload_app", "caseload_owner"
ONLY_READ = ("ledger_entries", "ledger_accounts", "charge_balances")
DOCUMENTS = (
    *("payment_applications", "adjustments", "refunds", "balance_transfers", "provider_adjustments", "settlements"),
    "charge_changes",
)


@dataclass(frozen=True)
class Attempt:
    """Something that must not happen, the constraint or SQLSTATE that refuses it, and how to take that rule out."""

    act: Callable[[Documents], None]
    refused_by: str
    without: str
    role: str = APP


def connect(database: str) -> psycopg.Connection:
    connection = cluster.connect_as_superuser(database)
    connection.autocommit = False
    return connection


@pytest.fixture(scope="module")
def billing(installation: Installation) -> BillingPractice:
    return BillingPractice(make_practice(installation))


@contextmanager
def as_superuser(billing: BillingPractice) -> Iterator[Session]:
    """Yield a session that may change the schema. Everything is rolled back."""
    with Session(make_engine(partial(connect, billing.practice.installation.store.database), pool_size=0)) as db:
        db.execute(ENTER_PRACTICE, {"tenant_id": billing.practice.id, "now": billing.practice.now})
        yield db
        db.rollback()


def attempt(billing: BillingPractice, case: Attempt, *before: str) -> str | None:
    """Try it and return what refuses it, if anything does: the constraint, or else the SQLSTATE."""
    billing.client_id, billing.clinician_id  # noqa: B018 - both exist before
    with as_superuser(billing) as db:
        db.execute(text(f"set local role {APP}"))
        documents = billing.documents(db)
        prepared = prepare(documents)
        db.execute(text("reset role"))
        for statement in before:
            db.execute(text(statement))
        db.execute(text(f"set local role {case.role}"))
        try:
            case.act(prepared)
        except DBAPIError as error:
            diagnosis = error.orig.diag  # ty: ignore[unresolved-attribute]
            return diagnosis.constraint_name or diagnosis.sqlstate
    return None


def drop(constraint: str, table: str) -> str:
    return f"alter table {table} drop constraint {constraint}"


def disable(trigger: str, table: str) -> str:
    return f"alter table {table} disable trigger {trigger}"


def let_go(operation: str, table: str) -> str:
    """Return the statements that let rows of a document table be changed or removed."""
    queued = operation == "truncate" and table in ("payment_applications", "adjustments")
    return "; ".join(disable(trigger, table) for trigger in ("only_grows", *["queue_truncate"] * queued))


def allow(operation: str, table: str) -> str:
    """Return the statements that let the service change a table that it may only read."""
    statements = [f"grant {operation} on {table} to caseload_app"]
    if operation == "insert":
        statements.append(f"alter table {table} drop constraint pk_{table} cascade")
    elif table != "charge_balances":
        statements.append(let_go(operation, table))
    if table == "ledger_accounts":
        statements.append("drop index ix_ledger_accounts_tenant_id_kind_payer_id_client_id")
    return "; ".join(statements)


MONEY_OF_CHARGE, MONEY_OF_PAYMENT = disable("money_stays", "charges"), disable("money_stays", "payments")
ON_VOID = "nothing_stands_on_void_charge"

ATTEMPTS: dict[str, Attempt] = {
    "an entry of nothing": Attempt(
        lambda documents: add_entry(documents, amount_cents=0),
        "ck_ledger_entries_amount",
        drop("ck_ledger_entries_amount", "ledger_entries"),
        OWNER,
    ),
    "an entry on one account": Attempt(
        add_entry_of_one_account,
        "ck_ledger_entries_two_accounts",
        drop("ck_ledger_entries_two_accounts", "ledger_entries"),
        OWNER,
    ),
    **{
        f"an entry whose {side} is on no account": Attempt(
            lambda documents, side=side: add_entry(documents, **{f"{side}_id": new_id()}),
            "entries_are_on_accounts",
            disable("on_accounts", "ledger_entries"),
            OWNER,
        )
        for side in ("debit", "credit")
    },
    "a document posted twice": Attempt(
        lambda documents: add_entry(documents, document_id=documents.charge_id, kind="charge"),
        "pk_ledger_entries",
        drop("pk_ledger_entries", "ledger_entries"),
        OWNER,
    ),
    "a second reversal": Attempt(
        reverse_twice(reverse),
        "ix_payment_applications_tenant_id_reverses_id",
        "drop index ix_payment_applications_tenant_id_reverses_id; "
        + disable("takes_back_what_was_applied", "payment_applications"),
    ),
    "a second reversal of an adjustment": Attempt(
        reverse_twice(reverse_adjustment),
        "ix_adjustments_tenant_id_reverses_id",
        "drop index ix_adjustments_tenant_id_reverses_id",
    ),
    **{
        f"a reversal {name}": Attempt(
            lambda documents, change=change: reverse(documents, **change(documents)),
            "reversal_is_exact",
            disable("reverses_exactly", "payment_applications"),
        )
        for name, change in {
            "of another amount": lambda _: {"cents": -10499},
            "of another payment": lambda documents: {"payment_id": documents.pay(0, "P1")},
        }.items()
    },
    "a reversal on another charge": Attempt(
        lambda documents: (
            documents.apply(documents.insurance_id, documents.other_id, 10500),
            reverse(documents, charge_id=documents.other_id),
        ),
        "reversal_is_exact",
        disable("reverses_exactly", "payment_applications"),
    ),
    **{
        f"a reversal of an adjustment {name}": Attempt(
            lambda documents, values=values: reverse_adjustment(documents, **values),
            "reversal_is_exact",
            disable("reverses_exactly", "adjustments"),
        )
        for name, values in {
            "of another amount": {"cents": -1},
            "of another group": {"group": "WO"},
            "of another party": {"payer": None},
        }.items()
    },
    "a credit spent twice": Attempt(overspend, "ck_payments_credit", drop("ck_payments_credit", "payments")),
    "a credit spent and refunded": Attempt(overrefund, "ck_payments_credit", drop("ck_payments_credit", "payments")),
    "money taken back of another payment": Attempt(
        take_back_of_another, "ck_payments_taken_back", drop("ck_payments_taken_back", "payments")
    ),
    "more taken back than was applied": Attempt(
        take_back_too_much,
        "no_more_than_was_applied",
        disable("takes_back_what_was_applied", "payment_applications"),
    ),
    "a void payment of which money is spent": Attempt(
        void_paid_payment, "ck_payments_void", drop("ck_payments_void", "payments")
    ),
    "a void charge that is paid": Attempt(void_paid_charge, ON_VOID, disable("posts_changes", "charges")),
    "money on a void charge": Attempt(
        on_void_charge(lambda documents: documents.apply(documents.insurance_id, documents.other_id, 100)),
        ON_VOID,
        disable("refuses_void_charge", "payment_applications"),
    ),
    "an adjustment of a void charge": Attempt(
        on_void_charge(lambda documents: documents.adjust(documents.other_id, 100, payer=None)),
        ON_VOID,
        disable("refuses_void_charge", "adjustments"),
    ),
    "a void charge that passes on": Attempt(
        on_void_charge(lambda documents: documents.transfer(documents.other_id, 100, None, "P1")),
        ON_VOID,
        disable("refuses_void_charge", "balance_transfers"),
    ),
    "a void charge brought back": Attempt(
        on_void_charge(lambda documents: documents.change("charges", documents.other_id, voided_at=None)),
        "money_of_charge_stays",
        MONEY_OF_CHARGE,
    ),
    "another amount of a paid charge": Attempt(
        set_charge(amount_cents=20000), "money_of_charge_stays", MONEY_OF_CHARGE
    ),
    "another copay of a paid charge": Attempt(set_charge(copay_cents=100), "money_of_charge_stays", MONEY_OF_CHARGE),
    "another amount of a claimed charge": Attempt(change_claimed_charge, "money_of_charge_stays", MONEY_OF_CHARGE),
    "another payer of a charge": Attempt(
        lambda documents: documents.change("charges", documents.other_id, payer_id="P2"),
        "money_of_charge_stays",
        MONEY_OF_CHARGE,
    ),
    "another amount of a payment": Attempt(set_payment(amount_cents=1), "money_of_payment_stays", MONEY_OF_PAYMENT),
    "another payer of a payment": Attempt(set_payment(payer_id="P2"), "money_of_payment_stays", MONEY_OF_PAYMENT),
    **{
        f"{column} of a payment by hand": Attempt(
            set_payment(**{column: 1}), "money_of_payment_stays", MONEY_OF_PAYMENT
        )
        for column in ("applied_cents", "refunded_cents", "provider_cents")
    },
    "a new payment that was applied": Attempt(
        lambda documents: documents.pay(100, applied_cents=1),
        "money_of_payment_stays",
        disable("starts_at_zero", "payments"),
    ),
    "a client's payment settled with a payer": Attempt(
        lambda documents: documents.settle(documents.own_payment_id, 100),
        "payer_settles",
        disable("settles_with_payers", "settlements"),
    ),
    "a part that passes from a party to itself": Attempt(
        lambda documents: documents.transfer(documents.charge_id, 100, "P1", "P1"),
        "ck_balance_transfers_parties",
        # without it, its entry is refused
        f"{drop('ck_balance_transfers_parties', 'balance_transfers')}; {disable('posts', 'balance_transfers')}",
    ),
    "a copay above the amount": Attempt(
        lambda documents: documents.charge(100, copay_cents=101),
        "ck_charges_copay",
        drop("ck_charges_copay", "charges"),
    ),
    "a copay of somebody without insurance": Attempt(
        lambda documents: documents.charge(100, None, copay_cents=1),
        "ck_charges_copay_beside_payer",
        drop("ck_charges_copay_beside_payer", "charges"),
    ),
    **{
        f"{operation} on {table} by the service": Attempt(
            change_first(table, operation),
            REFUSED,
            allow(operation, table),
        )
        for table, operations in {
            **dict.fromkeys(ONLY_READ, ("update", "delete", "truncate", "insert")),
            **dict.fromkeys(DOCUMENTS, ("update", "delete", "truncate")),
        }.items()
        for operation in operations
    },
    **{
        f"{operation} on {table} by its owner": Attempt(
            change_first(table, operation), "23000", let_go(operation, table), OWNER
        )
        for table in ("ledger_entries", *DOCUMENTS)
        for operation in ("update", "delete", "truncate")
    },
}


@pytest.mark.parametrize("case", ATTEMPTS.values(), ids=ATTEMPTS)
def test_the_database_refuses(billing: BillingPractice, case: Attempt) -> None:
    assert attempt(billing, case) == case.refused_by


@pytest.mark.parametrize("case", ATTEMPTS.values(), ids=ATTEMPTS)
def test_without_its_rule_it_would_happen(billing: BillingPractice, case: Attempt) -> None:
    assert attempt(billing, case, *filter(None, case.without.split("; "))) is None


@pytest.mark.parametrize("name", ["a credit spent twice", "a new payment that was applied"])
def test_sums_of_a_practice_that_exists_are_always_counted(billing: BillingPractice, name: str) -> None:
    says_so = "set local app.sums_written = 'on'"  # as an import does of the practice that it creates
    assert attempt(billing, ATTEMPTS[name], says_so) == ATTEMPTS[name].refused_by
    believed = "create or replace function are_sums_written(practice uuid) returns boolean language sql return true"
    assert attempt(billing, ATTEMPTS[name], says_so, believed) is None
