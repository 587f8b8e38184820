-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=ST05
-- From the quarter of the first record to the end of the running one, or the last appointment after it.
create view marts.calendar with (security_barrier) as
select
    d.calendar_on,
    extract(dow from d.calendar_on)::integer as weekday,
    trim(both from to_char(d.calendar_on, 'Day')) as weekday_name,
    d.calendar_on - extract(dow from d.calendar_on)::integer as week_on,
    date_trunc('month', d.calendar_on)::date as month_on,
    date_trunc('quarter', d.calendar_on)::date as quarter_on,
    extract(year from d.calendar_on)::integer as year
from (
    select
        z.zones,
        z.changed_at,
        (now() at time zone z.time_zone)::date as today,
        (select min(a.starts_at) from public.appointments as a) as first_at,
        (select max(a.starts_at) from public.appointments as a) as last_at,
        (select min(s.hired_on) from public.staff as s) as hired_on,
        (select min(c.service_date) from public.charges as c) as charged_on
    from marts.time_zones as z
) as r
cross join lateral (
    select g.day::date as calendar_on
    from
        generate_series(
            date_trunc(
                'quarter',
                least(
                    (r.first_at at time zone r.zones[1 + width_bucket(r.first_at, r.changed_at)])::date,
                    r.hired_on, r.charged_on, r.today
                )::timestamp
            ),
            greatest(
                date_trunc('quarter', r.today::timestamp) + interval '3 months' - interval '1 day',
                date_trunc('day', r.last_at at time zone r.zones[1 + width_bucket(r.last_at, r.changed_at)])
            ),
            interval '1 day'
        ) as g (day)
) as d;

-- As in analytics.metric_values, which reads as its caller and therefore not from here.
create view marts.metric_values with (security_barrier) as
select
    m.metric_key,
    c.entity_kind,
    case when c.entity_kind <> 'practice' then c.entity_id end as staff_id,
    c.period_kind,
    c.period_start as period_start_on,
    c.period_end as period_end_on,
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
    end as status,
    r.as_of as computed_at
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
