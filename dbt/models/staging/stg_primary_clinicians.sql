-- The primary clinician of each client, from a day until another. An import says who it is from the beginning.
with history as ({{ history_of('primary_clinicians', 'h.clinician_id, h.set_by, h.effective_on') }})

select
    tenant_id, client_id, clinician_id, coalesce(until_on, date '9999-01-01') as until_on,
    case
        when set_by is null and effective_on = min(effective_on) over (partition by tenant_id, client_id)
            then date '0001-01-01'
        else from_on
    end as from_on
from history
where until_on is null or until_on > from_on
