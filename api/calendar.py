"""The route of the calendar: days with their appointments and blocks."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, resolve_me
from api.context import RequestContext
from api.fields import Day, IdOrMe
from api.responses import Input
from api.routing import PermissionRouter
from practice.scheduling.appointments import queries

router = PermissionRouter(tags=["appointments"])


class CalendarQuery(Input):
    view: Literal["day", "week", "month"] = "week"
    on: Annotated[Day | None, Field(description="A local date; default: today.")] = None
    clinician_id: IdOrMe | None = None
    room_id: UUID | None = None


class BlockOut(BaseModel):
    id: UUID
    clinician_id: UUID | None
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    reason: str | None


class DayOut(BaseModel):
    on: date
    appointments: list[AppointmentOut]
    blocks: list[BlockOut]


class CalendarOut(BaseModel):
    days: list[DayOut]


@router.get("/appointments/calendar", permission="appointments.read")
def get_calendar(ctx: RequestContext, query: Annotated[CalendarQuery, Query()]) -> CalendarOut:
    """Get the calendar of a day, a week or a month.

    A week begins on Sunday. Of everybody, or of one clinician (`me` for yourself) or one room.
    """
    days = queries.load_calendar(
        ctx.work,
        ctx.scope,
        query.view,
        query.on,
        clinician_id=resolve_me(query.clinician_id, ctx.actor.staff_id),
        room_id=query.room_id,
    )
    names = queries.load_names(ctx.work, [appointment for day in days for appointment in day.appointments])
    return CalendarOut(
        days=[
            DayOut(
                on=day.on,
                appointments=[AppointmentOut.of(appointment, names) for appointment in day.appointments],
                blocks=[
                    BlockOut(**{name: getattr(block, name) for name in BlockOut.model_fields}) for block in day.blocks
                ],
            )
            for day in days
        ]
    )
