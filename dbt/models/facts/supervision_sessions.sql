-- Supervision sessions by supervisee
select
    s.tenant_id, s.supervision_session_id as row_id, s.supervisee_id as clinician_id, s.held_on as on_date, s.held_at,
    s.hundredths, s.note_signed_at,
    s.held_at + {{ days('p.supervision_note_days') }} as note_due_at,
    s.held_at + {{ days('p.supervision_note_days') }} <= p.as_of as note_due_passed
from {{ ref('stg_supervision_sessions') }} as s
join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
