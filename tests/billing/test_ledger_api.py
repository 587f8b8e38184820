"""Reading the ledger through the API: accounts, receivables by age, entries; clinicians see their own charges."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.billing import BillingPractice, Documents
from tests.support.builders.people import NOW, Person
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import assert_ok, error_code

EARLIER = datetime(2026, 1, 10, 15, tzinfo=UTC)


class Reader:
    """A person who reads the ledger of a practice."""

    def __init__(self, client: TestClient, billing: BillingPractice, person: Person | None = None) -> None:
        self.client, self.billing = client, billing
        self.headers = {"Authorization": f"Bearer {billing.practice.token(person)}"}

    def get(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return assert_ok(self.send(path, **query))["items"]

    def send(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/ledger/{path}", params=query, headers=self.headers)


@pytest.fixture
def paid(billing: BillingPractice) -> dict[str, UUID]:
    """Return a charge of $165 that the payer paid but for $20 of the client, and one of another clinician."""
    billing.client_id, billing.clinician_id  # noqa: B018 - both exist before
    other = billing.practice.add("clinician")

    def write(documents: Documents) -> dict[str, UUID]:
        charge_id = documents.charge(16_500, service_date=date(2026, 1, 5))
        payment_id = documents.pay(10_500, "P1")
        documents.apply(payment_id, charge_id, 10_500)
        documents.adjust(charge_id, 4_000)
        documents.now = NOW
        documents.transfer(charge_id, 2_000, "P1", None)
        documents.charge(9_000, None, clinician_id=other.staff_id, service_date=date(2025, 9, 1))
        return {"charge": charge_id, "payment": payment_id}

    return billing.write(write, EARLIER)


def test_the_accounts_add_up(client: TestClient, billing: BillingPractice, paid: dict[str, UUID]) -> None:
    accounts = Reader(client, billing).get("accounts")
    balances = {(row["kind"], row["payer_id"] or row["client_name"]): row["balance"] for row in accounts}
    [client_name] = {row["client_name"] for row in accounts if row["client_id"]}
    assert client_name
    assert balances == {
        ("cash", None): "105.00",
        ("receivable", "P1"): "0.00",
        ("receivable", client_name): "110.00",
        ("unapplied", None): "0.00",
        ("revenue", None): "255.00",
        ("contractual", None): "40.00",
    }
    before = Reader(client, billing).get("accounts", as_of=(NOW - timedelta(days=1)).isoformat())
    assert {(row["kind"], row["payer_id"]): row["balance"] for row in before if row["kind"] == "receivable"} == {
        ("receivable", "P1"): "20.00"
    }


def test_receivables_by_age_and_party(client: TestClient, billing: BillingPractice, paid: dict[str, UUID]) -> None:
    reader = Reader(client, billing)
    [together] = reader.get("receivables")
    assert together["ages"] == {
        **{"0-30": "0.00", "31-60": "0.00", "61-90": "20.00"},
        **{"91-120": "0.00", "over_120": "90.00"},
    }
    assert together["total"] == "110.00"
    [of_client] = reader.get("receivables", by="client")
    assert (of_client["client_id"], of_client["total"]) == (str(billing.client_id), "110.00")
    assert reader.get("receivables", by="payer") == []
    clinicians = {row["clinician_id"]: row["total"] for row in reader.get("receivables", by="clinician")}
    assert clinicians[str(billing.clinician_id)] == "20.00"
    assert sorted(clinicians.values()) == ["20.00", "90.00"]
    [then] = reader.get("receivables", by="payer", as_of="2026-02-05T12:00:00Z")
    assert (then["payer_id"], then["ages"]["31-60"]) == ("P1", "20.00")


def test_a_clinician_sees_the_entries_of_their_own_charges(
    client: TestClient, billing: BillingPractice, paid: dict[str, UUID]
) -> None:
    own = Reader(client, billing, billing.clinician)
    other = Reader(client, billing, billing.practice.people["clinician"])
    assert [row["total"] for row in own.get("receivables")] == ["20.00"]
    assert [row["total"] for row in other.get("receivables")] == ["90.00"]
    kinds = ["adjustment", "application", "charge", "transfer"]
    assert sorted(row["kind"] for row in own.get(f"charges/{paid['charge']}")) == kinds
    assert [row["kind"] for row in own.get(f"payments/{paid['payment']}")] == ["application"]
    for path in (f"charges/{paid['charge']}", f"payments/{paid['payment']}"):
        assert error_code(other.send(path)) == "NOT_FOUND"
    assert {row["kind"] for row in other.get("accounts")} == {"receivable", "revenue"}


def test_the_history_of_a_charge_names_both_accounts_of_each_entry(
    client: TestClient, billing: BillingPractice, paid: dict[str, UUID]
) -> None:
    entries = Reader(client, billing).get(f"charges/{paid['charge']}")
    shown = {row["kind"]: (row["debit"]["kind"], row["credit"]["kind"], row["amount"]) for row in entries}
    assert shown == {
        "charge": ("receivable", "revenue", "165.00"),
        "application": ("unapplied", "receivable", "105.00"),
        "adjustment": ("contractual", "receivable", "40.00"),
        "transfer": ("receivable", "receivable", "20.00"),
    }
    transfer = entries[-1]
    assert (transfer["debit"]["client_id"], transfer["credit"]["payer_id"]) == (str(billing.client_id), "P1")
    assert error_code(Reader(client, billing).send(f"charges/{new_id()}")) == "NOT_FOUND"


def test_reading_is_recorded_with_the_clients_it_showed(
    client: TestClient, billing: BillingPractice, paid: dict[str, UUID]
) -> None:
    reader = Reader(client, billing)
    reader.get("receivables", by="client")
    reader.get(f"charges/{paid['charge']}")
    for action in ("receivables.read", "charge.entries_read"):
        [entry] = load_audit_entries(client, billing.practice, action)
        assert entry["details"]["client_ids"] == [str(billing.client_id)]
