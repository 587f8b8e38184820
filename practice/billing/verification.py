"""Verification of the ledger: entries and balances are rebuilt from the documents and compared with those kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from practice.billing.rules.ledger import ACCOUNT_KINDS, POSTINGS, ByCode, Posting, Side
from practice.security.doctor import Finding
from practice.security.installation import Installation
from practice.text import format_count

REPORTED = 100

# The documents as the posting table reads them: flat rows.
DOCUMENTS: Mapping[str, str] = {
    "charges": """
        select
            h.id, h.id as charge_id, cast(null as uuid) as payment_id, h.client_id, h.payer_id, h.created_at,
            h.voided_at, h.amount_cents - h.copay_cents - coalesce(g.cents, 0) as first_amount_cents,
            h.copay_cents - coalesce(g.copay_cents, 0) as first_copay_cents,
            case when h.voided_at is null then 0 else h.amount_cents - h.copay_cents end as void_amount_cents,
            case when h.voided_at is null then 0 else h.copay_cents end as void_copay_cents
        from charges as h
        left join (
            select charge_id, sum(amount_cents - copay_cents) as cents, sum(copay_cents) as copay_cents
            from charge_changes where tenant_id = :tenant_id group by charge_id
        ) as g on g.charge_id = h.id
        where h.tenant_id = :tenant_id
    """,
    "charge_changes": """
        select
            g.id, g.charge_id, cast(null as uuid) as payment_id, h.client_id, h.payer_id,
            g.amount_cents - g.copay_cents as amount_cents, g.copay_cents, g.changed_at as posted_at
        from charge_changes as g join charges as h on h.tenant_id = g.tenant_id and h.id = g.charge_id
        where g.tenant_id = :tenant_id
    """,
    "balance_transfers": """
        select
            t.id, t.charge_id, cast(null as uuid) as payment_id, h.client_id, t.from_payer_id, t.to_payer_id,
            t.amount_cents, t.posted_at
        from balance_transfers as t join charges as h on h.tenant_id = t.tenant_id and h.id = t.charge_id
        where t.tenant_id = :tenant_id
    """,
    "payments": """
        select
            id, cast(null as uuid) as charge_id, id as payment_id, client_id, amount_cents, posted_at, voided_at,
            case when voided_at is null then 0 else amount_cents end as void_cents
        from payments where tenant_id = :tenant_id
    """,
    "payment_applications": """
        select
            a.id, a.charge_id, a.payment_id, h.client_id, a.amount_cents, a.posted_at,
            case p.payer when 'INSURANCE' then coalesce(p.payer_id, h.payer_id, '') end as payer_id
        from payment_applications as a
        join payments as p on p.tenant_id = a.tenant_id and p.id = a.payment_id
        join charges as h on h.tenant_id = a.tenant_id and h.id = a.charge_id
        where a.tenant_id = :tenant_id
    """,
    "adjustments": """
        select
            a.id, a.charge_id, cast(null as uuid) as payment_id, h.client_id, a.payer_id, a.group_code, a.amount_cents,
            a.posted_at
        from adjustments as a join charges as h on h.tenant_id = a.tenant_id and h.id = a.charge_id
        where a.tenant_id = :tenant_id
    """,
    "refunds": """
        select
            id, cast(null as uuid) as charge_id, payment_id, cast(null as uuid) as client_id, amount_cents,
            refunded_at as posted_at
        from refunds where tenant_id = :tenant_id
    """,
    **{
        table: f"""
            select
                d.id, cast(null as uuid) as charge_id, d.payment_id, p.client_id, p.payer_id, {code} d.amount_cents,
                d.posted_at
            from {table} as d join payments as p on p.tenant_id = d.tenant_id and p.id = d.payment_id
            where d.tenant_id = :tenant_id
        """
        for table, code in (("provider_adjustments", "d.code,"), ("settlements", ""))
    },
}


def build_derivation() -> str:
    """Return the query for the entries that the documents make, by the posting table."""
    return " union all ".join(build_selection(kind, posting) for kind, posting in POSTINGS.items())


def build_selection(kind: str, posting: Posting) -> str:
    """Return the query for the entries of one kind. A negative amount swaps the sides."""
    debit, credit = build_account(posting.debit), build_account(posting.credit)
    amount = posting.amount
    return f"""
        select
            '{kind}' as kind, d.id as document_id, d.charge_id, d.payment_id, abs(d.{amount}) as amount_cents,
            d.{posting.posted_at} as posted_at,
            case when d.{amount} > 0 then {debit} else {credit} end as debit,
            case when d.{amount} > 0 then {credit} else {debit} end as credit
        from ({DOCUMENTS[posting.table]}) as d where d.{amount} <> 0
    """


def build_account(side: Side) -> str:
    """Return the expression for an account as the row (kind, payer, client)."""
    if isinstance(side.kind, ByCode):
        cases = " ".join(f"when '{code}' then '{kind}'" for code, kind in side.kind.kinds.items())
        kind = f"cast(case d.{side.kind.column} {cases} else '{side.kind.otherwise}' end as text)"
    else:
        kind = f"cast('{side.kind}' as text)"
    payer = f"d.{side.payer}" if side.payer and side.payer != "nobody" else "cast(null as text)"
    if side.kind == "receivable":
        return f"row({kind}, {payer}, case when {payer} is null then d.client_id end)"
    if side.payer:
        return f"row({kind}, case when {kind} = 'payer_balance' then coalesce({payer}, '') end, cast(null as uuid))"
    return f"row({kind}, cast(null as text), cast(null as uuid))"


ENTRIES_SQL = text(f"""
    with derived as materialized ({build_derivation()}),
    accounts as materialized (
        select id, row(kind, payer_id, client_id) as account from ledger_accounts where tenant_id = :tenant_id
    ),
    stored as materialized (
        select
            e.kind, e.document_id, e.charge_id, e.payment_id, e.amount_cents, e.posted_at, d.account as debit,
            c.account as credit
        from ledger_entries as e
        left join accounts as d on d.id = e.debit_id left join accounts as c on c.id = e.credit_id
        where e.tenant_id = :tenant_id
    )
    select
        coalesce(s.kind, d.kind) as kind, coalesce(s.document_id, d.document_id) as document_id,
        coalesce(d.charge_id, s.charge_id) as charge_id, coalesce(d.payment_id, s.payment_id) as payment_id,
        case when s.kind is null then array['is missing'] when d.kind is null then array['has no document']
        else array_remove(array[
            case when s.amount_cents <> d.amount_cents then 'has another amount than its document' end,
            case
                when s.debit is distinct from d.debit or s.credit is distinct from d.credit
                then 'is on other accounts'
            end,
            case when s.charge_id is distinct from d.charge_id then 'is of another charge' end,
            case when s.payment_id is distinct from d.payment_id then 'is of another payment' end,
            case when s.posted_at is distinct from d.posted_at then 'is of another moment' end
        ], null) end as faults
    from stored as s full join derived as d on d.kind = s.kind and d.document_id = s.document_id
    where s.kind is null or d.kind is null
        or (s.charge_id, s.payment_id, s.amount_cents, s.posted_at)
            is distinct from (d.charge_id, d.payment_id, cast(d.amount_cents as bigint), d.posted_at)
        or s.debit is distinct from d.debit or s.credit is distinct from d.credit
    order by 1, 2
""")

BALANCES_SQL = text("""
    select
        coalesce(b.charge_id, e.charge_id) as charge_id, coalesce(b.account_id, e.account_id) as account_id,
        coalesce(b.open_cents, 0) as kept, coalesce(e.cents, 0) as derived
    from (select * from charge_balances where tenant_id = :tenant_id) as b
    full join (
        select x.charge_id, x.account_id, sum(x.cents) as cents
        from (
            select charge_id, debit_id as account_id, amount_cents as cents from ledger_entries
            where tenant_id = :tenant_id and charge_id is not null
            union all
            select charge_id, credit_id, -amount_cents from ledger_entries
            where tenant_id = :tenant_id and charge_id is not null
        ) as x
        join ledger_accounts as k on k.tenant_id = :tenant_id and k.id = x.account_id and k.kind = 'receivable'
        group by x.charge_id, x.account_id
    ) as e on e.charge_id = b.charge_id and e.account_id = b.account_id
    where coalesce(b.open_cents, 0) <> coalesce(e.cents, 0)
    order by 1, 2
""")

# What was asked for a charge is applied, adjusted or open; nothing was asked for a void one.
CHARGES_SQL = text("""
    select h.id as charge_id, coalesce(a.cents, 0) as applied, coalesce(j.cents, 0) as adjusted,
        coalesce(b.cents, 0) as open, case when h.voided_at is null then h.amount_cents else 0 end as amount
    from charges as h
    left join (
        select charge_id, sum(amount_cents) as cents from payment_applications where tenant_id = :tenant_id group by 1
    ) as a on a.charge_id = h.id
    left join (
        select charge_id, sum(amount_cents) as cents from adjustments where tenant_id = :tenant_id group by 1
    ) as j on j.charge_id = h.id
    left join (
        select charge_id, sum(open_cents) as cents from charge_balances where tenant_id = :tenant_id group by 1
    ) as b on b.charge_id = h.id
    where h.tenant_id = :tenant_id
        and case when h.voided_at is null then h.amount_cents else 0 end
            <> coalesce(a.cents, 0) + coalesce(j.cents, 0) + coalesce(b.cents, 0)
    order by 1
""")

# What was received, and kept by the payer, is applied, refunded or unapplied; the sums kept are those of the documents.
PAYMENTS_SQL = text("""
    select p.id as payment_id
    from payments as p
    left join (
        select payment_id, sum(amount_cents) as cents from payment_applications where tenant_id = :tenant_id group by 1
    ) as a on a.payment_id = p.id
    left join (
        select payment_id, sum(amount_cents) as cents from refunds where tenant_id = :tenant_id group by 1
    ) as r on r.payment_id = p.id
    left join (
        select payment_id, sum(cents) as cents from (
            select payment_id, amount_cents as cents from provider_adjustments where tenant_id = :tenant_id
            union all
            select payment_id, -amount_cents from settlements where tenant_id = :tenant_id
        ) as x group by 1
    ) as v on v.payment_id = p.id
    left join (
        select e.payment_id, sum(case when e.credit_id = k.id then e.amount_cents else -e.amount_cents end) as cents
        from ledger_entries as e
        join ledger_accounts as k
            on k.tenant_id = :tenant_id and k.kind = 'unapplied' and k.id in (e.debit_id, e.credit_id)
        where e.tenant_id = :tenant_id group by 1
    ) as u on u.payment_id = p.id
    where p.tenant_id = :tenant_id and (
        (p.applied_cents, p.refunded_cents, p.provider_cents)
            is distinct from (coalesce(a.cents, 0), coalesce(r.cents, 0), coalesce(v.cents, 0))
        or coalesce(u.cents, 0)
            <> case when p.voided_at is null then p.amount_cents else 0 end + p.provider_cents - p.applied_cents
                - p.refunded_cents
    )
    order by 1
""")

# An entry moves an amount once from one account to another, so that debits and credits are always equal. These say
# that each account means what the chart says.
ACCOUNTS_SQL = text("""
    select id from ledger_accounts
    where tenant_id = :tenant_id and (
        kind <> all(:kinds)
        or id <> ledger_account_id(kind, payer_id, client_id)
        or num_nonnulls(payer_id, client_id) <> case when kind in ('receivable', 'payer_balance') then 1 else 0 end
    )
    order by 1
""")
COUNT_SQL = text("select count(*) from ledger_entries where tenant_id = :tenant_id")


@dataclass(frozen=True)
class Problem:
    """Something on the ledger that its documents do not say, or the other way round."""

    message: str
    facts: dict[str, str]


def examine_ledger(installation: Installation, _: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the finding of `caseload doctor` about the ledger of a practice."""
    with installation.store.begin_session(tenant_id) as db:
        db.execute(text("set local statement_timeout = 0"))  # a long ledger takes longer
        problems = find_ledger_problems(db, tenant_id)
        entries = db.scalar(COUNT_SQL, {"tenant_id": tenant_id}) or 0
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "entries": entries}
    if not problems:
        message = f"{name}: {format_count(entries, 'entry', 'entries')} on the ledger, as the documents say."
        yield Finding("ledger", True, message, facts)
        return
    examples = " ".join(problem.message for problem in problems[:3])
    rest = f" And {len(problems) - 3} more." if len(problems) > 3 else ""
    advice = "Do not change the database, and compare it with a backup to find what was changed."
    message = f"{name}: the ledger and its documents differ. {examples}{rest} {advice}"
    wrong = [{"message": problem.message, **problem.facts} for problem in problems[:REPORTED]]
    yield Finding("ledger", False, message, facts | {"problems": len(problems), "wrong": wrong})


def find_ledger_problems(db: Session, tenant_id: UUID) -> list[Problem]:
    """Return what is wrong on the ledger of a practice. Each comparison is one statement and sees one state.

    They compare whole tables. Without statistics, as after an import, PostgreSQL would do that row by row.
    """
    db.execute(text("set local enable_nestloop = off"))

    def fetch(query: Any, **parameters: Any) -> list[Row]:
        return list(db.execute(query, {"tenant_id": tenant_id, **parameters}))

    problems = [describe_entry(row) for row in fetch(ENTRIES_SQL)]
    problems += [
        make_problem(
            f"The balance of charge {row.charge_id} on account {row.account_id} is kept as {row.kept} cents, and its "
            f"entries come to {row.derived}.",
            charge_id=row.charge_id,
            account_id=row.account_id,
        )
        for row in fetch(BALANCES_SQL)
    ]
    problems += [
        make_problem(
            f"Charge {row.charge_id}: {row.applied} applied, {row.adjusted} adjusted and {row.open} open are not the "
            f"{row.amount} cents that it comes to.",
            charge_id=row.charge_id,
        )
        for row in fetch(CHARGES_SQL)
    ]
    problems += [
        make_problem(
            f"Payment {row.payment_id}: its sums are not those of its documents and entries.", payment_id=row.payment_id
        )
        for row in fetch(PAYMENTS_SQL)
    ]
    problems += [
        make_problem(f"Account {row.id} is not what its number says.", account_id=row.id)
        for row in fetch(ACCOUNTS_SQL, kinds=list(ACCOUNT_KINDS))
    ]
    return problems


def describe_entry(row: Row) -> Problem:
    document = f"{POSTINGS[row.kind].table} {row.document_id}" if row.kind in POSTINGS else str(row.document_id)
    subjects = {"charge": row.charge_id, "payment": row.payment_id}
    of = ", ".join(f"{noun} {subject}" for noun, subject in subjects.items() if subject)
    return make_problem(
        f"The entry `{row.kind}` of {document} ({of}) {' and '.join(row.faults)}.",
        document_id=row.document_id,
        **{f"{noun}_id": subject for noun, subject in subjects.items()},
    )


def make_problem(message: str, **subjects: UUID | None) -> Problem:
    return Problem(message, {name: str(subject) for name, subject in subjects.items() if subject})
