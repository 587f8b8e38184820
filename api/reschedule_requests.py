"""Routes of reschedule requests: clinicians request a new time, the front desk decides."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import EXAMPLE_ID, ClientId, Instant, RecordId, RecordVersion, Text1000, describe, example
from api.filters import DaysQuery
from api.names import ClientName, RoomName, StaffName, from_record
from api.responses import Input, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.errors import NotFound
from practice.people.practice_time import span_of_days
from practice.scheduling import reschedule_requests
from practice.scheduling.errors import BOOKING_REFUSALS, NotBookable, TooLate, WrongStatus
from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.reschedule_requests import AlreadyRequested

router = PermissionRouter(prefix="/reschedule-requests", tags=["appointments"])


class RequestIn(Input):
    model_config = example(appointment_id=EXAMPLE_ID, starts_at="2026-03-27T10:00:00-04:00", reason="A conference")

    appointment_id: Annotated[UUID, describe("The appointment to move.")]
    starts_at: Annotated[Instant, describe("The proposed start.")]
    room_id: Annotated[UUID | None, describe("Another room.")] = None
    reason: Annotated[Text1000, describe("Why it should move.")]


class Approval(Input):
    model_config = example(note="Enjoy the conference.")

    note: Annotated[Text1000 | None, describe("A word to the clinician.")] = None


class Rejection(Input):
    model_config = example(note="The client can only come on Fridays.")

    note: Annotated[Text1000, describe("Why it is not moved.")]


class RequestsQuery(DaysQuery):
    """By status, and by the local dates on which they were made."""

    status: Annotated[
        Literal["PENDING", "APPROVED", "REJECTED", "WITHDRAWN"] | None, Field(description="With this status.")
    ] = None


class RequestOut(BaseModel):
    id: RecordId
    appointment_id: Annotated[UUID, describe("The appointment to move.")]
    appointment_reference: Annotated[str, describe("Its booking reference.")]
    appointment_starts_at: Annotated[datetime, describe("When it begins as it is.")]
    client_id: ClientId
    client_name: ClientName = None
    asked_by_id: Annotated[UUID, describe("The clinician who asks.")]
    asked_by_name: StaffName = None
    asked_at: Annotated[datetime, describe("When it was asked for.")]
    starts_at: Annotated[datetime, describe("The proposed start.")]
    room_id: Annotated[UUID | None, describe("The proposed room; null for the same.")]
    room_name: RoomName = None
    reason: Annotated[str, describe("Why it should move.")]
    status: Annotated[
        str,
        describe("`PENDING`, `APPROVED`, `REJECTED` or `WITHDRAWN`, also with the end of the visit."),
    ]
    decided_at: Annotated[datetime | None, describe("When it was decided.")]
    decision_note: Annotated[str | None, describe("A word about the decision, or why there is none.")]
    new_appointment_id: Annotated[UUID | None, describe("The appointment at the new time, once approved.")]
    version: RecordVersion

    @classmethod
    def of(cls, request: RescheduleRequest, visits: Mapping[UUID, Any]) -> "RequestOut":
        visit = visits[request.appointment_id]
        shown = {"appointment_reference": visit.reference, "appointment_starts_at": visit.starts_at}
        return from_record(cls, request, client_id=visit.client_id, **shown)


RequestInList: Any = partial_model(RequestOut)


def to_response(ctx: RequestContext, request: RescheduleRequest) -> RequestOut:
    """Return the request with the visit that it is to move."""
    return RequestOut.of(request, reschedule_requests.load_visits(ctx.work, [request]))


@router.get("", permission="appointments.read_requests")
def list_reschedule_requests(ctx: RequestContext, query: Annotated[RequestsQuery, Query()]) -> PageOut[RequestInList]:
    """List reschedule requests.

    Newest first. Sorts by asked_at or id.
    """
    span = span_of_days(ctx.work, query.first, query.last)
    page = reschedule_requests.list_requests(ctx.work, ctx.scope, query.page_request(), query.status, *span)
    return to_page(page, RequestOut, reschedule_requests.load_visits(ctx.work, page.items))


@router.post(
    "",
    permission="appointments.ask_to_move",
    status_code=201,
    errors=[NotFound, WrongStatus, TooLate, NotBookable, AlreadyRequested],
)
def request_reschedule(ctx: RequestContext, body: RequestIn) -> RequestOut:
    """Request to reschedule one of your appointments.

    At least 48 hours ahead, or the practice's own limit.
    """
    return to_response(ctx, reschedule_requests.request_reschedule(ctx.work, scope=ctx.scope, **body.model_dump()))


@router.get("/{request_id}", permission="appointments.read_requests")
def get_reschedule_request(ctx: RequestContext, request_id: UUID) -> RequestOut:
    """Get a reschedule request."""
    return to_response(ctx, reschedule_requests.get_request(ctx.work, ctx.scope, request_id))


@router.post("/{request_id}/approve", permission="appointments.write", errors=[*BOOKING_REFUSALS, WrongStatus, TooLate])
def approve_reschedule_request(ctx: RequestContext, request_id: UUID, body: Approval) -> RequestOut:
    """Approve a reschedule request.

    Moves the appointment if the new time is still free.
    """
    return to_response(ctx, reschedule_requests.approve_request(ctx.work, request_id, body.note))


@router.post("/{request_id}/reject", permission="appointments.write", errors=[WrongStatus])
def reject_reschedule_request(ctx: RequestContext, request_id: UUID, body: Rejection) -> RequestOut:
    """Reject a reschedule request.

    The note says why; the appointment stays as it is.
    """
    return to_response(ctx, reschedule_requests.reject_request(ctx.work, request_id, body.note))


@router.post("/{request_id}/withdraw", permission="appointments.ask_to_move", errors=[WrongStatus])
def withdraw_reschedule_request(ctx: RequestContext, request_id: UUID) -> RequestOut:
    """Withdraw your reschedule request."""
    return to_response(ctx, reschedule_requests.withdraw_request(ctx.work, ctx.scope, request_id))
