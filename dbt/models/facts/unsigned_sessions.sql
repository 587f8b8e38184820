{{ config(materialized='view') }}
-- Sessions without a signed note, from the day on which they ended more than the limit ago until they are signed
select
    a.tenant_id, a.clinician_id, a.appointment_id as row_id,
    greatest(
        {{ first_day_after("(a.ends_at + l.days * interval '24 hours')") }}, {{ first_day_from('a.status_at') }},
        {{ first_day_from('a.created_at') }}, l.from_on
    ) as from_on,
    least({{ first_day_from('a.signed_at') }}, l.until_on) as until_on
from {{ ref('appointments') }} as a
join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
join {{ ref('time_limits') }} as l on l.tenant_id = a.tenant_id and l.key = 'note_alert_days'
where a.status = 'COMPLETED' and a.ends_at + l.days * interval '24 hours' < p.as_of
