-- The staff whose records count for an entity. Records without a clinician count for the practice alone.
with staff as (select * from {{ ref('stg_staff') }})

select tenant_id, 'clinician' as entity_kind, staff_id as entity_id, staff_id as clinician_id from staff where is_clinician
union all
select tenant_id, 'team', supervisor_id, staff_id from staff where supervisor_id is not null
