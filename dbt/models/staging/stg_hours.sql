-- Hours in which clinicians can be booked: weekly windows, and exceptions on single days
with windows as (select * from {{ source('records', 'availability_windows') }}),

exceptions as (select * from {{ source('records', 'availability_exceptions') }}),

p as (select * from {{ ref('stg_practices') }})

select
    w.tenant_id, w.clinician_id, true as opens, w.weekday, w.start_time, w.end_time,
    w.effective_on as first_on, w.ends_on as last_on
from windows as w
join p on p.tenant_id = w.tenant_id
where w.voided_at is null or w.voided_at > p.as_of
union all
select e.tenant_id, e.clinician_id, e.available, cast(null as smallint), e.start_time, e.end_time, e.on_date, e.on_date
from exceptions as e
join p on p.tenant_id = e.tenant_id
where e.voided_at is null or e.voided_at > p.as_of
