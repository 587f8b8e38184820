-- Supervision sessions held by as_of, as they were known then
with versions as ({{ versions_of('supervision_sessions') }})

select
    v.tenant_id,
    v.record_id as supervision_session_id,
    {{ value('supervisee_id', 'uuid') }} as supervisee_id,
    {{ value('held_at', 'timestamptz') }} as held_at,
    {{ local_date(value('held_at', 'timestamptz')) }} as held_on,
    ({{ value('hours', 'decimal(6, 2)') }} * 100)::bigint as hundredths,
    case when {{ value('note_signed_at', 'timestamptz') }} <= p.as_of then {{ value('note_signed_at', 'timestamptz') }} end as note_signed_at
from versions as v
join {{ ref('stg_practices') }} as p on p.tenant_id = v.tenant_id
where v.is_last and {{ value('held_at', 'timestamptz') }} <= p.as_of and {{ value('voided_at') }} is null
