{{ config(materialized='view') }}
-- Amounts that make up receivables, each from a day until another: charges while they are not void, less postings on them
with charges as (
    select c.*, c.service_date + p.receivable_days as average_until_on
    from {{ ref('charges') }} as c
    join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
)

select tenant_id, clinician_id, row_id, 'balance' as part, known_on as from_on, void_on as until_on, amount_cents as amount
from charges
union all
select c.tenant_id, c.clinician_id, c.row_id, 'balance', greatest(c.known_on, o.posted_on), c.void_on, -o.amount_cents
from charges as c
join {{ ref('stg_postings') }} as o on o.tenant_id = c.tenant_id and o.charge_id = c.charge_id
union all
select tenant_id, clinician_id, row_id, 'recent', greatest(known_on, service_date), least(average_until_on, void_on), amount_cents
from charges
union all
-- from the day on which a charge is old enough, the average is over all days of the window
select tenant_id, clinician_id, row_id, 'old', greatest(known_on, average_until_on - 1), void_on, 1
from charges
