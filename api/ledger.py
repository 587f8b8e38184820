"""Routes of the ledger, which is only read: its accounts, receivables by age, entries of a charge or payment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Instant, MoneyOut, describe
from api.names import ClientName, StaffName
from api.responses import Input
from api.routing import PermissionRouter
from practice.billing import ledger
from practice.billing.ledger import AccountBalance, Party, Receivables

router = PermissionRouter(prefix="/ledger", tags=["ledger"])

PayerId = Annotated[str | None, describe("The payer whose account it is; null for other accounts.")]
AccountClientId = Annotated[UUID | None, describe("The client whose account it is; null for other accounts.")]
AccountKind = Annotated[str, describe("What the account is for, such as `cash`, `receivable` or `contractual`.")]


class LedgerQuery(Input):
    as_of: Annotated[Instant | None, describe("Only what was posted by this instant; default: now.")] = None


class ReceivablesQuery(LedgerQuery):
    by: Annotated[Party | None, describe("Whose amounts to add up; default: all together.")] = None


class LedgerAccountOut(BaseModel):
    kind: AccountKind
    payer_id: PayerId
    client_id: AccountClientId
    client_name: ClientName = None
    debit: Annotated[MoneyOut, describe("All debits.")]
    credit: Annotated[MoneyOut, describe("All credits.")]
    balance: Annotated[MoneyOut, describe("Debits less credits, or credits less debits for what we owe or earn.")]

    @classmethod
    def of(cls, account: AccountBalance) -> "LedgerAccountOut":
        return cls(
            kind=account.kind,
            payer_id=account.payer_id or None,
            client_id=account.client_id,
            debit=account.debit_cents,
            credit=account.credit_cents,
            balance=account.balance_cents,
        )


class LedgerAccountsOut(BaseModel):
    as_of: Annotated[datetime, describe("The instant by which entries count.")]
    items: Annotated[list[LedgerAccountOut], describe("Every account with entries.")]


class ReceivablesOut(BaseModel):
    payer_id: Annotated[str | None, describe("The payer who owes it, with `by=payer`.")] = None
    client_id: Annotated[UUID | None, describe("The client who owes it, with `by=client`.")] = None
    client_name: ClientName = None
    clinician_id: Annotated[UUID | None, describe("The clinician of the charges, with `by=clinician`.")] = None
    clinician_name: StaffName = None
    ages: Annotated[dict[str, MoneyOut], describe("The open amounts by the days since the service.")]
    total: Annotated[MoneyOut, describe("Their sum.")]

    @classmethod
    def of(cls, receivables: Receivables, party: Party | None) -> "ReceivablesOut":
        owner: dict[str, Any] = {} if party is None else {f"{party}_id": receivables.party or None}
        return cls(**owner, ages=receivables.cents, total=receivables.total_cents)


class ReceivablesListOut(BaseModel):
    as_of: Annotated[datetime, describe("The instant by which entries count.")]
    items: Annotated[list[ReceivablesOut], describe("One row for each party with an open amount.")]


class EntrySideOut(BaseModel):
    kind: AccountKind
    payer_id: PayerId
    client_id: AccountClientId
    client_name: ClientName = None


class LedgerEntryOut(BaseModel):
    kind: Annotated[str, describe("The kind of document, such as `charge`, `payment` or `application`.")]
    document_id: Annotated[UUID, describe("The document that made it.")]
    posted_at: Annotated[datetime, describe("When it was posted.")]
    amount: Annotated[MoneyOut, describe("The amount that it moves.")]
    debit: Annotated[EntrySideOut, describe("The account that is debited.")]
    credit: Annotated[EntrySideOut, describe("The account that is credited.")]
    charge_id: Annotated[UUID | None, describe("The charge that it is about.")]
    payment_id: Annotated[UUID | None, describe("The payment that it is about.")]

    @classmethod
    def of(cls, row: Any) -> "LedgerEntryOut":
        debit, credit = (
            EntrySideOut(
                kind=getattr(row, f"{side}_kind"),
                payer_id=getattr(row, f"{side}_payer_id") or None,
                client_id=getattr(row, f"{side}_client_id"),
            )
            for side in ("debit", "credit")
        )
        return cls(
            kind=row.kind,
            document_id=row.document_id,
            posted_at=row.posted_at,
            amount=row.amount_cents,
            debit=debit,
            credit=credit,
            charge_id=row.charge_id,
            payment_id=row.payment_id,
        )


class LedgerEntriesOut(BaseModel):
    items: Annotated[list[LedgerEntryOut], describe("The entries in the order in which they were posted.")]

    @classmethod
    def of(cls, rows: Iterable[Any]) -> "LedgerEntriesOut":
        return cls(items=[LedgerEntryOut.of(row) for row in rows])


@router.get("/accounts", permission="billing.read")
def list_ledger_accounts(ctx: RequestContext, query: Annotated[LedgerQuery, Query()]) -> LedgerAccountsOut:
    """List the accounts of the ledger with their balances.

    Clinicians see the entries of their own charges.
    """
    as_of = query.as_of or ctx.now
    accounts = ledger.read_trial_balance(ctx.work, ctx.scope, as_of)
    return LedgerAccountsOut(as_of=as_of, items=[LedgerAccountOut.of(account) for account in accounts])


@router.get("/receivables", permission="billing.read")
def list_receivables(ctx: RequestContext, query: Annotated[ReceivablesQuery, Query()]) -> ReceivablesListOut:
    """List what is owed, by the days since the service.

    Together, or of each payer, client or clinician. Void charges are left out. Clinicians see their own charges.
    """
    as_of = query.as_of or ctx.now
    rows = ledger.read_receivables(ctx.work, ctx.scope, as_of, query.by)
    return ReceivablesListOut(as_of=as_of, items=[ReceivablesOut.of(row, query.by) for row in rows])


@router.get("/charges/{charge_id}", permission="billing.read")
def get_charge_entries(ctx: RequestContext, charge_id: UUID) -> LedgerEntriesOut:
    """Get the entries of a charge."""
    return LedgerEntriesOut.of(ledger.read_history(ctx.work, ctx.scope, "charge", charge_id))


@router.get("/payments/{payment_id}", permission="billing.read")
def get_payment_entries(ctx: RequestContext, payment_id: UUID) -> LedgerEntriesOut:
    """Get the entries of a payment.

    Clinicians see what was applied to their own charges.
    """
    return LedgerEntriesOut.of(ledger.read_history(ctx.work, ctx.scope, "payment", payment_id))
