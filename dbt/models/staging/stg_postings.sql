-- Postings that lower the balance of a charge: money applied, and adjustments by their group
with applications as (select * from {{ source('records', 'payment_applications') }}),

adjustments as (select * from {{ source('records', 'adjustments') }}),

p as (select * from {{ ref('stg_practices') }})

select a.tenant_id, a.id as posting_id, a.charge_id, 'MONEY' as kind, a.amount_cents, a.posted_at, {{ first_day_from('a.posted_at') }} as posted_on
from applications as a
join p on p.tenant_id = a.tenant_id
where a.posted_at <= p.as_of
union all
select a.tenant_id, a.id, a.charge_id, a.group_code, a.amount_cents, a.posted_at, {{ first_day_from('a.posted_at') }}
from adjustments as a
join p on p.tenant_id = a.tenant_id
where a.posted_at <= p.as_of
