"""Reschedule requests: clinicians ask, the front ctx decides."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Instant, Words
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.scheduling import reschedule_requests
from practice.scheduling.errors import BOOKING_REFUSALS, NotBookable, TooLate, WrongStatus
from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.reschedule_requests import AlreadyAsked

router = PermissionRouter(prefix="/reschedule-requests", tags=["appointments"])


class RequestIn(Input):
    appointment_id: UUID
    starts_at: Instant
    room_id: UUID | None = None
    reason: Words


class Approval(Input):
    note: Words | None = None


class Rejection(Input):
    note: Words


class RequestsQuery(ListQuery):
    status: Literal["PENDING", "APPROVED", "REJECTED", "WITHDRAWN"] | None = None


class RequestOut(BaseModel):
    id: UUID
    appointment_id: UUID
    asked_by_id: UUID
    asked_at: datetime
    starts_at: datetime
    room_id: UUID | None
    reason: str
    status: str
    decided_at: datetime | None
    decision_note: str | None
    new_appointment_id: UUID | None
    version: int

    @classmethod
    def of(cls, request: RescheduleRequest) -> "RequestOut":
        return cls(**{name: getattr(request, name) for name in cls.model_fields})


RequestInList: Any = some_of(RequestOut)


@router.get("", permission="appointments.read_requests")
def list_reschedule_requests(ctx: RequestContext, query: Annotated[RequestsQuery, Query()]) -> PageOut[RequestInList]:
    """Requests, newest first. Sorts by asked_at or id."""
    return page_out(reschedule_requests.list_requests(ctx.work, query.asked(), ctx.scope, query.status), RequestOut)


@router.post(
    "", permission="appointments.ask_to_move", status_code=201, errors=[WrongStatus, TooLate, NotBookable, AlreadyAsked]
)
def ask_to_reschedule(ctx: RequestContext, body: RequestIn) -> RequestOut:
    """Ask to move one of your appointments. It needs 48 hours' notice, or what the practice has set."""
    return RequestOut.of(reschedule_requests.ask_to_move(ctx.work, scope=ctx.scope, **body.model_dump()))


@router.get("/{request_id}", permission="appointments.read_requests")
def get_reschedule_request(ctx: RequestContext, request_id: UUID) -> RequestOut:
    """One request."""
    return RequestOut.of(reschedule_requests.get_request(ctx.work, request_id, ctx.scope))


@router.post("/{request_id}/approve", permission="appointments.write", errors=[*BOOKING_REFUSALS, WrongStatus, TooLate])
def approve_reschedule_request(ctx: RequestContext, request_id: UUID, body: Approval) -> RequestOut:
    """The move happens, if its time is still free."""
    return RequestOut.of(reschedule_requests.approve_request(ctx.work, request_id, body.note))


@router.post("/{request_id}/reject", permission="appointments.write", errors=[WrongStatus])
def reject_reschedule_request(ctx: RequestContext, request_id: UUID, body: Rejection) -> RequestOut:
    """Say why not; the appointment stays as it is."""
    return RequestOut.of(reschedule_requests.reject_request(ctx.work, request_id, body.note))


@router.post("/{request_id}/withdraw", permission="appointments.ask_to_move", errors=[WrongStatus])
def withdraw_reschedule_request(ctx: RequestContext, request_id: UUID) -> RequestOut:
    """Take one's own request back."""
    return RequestOut.of(reschedule_requests.withdraw_request(ctx.work, request_id, ctx.scope))
