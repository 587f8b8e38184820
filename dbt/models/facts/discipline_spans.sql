-- Clients seen lately (by default in the last 90 days), in spans of days with the number of disciplines that saw them
with visits as (
    select
        a.tenant_id, a.client_id, s.discipline,
        greatest(a.on_date, {{ first_day_from('a.status_at') }}, {{ first_day_from('a.created_at') }}) as from_on,
        a.on_date + p.interdisciplinary_days as until_on
    from {{ ref('appointments') }} as a
    join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
    join {{ ref('stg_staff') }} as s on s.tenant_id = a.tenant_id and s.staff_id = a.clinician_id
        and s.from_on <= a.on_date and s.until_on > a.on_date
    where a.status = 'COMPLETED'
),

-- visits to one discipline that follow closely enough join into one span
marked as (
    select
        *,
        max(until_on) over (
            partition by tenant_id, client_id, discipline order by from_on, until_on
            rows between unbounded preceding and 1 preceding
        ) >= from_on as continues
    from visits
    where until_on > from_on
),

numbered as (
    select
        *,
        sum(case when continues then 0 else 1 end) over (
            partition by tenant_id, client_id, discipline order by from_on, until_on rows unbounded preceding
        ) as span_number
    from marked
),

joined as (
    select tenant_id, client_id, discipline, min(from_on) as from_on, max(until_on) as until_on
    from numbered
    group by tenant_id, client_id, discipline, span_number
),

steps as (
    select tenant_id, client_id, on_date, sum(step) as visits, sum(case when discipline is not null then step else 0 end) as disciplines
    from (
        select tenant_id, client_id, discipline, from_on as on_date, 1 as step from joined
        union all
        select tenant_id, client_id, discipline, until_on, -1 from joined
        union all
        -- cut where the primary clinician changes
        select tenant_id, client_id, null, from_on, 0 from {{ ref('stg_primary_clinicians') }}
    ) as e
    group by tenant_id, client_id, on_date
),

spans as (
    select
        tenant_id, client_id, on_date as from_on, lead(on_date) over client as until_on,
        sum(visits) over client as visits, sum(disciplines) over client as disciplines
    from steps
    window client as (partition by tenant_id, client_id order by on_date)
)

select s.tenant_id, c.clinician_id, s.client_id as row_id, s.from_on, s.until_on, s.disciplines
from spans as s
left join {{ ref('stg_primary_clinicians') }} as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
    and c.from_on <= s.from_on and c.until_on > s.from_on
where s.visits > 0
