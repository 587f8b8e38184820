-- The limits in days that settings can change, each from a day until another
with p as (select * from {{ ref('stg_practices') }}),

defaults as (
    select *
    from (values ('hipaa_training_days', 365), ('note_alert_days', 7), ('plan_review_days', 90), ('safety_plan_days', 365))
        as d (key, days)
),

settings as (select * from {{ ref('stg_settings') }})

select
    p.tenant_id, d.key, d.days, date '0001-01-01' as from_on,
    coalesce(min(s.from_on), date '9999-01-01') as until_on
from p
cross join defaults as d
left join settings as s on s.tenant_id = p.tenant_id and s.key = d.key
group by p.tenant_id, d.key, d.days
union all
select s.tenant_id, s.key, cast(s.value as integer), s.from_on, coalesce(s.until_on, date '9999-01-01')
from settings as s
join defaults as d on d.key = s.key
