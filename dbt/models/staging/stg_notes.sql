-- Notes as they were known at as_of, without their text
with notes as (select * from {{ source('records', 'notes') }}),

p as (select * from {{ ref('stg_practices') }})

select
    n.tenant_id,
    n.id as note_id,
    n.client_id,
    n.appointment_id,
    n.type,
    case when n.signed_at <= p.as_of then n.signed_at end as signed_at
from notes as n
join p on p.tenant_id = n.tenant_id
where n.created_at <= p.as_of
    and (n.voided_at is null or n.voided_at > p.as_of)
    and (n.entered_in_error_at is null or n.entered_in_error_at > p.as_of)
