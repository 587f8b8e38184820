"""The ledger of an imported practice, and of one whose records were there before the ledger."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import text

from caseload.ledger import read_ledger
from practice.billing.ledger import Party, read_receivables
from practice.billing.verification import find_ledger_problems
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.migrate import make_alembic_config, migrate
from tests.conftest import create_fresh_installation
from tests.support.builders.bundles import NOW, OAK_STREET, import_practice
from tests.support.harness import cluster
from tests.support.oracles.imported_receivables import compute_receivables

AS_OF = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
INSTANTS = (AS_OF, AS_OF - timedelta(days=61, hours=3), AS_OF + timedelta(days=400))
GOLDEN = (
    [Path(os.environ["CASELOAD_GOLDEN"]) / name for name in ("practice_a", "practice_b")]
    if ("CASELOAD_GOLDEN" in os.environ)
    else []
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Yield an installation of its own: other tests import the same practices into the shared one."""
    with create_fresh_installation(tmp_path_factory.mktemp("imported")) as installation:
        yield installation


@pytest.fixture(scope="module", params=[OAK_STREET, *GOLDEN], ids=lambda folder: folder.name)
def imported(request: pytest.FixtureRequest, installation: Installation) -> tuple[Path, UUID]:
    return request.param, import_practice(installation, request.param).practice.id


def read_by_party(installation: Installation, tenant_id: UUID, party: Party | None, as_of: datetime) -> dict[Any, Any]:
    """Return the receivables in dollars by the party's external id."""
    with installation.work(Actor(tenant_id), NOW) as work:
        names = {
            str(row.id): row.external_id
            for table in ("clients", "staff")
            for row in work.db.execute(
                text(f"select id, external_id from {table} where tenant_id = :tenant_id"), {"tenant_id": tenant_id}
            )
        }
        return {
            names.get(str(row.party), row.party): {
                age: Decimal(cents) / 100 for age, cents in row.cents.items() if cents
            }
            for row in read_receivables(work, Scope.ALL, as_of, party)
        }


def drop_zeros(expected: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, Decimal]]:
    shown = {party: {age: amount for age, amount in ages.items() if amount} for party, ages in expected.items()}
    return {party: ages for party, ages in shown.items() if ages}


@pytest.mark.parametrize("as_of", INSTANTS, ids=["then", "earlier", "later"])
def test_receivables_are_those_of_the_files(
    installation: Installation, imported: tuple[Path, UUID], as_of: datetime
) -> None:
    folder, tenant_id = imported
    expected = compute_receivables(folder, as_of)
    assert read_by_party(installation, tenant_id, None, as_of) == {
        None: {age: amount for age, amount in expected.by_age.items() if amount}
    }
    assert read_by_party(installation, tenant_id, "clinician", as_of) == drop_zeros(expected.by_clinician)
    assert read_by_party(installation, tenant_id, "client", as_of) == drop_zeros(expected.by_client)
    assert read_by_party(installation, tenant_id, "payer", as_of) == drop_zeros(expected.by_payer)
    with installation.work(Actor(tenant_id), NOW) as work:
        ledger = read_ledger(work, as_of)
    assert ledger["problems"] == []
    assert {
        row.pop("id"): {name: Decimal(amount) for name, amount in row.items()} for row in ledger["charges"]
    } == expected.charges


@pytest.mark.skipif(not GOLDEN, reason="CASELOAD_GOLDEN names no folder")
def test_receivables_by_age_add_up_to_the_numerator_of_days_in_ar(
    installation: Installation, imported: tuple[Path, UUID]
) -> None:
    folder, tenant_id = imported
    answers = folder.with_name(f"{folder.name}_month.json")
    if not answers.exists():
        pytest.skip("no answers for this bundle")
    [answer] = [
        row
        for row in json.loads(answers.read_text())
        if (row["metric_key"], row["entity_kind"], row["period_start"]) == ("days_in_ar", "practice", "2026-03-01")
    ]
    [receivables] = read_by_party(installation, tenant_id, None, AS_OF).values()
    assert sum(receivables.values()) == Decimal(str(answer["numerator"]))


def describe_ledger(installation: Installation) -> list[tuple[Any, ...]]:
    """Return the entries and balances of all practices, by their documents; transfers by their charge and moment."""
    with cluster.connect_as_superuser(installation.store.database) as connection:
        entries = connection.execute("""
            select e.kind, case when e.kind = 'transfer' then e.charge_id else e.document_id end, e.amount_cents,
                e.charge_id, e.payment_id, e.posted_at, e.debit_id, e.credit_id
            from ledger_entries as e order by 1, 2, 3, 6, 7, 8
        """).fetchall()
        balances = connection.execute(
            "select charge_id, account_id, open_cents from charge_balances where open_cents <> 0 order by 1, 2"
        ).fetchall()
        payments = connection.execute("select id, applied_cents, refunded_cents from payments order by 1").fetchall()
        charges = connection.execute("select id, coverage_id, payer_id from charges order by 1").fetchall()
    return [*entries, *balances, *payments, *charges]


def test_records_of_before_get_the_ledger_that_an_import_writes(own_installation: Installation) -> None:
    """Of every practice. What a payer kept was not recorded then."""
    practices = [import_practice(own_installation, OAK_STREET).practice.id]
    with own_installation.work(Actor(), NOW) as work:
        work.db.execute(text("update practices set name = 'Other', slug = 'other'"))
    practices.append(import_practice(own_installation, OAK_STREET).practice.id)
    with cluster.connect_as_superuser(own_installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("delete from ledger_entries where kind = 'provider_adjustment'")
        connection.execute("delete from provider_adjustments")
        connection.execute("update payments set provider_cents = 0")
    before = describe_ledger(own_installation)
    with own_installation.store.open_owner_connection("owner") as owner:
        command.downgrade(make_alembic_config(owner), "0032")
        migrate(owner)
    assert describe_ledger(own_installation) == before
    for tenant_id in practices:
        with own_installation.work(Actor(tenant_id), NOW) as work:
            assert work.db.scalar(text("select count(*) from ledger_entries")) > 10
            assert find_ledger_problems(work.db, tenant_id) == []
