-- Versions of client records, each from a day until another. For dated rows the first one also counts before. Clients
-- born on 29 February turn 18 on 1 March.
with versions as ({{ versions_of('clients') }})

select
    v.tenant_id,
    v.record_id as client_id,
    v.from_on,
    v.dated_from_on,
    v.until_on,
    {{ value('self_pay', 'boolean') }} as self_pay,
    {{ value('emancipated', 'boolean') }} as emancipated,
    {{ value('has_complete_demographics', 'boolean') }} as has_complete_demographics,
    {{ value('high_risk_since', 'date') }} as high_risk_since,
    {{ value('high_risk_until', 'date') }} as high_risk_until,
    {{ value('admitted_on', 'date') }} as admitted_on,
    {{ value('ended_on', 'date') }} as ended_on,
    case
        when {{ value('birth_date') }} like '%-02-29' then ({{ value('birth_date', 'date') }} + 1 + interval '18 years')::date
        else ({{ value('birth_date', 'date') }} + interval '18 years')::date
    end as turns_18_on,
    {{ first_day_from(value('portal_activated_at', 'timestamptz')) }} as portal_from_on
from versions as v
join {{ ref('stg_practices') }} as p on p.tenant_id = v.tenant_id
where v.until_on > v.dated_from_on
