-- New and empty tables: nothing is blocked, and the migration runs in one transaction.
-- squawk-ignore-file prefer-robust-stmts, require-concurrent-index-creation, prefer-bigint-over-int
-- The published values of the warehouse. A refresh replaces a practice's values in one transaction, so that readers see
-- one refresh, whole. Readers find by `is_current` which one it is.
create schema analytics;

create table analytics.refreshes (
    tenant_id uuid not null,
    id uuid not null,
    as_of timestamptz not null,
    engine text not null,
    started_at timestamptz not null,
    published_at timestamptz not null,
    is_current boolean not null,
    row_count bigint not null,
    metric_keys text[] not null,
    numerator_scales bigint[] not null,
    denominator_scales bigint[] not null,
    divided_by_days boolean[] not null,
    constraint pk_refreshes primary key (tenant_id, id),
    constraint fk_refreshes_tenant_id foreign key (tenant_id) references practices (id),
    constraint ck_refreshes_engine check (engine in ('duckdb', 'postgres'))
);

create unique index uq_refreshes_current on analytics.refreshes (tenant_id) where is_current;

-- A row for each entity and period, with an element for each metric in the order of `refreshes.metric_keys`: so a new
-- metric needs no new column. Statuses are one letter each.
create table analytics.metric_cells (
    tenant_id uuid not null,
    entity_kind text not null,
    entity_id uuid not null,
    period_kind text not null,
    period_start date not null,
    period_end date not null,
    receivable_days integer not null,
    numerators bigint[] not null,
    denominators bigint[] not null,
    value_hundredths bigint[] not null,
    statuses text not null,
    constraint pk_metric_cells primary key (tenant_id, entity_kind, entity_id, period_kind, period_start),
    constraint fk_metric_cells_tenant_id foreign key (tenant_id) references practices (id),
    constraint ck_metric_cells_entity_kind check (entity_kind in ('practice', 'clinician', 'team')),
    constraint ck_metric_cells_period_kind check (period_kind in ('day', 'week', 'month', 'quarter'))
);

create index ix_metric_cells_tenant_id_period on analytics.metric_cells (
    tenant_id, period_kind, period_start, entity_kind
);

create view analytics.metric_values with (security_invoker = true) as
select
    c.tenant_id,
    m.metric_key,
    c.entity_kind,
    c.entity_id,
    c.period_kind,
    c.period_start,
    c.period_end,
    m.numerator / m.numerator_scale::numeric as numerator,
    m.denominator / (m.denominator_scale * case when m.by_days then c.receivable_days else 1 end)::numeric
        as denominator,
    m.value_hundredths / 100::numeric as value,
    case substr(c.statuses, m.place::integer, 1)
        when 'o' then 'on_target'
        when 'b' then 'below_target'
        when 'a' then 'alert'
        when 'i' then 'info'
        else 'no_data'
    end as status
from analytics.metric_cells as c
inner join analytics.refreshes as r on c.tenant_id = r.tenant_id and r.is_current
cross join
    lateral unnest(
        r.metric_keys, r.numerator_scales, r.denominator_scales, r.divided_by_days,
        c.numerators, c.denominators, c.value_hundredths
    ) with ordinality
        as m (
            metric_key, numerator_scale, denominator_scale, by_days, numerator, denominator, value_hundredths, place
        )
where substr(c.statuses, m.place::integer, 1) <> '-';

grant usage on schema analytics to caseload_app;
grant select on analytics.metric_values to caseload_app;
