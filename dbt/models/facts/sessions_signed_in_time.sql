-- Completed sessions of each clinician and day, by each limit for notes that has ever been in force: those for which it
-- has passed, and those of them signed within it
with limits as (select distinct tenant_id, days from {{ ref('time_limits') }} where key = 'note_alert_days')

select
    a.tenant_id, a.clinician_id, a.on_date, l.days,
    count(*) as due,
    sum({{ one_if("a.signed_at <= a.ends_at + l.days * interval '24 hours'") }}) as signed
from {{ ref('appointments') }} as a
join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
join limits as l on l.tenant_id = a.tenant_id
where a.completed and a.ends_at + l.days * interval '24 hours' <= p.as_of
group by a.tenant_id, a.clinician_id, a.on_date, l.days
