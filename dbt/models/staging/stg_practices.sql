{{ config(materialized='table') }}
-- The practices of this build, with their windows, their time zone as of the build's instant, and the zones before it
with practices as (select * from {{ source('records', 'practices') }}),

changes as (
    select
        c.tenant_id,
        array_agg(c.old_zone order by c.changed_at) filter (where c.changed_at <= s.as_of) as old_zones,
        array_agg(c.changed_at order by c.changed_at) filter (where c.changed_at <= s.as_of) as zone_changes,
        (array_agg(c.old_zone order by c.changed_at) filter (where c.changed_at > s.as_of))[1] as next_zone
    from {{ source('records', 'time_zone_changes') }} as c
    join {{ source('build', 'scope') }} as s on s.tenant_id = c.tenant_id
    group by c.tenant_id
),

p as (
    select
        r.id as tenant_id, s.as_of, s.first_on, c.zone_changes, coalesce(c.next_zone, r.time_zone) as time_zone,
        array_cat(c.old_zones, array[coalesce(c.next_zone, r.time_zone)]) as zones
    from practices as r
    join {{ source('build', 'scope') }} as s on s.tenant_id = r.id
    left join changes as c on c.tenant_id = r.id
)

select
    p.*,
    {%- for window in window_names() %}
    w.{{ window }},{% endfor %}
    w.from_on as judged_from_on, w.until_on as judged_until_on,
    {{ local_date('p.as_of') }} as today,
    {{ local_date("(p.as_of - interval '1 microsecond')") }} as last_day
from p
join {{ source('windows', 'windows') }} as w on w.tenant_id = p.tenant_id
