-- Clients, with their clinician and the dates that metrics of clients rest on
with clients as (select * from {{ source('records', 'clients') }}),

p as (select * from {{ ref('stg_practices') }})

select
    c.tenant_id,
    c.id as client_id,
    c.primary_clinician_id as clinician_id,
    c.admitted_on,
    c.ended_on,
    c.high_risk_since,
    c.high_risk_until,
    case
        when extract(month from c.birth_date) = 2 and extract(day from c.birth_date) = 29
            then (c.birth_date + 1 + interval '18 years')::date
        else (c.birth_date + interval '18 years')::date
    end as turns_18_on,
    c.emancipated,
    c.self_pay,
    c.portal_activated_at,
    c.has_complete_demographics
from clients as c
join p on p.tenant_id = c.tenant_id
