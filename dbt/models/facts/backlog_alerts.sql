{{ config(materialized='view') }}
-- Clinicians, from and until the days on which their unsigned note backlog exceeds the alert threshold
select
    s.tenant_id, s.entity_id as clinician_id, s.entity_id as row_id,
    greatest(s.from_on, b.from_on) as from_on, least(s.until_on, b.until_on) as until_on
from {{ ref('unsigned_session_states') }} as s
join {{ ref('metric_bounds') }} as b on b.tenant_id = s.tenant_id
    and b.from_on < s.until_on and b.until_on > s.from_on
where s.entity_kind = 'clinician' and s.unsigned_note_backlog_n > b.unsigned_note_backlog_alert_above
