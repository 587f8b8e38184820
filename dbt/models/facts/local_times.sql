-- The local times at which hours begin and end, as instants of each day: converted once a day, not once a clinician
with hours as (select * from {{ ref('stg_hours') }}),

times as (
    select tenant_id, start_time as local_time from hours
    union
    select tenant_id, end_time from hours
    union
    select tenant_id, time '09:00' from hours
    union
    select tenant_id, time '17:00' from hours
)

select d.tenant_id, d.on_date, t.local_time, {{ first_instant('d.on_date + t.local_time') }} as instant
from {{ ref('days') }} as d
join times as t on t.tenant_id = d.tenant_id and t.local_time is not null
join {{ ref('stg_time_zones') }} as z on z.tenant_id = d.tenant_id
group by d.tenant_id, d.on_date, t.local_time
