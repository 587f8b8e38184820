-- The records that changed since the last refresh of the warehouse. Triggers write a row in the transaction of the
-- change, and a refresh deletes those that it has read in the transaction that publishes. So neither a rollback nor a
-- crash loses one. Nothing looks for a row that is there already: a refresh could have read the record before this
-- change, and delete that row.
-- squawk-ignore-file prefer-robust-stmts
create table analytics.changes (
    tenant_id uuid not null,
    id uuid not null default uuidv7(),
    table_name text not null,
    record_id uuid,
    constraint pk_changes primary key (tenant_id, id)
);

comment on column analytics.changes.record_id is 'null for every record of the table';

-- Queues the rows of a statement. Of more than 20,000 rows it queues the whole table, which is cheaper to copy then.
create function analytics.queue_changes() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct r.tenant_id, tg_table_name, case when (select count(*) from new_rows) <= 20000 then r.id end
        from new_rows as r;
    elsif tg_op = 'UPDATE' then
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct r.tenant_id, tg_table_name, case when (select count(*) from new_rows) <= 20000 then r.id end
        from (select * from new_rows union all select * from old_rows) as r;
    elsif tg_op = 'DELETE' then
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct r.tenant_id, tg_table_name, case when (select count(*) from old_rows) <= 20000 then r.id end
        from old_rows as r;
    else
        insert into analytics.changes (tenant_id, table_name)
        select p.id, tg_table_name from public.practices as p;
    end if;
    return null;
end
$$;

-- The same for claim_charges, whose rows are copied claim by claim.
create function analytics.queue_claims() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct
            r.tenant_id, tg_table_name, case when (select count(*) from new_rows) <= 20000 then r.claim_id end
        from new_rows as r;
    elsif tg_op = 'UPDATE' then
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct
            r.tenant_id, tg_table_name, case when (select count(*) from new_rows) <= 20000 then r.claim_id end
        from (select * from new_rows union all select * from old_rows) as r;
    else
        insert into analytics.changes (tenant_id, table_name, record_id)
        select distinct
            r.tenant_id, tg_table_name, case when (select count(*) from old_rows) <= 20000 then r.claim_id end
        from old_rows as r;
    end if;
    return null;
end
$$;

revoke execute on function analytics.queue_changes, analytics.queue_claims from public;
