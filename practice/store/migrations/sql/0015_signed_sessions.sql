-- The first signature of an appointment's session note stands on the appointment too, so that the few sessions without
-- one are found by an index and not by comparing the whole history with its notes.
-- squawk-ignore prefer-robust-stmts
alter table appointments add column note_signed_at timestamptz;

create function first_signature(practice uuid, session uuid) returns timestamptz
language sql stable set search_path = pg_catalog, public, pg_temp as $$
select min(n.signed_at) from public.notes as n
where n.tenant_id = practice and n.appointment_id = session and n.entered_in_error_at is null
    and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
$$;

create function show_signature() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    update public.appointments as a set note_signed_at = s.signed_at
    from (
        select i.id, public.first_signature(new.tenant_id, i.id) as signed_at
        from (select old.appointment_id as id union select new.appointment_id) as i
        where i.id is not null
    ) as s
    where a.tenant_id = new.tenant_id and a.id = s.id and a.note_signed_at is distinct from s.signed_at;
    return null;
end
$$;

-- An import has written the signatures with its appointments, and says so.
create function show_new_signatures() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if current_setting('app.signatures_written', true) = 'on' then
        return null;
    end if;
    update public.appointments as a set note_signed_at = s.signed_at
    from (
        select n.tenant_id, n.appointment_id, min(n.signed_at) as signed_at from added as n
        where n.signed_at is not null and n.appointment_id is not null and n.entered_in_error_at is null
            and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
        group by n.tenant_id, n.appointment_id
    ) as s
    where a.tenant_id = s.tenant_id and a.id = s.appointment_id
        and (a.note_signed_at is null or a.note_signed_at > s.signed_at);
    return null;
end
$$;

create trigger show_when_changed after update on notes
for each row when (
    (old.signed_at, old.appointment_id, old.type, old.entered_in_error_at)
    is distinct from (new.signed_at, new.appointment_id, new.type, new.entered_in_error_at)
) execute function show_signature();

create trigger show_when_written after insert on notes
referencing new table as added
for each statement execute function show_new_signatures();

revoke execute on function first_signature, show_signature, show_new_signatures from public;
grant execute on function first_signature to caseload_app;

do $$
declare
    practice uuid;
begin
    for practice in select id from public.practices loop
        perform set_config('app.tenant_id', practice::text, true);
        update public.appointments as a set note_signed_at = s.signed_at
        from (
            select n.appointment_id, min(n.signed_at) as signed_at from public.notes as n
            where n.signed_at is not null and n.appointment_id is not null and n.entered_in_error_at is null
                and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
            group by n.appointment_id
        ) as s
        where a.id = s.appointment_id;
    end loop;
    perform set_config('app.tenant_id', '', true);
end
$$;
