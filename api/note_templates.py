"""The templates by which notes and progress reports are written."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext
from api.fields import WRITTEN, Name, Short
from api.notes import Type
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.documents import templates
from practice.clinical.documents.rules.content import MOST_SECTIONS
from practice.clinical.documents.rules.templates import Place
from practice.clinical.models.documents import NoteTemplate

router = PermissionRouter(prefix="/note-templates", tags=["notes"])

Kind = Type | Literal["PROGRESS_REPORT"]


class PlaceIn(Input):
    """A section: what it is called, what to think of, and whether it may be empty when signed."""

    key: Short
    title: Name
    prompt: Annotated[str, StringConstraints(max_length=500, pattern=WRITTEN)] = ""
    required: bool = True


class TemplateIn(Input):
    """For one service, or for all that have none of their own."""

    kind: Kind
    service_id: UUID | None = None
    sections: Annotated[list[PlaceIn], Field(min_length=1, max_length=MOST_SECTIONS)]


class PlaceOut(BaseModel):
    key: str
    title: str
    prompt: str
    required: bool


class TemplateOut(BaseModel):
    kind: Kind
    sections: list[PlaceOut]


class SetTemplateOut(TemplateOut):
    id: UUID
    service_id: UUID | None
    set_at: datetime
    set_by: UUID | None

    @classmethod
    def of(cls, template: NoteTemplate) -> "SetTemplateOut":
        plain = {name: getattr(template, name) for name in ("id", "kind", "service_id", "set_at", "set_by")}
        return cls(**plain, sections=[PlaceOut(**place) for place in template.sections])


class SetTemplatesOut(BaseModel):
    items: list[SetTemplateOut]


@router.get("", permission="settings.read")
def list_note_templates(ctx: RequestContext, kind: Annotated[Kind | None, Query()] = None) -> SetTemplatesOut:
    """What the practice has set, the last first. Of each kind and service the last counts."""
    return SetTemplatesOut(items=[SetTemplateOut.of(one) for one in templates.list_templates(ctx.work, kind)])


@router.get("/effective", permission="settings.read")
def get_note_template(
    ctx: RequestContext, kind: Annotated[Kind, Query()], service_id: Annotated[UUID | None, Query()] = None
) -> TemplateOut:
    """The template by which a note of this kind is begun now: the service's, else the practice's, else the usual."""
    return template_out(kind, templates.template_for(ctx.work, kind, service_id))


@router.post("", permission="settings.write", status_code=201)
def set_note_template(ctx: RequestContext, body: TemplateIn) -> SetTemplateOut:
    """Set a template from now on. What was begun by another one is finished by it."""
    places = [Place(**place.model_dump()) for place in body.sections]
    return SetTemplateOut.of(templates.set_template(ctx.work, body.kind, places, body.service_id))


def template_out(kind: Kind, places: tuple[Place, ...]) -> TemplateOut:
    return TemplateOut(kind=kind, sections=[PlaceOut(**vars(place)) for place in places])
