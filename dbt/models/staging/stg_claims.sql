-- Claims submitted by as_of, with the first response and the outcome if known then
select
    c.tenant_id, c.id as claim_id, {{ local_date('c.submitted_at') }} as submitted_on,
    case when c.first_response_at <= p.as_of then c.first_response end as first_response,
    case when c.adjudicated_at <= p.as_of then {{ local_date('c.adjudicated_at') }} end as adjudicated_on,
    c.outcome
from {{ source('records', 'claims') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
where c.submitted_at <= p.as_of
