"""A client asks to be forgotten."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.people import deletion_requests
from practice.people.deletion_requests import DeletionAsked, StillInTreatment, WrongStep
from practice.people.models.clients import DeletionRequest

router = PermissionRouter(prefix="/deletion-requests", tags=["deletion requests"])

Status = Literal["ASKED", "APPROVED", "REFUSED", "REDACTED"]


class DeletionIn(Input):
    client_id: UUID


class ReviewIn(Input):
    """A refusal says why."""

    approved: bool
    reason: Why | None = None


class DeletionQuery(ListQuery):
    client_id: UUID | None = None
    status: Status | None = None


class DeletionOut(BaseModel):
    id: UUID
    client_id: UUID
    status: Status
    asked_at: datetime
    asked_by: UUID | None
    reviewed_at: datetime | None
    reviewed_by: UUID | None
    refusal: str | None
    redacted_at: datetime | None
    redacted_by: UUID | None
    version: int

    @classmethod
    def of(cls, request: DeletionRequest) -> "DeletionOut":
        return cls(**{name: getattr(request, name) for name in cls.model_fields})


DeletionInList: Any = some_of(DeletionOut)


@router.get("", permission="deletion_requests.read")
def list_deletion_requests(ctx: RequestContext, query: Annotated[DeletionQuery, Query()]) -> PageOut[DeletionInList]:
    """Requests to be forgotten, the newest first. Sorts by asked_at or id."""
    found = deletion_requests.list_requests(
        ctx.work, ctx.scope, query.asked(), client_id=query.client_id, status=query.status
    )
    return page_out(found, DeletionOut)


@router.post("", permission="deletion_requests.ask", status_code=201, errors=[DeletionAsked])
def ask_for_deletion(ctx: RequestContext, body: DeletionIn) -> DeletionOut:
    """A client asks, themselves or at the front ctx."""
    return DeletionOut.of(deletion_requests.ask(ctx.work, ctx.scope, body.client_id))


@router.get("/{request_id}", permission="deletion_requests.read")
def get_deletion_request(ctx: RequestContext, request_id: UUID) -> DeletionOut:
    """One request, and how far it is."""
    return DeletionOut.of(deletion_requests.get_request(ctx.work, ctx.scope, request_id))


@router.post("/{request_id}/review", permission="deletion_requests.review", errors=[WrongStep])
def review_deletion_request(ctx: RequestContext, request_id: UUID, body: ReviewIn) -> DeletionOut:
    """Approve, or refuse with a reason that the client reads."""
    return DeletionOut.of(deletion_requests.review(ctx.work, request_id, approved=body.approved, reason=body.reason))


@router.post("/{request_id}/redact", permission="deletion_requests.redact", errors=[WrongStep, StillInTreatment])
def redact_client(ctx: RequestContext, request_id: UUID) -> DeletionOut:
    """Carry an approved request out, for good: who the client is goes; what the law requires to keep stays."""
    return DeletionOut.of(deletion_requests.redact(ctx.work, request_id))
