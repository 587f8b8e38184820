"""Reading the ledger: the trial balance, receivables by age, charges and payments with their histories.

All of it is read off the entries posted by an instant, so that an answer about the past stays the same. Those who may
see their own charges only see the entries of these.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, text

from practice.billing.rules.ledger import AGES, CHART
from practice.errors import NotFound
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work

Party = Literal["payer", "client", "clinician"]

OWN_CHARGES = """(
    cast(:staff_id as uuid) is null
    or charge_id in (select h.id from charges as h where h.tenant_id = :tenant_id and h.clinician_id = :staff_id)
)"""

TRIAL_BALANCE_SQL = text(f"""
    select k.kind, k.payer_id, k.client_id, coalesce(d.cents, 0) as debit, coalesce(c.cents, 0) as credit
    from ledger_accounts as k
    left join (
        select debit_id as id, sum(amount_cents) as cents from ledger_entries
        where tenant_id = :tenant_id and posted_at <= :as_of and {OWN_CHARGES} group by debit_id
    ) as d on d.id = k.id
    left join (
        select credit_id as id, sum(amount_cents) as cents from ledger_entries
        where tenant_id = :tenant_id and posted_at <= :as_of and {OWN_CHARGES} group by credit_id
    ) as c on c.id = k.id
    where k.tenant_id = :tenant_id and (d.id is not null or c.id is not null)
    order by array_position(:kinds, k.kind), k.payer_id nulls last, k.client_id
""")

# What a charge has on each kind of account, with the charges that exist and are not void at the instant.
CHARGES_SQL = """
    select h.id, coalesce(h.external_id, cast(h.id as text)) as name, h.client_id, h.clinician_id, h.service_date,
        coalesce(-sum(x.cents) filter (where k.kind = 'revenue'), 0) as amount,
        coalesce(sum(x.cents) filter (where k.kind = 'unapplied'), 0) as applied,
        coalesce(
            sum(x.cents) filter (where k.kind in ('contractual', 'write_off', 'other_adjustment')), 0
        ) as adjusted,
        coalesce(sum(x.cents) filter (where k.kind = 'receivable' and k.payer_id is not null), 0) as payer,
        coalesce(sum(x.cents) filter (where k.kind = 'receivable' and k.client_id is not null), 0) as client
    from charges as h
    left join (
        select charge_id, debit_id as account_id, amount_cents as cents from ledger_entries
        where tenant_id = :tenant_id and charge_id is not null and posted_at <= :as_of
        union all
        select charge_id, credit_id, -amount_cents from ledger_entries
        where tenant_id = :tenant_id and charge_id is not null and posted_at <= :as_of
    ) as x on x.charge_id = h.id
    left join ledger_accounts as k on k.tenant_id = :tenant_id and k.id = x.account_id
    where h.tenant_id = :tenant_id and h.created_at <= :as_of and (h.voided_at is null or h.voided_at > :as_of)
    group by h.tenant_id, h.id
    order by coalesce(h.external_id, cast(h.id as text)) collate "C"
"""

PAYMENTS_SQL = text("""
    select p.id, coalesce(p.external_id, cast(p.id as text)) as name, p.reference, p.amount_cents as amount,
        coalesce(sum(x.cents) filter (where x.kind = 'application'), 0) as applied,
        coalesce(sum(x.cents) filter (where x.kind = 'refund'), 0) as refunded,
        coalesce(-sum(x.cents) filter (where x.kind in ('provider_adjustment', 'settlement')), 0) as kept,
        coalesce(-sum(x.cents), 0) as unapplied
    from payments as p
    left join (
        select e.payment_id, e.kind, case when e.debit_id = k.id then e.amount_cents else -e.amount_cents end as cents
        from ledger_entries as e
        join ledger_accounts as k
            on k.tenant_id = :tenant_id and k.kind = 'unapplied' and k.id in (e.debit_id, e.credit_id)
        where e.tenant_id = :tenant_id and e.payment_id is not null and e.posted_at <= :as_of
    ) as x on x.payment_id = p.id
    where p.tenant_id = :tenant_id and p.posted_at <= :as_of and (p.voided_at is null or p.voided_at > :as_of)
    group by p.tenant_id, p.id
    order by coalesce(p.external_id, cast(p.id as text)) collate "C"
""")

# Nothing is owed of a charge before it exists, and nothing of a void one.
RECEIVABLES_SQL = """
    select {party} as party, h.service_date, sum(x.cents) as cents
    from (
        select charge_id, debit_id as account_id, amount_cents as cents from ledger_entries
        where tenant_id = :tenant_id and charge_id is not null and posted_at <= :as_of
        union all
        select charge_id, credit_id, -amount_cents from ledger_entries
        where tenant_id = :tenant_id and charge_id is not null and posted_at <= :as_of
    ) as x
    join ledger_accounts as k on k.tenant_id = :tenant_id and k.id = x.account_id and k.kind = 'receivable'
    join charges as h on h.tenant_id = :tenant_id and h.id = x.charge_id
    where h.created_at <= :as_of and (h.voided_at is null or h.voided_at > :as_of) and {condition}
        and (cast(:staff_id as uuid) is null or h.clinician_id = :staff_id)
    group by 1, 2
"""
PARTIES = {"payer": "k.payer_id", "client": "k.client_id", "clinician": "h.clinician_id", None: "null"}

HISTORY_SQL = f"""
    select e.kind, e.document_id, e.posted_at, e.amount_cents, e.charge_id, e.payment_id,
        d.kind as debit_kind, d.payer_id as debit_payer_id, d.client_id as debit_client_id,
        c.kind as credit_kind, c.payer_id as credit_payer_id, c.client_id as credit_client_id
    from ledger_entries as e
    join ledger_accounts as d on d.tenant_id = e.tenant_id and d.id = e.debit_id
    join ledger_accounts as c on c.tenant_id = e.tenant_id and c.id = e.credit_id
    where e.tenant_id = :tenant_id and e.{{subject}}_id = :id and {OWN_CHARGES}
    order by e.posted_at, e.document_id, e.kind
"""
FOUND_SQL = "select count(*) from {subject}s where tenant_id = :tenant_id and id = :id"


@dataclass(frozen=True)
class AccountBalance:
    """An account with the sums of its debits and credits, and its balance on the side that the chart names."""

    kind: str
    payer_id: str | None
    client_id: UUID | None
    debit_cents: int
    credit_cents: int
    balance_cents: int


@dataclass(frozen=True)
class Receivables:
    """What one party owes, or for a clinician's charges is owed, by the days since the service."""

    party: Any
    cents: dict[str, int]

    @property
    def total_cents(self) -> int:
        return sum(self.cents.values())


def read_trial_balance(work: Work, scope: Scope, as_of: datetime) -> list[AccountBalance]:
    """Return every account that has entries by the instant."""
    parameters = {"as_of": as_of, "kinds": list(CHART), **bind_scope(work, scope)}
    rows = list(work.db.execute(TRIAL_BALANCE_SQL, parameters))
    work.record_list("ledger.read", (row.client_id for row in rows if row.client_id), as_of=as_of.isoformat())
    return [
        AccountBalance(
            row.kind,
            row.payer_id,
            row.client_id,
            int(row.debit),
            int(row.credit),
            CHART[row.kind] * int(row.debit - row.credit),
        )
        for row in rows
    ]


def read_receivables(work: Work, scope: Scope, as_of: datetime, party: Party | None = None) -> list[Receivables]:
    """Return the open amounts by age, of each payer, client or clinician, or of all together.

    What clients owe is no payer's, and the other way round; both are of the charge's clinician.
    """
    condition = f"{PARTIES[party]} is not null" if party in ("payer", "client") else "true"
    query = RECEIVABLES_SQL.format(party=PARTIES[party], condition=condition)
    parameters = {"as_of": as_of, **bind_scope(work, scope)}
    today = find_last_day(work, as_of)
    ages: dict[Any, dict[str, int]] = {} if party else {None: dict.fromkeys(AGES, 0)}
    for row in work.db.execute(text(query), parameters):
        cents = ages.setdefault(row.party, dict.fromkeys(AGES, 0))
        cents[find_age((today - row.service_date).days)] += int(row.cents)
    client_ids = ages if party == "client" else ()
    work.record_list("receivables.read", client_ids, as_of=as_of.isoformat())
    return [
        Receivables(key, cents)
        for key, cents in sorted(ages.items(), key=lambda item: str(item[0]))
        if party is None or any(cents.values())
    ]


def find_last_day(work: Work, as_of: datetime) -> date:
    """Return the local date of the moment just before the instant."""
    return (as_of - timedelta(microseconds=1)).astimezone(zone_of(work)).date()


def find_age(days: int) -> str:
    """Return the name of the age of a service this many days ago."""
    return next(name for name, most in AGES.items() if most is None or days <= most)


def read_charges(work: Work, as_of: datetime) -> list[Row]:
    """Return the charges that are not void at the instant, with what was applied, adjusted and is open."""
    return list(work.db.execute(text(CHARGES_SQL), {"tenant_id": work.tenant_id, "as_of": as_of}))


def read_payments(work: Work, as_of: datetime) -> list[Row]:
    """Return the payments received by the instant, with what was applied, refunded, kept by the payer and is left."""
    return list(work.db.execute(PAYMENTS_SQL, {"tenant_id": work.tenant_id, "as_of": as_of}))


def read_history(work: Work, scope: Scope, subject: Literal["charge", "payment"], record_id: UUID) -> list[Row]:
    """Return the entries of a charge or payment in their order, or raise NotFound.

    Who sees their own charges only, sees a payment as far as it is applied to them.
    """
    parameters = {"id": record_id, **bind_scope(work, scope)}
    entries = list(work.db.execute(text(HISTORY_SQL.format(subject=subject)), parameters))
    if not entries and (
        scope is not Scope.ALL or not work.db.scalar(text(FOUND_SQL.format(subject=subject)), parameters)
    ):
        raise NotFound
    client_ids = {row.debit_client_id or row.credit_client_id for row in entries} - {None}
    work.record_list(f"{subject}.entries_read", client_ids, subject, record_id)
    return entries


def bind_scope(work: Work, scope: Scope) -> dict[str, Any]:
    """Return the parameters that limit a query to the practice, and to the actor's own charges."""
    return {"tenant_id": work.tenant_id, "staff_id": None if scope is Scope.ALL else work.actor.staff_id}


def read_client_names(work: Work) -> dict[UUID | None, str]:
    """Return each client's id in the system that it came from, or else its own."""
    query = text("select id, coalesce(external_id, cast(id as text)) as name from clients where tenant_id = :tenant_id")
    return {row.id: row.name for row in work.db.execute(query, {"tenant_id": work.tenant_id})}
