-- The first and the last day of the practice's calendar: from its first record to the last week of the quarter of as_of
with p as (select * from {{ ref('stg_practices') }}),

records as (
    select tenant_id, min(on_date) as first_on, max(on_date) as last_on from {{ ref('stg_appointments') }} group by tenant_id
    union all
    select tenant_id, min(service_date), null from {{ ref('stg_charges') }} group by tenant_id
    union all
    select tenant_id, min(employed_from_on), null from {{ ref('stg_staff') }} group by tenant_id
)

select
    p.tenant_id, p.last_day,
    least(min(r.first_on), p.first_on, p.last_day) as first_on,
    greatest((date_trunc('quarter', p.last_day) + interval '3 months')::date + 5, max(r.last_on)) as last_on
from p
left join records as r on r.tenant_id = p.tenant_id
group by p.tenant_id, p.first_on, p.last_day

