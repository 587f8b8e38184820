-- Documents stay as they were written: what was wrong is undone by a further one.
-- squawk-ignore-file prefer-robust-stmts
create trigger only_grows before update or delete or truncate on payment_applications
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on adjustments
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on refunds
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on balance_transfers
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on charge_changes
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on provider_adjustments
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on settlements
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on ledger_entries
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on ledger_accounts
for each statement execute function refuse_change();

-- The amounts of a charge change while it is unbilled: neither on a claim that was not rejected, nor paid or adjusted.
create function keep_money_of_charge() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if old.voided_at is not null
        or (old.payer_id, old.client_id, old.created_at)
            is distinct from (new.payer_id, new.client_id, new.created_at)
        or exists (
            select from public.claim_charges as l
            join public.claims as c on c.tenant_id = l.tenant_id and c.id = l.claim_id
            where l.tenant_id = old.tenant_id and l.charge_id = old.id and c.first_response is distinct from 'REJECTED'
        )
        or (
            select sum(a.amount_cents) <> 0 from public.payment_applications as a
            where a.tenant_id = old.tenant_id and a.charge_id = old.id
        )
        or (
            select sum(a.amount_cents) <> 0 from public.adjustments as a
            where a.tenant_id = old.tenant_id and a.charge_id = old.id
        )
    then
        raise exception 'The charge is void, claimed, paid or adjusted, so that its amounts and payer stay.'
        using errcode = 'restrict_violation', constraint = 'money_of_charge_stays';
    end if;
    return new;
end
$$;
create trigger money_stays before update on charges
for each row when (
    (old.amount_cents, old.copay_cents, old.payer_id, old.client_id, old.created_at)
    is distinct from (new.amount_cents, new.copay_cents, new.payer_id, new.client_id, new.created_at)
    or old.voided_at is not null and new.voided_at is distinct from old.voided_at
) execute function keep_money_of_charge();

-- The sums that a payment keeps are written by the trigger that counts, which runs as the owner.
create function keep_money_of_payment() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if current_user <> 'caseload_owner'
        or (old.amount_cents, old.payer, old.payer_id, old.client_id, old.posted_at)
            is distinct from (new.amount_cents, new.payer, new.payer_id, new.client_id, new.posted_at)
        or old.voided_at is not null
    then
        raise exception 'The amount and payer of a payment stay, and triggers keep its sums.'
        using errcode = 'restrict_violation', constraint = 'money_of_payment_stays';
    end if;
    return new;
end
$$;
create trigger money_stays before update on payments
for each row when (
    (old.amount_cents, old.payer, old.payer_id, old.client_id, old.posted_at)
    is distinct from (new.amount_cents, new.payer, new.payer_id, new.client_id, new.posted_at)
    or (old.applied_cents, old.refunded_cents, old.provider_cents)
    is distinct from (new.applied_cents, new.refunded_cents, new.provider_cents)
    or old.voided_at is not null and new.voided_at is distinct from old.voided_at
) execute function keep_money_of_payment();
create function refuse_counted_payment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform from added as a where (a.applied_cents, a.refunded_cents, a.provider_cents) <> (0, 0, 0);
    if found and not public.are_sums_written((select tenant_id from added limit 1)) then
        raise exception 'A new payment has neither been applied nor refunded.'
        using errcode = 'restrict_violation', constraint = 'money_of_payment_stays';
    end if;
    return null;
end
$$;
create trigger starts_at_zero after insert on payments referencing new table as added
for each statement execute function refuse_counted_payment();

-- A reversal undoes one row of its table exactly. Since no row ever changes, it is enough to look when it is written.
create function check_reversal() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_table_name = 'payment_applications' then
        perform from public.payment_applications as o
        where o.tenant_id = new.tenant_id and o.id = new.reverses_id and o.amount_cents = -new.amount_cents
            and o.charge_id = new.charge_id and o.payment_id = new.payment_id;
    else
        perform from public.adjustments as o
        where o.tenant_id = new.tenant_id and o.id = new.reverses_id and o.amount_cents = -new.amount_cents
            and o.charge_id = new.charge_id and o.payer_id is not distinct from new.payer_id
            and (o.group_code, o.reason) = (new.group_code, new.reason);
    end if;
    if not found then
        raise exception 'A reversal has the charge, the payer and the negative amount of what it reverses.'
        using errcode = 'check_violation', constraint = 'reversal_is_exact';
    end if;
    return null;
end
$$;
create trigger reverses_exactly after insert on payment_applications
for each row when (new.reverses_id is not null) execute function check_reversal();
create trigger reverses_exactly after insert on adjustments
for each row when (new.reverses_id is not null) execute function check_reversal();

-- The rest binds services, which set the moment of their work, and not an import. These triggers come after those that
-- post, which have locked the balances of the charges.
create function refuse_void_charge() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from added as a
        cross join lateral (
            select h.voided_at from public.charges as h
            where h.id = a.charge_id limit 1
        ) as h
        where h.voided_at is not null
    ) then
        raise exception 'Nothing is posted on a void charge.'
        using errcode = 'check_violation', constraint = 'nothing_stands_on_void_charge';
    end if;
    return null;
end
$$;
create trigger refuses_void_charge after insert on payment_applications referencing new table as added
for each statement when (nullif(current_setting('app.now', true), '') is not null)
execute function refuse_void_charge();
create trigger refuses_void_charge after insert on adjustments referencing new table as added
for each statement when (nullif(current_setting('app.now', true), '') is not null)
execute function refuse_void_charge();
create trigger refuses_void_charge after insert on balance_transfers referencing new table as added
for each statement when (nullif(current_setting('app.now', true), '') is not null)
execute function refuse_void_charge();

create function refuse_taking_too_much() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from (select distinct charge_id from added where amount_cents < 0) as c
        cross join lateral (
            select sum(a.amount_cents) as cents from public.payment_applications as a
            where a.charge_id = c.charge_id
        ) as s
        where s.cents < 0
    ) then
        raise exception 'More would be taken back of the charge than was applied to it.'
        using errcode = 'check_violation', constraint = 'no_more_than_was_applied';
    end if;
    return null;
end
$$;
create trigger takes_back_what_was_applied after insert on payment_applications referencing new table as added
for each statement when (nullif(current_setting('app.now', true), '') is not null)
execute function refuse_taking_too_much();

create function refuse_settling_with_client() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from added as a join public.payments as p on p.tenant_id = a.tenant_id and p.id = a.payment_id
        where p.payer = 'CLIENT' and a.amount_cents <> 0
    ) then
        raise exception 'Only insurers adjust and settle payments beside claims.'
        using errcode = 'check_violation', constraint = 'payer_settles';
    end if;
    return null;
end
$$;
create trigger settles_with_payers after insert on settlements referencing new table as added
for each statement execute function refuse_settling_with_client();

-- Both accounts of an entry exist. Foreign keys would look for the same few accounts twice for each entry of an import.
create function check_accounts() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from (
            select tenant_id, debit_id as id from added union select tenant_id, credit_id from added
        ) as a
        where not exists (select from public.ledger_accounts as k where k.tenant_id = a.tenant_id and k.id = a.id)
    ) then
        raise exception 'An entry is on an account that does not exist.'
        using errcode = 'foreign_key_violation', constraint = 'entries_are_on_accounts';
    end if;
    return null;
end
$$;
create trigger on_accounts after insert on ledger_entries referencing new table as added
for each statement execute function check_accounts();

revoke execute on function keep_money_of_charge, keep_money_of_payment, refuse_counted_payment from public;
revoke execute on function check_reversal, refuse_void_charge from public;
revoke execute on function refuse_taking_too_much, refuse_settling_with_client from public;
revoke execute on function check_accounts from public;
