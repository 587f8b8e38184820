-- The moment of a transaction's work is set with its practice. Without one, as in an import, what it writes has been
-- known from the beginning.
-- squawk-ignore ban-drop-function
drop function enter_practice;

create function enter_practice(practice uuid, at_instant timestamptz default null) returns void
language sql as $$
select
    set_config('app.tenant_id', practice::text, true),
    set_config('app.now', coalesce(at_instant::text, ''), true)
$$;

revoke execute on function enter_practice from public;
grant execute on function enter_practice to caseload_app;

-- Keeps what a record said before: a row for each change of the columns that are named when the trigger is created. A
-- record whose creation left no version gets one of what it said until now.
create function keep_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    instant constant timestamptz := nullif(current_setting('app.now', true), '')::timestamptz;
    new_values constant jsonb := (
        select jsonb_object_agg(c.key, c.value) from jsonb_each(to_jsonb(new)) as c where c.key = any(tg_argv)
    );
    old_values jsonb;
begin
    if tg_op = 'UPDATE' then
        old_values := (
            select jsonb_object_agg(c.key, c.value) from jsonb_each(to_jsonb(old)) as c where c.key = any(tg_argv)
        );
        if new_values = old_values then
            return null;
        end if;
        insert into public.record_versions (tenant_id, id, record_kind, record_id, record_values)
        select new.tenant_id, uuidv7(), tg_table_name, new.id, old_values
        where not exists (
            select from public.record_versions as v
            where v.tenant_id = new.tenant_id and v.record_kind = tg_table_name and v.record_id = new.id
        );
    end if;
    insert into public.record_versions (tenant_id, id, record_kind, record_id, known_at, record_values)
    values (new.tenant_id, uuidv7(), tg_table_name, new.id, instant, new_values);
    return null;
end
$$;

revoke execute on function keep_version from public;

create trigger only_grows before update or delete or truncate on record_versions
for each statement execute function refuse_change();

-- Few notes change their session, so only those have versions.
create trigger keep_version after update of appointment_id on notes
for each row when (old.appointment_id is distinct from new.appointment_id)
execute function keep_version('appointment_id');
