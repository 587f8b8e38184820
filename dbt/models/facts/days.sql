-- Each local date of the calendar, with the instants at which it begins and ends, and the weekly deadline of its notes
with dates as (
    select b.tenant_id, b.last_day, b.last_on, d.day::date as on_date
    from {{ ref('calendar') }} as b
    cross join lateral generate_series(
        date_trunc('quarter', b.first_on)::timestamp, b.last_on::timestamp + interval '8 days', interval '1 day'
    ) as d (day)
),

midnights as (
    select d.tenant_id, d.last_day, d.last_on, d.on_date, {{ first_instant('d.on_date::timestamp') }} as starts_at
    from dates as d
    join {{ ref('stg_time_zones') }} as z on z.tenant_id = d.tenant_id
    group by d.tenant_id, d.last_day, d.last_on, d.on_date
),

days as (
    select
        tenant_id, last_day, last_on, on_date, starts_at,
        extract(dow from on_date)::integer as weekday,
        lead(starts_at) over practice as ends_at,
        lead(starts_at, 8 - extract(dow from on_date)::integer) over practice as deadline_at
    from midnights
    window practice as (partition by tenant_id order by on_date)
)

select
    tenant_id,
    on_date,
    starts_at,
    ends_at,
    deadline_at,
    weekday,
    on_date - weekday as week_on,
    date_trunc('month', on_date)::date as month_on,
    date_trunc('quarter', on_date)::date as quarter_on,
    on_date <= last_day as has_begun
from days
where on_date <= last_on
