-- Charges and postings that count in a period only if they were known by its end. The others add up from their days.
select
    m.tenant_id, e.entity_kind, e.entity_id, d.period_kind, d.period_start,
    {{ whole('sum(m.paid_cents)') }} as numerator, {{ whole('sum(m.due_cents)') }} as denominator
from {{ ref('matured_charges') }} as m
join {{ ref('days_of_periods') }} as d on d.tenant_id = m.tenant_id and d.on_date = m.on_date
    and d.last_on >= m.from_on and (m.until_on is null or d.last_on < m.until_on)
join {{ ref('entity_members_and_practice') }} as e on e.tenant_id = m.tenant_id and e.clinician_id = m.clinician_id
    and e.from_on <= m.on_date and e.until_on > m.on_date
where not (m.from_on <= m.on_date and m.until_on is null)
group by 1, 2, 3, 4, 5
