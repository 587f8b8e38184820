-- The ledger of the records that are there already. All of them were imported.
do $$
declare
    practice uuid;
    kinds constant text[] := array['charge', 'void', 'payment', 'payment_void', 'application', 'adjustment', 'refund'];
    tables constant text[] := array[
        'charges', 'charges where voided_at is not null', 'payments', 'payments where voided_at is not null',
        'payment_applications', 'adjustments', 'refunds'
    ];
    ids uuid[];
begin
    perform set_config('app.never_refreshed', 'on', true);  -- the warehouse reads none of the new columns
    for practice in select id from public.practices loop
        perform set_config('app.tenant_id', practice::text, true);
        update public.charges as h set coverage_id = v.id, payer_id = v.payer_id
        from (
            select
                h.id as charge_id,
                coalesce(claimed.coverage_id, case when not k.self_pay then in_force.id end) as coverage_id
            from public.charges as h
            join public.clients as k on k.tenant_id = practice and k.id = h.client_id
            left join lateral (
                select c.coverage_id from public.claim_charges as l
                join public.claims as c on c.tenant_id = practice and c.id = l.claim_id
                where l.tenant_id = practice and l.charge_id = h.id
                order by c.submitted_at, c.id limit 1
            ) as claimed on true
            left join lateral (
                select v.id from public.coverages as v
                where v.tenant_id = practice and v.client_id = h.client_id and v.voided_at is null
                    and v.effective_on <= h.service_date and (v.ends_on is null or v.ends_on >= h.service_date)
                order by v.rank, coalesce(v.external_id, v.id::text) collate "C" limit 1
            ) as in_force on true
        ) as o
        join public.coverages as v on v.tenant_id = practice and v.id = o.coverage_id
        where h.tenant_id = practice and h.id = o.charge_id;
        update public.adjustments as a set payer_id = h.payer_id
        from public.charges as h
        where a.tenant_id = practice and h.tenant_id = practice and h.id = a.charge_id and h.payer_id is not null
            and not exists (
                select from public.claim_charges as l
                join public.claims as c on c.tenant_id = practice and c.id = l.claim_id
                where l.tenant_id = practice and l.charge_id = h.id and c.outcome = 'PAID'
                    and c.adjudicated_at < a.posted_at
            );
        update public.payments as p set
            applied_cents = coalesce((
                select sum(a.amount_cents) from public.payment_applications as a
                where a.tenant_id = practice and a.payment_id = p.id
            ), 0),
            refunded_cents = coalesce((
                select sum(r.amount_cents) from public.refunds as r where r.tenant_id = practice and r.payment_id = p.id
            ), 0)
        where p.tenant_id = practice;
        for i in 1 .. cardinality(kinds) loop
            execute 'select array_agg(id) from public.' || tables[i] into ids;
            perform public.post_entries(practice, kinds[i], ids);
        end loop;
        perform public.place_imported_balances(practice);
        perform public.sum_balances(practice);
    end loop;
    perform set_config('app.tenant_id', '', true);
end
$$;
