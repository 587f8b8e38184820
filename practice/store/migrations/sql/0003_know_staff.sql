-- Statistics of the staff, for an import to take once it has written them: of a table that nobody has looked at every
-- index looks alike to the planner, and it checks millions of references over one that reads everybody. Whoever finds
-- another import at it goes on without.
create function know_staff() returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
analyze (skip_locked) public.staff
$$;

revoke execute on function know_staff from public;
grant execute on function know_staff to caseload_app;
