-- Each time zone of a practice, with the span of time in which it was in force
with p as (select * from {{ ref('stg_practices') }}),

changes as (
    select c.tenant_id, c.old_zone, c.changed_at
    from {{ source('records', 'time_zone_changes') }} as c
    join p on p.tenant_id = c.tenant_id
    where c.changed_at <= p.as_of
),

ends as (
    select tenant_id, old_zone as time_zone, changed_at as until_at from changes
    union all
    select tenant_id, time_zone, cast(null as timestamptz) from p
)

select
    tenant_id, time_zone, until_at,
    coalesce(
        lag(until_at) over (partition by tenant_id order by until_at nulls last), timestamptz '0001-01-02T00:00:00Z'
    ) as from_at
from ends
