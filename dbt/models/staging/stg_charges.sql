-- Charges as they were known at as_of
with charges as (select * from {{ source('records', 'charges') }}),

p as (select * from {{ ref('stg_practices') }})

select
    c.tenant_id,
    c.id as charge_id,
    coalesce(c.external_id, c.id::text) as external_id,
    c.client_id,
    c.clinician_id,
    c.appointment_id,
    c.service_date,
    c.amount_cents,
    c.created_at,
    case when c.voided_at <= p.as_of then c.voided_at end as voided_at
from charges as c
join p on p.tenant_id = c.tenant_id
where c.created_at <= p.as_of
