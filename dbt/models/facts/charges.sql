-- Charges known at as_of, the money applied to them by then, and the days on which they became known and void
with applied as (
    select tenant_id, charge_id, sum(amount_cents) as applied_cents
    from {{ ref('stg_postings') }}
    where kind = 'MONEY'
    group by tenant_id, charge_id
)

select
    c.tenant_id, c.charge_id, c.charge_id as row_id, c.client_id, c.clinician_id, c.appointment_id,
    c.service_date, c.amount_cents, c.voided_at,
    row_number() over (partition by c.tenant_id, c.appointment_id order by c.created_at, c.external_id) = 1 as is_first,
    {{ local_date('c.created_at') }} as created_on,
    {{ first_day_from('c.created_at') }} as known_on,
    {{ first_day_from('c.voided_at') }} as void_on,
    {{ whole('coalesce(a.applied_cents, 0)') }} as applied_cents
from {{ ref('stg_charges') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
left join applied as a on a.tenant_id = c.tenant_id and a.charge_id = c.charge_id
