-- No clinician, room or client is taken twice at a time. The constraint stands here; triggers keep the occupancies, so
-- every way of writing an appointment, a block or an offer meets it, and nobody writes an occupancy by hand.
--
-- Practice and resource are one number there: an index over ranges of uuid, which have no distance between them, is
-- read in vain for the most part. Two resources with the same of 2^64 numbers would only ever be refused, never let in.
-- squawk-ignore constraint-missing-not-valid, prefer-robust-stmts
alter table occupancies add constraint never_twice exclude using gist (
    int8range(
        uuid_hash_extended(resource_id, uuid_hash_extended(tenant_id, 0)),
        uuid_hash_extended(resource_id, uuid_hash_extended(tenant_id, 0)), '[]'
    ) with &&,
    tstzrange(starts_at, ends_at) with &&
);

-- Take the resources for the holder, or refuse: the constraint that the error names says which kind is taken.
-- In one order, and without waiting on a conflict that is certain, so that two who take several do not deadlock.
-- The plans are general ones: to plan for each time takes longer than to look.
create function occupy(
    practice uuid, holder_kind text, holding uuid, kinds text[], resources uuid[],
    from_instant timestamptz, to_instant timestamptz
) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    taken text;
begin
    with wanted as (
        select * from unnest(kinds, resources) as w (kind, resource_id) where w.resource_id is not null
    ), kept as (
        insert into public.occupancies (tenant_id, holder_id, kind, holder, resource_id, starts_at, ends_at)
        select practice, holding, wanted.kind, holder_kind, wanted.resource_id, from_instant, to_instant
        from wanted order by wanted.resource_id
        on conflict do nothing
        returning resource_id
    )
    select wanted.kind into taken from wanted
    where wanted.resource_id not in (select kept.resource_id from kept)
    order by wanted.resource_id limit 1;
    if taken is null then
        -- Times of the past that came with an import occupy nothing, and are looked at where they stand; but not the
        -- seats of the very group that is to be taken.
        select wanted.kind into taken
        from public.appointments as a
        join unnest(kinds, resources) as wanted (kind, resource_id)
            on wanted.resource_id = case wanted.kind
                when 'clinician' then a.clinician_id when 'room' then a.room_id when 'client' then a.client_id
            end
        where a.tenant_id = practice and not a.guarded and a.group_session_id is distinct from holding
            and a.starts_at > from_instant - interval '24 hours' and a.starts_at < to_instant
            and a.ends_at > from_instant and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
        limit 1;
    end if;
    if taken is not null then
        raise exception 'The % is taken at this time.', taken
        using errcode = 'exclusion_violation', constraint = 'never_twice_' || taken;
    end if;
end
$$;

create function release(practice uuid, holding uuid) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
delete from public.occupancies where tenant_id = practice and holder_id = holding
$$;

-- An appointment takes its client, and on its own also clinician and room. A seat takes these with its group, which is
-- taken from its first active seat to its last, and never has more seats than it was booked for.
create function occupy_for_appointment() returns trigger
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

-- What came with an import was looked at there, once. Put elsewhere or taken up again, it is looked at like any other.
create function guard_from_now_on() returns trigger
language plpgsql as $$
begin
    new.guarded := true;
    return new;
end
$$;

create trigger guard_when_changed before update on appointments
for each row when (
    not new.guarded and new.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
    and (
        old.status in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
        or old.starts_at <> new.starts_at or old.ends_at <> new.ends_at
        or old.clinician_id <> new.clinician_id or old.client_id <> new.client_id
        or old.room_id is distinct from new.room_id or old.group_session_id is distinct from new.group_session_id
    )
) execute function guard_from_now_on();

create trigger occupy_when_booked after insert on appointments
for each row when (new.guarded) execute function occupy_for_appointment();

create trigger occupy_when_changed after update on appointments
for each row when (
    (old.guarded or new.guarded) and (
        old.status, old.guarded, old.clinician_id, old.client_id, old.room_id, old.group_session_id,
        old.starts_at, old.ends_at
    ) is distinct from (
        new.status, new.guarded, new.clinician_id, new.client_id, new.room_id, new.group_session_id,
        new.starts_at, new.ends_at
    )
) execute function occupy_for_appointment();

create function occupy_for_block() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        perform public.release(old.tenant_id, old.id);
    end if;
    if new.voided_at is null then
        perform public.occupy(
            new.tenant_id, 'block', new.id, array['clinician', 'room'], array[new.clinician_id, new.room_id],
            new.starts_at, new.ends_at
        );
    end if;
    return null;
end
$$;

create trigger occupy_when_written after insert or update on blocks
for each row execute function occupy_for_block();

create function occupy_for_offer() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        perform public.release(old.tenant_id, old.id);
    end if;
    if new.status = 'OPEN' then
        perform public.occupy(
            new.tenant_id, 'offer', new.id, array['clinician', 'room'], array[new.clinician_id, new.room_id],
            new.starts_at, new.ends_at
        );
    end if;
    return null;
end
$$;

create trigger occupy_when_written after insert or update on waitlist_offers
for each row execute function occupy_for_offer();

create trigger only_grows before update or delete or truncate on client_statuses
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on primary_clinicians
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on service_rates
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on pay_rates
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on pay_multipliers
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on appointment_steps
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on agreements
for each statement execute function refuse_change();
create trigger only_grows before update or delete or truncate on sign_ins
for each statement execute function refuse_change();

revoke execute on function search_form from public;
revoke execute on function occupy, release, occupy_for_appointment, occupy_for_block, occupy_for_offer from public;
revoke execute on function guard_from_now_on from public;
grant execute on function search_form to caseload_app, caseload_warehouse;
