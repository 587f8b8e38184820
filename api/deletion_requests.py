"""Routes of deletion requests: a client asks for the redaction of their record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import EXAMPLE_ID, AccountId, ClientId, Reason200, RecordId, RecordVersion, describe, example
from api.names import ClientName, PersonOf, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.messages.deletion_requests import withdraw_request
from practice.people import deletion_requests
from practice.people.deletion_askers import Asker, load_askers
from practice.people.deletion_requests import (
    AskedByFormerGuardian,
    DeletionAsked,
    StillInTreatment,
    VisitsOpen,
    WrongStep,
)
from practice.people.models.clients import DeletionRequest
from practice.scheduling import departures
from practice.scheduling.errors import WrongStatus

router = PermissionRouter(prefix="/deletion-requests", tags=["deletion requests"])

Status = Literal["ASKED", "APPROVED", "REFUSED", "REDACTED", "WITHDRAWN"]


class DeletionIn(Input):
    model_config = example(client_id=EXAMPLE_ID)

    client_id: Annotated[UUID, describe("Whose record is to be deleted.")]


class DeletionReviewIn(Input):
    """A refusal needs a reason."""

    model_config = example(approved=False, reason="Treatment has not ended.")

    approved: Annotated[bool, describe("Whether the request is granted.")]
    reason: Annotated[Reason200 | None, describe("Why it is refused; the client can read it.")] = None


class DeletionWithdrawalIn(Input):
    model_config = example(reason="The client stays with the practice.")

    reason: Annotated[Reason200, describe("Why it is withdrawn; the client can read it.")]


class DeletionQuery(ListQuery):
    client_id: Annotated[UUID | None, describe("Only of this client.")] = None
    status: Annotated[Status | None, describe("Only with this status.")] = None


class AskerOut(BaseModel):
    """Who asked. Staff see name and address until the client is redacted."""

    kind: Annotated[
        Literal["staff", "client", "guardian", "former_guardian"],
        describe("What they were; a former guardian no longer decides for the client."),
    ]
    name: Annotated[str | None, describe("Their name; of a former guardian the one they signed with, if they did.")]
    email: Annotated[str | None, describe("The address they sign in to the portal with; null for staff.")]


class DeletionOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    status: Annotated[Status, describe("How far the request is.")]
    asked_at: Annotated[datetime, describe("When it was asked for.")]
    asked_by: AccountId | None
    asked_by_person: PersonOf = None
    asker: Annotated[
        AskerOut | None, describe("Who asked, as what they were then; null for one of the installation itself.")
    ]
    reviewed_at: Annotated[datetime | None, describe("When it was approved or refused.")]
    reviewed_by: AccountId | None
    reviewed_by_person: PersonOf = None
    refusal: Annotated[str | None, describe("Why it was refused.")]
    redacted_at: Annotated[datetime | None, describe("When the record was redacted.")]
    redacted_by: AccountId | None
    redacted_by_person: PersonOf = None
    withdrawn_at: Annotated[datetime | None, describe("When it was withdrawn.")]
    withdrawn_by: AccountId | None
    withdrawn_by_person: PersonOf = None
    withdrawal_reason: Annotated[str | None, describe("Why it was withdrawn.")]
    version: RecordVersion

    @classmethod
    def of(cls, request: DeletionRequest, askers: Mapping[UUID, Asker]) -> "DeletionOut":
        asker = askers.get(request.id)
        return from_record(cls, request, asker=AskerOut(**asker._asdict()) if asker else None)


DeletionInList: Any = partial_model(DeletionOut)


def describe_request(ctx: RequestContext, request: DeletionRequest) -> DeletionOut:
    return DeletionOut.of(request, load_askers(ctx.work, [request]))


@router.get("", permission="deletion_requests.read")
def list_deletion_requests(ctx: RequestContext, query: Annotated[DeletionQuery, Query()]) -> PageOut[DeletionInList]:
    """List deletion requests.

    Newest first. Sorts by asked_at or id.
    """
    page = deletion_requests.list_requests(
        ctx.work, ctx.scope, query.page_request(), client_id=query.client_id, status=query.status
    )
    return to_page(page, DeletionOut, load_askers(ctx.work, page.items))


@router.post("", permission="deletion_requests.ask", status_code=201, errors=[DeletionAsked])
def request_deletion(ctx: RequestContext, body: DeletionIn) -> DeletionOut:
    """Request the deletion of a client's record.

    By the client, or at the front desk.
    """
    return describe_request(ctx, deletion_requests.create_request(ctx.work, ctx.scope, body.client_id))


@router.get("/{request_id}", permission="deletion_requests.read")
def get_deletion_request(ctx: RequestContext, request_id: UUID) -> DeletionOut:
    """Get a deletion request."""
    return describe_request(ctx, deletion_requests.get_request(ctx.work, ctx.scope, request_id))


@router.post("/{request_id}/review", permission="deletion_requests.review", errors=[WrongStep, AskedByFormerGuardian])
def review_deletion_request(ctx: RequestContext, request_id: UUID, body: DeletionReviewIn) -> DeletionOut:
    """Review a deletion request.

    Approve it, or refuse it with a reason that the client reads. One made by a former guardian is not approved.
    """
    return describe_request(
        ctx, deletion_requests.review_request(ctx.work, request_id, approved=body.approved, reason=body.reason)
    )


@router.post("/{request_id}/withdraw", permission="deletion_requests.ask", errors=[WrongStep])
def withdraw_deletion_request(ctx: RequestContext, request_id: UUID, body: DeletionWithdrawalIn) -> DeletionOut:
    """Withdraw a deletion request.

    Before it is carried out: by the client, or at the front desk. One that the client made in the portal is withdrawn
    by the client or an admin; the client then gets a message.
    """
    return describe_request(ctx, withdraw_request(ctx.work, ctx.scope, request_id, body.reason))


@router.post("/{request_id}/withdraw-approval", permission="deletion_requests.review", errors=[WrongStep])
def withdraw_deletion_approval(ctx: RequestContext, request_id: UUID) -> DeletionOut:
    """Withdraw the approval of a deletion request.

    Before it is carried out. The request waits for its review again.
    """
    return describe_request(ctx, deletion_requests.withdraw_approval(ctx.work, request_id))


@router.post(
    "/{request_id}/redact",
    permission="deletion_requests.redact",
    errors=[WrongStep, AskedByFormerGuardian, StillInTreatment, VisitsOpen, WrongStatus],
)
def redact_client(ctx: RequestContext, request_id: UUID) -> DeletionOut:
    """Redact a client.

    Carries out an approved request for good: identifying data is removed, what the law requires is retained.
    """
    return describe_request(ctx, departures.redact_client(ctx.work, request_id))
