"""Requests about notes, their templates, and help with writing them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.schedule import make_appointment
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "supervisor", "clinician", "client"}
TEMPLATES = {"admin", "supervisor", "clinician", "scheduler", "biller"}
WHY = {"X-Reason": "A complaint to look into"}
VERSIONED = ("notes", "note_id")


def new_note(world: World, status: str = "DRAFT", *, starts_ago: timedelta | None = None, shared: bool = False) -> UUID:
    """The clinician's, about the client of `people`; of a session that began so long ago, if so."""
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
        with practice.installation.store.session_in(practice.id) as db:
            db.execute(text("update notes set shared_at = now() where id = :id"), {"id": note_id})
    return note_id


def note(status: str = "DRAFT", **more: Any):
    return lambda world, _role: {"note_id": new_note(world, status, **more)}


def wanted(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": str(world.client_id), "type": "SOAP_NOTE", "sections": SOAP, "diagnoses": ["F41.1"]}


def several(status: str):
    return lambda world, _role: {"note_ids": [str(new_note(world, status)) for _ in range(2)]}


def given(**body: Any):
    return lambda _world, _role: body


TEMPLATE = {
    "kind": "DISCHARGE_SUMMARY",
    "sections": [{"key": "reason", "title": "Reason", "prompt": "", "required": True}],
}

SAMPLE_REQUESTS = {
    "list_notes": SampleRequest(READERS, headers=WHY),
    "create_note": SampleRequest({"clinician"}, body=wanted),
    "search_notes": SampleRequest(READERS, body=given(query="sleep"), headers=WHY),
    "get_note": SampleRequest(READERS, note("SIGNED", shared=True), headers=WHY),
    "save_note": SampleRequest({"clinician"}, note(), given(sections=SOAP), VERSIONED),
    "void_note": SampleRequest({"clinician"}, note(), query=lambda _world: {"reason": "Begun twice"}),
    "get_note_history": SampleRequest(READERS, note("SIGNED", shared=True), headers=WHY),
    "verify_note": SampleRequest(READERS, note("SIGNED", shared=True), headers=WHY),
    "amend_note": SampleRequest({"clinician"}, note("SIGNED"), given(sections=SOAP, reason="A wrong date"), VERSIONED),
    "add_addendum": SampleRequest({"clinician"}, note("SIGNED"), given(text="The lab called.", reason="Came later")),
    "share_note": SampleRequest({"clinician"}, note("SIGNED")),
    "unshare_note": SampleRequest({"clinician"}, note("SIGNED")),
    "submit_note": SampleRequest({"clinician"}, note(), versioned=VERSIONED),
    "withdraw_note": SampleRequest({"clinician"}, note("IN_REVIEW")),
    "return_note": SampleRequest({"supervisor"}, note("IN_REVIEW"), given(reason="The plan is missing")),
    "sign_note": SampleRequest({"clinician"}, note(), versioned=VERSIONED),
    "co_sign_note": SampleRequest({"supervisor"}, note("IN_REVIEW"), versioned=VERSIONED),
    "sign_many_notes": SampleRequest({"clinician"}, body=several("DRAFT")),
    "co_sign_many_notes": SampleRequest({"supervisor"}, body=several("IN_REVIEW")),
    "unlock_note": SampleRequest(
        {"admin", "supervisor"}, note(starts_ago=timedelta(days=30)), given(reason="Was ill", hours=24)
    ),
    "lock_note": SampleRequest(
        {"admin", "supervisor"}, note(starts_ago=timedelta(hours=2)), given(reason="Under review")
    ),
    "list_note_templates": SampleRequest(TEMPLATES),
    "get_note_template": SampleRequest(TEMPLATES, query=lambda _world: {"kind": "SOAP_NOTE"}),
    "set_note_template": SampleRequest({"admin"}, body=given(**TEMPLATE)),
    "generate_note": SampleRequest({"clinician"}, note(), given(source="slept badly"), VERSIONED),
    "improve_text": SampleRequest({"clinician"}, body=given(text="slept badly")),
    "suggest_diagnoses": SampleRequest({"clinician"}, note()),
}
