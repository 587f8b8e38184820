-- Trainings of staff
select t.tenant_id, t.id as training_id, t.staff_id, t.kind, t.completed_on
from {{ source('records', 'trainings') }} as t
join {{ ref('stg_practices') }} as p on p.tenant_id = t.tenant_id
where t.voided_at is null or t.voided_at > p.as_of
