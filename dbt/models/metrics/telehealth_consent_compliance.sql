{{ config(meta={'shape': 'period'}) }}
select tenant_id, entity_kind, entity_id, period_kind, period_start,
    {{ whole('sum(' ~ one_if('consented') ~ ')') }} as numerator, count(*) as denominator
from {{ ref('telehealth_clients') }}
group by 1, 2, 3, 4, 5
