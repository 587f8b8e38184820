-- For each clinician, month and quarter: hours of supervision held, and the hours that the license requires
with periods as (select * from {{ ref('periods') }} where period_kind in ('month', 'quarter')),

staff as (select * from {{ ref('stg_staff') }}),

months as (
    select
        p.tenant_id, p.period_kind, p.period_start, p.last_on,
        m.month_on::date as from_on, (m.month_on + interval '1 month')::date as until_on
    from periods as p
    cross join lateral generate_series(
        p.period_start::timestamp, p.period_end::timestamp - interval '1 day', interval '1 month'
    ) as m (month_on)
),

-- months through which somebody was employed on every day
employed as (
    select m.tenant_id, s.staff_id, m.period_kind, m.period_start, m.last_on, least(m.until_on - 1, m.last_on) as judged_on
    from months as m
    join staff as s on s.tenant_id = m.tenant_id and s.employed_from_on < m.until_on and s.employed_until_on > m.from_on
    group by m.tenant_id, s.staff_id, m.period_kind, m.period_start, m.last_on, m.from_on, m.until_on
    having sum(least(s.employed_until_on, m.until_on) - greatest(s.employed_from_on, m.from_on)) = m.until_on - m.from_on
),

needed as (
    select
        e.tenant_id, e.staff_id, e.period_kind, e.period_start, e.last_on,
        sum(coalesce(g.value, case s.license_type when 'LPC' then 2 when 'APC' then 2 when 'LMSW' then 4 else 0 end)) as hours
    from employed as e
    join staff as s on s.tenant_id = e.tenant_id and s.staff_id = e.staff_id
        and s.from_on <= e.judged_on and s.until_on > e.judged_on and s.is_clinician
    left join {{ ref('stg_settings') }} as g on g.tenant_id = e.tenant_id
        and g.key = 'supervision_hours_' || lower(s.license_type)
        and g.from_on <= e.last_on and (g.until_on is null or g.until_on > e.last_on)
    group by 1, 2, 3, 4, 5
),

held as (
    select s.tenant_id, s.clinician_id, p.period_kind, p.period_start, p.last_on, sum(s.hundredths) as hundredths
    from {{ ref('supervision_sessions') }} as s
    join periods as p on p.tenant_id = s.tenant_id and s.on_date >= p.period_start and s.on_date < p.period_end
    group by 1, 2, 3, 4, 5
)

select
    coalesce(n.tenant_id, h.tenant_id) as tenant_id,
    coalesce(n.staff_id, h.clinician_id) as clinician_id,
    coalesce(n.period_kind, h.period_kind) as period_kind,
    coalesce(n.period_start, h.period_start) as period_start,
    coalesce(n.last_on, h.last_on) as last_on,
    {{ whole('coalesce(h.hundredths, 0)') }} as held_hundredths,
    {{ whole('coalesce(n.hours, 0) * 100') }} as required_hundredths
from needed as n
full join held as h on h.tenant_id = n.tenant_id and h.clinician_id = n.staff_id
    and h.period_kind = n.period_kind and h.period_start = n.period_start
