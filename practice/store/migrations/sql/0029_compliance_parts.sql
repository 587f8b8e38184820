-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=LT09
-- Parts of the marts of compliance checks, which nobody reads directly.
-- The days that the checks are about, from the first of the calendar until today, and the zones of the practice.
create view marts.compliance_days with (security_barrier) as
with c as (select min(calendar_on) as first_on from marts.calendar)

select z.zones, z.changed_at, public.day_span(c.first_on, (now() at time zone z.time_zone)::date + 1) as days
from marts.time_zones as z
cross join c;

-- The settings in force from a day until another.
create view marts.compliance_settings with (security_barrier) as
select
    s.from_on,
    lead(s.from_on) over (order by s.from_on) as until_on,
    s.numbers[1] as training_days,
    s.numbers[2] as grace_days,
    s.numbers[3] as note_reminder_days,
    s.numbers[4] as note_alert_days,
    s.numbers[5] as plan_reminder_days,
    s.numbers[6] as plan_review_days,
    s.numbers[7] as safety_plan_days,
    s.numbers[8] as verification_days,
    s.numbers[9] as supervision_note_days,
    s.numbers[10] as hours_lpc,
    s.numbers[11] as hours_apc,
    s.numbers[12] as hours_lmsw
from (
    select f.from_on, array_agg(coalesce(v.value, k.default_value) order by k.place) as numbers
    from (
        select date '-infinity' as from_on
        union
        select effective_on from public.rule_settings
    ) as f
    cross join (
        values
        (1, 'hipaa_training_days', 365), (2, 'hipaa_grace_days', 30), (3, 'note_reminder_days', 5),
        (4, 'note_alert_days', 7), (5, 'plan_reminder_days', 80), (6, 'plan_review_days', 90),
        (7, 'safety_plan_days', 365), (8, 'coverage_verification_days', 365), (9, 'supervision_note_days', 7),
        (10, 'supervision_hours_lpc', 2), (11, 'supervision_hours_apc', 2), (12, 'supervision_hours_lmsw', 4)
    ) as k (place, setting, default_value)
    left join lateral (
        select r.value::integer as value from public.rule_settings as r
        where r.key = k.setting and r.effective_on <= f.from_on
        order by r.effective_on desc, r.set_at desc limit 1
    ) as v on true
    group by f.from_on
) as s;

-- What records said, from the day on which it was known. What an import brought has been known from the beginning.
create view marts.compliance_versions with (security_barrier) as
with practice as materialized (select * from marts.compliance_days)

select
    v.record_kind, v.record_id, v.said, v.from_on,
    lead(v.from_on) over (partition by v.record_kind, v.record_id order by v.known_at nulls first, v.id) as until_on
from (
    select
        r.record_kind, r.record_id, r.record_values as said, r.known_at, r.id,
        coalesce(public.local_day(r.known_at, p.zones, p.changed_at), date '-infinity') as from_on
    from public.record_versions as r
    cross join practice as p
) as v;

-- Completed appointments, also those whose completion was taken back: since when and until when they were.
create view marts.compliance_completions with (security_barrier) as
select
    a.id as appointment_id, a.client_id, a.clinician_id, a.starts_at, a.ends_at,
    a.status_at as since, null::timestamptz as until
from public.appointments as a
where a.status = 'COMPLETED'
union all
select a.id, a.client_id, a.clinician_id, a.starts_at, a.ends_at, c.since, c.at
from public.session_corrections as c
inner join public.appointments as a on c.tenant_id = a.tenant_id and c.appointment_id = a.id
where c.undone = 'COMPLETION';
