{{ config(materialized='view', meta={'shape': 'period', 'row_kind': 'client'}) }}
select tenant_id, entity_kind, entity_id, period_kind, period_start, client_id as row_id, clinician_id, on_date,
    {{ one_if('consented') }} as numerator, 1 as denominator
from {{ ref('telehealth_clients') }}
