-- Rule settings made by as_of, each from a day until the next change of it
with changes as (
    select
        s.tenant_id, s.key, s.effective_on, {{ json_number('s.value') }} as value,
        row_number() over (partition by s.tenant_id, s.key, s.effective_on order by s.set_at desc) as place
    from {{ source('records', 'rule_settings') }} as s
    join {{ ref('stg_practices') }} as p on p.tenant_id = s.tenant_id
    where s.set_at <= p.as_of
)

select
    tenant_id, key, value, effective_on as from_on,
    lead(effective_on) over (partition by tenant_id, key order by effective_on) as until_on
from changes
where place = 1
