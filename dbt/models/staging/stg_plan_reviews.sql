-- Reviews of treatment plans, from the day on which each counts
select r.tenant_id, r.id as review_id, r.client_id, r.reviewed_on, greatest(r.reviewed_on, {{ first_day_from('r.created_at') }}) as from_on
from {{ source('records', 'treatment_plan_reviews') }} as r
join {{ ref('stg_practices') }} as p on p.tenant_id = r.tenant_id
where r.created_at <= p.as_of and (r.voided_at is null or r.voided_at > p.as_of)
