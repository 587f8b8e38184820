"""Help with writing notes, where somebody has connected a model."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Desk, Version, endpoint
from api.fields import LongText
from api.notes import NoteOut, Passage, shown
from api.responses import Input
from practice.clinical.errors import WRITING, NotYourNote
from practice.clinical.notes import writing_assistant
from practice.clinical.notes.writing_assistant import WritingHelpOff

router = APIRouter(prefix="/notes", tags=["notes"])


class Source(Input):
    """A transcript, or key words."""

    source: LongText


class TextIn(Input):
    text: Passage


class TextOut(BaseModel):
    text: str
    provider: str


class SuggestionsOut(BaseModel):
    diagnoses: list[str]
    provider: str


@endpoint(router, "POST", "/{note_id}/generate", may="notes.write", refusals=[*WRITING, WritingHelpOff])
def generate_note(desk: Desk, note_id: UUID, version: Version, body: Source) -> NoteOut:
    """Have the sections of a draft written. It stays a draft, marked as generated, until you sign it."""
    provider = writing_assistant.help_of(desk.house)
    return shown(desk, writing_assistant.write_draft(desk.work, desk.scope, note_id, version, body.source, provider))


@endpoint(router, "POST", "/improve", may="notes.write", refusals=[WritingHelpOff])
def improve_text(desk: Desk, body: TextIn) -> TextOut:
    """Have the wording of a text improved. Nothing of it is kept."""
    provider = writing_assistant.help_of(desk.house)
    return TextOut(text=writing_assistant.improve(desk.work, body.text, provider), provider=provider.name)


@endpoint(router, "POST", "/{note_id}/suggest-diagnoses", may="notes.write", refusals=[NotYourNote, WritingHelpOff])
def suggest_diagnoses(desk: Desk, note_id: UUID) -> SuggestionsOut:
    """ICD-10 codes that would fit what your note says. Nothing of it is kept: choose, and save."""
    provider = writing_assistant.help_of(desk.house)
    found = writing_assistant.suggest_diagnoses(desk.work, desk.scope, note_id, provider)
    return SuggestionsOut(diagnoses=found, provider=provider.name)
