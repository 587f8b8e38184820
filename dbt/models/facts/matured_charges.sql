{{ config(materialized='view') }}
-- Charges some time (by default 90 days) after their service, and the money and contractual adjustments that were posted on them
with charges as (
    select c.*, c.service_date + p.collection_days as on_date
    from {{ ref('charges') }} as c
    join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
    where c.service_date + p.collection_days <= p.last_day
)

select tenant_id, clinician_id, on_date, row_id, known_on as from_on, void_on as until_on, 0 as paid_cents, amount_cents as due_cents
from charges
union all
select
    c.tenant_id, c.clinician_id, c.on_date, c.row_id, greatest(c.known_on, o.posted_on), c.void_on,
    case when o.kind = 'MONEY' then o.amount_cents else 0 end,
    case when o.kind = 'CO' then -o.amount_cents else 0 end
from charges as c
join {{ ref('stg_postings') }} as o on o.tenant_id = c.tenant_id and o.charge_id = c.charge_id
where o.kind in ('MONEY', 'CO')
