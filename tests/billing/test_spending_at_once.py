"""Fifty at once spend one credit of $100. One of them wins, because of the check on the payment's row."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import psycopg
import pytest

from practice.billing.verification import find_ledger_problems
from practice.security.installation import Installation
from tests.support.builders.billing import BillingPractice, Documents
from tests.support.builders.people import make_practice
from tests.support.harness import cluster

AT_ONCE = 50


def spend_at_once(billing: BillingPractice) -> int:
    """Apply the whole credit to fifty charges at once, as the service does, and return how many succeeded."""

    def write(documents: Documents) -> tuple[UUID, list[UUID]]:
        return documents.pay(10_000), [documents.charge(10_000, None) for _ in range(AT_ONCE)]

    payment_id, charge_ids = billing.write(write)
    start = Barrier(AT_ONCE)

    def spend(charge_id: UUID) -> bool:
        with cluster.connect_as_superuser(billing.practice.installation.store.database) as connection:
            connection.autocommit = False
            connection.execute("set role caseload_app")
            connection.execute("select enter_practice(%s, %s)", [billing.practice.id, billing.practice.now])
            start.wait()
            try:
                connection.execute(
                    "insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at) "
                    "values (%s, uuidv7(), %s, %s, 10000, now())",
                    [billing.practice.id, payment_id, charge_id],
                )
            except psycopg.errors.CheckViolation:
                return False
            connection.commit()
            return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(spend, charge_ids))


@pytest.fixture
def own_billing(own_installation: Installation) -> BillingPractice:
    return BillingPractice(make_practice(own_installation))


def test_one_of_fifty_spends_a_credit(billing: BillingPractice) -> None:
    assert spend_at_once(billing) == 1
    with billing.practice.work() as work:
        assert find_ledger_problems(work.db, billing.practice.id) == []


def test_without_the_check_several_would(own_billing: BillingPractice) -> None:
    with cluster.connect_as_superuser(own_billing.practice.installation.store.database) as connection:
        connection.execute("alter table payments drop constraint ck_payments_credit")
    assert spend_at_once(own_billing) == AT_ONCE
