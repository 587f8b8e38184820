-- One row per appointment known at as_of, with each condition that a metric asks about
with appointments as (select * from {{ ref('stg_appointments') }}),

p as (select * from {{ ref('stg_practices') }}),

signatures as (
    select
        tenant_id, appointment_id,
        min(case when type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY') then signed_at end) as signed_at,
        max(case when type = 'CRISIS_INTERVENTION' then 1 else 0 end) = 1 as has_crisis_note
    from {{ ref('stg_notes') }}
    where appointment_id is not null
    group by tenant_id, appointment_id
),

charged as (
    select tenant_id, appointment_id, {{ whole('sum(applied_cents)') }} as applied_cents
    from {{ ref('charges') }}
    where appointment_id is not null and voided_at is null
    group by tenant_id, appointment_id
),

-- what staff or a payer verify counts for the client's appointments to come
verified as (
    select distinct a.tenant_id, a.appointment_id
    from {{ ref('stg_coverages') }} as c
    join p on p.tenant_id = c.tenant_id
    join appointments as a on a.tenant_id = c.tenant_id and a.client_id = c.client_id
    where c.verified_by_staff_at <= a.starts_at and a.starts_at < c.verified_by_staff_at + {{ days('p.coverage_verification_days') }}
),

kept as (
    select
        tenant_id, appointment_id,
        min(starts_at) over (
            partition by tenant_id, client_id order by starts_at
            range between interval '1 microsecond' following and unbounded following
        ) as next_at
    from appointments
    where status not in ('CANCELLED', 'RESCHEDULED')
)

select
    a.tenant_id,
    a.appointment_id,
    a.appointment_id as row_id,
    a.client_id,
    a.clinician_id,
    a.session_id,
    a.starts_at,
    a.ends_at,
    a.created_at,
    a.status,
    a.status_at,
    a.on_date,
    a.telehealth,
    a.booked_via,
    {{ microseconds('s.signed_at - a.ends_at') }} as signed_after_us,
    coalesce(a.actual_minutes * 60000000::bigint, {{ microseconds('a.ends_at - a.starts_at') }}) as lasted_us,
    {{ microseconds('a.ready_at - a.arrived_at') }} as waited_us,
    a.has_begun and a.status <> 'RESCHEDULED' as scheduled,
    a.has_begun and a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED') as resolved,
    a.has_begun and a.status = 'COMPLETED' as completed,
    a.on_date < p.today as past_day,
    s.signed_at,
    {{ local_date('s.signed_at') }} as signed_on,
    coalesce(s.has_crisis_note, false) as has_crisis_note,
    coalesce(k.next_at <= a.starts_at + {{ days('p.rebook_days') }}, false) as rebooked,
    c.appointment_id is not null as charged,
    coalesce(c.applied_cents, 0) as applied_cents,
    {{ local_date('a.created_at') }} as booked_on,
    a.ends_at + {{ days('p.note_alert_days') }} as note_due_at,
    a.ends_at + {{ days('p.note_alert_days') }} <= p.as_of as note_due_passed,
    d.deadline_at,
    d.deadline_at <= p.as_of as deadline_passed,
    a.arrived_at <= p.as_of and a.ready_at <= p.as_of as checked_in,
    coalesce(i.self_pay, false) or coalesce(a.eligibility_verified_at <= a.starts_at, false) or v.appointment_id is not null as verified_before
from appointments as a
join p on p.tenant_id = a.tenant_id
join {{ ref('days') }} as d on d.tenant_id = a.tenant_id and d.on_date = a.on_date
left join {{ ref('stg_client_versions') }} as i on i.tenant_id = a.tenant_id and i.client_id = a.client_id
    and i.dated_from_on <= a.on_date and i.until_on > a.on_date
left join verified as v on v.tenant_id = a.tenant_id and v.appointment_id = a.appointment_id
left join signatures as s on s.tenant_id = a.tenant_id and s.appointment_id = a.appointment_id
left join kept as k on k.tenant_id = a.tenant_id and k.appointment_id = a.appointment_id
left join charged as c on c.tenant_id = a.tenant_id and c.appointment_id = a.appointment_id
