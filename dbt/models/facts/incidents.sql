-- Incidents with the time to the response, or to as_of
select
    i.tenant_id, cast(null as uuid) as clinician_id, i.detected_on as on_date, i.incident_id as row_id,
    {{ microseconds('coalesce(i.responded_at, p.as_of) - i.detected_at') }} as responded_after_us
from {{ ref('stg_incidents') }} as i
join {{ ref('stg_practices') }} as p on p.tenant_id = i.tenant_id
