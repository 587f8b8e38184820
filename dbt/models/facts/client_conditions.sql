-- Conditions of clients that metrics ask about: one row for each condition and span of days
with p as (select * from {{ ref('stg_practices') }}),

versions as (select * from {{ ref('stg_client_versions') }}),

coverages as (select * from {{ ref('stg_coverages') }}),

-- between two neighboring ends of a client's coverages, the primary one stays the same
ends as (
    select tenant_id, client_id, from_on as on_date from coverages
    union
    select tenant_id, client_id, until_on from coverages where until_on is not null
),

spans as (
    select tenant_id, client_id, on_date as from_on, lead(on_date) over (partition by tenant_id, client_id order by on_date) as until_on
    from ends
),

ranked as (
    select
        s.tenant_id, s.client_id, s.from_on, s.until_on, c.verified_from_on, c.verified_on,
        row_number() over (partition by s.tenant_id, s.client_id, s.from_on order by c.rank, c.external_id) as place
    from spans as s
    join coverages as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
        and c.from_on <= s.from_on and (c.until_on is null or c.until_on > s.from_on)
)

select tenant_id, client_id, 'active' as kind, from_on, until_on from {{ ref('stg_client_activity') }}
union all
select tenant_id, client_id, 'high_risk', greatest(from_on, high_risk_since), least(until_on, high_risk_until)
from versions where high_risk_since is not null
union all
select tenant_id, client_id, 'minor', from_on, least(until_on, turns_18_on) from versions where not emancipated
union all
select tenant_id, client_id, 'portal', greatest(from_on, portal_from_on), until_on from versions where portal_from_on is not null
union all
select tenant_id, client_id, 'self_pay', from_on, until_on from versions where self_pay
union all
select tenant_id, client_id, 'complete_demographics', from_on, until_on from versions where has_complete_demographics
union all
select tenant_id, client_id, 'covered', from_on, until_on from coverages
union all
select ranked.tenant_id, client_id, 'verified', greatest(from_on, verified_from_on), least(until_on, verified_on + p.coverage_verification_days + 1)
from ranked
join p on p.tenant_id = ranked.tenant_id
where place = 1 and verified_on is not null
union all
select tenant_id, client_id, kind, from_on, least(expires_on, until_on)
from {{ ref('stg_consents') }} where kind in ('INFORMED_TREATMENT', 'GUARDIAN')
union all
select r.tenant_id, r.client_id, 'plan_reviewed', r.from_on, r.reviewed_on + p.plan_review_days + 1
from {{ ref('stg_plan_reviews') }} as r
join p on p.tenant_id = r.tenant_id
union all
select n.tenant_id, n.client_id, 'safety_plan', {{ first_day_from('n.signed_at') }}, {{ local_date('n.signed_at') }} + p.safety_plan_days + 1
from {{ ref('stg_notes') }} as n
join p on p.tenant_id = n.tenant_id
where n.type = 'SAFETY_PLAN' and n.signed_at is not null
