"""Builders of sessions that took place and of what was written about them. Straight into the tables."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from practice.clinical.models.notes import Note
from practice.payroll.models import PayLine, PayPeriod
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.store.ids import new_id
from tests.support.builders.notes import filled_in, make_note
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put

HOUR = timedelta(hours=1)


class Sessions:
    """One clinician's sessions, all with one client and service where nothing else is said."""

    def __init__(self, practice: PracticeFixture, clinician: Person) -> None:
        self.practice, self.clinician = practice, clinician
        self.client = make_client(practice, clinician)
        self.service = make_service(practice)

    def held(self, starts_at: datetime, *, signed_at: datetime | None = None, **more: Any) -> UUID:
        """Completed at its end. What comes in has no guard, so that any two may be at a time."""
        clinician = more.pop("clinician", self.clinician)
        client, service = more.pop("client", self.client), more.pop("service", self.service)
        usual = {"status": "COMPLETED", "status_at": starts_at + HOUR, "guarded": False}
        appointment = make_appointment(self.practice, clinician, client, service, starts_at, **usual | more)
        if signed_at is not None:
            self.note(appointment, signed_at=signed_at, clinician=clinician, client=client)
        return appointment

    def note(self, appointment: UUID | None, *, signed_at: datetime | None = None, **more: Any) -> UUID:
        clinician, client = more.pop("clinician", self.clinician), more.pop("client", self.client)
        usual = {"type": "PROGRESS_NOTE", "status": "SIGNED" if signed_at else "DRAFT", "created_at": self.practice.now}
        note = Note(
            id=new_id(),
            appointment_id=appointment,
            client_id=client,
            clinician_id=clinician.staff_id,
            signed_at=signed_at,
            signed_by_id=clinician.staff_id if signed_at else None,
            **usual | more,
        )
        put(self.practice, note)
        return note.id


def make_group(practice: PracticeFixture, clinician: Person, service_id: UUID, starts_at: datetime) -> UUID:
    """Of an hour, without seats."""
    group = GroupSession(
        id=new_id(),
        clinician_id=clinician.staff_id,
        service_id=service_id,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        capacity=8,
    )
    put(practice, group)
    return group.id


PROGRESS = filled_in("PROGRESS_NOTE", "As planned.")


def write_note(
    practice: PracticeFixture,
    clinician: Person,
    appointment_id: UUID,
    *,
    hand_in: bool = False,
    now: datetime | None = None,
) -> UUID:
    """A draft that can be signed, by the session's clinician; or one that is with their supervisor."""
    with practice.installation.store.session_in(practice.id) as db:
        client_id = db.get_one(Appointment, (practice.id, appointment_id)).client_id
    about: dict[str, Any] = {"appointment_id": appointment_id, "status": "IN_REVIEW" if hand_in else "DRAFT"}
    return make_note(practice, clinician, client_id, type="PROGRESS_NOTE", sections=PROGRESS, now=now, **about)


def pay_for(practice: PracticeFixture, appointment_id: UUID, week: date, cents: int = 7500) -> None:
    """As if a closed week had paid it."""
    with practice.installation.store.session_in(practice.id) as db:
        session = db.get_one(Appointment, (practice.id, appointment_id))
        period = db.scalar(select(PayPeriod).where(PayPeriod.tenant_id == practice.id, PayPeriod.week == week))
        assert period is None, "a week that is closed takes no more lines"
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
        closed = "update pay_periods set closed_at = opened_at where tenant_id = :tenant_id and id = :id"
        db.execute(text(closed), {"tenant_id": practice.id, "id": period.id})
