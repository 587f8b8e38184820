-- Versions of coverages, each in force from a day until another, with its verification
with versions as ({{ versions_of('coverages') }})

select
    v.tenant_id,
    v.record_id as coverage_id,
    {{ value('client_id', 'uuid') }} as client_id,
    {{ value('rank', 'integer') }} as rank,
    coalesce(c.external_id, c.id::text) as external_id,
    greatest(v.from_on, {{ value('effective_on', 'date') }}) as from_on,
    least(v.until_on, {{ value('ends_on', 'date') }} + 1) as until_on,
    {{ first_day_from(value('verified_at', 'timestamptz')) }} as verified_from_on,
    case when {{ value('verified_at', 'timestamptz') }} <= p.as_of then {{ local_date(value('verified_at', 'timestamptz')) }} end as verified_on,
    -- not what an import brought and a later version repeats
    case when v.from_on > date '0001-01-01' and {{ first_day_from(value('verified_at', 'timestamptz')) }} >= v.from_on
        then {{ value('verified_at', 'timestamptz') }} end as verified_by_staff_at
from versions as v
join {{ ref('stg_practices') }} as p on p.tenant_id = v.tenant_id
join {{ source('records', 'coverages') }} as c on c.tenant_id = v.tenant_id and c.id = v.record_id
where {{ value('voided_at') }} is null and v.until_on > v.from_on
