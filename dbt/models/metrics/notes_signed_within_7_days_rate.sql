{{ config(meta={'shape': 'period'}) }}
select s.tenant_id, m.entity_kind, m.entity_id, d.period_kind, d.period_start,
    {{ whole('sum(s.signed)') }} as numerator, {{ whole('sum(s.due)') }} as denominator
from {{ ref('sessions_signed_in_time') }} as s
join {{ ref('days_of_periods') }} as d on d.tenant_id = s.tenant_id and d.on_date = s.on_date
join {{ ref('time_limits') }} as l on l.tenant_id = s.tenant_id and l.key = 'note_alert_days' and l.days = s.days
    and l.from_on <= d.last_on and l.until_on > d.last_on
join {{ ref('entity_members_and_practice') }} as m on m.tenant_id = s.tenant_id and m.clinician_id = s.clinician_id
    and m.from_on <= s.on_date and m.until_on > s.on_date
group by 1, 2, 3, 4, 5
