"""Sample requests of supervision sessions and their hours."""

from decimal import Decimal
from typing import Any

from practice.clinical.models.supervision import SupervisionSession
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician"}
WRITERS = {"admin", "supervisor"}


def choose_supervisor(world: World, role: str | None) -> Any:
    return world.people["admin" if role == "admin" else "supervisor"].staff_id


def make_session(world: World, role: str | None) -> dict[str, Any]:
    """Make a session held by the caller if they may hold one, else by the supervisor."""
    session = SupervisionSession(
        id=new_id(),
        supervisee_id=world.clinician_id,
        supervisor_id=choose_supervisor(world, role),
        held_at=world.take_past_hour(),
        hours=Decimal("1.00"),
        kind="INDIVIDUAL",
        topics=["ethics"],
    )
    with world.practice.work() as work:
        session.note = work.seal("supervision_sessions", "note", session.id, "Talked about boundaries.")
    put(world.practice, session)
    return {"session_id": session.id}


def build_session(world: World, _role: str | None) -> dict[str, Any]:
    return {
        "supervisee_ids": [str(world.clinician_id)],
        "supervisor_id": str(world.people["supervisor"].staff_id),
        "kind": "INDIVIDUAL",
        "held_at": world.take_past_hour().isoformat(),
        "hours": "0.75",
    }


SESSION = ("supervision_sessions", "session_id")

SAMPLE_REQUESTS = {
    "list_supervision_sessions": SampleRequest(READERS),
    "record_supervision_sessions": SampleRequest(WRITERS, body=build_session),
    "list_supervision_hours": SampleRequest(READERS),
    "get_supervision_session": SampleRequest(READERS, make_session),
    "change_supervision_session": SampleRequest(WRITERS, make_session, lambda _world, _role: {"hours": "0.5"}, SESSION),
    "sign_supervision_session": SampleRequest(WRITERS, make_session),
    "void_supervision_session": SampleRequest(WRITERS, make_session, body=send_reason),
    "get_supervision_hours": SampleRequest(READERS, lambda world, _role: {"staff_id": world.clinician_id}),
}
