-- Incidents detected by as_of, with the response if known then
select
    i.tenant_id, i.id as incident_id, i.detected_at, {{ local_date('i.detected_at') }} as detected_on,
    case when i.responded_at <= p.as_of then i.responded_at end as responded_at
from {{ source('records', 'incidents') }} as i
join {{ ref('stg_practices') }} as p on p.tenant_id = i.tenant_id
where i.detected_at <= p.as_of and (i.voided_at is null or i.voided_at > p.as_of)
