-- squawk-ignore ban-drop-function
drop function enter_practice;

create function enter_practice(practice uuid) returns void
language sql as $$ select set_config('app.tenant_id', practice::text, true) $$;

revoke execute on function enter_practice from public;
grant execute on function enter_practice to caseload_app;
