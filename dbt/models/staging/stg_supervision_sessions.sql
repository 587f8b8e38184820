-- Supervision sessions held by as_of
select
    s.tenant_id, s.id as supervision_session_id, s.supervisee_id, s.held_at, {{ local_date('s.held_at') }} as held_on,
    (cast(s.hours as decimal(6, 2)) * 100)::bigint as hundredths,
    case when s.note_signed_at <= p.as_of then s.note_signed_at end as note_signed_at
from {{ source('records', 'supervision_sessions') }} as s
join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
where s.held_at <= p.as_of and (s.voided_at is null or s.voided_at > p.as_of)
