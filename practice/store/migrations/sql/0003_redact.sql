-- Why a client's status changed is somebody's words about them. Of who asks to be forgotten they are taken out; the
-- status and its date stay, and nothing else of these rows ever changes.
drop trigger only_grows on client_statuses;
create trigger only_grows before delete or truncate or update of
tenant_id, id, client_id, status, effective_on, set_at, set_by on client_statuses
for each statement execute function refuse_change();
create trigger only_emptied before update of reason on client_statuses
for each row when (new.reason is not null) execute function refuse_change();

-- The service is let do this alone, instead of being let change the rows.
create function forget_reasons(tenant uuid, client uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
update public.client_statuses set reason = null where tenant_id = tenant and client_id = client and reason is not null
$$;

revoke execute on function forget_reasons from public;
grant execute on function forget_reasons to caseload_app;
