-- Days on which staff signed in
select distinct s.tenant_id, s.staff_id, {{ local_date('s.at') }} as on_date
from {{ source('records', 'sign_ins') }} as s
join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
where s.at <= p.as_of
