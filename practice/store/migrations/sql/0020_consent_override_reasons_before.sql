drop trigger only_emptied on appointment_steps;
create trigger only_emptied before update of note on appointment_steps
for each row when (new.note is not null) execute function refuse_change();

create or replace function forget_reasons(tenant uuid, client uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
update public.client_statuses set reason = null where tenant_id = tenant and client_id = client and reason is not null;
update public.appointment_steps as s set note = null
from public.appointments as a
where s.tenant_id = tenant and s.note is not null and a.tenant_id = tenant and a.id = s.appointment_id
    and a.client_id = client;
update public.session_corrections as u set reason = null, void_reason = null
from public.appointments as a
where u.tenant_id = tenant and num_nonnulls(u.reason, u.void_reason) > 0 and a.tenant_id = tenant
    and a.id = u.appointment_id and a.client_id = client;
$$;
