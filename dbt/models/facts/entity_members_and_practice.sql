-- The members of each clinician, team and practice, from a day until another
select tenant_id, entity_kind, entity_id, clinician_id, from_on, until_on from {{ ref('entity_members') }}
union all
select distinct tenant_id, 'practice', tenant_id, staff_id, date '0001-01-01', date '9999-01-01' from {{ ref('stg_staff') }}
