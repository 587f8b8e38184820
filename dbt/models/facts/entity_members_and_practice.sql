{{ config(materialized='view') }}
-- The members of each clinician, team and practice
select tenant_id, entity_kind, entity_id, clinician_id from {{ ref('entity_members') }}
union all
select tenant_id, 'practice', tenant_id, staff_id from {{ ref('stg_staff') }}
