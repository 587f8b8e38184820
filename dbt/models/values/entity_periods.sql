{{ config(materialized='view') }}
-- Each entity and period with values: the periods that have begun, in which the entity existed
select distinct
    e.tenant_id, e.entity_kind, e.entity_id, e.external_id, p.period_kind, p.period_start, p.period_end, p.last_on, p.is_running
from {{ ref('entities') }} as e
join {{ ref('stg_practices') }} as w on w.tenant_id = e.tenant_id
join {{ ref('periods') }} as p on p.tenant_id = e.tenant_id and p.last_on >= w.judged_from_on and p.last_on < w.judged_until_on
    and (e.from_on is null or e.from_on < p.period_end) and (e.until_on is null or e.until_on > p.period_start)
