-- Versions of staff records: roles, license, discipline, supervisor and employment, each from a day until another
with known as ({{ versions_of('staff') }}),

-- somebody who is added counts from their first day on or, if it lies ahead, from the day on which they were added
versions as (
    select
        v.tenant_id, v.record_id, v.v, v.until_on,
        case
            when v.dated_from_on < v.from_on then least(v.from_on, {{ value('hired_on', 'date') }}) else v.dated_from_on
        end as dated_from_on
    from known as v
)

select
    v.tenant_id,
    v.record_id as staff_id,
    coalesce(s.external_id, s.id::text) as external_id,
    {{ value('supervisor_id', 'uuid') }} as supervisor_id,
    {{ value('discipline') }} as discipline,
    {{ value('license_type') }} as license_type,
    {{ value('roles') }} like '%"clinician"%' as is_clinician,
    v.dated_from_on as from_on,
    v.until_on,
    greatest(v.dated_from_on, {{ value('hired_on', 'date') }}) as employed_from_on,
    least(v.until_on, {{ value('left_on', 'date') }}) as employed_until_on
from versions as v
join {{ source('records', 'staff') }} as s on s.tenant_id = v.tenant_id and s.id = v.record_id
where v.until_on > v.dated_from_on
