-- The spans of each clinician's day that can be booked: inside windows and openings, outside exceptions that close
with hours as (select * from {{ ref('stg_hours') }}),

days as (
    select s.tenant_id, s.staff_id as clinician_id, d.on_date, d.starts_at, d.ends_at, d.weekday
    from {{ ref('stg_staff') }} as s
    join {{ ref('days') }} as d on d.tenant_id = s.tenant_id and d.on_date >= s.employed_from_on and d.on_date < s.employed_until_on
        and d.ends_at > d.starts_at -- the date line moved over some dates
    where exists (select 1 from hours as h where h.tenant_id = s.tenant_id and h.clinician_id = s.staff_id)
        and not exists (
            select 1 from {{ ref('stg_closures') }} as c where c.tenant_id = s.tenant_id and c.closed_on = d.on_date
        )
),

times as (select * from {{ ref('local_times') }}),

spans as (
    select
        d.tenant_id, d.clinician_id, d.on_date, d.weekday, h.opens,
        case when h.start_time is null then d.starts_at else b.instant end as starts_at,
        case when h.end_time is null then d.ends_at else e.instant end as ends_at
    from days as d
    join hours as h on h.tenant_id = d.tenant_id and h.clinician_id = d.clinician_id
        and (h.weekday is null or h.weekday = d.weekday)
        and (h.first_on is null or h.first_on <= d.on_date) and (h.last_on is null or h.last_on >= d.on_date)
    left join times as b on b.tenant_id = d.tenant_id and b.on_date = d.on_date and b.local_time = h.start_time
    left join times as e on e.tenant_id = d.tenant_id and e.on_date = d.on_date and e.local_time = h.end_time
),

steps as (
    select
        tenant_id, clinician_id, on_date, weekday, instant,
        sum(case when opens then step else 0 end) as opening,
        sum(case when opens then 0 else step end) as closing
    from (
        select *, starts_at as instant, 1 as step from spans where ends_at > starts_at
        union all
        select *, ends_at, -1 from spans where ends_at > starts_at
    ) as e
    group by tenant_id, clinician_id, on_date, weekday, instant
),

states as (
    select
        tenant_id, clinician_id, on_date, weekday, instant as starts_at, lead(instant) over day as ends_at,
        sum(opening) over day > 0 and sum(closing) over day = 0 as available
    from steps
    window day as (partition by tenant_id, clinician_id, on_date order by instant)
)

select
    s.tenant_id, s.clinician_id, s.on_date, s.starts_at, s.ends_at,
    greatest(s.starts_at, b.instant) as prime_starts_at,
    case when b.instant is not null then least(s.ends_at, e.instant) end as prime_ends_at
from states as s
left join times as b on b.tenant_id = s.tenant_id and b.on_date = s.on_date and b.local_time = time '09:00' and s.weekday between 1 and 4
left join times as e on e.tenant_id = s.tenant_id and e.on_date = s.on_date and e.local_time = time '17:00' and s.weekday between 1 and 4
where s.available
