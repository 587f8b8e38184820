"""The ledger of a practice: `caseload ledger`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from caseload.console import (
    AsJson,
    PracticeName,
    connect_installation,
    err,
    find_practice_actor,
    now,
    out,
    print_result,
)
from caseload.instants import parse_instant
from practice.money import format_cents

CHARGE_SUMS = ("amount", "applied", "adjusted", "payer", "client")

if TYPE_CHECKING:
    from practice.security.work import Work


def show_ledger(
    practice: PracticeName,
    as_of: Annotated[str | None, typer.Option(help="Use what was posted by this instant. Default: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ledger: accounts and receivables by age.

    With --json also each charge and payment. The exit code is 1 if the ledger and its documents differ.

    Example: caseload ledger oak-street --as-of 2026-03-31T23:59:59Z
    """
    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        with installation.work(actor, now()) as work:
            ledger = read_ledger(work, parse_instant(as_of) if as_of else work.now)
    print_result(ledger, as_json, lambda: print_ledger(ledger))
    if ledger["problems"]:
        raise typer.Exit(1)


def read_ledger(work: "Work", as_of: datetime) -> dict[str, Any]:
    """Return the ledger as JSON."""
    from practice.billing import ledger
    from practice.billing.verification import find_ledger_problems
    from practice.security.permissions import Scope

    external_ids = ledger.read_client_names(work)
    [receivables] = ledger.read_receivables(work, Scope.ALL, as_of)
    return {
        "as_of": as_of.isoformat().replace("+00:00", "Z"),
        "accounts": [
            {
                "kind": account.kind,
                "payer_id": account.payer_id or None,
                "client_id": external_ids.get(account.client_id),
                "debit": format_cents(account.debit_cents),
                "credit": format_cents(account.credit_cents),
                "balance": format_cents(account.balance_cents),
            }
            for account in ledger.read_trial_balance(work, Scope.ALL, as_of)
        ],
        "receivables": {age: format_cents(cents) for age, cents in receivables.cents.items()},
        "charges": [
            {"id": row.name}
            | {
                name: format_cents(int(getattr(row, name)))
                for name in ("amount", "applied", "adjusted", "payer", "client")
            }
            for row in ledger.read_charges(work, as_of)
        ],
        "payments": [
            {
                "id": row.name,
                "reference": row.reference,
                "amount": format_cents(row.amount),
                "applied": format_cents(int(row.applied)),
                "refunded": format_cents(int(row.refunded)),
                "provider_adjustments": format_cents(int(row.kept)),
                "unapplied": format_cents(int(row.unapplied)),
            }
            for row in ledger.read_payments(work, as_of)
        ],
        "problems": [problem.message for problem in find_ledger_problems(work.db, work.tenant_id)],
    }


def print_ledger(ledger: dict[str, Any]) -> None:
    accounts = Table("Account", "Of", *(Column(name, justify="right") for name in ("Debit", "Credit", "Balance")))
    for account in ledger["accounts"]:
        owner = account["payer_id"] or account["client_id"] or ""
        cells = (account["kind"], owner, account["debit"], account["credit"], account["balance"])
        accounts.add_row(*map(escape, cells))
    out.print(accounts)
    receivables = Table(*(Column(name, justify="right") for name in ledger["receivables"]))
    receivables.add_row(*ledger["receivables"].values())
    out.print("Receivables by days since the service:")
    out.print(receivables)
    for problem in ledger["problems"]:
        err.print(problem, markup=False)
