"""Routes of the templates of notes and progress reports."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext
from api.fields import MULTILINE, AccountId, Name, RecordId, SetAt, Text40, describe, example
from api.names import PersonOf, ServiceName
from api.note_responses import Type
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.documents import templates
from practice.clinical.documents.rules.content import MAX_SECTIONS
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.models.documents import NoteTemplate
from practice.errors import NotFound
from practice.scheduling.catalog.services import find_service, load_service_codes

router = PermissionRouter(prefix="/note-templates", tags=["notes"])

TemplateType = Literal[Type, "PROGRESS_REPORT"]


class TemplateSectionIn(Input):
    """A section: its title, a prompt for the author, and whether it may be empty when the note is signed."""

    key: Annotated[Text40, describe("The key of the section in notes.")]
    title: Annotated[Name, describe("The title that people read.")]
    prompt: Annotated[
        str, StringConstraints(max_length=500, pattern=MULTILINE), describe("What to write in the section.")
    ] = ""
    required: Annotated[bool, describe("Whether it has to be filled in before signing.")] = True


class TemplateIn(Input):
    """For one service, or for all services without a template of their own."""

    model_config = example(
        type="PROGRESS_NOTE", sections=[{"key": "session", "title": "Session", "prompt": "What was worked on."}]
    )

    type: Annotated[TemplateType, describe("The type of note, or `PROGRESS_REPORT`.")]
    service_code: Annotated[Text40 | None, Field(description="The service; null for all services.")] = None
    sections: Annotated[
        list[TemplateSectionIn], Field(min_length=1, max_length=MAX_SECTIONS), describe("The sections, in order.")
    ]


class TemplateSectionOut(BaseModel):
    key: Annotated[str, describe("The key of the section.")]
    title: Annotated[str, describe("The title that people read.")]
    prompt: Annotated[str, describe("What to write in the section.")]
    required: Annotated[bool, describe("Whether it has to be filled in before signing.")]


class TemplateOut(BaseModel):
    type: Annotated[TemplateType, describe("The type of note, or `PROGRESS_REPORT`.")]
    sections: Annotated[list[TemplateSectionOut], describe("The sections, in order.")]


class SetTemplateOut(TemplateOut):
    id: RecordId
    service_code: Annotated[str | None, describe("The code of the service in the catalog.")]
    service_name: ServiceName = None
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None

    @classmethod
    def of(cls, template: NoteTemplate, service_codes: Mapping[UUID, str]) -> "SetTemplateOut":
        return cls(
            id=template.id,
            type=cast(TemplateType, template.kind),
            service_code=service_codes[template.service_id] if template.service_id else None,
            sections=[TemplateSectionOut(**section) for section in template.sections],
            set_at=template.set_at,
            set_by=template.set_by,
        )


class SetTemplatesOut(BaseModel):
    items: Annotated[list[SetTemplateOut], describe("The templates that the practice has set.")]


@router.get("", permission="settings.read")
def list_note_templates(
    ctx: RequestContext,
    type_: Annotated[TemplateType | None, Query(alias="type", description="Only templates of this type.")] = None,
) -> SetTemplatesOut:
    """List note templates.

    Latest first. The latest template of each type and service is in force.
    """
    set_templates = templates.list_templates(ctx.work, type_)
    codes = load_service_codes(ctx.work, {template.service_id for template in set_templates if template.service_id})
    return SetTemplatesOut(items=[SetTemplateOut.of(template, codes) for template in set_templates])


@router.get("/effective", permission="settings.read", errors=[NotFound])
def get_note_template(
    ctx: RequestContext,
    type_: Annotated[TemplateType, Query(alias="type", description="The type of note or report.")],
    service_code: Annotated[Text40 | None, Query(description="Default: the practice's template.")] = None,
) -> TemplateOut:
    """Get the template in force.

    The service's own, else the practice's, else the built-in one.
    """
    service_id = find_service(ctx.work, service_code).id if service_code else None
    return to_response(type_, templates.find_template(ctx.work, type_, service_id))


@router.post("", permission="settings.write", status_code=201)
def set_note_template(ctx: RequestContext, body: TemplateIn) -> SetTemplateOut:
    """Set a note template.

    In force from now on. Notes begun with an earlier template keep it.
    """
    sections = [TemplateSection(**section.model_dump()) for section in body.sections]
    template = templates.set_template(ctx.work, body.type, sections, body.service_code)
    return SetTemplateOut.of(
        template, load_service_codes(ctx.work, [template.service_id] if template.service_id else [])
    )


def to_response(type_: TemplateType, sections: tuple[TemplateSection, ...]) -> TemplateOut:
    return TemplateOut(type=type_, sections=[TemplateSectionOut(**vars(section)) for section in sections])
