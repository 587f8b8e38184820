"""`caseload ledger`: the document of an imported practice, an earlier instant, and the exit code of a wrong ledger."""

from pathlib import Path

import pytest

from tests.support.builders.bundles import OAK_STREET
from tests.support.drivers.commands import RunCommand

AGES = ["0-30", "31-60", "61-90", "91-120", "over_120"]


@pytest.fixture
def practice(run: RunCommand) -> str:
    assert run("import", OAK_STREET).code == 0
    return "oak-street-practice"


def test_the_ledger_of_an_import(run: RunCommand, practice: str) -> None:
    ledger = run("ledger", practice, "--as-of", "2026-03-18T20:30:00Z", "--json").json
    assert list(ledger) == ["as_of", "accounts", "receivables", "charges", "payments", "problems"]
    assert ledger["as_of"] == "2026-03-18T20:30:00Z"
    balances = {(row["kind"], row["payer_id"], row["client_id"]): row["balance"] for row in ledger["accounts"]}
    assert balances == {
        ("cash", None, None): "110.00",
        ("receivable", "60054", None): "0.00",
        ("receivable", None, "K1"): "57.95",
        ("receivable", None, "K2"): "0.00",
        ("unapplied", None, None): "12.50",
        ("revenue", None, None): "185.00",
        ("contractual", None, None): "17.10",
        ("write_off", None, None): "-0.05",
        ("provider_adjustment", None, None): "12.50",
    }
    assert ledger["receivables"] == dict.fromkeys(AGES, "0.00") | {"over_120": "57.95"}
    assert ledger["charges"] == [
        {"id": "H1", "amount": "130.00", "applied": "90.00", "adjusted": "17.05", "payer": "0.00", "client": "22.95"},
        {"id": "H2", "amount": "55.00", "applied": "20.00", "adjusted": "0.00", "payer": "0.00", "client": "35.00"},
    ]
    sums = ("amount", "applied", "refunded", "provider_adjustments", "unapplied")
    assert [(row["id"], row["reference"], *(row[name] for name in sums)) for row in ledger["payments"]] == [
        ("Y1", "EFT1", "100.00", "90.00", "10.00", "0.00", "0.00"),
        ("Y2", None, "30.00", "20.00", "10.00", "0.00", "0.00"),
        ("Y3", None, "0.00", "0.00", "0.00", "12.50", "12.50"),
    ]
    assert ledger["problems"] == []


def test_the_ledger_of_an_earlier_day(run: RunCommand, practice: str) -> None:
    """The payer has not paid yet; the client has paid $20 at the visit."""
    ledger = run("ledger", practice, "--as-of", "2025-10-10T12:00:00Z", "--json").json
    assert [row for row in ledger["charges"] if row["id"] == "H1"] == [
        {"id": "H1", "amount": "130.00", "applied": "20.00", "adjusted": "0.00", "payer": "110.00", "client": "0.00"}
    ]
    assert [row["id"] for row in ledger["payments"]] == ["Y2"]
    assert ledger["receivables"] == dict.fromkeys(AGES, "0.00") | {"0-30": "165.00"}


def test_people_read_tables(run: RunCommand, practice: str) -> None:
    shown = run("ledger", practice)
    assert shown.code == 0
    assert "receivable" in shown.out
    assert "over_120" in shown.out
    refused = run("ledger", practice, "--as-of", "yesterday")
    assert refused.code == 1
    assert "Invalid instant" in refused.err


def test_doctor_and_ledger_agree_that_an_import_is_right(run: RunCommand, practice: str, tmp_path: Path) -> None:
    [finding] = [row for row in run("doctor", "--json").json if row["area"] == "ledger"]
    assert finding["ok"]
    assert "entries on the ledger, as the documents say." in finding["message"]
