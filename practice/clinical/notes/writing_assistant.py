"""Writing assistance by a model that the operator connects; off by default.

Generated text is a draft of the clinician who requested it, marked as generated, and only they can sign it. Other
answers are not stored.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.documents.rules.content import ICD_10, MAX_DIAGNOSES, MAX_SECTION_LENGTH, full_text
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import find_template
from practice.clinical.errors import NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import refuse_unless_draft, save_note
from practice.clinical.notes.queries import find_note, load_note_view
from practice.errors import Refusal, Stale
from practice.scheduling.models.appointments import Appointment
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work


class WritingAssistantOff(Refusal):
    """No writing assistant is connected to the installation.

    Fix: write the text yourself.
    """

    code = "WRITING_HELP_OFF"


class WritingAssistant(Protocol):
    """The interface of a connected model."""

    @property
    def name(self) -> str: ...

    def write(self, type: str, template: Sequence[TemplateSection], source: str) -> Mapping[str, str]:
        """Return the sections of a note by key, written from a transcript or from keywords."""
        ...

    def improve(self, text: str) -> str:
        """Return the text in better wording."""
        ...

    def suggest_diagnoses(self, text: str) -> Sequence[str]:
        """Return ICD-10 codes that fit the text."""
        ...


def get_provider(installation: Installation) -> WritingAssistant:
    """Return the connected model, or raise WritingAssistantOff."""
    if installation.writing_assistant is None:
        raise WritingAssistantOff("No writing assistant is connected to this installation. Write the text yourself.")
    return installation.writing_assistant


def write_draft(work: Work, scope: Scope, note_id: UUID, version: int, source: str, provider: WritingAssistant) -> Note:
    """Store a generated version of the actor's own draft. No lock is held while the model writes."""
    note = find_own_note(work, scope, note_id)
    refuse_unless_draft(note)
    if note.version != version:
        raise Stale
    session = work.db.get(Appointment, (work.tenant_id, note.appointment_id)) if note.appointment_id else None
    template = find_template(work, note.type, session.service_id if session else None, note.created_at)
    texts = provider.write(note.type, template, source)
    sections = {section.key: texts.get(section.key, "")[:MAX_SECTION_LENGTH] for section in template}
    diagnoses = load_note_view(work, note).base.content.diagnoses
    audit_chart_access(work, note, "note.generated", provider=provider.name)
    return save_note(work, note_id, version, sections=sections, diagnoses=diagnoses, generated=True)


def improve_text(work: Work, text: str, provider: WritingAssistant) -> str:
    """Return the text as the model rewrites it."""
    work.record("text.improved", provider=provider.name)
    return provider.improve(text)


def suggest_diagnoses(work: Work, scope: Scope, note_id: UUID, provider: WritingAssistant) -> list[str]:
    """Return ICD-10 codes that fit the note, for its author to choose from."""
    note = find_own_note(work, scope, note_id)
    view = load_note_view(work, note)
    text = full_text(view.base.content, [addendum.content for addendum in view.addenda])
    audit_chart_access(work, note, "note.diagnoses_suggested", provider=provider.name)
    codes = [code for code in provider.suggest_diagnoses(text) if ICD_10.fullmatch(code)]
    return list(dict.fromkeys(codes))[:MAX_DIAGNOSES]


def find_own_note(work: Work, scope: Scope, note_id: UUID) -> Note:
    """Return the actor's own note, or raise NotYourNote."""
    note = find_note(work, scope, note_id)
    if note.clinician_id != work.actor.staff_id:
        raise NotYourNote(
            "This note belongs to another clinician. Only its author can use the writing assistant on it."
        )
    return note
