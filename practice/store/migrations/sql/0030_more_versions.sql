-- Corrections that a record's own stamps cannot show: its former values stay. Most appointments are never corrected, so
-- an appointment has versions from its first correction on: one of what it said until then, and one for each change
-- since.
create function keep_version_since_correction() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    instant constant timestamptz := nullif(current_setting('app.now', true), '')::timestamptz;
    is_known constant boolean := exists (
        select from public.record_versions as v
        where v.tenant_id = new.tenant_id and v.record_kind = tg_table_name and v.record_id = new.id
    );
    old_values jsonb;
    new_values jsonb;
begin
    if not is_known
        and (old.status = new.status or old.status not in ('COMPLETED', 'NO_SHOW', 'CANCELLED', 'RESCHEDULED'))
        and (old.arrived_at is null or old.arrived_at is not distinct from new.arrived_at)
        and (old.ready_at is null or old.ready_at is not distinct from new.ready_at)
        and (old.actual_minutes is null or old.actual_minutes is not distinct from new.actual_minutes)
        and old.telehealth = new.telehealth
    then
        return null;
    end if;
    select jsonb_object_agg(c.key, c.value) into old_values from jsonb_each(to_jsonb(old)) as c
    where c.key = any(tg_argv);
    select jsonb_object_agg(c.key, c.value) into new_values from jsonb_each(to_jsonb(new)) as c
    where c.key = any(tg_argv);
    if not is_known then
        insert into public.record_versions (tenant_id, id, record_kind, record_id, record_values)
        values (new.tenant_id, uuidv7(), tg_table_name, new.id, old_values);
    end if;
    insert into public.record_versions (tenant_id, id, record_kind, record_id, known_at, record_values)
    values (new.tenant_id, uuidv7(), tg_table_name, new.id, instant, new_values);
    return null;
end
$$;

revoke execute on function keep_version_since_correction from public;

create trigger keep_version after update of status, status_at, arrived_at, ready_at, actual_minutes, telehealth
on appointments
for each row when (
    (old.status, old.status_at, old.arrived_at, old.ready_at, old.actual_minutes, old.telehealth)
    is distinct from (new.status, new.status_at, new.arrived_at, new.ready_at, new.actual_minutes, new.telehealth)
)
execute function keep_version_since_correction(
    'status', 'status_at', 'arrived_at', 'ready_at', 'actual_minutes', 'telehealth'
);

-- Few reviews change their day, so only those have versions.
create trigger keep_version after update of reviewed_on on treatment_plan_reviews
for each row when (old.reviewed_on is distinct from new.reviewed_on)
execute function keep_version('reviewed_on');

drop trigger keep_version on clients;
create trigger keep_version after insert or update on clients
for each row execute function keep_version(
    'self_pay', 'emancipated', 'has_complete_demographics', 'high_risk_since', 'high_risk_until',
    'portal_activated_at', 'birth_date', 'admitted_on', 'ended_on'
);

-- Of a redacted client only a date that tells the year of birth stays, in earlier versions too.
drop trigger only_grows on record_versions;
create trigger only_grows before delete or truncate or update of tenant_id, id, record_kind, record_id, known_at
on record_versions for each statement execute function refuse_change();

create trigger only_redacted before update of record_values on record_versions
for each row when (
    old.record_kind <> 'clients'
    or not old.record_values ? 'birth_date'
    or (new.record_values - 'birth_date') is distinct from (old.record_values - 'birth_date')
)
execute function refuse_change();

create function forget_birth_date(tenant uuid, client uuid, instead date) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
update public.record_versions as v
set record_values = jsonb_set(v.record_values, '{birth_date}', to_jsonb(instead))
from public.clients as c
where v.tenant_id = tenant and v.record_kind = 'clients' and v.record_id = client
    and c.tenant_id = tenant and c.id = client
    and exists (
        select from public.deletion_requests as d
        where d.tenant_id = tenant and d.client_id = client and d.status = 'REDACTED'
    )
    and v.record_values ->> 'birth_date' <> cast(c.birth_date as text)
$$;

revoke execute on function forget_birth_date from public;
grant execute on function forget_birth_date to caseload_app;
