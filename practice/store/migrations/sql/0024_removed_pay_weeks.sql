-- A pay week opened by mistake can be removed. A closed one stays, unless no week of the practice has lines yet.
drop trigger never_removed on pay_periods;
create trigger never_truncated before truncate on pay_periods
for each statement execute function refuse_change();

create function refuse_removal_of_paid_week() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from public.pay_lines as l where l.tenant_id = old.tenant_id) then
        raise exception 'a closed week stays once a week has lines' using errcode = 'restrict_violation';
    end if;
    return old;
end
$$;
create trigger paid_stays before delete on pay_periods
for each row when (old.closed_at is not null) execute function refuse_removal_of_paid_week();
revoke execute on function refuse_removal_of_paid_week from public;
grant delete on pay_periods to caseload_app;
