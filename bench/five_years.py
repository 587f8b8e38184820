"""A practice with five years of history, created by statements that each fill a whole table.

It is like an imported one: past appointments are not guarded against overlaps, future ones are. Each clinician has
their own clients and room, works Monday to Friday from nine to half past four, and is booked for about three quarters
of that time; one appointment in eight is cancelled or missed. The two weeks from `BOOKED_OUT` on are fully booked.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from practice.people.practices import create_practice
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.ids import new_id

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
BOOKED_AHEAD = timedelta(weeks=4)
BOOKED_OUT = TODAY + timedelta(days=61)  # a Monday; all clinicians are fully booked for two weeks from then on
FREE_WEEKS = TODAY + timedelta(days=33)  # nothing is booked from this Monday until then
SLOTS = 10  # a day, of 45 minutes each, from nine on

SERVICES = text("""
    insert into services (tenant_id, id, code, name, kind, cpt_code, minutes, created_at)
    select :tenant_id, uuidv7(), 'S45', 'Individual', 'INDIVIDUAL', '90834', 45, :now
""")
RATES = text("""
    insert into service_rates (tenant_id, id, service_id, rate_cents, set_at)
    select tenant_id, uuidv7(), id, 15000, :now from services where tenant_id = :tenant_id
""")
ROOMS = text("""
    insert into rooms (tenant_id, id, name, capacity)
    select :tenant_id, uuidv7(), 'Room ' || to_char(n, 'FM000'), 2 from generate_series(1, :clinicians) as n
""")
WINDOWS = text("""
    insert into availability_windows (tenant_id, id, clinician_id, weekday, start_time, end_time)
    select :tenant_id, uuidv7(), clinician_id, weekday, '09:00', '17:00'
    from unnest(cast(:people as uuid [])) as p (clinician_id), generate_series(1, 5) as weekday
""")
CLOSURES = text("""
    insert into closures (tenant_id, id, closed_on)
    select :tenant_id, uuidv7(), day::date
    from generate_series(cast(:first as date), cast(:last as date), interval '38 days') as day
""")
EXCEPTIONS = text("""
    insert into availability_exceptions (tenant_id, id, clinician_id, on_date, available)
    select :tenant_id, uuidv7(), clinician_id, (day + make_interval(days => n::integer % 60))::date, false
    from unnest(cast(:people as uuid [])) with ordinality as p (clinician_id, n),
        generate_series(cast(:first as date), cast(:last as date), interval '61 days') as day
""")
CLIENTS = text("""
    insert into clients (
        tenant_id, id, external_id, first_name, last_name, birth_date, email, phone, self_pay, emancipated,
        primary_clinician_id, admitted_on, created_at
    )
    select
        :tenant_id, uuidv7(), 'c' || n,
        (array['Ada', 'Ben', 'Cleo', 'Dana', 'Eli', 'Fay', 'Gus', 'Hana', 'Ivo', 'Jo', 'Kim', 'Lou', 'Mi'])[1 + n % 13],
        (array['Al', 'Bra', 'Cor', 'Dun', 'El', 'Far', 'Gra', 'Hol', 'Ing', 'Jar', 'Kel'])[1 + n % 11]
            || (array['ber', 'den', 'fol', 'gan', 'lis', 'mor', 'nar'])[1 + n % 7]
            || (array['ton', 'ley', 'son', 'wick', 'by'])[1 + n % 5] || n % 97,
        date '1950-01-01' + (n * 37 % 20000), 'client' || n || '@example.com', '404-555-0100', n % 3 > 0, false,
        (cast(:people as uuid []))[1 + n % :clinicians], :first, :now
    from generate_series(0, :clients - 1) as n
""")
CONSENTS = text("""
    insert into consents (tenant_id, id, client_id, kind, signed_at, signed_by_name, expires_on)
    select tenant_id, uuidv7(), id, 'INFORMED_TREATMENT', cast(:now as timestamptz) - interval '90 days', 'Client',
        cast(:last as date)
    from clients where tenant_id = :tenant_id
""")
COVERAGES = text("""
    insert into coverages (
        tenant_id, id, client_id, rank, payer_id, payer_name, member_id, effective_on, verified_at, copay_cents
    )
    select
        tenant_id, uuidv7(), id, 1, 'P' || length(last_name) % 4, 'A payer', 'M' || external_id, admitted_on,
        :now, 2500
    from clients where tenant_id = :tenant_id and not self_pay
""")
# One month at a time, as an import writes in chunks. The client and the status depend on the slot alone.
APPOINTMENTS = text("""
    insert into appointments (
        tenant_id, id, external_id, reference, client_id, clinician_id, service_id, room_id, starts_at, ends_at, type,
        status, status_at, created_at, booked_via, telehealth, guarded
    )
    select
        :tenant_id, uuidv7(), 'a' || place, 'BK-' || extract(year from starts_at) || '-' || to_char(place, 'FM0000000'),
        own.ids[1 + (chance + slot * 31) % cardinality(own.ids)], clinician_id, :service_id,
        case when chance % 10 < 7 then room_id end, starts_at, starts_at + interval '45 minutes', 'THERAPY_SESSION',
        case
            when not past then 'SCHEDULED' when chance % 100 < 8 then 'CANCELLED' when chance % 100 < 12 then 'NO_SHOW'
            when chance % 1000 = 500 then 'SCHEDULED' else 'COMPLETED'
        end,
        case when past then starts_at + interval '1 hour' end, starts_at - interval '20 days', 'FRONT_DESK',
        chance % 10 >= 7, not past
    from (
        select p.n, p.clinician_id, p.room_id, slot, starts_at, starts_at < :now as past,
            ((day - date '2020-01-01') * :clinicians + p.n) * 10 + slot as place,
            abs(hashint8(((day - date '2020-01-01') * :clinicians + p.n) * 10 + slot)::bigint) as chance
        from (
            select d::date as day, s as slot,
                ((d::date + time '09:00') at time zone 'America/New_York') + make_interval(mins => (s * 45)::integer)
                    as starts_at
            from generate_series(cast(:since as date), cast(:until as date) - 1, interval '1 day') as d,
                generate_series(0, :slots - 1) as s
            where extract(isodow from d) < 6
        ) as calendar,
        unnest(cast(:people as uuid []), cast(:rooms as uuid [])) with ordinality as p (clinician_id, room_id, n)
    ) as places
    join (
        select primary_clinician_id, array_agg(id) as ids from clients
        where tenant_id = :tenant_id group by primary_clinician_id
    ) as own on own.primary_clinician_id = clinician_id
    where chance / 1000 % 100 < :density
""")
BLOCKS = text("""
    insert into blocks (tenant_id, id, clinician_id, starts_at, ends_at, reason)
    select :tenant_id, uuidv7(), clinician_id,
        (day::date + time '16:30') at time zone 'America/New_York',
        (day::date + time '17:00') at time zone 'America/New_York', 'Meeting'
    from unnest(cast(:people as uuid [])) as p (clinician_id),
        generate_series(cast(:first as date), cast(:last as date), interval '7 days') as day
""")


@dataclass(frozen=True)
class FiveYears:
    """The practice, and the ids that measurements use."""

    id: UUID
    admin: Actor
    clinicians: list[UUID]
    rooms: list[UUID]
    clients: list[UUID]
    service_code: str
    appointments: int


def create_five_years(
    installation: Installation, clinicians: int = 100, years: int = 5, clients: int = 100_000
) -> FiveYears:
    """Create the practice with its staff, clients and appointments."""
    with installation.work(Actor(), NOW) as work:
        admin_details = {"email": f"admin-{new_id()}@example.com", "first_name": "Ada", "last_name": "Admin"}
        practice, invited = create_practice(
            work, name=f"Five years {new_id()}", time_zone="America/New_York", admin=admin_details
        )
    admin = Actor(practice.id, invited.staff.account_id, invited.staff.id, frozenset({"admin"}))
    with installation.work(admin, NOW) as work:
        clinician_ids = [add_clinician(work, number) for number in range(clinicians)]
    first_day = date(TODAY.year - years, TODAY.month, 1)
    span = {"first": first_day, "last": BOOKED_OUT + timedelta(days=300)}
    parameters = {
        "tenant_id": practice.id,
        "now": NOW,
        "people": clinician_ids,
        "clinicians": clinicians,
        "clients": clients,
    }
    with installation.store.begin_session(practice.id) as db:
        for statement in (SERVICES, RATES, ROOMS, WINDOWS, CLOSURES, EXCEPTIONS, CLIENTS, CONSENTS, COVERAGES):
            db.execute(statement, parameters | span)
        rooms = list_ids(db, "rooms", practice.id)
        parameters |= {"rooms": rooms, "service_id": list_ids(db, "services", practice.id)[0], "slots": SLOTS}
    appointments = 0
    for start, end, density in list_periods(first_day):
        with installation.store.begin_session(practice.id) as db:
            appointments += db.execute(
                APPOINTMENTS, parameters | {"since": start, "until": end, "density": density}
            ).rowcount
    with installation.store.begin_session(practice.id) as db:
        db.execute(BLOCKS, parameters | {"first": TODAY - timedelta(days=365), "last": BOOKED_OUT + timedelta(days=14)})
        client_ids = list_ids(db, "clients", practice.id)
    with installation.store.open_owner_connection() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
    return FiveYears(practice.id, admin, clinician_ids, rooms, client_ids, "S45", appointments)


def add_clinician(work: Any, number: int) -> UUID:
    details: dict[str, Any] = {"first_name": "Robin", "last_name": f"Clinician {number}", "roles": ["clinician"]}
    return add_staff(work, email=f"{new_id()}@example.com", hired_on=date(2015, 1, 5), **details).staff.id


def list_periods(start: date) -> list[tuple[date, date, int]]:
    """Return the past months, the weeks that are partly booked, and the fully booked ones, with their density."""
    periods = []
    while start < TODAY + BOOKED_AHEAD:
        end = min(start + timedelta(days=31), TODAY + BOOKED_AHEAD)
        periods.append((start, end, 76))
        start = end
    return [*periods, (BOOKED_OUT, BOOKED_OUT + timedelta(days=14), 100)]


def list_ids(db: Session, table: str, tenant_id: UUID) -> list[UUID]:
    return list(
        db.scalars(text(f"select id from {table} where tenant_id = :tenant_id order by id"), {"tenant_id": tenant_id})
    )


def to_instant(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a local time in the practice's time zone, for days from March to October."""
    return datetime.combine(day, time(hour + 4, minute), UTC)
