-- Functions of the ledger that say what a document comes to.
-- squawk-ignore-file prefer-robust-stmts

-- An account's id follows from what it is. So a document can be posted without a look for its accounts.
create function ledger_account_id(kind text, payer text, client uuid) returns uuid
language sql immutable parallel safe as $$
select md5(kind || '/' || coalesce(client::text, '') || '/' || coalesce(payer, ''))::uuid
$$;

-- The posting table: the entry of one kind that each of these documents makes. A receivable without a payer is the
-- client's; a payer's account with an empty name is that of an insurer of whom none is known.
--
-- Each record is looked up by its id alone, with a limit; the policies add the practice. With the practice named twice
-- PostgreSQL expects one row of it in a table without statistics, and reads all of them for each document.
create function ledger_drafts(wanted text, ids uuid[]) returns table (
    document_id uuid, debit_kind text, debit_payer text, credit_kind text, credit_payer text, client_id uuid,
    amount_cents bigint, charge_id uuid, payment_id uuid, posted_at timestamptz
)
language sql stable as $$
select
    h.id, 'receivable', h.payer_id, 'revenue', null::text, h.client_id, h.amount_cents - h.copay_cents - g.cents,
    h.id, null::uuid, h.created_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charges where id = w.id limit 1) as h
cross join lateral (
    select coalesce(sum(c.amount_cents - c.copay_cents), 0)::bigint as cents from public.charge_changes as c
    where c.charge_id = w.id
) as g
where wanted = 'charge'
union all
select
    h.id, 'receivable', null, 'revenue', null, h.client_id, h.copay_cents - g.cents, h.id, null, h.created_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charges where id = w.id limit 1) as h
cross join lateral (
    select coalesce(sum(c.copay_cents), 0)::bigint as cents from public.charge_changes as c
    where c.charge_id = w.id
) as g
where wanted = 'copay'
union all
select
    g.id, 'receivable', h.payer_id, 'revenue', null, h.client_id, g.amount_cents - g.copay_cents, h.id, null,
    g.changed_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charge_changes where id = w.id limit 1) as g
cross join lateral (select * from public.charges where id = g.charge_id limit 1) as h
where wanted = 'charge_change'
union all
select g.id, 'receivable', null, 'revenue', null, h.client_id, g.copay_cents, h.id, null, g.changed_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charge_changes where id = w.id limit 1) as g
cross join lateral (select * from public.charges where id = g.charge_id limit 1) as h
where wanted = 'copay_change'
union all
select
    h.id, 'revenue', null, 'receivable', h.payer_id, h.client_id, h.amount_cents - h.copay_cents, h.id, null,
    h.voided_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charges where id = w.id limit 1) as h
where wanted = 'void'
union all
select h.id, 'revenue', null, 'receivable', null, h.client_id, h.copay_cents, h.id, null, h.voided_at
from unnest(ids) as w (id)
cross join lateral (select * from public.charges where id = w.id limit 1) as h
where wanted = 'copay_void'
union all
select
    t.id, 'receivable', t.to_payer_id, 'receivable', t.from_payer_id, h.client_id, t.amount_cents, h.id, null,
    t.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.balance_transfers where id = w.id limit 1) as t
cross join lateral (select * from public.charges where id = t.charge_id limit 1) as h
where wanted = 'transfer'
union all
select p.id, 'cash', null, 'unapplied', null, null, p.amount_cents, null, p.id, p.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.payments where id = w.id limit 1) as p
where wanted = 'payment'
union all
select p.id, 'unapplied', null, 'cash', null, null, p.amount_cents, null, p.id, p.voided_at
from unnest(ids) as w (id)
cross join lateral (select * from public.payments where id = w.id limit 1) as p
where wanted = 'payment_void'
union all
select
    a.id, 'unapplied', null, 'receivable',
    case when p.payer = 'INSURANCE' then coalesce(p.payer_id, h.payer_id, '') end, h.client_id, a.amount_cents, h.id,
    p.id, a.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.payment_applications where id = w.id limit 1) as a
cross join lateral (select * from public.payments where id = a.payment_id limit 1) as p
cross join lateral (select * from public.charges where id = a.charge_id limit 1) as h
where wanted = 'application'
union all
select
    a.id, case a.group_code when 'CO' then 'contractual' when 'WO' then 'write_off' else 'other_adjustment' end, null,
    'receivable', a.payer_id, h.client_id, a.amount_cents, h.id, null, a.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.adjustments where id = w.id limit 1) as a
cross join lateral (select * from public.charges where id = a.charge_id limit 1) as h
where wanted = 'adjustment'
union all
select r.id, 'unapplied', null, 'cash', null, null, r.amount_cents, null, r.payment_id, r.refunded_at
from unnest(ids) as w (id)
cross join lateral (select * from public.refunds where id = w.id limit 1) as r
where wanted = 'refund'
union all
select
    v.id, k.kind, case k.kind when 'payer_balance' then coalesce(p.payer_id, '') end, 'unapplied', null, null,
    v.amount_cents, null, p.id, v.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.provider_adjustments where id = w.id limit 1) as v
cross join lateral (select * from public.payments where id = v.payment_id limit 1) as p
cross join lateral (
    select case
        when v.code in ('FB', 'WO', '72', 'CS', 'B3') then 'payer_balance'
        when v.code = 'L6' then 'interest'
        when v.code in ('CT', 'CR') then 'capitation'
        else 'provider_adjustment'
    end as kind
) as k
where wanted = 'provider_adjustment'
union all
select
    s.id, 'unapplied', null, 'payer_balance', coalesce(p.payer_id, ''), null, s.amount_cents, null, p.id, s.posted_at
from unnest(ids) as w (id)
cross join lateral (select * from public.settlements where id = w.id limit 1) as s
cross join lateral (select * from public.payments where id = s.payment_id limit 1) as p
where wanted = 'settlement'
$$;

revoke execute on function ledger_account_id, ledger_drafts from public;
grant execute on function ledger_account_id to caseload_app;
