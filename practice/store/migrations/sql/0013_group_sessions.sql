-- An appointment takes its client, and on its own also clinician and room. A seat takes these with its group. A group
-- that was opened as such (`held`) is taken until it is cancelled or moved, every other one from its first active seat
-- to its last. A group never has more seats than it was booked for, and one that was cancelled or moved has none.
create or replace function occupy_for_appointment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    g public.group_sessions;
    seats integer;
begin
    if tg_op = 'UPDATE' then
        perform public.release(old.tenant_id, old.id);
        perform from public.group_sessions
        where tenant_id = old.tenant_id and id = old.group_session_id and not (held and status = 'SCHEDULED')
        for no key update;
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
    if g.status <> 'SCHEDULED' then
        raise exception 'The group session does not take place.'
        using errcode = 'check_violation', constraint = 'group_cancelled';
    end if;
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

create function occupy_for_group() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        if new.status <> 'SCHEDULED' and exists (
            select from public.appointments as a
            where a.tenant_id = new.tenant_id and a.group_session_id = new.id
                and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
        ) then
            raise exception 'The group session has seats.'
            using errcode = 'check_violation', constraint = 'group_has_seats';
        end if;
        perform public.release(old.tenant_id, old.id);
    end if;
    if new.held and new.status = 'SCHEDULED' then
        perform public.occupy(
            new.tenant_id, 'group', new.id, array['clinician', 'room'], array[new.clinician_id, new.room_id],
            new.starts_at, new.ends_at
        );
    end if;
    return null;
end
$$;

create trigger occupy_when_opened after insert on group_sessions
for each row when (new.held) execute function occupy_for_group();

create trigger occupy_when_changed after update on group_sessions
for each row when (old.status <> new.status) execute function occupy_for_group();

revoke execute on function occupy_for_group from public;
