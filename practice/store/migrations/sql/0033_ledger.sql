-- The ledger: entries and balances, which statement-level triggers derive from charges, payments and what belongs to
-- them, in the transaction that writes those. They run as the owner; the runtime role may only read what they write.
-- squawk-ignore-file prefer-robust-stmts

-- Return whether an import says that it writes the sums of payments and the balances by itself. That holds for a
-- practice whose transaction is still open, and for no other: of those that exist an entry of the audit log stands.
create function are_sums_written(practice uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
select coalesce(current_setting('app.sums_written', true), '') = 'on'
    and not exists (select from public.audit_log as a where a.tenant_id = practice)
$$;

-- Write the entries of one kind, and what is open of each charge. An amount below zero swaps the sides. Balances come
-- in one order, so that two statements do not deadlock. The plan is made for each call: one that was made while a table
-- was empty would read all of it for each document of an import. An import has written the sums of its payments, adds
-- up its balances in the end, and says so.
create function post_entries(practice uuid, wanted text, ids uuid[]) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    sums_written constant boolean := public.are_sums_written(practice);
begin
    if ids is null then
        return;
    end if;
    with owners as (
        select
            d.*,
            case when d.debit_kind = 'receivable' and d.debit_payer is null then d.client_id end as debit_client,
            case when d.credit_kind = 'receivable' and d.credit_payer is null then d.client_id end as credit_client
        from public.ledger_drafts(wanted, ids) as d
        where d.amount_cents <> 0
    ), drafts as materialized (
        select
            o.*, public.ledger_account_id(o.debit_kind, o.debit_payer, o.debit_client) as debit_id,
            public.ledger_account_id(o.credit_kind, o.credit_payer, o.credit_client) as credit_id
        from owners as o
    ), accounts as (
        insert into public.ledger_accounts (tenant_id, id, kind, payer_id, client_id)
        select practice, a.id, a.kind, a.payer, a.client
        from (
            select debit_id as id, debit_kind as kind, debit_payer as payer, debit_client as client from drafts
            union
            select credit_id, credit_kind, credit_payer, credit_client from drafts
        ) as a
        order by a.id
        on conflict do nothing
    ), balances as (
        insert into public.charge_balances as b (tenant_id, charge_id, account_id, open_cents)
        select practice, x.charge_id, x.account_id, sum(x.cents)
        from (
            select charge_id, debit_id as account_id, amount_cents as cents from drafts where debit_kind = 'receivable'
            union all
            select charge_id, credit_id, -amount_cents from drafts where credit_kind = 'receivable'
        ) as x
        where not sums_written
        group by x.charge_id, x.account_id
        having sum(x.cents) <> 0
        order by x.charge_id, x.account_id
        on conflict (tenant_id, charge_id, account_id) do update set open_cents = b.open_cents + excluded.open_cents
    )
    insert into public.ledger_entries (
        tenant_id, document_id, kind, debit_id, credit_id, amount_cents, charge_id, payment_id, posted_at
    )
    select
        practice, d.document_id, wanted,
        case when d.amount_cents > 0 then d.debit_id else d.credit_id end,
        case when d.amount_cents > 0 then d.credit_id else d.debit_id end,
        abs(d.amount_cents), d.charge_id, d.payment_id, d.posted_at
    from drafts as d;
end
$$;

create function post_documents() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    practice uuid;
    ids uuid[];
    wanted text;
begin
    for practice, ids in select a.tenant_id, array_agg(a.id order by a.id) from added as a group by a.tenant_id loop
        foreach wanted in array tg_argv loop
            perform public.post_entries(practice, wanted, ids);
        end loop;
    end loop;
    return null;
end
$$;

create function post_charges() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    practice uuid;
    ids uuid[];
    copays uuid[];
    void uuid[];
begin
    for practice, ids, copays, void in
        select
            a.tenant_id, array_agg(a.id order by a.id),
            array_agg(a.id order by a.id) filter (where a.copay_cents <> 0),
            array_agg(a.id order by a.id) filter (where a.voided_at is not null)
        from added as a group by a.tenant_id
    loop
        perform public.post_entries(practice, 'charge', ids);
        perform public.post_entries(practice, 'copay', copays);
        perform public.post_entries(practice, 'void', void);
        perform public.post_entries(practice, 'copay_void', void);
    end loop;
    return null;
end
$$;

-- A change of the amounts becomes a document of its own. A void takes back what the charge asked for; nothing else may
-- stand on it then.
create function post_changed_charge() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if (new.amount_cents, new.copay_cents) <> (old.amount_cents, old.copay_cents) then
        insert into public.charge_changes (tenant_id, id, charge_id, amount_cents, copay_cents, changed_at)
        values (
            new.tenant_id, uuidv7(), new.id, new.amount_cents - old.amount_cents, new.copay_cents - old.copay_cents,
            coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now())
        );
    end if;
    if new.voided_at is not null and old.voided_at is null then
        perform public.post_entries(new.tenant_id, 'void', array[new.id]);
        perform public.post_entries(new.tenant_id, 'copay_void', array[new.id]);
        perform from public.charge_balances as b
        where b.tenant_id = new.tenant_id and b.charge_id = new.id and b.open_cents <> 0;
        if found then
            raise exception 'Money, adjustments or moved parts stand on the charge. Take them back first.'
            using errcode = 'check_violation', constraint = 'nothing_stands_on_void_charge';
        end if;
    end if;
    return null;
end
$$;

create function post_payments() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    practice uuid;
    ids uuid[];
    void uuid[];
begin
    for practice, ids, void in
        select
            a.tenant_id, array_agg(a.id order by a.id),
            array_agg(a.id order by a.id) filter (where a.voided_at is not null)
        from added as a group by a.tenant_id
    loop
        perform public.post_entries(practice, 'payment', ids);
        perform public.post_entries(practice, 'payment_void', void);
    end loop;
    return null;
end
$$;

create function post_void_payment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.post_entries(new.tenant_id, 'payment_void', array[new.id]);
    return null;
end
$$;

-- What is applied, refunded, and kept by the payer, of each payment, one after the other in one order, so that two
-- statements do not deadlock. The payment's own checks refuse what it does not have.
create function count_payments() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    payment uuid;
    cents bigint;
begin
    if public.are_sums_written((select tenant_id from added limit 1)) then
        return null;
    end if;
    for payment, cents in
        select a.payment_id, sum(a.amount_cents) from added as a
        group by a.payment_id having sum(a.amount_cents) <> 0 order by a.payment_id
    loop
        case tg_table_name
            when 'payment_applications' then
                update public.payments set applied_cents = applied_cents + cents
                where id = payment;
            when 'refunds' then
                update public.payments set refunded_cents = refunded_cents + cents
                where id = payment;
            when 'provider_adjustments' then
                update public.payments set provider_cents = provider_cents + cents
                where id = payment;
            when 'settlements' then
                update public.payments set provider_cents = provider_cents - cents
                where id = payment;
        end case;
    end loop;
    return null;
end
$$;

-- Imported history says who paid and not whose part it was. What a party paid has passed to it; what is open passes to
-- the client when the claim is paid, and stays with the payer until then.
create function place_imported_balances(practice uuid) returns void
language sql set search_path = pg_catalog, public, pg_temp
set enable_seqscan = on set enable_nestloop = off as $$
with owed as (
    select h.id, h.payer_id, h.amount_cents, paid.at as paid_at
    from public.charges as h
    left join (
        select l.charge_id, min(c.adjudicated_at) as at
        from public.claim_charges as l join public.claims as c on c.tenant_id = practice and c.id = l.claim_id
        where l.tenant_id = practice and c.outcome = 'PAID'
        group by l.charge_id
    ) as paid on paid.charge_id = h.id
    where h.tenant_id = practice and h.voided_at is null
), applied as (
    select
        a.charge_id, a.amount_cents, a.posted_at, a.posted_at <= o.paid_at as before_payment,
        case when p.payer = 'INSURANCE' then coalesce(p.payer_id, o.payer_id, '') end as paying,
        case when a.posted_at > o.paid_at then null else o.payer_id end as owing
    from public.payment_applications as a
    join public.payments as p on p.tenant_id = practice and p.id = a.payment_id
    join owed as o on o.id = a.charge_id
    where a.tenant_id = practice and a.amount_cents <> 0
), left_open as (
    select o.id, o.payer_id, o.paid_at, o.amount_cents - coalesce(a.cents, 0) - coalesce(j.cents, 0) as cents
    from owed as o
    left join (
        select applied.charge_id, sum(applied.amount_cents) as cents from applied
        where applied.before_payment group by applied.charge_id
    ) as a on a.charge_id = o.id
    left join (
        select j.charge_id, sum(j.amount_cents) as cents
        from public.adjustments as j join owed as p on p.id = j.charge_id
        where j.tenant_id = practice and j.posted_at <= p.paid_at group by j.charge_id
    ) as j on j.charge_id = o.id
    where o.paid_at is not null and o.payer_id is not null
)
insert into public.balance_transfers (
    tenant_id, id, charge_id, from_payer_id, to_payer_id, reason, amount_cents, posted_at
)
select practice, uuidv7(), m.charge_id, m.owing, m.paying, 'IMPORTED', m.amount_cents, m.posted_at
from (
    select applied.charge_id, applied.owing, applied.paying, applied.amount_cents, applied.posted_at from applied
    where applied.owing is distinct from applied.paying
    union all
    select left_open.id, left_open.payer_id, null, left_open.cents, left_open.paid_at from left_open
    where left_open.cents <> 0
) as m
order by m.charge_id, m.posted_at
$$;

-- The balances of a practice whose documents were posted without them.
create function sum_balances(practice uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = on set enable_nestloop = off as $$
insert into public.charge_balances (tenant_id, charge_id, account_id, open_cents)
select practice, x.charge_id, x.account_id, sum(x.cents)
from (
    select charge_id, debit_id as account_id, amount_cents as cents from public.ledger_entries
    where tenant_id = practice and charge_id is not null
    union all
    select charge_id, credit_id, -amount_cents from public.ledger_entries
    where tenant_id = practice and charge_id is not null
) as x
join public.ledger_accounts as k on k.tenant_id = practice and k.id = x.account_id and k.kind = 'receivable'
group by x.charge_id, x.account_id
having sum(x.cents) <> 0
order by x.charge_id, x.account_id
on conflict (tenant_id, charge_id, account_id) do update set open_cents = excluded.open_cents
$$;

create trigger posts after insert on charges referencing new table as added
for each statement execute function post_charges();
create trigger posts_changes after update on charges
for each row when (
    (old.amount_cents, old.copay_cents) is distinct from (new.amount_cents, new.copay_cents)
    or old.voided_at is null and new.voided_at is not null
) execute function post_changed_charge();
create trigger posts after insert on charge_changes referencing new table as added
for each statement execute function post_documents('charge_change', 'copay_change');
create trigger posts after insert on balance_transfers referencing new table as added
for each statement execute function post_documents('transfer');
create trigger posts after insert on payments referencing new table as added
for each statement execute function post_payments();
create trigger posts_void after update on payments
for each row when (old.voided_at is null and new.voided_at is not null) execute function post_void_payment();
create trigger posts after insert on payment_applications referencing new table as added
for each statement execute function post_documents('application');
create trigger posts after insert on adjustments referencing new table as added
for each statement execute function post_documents('adjustment');
create trigger posts after insert on refunds referencing new table as added
for each statement execute function post_documents('refund');
create trigger posts after insert on provider_adjustments referencing new table as added
for each statement execute function post_documents('provider_adjustment');
create trigger posts after insert on settlements referencing new table as added
for each statement execute function post_documents('settlement');
create trigger counts after insert on payment_applications referencing new table as added
for each statement execute function count_payments();
create trigger counts after insert on refunds referencing new table as added
for each statement execute function count_payments();
create trigger counts after insert on provider_adjustments referencing new table as added
for each statement execute function count_payments();
create trigger counts after insert on settlements referencing new table as added
for each statement execute function count_payments();

revoke execute on function are_sums_written, post_entries, post_documents, post_charges from public;
revoke execute on function post_changed_charge from public;
revoke execute on function post_payments, post_void_payment, count_payments from public;
revoke execute on function place_imported_balances, sum_balances from public;
grant execute on function place_imported_balances, sum_balances to caseload_app;
