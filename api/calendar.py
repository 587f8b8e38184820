"""The route of the calendar: days with their appointments, groups, blocks, and times held for the waitlist."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import AppointmentOut
from api.context import RequestContext
from api.fields import ClinicianId, Day, IdOrMe, RecordId, RoomId, describe
from api.filters import resolve_me
from api.group_sessions import GroupOut
from api.names import RoomName, ServiceName, StaffName, from_record
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import FieldProblem, Invalid
from practice.people.practice_time import local_today
from practice.scheduling.appointments import queries
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.group_sessions.queries import load_groups_by_date
from practice.scheduling.models.waitlist import WaitlistOffer

router = PermissionRouter(tags=["appointments"])


MAX_CALENDAR_DAYS = 62


class CalendarQuery(Input):
    """Either the `view` that contains `on`, or the local dates `from` and `to`, both inclusive."""

    view: Annotated[
        Literal["day", "week", "month"] | None, Field(description="Default: the week, which begins on Sunday.")
    ] = None
    on: Annotated[Day | None, Field(description="A local date; default: today.")] = None
    first: Annotated[Day | None, Field(alias="from", description="The first local date.")] = None
    last: Annotated[Day | None, Field(alias="to", description="The last local date, at most 61 days later.")] = None
    clinician_id: Annotated[IdOrMe | None, Field(description="A clinician's id, or `me` for yourself.")] = None
    room_id: Annotated[UUID | None, Field(description="Of this room.")] = None

    def to_range(self, ctx: RequestContext) -> tuple[date, date]:
        """Return the first and last local date, or raise Invalid."""
        if self.first is None and self.last is None:
            return queries.compute_view_range(self.view or "week", self.on or local_today(ctx.work))
        if self.first is None or self.last is None or self.view is not None or self.on is not None:
            raise Invalid([FieldProblem("from", "Send either `view` and `on`, or both `from` and `to`.")])
        if not 0 <= (self.last - self.first).days < MAX_CALENDAR_DAYS:
            message = f"Choose a `to` on or after `from`, at most {MAX_CALENDAR_DAYS - 1} days later."
            raise Invalid([FieldProblem("to", message)])
        return self.first, self.last


class CalendarBlockOut(BaseModel):
    id: RecordId
    clinician_id: ClinicianId | None
    clinician_name: StaffName = None
    room_id: RoomId | None
    room_name: RoomName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    reason: Annotated[str | None, describe("Why, such as a meeting.")]


class HoldOut(BaseModel):
    """A time held for a client of the waitlist until their offer is answered or ends."""

    offer_id: Annotated[UUID, describe("The offer of the waitlist that holds the time.")]
    waitlist_entry_id: Annotated[UUID, describe("The entry of the waitlist.")]
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    room_id: RoomId | None
    room_name: RoomName = None
    service_code: Annotated[str, describe("The code of the service in the catalog.")]
    service_name: ServiceName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    holds_until: Annotated[datetime, describe("Until when the time is held.")]

    @classmethod
    def of(cls, offer: WaitlistOffer, service_codes: Mapping[UUID, str]) -> "HoldOut":
        code = service_codes[offer.service_id]
        return from_record(cls, offer, offer_id=offer.id, waitlist_entry_id=offer.entry_id, service_code=code)


class DayOut(BaseModel):
    on: Annotated[date, describe("The local day.")]
    appointments: Annotated[list[AppointmentOut], describe("The day's active appointments, by start.")]
    blocks: Annotated[list[CalendarBlockOut], describe("What else takes time on the day.")]
    holds: Annotated[list[HoldOut], describe("Times that offers of the waitlist hold.")]
    group_sessions: Annotated[list[GroupOut], describe("The day's group sessions.")]


class CalendarOut(BaseModel):
    days: Annotated[list[DayOut], describe("The days of the view, each once.")]


@router.get("/appointments/calendar", permission="appointments.read")
def get_calendar(ctx: RequestContext, query: Annotated[CalendarQuery, Query()]) -> CalendarOut:
    """Get the calendar of a day, a week, a month or between two dates.

    A week begins on Sunday. Of everybody, or of one clinician (`me` for yourself) or one room.
    """
    first, last = query.to_range(ctx)
    clinician_id = resolve_me(query.clinician_id, ctx.actor.staff_id)
    days = queries.load_calendar(ctx.work, ctx.scope, first, last, clinician_id, query.room_id)
    groups = load_groups_by_date(ctx.work, ctx.scope, first, last, clinician_id, query.room_id)
    codes = load_service_codes(ctx.work, {hold.service_id for day in days for hold in day.holds})
    return CalendarOut(
        days=[
            DayOut(
                on=day.on,
                appointments=[AppointmentOut.of(appointment, ctx) for appointment in day.appointments],
                blocks=[from_record(CalendarBlockOut, block) for block in day.blocks],
                holds=[HoldOut.of(hold, codes) for hold in day.holds],
                group_sessions=[GroupOut.of(view, ctx) for view in groups.get(day.on, ())],
            )
            for day in days
        ]
    )
