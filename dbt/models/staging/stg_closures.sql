-- Days on which a practice is closed
select distinct c.tenant_id, c.closed_on
from {{ source('records', 'closures') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
where c.voided_at is null or c.voided_at > p.as_of
