-- Clients with a telehealth appointment in a period, and whether the first one of the period had a consent in force
with visits as (
    select
        a.tenant_id, a.clinician_id, a.client_id, a.on_date, a.row_id, a.starts_at,
        {{ local_date("(a.starts_at - interval '1 microsecond')") }} as before_on
    from {{ ref('appointments') }} as a
    join {{ ref('stg_practices') }} as p on p.tenant_id = a.tenant_id
    where a.scheduled and a.telehealth and a.status <> 'CANCELLED'
),

consented as (
    select distinct v.tenant_id, v.row_id
    from visits as v
    join {{ ref('stg_consents') }} as c on c.tenant_id = v.tenant_id and c.client_id = v.client_id
        and c.is_last and c.kind = 'TELEHEALTH' and c.signed_at < v.starts_at and v.before_on < c.expires_on
        and (c.revoked_at is null or c.revoked_at >= v.starts_at)
),

ranked as (
    select
        v.tenant_id, m.entity_kind, m.entity_id, d.period_kind, d.period_start, v.client_id, v.clinician_id, v.on_date, v.row_id,
        row_number() over (
            partition by v.tenant_id, m.entity_kind, m.entity_id, d.period_kind, d.period_start, v.client_id
            order by v.starts_at, v.row_id
        ) as place
    from visits as v
    join {{ ref('days_of_periods') }} as d on d.tenant_id = v.tenant_id and d.on_date = v.on_date
    join {{ ref('entity_members_and_practice') }} as m on m.tenant_id = v.tenant_id and m.clinician_id = v.clinician_id
        and m.from_on <= v.on_date and m.until_on > v.on_date
)

select
    r.tenant_id, r.entity_kind, r.entity_id, r.period_kind, r.period_start, r.client_id, r.clinician_id, r.on_date, r.row_id,
    c.row_id is not null as consented
from ranked as r
left join consented as c on c.tenant_id = r.tenant_id and c.row_id = r.row_id
where r.place = 1
