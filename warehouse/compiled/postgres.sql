-- table stg_practices
-- The practices of this build, with their windows, their time zone as of the build's instant, and the zones before it
with practices as (select * from public."practices"),
changes as (
    select
        c.tenant_id,
        array_agg(c.old_zone order by c.changed_at) filter (where c.changed_at <= s.as_of) as old_zones,
        array_agg(c.changed_at order by c.changed_at) filter (where c.changed_at <= s.as_of) as zone_changes,
        (array_agg(c.old_zone order by c.changed_at) filter (where c.changed_at > s.as_of))[1] as next_zone
    from public."time_zone_changes" as c
    join {schema}."scope" as s on s.tenant_id = c.tenant_id
    group by c.tenant_id
),
p as (
    select
        r.id as tenant_id, s.as_of, s.first_on, c.zone_changes, coalesce(c.next_zone, r.time_zone) as time_zone,
        array_cat(c.old_zones, array[coalesce(c.next_zone, r.time_zone)]) as zones
    from practices as r
    join {schema}."scope" as s on s.tenant_id = r.id
    left join changes as c on c.tenant_id = r.id
)
select
    p.*,
    w.collection_days,
    w.coverage_verification_days,
    w.hipaa_training_days,
    w.interdisciplinary_days,
    w.note_alert_days,
    w.plan_review_days,
    w.rebook_days,
    w.receivable_days,
    w.retention_days,
    w.safety_plan_days,
    w.supervision_note_days,
    w.from_on as judged_from_on, w.until_on as judged_until_on,
    (p.as_of at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(p.as_of, p.zone_changes)] end))::date as today,
    ((p.as_of - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((p.as_of - interval '1 microsecond'), p.zone_changes)] end))::date as last_day
from p
join {schema}."windows" as w on w.tenant_id = p.tenant_id

-- view stg_claims
-- Claims submitted by as_of, with the first response and the outcome if known then
select
    c.tenant_id, c.id as claim_id, (c.submitted_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(c.submitted_at, p.zone_changes)] end))::date as submitted_on,
    case when c.first_response_at <= p.as_of then c.first_response end as first_response,
    case when c.adjudicated_at <= p.as_of then (c.adjudicated_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(c.adjudicated_at, p.zone_changes)] end))::date end as adjudicated_on,
    c.outcome
from public."claims" as c
join {schema}."stg_practices" as p on p.tenant_id = c.tenant_id
where c.submitted_at <= p.as_of

-- table claims
-- Claims, each with the clinician of its first charge
with firsts as (
    select f.tenant_id, f.claim_id, c.clinician_id
    from public."claim_charges" as f
    join public."charges" as c on c.tenant_id = f.tenant_id and c.id = f.charge_id
    where f.position = 1
)
select
    c.tenant_id, c.claim_id as row_id, f.clinician_id, c.submitted_on, c.adjudicated_on, c.first_response, c.outcome
from {schema}."stg_claims" as c
join firsts as f on f.tenant_id = c.tenant_id and f.claim_id = c.claim_id

-- view stg_staff
-- Versions of staff records: roles, license, discipline, supervisor and employment, each from a day until another
with known as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'staff' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
-- somebody who is added counts from their first day on or, if it lies ahead, from the day on which they were added
versions as (
    select
        v.tenant_id, v.record_id, v.v, v.until_on,
        case
            when v.dated_from_on < v.from_on then least(v.from_on, (v.v ->> 'hired_on')::date) else v.dated_from_on
        end as dated_from_on
    from known as v
)
select
    v.tenant_id,
    v.record_id as staff_id,
    coalesce(s.external_id, s.id::text) as external_id,
    (v.v ->> 'supervisor_id')::uuid as supervisor_id,
    (v.v ->> 'discipline') as discipline,
    (v.v ->> 'license_type') as license_type,
    (v.v ->> 'roles') like '%"clinician"%' as is_clinician,
    v.dated_from_on as from_on,
    v.until_on,
    greatest(v.dated_from_on, (v.v ->> 'hired_on')::date) as employed_from_on,
    least(v.until_on, (v.v ->> 'left_on')::date) as employed_until_on
from versions as v
join public."staff" as s on s.tenant_id = v.tenant_id and s.id = v.record_id
where v.until_on > v.dated_from_on

-- table entity_members
-- The staff whose records count for an entity, from a day until another. Records without a clinician count for the
-- practice alone.
with staff as (select * from {schema}."stg_staff")
select distinct
    tenant_id, 'clinician' as entity_kind, staff_id as entity_id, staff_id as clinician_id,
    date '0001-01-01' as from_on, date '9999-01-01' as until_on
from staff
where is_clinician
union all
select tenant_id, 'team', supervisor_id, staff_id, from_on, until_on from staff where supervisor_id is not null

-- table adjudicated_claim_sums
with days as (
    select
        tenant_id, clinician_id, adjudicated_on as on_date,
        sum(case when true then case when outcome = 'DENIED' then 1 else 0 end end) as denial_rate_n,
        sum(case when true then 1 end) as denial_rate_d
    from {schema}."claims"
    where adjudicated_on is not null
    group by tenant_id, clinician_id, adjudicated_on
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.denial_rate_n))::bigint as denial_rate_n,
    (sum(d.denial_rate_d))::bigint as denial_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(denial_rate_n))::bigint,
    (sum(denial_rate_d))::bigint
from days
group by tenant_id, on_date

-- view stg_charges
-- Charges as they were known at as_of
with charges as (select * from public."charges"),
p as (select * from {schema}."stg_practices")
select
    c.tenant_id,
    c.id as charge_id,
    coalesce(c.external_id, c.id::text) as external_id,
    c.client_id,
    c.clinician_id,
    c.appointment_id,
    c.service_date,
    c.amount_cents,
    c.created_at,
    case when c.voided_at <= p.as_of then c.voided_at end as voided_at
from charges as c
join p on p.tenant_id = c.tenant_id
where c.created_at <= p.as_of

-- view stg_postings
-- Postings that lower the balance of a charge: money applied, and adjustments by their group
with applications as (select * from public."payment_applications"),
adjustments as (select * from public."adjustments"),
p as (select * from {schema}."stg_practices")
select a.tenant_id, a.id as posting_id, a.charge_id, 'MONEY' as kind, a.amount_cents, a.posted_at, (case when a.posted_at <= p.as_of then ((a.posted_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.posted_at - interval '1 microsecond'), p.zone_changes)] end))::date end) as posted_on
from applications as a
join p on p.tenant_id = a.tenant_id
where a.posted_at <= p.as_of
union all
select a.tenant_id, a.id, a.charge_id, a.group_code, a.amount_cents, a.posted_at, (case when a.posted_at <= p.as_of then ((a.posted_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.posted_at - interval '1 microsecond'), p.zone_changes)] end))::date end)
from adjustments as a
join p on p.tenant_id = a.tenant_id
where a.posted_at <= p.as_of

-- table charges
-- Charges known at as_of, the money applied to them by then, and the days on which they became known and void
with applied as (
    select tenant_id, charge_id, sum(amount_cents) as applied_cents
    from {schema}."stg_postings"
    where kind = 'MONEY'
    group by tenant_id, charge_id
)
select
    c.tenant_id, c.charge_id, c.charge_id as row_id, c.client_id, c.clinician_id, c.appointment_id,
    c.service_date, c.amount_cents, c.voided_at,
    row_number() over (partition by c.tenant_id, c.appointment_id order by c.created_at, c.external_id) = 1 as is_first,
    (c.created_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(c.created_at, p.zone_changes)] end))::date as created_on,
    (case when c.created_at <= p.as_of then ((c.created_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((c.created_at - interval '1 microsecond'), p.zone_changes)] end))::date end) as known_on,
    (case when c.voided_at <= p.as_of then ((c.voided_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((c.voided_at - interval '1 microsecond'), p.zone_changes)] end))::date end) as void_on,
    (coalesce(a.applied_cents, 0))::bigint as applied_cents
from {schema}."stg_charges" as c
join {schema}."stg_practices" as p on p.tenant_id = c.tenant_id
left join applied as a on a.tenant_id = c.tenant_id and a.charge_id = c.charge_id

-- view stg_appointments
-- Appointments and seats as they were known at as_of: a final status set later is not known yet
with p as (select * from {schema}."stg_practices"),
versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'appointments' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
-- few appointments are corrected, so that the record itself does not say any more what it said
appointments as (
    select
        a.tenant_id, a.id, a.client_id, a.clinician_id, a.group_session_id, a.starts_at, a.ends_at, a.created_at,
        a.booked_via, a.eligibility_verified_at,
        case when v.record_id is null then a.status else (v.v ->> 'status') end as status,
        case when v.record_id is null then a.status_at else (v.v ->> 'status_at')::timestamptz end as status_at,
        case when v.record_id is null then a.telehealth else (v.v ->> 'telehealth')::boolean end as telehealth,
        case when v.record_id is null then a.arrived_at else (v.v ->> 'arrived_at')::timestamptz end as arrived_at,
        case when v.record_id is null then a.ready_at else (v.v ->> 'ready_at')::timestamptz end as ready_at,
        case when v.record_id is null then a.actual_minutes else (v.v ->> 'actual_minutes')::integer end as actual_minutes
    from public."appointments" as a
    left join versions as v on v.tenant_id = a.tenant_id and v.record_id = a.id and v.is_last
)
select
    a.tenant_id,
    a.id as appointment_id,
    a.client_id,
    a.clinician_id,
    coalesce(a.group_session_id, a.id) as session_id,
    a.starts_at,
    a.ends_at,
    case
        when a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED', 'RESCHEDULED') and a.status_at > p.as_of then 'SCHEDULED'
        else a.status
    end as status,
    a.status_at,
    a.created_at,
    (a.starts_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(a.starts_at, p.zone_changes)] end))::date as on_date,
    a.starts_at < p.as_of as has_begun,
    a.telehealth,
    a.booked_via,
    a.arrived_at,
    a.ready_at,
    a.actual_minutes,
    a.eligibility_verified_at
from appointments as a
join p on p.tenant_id = a.tenant_id
where a.created_at <= p.as_of

-- table calendar
-- The first and the last day of the practice's calendar: from its first record to the last week of the quarter of as_of
with p as (select * from {schema}."stg_practices"),
records as (
    select tenant_id, min(on_date) as first_on, max(on_date) as last_on from {schema}."stg_appointments" group by tenant_id
    union all
    select tenant_id, min(service_date), null from {schema}."stg_charges" group by tenant_id
    union all
    select tenant_id, min(employed_from_on), null from {schema}."stg_staff" group by tenant_id
)
select
    p.tenant_id, p.last_day,
    least(min(r.first_on), p.first_on, p.last_day) as first_on,
    greatest((date_trunc('quarter', p.last_day) + interval '3 months')::date + 5, max(r.last_on)) as last_on
from p
left join records as r on r.tenant_id = p.tenant_id
group by p.tenant_id, p.first_on, p.last_day

-- view stg_time_zones
-- Each time zone of a practice, with the span of time in which it was in force
with p as (select * from {schema}."stg_practices"),
changes as (
    select c.tenant_id, c.old_zone, c.changed_at
    from public."time_zone_changes" as c
    join p on p.tenant_id = c.tenant_id
    where c.changed_at <= p.as_of
),
ends as (
    select tenant_id, old_zone as time_zone, changed_at as until_at from changes
    union all
    select tenant_id, time_zone, cast(null as timestamptz) from p
)
select
    tenant_id, time_zone, until_at,
    coalesce(
        lag(until_at) over (partition by tenant_id order by until_at nulls last), timestamptz '0001-01-02T00:00:00Z'
    ) as from_at
from ends

-- table days
-- Each local date of the calendar, with the instants at which it begins and ends, and the weekly deadline of its notes
with dates as (
    select b.tenant_id, b.last_day, b.last_on, d.day::date as on_date
    from {schema}."calendar" as b
    cross join lateral generate_series(
        date_trunc('quarter', b.first_on)::timestamp, b.last_on::timestamp + interval '8 days', interval '1 day'
    ) as d (day)
),
midnights as (
    select d.tenant_id, d.last_day, d.last_on, d.on_date, min(case when z.until_at is null or greatest((case
        when (((d.on_date::timestamp) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (d.on_date::timestamp) then ((d.on_date::timestamp) at time zone z.time_zone) - interval '1 hour'
        when (((d.on_date::timestamp) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (d.on_date::timestamp)
            then ((d.on_date::timestamp) at time zone z.time_zone) - interval '30 minutes'
        else ((d.on_date::timestamp) at time zone z.time_zone)
    end), z.from_at) < z.until_at then greatest((case
        when (((d.on_date::timestamp) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (d.on_date::timestamp) then ((d.on_date::timestamp) at time zone z.time_zone) - interval '1 hour'
        when (((d.on_date::timestamp) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (d.on_date::timestamp)
            then ((d.on_date::timestamp) at time zone z.time_zone) - interval '30 minutes'
        else ((d.on_date::timestamp) at time zone z.time_zone)
    end), z.from_at) end) as starts_at
    from dates as d
    join {schema}."stg_time_zones" as z on z.tenant_id = d.tenant_id
    group by d.tenant_id, d.last_day, d.last_on, d.on_date
),
days as (
    select
        tenant_id, last_day, last_on, on_date, starts_at,
        extract(dow from on_date)::integer as weekday,
        lead(starts_at) over practice as ends_at,
        lead(starts_at, 8 - extract(dow from on_date)::integer) over practice as deadline_at
    from midnights
    window practice as (partition by tenant_id order by on_date)
)
select
    tenant_id,
    on_date,
    starts_at,
    ends_at,
    deadline_at,
    weekday,
    on_date - weekday as week_on,
    date_trunc('month', on_date)::date as month_on,
    date_trunc('quarter', on_date)::date as quarter_on,
    on_date <= last_day as has_begun
from days
where on_date <= last_on

-- view stg_client_versions
-- Versions of client records, each from a day until another. For dated rows the first one also counts before. Clients
-- born on 29 February turn 18 on 1 March.
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'clients' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    v.tenant_id,
    v.record_id as client_id,
    v.from_on,
    v.dated_from_on,
    v.until_on,
    (v.v ->> 'self_pay')::boolean as self_pay,
    (v.v ->> 'emancipated')::boolean as emancipated,
    (v.v ->> 'has_complete_demographics')::boolean as has_complete_demographics,
    (v.v ->> 'high_risk_since')::date as high_risk_since,
    (v.v ->> 'high_risk_until')::date as high_risk_until,
    (v.v ->> 'admitted_on')::date as admitted_on,
    (v.v ->> 'ended_on')::date as ended_on,
    case
        when (v.v ->> 'birth_date') like '%-02-29' then ((v.v ->> 'birth_date')::date + 1 + interval '18 years')::date
        else ((v.v ->> 'birth_date')::date + interval '18 years')::date
    end as turns_18_on,
    (case when (v.v ->> 'portal_activated_at')::timestamptz <= p.as_of then (((v.v ->> 'portal_activated_at')::timestamptz - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(((v.v ->> 'portal_activated_at')::timestamptz - interval '1 microsecond'), p.zone_changes)] end))::date end) as portal_from_on
from versions as v
join {schema}."stg_practices" as p on p.tenant_id = v.tenant_id
where v.until_on > v.dated_from_on

-- view stg_coverages
-- Versions of coverages, each in force from a day until another, with its verification
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'coverages' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    v.tenant_id,
    v.record_id as coverage_id,
    (v.v ->> 'client_id')::uuid as client_id,
    (v.v ->> 'rank')::integer as rank,
    coalesce(c.external_id, c.id::text) as external_id,
    greatest(v.from_on, (v.v ->> 'effective_on')::date) as from_on,
    least(v.until_on, (v.v ->> 'ends_on')::date + 1) as until_on,
    (case when (v.v ->> 'verified_at')::timestamptz <= p.as_of then (((v.v ->> 'verified_at')::timestamptz - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(((v.v ->> 'verified_at')::timestamptz - interval '1 microsecond'), p.zone_changes)] end))::date end) as verified_from_on,
    case when (v.v ->> 'verified_at')::timestamptz <= p.as_of then ((v.v ->> 'verified_at')::timestamptz at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((v.v ->> 'verified_at')::timestamptz, p.zone_changes)] end))::date end as verified_on,
    -- not what an import brought and a later version repeats
    case when v.from_on > date '0001-01-01' and (case when (v.v ->> 'verified_at')::timestamptz <= p.as_of then (((v.v ->> 'verified_at')::timestamptz - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(((v.v ->> 'verified_at')::timestamptz - interval '1 microsecond'), p.zone_changes)] end))::date end) >= v.from_on
        then (v.v ->> 'verified_at')::timestamptz end as verified_by_staff_at
from versions as v
join {schema}."stg_practices" as p on p.tenant_id = v.tenant_id
join public."coverages" as c on c.tenant_id = v.tenant_id and c.id = v.record_id
where (v.v ->> 'voided_at') is null and v.until_on > v.from_on

-- view stg_notes
-- Notes as they were known at as_of, without their text
with notes as (select * from public."notes"),
p as (select * from {schema}."stg_practices"),
-- few notes change their session
sessions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'notes' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    n.tenant_id,
    n.id as note_id,
    n.client_id,
    case when v.record_id is null then n.appointment_id else (v.v ->> 'appointment_id')::uuid end as appointment_id,
    n.type,
    case when n.signed_at <= p.as_of then n.signed_at end as signed_at
from notes as n
join p on p.tenant_id = n.tenant_id
left join sessions as v on v.tenant_id = n.tenant_id and v.record_id = n.id and v.is_last
where n.created_at <= p.as_of
    and (n.voided_at is null or n.voided_at > p.as_of)
    and (n.entered_in_error_at is null or n.entered_in_error_at > p.as_of)

-- table appointments
-- One row per appointment known at as_of, with each condition that a metric asks about
with appointments as (select * from {schema}."stg_appointments"),
p as (select * from {schema}."stg_practices"),
signatures as (
    select
        tenant_id, appointment_id,
        min(case when type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY') then signed_at end) as signed_at,
        max(case when type = 'CRISIS_INTERVENTION' then 1 else 0 end) = 1 as has_crisis_note
    from {schema}."stg_notes"
    where appointment_id is not null
    group by tenant_id, appointment_id
),
charged as (
    select tenant_id, appointment_id, (sum(applied_cents))::bigint as applied_cents
    from {schema}."charges"
    where appointment_id is not null and voided_at is null
    group by tenant_id, appointment_id
),
-- what staff or a payer verify counts for the client's appointments to come
verified as (
    select distinct a.tenant_id, a.appointment_id
    from {schema}."stg_coverages" as c
    join p on p.tenant_id = c.tenant_id
    join appointments as a on a.tenant_id = c.tenant_id and a.client_id = c.client_id
    where c.verified_by_staff_at <= a.starts_at and a.starts_at < c.verified_by_staff_at + p.coverage_verification_days * interval '24 hours'
),
kept as (
    select
        tenant_id, appointment_id,
        min(starts_at) over (
            partition by tenant_id, client_id order by starts_at
            range between interval '1 microsecond' following and unbounded following
        ) as next_at
    from appointments
    where status not in ('CANCELLED', 'RESCHEDULED')
)
select
    a.tenant_id,
    a.appointment_id,
    a.appointment_id as row_id,
    a.client_id,
    a.clinician_id,
    a.session_id,
    a.starts_at,
    a.ends_at,
    a.created_at,
    a.status,
    a.status_at,
    a.on_date,
    a.telehealth,
    a.booked_via,
    (extract(epoch from s.signed_at - a.ends_at) * 1000000)::bigint as signed_after_us,
    coalesce(a.actual_minutes * 60000000::bigint, (extract(epoch from a.ends_at - a.starts_at) * 1000000)::bigint) as lasted_us,
    (extract(epoch from a.ready_at - a.arrived_at) * 1000000)::bigint as waited_us,
    a.has_begun and a.status <> 'RESCHEDULED' as scheduled,
    a.has_begun and a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED') as resolved,
    a.has_begun and a.status = 'COMPLETED' as completed,
    a.on_date < p.today as past_day,
    s.signed_at,
    (s.signed_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(s.signed_at, p.zone_changes)] end))::date as signed_on,
    coalesce(s.has_crisis_note, false) as has_crisis_note,
    coalesce(k.next_at <= a.starts_at + p.rebook_days * interval '24 hours', false) as rebooked,
    c.appointment_id is not null as charged,
    coalesce(c.applied_cents, 0) as applied_cents,
    (a.created_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(a.created_at, p.zone_changes)] end))::date as booked_on,
    a.ends_at + p.note_alert_days * interval '24 hours' as note_due_at,
    a.ends_at + p.note_alert_days * interval '24 hours' <= p.as_of as note_due_passed,
    d.deadline_at,
    d.deadline_at <= p.as_of as deadline_passed,
    a.arrived_at <= p.as_of and a.ready_at <= p.as_of as checked_in,
    coalesce(i.self_pay, false) or coalesce(a.eligibility_verified_at <= a.starts_at, false) or v.appointment_id is not null as verified_before
from appointments as a
join p on p.tenant_id = a.tenant_id
join {schema}."days" as d on d.tenant_id = a.tenant_id and d.on_date = a.on_date
left join {schema}."stg_client_versions" as i on i.tenant_id = a.tenant_id and i.client_id = a.client_id
    and i.dated_from_on <= a.on_date and i.until_on > a.on_date
left join verified as v on v.tenant_id = a.tenant_id and v.appointment_id = a.appointment_id
left join signatures as s on s.tenant_id = a.tenant_id and s.appointment_id = a.appointment_id
left join kept as k on k.tenant_id = a.tenant_id and k.appointment_id = a.appointment_id
left join charged as c on c.tenant_id = a.tenant_id and c.appointment_id = a.appointment_id

-- table appointment_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when completed and signed_at is not null then greatest(0, signed_after_us) end) as avg_documentation_hours_n,
        sum(case when completed and signed_at is not null then 1 end) as avg_documentation_hours_d,
        sum(case when scheduled then greatest(0, on_date - booked_on) end) as avg_lead_time_days_n,
        sum(case when scheduled then 1 end) as avg_lead_time_days_d,
        sum(case when completed then applied_cents end) as avg_reimbursement_per_session_n,
        sum(case when completed then 1 end) as avg_reimbursement_per_session_d,
        sum(case when completed then lasted_us end) as avg_session_minutes_n,
        sum(case when completed then 1 end) as avg_session_minutes_d,
        sum(case when completed and past_day then case when charged then 1 else 0 end end) as billing_compliance_rate_n,
        sum(case when completed and past_day then 1 end) as billing_compliance_rate_d,
        sum(case when resolved then case when status = 'CANCELLED' then 1 else 0 end end) as cancellation_rate_n,
        sum(case when resolved then 1 end) as cancellation_rate_d,
        sum(case when scheduled and checked_in then waited_us end) as check_in_minutes_n,
        sum(case when scheduled and checked_in then 1 end) as check_in_minutes_d,
        sum(case when completed then case when has_crisis_note then 1 else 0 end end) as crisis_intervention_rate_n,
        sum(case when completed then 1 end) as crisis_intervention_rate_d,
        sum(case when scheduled and status <> 'CANCELLED' then case when verified_before then 1 else 0 end end) as insurance_verification_rate_n,
        sum(case when scheduled and status <> 'CANCELLED' then 1 end) as insurance_verification_rate_d,
        sum(case when resolved then case when completed then 1 else 0 end end) as kept_visit_rate_n,
        sum(case when resolved then 1 end) as kept_visit_rate_d,
        sum(case when resolved then case when status = 'NO_SHOW' then 1 else 0 end end) as no_show_rate_n,
        sum(case when resolved then 1 end) as no_show_rate_d,
        sum(case when completed and note_due_passed then case when signed_at <= note_due_at then 1 else 0 end end) as notes_signed_within_7_days_rate_n,
        sum(case when completed and note_due_passed then 1 end) as notes_signed_within_7_days_rate_d,
        sum(case when scheduled then case when booked_via = 'PORTAL' then 1 else 0 end end) as online_booking_rate_n,
        sum(case when scheduled then 1 end) as online_booking_rate_d,
        sum(case when completed then case when rebooked then 1 else 0 end end) as rebook_rate_n,
        sum(case when completed then 1 end) as rebook_rate_d,
        sum(case when completed and past_day then case when signed_on = on_date then 1 else 0 end end) as same_day_documentation_rate_n,
        sum(case when completed and past_day then 1 end) as same_day_documentation_rate_d,
        sum(case when completed and deadline_passed then case when signed_at < deadline_at then 1 else 0 end end) as weekly_deadline_rate_n,
        sum(case when completed and deadline_passed then 1 end) as weekly_deadline_rate_d
    from {schema}."appointments"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.avg_documentation_hours_n))::bigint as avg_documentation_hours_n,
    (sum(d.avg_documentation_hours_d))::bigint as avg_documentation_hours_d,
    (sum(d.avg_lead_time_days_n))::bigint as avg_lead_time_days_n,
    (sum(d.avg_lead_time_days_d))::bigint as avg_lead_time_days_d,
    (sum(d.avg_reimbursement_per_session_n))::bigint as avg_reimbursement_per_session_n,
    (sum(d.avg_reimbursement_per_session_d))::bigint as avg_reimbursement_per_session_d,
    (sum(d.avg_session_minutes_n))::bigint as avg_session_minutes_n,
    (sum(d.avg_session_minutes_d))::bigint as avg_session_minutes_d,
    (sum(d.billing_compliance_rate_n))::bigint as billing_compliance_rate_n,
    (sum(d.billing_compliance_rate_d))::bigint as billing_compliance_rate_d,
    (sum(d.cancellation_rate_n))::bigint as cancellation_rate_n,
    (sum(d.cancellation_rate_d))::bigint as cancellation_rate_d,
    (sum(d.check_in_minutes_n))::bigint as check_in_minutes_n,
    (sum(d.check_in_minutes_d))::bigint as check_in_minutes_d,
    (sum(d.crisis_intervention_rate_n))::bigint as crisis_intervention_rate_n,
    (sum(d.crisis_intervention_rate_d))::bigint as crisis_intervention_rate_d,
    (sum(d.insurance_verification_rate_n))::bigint as insurance_verification_rate_n,
    (sum(d.insurance_verification_rate_d))::bigint as insurance_verification_rate_d,
    (sum(d.kept_visit_rate_n))::bigint as kept_visit_rate_n,
    (sum(d.kept_visit_rate_d))::bigint as kept_visit_rate_d,
    (sum(d.no_show_rate_n))::bigint as no_show_rate_n,
    (sum(d.no_show_rate_d))::bigint as no_show_rate_d,
    (sum(d.notes_signed_within_7_days_rate_n))::bigint as notes_signed_within_7_days_rate_n,
    (sum(d.notes_signed_within_7_days_rate_d))::bigint as notes_signed_within_7_days_rate_d,
    (sum(d.online_booking_rate_n))::bigint as online_booking_rate_n,
    (sum(d.online_booking_rate_d))::bigint as online_booking_rate_d,
    (sum(d.rebook_rate_n))::bigint as rebook_rate_n,
    (sum(d.rebook_rate_d))::bigint as rebook_rate_d,
    (sum(d.same_day_documentation_rate_n))::bigint as same_day_documentation_rate_n,
    (sum(d.same_day_documentation_rate_d))::bigint as same_day_documentation_rate_d,
    (sum(d.weekly_deadline_rate_n))::bigint as weekly_deadline_rate_n,
    (sum(d.weekly_deadline_rate_d))::bigint as weekly_deadline_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(avg_documentation_hours_n))::bigint,
    (sum(avg_documentation_hours_d))::bigint,
    (sum(avg_lead_time_days_n))::bigint,
    (sum(avg_lead_time_days_d))::bigint,
    (sum(avg_reimbursement_per_session_n))::bigint,
    (sum(avg_reimbursement_per_session_d))::bigint,
    (sum(avg_session_minutes_n))::bigint,
    (sum(avg_session_minutes_d))::bigint,
    (sum(billing_compliance_rate_n))::bigint,
    (sum(billing_compliance_rate_d))::bigint,
    (sum(cancellation_rate_n))::bigint,
    (sum(cancellation_rate_d))::bigint,
    (sum(check_in_minutes_n))::bigint,
    (sum(check_in_minutes_d))::bigint,
    (sum(crisis_intervention_rate_n))::bigint,
    (sum(crisis_intervention_rate_d))::bigint,
    (sum(insurance_verification_rate_n))::bigint,
    (sum(insurance_verification_rate_d))::bigint,
    (sum(kept_visit_rate_n))::bigint,
    (sum(kept_visit_rate_d))::bigint,
    (sum(no_show_rate_n))::bigint,
    (sum(no_show_rate_d))::bigint,
    (sum(notes_signed_within_7_days_rate_n))::bigint,
    (sum(notes_signed_within_7_days_rate_d))::bigint,
    (sum(online_booking_rate_n))::bigint,
    (sum(online_booking_rate_d))::bigint,
    (sum(rebook_rate_n))::bigint,
    (sum(rebook_rate_d))::bigint,
    (sum(same_day_documentation_rate_n))::bigint,
    (sum(same_day_documentation_rate_d))::bigint,
    (sum(weekly_deadline_rate_n))::bigint,
    (sum(weekly_deadline_rate_d))::bigint
from days
group by tenant_id, on_date

-- view stg_settings
-- Rule settings made by as_of, each from a day until the next change of it
with changes as (
    select
        s.tenant_id, s.key, s.effective_on, (s.value #>> '{}')::bigint as value,
        row_number() over (partition by s.tenant_id, s.key, s.effective_on order by s.set_at desc) as place
    from public."rule_settings" as s
    join {schema}."stg_practices" as p on p.tenant_id = s.tenant_id
    where s.set_at <= p.as_of
)
select
    tenant_id, key, value, effective_on as from_on,
    lead(effective_on) over (partition by tenant_id, key order by effective_on) as until_on
from changes
where place = 1

-- table metric_bounds
-- Benchmarks and alert thresholds, from a day until another: the practice's settings, else the defaults
with settings as (select * from {schema}."stg_settings"),
starts as (
    select tenant_id, date '0001-01-01' as from_on from {schema}."stg_practices"
    union
    select tenant_id, from_on from settings
),
spans as (
    select
        tenant_id, from_on,
        coalesce(lead(from_on) over (partition by tenant_id order by from_on), date '9999-01-01') as until_on
    from starts
)
select
    p.tenant_id, p.from_on, p.until_on,
    cast(coalesce(max(case when s.key = 'avg_documentation_hours_target_below' then s.value end), 24) as integer) as avg_documentation_hours_target_below,
    cast(coalesce(max(case when s.key = 'avg_documentation_hours_alert_above' then s.value end), 48) as integer) as avg_documentation_hours_alert_above,
    cast(coalesce(max(case when s.key = 'avg_lead_time_days_target_at_least' then s.value end), 7) as integer) as avg_lead_time_days_target_at_least,
    cast(coalesce(max(case when s.key = 'avg_lead_time_days_target_at_most' then s.value end), 14) as integer) as avg_lead_time_days_target_at_most,
    cast(coalesce(max(case when s.key = 'avg_lead_time_days_alert_below' then s.value end), 5) as integer) as avg_lead_time_days_alert_below,
    cast(coalesce(max(case when s.key = 'avg_lead_time_days_alert_above' then s.value end), 21) as integer) as avg_lead_time_days_alert_above,
    coalesce(max(case when s.key = 'average_reimbursement_target_cents' then s.value end), 0) as avg_reimbursement_per_session_target,
    cast(coalesce(max(case when s.key = 'billing_compliance_rate_target_at_least' then s.value end), 100) as integer) as billing_compliance_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'billing_compliance_rate_alert_below' then s.value end), 95) as integer) as billing_compliance_rate_alert_below,
    cast(coalesce(max(case when s.key = 'breach_response_hours_target_below' then s.value end), 1) as integer) as breach_response_hours_target_below,
    cast(coalesce(max(case when s.key = 'breach_response_hours_alert_above' then s.value end), 2) as integer) as breach_response_hours_alert_above,
    cast(coalesce(max(case when s.key = 'cancellation_rate_target_at_most' then s.value end), 15) as integer) as cancellation_rate_target_at_most,
    cast(coalesce(max(case when s.key = 'cancellation_rate_alert_above' then s.value end), 20) as integer) as cancellation_rate_alert_above,
    cast(coalesce(max(case when s.key = 'charge_entry_lag_days_target_below' then s.value end), 1) as integer) as charge_entry_lag_days_target_below,
    cast(coalesce(max(case when s.key = 'charge_entry_lag_days_alert_above' then s.value end), 3) as integer) as charge_entry_lag_days_alert_above,
    cast(coalesce(max(case when s.key = 'check_in_minutes_target_below' then s.value end), 5) as integer) as check_in_minutes_target_below,
    cast(coalesce(max(case when s.key = 'check_in_minutes_alert_above' then s.value end), 10) as integer) as check_in_minutes_alert_above,
    cast(coalesce(max(case when s.key = 'claim_acceptance_rate_target_at_least' then s.value end), 95) as integer) as claim_acceptance_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'claim_acceptance_rate_alert_below' then s.value end), 90) as integer) as claim_acceptance_rate_alert_below,
    cast(coalesce(max(case when s.key = 'client_retention_90d_target_at_least' then s.value end), 70) as integer) as client_retention_90d_target_at_least,
    cast(coalesce(max(case when s.key = 'client_retention_90d_alert_below' then s.value end), 60) as integer) as client_retention_90d_alert_below,
    cast(coalesce(max(case when s.key = 'collection_rate_target_at_least' then s.value end), 95) as integer) as collection_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'collection_rate_alert_below' then s.value end), 90) as integer) as collection_rate_alert_below,
    cast(coalesce(max(case when s.key = 'complete_demographics_rate_target_at_least' then s.value end), 100) as integer) as complete_demographics_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'complete_demographics_rate_alert_below' then s.value end), 95) as integer) as complete_demographics_rate_alert_below,
    cast(coalesce(max(case when s.key = 'crisis_intervention_rate_target_below' then s.value end), 5) as integer) as crisis_intervention_rate_target_below,
    cast(coalesce(max(case when s.key = 'crisis_intervention_rate_alert_above' then s.value end), 10) as integer) as crisis_intervention_rate_alert_above,
    cast(coalesce(max(case when s.key = 'daily_active_clinicians_target_at_least' then s.value end), 90) as integer) as daily_active_clinicians_target_at_least,
    cast(coalesce(max(case when s.key = 'days_in_ar_target_below' then s.value end), 30) as integer) as days_in_ar_target_below,
    cast(coalesce(max(case when s.key = 'days_in_ar_alert_above' then s.value end), 45) as integer) as days_in_ar_alert_above,
    cast(coalesce(max(case when s.key = 'denial_rate_target_at_most' then s.value end), 2) as integer) as denial_rate_target_at_most,
    cast(coalesce(max(case when s.key = 'denial_rate_alert_above' then s.value end), 10) as integer) as denial_rate_alert_above,
    cast(coalesce(max(case when s.key = 'era_auto_match_rate_target_at_least' then s.value end), 85) as integer) as era_auto_match_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'era_auto_match_rate_alert_below' then s.value end), 85) as integer) as era_auto_match_rate_alert_below,
    cast(coalesce(max(case when s.key = 'hipaa_training_current_target_at_least' then s.value end), 100) as integer) as hipaa_training_current_target_at_least,
    cast(coalesce(max(case when s.key = 'hipaa_training_current_alert_below' then s.value end), 100) as integer) as hipaa_training_current_alert_below,
    cast(coalesce(max(case when s.key = 'informed_consent_currency_target_at_least' then s.value end), 100) as integer) as informed_consent_currency_target_at_least,
    cast(coalesce(max(case when s.key = 'informed_consent_currency_alert_below' then s.value end), 100) as integer) as informed_consent_currency_alert_below,
    cast(coalesce(max(case when s.key = 'insurance_accuracy_rate_target_at_least' then s.value end), 100) as integer) as insurance_accuracy_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'insurance_accuracy_rate_alert_below' then s.value end), 95) as integer) as insurance_accuracy_rate_alert_below,
    cast(coalesce(max(case when s.key = 'insurance_verification_rate_target_at_least' then s.value end), 100) as integer) as insurance_verification_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'insurance_verification_rate_alert_below' then s.value end), 95) as integer) as insurance_verification_rate_alert_below,
    cast(coalesce(max(case when s.key = 'interdisciplinary_rate_target_at_least' then s.value end), 20) as integer) as interdisciplinary_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'interdisciplinary_rate_alert_below' then s.value end), 10) as integer) as interdisciplinary_rate_alert_below,
    cast(coalesce(max(case when s.key = 'kept_visit_rate_target_at_least' then s.value end), 85) as integer) as kept_visit_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'kept_visit_rate_alert_below' then s.value end), 80) as integer) as kept_visit_rate_alert_below,
    cast(coalesce(max(case when s.key = 'minor_consent_compliance_target_at_least' then s.value end), 100) as integer) as minor_consent_compliance_target_at_least,
    cast(coalesce(max(case when s.key = 'minor_consent_compliance_alert_below' then s.value end), 100) as integer) as minor_consent_compliance_alert_below,
    cast(coalesce(max(case when s.key = 'net_collection_rate_target_at_least' then s.value end), 95) as integer) as net_collection_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'net_collection_rate_alert_below' then s.value end), 90) as integer) as net_collection_rate_alert_below,
    cast(coalesce(max(case when s.key = 'no_show_rate_target_at_most' then s.value end), 10) as integer) as no_show_rate_target_at_most,
    cast(coalesce(max(case when s.key = 'no_show_rate_alert_above' then s.value end), 15) as integer) as no_show_rate_alert_above,
    cast(coalesce(max(case when s.key = 'notes_signed_within_7_days_rate_target_at_least' then s.value end), 100) as integer) as notes_signed_within_7_days_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'notes_signed_within_7_days_rate_alert_below' then s.value end), 95) as integer) as notes_signed_within_7_days_rate_alert_below,
    cast(coalesce(max(case when s.key = 'online_booking_rate_target_at_least' then s.value end), 40) as integer) as online_booking_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'online_booking_rate_alert_below' then s.value end), 30) as integer) as online_booking_rate_alert_below,
    cast(coalesce(max(case when s.key = 'portal_adoption_rate_target_at_least' then s.value end), 60) as integer) as portal_adoption_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'portal_adoption_rate_alert_below' then s.value end), 50) as integer) as portal_adoption_rate_alert_below,
    cast(coalesce(max(case when s.key = 'prime_time_utilization_target_at_least' then s.value end), 90) as integer) as prime_time_utilization_target_at_least,
    cast(coalesce(max(case when s.key = 'prime_time_utilization_alert_below' then s.value end), 80) as integer) as prime_time_utilization_alert_below,
    cast(coalesce(max(case when s.key = 'rebook_rate_target_at_least' then s.value end), 75) as integer) as rebook_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'rebook_rate_alert_below' then s.value end), 65) as integer) as rebook_rate_alert_below,
    cast(coalesce(max(case when s.key = 'safety_plan_compliance_target_at_least' then s.value end), 100) as integer) as safety_plan_compliance_target_at_least,
    cast(coalesce(max(case when s.key = 'safety_plan_compliance_alert_below' then s.value end), 100) as integer) as safety_plan_compliance_alert_below,
    cast(coalesce(max(case when s.key = 'same_day_documentation_rate_target_at_least' then s.value end), 90) as integer) as same_day_documentation_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'same_day_documentation_rate_alert_below' then s.value end), 80) as integer) as same_day_documentation_rate_alert_below,
    cast(coalesce(max(case when s.key = 'schedule_fill_rate_target_at_least' then s.value end), 85) as integer) as schedule_fill_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'schedule_fill_rate_alert_below' then s.value end), 75) as integer) as schedule_fill_rate_alert_below,
    cast(coalesce(max(case when s.key = 'sessions_per_day_target_at_least' then s.value end), 5) as integer) as sessions_per_day_target_at_least,
    cast(coalesce(max(case when s.key = 'sessions_per_day_target_at_most' then s.value end), 7) as integer) as sessions_per_day_target_at_most,
    cast(coalesce(max(case when s.key = 'sessions_per_day_alert_below' then s.value end), 4) as integer) as sessions_per_day_alert_below,
    cast(coalesce(max(case when s.key = 'sessions_per_day_alert_above' then s.value end), 8) as integer) as sessions_per_day_alert_above,
    cast(coalesce(max(case when s.key = 'supervision_met_rate_target_at_least' then s.value end), 100) as integer) as supervision_met_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'supervision_met_rate_alert_below' then s.value end), 100) as integer) as supervision_met_rate_alert_below,
    cast(coalesce(max(case when s.key = 'supervision_note_timeliness_target_at_least' then s.value end), 100) as integer) as supervision_note_timeliness_target_at_least,
    cast(coalesce(max(case when s.key = 'supervision_note_timeliness_alert_below' then s.value end), 100) as integer) as supervision_note_timeliness_alert_below,
    cast(coalesce(max(case when s.key = 'telehealth_consent_compliance_target_at_least' then s.value end), 100) as integer) as telehealth_consent_compliance_target_at_least,
    cast(coalesce(max(case when s.key = 'telehealth_consent_compliance_alert_below' then s.value end), 100) as integer) as telehealth_consent_compliance_alert_below,
    cast(coalesce(max(case when s.key = 'treatment_plan_currency_target_at_least' then s.value end), 100) as integer) as treatment_plan_currency_target_at_least,
    cast(coalesce(max(case when s.key = 'treatment_plan_currency_alert_below' then s.value end), 95) as integer) as treatment_plan_currency_alert_below,
    cast(coalesce(max(case when s.key = 'unsigned_note_backlog_target_at_most' then s.value end), 0) as integer) as unsigned_note_backlog_target_at_most,
    cast(coalesce(max(case when s.key = 'unsigned_note_backlog_alert_above' then s.value end), 5) as integer) as unsigned_note_backlog_alert_above,
    cast(coalesce(max(case when s.key = 'weekly_deadline_rate_target_at_least' then s.value end), 100) as integer) as weekly_deadline_rate_target_at_least,
    cast(coalesce(max(case when s.key = 'weekly_deadline_rate_alert_below' then s.value end), 90) as integer) as weekly_deadline_rate_alert_below
from spans as p
left join settings as s on s.tenant_id = p.tenant_id and s.from_on <= p.from_on and (s.until_on is null or s.until_on > p.from_on)
group by p.tenant_id, p.from_on, p.until_on

-- view unsigned_sessions
-- Sessions without a signed note, from the day after which their note is late until they are signed
select
    a.tenant_id, a.clinician_id, a.appointment_id as row_id,
    greatest(
        (case when a.note_due_at < p.as_of then (a.note_due_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(a.note_due_at, p.zone_changes)] end))::date end), (case when a.status_at <= p.as_of then ((a.status_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.status_at - interval '1 microsecond'), p.zone_changes)] end))::date end), (case when a.created_at <= p.as_of then ((a.created_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.created_at - interval '1 microsecond'), p.zone_changes)] end))::date end)
    ) as from_on,
    (case when a.signed_at <= p.as_of then ((a.signed_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.signed_at - interval '1 microsecond'), p.zone_changes)] end))::date end) as until_on
from {schema}."appointments" as a
join {schema}."stg_practices" as p on p.tenant_id = a.tenant_id
where a.status = 'COMPLETED' and a.note_due_at < p.as_of

-- table unsigned_session_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when true then 1 end) as unsigned_note_backlog_n,
        sum(case when true then 0 end) as unsigned_note_backlog_d
    from {schema}."unsigned_sessions"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when true then 1 end),
        -sum(case when true then 0 end)
    from {schema}."unsigned_sessions"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(unsigned_note_backlog_n) over clinician as unsigned_note_backlog_n, sum(unsigned_note_backlog_d) over clinician as unsigned_note_backlog_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(unsigned_note_backlog_n), 0) as unsigned_note_backlog_n, coalesce(sum(unsigned_note_backlog_d), 0) as unsigned_note_backlog_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.unsigned_note_backlog_n, c.unsigned_note_backlog_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(unsigned_note_backlog_n, 0) as unsigned_note_backlog_n, coalesce(unsigned_note_backlog_d, 0) as unsigned_note_backlog_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, unsigned_note_backlog_n, unsigned_note_backlog_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -unsigned_note_backlog_n, -unsigned_note_backlog_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(unsigned_note_backlog_n))::bigint as unsigned_note_backlog_n,
    (sum(unsigned_note_backlog_d))::bigint as unsigned_note_backlog_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table unsigned_session_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(unsigned_note_backlog_n) over entity)::bigint as unsigned_note_backlog_n,
    (sum(unsigned_note_backlog_d) over entity)::bigint as unsigned_note_backlog_d
from {schema}."unsigned_session_steps"
where unsigned_note_backlog_n <> 0 or unsigned_note_backlog_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- view backlog_alerts
-- Clinicians, from and until the days on which their unsigned note backlog exceeds the alert threshold
select
    s.tenant_id, s.entity_id as clinician_id, s.entity_id as row_id,
    greatest(s.from_on, b.from_on) as from_on, least(s.until_on, b.until_on) as until_on
from {schema}."unsigned_session_states" as s
join {schema}."metric_bounds" as b on b.tenant_id = s.tenant_id
    and b.from_on < s.until_on and b.until_on > s.from_on
where s.entity_kind = 'clinician' and s.unsigned_note_backlog_n > b.unsigned_note_backlog_alert_above

-- table backlog_alert_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when true then 1 end) as clinicians_over_backlog_n,
        sum(case when true then 0 end) as clinicians_over_backlog_d
    from {schema}."backlog_alerts"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when true then 1 end),
        -sum(case when true then 0 end)
    from {schema}."backlog_alerts"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(clinicians_over_backlog_n) over clinician as clinicians_over_backlog_n, sum(clinicians_over_backlog_d) over clinician as clinicians_over_backlog_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(clinicians_over_backlog_n), 0) as clinicians_over_backlog_n, coalesce(sum(clinicians_over_backlog_d), 0) as clinicians_over_backlog_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.clinicians_over_backlog_n, c.clinicians_over_backlog_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(clinicians_over_backlog_n, 0) as clinicians_over_backlog_n, coalesce(clinicians_over_backlog_d, 0) as clinicians_over_backlog_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, clinicians_over_backlog_n, clinicians_over_backlog_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -clinicians_over_backlog_n, -clinicians_over_backlog_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(clinicians_over_backlog_n))::bigint as clinicians_over_backlog_n,
    (sum(clinicians_over_backlog_d))::bigint as clinicians_over_backlog_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table backlog_alert_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(clinicians_over_backlog_n) over entity)::bigint as clinicians_over_backlog_n,
    (sum(clinicians_over_backlog_d) over entity)::bigint as clinicians_over_backlog_d
from {schema}."backlog_alert_steps"
where clinicians_over_backlog_n <> 0 or clinicians_over_backlog_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- view stg_incidents
-- Incidents detected and reported by as_of, as they were known then
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'incidents' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
incidents as (
    select
        v.tenant_id, v.record_id as incident_id, (v.v ->> 'detected_at')::timestamptz as detected_at,
        (v.v ->> 'responded_at')::timestamptz as responded_at
    from versions as v
    where v.is_last and (v.v ->> 'voided_at') is null
)
select
    i.tenant_id, i.incident_id, i.detected_at, (i.detected_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(i.detected_at, p.zone_changes)] end))::date as detected_on,
    case when i.responded_at <= p.as_of then i.responded_at end as responded_at
from incidents as i
join {schema}."stg_practices" as p on p.tenant_id = i.tenant_id
where i.detected_at <= p.as_of

-- table incidents
-- Incidents with the time to the response, or to as_of
select
    i.tenant_id, cast(null as uuid) as clinician_id, i.detected_on as on_date, i.incident_id as row_id,
    (extract(epoch from coalesce(i.responded_at, p.as_of) - i.detected_at) * 1000000)::bigint as responded_after_us
from {schema}."stg_incidents" as i
join {schema}."stg_practices" as p on p.tenant_id = i.tenant_id

-- table charge_sums
with days as (
    select
        tenant_id, clinician_id, service_date as on_date,
        sum(case when case when appointment_id is not null then is_first else voided_at is null end then greatest(0, created_on - service_date) end) as charge_entry_lag_days_n,
        sum(case when case when appointment_id is not null then is_first else voided_at is null end then 1 end) as charge_entry_lag_days_d,
        sum(case when voided_at is null then applied_cents end) as collection_rate_n,
        sum(case when voided_at is null then amount_cents end) as collection_rate_d
    from {schema}."charges"
    where service_date is not null
    group by tenant_id, clinician_id, service_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.charge_entry_lag_days_n))::bigint as charge_entry_lag_days_n,
    (sum(d.charge_entry_lag_days_d))::bigint as charge_entry_lag_days_d,
    (sum(d.collection_rate_n))::bigint as collection_rate_n,
    (sum(d.collection_rate_d))::bigint as collection_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(charge_entry_lag_days_n))::bigint,
    (sum(charge_entry_lag_days_d))::bigint,
    (sum(collection_rate_n))::bigint,
    (sum(collection_rate_d))::bigint
from days
group by tenant_id, on_date

-- view stg_client_activity
-- Spans of days on which clients are active: by the history of their status, or as an import brought them
with history as (
    select
        h.tenant_id, h.client_id, h.status, h.from_on,
        min(h.from_on) over (
            partition by h.tenant_id, h.client_id order by h.set_at, h.id
            rows between 1 following and unbounded following
        ) as until_on
    from (
        select
            r.*,
            case when r.set_by is null then r.effective_on
                else greatest(r.effective_on, (case when r.set_at <= p.as_of then ((r.set_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.set_at - interval '1 microsecond'), p.zone_changes)] end))::date end)) end as from_on
        from public."client_statuses" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.set_by is null or r.set_at <= p.as_of
    ) as h
),
decided as (
    select s.tenant_id, s.client_id
    from public."client_statuses" as s
    join {schema}."stg_practices" as p on p.tenant_id = s.tenant_id
    where s.set_by is not null and s.set_at <= p.as_of
    group by s.tenant_id, s.client_id
),
versions as (select * from {schema}."stg_client_versions"),
imported as (
    select tenant_id, client_id from versions where from_on = date '0001-01-01' group by tenant_id, client_id
)
select h.tenant_id, h.client_id, h.from_on, h.until_on
from history as h
join decided as d on d.tenant_id = h.tenant_id and d.client_id = h.client_id
where h.status = 'ACTIVE'
union all
select v.tenant_id, v.client_id, greatest(v.from_on, v.admitted_on), least(v.until_on, v.ended_on)
from versions as v
join imported as i on i.tenant_id = v.tenant_id and i.client_id = v.client_id
left join decided as d on d.tenant_id = v.tenant_id and d.client_id = v.client_id
where d.client_id is null

-- view stg_consents
-- Versions of consents, each from a day until another. Without an expiry they end one year after they were signed.
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'consents' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    v.tenant_id,
    v.record_id as consent_id,
    (v.v ->> 'client_id')::uuid as client_id,
    (v.v ->> 'kind') as kind,
    (v.v ->> 'signed_at')::timestamptz as signed_at,
    (v.v ->> 'revoked_at')::timestamptz as revoked_at,
    coalesce(
        (v.v ->> 'expires_on')::date, (((v.v ->> 'signed_at')::timestamptz at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((v.v ->> 'signed_at')::timestamptz, p.zone_changes)] end))::date + interval '1 year')::date
    ) as expires_on,
    greatest(v.from_on, (case when (v.v ->> 'signed_at')::timestamptz < p.as_of then ((v.v ->> 'signed_at')::timestamptz at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((v.v ->> 'signed_at')::timestamptz, p.zone_changes)] end))::date end)) as from_on,
    least(v.until_on, (case when (v.v ->> 'revoked_at')::timestamptz < p.as_of then ((v.v ->> 'revoked_at')::timestamptz at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((v.v ->> 'revoked_at')::timestamptz, p.zone_changes)] end))::date end)) as until_on,
    v.is_last
from versions as v
join {schema}."stg_practices" as p on p.tenant_id = v.tenant_id
where (v.v ->> 'signed_at')::timestamptz < p.as_of and (v.v ->> 'voided_at') is null and v.until_on > v.from_on

-- view stg_plan_reviews
-- Reviews of treatment plans as they were known at as_of, from the day on which each counts
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'treatment_plan_reviews' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
-- few reviews change their day
reviews as (
    select
        r.tenant_id, r.id as review_id, r.client_id, coalesce((v.v ->> 'reviewed_on')::date, r.reviewed_on) as reviewed_on,
        (case when r.created_at <= p.as_of then ((r.created_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.created_at - interval '1 microsecond'), p.zone_changes)] end))::date end) as known_on
    from public."treatment_plan_reviews" as r
    join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
    left join versions as v on v.tenant_id = r.tenant_id and v.record_id = r.id and v.is_last
    where r.created_at <= p.as_of and (r.voided_at is null or r.voided_at > p.as_of)
)
select tenant_id, review_id, client_id, reviewed_on, greatest(reviewed_on, known_on) as from_on from reviews

-- table client_conditions
-- Conditions of clients that metrics ask about: one row for each condition and span of days
with p as (select * from {schema}."stg_practices"),
versions as (select * from {schema}."stg_client_versions"),
coverages as (select * from {schema}."stg_coverages"),
-- between two neighboring ends of a client's coverages, the primary one stays the same
ends as (
    select tenant_id, client_id, from_on as on_date from coverages
    union
    select tenant_id, client_id, until_on from coverages where until_on is not null
),
spans as (
    select tenant_id, client_id, on_date as from_on, lead(on_date) over (partition by tenant_id, client_id order by on_date) as until_on
    from ends
),
ranked as (
    select
        s.tenant_id, s.client_id, s.from_on, s.until_on, c.verified_from_on, c.verified_on,
        row_number() over (partition by s.tenant_id, s.client_id, s.from_on order by c.rank, c.external_id) as place
    from spans as s
    join coverages as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
        and c.from_on <= s.from_on and (c.until_on is null or c.until_on > s.from_on)
)
select tenant_id, client_id, 'active' as kind, from_on, until_on from {schema}."stg_client_activity"
union all
select tenant_id, client_id, 'high_risk', greatest(from_on, high_risk_since), least(until_on, high_risk_until)
from versions where high_risk_since is not null
union all
select tenant_id, client_id, 'minor', from_on, least(until_on, turns_18_on) from versions where not emancipated
union all
select tenant_id, client_id, 'portal', greatest(from_on, portal_from_on), until_on from versions where portal_from_on is not null
union all
select tenant_id, client_id, 'self_pay', from_on, until_on from versions where self_pay
union all
select tenant_id, client_id, 'complete_demographics', from_on, until_on from versions where has_complete_demographics
union all
select tenant_id, client_id, 'covered', from_on, until_on from coverages
union all
select ranked.tenant_id, client_id, 'verified', greatest(from_on, verified_from_on), least(until_on, verified_on + p.coverage_verification_days + 1)
from ranked
join p on p.tenant_id = ranked.tenant_id
where place = 1 and verified_on is not null
union all
select tenant_id, client_id, kind, from_on, least(expires_on, until_on)
from {schema}."stg_consents" where kind in ('INFORMED_TREATMENT', 'GUARDIAN')
union all
select r.tenant_id, r.client_id, 'plan_reviewed', r.from_on, r.reviewed_on + p.plan_review_days + 1
from {schema}."stg_plan_reviews" as r
join p on p.tenant_id = r.tenant_id
union all
select n.tenant_id, n.client_id, 'safety_plan', (case when n.signed_at <= p.as_of then ((n.signed_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((n.signed_at - interval '1 microsecond'), p.zone_changes)] end))::date end), (n.signed_at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(n.signed_at, p.zone_changes)] end))::date + p.safety_plan_days + 1
from {schema}."stg_notes" as n
join p on p.tenant_id = n.tenant_id
where n.type = 'SAFETY_PLAN' and n.signed_at is not null

-- view stg_primary_clinicians
-- The primary clinician of each client, from a day until another. An import says who it is from the beginning.
with history as (
    select
        h.tenant_id, h.client_id, h.clinician_id, h.set_by, h.effective_on, h.from_on,
        min(h.from_on) over (
            partition by h.tenant_id, h.client_id order by h.set_at, h.id
            rows between 1 following and unbounded following
        ) as until_on
    from (
        select
            r.*,
            case when r.set_by is null then r.effective_on
                else greatest(r.effective_on, (case when r.set_at <= p.as_of then ((r.set_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.set_at - interval '1 microsecond'), p.zone_changes)] end))::date end)) end as from_on
        from public."primary_clinicians" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.set_by is null or r.set_at <= p.as_of
    ) as h
)
select
    tenant_id, client_id, clinician_id, coalesce(until_on, date '9999-01-01') as until_on,
    case
        when set_by is null and effective_on = min(effective_on) over (partition by tenant_id, client_id)
            then date '0001-01-01'
        else from_on
    end as from_on
from history
where until_on is null or until_on > from_on

-- table retention_cohorts
-- New clients some time (by default 90 days) after their first completed appointment, and whether they stayed
with visits as (select tenant_id, client_id, on_date from {schema}."appointments" where completed),
firsts as (
    select v.tenant_id, v.client_id, min(v.on_date) as first_on, min(v.on_date) + min(p.retention_days) as judged_on
    from visits as v
    join {schema}."stg_practices" as p on p.tenant_id = v.tenant_id
    group by v.tenant_id, v.client_id
),
returned as (
    select v.tenant_id, v.client_id
    from visits as v
    join firsts as f on f.tenant_id = v.tenant_id and f.client_id = v.client_id
    where v.on_date between f.judged_on - 30 and f.judged_on
    group by v.tenant_id, v.client_id
)
select
    f.tenant_id, k.clinician_id, f.judged_on as on_date, f.client_id as row_id,
    r.client_id is not null and exists (
        select 1 from {schema}."stg_client_activity" as a
        where a.tenant_id = f.tenant_id and a.client_id = f.client_id
            and a.from_on <= f.judged_on and (a.until_on is null or a.until_on > f.judged_on)
    ) as retained
from firsts as f
join {schema}."stg_client_versions" as c on c.tenant_id = f.tenant_id and c.client_id = f.client_id
    and c.dated_from_on <= f.judged_on and c.until_on > f.judged_on
join {schema}."stg_practices" as p on p.tenant_id = f.tenant_id
left join {schema}."stg_primary_clinicians" as k on k.tenant_id = f.tenant_id and k.client_id = f.client_id
    and k.from_on <= f.judged_on and k.until_on > f.judged_on
left join returned as r on r.tenant_id = f.tenant_id and r.client_id = f.client_id
where c.admitted_on >= f.first_on - 30 and f.judged_on <= p.last_day

-- table client_spans
-- Active clients in spans of days in which nothing changes, with all conditions that hold
with conditions as (
    select * from {schema}."client_conditions" where from_on is not null and (until_on is null or until_on > from_on)
),
ends as (
    select tenant_id, client_id, kind, from_on as on_date, 1 as step from conditions
    union all
    select tenant_id, client_id, kind, until_on, -1 from conditions where until_on is not null
    union all
    -- cut where the primary clinician changes
    select tenant_id, client_id, 'clinician', from_on, 0 from {schema}."stg_primary_clinicians"
    union all
    select tenant_id, client_id, 'clinician', until_on, 0 from {schema}."stg_primary_clinicians"
),
steps as (
    select
        tenant_id, client_id, on_date,
        sum(case when kind = 'active' then step else 0 end) as active,
        sum(case when kind = 'high_risk' then step else 0 end) as high_risk,
        sum(case when kind = 'minor' then step else 0 end) as minor,
        sum(case when kind = 'portal' then step else 0 end) as portal,
        sum(case when kind = 'covered' then step else 0 end) as covered,
        sum(case when kind = 'self_pay' then step else 0 end) as self_pay,
        sum(case when kind = 'complete_demographics' then step else 0 end) as complete_demographics,
        sum(case when kind = 'verified' then step else 0 end) as verified,
        sum(case when kind = 'INFORMED_TREATMENT' then step else 0 end) as informed_treatment,
        sum(case when kind = 'GUARDIAN' then step else 0 end) as guardian,
        sum(case when kind = 'plan_reviewed' then step else 0 end) as plan_reviewed,
        sum(case when kind = 'safety_plan' then step else 0 end) as safety_plan
    from ends
    group by tenant_id, client_id, on_date
),
spans as (
    select
        tenant_id, client_id, on_date as from_on, lead(on_date) over client as until_on,
        sum(active) over client > 0 as active,
        sum(high_risk) over client > 0 as high_risk,
        sum(minor) over client > 0 as minor,
        sum(portal) over client > 0 as portal,
        sum(covered) over client > 0 as covered,
        sum(self_pay) over client > 0 as self_pay,
        sum(complete_demographics) over client > 0 as complete_demographics,
        sum(verified) over client > 0 as verified,
        sum(informed_treatment) over client > 0 as informed_treatment,
        sum(guardian) over client > 0 as guardian,
        sum(plan_reviewed) over client > 0 as plan_reviewed,
        sum(safety_plan) over client > 0 as safety_plan
    from steps
    window client as (partition by tenant_id, client_id order by on_date)
)
select
    s.tenant_id, s.client_id as row_id, c.clinician_id, s.from_on, s.until_on,
    s.high_risk, s.minor, s.portal, s.covered, s.verified, s.plan_reviewed, s.safety_plan,
    s.informed_treatment, s.guardian, s.self_pay, s.complete_demographics
from spans as s
left join {schema}."stg_primary_clinicians" as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
    and c.from_on <= s.from_on and c.until_on > s.from_on
where s.active

-- table client_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when true then case when complete_demographics and (self_pay or covered) then 1 else 0 end end) as complete_demographics_rate_n,
        sum(case when true then 1 end) as complete_demographics_rate_d,
        sum(case when true then case when informed_treatment then 1 else 0 end end) as informed_consent_currency_n,
        sum(case when true then 1 end) as informed_consent_currency_d,
        sum(case when not self_pay and covered then case when verified then 1 else 0 end end) as insurance_accuracy_rate_n,
        sum(case when not self_pay and covered then 1 end) as insurance_accuracy_rate_d,
        sum(case when minor then case when guardian then 1 else 0 end end) as minor_consent_compliance_n,
        sum(case when minor then 1 end) as minor_consent_compliance_d,
        sum(case when true then case when portal then 1 else 0 end end) as portal_adoption_rate_n,
        sum(case when true then 1 end) as portal_adoption_rate_d,
        sum(case when high_risk then case when safety_plan then 1 else 0 end end) as safety_plan_compliance_n,
        sum(case when high_risk then 1 end) as safety_plan_compliance_d,
        sum(case when true then case when plan_reviewed then 1 else 0 end end) as treatment_plan_currency_n,
        sum(case when true then 1 end) as treatment_plan_currency_d
    from {schema}."client_spans"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when true then case when complete_demographics and (self_pay or covered) then 1 else 0 end end),
        -sum(case when true then 1 end),
        -sum(case when true then case when informed_treatment then 1 else 0 end end),
        -sum(case when true then 1 end),
        -sum(case when not self_pay and covered then case when verified then 1 else 0 end end),
        -sum(case when not self_pay and covered then 1 end),
        -sum(case when minor then case when guardian then 1 else 0 end end),
        -sum(case when minor then 1 end),
        -sum(case when true then case when portal then 1 else 0 end end),
        -sum(case when true then 1 end),
        -sum(case when high_risk then case when safety_plan then 1 else 0 end end),
        -sum(case when high_risk then 1 end),
        -sum(case when true then case when plan_reviewed then 1 else 0 end end),
        -sum(case when true then 1 end)
    from {schema}."client_spans"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(complete_demographics_rate_n) over clinician as complete_demographics_rate_n, sum(complete_demographics_rate_d) over clinician as complete_demographics_rate_d,
        sum(informed_consent_currency_n) over clinician as informed_consent_currency_n, sum(informed_consent_currency_d) over clinician as informed_consent_currency_d,
        sum(insurance_accuracy_rate_n) over clinician as insurance_accuracy_rate_n, sum(insurance_accuracy_rate_d) over clinician as insurance_accuracy_rate_d,
        sum(minor_consent_compliance_n) over clinician as minor_consent_compliance_n, sum(minor_consent_compliance_d) over clinician as minor_consent_compliance_d,
        sum(portal_adoption_rate_n) over clinician as portal_adoption_rate_n, sum(portal_adoption_rate_d) over clinician as portal_adoption_rate_d,
        sum(safety_plan_compliance_n) over clinician as safety_plan_compliance_n, sum(safety_plan_compliance_d) over clinician as safety_plan_compliance_d,
        sum(treatment_plan_currency_n) over clinician as treatment_plan_currency_n, sum(treatment_plan_currency_d) over clinician as treatment_plan_currency_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(complete_demographics_rate_n), 0) as complete_demographics_rate_n, coalesce(sum(complete_demographics_rate_d), 0) as complete_demographics_rate_d,
            coalesce(sum(informed_consent_currency_n), 0) as informed_consent_currency_n, coalesce(sum(informed_consent_currency_d), 0) as informed_consent_currency_d,
            coalesce(sum(insurance_accuracy_rate_n), 0) as insurance_accuracy_rate_n, coalesce(sum(insurance_accuracy_rate_d), 0) as insurance_accuracy_rate_d,
            coalesce(sum(minor_consent_compliance_n), 0) as minor_consent_compliance_n, coalesce(sum(minor_consent_compliance_d), 0) as minor_consent_compliance_d,
            coalesce(sum(portal_adoption_rate_n), 0) as portal_adoption_rate_n, coalesce(sum(portal_adoption_rate_d), 0) as portal_adoption_rate_d,
            coalesce(sum(safety_plan_compliance_n), 0) as safety_plan_compliance_n, coalesce(sum(safety_plan_compliance_d), 0) as safety_plan_compliance_d,
            coalesce(sum(treatment_plan_currency_n), 0) as treatment_plan_currency_n, coalesce(sum(treatment_plan_currency_d), 0) as treatment_plan_currency_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.complete_demographics_rate_n, c.complete_demographics_rate_d, c.informed_consent_currency_n, c.informed_consent_currency_d, c.insurance_accuracy_rate_n, c.insurance_accuracy_rate_d, c.minor_consent_compliance_n, c.minor_consent_compliance_d, c.portal_adoption_rate_n, c.portal_adoption_rate_d, c.safety_plan_compliance_n, c.safety_plan_compliance_d, c.treatment_plan_currency_n, c.treatment_plan_currency_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(complete_demographics_rate_n, 0) as complete_demographics_rate_n, coalesce(complete_demographics_rate_d, 0) as complete_demographics_rate_d,
        coalesce(informed_consent_currency_n, 0) as informed_consent_currency_n, coalesce(informed_consent_currency_d, 0) as informed_consent_currency_d,
        coalesce(insurance_accuracy_rate_n, 0) as insurance_accuracy_rate_n, coalesce(insurance_accuracy_rate_d, 0) as insurance_accuracy_rate_d,
        coalesce(minor_consent_compliance_n, 0) as minor_consent_compliance_n, coalesce(minor_consent_compliance_d, 0) as minor_consent_compliance_d,
        coalesce(portal_adoption_rate_n, 0) as portal_adoption_rate_n, coalesce(portal_adoption_rate_d, 0) as portal_adoption_rate_d,
        coalesce(safety_plan_compliance_n, 0) as safety_plan_compliance_n, coalesce(safety_plan_compliance_d, 0) as safety_plan_compliance_d,
        coalesce(treatment_plan_currency_n, 0) as treatment_plan_currency_n, coalesce(treatment_plan_currency_d, 0) as treatment_plan_currency_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, complete_demographics_rate_n, complete_demographics_rate_d, informed_consent_currency_n, informed_consent_currency_d, insurance_accuracy_rate_n, insurance_accuracy_rate_d, minor_consent_compliance_n, minor_consent_compliance_d, portal_adoption_rate_n, portal_adoption_rate_d, safety_plan_compliance_n, safety_plan_compliance_d, treatment_plan_currency_n, treatment_plan_currency_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -complete_demographics_rate_n, -complete_demographics_rate_d, -informed_consent_currency_n, -informed_consent_currency_d, -insurance_accuracy_rate_n, -insurance_accuracy_rate_d, -minor_consent_compliance_n, -minor_consent_compliance_d, -portal_adoption_rate_n, -portal_adoption_rate_d, -safety_plan_compliance_n, -safety_plan_compliance_d, -treatment_plan_currency_n, -treatment_plan_currency_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(complete_demographics_rate_n))::bigint as complete_demographics_rate_n,
    (sum(complete_demographics_rate_d))::bigint as complete_demographics_rate_d,
    (sum(informed_consent_currency_n))::bigint as informed_consent_currency_n,
    (sum(informed_consent_currency_d))::bigint as informed_consent_currency_d,
    (sum(insurance_accuracy_rate_n))::bigint as insurance_accuracy_rate_n,
    (sum(insurance_accuracy_rate_d))::bigint as insurance_accuracy_rate_d,
    (sum(minor_consent_compliance_n))::bigint as minor_consent_compliance_n,
    (sum(minor_consent_compliance_d))::bigint as minor_consent_compliance_d,
    (sum(portal_adoption_rate_n))::bigint as portal_adoption_rate_n,
    (sum(portal_adoption_rate_d))::bigint as portal_adoption_rate_d,
    (sum(safety_plan_compliance_n))::bigint as safety_plan_compliance_n,
    (sum(safety_plan_compliance_d))::bigint as safety_plan_compliance_d,
    (sum(treatment_plan_currency_n))::bigint as treatment_plan_currency_n,
    (sum(treatment_plan_currency_d))::bigint as treatment_plan_currency_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table client_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(complete_demographics_rate_n) over entity)::bigint as complete_demographics_rate_n,
    (sum(complete_demographics_rate_d) over entity)::bigint as complete_demographics_rate_d,
    (sum(informed_consent_currency_n) over entity)::bigint as informed_consent_currency_n,
    (sum(informed_consent_currency_d) over entity)::bigint as informed_consent_currency_d,
    (sum(insurance_accuracy_rate_n) over entity)::bigint as insurance_accuracy_rate_n,
    (sum(insurance_accuracy_rate_d) over entity)::bigint as insurance_accuracy_rate_d,
    (sum(minor_consent_compliance_n) over entity)::bigint as minor_consent_compliance_n,
    (sum(minor_consent_compliance_d) over entity)::bigint as minor_consent_compliance_d,
    (sum(portal_adoption_rate_n) over entity)::bigint as portal_adoption_rate_n,
    (sum(portal_adoption_rate_d) over entity)::bigint as portal_adoption_rate_d,
    (sum(safety_plan_compliance_n) over entity)::bigint as safety_plan_compliance_n,
    (sum(safety_plan_compliance_d) over entity)::bigint as safety_plan_compliance_d,
    (sum(treatment_plan_currency_n) over entity)::bigint as treatment_plan_currency_n,
    (sum(treatment_plan_currency_d) over entity)::bigint as treatment_plan_currency_d
from {schema}."client_steps"
where complete_demographics_rate_n <> 0 or complete_demographics_rate_d <> 0 or informed_consent_currency_n <> 0 or informed_consent_currency_d <> 0 or insurance_accuracy_rate_n <> 0 or insurance_accuracy_rate_d <> 0 or minor_consent_compliance_n <> 0 or minor_consent_compliance_d <> 0 or portal_adoption_rate_n <> 0 or portal_adoption_rate_d <> 0 or safety_plan_compliance_n <> 0 or safety_plan_compliance_d <> 0 or treatment_plan_currency_n <> 0 or treatment_plan_currency_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- view stg_hours
-- Hours in which clinicians can be booked: weekly windows, and exceptions on single days
with windows as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'availability_windows' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
exceptions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'availability_exceptions' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
),
voided as (
    select tenant_id, record_id from windows as v where v.is_last and (v.v ->> 'voided_at') is not null
)
select
    v.tenant_id,
    (v.v ->> 'clinician_id')::uuid as clinician_id,
    true as opens,
    (v.v ->> 'weekday')::smallint as weekday,
    (v.v ->> 'start_time')::time as start_time,
    (v.v ->> 'end_time')::time as end_time,
    greatest(v.dated_from_on, (v.v ->> 'effective_on')::date) as first_on,
    least(v.until_on - 1, (v.v ->> 'ends_on')::date) as last_on
from windows as v
left join voided as x on x.tenant_id = v.tenant_id and x.record_id = v.record_id
where x.record_id is null and v.until_on > v.dated_from_on
union all
select
    v.tenant_id,
    (v.v ->> 'clinician_id')::uuid,
    (v.v ->> 'available')::boolean,
    cast(null as smallint),
    (v.v ->> 'start_time')::time,
    (v.v ->> 'end_time')::time,
    (v.v ->> 'on_date')::date,
    (v.v ->> 'on_date')::date
from exceptions as v
where v.is_last and (v.v ->> 'voided_at') is null

-- table local_times
-- The local times at which hours begin and end, as instants of each day: converted once a day, not once a clinician
with hours as (select * from {schema}."stg_hours"),
times as (
    select tenant_id, start_time as local_time from hours
    union
    select tenant_id, end_time from hours
    union
    select tenant_id, time '09:00' from hours
    union
    select tenant_id, time '17:00' from hours
)
select d.tenant_id, d.on_date, t.local_time, min(case when z.until_at is null or greatest((case
        when (((d.on_date + t.local_time) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (d.on_date + t.local_time) then ((d.on_date + t.local_time) at time zone z.time_zone) - interval '1 hour'
        when (((d.on_date + t.local_time) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (d.on_date + t.local_time)
            then ((d.on_date + t.local_time) at time zone z.time_zone) - interval '30 minutes'
        else ((d.on_date + t.local_time) at time zone z.time_zone)
    end), z.from_at) < z.until_at then greatest((case
        when (((d.on_date + t.local_time) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (d.on_date + t.local_time) then ((d.on_date + t.local_time) at time zone z.time_zone) - interval '1 hour'
        when (((d.on_date + t.local_time) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (d.on_date + t.local_time)
            then ((d.on_date + t.local_time) at time zone z.time_zone) - interval '30 minutes'
        else ((d.on_date + t.local_time) at time zone z.time_zone)
    end), z.from_at) end) as instant
from {schema}."days" as d
join times as t on t.tenant_id = d.tenant_id and t.local_time is not null
join {schema}."stg_time_zones" as z on z.tenant_id = d.tenant_id
group by d.tenant_id, d.on_date, t.local_time

-- view stg_closures
-- Days on which a practice is closed
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'closures' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select distinct v.tenant_id, (v.v ->> 'closed_on')::date as closed_on
from versions as v
where v.is_last and (v.v ->> 'voided_at') is null

-- table clinician_hours
-- The spans of each clinician's day that can be booked: inside windows and openings, outside exceptions that close
with hours as (select * from {schema}."stg_hours"),
days as (
    select s.tenant_id, s.staff_id as clinician_id, d.on_date, d.starts_at, d.ends_at, d.weekday
    from {schema}."stg_staff" as s
    join {schema}."days" as d on d.tenant_id = s.tenant_id and d.on_date >= s.employed_from_on and d.on_date < s.employed_until_on
        and d.ends_at > d.starts_at -- the date line moved over some dates
    where exists (select 1 from hours as h where h.tenant_id = s.tenant_id and h.clinician_id = s.staff_id)
        and not exists (
            select 1 from {schema}."stg_closures" as c where c.tenant_id = s.tenant_id and c.closed_on = d.on_date
        )
),
times as (select * from {schema}."local_times"),
spans as (
    select
        d.tenant_id, d.clinician_id, d.on_date, d.weekday, h.opens,
        case when h.start_time is null then d.starts_at else b.instant end as starts_at,
        case when h.end_time is null then d.ends_at else e.instant end as ends_at
    from days as d
    join hours as h on h.tenant_id = d.tenant_id and h.clinician_id = d.clinician_id
        and (h.weekday is null or h.weekday = d.weekday)
        and (h.first_on is null or h.first_on <= d.on_date) and (h.last_on is null or h.last_on >= d.on_date)
    left join times as b on b.tenant_id = d.tenant_id and b.on_date = d.on_date and b.local_time = h.start_time
    left join times as e on e.tenant_id = d.tenant_id and e.on_date = d.on_date and e.local_time = h.end_time
),
steps as (
    select
        tenant_id, clinician_id, on_date, weekday, instant,
        sum(case when opens then step else 0 end) as opening,
        sum(case when opens then 0 else step end) as closing
    from (
        select *, starts_at as instant, 1 as step from spans where ends_at > starts_at
        union all
        select *, ends_at, -1 from spans where ends_at > starts_at
    ) as e
    group by tenant_id, clinician_id, on_date, weekday, instant
),
states as (
    select
        tenant_id, clinician_id, on_date, weekday, instant as starts_at, lead(instant) over day as ends_at,
        sum(opening) over day > 0 and sum(closing) over day = 0 as available
    from steps
    window day as (partition by tenant_id, clinician_id, on_date order by instant)
)
select
    s.tenant_id, s.clinician_id, s.on_date, s.starts_at, s.ends_at,
    greatest(s.starts_at, b.instant) as prime_starts_at,
    case when b.instant is not null then least(s.ends_at, e.instant) end as prime_ends_at
from states as s
left join times as b on b.tenant_id = s.tenant_id and b.on_date = s.on_date and b.local_time = time '09:00' and s.weekday between 1 and 4
left join times as e on e.tenant_id = s.tenant_id and e.on_date = s.on_date and e.local_time = time '17:00' and s.weekday between 1 and 4
where s.available

-- view stg_sign_ins
-- Days on which staff signed in
select distinct s.tenant_id, s.staff_id, (s.at at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket(s.at, p.zone_changes)] end))::date as on_date
from public."sign_ins" as s
join {schema}."stg_practices" as p on p.tenant_id = s.tenant_id
where s.at <= p.as_of

-- table clinician_days
-- Clinicians on each day with hours or appointments: minutes available and booked, whether due, whether signed in
with hours as (
    select
        *,
        (extract(epoch from ends_at - starts_at) * 1000000)::bigint as lasts_us,
        case when prime_ends_at > prime_starts_at then (extract(epoch from prime_ends_at - prime_starts_at) * 1000000)::bigint else 0 end as prime_lasts_us
    from {schema}."clinician_hours"
),
available as (
    select tenant_id, clinician_id, on_date, sum(lasts_us) as available_us, sum(prime_lasts_us) as prime_us
    from hours
    group by tenant_id, clinician_id, on_date
),
active as (select * from {schema}."appointments" where status not in ('CANCELLED', 'RESCHEDULED')),
-- one that passes midnight takes time of the next day too; it lasts 24 hours at most, and a day 23 at least
parts as (
    select tenant_id, clinician_id, on_date, starts_at, ends_at, true as begins from active
    union all
    select a.tenant_id, a.clinician_id, d.on_date, a.starts_at, a.ends_at, false
    from active as a
    cross join (values (1), (2)) as later (days)
    join {schema}."days" as d on d.tenant_id = a.tenant_id and d.on_date = a.on_date + later.days and d.starts_at < a.ends_at
),
-- a minute of overlapping appointments counts once: each begins where those before it have ended
appointments as (
    select
        tenant_id, clinician_id, on_date, begins, ends_at,
        greatest(starts_at, coalesce(max(ends_at) over (
            partition by tenant_id, clinician_id, on_date order by starts_at, ends_at
            rows between unbounded preceding and 1 preceding
        ), starts_at)) as starts_at
    from parts
),
scheduled as (
    select
        tenant_id, clinician_id, on_date, count(*) as scheduled,
        count(distinct case when completed then session_id end) as sessions
    from {schema}."appointments"
    where scheduled
    group by tenant_id, clinician_id, on_date
),
booked as (
    select
        a.tenant_id, a.clinician_id, a.on_date,
        max(case when a.begins then 1 else 0 end) = 1 as begins,
        sum(case
        when least(a.ends_at, h.ends_at) > greatest(a.starts_at, h.starts_at)
            and h.ends_at is not null
            then (extract(epoch from least(a.ends_at, h.ends_at) - greatest(a.starts_at, h.starts_at)) * 1000000)::bigint
        else 0
    end) as booked_us,
        sum(case
        when least(a.ends_at, h.prime_ends_at) > greatest(a.starts_at, h.prime_starts_at)
            and h.prime_ends_at is not null
            then (extract(epoch from least(a.ends_at, h.prime_ends_at) - greatest(a.starts_at, h.prime_starts_at)) * 1000000)::bigint
        else 0
    end) as prime_booked_us
    from appointments as a
    left join hours as h on h.tenant_id = a.tenant_id and h.clinician_id = a.clinician_id and h.on_date = a.on_date
    group by a.tenant_id, a.clinician_id, a.on_date
)
select
    d.tenant_id, s.staff_id as clinician_id, d.on_date, s.staff_id as row_id, d.on_date <= p.today as until_today,
    coalesce(c.scheduled, 0) as scheduled,
    coalesce(c.sessions, 0) as sessions,
    (coalesce(h.available_us, 0))::bigint as available_us,
    (case when h.available_us > 0 then coalesce(b.booked_us, 0) else 0 end)::bigint as booked_us,
    (coalesce(h.prime_us, 0))::bigint as prime_us,
    (case when h.prime_us > 0 then coalesce(b.prime_booked_us, 0) else 0 end)::bigint as prime_booked_us,
    s.is_clinician and d.on_date >= s.employed_from_on and d.on_date < s.employed_until_on
    and (coalesce(h.available_us, 0) > 0 or coalesce(b.begins, false)) as due,
    i.on_date is not null as signed_in
from {schema}."stg_staff" as s
join {schema}."stg_practices" as p on p.tenant_id = s.tenant_id
join {schema}."days" as d on d.tenant_id = s.tenant_id and d.on_date >= s.from_on and d.on_date < s.until_on
left join available as h on h.tenant_id = s.tenant_id and h.clinician_id = s.staff_id and h.on_date = d.on_date
left join booked as b on b.tenant_id = s.tenant_id and b.clinician_id = s.staff_id and b.on_date = d.on_date
left join scheduled as c on c.tenant_id = s.tenant_id and c.clinician_id = s.staff_id and c.on_date = d.on_date
left join {schema}."stg_sign_ins" as i on i.tenant_id = s.tenant_id and i.staff_id = s.staff_id and i.on_date = d.on_date
where h.on_date is not null or b.on_date is not null or c.on_date is not null

-- table clinician_day_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when due and until_today then case when signed_in then 1 else 0 end end) as daily_active_clinicians_n,
        sum(case when due and until_today then 1 end) as daily_active_clinicians_d,
        sum(case when prime_us > 0 then prime_booked_us end) as prime_time_utilization_n,
        sum(case when prime_us > 0 then prime_us end) as prime_time_utilization_d,
        sum(case when available_us > 0 then booked_us end) as schedule_fill_rate_n,
        sum(case when available_us > 0 then available_us end) as schedule_fill_rate_d,
        sum(case when scheduled > 0 then sessions end) as sessions_per_day_n,
        sum(case when scheduled > 0 then 1 end) as sessions_per_day_d
    from {schema}."clinician_days"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.daily_active_clinicians_n))::bigint as daily_active_clinicians_n,
    (sum(d.daily_active_clinicians_d))::bigint as daily_active_clinicians_d,
    (sum(d.prime_time_utilization_n))::bigint as prime_time_utilization_n,
    (sum(d.prime_time_utilization_d))::bigint as prime_time_utilization_d,
    (sum(d.schedule_fill_rate_n))::bigint as schedule_fill_rate_n,
    (sum(d.schedule_fill_rate_d))::bigint as schedule_fill_rate_d,
    (sum(d.sessions_per_day_n))::bigint as sessions_per_day_n,
    (sum(d.sessions_per_day_d))::bigint as sessions_per_day_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(daily_active_clinicians_n))::bigint,
    (sum(daily_active_clinicians_d))::bigint,
    (sum(prime_time_utilization_n))::bigint,
    (sum(prime_time_utilization_d))::bigint,
    (sum(schedule_fill_rate_n))::bigint,
    (sum(schedule_fill_rate_d))::bigint,
    (sum(sessions_per_day_n))::bigint,
    (sum(sessions_per_day_d))::bigint
from days
group by tenant_id, on_date

-- view receivables
-- Amounts that make up receivables, each from a day until another: charges while they are not void, less postings on them
with charges as (
    select c.*, c.service_date + p.receivable_days as average_until_on
    from {schema}."charges" as c
    join {schema}."stg_practices" as p on p.tenant_id = c.tenant_id
)
select tenant_id, clinician_id, row_id, 'balance' as part, known_on as from_on, void_on as until_on, amount_cents as amount
from charges
union all
select c.tenant_id, c.clinician_id, c.row_id, 'balance', greatest(c.known_on, o.posted_on), c.void_on, -o.amount_cents
from charges as c
join {schema}."stg_postings" as o on o.tenant_id = c.tenant_id and o.charge_id = c.charge_id
union all
select tenant_id, clinician_id, row_id, 'recent', greatest(known_on, service_date), least(average_until_on, void_on), amount_cents
from charges
union all
-- from the day on which a charge is old enough, the average is over all days of the window
select tenant_id, clinician_id, row_id, 'old', greatest(known_on, average_until_on - 1), void_on, 1
from charges

-- table periods
-- Every period that has begun by as_of, with t and D as the dictionary defines them
with days as (select * from {schema}."days" where has_begun),
p as (select * from {schema}."stg_practices"),
periods as (
    select tenant_id, 'day' as period_kind, on_date as period_start, on_date + 1 as period_end from days
    union
    select tenant_id, 'week', week_on, week_on + 7 from days
    union
    select tenant_id, 'month', month_on, (month_on + interval '1 month')::date from days
    union
    select tenant_id, 'quarter', quarter_on, (quarter_on + interval '3 months')::date from days
)
select
    k.tenant_id, k.period_kind, k.period_start, k.period_end,
    least(k.period_end - 1, p.last_day) as last_on,
    p.as_of < min(case when z.until_at is null or greatest((case
        when (((k.period_end::timestamp) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (k.period_end::timestamp) then ((k.period_end::timestamp) at time zone z.time_zone) - interval '1 hour'
        when (((k.period_end::timestamp) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (k.period_end::timestamp)
            then ((k.period_end::timestamp) at time zone z.time_zone) - interval '30 minutes'
        else ((k.period_end::timestamp) at time zone z.time_zone)
    end), z.from_at) < z.until_at then greatest((case
        when (((k.period_end::timestamp) at time zone z.time_zone) - interval '1 hour') at time zone z.time_zone = (k.period_end::timestamp) then ((k.period_end::timestamp) at time zone z.time_zone) - interval '1 hour'
        when (((k.period_end::timestamp) at time zone z.time_zone) - interval '30 minutes') at time zone z.time_zone = (k.period_end::timestamp)
            then ((k.period_end::timestamp) at time zone z.time_zone) - interval '30 minutes'
        else ((k.period_end::timestamp) at time zone z.time_zone)
    end), z.from_at) end) as is_running
from periods as k
join p on p.tenant_id = k.tenant_id
join {schema}."stg_time_zones" as z on z.tenant_id = k.tenant_id
group by k.tenant_id, k.period_kind, k.period_start, k.period_end, p.last_day, p.as_of

-- table days_of_periods
-- The days of each period that has begun
select d.tenant_id, d.on_date, p.period_kind, p.period_start, p.last_on
from {schema}."days" as d
join {schema}."periods" as p on p.tenant_id = d.tenant_id and p.period_kind = 'day' and p.period_start = d.on_date
union all
select d.tenant_id, d.on_date, p.period_kind, p.period_start, p.last_on
from {schema}."days" as d
join {schema}."periods" as p on p.tenant_id = d.tenant_id and p.period_kind = 'week' and p.period_start = d.week_on
union all
select d.tenant_id, d.on_date, p.period_kind, p.period_start, p.last_on
from {schema}."days" as d
join {schema}."periods" as p on p.tenant_id = d.tenant_id and p.period_kind = 'month' and p.period_start = d.month_on
union all
select d.tenant_id, d.on_date, p.period_kind, p.period_start, p.last_on
from {schema}."days" as d
join {schema}."periods" as p on p.tenant_id = d.tenant_id and p.period_kind = 'quarter' and p.period_start = d.quarter_on

-- table discipline_spans
-- Clients seen lately (by default in the last 90 days), in spans of days with the number of disciplines that saw them
with visits as (
    select
        a.tenant_id, a.client_id, s.discipline,
        greatest(a.on_date, (case when a.status_at <= p.as_of then ((a.status_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.status_at - interval '1 microsecond'), p.zone_changes)] end))::date end), (case when a.created_at <= p.as_of then ((a.created_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.created_at - interval '1 microsecond'), p.zone_changes)] end))::date end)) as from_on,
        a.on_date + p.interdisciplinary_days as until_on
    from {schema}."appointments" as a
    join {schema}."stg_practices" as p on p.tenant_id = a.tenant_id
    join {schema}."stg_staff" as s on s.tenant_id = a.tenant_id and s.staff_id = a.clinician_id
        and s.from_on <= a.on_date and s.until_on > a.on_date
    where a.status = 'COMPLETED'
),
-- visits to one discipline that follow closely enough join into one span
marked as (
    select
        *,
        max(until_on) over (
            partition by tenant_id, client_id, discipline order by from_on, until_on
            rows between unbounded preceding and 1 preceding
        ) >= from_on as continues
    from visits
    where until_on > from_on
),
numbered as (
    select
        *,
        sum(case when continues then 0 else 1 end) over (
            partition by tenant_id, client_id, discipline order by from_on, until_on rows unbounded preceding
        ) as span_number
    from marked
),
joined as (
    select tenant_id, client_id, discipline, min(from_on) as from_on, max(until_on) as until_on
    from numbered
    group by tenant_id, client_id, discipline, span_number
),
steps as (
    select tenant_id, client_id, on_date, sum(step) as visits, sum(case when discipline is not null then step else 0 end) as disciplines
    from (
        select tenant_id, client_id, discipline, from_on as on_date, 1 as step from joined
        union all
        select tenant_id, client_id, discipline, until_on, -1 from joined
        union all
        -- cut where the primary clinician changes
        select tenant_id, client_id, null, from_on, 0 from {schema}."stg_primary_clinicians"
    ) as e
    group by tenant_id, client_id, on_date
),
spans as (
    select
        tenant_id, client_id, on_date as from_on, lead(on_date) over client as until_on,
        sum(visits) over client as visits, sum(disciplines) over client as disciplines
    from steps
    window client as (partition by tenant_id, client_id order by on_date)
)
select s.tenant_id, c.clinician_id, s.client_id as row_id, s.from_on, s.until_on, s.disciplines
from spans as s
left join {schema}."stg_primary_clinicians" as c on c.tenant_id = s.tenant_id and c.client_id = s.client_id
    and c.from_on <= s.from_on and c.until_on > s.from_on
where s.visits > 0

-- table discipline_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when true then case when disciplines >= 2 then 1 else 0 end end) as interdisciplinary_rate_n,
        sum(case when true then 1 end) as interdisciplinary_rate_d
    from {schema}."discipline_spans"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when true then case when disciplines >= 2 then 1 else 0 end end),
        -sum(case when true then 1 end)
    from {schema}."discipline_spans"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(interdisciplinary_rate_n) over clinician as interdisciplinary_rate_n, sum(interdisciplinary_rate_d) over clinician as interdisciplinary_rate_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(interdisciplinary_rate_n), 0) as interdisciplinary_rate_n, coalesce(sum(interdisciplinary_rate_d), 0) as interdisciplinary_rate_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.interdisciplinary_rate_n, c.interdisciplinary_rate_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(interdisciplinary_rate_n, 0) as interdisciplinary_rate_n, coalesce(interdisciplinary_rate_d, 0) as interdisciplinary_rate_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, interdisciplinary_rate_n, interdisciplinary_rate_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -interdisciplinary_rate_n, -interdisciplinary_rate_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(interdisciplinary_rate_n))::bigint as interdisciplinary_rate_n,
    (sum(interdisciplinary_rate_d))::bigint as interdisciplinary_rate_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table discipline_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(interdisciplinary_rate_n) over entity)::bigint as interdisciplinary_rate_n,
    (sum(interdisciplinary_rate_d) over entity)::bigint as interdisciplinary_rate_d
from {schema}."discipline_steps"
where interdisciplinary_rate_n <> 0 or interdisciplinary_rate_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- table entities
-- The practice, clinicians and teams, with the spans of days in which they have values
with staff as (select * from {schema}."stg_staff")
select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, '' as external_id, cast(null as date) as from_on, cast(null as date) as until_on
from {schema}."stg_practices"
union all
select tenant_id, 'clinician', staff_id, external_id, employed_from_on, employed_until_on
from staff
where is_clinician and (employed_until_on is null or employed_until_on > employed_from_on)
union all
select distinct
    s.tenant_id, 'team', s.staff_id, s.external_id,
    greatest(s.employed_from_on, m.from_on), least(s.employed_until_on, m.until_on)
from staff as s
join staff as m on m.tenant_id = s.tenant_id and m.supervisor_id = s.staff_id
where greatest(s.employed_from_on, m.from_on) < least(s.employed_until_on, m.until_on)

-- table entity_members_and_practice
-- The members of each clinician, team and practice, from a day until another
select tenant_id, entity_kind, entity_id, clinician_id, from_on, until_on from {schema}."entity_members"
union all
select distinct tenant_id, 'practice', tenant_id, staff_id, date '0001-01-01', date '9999-01-01' from {schema}."stg_staff"

-- view entity_periods
-- Each entity and period with values: the periods that have begun, in which the entity existed
select distinct
    e.tenant_id, e.entity_kind, e.entity_id, e.external_id, p.period_kind, p.period_start, p.period_end, p.last_on, p.is_running
from {schema}."entities" as e
join {schema}."stg_practices" as w on w.tenant_id = e.tenant_id
join {schema}."periods" as p on p.tenant_id = e.tenant_id and p.last_on >= w.judged_from_on and p.last_on < w.judged_until_on
    and (e.from_on is null or e.from_on < p.period_end) and (e.until_on is null or e.until_on > p.period_start)

-- table remittance_claims
-- Remittance claims by the day on which their file was received. The records of remittances fill it.
select tenant_id, cast(null as uuid) as clinician_id, claim_id as row_id, submitted_on as received_on, false as matched_by_rule
from {schema}."stg_claims"
where false

-- view stg_trainings
-- Trainings of staff, as they were known at as_of
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'trainings' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    v.tenant_id,
    v.record_id as training_id,
    (v.v ->> 'staff_id')::uuid as staff_id,
    (v.v ->> 'kind') as kind,
    (v.v ->> 'completed_on')::date as completed_on
from versions as v
where v.is_last and (v.v ->> 'voided_at') is null

-- table staff_spans
-- Active staff in spans of days in which nothing changes, trained or not
with conditions as (
    select tenant_id, staff_id, 'active' as kind, employed_from_on as from_on, employed_until_on as until_on from {schema}."stg_staff"
    union all
    select t.tenant_id, t.staff_id, 'trained', t.completed_on, t.completed_on + p.hipaa_training_days + 1
    from {schema}."stg_trainings" as t
    join {schema}."stg_practices" as p on p.tenant_id = t.tenant_id
    where t.kind = 'HIPAA'
),
ends as (
    select tenant_id, staff_id, kind, from_on as on_date, 1 as step from conditions where until_on is null or until_on > from_on
    union all
    select tenant_id, staff_id, kind, until_on, -1 from conditions where until_on > from_on
),
steps as (
    select
        tenant_id, staff_id, on_date,
        sum(case when kind = 'active' then step else 0 end) as active,
        sum(case when kind = 'trained' then step else 0 end) as trained
    from ends
    group by tenant_id, staff_id, on_date
),
spans as (
    select
        tenant_id, staff_id, on_date as from_on, lead(on_date) over person as until_on,
        sum(active) over person > 0 as active, sum(trained) over person > 0 as trained
    from steps
    window person as (partition by tenant_id, staff_id order by on_date)
)
select tenant_id, staff_id as clinician_id, staff_id as row_id, from_on, until_on, trained
from spans
where active

-- table incident_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when true then responded_after_us end) as breach_response_hours_n,
        sum(case when true then 1 end) as breach_response_hours_d
    from {schema}."incidents"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.breach_response_hours_n))::bigint as breach_response_hours_n,
    (sum(d.breach_response_hours_d))::bigint as breach_response_hours_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(breach_response_hours_n))::bigint,
    (sum(breach_response_hours_d))::bigint
from days
group by tenant_id, on_date

-- view matured_charges
-- Charges some time (by default 90 days) after their service, and the money and contractual adjustments that were posted on them
with charges as (
    select c.*, c.service_date + p.collection_days as on_date
    from {schema}."charges" as c
    join {schema}."stg_practices" as p on p.tenant_id = c.tenant_id
    where c.service_date + p.collection_days <= p.last_day
)
select tenant_id, clinician_id, on_date, row_id, known_on as from_on, void_on as until_on, 0 as paid_cents, amount_cents as due_cents
from charges
union all
select
    c.tenant_id, c.clinician_id, c.on_date, c.row_id, greatest(c.known_on, o.posted_on), c.void_on,
    case when o.kind = 'MONEY' then o.amount_cents else 0 end,
    case when o.kind = 'CO' then -o.amount_cents else 0 end
from charges as c
join {schema}."stg_postings" as o on o.tenant_id = c.tenant_id and o.charge_id = c.charge_id
where o.kind in ('MONEY', 'CO')

-- table late_matured_charges
-- Charges and postings that count in a period only if they were known by its end. The others add up from their days.
select
    m.tenant_id, e.entity_kind, e.entity_id, d.period_kind, d.period_start,
    (sum(m.paid_cents))::bigint as numerator, (sum(m.due_cents))::bigint as denominator
from {schema}."matured_charges" as m
join {schema}."days_of_periods" as d on d.tenant_id = m.tenant_id and d.on_date = m.on_date
    and d.last_on >= m.from_on and (m.until_on is null or d.last_on < m.until_on)
join {schema}."entity_members_and_practice" as e on e.tenant_id = m.tenant_id and e.clinician_id = m.clinician_id
    and e.from_on <= m.on_date and e.until_on > m.on_date
where not (m.from_on <= m.on_date and m.until_on is null)
group by 1, 2, 3, 4, 5

-- table matured_charge_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when from_on <= on_date and until_on is null then paid_cents end) as net_collection_rate_n,
        sum(case when from_on <= on_date and until_on is null then due_cents end) as net_collection_rate_d
    from {schema}."matured_charges"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.net_collection_rate_n))::bigint as net_collection_rate_n,
    (sum(d.net_collection_rate_d))::bigint as net_collection_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(net_collection_rate_n))::bigint,
    (sum(net_collection_rate_d))::bigint
from days
group by tenant_id, on_date

-- table receivable_days
-- The number of days over which charges are averaged, on days on which no charge of an entity is old enough for all of them
with members as (select * from {schema}."entity_members_and_practice"),
-- those of a clinician on one day count together
same_charges as (
    select tenant_id, clinician_id, service_date, known_on, void_on, count(*) as charges
    from {schema}."charges"
    group by tenant_id, clinician_id, service_date, known_on, void_on
),
charges as (
    select
        m.tenant_id, m.entity_kind, m.entity_id, c.service_date, c.charges,
        greatest(c.known_on, m.from_on) as known_on, least(c.void_on, m.until_on) as void_on,
        greatest(c.known_on, c.service_date + p.receivable_days - 1, m.from_on) as old_on
    from same_charges as c
    join {schema}."stg_practices" as p on p.tenant_id = c.tenant_id
    join members as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
    where least(c.void_on, m.until_on) > greatest(c.known_on, m.from_on)
),
steps as (
    select tenant_id, entity_kind, entity_id, on_date, sum(step) as step
    from (
        select tenant_id, entity_kind, entity_id, old_on as on_date, charges as step from charges where void_on is null or void_on > old_on
        union all
        select tenant_id, entity_kind, entity_id, void_on, -charges from charges where void_on > old_on
        union all
        select tenant_id, entity_kind, entity_id, min(known_on), 0 from charges group by tenant_id, entity_kind, entity_id
    ) as e
    group by tenant_id, entity_kind, entity_id, on_date
),
states as (
    select
        tenant_id, entity_kind, entity_id, on_date as from_on,
        coalesce(lead(on_date) over entity, date '9999-01-01') as until_on, sum(step) over entity as old_charges
    from steps
    window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)
),
-- few days: the first ones of a practice
young_days as (
    select s.tenant_id, s.entity_kind, s.entity_id, d.on_date
    from states as s
    join {schema}."days" as d on d.tenant_id = s.tenant_id and d.has_begun and d.on_date >= s.from_on and d.on_date < s.until_on
    where s.old_charges = 0
),
young_charges as (
    select c.tenant_id, c.entity_kind, c.entity_id, c.service_date, c.known_on, c.void_on
    from charges as c
    join (
        select tenant_id, entity_kind, entity_id, max(on_date) as last_on from young_days group by tenant_id, entity_kind, entity_id
    ) as l on l.tenant_id = c.tenant_id and l.entity_kind = c.entity_kind and l.entity_id = c.entity_id and c.known_on <= l.last_on
    group by c.tenant_id, c.entity_kind, c.entity_id, c.service_date, c.known_on, c.void_on
)
select d.tenant_id, d.entity_kind, d.entity_id, d.on_date, d.on_date - min(c.service_date) + 1 as days
from young_days as d
join young_charges as c on c.tenant_id = d.tenant_id and c.entity_kind = d.entity_kind and c.entity_id = d.entity_id
    and c.known_on <= d.on_date and (c.void_on is null or c.void_on > d.on_date)
group by d.tenant_id, d.entity_kind, d.entity_id, d.on_date

-- table receivable_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when part <> 'old' then case part when 'balance' then amount else 0 end end) as days_in_ar_n,
        sum(case when part <> 'old' then case part when 'recent' then amount else 0 end end) as days_in_ar_d
    from {schema}."receivables"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when part <> 'old' then case part when 'balance' then amount else 0 end end),
        -sum(case when part <> 'old' then case part when 'recent' then amount else 0 end end)
    from {schema}."receivables"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(days_in_ar_n) over clinician as days_in_ar_n, sum(days_in_ar_d) over clinician as days_in_ar_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(days_in_ar_n), 0) as days_in_ar_n, coalesce(sum(days_in_ar_d), 0) as days_in_ar_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.days_in_ar_n, c.days_in_ar_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(days_in_ar_n, 0) as days_in_ar_n, coalesce(days_in_ar_d, 0) as days_in_ar_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, days_in_ar_n, days_in_ar_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -days_in_ar_n, -days_in_ar_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(days_in_ar_n))::bigint as days_in_ar_n,
    (sum(days_in_ar_d))::bigint as days_in_ar_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table receivable_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(days_in_ar_n) over entity)::bigint as days_in_ar_n,
    (sum(days_in_ar_d) over entity)::bigint as days_in_ar_d
from {schema}."receivable_steps"
where days_in_ar_n <> 0 or days_in_ar_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- table remittance_claim_sums
with days as (
    select
        tenant_id, clinician_id, received_on as on_date,
        sum(case when true then case when matched_by_rule then 1 else 0 end end) as era_auto_match_rate_n,
        sum(case when true then 1 end) as era_auto_match_rate_d
    from {schema}."remittance_claims"
    where received_on is not null
    group by tenant_id, clinician_id, received_on
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.era_auto_match_rate_n))::bigint as era_auto_match_rate_n,
    (sum(d.era_auto_match_rate_d))::bigint as era_auto_match_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(era_auto_match_rate_n))::bigint,
    (sum(era_auto_match_rate_d))::bigint
from days
group by tenant_id, on_date

-- table retention_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when true then case when retained then 1 else 0 end end) as client_retention_90d_n,
        sum(case when true then 1 end) as client_retention_90d_d
    from {schema}."retention_cohorts"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.client_retention_90d_n))::bigint as client_retention_90d_n,
    (sum(d.client_retention_90d_d))::bigint as client_retention_90d_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(client_retention_90d_n))::bigint,
    (sum(client_retention_90d_d))::bigint
from days
group by tenant_id, on_date

-- table staff_steps
with ends as (
    select tenant_id, clinician_id, from_on as on_date,
        sum(case when true then case when trained then 1 else 0 end end) as hipaa_training_current_n,
        sum(case when true then 1 end) as hipaa_training_current_d
    from {schema}."staff_spans"
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on,
        -sum(case when true then case when trained then 1 else 0 end end),
        -sum(case when true then 1 end)
    from {schema}."staff_spans"
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),
-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on,
        sum(hipaa_training_current_n) over clinician as hipaa_training_current_n, sum(hipaa_training_current_d) over clinician as hipaa_training_current_d
    from (
        select tenant_id, clinician_id, on_date,
            coalesce(sum(hipaa_training_current_n), 0) as hipaa_training_current_n, coalesce(sum(hipaa_training_current_d), 0) as hipaa_training_current_d
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),
members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on, c.hipaa_training_current_n, c.hipaa_training_current_d
    from clinicians as c
    join {schema}."entity_members" as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),
changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date,
        coalesce(hipaa_training_current_n, 0) as hipaa_training_current_n, coalesce(hipaa_training_current_d, 0) as hipaa_training_current_d
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on, hipaa_training_current_n, hipaa_training_current_d
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on, -hipaa_training_current_n, -hipaa_training_current_d
    from members
    where until_on < date '9999-01-01'
)
select
    tenant_id, entity_kind, entity_id, on_date,
    (sum(hipaa_training_current_n))::bigint as hipaa_training_current_n,
    (sum(hipaa_training_current_d))::bigint as hipaa_training_current_d
from changes
group by tenant_id, entity_kind, entity_id, on_date

-- table staff_states
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on,
    (sum(hipaa_training_current_n) over entity)::bigint as hipaa_training_current_n,
    (sum(hipaa_training_current_d) over entity)::bigint as hipaa_training_current_d
from {schema}."staff_steps"
where hipaa_training_current_n <> 0 or hipaa_training_current_d <> 0
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)

-- table submitted_claim_sums
with days as (
    select
        tenant_id, clinician_id, submitted_on as on_date,
        sum(case when first_response is not null then case when first_response = 'ACCEPTED' then 1 else 0 end end) as claim_acceptance_rate_n,
        sum(case when first_response is not null then 1 end) as claim_acceptance_rate_d
    from {schema}."claims"
    where submitted_on is not null
    group by tenant_id, clinician_id, submitted_on
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.claim_acceptance_rate_n))::bigint as claim_acceptance_rate_n,
    (sum(d.claim_acceptance_rate_d))::bigint as claim_acceptance_rate_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(claim_acceptance_rate_n))::bigint,
    (sum(claim_acceptance_rate_d))::bigint
from days
group by tenant_id, on_date

-- view stg_supervision_sessions
-- Supervision sessions held by as_of, as they were known then
with versions as (
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else (case when r.known_at <= p.as_of then ((r.known_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((r.known_at - interval '1 microsecond'), p.zone_changes)] end))::date end) end as from_on
        from public."record_versions" as r
        join {schema}."stg_practices" as p on p.tenant_id = r.tenant_id
        where r.record_kind = 'supervision_sessions' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
)
select
    v.tenant_id,
    v.record_id as supervision_session_id,
    (v.v ->> 'supervisee_id')::uuid as supervisee_id,
    (v.v ->> 'held_at')::timestamptz as held_at,
    ((v.v ->> 'held_at')::timestamptz at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((v.v ->> 'held_at')::timestamptz, p.zone_changes)] end))::date as held_on,
    ((v.v ->> 'hours')::decimal(6, 2) * 100)::bigint as hundredths,
    case when (v.v ->> 'note_signed_at')::timestamptz <= p.as_of then (v.v ->> 'note_signed_at')::timestamptz end as note_signed_at
from versions as v
join {schema}."stg_practices" as p on p.tenant_id = v.tenant_id
where v.is_last and (v.v ->> 'held_at')::timestamptz <= p.as_of and (v.v ->> 'voided_at') is null

-- table supervision_sessions
-- Supervision sessions by supervisee
select
    s.tenant_id, s.supervision_session_id as row_id, s.supervisee_id as clinician_id, s.held_on as on_date, s.held_at,
    s.hundredths, s.note_signed_at,
    s.held_at + p.supervision_note_days * interval '24 hours' as note_due_at,
    s.held_at + p.supervision_note_days * interval '24 hours' <= p.as_of as note_due_passed
from {schema}."stg_supervision_sessions" as s
join {schema}."stg_practices" as p on p.tenant_id = s.tenant_id

-- table supervision_requirements
-- For each clinician, month and quarter: hours of supervision held, and the hours that the license requires
with periods as (select * from {schema}."periods" where period_kind in ('month', 'quarter')),
staff as (select * from {schema}."stg_staff"),
months as (
    select
        p.tenant_id, p.period_kind, p.period_start, p.last_on,
        m.month_on::date as from_on, (m.month_on + interval '1 month')::date as until_on
    from periods as p
    cross join lateral generate_series(
        p.period_start::timestamp, p.period_end::timestamp - interval '1 day', interval '1 month'
    ) as m (month_on)
),
-- months through which somebody was employed on every day
employed as (
    select m.tenant_id, s.staff_id, m.period_kind, m.period_start, m.last_on, least(m.until_on - 1, m.last_on) as judged_on
    from months as m
    join staff as s on s.tenant_id = m.tenant_id and s.employed_from_on < m.until_on and s.employed_until_on > m.from_on
    group by m.tenant_id, s.staff_id, m.period_kind, m.period_start, m.last_on, m.from_on, m.until_on
    having sum(least(s.employed_until_on, m.until_on) - greatest(s.employed_from_on, m.from_on)) = m.until_on - m.from_on
),
needed as (
    select
        e.tenant_id, e.staff_id, e.period_kind, e.period_start, e.last_on,
        sum(coalesce(g.value, case s.license_type when 'LPC' then 2 when 'APC' then 2 when 'LMSW' then 4 else 0 end)) as hours
    from employed as e
    join staff as s on s.tenant_id = e.tenant_id and s.staff_id = e.staff_id
        and s.from_on <= e.judged_on and s.until_on > e.judged_on and s.is_clinician
    left join {schema}."stg_settings" as g on g.tenant_id = e.tenant_id
        and g.key = 'supervision_hours_' || lower(s.license_type)
        and g.from_on <= e.last_on and (g.until_on is null or g.until_on > e.last_on)
    group by 1, 2, 3, 4, 5
),
held as (
    select s.tenant_id, s.clinician_id, p.period_kind, p.period_start, p.last_on, sum(s.hundredths) as hundredths
    from {schema}."supervision_sessions" as s
    join periods as p on p.tenant_id = s.tenant_id and s.on_date >= p.period_start and s.on_date < p.period_end
    group by 1, 2, 3, 4, 5
)
select
    coalesce(n.tenant_id, h.tenant_id) as tenant_id,
    coalesce(n.staff_id, h.clinician_id) as clinician_id,
    coalesce(n.period_kind, h.period_kind) as period_kind,
    coalesce(n.period_start, h.period_start) as period_start,
    coalesce(n.last_on, h.last_on) as last_on,
    (coalesce(h.hundredths, 0))::bigint as held_hundredths,
    (coalesce(n.hours, 0) * 100)::bigint as required_hundredths
from needed as n
full join held as h on h.tenant_id = n.tenant_id and h.clinician_id = n.staff_id
    and h.period_kind = n.period_kind and h.period_start = n.period_start

-- view supervision_hours
select tenant_id, 'clinician' as entity_kind, clinician_id as entity_id, period_kind, period_start, clinician_id as row_id,
    clinician_id, cast(null as date) as on_date, 0 as numerator, required_hundredths as denominator
from {schema}."supervision_requirements"
where required_hundredths > 0
union all
select s.tenant_id, 'clinician', s.clinician_id, d.period_kind, d.period_start, s.row_id, s.clinician_id, s.on_date, s.hundredths, 0
from {schema}."supervision_sessions" as s
join {schema}."days_of_periods" as d on d.tenant_id = s.tenant_id and d.on_date = s.on_date

-- view supervision_met_rate
select r.tenant_id, m.entity_kind, m.entity_id, r.period_kind, r.period_start, r.clinician_id as row_id, r.clinician_id,
    cast(null as date) as on_date, case when held_hundredths >= required_hundredths then 1 else 0 end as numerator, 1 as denominator
from {schema}."supervision_requirements" as r
join {schema}."entity_members_and_practice" as m on m.tenant_id = r.tenant_id and m.clinician_id = r.clinician_id
    and m.from_on <= r.last_on and m.until_on > r.last_on
where r.required_hundredths > 0 and m.entity_kind <> 'clinician'

-- table supervision_session_sums
with days as (
    select
        tenant_id, clinician_id, on_date as on_date,
        sum(case when note_due_passed then case when note_signed_at <= note_due_at then 1 else 0 end end) as supervision_note_timeliness_n,
        sum(case when note_due_passed then 1 end) as supervision_note_timeliness_d
    from {schema}."supervision_sessions"
    where on_date is not null
    group by tenant_id, clinician_id, on_date
)
select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date,
    (sum(d.supervision_note_timeliness_n))::bigint as supervision_note_timeliness_n,
    (sum(d.supervision_note_timeliness_d))::bigint as supervision_note_timeliness_d
from days as d
join {schema}."entity_members" as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date,
    (sum(supervision_note_timeliness_n))::bigint,
    (sum(supervision_note_timeliness_d))::bigint
from days
group by tenant_id, on_date

-- table telehealth_clients
-- Clients with a telehealth appointment in a period, and whether the first one of the period had a consent in force
with visits as (
    select
        a.tenant_id, a.clinician_id, a.client_id, a.on_date, a.row_id, a.starts_at,
        ((a.starts_at - interval '1 microsecond') at time zone (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket((a.starts_at - interval '1 microsecond'), p.zone_changes)] end))::date as before_on
    from {schema}."appointments" as a
    join {schema}."stg_practices" as p on p.tenant_id = a.tenant_id
    where a.scheduled and a.telehealth and a.status <> 'CANCELLED'
),
consented as (
    select distinct v.tenant_id, v.row_id
    from visits as v
    join {schema}."stg_consents" as c on c.tenant_id = v.tenant_id and c.client_id = v.client_id
        and c.is_last and c.kind = 'TELEHEALTH' and c.signed_at < v.starts_at and v.before_on < c.expires_on
        and (c.revoked_at is null or c.revoked_at >= v.starts_at)
),
ranked as (
    select
        v.tenant_id, m.entity_kind, m.entity_id, d.period_kind, d.period_start, v.client_id, v.clinician_id, v.on_date, v.row_id,
        row_number() over (
            partition by v.tenant_id, m.entity_kind, m.entity_id, d.period_kind, d.period_start, v.client_id
            order by v.starts_at, v.row_id
        ) as place
    from visits as v
    join {schema}."days_of_periods" as d on d.tenant_id = v.tenant_id and d.on_date = v.on_date
    join {schema}."entity_members_and_practice" as m on m.tenant_id = v.tenant_id and m.clinician_id = v.clinician_id
        and m.from_on <= v.on_date and m.until_on > v.on_date
)
select
    r.tenant_id, r.entity_kind, r.entity_id, r.period_kind, r.period_start, r.client_id, r.clinician_id, r.on_date, r.row_id,
    c.row_id is not null as consented
from ranked as r
left join consented as c on c.tenant_id = r.tenant_id and c.row_id = r.row_id
where r.place = 1

-- view telehealth_consent_compliance
select tenant_id, entity_kind, entity_id, period_kind, period_start, client_id as row_id, clinician_id, on_date,
    case when consented then 1 else 0 end as numerator, 1 as denominator
from {schema}."telehealth_clients"

-- table metric_sums
-- Numerators and denominators of all metrics, side by side, for each entity and week, month and quarter
with cells as (
    select * from {schema}."entity_periods" where period_kind in ('week', 'month', 'quarter')
)
select
    c.*,
    (coalesce(d2.avg_documentation_hours_n, 0))::bigint as avg_documentation_hours_n, (coalesce(d2.avg_documentation_hours_d, 0))::bigint as avg_documentation_hours_d,
    (coalesce(d2.avg_lead_time_days_n, 0))::bigint as avg_lead_time_days_n, (coalesce(d2.avg_lead_time_days_d, 0))::bigint as avg_lead_time_days_d,
    (coalesce(d2.avg_reimbursement_per_session_n, 0))::bigint as avg_reimbursement_per_session_n, (coalesce(d2.avg_reimbursement_per_session_d, 0))::bigint as avg_reimbursement_per_session_d,
    (coalesce(d2.avg_session_minutes_n, 0))::bigint as avg_session_minutes_n, (coalesce(d2.avg_session_minutes_d, 0))::bigint as avg_session_minutes_d,
    (coalesce(d2.billing_compliance_rate_n, 0))::bigint as billing_compliance_rate_n, (coalesce(d2.billing_compliance_rate_d, 0))::bigint as billing_compliance_rate_d,
    (coalesce(d5.breach_response_hours_n, 0))::bigint as breach_response_hours_n, (coalesce(d5.breach_response_hours_d, 0))::bigint as breach_response_hours_d,
    (coalesce(d2.cancellation_rate_n, 0))::bigint as cancellation_rate_n, (coalesce(d2.cancellation_rate_d, 0))::bigint as cancellation_rate_d,
    (coalesce(d3.charge_entry_lag_days_n, 0))::bigint as charge_entry_lag_days_n, (coalesce(d3.charge_entry_lag_days_d, 0))::bigint as charge_entry_lag_days_d,
    (coalesce(d2.check_in_minutes_n, 0))::bigint as check_in_minutes_n, (coalesce(d2.check_in_minutes_d, 0))::bigint as check_in_minutes_d,
    (coalesce(d9.claim_acceptance_rate_n, 0))::bigint as claim_acceptance_rate_n, (coalesce(d9.claim_acceptance_rate_d, 0))::bigint as claim_acceptance_rate_d,
    (coalesce(d8.client_retention_90d_n, 0))::bigint as client_retention_90d_n, (coalesce(d8.client_retention_90d_d, 0))::bigint as client_retention_90d_d,
    (coalesce(s1.clinicians_over_backlog_n, 0))::bigint as clinicians_over_backlog_n, (coalesce(s1.clinicians_over_backlog_d, 0))::bigint as clinicians_over_backlog_d,
    (coalesce(d3.collection_rate_n, 0))::bigint as collection_rate_n, (coalesce(d3.collection_rate_d, 0))::bigint as collection_rate_d,
    (coalesce(s2.complete_demographics_rate_n, 0))::bigint as complete_demographics_rate_n, (coalesce(s2.complete_demographics_rate_d, 0))::bigint as complete_demographics_rate_d,
    (coalesce(d2.crisis_intervention_rate_n, 0))::bigint as crisis_intervention_rate_n, (coalesce(d2.crisis_intervention_rate_d, 0))::bigint as crisis_intervention_rate_d,
    (coalesce(d4.daily_active_clinicians_n, 0))::bigint as daily_active_clinicians_n, (coalesce(d4.daily_active_clinicians_d, 0))::bigint as daily_active_clinicians_d,
    (coalesce(s4.days_in_ar_n, 0))::bigint as days_in_ar_n, (coalesce(s4.days_in_ar_d, 0))::bigint as days_in_ar_d,
    (coalesce(d1.denial_rate_n, 0))::bigint as denial_rate_n, (coalesce(d1.denial_rate_d, 0))::bigint as denial_rate_d,
    (coalesce(d7.era_auto_match_rate_n, 0))::bigint as era_auto_match_rate_n, (coalesce(d7.era_auto_match_rate_d, 0))::bigint as era_auto_match_rate_d,
    (coalesce(s5.hipaa_training_current_n, 0))::bigint as hipaa_training_current_n, (coalesce(s5.hipaa_training_current_d, 0))::bigint as hipaa_training_current_d,
    (coalesce(s2.informed_consent_currency_n, 0))::bigint as informed_consent_currency_n, (coalesce(s2.informed_consent_currency_d, 0))::bigint as informed_consent_currency_d,
    (coalesce(s2.insurance_accuracy_rate_n, 0))::bigint as insurance_accuracy_rate_n, (coalesce(s2.insurance_accuracy_rate_d, 0))::bigint as insurance_accuracy_rate_d,
    (coalesce(d2.insurance_verification_rate_n, 0))::bigint as insurance_verification_rate_n, (coalesce(d2.insurance_verification_rate_d, 0))::bigint as insurance_verification_rate_d,
    (coalesce(s3.interdisciplinary_rate_n, 0))::bigint as interdisciplinary_rate_n, (coalesce(s3.interdisciplinary_rate_d, 0))::bigint as interdisciplinary_rate_d,
    (coalesce(d2.kept_visit_rate_n, 0))::bigint as kept_visit_rate_n, (coalesce(d2.kept_visit_rate_d, 0))::bigint as kept_visit_rate_d,
    (coalesce(s2.minor_consent_compliance_n, 0))::bigint as minor_consent_compliance_n, (coalesce(s2.minor_consent_compliance_d, 0))::bigint as minor_consent_compliance_d,
    (coalesce(d6.net_collection_rate_n, 0) + coalesce(l.numerator, 0))::bigint as net_collection_rate_n,
    (coalesce(d6.net_collection_rate_d, 0) + coalesce(l.denominator, 0))::bigint as net_collection_rate_d,
    (coalesce(d2.no_show_rate_n, 0))::bigint as no_show_rate_n, (coalesce(d2.no_show_rate_d, 0))::bigint as no_show_rate_d,
    (coalesce(d2.notes_signed_within_7_days_rate_n, 0))::bigint as notes_signed_within_7_days_rate_n, (coalesce(d2.notes_signed_within_7_days_rate_d, 0))::bigint as notes_signed_within_7_days_rate_d,
    (coalesce(d2.online_booking_rate_n, 0))::bigint as online_booking_rate_n, (coalesce(d2.online_booking_rate_d, 0))::bigint as online_booking_rate_d,
    (coalesce(s2.portal_adoption_rate_n, 0))::bigint as portal_adoption_rate_n, (coalesce(s2.portal_adoption_rate_d, 0))::bigint as portal_adoption_rate_d,
    (coalesce(d4.prime_time_utilization_n, 0))::bigint as prime_time_utilization_n, (coalesce(d4.prime_time_utilization_d, 0))::bigint as prime_time_utilization_d,
    (coalesce(d2.rebook_rate_n, 0))::bigint as rebook_rate_n, (coalesce(d2.rebook_rate_d, 0))::bigint as rebook_rate_d,
    (coalesce(s2.safety_plan_compliance_n, 0))::bigint as safety_plan_compliance_n, (coalesce(s2.safety_plan_compliance_d, 0))::bigint as safety_plan_compliance_d,
    (coalesce(d2.same_day_documentation_rate_n, 0))::bigint as same_day_documentation_rate_n, (coalesce(d2.same_day_documentation_rate_d, 0))::bigint as same_day_documentation_rate_d,
    (coalesce(d4.schedule_fill_rate_n, 0))::bigint as schedule_fill_rate_n, (coalesce(d4.schedule_fill_rate_d, 0))::bigint as schedule_fill_rate_d,
    (coalesce(d4.sessions_per_day_n, 0))::bigint as sessions_per_day_n, (coalesce(d4.sessions_per_day_d, 0))::bigint as sessions_per_day_d,
    (coalesce(p1.numerator, 0))::bigint as supervision_hours_n, (coalesce(p1.denominator, 0))::bigint as supervision_hours_d,
    (coalesce(p2.numerator, 0))::bigint as supervision_met_rate_n, (coalesce(p2.denominator, 0))::bigint as supervision_met_rate_d,
    (coalesce(d10.supervision_note_timeliness_n, 0))::bigint as supervision_note_timeliness_n, (coalesce(d10.supervision_note_timeliness_d, 0))::bigint as supervision_note_timeliness_d,
    (coalesce(p3.numerator, 0))::bigint as telehealth_consent_compliance_n, (coalesce(p3.denominator, 0))::bigint as telehealth_consent_compliance_d,
    (coalesce(s2.treatment_plan_currency_n, 0))::bigint as treatment_plan_currency_n, (coalesce(s2.treatment_plan_currency_d, 0))::bigint as treatment_plan_currency_d,
    (coalesce(s6.unsigned_note_backlog_n, 0))::bigint as unsigned_note_backlog_n, (coalesce(s6.unsigned_note_backlog_d, 0))::bigint as unsigned_note_backlog_d,
    (coalesce(d2.weekly_deadline_rate_n, 0))::bigint as weekly_deadline_rate_n, (coalesce(d2.weekly_deadline_rate_d, 0))::bigint as weekly_deadline_rate_d,
    coalesce(r.days, w.receivable_days) as receivable_days
from cells as c
join {schema}."stg_practices" as w on w.tenant_id = c.tenant_id
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.denial_rate_n) as denial_rate_n, sum(s.denial_rate_d) as denial_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."adjudicated_claim_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d1 on d1.tenant_id = c.tenant_id and d1.entity_kind = c.entity_kind and d1.entity_id = c.entity_id
        and d1.period_kind = c.period_kind and d1.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.avg_documentation_hours_n) as avg_documentation_hours_n, sum(s.avg_documentation_hours_d) as avg_documentation_hours_d, sum(s.avg_lead_time_days_n) as avg_lead_time_days_n, sum(s.avg_lead_time_days_d) as avg_lead_time_days_d, sum(s.avg_reimbursement_per_session_n) as avg_reimbursement_per_session_n, sum(s.avg_reimbursement_per_session_d) as avg_reimbursement_per_session_d, sum(s.avg_session_minutes_n) as avg_session_minutes_n, sum(s.avg_session_minutes_d) as avg_session_minutes_d, sum(s.billing_compliance_rate_n) as billing_compliance_rate_n, sum(s.billing_compliance_rate_d) as billing_compliance_rate_d, sum(s.cancellation_rate_n) as cancellation_rate_n, sum(s.cancellation_rate_d) as cancellation_rate_d, sum(s.check_in_minutes_n) as check_in_minutes_n, sum(s.check_in_minutes_d) as check_in_minutes_d, sum(s.crisis_intervention_rate_n) as crisis_intervention_rate_n, sum(s.crisis_intervention_rate_d) as crisis_intervention_rate_d, sum(s.insurance_verification_rate_n) as insurance_verification_rate_n, sum(s.insurance_verification_rate_d) as insurance_verification_rate_d, sum(s.kept_visit_rate_n) as kept_visit_rate_n, sum(s.kept_visit_rate_d) as kept_visit_rate_d, sum(s.no_show_rate_n) as no_show_rate_n, sum(s.no_show_rate_d) as no_show_rate_d, sum(s.notes_signed_within_7_days_rate_n) as notes_signed_within_7_days_rate_n, sum(s.notes_signed_within_7_days_rate_d) as notes_signed_within_7_days_rate_d, sum(s.online_booking_rate_n) as online_booking_rate_n, sum(s.online_booking_rate_d) as online_booking_rate_d, sum(s.rebook_rate_n) as rebook_rate_n, sum(s.rebook_rate_d) as rebook_rate_d, sum(s.same_day_documentation_rate_n) as same_day_documentation_rate_n, sum(s.same_day_documentation_rate_d) as same_day_documentation_rate_d, sum(s.weekly_deadline_rate_n) as weekly_deadline_rate_n, sum(s.weekly_deadline_rate_d) as weekly_deadline_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."appointment_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d2 on d2.tenant_id = c.tenant_id and d2.entity_kind = c.entity_kind and d2.entity_id = c.entity_id
        and d2.period_kind = c.period_kind and d2.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.charge_entry_lag_days_n) as charge_entry_lag_days_n, sum(s.charge_entry_lag_days_d) as charge_entry_lag_days_d, sum(s.collection_rate_n) as collection_rate_n, sum(s.collection_rate_d) as collection_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."charge_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d3 on d3.tenant_id = c.tenant_id and d3.entity_kind = c.entity_kind and d3.entity_id = c.entity_id
        and d3.period_kind = c.period_kind and d3.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.daily_active_clinicians_n) as daily_active_clinicians_n, sum(s.daily_active_clinicians_d) as daily_active_clinicians_d, sum(s.prime_time_utilization_n) as prime_time_utilization_n, sum(s.prime_time_utilization_d) as prime_time_utilization_d, sum(s.schedule_fill_rate_n) as schedule_fill_rate_n, sum(s.schedule_fill_rate_d) as schedule_fill_rate_d, sum(s.sessions_per_day_n) as sessions_per_day_n, sum(s.sessions_per_day_d) as sessions_per_day_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."clinician_day_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d4 on d4.tenant_id = c.tenant_id and d4.entity_kind = c.entity_kind and d4.entity_id = c.entity_id
        and d4.period_kind = c.period_kind and d4.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.breach_response_hours_n) as breach_response_hours_n, sum(s.breach_response_hours_d) as breach_response_hours_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."incident_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d5 on d5.tenant_id = c.tenant_id and d5.entity_kind = c.entity_kind and d5.entity_id = c.entity_id
        and d5.period_kind = c.period_kind and d5.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.net_collection_rate_n) as net_collection_rate_n, sum(s.net_collection_rate_d) as net_collection_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."matured_charge_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d6 on d6.tenant_id = c.tenant_id and d6.entity_kind = c.entity_kind and d6.entity_id = c.entity_id
        and d6.period_kind = c.period_kind and d6.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.era_auto_match_rate_n) as era_auto_match_rate_n, sum(s.era_auto_match_rate_d) as era_auto_match_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."remittance_claim_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d7 on d7.tenant_id = c.tenant_id and d7.entity_kind = c.entity_kind and d7.entity_id = c.entity_id
        and d7.period_kind = c.period_kind and d7.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.client_retention_90d_n) as client_retention_90d_n, sum(s.client_retention_90d_d) as client_retention_90d_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."retention_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d8 on d8.tenant_id = c.tenant_id and d8.entity_kind = c.entity_kind and d8.entity_id = c.entity_id
        and d8.period_kind = c.period_kind and d8.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.claim_acceptance_rate_n) as claim_acceptance_rate_n, sum(s.claim_acceptance_rate_d) as claim_acceptance_rate_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."submitted_claim_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d9 on d9.tenant_id = c.tenant_id and d9.entity_kind = c.entity_kind and d9.entity_id = c.entity_id
        and d9.period_kind = c.period_kind and d9.period_start = c.period_start
left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, sum(s.supervision_note_timeliness_n) as supervision_note_timeliness_n, sum(s.supervision_note_timeliness_d) as supervision_note_timeliness_d from cells as e join {schema}."days_of_periods" as d on d.tenant_id = e.tenant_id and d.period_kind = e.period_kind and d.period_start = e.period_start join {schema}."supervision_session_sums" as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind and s.entity_id = e.entity_id and s.on_date = d.on_date group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as d10 on d10.tenant_id = c.tenant_id and d10.entity_kind = c.entity_kind and d10.entity_id = c.entity_id
        and d10.period_kind = c.period_kind and d10.period_start = c.period_start
left join lateral (
    select * from {schema}."backlog_alert_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s1 on true
left join lateral (
    select * from {schema}."client_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s2 on true
left join lateral (
    select * from {schema}."discipline_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s3 on true
left join lateral (
    select * from {schema}."receivable_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s4 on true
left join lateral (
    select * from {schema}."staff_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s5 on true
left join lateral (
    select * from {schema}."unsigned_session_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s6 on true
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."supervision_hours" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p1 on p1.tenant_id = c.tenant_id and p1.entity_kind = c.entity_kind and p1.entity_id = c.entity_id
        and p1.period_kind = c.period_kind and p1.period_start = c.period_start
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."supervision_met_rate" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p2 on p2.tenant_id = c.tenant_id and p2.entity_kind = c.entity_kind and p2.entity_id = c.entity_id
        and p2.period_kind = c.period_kind and p2.period_start = c.period_start
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."telehealth_consent_compliance" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p3 on p3.tenant_id = c.tenant_id and p3.entity_kind = c.entity_kind and p3.entity_id = c.entity_id
        and p3.period_kind = c.period_kind and p3.period_start = c.period_start
left join {schema}."late_matured_charges" as l on l.tenant_id = c.tenant_id and l.entity_kind = c.entity_kind and l.entity_id = c.entity_id
        and l.period_kind = c.period_kind and l.period_start = c.period_start
left join {schema}."receivable_days" as r on r.tenant_id = c.tenant_id and r.entity_kind = c.entity_kind and r.entity_id = c.entity_id
    and r.on_date = c.last_on

-- view metric_sums_of_days
-- The same for days
with cells as (
    select * from {schema}."entity_periods" where period_kind in ('day')
)
select
    c.*,
    (coalesce(d2.avg_documentation_hours_n, 0))::bigint as avg_documentation_hours_n, (coalesce(d2.avg_documentation_hours_d, 0))::bigint as avg_documentation_hours_d,
    (coalesce(d2.avg_lead_time_days_n, 0))::bigint as avg_lead_time_days_n, (coalesce(d2.avg_lead_time_days_d, 0))::bigint as avg_lead_time_days_d,
    (coalesce(d2.avg_reimbursement_per_session_n, 0))::bigint as avg_reimbursement_per_session_n, (coalesce(d2.avg_reimbursement_per_session_d, 0))::bigint as avg_reimbursement_per_session_d,
    (coalesce(d2.avg_session_minutes_n, 0))::bigint as avg_session_minutes_n, (coalesce(d2.avg_session_minutes_d, 0))::bigint as avg_session_minutes_d,
    (coalesce(d2.billing_compliance_rate_n, 0))::bigint as billing_compliance_rate_n, (coalesce(d2.billing_compliance_rate_d, 0))::bigint as billing_compliance_rate_d,
    (coalesce(d5.breach_response_hours_n, 0))::bigint as breach_response_hours_n, (coalesce(d5.breach_response_hours_d, 0))::bigint as breach_response_hours_d,
    (coalesce(d2.cancellation_rate_n, 0))::bigint as cancellation_rate_n, (coalesce(d2.cancellation_rate_d, 0))::bigint as cancellation_rate_d,
    (coalesce(d3.charge_entry_lag_days_n, 0))::bigint as charge_entry_lag_days_n, (coalesce(d3.charge_entry_lag_days_d, 0))::bigint as charge_entry_lag_days_d,
    (coalesce(d2.check_in_minutes_n, 0))::bigint as check_in_minutes_n, (coalesce(d2.check_in_minutes_d, 0))::bigint as check_in_minutes_d,
    (coalesce(d9.claim_acceptance_rate_n, 0))::bigint as claim_acceptance_rate_n, (coalesce(d9.claim_acceptance_rate_d, 0))::bigint as claim_acceptance_rate_d,
    (coalesce(d8.client_retention_90d_n, 0))::bigint as client_retention_90d_n, (coalesce(d8.client_retention_90d_d, 0))::bigint as client_retention_90d_d,
    (coalesce(s1.clinicians_over_backlog_n, 0))::bigint as clinicians_over_backlog_n, (coalesce(s1.clinicians_over_backlog_d, 0))::bigint as clinicians_over_backlog_d,
    (coalesce(d3.collection_rate_n, 0))::bigint as collection_rate_n, (coalesce(d3.collection_rate_d, 0))::bigint as collection_rate_d,
    (coalesce(s2.complete_demographics_rate_n, 0))::bigint as complete_demographics_rate_n, (coalesce(s2.complete_demographics_rate_d, 0))::bigint as complete_demographics_rate_d,
    (coalesce(d2.crisis_intervention_rate_n, 0))::bigint as crisis_intervention_rate_n, (coalesce(d2.crisis_intervention_rate_d, 0))::bigint as crisis_intervention_rate_d,
    (coalesce(d4.daily_active_clinicians_n, 0))::bigint as daily_active_clinicians_n, (coalesce(d4.daily_active_clinicians_d, 0))::bigint as daily_active_clinicians_d,
    (coalesce(s4.days_in_ar_n, 0))::bigint as days_in_ar_n, (coalesce(s4.days_in_ar_d, 0))::bigint as days_in_ar_d,
    (coalesce(d1.denial_rate_n, 0))::bigint as denial_rate_n, (coalesce(d1.denial_rate_d, 0))::bigint as denial_rate_d,
    (coalesce(d7.era_auto_match_rate_n, 0))::bigint as era_auto_match_rate_n, (coalesce(d7.era_auto_match_rate_d, 0))::bigint as era_auto_match_rate_d,
    (coalesce(s5.hipaa_training_current_n, 0))::bigint as hipaa_training_current_n, (coalesce(s5.hipaa_training_current_d, 0))::bigint as hipaa_training_current_d,
    (coalesce(s2.informed_consent_currency_n, 0))::bigint as informed_consent_currency_n, (coalesce(s2.informed_consent_currency_d, 0))::bigint as informed_consent_currency_d,
    (coalesce(s2.insurance_accuracy_rate_n, 0))::bigint as insurance_accuracy_rate_n, (coalesce(s2.insurance_accuracy_rate_d, 0))::bigint as insurance_accuracy_rate_d,
    (coalesce(d2.insurance_verification_rate_n, 0))::bigint as insurance_verification_rate_n, (coalesce(d2.insurance_verification_rate_d, 0))::bigint as insurance_verification_rate_d,
    (coalesce(s3.interdisciplinary_rate_n, 0))::bigint as interdisciplinary_rate_n, (coalesce(s3.interdisciplinary_rate_d, 0))::bigint as interdisciplinary_rate_d,
    (coalesce(d2.kept_visit_rate_n, 0))::bigint as kept_visit_rate_n, (coalesce(d2.kept_visit_rate_d, 0))::bigint as kept_visit_rate_d,
    (coalesce(s2.minor_consent_compliance_n, 0))::bigint as minor_consent_compliance_n, (coalesce(s2.minor_consent_compliance_d, 0))::bigint as minor_consent_compliance_d,
    (coalesce(d6.net_collection_rate_n, 0) + coalesce(l.numerator, 0))::bigint as net_collection_rate_n,
    (coalesce(d6.net_collection_rate_d, 0) + coalesce(l.denominator, 0))::bigint as net_collection_rate_d,
    (coalesce(d2.no_show_rate_n, 0))::bigint as no_show_rate_n, (coalesce(d2.no_show_rate_d, 0))::bigint as no_show_rate_d,
    (coalesce(d2.notes_signed_within_7_days_rate_n, 0))::bigint as notes_signed_within_7_days_rate_n, (coalesce(d2.notes_signed_within_7_days_rate_d, 0))::bigint as notes_signed_within_7_days_rate_d,
    (coalesce(d2.online_booking_rate_n, 0))::bigint as online_booking_rate_n, (coalesce(d2.online_booking_rate_d, 0))::bigint as online_booking_rate_d,
    (coalesce(s2.portal_adoption_rate_n, 0))::bigint as portal_adoption_rate_n, (coalesce(s2.portal_adoption_rate_d, 0))::bigint as portal_adoption_rate_d,
    (coalesce(d4.prime_time_utilization_n, 0))::bigint as prime_time_utilization_n, (coalesce(d4.prime_time_utilization_d, 0))::bigint as prime_time_utilization_d,
    (coalesce(d2.rebook_rate_n, 0))::bigint as rebook_rate_n, (coalesce(d2.rebook_rate_d, 0))::bigint as rebook_rate_d,
    (coalesce(s2.safety_plan_compliance_n, 0))::bigint as safety_plan_compliance_n, (coalesce(s2.safety_plan_compliance_d, 0))::bigint as safety_plan_compliance_d,
    (coalesce(d2.same_day_documentation_rate_n, 0))::bigint as same_day_documentation_rate_n, (coalesce(d2.same_day_documentation_rate_d, 0))::bigint as same_day_documentation_rate_d,
    (coalesce(d4.schedule_fill_rate_n, 0))::bigint as schedule_fill_rate_n, (coalesce(d4.schedule_fill_rate_d, 0))::bigint as schedule_fill_rate_d,
    (coalesce(d4.sessions_per_day_n, 0))::bigint as sessions_per_day_n, (coalesce(d4.sessions_per_day_d, 0))::bigint as sessions_per_day_d,
    (coalesce(p1.numerator, 0))::bigint as supervision_hours_n, (coalesce(p1.denominator, 0))::bigint as supervision_hours_d,
    (coalesce(p2.numerator, 0))::bigint as supervision_met_rate_n, (coalesce(p2.denominator, 0))::bigint as supervision_met_rate_d,
    (coalesce(d10.supervision_note_timeliness_n, 0))::bigint as supervision_note_timeliness_n, (coalesce(d10.supervision_note_timeliness_d, 0))::bigint as supervision_note_timeliness_d,
    (coalesce(p3.numerator, 0))::bigint as telehealth_consent_compliance_n, (coalesce(p3.denominator, 0))::bigint as telehealth_consent_compliance_d,
    (coalesce(s2.treatment_plan_currency_n, 0))::bigint as treatment_plan_currency_n, (coalesce(s2.treatment_plan_currency_d, 0))::bigint as treatment_plan_currency_d,
    (coalesce(s6.unsigned_note_backlog_n, 0))::bigint as unsigned_note_backlog_n, (coalesce(s6.unsigned_note_backlog_d, 0))::bigint as unsigned_note_backlog_d,
    (coalesce(d2.weekly_deadline_rate_n, 0))::bigint as weekly_deadline_rate_n, (coalesce(d2.weekly_deadline_rate_d, 0))::bigint as weekly_deadline_rate_d,
    coalesce(r.days, w.receivable_days) as receivable_days
from cells as c
join {schema}."stg_practices" as w on w.tenant_id = c.tenant_id
left join {schema}."adjudicated_claim_sums" as d1 on d1.tenant_id = c.tenant_id and d1.entity_kind = c.entity_kind and d1.entity_id = c.entity_id and d1.on_date = c.period_start
left join {schema}."appointment_sums" as d2 on d2.tenant_id = c.tenant_id and d2.entity_kind = c.entity_kind and d2.entity_id = c.entity_id and d2.on_date = c.period_start
left join {schema}."charge_sums" as d3 on d3.tenant_id = c.tenant_id and d3.entity_kind = c.entity_kind and d3.entity_id = c.entity_id and d3.on_date = c.period_start
left join {schema}."clinician_day_sums" as d4 on d4.tenant_id = c.tenant_id and d4.entity_kind = c.entity_kind and d4.entity_id = c.entity_id and d4.on_date = c.period_start
left join {schema}."incident_sums" as d5 on d5.tenant_id = c.tenant_id and d5.entity_kind = c.entity_kind and d5.entity_id = c.entity_id and d5.on_date = c.period_start
left join {schema}."matured_charge_sums" as d6 on d6.tenant_id = c.tenant_id and d6.entity_kind = c.entity_kind and d6.entity_id = c.entity_id and d6.on_date = c.period_start
left join {schema}."remittance_claim_sums" as d7 on d7.tenant_id = c.tenant_id and d7.entity_kind = c.entity_kind and d7.entity_id = c.entity_id and d7.on_date = c.period_start
left join {schema}."retention_sums" as d8 on d8.tenant_id = c.tenant_id and d8.entity_kind = c.entity_kind and d8.entity_id = c.entity_id and d8.on_date = c.period_start
left join {schema}."submitted_claim_sums" as d9 on d9.tenant_id = c.tenant_id and d9.entity_kind = c.entity_kind and d9.entity_id = c.entity_id and d9.on_date = c.period_start
left join {schema}."supervision_session_sums" as d10 on d10.tenant_id = c.tenant_id and d10.entity_kind = c.entity_kind and d10.entity_id = c.entity_id and d10.on_date = c.period_start
left join lateral (
    select * from {schema}."backlog_alert_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s1 on true
left join lateral (
    select * from {schema}."client_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s2 on true
left join lateral (
    select * from {schema}."discipline_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s3 on true
left join lateral (
    select * from {schema}."receivable_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s4 on true
left join lateral (
    select * from {schema}."staff_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s5 on true
left join lateral (
    select * from {schema}."unsigned_session_states" as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= c.last_on
    order by s.from_on desc limit 1
) as s6 on true
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."supervision_hours" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p1 on p1.tenant_id = c.tenant_id and p1.entity_kind = c.entity_kind and p1.entity_id = c.entity_id
        and p1.period_kind = c.period_kind and p1.period_start = c.period_start
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."supervision_met_rate" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p2 on p2.tenant_id = c.tenant_id and p2.entity_kind = c.entity_kind and p2.entity_id = c.entity_id
        and p2.period_kind = c.period_kind and p2.period_start = c.period_start
left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, (sum(numerator))::bigint as numerator, (sum(denominator))::bigint as denominator from {schema}."telehealth_consent_compliance" group by tenant_id, entity_kind, entity_id, period_kind, period_start) as p3 on p3.tenant_id = c.tenant_id and p3.entity_kind = c.entity_kind and p3.entity_id = c.entity_id
        and p3.period_kind = c.period_kind and p3.period_start = c.period_start
left join {schema}."late_matured_charges" as l on l.tenant_id = c.tenant_id and l.entity_kind = c.entity_kind and l.entity_id = c.entity_id
        and l.period_kind = c.period_kind and l.period_start = c.period_start
left join {schema}."receivable_days" as r on r.tenant_id = c.tenant_id and r.entity_kind = c.entity_kind and r.entity_id = c.entity_id
    and r.on_date = c.last_on

-- view metric_cells
-- Every metric of each entity and period, with value and status
with sums as (
    select * from {schema}."metric_sums"
    union all
    select * from {schema}."metric_sums_of_days"
),
valued as (
    select
        s.*,
        (case when ((s.avg_documentation_hours_d)::numeric * 3600000000) > 0 then round(((s.avg_documentation_hours_n)::numeric * 1) / ((s.avg_documentation_hours_d)::numeric * 3600000000), 2) end) as avg_documentation_hours_value,
        (case when ((s.avg_lead_time_days_d)::numeric * 1) > 0 then round(((s.avg_lead_time_days_n)::numeric * 1) / ((s.avg_lead_time_days_d)::numeric * 1), 2) end) as avg_lead_time_days_value,
        (case when ((s.avg_reimbursement_per_session_d)::numeric * 100) > 0 then round(((s.avg_reimbursement_per_session_n)::numeric * 1) / ((s.avg_reimbursement_per_session_d)::numeric * 100), 2) end) as avg_reimbursement_per_session_value,
        (case when ((s.avg_session_minutes_d)::numeric * 60000000) > 0 then round(((s.avg_session_minutes_n)::numeric * 1) / ((s.avg_session_minutes_d)::numeric * 60000000), 2) end) as avg_session_minutes_value,
        (case when ((s.billing_compliance_rate_d)::numeric * 1) > 0 then round((100 * (s.billing_compliance_rate_n)::numeric * 1) / ((s.billing_compliance_rate_d)::numeric * 1), 2) end) as billing_compliance_rate_value,
        (case when ((s.breach_response_hours_d)::numeric * 3600000000) > 0 then round(((s.breach_response_hours_n)::numeric * 1) / ((s.breach_response_hours_d)::numeric * 3600000000), 2) end) as breach_response_hours_value,
        (case when ((s.cancellation_rate_d)::numeric * 1) > 0 then round((100 * (s.cancellation_rate_n)::numeric * 1) / ((s.cancellation_rate_d)::numeric * 1), 2) end) as cancellation_rate_value,
        (case when ((s.charge_entry_lag_days_d)::numeric * 1) > 0 then round(((s.charge_entry_lag_days_n)::numeric * 1) / ((s.charge_entry_lag_days_d)::numeric * 1), 2) end) as charge_entry_lag_days_value,
        (case when ((s.check_in_minutes_d)::numeric * 60000000) > 0 then round(((s.check_in_minutes_n)::numeric * 1) / ((s.check_in_minutes_d)::numeric * 60000000), 2) end) as check_in_minutes_value,
        (case when ((s.claim_acceptance_rate_d)::numeric * 1) > 0 then round((100 * (s.claim_acceptance_rate_n)::numeric * 1) / ((s.claim_acceptance_rate_d)::numeric * 1), 2) end) as claim_acceptance_rate_value,
        (case when ((s.client_retention_90d_d)::numeric * 1) > 0 then round((100 * (s.client_retention_90d_n)::numeric * 1) / ((s.client_retention_90d_d)::numeric * 1), 2) end) as client_retention_90d_value,
        (case when ((s.collection_rate_d)::numeric * 100) > 0 then round((100 * (s.collection_rate_n)::numeric * 100) / ((s.collection_rate_d)::numeric * 100), 2) end) as collection_rate_value,
        (case when ((s.complete_demographics_rate_d)::numeric * 1) > 0 then round((100 * (s.complete_demographics_rate_n)::numeric * 1) / ((s.complete_demographics_rate_d)::numeric * 1), 2) end) as complete_demographics_rate_value,
        (case when ((s.crisis_intervention_rate_d)::numeric * 1) > 0 then round((100 * (s.crisis_intervention_rate_n)::numeric * 1) / ((s.crisis_intervention_rate_d)::numeric * 1), 2) end) as crisis_intervention_rate_value,
        (case when ((s.daily_active_clinicians_d)::numeric * 1) > 0 then round((100 * (s.daily_active_clinicians_n)::numeric * 1) / ((s.daily_active_clinicians_d)::numeric * 1), 2) end) as daily_active_clinicians_value,
        (case when ((s.days_in_ar_d)::numeric * 100) > 0 then round(((s.days_in_ar_n)::numeric * 100 * s.receivable_days) / ((s.days_in_ar_d)::numeric * 100), 1) end) as days_in_ar_value,
        (case when ((s.denial_rate_d)::numeric * 1) > 0 then round((100 * (s.denial_rate_n)::numeric * 1) / ((s.denial_rate_d)::numeric * 1), 2) end) as denial_rate_value,
        (case when ((s.era_auto_match_rate_d)::numeric * 1) > 0 then round((100 * (s.era_auto_match_rate_n)::numeric * 1) / ((s.era_auto_match_rate_d)::numeric * 1), 2) end) as era_auto_match_rate_value,
        (case when ((s.hipaa_training_current_d)::numeric * 1) > 0 then round((100 * (s.hipaa_training_current_n)::numeric * 1) / ((s.hipaa_training_current_d)::numeric * 1), 2) end) as hipaa_training_current_value,
        (case when ((s.informed_consent_currency_d)::numeric * 1) > 0 then round((100 * (s.informed_consent_currency_n)::numeric * 1) / ((s.informed_consent_currency_d)::numeric * 1), 2) end) as informed_consent_currency_value,
        (case when ((s.insurance_accuracy_rate_d)::numeric * 1) > 0 then round((100 * (s.insurance_accuracy_rate_n)::numeric * 1) / ((s.insurance_accuracy_rate_d)::numeric * 1), 2) end) as insurance_accuracy_rate_value,
        (case when ((s.insurance_verification_rate_d)::numeric * 1) > 0 then round((100 * (s.insurance_verification_rate_n)::numeric * 1) / ((s.insurance_verification_rate_d)::numeric * 1), 2) end) as insurance_verification_rate_value,
        (case when ((s.interdisciplinary_rate_d)::numeric * 1) > 0 then round((100 * (s.interdisciplinary_rate_n)::numeric * 1) / ((s.interdisciplinary_rate_d)::numeric * 1), 2) end) as interdisciplinary_rate_value,
        (case when ((s.kept_visit_rate_d)::numeric * 1) > 0 then round((100 * (s.kept_visit_rate_n)::numeric * 1) / ((s.kept_visit_rate_d)::numeric * 1), 2) end) as kept_visit_rate_value,
        (case when ((s.minor_consent_compliance_d)::numeric * 1) > 0 then round((100 * (s.minor_consent_compliance_n)::numeric * 1) / ((s.minor_consent_compliance_d)::numeric * 1), 2) end) as minor_consent_compliance_value,
        (case when ((s.net_collection_rate_d)::numeric * 100) > 0 then round((100 * (s.net_collection_rate_n)::numeric * 100) / ((s.net_collection_rate_d)::numeric * 100), 2) end) as net_collection_rate_value,
        (case when ((s.no_show_rate_d)::numeric * 1) > 0 then round((100 * (s.no_show_rate_n)::numeric * 1) / ((s.no_show_rate_d)::numeric * 1), 2) end) as no_show_rate_value,
        (case when ((s.notes_signed_within_7_days_rate_d)::numeric * 1) > 0 then round((100 * (s.notes_signed_within_7_days_rate_n)::numeric * 1) / ((s.notes_signed_within_7_days_rate_d)::numeric * 1), 2) end) as notes_signed_within_7_days_rate_value,
        (case when ((s.online_booking_rate_d)::numeric * 1) > 0 then round((100 * (s.online_booking_rate_n)::numeric * 1) / ((s.online_booking_rate_d)::numeric * 1), 2) end) as online_booking_rate_value,
        (case when ((s.portal_adoption_rate_d)::numeric * 1) > 0 then round((100 * (s.portal_adoption_rate_n)::numeric * 1) / ((s.portal_adoption_rate_d)::numeric * 1), 2) end) as portal_adoption_rate_value,
        (case when ((s.prime_time_utilization_d)::numeric * 60000000) > 0 then round((100 * (s.prime_time_utilization_n)::numeric * 60000000) / ((s.prime_time_utilization_d)::numeric * 60000000), 2) end) as prime_time_utilization_value,
        (case when ((s.rebook_rate_d)::numeric * 1) > 0 then round((100 * (s.rebook_rate_n)::numeric * 1) / ((s.rebook_rate_d)::numeric * 1), 2) end) as rebook_rate_value,
        (case when ((s.safety_plan_compliance_d)::numeric * 1) > 0 then round((100 * (s.safety_plan_compliance_n)::numeric * 1) / ((s.safety_plan_compliance_d)::numeric * 1), 2) end) as safety_plan_compliance_value,
        (case when ((s.same_day_documentation_rate_d)::numeric * 1) > 0 then round((100 * (s.same_day_documentation_rate_n)::numeric * 1) / ((s.same_day_documentation_rate_d)::numeric * 1), 2) end) as same_day_documentation_rate_value,
        (case when ((s.schedule_fill_rate_d)::numeric * 60000000) > 0 then round((100 * (s.schedule_fill_rate_n)::numeric * 60000000) / ((s.schedule_fill_rate_d)::numeric * 60000000), 2) end) as schedule_fill_rate_value,
        (case when ((s.sessions_per_day_d)::numeric * 1) > 0 then round(((s.sessions_per_day_n)::numeric * 1) / ((s.sessions_per_day_d)::numeric * 1), 2) end) as sessions_per_day_value,
        (case when (100) > 0 then round(((s.supervision_hours_n)::numeric) / (100), 2) end) as supervision_hours_value,
        (case when ((s.supervision_met_rate_d)::numeric * 1) > 0 then round((100 * (s.supervision_met_rate_n)::numeric * 1) / ((s.supervision_met_rate_d)::numeric * 1), 2) end) as supervision_met_rate_value,
        (case when ((s.supervision_note_timeliness_d)::numeric * 1) > 0 then round((100 * (s.supervision_note_timeliness_n)::numeric * 1) / ((s.supervision_note_timeliness_d)::numeric * 1), 2) end) as supervision_note_timeliness_value,
        (case when ((s.telehealth_consent_compliance_d)::numeric * 1) > 0 then round((100 * (s.telehealth_consent_compliance_n)::numeric * 1) / ((s.telehealth_consent_compliance_d)::numeric * 1), 2) end) as telehealth_consent_compliance_value,
        (case when ((s.treatment_plan_currency_d)::numeric * 1) > 0 then round((100 * (s.treatment_plan_currency_n)::numeric * 1) / ((s.treatment_plan_currency_d)::numeric * 1), 2) end) as treatment_plan_currency_value,
        (s.unsigned_note_backlog_n)::numeric as unsigned_note_backlog_value,
        (case when ((s.weekly_deadline_rate_d)::numeric * 1) > 0 then round((100 * (s.weekly_deadline_rate_n)::numeric * 1) / ((s.weekly_deadline_rate_d)::numeric * 1), 2) end) as weekly_deadline_rate_value
    from sums as s
)
select
    s.tenant_id, s.entity_kind, s.entity_id, s.external_id, s.period_kind, s.period_start, s.period_end, s.receivable_days,
    array[s.avg_documentation_hours_n, s.avg_lead_time_days_n, s.avg_reimbursement_per_session_n, s.avg_session_minutes_n, s.billing_compliance_rate_n, s.breach_response_hours_n, s.cancellation_rate_n, s.charge_entry_lag_days_n, s.check_in_minutes_n, s.claim_acceptance_rate_n, s.client_retention_90d_n, s.collection_rate_n, s.complete_demographics_rate_n, s.crisis_intervention_rate_n, s.daily_active_clinicians_n, s.days_in_ar_n, s.denial_rate_n, s.era_auto_match_rate_n, s.hipaa_training_current_n, s.informed_consent_currency_n, s.insurance_accuracy_rate_n, s.insurance_verification_rate_n, s.interdisciplinary_rate_n, s.kept_visit_rate_n, s.minor_consent_compliance_n, s.net_collection_rate_n, s.no_show_rate_n, s.notes_signed_within_7_days_rate_n, s.online_booking_rate_n, s.portal_adoption_rate_n, s.prime_time_utilization_n, s.rebook_rate_n, s.safety_plan_compliance_n, s.same_day_documentation_rate_n, s.schedule_fill_rate_n, s.sessions_per_day_n, s.supervision_hours_n, s.supervision_met_rate_n, s.supervision_note_timeliness_n, s.telehealth_consent_compliance_n, s.treatment_plan_currency_n, s.unsigned_note_backlog_n, s.weekly_deadline_rate_n] as numerators,
    array[s.avg_documentation_hours_d, s.avg_lead_time_days_d, s.avg_reimbursement_per_session_d, s.avg_session_minutes_d, s.billing_compliance_rate_d, s.breach_response_hours_d, s.cancellation_rate_d, s.charge_entry_lag_days_d, s.check_in_minutes_d, s.claim_acceptance_rate_d, s.client_retention_90d_d, s.collection_rate_d, s.complete_demographics_rate_d, s.crisis_intervention_rate_d, s.daily_active_clinicians_d, s.days_in_ar_d, s.denial_rate_d, s.era_auto_match_rate_d, s.hipaa_training_current_d, s.informed_consent_currency_d, s.insurance_accuracy_rate_d, s.insurance_verification_rate_d, s.interdisciplinary_rate_d, s.kept_visit_rate_d, s.minor_consent_compliance_d, s.net_collection_rate_d, s.no_show_rate_d, s.notes_signed_within_7_days_rate_d, s.online_booking_rate_d, s.portal_adoption_rate_d, s.prime_time_utilization_d, s.rebook_rate_d, s.safety_plan_compliance_d, s.same_day_documentation_rate_d, s.schedule_fill_rate_d, s.sessions_per_day_d, s.supervision_hours_d, s.supervision_met_rate_d, s.supervision_note_timeliness_d, s.telehealth_consent_compliance_d, s.treatment_plan_currency_d, s.unsigned_note_backlog_d, s.weekly_deadline_rate_d] as denominators,
    array[(s.avg_documentation_hours_value * 100)::bigint, (s.avg_lead_time_days_value * 100)::bigint, (s.avg_reimbursement_per_session_value * 100)::bigint, (s.avg_session_minutes_value * 100)::bigint, (s.billing_compliance_rate_value * 100)::bigint, (s.breach_response_hours_value * 100)::bigint, (s.cancellation_rate_value * 100)::bigint, (s.charge_entry_lag_days_value * 100)::bigint, (s.check_in_minutes_value * 100)::bigint, (s.claim_acceptance_rate_value * 100)::bigint, (s.client_retention_90d_value * 100)::bigint, (s.collection_rate_value * 100)::bigint, (s.complete_demographics_rate_value * 100)::bigint, (s.crisis_intervention_rate_value * 100)::bigint, (s.daily_active_clinicians_value * 100)::bigint, (s.days_in_ar_value * 100)::bigint, (s.denial_rate_value * 100)::bigint, (s.era_auto_match_rate_value * 100)::bigint, (s.hipaa_training_current_value * 100)::bigint, (s.informed_consent_currency_value * 100)::bigint, (s.insurance_accuracy_rate_value * 100)::bigint, (s.insurance_verification_rate_value * 100)::bigint, (s.interdisciplinary_rate_value * 100)::bigint, (s.kept_visit_rate_value * 100)::bigint, (s.minor_consent_compliance_value * 100)::bigint, (s.net_collection_rate_value * 100)::bigint, (s.no_show_rate_value * 100)::bigint, (s.notes_signed_within_7_days_rate_value * 100)::bigint, (s.online_booking_rate_value * 100)::bigint, (s.portal_adoption_rate_value * 100)::bigint, (s.prime_time_utilization_value * 100)::bigint, (s.rebook_rate_value * 100)::bigint, (s.safety_plan_compliance_value * 100)::bigint, (s.same_day_documentation_rate_value * 100)::bigint, (s.schedule_fill_rate_value * 100)::bigint, (s.sessions_per_day_value * 100)::bigint, (s.supervision_hours_value * 100)::bigint, (s.supervision_met_rate_value * 100)::bigint, (s.supervision_note_timeliness_value * 100)::bigint, (s.telehealth_consent_compliance_value * 100)::bigint, (s.treatment_plan_currency_value * 100)::bigint, (s.unsigned_note_backlog_value * 100)::bigint, (s.weekly_deadline_rate_value * 100)::bigint] as value_hundredths,
    concat(
        case
    when s.avg_documentation_hours_value is null then 'n'
    when s.avg_documentation_hours_value > b.avg_documentation_hours_alert_above then 'a'
    when s.avg_documentation_hours_value >= b.avg_documentation_hours_target_below then 'b'
    else 'o'
end,
        case
    when s.avg_lead_time_days_value is null then 'n'
    when s.avg_lead_time_days_value < b.avg_lead_time_days_alert_below then 'a'
    when s.avg_lead_time_days_value > b.avg_lead_time_days_alert_above then 'a'
    when s.avg_lead_time_days_value < b.avg_lead_time_days_target_at_least then 'b'
    when s.avg_lead_time_days_value > b.avg_lead_time_days_target_at_most then 'b'
    else 'o'
end,
        case
    when s.avg_reimbursement_per_session_value is null then 'n'
    when b.avg_reimbursement_per_session_target = 0 then 'i'
    when 10 * abs(s.avg_reimbursement_per_session_n - s.avg_reimbursement_per_session_d * b.avg_reimbursement_per_session_target) <= s.avg_reimbursement_per_session_d * b.avg_reimbursement_per_session_target then 'o'
    else 'a'
end,
        case
    when s.avg_session_minutes_value is null then 'n'
    else 'i'
end,
        case
    when s.billing_compliance_rate_value is null then 'n'
    when s.billing_compliance_rate_value < b.billing_compliance_rate_alert_below then 'a'
    when s.billing_compliance_rate_value < b.billing_compliance_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.entity_kind <> 'practice' then '-'
    when s.breach_response_hours_value is null then 'n'
    when s.breach_response_hours_value > b.breach_response_hours_alert_above then 'a'
    when s.breach_response_hours_value >= b.breach_response_hours_target_below then 'b'
    else 'o'
end,
        case
    when s.cancellation_rate_value is null then 'n'
    when s.cancellation_rate_value > b.cancellation_rate_alert_above then 'a'
    when s.cancellation_rate_value > b.cancellation_rate_target_at_most then 'b'
    else 'o'
end,
        case
    when s.charge_entry_lag_days_value is null then 'n'
    when s.charge_entry_lag_days_value > b.charge_entry_lag_days_alert_above then 'a'
    when s.charge_entry_lag_days_value >= b.charge_entry_lag_days_target_below then 'b'
    else 'o'
end,
        case
    when s.check_in_minutes_value is null then 'n'
    when s.check_in_minutes_value > b.check_in_minutes_alert_above then 'a'
    when s.check_in_minutes_value >= b.check_in_minutes_target_below then 'b'
    else 'o'
end,
        case
    when s.claim_acceptance_rate_value is null then 'n'
    when s.claim_acceptance_rate_value < b.claim_acceptance_rate_alert_below then 'a'
    when s.claim_acceptance_rate_value < b.claim_acceptance_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.client_retention_90d_value is null then 'n'
    when s.client_retention_90d_value < b.client_retention_90d_alert_below then 'a'
    when s.client_retention_90d_value < b.client_retention_90d_target_at_least then 'b'
    else 'o'
end,
        case
    when s.collection_rate_value is null then 'n'
    when s.collection_rate_value < b.collection_rate_alert_below then 'a'
    when s.collection_rate_value < b.collection_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.complete_demographics_rate_value is null then 'n'
    when s.complete_demographics_rate_value < b.complete_demographics_rate_alert_below then 'a'
    when s.complete_demographics_rate_value < b.complete_demographics_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.crisis_intervention_rate_value is null then 'n'
    when s.crisis_intervention_rate_value > b.crisis_intervention_rate_alert_above then 'a'
    when s.crisis_intervention_rate_value >= b.crisis_intervention_rate_target_below then 'b'
    else 'o'
end,
        case
    when s.entity_kind <> 'practice' then '-'
    when s.daily_active_clinicians_value is null then 'n'
    when s.daily_active_clinicians_value < b.daily_active_clinicians_target_at_least then 'b'
    else 'o'
end,
        case
    when s.days_in_ar_value is null then 'n'
    when s.days_in_ar_value > b.days_in_ar_alert_above then 'a'
    when s.days_in_ar_value >= b.days_in_ar_target_below then 'b'
    else 'o'
end,
        case
    when s.denial_rate_value is null then 'n'
    when s.denial_rate_value > b.denial_rate_alert_above then 'a'
    when s.denial_rate_value > b.denial_rate_target_at_most then 'b'
    else 'o'
end,
        case
    when s.entity_kind <> 'practice' then '-'
    when s.era_auto_match_rate_value is null then 'n'
    when s.era_auto_match_rate_value < b.era_auto_match_rate_alert_below then 'a'
    when s.era_auto_match_rate_value < b.era_auto_match_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.hipaa_training_current_value is null then 'n'
    when s.hipaa_training_current_value < b.hipaa_training_current_alert_below then 'a'
    when s.hipaa_training_current_value < b.hipaa_training_current_target_at_least then 'b'
    else 'o'
end,
        case
    when s.informed_consent_currency_value is null then 'n'
    when s.informed_consent_currency_value < b.informed_consent_currency_alert_below then 'a'
    when s.informed_consent_currency_value < b.informed_consent_currency_target_at_least then 'b'
    else 'o'
end,
        case
    when s.insurance_accuracy_rate_value is null then 'n'
    when s.insurance_accuracy_rate_value < b.insurance_accuracy_rate_alert_below then 'a'
    when s.insurance_accuracy_rate_value < b.insurance_accuracy_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.insurance_verification_rate_value is null then 'n'
    when s.insurance_verification_rate_value < b.insurance_verification_rate_alert_below then 'a'
    when s.insurance_verification_rate_value < b.insurance_verification_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.interdisciplinary_rate_value is null then 'n'
    when s.interdisciplinary_rate_value < b.interdisciplinary_rate_alert_below then 'a'
    when s.interdisciplinary_rate_value < b.interdisciplinary_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.kept_visit_rate_value is null then 'n'
    when s.kept_visit_rate_value < b.kept_visit_rate_alert_below then 'a'
    when s.kept_visit_rate_value < b.kept_visit_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.minor_consent_compliance_value is null then 'n'
    when s.minor_consent_compliance_value < b.minor_consent_compliance_alert_below then 'a'
    when s.minor_consent_compliance_value < b.minor_consent_compliance_target_at_least then 'b'
    else 'o'
end,
        case
    when s.net_collection_rate_value is null then 'n'
    when s.net_collection_rate_value < b.net_collection_rate_alert_below then 'a'
    when s.net_collection_rate_value < b.net_collection_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.no_show_rate_value is null then 'n'
    when s.no_show_rate_value > b.no_show_rate_alert_above then 'a'
    when s.no_show_rate_value > b.no_show_rate_target_at_most then 'b'
    else 'o'
end,
        case
    when s.notes_signed_within_7_days_rate_value is null then 'n'
    when s.notes_signed_within_7_days_rate_value < b.notes_signed_within_7_days_rate_alert_below then 'a'
    when s.notes_signed_within_7_days_rate_value < b.notes_signed_within_7_days_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.online_booking_rate_value is null then 'n'
    when s.online_booking_rate_value < b.online_booking_rate_alert_below then 'a'
    when s.online_booking_rate_value < b.online_booking_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.portal_adoption_rate_value is null then 'n'
    when s.portal_adoption_rate_value < b.portal_adoption_rate_alert_below then 'a'
    when s.portal_adoption_rate_value < b.portal_adoption_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.prime_time_utilization_value is null then 'n'
    when s.prime_time_utilization_value < b.prime_time_utilization_alert_below then 'a'
    when s.prime_time_utilization_value < b.prime_time_utilization_target_at_least then 'b'
    else 'o'
end,
        case
    when s.rebook_rate_value is null then 'n'
    when s.rebook_rate_value < b.rebook_rate_alert_below then 'a'
    when s.rebook_rate_value < b.rebook_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.safety_plan_compliance_value is null then 'n'
    when s.safety_plan_compliance_value < b.safety_plan_compliance_alert_below then 'a'
    when s.safety_plan_compliance_value < b.safety_plan_compliance_target_at_least then 'b'
    else 'o'
end,
        case
    when s.same_day_documentation_rate_value is null then 'n'
    when s.same_day_documentation_rate_value < b.same_day_documentation_rate_alert_below then 'a'
    when s.same_day_documentation_rate_value < b.same_day_documentation_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.schedule_fill_rate_value is null then 'n'
    when s.schedule_fill_rate_value < b.schedule_fill_rate_alert_below then 'a'
    when s.schedule_fill_rate_value < b.schedule_fill_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.sessions_per_day_value is null then 'n'
    when s.sessions_per_day_value < b.sessions_per_day_alert_below then 'a'
    when s.sessions_per_day_value > b.sessions_per_day_alert_above then 'a'
    when s.sessions_per_day_value < b.sessions_per_day_target_at_least then 'b'
    when s.sessions_per_day_value > b.sessions_per_day_target_at_most then 'b'
    else 'o'
end,
        case
    when s.entity_kind <> 'clinician' then '-'
    when s.period_kind in ('day', 'week') then '-'
    when s.supervision_hours_value is null then 'n'
    when s.supervision_hours_d = 0 or s.is_running then 'i'
    when s.supervision_hours_n >= s.supervision_hours_d then 'o'
    else 'a'
end,
        case
    when s.entity_kind = 'clinician' then '-'
    when s.period_kind in ('day', 'week') then '-'
    when s.supervision_met_rate_value is null then 'n'
    when s.is_running then 'i'
    when s.supervision_met_rate_value < b.supervision_met_rate_alert_below then 'a'
    when s.supervision_met_rate_value < b.supervision_met_rate_target_at_least then 'b'
    else 'o'
end,
        case
    when s.period_kind in ('day', 'week') then '-'
    when s.supervision_note_timeliness_value is null then 'n'
    when s.supervision_note_timeliness_value < b.supervision_note_timeliness_alert_below then 'a'
    when s.supervision_note_timeliness_value < b.supervision_note_timeliness_target_at_least then 'b'
    else 'o'
end,
        case
    when s.telehealth_consent_compliance_value is null then 'n'
    when s.telehealth_consent_compliance_value < b.telehealth_consent_compliance_alert_below then 'a'
    when s.telehealth_consent_compliance_value < b.telehealth_consent_compliance_target_at_least then 'b'
    else 'o'
end,
        case
    when s.treatment_plan_currency_value is null then 'n'
    when s.treatment_plan_currency_value < b.treatment_plan_currency_alert_below then 'a'
    when s.treatment_plan_currency_value < b.treatment_plan_currency_target_at_least then 'b'
    else 'o'
end,
        case
    when s.unsigned_note_backlog_value is null then 'n'
    when s.entity_kind <> 'clinician' and s.clinicians_over_backlog_n > 0 then 'a'
    when s.entity_kind = 'clinician' and s.unsigned_note_backlog_value > b.unsigned_note_backlog_alert_above then 'a'
    when s.unsigned_note_backlog_value > b.unsigned_note_backlog_target_at_most then 'b'
    else 'o'
end,
        case
    when s.weekly_deadline_rate_value is null then 'n'
    when s.weekly_deadline_rate_value < b.weekly_deadline_rate_alert_below then 'a'
    when s.weekly_deadline_rate_value < b.weekly_deadline_rate_target_at_least then 'b'
    else 'o'
end
    ) as statuses
from valued as s
join {schema}."metric_bounds" as b on b.tenant_id = s.tenant_id and b.from_on <= s.last_on and b.until_on > s.last_on
