-- Active clients in spans of days in which nothing changes, with all conditions that hold
{% set conditions = ['active', 'high_risk', 'minor', 'portal', 'covered', 'self_pay', 'complete_demographics', 'verified', 'INFORMED_TREATMENT', 'GUARDIAN', 'plan_reviewed', 'safety_plan'] %}
with conditions as (
    select * from {{ ref('client_conditions') }} where from_on is not null and (until_on is null or until_on > from_on)
),

ends as (
    select tenant_id, client_id, kind, from_on as on_date, 1 as step from conditions
    union all
    select tenant_id, client_id, kind, until_on, -1 from conditions where until_on is not null
    union all
    -- cut where the primary clinician changes
    select tenant_id, client_id, 'clinician', from_on, 0 from {{ ref('stg_primary_clinicians') }}
    union all
    select tenant_id, client_id, 'clinician', until_on, 0 from {{ ref('stg_primary_clinicians') }}
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
    s.informed_treatment, s.guardian, s.self_pay, s.complete_demographics
from spans as s
left join {{ ref('stg_primary_clinicians') }} as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
    and c.from_on <= s.from_on and c.until_on > s.from_on
where s.active
