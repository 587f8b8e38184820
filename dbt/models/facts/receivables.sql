{{ config(materialized='view') }}
-- Amounts that make up receivables, each from a day until another: charges while they are not void, less postings on them
with charges as (select * from {{ ref('charges') }})

select tenant_id, clinician_id, row_id, 'balance' as part, known_on as from_on, void_on as until_on, amount_cents as amount
from charges
union all
select c.tenant_id, c.clinician_id, c.row_id, 'balance', greatest(c.known_on, o.posted_on), c.void_on, -o.amount_cents
from charges as c
join {{ ref('stg_postings') }} as o on o.tenant_id = c.tenant_id and o.charge_id = c.charge_id
union all
select tenant_id, clinician_id, row_id, 'recent', greatest(known_on, service_date), least(service_date + 90, void_on), amount_cents
from charges
union all
-- from the day on which a charge is 90 days old, the average is over 90 days
select tenant_id, clinician_id, row_id, 'old', greatest(known_on, service_date + 89), void_on, 1
from charges
