"""Builders of services, rooms, hours, clients and appointments, inserted straight into the tables."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from practice.people.models.clients import Client, ClientStatus, Consent
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import AvailabilityWindow
from practice.scheduling.models.catalog import Room, Service, ServiceRate
from practice.security.accounts import ensure_account
from practice.security.models import Membership
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture

ADULT = date(1990, 5, 17)


def put(practice: PracticeFixture, *records: Any) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        for record in records:
            record.tenant_id = practice.id
            db.add(record)
            db.flush()


def make_client(practice: PracticeFixture, clinician: Person | None = None, **fields: Any) -> UUID:
    """Create an active, self-paying adult client with every consent and complete demographics."""
    values = {
        "first_name": "Casey",
        "last_name": f"Example {new_id().hex[-6:]}",
        "birth_date": ADULT,
        "sex": "F",
        "address": "1 Sample Way",
        "city": "Atlanta",
        "state": "GA",
        "zip": "30301",
        "phone": "404-555-0100",
        "email": "casey@example.com",
        "emergency_contact_name": "Kin",
        "emergency_contact_phone": "404-555-0101",
        "self_pay": True,
        "emancipated": False,
        "admitted_on": date(2025, 6, 2),
        "created_at": practice.now,
        "primary_clinician_id": clinician.staff_id if clinician else None,
        **fields,
    }
    client = Client(id=new_id(), **values)
    status = ClientStatus(client_id=client.id, status="ACTIVE", effective_on=date(2025, 6, 2), set_at=practice.now)
    put(practice, client, status, *build_consents(practice, client.id))
    return client.id


def build_consents(practice: PracticeFixture, client_id: UUID) -> list[Consent]:
    """Return a consent of every kind, signed a month ago."""
    signed = practice.now - timedelta(days=30)
    return [
        Consent(
            tenant_id=practice.id,
            id=new_id(),
            client_id=client_id,
            kind=kind,
            signed_at=signed,
            signed_by_name="Casey Example",
        )
        for kind in ("INFORMED_TREATMENT", "TELEHEALTH", "GUARDIAN", "CONFIDENTIALITY", "DATA_PROCESSING")
    ]


def make_portal_client(practice: PracticeFixture, clinician: Person | None = None, **fields: Any) -> Person:
    """Create a client with a portal sign-in and return them as a person whose `staff_id` is the client's id.

    With a `guardian_name` the sign-in is the guardian's, unless another `guardian_email` is sent.
    """
    email = f"client-{new_id()}@example.com"
    guardian = {"guardian_email": email} if "guardian_name" in fields else {}
    client_id = make_client(practice, clinician, **{"email": email} | guardian | fields)
    with practice.installation.store.begin_system_session() as db:
        account = ensure_account(db, email, practice.now)
        db.add(
            Membership(account_id=account.id, tenant_id=practice.id, created_at=practice.now, accepted_at=practice.now)
        )
        account_id = account.id
    with practice.installation.store.begin_session(practice.id) as db:
        client = db.get_one(Client, (practice.id, client_id))
        client.account_id, client.portal_activated_at = account_id, practice.now
    return Person(account_id, client_id, email, ["client"])


def make_service(
    practice: PracticeFixture, code: str | None = None, minutes: int = 60, cents: int = 15000, **fields: Any
) -> UUID:
    service = Service(
        id=new_id(),
        code=code or f"S{new_id().hex[-8:]}",
        **{"name": "Individual", "kind": "INDIVIDUAL", "cpt_code": "90837"} | fields,
        minutes=minutes,
        created_at=practice.now,
    )
    put(practice, service, ServiceRate(service_id=service.id, rate_cents=cents, set_at=practice.now))
    return service.id


def make_room(practice: PracticeFixture, capacity: int = 8, **fields: Any) -> UUID:
    room = Room(id=new_id(), name=f"Room {new_id().hex[-4:]}", capacity=capacity, **fields)
    put(practice, room)
    return room.id


def open_hours(
    practice: PracticeFixture,
    clinician: Person,
    start: time = time(0, 0),
    end: time = time(23, 59),
    weekdays: Iterable[int] = range(7),
) -> None:
    """Add the same hours on every day of the week, or on these."""
    put(
        practice,
        *(
            AvailabilityWindow(
                id=new_id(), clinician_id=clinician.staff_id, weekday=weekday, start_time=start, end_time=end
            )
            for weekday in weekdays
        ),
    )


def make_appointment(
    practice: PracticeFixture, clinician: Person, client_id: UUID, service_id: UUID, starts_at: datetime, **fields: Any
) -> UUID:
    appointment = Appointment(
        id=new_id(),
        **{
            "reference": f"BK-{new_id().hex[-12:]}",
            "type": "THERAPY_SESSION",
            "status": "SCHEDULED",
            "booked_via": "FRONT_DESK",
            "telehealth": False,
            "created_at": practice.now,
            "ends_at": starts_at + timedelta(minutes=60),
        }
        | fields,
        client_id=client_id,
        clinician_id=clinician.staff_id,
        service_id=service_id,
        starts_at=starts_at,
    )
    put(practice, appointment)
    return appointment.id
