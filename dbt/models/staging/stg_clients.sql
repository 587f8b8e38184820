-- Clients, with the day on which they turn 18: for those born on 29 February, 1 March
select
    c.tenant_id,
    c.id as client_id,
    c.admitted_on,
    case
        when extract(month from c.birth_date) = 2 and extract(day from c.birth_date) = 29
            then (c.birth_date + 1 + interval '18 years')::date
        else (c.birth_date + interval '18 years')::date
    end as turns_18_on
from {{ source('records', 'clients') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
