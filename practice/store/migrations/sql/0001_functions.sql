-- The tenant of a transaction is set here and nowhere else. It ends with the transaction.
create function enter_practice(practice uuid) returns void
language sql as $$ select set_config('app.tenant_id', practice::text, true) $$;

-- Counts a request under a key in the running minute; true while the limit is kept.
create function count_request(counted text, at_instant timestamptz, allowed integer) returns boolean
language sql as $$
insert into rate_counters as c (key, minute, requests)
values (counted, date_trunc('minute', at_instant), 1)
on conflict (key) do update
    set requests = case when c.minute = excluded.minute then c.requests + 1 else 1 end, minute = excluded.minute
returning requests <= allowed
$$;

-- What a practice set a rule's parameter to, as in force on a date; null where it never did.
create function rule_value(practice uuid, wanted text, on_date date) returns text
language sql stable as $$
select r.value #>> '{}'
from rule_settings as r
where r.tenant_id = practice and r.key = wanted and r.effective_on <= on_date
order by r.effective_on desc, r.set_at desc
limit 1
$$;

-- Why a session is over: 'ended', 'idle', 'absolute'; null while it lives.
create function session_over(s account_sessions, at_instant timestamptz) returns text
language sql immutable as $$
select case
    when s.ended_at is not null then 'ended'
    when at_instant >= s.last_seen_at + make_interval(secs => s.idle_seconds) then 'idle'
    when at_instant >= s.started_at + make_interval(secs => s.absolute_seconds) then 'absolute'
end
$$;

-- Everything that a request needs to know about who makes it, in one round trip and a transaction of its own: is the
-- session alive, may this account act in this practice, as what, is its HIPAA training current, is the rate kept.
create function admit(
    session_id uuid, at_instant timestamptz, active boolean, user_limit integer, practice_limit integer,
    hipaa_days integer, hipaa_grace_days integer,
    out verdict text, out account_id uuid, out tenant_id uuid, out staff_id uuid, out roles text[],
    out platform_admin boolean, out training_lapsed boolean
)
language plpgsql as $$
declare
    s account_sessions;
    a accounts;
    p practices;
    m staff;
    today date;
begin
    select * into s from account_sessions where id = admit.session_id;
    if not found then
        verdict := 'ended';
        return;
    end if;
    verdict := session_over(s, at_instant);
    if verdict is not null then
        if verdict <> 'ended' then
            update account_sessions set ended_at = at_instant, end_reason = verdict
            where id = s.id and ended_at is null;
        end if;
        return;
    end if;
    select * into a from accounts where id = s.account_id;
    account_id := a.id;
    platform_admin := a.platform_admin and s.tenant_id is null;
    training_lapsed := false;
    roles := '{}';
    if a.disabled_at is not null then
        verdict := 'ended';
        return;
    end if;
    if s.tenant_id is not null then
        tenant_id := s.tenant_id;
        perform enter_practice(s.tenant_id);
        select * into p from practices where id = s.tenant_id;
        if p.status <> 'ACTIVE' then
            verdict := 'suspended';
            return;
        end if;
        perform from memberships as b
        where b.account_id = s.account_id and b.tenant_id = s.tenant_id
            and b.accepted_at is not null and b.ended_at is null;
        if not found then
            verdict := 'ended';
            return;
        end if;
        select * into m from staff as f
        where f.tenant_id = s.tenant_id and f.account_id = s.account_id and f.deactivated_at is null;
        if not found then
            verdict := 'ended';
            return;
        end if;
        staff_id := m.id;
        roles := m.roles;
        today := (at_instant at time zone p.time_zone)::date;
        select coalesce(
            (
                select t.completed_on + coalesce(rule_value(s.tenant_id, 'hipaa_training_days', today)::integer, hipaa_days)
                from trainings as t
                where t.tenant_id = s.tenant_id and t.staff_id = m.id and t.kind = 'HIPAA'
                order by t.completed_on desc limit 1
            ),
            (greatest(a.created_at, m.created_at) at time zone p.time_zone)::date
                + coalesce(rule_value(s.tenant_id, 'hipaa_grace_days', today)::integer, hipaa_grace_days)
        ) < today into training_lapsed;
    end if;
    if not count_request('account:' || s.account_id, at_instant, user_limit)
        or s.tenant_id is not null and not count_request('practice:' || s.tenant_id, at_instant, practice_limit) then
        verdict := 'limited';
        return;
    end if;
    if active then
        update account_sessions set last_seen_at = greatest(last_seen_at, at_instant) where id = s.id;
    end if;
    verdict := 'welcome';
end
$$;

-- The audit log numbers and chains itself, whoever writes it. The writer cannot touch the head: the function runs as
-- the owner, for whom row-level security holds as for everybody.
create function chain_audit_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    loop
        update public.audit_heads as h
        set
            seq = h.seq + 1,
            hash = sha256(h.hash || convert_to(jsonb_build_array(
                new.tenant_id, h.seq + 1, extract(epoch from new.at), new.account_id, new.session_id, new.request_id,
                new.action, new.subject_kind, new.subject_id, new.details
            )::text, 'UTF8'))
        where h.tenant_id = new.tenant_id
        returning h.seq, h.hash into new.seq, new.hash;
        exit when found;
        insert into public.audit_heads (tenant_id, seq, hash) values (new.tenant_id, 0, ''::bytea)
        on conflict (tenant_id) do nothing;
    end loop;
    return new;
end
$$;

create trigger chain_audit_entry before insert on audit_log
for each row execute function chain_audit_entry();

create function refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'The rows of % are never changed or removed.', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;

create trigger only_grows before update or delete or truncate on audit_log
for each statement execute function refuse_change();

create trigger only_grows before update or delete or truncate on rule_settings
for each statement execute function refuse_change();

-- PostgreSQL lets everybody call a new function. The service calls these; triggers are called by the database alone:
-- whoever could call theirs could put the one that runs as the owner on a temporary table of their own.
revoke execute on function enter_practice, count_request, rule_value, session_over, admit from public;
revoke execute on function chain_audit_entry, refuse_change from public;
grant execute on function enter_practice, count_request, rule_value, session_over, admit to caseload_app;
