-- New views: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- noqa: disable=ST05,LT09,AL03
-- The checks of the practice itself, as sets of days like those of clients.
create view marts.compliance_of_practice with (security_barrier) as
with practice as materialized (select * from marts.compliance_days),

incidents as (
    select
        v.record_id as incident_id, d.detected_on,
        (v.said ->> 'people_affected')::integer as people_affected,
        public.day_span(greatest(v.from_on, d.detected_on), v.until_on) as days,
        public.day_span(greatest(v.from_on, d.detected_on), least(v.until_on, d.responded_on)) as unanswered_days
    from marts.compliance_versions as v
    cross join practice as p
    cross join
        lateral (
            select
                public.local_day((v.said ->> 'detected_at')::timestamptz, p.zones, p.changed_at) as detected_on,
                public.local_day((v.said ->> 'responded_at')::timestamptz, p.zones, p.changed_at) as responded_on
        ) as d
    where v.record_kind = 'incidents' and v.said ->> 'voided_at' is null
),

-- A notice that is no longer required, because fewer people are affected, counts only if it was sent.
notices as (
    select
        (v.said ->> 'due_on')::date as due_on,
        public.day_span(v.from_on, least(v.until_on, (v.said ->> 'sent_on')::date)) * i.days as unsent_days
    from marts.compliance_versions as v
    inner join incidents as i on (v.said ->> 'incident_id')::uuid = i.incident_id
    where
        v.record_kind = 'incident_notices'
        and i.people_affected >= case v.said ->> 'recipients' when 'MEDIA' then 500 else 1 end
),

conditions as (
    select k.check_key, k.place, k.status, k.days
    from incidents as i
    cross join
        lateral (
            values
            ('incident_response', 0, 'not_applicable', i.days),
            ('incident_response', 1, 'violation', i.unanswered_days * public.day_span(i.detected_on + 1, null)),
            ('incident_response', 2, 'alert', i.unanswered_days),
            ('incident_notices', 0, 'not_applicable', i.days),
            ('incident_notices', 3, 'needs_person', case when i.people_affected is null then i.days else '{}' end)
        ) as k (check_key, place, status, days)
    union all
    select 'incident_notices' as check_key, k.place, k.status, n.unsent_days * k.days
    from notices as n
    cross join
        lateral (
            values
            (1, 'violation', public.day_span(n.due_on + 1, null)),
            (2, 'alert', public.day_span(n.due_on, n.due_on + 1)),
            (4, 'due', public.day_span(date '-infinity', n.due_on))
        ) as k (place, status, days)
    union all
    select k.check_key, s.place, s.status, s.days
    from (values ('incident_response'), ('incident_notices')) as k (check_key)
    cross join (
        values
        (0, 'not_applicable', '{}'::datemultirange), (9, 'ok', datemultirange(daterange(null, null)))
    ) as s (place, status, days)
)

select check_key, place, status, days from conditions;

create view marts.compliance_spans with (security_barrier) as
with practice as materialized (select * from marts.compliance_days),

conditions as (
    select 'client' as entity_kind, client_id as entity_id, check_key, place, status, days
    from marts.compliance_of_clients
    union all
    select 'staff' as entity_kind, staff_id, check_key, place, status, days from marts.compliance_of_staff
    union all
    select 'practice' as entity_kind, null as entity_id, check_key, place, status, days
    from marts.compliance_of_practice
),

placed as (
    select entity_kind, entity_id, check_key, place, status, range_agg(days) as days
    from conditions
    group by entity_kind, entity_id, check_key, place, status
),

judged as (
    select
        entity_kind, entity_id, check_key, place, status, days,
        range_agg(days) filter (where place = 0) over entity as applicable_days,
        range_agg(days) filter (where place > 0) over (entity rows between unbounded preceding and 1 preceding)
            as decided_days
    from placed
    window entity as (partition by entity_kind, entity_id, check_key order by place)
)

select
    j.entity_kind,
    case when j.entity_kind = 'client' then j.entity_id end as client_id,
    case when j.entity_kind = 'staff' then j.entity_id end as staff_id,
    j.check_key,
    j.status,
    lower(s.span) as first_on,
    upper(s.span) - 1 as last_on
from judged as j
cross join practice as p
cross join lateral unnest(
    case
        when j.place = 0 then p.days - j.applicable_days
        else j.days * j.applicable_days * p.days - coalesce(j.decided_days, '{}')
    end
) as s (span);

create view marts.compliance_checks with (security_barrier) as
select
    c.calendar_on as checked_on,
    s.entity_kind,
    s.client_id,
    s.staff_id,
    s.check_key,
    s.status,
    s.first_on as since_on
from marts.compliance_spans as s
inner join marts.calendar as c on s.first_on <= c.calendar_on and s.last_on >= c.calendar_on;
