-- Why a client's status changed is somebody's words about them. Of who asks to be forgotten they are taken out; the status
-- and its date stay, and nothing else of these rows ever changes.
drop trigger only_grows on client_statuses;
create trigger only_grows before delete or truncate or update of
tenant_id, id, client_id, status, effective_on, set_at, set_by on client_statuses
for each statement execute function refuse_change();
create trigger only_emptied before update of reason on client_statuses
for each row when (new.reason is not null) execute function refuse_change();
grant update (reason) on client_statuses to caseload_app;
