-- The practice, clinicians and teams, with the spans of days in which they have values
with staff as (select * from {{ ref('stg_staff') }})

select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, '' as external_id, cast(null as date) as from_on, cast(null as date) as until_on
from {{ ref('stg_practices') }}
union all
select tenant_id, 'clinician', staff_id, external_id, employed_from_on, employed_until_on
from staff
where is_clinician and (employed_until_on is null or employed_until_on > employed_from_on)
union all
select distinct
    s.tenant_id, 'team', s.staff_id, s.external_id,
    greatest(s.employed_from_on, m.from_on), least(s.employed_until_on, m.until_on)
from staff as s
join staff as m on m.tenant_id = s.tenant_id and m.supervisor_id = s.staff_id
where greatest(s.employed_from_on, m.from_on) < least(s.employed_until_on, m.until_on)
