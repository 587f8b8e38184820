"""Help with writing, by a model that somebody has connected: off until then. What it writes is a draft of the person
who asked for it, marked as generated, and only they can sign it; or it is an answer that is kept nowhere."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from practice.clinical.documents.rules.content import ICD_10, MOST_DIAGNOSES, SECTION_LENGTH, composed
from practice.clinical.documents.rules.templates import Place
from practice.clinical.documents.templates import template_for
from practice.clinical.errors import NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import refuse_settled, save_note
from practice.clinical.notes.locked_notes import record
from practice.clinical.notes.queries import find_note, reading_of
from practice.errors import Refusal, Stale
from practice.scheduling.models.appointments import Appointment
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work


class WritingHelpOff(Refusal):
    code = "WRITING_HELP_OFF"


class WritingHelp(Protocol):
    """Somebody who writes when asked."""

    @property
    def name(self) -> str: ...

    def write(self, type: str, places: Sequence[Place], source: str) -> Mapping[str, str]:
        """The sections of a note, by their keys, from a transcript or from key words."""
        ...

    def improve(self, text: str) -> str: ...

    def diagnoses(self, text: str) -> Sequence[str]:
        """ICD-10 codes that would fit."""
        ...


def help_of(installation: Installation) -> WritingHelp:
    if installation.writing_help is None:
        raise WritingHelpOff("No writing help is connected to this installation. Write the text yourself.")
    return installation.writing_help


def write_draft(work: Work, scope: Scope, note_id: UUID, version: int, source: str, provider: WritingHelp) -> Note:
    """A further version of a draft, as it was generated. Nothing waits for the model but the one who asked it."""
    note = find_own(work, scope, note_id)
    refuse_settled(note)
    if note.version != version:
        raise Stale
    session = work.db.get(Appointment, (work.tenant_id, note.appointment_id)) if note.appointment_id else None
    places = template_for(work, note.type, session.service_id if session else None, note.created_at)
    written = provider.write(note.type, places, source)
    sections = {place.key: written.get(place.key, "")[:SECTION_LENGTH] for place in places}
    diagnoses = reading_of(work, note).base.content.diagnoses
    record(work, "note.generated", note, provider=provider.name)
    return save_note(work, note_id, version, sections=sections, diagnoses=diagnoses, generated=True)


def improve(work: Work, text: str, provider: WritingHelp) -> str:
    work.record("text.improved", provider=provider.name)
    return provider.improve(text)


def suggest_diagnoses(work: Work, scope: Scope, note_id: UUID, provider: WritingHelp) -> list[str]:
    """Codes for what the note says, for its author to choose from."""
    note = find_own(work, scope, note_id)
    reading = reading_of(work, note)
    text = composed(reading.base.content, [addendum.content for addendum in reading.addenda])
    record(work, "note.diagnoses_suggested", note, provider=provider.name)
    found = [code for code in provider.diagnoses(text) if ICD_10.fullmatch(code)]
    return list(dict.fromkeys(found))[:MOST_DIAGNOSES]


def find_own(work: Work, scope: Scope, note_id: UUID) -> Note:
    note = find_note(work, scope, note_id)
    if note.clinician_id != work.actor.staff_id:
        raise NotYourNote("This note is another clinician's. Only its author is helped with it.")
    return note
