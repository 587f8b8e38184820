{{ config(materialized='view') }}
-- Sessions without a signed note, from the day after which their note is late until they are signed
select
    a.tenant_id, a.clinician_id, a.appointment_id as row_id,
    greatest(
        {{ first_day_after("a.note_due_at") }}, {{ first_day_from('a.status_at') }}, {{ first_day_from('a.created_at') }}
    ) as from_on,
    {{ first_day_from('a.signed_at') }} as until_on
from {{ ref('appointments') }} as a
join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
where a.status = 'COMPLETED' and a.note_due_at < p.as_of
