create trigger only_grows before update or delete or truncate on note_versions
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on note_signatures
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on note_templates
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on session_locks
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on progress_report_versions
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on pay_lines
for each statement execute function refuse_change();

-- A closed week stays as it was paid: it is not changed, not removed, and no line is added to it.
create trigger closed_stays before update on pay_periods
for each row when (old.closed_at is not null) execute function refuse_change();
create trigger never_removed before delete or truncate on pay_periods
for each statement execute function refuse_change();

create function refuse_closed_week() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from added
        join public.pay_periods as p on p.tenant_id = added.tenant_id and p.id = added.period_id
        where p.closed_at is not null
    ) then
        raise exception 'this week is closed' using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
create trigger into_open_weeks after insert on pay_lines
referencing new table as added
for each statement execute function refuse_closed_week();
revoke execute on function refuse_closed_week from public;
