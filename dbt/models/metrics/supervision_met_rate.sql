{{ config(materialized='view', meta={'shape': 'period', 'row_kind': 'staff'}) }}
select r.tenant_id, m.entity_kind, m.entity_id, r.period_kind, r.period_start, r.clinician_id as row_id, r.clinician_id,
    cast(null as date) as on_date, {{ one_if('held_hundredths >= required_hundredths') }} as numerator, 1 as denominator
from {{ ref('supervision_requirements') }} as r
join {{ ref('entity_members_and_practice') }} as m on m.tenant_id = r.tenant_id and m.clinician_id = r.clinician_id
    and m.from_on <= r.last_on and m.until_on > r.last_on
where r.required_hundredths > 0 and m.entity_kind <> 'clinician'
