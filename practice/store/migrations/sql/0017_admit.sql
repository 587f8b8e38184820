-- As before; a voided training does not count.
-- squawk-ignore ban-drop-function
drop function admit;

create function admit(
    session_id uuid, at_instant timestamptz, active boolean, user_limit integer, practice_limit integer,
    hipaa_days integer, hipaa_grace_days integer,
    out verdict text, out account_id uuid, out tenant_id uuid, out staff_id uuid, out roles text[],
    out platform_admin boolean, out training_lapsed boolean, out client_id uuid
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
        perform enter_practice(s.tenant_id, at_instant);
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
            select c.id into client_id from clients as c
            where c.tenant_id = s.tenant_id and c.account_id = s.account_id;
            if not found then
                verdict := 'ended';
                return;
            end if;
            roles := '{client}';
        else
            today := (at_instant at time zone p.time_zone)::date;
            if m.left_on < today then
                verdict := 'ended';
                return;
            end if;
            staff_id := m.id;
            roles := m.roles;
            select coalesce(
                (
                    select t.completed_on + coalesce(rule_value(s.tenant_id, 'hipaa_training_days', today)::integer, hipaa_days)
                    from trainings as t
                    where t.tenant_id = s.tenant_id and t.staff_id = m.id and t.kind = 'HIPAA' and t.voided_at is null
                    order by t.completed_on desc limit 1
                ),
                (greatest(a.created_at, m.created_at) at time zone p.time_zone)::date
                    + coalesce(rule_value(s.tenant_id, 'hipaa_grace_days', today)::integer, hipaa_grace_days)
            ) < today into training_lapsed;
        end if;
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

revoke execute on function admit from public;
grant execute on function admit to caseload_app;
