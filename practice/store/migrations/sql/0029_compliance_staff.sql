-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=ST05,LT09,AL03
-- The checks of staff, as sets of days like those of clients.
create view marts.compliance_of_staff with (security_barrier) as
with practice as materialized (select * from marts.compliance_days),

settings as materialized (select * from marts.compliance_settings),

staff_versions as (
    select
        v.record_id as staff_id, s.created_at, v.from_on, d.hired_on, d.left_on,
        v.said -> 'roles' ? 'clinician' as is_clinician,
        v.said ->> 'license_type' as license_type,
        public.day_span(v.from_on, v.until_on) * public.day_span(d.hired_on, d.left_on) as days
    from marts.compliance_versions as v
    inner join public.staff as s on v.record_id = s.id
    cross join
        lateral (
            select (v.said ->> 'hired_on')::date as hired_on, (v.said ->> 'left_on')::date as left_on
        ) as d
    where v.record_kind = 'staff'
),

trainings as (
    select
        (v.said ->> 'staff_id')::uuid as staff_id,
        (v.said ->> 'completed_on')::date as completed_on,
        greatest(v.from_on, (v.said ->> 'completed_on')::date) as from_on,
        v.until_on
    from marts.compliance_versions as v
    where v.record_kind = 'trainings' and v.said ->> 'kind' = 'HIPAA' and v.said ->> 'voided_at' is null
),

-- where nobody is trained yet, from the day on which the account was created; imported staff from their first day
first_trainings as (
    select
        s.staff_id,
        coalesce(
            min(s.hired_on) filter (where s.from_on = date '-infinity'),
            public.local_day(min(s.created_at), p.zones, p.changed_at)
        ) as grace_on,
        min(t.from_on) as trained_on
    from staff_versions as s
    cross join practice as p
    left join trainings as t on s.staff_id = t.staff_id
    group by s.staff_id, p.zones, p.changed_at
),

signed as (
    select
        s.appointment_id,
        range_agg(
            public.day_span(
                greatest(public.local_day(s.signed_at, p.zones, p.changed_at), s.from_on),
                least(public.local_day(s.entered_in_error_at, p.zones, p.changed_at), s.until_on)
            )
        ) as days
    from (
        select
            n.signed_at, n.entered_in_error_at, v.from_on, v.until_on,
            -- few notes change their session; only those have versions
            case when v.record_id is null then n.appointment_id else (v.said ->> 'appointment_id')::uuid end
                as appointment_id
        from public.notes as n
        left join marts.compliance_versions as v on n.id = v.record_id and v.record_kind = 'notes'
        where n.signed_at is not null and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
    ) as s
    cross join practice as p
    group by s.appointment_id
),

unsigned as (
    select c.clinician_id, c.starts_at, c.ends_at, lower(u.span) as from_on, upper(u.span) as until_on
    from marts.compliance_completions as c
    cross join practice as p
    left join signed as n on c.appointment_id = n.appointment_id
    cross join
        lateral unnest(
            public.day_span(
                public.local_day(c.since, p.zones, p.changed_at), public.local_day(c.until, p.zones, p.changed_at)
            ) - coalesce(n.days, '{}')
        ) as u (span)
),

-- materialized, so that each date is computed once
unsigned_days as materialized (
    select
        u.clinician_id,
        public.local_day(u.starts_at, p.zones, p.changed_at) as starts_on,
        public.local_day(u.ends_at + make_interval(hours => 24 * s.note_reminder_days), p.zones, p.changed_at)
            as reminder_on,
        public.local_day(u.ends_at + make_interval(hours => 24 * s.note_alert_days), p.zones, p.changed_at) as alert_on,
        greatest(u.from_on, s.from_on) as from_on,
        least(u.until_on, s.until_on) as until_on
    from unsigned as u
    cross join practice as p
    cross join settings as s
),

supervision as (
    select
        (v.said ->> 'supervisee_id')::uuid as staff_id,
        (v.said ->> 'hours')::numeric as hours,
        h.held_on,
        date_trunc('month', h.held_on)::date as month_on,
        greatest(v.from_on, h.held_on) as from_on,
        v.until_on,
        least(v.until_on, public.local_day((v.said ->> 'note_signed_at')::timestamptz, p.zones, p.changed_at))
            as signed_on,
        h.held_at
    from marts.compliance_versions as v
    cross join practice as p
    cross join lateral (select (v.said ->> 'held_at')::timestamptz as held_at) as i
    cross join lateral (select public.local_day(i.held_at, p.zones, p.changed_at) as held_on, i.held_at) as h
    where v.record_kind = 'supervision_sessions' and v.said ->> 'voided_at' is null
),

clinician_days as (
    select
        s.staff_id, s.license_type, d.on_date, m.month_on, m.next_on,
        (m.month_on - interval '1 month')::date as before_on,
        s.hired_on <= m.month_on and (s.left_on is null or s.left_on >= m.next_on) as is_whole_month,
        case s.license_type
            when 'LPC' then g.hours_lpc when 'APC' then g.hours_apc when 'LMSW' then g.hours_lmsw else 0
        end as required
    from staff_versions as s
    cross join practice as p
    cross join lateral unnest(s.days * p.days) as r (span)
    cross join
        lateral (
            select t.day::date as on_date
            from
                generate_series(
                    lower(r.span)::timestamp, upper(r.span)::timestamp - interval '1 day', interval '1 day'
                ) as t (day)
        ) as d
    cross join
        lateral (
            select
                date_trunc('month', d.on_date)::date as month_on,
                (date_trunc('month', d.on_date) + interval '1 month')::date as next_on
        ) as m
    inner join settings as g
        on d.on_date >= g.from_on and (g.until_on is null or d.on_date < g.until_on)
    where s.is_clinician
),

-- hours of the month of a day and of the month before, as they were on record on that day
held as (
    select
        c.staff_id, c.on_date,
        sum(h.hours) filter (where h.month_on = c.month_on) as hours,
        sum(h.hours) filter (where h.month_on = c.before_on) as hours_before
    from clinician_days as c
    cross join lateral (values (c.month_on), (c.before_on)) as m (month_on)
    inner join supervision as h
        on
            c.staff_id = h.staff_id and m.month_on = h.month_on and c.on_date >= h.from_on
            and (h.until_on is null or c.on_date < h.until_on)
    group by c.staff_id, c.on_date
),

required_hours as (
    select
        c.staff_id, c.on_date,
        case
            when b.is_whole_month and b.required > coalesce(h.hours_before, 0) then 'violation'
            when c.license_type is null then 'needs_person'
            when not c.is_whole_month or c.required = 0 then null
            when h.hours >= c.required then 'ok'
            when c.on_date = c.next_on - 1 then 'alert'
            when c.on_date >= c.next_on - 7 then 'due'
            else 'ok'
        end as status
    from clinician_days as c
    left join held as h on c.staff_id = h.staff_id and c.on_date = h.on_date
    left join clinician_days as b on c.staff_id = b.staff_id and c.month_on - 1 = b.on_date
),

staff as (
    select
        s.staff_id,
        range_agg(s.days) as employed_days,
        coalesce(range_agg(s.days) filter (where s.is_clinician), '{}') as clinician_days
    from staff_versions as s
    group by s.staff_id
)

select s.staff_id, k.check_key, k.place, k.status, k.days
from staff as s
left join (
    select staff_id, datemultirange(daterange(min(from_on), null)) as days from supervision group by staff_id
) as v on s.staff_id = v.staff_id
left join (
    select staff_id, range_agg(public.day_span(on_date, on_date + 1)) as days from required_hours
    where status is not null group by staff_id
) as h on s.staff_id = h.staff_id
cross join
    lateral (
        values
        ('hipaa_training', s.employed_days, 'violation'),
        ('session_notes', s.clinician_days, 'ok'),
        ('weekly_deadline', s.clinician_days, 'ok'),
        ('supervision_hours', coalesce(h.days, '{}'), 'ok'),
        ('supervision_notes', s.employed_days * coalesce(v.days, '{}'), 'ok')
    ) as a (check_key, days, otherwise)
cross join
    lateral (
        values
        (a.check_key, 0, 'not_applicable', a.days),
        (a.check_key, 9, a.otherwise, datemultirange(daterange(null, null)))
    ) as k (check_key, place, status, days)
union all
select t.staff_id, 'hipaa_training', k.place, k.status, k.days * public.day_span(s.from_on, s.until_on)
from trainings as t
cross join settings as s
cross join lateral (select t.completed_on + s.training_days as alert_on) as d
cross join
    lateral (
        values
        (2, 'ok', public.day_span(t.from_on, least(t.until_on, d.alert_on - 30))),
        (3, 'due', public.day_span(t.from_on, least(t.until_on, d.alert_on))),
        (4, 'alert', public.day_span(greatest(t.from_on, d.alert_on), least(t.until_on, d.alert_on + 1)))
    ) as k (place, status, days)
union all
select f.staff_id, 'hipaa_training', k.place, k.status, k.days * public.day_span(s.from_on, s.until_on)
from first_trainings as f
cross join settings as s
cross join lateral (select f.grace_on + s.grace_days as alert_on) as d
cross join
    lateral (
        values
        (3, 'due', public.day_span(date '-infinity', least(f.trained_on, d.alert_on))),
        (4, 'alert', public.day_span(d.alert_on, least(f.trained_on, d.alert_on + 1)))
    ) as k (place, status, days)
union all
select u.clinician_id, k.check_key, k.place, k.status, k.days
from unsigned_days as u
cross join lateral (select u.starts_on - extract(dow from u.starts_on)::integer as week_on) as w
cross join
    lateral (
        values
        ('session_notes', 1, 'violation', greatest(u.from_on, u.alert_on + 1), u.until_on),
        ('session_notes', 2, 'alert', greatest(u.from_on, u.alert_on), least(u.until_on, u.alert_on + 1)),
        ('session_notes', 3, 'due', greatest(u.from_on, u.reminder_on), least(u.until_on, u.alert_on)),
        ('weekly_deadline', 1, 'violation', greatest(u.from_on, w.week_on + 8), u.until_on),
        ('weekly_deadline', 2, 'alert', greatest(u.from_on, w.week_on + 7), least(u.until_on, w.week_on + 8)),
        ('weekly_deadline', 3, 'due', greatest(u.from_on, w.week_on + 5), least(u.until_on, w.week_on + 7))
    ) as d (check_key, place, status, from_on, until_on)
cross join lateral (select d.check_key, d.place, d.status, public.day_span(d.from_on, d.until_on) as days) as k
where d.from_on < d.until_on or d.until_on is null
union all
select
    r.staff_id, 'supervision_hours', case r.status when 'violation' then 1 when 'needs_person' then 2 else 3 end,
    r.status, public.day_span(r.on_date, r.on_date + 1)
from required_hours as r
where r.status <> 'ok'
union all
select v.staff_id, 'supervision_notes', k.place, k.status, k.days * public.day_span(s.from_on, s.until_on)
from supervision as v
cross join practice as p
cross join settings as s
cross join
    lateral (
        select
            public.local_day(v.held_at + make_interval(hours => 24 * s.supervision_note_days), p.zones, p.changed_at)
                as alert_on
    ) as d
cross join lateral (
    values
    (1, 'violation', public.day_span(greatest(v.from_on, d.alert_on + 1), v.signed_on)),
    (2, 'alert', public.day_span(greatest(v.from_on, d.alert_on), least(v.signed_on, d.alert_on + 1))),
    (3, 'due', public.day_span(v.from_on, least(v.signed_on, d.alert_on)))
) as k (place, status, days);
