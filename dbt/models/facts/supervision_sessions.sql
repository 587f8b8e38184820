-- Supervision sessions by supervisee
select
    s.tenant_id, s.supervision_session_id as row_id, s.supervisee_id as clinician_id, s.held_on as on_date, s.held_at,
    s.hundredths, s.note_signed_at,
    s.held_at + interval '168 hours' <= p.as_of as seven_days_passed
from {{ ref('stg_supervision_sessions') }} as s
join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
