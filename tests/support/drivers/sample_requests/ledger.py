"""Sample requests of the ledger."""

from typing import Any

from tests.support.builders.billing import Documents
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "clinician", "biller"}


def make_paid_charge(world: World, _role: str | None) -> dict[str, Any]:
    """Make a charge of the clinician and a payment that is applied to it."""
    practice = world.practice
    with practice.work() as work:
        documents = Documents(work.db, practice.id, world.client_id, world.clinician_id, practice.now)
        charge_id, payment_id = documents.charge(), documents.pay(10_500, "P1")
        documents.apply(payment_id, charge_id, 10_500)
    return {"charge_id": charge_id, "payment_id": payment_id}


def make_charge(world: World, role: str | None) -> dict[str, Any]:
    return {"charge_id": make_paid_charge(world, role)["charge_id"]}


def make_payment(world: World, role: str | None) -> dict[str, Any]:
    return {"payment_id": make_paid_charge(world, role)["payment_id"]}


SAMPLE_REQUESTS = {
    "list_ledger_accounts": SampleRequest(READERS),
    "list_receivables": SampleRequest(READERS),
    "get_charge_entries": SampleRequest(READERS, make_charge),
    "get_payment_entries": SampleRequest(READERS, make_payment),
}
