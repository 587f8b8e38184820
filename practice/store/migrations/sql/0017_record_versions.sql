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

-- Keeps what a record said before: a row for each change of the columns that are named when the trigger is created.
create function keep_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    record_values constant jsonb := (
        select jsonb_object_agg(c.key, c.value) from jsonb_each(to_jsonb(new)) as c where c.key = any(tg_argv)
    );
begin
    if tg_op = 'INSERT' or record_values <> (
        select jsonb_object_agg(c.key, c.value) from jsonb_each(to_jsonb(old)) as c where c.key = any(tg_argv)
    ) then
        insert into public.record_versions (tenant_id, id, record_kind, record_id, known_at, record_values)
        values (
            new.tenant_id, uuidv7(), tg_table_name, new.id,
            nullif(current_setting('app.now', true), '')::timestamptz, record_values
        );
    end if;
    return null;
end
$$;

revoke execute on function keep_version from public;

create trigger only_grows before update or delete or truncate on record_versions
for each statement execute function refuse_change();
