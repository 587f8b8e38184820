-- The practice's calendar: each local date from its first record to the end of the last week of the quarter of as_of
with p as (select * from {{ ref('stg_practices') }}),

zones as (select * from {{ ref('stg_time_zones') }}),

records as (
    select tenant_id, min(on_date) as first_on, max(on_date) as last_on from {{ ref('stg_appointments') }} group by tenant_id
    union all
    select tenant_id, min(service_date), null from {{ ref('stg_charges') }} group by tenant_id
    union all
    select tenant_id, min(hired_on), null from {{ ref('stg_staff') }} group by tenant_id
),

bounds as (
    select
        p.tenant_id, p.last_day,
        least(min(r.first_on), p.first_on, p.last_day) as first_on,
        greatest((date_trunc('quarter', p.last_day) + interval '3 months')::date + 5, max(r.last_on)) as last_on
    from p
    left join records as r on r.tenant_id = p.tenant_id
    group by p.tenant_id, p.first_on, p.last_day
),

dates as (
    select b.tenant_id, b.last_day, d.day::date as on_date
    from bounds as b
    cross join lateral generate_series(
        date_trunc('quarter', b.first_on)::timestamp, b.last_on::timestamp, interval '1 day'
    ) as d (day)
),

midnights as (
    select d.tenant_id, d.on_date, {{ first_instant('d.on_date::timestamp') }} as starts_at
    from (
        select tenant_id, on_date from dates
        union
        select tenant_id, on_date + 8 from dates
    ) as d
    join zones as z on z.tenant_id = d.tenant_id
    group by d.tenant_id, d.on_date
)

select
    d.tenant_id,
    d.on_date,
    m.starts_at,
    n.starts_at as ends_at,
    w.starts_at as deadline_at,
    extract(dow from d.on_date) as weekday,
    {{ sunday_of('d.on_date') }} as week_on,
    date_trunc('month', d.on_date)::date as month_on,
    date_trunc('quarter', d.on_date)::date as quarter_on,
    d.on_date <= d.last_day as has_begun
from dates as d
join midnights as m on m.tenant_id = d.tenant_id and m.on_date = d.on_date
join midnights as n on n.tenant_id = d.tenant_id and n.on_date = d.on_date + 1
join midnights as w on w.tenant_id = d.tenant_id and w.on_date = {{ sunday_of('d.on_date') }} + 8
