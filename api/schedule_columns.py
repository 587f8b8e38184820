"""Columns of the schedule in responses: a local day of a clinician or room with its hours and free time."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel

from api.fields import ClientId, ClinicianId, RecordId, RoomId, describe
from api.names import ClientName, RoomName, StaffName, from_record
from practice.dashboards.schedule_columns import ScheduleColumn
from practice.scheduling.availability.rules.free_time import Pair


class TimeSpanOut(BaseModel):
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]

    @classmethod
    def list_of(cls, pairs: Collection[Pair]) -> "list[TimeSpanOut]":
        return [cls(starts_at=start, ends_at=end) for start, end in pairs]


class TakenTimeOut(TimeSpanOut):
    id: Annotated[UUID, describe("The block, the offer of the waitlist, or the group session.")]
    kind: Annotated[
        Literal["block", "held", "group"],
        describe("`block` for a meeting or maintenance, `held` for the waitlist, `group` for a group without seats."),
    ]
    reason: Annotated[str | None, describe("Why the time is blocked, such as a meeting.")]


class WeekVisitOut(BaseModel):
    """A visit as far as a time grid shows it."""

    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    room_id: RoomId | None
    room_name: RoomName = None
    group_session_id: Annotated[UUID | None, describe("The group session in which this is a seat.")]
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    status: Annotated[str, describe("Where it stands.")]
    ready_at: Annotated[datetime | None, describe("When the clinician was ready.")]
    telehealth: Annotated[bool, describe("Held by video.")]


class ScheduleColumnOut(BaseModel):
    id: Annotated[UUID, describe("The clinician or room.")]
    name: Annotated[str, describe("Their name.")]
    on: Annotated[date, describe("The local day.")]
    starts_at: Annotated[datetime, describe("When the local day begins.")]
    ends_at: Annotated[datetime, describe("When the local day ends; after 23 or 25 hours where the clock changes.")]
    closed: Annotated[bool, describe("Whether the practice is closed on the day.")]
    closure_reason: Annotated[str | None, describe("Why, such as a holiday.")]
    open: Annotated[list[TimeSpanOut], describe("Open hours; of a room, while any clinician sees clients.")]
    away: Annotated[list[TimeSpanOut], describe("Usual hours in which the clinician is away.")]
    free: Annotated[list[TimeSpanOut], describe("Open hours from now on without a visit.")]
    taken: Annotated[list[TakenTimeOut], describe("What takes time beside the visits.")]

    @classmethod
    def of(cls, column: ScheduleColumn) -> "ScheduleColumnOut":
        times = {name: TimeSpanOut.list_of(getattr(column, name)) for name in ("open", "away", "free")}
        taken = [from_record(TakenTimeOut, item) for item in column.taken]
        return from_record(cls, column, id=column.resource.id, name=column.resource.name, taken=taken, **times)
