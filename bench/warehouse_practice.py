"""A practice with five years of records that metrics rest on, created by statements that each fill a whole table.

The tables of the schedule, the notes and the money are filled by a superuser without triggers and references, as only
their rows count here. A practice of any size has five years: a tenth of the appointments are those of a tenth of the
clinicians and clients.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bench.five_years import CLOSURES, EXCEPTIONS, NOW, RATES, SERVICES, TODAY, WINDOWS, list_ids
from practice.people.practices import create_practice
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.ids import new_id

YEARS = 5
FIRST_DAY = date(TODAY.year - YEARS, TODAY.month, 1)
LAST_DAY = TODAY + timedelta(weeks=4)
APPOINTMENTS_PER_CLINICIAN = 10_000
CLIENTS_PER_CLINICIAN = 500
SUPERVISED = 10  # clinicians per supervisor

STAFF_DETAILS = text("""
    update staff as s set
        discipline = (array['PSYCHOLOGY', 'COUNSELING', 'SOCIAL_WORK'])[1 + p.n % 3],
        license_type = (array['LPC', 'APC', 'LCSW', 'LMSW'])[1 + p.n % 4],
        supervisor_id = (cast(:supervisors as uuid []))[1 + (p.n - 1) / :supervised]
    from unnest(cast(:people as uuid [])) with ordinality as p (id, n)
    where s.tenant_id = :tenant_id and s.id = p.id
""")
# Client number n belongs to clinician n mod :clinicians, and comes for about four months from `admitted_on` on.
CLIENTS = text("""
    insert into clients (
        tenant_id, id, external_id, first_name, last_name, birth_date, address, city, state, zip, phone,
        emergency_contact_name, emergency_contact_phone, self_pay, emancipated, primary_clinician_id, admitted_on,
        ended_on, high_risk_since, portal_activated_at, created_at
    )
    select
        :tenant_id, uuidv7(), 'c' || n, 'Ada', 'Client ' || n, date '1950-01-01' + (n * 37 % 22000)::integer,
        case when n % 11 > 0 then '1 Oak Street' end, 'Atlanta', 'GA', '30301', '404-555-0100', 'Robin', '404-555-0101',
        n % 3 = 0, false, (cast(:people as uuid []))[1 + n % :clinicians], admitted_on,
        case when n % 10 > 1 and admitted_on + 200 < cast(:today as date) then admitted_on + 200 end,
        case when n % 20 = 0 then admitted_on + 30 end,
        case when n % 5 < 3 then admitted_on + interval '10 days' end, :now
    from (
        select n, cast(:first as date) + (n / :clinicians * :days / :own_clients)::integer as admitted_on
        from generate_series(0, :clients - 1) as n
    ) as c
""")
PRIMARY_CLINICIANS = text("""
    insert into primary_clinicians (tenant_id, id, client_id, clinician_id, effective_on, set_at)
    select tenant_id, uuidv7(), id, primary_clinician_id, admitted_on, admitted_on
    from clients where tenant_id = :tenant_id
""")
CONSENTS = text("""
    insert into consents (tenant_id, id, client_id, kind, signed_at, signed_by_name)
    select tenant_id, uuidv7(), id, kind, admitted_on + interval '15 hours', 'Client'
    from clients, unnest(array['INFORMED_TREATMENT', 'TELEHEALTH']) with ordinality as k (kind, n)
    where tenant_id = :tenant_id and (n = 1 or self_pay)
""")
COVERAGES = text("""
    insert into coverages (
        tenant_id, id, client_id, rank, payer_id, payer_name, member_id, effective_on, verified_at, copay_cents
    )
    select
        tenant_id, uuidv7(), id, 1, 'P1', 'A payer', 'M' || external_id, admitted_on,
        admitted_on + interval '20 hours', 2500
    from clients where tenant_id = :tenant_id and not self_pay
""")
SUPERVISION = text("""
    insert into supervision_sessions (
        tenant_id, id, supervisee_id, supervisor_id, held_at, hours, kind, note_signed_at
    )
    select
        :tenant_id, uuidv7(), s.id, s.supervisor_id, day + interval '20 hours', 1, 'INDIVIDUAL',
        day + interval '26 hours'
    from staff as s, generate_series(cast(:first as date), cast(:today as date) - 1, interval '14 days') as day
    where s.tenant_id = :tenant_id and s.supervisor_id is not null
""")
SETTINGS = text("""
    insert into rule_settings (tenant_id, id, key, value, effective_on, set_at)
    select :tenant_id, uuidv7(), 'kept_visit_rate_target_at_least', to_jsonb(80 + n),
        date '2022-01-01' + (n * 300)::integer, '2021-12-01'
    from generate_series(1, 3) as n
""")
PREPARED = (SERVICES, RATES, WINDOWS, CLOSURES, EXCEPTIONS, STAFF_DETAILS, CLIENTS, PRIMARY_CLINICIANS, CONSENTS)
PREPARED += (COVERAGES, SUPERVISION, SETTINGS)

# `place` numbers the slots, and `hashint8extended(place, k) & 1023` is a number by chance, the same in each run.
APPOINTMENTS = """
    create temporary table numbered as
    select substr(external_id, 2)::integer as n, id from clients where tenant_id = %(tenant_id)s;

    insert into appointments (
        tenant_id, id, external_id, reference, client_id, clinician_id, service_id, starts_at, ends_at, type,
        status, status_at, created_at, booked_via, telehealth, guarded, arrived_at, ready_at, eligibility_verified_at
    )
    select
        %(tenant_id)s, uuidv7(), 'a' || place, 'BK-' || place, c.id, clinician_id, %(service_id)s, starts_at,
        starts_at + interval '45 minutes', 'THERAPY_SESSION',
        case
            when starts_at > %(now)s then 'SCHEDULED' when fate < 80 then 'CANCELLED' when fate < 120 then 'NO_SHOW'
            when fate = 500 then 'SCHEDULED' else 'COMPLETED'
        end,
        case when starts_at < %(now)s then starts_at + interval '1 hour' end,
        starts_at - make_interval(hours => (hashint8extended(place, 3) & 511)::integer),
        (array['FRONT_DESK', 'PORTAL', 'CLINICIAN'])[1 + (hashint8extended(place, 4) & 1023) %% 3],
        (hashint8extended(place, 5) & 3) = 0, false,
        case when starts_at < %(now)s then starts_at - interval '8 minutes' end,
        case when starts_at < %(now)s then starts_at - interval '3 minutes' end,
        case when (hashint8extended(place, 6) & 7) > 2 then starts_at - interval '1 day' end
    from (
        select p.n, p.clinician_id, day::date - %(first)s::date as since, hashint8extended(place, 1) & 1023 as fate,
            ((day::date + time '09:00') at time zone 'America/New_York') + make_interval(mins => slot * 45)
                as starts_at,
            place
        from generate_series(%(first)s::date, %(last)s::date, interval '1 day') as day
        cross join unnest(%(people)s::uuid []) with ordinality as p (clinician_id, n)
        cross join generate_series(0, 9) as slot
        cross join lateral (select ((day::date - %(first)s::date) * 1000 + p.n) * 10 + slot as place) as x
        where extract(isodow from day) < 6 and (hashint8extended(place, 2) & 1023) < 778
    ) as s
    join numbered as c on c.n = (s.n - 1) + %(clinicians)s * greatest(
        0, since * %(own_clients)s / %(days)s - (hashint8extended(place, 7) & 1023) %% 30
    );

    insert into notes (
        tenant_id, id, client_id, clinician_id, appointment_id, type, status, created_at, signed_at, signed_by_id
    )
    select
        tenant_id, uuidv7(), client_id, clinician_id, id,
        case when fate < 40 then 'CRISIS_INTERVENTION' when fate < 80 then 'SAFETY_PLAN' else 'PROGRESS_NOTE' end,
        case when signed_at < %(now)s then 'SIGNED' else 'DRAFT' end, ends_at,
        case when signed_at < %(now)s then signed_at end, case when signed_at < %(now)s then clinician_id end
    from (
        select *, hashint8extended(hashtextextended(external_id, 0), 8) & 1023 as fate,
            ends_at + make_interval(hours => (
                case hashtextextended(external_id, 9) & 15 when 0 then 220 when 1 then 100 when 2 then 100000
                else hashtextextended(external_id, 10) & 31 end
            )::integer) as signed_at
        from appointments where tenant_id = %(tenant_id)s and status = 'COMPLETED'
    ) as a;

    insert into charges (
        tenant_id, id, client_id, clinician_id, appointment_id, cpt_code, units, service_date, amount_cents,
        created_at, voided_at
    )
    select
        tenant_id, uuidv7(), client_id, clinician_id, id, '90834', 1,
        (starts_at at time zone 'America/New_York')::date, 15000 + (hashtextextended(external_id, 11) & 63) * 100,
        ends_at + interval '20 hours',
        case when (hashtextextended(external_id, 12) & 255) = 0 then ends_at + interval '30 days' end
    from appointments
    where tenant_id = %(tenant_id)s and status = 'COMPLETED' and (hashtextextended(external_id, 13) & 31) > 0
        and ends_at + interval '20 hours' < %(now)s;

    insert into payments (tenant_id, id, amount_cents, method, payer, posted_at, received_on)
    values (%(tenant_id)s, %(payment_id)s, 100, 'EFT', 'INSURANCE', %(now)s, %(first)s);
    insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at)
    select tenant_id, uuidv7(), %(payment_id)s, id, amount_cents - 4000,
        created_at + make_interval(days => (10 + (hashtextextended(id::text, 1) & 63))::integer)
    from charges
    where tenant_id = %(tenant_id)s and (hashtextextended(id::text, 2) & 15) > 1 and created_at < %(posted)s;

    insert into adjustments (tenant_id, id, charge_id, group_code, reason, amount_cents, posted_at)
    select tenant_id, uuidv7(), id, case when (hashtextextended(id::text, 3) & 3) = 0 then 'PR' else 'CO' end, '45',
        3000,
        created_at + make_interval(days => (10 + (hashtextextended(id::text, 1) & 63))::integer)
    from charges
    where tenant_id = %(tenant_id)s and (hashtextextended(id::text, 4) & 15) > 5 and created_at < %(posted)s;

    insert into claims (
        tenant_id, id, client_id, coverage_id, control_number, submitted_at, first_response_at, first_response,
        adjudicated_at, outcome
    )
    select c.tenant_id, c.id, c.client_id, v.id, c.id::text, c.created_at + interval '1 day',
        c.created_at + interval '2 days',
        case when (hashtextextended(c.id::text, 5) & 31) = 0 then 'REJECTED' else 'ACCEPTED' end,
        c.created_at + interval '12 days',
        case when (hashtextextended(c.id::text, 6) & 15) = 0 then 'DENIED' else 'PAID' end
    from charges as c join coverages as v on v.tenant_id = c.tenant_id and v.client_id = c.client_id
    where c.tenant_id = %(tenant_id)s and c.created_at < %(posted)s;
    insert into claim_charges (tenant_id, claim_id, charge_id, position)
    select tenant_id, id, id, 1 from claims where tenant_id = %(tenant_id)s;

    insert into sign_ins (tenant_id, id, staff_id, at)
    select %(tenant_id)s, uuidv7(), p.id, day + interval '14 hours'
    from unnest(%(people)s::uuid []) with ordinality as p (id, n),
        generate_series(%(first)s::date, %(today)s::date, interval '1 day') as day
    where extract(isodow from day) < 6 and (hashint8extended(p.n, (day::date - date '2000-01-01')::bigint) & 15) > 0;

    insert into treatment_plan_reviews (tenant_id, id, client_id, clinician_id, reviewed_on, created_at)
    select tenant_id, uuidv7(), id, primary_clinician_id, admitted_on + n * 80,
        admitted_on + n * 80 + interval '15 hours'
    from clients, generate_series(0, 2) as n
    where tenant_id = %(tenant_id)s and admitted_on + n * 80 < %(today)s::date;

    insert into incidents (tenant_id, id, kind, detected_at, responded_at)
    select %(tenant_id)s, uuidv7(), 'OTHER', day, day + interval '5 hours'
    from generate_series(%(first)s::timestamptz, %(now)s, interval '90 days') as day;

    drop table numbered
"""


@dataclass(frozen=True)
class RecordedPractice:
    """The practice, and the number of rows of its largest tables."""

    id: UUID
    appointments: int
    rows: int


def create_recorded_practice(installation: Installation, appointments: int) -> RecordedPractice:
    """Create the practice with about this number of appointments."""
    clinicians = max(1, appointments // APPOINTMENTS_PER_CLINICIAN)
    with installation.work(Actor(), NOW) as work:
        admin_details = {"email": f"admin-{new_id()}@example.com", "first_name": "Ada", "last_name": "Admin"}
        practice, _ = create_practice(
            work, name=f"Records {new_id()}", time_zone="America/New_York", admin=admin_details
        )
    with installation.work(Actor(practice.id), NOW) as work:
        supervisors = [add_person(work, "supervisor") for _ in range(-(-clinicians // SUPERVISED))]
        people = [add_person(work, "clinician") for _ in range(clinicians)]
    parameters: dict[str, Any] = {
        **{"tenant_id": practice.id, "now": NOW, "today": TODAY, "first": FIRST_DAY, "last": LAST_DAY},
        **{"people": people, "clinicians": clinicians, "supervisors": supervisors, "supervised": SUPERVISED},
        **{"clients": clinicians * CLIENTS_PER_CLINICIAN, "own_clients": CLIENTS_PER_CLINICIAN},
        **{"days": (LAST_DAY - FIRST_DAY).days + 1, "posted": NOW - timedelta(days=80), "payment_id": new_id()},
    }
    with installation.store.begin_session(practice.id) as db:
        for statement in PREPARED:
            db.execute(statement, parameters)
        parameters["service_id"] = list_ids(db, "services", practice.id)[0]
    with installation.store.connect("superuser") as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("select set_config('app.tenant_id', %s, false)", [str(practice.id)])
        for statement in APPOINTMENTS.split(";\n"):
            connection.execute(statement.encode(), parameters)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
        counts = {
            table: connection.execute(f"select count(*) from {table}".encode()).fetchone()
            for table in (
                "appointments",
                "notes",
                "charges",
                "payment_applications",
                "adjustments",
                "claims",
                "sign_ins",
            )
        }
    numbers = {table: row[0] for table, row in counts.items() if row}
    return RecordedPractice(practice.id, numbers["appointments"], sum(numbers.values()))


def add_person(work: Any, role: str) -> UUID:
    details: dict[str, Any] = {"first_name": "Robin", "last_name": role, "roles": [role], "hired_on": FIRST_DAY}
    return add_staff(work, email=f"{new_id()}@example.com", by_email=False, **details).staff.id
