-- For the way back: as it was before there were corrections.
create or replace function forget_reasons(tenant uuid, client uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
update public.client_statuses set reason = null where tenant_id = tenant and client_id = client and reason is not null;
update public.appointment_steps as s set note = null
from public.appointments as a
where s.tenant_id = tenant and s.note is not null and a.tenant_id = tenant and a.id = s.appointment_id
    and a.client_id = client;
$$;
