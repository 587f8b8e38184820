"""The calendar: days with their appointments, meetings and blocks."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, Me, meant
from api.context import RequestContext
from api.fields import Day
from api.responses import Input
from api.routing import PermissionRouter
from practice.scheduling.appointments import queries

router = PermissionRouter(tags=["appointments"])


class CalendarQuery(Input):
    view: Literal["day", "week", "month"] = "week"
    on: Annotated[Day | None, Field(description="A local date; today where nothing is said.")] = None
    clinician: UUID | Me | None = None
    room: UUID | None = None


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
    """A day, a week (from Sunday) or a month, of everybody, one clinician or one room."""
    days = queries.calendar(
        ctx.work,
        ctx.scope,
        query.view,
        query.on,
        clinician_id=meant(ctx, query.clinician, ctx.actor.staff_id),
        room_id=query.room,
    )
    names = queries.names_for(ctx.work, [one for day in days for one in day.appointments])
    return CalendarOut(
        days=[
            DayOut(
                on=day.on,
                appointments=[AppointmentOut.of(one, names) for one in day.appointments],
                blocks=[BlockOut(**{n: getattr(block, n) for n in BlockOut.model_fields}) for block in day.blocks],
            )
            for day in days
        ]
    )
