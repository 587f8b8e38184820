-- Clinicians on each day with hours or appointments: minutes available and booked, whether due, whether signed in
with hours as (
    select
        *,
        {{ microseconds('ends_at - starts_at') }} as lasts_us,
        case when prime_ends_at > prime_starts_at then {{ microseconds('prime_ends_at - prime_starts_at') }} else 0 end as prime_lasts_us
    from {{ ref('clinician_hours') }}
),

available as (
    select tenant_id, clinician_id, on_date, sum(lasts_us) as available_us, sum(prime_lasts_us) as prime_us
    from hours
    group by tenant_id, clinician_id, on_date
),

active as (select * from {{ ref('appointments') }} where status not in ('CANCELLED', 'RESCHEDULED')),

-- one that passes midnight takes time of the next day too; it lasts 24 hours at most, and a day 23 at least
parts as (
    select tenant_id, clinician_id, on_date, starts_at, ends_at, true as begins from active
    union all
    select a.tenant_id, a.clinician_id, d.on_date, a.starts_at, a.ends_at, false
    from active as a
    cross join (values (1), (2)) as later (days)
    join {{ ref('days') }} as d on d.tenant_id = a.tenant_id and d.on_date = a.on_date + later.days and d.starts_at < a.ends_at
),

-- a minute of overlapping appointments counts once: each begins where those before it have ended
appointments as (
    select
        tenant_id, clinician_id, on_date, begins, ends_at,
        greatest(starts_at, coalesce(max(ends_at) over (
            partition by tenant_id, clinician_id, on_date order by starts_at, ends_at
            rows between unbounded preceding and 1 preceding
        ), starts_at)) as starts_at
    from parts
),

scheduled as (
    select
        tenant_id, clinician_id, on_date, count(*) as scheduled,
        count(distinct case when completed then session_id end) as sessions
    from {{ ref('appointments') }}
    where scheduled
    group by tenant_id, clinician_id, on_date
),

booked as (
    select
        a.tenant_id, a.clinician_id, a.on_date,
        max(case when a.begins then 1 else 0 end) = 1 as begins,
        sum({{ overlap('a.starts_at', 'a.ends_at', 'h.starts_at', 'h.ends_at') }}) as booked_us,
        sum({{ overlap('a.starts_at', 'a.ends_at', 'h.prime_starts_at', 'h.prime_ends_at') }}) as prime_booked_us
    from appointments as a
    left join hours as h on h.tenant_id = a.tenant_id and h.clinician_id = a.clinician_id and h.on_date = a.on_date
    group by a.tenant_id, a.clinician_id, a.on_date
)

select
    d.tenant_id, s.staff_id as clinician_id, d.on_date, s.staff_id as row_id, d.on_date <= p.today as until_today,
    coalesce(c.scheduled, 0) as scheduled,
    coalesce(c.sessions, 0) as sessions,
    {{ whole('coalesce(h.available_us, 0)') }} as available_us,
    {{ whole('case when h.available_us > 0 then coalesce(b.booked_us, 0) else 0 end') }} as booked_us,
    {{ whole('coalesce(h.prime_us, 0)') }} as prime_us,
    {{ whole('case when h.prime_us > 0 then coalesce(b.prime_booked_us, 0) else 0 end') }} as prime_booked_us,
    s.is_clinician and d.on_date >= s.employed_from_on and d.on_date < s.employed_until_on
    and (coalesce(h.available_us, 0) > 0 or coalesce(b.begins, false)) as due,
    i.on_date is not null as signed_in
from {{ ref('stg_staff') }} as s
join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
join {{ ref('days') }} as d on d.tenant_id = s.tenant_id and d.on_date >= s.from_on and d.on_date < s.until_on
left join available as h on h.tenant_id = s.tenant_id and h.clinician_id = s.staff_id and h.on_date = d.on_date
left join booked as b on b.tenant_id = s.tenant_id and b.clinician_id = s.staff_id and b.on_date = d.on_date
left join scheduled as c on c.tenant_id = s.tenant_id and c.clinician_id = s.staff_id and c.on_date = d.on_date
left join {{ ref('stg_sign_ins') }} as i on i.tenant_id = s.tenant_id and i.staff_id = s.staff_id and i.on_date = d.on_date
where h.on_date is not null or b.on_date is not null or c.on_date is not null
