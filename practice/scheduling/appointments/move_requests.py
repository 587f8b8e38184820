"""Decisions on reschedule requests, which people make, or which follow from the end of the visit."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.messages.outbox import list_staff_with_roles, queue_staff_messages
from practice.scheduling.models.appointments import RescheduleRequest
from practice.security.work import Work
from practice.store.records import update_versioned

# Why a request is closed that nobody has decided, by the visit's final status.
REASONS = {
    "CANCELLED": "The visit was cancelled.",
    "RESCHEDULED": "The visit was moved.",
    "COMPLETED": "The visit took place.",
    "NO_SHOW": "The client did not come.",
}


def list_deciders(work: Work) -> list[UUID]:
    """Return the staff who decide on requests; all of them are notified of a decision."""
    return list_staff_with_roles(work, "admin", "scheduler")


def decide(work: Work, request: RescheduleRequest, status: str, note: str | None, **decision: Any) -> RescheduleRequest:
    """Store the decision and notify both sides."""
    decision |= {
        "status": status,
        "decided_at": work.now,
        "decided_by": work.actor.account_id,
        "decision_note": note,
    }
    update_versioned(request, decision)
    notify_staff(work, f"RESCHEDULE_{status}", request, [request.asked_by_id, *list_deciders(work)])
    work.record(f"reschedule.{status.lower()}", "reschedule_request", request.id)
    return request


def notify_staff(work: Work, kind: str, request: RescheduleRequest, staff_ids: Collection[UUID]) -> None:
    """Queue messages about the request."""
    queue_staff_messages(work, kind, staff_ids, about_id=request.id)


def withdraw_open_requests(work: Work, appointment_ids: Collection[UUID], status: str) -> None:
    """Withdraw the pending requests to move these appointments, which have this final status now."""
    query = select(RescheduleRequest).where(
        RescheduleRequest.tenant_id == work.tenant_id,
        RescheduleRequest.appointment_id.in_(appointment_ids),
        RescheduleRequest.status == "PENDING",
    )
    requests = query.order_by(RescheduleRequest.id).with_for_update(key_share=True)
    for request in work.db.scalars(requests.execution_options(populate_existing=True)):
        decide(work, request, "WITHDRAWN", REASONS[status])
