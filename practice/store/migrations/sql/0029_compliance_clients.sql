-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=ST05,LT09,AL03
-- The checks of clients. A row is a set of days: at place 0 those on which the check applies, then its conditions, and
-- last the status of all other days. Of the conditions that hold on a day, the one with the lowest place decides.
create view marts.compliance_of_clients with (security_barrier) as
with practice as materialized (select * from marts.compliance_days),

settings as materialized (select * from marts.compliance_settings),

-- a status replaces those set before it from its own day on, also ones planned for a later day
statuses as (
    select
        h.client_id, h.status, h.set_by, h.from_on,
        min(h.from_on) over (
            partition by h.client_id order by h.set_at, h.id rows between 1 following and unbounded following
        ) as until_on
    from (
        select
            s.client_id, s.status, s.set_by, s.set_at, s.id,
            case
                when s.set_by is null then s.effective_on
                else greatest(s.effective_on, public.local_day(s.set_at, p.zones, p.changed_at))
            end as from_on
        from public.client_statuses as s
        cross join practice as p
    ) as h
),

activity as (
    select
        c.id as client_id,
        case
            when bool_or(s.set_by is not null)
                then range_agg(public.day_span(s.from_on, s.until_on)) filter (where s.status = 'ACTIVE')
            else range_agg(public.day_span(c.admitted_on, c.ended_on))
        end as days
    from public.clients as c
    left join statuses as s on c.id = s.client_id
    group by c.id
),

client_records as (
    select
        v.record_id as client_id,
        range_agg(public.day_span(v.from_on, least(v.until_on, a.adult_on)))
        filter (where not (v.said ->> 'emancipated')::boolean) as minor_days,
        range_agg(d.days * public.day_span((v.said ->> 'high_risk_since')::date, (v.said ->> 'high_risk_until')::date))
        filter (where v.said ->> 'high_risk_since' is not null) as risk_days,
        range_agg(d.days) filter (where (v.said ->> 'self_pay')::boolean) as self_pay_days,
        range_agg(d.days) filter (where (v.said ->> 'has_complete_demographics')::boolean) as complete_days
    from marts.compliance_versions as v
    inner join public.clients as c on v.record_id = c.id
    cross join lateral (select public.day_span(v.from_on, v.until_on) as days) as d
    -- of the year: from the day itself analysts could read the birth date
    cross join lateral (select make_date(extract(year from c.birth_date)::integer + 18, 1, 1) as adult_on) as a
    where v.record_kind = 'clients'
    group by v.record_id
),

coverage_versions as (
    select
        (v.said ->> 'client_id')::uuid as client_id,
        (v.said ->> 'rank')::integer as coverage_rank,
        v.record_id,
        public.local_day((v.said ->> 'verified_at')::timestamptz, p.zones, p.changed_at) as verified_on,
        public.day_span(v.from_on, v.until_on)
        * public.day_span((v.said ->> 'effective_on')::date, (v.said ->> 'ends_on')::date + 1) as days
    from marts.compliance_versions as v
    cross join practice as p
    where v.record_kind = 'coverages' and v.said ->> 'voided_at' is null
),

-- on a day with several coverages the primary one is that with the lowest rank
primary_coverages as (
    select
        c.client_id, c.verified_on, c.days,
        c.days - coalesce(range_agg(c.days) over (
            partition by c.client_id
            order by c.coverage_rank, c.record_id rows between unbounded preceding and 1 preceding
        ), '{}') as primary_days
    from coverage_versions as c
),

coverages as (
    select
        c.client_id,
        range_agg(c.days) as days,
        range_agg(
            c.primary_days
            * public.day_span(
                greatest(c.verified_on, s.from_on), least(c.verified_on + s.verification_days + 1, s.until_on)
            )
        ) filter (where c.verified_on is not null) as verified_days
    from primary_coverages as c
    cross join settings as s
    group by c.client_id
),

telehealth as (
    select
        a.client_id, a.starts_at, d.starts_on,
        public.day_span(public.local_day(a.created_at, p.zones, p.changed_at), least(d.starts_on + 1, d.ended_on))
            as days
    from public.appointments as a
    cross join practice as p
    cross join
        lateral (
            select
                public.local_day(a.starts_at, p.zones, p.changed_at) as starts_on,
                case
                    when a.status in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
                        then public.local_day(a.status_at, p.zones, p.changed_at)
                end as ended_on
        ) as d
    where a.telehealth
),

-- A plan of another kind than the one before asks for a new informed consent.
treatment_changes as (
    select
        t.client_id, t.starts_on,
        public.day_span(
            greatest(t.starts_on, public.local_day(t.created_at, p.zones, p.changed_at)),
            public.local_day(t.voided_at, p.zones, p.changed_at)
        ) as days
    from public.treatment_plans as t
    cross join practice as p
    cross join
        lateral (
            select b.kind from public.treatment_plans as b
            where
                b.client_id = t.client_id and (b.starts_on, b.created_at, b.id) < (t.starts_on, t.created_at, t.id)
                and b.created_at <= t.created_at and (b.voided_at is null or b.voided_at > t.created_at)
            order by b.starts_on desc, b.created_at desc, b.id desc limit 1
        ) as b
    where lower(t.kind) <> lower(b.kind)
),

declines as (
    select client_id, array_agg(completed_at) as declined_at from public.intake_forms
    where treatment_declined and completed_at is not null
    group by client_id
),

consent_versions as (
    select
        v.record_id,
        s.client_id,
        s.kind,
        s.signed_at,
        s.revoked_at,
        d.signed_on,
        v.from_on as known_on,
        v.until_on as known_until_on,
        greatest(v.from_on, d.signed_on) as from_on,
        least(v.until_on, d.revoked_on, public.local_day(n.declined_at, p.zones, p.changed_at)) as until_on,
        coalesce((v.said ->> 'expires_on')::date, (d.signed_on + interval '1 year')::date) as expires_on
    from marts.compliance_versions as v
    cross join practice as p
    cross join
        lateral (
            select
                (v.said ->> 'client_id')::uuid as client_id, v.said ->> 'kind' as kind,
                (v.said ->> 'signed_at')::timestamptz as signed_at, (v.said ->> 'revoked_at')::timestamptz as revoked_at
        ) as s
    cross join
        lateral (
            select
                public.local_day(s.signed_at, p.zones, p.changed_at) as signed_on,
                public.local_day(s.revoked_at, p.zones, p.changed_at) as revoked_on
        ) as d
    left join declines as i on s.client_id = i.client_id
    cross join
        lateral (
            select min(u.at) as declined_at from unnest(i.declined_at) as u (at) where u.at >= s.signed_at
        ) as n
    where
        v.record_kind = 'consents' and v.said ->> 'voided_at' is null
        and s.kind in ('INFORMED_TREATMENT', 'GUARDIAN', 'TELEHEALTH')
),

consents as (
    select
        c.client_id, c.kind, c.signed_at, c.revoked_at, c.from_on, c.expires_on, c.known_on, c.known_until_on,
        public.day_span(c.from_on, least(c.until_on, c.expires_on)) as days,
        public.day_span(c.from_on, least(c.until_on, c.expires_on - 30)) - coalesce(range_agg(t.days), '{}') as ok_days,
        public.day_span(greatest(c.from_on, c.expires_on), least(c.until_on, c.expires_on + 1)) as alert_days
    from consent_versions as c
    left join treatment_changes as t
        on c.client_id = t.client_id and c.signed_on < t.starts_on and c.kind = 'INFORMED_TREATMENT'
    group by
        c.record_id, c.client_id, c.kind, c.signed_at, c.revoked_at, c.from_on, c.until_on, c.expires_on, c.known_on,
        c.known_until_on
),

reviews as (
    select
        r.client_id, r.reviewed_on,
        greatest(r.reviewed_on, public.local_day(r.created_at, p.zones, p.changed_at)) as from_on,
        public.local_day(r.voided_at, p.zones, p.changed_at) as until_on
    from public.treatment_plan_reviews as r
    cross join practice as p
),

clients as (
    select
        a.client_id,
        coalesce(a.days, '{}') as active_days,
        coalesce(r.minor_days, '{}') as minor_days,
        coalesce(r.risk_days, '{}') as risk_days,
        coalesce(r.self_pay_days, '{}') as self_pay_days,
        coalesce(r.complete_days, '{}') as complete_days,
        coalesce(v.days, '{}') as covered_days,
        coalesce(v.verified_days, '{}') as verified_days,
        coalesce(t.days, '{}') as telehealth_days
    from activity as a
    left join client_records as r on a.client_id = r.client_id
    left join coverages as v on a.client_id = v.client_id
    left join (select client_id, range_agg(days) as days from telehealth group by client_id) as t
        on a.client_id = t.client_id
)

select c.client_id, k.check_key, k.place, k.status, k.days
from clients as c
cross join
    lateral (
        values
        ('informed_consent', c.active_days, 'violation'),
        ('guardian_consent', c.active_days * c.minor_days, 'violation'),
        ('telehealth_consent', c.active_days * c.telehealth_days, 'due'),
        ('treatment_plan', c.active_days, 'violation'),
        ('safety_plan', c.active_days * c.risk_days, 'violation'),
        ('demographics', c.active_days, 'alert'),
        ('insurance', c.active_days - c.self_pay_days, 'needs_person')
    ) as s (check_key, days, otherwise)
cross join
    lateral (
        values
        (s.check_key, 0, 'not_applicable', s.days),
        (s.check_key, 9, s.otherwise, datemultirange(daterange(null, null)))
    ) as k (check_key, place, status, days)
union all
select c.client_id, k.check_key, k.place, k.status, k.days
from clients as c
cross join
    lateral (
        values
        ('demographics', 2, 'ok', c.complete_days * (c.self_pay_days + c.covered_days)),
        ('insurance', 2, 'ok', c.verified_days),
        ('insurance', 4, 'alert', c.covered_days)
    ) as k (check_key, place, status, days)
union all
select c.client_id, t.check_key, k.place, k.status, k.days
from consents as c
inner join (
    values
    ('INFORMED_TREATMENT', 'informed_consent'), ('GUARDIAN', 'guardian_consent'), ('TELEHEALTH', 'telehealth_consent')
) as t (kind, check_key) on c.kind = t.kind
cross join
    lateral (
        values (2, 'ok', c.ok_days), (3, 'due', c.days), (4, 'alert', c.alert_days)
    ) as k (place, status, days)
where c.kind <> 'TELEHEALTH' or k.status = 'ok' -- otherwise it is due anyway
union all
-- without any, they are due by the first visit
select
    v.client_id, k.check_key, 3, 'due',
    public.day_span(date '-infinity', least(public.local_day(v.since, p.zones, p.changed_at), min(c.from_on)))
    - coalesce(v.undone_days, '{}')
from (
    select
        a.client_id, min(f.since) filter (where f.until is null) as since,
        range_agg(
            public.day_span(
                public.local_day(f.since, z.zones, z.changed_at), public.local_day(f.until, z.zones, z.changed_at)
            )
        ) filter (where f.until is not null) as undone_days
    from activity as a
    cross join practice as z
    left join marts.compliance_completions as f on a.client_id = f.client_id
    group by a.client_id
) as v
cross join practice as p
cross join (values ('INFORMED_TREATMENT', 'informed_consent'), ('GUARDIAN', 'guardian_consent')) as k (kind, check_key)
left join consents as c on v.client_id = c.client_id and k.kind = c.kind
group by v.client_id, v.since, v.undone_days, k.check_key, p.zones, p.changed_at
union all
-- the day of a telehealth visit that no consent was in force for
select t.client_id, 'telehealth_consent', 1, 'violation', public.day_span(t.starts_on, t.starts_on + 1)
from telehealth as t
cross join practice as p
where
    t.starts_at <= now() and not exists (
        select from consents as c
        where
            c.client_id = t.client_id and c.kind = 'TELEHEALTH' and c.known_on <= t.starts_on
            and (c.known_until_on is null or c.known_until_on > t.starts_on)
            and c.signed_at < t.starts_at and (c.revoked_at is null or c.revoked_at >= t.starts_at)
            and public.local_day(t.starts_at - interval '1 microsecond', p.zones, p.changed_at) < c.expires_on
    )
union all
select r.client_id, 'treatment_plan', k.place, k.status, k.days * public.day_span(s.from_on, s.until_on)
from reviews as r
cross join settings as s
cross join
    lateral (
        select
            r.reviewed_on + least(s.plan_reminder_days, s.plan_review_days) as due_on,
            r.reviewed_on + s.plan_review_days as alert_on
    ) as d
cross join
    lateral (
        values
        (2, 'ok', public.day_span(r.from_on, least(r.until_on, d.due_on))),
        (3, 'due', public.day_span(r.from_on, least(r.until_on, d.alert_on))),
        (4, 'alert', public.day_span(greatest(r.from_on, d.alert_on), least(r.until_on, d.alert_on + 1)))
    ) as k (place, status, days)
union all
-- The first review is due as long after the admission as the next one after a review.
select a.client_id, 'treatment_plan', k.place, k.status, k.days * public.day_span(s.from_on, s.until_on)
from activity as a
cross join lateral unnest(a.days) as n (span)
cross join settings as s
left join lateral (select min(r.from_on) as reviewed_on from reviews as r where r.client_id = a.client_id) as r on true
cross join lateral (select lower(n.span) + s.plan_review_days as alert_on) as d
cross join
    lateral (
        values
        (3, 'due', public.day_span(lower(n.span), least(r.reviewed_on, d.alert_on))),
        (4, 'alert', public.day_span(d.alert_on, least(r.reviewed_on, d.alert_on + 1)))
    ) as k (place, status, days)
union all
select
    n.client_id, 'safety_plan', 2, 'ok',
    public.day_span(
        greatest(l.signed_on, s.from_on), least(l.signed_on + s.safety_plan_days + 1, l.struck_on, s.until_on)
    )
from public.notes as n
cross join practice as p
cross join settings as s
cross join
    lateral (
        select
            public.local_day(n.signed_at, p.zones, p.changed_at) as signed_on,
            public.local_day(n.entered_in_error_at, p.zones, p.changed_at) as struck_on
    ) as l
where n.type = 'SAFETY_PLAN' and n.signed_at is not null;
