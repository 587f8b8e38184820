"""Sample requests of completed sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from practice.clinical.models.notes import Note
from practice.payroll.completions import void_completion
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.builders.sessions import pay_session, write_note
from tests.support.drivers.operations import SampleRequest, World, send_reason
from tests.support.drivers.sample_requests.pay import take_closed_week

READERS = {"admin", "supervisor", "clinician", "scheduler", "biller"}
CREATORS = {"admin", "supervisor", "clinician", "scheduler"}
WRITERS = {"admin", "supervisor", "clinician"}


def make_session(world: World, *, days: int = 1) -> UUID:
    """Make a session some days ago. Like an imported one it blocks no time, so any number may overlap."""
    start = world.practice.now - timedelta(days=days)
    return world.new_appointment(
        status="COMPLETED", starts_at=start, status_at=start + timedelta(hours=1), guarded=False
    )


def make_recent(world: World, _role: str | None) -> dict[str, Any]:
    return {"session_id": make_session(world)}


def make_locked(world: World, _role: str | None) -> dict[str, Any]:
    return {"session_id": make_session(world, days=30)}


def make_signable(world: World, role: str | None) -> dict[str, Any]:
    session_id = make_session(world)
    write_note(world.practice, world.people["clinician"], session_id, submit=role != "clinician")
    return {"session_id": session_id}


def make_paid(world: World, _role: str | None) -> dict[str, Any]:
    session_id = make_session(world)
    pay_session(world.practice, session_id, take_closed_week())
    return {"session_id": session_id}


def make_voided(world: World, _role: str | None) -> dict[str, Any]:
    session_id = make_session(world)
    with world.practice.work() as work:
        void_completion(work, Scope.ALL, session_id, "Entered twice")
    return {"session_id": session_id}


def make_free_note(world: World, _role: str | None) -> dict[str, Any]:
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


def send(**body: Any):
    return lambda _world, _role: body


def pick_clinician(world: World, _role: str | None) -> dict[str, Any]:
    return {"provider_id": world.clinician_id}


VERSIONED = ("session_completions", "session_id")

SAMPLE_REQUESTS = {
    "list_session_completions": SampleRequest(READERS),
    "create_session_completion": SampleRequest(
        CREATORS, body=lambda world, _role: {"appointmentId": str(make_session(world))}
    ),
    "create_session_completion_from_appointment": SampleRequest(
        CREATORS, lambda world, _role: {"appointment_id": make_session(world)}
    ),
    "create_session_completions_from_appointments": SampleRequest(
        CREATORS, body=lambda world, _role: {"appointmentIds": [str(make_session(world))]}
    ),
    "get_session_completion": SampleRequest(READERS, make_recent),
    "change_session_completion": SampleRequest(WRITERS, make_recent, make_free_note, VERSIONED),
    "void_session_completion": SampleRequest(WRITERS, make_recent, body=send_reason),
    "restore_session_completion": SampleRequest(WRITERS, make_voided, send(reason="It did take place")),
    "reverse_session_completion": SampleRequest({"admin"}, make_paid, send(reason="Never took place")),
    "sign_session_note": SampleRequest({"supervisor", "clinician"}, make_signable),
    "lock_session": SampleRequest({"admin", "supervisor"}, make_recent, send(reason="Under review")),
    "override_session_lock": SampleRequest({"admin", "supervisor"}, make_locked, send(reason="Was ill", hours=24)),
    "get_compliance_deadlines": SampleRequest(READERS, pick_clinician),
    "get_payment_calculation": SampleRequest({"admin", "supervisor", "clinician", "biller"}, pick_clinician),
    "get_session_dashboard": SampleRequest(READERS, pick_clinician),
    "get_session_analytics": SampleRequest(READERS, pick_clinician),
    "get_compliance_report": SampleRequest(READERS, pick_clinician),
}
