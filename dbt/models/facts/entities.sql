-- The practice, clinicians and teams, with the days from and until which they have values
with staff as (select * from {{ ref('stg_staff') }})

select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, '' as external_id, cast(null as date) as from_on, cast(null as date) as until_on
from {{ ref('stg_practices') }}
union all
select tenant_id, 'clinician', staff_id, external_id, hired_on, left_on from staff where is_clinician
union all
select tenant_id, 'team', staff_id, external_id, hired_on, left_on from staff as s
where exists (select 1 from staff as m where m.tenant_id = s.tenant_id and m.supervisor_id = s.staff_id)
