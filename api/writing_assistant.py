"""Routes of the writing assistant for notes, available when a model is configured."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import Text20000, Text50000, describe, example
from api.note_responses import NoteOut, to_response
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.errors import WRITE_ERRORS, NotYourNote
from practice.clinical.notes import writing_assistant
from practice.clinical.notes.writing_assistant import WritingAssistantOff

router = PermissionRouter(prefix="/notes", tags=["notes"])


class SourceIn(Input):
    """A transcript or keywords."""

    model_config = example(source="slept better, breathing exercise, weekly")

    source: Annotated[Text50000, describe("A transcript, or keywords.")]


class TextIn(Input):
    model_config = example(text="Client slept better then last week.")

    text: Annotated[Text20000, describe("The text to work on.")]


class TextOut(BaseModel):
    text: Annotated[str, describe("The proposed text.")]
    provider: Annotated[str, describe("Which model or service answered.")]


class SuggestionsOut(BaseModel):
    diagnoses: Annotated[list[str], describe("Proposed ICD-10 codes.")]
    provider: Annotated[str, describe("Which model or service answered.")]


@router.post("/{note_id}/generate", permission="notes.write", errors=[*WRITE_ERRORS, WritingAssistantOff])
def generate_note(ctx: RequestContext, note_id: UUID, version: Version, body: SourceIn) -> NoteOut:
    """Generate the sections of a draft note.

    It stays a draft, marked as generated, until you sign it.
    """
    provider = writing_assistant.get_provider(ctx.installation)
    return to_response(ctx, writing_assistant.write_draft(ctx.work, ctx.scope, note_id, version, body.source, provider))


@router.post("/improve", permission="notes.write", errors=[WritingAssistantOff])
def improve_text(ctx: RequestContext, body: TextIn) -> TextOut:
    """Improve the wording of a text.

    Nothing is stored.
    """
    provider = writing_assistant.get_provider(ctx.installation)
    return TextOut(text=writing_assistant.improve_text(ctx.work, body.text, provider), provider=provider.name)


@router.post("/{note_id}/suggest-diagnoses", permission="notes.write", errors=[NotYourNote, WritingAssistantOff])
def suggest_diagnoses(ctx: RequestContext, note_id: UUID) -> SuggestionsOut:
    """Suggest diagnoses for a note.

    ICD-10 codes that fit its content. Nothing is stored.
    """
    provider = writing_assistant.get_provider(ctx.installation)
    diagnoses = writing_assistant.suggest_diagnoses(ctx.work, ctx.scope, note_id, provider)
    return SuggestionsOut(diagnoses=diagnoses, provider=provider.name)
