"""Reschedule requests: a clinician requests a move, the front desk decides, and both are notified."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import FieldProblem, Invalid, NotFound
from practice.people.access import visible_staff
from practice.people.settings import get_setting
from practice.scheduling import errors
from practice.scheduling.appointments.lifecycle import RESCHEDULABLE, lock_appointment, lock_in_time_order
from practice.scheduling.appointments.move_requests import decide, list_deciders, notify_staff
from practice.scheduling.appointments.rules.lifecycle import far_ahead_problem, notice_problem
from practice.scheduling.models.appointments import Appointment, RescheduleRequest
from practice.scheduling.models.catalog import Room
from practice.scheduling.rescheduling import move, refuse_group_seats
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict


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


def load_visits(work: Work, requests: Collection[RescheduleRequest]) -> dict[UUID, Any]:
    """Return the client, start and reference of the appointments that the requests are to move, by their ids."""
    columns = (Appointment.id, Appointment.client_id, Appointment.starts_at, Appointment.reference)
    query = select(*columns).where(Appointment.tenant_id == work.tenant_id)
    rows = work.db.execute(query.where(Appointment.id.in_([request.appointment_id for request in requests])))
    return {row.id: row for row in rows}


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
    notify_staff(work, "RESCHEDULE_ASKED", request, list_deciders(work))
    work.record("reschedule.requested", "reschedule_request", request.id)
    return request


def approve_request(work: Work, request_id: UUID, note: str | None = None) -> RescheduleRequest:
    """Move the appointment now and approve the request. If the time is taken, raise and keep the request open."""
    by_id = (RescheduleRequest.tenant_id == work.tenant_id, RescheduleRequest.id == request_id)
    lock_in_time_order(work, work.db.scalars(select(RescheduleRequest.appointment_id).where(*by_id)).all())
    request = lock_pending(work, Scope.ALL, request_id)
    if request.starts_at <= work.now:
        raise errors.TooLate(
            "The requested time has passed. Reject the request or reschedule the appointment directly."
        )
    request.status = "APPROVED"  # so that the move does not withdraw it
    work.db.flush()
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
