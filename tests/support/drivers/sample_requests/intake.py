"""Sample requests of intake forms."""

import json
from typing import Any

from sqlalchemy import update

from practice.people.models.clients import IntakeForm
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

WRITERS = {"clinician", "client"}
ANSWERS: dict[str, dict[str, Any]] = {
    "personal": {
        "emergency_contact": "A sister, 404-555-0102",
        "medical_history": "none",
        "current_medications": "none",
        "allergies": "pollen",
    },
    "assessment": {"previous_therapy": False, "current_symptoms": ["sleeps badly"], "severity_level": 4},
    "goals": {"therapy_goals": ["to sleep"], "expectations": "Calmer nights"},
    "agreements": {
        **{"consent_to_treatment": True, "confidentiality_agreement": True, "data_processing_consent": True},
        **{"terms": True, "signed_by_name": "Casey Example"},
    },
}


def make_form(world: World, _role: str | None) -> dict[str, Any]:
    form = IntakeForm(
        id=new_id(),
        client_id=world.client_id,
        status="DRAFT",
        started_at=world.practice.now,
        saved_at=world.practice.now,
    )
    with world.practice.work() as work:
        for step, answers in ANSWERS.items():
            setattr(form, step, work.seal("intake_forms", step, form.id, json.dumps(answers)))
    put(world.practice, form)
    return {"form_id": form.id}


def choose_client(world: World, role: str | None) -> dict[str, Any]:
    """Return the id of a client without an unfinished form; complete those of the only client that a client is."""
    if role != "client":
        return {"client_id": str(world.new_client())}
    with world.practice.work() as work:
        finished = update(IntakeForm).where(IntakeForm.status == "DRAFT", IntakeForm.client_id == world.client_id)
        work.db.execute(finished.values(status="COMPLETED", completed_at=work.now))
    return {"client_id": str(world.client_id)}


def save_step(step: str) -> SampleRequest:
    return SampleRequest(WRITERS, make_form, lambda _world, _role: ANSWERS[step], versioned=("intake_forms", "form_id"))


SAMPLE_REQUESTS = {
    "list_intake_forms": SampleRequest({"admin", "supervisor", "clinician", "scheduler", "client"}),
    "begin_intake_form": SampleRequest({"admin", "clinician", "scheduler", "client"}, body=choose_client),
    "get_intake_form": SampleRequest(
        {"admin", "supervisor", "clinician", "client"}, make_form, headers={"X-Reason": "A complaint to look into"}
    ),
    **{f"save_intake_{step}": save_step(step) for step in ANSWERS},
    "complete_intake_form": SampleRequest(WRITERS, make_form),
}
