-- Spans of days on which clients are active: by the history of their status, or as an import brought them
with history as ({{ history_of('client_statuses', 'h.status') }}),

decided as (
    select s.tenant_id, s.client_id
    from {{ source('records', 'client_statuses') }} as s
    join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
    where s.set_by is not null and s.set_at <= p.as_of
    group by s.tenant_id, s.client_id
),

imported as (
    select v.tenant_id, v.record_id as client_id from ({{ versions_of('clients') }}) as v
    where v.from_on = date '0001-01-01' group by v.tenant_id, v.record_id
)

select h.tenant_id, h.client_id, h.from_on, h.until_on
from history as h
join decided as d on d.tenant_id = h.tenant_id and d.client_id = h.client_id
where h.status = 'ACTIVE'
union all
select c.tenant_id, c.id, c.admitted_on, c.ended_on
from {{ source('records', 'clients') }} as c
join imported as i on i.tenant_id = c.tenant_id and i.client_id = c.id
left join decided as d on d.tenant_id = c.tenant_id and d.client_id = c.id
where d.client_id is null
