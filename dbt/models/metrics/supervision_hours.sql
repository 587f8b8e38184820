{{ config(meta={'shape': 'period'}) }}
select tenant_id, 'clinician' as entity_kind, clinician_id as entity_id, period_kind, period_start,
    held_hundredths as numerator, required_hundredths as denominator
from {{ ref('supervision_requirements') }}
