-- Every period that has begun by as_of, with t and D as the dictionary defines them
with days as (select * from {{ ref('days') }} where has_begun),

p as (select * from {{ ref('stg_practices') }}),

periods as (
    select tenant_id, 'day' as period_kind, on_date as period_start, on_date + 1 as period_end from days
    union
    select tenant_id, 'week', week_on, week_on + 7 from days
    union
    select tenant_id, 'month', month_on, (month_on + interval '1 month')::date from days
    union
    select tenant_id, 'quarter', quarter_on, (quarter_on + interval '3 months')::date from days
)

select
    k.tenant_id, k.period_kind, k.period_start, k.period_end,
    least(k.period_end - 1, p.last_day) as last_on,
    p.as_of < {{ first_instant("k.period_end::timestamp") }} as is_running
from periods as k
join p on p.tenant_id = k.tenant_id
join {{ ref('stg_time_zones') }} as z on z.tenant_id = k.tenant_id
group by k.tenant_id, k.period_kind, k.period_start, k.period_end, p.last_day, p.as_of
