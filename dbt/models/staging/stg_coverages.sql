-- Coverages of clients, from their first day until the day after their last
select
    c.tenant_id, c.id as coverage_id, c.client_id, c.rank, coalesce(c.external_id, c.id::text) as external_id,
    c.effective_on as from_on, c.ends_on + 1 as until_on,
    {{ first_day_from('c.verified_at') }} as verified_from_on,
    case when c.verified_at <= p.as_of then {{ local_date('c.verified_at') }} end as verified_on
from {{ source('records', 'coverages') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
where c.voided_at is null or c.voided_at > p.as_of
