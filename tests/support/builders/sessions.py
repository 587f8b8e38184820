"""Builders of completed sessions, their notes and their pay. They insert rows directly."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from practice.clinical.models.notes import Note
from practice.payroll.models import PayLine, PayPeriod
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.store.ids import new_id
from tests.support.builders.notes import fill_sections, make_note
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put

HOUR = timedelta(hours=1)


class SessionBuilder:
    """One clinician's sessions, by default with one client and service."""

    def __init__(self, practice: PracticeFixture, clinician: Person) -> None:
        self.practice, self.clinician = practice, clinician
        self.client = make_client(practice, clinician)
        self.service_code = f"S{new_id().hex[-8:]}"
        self.service = make_service(practice, self.service_code)

    def add_session(self, starts_at: datetime, *, signed_at: datetime | None = None, **values: Any) -> UUID:
        """Add an appointment that is completed at its end, and unguarded like an import: any two may overlap."""
        clinician = values.pop("clinician", self.clinician)
        client, service = values.pop("client", self.client), values.pop("service", self.service)
        defaults = {"status": "COMPLETED", "status_at": starts_at + HOUR, "guarded": False}
        appointment = make_appointment(self.practice, clinician, client, service, starts_at, **defaults | values)
        if signed_at is not None:
            self.add_note(appointment, signed_at=signed_at, clinician=clinician, client=client)
        return appointment

    def add_note(self, appointment: UUID | None, *, signed_at: datetime | None = None, **values: Any) -> UUID:
        clinician, client = values.pop("clinician", self.clinician), values.pop("client", self.client)
        status = "SIGNED" if signed_at else "DRAFT"
        defaults = {"type": "PROGRESS_NOTE", "status": status, "created_at": self.practice.now}
        note = Note(
            id=new_id(),
            appointment_id=appointment,
            client_id=client,
            clinician_id=clinician.staff_id,
            signed_at=signed_at,
            signed_by_id=clinician.staff_id if signed_at else None,
            **defaults | values,
        )
        put(self.practice, note)
        return note.id


def make_group(
    practice: PracticeFixture, clinician: Person, service_id: UUID, starts_at: datetime, *, held: bool = False
) -> UUID:
    """Make a one-hour group session without seats."""
    group = GroupSession(
        id=new_id(),
        clinician_id=clinician.staff_id,
        service_id=service_id,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        held=held,
        capacity=8,
    )
    put(practice, group)
    return group.id


PROGRESS = fill_sections("PROGRESS_NOTE", "As planned.")


def write_note(
    practice: PracticeFixture,
    clinician: Person,
    appointment_id: UUID,
    *,
    submit: bool = False,
    now: datetime | None = None,
) -> UUID:
    """Write a note that its clinician can sign, or one that is in review by their supervisor."""
    with practice.installation.store.begin_session(practice.id) as db:
        client_id = db.get_one(Appointment, (practice.id, appointment_id)).client_id
    return make_note(
        practice,
        clinician,
        client_id,
        type="PROGRESS_NOTE",
        sections=PROGRESS,
        now=now,
        appointment_id=appointment_id,
        status="IN_REVIEW" if submit else "DRAFT",
    )


def pay_session(practice: PracticeFixture, appointment_id: UUID, week: date, cents: int = 7500) -> None:
    """Store a closed week that paid the session."""
    with practice.installation.store.begin_session(practice.id) as db:
        session = db.get_one(Appointment, (practice.id, appointment_id))
        period = db.scalar(select(PayPeriod).where(PayPeriod.tenant_id == practice.id, PayPeriod.week == week))
        assert period is None, "lines cannot be added to a closed week"
        period = PayPeriod(tenant_id=practice.id, id=new_id(), week=week, opened_at=practice.now)
        db.add(period)
        db.flush()
        line = PayLine(
            tenant_id=practice.id,
            id=new_id(),
            period_id=period.id,
            staff_id=session.clinician_id,
            session_id=session.group_session_id or session.id,
            appointment_id=session.id,
            kind="regular",
            service_kind="INDIVIDUAL",
            held_on=session.starts_at.date(),
            minutes=60,
            multiplier=Decimal(1),
            rate_cents=cents,
            amount_cents=cents,
        )
        db.add(line)
        db.flush()
        statement = "update pay_periods set closed_at = opened_at where tenant_id = :tenant_id and id = :id"
        db.execute(text(statement), {"tenant_id": practice.id, "id": period.id})
