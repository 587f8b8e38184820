{{ config(materialized='view') }}
-- Sessions without a signed note, from the day on which they ended more than 7 x 24 hours ago until they are signed
select
    a.tenant_id, a.clinician_id, a.appointment_id as row_id,
    greatest({{ first_day_after("(a.ends_at + interval '168 hours')") }}, {{ first_day_from('a.status_at') }}) as from_on,
    {{ first_day_from('a.signed_at') }} as until_on
from {{ ref('appointments') }} as a
join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
where a.status = 'COMPLETED' and a.ends_at + interval '168 hours' < p.as_of
