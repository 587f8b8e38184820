"""The chart of accounts and the posting table: which document moves which amount between which accounts.

Triggers write the entries (`0033_ledger.sql`). This is the same table once more, as data: `caseload doctor` rebuilds
the entries by it. A document is a flat mapping of the columns that its postings name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

# The balance of an account is its debit less its credit, or the other way round.
CHART: Mapping[str, int] = {
    "cash": 1,
    "receivable": 1,  # of a payer or of a client
    "unapplied": -1,  # of a payment: its entries name it
    "payer_balance": 1,  # forwarding balances, recoveries, returns and reissues of a payer
    "revenue": -1,
    "contractual": 1,
    "write_off": 1,
    "other_adjustment": 1,
    "interest": -1,
    "capitation": -1,
    "provider_adjustment": 1,
}
ACCOUNT_KINDS = tuple(CHART)

AGES: Mapping[str, int | None] = {"0-30": 30, "31-60": 60, "61-90": 90, "91-120": 120, "over_120": None}
"""The ages of receivables, in days since the service, with the last day of each."""

ADJUSTMENT_ACCOUNTS = {"CO": "contractual", "WO": "write_off"}
PROVIDER_ACCOUNTS = {
    **dict.fromkeys(("FB", "WO", "72", "CS", "B3"), "payer_balance"),
    "L6": "interest",
    **dict.fromkeys(("CT", "CR"), "capitation"),
}


class ByCode(NamedTuple):
    """A kind of account that depends on a code of the document."""

    column: str
    kinds: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True)
class Side:
    """An account: its kind, and for a receivable or a payer's balance the column that names the payer.

    A receivable without a payer is that of the document's client.
    """

    kind: str | ByCode
    payer: str | None = None


@dataclass(frozen=True)
class Posting:
    """An entry that each document of a table makes. A negative amount swaps the sides; none makes no entry."""

    table: str
    debit: Side
    credit: Side
    amount: str = "amount_cents"
    posted_at: str = "posted_at"


CASH, UNAPPLIED, REVENUE = Side("cash"), Side("unapplied"), Side("revenue")
OWED, COPAY = Side("receivable", "payer_id"), Side("receivable", "nobody")
PAYER_BALANCE = Side("payer_balance", "payer_id")
ADJUSTED = Side(ByCode("group_code", ADJUSTMENT_ACCOUNTS, "other_adjustment"))
TAKEN = Side(ByCode("code", PROVIDER_ACCOUNTS, "provider_adjustment"), "payer_id")

POSTINGS: Mapping[str, Posting] = {
    "charge": Posting("charges", OWED, REVENUE, "first_amount_cents", "created_at"),
    "copay": Posting("charges", COPAY, REVENUE, "first_copay_cents", "created_at"),
    "charge_change": Posting("charge_changes", OWED, REVENUE),
    "copay_change": Posting("charge_changes", COPAY, REVENUE, "copay_cents"),
    "void": Posting("charges", REVENUE, OWED, "void_amount_cents", "voided_at"),
    "copay_void": Posting("charges", REVENUE, COPAY, "void_copay_cents", "voided_at"),
    "transfer": Posting("balance_transfers", Side("receivable", "to_payer_id"), Side("receivable", "from_payer_id")),
    "payment": Posting("payments", CASH, UNAPPLIED),
    "payment_void": Posting("payments", UNAPPLIED, CASH, "void_cents", "voided_at"),
    "application": Posting("payment_applications", UNAPPLIED, OWED),
    "adjustment": Posting("adjustments", ADJUSTED, OWED),
    "refund": Posting("refunds", UNAPPLIED, CASH),
    "provider_adjustment": Posting("provider_adjustments", TAKEN, UNAPPLIED),
    "settlement": Posting("settlements", UNAPPLIED, PAYER_BALANCE),
}


class Account(NamedTuple):
    kind: str
    payer_id: str | None = None
    client_id: UUID | None = None


class Entry(NamedTuple):
    kind: str
    debit: Account
    credit: Account
    amount_cents: int


def build_entries(table: str, document: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the entries that a document of a table makes."""
    for kind, posting in POSTINGS.items():
        if posting.table != table or not document[posting.amount]:
            continue
        cents = document[posting.amount]
        sides = [find_account(posting.debit, document), find_account(posting.credit, document)]
        debit, credit = sides if cents > 0 else reversed(sides)
        yield Entry(kind, debit, credit, abs(cents))


def find_account(side: Side, document: Mapping[str, Any]) -> Account:
    """Return the account of a side for a document."""
    kind = side.kind
    if isinstance(kind, ByCode):
        kind = kind.kinds.get(document[kind.column], kind.otherwise)
    payer_id = document.get(side.payer) if side.payer else None
    if kind == "receivable":
        return Account(kind, payer_id, document["client_id"] if payer_id is None else None)
    return Account(kind, payer_id or "" if kind == "payer_balance" else None)
