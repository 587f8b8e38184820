-- Hours in which clinicians can be booked: weekly windows, and exceptions on single days
with windows as ({{ versions_of('availability_windows') }}),

exceptions as ({{ versions_of('availability_exceptions') }}),

voided as (
    select tenant_id, record_id from windows as v where v.is_last and {{ value('voided_at') }} is not null
)

select
    v.tenant_id,
    {{ value('clinician_id', 'uuid') }} as clinician_id,
    true as opens,
    {{ value('weekday', 'smallint') }} as weekday,
    {{ value('start_time', 'time') }} as start_time,
    {{ value('end_time', 'time') }} as end_time,
    greatest(v.dated_from_on, {{ value('effective_on', 'date') }}) as first_on,
    least(v.until_on - 1, {{ value('ends_on', 'date') }}) as last_on
from windows as v
left join voided as x on x.tenant_id = v.tenant_id and x.record_id = v.record_id
where x.record_id is null and v.until_on > v.dated_from_on
union all
select
    v.tenant_id,
    {{ value('clinician_id', 'uuid') }},
    {{ value('available', 'boolean') }},
    cast(null as smallint),
    {{ value('start_time', 'time') }},
    {{ value('end_time', 'time') }},
    {{ value('on_date', 'date') }},
    {{ value('on_date', 'date') }}
from exceptions as v
where v.is_last and {{ value('voided_at') }} is null
