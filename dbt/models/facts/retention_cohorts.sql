-- New clients some time (by default 90 days) after their first completed appointment, and whether they stayed
with visits as (select tenant_id, client_id, on_date from {{ ref('appointments') }} where completed),

firsts as (
    select v.tenant_id, v.client_id, min(v.on_date) as first_on, min(v.on_date) + min(p.retention_days) as judged_on
    from visits as v
    join {{ ref('stg_practices') }} as p on p.tenant_id = v.tenant_id
    group by v.tenant_id, v.client_id
),

returned as (
    select v.tenant_id, v.client_id
    from visits as v
    join firsts as f on f.tenant_id = v.tenant_id and f.client_id = v.client_id
    where v.on_date between f.judged_on - 30 and f.judged_on
    group by v.tenant_id, v.client_id
)

select
    f.tenant_id, k.clinician_id, f.judged_on as on_date, f.client_id as row_id,
    r.client_id is not null and exists (
        select 1 from {{ ref('stg_client_activity') }} as a
        where a.tenant_id = f.tenant_id and a.client_id = f.client_id
            and a.from_on <= f.judged_on and (a.until_on is null or a.until_on > f.judged_on)
    ) as retained
from firsts as f
join {{ ref('stg_client_versions') }} as c on c.tenant_id = f.tenant_id and c.client_id = f.client_id
    and c.dated_from_on <= f.judged_on and c.until_on > f.judged_on
join {{ ref('stg_practices') }} as p on p.tenant_id = f.tenant_id
left join {{ ref('stg_primary_clinicians') }} as k on k.tenant_id = f.tenant_id and k.client_id = f.client_id
    and k.from_on <= f.judged_on and k.until_on > f.judged_on
left join returned as r on r.tenant_id = f.tenant_id and r.client_id = f.client_id
where c.admitted_on >= f.first_on - 30 and f.judged_on <= p.last_day
