-- Trainings of staff, as they were known at as_of
with versions as ({{ versions_of('trainings') }})

select
    v.tenant_id,
    v.record_id as training_id,
    {{ value('staff_id', 'uuid') }} as staff_id,
    {{ value('kind') }} as kind,
    {{ value('completed_on', 'date') }} as completed_on
from versions as v
where v.is_last and {{ value('voided_at') }} is null
