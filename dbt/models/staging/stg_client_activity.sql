-- Spans of days on which clients are active: by the history of their status, or as an import brought them
with history as ({{ history_of('client_statuses', 'h.status') }}),

decided as (
    select s.tenant_id, s.client_id
    from {{ source('records', 'client_statuses') }} as s
    join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
    where s.set_by is not null and s.set_at <= p.as_of
    group by s.tenant_id, s.client_id
),

versions as (select * from {{ ref('stg_client_versions') }}),

imported as (
    select tenant_id, client_id from versions where from_on = date '0001-01-01' group by tenant_id, client_id
)

select h.tenant_id, h.client_id, h.from_on, h.until_on
from history as h
join decided as d on d.tenant_id = h.tenant_id and d.client_id = h.client_id
where h.status = 'ACTIVE'
union all
select v.tenant_id, v.client_id, greatest(v.from_on, v.admitted_on), least(v.until_on, v.ended_on)
from versions as v
join imported as i on i.tenant_id = v.tenant_id and i.client_id = v.client_id
left join decided as d on d.tenant_id = v.tenant_id and d.client_id = v.client_id
where d.client_id is null
