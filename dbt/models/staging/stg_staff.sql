-- Staff with their roles, license and supervisor
with staff as (select * from {{ source('records', 'staff') }}),

p as (select * from {{ ref('stg_practices') }})

select
    s.tenant_id,
    s.id as staff_id,
    coalesce(s.external_id, s.id::text) as external_id,
    s.supervisor_id,
    s.hired_on,
    s.left_on,
    s.discipline,
    s.license_type,
    {{ has_role('s.roles', 'clinician') }} as is_clinician
from staff as s
join p on p.tenant_id = s.tenant_id
