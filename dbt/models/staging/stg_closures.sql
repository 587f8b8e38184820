-- Days on which a practice is closed
with versions as ({{ versions_of('closures') }})

select distinct v.tenant_id, {{ value('closed_on', 'date') }} as closed_on
from versions as v
where v.is_last and {{ value('voided_at') }} is null
