-- Appointments and seats as they were known at as_of: a final status set later is not known yet
with p as (select * from {{ ref('stg_practices') }}),

versions as ({{ versions_of('appointments') }}),

-- few appointments are corrected, so that the record itself does not say any more what it said
appointments as (
    select
        a.tenant_id, a.id, a.client_id, a.clinician_id, a.group_session_id, a.starts_at, a.ends_at, a.created_at,
        a.booked_via, a.eligibility_verified_at
        {%- for name, type in [
            ('status', 'text'), ('status_at', 'timestamptz'), ('telehealth', 'boolean'), ('arrived_at', 'timestamptz'),
            ('ready_at', 'timestamptz'), ('actual_minutes', 'integer')
        ] %},
        case when v.record_id is null then a.{{ name }} else {{ value(name, type) }} end as {{ name }}{% endfor %}
    from {{ source('records', 'appointments') }} as a
    left join versions as v on v.tenant_id = a.tenant_id and v.record_id = a.id and v.is_last
)

select
    a.tenant_id,
    a.id as appointment_id,
    a.client_id,
    a.clinician_id,
    coalesce(a.group_session_id, a.id) as session_id,
    a.starts_at,
    a.ends_at,
    case
        when a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED', 'RESCHEDULED') and a.status_at > p.as_of then 'SCHEDULED'
        else a.status
    end as status,
    a.status_at,
    a.created_at,
    {{ local_date('a.starts_at') }} as on_date,
    a.starts_at < p.as_of as has_begun,
    a.telehealth,
    a.booked_via,
    a.arrived_at,
    a.ready_at,
    a.actual_minutes,
    a.eligibility_verified_at
from appointments as a
join p on p.tenant_id = a.tenant_id
where a.created_at <= p.as_of
