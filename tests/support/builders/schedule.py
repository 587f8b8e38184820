"""Builders of what a practice books: services, rooms, hours, clients, appointments. Straight into the tables."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from practice.people.models.clients import Client, ClientStatus, Consent
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import AvailabilityWindow
from practice.scheduling.models.catalog import Room, Service, ServiceRate
from practice.security.accounts import account_for
from practice.security.models import Membership
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture

ADULT = date(1990, 5, 17)


def put(practice: PracticeFixture, *records: Any) -> None:
    with practice.installation.store.session_in(practice.id) as db:
        for record in records:
            record.tenant_id = practice.id
            db.add(record)
            db.flush()


def make_client(practice: PracticeFixture, clinician: Person | None = None, **more: Any) -> UUID:
    """Active, adult, self-paying, with every consent there is and everything that check-in asks for."""
    about = {
        **{"first_name": "Casey", "last_name": f"Example {new_id().hex[-6:]}", "birth_date": ADULT, "sex": "F"},
        **{"address": "1 Sample Way", "city": "Atlanta", "state": "GA", "zip": "30301", "phone": "404-555-0100"},
        **{"emergency_contact_name": "Kin", "emergency_contact_phone": "404-555-0101", "email": "casey@example.com"},
        **{"self_pay": True, "emancipated": False, "admitted_on": date(2025, 6, 2), "created_at": practice.now},
        "primary_clinician_id": clinician.staff_id if clinician else None,
        **more,
    }
    client = Client(id=new_id(), **about)
    status = ClientStatus(client_id=client.id, status="ACTIVE", effective_on=date(2025, 6, 2), set_at=practice.now)
    signed = practice.now - timedelta(days=30)
    consents = [
        Consent(id=new_id(), client_id=client.id, kind=kind, signed_at=signed, signed_by_name="Casey Example")
        for kind in ("INFORMED_TREATMENT", "TELEHEALTH", "GUARDIAN", "CONFIDENTIALITY", "DATA_PROCESSING")
    ]
    put(practice, client, status, *consents)
    return client.id


def make_portal_client(practice: PracticeFixture, clinician: Person | None = None) -> Person:
    """A client with a sign-in to the portal. As a person: their `staff_id` is the client's id."""
    email = f"client-{new_id()}@example.com"
    client_id = make_client(practice, clinician, email=email)
    with practice.installation.store.system_session() as db:
        account = account_for(db, email, practice.now)
        db.add(
            Membership(account_id=account.id, tenant_id=practice.id, created_at=practice.now, accepted_at=practice.now)
        )
        account_id = account.id
    with practice.installation.store.session_in(practice.id) as db:
        client = db.get_one(Client, (practice.id, client_id))
        client.account_id, client.portal_activated_at = account_id, practice.now
    return Person(account_id, client_id, email, ["client"])


def make_service(
    practice: PracticeFixture, code: str | None = None, minutes: int = 60, cents: int = 15000, **more: Any
) -> UUID:
    service = Service(
        id=new_id(),
        **{"code": code or f"S{new_id().hex[-8:]}", "name": "Individual", "kind": "INDIVIDUAL", "cpt_code": "90837"}
        | more,
        minutes=minutes,
        created_at=practice.now,
    )
    put(practice, service, ServiceRate(service_id=service.id, rate_cents=cents, set_at=practice.now))
    return service.id


def make_room(practice: PracticeFixture, capacity: int = 8, **more: Any) -> UUID:
    room = Room(id=new_id(), name=f"Room {new_id().hex[-4:]}", capacity=capacity, **more)
    put(practice, room)
    return room.id


def open_hours(
    practice: PracticeFixture, clinician: Person, start: time = time(0, 0), end: time = time(23, 59)
) -> None:
    """The same hours on every day of the week."""
    put(
        practice,
        *(
            AvailabilityWindow(
                id=new_id(), clinician_id=clinician.staff_id, weekday=weekday, start_time=start, end_time=end
            )
            for weekday in range(7)
        ),
    )


def make_appointment(
    practice: PracticeFixture, clinician: Person, client_id: UUID, service_id: UUID, starts_at: datetime, **more: Any
) -> UUID:
    appointment = Appointment(
        id=new_id(),
        **{
            **{"reference": f"BK-{new_id().hex[-12:]}", "type": "THERAPY_SESSION", "status": "SCHEDULED"},
            **{"booked_via": "FRONT_DESK", "telehealth": False, "created_at": practice.now},
            "ends_at": starts_at + timedelta(minutes=60),
        }
        | more,
        client_id=client_id,
        clinician_id=clinician.staff_id,
        service_id=service_id,
        starts_at=starts_at,
    )
    put(practice, appointment)
    return appointment.id
