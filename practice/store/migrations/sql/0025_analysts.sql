-- A new and empty table: nothing is blocked, and the migration runs in one transaction.
-- squawk-ignore-file prefer-robust-stmts
-- Which practice an analyst's login belongs to. The service only reads it: creating a login needs the owner anyway.
create table analyst_logins (
    login text not null,
    tenant_id uuid not null,
    name text not null,
    created_at timestamptz not null,
    constraint pk_analyst_logins primary key (login),
    constraint fk_analyst_logins_tenant_id foreign key (tenant_id) references practices (id),
    constraint uq_analyst_logins_tenant_id_name unique (tenant_id, name)
);

-- The practice whose marts this session reads. Analysts can write any SQL, so theirs comes from the login itself: a
-- setting they could change. The service reads the marts in the practice of its transaction, like all else.
-- The planner knows the cost, so that the practice is a condition of an index, evaluated once and not for each row.
create function analyst_practice() returns uuid
language sql stable parallel safe security definer cost 500 set search_path = pg_catalog, public, pg_temp as $$
select coalesce(
    (
        select l.tenant_id
        from public.analyst_logins as l
        inner join public.practices as p on l.tenant_id = p.id
        where l.login = session_user and p.status = 'ACTIVE'
    ),
    case
        when pg_has_role(session_user, 'caseload_app', 'member')
            then nullif(current_setting('app.tenant_id', true), '')::uuid
    end
)
$$;

revoke execute on function analyst_practice from public;
grant execute on function analyst_practice to caseload_app, caseload_analyst;
