-- For the way back: as it was when only the reasons of statuses could be cleared.
create or replace function forget_reasons(tenant uuid, client uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
update public.client_statuses set reason = null where tenant_id = tenant and client_id = client and reason is not null
$$;
drop trigger only_emptied on appointment_steps;
drop trigger only_grows on appointment_steps;
create trigger only_grows before update or delete or truncate on appointment_steps
for each statement execute function refuse_change();
