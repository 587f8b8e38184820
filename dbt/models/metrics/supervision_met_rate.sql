{{ config(meta={'shape': 'period'}) }}
select r.tenant_id, m.entity_kind, m.entity_id, r.period_kind, r.period_start,
    {{ whole('sum(' ~ one_if('held_hundredths >= required_hundredths') ~ ')') }} as numerator, count(*) as denominator
from {{ ref('supervision_requirements') }} as r
join {{ ref('entity_members_and_practice') }} as m on m.tenant_id = r.tenant_id and m.clinician_id = r.clinician_id
    and m.from_on <= r.last_on and m.until_on > r.last_on
where r.required_hundredths > 0 and m.entity_kind <> 'clinician'
group by 1, 2, 3, 4, 5
