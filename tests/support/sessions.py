"""Builders of sessions that took place and of what was written about them. Straight into the tables."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from practice.notes.models import Note
from practice.store.ids import new_id
from tests.support.people import House, Person
from tests.support.schedule import make_appointment, make_client, make_service, put

HOUR = timedelta(hours=1)


class Sessions:
    """One clinician's sessions, all with one client and service where nothing else is said."""

    def __init__(self, practice: House, clinician: Person) -> None:
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
