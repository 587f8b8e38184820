"""The ledger. Triggers derive its rows from the documents; nobody else writes them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.billing.rules.ledger import ACCOUNT_KINDS
from practice.store.base import Base, Cents, TenantKeyed, enum_check, same_practice


class LedgerAccount(TenantKeyed, Base):
    """An account of the chart. Its id follows from its kind and owner, so that documents can name it before it exists.

    A payer's receivable or balance without a name (`payer_id` empty) is that of an insurer of whom none is known.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        Index(*(None, "tenant_id", "kind", "payer_id", "client_id"), unique=True, postgresql_nulls_not_distinct=True),
        same_practice("client_id", "clients"),
        enum_check("kind", *ACCOUNT_KINDS),
    )

    kind: Mapped[str]
    payer_id: Mapped[str | None]
    client_id: Mapped[UUID | None]


class LedgerEntry(Base):
    """An amount that a document moves between two accounts. Each document makes an entry of a kind once.

    A trigger checks that both accounts exist, for all entries of a statement at once; accounts are never removed.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index(None, "tenant_id", "charge_id", postgresql_where=text("charge_id is not null")),
        Index(None, "tenant_id", "payment_id", postgresql_where=text("payment_id is not null")),
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    debit_id: Mapped[UUID]
    credit_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    charge_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    posted_at: Mapped[datetime]


class ChargeBalance(Base):
    """What is open of a charge on the receivable of a payer or client."""

    __tablename__ = "charge_balances"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    open_cents: Mapped[Cents]
