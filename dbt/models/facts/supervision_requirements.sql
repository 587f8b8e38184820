-- For each clinician, month and quarter: hours of supervision held, and the hours that the license requires
with periods as (select * from {{ ref('periods') }} where period_kind in ('month', 'quarter')),

required as (
    select s.tenant_id, s.staff_id, s.hired_on, s.left_on, 'supervision_hours_' || lower(s.license_type) as key,
        case s.license_type when 'LPC' then 2 when 'APC' then 2 when 'LMSW' then 4 else 0 end as default_hours
    from {{ ref('stg_staff') }} as s
    where s.is_clinician
),

months as (
    select p.tenant_id, p.period_kind, p.period_start, p.last_on, m.month_on::date as from_on, (m.month_on + interval '1 month')::date as until_on
    from periods as p
    cross join lateral generate_series(
        p.period_start::timestamp, p.period_end::timestamp - interval '1 day', interval '1 month'
    ) as m (month_on)
),

needed as (
    select
        r.tenant_id, r.staff_id, m.period_kind, m.period_start,
        sum(case when r.hired_on <= m.from_on and (r.left_on is null or r.left_on >= m.until_on)
            then coalesce(g.value, r.default_hours) else 0 end) as hours
    from required as r
    join months as m on m.tenant_id = r.tenant_id
    left join {{ ref('stg_settings') }} as g on g.tenant_id = r.tenant_id and g.key = r.key
        and g.from_on <= m.last_on and (g.until_on is null or g.until_on > m.last_on)
    group by 1, 2, 3, 4
),

held as (
    select s.tenant_id, s.clinician_id, p.period_kind, p.period_start, sum(s.hundredths) as hundredths
    from {{ ref('supervision_sessions') }} as s
    join periods as p on p.tenant_id = s.tenant_id and s.on_date >= p.period_start and s.on_date < p.period_end
    group by 1, 2, 3, 4
)

select
    n.tenant_id, n.staff_id as clinician_id, n.period_kind, n.period_start,
    {{ whole('coalesce(h.hundredths, 0)') }} as held_hundredths, {{ whole('n.hours * 100') }} as required_hundredths
from needed as n
left join held as h on h.tenant_id = n.tenant_id and h.clinician_id = n.staff_id
    and h.period_kind = n.period_kind and h.period_start = n.period_start
