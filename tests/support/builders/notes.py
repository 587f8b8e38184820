"""Builders that write notes through the service functions."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from practice.clinical.documents.rules.templates import DEFAULT_TEMPLATES
from practice.clinical.notes.drafts import create_note
from practice.clinical.notes.signing import sign_note, submit_note
from practice.security.permissions import Scope
from tests.support.builders.people import Person, PracticeFixture


def fill_sections(type: str, text: str = "As expected.") -> dict[str, str]:
    """Return the sections of a complete note of the type."""
    return dict(SOAP) if type == "SOAP_NOTE" else {section.key: text for section in DEFAULT_TEMPLATES[type]}


def make_note(
    practice: PracticeFixture,
    author: Person,
    client_id: UUID,
    *,
    type: str = "SOAP_NOTE",
    appointment_id: UUID | None = None,
    status: str = "DRAFT",
    now: datetime | None = None,
    sections: Mapping[str, str] | None = None,
) -> UUID:
    """Write a note up to the status and return its id. SIGNED notes are signed by the author alone."""
    sections = fill_sections(type) if sections is None else sections
    with practice.work(author, now) as work:
        note_id = create_note(
            work, Scope.OWN, client_id=client_id, type=type, appointment_id=appointment_id, sections=sections
        ).id
    with practice.work(author, now) as work:
        if status == "IN_REVIEW":
            submit_note(work, note_id)
        elif status == "SIGNED":
            sign_note(work, note_id)
    return note_id


SOAP = {
    "subjective": "Slept badly since the move.",
    "objective": "Tired, attentive.",
    "assessment": "Adjusting; no risk.",
    "plan": "Sleep diary until next week.",
}
