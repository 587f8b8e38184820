-- Active clients in spans of days in which nothing changes, with all conditions that hold
{% set conditions = ['active', 'high_risk', 'minor', 'portal', 'covered', 'verified', 'INFORMED_TREATMENT', 'GUARDIAN', 'plan_reviewed', 'safety_plan'] %}
with conditions as (
    select * from {{ ref('client_conditions') }} where from_on is not null and (until_on is null or until_on > from_on)
),

ends as (
    select tenant_id, client_id, kind, from_on as on_date, 1 as step from conditions
    union all
    select tenant_id, client_id, kind, until_on, -1 from conditions where until_on is not null
),

steps as (
    select
        tenant_id, client_id, on_date
        {%- for kind in conditions %},
        sum(case when kind = '{{ kind }}' then step else 0 end) as {{ kind.lower() }}{% endfor %}
    from ends
    group by tenant_id, client_id, on_date
),

spans as (
    select
        tenant_id, client_id, on_date as from_on, lead(on_date) over client as until_on
        {%- for kind in conditions %},
        sum({{ kind.lower() }}) over client > 0 as {{ kind.lower() }}{% endfor %}
    from steps
    window client as (partition by tenant_id, client_id order by on_date)
)

select
    s.tenant_id, s.client_id as row_id, c.clinician_id, s.from_on, s.until_on,
    s.high_risk, s.minor, s.portal, s.covered, s.verified, s.plan_reviewed, s.safety_plan,
    s.informed_treatment, s.guardian, c.self_pay, c.has_complete_demographics
from spans as s
join {{ ref('stg_clients') }} as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
where s.active
