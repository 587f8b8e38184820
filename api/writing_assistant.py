"""Help with writing notes, where somebody has connected a model."""

from uuid import UUID

from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import LongText
from api.notes import NoteOut, Passage, shown
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.errors import WRITING, NotYourNote
from practice.clinical.notes import writing_assistant
from practice.clinical.notes.writing_assistant import WritingHelpOff

router = PermissionRouter(prefix="/notes", tags=["notes"])


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


@router.post("/{note_id}/generate", permission="notes.write", errors=[*WRITING, WritingHelpOff])
def generate_note(ctx: RequestContext, note_id: UUID, version: Version, body: Source) -> NoteOut:
    """Have the sections of a draft written. It stays a draft, marked as generated, until you sign it."""
    provider = writing_assistant.help_of(ctx.installation)
    return shown(ctx, writing_assistant.write_draft(ctx.work, ctx.scope, note_id, version, body.source, provider))


@router.post("/improve", permission="notes.write", errors=[WritingHelpOff])
def improve_text(ctx: RequestContext, body: TextIn) -> TextOut:
    """Have the wording of a text improved. Nothing of it is kept."""
    provider = writing_assistant.help_of(ctx.installation)
    return TextOut(text=writing_assistant.improve(ctx.work, body.text, provider), provider=provider.name)


@router.post("/{note_id}/suggest-diagnoses", permission="notes.write", errors=[NotYourNote, WritingHelpOff])
def suggest_diagnoses(ctx: RequestContext, note_id: UUID) -> SuggestionsOut:
    """ICD-10 codes that would fit what your note says. Nothing of it is kept: choose, and save."""
    provider = writing_assistant.help_of(ctx.installation)
    found = writing_assistant.suggest_diagnoses(ctx.work, ctx.scope, note_id, provider)
    return SuggestionsOut(diagnoses=found, provider=provider.name)
