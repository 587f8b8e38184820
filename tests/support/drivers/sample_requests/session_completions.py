"""Requests about completed sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from practice.clinical.models.notes import Note
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.builders.sessions import pay_for, write_note
from tests.support.drivers.operations import SampleRequest, World
from tests.support.drivers.sample_requests.pay import next_closed_week

READERS = {"admin", "supervisor", "clinician", "scheduler", "biller"}
MAKERS = {"admin", "supervisor", "clinician", "scheduler"}
WRITERS = {"admin", "supervisor", "clinician"}


def session(world: World, *, days: int = 1) -> UUID:
    """Of so many days ago. It occupies nothing, as what came in with an import: any number may be at a time."""
    start = world.practice.now - timedelta(days=days)
    return world.new_appointment(
        status="COMPLETED", starts_at=start, status_at=start + timedelta(hours=1), guarded=False
    )


def recent(world: World, _role: str | None) -> dict[str, Any]:
    return {"session_id": session(world)}


def locked(world: World, _role: str | None) -> dict[str, Any]:
    return {"session_id": session(world, days=30)}


def to_sign(world: World, role: str | None) -> dict[str, Any]:
    found = session(world)
    write_note(world.practice, world.people["clinician"], found, hand_in=role != "clinician")
    return {"session_id": found}


def paid(world: World, _role: str | None) -> dict[str, Any]:
    found = session(world)
    pay_for(world.practice, found, next_closed_week())
    return {"session_id": found}


def free_note(world: World, _role: str | None) -> dict[str, Any]:
    note = Note(
        id=new_id(),
        client_id=world.client_id,
        clinician_id=world.clinician_id,
        type="PROGRESS_NOTE",
        status="DRAFT",
        created_at=world.practice.now,
    )
    put(world.practice, note)
    return {"noteId": str(note.id)}


def given(**body: Any):
    return lambda _world, _role: body


def clinician(world: World, _role: str | None) -> dict[str, Any]:
    return {"provider_id": world.clinician_id}


VERSIONED = ("session_completions", "session_id")

SAMPLE_REQUESTS = {
    "list_session_completions": SampleRequest(READERS),
    "create_session_completion": SampleRequest(
        MAKERS, body=lambda world, _role: {"appointmentId": str(session(world))}
    ),
    "create_session_completion_from_appointment": SampleRequest(
        MAKERS, lambda world, _role: {"appointment_id": session(world)}
    ),
    "create_session_completions_from_appointments": SampleRequest(
        MAKERS, body=lambda world, _role: {"appointmentIds": [str(session(world))]}
    ),
    "get_session_completion": SampleRequest(READERS, recent),
    "change_session_completion": SampleRequest(WRITERS, recent, free_note, VERSIONED),
    "void_session_completion": SampleRequest(WRITERS, recent, query=lambda _world: {"reason": "Entered twice"}),
    "take_back_session_completion": SampleRequest({"admin"}, paid, given(reason="Never took place")),
    "sign_session_note": SampleRequest({"supervisor", "clinician"}, to_sign),
    "lock_session": SampleRequest({"admin", "supervisor"}, recent, given(reason="Under review")),
    "override_session_lock": SampleRequest({"admin", "supervisor"}, locked, given(reason="Was ill", hours=24)),
    "get_compliance_deadlines": SampleRequest(READERS, clinician),
    "get_payment_calculation": SampleRequest({"admin", "supervisor", "clinician", "biller"}, clinician),
    "get_session_dashboard": SampleRequest(READERS, clinician),
    "get_session_analytics": SampleRequest(READERS, clinician),
    "get_compliance_report": SampleRequest(READERS, clinician),
}
