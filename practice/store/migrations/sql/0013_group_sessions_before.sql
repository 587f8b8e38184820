-- The rule before groups could stand without a seat.
create or replace function occupy_for_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    g public.group_sessions;
    seats integer;
begin
    if tg_op = 'UPDATE' then
        perform public.release(old.tenant_id, old.id);
        perform from public.group_sessions
        where tenant_id = old.tenant_id and id = old.group_session_id for no key update;
        if found and not exists (
            select from public.appointments as a
            where a.tenant_id = old.tenant_id and a.group_session_id = old.group_session_id
                and a.guarded and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
        ) then
            perform public.release(old.tenant_id, old.group_session_id);
        end if;
    end if;
    if not new.guarded or new.status in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW') then
        return null;
    end if;
    if new.group_session_id is null then
        perform public.occupy(
            new.tenant_id, 'appointment', new.id, array['clinician', 'room', 'client'],
            array[new.clinician_id, new.room_id, new.client_id], new.starts_at, new.ends_at
        );
        return null;
    end if;
    select * into g from public.group_sessions
    where tenant_id = new.tenant_id and id = new.group_session_id for no key update;
    if new.clinician_id <> g.clinician_id or new.room_id is distinct from g.room_id
        or new.starts_at <> g.starts_at or new.ends_at <> g.ends_at then
        raise exception 'A seat has the clinician, the room and the time of its group.'
        using errcode = 'check_violation', constraint = 'seat_of_its_group';
    end if;
    select count(*) into seats from public.appointments as a
    where a.tenant_id = new.tenant_id and a.group_session_id = new.group_session_id
        and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW');
    if seats > g.capacity then
        raise exception 'The group has no seat left.' using errcode = 'exclusion_violation', constraint = 'group_full';
    end if;
    if not exists (
        select from public.occupancies as o
        where o.tenant_id = g.tenant_id and o.holder_id = g.id
            and o.resource_id = g.clinician_id and o.starts_at = g.starts_at and o.ends_at = g.ends_at
    ) then
        perform public.occupy(
            new.tenant_id, 'group', g.id, array['clinician', 'room'], array[g.clinician_id, g.room_id],
            g.starts_at, g.ends_at
        );
    end if;
    perform public.occupy(
        new.tenant_id, 'appointment', new.id, array['client'], array[new.client_id], new.starts_at, new.ends_at
    );
    return null;
end
$$;

drop trigger occupy_when_opened on group_sessions;
drop trigger occupy_when_changed on group_sessions;
-- squawk-ignore ban-drop-function
drop function occupy_for_group;
-- of every practice, which the policies keep even the owner from
-- squawk-ignore prefer-robust-stmts
alter table occupancies no force row level security;
-- squawk-ignore prefer-robust-stmts
alter table appointments no force row level security;
delete from occupancies as o
where o.holder = 'group' and not exists (
    select from appointments as a
    where
        a.tenant_id = o.tenant_id and a.group_session_id = o.holder_id
        and a.guarded and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
);
-- squawk-ignore prefer-robust-stmts
alter table appointments force row level security;
-- squawk-ignore prefer-robust-stmts
alter table occupancies force row level security;
