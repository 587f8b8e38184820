"""The route of the page of one note: its sections, what its reader may do, and what prevents a signature."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.appointments import AppointmentOut
from api.appointments import to_response as to_appointments
from api.context import RequestContext
from api.fields import ClientId, describe
from api.names import ClientName, StaffName, from_record
from api.note_responses import NoteOut, Type, view_response
from api.responses import Input
from api.routing import PermissionRouter
from practice.dashboards.note_pad import NotePad, load_note_pad
from practice.errors import FieldProblem, Invalid, NotFound

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class NotePadQuery(Input):
    """Either a note, or the session that it is or will be about."""

    note_id: Annotated[UUID | None, describe("The note.")] = None
    appointment_id: Annotated[UUID | None, describe("The session, if its note is not begun or not known.")] = None
    type: Annotated[Type | None, describe("The type of a note that is not begun.")] = None


class PadSectionOut(BaseModel):
    key: Annotated[str, describe("The key of the section.")]
    title: Annotated[str, describe("The title of the section.")]
    prompt: Annotated[str, describe("What to write in the section.")]
    text: Annotated[str, describe("What is saved.")]
    missing: Annotated[str, describe("What is missing while it is empty; empty if it may be.")]


class NotePadOut(BaseModel):
    """`may` lists `write`, `sign`, `submit` (for review), `withdraw` (from review), `discard` (a draft)
    and `add` (an addendum)."""

    client_id: ClientId
    client_name: ClientName = None
    appointment: Annotated[AppointmentOut | None, describe("The session; null without one.")]
    type: Annotated[Type, describe("The type of note.")]
    types: Annotated[list[Type], describe("The types that a note that is not begun can have.")]
    note: Annotated[NoteOut | None, describe("The note; null if it is not begun.")]
    sections: Annotated[list[PadSectionOut], describe("The sections of its template, in order.")]
    diagnoses: Annotated[list[str], describe("ICD-10 codes, the main one first.")]
    deadline: Annotated[datetime | None, describe("Until when it is signed in time; null without a session.")]
    may: Annotated[
        list[Literal["write", "sign", "submit", "withdraw", "discard", "add"]], describe("What you may do with it now.")
    ]
    problems: Annotated[list[str], describe("What prevents writing or signing it, besides empty sections.")]
    brief: Annotated[list[str], describe("One to three sentences: its state, and what comes next.")]
    supervisor_id: Annotated[UUID | None, describe("The author's supervisor, a staff member; null without one.")]
    supervisor_name: StaffName = None
    notes_begun: Annotated[int, describe("How many notes were ever begun about the session; 0 once there is one.")]

    @classmethod
    def of(cls, ctx: RequestContext, pad: NotePad) -> "NotePadOut":
        return from_record(
            cls,
            pad,
            appointment=to_appointments(ctx, pad.session)[0] if pad.session else None,
            note=view_response(pad.view) if pad.view else None,
            sections=[from_record(PadSectionOut, section) for section in pad.sections],
        )


@router.get("/note", permission="dashboards.note", errors=[NotFound])
def get_note_pad(ctx: RequestContext, query: Annotated[NotePadQuery, Query()]) -> NotePadOut:
    """Get the page of a note.

    The note with its template's sections, what you may do with it, and what prevents a signature. For a session
    without a note, the sections to fill in.
    """
    if query.note_id is None and query.appointment_id is None:
        raise Invalid(
            [FieldProblem("note_id", "Missing note. Send `note_id`, or the `appointment_id` of its session.")]
        )
    return NotePadOut.of(ctx, load_note_pad(ctx.work, ctx.scope, **query.model_dump()))
