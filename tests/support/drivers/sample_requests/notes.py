"""Sample requests of notes, note templates and the writing assistant."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.schedule import make_appointment
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician", "client"}
TEMPLATES = {"admin", "supervisor", "clinician", "scheduler", "biller"}
WHY = {"X-Reason": "A complaint to look into"}
VERSIONED = ("notes", "note_id")


def make_new_note(
    world: World, status: str = "DRAFT", *, starts_ago: timedelta | None = None, shared: bool = False
) -> UUID:
    """Make a note of the clinician about the client; with `starts_ago` for a session that began then."""
    practice, clinician = world.practice, world.people["clinician"]
    now, appointment_id = practice.now, None
    if starts_ago is not None:
        now = practice.now - starts_ago + timedelta(hours=1)
        start = practice.now - starts_ago - timedelta(seconds=new_id().int % 100_000)
        appointment_id = make_appointment(
            practice, clinician, world.client_id, world.service_id, start, guarded=False, status_at=start
        )
    note_id = make_note(practice, clinician, world.client_id, appointment_id=appointment_id, status=status, now=now)
    if shared:
        with practice.installation.store.begin_session(practice.id) as db:
            db.execute(text("update notes set shared_at = now() where id = :id"), {"id": note_id})
    return note_id


def make_note_of(status: str = "DRAFT", **values: Any):
    return lambda world, _role: {"note_id": make_new_note(world, status, **values)}


def build_note(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": str(world.client_id), "type": "SOAP_NOTE", "sections": SOAP, "diagnoses": ["F41.1"]}


def make_notes(status: str):
    return lambda world, _role: {"note_ids": [str(make_new_note(world, status)) for _ in range(2)]}


def send(**body: Any):
    return lambda _world, _role: body


TEMPLATE = {
    "type": "DISCHARGE_SUMMARY",
    "sections": [{"key": "reason", "title": "Reason", "prompt": "", "required": True}],
}

SAMPLE_REQUESTS = {
    "list_notes": SampleRequest(READERS, headers=WHY),
    "create_note": SampleRequest({"clinician"}, body=build_note),
    "search_notes": SampleRequest(READERS, body=send(query="sleep"), headers=WHY),
    "get_note": SampleRequest(READERS, make_note_of("SIGNED", shared=True), headers=WHY),
    "save_note": SampleRequest({"clinician"}, make_note_of(), send(sections=SOAP), VERSIONED),
    "void_note": SampleRequest({"clinician"}, make_note_of(), body=send_reason),
    "get_note_history": SampleRequest(READERS, make_note_of("SIGNED", shared=True), headers=WHY),
    "verify_note": SampleRequest(READERS, make_note_of("SIGNED", shared=True), headers=WHY),
    "amend_note": SampleRequest(
        {"clinician"}, make_note_of("SIGNED"), send(sections=SOAP, reason="A wrong date"), VERSIONED
    ),
    "add_addendum": SampleRequest(
        {"clinician"}, make_note_of("SIGNED"), send(text="The lab called.", reason="Came later")
    ),
    "mark_note_entered_in_error": SampleRequest(
        {"clinician", "supervisor"}, make_note_of("SIGNED"), send(reason="Written in the wrong chart")
    ),
    "share_note": SampleRequest({"clinician"}, make_note_of("SIGNED")),
    "unshare_note": SampleRequest({"clinician"}, make_note_of("SIGNED")),
    "submit_note": SampleRequest({"clinician"}, make_note_of(), versioned=VERSIONED),
    "withdraw_note": SampleRequest({"clinician"}, make_note_of("IN_REVIEW")),
    "return_note": SampleRequest({"supervisor"}, make_note_of("IN_REVIEW"), send(reason="The plan is missing")),
    "sign_note": SampleRequest({"clinician"}, make_note_of(), versioned=VERSIONED),
    "cosign_note": SampleRequest({"supervisor"}, make_note_of("IN_REVIEW"), versioned=VERSIONED),
    "sign_many_notes": SampleRequest({"clinician"}, body=make_notes("DRAFT")),
    "cosign_many_notes": SampleRequest({"supervisor"}, body=make_notes("IN_REVIEW")),
    "unlock_note": SampleRequest(
        {"admin", "supervisor"}, make_note_of(starts_ago=timedelta(days=30)), send(reason="Was ill", hours=24)
    ),
    "lock_note": SampleRequest(
        {"admin", "supervisor"}, make_note_of(starts_ago=timedelta(hours=2)), send(reason="Under review")
    ),
    "list_note_templates": SampleRequest(TEMPLATES),
    "get_note_template": SampleRequest(TEMPLATES, query=lambda _world: {"type": "SOAP_NOTE"}),
    "set_note_template": SampleRequest({"admin"}, body=send(**TEMPLATE)),
    "generate_note": SampleRequest({"clinician"}, make_note_of(), send(source="slept badly"), VERSIONED),
    "improve_text": SampleRequest({"clinician"}, body=send(text="slept badly")),
    "suggest_diagnoses": SampleRequest({"clinician"}, make_note_of()),
}
