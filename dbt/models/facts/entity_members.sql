-- The staff whose records count for an entity, from a day until another. Records without a clinician count for the
-- practice alone.
with staff as (select * from {{ ref('stg_staff') }})

select distinct
    tenant_id, 'clinician' as entity_kind, staff_id as entity_id, staff_id as clinician_id,
    date '0001-01-01' as from_on, date '9999-01-01' as until_on
from staff
where is_clinician
union all
select tenant_id, 'team', supervisor_id, staff_id, from_on, until_on from staff where supervisor_id is not null
