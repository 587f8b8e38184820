"""Reschedule requests: a clinician requests a move, the front desk decides, and both are notified."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import FieldProblem, Invalid, NotFound
from practice.messages.outbox import list_staff_with_roles, queue_staff_messages
from practice.people.access import visible_staff
from practice.people.settings import get_setting
from practice.scheduling import errors
from practice.scheduling.appointments.lifecycle import RESCHEDULABLE, lock_appointment
from practice.scheduling.appointments.rules.lifecycle import far_ahead_problem, notice_problem
from practice.scheduling.models.appointments import Appointment, RescheduleRequest
from practice.scheduling.models.catalog import Room
from practice.scheduling.rescheduling import move, refuse_group_seats
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned


class AlreadyRequested(errors.Refusal):
    """The appointment already has an open reschedule request.

    Fix: wait for its decision, or withdraw it.
    """

    code = "ALREADY_ASKED"


def list_requests(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page:
    """Return a page of requests made from `since` on and before `until`."""
    query = select_visible_requests(work, scope)
    if status is not None:
        query = query.where(RescheduleRequest.status == status)
    if since is not None:
        query = query.where(RescheduleRequest.asked_at >= since)
    if until is not None:
        query = query.where(RescheduleRequest.asked_at < until)
    sortable = {"asked_at": RescheduleRequest.asked_at, "id": RescheduleRequest.id}
    page = fetch_page(work.db, query, page_request, sortable, RescheduleRequest.id, "-asked_at")
    appointment_ids = [request.appointment_id for request in page.items]
    clients = select(Appointment.client_id).where(Appointment.tenant_id == work.tenant_id)
    work.record_list("reschedule.listed", work.db.scalars(clients.where(Appointment.id.in_(appointment_ids))))
    return page


def select_visible_requests(work: Work, scope: Scope) -> Select[RescheduleRequest]:
    """Return the query for requests of visible staff."""
    return select(RescheduleRequest).where(
        RescheduleRequest.tenant_id == work.tenant_id, visible_staff(work, scope, RescheduleRequest.asked_by_id)
    )


def get_request(work: Work, scope: Scope, request_id: UUID) -> RescheduleRequest:
    work.record("reschedule.read", "reschedule_request", request_id)
    return find_request(work, scope, request_id)


def find_request(work: Work, scope: Scope, request_id: UUID, *, lock: bool = False) -> RescheduleRequest:
    """Return the request, or raise NotFound."""
    query = select_visible_requests(work, scope).where(RescheduleRequest.id == request_id)
    request = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if request is None:
        raise NotFound
    return request


def request_reschedule(
    work: Work, scope: Scope, appointment_id: UUID, starts_at: datetime, reason: str, room_id: UUID | None = None
) -> RescheduleRequest:
    """Request a move of the appointment and notify the front desk."""
    appointment = lock_appointment(work, scope, appointment_id)
    if appointment.status not in RESCHEDULABLE:
        raise errors.WrongStatus("This appointment can no longer be moved.")
    refuse_group_seats(work, [appointment])
    late = notice_problem(appointment.starts_at, work.now, get_setting(work, "reschedule_notice_hours"))
    if late:
        raise errors.TooLate(late)
    if work.actor.staff_id is None or starts_at <= work.now or starts_at == appointment.starts_at:
        raise Invalid([FieldProblem("starts_at", "Propose a different time in the future (`starts_at`).")])
    problem = far_ahead_problem(starts_at, work.now)
    if problem:
        raise Invalid([FieldProblem("starts_at", problem)])
    if room_id is not None and work.db.get(Room, (work.tenant_id, room_id)) is None:
        raise Invalid([FieldProblem("room_id", "Room not found (`room_id`).")])
    request = RescheduleRequest(
        tenant_id=work.tenant_id,
        id=new_id(),
        appointment_id=appointment_id,
        asked_by_id=work.actor.staff_id,
        asked_at=work.now,
        starts_at=starts_at.astimezone(UTC),
        room_id=room_id,
        reason=reason,
        status="PENDING",
    )
    work.db.add(request)
    duplicate = AlreadyRequested("This appointment already has an open request. Withdraw it first.")
    with on_conflict("uq_reschedule_requests_tenant_id_appointment_id", duplicate):
        work.db.flush()
    queue_staff_messages(work, "RESCHEDULE_ASKED", list_deciders(work))
    work.record("reschedule.requested", "reschedule_request", request.id)
    return request


def list_deciders(work: Work) -> list[UUID]:
    """Return the staff who decide on requests; all of them are notified of a decision."""
    return list_staff_with_roles(work, "admin", "scheduler")


def approve_request(work: Work, request_id: UUID, note: str | None = None) -> RescheduleRequest:
    """Move the appointment now and approve the request. If the time is taken, raise and keep the request open."""
    request = lock_pending(work, Scope.ALL, request_id)
    if request.starts_at <= work.now:
        raise errors.TooLate(
            "The requested time has passed. Reject the request or reschedule the appointment directly."
        )
    changes = {} if request.room_id is None else {"room_id": request.room_id}
    replacements = move(work, Scope.ALL, request.appointment_id, request.starts_at, changes=changes)
    return decide(work, request, "APPROVED", note, new_appointment_id=replacements[0].id)


def reject_request(work: Work, request_id: UUID, note: str) -> RescheduleRequest:
    return decide(work, lock_pending(work, Scope.ALL, request_id), "REJECTED", note)


def withdraw_request(work: Work, scope: Scope, request_id: UUID) -> RescheduleRequest:
    return decide(work, lock_pending(work, scope, request_id), "WITHDRAWN", None)


def lock_pending(work: Work, scope: Scope, request_id: UUID) -> RescheduleRequest:
    """Lock and return a pending request, or raise WrongStatus."""
    request = find_request(work, scope, request_id, lock=True)
    if request.status != "PENDING":
        raise errors.WrongStatus("This request has already been decided or withdrawn.")
    return request


def decide(
    work: Work, request: RescheduleRequest, status: str, note: str | None, new_appointment_id: UUID | None = None
) -> RescheduleRequest:
    """Store the decision and notify both sides."""
    decision = {
        "status": status,
        "decided_at": work.now,
        "decided_by": work.actor.account_id,
        "decision_note": note,
        "new_appointment_id": new_appointment_id,
    }
    update_versioned(request, decision)
    queue_staff_messages(work, f"RESCHEDULE_{status}", [request.asked_by_id, *list_deciders(work)])
    work.record(f"reschedule.{status.lower()}", "reschedule_request", request.id)
    return request
