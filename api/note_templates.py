"""Routes of the templates of notes and progress reports."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext
from api.fields import MULTILINE, Name, Text40
from api.note_responses import Type
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.documents import templates
from practice.clinical.documents.rules.content import MAX_SECTIONS
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.models.documents import NoteTemplate

router = PermissionRouter(prefix="/note-templates", tags=["notes"])

TemplateType = Literal[Type, "PROGRESS_REPORT"]


class TemplateSectionIn(Input):
    """A section: its title, a prompt for the author, and whether it may be empty when the note is signed."""

    key: Text40
    title: Name
    prompt: Annotated[str, StringConstraints(max_length=500, pattern=MULTILINE)] = ""
    required: bool = True


class TemplateIn(Input):
    """For one service, or for all services without a template of their own."""

    type: TemplateType
    service_id: UUID | None = None
    sections: Annotated[list[TemplateSectionIn], Field(min_length=1, max_length=MAX_SECTIONS)]


class TemplateSectionOut(BaseModel):
    key: str
    title: str
    prompt: str
    required: bool


class TemplateOut(BaseModel):
    type: TemplateType
    sections: list[TemplateSectionOut]


class SetTemplateOut(TemplateOut):
    id: UUID
    service_id: UUID | None
    set_at: datetime
    set_by: UUID | None

    @classmethod
    def of(cls, template: NoteTemplate) -> "SetTemplateOut":
        return cls(
            id=template.id,
            type=cast(TemplateType, template.kind),
            service_id=template.service_id,
            sections=[TemplateSectionOut(**section) for section in template.sections],
            set_at=template.set_at,
            set_by=template.set_by,
        )


class SetTemplatesOut(BaseModel):
    items: list[SetTemplateOut]


@router.get("", permission="settings.read")
def list_note_templates(
    ctx: RequestContext, type_: Annotated[TemplateType | None, Query(alias="type")] = None
) -> SetTemplatesOut:
    """List note templates.

    Latest first. The latest template of each type and service is in force.
    """
    return SetTemplatesOut(
        items=[SetTemplateOut.of(template) for template in templates.list_templates(ctx.work, type_)]
    )


@router.get("/effective", permission="settings.read")
def get_note_template(
    ctx: RequestContext,
    type_: Annotated[TemplateType, Query(alias="type")],
    service_id: Annotated[UUID | None, Query()] = None,
) -> TemplateOut:
    """Get the template in force.

    The service's own, else the practice's, else the built-in one.
    """
    return to_response(type_, templates.find_template(ctx.work, type_, service_id))


@router.post("", permission="settings.write", status_code=201)
def set_note_template(ctx: RequestContext, body: TemplateIn) -> SetTemplateOut:
    """Set a note template.

    In force from now on. Notes begun with an earlier template keep it.
    """
    sections = [TemplateSection(**section.model_dump()) for section in body.sections]
    return SetTemplateOut.of(templates.set_template(ctx.work, body.type, sections, body.service_id))


def to_response(type_: TemplateType, sections: tuple[TemplateSection, ...]) -> TemplateOut:
    return TemplateOut(type=type_, sections=[TemplateSectionOut(**vars(section)) for section in sections])
