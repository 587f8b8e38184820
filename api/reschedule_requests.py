"""Reschedule requests: clinicians ask, the front desk decides."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.deps import Desk, endpoint
from api.fields import Instant, Words
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from practice.scheduling import reschedule_requests
from practice.scheduling.errors import BOOKING_REFUSALS, NotBookable, TooLate, WrongStatus
from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.reschedule_requests import AlreadyAsked

router = APIRouter(prefix="/reschedule-requests", tags=["appointments"])


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


@endpoint(router, "GET", "", may="appointments.read_requests")
def list_reschedule_requests(desk: Desk, query: Annotated[RequestsQuery, Query()]) -> PageOut[RequestInList]:
    """Requests, newest first. Sorts by asked_at or id."""
    return page_out(reschedule_requests.list_requests(desk.work, query.asked(), desk.scope, query.status), RequestOut)


@endpoint(
    router,
    "POST",
    "",
    may="appointments.ask_to_move",
    status=201,
    refusals=[WrongStatus, TooLate, NotBookable, AlreadyAsked],
)
def ask_to_reschedule(desk: Desk, body: RequestIn) -> RequestOut:
    """Ask to move one of your appointments. It needs 48 hours' notice, or what the practice has set."""
    return RequestOut.of(reschedule_requests.ask_to_move(desk.work, scope=desk.scope, **body.model_dump()))


@endpoint(router, "GET", "/{request_id}", may="appointments.read_requests")
def get_reschedule_request(desk: Desk, request_id: UUID) -> RequestOut:
    """One request."""
    return RequestOut.of(reschedule_requests.get_request(desk.work, request_id, desk.scope))


@endpoint(
    router,
    "POST",
    "/{request_id}/approve",
    may="appointments.write",
    refusals=[*BOOKING_REFUSALS, WrongStatus, TooLate],
)
def approve_reschedule_request(desk: Desk, request_id: UUID, body: Approval) -> RequestOut:
    """The move happens, if its time is still free."""
    return RequestOut.of(reschedule_requests.approve_request(desk.work, request_id, body.note))


@endpoint(router, "POST", "/{request_id}/reject", may="appointments.write", refusals=[WrongStatus])
def reject_reschedule_request(desk: Desk, request_id: UUID, body: Rejection) -> RequestOut:
    """Say why not; the appointment stays as it is."""
    return RequestOut.of(reschedule_requests.reject_request(desk.work, request_id, body.note))


@endpoint(router, "POST", "/{request_id}/withdraw", may="appointments.ask_to_move", refusals=[WrongStatus])
def withdraw_reschedule_request(desk: Desk, request_id: UUID) -> RequestOut:
    """Take one's own request back."""
    return RequestOut.of(reschedule_requests.withdraw_request(desk.work, request_id, desk.scope))
