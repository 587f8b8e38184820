-- Notes as they were known at as_of, without their text
with notes as (select * from {{ source('records', 'notes') }}),

p as (select * from {{ ref('stg_practices') }}),

-- few notes change their session
sessions as ({{ versions_of('notes') }})

select
    n.tenant_id,
    n.id as note_id,
    n.client_id,
    case when v.record_id is null then n.appointment_id else {{ value('appointment_id', 'uuid') }} end as appointment_id,
    n.type,
    case when n.signed_at <= p.as_of then n.signed_at end as signed_at
from notes as n
join p on p.tenant_id = n.tenant_id
left join sessions as v on v.tenant_id = n.tenant_id and v.record_id = n.id and v.is_last
where n.created_at <= p.as_of
    and (n.voided_at is null or n.voided_at > p.as_of)
    and (n.entered_in_error_at is null or n.entered_in_error_at > p.as_of)
