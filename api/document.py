"""The API document as FastAPI makes it, with each description where readers look for it."""

from typing import Any

from fastapi import FastAPI

PATH_PARAMETERS = {
    "appointment_id": "The id of the appointment.",
    "block_id": "The id of the block.",
    "charge_id": "The id of the charge.",
    "client_id": "The id of the client.",
    "closed_on": "The local day of the closure.",
    "code": "The code of the service in the catalog.",
    "consent_id": "The id of the consent.",
    "coverage_id": "The id of the coverage.",
    "document_id": "The id of the document.",
    "entry_id": "The id of the waitlist entry.",
    "exception_id": "The id of the exception of the clinician's hours.",
    "export_id": "The id of the export.",
    "fee_id": "The id of the fee.",
    "form_id": "The id of the intake form.",
    "goal_id": "The id of the goal.",
    "group_session_id": "The id of the group session.",
    "incident_id": "The id of the incident.",
    "job_id": "The id of the job.",
    "key": "The name of the setting.",
    "metric": "The key of the metric.",
    "kind": "What the client agrees to.",
    "note_id": "The id of the note.",
    "notice_id": "The id of the incident's notice.",
    "number": "The version of the report, counted from 1.",
    "offer_id": "The id of the offer.",
    "payment_id": "The id of the payment.",
    "plan_id": "The id of the treatment plan.",
    "practice_id": "The id of the practice.",
    "provider_id": "The id of the clinician, a staff member.",
    "report_id": "The id of the progress report.",
    "request_id": "The id of the request.",
    "review_id": "The id of the treatment plan review.",
    "room_id": "The id of the room.",
    "series_id": "The id of the series.",
    "session_id": "The id of the session.",
    "staff_id": "The id of the staff member.",
    "training_id": "The id of the training.",
    "week": "The Sunday on which the pay week begins.",
    "window_id": "The id of the window of the clinician's hours.",
}


def build_document(app: FastAPI) -> dict[str, Any]:
    """Return the API document of the app."""
    document = FastAPI.openapi(app)
    lift_descriptions(document)
    return document


def lift_descriptions(node: Any) -> None:
    """Move the description of an optional field from its only type, and copy that of a parameter from its schema."""
    if isinstance(node, list):
        for item in node:
            lift_descriptions(item)
    elif isinstance(node, dict):
        for item in node.values():
            lift_descriptions(item)
        described = [member for member in node.get("anyOf", ()) if "description" in member]
        if described and "description" not in node:
            node["description"] = described[0].pop("description")
        if "in" in node and "description" in node.get("schema", {}):
            node.setdefault("description", node["schema"]["description"])
