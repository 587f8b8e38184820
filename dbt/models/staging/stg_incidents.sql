-- Incidents detected and reported by as_of, as they were known then
with versions as ({{ versions_of('incidents') }}),

incidents as (
    select
        v.tenant_id, v.record_id as incident_id, {{ value('detected_at', 'timestamptz') }} as detected_at,
        {{ value('responded_at', 'timestamptz') }} as responded_at
    from versions as v
    where v.is_last and {{ value('voided_at') }} is null
)

select
    i.tenant_id, i.incident_id, i.detected_at, {{ local_date('i.detected_at') }} as detected_on,
    case when i.responded_at <= p.as_of then i.responded_at end as responded_at
from incidents as i
join {{ ref('stg_practices') }} as p on p.tenant_id = i.tenant_id
where i.detected_at <= p.as_of
