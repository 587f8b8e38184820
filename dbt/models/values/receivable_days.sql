-- The number of days over which charges are averaged, on days on which no charge of an entity is old enough for all of them
with members as (select * from {{ ref('entity_members_and_practice') }}),

-- those of a clinician on one day count together
same_charges as (
    select tenant_id, clinician_id, service_date, known_on, void_on, count(*) as charges
    from {{ ref('charges') }}
    group by tenant_id, clinician_id, service_date, known_on, void_on
),

charges as (
    select
        m.tenant_id, m.entity_kind, m.entity_id, c.service_date, c.charges,
        greatest(c.known_on, m.from_on) as known_on, least(c.void_on, m.until_on) as void_on,
        greatest(c.known_on, c.service_date + p.receivable_days - 1, m.from_on) as old_on
    from same_charges as c
    join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
    join members as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
    where least(c.void_on, m.until_on) > greatest(c.known_on, m.from_on)
),

steps as (
    select tenant_id, entity_kind, entity_id, on_date, sum(step) as step
    from (
        select tenant_id, entity_kind, entity_id, old_on as on_date, charges as step from charges where void_on is null or void_on > old_on
        union all
        select tenant_id, entity_kind, entity_id, void_on, -charges from charges where void_on > old_on
        union all
        select tenant_id, entity_kind, entity_id, min(known_on), 0 from charges group by tenant_id, entity_kind, entity_id
    ) as e
    group by tenant_id, entity_kind, entity_id, on_date
),

states as (
    select
        tenant_id, entity_kind, entity_id, on_date as from_on,
        coalesce(lead(on_date) over entity, date '9999-01-01') as until_on, sum(step) over entity as old_charges
    from steps
    window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)
),

-- few days: the first ones of a practice
young_days as (
    select s.tenant_id, s.entity_kind, s.entity_id, d.on_date
    from states as s
    join {{ ref('days') }} as d on d.tenant_id = s.tenant_id and d.has_begun and d.on_date >= s.from_on and d.on_date < s.until_on
    where s.old_charges = 0
),

young_charges as (
    select c.tenant_id, c.entity_kind, c.entity_id, c.service_date, c.known_on, c.void_on
    from charges as c
    join (
        select tenant_id, entity_kind, entity_id, max(on_date) as last_on from young_days group by tenant_id, entity_kind, entity_id
    ) as l on l.tenant_id = c.tenant_id and l.entity_kind = c.entity_kind and l.entity_id = c.entity_id and c.known_on <= l.last_on
    group by c.tenant_id, c.entity_kind, c.entity_id, c.service_date, c.known_on, c.void_on
)

select d.tenant_id, d.entity_kind, d.entity_id, d.on_date, d.on_date - min(c.service_date) + 1 as days
from young_days as d
join young_charges as c on c.tenant_id = d.tenant_id and c.entity_kind = d.entity_kind and c.entity_id = d.entity_id
    and c.known_on <= d.on_date and (c.void_on is null or c.void_on > d.on_date)
group by d.tenant_id, d.entity_kind, d.entity_id, d.on_date
