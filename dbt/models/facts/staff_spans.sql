-- Active staff in spans of days in which nothing changes, trained or not
with conditions as (
    select tenant_id, staff_id, 'active' as kind, employed_from_on as from_on, employed_until_on as until_on from {{ ref('stg_staff') }}
    union all
    select t.tenant_id, t.staff_id, 'trained', t.completed_on, t.completed_on + p.hipaa_training_days + 1
    from {{ ref('stg_trainings') }} as t
    join {{ ref('stg_practices') }} as p on p.tenant_id = t.tenant_id
    where t.kind = 'HIPAA'
),

ends as (
    select tenant_id, staff_id, kind, from_on as on_date, 1 as step from conditions where until_on is null or until_on > from_on
    union all
    select tenant_id, staff_id, kind, until_on, -1 from conditions where until_on > from_on
),

steps as (
    select
        tenant_id, staff_id, on_date,
        sum(case when kind = 'active' then step else 0 end) as active,
        sum(case when kind = 'trained' then step else 0 end) as trained
    from ends
    group by tenant_id, staff_id, on_date
),

spans as (
    select
        tenant_id, staff_id, on_date as from_on, lead(on_date) over person as until_on,
        sum(active) over person > 0 as active, sum(trained) over person > 0 as trained
    from steps
    window person as (partition by tenant_id, staff_id order by on_date)
)

select tenant_id, staff_id as clinician_id, staff_id as row_id, from_on, until_on, trained
from spans
where active
