{{ config(materialized='view', meta={'shape': 'period', 'row_kind': 'supervision'}) }}
select tenant_id, 'clinician' as entity_kind, clinician_id as entity_id, period_kind, period_start, clinician_id as row_id,
    clinician_id, cast(null as date) as on_date, 0 as numerator, required_hundredths as denominator
from {{ ref('supervision_requirements') }}
where required_hundredths > 0
union all
select s.tenant_id, 'clinician', s.clinician_id, d.period_kind, d.period_start, s.row_id, s.clinician_id, s.on_date, s.hundredths, 0
from {{ ref('supervision_sessions') }} as s
join {{ ref('days_of_periods') }} as d on d.tenant_id = s.tenant_id and d.on_date = s.on_date
