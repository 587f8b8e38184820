"""Routes of group sessions: lists with free seats, opening, and cancelling or moving one with all its seats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.appointment_steps import SeriesScope
from api.appointments import BookingProblemOut
from api.context import RequestContext
from api.fields import ClientId, ClinicianId, IdOrMe, Instant, Reason1000, RecordId, RoomId, Text40, describe
from api.filters import StartsQuery, resolve_me
from api.names import ClientName, RoomName, ServiceName, StaffName, from_record
from api.responses import Input, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.errors import FieldProblem, Invalid
from practice.scheduling.appointments.notifications import list_reach_warnings
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.group_sessions import changes, opening, queries
from practice.scheduling.group_sessions.changes import ChangedGroups
from practice.scheduling.group_sessions.opening import GroupRequest
from practice.scheduling.group_sessions.queries import GroupFilters, GroupView
from practice.scheduling.models.appointments import GroupSession

router = PermissionRouter(prefix="/group-sessions", tags=["group sessions"])

Status = Literal["SCHEDULED", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"]
CLINICIAN = "01890000-0000-7000-8000-000000000001"


class GroupIn(Input):
    """The seats are those of the service or of the room, whichever are fewer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"clinician_id": CLINICIAN, "service_code": "GRIEF", "starts_at": "2026-05-04T17:00:00-04:00"}]
        }
    )

    clinician_id: Annotated[UUID, Field(description="The clinician who leads the group.")]
    service_code: Annotated[Text40, Field(description="A service of the kind GROUP.")]
    starts_at: Annotated[Instant, Field(description="When it starts; the service says how long it lasts.")]
    room_id: Annotated[UUID | None, Field(description="The room; null for none.")] = None

    def to_request(self) -> GroupRequest:
        return GroupRequest(self.clinician_id, self.service_code, self.starts_at, self.room_id)


class GroupSeriesIn(GroupIn):
    """A group at the same local time by a rule. Nothing is opened unless every one can be, or `skip_conflicts`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "clinician_id": CLINICIAN,
                    "service_code": "GRIEF",
                    "starts_at": "2026-05-04T17:00:00-04:00",
                    "rule": "FREQ=WEEKLY;COUNT=8",
                }
            ]
        }
    )

    rule: Annotated[str, Field(max_length=200, description="An RRULE such as FREQ=WEEKLY;COUNT=10.")]
    skip_conflicts: Annotated[bool, Field(description="Skip the occurrences that cannot be opened.")] = False


class GroupCancellationIn(Input):
    """For a series: only this group, this and the following ones, or all that are still to come."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The clinician is ill"}]})

    reason: Annotated[Reason1000, Field(description="Why the group is cancelled; staff see it.")]
    series_scope: Annotated[SeriesScope, Field(description="Which groups of the series.")] = "this"


class GroupMoveIn(Input):
    """The other groups of a series move by the same number of days and the same local time difference."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"starts_at": "2026-05-05T17:00:00-04:00"}]})

    starts_at: Annotated[Instant, Field(description="The new start.")]
    clinician_id: Annotated[UUID | None, Field(description="Another clinician; default: the same.")] = None
    room_id: Annotated[UUID | None, Field(description="Another room; default: the same, null for none.")] = None
    series_scope: Annotated[SeriesScope, Field(description="Which groups of the series.")] = "this"


class GroupQuery(StartsQuery):
    clinician_id: Annotated[IdOrMe | None, Field(description="A clinician's id, or `me` for yourself.")] = None
    service_code: Annotated[Text40 | None, Field(description="Of this service.")] = None
    room_id: Annotated[UUID | None, Field(description="In this room.")] = None
    series_id: Annotated[UUID | None, Field(description="Of this series.")] = None
    status: Annotated[Status | None, Field(description="With this status.")] = None
    has_free_seats: Annotated[bool, Field(description="Only groups in which a seat can be booked.")] = False


class GroupOut(BaseModel):
    """Book a seat with `group_session_id` of an appointment."""

    id: RecordId
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    service_code: Annotated[str, describe("The code of its service in the catalog.")]
    service_name: ServiceName = None
    room_id: RoomId | None
    room_name: RoomName = None
    series_id: Annotated[UUID | None, describe("The series that it belongs to.")]
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    capacity: Annotated[int | None, Field(description="All seats; null for no limit.")]
    taken_seats: Annotated[int, describe("The number of seats that are booked.")]
    free_seats: Annotated[int | None, Field(description="Seats that can be booked; null for no limit.")]
    status: Annotated[
        Status,
        describe("`SCHEDULED`, `CANCELLED` or `RESCHEDULED`; once it is over, that of its seats if all are final."),
    ]
    status_at: Annotated[datetime | None, describe("When it got its status.")]
    cancellation_reason: Annotated[str | None, Field(description="For staff only.")]
    rescheduled_to_id: Annotated[UUID | None, describe("The group session that replaces it.")]

    @classmethod
    def of(cls, view: GroupView, ctx: RequestContext) -> "GroupOut":
        hidden = {} if ctx.actor.client_id is None else {"cancellation_reason": None}
        seats = {name: getattr(view, name) for name in ("taken_seats", "free_seats", "status", "status_at")}
        return from_record(GroupOut, view.group, service_code=view.service_code, **seats, **hidden)


class SeatOut(BaseModel):
    appointment_id: Annotated[UUID, describe("The appointment that is the seat.")]
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    client_id: ClientId
    client_name: ClientName = None
    status: Annotated[str, describe("Where the seat stands.")]


class GroupDetailsOut(GroupOut):
    """A group with its seats, cancelled ones included. A client sees only their own."""

    seats: Annotated[list[SeatOut], describe("Its seats, with their clients.")]


class GroupsOut(BaseModel):
    items: Annotated[list[GroupOut], describe("The group sessions that came of it.")]
    warnings: Annotated[list[str], describe("The references of seats whose clients no message can reach.")]


class GroupOccurrenceOut(BaseModel):
    starts_at: Annotated[datetime, describe("When it begins.")]
    status: Annotated[Literal["opened", "skipped"], describe("Whether this occurrence was booked or skipped.")]
    group_session_id: Annotated[UUID | None, describe("The group session; null if it was skipped.")]
    problems: Annotated[list[BookingProblemOut], describe("Why it was skipped.")]


class GroupSeriesOut(BaseModel):
    series_id: Annotated[UUID, describe("The series that it belongs to.")]
    rule: Annotated[str, describe("The recurrence rule.")]
    occurrences: Annotated[list[GroupOccurrenceOut], describe("All occurrences, in the order of time.")]


GroupInList: Any = partial_model(GroupOut)


def to_response(ctx: RequestContext, groups: Sequence[GroupSession]) -> list[GroupOut]:
    """Return the groups with the numbers of their seats."""
    return [GroupOut.of(view, ctx) for view in queries.load_views(ctx.work, groups)]


def describe_change(ctx: RequestContext, changed: ChangedGroups) -> GroupsOut:
    """Return the groups that came of a change, and whom it could not be sent to."""
    warnings = list_reach_warnings(ctx.work, changed.seats, named=True)
    return GroupsOut(items=to_response(ctx, changed.groups), warnings=warnings)


@router.get("", permission="appointments.read")
def list_group_sessions(ctx: RequestContext, query: Annotated[GroupQuery, Query()]) -> PageOut[GroupInList]:
    """List group sessions.

    With their free seats. Clients see those they can join and those of their own seats. Sorts by starts_at or id.
    """
    filters = GroupFilters(
        clinician_id=resolve_me(query.clinician_id, ctx.actor.staff_id),
        service_code=query.service_code,
        room_id=query.room_id,
        series_id=query.series_id,
        status=query.status,
        has_free_seats=query.has_free_seats,
        **query.to_span(ctx.work),
    )
    page = queries.list_group_sessions(ctx.work, ctx.scope, query.page_request(), filters)
    return to_page(page, GroupOut, ctx)


@router.post("", permission="appointments.write", status_code=201, errors=BOOKING_REFUSALS)
def open_group_session(ctx: RequestContext, body: GroupIn) -> GroupOut:
    """Open a group session.

    It takes the clinician and the room until it is cancelled or moved, with or without seats.
    """
    return to_response(ctx, [opening.open_group_session(ctx.work, body.to_request())])[0]


@router.post("/series", permission="appointments.write", status_code=201, errors=BOOKING_REFUSALS)
def open_group_series(ctx: RequestContext, body: GroupSeriesIn) -> GroupSeriesOut:
    """Open a series of group sessions.

    List them with `series_id`.
    """
    result = opening.open_group_series(ctx.work, body.to_request(), body.rule, skip_conflicts=body.skip_conflicts)
    return GroupSeriesOut(
        series_id=result.series.id,
        rule=result.series.rule,
        occurrences=[
            GroupOccurrenceOut(
                starts_at=occurrence.starts_at,
                status=occurrence.status,
                group_session_id=occurrence.group.id if occurrence.group else None,
                problems=[BookingProblemOut(**problem._asdict()) for problem in occurrence.problems],
            )
            for occurrence in result.occurrences
        ],
    )


@router.get("/{group_session_id}", permission="appointments.read")
def get_group_session(ctx: RequestContext, group_session_id: UUID) -> GroupDetailsOut:
    """Get a group session with its seats."""
    view = queries.get_group_session(ctx.work, ctx.scope, group_session_id)
    seats = [from_record(SeatOut, seat, appointment_id=seat.id) for seat in view.seats]
    return GroupDetailsOut(**GroupOut.of(view, ctx).model_dump(), seats=seats)


@router.post("/{group_session_id}/cancel", permission="appointments.write", errors=[WrongStatus])
def cancel_group_session(ctx: RequestContext, group_session_id: UUID, body: GroupCancellationIn) -> GroupsOut:
    """Cancel a group session.

    With all its seats; their clients are notified.
    """
    changed = changes.cancel_group_sessions(ctx.work, ctx.scope, group_session_id, body.reason, body.series_scope)
    return describe_change(ctx, changed)


@router.post(
    "/{group_session_id}/reschedule",
    permission="appointments.write",
    status_code=201,
    errors=[*BOOKING_REFUSALS, WrongStatus],
)
def reschedule_group_session(ctx: RequestContext, group_session_id: UUID, body: GroupMoveIn) -> GroupsOut:
    """Reschedule a group session.

    With all its seats: the response holds the new groups, or nothing happens. A problem of one client names the
    reference of their seat.
    """
    moved = body.model_dump(include={"clinician_id", "room_id"}, exclude_unset=True)
    if "clinician_id" in moved and body.clinician_id is None:
        message = "A group session needs a clinician. Send another `clinician_id`, or leave it out."
        raise Invalid([FieldProblem("clinician_id", message)])
    changed = changes.move_group_sessions(
        ctx.work, ctx.scope, group_session_id, body.starts_at, body.series_scope, moved
    )
    return describe_change(ctx, changed)
