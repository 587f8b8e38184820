-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=ST05
-- What analysts read. The views read as their owner caseload_marts, which row-level security limits to the practice of
-- the session, and which can select only the columns named here. Columns that end in `_at` are instants, those that end
-- in `_on` local dates of the practice, those that end in `_cents` amounts of money.
create view marts.time_zones with (security_barrier) as
select
    p.time_zone,
    coalesce(c.old_zones, '{}') || p.time_zone as zones,
    coalesce(c.changes, '{}') as changed_at
from public.practices as p
cross join (
    select
        array_agg(z.old_zone order by z.changed_at) as old_zones,
        array_agg(z.changed_at order by z.changed_at) as changes
    from public.time_zone_changes as z
) as c
where p.id = public.analyst_practice();

create view marts.appointments with (security_barrier) as
select
    a.id as appointment_id,
    a.client_id,
    a.clinician_id,
    a.group_session_id,
    a.series_id,
    a.room_id,
    s.code as service_code,
    s.kind as service_kind,
    s.cpt_code,
    a.type,
    a.status,
    a.status_at,
    a.starts_at,
    a.ends_at,
    l.starts_at::date as starts_on,
    l.starts_at::time as local_time,
    (extract(epoch from a.ends_at - a.starts_at) / 60)::integer as scheduled_minutes,
    a.actual_minutes,
    a.telehealth as is_telehealth,
    a.booked_via,
    a.created_at as booked_at,
    l.booked_at::date as booked_on,
    a.eligibility_verified_at,
    a.arrived_at,
    a.ready_at,
    a.started_at,
    a.rescheduled_to_id,
    a.price_cents,
    a.copay_cents
from public.appointments as a
inner join public.services as s on a.tenant_id = s.tenant_id and a.service_id = s.id
cross join marts.time_zones as z
cross join lateral (
    select
        a.starts_at at time zone z.zones[1 + width_bucket(a.starts_at, z.changed_at)] as starts_at,
        a.created_at at time zone z.zones[1 + width_bucket(a.created_at, z.changed_at)] as booked_at
) as l;

create view marts.sessions with (security_barrier) as
select
    a.id as appointment_id,
    coalesce(a.group_session_id, a.id) as session_id,
    a.client_id,
    a.clinician_id,
    s.code as service_code,
    coalesce(c.kind, s.kind) as service_kind,
    coalesce(c.minutes, s.minutes) as minutes,
    a.starts_at,
    d.starts_on,
    d.week_on,
    a.status_at as completed_at,
    a.note_signed_at,
    d.note_signed_on,
    d.week_on + 7 as note_due_on,
    case
        when d.note_signed_on is not null then d.note_signed_on <= d.week_on + 7
        when (now() at time zone z.time_zone)::date > d.week_on + 7 then false
    end as is_signed_in_time,
    k.locked_at,
    k.unlocked_until,
    coalesce(k.unlock_count, 0) as unlock_count,
    p.week as paid_week_on,
    y.kind as pay_kind,
    c.voided_at
from public.appointments as a
inner join public.services as s on a.tenant_id = s.tenant_id and a.service_id = s.id
cross join marts.time_zones as z
cross join
    lateral (
        select
            (a.starts_at at time zone z.zones[1 + width_bucket(a.starts_at, z.changed_at)])::date as starts_on,
            (a.note_signed_at at time zone z.zones[1 + width_bucket(a.note_signed_at, z.changed_at)])::date as signed_on
    ) as l
cross join
    lateral (
        select
            l.starts_on,
            l.signed_on as note_signed_on,
            l.starts_on - extract(dow from l.starts_on)::integer as week_on
    ) as d
left join public.session_completions as c on a.tenant_id = c.tenant_id and a.id = c.id
left join (
    select
        tenant_id,
        appointment_id,
        max(at) filter (where kind = 'LOCKED') as locked_at,
        max(until) as unlocked_until,
        count(*) filter (where kind = 'UNLOCKED') as unlock_count
    from public.session_locks
    group by tenant_id, appointment_id
) as k on a.tenant_id = k.tenant_id and a.id = k.appointment_id
left join public.pay_lines as y
    on a.tenant_id = y.tenant_id and coalesce(a.group_session_id, a.id) = y.session_id and y.kind in ('regular', 'late')
left join public.pay_periods as p on y.tenant_id = p.tenant_id and y.period_id = p.id
where a.status = 'COMPLETED';

create view marts.notes with (security_barrier) as
select
    n.id as note_id,
    n.appointment_id,
    n.client_id,
    n.clinician_id,
    n.type,
    n.status,
    n.created_at,
    l.created_at::date as created_on,
    n.submitted_at,
    n.returned_at,
    n.signed_at,
    l.signed_at::date as signed_on,
    n.signed_by_id,
    n.version_in_review is not null as has_amendment_in_review,
    n.shared_at,
    n.entered_in_error_at,
    n.voided_at
from public.notes as n
cross join marts.time_zones as z
cross join lateral (
    select
        n.created_at at time zone z.zones[1 + width_bucket(n.created_at, z.changed_at)] as created_at,
        n.signed_at at time zone z.zones[1 + width_bucket(n.signed_at, z.changed_at)] as signed_at
) as l;

create view marts.charges with (security_barrier) as
select
    c.id as charge_id,
    c.appointment_id,
    c.client_id,
    c.clinician_id,
    c.service_date as service_on,
    c.cpt_code,
    c.modifiers,
    c.diagnoses as diagnosis_codes,
    c.units,
    c.amount_cents,
    c.created_at,
    (c.created_at at time zone z.zones[1 + width_bucket(c.created_at, z.changed_at)])::date as created_on,
    c.voided_at,
    coalesce(p.insurance_cents, 0) as insurance_cents,
    coalesce(p.client_cents, 0) as client_cents,
    coalesce(j.adjusted_cents, 0) as adjusted_cents,
    case
        when c.voided_at is null
            then
                c.amount_cents - coalesce(p.insurance_cents, 0) - coalesce(p.client_cents, 0)
                - coalesce(j.adjusted_cents, 0)
        else 0
    end as balance_cents,
    p.last_payment_at
from public.charges as c
cross join marts.time_zones as z
left join (
    select
        x.tenant_id,
        x.charge_id,
        (sum(x.amount_cents) filter (where m.payer = 'INSURANCE'))::bigint as insurance_cents,
        (sum(x.amount_cents) filter (where m.payer = 'CLIENT'))::bigint as client_cents,
        max(x.posted_at) as last_payment_at
    from public.payment_applications as x
    inner join public.payments as m on x.tenant_id = m.tenant_id and x.payment_id = m.id
    group by x.tenant_id, x.charge_id
) as p on c.tenant_id = p.tenant_id and c.id = p.charge_id
left join (
    select
        tenant_id,
        charge_id,
        sum(amount_cents)::bigint as adjusted_cents
    from public.adjustments
    group by tenant_id, charge_id
) as j on c.tenant_id = j.tenant_id and c.id = j.charge_id;

create view marts.payments with (security_barrier) as
select
    p.id as payment_id,
    p.client_id,
    p.payer,
    p.payer_id,
    p.method,
    p.amount_cents,
    p.received_on,
    p.posted_at,
    (p.posted_at at time zone z.zones[1 + width_bucket(p.posted_at, z.changed_at)])::date as posted_on,
    p.voided_at,
    coalesce(x.applied_cents, 0) as applied_cents,
    coalesce(r.refunded_cents, 0) as refunded_cents,
    case
        when p.voided_at is null
            then p.amount_cents - coalesce(x.applied_cents, 0) - coalesce(r.refunded_cents, 0)
        else 0
    end as unapplied_cents
from public.payments as p
cross join marts.time_zones as z
left join (
    select
        tenant_id,
        payment_id,
        sum(amount_cents)::bigint as applied_cents
    from public.payment_applications
    group by tenant_id, payment_id
) as x on p.tenant_id = x.tenant_id and p.id = x.payment_id
left join (
    select
        tenant_id,
        payment_id,
        sum(amount_cents)::bigint as refunded_cents
    from public.refunds
    group by tenant_id, payment_id
) as r on p.tenant_id = r.tenant_id and p.id = r.payment_id;

create view marts.remittance_claims with (security_barrier) as
select
    null::uuid as remittance_claim_id,
    null::uuid as claim_id,
    null::date as received_on,
    null::boolean as is_matched_by_rule
where false;

-- Somebody born on 29 February comes of age on 1 March. The sex is free text, of which only the meaning is shown.
create view marts.clients with (security_barrier) as
select
    c.id as client_id,
    extract(year from c.birth_date)::integer as birth_year,
    d.today < (
        case
            when to_char(c.birth_date, 'MM-DD') = '02-29' then c.birth_date + 1 + interval '18 years'
            else c.birth_date + interval '18 years'
        end
    )::date as is_minor,
    c.emancipated as is_emancipated,
    case
        when lower(trim(both from c.sex)) in ('f', 'female') then 'F'
        when lower(trim(both from c.sex)) in ('m', 'male') then 'M'
        when trim(both from c.sex) <> '' then 'OTHER'
    end as sex,
    case
        when c.ended_on is null or c.ended_on > d.today then 'ACTIVE'
        else coalesce(c.end_reason, 'INACTIVE')
    end as status,
    c.admitted_on,
    c.ended_on,
    c.primary_clinician_id,
    c.self_pay as is_self_pay,
    v.payer_id as primary_payer_id,
    v.verified_at as coverage_verified_at,
    c.high_risk_since as high_risk_since_on,
    c.high_risk_until as high_risk_until_on,
    coalesce(c.phone, '') <> '' as has_phone,
    coalesce(c.email, '') <> '' as has_email,
    coalesce(c.address, '') <> '' as has_address,
    coalesce(c.emergency_contact_name, '') <> '' as has_emergency_contact,
    coalesce(c.guardian_name, '') <> '' as has_guardian,
    coalesce(c.referring_provider, '') <> '' as has_referring_provider,
    c.has_complete_demographics,
    c.portal_activated_at is not null as has_portal_access,
    c.reminders as reminder_channels
from public.clients as c
cross join (select (now() at time zone z.time_zone)::date as today from marts.time_zones as z) as d
left join (
    select distinct on (o.tenant_id, o.client_id)
        o.tenant_id,
        o.client_id,
        o.payer_id,
        o.verified_at
    from public.coverages as o
    cross join (select (now() at time zone z.time_zone)::date as today from marts.time_zones as z) as e
    where o.voided_at is null and o.effective_on <= e.today and (o.ends_on is null or o.ends_on >= e.today)
    order by o.tenant_id, o.client_id, o.rank, o.id
) as v on c.tenant_id = v.tenant_id and c.id = v.client_id;

create view marts.staff with (security_barrier) as
select
    s.id as staff_id,
    s.external_id,
    s.roles,
    s.discipline,
    s.license_type,
    s.supervisor_id,
    s.hired_on,
    s.left_on,
    s.hired_on <= d.today and (s.left_on is null or s.left_on > d.today) as is_employed
from public.staff as s
cross join (select (now() at time zone z.time_zone)::date as today from marts.time_zones as z) as d;

create view marts.pay_periods with (security_barrier) as
select
    p.id as pay_period_id,
    p.week as week_on,
    p.week + 7 as notes_due_on,
    p.opened_at,
    p.closed_at,
    cardinality(p.problems) as problem_count
from public.pay_periods as p;

create view marts.pay_lines with (security_barrier) as
select
    y.id as pay_line_id,
    y.period_id as pay_period_id,
    p.week as week_on,
    y.staff_id,
    y.session_id,
    y.appointment_id,
    y.kind,
    y.reason,
    y.service_kind,
    y.held_on,
    y.minutes,
    y.multiplier,
    y.rate_cents,
    y.amount_cents
from public.pay_lines as y
inner join public.pay_periods as p on y.tenant_id = p.tenant_id and y.period_id = p.id;
